// SPDX-License-Identifier: Apache-2.0
// What stands in front of a grantd: the address that clients know, with its certificate. It hands everything on, notes
// it, and answers in its place where a test says so.
import fs from 'node:fs';
import https from 'node:https';
import path from 'node:path';
import { Instance, free_ports } from './harness/index.mjs';
import { lookup } from './harness/https.mjs';

export class Front {
	// A grantd that is served behind it, and started.
	static async start({ env = {} } = {}) {
		const front = new Front(), inner = await free_ports();
		front.grantd = await Instance.create({ env: { GRANTD_LISTEN: `127.0.0.1:${inner}`, ...env } });
		Object.assign(front, { inner, calls: [], ways: new Map() });
		const tls = (name) => fs.readFileSync(path.join(front.grantd.dir, 'tls', name));
		front.server = https.createServer({ key: tls('key.pem'), cert: tls('cert.pem') }, (request, response) => front.#serve(request, response));
		await new Promise((resolve) => front.server.listen(front.grantd.port, '127.0.0.1', resolve));
		await front.grantd.start();
		return front;
	}

	async dispose() {
		this.server.closeAllConnections();
		await new Promise((resolve) => this.server.close(resolve));
		await this.grantd.dispose();
	}

	// The calls of a path so far: { method, url, body }; url a URL.
	of(pathname) { return this.calls.filter(({ url }) => url.pathname === pathname); }

	// While `action` runs, that path is answered by answer({ request, response, body, grantd_says }).
	async instead(pathname, answer, action) {
		this.ways.set(pathname, answer);
		try {
			return await action();
		} finally {
			this.ways.delete(pathname);
		}
	}

	async #serve(request, response) {
		const parts = [];
		for await (const part of request) parts.push(part);
		const body = Buffer.concat(parts), url = new URL(request.url, this.grantd.issuer);
		this.calls.push({ method: request.method, url, body: body.toString() });
		const grantd_says = () => this.#pass(request, body);
		const way = this.ways.get(url.pathname);
		if (way) return way({ request, response, body, grantd_says });
		const { status, headers, text } = await grantd_says();
		response.writeHead(status, headers).end(text);
	}

	#pass(request, body) {
		return new Promise((resolve, reject) => {
			const options = { host: this.grantd.host, port: this.inner, path: request.url, method: request.method, headers: request.headers, ca: this.grantd.ca, lookup, servername: this.grantd.host };
			const passed = https.request(options, (answer) => {
				const parts = [];
				answer.on('data', (part) => parts.push(part));
				answer.on('end', () => {
					const { 'transfer-encoding': _, ...headers } = answer.headers;
					resolve({ status: answer.statusCode, headers, text: Buffer.concat(parts) });
				});
			});
			passed.on('error', reject);
			passed.end(body);
		});
	}
}
