// SPDX-License-Identifier: Apache-2.0
// For people: what failed and why, and nothing else.
import { why } from './reporter.mjs';

export default async function* reporter(source) {
	for await (const { type, data } of source) {
		if (type === 'test:fail' && data.details.error?.failureType !== 'subtestsFailed' && data.todo === undefined)
			yield `FAILED ${data.file}: ${data.name}\n${why(data.details.error)}\n\n`;
		if (type === 'test:diagnostic' && data.level === 'error') yield `${data.message}\n`;
	}
}
