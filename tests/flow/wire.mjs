// SPDX-License-Identifier: Apache-2.0
// HTTPS to the daemon as a test needs it: nothing followed, nothing repaired, every header as it came.
import https from 'node:https';

const connect_here = (_host, options, callback) =>
	options.all ? callback(null, [{ address: '127.0.0.1', family: 4 }]) : callback(null, '127.0.0.1', 4);

export class Wire {
	// issuer: URL; ca: PEM text
	constructor({ issuer, ca, sockets = 64 }) {
		this.issuer = new URL(issuer);
		this.ca = ca;
		this.agent = this.connections(sockets);
	}

	// An agent of its own, for tests that care which connection carries what.
	connections(count) {
		return new https.Agent({ ca: this.ca, keepAlive: true, maxSockets: count, lookup: connect_here });
	}

	request(method, target, { headers = {}, body, agent = this.agent } = {}) {
		const options = {
			method, agent, host: this.issuer.hostname, port: this.issuer.port, path: target,
			servername: this.issuer.hostname, lookup: connect_here,
			headers: { ...headers, ...(body === undefined ? {} : { 'Content-Length': Buffer.byteLength(body) }) },
		};
		return new Promise((resolve, reject) => {
			const request = https.request(options, (answer) => {
				const parts = [];
				answer.on('data', (part) => parts.push(part));
				answer.on('error', reject);
				answer.on('end', () => {
					const text = Buffer.concat(parts).toString('utf8');
					resolve({ status: answer.statusCode, headers: answer.headers, raw: answer.rawHeaders, text,
						get json() { return JSON.parse(text); } });
				});
			});
			request.on('error', reject);
			request.end(body);
		});
	}

	get(target, options) { return this.request('GET', target, options); }

	form(target, params, { headers = {}, ...rest } = {}) {
		const body = typeof params === 'string' ? params : new URLSearchParams(params).toString();
		return this.request('POST', target,
			{ body, headers: { 'Content-Type': 'application/x-www-form-urlencoded', ...headers }, ...rest });
	}

	// What third-party clients take instead of fetch.
	fetch = async (url, init = {}) => {
		const { pathname, search } = new URL(url);
		const headers = Object.fromEntries(new Headers(init.headers));
		const body = init.body === undefined || init.body === null ? undefined : String(init.body);
		const answer = await this.request(init.method ?? 'GET', pathname + search, { headers, body });
		const received = new Headers();
		for (let i = 0; i < answer.raw.length; i += 2) received.append(answer.raw[i], answer.raw[i + 1]);
		return new Response(answer.text === '' ? null : answer.text, { status: answer.status, headers: received });
	};

	close() { this.agent.destroy(); }
}
