// SPDX-License-Identifier: Apache-2.0
// The peer oidc-provider (npm) on node: in memory, or on node:sqlite.
import crypto from 'node:crypto';
import fs from 'node:fs';
import path from 'node:path';
import { Browser, authorize, wish } from '../flow.mjs';
import { ACTIVES, CONNECTIONS, Server } from './server.mjs';

const secret = 'bench-secret-bench-secret-bench-secret';
const document = 'https://agent.example/client.json';
const basic = (id) => `Basic ${Buffer.from(`${id}:${secret}`).toString('base64')}`;

export class OidcProvider extends Server {
	constructor(world, port, { durable = false } = {}) {
		super(world, durable ? 'oidc-provider sqlite' : 'oidc-provider RAM', port);
		this.store = durable ? path.join(this.dir, 'oidc.db') : null;
		if (durable) for (const end of ['', '-wal', '-shm']) fs.rmSync(this.store + end, { force: true });
		const { privateKey } = crypto.generateKeyPairSync('ec', { namedCurve: 'P-256' });
		this.key = { ...privateKey.export({ format: 'jwk' }), kid: 'bench', use: 'sig', alg: 'ES256' };
	}

	get ready_path() { return '/.well-known/openid-configuration'; }

	command() {
		const plan = { port: this.port, issuer: this.origin, tls: this.tls ? this.world.tls : null, store: this.store, key: this.key, document };
		return { file: process.execPath, args: ['--no-warnings', path.join(import.meta.dirname, 'oidc_process.mjs'), JSON.stringify(plan)],
			env: { NODE_ENV: 'production' }, stdio: ['ipc'] };
	}

	// Tokens made by its own models.
	async mint(count) {
		const tokens = new Promise((resolve) => this.child.once('message', resolve));
		this.child.send({ count });
		const answer = await Promise.race([tokens, this.ended]);
		if (!answer) throw new Error(`${this.name} ended:\n${this.log_end()}`);
		return answer;
	}

	async prepare() {
		this.people = Array.from({ length: 16 }, (unused, i) => ({ username: `person${i}`, password: 'any' }));
		this.actives = await this.mint(ACTIVES);
		this.chains = [];
		const browser = new Browser(this.origin, this.issuer);
		await this.sign_in(browser, this.people[0]);
		while (this.chains.length < CONNECTIONS) this.chains.push((await authorize(this, browser)).refresh_token);
		browser.close();
		this.bound = undefined; // to which keys nothing is yet
	}

	// A chain for each key.
	async bind(keys) {
		const browser = new Browser(this.origin, this.issuer);
		await this.sign_in(browser, this.people[0]);
		const tokens = [];
		for (const key of keys) tokens.push(await authorize(this, browser, key));
		browser.close();
		for (const { token_type } of tokens) if (token_type !== 'DPoP') throw new Error(`${this.name} bound nothing`);
		return tokens.map(({ refresh_token }) => refresh_token);
	}

	// How an agent asks that is known by its document, which its process has.
	publish() { return { client_id: document }; }

	spare_tokens(count) { return this.mint(count); }

	// --- what bench/flow.mjs asks: its development pages take any name and password ---
	authorize_path = '/auth';
	token_path = '/token';
	wish_parameters = { scope: 'mail.read', resource: 'urn:mail' };
	yes = {};
	get issuer() { return this.origin; }
	get token_url() { return `${this.issuer}/token`; }

	async sign_in(browser, { username, password }) {
		const page = await browser.go(wish(this, this.wish_parameters).url);
		await browser.submit(page, { login: username, password });
	}

	issue() { return { head: this.#post('/token', basic('service')), body: 'grant_type=client_credentials&scope=mail.report&resource=urn:mail' }; }
	refresh() { return { head: this.#post('/token'), body: 'grant_type=refresh_token&client_id=mail-agent&refresh_token=%s', take: 'chain', member: 'refresh_token' }; }
	bound_refresh() { return { ...this.refresh(), head: `${this.#post('/token')}DPoP: %p\n` }; }
	introspect() { return { head: this.#post('/token/introspection', basic('mail-rs')), body: 'token=%s&token_type_hint=access_token' }; }
	revoke() { return { head: this.#post('/token/revocation', basic('service')), body: 'token=%s&token_type_hint=access_token', take: 'once' }; }
	jwks() { return { head: 'GET /jwks HTTP/1.1\nHost: bench\n' }; }
	metadata() { return { head: 'GET /.well-known/openid-configuration HTTP/1.1\nHost: bench\n' }; }

	#post(target, authorization) {
		return `POST ${target} HTTP/1.1\nHost: 127.0.0.1:${this.port}\nContent-Type: application/x-www-form-urlencoded\n${authorization ? `Authorization: ${authorization}\n` : ''}`;
	}
}
