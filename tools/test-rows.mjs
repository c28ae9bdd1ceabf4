// SPDX-License-Identifier: Apache-2.0
// Every row of tests/rows/rows.tsv and what became of it in the last `make test`: passed, failed, waits (for
// what), follows (why another answer is right), or MISSING. A test carries a row by its id in the title
// ("RU-001: …", or ru_001_… in C).
import fs from 'node:fs';
import { read_suite, suites } from './results.mjs';

function table(file) {
	return fs.readFileSync(file, 'utf8').split('\n').filter((line) => line && !line.startsWith('#')).map((line) => line.split('\t'));
}

const [, ...rows] = table('tests/rows/rows.tsv');
const areas = new Set(rows.map((row) => row[1]));
const ids = new Set(rows.map((row) => row[0]));

function ids_in(name) {
	const upper = [...name.matchAll(/\b([A-Z]{2}-\d{3})\b/g)].map((match) => match[1]);
	const lower = [...name.matchAll(/(?<![a-z0-9])([a-z]{2})_(\d{3})(?=_)/g)].map((match) => `${match[1].toUpperCase()}-${match[2]}`);
	return [...upper, ...lower];
}

const problems = [];
const status = new Map();
for (const [key, word, why] of table('tests/rows/status.tsv')) {
	const is_known = key.startsWith('area:') ? areas.has(key.slice(5)) : ids.has(key);
	if (!is_known || !['waits', 'follows'].includes(word) || !why || status.has(key)) problems.push(`tests/rows/status.tsv: ${key} is not a line one can read`);
	status.set(key, { word, why });
}

// id => the cases that carry it
const carried = new Map();
for (const one of suites().flatMap(read_suite)) {
	for (const id of ids_in(one.name)) {
		if (!ids.has(id)) problems.push(`${one.file}: "${one.name}" carries ${id}, which is no row`);
		carried.set(id, [...(carried.get(id) ?? []), one]);
	}
}

function verdict(id, area) {
	const cases = (carried.get(id) ?? []).filter((one) => !one.skip);
	const failed = cases.filter((one) => !one.ok);
	if (failed.length > 0) return ['failed', `${failed[0].suite}: ${failed[0].name}`];
	if (cases.length > 0) return ['passed', [...new Set(cases.map((one) => one.suite))].join(', ')];
	const said = status.get(id) ?? status.get(`area:${area}`);
	return said ? [said.word, said.why] : ['MISSING', ''];
}

// What waits has no test, or it does not wait: one of the two is not true.
for (const [key, { word }] of status) {
	const one = (carried.get(key) ?? []).find(({ skip }) => !skip);
	if (word === 'waits' && one) problems.push(`tests/rows/status.tsv: ${key} waits, but ${one.file} carries it: "${one.name}"`);
}

const count = {};
let is_bad = false;
for (const [id, area] of rows) {
	const [word, why] = verdict(id, area);
	console.log(`${id}  ${word.padEnd(8)} ${why}`);
	count[word] = (count[word] ?? 0) + 1;
	if (word === 'failed' || word === 'MISSING') is_bad = true;
}
for (const problem of problems) console.log(problem);
console.log(Object.entries(count).map(([word, n]) => `${n} ${word}`).join(', '));
process.exitCode = is_bad || problems.length > 0 ? 1 : 0;
