// SPDX-License-Identifier: Apache-2.0
// `make bench`: grantd and its peers in turn in the same run, one table, and what must hold. Fails when a peer does
// not start or a floor is missed. PAIRS, SECONDS: how often and how long; ONLY: ids of rows (bench/rows.mjs), or batch, keyd, secret, start, memory;
// MANY, TOKENS: for trying this program, how many grants and tokens stand for a million.
import { execFile } from 'node:child_process';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';
import { facts, probe_signature, SIGNATURE_US } from './machine.mjs';
import { first_answer, load, median } from './measure.mjs';
import { judged, rows } from './rows.mjs';
import { Glewlwyd } from './servers/glewlwyd.mjs';
import { Grantd, free_ports } from './servers/grantd.mjs';
import { Nginx } from './servers/nginx.mjs';
import { OidcProvider } from './servers/oidc.mjs';
import { sleep } from './servers/server.mjs';
import { text_table, write_results } from './table.mjs';

const run = promisify(execFile);
const build = path.resolve(import.meta.dirname, '../build/release');
const out = path.resolve(import.meta.dirname, '../build/bench');
const only = (process.env.ONLY ?? '').split(/[\s,]+/).filter(Boolean);
const is_wanted = (id) => only.length === 0 || only.includes(id);
const begun = Date.now();
const elapsed = () => `${Math.floor((Date.now() - begun) / 60_000)}:${String(Math.floor((Date.now() - begun) / 1000) % 60).padStart(2, '0')}`;

const bench = {
	pairs: Number(process.env.PAIRS || 5),
	seconds: Number(process.env.SECONDS || 2),
	servers: {},
	results: [],
	say: (text) => console.error(`${elapsed()}   ${text}`),
};

async function make_world() {
	const dir = fs.mkdtempSync(path.join(os.tmpdir(), 'grantd-bench-'));
	const world = { dir, build, shim: path.join(build, 'bench/slow_fsync.so'), tls: { cert: path.join(dir, 'cert.pem'), key: path.join(dir, 'key.pem') } };
	fs.chmodSync(dir, 0o755);
	process.env.TMPDIR = dir; // all that is made is in one place
	await run('openssl', ['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-days', '2', '-subj', '/CN=localhost',
		'-keyout', world.tls.key, '-out', world.tls.cert]);
	return world;
}

// What one fsync costs a server that the shim slows down, in µs.
async function probe_fsync(world) {
	const { stdout } = await run(path.join(build, 'bench/fsync_probe'), [path.join(world.dir, 'probe')], { env: { ...process.env, LD_PRELOAD: world.shim } });
	return Number(stdout);
}

async function make_grantd(world, name, plan) {
	bench.say(`${name}: ${plan.grants} grants`);
	const server = await Grantd.create(world, name, plan);
	bench.servers[name] = server;
}

async function make_servers(world) {
	const wants_sizes = is_wanted('introspect') || is_wanted('memory');
	await make_grantd(world, 'grantd', { people: 192, grants: 100_000, tokens: 100_000 });
	if (wants_sizes) {
		await make_grantd(world, 'grantd 1k grants', { grants: 1000, tokens: 1000 });
		await make_grantd(world, 'grantd 1M grants', { grants: Number(process.env.MANY || 1_000_000), tokens: 1000 });
	}
	bench.servers['oidc-provider RAM'] = new OidcProvider(world, await free_ports());
	bench.servers['oidc-provider sqlite'] = new OidcProvider(world, await free_ports(), { durable: true });
	bench.servers.glewlwyd = new Glewlwyd(world, await free_ports());
	bench.servers.nginx = new Nginx(world, await free_ports(), await answers_of(bench.servers.grantd));
}

// nginx serves the bytes that grantd answers.
async function answers_of(grantd) {
	const files = {};
	await grantd.start();
	for (const name of ['/jwks.json', '/.well-known/oauth-authorization-server']) files[name] = (await grantd.ask(name)).body;
	await grantd.stop();
	return files;
}

async function with_servers(servers, how, action) {
	try {
		for (const server of servers) {
			bench.say(`${server.name} starts${how.tls ? ', TLS' : ''}${how.slow ? ', +2 ms fsync' : ''}`);
			await server.start(how);
			await server.prepare();
		}
		await action();
	} finally {
		for (const server of servers) await server.stop();
	}
}

async function run_phase({ tls, slow }) {
	const where = tls ? 'TLS' : 'plain';
	const due = rows.filter((row) => row.where.includes(where) && Boolean(row.slow) === slow && is_wanted(row.id));
	if (due.length === 0) return;
	const servers = Object.values(bench.servers).filter((server) => !slow || ['grantd', 'oidc-provider sqlite', 'glewlwyd'].includes(server.name));
	await with_servers(servers, { tls, slow }, async () => {
		for (const row of due) {
			bench.say(`${row.title}, ${where}`);
			const runs = await row.run(bench);
			bench.results.push({ title: row.title, where, runs, checks: row.checks(runs, bench) });
		}
	});
}

const START_TURNS = 5; // for each pair: one takes some milliseconds, and the median is judged

async function start_up() {
	const { grantd, nginx, glewlwyd } = bench.servers;
	const peers = [grantd, nginx, bench.servers['oidc-provider RAM'], glewlwyd].filter(Boolean);
	const runs = Object.fromEntries(peers.map((server) => [server.name, []]));
	for (const server of peers) server.tls = false;
	for (let i = 0; i < bench.pairs * START_TURNS + 1; i++)
		for (const server of peers) {
			const ms = await first_answer(server);
			if (i > 0) runs[server.name].push({ ms });
		}
	const values = runs.grantd.map(({ ms }, i) => ms / runs.nginx[i].ms);
	bench.results.push({ title: 'start to first answer, existing database', where: 'plain', runs,
		checks: [{ what: 'ms: grantd / nginx', values, at_most: 2, goal: 1.3 }] });
}

const IDLE_SAMPLES = 3; // of each grantd, each of a start of its own

// Each alone: what two processes share would count half for both.
async function memory() {
	const runs = {};
	for (const server of Object.values(bench.servers)) {
		runs[server.name] = [];
		for (let left = server instanceof Grantd ? IDLE_SAMPLES : 1; left > 0; left--) {
			await server.start({ tls: false });
			await sleep(500);
			runs[server.name].push({ pss: server.pss_mib() });
			if (server === bench.servers.grantd && left === 1) await issue_many(server);
			await server.stop();
		}
	}
	const ours = Object.keys(runs).filter((name) => bench.servers[name] instanceof Grantd);
	bench.results.push({ title: 'idle', where: 'plain', runs,
		checks: ours.map((name) => ({ what: `PSS, MiB: ${name}`, values: runs[name].map(({ pss }) => pss), at_most: 13.7, goal: 9 })) });
}

async function issue_many(grantd) {
	const figures = await load(grantd, grantd.issue(), { seconds: 300, limit: bench.million });
	figures.pss = grantd.pss_mib();
	bench.results.push({ title: `after ${bench.million.toLocaleString('en')} tokens issued`, where: 'plain', runs: { grantd: [figures] },
		checks: [{ what: 'PSS, MiB', values: [figures.pss], at_most: 64, goal: 40 }] });
}

// The store alone, many rotations in flight, beside SQLite driven by hand with 64 rows in a transaction.
async function batch_rate(world) {
	const values = [];
	for (let i = 0; i < Math.min(3, bench.pairs); i++) {
		const { stdout } = await run(path.join(build, 'bench/store_bench'), [world.dir]).catch((error) => error);
		values.push(Number(/ratio ([\d.]+)/.exec(stdout)[1]));
		bench.say(stdout.trim().split('\n').at(-1));
	}
	bench.results.push({ title: 'rotations of the store alone', where: '', runs: {}, checks: [{ what: 'rows/s: store / 64 rows by hand', values, goal: 0.4 }] });
}

// A program that measures for itself, a few times; answers what it said.
async function say_times(name) {
	const said = [];
	for (let i = 0; i < Math.min(3, bench.pairs); i++) {
		const { stdout } = await run(path.join(build, 'bench', name));
		said.push(stdout);
		bench.say(stdout.trim().split('\n').join('; '));
	}
	return said;
}

// What it costs to ask keyd, beside the same call in one process; where a signature took longer meanwhile, as much more.
async function key_process() {
	const said = (await say_times('keyd_bench')).map((text) => {
		const [, signature_us, alone, together] = /signs in ([\d.]+) us.* alone: ([-\d.]+) us .* together: ([-\d.]+) us more each$/m.exec(text).map(Number);
		const slower = Math.max(1, signature_us / SIGNATURE_US);
		return { alone: alone / slower, together: together / slower };
	});
	const what = `CPU µs more than in one process, where OpenSSL signs in ${SIGNATURE_US}`;
	bench.results.push({ title: 'signature by the key process', where: '', runs: {}, checks: [
		{ what: `${what}: four asked at once`, values: said.map(({ together }) => together), at_most: 8 },
		{ what: `${what}: asked alone`, values: said.map(({ alone }) => alone) }] });
}

// memcmp is to be told apart: a measurement that cannot do that shows nothing.
async function secret_times() {
	const said = await say_times('secret_bench');
	const percents = (what) => said.map((text) => Number(new RegExp(`^${what}:.*: ([\\d.]+) %$`, 'm').exec(text)[1]));
	bench.results.push({ title: 'comparison of secrets: differ in the first byte, the last, none', where: '', runs: {}, checks: [
		{ what: 'time, 32 bytes: most apart, %', values: percents('secret_equals, 32 bytes'), at_most: 2 },
		{ what: 'time, 4,096 bytes: most apart, %', values: percents('secret_equals, 4096 bytes'), at_most: 2 },
		{ what: 'the same of memcmp, 4,096 bytes: to be seen, %', values: percents('memcmp, 4096 bytes'), at_least: 100 }] });
}

async function measure_all(world) {
	for (const slow of [false, true])
		for (const tls of [false, true]) await run_phase({ tls, slow });
	if (is_wanted('batch')) await batch_rate(world);
	if (is_wanted('keyd')) await key_process();
	if (is_wanted('secret')) await secret_times();
	if (is_wanted('start')) await start_up();
	if (is_wanted('memory')) await memory();
}

// Ended from outside: nothing that was started or made stays behind.
function leave_nothing(world) {
	for (const signal of ['SIGINT', 'SIGTERM']) {
		process.once(signal, () => {
			for (const server of Object.values(bench.servers)) server.child?.kill('SIGKILL');
			fs.rmSync(world.dir, { recursive: true, force: true });
			process.exit(1);
		});
	}
}

async function main() {
	const world = await make_world();
	leave_nothing(world);
	bench.million = Number(process.env.TOKENS || 1_000_000);
	try {
		bench.fsync_us = await probe_fsync(world);
		Object.assign(bench, await probe_signature());
		await make_servers(world);
		await measure_all(world);
	} finally {
		for (const server of Object.values(bench.servers)) await (server.dispose ?? server.stop).call(server);
		if (!process.env.KEEP) fs.rmSync(world.dir, { recursive: true, force: true });
	}
	const report = { ...await facts(), date: new Date(begun).toISOString(), minutes: (Date.now() - begun) / 60_000, pairs: bench.pairs,
		seconds: bench.seconds, fsync_us: bench.fsync_us, signature_us: bench.signature_us, verification_us: bench.verification_us, is_whole: only.length === 0 && !process.env.MANY && !process.env.TOKENS, note: process.env.NOTE ?? '', results: bench.results };
	write_results(out, report);
	console.log(text_table(report));
	if (bench.results.length === 0) throw new Error(`nothing was measured: ONLY names none of ${[...new Set(rows.map((row) => row.id)), 'batch', 'keyd', 'secret', 'start', 'memory'].join(', ')}`);
	const missed = bench.results.flatMap(({ title, where, checks }) => checks.filter((check) => judged(check) === 'MISSED')
		.map((check) => `${title}, ${where}: ${check.what} is ${median(check.values).toFixed(2)}, ${check.at_most === undefined ? `at least ${check.at_least}` : `at most ${check.at_most}`}`));
	for (const line of missed) console.log(`floor missed: ${line}`);
	return missed.length === 0 ? 0 : 1;
}

process.exitCode = await main();
