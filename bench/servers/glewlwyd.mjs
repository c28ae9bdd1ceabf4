// SPDX-License-Identifier: Apache-2.0
// Debian's glewlwyd with its OpenID Connect plugin on SQLite, set up through its own admin API: ES256, refresh
// tokens of one use, one client, one user.
import crypto from 'node:crypto';
import fs from 'node:fs';
import path from 'node:path';
import zlib from 'node:zlib';
import { DatabaseSync } from 'node:sqlite';
import { CONNECTIONS, Server } from './server.mjs';

const schema = '/usr/share/doc/glewlwyd/database/init.sqlite3.sql.gz';
const client_secret = 'bench-secret-bench-secret-bench-secret';
const redirect_uri = 'http://127.0.0.1/callback';
const password = 'the password of alice';

const form = (members) => new URLSearchParams(members).toString();
const cookies_of = (answer) => (answer.headers['set-cookie'] ?? []).map((line) => line.split(';')[0]).join('; ');

export class Glewlwyd extends Server {
	constructor(world, port) {
		super(world, 'glewlwyd', port);
		this.database = path.join(this.dir, 'glewlwyd.db');
		this.empty = path.join(this.dir, 'empty'); // for folders that it wants to read
		fs.mkdirSync(this.empty, { recursive: true });
		fs.rmSync(this.database, { force: true });
		const file = new DatabaseSync(this.database);
		file.exec(zlib.gunzipSync(fs.readFileSync(schema)).toString('utf8'));
		file.close();
	}

	get ready_path() { return '/config'; }

	#config() {
		const settings = {
			port: this.port, bind_address: '127.0.0.1', external_url: this.origin, login_url: 'login.html', api_prefix: 'api',
			static_files_path: this.empty, log_mode: 'console', log_level: 'ERROR', cookie_domain: '127.0.0.1', cookie_secure: 0,
			session_key: 'GLEWLWYD2_SESSION_ID', admin_scope: 'g_admin', profile_scope: 'g_profile',
			user_module_path: '/usr/lib/glewlwyd/user', user_middleware_module_path: this.empty,
			client_module_path: '/usr/lib/glewlwyd/client', user_auth_scheme_module_path: '/usr/lib/glewlwyd/scheme',
			plugin_module_path: '/usr/lib/glewlwyd/plugin', use_secure_connection: this.tls,
			secure_connection_key_file: this.world.tls.key, secure_connection_pem_file: this.world.tls.cert,
			hash_algorithm: 'SHA512',
		};
		const lines = Object.entries(settings).map(([name, value]) => `${name}=${JSON.stringify(value)}`);
		return `${lines.join('\n')}\ndatabase =\n{\n  type = "sqlite3"\n  path = ${JSON.stringify(this.database)}\n};\n`;
	}

	command() {
		const file = path.join(this.dir, 'glewlwyd.conf');
		fs.writeFileSync(file, this.#config());
		return { file: '/usr/bin/glewlwyd', args: ['--config-file', file] };
	}

	async #post(target, body, cookie, method = 'POST') {
		const answer = await this.ask(target, { method, headers: { 'content-type': 'application/json', ...(cookie ? { cookie } : {}) }, body: JSON.stringify(body) });
		if (answer.status !== 200) throw new Error(`glewlwyd: ${method} ${target} answers ${answer.status} ${answer.body}`);
		return answer;
	}

	// The plugin names its issuer, so it is set up again for each listener.
	async started() {
		if (this.is_set_up) return;
		const admin = cookies_of(await this.#post('/api/auth/', { username: 'admin', password: 'password' }));
		const { privateKey, publicKey } = crypto.generateKeyPairSync('ec', { namedCurve: 'P-256' });
		const yes = true;
		await this.#post('/api/mod/plugin/', { module: 'oidc', name: 'oidc', display_name: 'oidc', parameters: {
			iss: this.origin, 'jwt-type': 'ecdsa', 'jwt-key-size': '256',
			key: privateKey.export({ type: 'pkcs8', format: 'pem' }), cert: publicKey.export({ type: 'spki', format: 'pem' }),
			'access-token-duration': 3600, 'refresh-token-duration': 1209600, 'code-duration': 600, 'refresh-token-rolling': yes,
			'refresh-token-one-use': 'always', 'allow-non-oidc': yes, 'auth-type-code-enabled': yes, 'auth-type-client-enabled': yes,
			'auth-type-refresh-enabled': yes, 'auth-type-token-enabled': false, 'auth-type-password-enabled': false, 'jwks-show': yes,
			'subject-type': 'public', 'pkce-allowed': yes, 'introspection-revocation-allowed': yes,
			'introspection-revocation-allow-target-client': yes, 'client-pubkey-parameter': 'pubkey', 'request-parameter-allow': false,
		} }, admin);
		await this.#post('/api/scope/', { name: 'mail', display_name: 'Mail', description: 'Mail', password_required: false, scheme: {} }, admin);
		await this.#post('/api/client/', { client_id: 'agent', name: 'Agent', confidential: yes, password: client_secret, client_secret, enabled: yes,
			scope: ['mail'], redirect_uri: [redirect_uri], authorization_type: ['code', 'refresh_token', 'client_credentials'],
			token_endpoint_auth_method: ['client_secret_basic'] }, admin);
		await this.#post('/api/user/', { username: 'alice', name: 'Alice', password, enabled: yes, scope: ['mail', 'openid', 'g_profile'] }, admin);
		this.is_set_up = true;
	}

	get authorization() { return `Basic ${Buffer.from(`agent:${client_secret}`).toString('base64')}`; }

	// It has few tokens to be asked about: each costs it 2 ms and more.
	async prepare() {
		this.actives = await this.spare_tokens(200);
		this.chains = [];
		const cookie = await this.#sign_in();
		while (this.chains.length < CONNECTIONS) this.chains.push(await this.#authorize(cookie));
	}

	async spare_tokens(count) {
		const tokens = [];
		while (tokens.length < count) tokens.push((await this.#ask_token({ grant_type: 'client_credentials', scope: 'mail' })).access_token);
		return tokens;
	}

	async #ask_token(members) {
		const answer = await this.ask('/api/oidc/token', { method: 'POST', body: form(members),
			headers: { authorization: this.authorization, 'content-type': 'application/x-www-form-urlencoded' } });
		if (answer.status !== 200) throw new Error(`glewlwyd: /token answers ${answer.status} ${answer.body}`);
		return JSON.parse(answer.body);
	}

	async #sign_in() {
		const cookie = cookies_of(await this.#post('/api/auth/', { username: 'alice', password }));
		await this.#post('/api/auth/grant/agent', { scope: 'openid mail' }, cookie, 'PUT');
		return cookie;
	}

	async #authorize(cookie) {
		const query = form({ response_type: 'code', client_id: 'agent', redirect_uri, scope: 'openid mail', state: 'bench', nonce: 'bench-nonce', g_continue: '' });
		const { headers } = await this.ask(`/api/oidc/auth?${query}`, { headers: { cookie } });
		const code = new URL(headers.location).searchParams.get('code');
		return (await this.#ask_token({ grant_type: 'authorization_code', code, redirect_uri })).refresh_token;
	}

	issue() { return { head: this.#head('token'), body: 'grant_type=client_credentials&scope=mail' }; }
	refresh() { return { head: this.#head('token'), body: 'grant_type=refresh_token&refresh_token=%s', take: 'chain', member: 'refresh_token' }; }
	introspect() { return { head: this.#head('introspect'), body: 'token=%s&token_type_hint=access_token' }; }
	revoke() { return { head: this.#head('revoke'), body: 'token=%s&token_type_hint=access_token', take: 'once' }; }

	#head(name) {
		return `POST /api/oidc/${name} HTTP/1.1\nHost: 127.0.0.1:${this.port}\nContent-Type: application/x-www-form-urlencoded\nAuthorization: ${this.authorization}\n`;
	}
}
