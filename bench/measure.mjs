// SPDX-License-Identifier: Apache-2.0
// One measurement: a generator of load, and what the server's process tree used of the processors meanwhile.
import { execFile, spawn } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { promisify } from 'node:util';
import { Browser, authorize, wish } from './flow.mjs';

const run = promisify(execFile);

export const sorted = (values) => [...values].sort((a, b) => a - b);
// Of an even count, half-way between the two in the middle: neither the better nor the worse is taken.
export function median(values) {
	const ordered = sorted(values);
	return (ordered[(ordered.length - 1) >> 1] + ordered[ordered.length >> 1]) / 2;
}

const quantile = (ordered, share) => ordered[Math.floor(ordered.length * share)];

// Several turns of one load as if they had been one: all requests count alike.
export function together(turns) {
	const sum = (of) => turns.reduce((total, turn) => total + of(turn), 0);
	const times = Uint32Array.from(turns.flatMap((turn) => [...turn.times])).sort(); // tenths of a µs
	const [count, seconds] = [sum((turn) => turn.count), sum((turn) => turn.seconds)];
	return { count, seconds, rate: count / seconds, cpu: sum((turn) => turn.cpu * turn.count) / count, p50: quantile(times, 0.5) / 10, p99: quantile(times, 0.99) / 10 };
}

// Starts a generator, which says "go" when it is connected; reads the server's processor time around its run.
// Answers what the generator says of itself, with cpu: µs for each request.
async function around(server, file, words) {
	const child = spawn(file, words, { stdio: ['pipe', 'pipe', 'pipe'] });
	let out = '';
	let complaint = '';
	let before, after;
	child.stderr.on('data', (part) => { complaint += part; });
	child.stdout.on('data', (part) => {
		out += part;
		if (before === undefined && out.startsWith('go\n')) {
			before = server.cpu_us();
			child.stdin.write('\n');
		} else if (before !== undefined && out.endsWith('}\n')) {
			after = server.cpu_us(); // before it closes what it still holds open
		}
	});
	const status = await new Promise((resolve, reject) => {
		child.on('error', reject);
		child.on('close', resolve);
	});
	if (status !== 0 || after === undefined) throw new Error(`${server.name}: ${path.basename(file)} ${words.join(' ')}: ${complaint}`);
	const said = JSON.parse(out.slice('go\n'.length));
	return { ...said, rate: said.count / said.seconds, cpu: (after - before) / said.count, core: (after - before) / 1e6 / said.seconds };
}

function times_of(file) {
	const bytes = fs.readFileSync(file);
	return new Uint32Array(bytes.buffer, bytes.byteOffset, bytes.length / Uint32Array.BYTES_PER_ELEMENT);
}

// request: { head, body, take, member }; tokens: a list, replaced by what is good afterwards (take: chain, once);
// proofs: for its %p, each used once.
function words_of(server, name, request, { seconds, connections, limit = 0, rate = 0, status = 200 }) {
	const file = path.join(server.dir, `${name}.request`);
	fs.writeFileSync(file, `${request.head}\n${request.body ?? ''}`);
	return [`port=${server.port}`, `tls=${server.tls ? 1 : 0}`, `connections=${connections}`, `seconds=${seconds}`, `limit=${limit}`,
		`rate=${rate}`, `status=${status}`, `request=${file}`, `take=${request.take ?? 'cycle'}`];
}

export async function load(server, request, { tokens, proofs, connections = 32, ...plan }) {
	const { world } = server;
	const files = Object.fromEntries(['tokens', 'left', 'proofs', 'times'].map((name) => [name, path.join(server.dir, `load.${name}`)]));
	const words = [...words_of(server, 'load', request, { ...plan, connections }), `times=${files.times}`];
	if (request.member) words.push(`member=${request.member}`);
	if (tokens) {
		fs.writeFileSync(files.tokens, `${tokens.join('\n')}\n`);
		words.push(`tokens=${files.tokens}`, `left=${files.left}`);
	}
	if (proofs) {
		fs.writeFileSync(files.proofs, `${proofs.join('\n')}\n`);
		words.push(`proofs=${files.proofs}`);
	}
	const figures = await around(server, path.join(world.build, 'bench/load'), words);
	figures.times = times_of(files.times);
	if (request.take === 'chain') figures.tokens = fs.readFileSync(files.left, 'utf8').split('\n').filter(Boolean);
	return figures;
}

// The same load beside a measurement; answers how to end it, and says then when it had failed.
export function beside_load(server, request, plan) {
	const child = spawn(path.join(server.world.build, 'bench/load'), words_of(server, 'beside', request, { ...plan, seconds: 600 }), { stdio: ['pipe', 'ignore', 'pipe'] });
	let complaint = '';
	child.stderr.on('data', (part) => { complaint += part; });
	const closed = new Promise((resolve) => { child.on('close', resolve); });
	child.stdin.write('\n');
	return async () => {
		child.kill();
		await closed;
		if (complaint) throw new Error(`${server.name}: the load beside it: ${complaint}`);
	};
}

// kind: full, resumed or stalled; what: a path, or how many.
export function handshakes(server, kind, seconds, what) {
	return around(server, path.join(server.world.build, 'bench/handshakes'), [kind, String(server.port), String(seconds), String(what)]);
}

// ms from the start of the program to its first answer; the server must not run.
export async function first_answer(server) {
	const { file, args, env } = server.command();
	const { stdout } = await run(path.join(server.world.build, 'bench/first_answer'),
		[String(server.port), server.ready_path, file, ...args], { env: { ...process.env, ...env }, cwd: server.dir });
	return Number(stdout);
}

// A flow at a time in each browser (one that is named twice has two): flows/s, the time of each, µs for each.
export const flows = (server, browsers, seconds) => in_browsers(server, browsers, { seconds }, (one, browser) => authorize(one, browser), (server.armed_ms ?? 0) * 1000);

// The first part of it alone: the agent's link, followed to the question; each browser so often at most.
export const questions = (server, browsers, plan, parameters) => in_browsers(server, browsers, plan, async (one, browser) => {
	const page = await browser.go(wish(server, { ...server.wish_parameters, ...parameters }).url);
	if (page.left) throw new Error(`${server.name}: nobody was asked: ${page.left}`);
}, 0);

// waited: µs of each time that it has only waited for the page
async function in_browsers(server, browsers, { seconds, most = Infinity }, action, waited) {
	const until = Date.now() + seconds * 1000;
	const times = [];
	const requests = () => [...new Set(browsers)].reduce((sum, browser) => sum + browser.requests, 0);
	const asked = requests();
	const before = server.cpu_us();
	const begun = process.hrtime.bigint();
	const line = async (browser) => {
		for (let i = 0; i < most && Date.now() < until; i++) {
			const at = process.hrtime.bigint();
			await action(server, browser);
			times.push(Number(process.hrtime.bigint() - at) / 1000 - waited);
		}
	};
	await Promise.all(browsers.map(line));
	const taken = Number(process.hrtime.bigint() - begun) / 1e9;
	const ordered = sorted(times);
	return { count: times.length, seconds: taken, rate: times.length / taken, cpu: (server.cpu_us() - before) / times.length,
		p50: median(times), p99: quantile(ordered, 0.99), requests: (requests() - asked) / times.length };
}

export async function signed_in(server, people) {
	const browsers = [];
	for (const person of people) {
		const browser = new Browser(server.origin, server.issuer);
		await server.sign_in(browser, person);
		browsers.push(browser);
	}
	return browsers;
}
