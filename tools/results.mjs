// SPDX-License-Identifier: Apache-2.0
// What the suites said, one JSON line per test case in build/results/SUITE.jsonl:
// { suite, file, name, ok, skip?, why?, ms? }. Counts come from here and from nowhere else.
import fs from 'node:fs';
import path from 'node:path';

const results = 'build/results';

export function read_suite(suite) {
	const file = path.join(results, `${suite}.jsonl`);
	if (!fs.existsSync(file)) return [];
	return fs.readFileSync(file, 'utf8').split('\n').filter(Boolean).map((line) => JSON.parse(line));
}

export function suites() {
	if (!fs.existsSync(results)) return [];
	return fs.readdirSync(results).filter((name) => name.endsWith('.jsonl'))
		.map((name) => name.replace(/\.jsonl$/, '')).sort();
}

function add(suite, cases) {
	const text = cases.map((one) => JSON.stringify({ suite, ...one }) + '\n').join('');
	fs.appendFileSync(path.join(results, `${suite}.jsonl`), text);
}

// The cases of one TAP text. A plan that does not match what ran is a failure of its own.
export function parse_tap(text, file) {
	const cases = [];
	let plan = null;
	let last = null;
	for (const line of text.split('\n')) {
		const result = /^(not )?ok\b\s*\d*\s*(?:-\s*)?(.*?)(?:\s+#\s*(skip|todo)\b\s*(.*))?$/i.exec(line);
		const planned = /^1\.\.(\d+)/.exec(line);
		if (planned) plan = (plan ?? 0) + Number(planned[1]);
		else if (result) {
			last = { file, name: result[2], ok: !result[1] };
			if (result[3]) last.skip = result[4] || result[3];
			cases.push(last);
		} else if (last && !last.ok && line.startsWith('#')) {
			last.why = ((last.why ?? '') + line.slice(1).trim() + '\n').slice(0, 4000);
		}
	}
	if (plan === null || plan !== cases.length)
		cases.push({ file, name: 'runs to its end', ok: false, why: `planned ${plan}, ran ${cases.length}` });
	return cases;
}

function from_meson_test(test) {
	const name = test.name.replace(/^.*? \/ /, '');
	const output = `${test.stdout ?? ''}\n${test.stderr ?? ''}`;
	const is_tap = /^(not )?ok\b|^1\.\.\d+/m.test(test.stdout ?? '');
	const cases = is_tap ? parse_tap(test.stdout, name)
		: [{ file: name, name, ok: test.returncode === 0, why: output.slice(-4000) }];
	if (is_tap && test.returncode !== 0 && cases.every((one) => one.ok))
		cases.push({ file: name, name: 'ends well', ok: false, why: output.slice(-4000) });
	return cases;
}

function meson(suite, log) {
	if (!fs.existsSync(log)) return add(suite, []);
	const lines = fs.readFileSync(log, 'utf8').split('\n').filter(Boolean);
	const cases = lines.flatMap((line) => from_meson_test(JSON.parse(line)));
	for (const one of cases) {
		if (one.ok) delete one.why;
		else console.log(`${suite}: FAILED ${one.file}: ${one.name}\n${one.why ?? ''}`);
	}
	add(suite, cases);
}

// Each file that was given must have brought a case.
function node(suite, files) {
	const cases = read_suite(suite);
	for (const file of files) {
		if (!cases.some((one) => one.file === file))
			add(suite, [{ file, name: 'runs something', ok: false, why: `no test case came from ${file}` }]);
	}
}

function count(cases) {
	return {
		passed: cases.filter((one) => one.ok && !one.skip).length,
		failed: cases.filter((one) => !one.ok && !one.skip).length,
		skipped: cases.filter((one) => one.skip).length,
	};
}

const has_files = (folder, pattern) => fs.existsSync(folder) && fs.readdirSync(folder).some((name) => pattern.test(name));

// suite => what tells that it has to have run
const expected = {
	unit: { part: 'unit', due: () => true },
	'unit-clang': { part: 'unit', due: () => true },
	'fuzz-replay': { part: 'fuzz-replay', due: () => has_files('fuzz', /^fuzz_.*\.c$/) },
	harness: { part: 'flow', due: () => has_files('tests/flow/harness', /\.test\.mjs$/) },
	'flow-sqlite': { part: 'flow', due: () => has_files('tests/flow', /\.test\.mjs$/) },
	'flow-postgres': { part: 'flow', due: () => has_files('tests/flow', /\.test\.mjs$/) },
	'flow-release': { part: 'flow', due: () => has_files('tests/flow', /\.test\.mjs$/) },
	servers: { part: 'flow', due: () => has_files('tests/servers', /\.test\.mjs$/) },
	browser: { part: 'browser', due: () => has_files('tests/browser', /\.test\.mjs$/) },
	lint: { part: 'lint', due: () => true },
};

// How the title of a case begins that says something of one database only.
const of_one = { 'flow-sqlite': 'on SQLite only: ', 'flow-postgres': 'on PostgreSQL only: ' };

// What ran on one database and not on the other, though its title does not say so; a title of the other database's is
// never right. `cases`: suite => its cases.
export function compare(cases) {
	const names = {}, own = {};
	for (const [suite, prefix] of Object.entries(of_one)) {
		const ran = cases[suite].filter((one) => !one.skip);
		own[suite] = ran.filter((one) => one.name.startsWith(prefix)).length;
		names[suite] = ran.filter((one) => !one.name.startsWith(prefix)).map((one) => `${one.file}: ${one.name}`).sort();
	}
	const [sqlite, postgres] = Object.values(names);
	const count_of = (list, name) => list.filter((one) => one === name).length;
	const differs = [...new Set([...sqlite, ...postgres])].filter((name) => count_of(sqlite, name) !== count_of(postgres, name));
	const is_misplaced = (name) => Object.values(of_one).some((prefix) => name.includes(`: ${prefix}`));
	return { counts: [sqlite.length, postgres.length], own, wrong: [...new Set([...differs, ...sqlite.filter(is_misplaced), ...postgres.filter(is_misplaced)])] };
}

// Both databases must have run the same cases.
function compare_databases(wanted) {
	if (wanted !== 'all' && wanted !== 'flow') return;
	const { counts, own, wrong } = compare({ 'flow-sqlite': read_suite('flow-sqlite'), 'flow-postgres': read_suite('flow-postgres') });
	console.log(`flow cases: ${counts[0]} on SQLite, ${counts[1]} on PostgreSQL; besides these ${own['flow-sqlite']} of SQLite only, ${own['flow-postgres']} of PostgreSQL only`);
	if (wrong.length === 0) return;
	const why = `on one database only: ${wrong.slice(0, 5).join('; ')}`;
	console.log(`flow: FAILED ${why}`);
	add('flow-postgres', [{ file: 'flow', name: 'both databases run the same cases', ok: false, why }]);
}

function summary(wanted) {
	compare_databases(wanted);
	const total = { passed: 0, failed: 0, skipped: 0 };
	for (const [suite, { part, due }] of Object.entries(expected)) {
		if (wanted !== 'all' && wanted !== part) continue;
		if (read_suite(suite).filter((one) => !one.skip).length === 0 && due())
			add(suite, [{ file: suite, name: 'runs something', ok: false, why: 'the suite ran nothing' }]);
		const sum = count(read_suite(suite));
		for (const key of Object.keys(total)) total[key] += sum[key];
		const note = sum.skipped ? `, ${sum.skipped} skipped` : sum.passed + sum.failed ? '' : '   (nothing yet)';
		console.log(`${suite.padEnd(14)} ${String(sum.passed).padStart(5)} passed, ${sum.failed} failed${note}`);
	}
	for (const one of suites().flatMap(read_suite).filter((one) => !one.ok && !one.skip))
		console.log(`FAILED ${one.suite}: ${one.file}: ${one.name}`);
	for (const one of suites().flatMap(read_suite).filter((one) => one.skip)) console.log(`skipped ${one.suite}: ${one.file}: ${one.name} (${one.skip})`);
	if (total.skipped) console.log(`${total.skipped} skipped`);
	console.log(`${total.passed} passed, ${total.failed} failed`);
	process.exitCode = total.failed > 0 || total.passed === 0 ? 1 : 0;
}

const [verb, ...rest] = process.argv[1]?.endsWith('results.mjs') ? process.argv.slice(2) : [];
if (verb === 'meson') meson(rest[0], rest[1]);
if (verb === 'tap') add(rest[0], parse_tap(fs.readFileSync(rest[1], 'utf8'), rest[0]));
if (verb === 'node') node(rest[0], rest.slice(1));
if (verb === 'broken') add(rest[0], [{ file: rest[0], name: rest[1], ok: false }]);
if (verb === 'summary') summary(rest[0]);
