// SPDX-License-Identifier: Apache-2.0
// A PostgreSQL that a test may freeze, stop and start, and a socket in front of it that cuts connections at COMMIT.
import { spawn } from 'node:child_process';
import fs from 'node:fs';
import net from 'node:net';
import os from 'node:os';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { run, run_well } from './process.mjs';

// initdb and postgres refuse to run as root
const as_owner = process.getuid() === 0 ? ['setpriv', '--reuid=postgres', '--regid=postgres', '--init-groups'] : [];
const socket_name = '.s.PGSQL.5432';

const children_of = (pid) => fs.readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').trim().split(' ').filter(Boolean).map(Number);

export class Cluster {
	// inside: the words that begin a command where its data are; data: where that is, if not beside its socket
	// env: for the server alone
	static async start({ inside = [], data, env = {} } = {}) {
		const cluster = new Cluster();
		cluster.inside = inside;
		cluster.env = env;
		const [bin] = fs.globSync('/usr/lib/postgresql/*/bin').sort().reverse();
		cluster.dir = fs.mkdtempSync(path.join(os.tmpdir(), 'grantd-pg-'));
		cluster.bin = bin;
		cluster.data = data ?? `${cluster.dir}/data`;
		if (as_owner.length) await run_well('chown', ['postgres:', cluster.dir]);
		const [file, ...words] = [...inside, ...as_owner, `${bin}/initdb`, '-D', cluster.data, '-U', os.userInfo().username, '--auth=trust', '--encoding=UTF8', '--locale=C', '-N'];
		await run_well(file, words, { cwd: cluster.dir });
		await cluster.start();
		return cluster;
	}

	async start(...settings) {
		const [file, ...words] = [...this.inside, ...as_owner, `${this.bin}/postgres`, '-D', this.data, '-k', this.dir, '-c', 'listen_addresses=', '-c', 'max_connections=100', ...settings];
		this.server = spawn(file, words, { cwd: this.dir, stdio: 'ignore', env: { ...process.env, ...this.env } });
		this.ended = new Promise((resolve) => this.server.on('close', resolve));
		for (let i = 0; (await run(`${this.bin}/pg_isready`, ['-q', '-h', this.dir])).status !== 0; i++) {
			if (i === 300) throw new Error('PostgreSQL does not start');
			await new Promise((resolve) => setTimeout(resolve, 100));
		}
	}

	// A standby of the server with that socket, which it follows.
	static async follow(dir) {
		const standby = Object.assign(new Cluster(), { inside: [] });
		standby.dir = fs.mkdtempSync(path.join(os.tmpdir(), 'grantd-pg-'));
		[standby.bin] = fs.globSync('/usr/lib/postgresql/*/bin').sort().reverse();
		standby.data = `${standby.dir}/data`;
		if (as_owner.length) await run_well('chown', ['postgres:', standby.dir]);
		const [file, ...words] = [...as_owner, `${standby.bin}/pg_basebackup`, '-h', dir, '-U', os.userInfo().username, '-D', standby.data, '-R', '-N', '-c', 'fast'];
		await run_well(file, words, { cwd: standby.dir });
		// without fsync, or it syncs every file of the copy first; as many connections as the other must have
		await standby.start('-c', 'fsync=off', '-c', 'max_connections=400');
		return standby;
	}

	// A standby that takes up nothing more; it goes on answering what it knows.
	async hold() {
		await this.run('SELECT pg_wal_replay_pause()');
	}

	// What the server itself answers.
	async run(sql, database = 'postgres') {
		const { stdout } = await run_well('psql', ['-X', '-q', '-A', '-t', '-h', this.dir, '-d', database, '-c', sql]);
		return stdout.trim();
	}

	// As with `pg_ctl stop -m immediate`: no word to those who are connected but the end.
	async stop() {
		this.thaw();
		this.server.kill('SIGQUIT');
		await this.ended;
	}

	#signal(signal) {
		for (const pid of [this.server.pid, ...children_of(this.server.pid)]) {
			try { process.kill(pid, signal); } catch { /* a backend that has just ended */ }
		}
	}

	// kill -9 of one that serves the database: the server ends all others too, and recovers.
	kill_backend(name) {
		const title = (pid) => { try { return fs.readFileSync(`/proc/${pid}/cmdline`, 'latin1'); } catch { return ''; } };
		const backends = children_of(this.server.pid).filter((pid) => title(pid).includes(` ${name} `));
		if (backends.length === 0) throw new Error(`nobody serves ${name}`);
		process.kill(backends[0], 'SIGKILL');
	}

	// The server and each of its backends stand still; their sockets stay open.
	freeze() { this.#signal('SIGSTOP'); }
	thaw() { this.#signal('SIGCONT'); }

	async dispose() {
		if (this.server.exitCode === null && this.server.signalCode === null) await this.stop();
		fs.rmSync(this.dir, { recursive: true, force: true });
	}
}

// Stands between grantd and a cluster's socket. `at_commit`: 'pass', 'lose' (the server does it, and nobody hears
// of it), 'late' (it is heard of five seconds later), or 'cut' (the server never hears of it). Each answer comes `delay` ms late. part() lets nothing through either way, as a network that is cut in
// two: connections stay open, new ones get no answer.
export class CommitProxy {
	static async start(socket_dir) {
		const proxy = new CommitProxy();
		proxy.at_commit = 'pass';
		proxy.delay = 0;
		proxy.met = 0;
		proxy.dir = fs.mkdtempSync(path.join(os.tmpdir(), 'grantd-proxy-'));
		proxy.sockets = new Set();
		proxy.server = net.createServer((client) => proxy.#carry(client, net.connect(path.join(socket_dir, socket_name))));
		await new Promise((resolve) => proxy.server.listen(path.join(proxy.dir, socket_name), resolve));
		return proxy;
	}

	part() {
		this.is_parted = true;
		for (const socket of this.sockets) socket.pause();
	}

	join() {
		this.is_parted = false;
		for (const socket of this.sockets) socket.resume();
	}

	#carry(client, server) {
		let rest = Buffer.alloc(0), has_started = false, is_losing = false, is_late = false, answered = Promise.resolve();
		const end = () => { client.destroy(); server.destroy(); };
		for (const socket of [client, server]) {
			this.sockets.add(socket);
			socket.on('error', end);
			socket.on('close', () => { this.sockets.delete(socket); end(); });
		}
		server.on('data', (part) => {
			if (is_losing) return end();
			const delay = is_late ? 5000 : this.delay;
			const comes = delay > 0 ? sleep(delay, undefined, { ref: false }) : undefined;
			answered = answered.then(() => comes).then(() => client.write(part)); // in order
		});
		client.on('data', (part) => {
			rest = Buffer.concat([rest, part]);
			// the first message has no type byte (53.2.1 of PostgreSQL's manual)
			for (let head; rest.length >= (head = has_started ? 5 : 4);) {
				const size = rest.readInt32BE(head - 4) + head - 4;
				if (rest.length < size) return;
				const message = rest.subarray(0, size);
				rest = rest.subarray(size);
				if (has_started && this.at_commit !== 'pass' && message.toString('latin1', 0, 1) === 'Q' && message.toString('latin1', 5, size - 1) === 'COMMIT') {
					this.met++;
					if (this.at_commit === 'cut') return end();
					is_late = this.at_commit === 'late';
					is_losing = !is_late;
				}
				has_started = true;
				server.write(message);
			}
		});
		if (this.is_parted) for (const socket of [client, server]) socket.pause();
	}

	async dispose() {
		for (const socket of this.sockets) socket.destroy();
		await new Promise((resolve) => this.server.close(resolve));
		fs.rmSync(this.dir, { recursive: true, force: true });
	}
}
