// SPDX-License-Identifier: Apache-2.0
// grantd itself, set up with the commands that a person uses, filled by bench/seed. The release build, SQLite.
import fs from 'node:fs';
import path from 'node:path';
import { promisify } from 'node:util';
import { execFile } from 'node:child_process';
import { ACTIVES, CONNECTIONS, Server } from './server.mjs';

process.env.GRANTD_BUILD = path.resolve(import.meta.dirname, '../../build/release');
process.env.GRANTD_DB = 'sqlite';
process.env.GRANTD_FIRST_PORT ??= '10400'; // where no test looks for its own
export const { free_ports } = await import('../../tests/flow/harness/instance.mjs');
const { Instance, mail_secret, programs } = await import('../../tests/flow/harness/instance.mjs');
const { basic } = await import('../../tests/flow/harness/agent.mjs');
const { AgentHost } = await import('../../tests/flow/agent_host.mjs');

const secret = 'bench-secret-bench-secret-bench-secret';
const exchange_words = new URLSearchParams({ grant_type: 'urn:ietf:params:oauth:grant-type:token-exchange', client_id: 'mail-agent', actor_label: 'bench',
	scope: 'mail.read', subject_token_type: 'urn:ietf:params:oauth:token-type:access_token' });
const run = promisify(execFile);

const mail = {
	token: { typ: 'at+jwt', alg: 'ES256', lifetime: 900 },
	scopes: [
		{ name: 'mail.read', title: 'Read your mail', risk: 'read', default: true, can: ['see folders and read messages'], cannot: ['send anything'] },
		{ name: 'mail.report', title: 'Report', risk: 'read', clients: true, can: ['report'], cannot: ['send anything'] },
	],
};

export class Grantd extends Server {
	// people: how many with passwords (each costs a login); grants, tokens: see bench/seed.c
	static async create(world, name, { people = 0, grants, tokens }) {
		const instance = await Instance.create({ env: { GRANTD_CLIENT_METADATA_LOOPBACK: 'yes', GRANTD_EXTRA_CA_FILE: 'agents/ca.pem' } });
		const server = new Grantd(world, name, instance.port);
		server.instance = instance;
		server.people = [];
		server.host = await AgentHost.start(null, path.join(instance.dir, 'agents'));
		await instance.start();
		await instance.add_resource(mail);
		server.agent = await instance.add_agent({ scope: 'mail.read', grant_types: ['authorization_code', 'refresh_token', 'token-exchange'] });
		await instance.add_agent({ id: 'service', secret, scope: 'mail.report', grant_types: ['client_credentials'], redirect_uris: [] });
		for (let i = 0; i < people; i++) server.people.push(await instance.add_person(`person${i}`));
		await instance.stop();
		await server.seed(grants, tokens);
		return server;
	}

	async seed(grants, tokens) {
		const file = path.join(this.dir, 'tokens');
		await run(path.join(this.world.build, 'bench/seed'), [this.instance.dir, String(grants), String(tokens), file], { env: this.instance.env });
		this.refresh_tokens = fs.readFileSync(file, 'utf8').split('\n').filter(Boolean);
	}

	get issuer() { return this.instance.issuer; }
	get token_url() { return `${this.issuer}/token`; }
	get ready_path() { return '/jwks.json'; }
	get database() { return path.join(this.instance.dir, 'grantd.db'); }

	command() {
		return { file: programs.grantd, args: ['serve', '--dir', this.instance.dir],
			env: { ...this.instance.env, GRANTD_PLAIN: this.tls ? 'no' : 'yes', GRANTD_LOG_LEVEL: 'warning' } };
	}

	async dispose() {
		await this.stop();
		await this.instance.dispose();
		await this.host.stop();
	}

	// How an agent asks that publishes a document, which may be kept for a day.
	publish() { return { client_id: this.host.publish({}, { headers: { 'cache-control': 'max-age=86400' } }), resource: this.instance.mail_uri }; }

	// Before the rows of a phase: tokens that are good for its length.
	async prepare() {
		const given = this.refresh_tokens.splice(0, ACTIVES);
		this.actives = await this.#accesses(given);
		this.chains ??= this.refresh_tokens.splice(-CONNECTIONS);
	}

	// An access token for each refresh token; the next ones of these go to the end of the list.
	async #accesses(given) {
		const tokens = [];
		for (let i = 0; i < given.length; i += 50) {
			const answers = await Promise.all(given.slice(i, i + 50).map((token) => this.#refreshed(token)));
			tokens.push(...answers.map((answer) => answer.access_token));
			this.refresh_tokens.push(...answers.map((answer) => answer.refresh_token));
		}
		return tokens;
	}

	// Access tokens that were not exchanged yet.
	subjects(count) { return this.#accesses(this.spare_tokens(count)); }

	// A chain for each key: a public client's refresh token is its key's from the first proof on.
	async bind(keys) {
		const answers = await Promise.all(this.spare_tokens(keys.length).map((token, i) => this.#refreshed(token, { dpop: keys[i].proof(this.token_url) })));
		for (const { token_type } of answers) if (token_type !== 'DPoP') throw new Error(`${this.name} bound nothing`);
		return answers.map(({ refresh_token }) => refresh_token);
	}

	async #refreshed(token, headers = {}) {
		const answer = await this.ask('/token', { method: 'POST', headers: { 'content-type': 'application/x-www-form-urlencoded', ...headers },
			body: new URLSearchParams({ grant_type: 'refresh_token', client_id: 'mail-agent', refresh_token: token }).toString() });
		if (answer.status !== 200) throw new Error(`${this.name}: no fresh token: ${answer.status} ${answer.body}`);
		return JSON.parse(answer.body);
	}

	// Refresh tokens that nobody has used; the first are left for prepare().
	spare_tokens(count) {
		const tokens = this.refresh_tokens.splice(ACTIVES, count);
		if (tokens.length < count) throw new Error(`${this.name}: too few tokens were seeded`);
		return tokens;
	}

	// --- what bench/flow.mjs asks: a decision within 700 ms of the page is refused ---
	authorize_path = '/authorize';
	token_path = '/token';
	wish_parameters = { scope: 'mail.read' };
	armed_ms = 750;
	yes = { decision: 'allow' };
	yes_field = 'decision';

	// Signs the person in: this is where argon2id is paid.
	async sign_in(browser, { username, password }) {
		await browser.submit(await browser.go('/login'), { username, password }, 'password');
	}

	issue() { return { head: this.#post('/token', basic('service', secret)), body: 'grant_type=client_credentials&scope=mail.report' }; }
	refresh() { return { head: this.#post('/token'), body: 'grant_type=refresh_token&client_id=mail-agent&refresh_token=%s', take: 'chain', member: 'refresh_token' }; }
	bound_refresh() { return { ...this.refresh(), head: `${this.#post('/token')}DPoP: %p\n` }; }
	exchange() { return { head: this.#post('/token'), body: `${exchange_words}&subject_token=%s`, take: 'once' }; }
	introspect() { return { head: this.#post('/introspect', basic('mail-rs', mail_secret)), body: 'token=%s' }; }
	revoke() { return { head: this.#post('/revoke'), body: 'client_id=mail-agent&token=%s', take: 'once' }; }
	jwks() { return { head: 'GET /jwks.json HTTP/1.1\nHost: bench\n' }; }
	metadata() { return { head: 'GET /.well-known/oauth-authorization-server HTTP/1.1\nHost: bench\n' }; }

	#post(target, authorization) {
		return `POST ${target} HTTP/1.1\nHost: bench\nContent-Type: application/x-www-form-urlencoded\n${authorization ? `Authorization: ${authorization}\n` : ''}`;
	}
}
