// SPDX-License-Identifier: Apache-2.0
// Stands where grantd is reached, as a proxy does, and may lose what grantd answers to /token or say that nobody is there.
import fs from 'node:fs';
import https from 'node:https';
import path from 'node:path';

const html = '<html><head><title>502 Bad Gateway</title></head><body><h1>502 Bad Gateway</h1></body></html>\n';

export class Door {
	// behind: the port that grantd listens on, which is not that of its issuer. tokens: 'pass', 'lost' or 'refused'
	static async open(grantd, behind) {
		const door = Object.assign(new Door(), { grantd, behind, tokens: 'pass', lost: 0, refused: 0 });
		const file = (name) => fs.readFileSync(path.join(grantd.dir, 'tls', name));
		door.server = https.createServer({ key: file('key.pem'), cert: file('cert.pem') }, (request, response) => door.#carry(request, response));
		await new Promise((resolve) => door.server.listen(grantd.port, '127.0.0.1', resolve));
		return door;
	}

	close() {
		const closed = new Promise((resolve) => this.server.close(resolve));
		this.server.closeAllConnections();
		return closed;
	}

	#carry(request, response) {
		const fate = request.url === '/token' ? this.tokens : 'pass';
		const refuse = () => {
			this.refused++;
			response.writeHead(502, { 'content-type': 'text/html' }).end(html);
		};
		if (fate === 'refused') return refuse();
		const inner = https.request({ host: '127.0.0.1', port: this.behind, servername: this.grantd.host, ca: this.grantd.ca,
			method: request.method, path: request.url, headers: request.headers }, (answer) => {
			if (fate === 'pass') return answer.pipe(response.writeHead(answer.statusCode, answer.headers));
			this.lost += answer.statusCode === 200;
			response.destroy();
		});
		request.pipe(inner.on('error', refuse));
	}
}
