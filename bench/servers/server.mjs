// SPDX-License-Identifier: Apache-2.0
// A server under load, ours or a peer: a directory, a process of its own on a loopback port, and what /proc says
// of it and its children. What each kind must add: `command()`, `ready_path`, and what its rows ask of it.
import { spawn } from 'node:child_process';
import fs from 'node:fs';
import http from 'node:http';
import https from 'node:https';
import path from 'node:path';

const TICKS_PER_SECOND = 100; // CLK_TCK
const START_MS = 20_000;

export const CONNECTIONS = 32; // of a load, unless a row says otherwise
export const ACTIVES = 1000; // access tokens that introspection is asked about

export const sleep = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

// A thread or process may end while it is looked at.
function read_proc(file) {
	try {
		return fs.readFileSync(`/proc/${file}`, 'utf8');
	} catch (error) {
		if (error.code !== 'ENOENT' && error.code !== 'ESRCH') throw error;
		return '';
	}
}

const children_of = (pid) => fs.readdirSync(`/proc/${pid}/task`)
	.flatMap((thread) => read_proc(`${pid}/task/${thread}/children`).split(' ').filter(Boolean).map(Number));

export function tree_of(pid) {
	const all = [pid];
	for (let i = 0; i < all.length; i++) all.push(...children_of(all[i]));
	return all;
}

// One request on a connection of its own: { status, headers, body }.
export function ask(url, { method = 'GET', headers = {}, body, agent } = {}) {
	return new Promise((resolve, reject) => {
		const target = new URL(url);
		const { request } = target.protocol === 'https:' ? https : http;
		const sent = request(target, { method, headers, agent, rejectUnauthorized: false }, (answer) => {
			const parts = [];
			answer.on('data', (part) => parts.push(part));
			answer.on('error', reject);
			answer.on('end', () => resolve({ status: answer.statusCode, headers: answer.headers, body: Buffer.concat(parts).toString('utf8') }));
		});
		sent.on('error', reject);
		sent.setTimeout(30_000, () => sent.destroy(new Error(`${target}: no answer within 30 s`)));
		sent.end(body);
	});
}

export class Server {
	// world: { dir, tls: { cert, key, ca }, shim }
	constructor(world, name, port) {
		Object.assign(this, { world, name, port });
		this.dir = path.join(world.dir, name.replace(/\W+/g, '-'));
		fs.mkdirSync(this.dir, { recursive: true });
	}

	get scheme() { return this.tls ? 'https' : 'http'; }
	get origin() { return `${this.scheme}://127.0.0.1:${this.port}`; }
	get ready_path() { return '/'; }

	ask(target, options) { return ask(new URL(target, this.origin), options); }

	// Starts it over plain HTTP or TLS; slow: each fsync takes 2 ms longer.
	async start({ tls = false, slow = false } = {}) {
		this.tls = tls;
		const { file, args, env = {}, stdio = [] } = this.command();
		const log = fs.openSync(path.join(this.dir, 'log'), 'a');
		this.child = spawn(file, args, {
			stdio: ['ignore', log, log, ...stdio], cwd: this.dir,
			env: { ...process.env, ...env, ...(slow ? { LD_PRELOAD: this.world.shim } : {}) },
		});
		fs.closeSync(log);
		this.child.on('error', (error) => { this.trouble = error.message; });
		this.ended = new Promise((resolve) => this.child.on('exit', (status, signal) => {
			this.status = signal ?? status;
			resolve();
		}));
		await this.#answers();
		await this.started?.();
	}

	async #answers() {
		const until = Date.now() + START_MS;
		for (;;) {
			try {
				const { status } = await this.ask(this.ready_path);
				if (status === 200) return;
				this.trouble = `${this.ready_path} answers ${status}`;
			} catch (error) {
				this.trouble = error.message;
			}
			if (this.status !== undefined || Date.now() > until)
				throw new Error(`${this.name} does not start: ${this.trouble}; ended: ${this.status ?? 'no'}\n${this.log_end()}`);
			await sleep(20);
		}
	}

	log_end() {
		return fs.readFileSync(path.join(this.dir, 'log'), 'utf8').slice(-2000);
	}

	async stop() {
		if (!this.child || this.status !== undefined) return;
		const timer = setTimeout(() => this.child.kill('SIGKILL'), 15_000);
		this.child.kill('SIGTERM');
		await this.ended;
		clearTimeout(timer);
		this.child = undefined;
		this.status = undefined;
	}

	// µs of processor time that the process and its children have used so far.
	cpu_us() {
		let ticks = 0;
		for (const pid of tree_of(this.child.pid)) {
			const fields = fs.readFileSync(`/proc/${pid}/stat`, 'utf8').replace(/^.*\) /s, '').split(' ');
			ticks += Number(fields[11]) + Number(fields[12]);
		}
		return ticks / TICKS_PER_SECOND * 1e6;
	}

	pss_mib() {
		let kib = 0;
		for (const pid of tree_of(this.child.pid))
			kib += Number(/^Pss:\s+(\d+)/m.exec(fs.readFileSync(`/proc/${pid}/smaps_rollup`, 'utf8'))[1]);
		return kib / 1024;
	}
}
