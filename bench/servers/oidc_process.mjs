// SPDX-License-Identifier: Apache-2.0
// The process of the peer oidc-provider. argv[2]: JSON { port, issuer, tls, store, key, document }. A message
// { mint, count } is answered with tokens made by its own models: what an HTTP run would leave behind, sooner.
import fs from 'node:fs';
import http from 'node:http';
import https from 'node:https';
import { DatabaseSync } from 'node:sqlite';
import Provider from 'oidc-provider';

const plan = JSON.parse(process.argv[2]);

// In memory: a Map. What is found is a copy, as from any store.
const entries = new Map();
class MapAdapter {
	constructor(name) { this.name = name; }
	key(id) { return `${this.name}:${id}`; }
	async upsert(id, payload) {
		entries.set(this.key(id), payload);
		if (this.name === 'Session') entries.set(`uid:${payload.uid}`, id);
		if (payload.grantId) {
			const of_grant = entries.get(`grant:${payload.grantId}`);
			if (of_grant) of_grant.push(this.key(id));
			else entries.set(`grant:${payload.grantId}`, [this.key(id)]);
		}
	}
	async find(id) {
		const found = entries.get(this.key(id));
		return found && { ...found };
	}
	async findByUid(uid) { return this.find(entries.get(`uid:${uid}`)); }
	async findByUserCode() { return undefined; }
	async consume(id) { entries.get(this.key(id)).consumed = Math.floor(Date.now() / 1000); }
	async destroy(id) { entries.delete(this.key(id)); }
	async revokeByGrantId(grant) {
		for (const key of entries.get(`grant:${grant}`) ?? []) entries.delete(key);
		entries.delete(`grant:${grant}`);
	}
}

// On disk: one table, WAL, each change durable before it is answered.
let database;
let statements;
function open_database() {
	database = new DatabaseSync(plan.store);
	database.exec(`PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL;
		CREATE TABLE IF NOT EXISTS entries (name TEXT NOT NULL, id TEXT NOT NULL, payload TEXT NOT NULL, uid TEXT, grant_id TEXT,
			consumed INTEGER, PRIMARY KEY (name, id)) WITHOUT ROWID;
		CREATE INDEX IF NOT EXISTS entries_uid ON entries (uid) WHERE uid IS NOT NULL;
		CREATE INDEX IF NOT EXISTS entries_grant ON entries (grant_id) WHERE grant_id IS NOT NULL`);
	statements = {
		upsert: database.prepare(`INSERT INTO entries (name, id, payload, uid, grant_id) VALUES (?, ?, ?, ?, ?)
			ON CONFLICT (name, id) DO UPDATE SET payload = excluded.payload, uid = excluded.uid, grant_id = excluded.grant_id`),
		find: database.prepare('SELECT payload, consumed FROM entries WHERE name = ? AND id = ?'),
		by_uid: database.prepare('SELECT payload, consumed FROM entries WHERE name = ? AND uid = ?'),
		consume: database.prepare('UPDATE entries SET consumed = ? WHERE name = ? AND id = ?'),
		destroy: database.prepare('DELETE FROM entries WHERE name = ? AND id = ?'),
		revoke: database.prepare('DELETE FROM entries WHERE grant_id = ?'),
	};
}

const parsed = (row) => row && { ...JSON.parse(row.payload), ...(row.consumed ? { consumed: row.consumed } : {}) };
class SqliteAdapter {
	constructor(name) { this.name = name; }
	async upsert(id, payload) {
		statements.upsert.run(this.name, id, JSON.stringify(payload), this.name === 'Session' ? payload.uid : null, payload.grantId ?? null);
	}
	async find(id) { return parsed(statements.find.get(this.name, id)); }
	async findByUid(uid) { return parsed(statements.by_uid.get(this.name, uid)); }
	async findByUserCode() { return undefined; }
	async consume(id) { statements.consume.run(Math.floor(Date.now() / 1000), this.name, id); }
	async destroy(id) { statements.destroy.run(this.name, id); }
	async revokeByGrantId(grant) { statements.revoke.run(grant); }
}

if (plan.store) open_database();

const secret = 'bench-secret-bench-secret-bench-secret';
const signed = { audience: 'urn:mail', scope: 'mail.read mail.report', accessTokenFormat: 'jwt', accessTokenTTL: 300, jwt: { sign: { alg: 'ES256' } } };
// What would be fetched for an agent that nobody registered: once, then it is in its cache.
const document = { client_id: plan.document, client_name: 'Robot', redirect_uris: ['http://127.0.0.1/callback'], application_type: 'native',
	grant_types: ['authorization_code', 'refresh_token'], response_types: ['code'], token_endpoint_auth_method: 'none' };
let fetches = 0;
const provider = new Provider(plan.issuer, {
	fetch: async (url) => {
		if (String(url) !== plan.document || fetches++ > 0) throw new Error(`${url} is not to be fetched`);
		return Response.json(document, { headers: { 'cache-control': 'max-age=86400' } });
	},
	adapter: plan.store ? SqliteAdapter : MapAdapter,
	clients: [
		{ client_id: 'service', client_secret: secret, grant_types: ['client_credentials'], redirect_uris: [], response_types: [] },
		{ client_id: 'mail-agent', token_endpoint_auth_method: 'none', application_type: 'native', grant_types: ['authorization_code', 'refresh_token'],
			redirect_uris: ['http://127.0.0.1/callback'], response_types: ['code'] },
		{ client_id: 'mail-rs', client_secret: secret, grant_types: [], redirect_uris: [], response_types: [] },
	],
	jwks: { keys: [plan.key] },
	clientDefaults: { id_token_signed_response_alg: 'ES256' },
	cookies: { keys: ['bench-cookie-key'] },
	findAccount: (ctx, id) => ({ accountId: id, claims: () => ({ sub: id }) }),
	issueRefreshToken: (ctx, client) => client.grantTypeAllowed('refresh_token'),
	rotateRefreshToken: () => true,
	scopes: ['openid', 'mail.read', 'mail.report'],
	ttl: { RefreshToken: 1209600, ClientCredentials: 3600, Grant: 1209600, Session: 1209600, Interaction: 3600, AccessToken: 300 },
	features: {
		devInteractions: { enabled: true },
		clientCredentials: { enabled: true },
		clientIdMetadataDocument: { enabled: true, ack: 'draft-02' },
		revocation: { enabled: true },
		introspection: { enabled: true, allowedPolicy: () => true },
		resourceIndicators: { enabled: true, getResourceServerInfo: () => signed, defaultResource: () => undefined, useGrantedResource: () => true },
	},
});

process.on('message', async ({ count }) => {
	const client = await provider.Client.find('service');
	const tokens = [];
	database?.exec('BEGIN');
	for (let i = 0; i < count; i++) tokens.push(await new provider.ClientCredentials({ client, scope: '' }).save());
	database?.exec('COMMIT');
	process.send(tokens);
});

const answer = provider.callback();
const server = plan.tls ? https.createServer({ cert: fs.readFileSync(plan.tls.cert), key: fs.readFileSync(plan.tls.key) }, answer) : http.createServer(answer);
server.keepAliveTimeout = 600_000;
server.listen(plan.port, '127.0.0.1');
process.on('SIGTERM', () => process.exit(0));
