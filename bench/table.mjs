// SPDX-License-Identifier: Apache-2.0
// The table of `make bench`: as text and JSON in build/bench, and as Markdown for docs/performance.md.
import fs from 'node:fs';
import path from 'node:path';
import { median, sorted } from './measure.mjs';
import { judged } from './rows.mjs';

const footnotes = [
	'CPU is user and system time of the server\'s whole process tree for each request (/proc/PID/stat): the figure to trust on a shared machine. The load generator has a core\'s worth of its own, so req/s of the fastest rows is the generator\'s limit.',
	'Ratios are of the two figures of one pair, measured one after the other; minimum, median, maximum of the pairs. The median is judged, of an even number of pairs the mean of the two in the middle. Where CPU and req/s both have a floor, both must hold; a line without one is there to be seen.',
	'glewlwyd leaves a part of the processors idle: issue and refresh beside it are judged by req/s, and their CPU is shown without a floor. Eighty times less CPU for a refresh is more than a server could save that judged nothing: 66 times, where the goals were set.',
	'Passwords: 1,000 requests/s with and without somebody who signs in all the time, a second each in turn. The machine\'s own stalls move the p99 of a second between a half and twenty milliseconds, so all seconds are taken together, and what stands here is between what bounds it lies in 95 of 100 cases (by drawing the pairs again). The floor is missed when the lower bound is above it.',
	'The key process: CPU time of grantd\'s own keyd, with its list of system calls in force, and of who asks it, together, beside the same signature in one process, in turns. Judged for four at once: a loop under load (32 connections) asks for 7 refreshes or 21 tokens of agents\' own at once. Where OpenSSL took longer than 17 µs in the same turns, it counts as much less.',
	'Comparison of secrets: by the function that client secrets are compared with, of two texts that differ in the first byte, in the last or not at all, drawn at random, the medians of the three. memcmp, measured in the same way, is there to show that a difference would be seen.',
	'Idle: each of grantd\'s three databases is started three times.',
	'Not here, because grantd does not have it yet: the gateway and its streams.',
	'Introspection is asked about 1,000 tokens (glewlwyd: 200) in turn. The peers\' tokens are a client\'s own, which is the least work for them; grantd\'s hang on a person\'s grant. "grantd" without a number has 100,000 grants.',
	'Revocation: grantd ends an installation\'s line of tokens with its event; the peers delete one access token.',
	'A flow is authorize, consent page, yes, code and tokens, by a person who is signed in: 3 requests at grantd, which asks at once, 5 at oidc-provider. grantd refuses a yes within 700 ms of the page, so its flows/s are not its limit; its times are without that wait.',
	'DPoP-bound: a key for each connection, a proof for each request, signed before the load begins. "unbound" is the same grantd\'s plain refresh, measured beside it in turns of half a second, as is OpenSSL; what is left when one verification of OpenSSL is taken off too may be 3.5 signatures (60 µs where one takes 17). The peers bind and rotate as well.',
	'Token exchange: each access token is exchanged once, for one with an actor, which is stored and has its event; "refresh" beside it is grantd\'s own. No peer: oidc-provider has no such grant type of its own, glewlwyd none that compares.',
	'By document: the agent\'s link, followed to the question, by people who are signed in; the client id is a URL whose document was read before and is not read again (the run fails if it is). "registered" is the same question of an agent that the operator registered. oidc-provider has its document in memory, and answers in two requests.',
	'A handshake row is one connection, one handshake, one answer; its CPU is that of all three.',
];

const shown = (value, digits = 0) => value === undefined || Number.isNaN(value) ? '' : value.toLocaleString('en', { minimumFractionDigits: digits, maximumFractionDigits: digits });
const middle = (runs, name) => runs[0][name] === undefined ? undefined : median(runs.map((run) => run[name]));

function figures_of(runs) {
	const cpu = middle(runs, 'cpu');
	return [shown(middle(runs, 'rate')), shown(middle(runs, 'p50')), shown(middle(runs, 'p99')), shown(cpu, cpu < 100 ? 1 : 0),
		shown(middle(runs, 'pss'), 1), shown(middle(runs, 'ms'), 1)];
}

const heads = ['case', 'over', 'server', 'req/s', 'p50 µs', 'p99 µs', 'CPU µs', 'PSS MiB', 'start ms'];
const check_heads = ['case', 'over', 'figure', 'min', 'median', 'max', 'floor', 'goal', ''];

const figure_lines = (report) => report.results.flatMap(({ title, where, runs }) =>
	Object.entries(runs).map(([name, of_server]) => [title, where, name, ...figures_of(of_server)]));

const bound = (check, value) => value === undefined ? '' : `${check.at_most === undefined && check.goal_at_most === undefined ? '≥' : '≤'} ${value}`;

const check_lines = (report) => report.results.flatMap(({ title, where, checks }) => checks.map((check) => {
	const values = sorted(check.values);
	return [title, where, check.what, shown(values[0], 2), shown(median(values), 2), shown(values.at(-1), 2),
		bound(check, check.at_most ?? check.at_least), bound(check, check.goal ?? check.goal_at_most), judged(check)];
}));

function aligned(lines) {
	const widths = lines[0].map((unused, i) => Math.max(...lines.map((line) => [...line[i]].length)));
	return lines.map((line) => line.map((cell, i) => i < 3 || /[a-z]/i.test(cell) ? cell.padEnd(widths[i]) : cell.padStart(widths[i])).join('  ').trimEnd()).join('\n');
}

const setting = (report) => [
	`measured ${report.date.slice(0, 16).replace('T', ' ')} UTC, ${report.pairs} pairs of ${report.seconds} s, ${Math.round(report.minutes)} minutes in all${report.note ? `; ${report.note}` : ''}`,
	`machine: ${report.machine}, shared by the servers and the load (1-minute load before: ${report.load_before.toFixed(1)})`,
	`versions: ${Object.entries(report.versions).map(([name, version]) => `${name} ${version}`).join(', ')}`,
	`flags: ${report.flags}`,
	`one fsync with 2 ms added: ${Math.round(report.fsync_us)} µs; one P-256 signature of OpenSSL: ${report.signature_us.toFixed(1)} µs, one verification: ${report.verification_us.toFixed(1)} µs`,
];

export function text_table(report) {
	return [...setting(report), '', aligned([heads, ...figure_lines(report)]), '', aligned([check_heads, ...check_lines(report)]), '',
		...footnotes.map((note) => `* ${note}`)].join('\n');
}

const markdown = (lines) => lines.map((line, i) => `| ${line.join(' | ')} |${i === 0 ? `\n|${line.map((unused, at) => at < 3 ? '---' : '--:').join('|')}|` : ''}`).join('\n');

export function markdown_tables(report) {
	return [...setting(report).map((line) => `- ${line}`), '', '### What must hold', '', markdown([check_heads, ...check_lines(report)]), '',
		'### Figures (medians)', '', markdown([heads, ...figure_lines(report)]), '', ...footnotes.map((note) => `- ${note}`), ''].join('\n');
}

export function write_results(folder, report) {
	fs.mkdirSync(folder, { recursive: true });
	const bulk = ['times', 'tokens'];
	fs.writeFileSync(path.join(folder, 'bench.json'), `${JSON.stringify(report, (name, value) => bulk.includes(name) ? undefined : value, '\t')}\n`);
	fs.writeFileSync(path.join(folder, 'bench.txt'), `${text_table(report)}\n`);
}
