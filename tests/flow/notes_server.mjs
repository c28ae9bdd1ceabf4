// SPDX-License-Identifier: Apache-2.0
// The MCP server of examples/mcp-server as its README runs it, and what a desktop program keeps that calls it.
import fs from 'node:fs';
import path from 'node:path';
import { as_file_says } from './clock.mjs';
import { Daemon, free_ports } from './harness/index.mjs';

const folder = path.resolve(import.meta.dirname, '../../examples/mcp-server');

export class NotesServer {
	// The resource as the example describes it, at a free port. introspection: a list as in a resource file
	static async add(grantd, { introspection } = {}) {
		const resource = JSON.parse(fs.readFileSync(path.join(folder, 'notes.json'), 'utf8'));
		const uri = `http://127.0.0.1:${await free_ports()}/mcp`;
		return grantd.add_resource({ introspection: undefined, ...resource, uri, ...(introspection && { introspection, checks: 'introspection' }) });
	}

	// env: as the README has it; late: how many seconds its clock is ahead. uri: where it is reached
	static async start(grantd, uri, { env = {}, late = 0, listen = new URL(uri).port } = {}) {
		const server = new NotesServer();
		server.uri = uri;
		const clock = path.join(grantd.home, `clock-${listen}`);
		fs.writeFileSync(clock, `+${late}`);
		server.daemon = new Daemon(process.execPath, [path.join(folder, 'server.mjs')], {
			log_dir: grantd.home, name: `notes-${listen}`, env: {
				PATH: process.env.PATH, NODE_EXTRA_CA_CERTS: path.join(grantd.dir, 'ca.pem'), ISSUER: grantd.issuer, RESOURCE: uri, LISTEN: listen,
				...(late ? as_file_says(clock) : {}), ...env,
			},
		});
		await server.daemon.says('ready');
		server.listen = listen;
		return server;
	}

	async stop() {
		this.daemon.kill('SIGTERM');
		await this.daemon.ended;
	}

	// A call of a tool by hand: what the server answers, with its challenge taken apart.
	async call(token, tool = 'list_notes', args = {}) {
		const response = await fetch(`http://127.0.0.1:${this.listen}/mcp`, {
			method: 'POST', body: JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'tools/call', params: { name: tool, arguments: args } }),
			headers: { 'content-type': 'application/json', accept: 'application/json, text/event-stream', 'mcp-protocol-version': '2025-11-25', ...(token && { authorization: `Bearer ${token}` }) },
		});
		const challenge = Object.fromEntries([...(response.headers.get('www-authenticate') ?? '').matchAll(/(\w+)="([^"]*)"/g)].map(([, name, value]) => [name, value]));
		return { status: response.status, challenge, text: await response.text() };
	}
}

// What the SDKs want of a program; `opened` is what its browser was sent to. more: clientMetadataUrl, redirectUrl
export class Keeper {
	redirectUrl = 'http://127.0.0.1:9876/callback';
	#kept = {};
	constructor(more = {}) { Object.assign(this, more); }
	get clientMetadata() {
		return { client_name: 'Notebook', redirect_uris: [this.redirectUrl], token_endpoint_auth_method: 'none', grant_types: ['authorization_code', 'refresh_token'], response_types: ['code'] };
	}
	state() { return 'a-state-of-its-own'; }
	clientInformation() { return this.#kept.client; }
	saveClientInformation(client) { this.#kept.client = client; }
	tokens() { return this.#kept.tokens; }
	saveTokens(tokens) { this.#kept.tokens = tokens; }
	saveCodeVerifier(verifier) { this.#kept.verifier = verifier; }
	codeVerifier() { return this.#kept.verifier; }
	discoveryState() { return this.#kept.discovery; }
	saveDiscoveryState(state) { this.#kept.discovery = state; }
	invalidateCredentials(what) { if (what === 'tokens') delete this.#kept.tokens; else this.#kept = {}; }
	redirectToAuthorization(url) { this.opened = url; }
}
