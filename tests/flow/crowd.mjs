// SPDX-License-Identifier: Apache-2.0
// Many clients at once, on bare sockets: thousands of them cost a test little, so that it is grantd that has the
// work.
import fs from 'node:fs';
import net from 'node:net';
import tls from 'node:tls';
import { Instance } from './harness/index.mjs';

// An instance that speaks plain HTTP, as behind a proxy; everything of the harness works as with any other.
export async function start_plain(t, { env = {} } = {}) {
	const grantd = await Instance.create();
	t?.after(() => grantd.dispose());
	grantd.env = { ...grantd.env, GRANTD_PLAIN: 'yes', ...env };
	grantd.https.speak_plain();
	await grantd.start();
	return grantd;
}

// A request as text, with the fields that every one of ours has.
export function request(grantd, method, target, { headers = {}, form } = {}) {
	const body = form === undefined ? '' : new URLSearchParams(form).toString();
	const fields = { Host: `${grantd.host}:${grantd.port}`, ...(form && { 'Content-Type': 'application/x-www-form-urlencoded', 'Content-Length': body.length }), ...headers };
	return `${method} ${target} HTTP/1.1\r\n${Object.entries(fields).map(([name, value]) => `${name}: ${value}\r\n`).join('')}\r\n${body}`;
}

class Client {
	constructor(socket) {
		this.socket = socket;
		this.received = ''; // of an answer that is not whole yet
		this.last = null;
		this.is_closed = false;
		this.waiting = null;
		socket.on('data', (part) => {
			this.received += part.toString('latin1');
			this.#take();
		});
		socket.on('error', () => {});
		socket.on('close', () => {
			this.is_closed = true;
			this.#settle(null);
		});
	}

	#settle(answer) {
		const { waiting } = this;
		this.last = answer ?? this.last;
		this.waiting = null;
		waiting?.(answer);
	}

	#take() {
		const end = this.received.indexOf('\r\n\r\n');
		if (end < 0) return;
		const head = this.received.slice(0, end + 2);
		const length = Number(/^content-length: (\d+)\r$/im.exec(head)?.[1] ?? 0);
		if (this.received.length < end + 4 + length) return;
		const body = this.received.slice(end + 4, end + 4 + length);
		this.received = this.received.slice(end + 4 + length);
		this.#settle({ status: Number(head.slice(9, 12)), head, body, retry_after: /^retry-after: (\d+)\r$/im.exec(head)?.[1] });
	}

	// The answer, or null if the connection ended without one.
	ask(text) {
		if (this.is_closed) return Promise.resolve(null);
		return new Promise((resolve) => {
			this.waiting = resolve;
			this.socket.write(text);
		});
	}
}

// options: those of net.connect; with `ca` and `servername` TLS, each after the first with the ticket of another,
// as browsers and agents do.
function connect(options) {
	return new Promise((resolve, reject) => {
		const socket = options.ca ? tls.connect(options) : net.connect(options);
		socket.once(options.ca ? 'secureConnect' : 'connect', () => resolve(new Client(socket)));
		socket.once('error', reject);
		socket.once('session', (session) => { options.session = session; });
	});
}

export class Crowd {
	static async open(port, count, options = {}) {
		const crowd = new Crowd();
		const all = { host: '127.0.0.1', port, noDelay: true, ...options };
		crowd.clients = [];
		while (crowd.clients.length < count) {
			const some = Math.min(100, count - crowd.clients.length);
			crowd.clients.push(...await Promise.all(Array.from({ length: some }, () => connect(all))));
		}
		return crowd;
	}

	// Everybody's request lies at grantd's door before it looks at the first: it stands still meanwhile.
	async ask_at_once(daemon, text) {
		daemon.kill('SIGSTOP');
		let written = 0;
		const answers = this.clients.map((client) => {
			const answer = client.ask(text);
			client.socket.write('', () => { written++; });
			return answer;
		});
		while (written < this.clients.length) await new Promise((resolve) => setTimeout(resolve, 5));
		daemon.kill('SIGCONT');
		return answers;
	}

	close() {
		for (const { socket } of this.clients) socket.destroy();
	}
}

// How often each status came: { 200: 3, 503: 1 }; null is a connection that ended without an answer.
export function statuses(answers) {
	const count = {};
	for (const answer of answers) count[answer?.status] = (count[answer?.status] ?? 0) + 1;
	return count;
}

// Kilobytes that a process holds: its own and its part of what it shares (PSS), and all that it can reach (RSS).
export function memory_of(pid) {
	const text = fs.readFileSync(`/proc/${pid}/smaps_rollup`, 'utf8');
	return { pss: Number(/^Pss:\s+(\d+)/m.exec(text)[1]), rss: Number(/^Rss:\s+(\d+)/m.exec(text)[1]) };
}

export const descriptors_of = (pid) => fs.readdirSync(`/proc/${pid}/fd`).length;
