// SPDX-License-Identifier: Apache-2.0
// Where agents that nobody registered describe themselves: a real HTTPS server on loopback, with certificates of a
// private authority that grantd is told to trust.
import fs from 'node:fs';
import https from 'node:https';
import path from 'node:path';
import { MovedInstance } from './clock.mjs';
import { Agent, Instance, free_ports, run_well } from './harness/index.mjs';

export class AgentHost {
	// names: the hosts that its certificate is for. In `folder` are ca.pem and what it takes.
	static async start(t, folder, names = ['agent.localhost', '*.agents.localhost']) {
		const host = new AgentHost();
		fs.mkdirSync(folder, { recursive: true });
		Object.assign(host, { folder, calls: [], documents: new Map(), names });
		host.port = await free_ports();
		await host.#make_ca();
		const { key, cert } = await host.certificate('server');
		host.answer = null;
		host.server = https.createServer({ key, cert }, (request, response) => host.#serve(request, response));
		await new Promise((resolve) => host.server.listen(host.port, '127.0.0.1', resolve));
		t?.after(() => host.stop());
		return host;
	}

	stop() {
		this.server.closeAllConnections();
		return new Promise((resolve) => this.server.close(resolve));
	}

	get ca_file() { return path.join(this.folder, 'ca.pem'); }

	async #make_ca() {
		await run_well('openssl', ['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-days', '2',
			'-subj', '/CN=Agents', '-keyout', path.join(this.folder, 'ca.key'), '-out', this.ca_file]);
	}

	// A certificate of that authority, or of none, for the names; days may be past.
	async certificate(name, { names = this.names, self_signed = false, args = ['-days', '2'] } = {}) {
		const file = (end) => path.join(this.folder, `${name}.${end}`);
		const san = `subjectAltName=${names.map((one) => `DNS:${one}`).join(',')}`;
		if (self_signed) {
			await run_well('openssl', ['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-days', '2',
				'-subj', '/CN=self', '-addext', san, '-keyout', file('key'), '-out', file('pem')]);
		} else {
			await run_well('openssl', ['req', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-subj', '/CN=agent',
				'-keyout', file('key'), '-out', file('csr')]);
			fs.writeFileSync(file('ext'), `${san}\n`);
			await run_well('openssl', ['x509', '-req', '-in', file('csr'), '-CA', this.ca_file, '-CAkey', path.join(this.folder, 'ca.key'),
				'-CAcreateserial', '-extfile', file('ext'), '-out', file('pem'), ...args]);
		}
		return { key: fs.readFileSync(file('key')), cert: fs.readFileSync(file('pem')) };
	}

	use({ key, cert, ...options }) { this.server.setSecureContext({ key, cert, ...options }); }

	#serve(request, response) {
		this.calls.push({ host: request.headers.host, url: request.url, method: request.method, headers: request.headers });
		if (this.answer) return this.answer(request, response);
		const document = this.documents.get(request.url.split('?')[0]);
		if (!document) return response.writeHead(404).end();
		const { status = 200, type = 'application/json', headers = {}, body } = document;
		response.writeHead(status, { 'content-type': type, ...headers }).end(body);
	}

	url(file = '/agent.json', name = 'agent.localhost') { return `https://${name}:${this.port}${file}`; }

	// A sound document at that file, with changes (null takes a member out); answers its URL.
	publish(changes = {}, { file = '/agent.json', name = 'agent.localhost', ...answer } = {}) {
		const url = this.url(file, name);
		const document = { client_id: url, client_name: 'Robot', redirect_uris: ['http://127.0.0.1/callback'],
			grant_types: ['authorization_code', 'refresh_token'], response_types: ['code'], token_endpoint_auth_method: 'none', ...changes };
		for (const [member, value] of Object.entries(document)) if (value === null) delete document[member];
		this.documents.set(file, { body: JSON.stringify(document), ...answer });
		return url;
	}

	// How often something was asked for.
	get fetches() { return this.calls.length; }

	// An agent of that URL at the instance.
	agent(grantd, url = this.url(), changes = {}) {
		return new Agent(grantd, { client_id: url, resource: grantd.mail_uri, scope: 'mail.read', ...changes });
	}
}

// A grantd that reads documents from this machine, and a host that serves them.
// moved: with .move(seconds) of clock.mjs.
export async function with_documents(t, { env = {}, moved = false } = {}) {
	const grantd = await Instance.create({ env: { GRANTD_CLIENT_METADATA_LOOPBACK: 'yes', GRANTD_EXTRA_CA_FILE: 'agents/ca.pem', ...env } });
	const forget = moved ? MovedInstance.take(grantd) : () => {};
	t?.after(async () => { await grantd.dispose(); forget(); });
	const host = await AgentHost.start(t, path.join(grantd.dir, 'agents'));
	await grantd.start();
	await grantd.add_resource();
	return { grantd, host, alice: await grantd.add_person('alice') };
}
