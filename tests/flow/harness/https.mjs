// SPDX-License-Identifier: Apache-2.0
// HTTPS to one instance: its own CA, its name resolved to 127.0.0.1, no redirect followed. `fetch` has the
// shape of the standard one, so that openid-client and oauth4webapi take it as their own.
import http from 'node:http';
import https from 'node:https';
import net from 'node:net';
import tls from 'node:tls';

// Every name is this machine: nothing of a test leaves it.
export function lookup(hostname, options, callback) {
	if (options.all) callback(null, [{ address: '127.0.0.1', family: 4 }]);
	else callback(null, '127.0.0.1', 4);
}

function exchange(url, { method, headers, body, agent, ca, signal, port = url.port }) {
	const module = agent instanceof https.Agent ? https : http;
	const options = { protocol: agent.protocol, hostname: url.hostname, port, path: url.pathname + url.search, method, headers, agent, ca, lookup, signal };
	return new Promise((resolve, reject) => {
		const request = module.request(options, (answer) => {
			const parts = [];
			answer.on('data', (part) => parts.push(part));
			answer.on('error', reject);
			answer.on('end', () => resolve({ answer, body: Buffer.concat(parts) }));
		});
		request.on('error', reject);
		request.end(body);
	});
}

const has_no_body = new Set([204, 205, 304]);

export class Https {
	// port: where to connect to, whatever the URL says, as a proxy before several nodes does.
	constructor(ca, port) {
		this.ca = ca;
		this.port = port;
		this.agent = new https.Agent({ keepAlive: true, maxSockets: 256 });
		this.fetch = this.fetch.bind(this);
	}

	async fetch(input, init = {}) {
		const request = new Request(input, { ...init, redirect: 'manual', duplex: 'half' });
		const body = init.body === undefined && !(input instanceof Request) ? undefined : Buffer.from(await request.arrayBuffer());
		const headers = Object.fromEntries(request.headers);
		// what the standard forbids a page to set, a test may: a Map keeps names and order
		for (const [name, value] of init.raw_headers ?? []) headers[name] = value;
		if (body) headers['content-length'] ??= String(body.length);
		if (this.port) headers.host ??= new URL(request.url).host;
		const { answer, body: bytes } = await exchange(new URL(request.url), {
			method: request.method, headers, body, agent: init.agent ?? this.agent, ca: this.ca, signal: init.signal, port: this.port,
		});
		const received = new Headers();
		for (let i = 0; i < answer.rawHeaders.length; i += 2) received.append(answer.rawHeaders[i], answer.rawHeaders[i + 1]);
		const response = new Response(has_no_body.has(answer.statusCode) ? null : bytes, { status: answer.statusCode, statusText: answer.statusMessage, headers: received });
		Object.defineProperty(response, 'url', { value: request.url });
		return response;
	}

	// An own connection for each call: for races.
	fetch_apart(input, init = {}) {
		return this.fetch(input, { ...init, agent: new this.agent.constructor({ keepAlive: false }) });
	}

	// From now on without TLS, as a proxy before grantd does that has taken it off (`plain = yes`).
	speak_plain() {
		this.close();
		this.agent = new http.Agent({ keepAlive: true, maxSockets: 256 });
	}

	close() {
		this.agent.destroy();
	}
}

// A socket that sends what it is told, byte by byte if need be. No parser stands between the test and grantd.
export class RawSocket {
	constructor(socket) {
		this.socket = socket;
		this.received = Buffer.alloc(0);
		this.is_closed = false;
		socket.on('data', (part) => { this.received = Buffer.concat([this.received, part]); });
		socket.on('error', (error) => { this.error = error; });
		this.closed = new Promise((resolve) => socket.on('close', () => {
			this.is_closed = true;
			resolve();
		}));
	}

	// With host, TLS to that name; without, plain TCP (a listener for health, or a stalled handshake).
	static async connect({ port, host, ca, address = '127.0.0.1', ...options }) {
		const socket = host ? tls.connect({ host: address, port, servername: host, ca, ALPNProtocols: ['http/1.1'], ...options })
			: net.connect({ host: address, port, ...options });
		await new Promise((resolve, reject) => {
			socket.once(host ? 'secureConnect' : 'connect', resolve);
			socket.once('error', reject);
		});
		socket.setNoDelay(true);
		return new RawSocket(socket);
	}

	send(bytes) {
		if (!this.is_closed && this.socket.writable) this.socket.write(bytes);
	}

	get text() {
		return this.received.toString('latin1');
	}

	// The status of each answer so far, in order.
	get statuses() {
		return [...this.text.matchAll(/^HTTP\/1\.1 (\d{3}) /gm)].map((match) => Number(match[1]));
	}

	async until(condition, timeout = 15_000) {
		const end = Date.now() + timeout;
		while (!condition(this)) {
			if (this.is_closed || Date.now() > end) return false;
			await Promise.race([this.closed, new Promise((resolve) => setTimeout(resolve, 5))]);
		}
		return true;
	}

	// True if the other side closed within the time.
	async closes(timeout = 15_000) {
		let timer;
		await Promise.race([this.closed, new Promise((resolve) => { timer = setTimeout(resolve, timeout); })]);
		clearTimeout(timer);
		return this.is_closed;
	}

	close() {
		this.socket.destroy();
	}
}
