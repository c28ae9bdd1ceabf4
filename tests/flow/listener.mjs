// SPDX-License-Identifier: Apache-2.0
import fs from 'node:fs';
import https from 'node:https';
import path from 'node:path';
import { free_ports, run_well } from './harness/index.mjs';

// A resource server's end of an on_stop URL; `answer` may be changed while it runs.
export class Listener {
	static async start(t, folder) {
		const listener = new Listener();
		listener.port = await free_ports();
		listener.url = `https://localhost:${listener.port}/stop?from=grantd`;
		listener.calls = [];
		listener.answer = (response) => response.writeHead(204).end();
		listener.ca = path.join(folder, 'listener.pem');
		const key = path.join(folder, 'listener.key');
		await run_well('openssl', ['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-days', '2',
			'-subj', '/CN=localhost', '-addext', 'subjectAltName=DNS:localhost', '-keyout', key, '-out', listener.ca]);
		listener.server = https.createServer({ key: fs.readFileSync(key), cert: fs.readFileSync(listener.ca) }, (request, response) => {
			const parts = [];
			request.on('data', (part) => parts.push(part));
			request.on('end', () => {
				listener.calls.push({ method: request.method, url: request.url, headers: request.headers, body: Buffer.concat(parts).toString() });
				listener.answer(response);
			});
		});
		await new Promise((resolve) => listener.server.listen(listener.port, '127.0.0.1', resolve));
		t.after(() => {
			listener.server.closeAllConnections();
			return new Promise((resolve) => listener.server.close(resolve));
		});
		return listener;
	}
}
