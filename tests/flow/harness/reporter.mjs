// SPDX-License-Identifier: Apache-2.0
// node:test events as the lines of tools/results.mjs: leaves only, named with the tests around them.
import path from 'node:path';

// A test around others says nothing of its own, unless it failed by itself.
const is_parent = (data, had_children) => data.details.type === 'suite' || had_children;
const failed_by_itself = (data) => data.details.error?.failureType !== 'subtestsFailed';

export function why(error) {
	const cause = error?.cause ?? error;
	return String(cause?.stack ?? cause?.message ?? cause ?? '').slice(0, 4000);
}

export default async function* reporter(source) {
	const names = [];
	let deepest = 0;
	for await (const { type, data } of source) {
		if (type === 'test:start') {
			names.length = data.nesting;
			names[data.nesting] = data.name;
			deepest = data.nesting;
		}
		if (type !== 'test:pass' && type !== 'test:fail') continue;
		const ok = type === 'test:pass';
		const had_children = data.nesting < deepest;
		deepest = data.nesting;
		names.length = data.nesting;
		if (is_parent(data, had_children) && (ok || !failed_by_itself(data))) continue;
		const file = path.relative('.', data.file ?? '');
		// node reports a file that held no test as a passed test called like the file
		if (ok && path.resolve(data.name) === data.file) continue;
		const line = { suite: process.env.SUITE, file, name: [...names, data.name].join(' > '), ok, ms: Math.round(data.details.duration_ms) };
		if (data.skip !== undefined || data.todo !== undefined) line.skip = String(data.skip ?? data.todo) || 'skipped';
		if (!ok) line.why = why(data.details.error);
		yield JSON.stringify(line) + '\n';
	}
}
