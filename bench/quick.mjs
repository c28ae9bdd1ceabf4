// SPDX-License-Identifier: Apache-2.0
// `make bench QUICK=1`: CPU µs of the server's own processes (grantd and its key process) per request, over plain loopback HTTP, durable
// (SQLite, synchronous=FULL): JWT issue, refresh with rotation and its event, the same bound to a key (DPoP), which may
// cost one verification (53 µs where the goals were set) and 60 µs more, introspection. The release build,
// 32 connections, each its own chain. Fails above the guards. Figures, not tests: nothing of this is in make test.
import fs from 'node:fs';
import net from 'node:net';
import os from 'node:os';
import path from 'node:path';

process.env.GRANTD_BUILD ??= path.resolve(import.meta.dirname, '../build/release');
process.env.GRANTD_DB ??= 'sqlite';
const { probe_signature, SIGNATURE_US } = await import('./machine.mjs');
const { Instance, mail_secret } = await import('../tests/flow/harness/instance.mjs');
const { basic } = await import('../tests/flow/harness/agent.mjs');
const { ClientKey } = await import('../tests/flow/proof.mjs');

const CONNECTIONS = 32;
const SECONDS = Number(process.env.SECONDS || 4);
const TICKS = 100; // of /proc/PID/stat, per second (CLK_TCK)
// µs, on a machine where a signature takes as long as where the goals were set; on a slower one as much more
const guards = { 'JWT issue (client_credentials)': 60, 'refresh + rotation + event': 130, 'the same, DPoP-bound': 243, introspection: 45 };

// What all processes took: the daemon, and the children that it keeps.
const family_of = (pid) => [pid, ...fs.readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').trim().split(' ').filter(Boolean)];
const sum_of = (pid, of_one) => family_of(pid).reduce((sum, one) => sum + of_one(one), 0);
const ticks_of = (pid) => sum_of(pid, (one) => {
	const fields = fs.readFileSync(`/proc/${one}/stat`, 'utf8').replace(/^.*\) /, '').split(' ');
	return Number(fields[11]) + Number(fields[12]);
});
const pss_of = (pid) => sum_of(pid, (one) => Number(/^Pss:\s+(\d+)/m.exec(fs.readFileSync(`/proc/${one}/smaps_rollup`, 'utf8'))[1]) / 1024);

// One connection: sends a request, reads the answer, asks `next` for the following one.
class Caller {
	constructor(port, next) {
		this.next = next;
		this.count = 0;
		this.received = '';
		this.latencies = [];
		this.socket = net.connect(port, '127.0.0.1');
		this.socket.setNoDelay(true);
		this.socket.setEncoding('latin1');
		this.socket.on('data', (chunk) => this.#take(chunk));
		this.done = new Promise((resolve, reject) => {
			this.finish = resolve;
			this.socket.on('error', reject);
			this.socket.on('close', () => this.ended ? resolve() : reject(new Error('the server closed a connection')));
		});
	}

	start(until) {
		this.until = until;
		this.#send(null);
		return this.done;
	}

	#send(body) {
		this.sent_at = process.hrtime.bigint();
		this.socket.write(this.next(body));
	}

	#take(chunk) {
		this.received += chunk;
		const head = this.received.indexOf('\r\n\r\n');
		if (head < 0) return;
		const length = Number(/content-length: (\d+)/i.exec(this.received)[1]);
		if (this.received.length < head + 4 + length) return;
		const body = this.received.slice(head + 4, head + 4 + length);
		if (!this.received.startsWith('HTTP/1.1 200')) {
			this.ended = true;
			this.socket.destroy(new Error(`${this.received.slice(0, head)} ${body}`));
			return;
		}
		this.received = '';
		this.count++;
		this.latencies.push(Number(process.hrtime.bigint() - this.sent_at) / 1000);
		if (Date.now() >= this.until) {
			this.ended = true;
			this.socket.end();
			this.finish();
		} else {
			this.#send(body);
		}
	}
}

function request(target, body, authorization, proof) {
	return `POST ${target} HTTP/1.1\r\nHost: bench\r\nContent-Type: application/x-www-form-urlencoded\r\n${
		authorization ? `Authorization: ${authorization}\r\n` : ''}${proof ? `DPoP: ${proof}\r\n` : ''}Content-Length: ${body.length}\r\n\r\n${body}`;
}

async function measure(instance, name, make_next) {
	const callers = Array.from({ length: CONNECTIONS }, (unused, i) => new Caller(instance.port, make_next(i)));
	const pid = instance.daemon.pid;
	const before = ticks_of(pid);
	const begun = Date.now();
	await Promise.all(callers.map((caller) => caller.start(begun + SECONDS * 1000)));
	const seconds = (Date.now() - begun) / 1000;
	const count = callers.reduce((sum, caller) => sum + caller.count, 0);
	const latencies = callers.flatMap((caller) => caller.latencies).sort((a, b) => a - b);
	return { name, rate: count / seconds, cpu: (ticks_of(pid) - before) / TICKS * 1e6 / count,
		p50: latencies[latencies.length >> 1], p99: latencies[Math.floor(latencies.length * 0.99)], guard: guards[name] };
}

async function families(instance, agent, alice) {
	const tokens = [];
	for (let i = 0; i < CONNECTIONS; i++) tokens.push(await agent.tokens(alice));
	return tokens;
}

async function main() {
	const { signature_us } = await probe_signature();
	const slower = Math.max(1, signature_us / SIGNATURE_US);
	const instance = await Instance.create();
	try {
		await instance.start();
		await instance.add_resource({ scopes: [
			{ name: 'mail.read', title: 'Read your mail', risk: 'read', default: true, can: ['see folders and read messages'], cannot: ['send anything'] },
			{ name: 'mail.report', title: 'Report', risk: 'read', clients: true, can: ['report'], cannot: ['send anything'] }] });
		const alice = await instance.add_person('alice');
		const agent = await instance.add_agent({ scope: 'mail.read' });
		const secret = 'bench-secret-bench-secret-bench-secret';
		await instance.add_agent({ id: 'service', secret, scope: 'mail.report', grant_types: ['client_credentials'], redirect_uris: [] });
		const tokens = await families(instance, agent, alice);
		const bound = await families(instance, agent, alice);
		const keys = bound.map(() => new ClientKey());
		// the same installation, now as it would be behind a TLS terminator
		await instance.stop();
		instance.env.GRANTD_PLAIN = 'yes';
		instance.env.GRANTD_LOG_LEVEL = 'warning';
		await instance.start();
		const idle = pss_of(instance.daemon.pid);

		// signed beforehand, so that the load does not take the processor from the server
		const proofs = keys.map((key) => Array.from({ length: SECONDS * 220 }, () => key.proof(`${instance.issuer}/token`)));

		const rows = [
			await measure(instance, 'JWT issue (client_credentials)', () => () =>
				request('/token', 'grant_type=client_credentials&scope=mail.report', basic('service', secret))),
			await measure(instance, 'refresh + rotation + event', (i) => (answer) =>
				request('/token', `grant_type=refresh_token&client_id=${agent.client_id}&refresh_token=${
					(tokens[i] = answer ? JSON.parse(answer) : tokens[i]).refresh_token}`)),
			await measure(instance, 'the same, DPoP-bound', (i) => (answer) =>
				request('/token', `grant_type=refresh_token&client_id=${agent.client_id}&refresh_token=${
					(bound[i] = answer ? JSON.parse(answer) : bound[i]).refresh_token}`, null, proofs[i].pop() ?? keys[i].proof(`${instance.issuer}/token`))),
			await measure(instance, 'introspection', (i) => () =>
				request('/introspect', `token=${tokens[i].access_token}`, basic('mail-rs', mail_secret))),
		];
		console.log(`grantd on SQLite, plain HTTP, ${CONNECTIONS} connections, ${SECONDS} s each; ${os.cpus().length} cores of ${os.cpus()[0].model}, shared with the load`);
		console.log(`one P-256 signature: ${signature_us.toFixed(1)} µs here, ${SIGNATURE_US} µs where the guards were set, which count ${slower.toFixed(2)} times`);
		for (const row of rows)
			console.log(`${row.name.padEnd(32)} ${row.rate.toFixed(0).padStart(7)}/s  CPU ${row.cpu.toFixed(1).padStart(6)} µs (guard ${(row.guard * slower).toFixed(0)})  p50 ${row.p50.toFixed(0)} µs  p99 ${row.p99.toFixed(0)} µs`);
		console.log(`idle PSS ${idle.toFixed(1)} MiB, after the run ${pss_of(instance.daemon.pid).toFixed(1)} MiB`);
		const over = rows.filter((row) => row.cpu > row.guard * slower);
		for (const row of over) console.log(`over its guard: ${row.name}`);
		return over.length === 0 ? 0 : 1;
	} finally {
		await instance.dispose();
	}
}

process.exitCode = await main();
