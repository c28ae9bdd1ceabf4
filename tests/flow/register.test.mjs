// SPDX-License-Identifier: Apache-2.0
// Agents that register themselves: rows RG of tests/rows, and those of other areas that speak of registration.
import assert from 'node:assert/strict';
import crypto from 'node:crypto';
import fs from 'node:fs';
import path from 'node:path';
import { after, before, describe, test } from 'node:test';
import { ask, is_asked, is_error_page, is_told, refused } from './expect.mjs';
import { Agent, Instance, claims } from './harness/index.mjs';

let grantd, alice, bob;
before(async () => {
	grantd = await Instance.start(null);
	await grantd.add_resource();
	alice = await grantd.add_person('alice');
	bob = await grantd.add_person('bob');
	await grantd.add_agent({ id: 'mail-agent', name: 'Claude' });
});
after(() => grantd.dispose());

const desktop = { client_name: 'Desk', redirect_uris: ['http://127.0.0.1:6276/oauth/callback'], token_endpoint_auth_method: 'none',
	grant_types: ['authorization_code', 'refresh_token'], response_types: ['code'], scope: 'mail.read' };

// { status, headers, body, text }; a text is sent as it is.
async function send(method, at, body, { token, headers = {} } = {}) {
	const raw_headers = new Map(Object.entries({ ...(body !== undefined && { 'content-type': 'application/json' }), ...(token && { authorization: `Bearer ${token}` }), ...headers }));
	const response = await grantd.fetch(new URL(at, grantd.issuer), { method, body: typeof body === 'object' ? JSON.stringify(body) : body, raw_headers });
	const text = await response.text();
	return { status: response.status, headers: response.headers, text, body: text.startsWith('{') ? JSON.parse(text) : null };
}

const register = (body, options) => send('POST', '/register', body, options);
const manage = (client, method, body, token = client.registration_access_token) => send(method, client.registration_client_uri, body, { token });

async function registered(changes) {
	const answer = await register({ ...desktop, ...changes });
	assert.equal(answer.status, 201, answer.text);
	return answer.body;
}

const agent_of = (client) => new Agent(grantd, { client_id: client.client_id, client_secret: client.client_secret, redirect_uri: client.redirect_uris[0], resource: grantd.mail_uri, scope: 'mail.read' });

describe('what is registered', () => {
	test('the metadata name the endpoint, and any origin may use it', async () => {
		const metadata = await (await grantd.fetch(`${grantd.issuer}/.well-known/oauth-authorization-server`)).json();
		assert.equal(metadata.registration_endpoint, `${grantd.issuer}/register`);
		const preflight = await send('OPTIONS', '/register', undefined, { headers: { origin: 'https://app.example', 'access-control-request-method': 'POST' } });
		assert.equal(preflight.status, 204);
		assert.equal(preflight.headers.get('access-control-allow-origin'), '*');
		const managed = await send('OPTIONS', '/register/cli_x', undefined, { headers: { origin: 'https://app.example' } });
		assert.match(managed.headers.get('access-control-allow-methods'), /GET, HEAD, PUT, DELETE/);
	});

	test('a public client gets an id, no secret, and its own words back', async () => {
		const answer = await register({ ...desktop, client_uri: 'https://desk.example/', contacts: ['who@desk.example'], software_id: 'desk', unheard_of: { a: [1] }, 'client_name#de': 'Tisch' });
		assert.equal(answer.status, 201, answer.text);
		assert.equal(answer.headers.get('cache-control'), 'no-store');
		assert.equal(answer.headers.get('access-control-allow-origin'), '*');
		const { client_id, client_id_issued_at, registration_access_token, registration_client_uri, ...said } = answer.body;
		assert.match(client_id, /^cli_[a-z2-7]{26}$/);
		assert.ok(Math.abs(client_id_issued_at - Date.now() / 1000) < 300);
		assert.match(registration_access_token, /^grr_[\w-]{43}$/);
		assert.equal(registration_client_uri, `${grantd.issuer}/register/${client_id}`);
		assert.deepEqual(said, { ...desktop, application_type: 'native', client_uri: 'https://desk.example/', contacts: ['who@desk.example'], software_id: 'desk' });
		const shown = (await grantd.operate(['client', 'list'])).find((one) => one.client_id === client_id);
		assert.deepEqual([shown.kind, shown.name, shown.auth], ['registered', 'Desk', 'none']);
	});

	test('what is not said is as RFC 7591 has it', async () => {
		const { body, text } = await register({ redirect_uris: ['https://app.example/cb'], client_name: null, scope: '' });
		assert.equal(body.token_endpoint_auth_method, 'client_secret_basic', text);
		assert.match(body.client_secret, /^[\w-]{43}$/);
		assert.equal(body.client_secret_expires_at, 0);
		assert.deepEqual([body.grant_types, body.response_types, body.application_type], [['authorization_code'], ['code'], 'web']);
		assert.ok(!('scope' in body) && !('client_name' in body));
		const [row] = await grantd.rows(`SELECT c.name, c.secret_hash, r.token_hash FROM clients c JOIN registrations r ON r.client_id = c.id WHERE c.id = '${body.client_id}'`);
		const hash = (secret) => `\\x${crypto.createHash('sha256').update(secret).digest('hex')}`;
		assert.deepEqual(row, { name: body.client_id, secret_hash: hash(body.client_secret), token_hash: hash(body.registration_access_token) });
	});

	test('of several redirect URIs the good ones are kept, each once', async () => {
		const { body } = await register({ ...desktop, redirect_uris: ['cursor://anysphere.cursor-mcp/oauth/callback', 'javascript:alert(1)', 'https://*.example/cb', 'https://www.cursor.com/agents/mcp/oauth/callback',
			'http://localhost:8787/callback', 'http://intranet/cb', 'http://localhost:8787/callback'] });
		assert.deepEqual(body.redirect_uris, ['cursor://anysphere.cursor-mcp/oauth/callback', 'https://www.cursor.com/agents/mcp/oauth/callback', 'http://localhost:8787/callback']);
	});

	test('grant types and scopes that are not to be had give way to those that are', async () => {
		const { body } = await register({ ...desktop, scope: 'mail.read offline_access files.write', grant_types: ['authorization_code', 'refresh_token', 'urn:ietf:params:oauth:grant-type:device_code', 'client_credentials'] });
		assert.deepEqual([body.grant_types, body.scope], [['authorization_code', 'refresh_token'], 'mail.read']);
	});

	test('of two ways to say how it authenticates the first that can be had counts', async () => {
		const methods = async (changes) => (await register({ ...desktop, token_endpoint_auth_method: undefined, ...changes })).body.token_endpoint_auth_method;
		assert.equal(await methods({ token_endpoint_auth_method: 'none', token_endpoint_auth_methods_supported: ['client_secret_post'] }), 'none');
		assert.equal(await methods({ token_endpoint_auth_method: 'tls_client_auth', token_endpoint_auth_methods_supported: ['tls_client_auth', 'client_secret_post', 'none'] }), 'client_secret_post');
		assert.equal(await methods({ token_endpoint_auth_methods_supported: ['none'] }), 'none');
	});

	test('RG-013: a client_id and a client_secret of the caller are ignored', async () => {
		for (const client_id of ['mail-agent', 'https://claude.ai/oauth/client.json', 'usr_aaaaaaaaaaaaaaaaaaaaaaaaaa']) {
			const body = await registered({ client_id, client_secret: 'a-secret-that-the-caller-would-like-to-have', token_endpoint_auth_method: 'client_secret_post' });
			assert.match(body.client_id, /^cli_/);
			assert.notEqual(body.client_secret, 'a-secret-that-the-caller-would-like-to-have');
		}
		assert.equal((await grantd.operate(['client', 'show', 'mail-agent'])).kind, 'operator');
	});
});

// [row, what, body, error]
const bad = [
	['JS-001', 'a member twice', '{"redirect_uris":["https://app.example/cb"],"redirect_uris":["https://evil.example/cb"]}', 'invalid_client_metadata'],
	['JS-001', 'a member twice further down', '{"redirect_uris":["https://app.example/cb"],"jwks":{"keys":[],"keys":[]}}', 'invalid_client_metadata'],
	['JS-003', 'a thousand arrays', `{"redirect_uris":["https://app.example/cb"],"x":${'['.repeat(1000)}${']'.repeat(1000)}}`, 'invalid_client_metadata'],
	['JS-003', 'a thousand objects', `{"redirect_uris":["https://app.example/cb"],"x":${'{"a":'.repeat(1000)}1${'}'.repeat(1000)}}`, 'invalid_client_metadata'],
	...['1e400', '00', '1.', 'NaN', 'Infinity', '9223372036854775808'].map((number) => ['JS-004', number, `{"redirect_uris":["https://app.example/cb"],"default_max_age":${number}}`, 'invalid_client_metadata']),
	['JS-004', '-0 as a text', '{"redirect_uris":["https://app.example/cb"],"client_name":-0}', 'invalid_client_metadata'],
	...['[]', 'null', '"x"', '1', 'true'].map((root) => ['JS-009', root, root, 'invalid_client_metadata']),
	['JS-009', 'nothing', '', 'invalid_client_metadata'],
	...['https://*.example/cb', 'https://app.example/*'].map((uri) => ['RU-023', uri, { redirect_uris: [uri] }, 'invalid_redirect_uri']),
	...['javascript:alert(1)', 'JavaScript:alert(1)', ' javascript:alert(1)', 'java\nscript:alert(1)', 'data:text/html,x', 'vbscript:x', 'blob:https://app.example/x', 'file:///etc/passwd', 'about:blank', 'FILE:///x', 'data:', '\u0000javascript:x']
		.map((uri) => ['RU-024', JSON.stringify(uri), { redirect_uris: [uri] }, uri.includes('\0') ? 'invalid_client_metadata' : 'invalid_redirect_uri']),
	['RG', 'no redirect URI', { redirect_uris: undefined }, 'invalid_redirect_uri'],
	['RG', 'a redirect URI that is no list', { redirect_uris: 'https://app.example/cb' }, 'invalid_redirect_uri'],
	['RG', 'a list of other things', { redirect_uris: [{}] }, 'invalid_redirect_uri'],
	['RG', 'too many redirect URIs', { redirect_uris: Array.from({ length: 17 }, (_, i) => `https://app.example/${i}`) }, 'invalid_redirect_uri'],
	['RG-005', 'password', { grant_types: ['authorization_code', 'password'] }, 'invalid_client_metadata'],
	['RG-005', 'implicit', { grant_types: ['implicit'] }, 'invalid_client_metadata'],
	...['token', 'id_token', 'code token', 'code id_token', 'none'].map((type) => ['RG-005', `response_type ${type}`, { response_types: ['code', type] }, 'invalid_client_metadata']),
	['RG-006', 'refresh_token alone', { grant_types: ['refresh_token'] }, 'invalid_client_metadata'],
	['RG-006', 'no response type', { response_types: [] }, 'invalid_client_metadata'],
	['RG-006', 'no grant type that needs a person', { grant_types: ['client_credentials'] }, 'invalid_client_metadata'],
	['RG-007', 'an unknown method', { token_endpoint_auth_method: 'shout' }, 'invalid_client_metadata'],
	['RG-007', 'one that is not there yet', { token_endpoint_auth_method: 'tls_client_auth', token_endpoint_auth_methods_supported: ['self_signed_tls_client_auth'] }, 'invalid_client_metadata'],
	...['jwks_uri', 'logo_uri', 'policy_uri', 'tos_uri', 'client_uri'].flatMap((name) => ['http://169.254.169.254/latest', 'https://169.254.169.254/x', 'https://[::1]/x', 'https://localhost/x', 'https://0x7f000001/x', 'https://db.internal/x',
		'javascript:alert(1)', 'https://user@app.example/'].map((uri) => ['RG-009', `${name} ${uri}`, { [name]: uri }, 'invalid_client_metadata'])),
	['RG', 'a name nobody would see', { client_name: 'a\u202eb' }, 'invalid_client_metadata'],
	['RG', 'a long name', { client_name: 'x'.repeat(129) }, 'invalid_client_metadata'],
	['RG', 'a type of application', { application_type: 'toaster' }, 'invalid_client_metadata'],
	['RG', 'an algorithm', { id_token_signed_response_alg: 'none' }, 'invalid_client_metadata'],
	['RG', 'a malformed scope', { scope: 'mail.read  x' }, 'invalid_client_metadata'],
	...['eyJhbGciOiJub25lIn0.e30.', 'eyJhbGciOiJSUzI1NiJ9.eyJpc3MiOiJldmlsIn0.c2ln', 'x'].map((statement) => ['RG-014', statement, { software_statement: statement }, 'invalid_software_statement']),
];

function keys_that_are_refused() {
	const ec = crypto.generateKeyPairSync('ec', { namedCurve: 'P-256' });
	const [own, open] = [ec.privateKey, ec.publicKey].map((key) => key.export({ format: 'jwk' }));
	const small = crypto.generateKeyPairSync('rsa', { modulusLength: 1024 }).publicKey.export({ format: 'jwk' });
	return { good: open, lists: { 'a private one': [own], 'a symmetric one': [{ kty: 'oct', k: 'c2VjcmV0' }], 'RSA 1024': [small], 'none': [], 'a kid twice': [{ ...open, kid: 'a' }, { ...open, kid: 'a' }],
		'a point off the curve': [{ ...open, y: open.x }], 'no key': ['x'], 'no type': [{}] } };
}

describe('what is refused', () => {
	test('each of these, with nothing changed', () => grantd.unchanged(async () => {
		for (const [row, what, body, error] of bad) {
			const answer = await register(typeof body === 'object' ? { redirect_uris: ['https://app.example/cb'], ...body } : body);
			try { refused(answer, 400, error); } catch (problem) { problem.message = `${row}: ${what}: ${problem.message}`; throw problem; }
		}
	}));
	// the test above carries them all: a test each would be as many round trips more
	for (const row of new Set(bad.map(([id]) => id).filter((id) => id !== 'RG')))
		test(`${row}: ${bad.filter(([id]) => id === row).length} registrations are refused`, async () => {
			const [, , body, error] = bad.find(([id]) => id === row);
			refused(await register(typeof body === 'object' ? { redirect_uris: ['https://app.example/cb'], ...body } : body), 400, error);
		});

	test('RG-010: keys that are private, symmetric, weak, unsound or twice the same', async () => {
		const { good, lists } = keys_that_are_refused();
		for (const keys of Object.values(lists)) refused(await register({ ...desktop, jwks: { keys } }), 400, 'invalid_client_metadata', /jwks/);
		refused(await register({ ...desktop, jwks: { keys: [good] }, jwks_uri: 'https://app.example/jwks' }), 400, 'invalid_client_metadata', /not both/);
		assert.ok(!('jwks' in await registered({ jwks: { keys: [good] } })), 'who shows no signature needs no key');
	});

	test('RG-022: a body over 32 KiB', async () => {
		refused(await register({ ...desktop, padding: 'x'.repeat(33 * 1024) }), 413, 'invalid_request');
		await registered({ padding: 'x'.repeat(31 * 1024) });
	});

	test('anything but JSON, and other methods', async () => {
		const form = await register(new URLSearchParams({ client_name: 'x' }).toString(), { headers: { 'content-type': 'application/x-www-form-urlencoded' } });
		assert.equal(form.status, 415);
		assert.equal(form.headers.get('accept'), 'application/json');
		const get = await send('GET', '/register');
		assert.equal(get.status, 405);
		assert.match(get.headers.get('allow'), /POST/);
	});
});

describe('what a person is told', () => {
	test('RG-012: a name that is somebody else\'s is only what it calls itself', async () => {
		const agent = agent_of(await registered({ client_name: 'Claude' }));
		const page = await bob.open(agent.authorization().url);
		assert.match(page.text, /A program that calls itself “Claude” asks for access/);
		assert.match(page.text, /nobody has verified its name/);
		assert.doesNotMatch(page.html, /#seal"/, 'a seal would say that somebody vouches for it');
		assert.match(page.text, /registered here less than an hour ago/);
		assert.match(page.text, /Any program on this computer can say that it is Claude/);
		assert.doesNotMatch(page.text, /by your operator/);
	});

	test('it is asked each time, also after a yes', async () => {
		const agent = agent_of(await registered());
		await agent.tokens(bob, { scope: ['mail.read'], duration: '1h' });
		const again = await bob.open(agent.authorization().url);
		assert.match(again.text, /Another program that calls itself Desk/);
		refused_to_be_silent(await ask(grantd, agent.authorization({ prompt: 'none' }).url, { headers: { cookie: bob.cookies.header } }));
	});

	const refused_to_be_silent = (answer) => {
		assert.equal(answer.status, 303);
		assert.equal(answer.location.searchParams.get('error'), 'consent_required');
	};

	test('AZ-006: an error of a client that the person never approved is a page with a link', async () => {
		const agent = agent_of(await registered({ redirect_uris: ['https://evil.example/cb'] }));
		for (const changes of [{ scope: 'no.such' }, { response_type: 'token' }, { code_challenge: null }, { resource: 'https://nobody.example/' }]) {
			const wish = agent.authorization(changes);
			const answer = await ask(grantd, wish.url, { headers: { cookie: alice.cookies.header } });
			is_error_page(answer);
			const [, link] = answer.text.match(/<a href="(https:\/\/evil\.example\/cb\?[^"]*)"/);
			assert.match(link, new RegExp(`state=${wish.state}`));
			assert.match(answer.text, /Nobody has verified who that is/);
		}
	});

	test('AZ-007: prompt=none without a session, or with one that approved nothing, is a page', async () => {
		const agent = agent_of(await registered({ redirect_uris: ['https://evil.example/cb'] }));
		is_error_page(await ask(grantd, agent.authorization({ prompt: 'none' }).url));
		await alice.sign_in();
		is_error_page(await ask(grantd, agent.authorization({ prompt: 'none' }).url, { headers: { cookie: alice.cookies.header } }));
	});

	test('once the person has approved the client, it hears of its errors itself', async () => {
		const agent = agent_of(await registered());
		await agent.tokens(alice, { scope: ['mail.read'] });
		const [, path] = [...(await alice.get('/account')).html.matchAll(/href="(\/account\/agents\/gra_[a-z2-7]{26})"/g)].at(0);
		const about = (await alice.get(path)).text;
		assert.match(about, /It registered itself; nobody has verified its name/);
		assert.doesNotMatch(about, /Registered by your operator/);
		const wish = agent.authorization({ scope: 'no.such' });
		is_told(grantd, await ask(grantd, wish.url, { headers: { cookie: alice.cookies.header } }), wish, 'invalid_scope');
		is_error_page(await ask(grantd, wish.url));
	});

	test('AZ-012: what it registered is what it asks for when it does not say, and no ceiling', async () => {
		const agent = agent_of(await registered({ scope: 'mail.send' }));
		const quiet = await alice.open(agent.authorization({ scope: null }).url);
		assert.match(quiet.text, /Send mail as you/);
		assert.doesNotMatch(quiet.text, /Read your mail/);
		const more = await agent.tokens(alice, { changes: { scope: 'mail.read mail.send' }, scope: ['mail.read', 'mail.send'] });
		assert.equal(more.scope, 'mail.read mail.send');
		assert.equal((await agent.refresh(more.refresh_token)).body.scope, 'mail.read mail.send');
		const theirs = await grantd.add_agent({ id: `narrow-${Date.now()}`, scope: 'mail.read' });
		const wish = theirs.authorization({ scope: 'mail.send' });
		is_told(grantd, await ask(grantd, wish.url), wish, 'invalid_scope');
		is_asked(await ask(grantd, agent.authorization({ scope: 'mail.read' }).url));
	});

	test('it may ask for all that the server lists: what is another resource\'s is passed over, and the answer says so', async () => {
		await grantd.add_resource({ name: 'notes', uri: `${grantd.issuer}/r/notes`, introspection: [{ id: 'notes-rs', secret_file: 'notes-rs.secret' }], scopes: [{ name: 'notes.read', title: 'Read your notes', risk: 'read', can: ['read'], cannot: ['write'] }] });
		const { scopes_supported } = await (await grantd.fetch(`${grantd.issuer}/.well-known/oauth-authorization-server`)).json();
		assert.ok(scopes_supported.includes('notes.read'));
		const agent = agent_of(await registered({ scope: undefined }));
		const all = { scope: scopes_supported.join(' ') };
		const page = await alice.open(agent.authorization(all).url);
		assert.match(page.text, /Read your mail/);
		assert.doesNotMatch(page.text, /Read your notes/);
		const tokens = await agent.tokens(alice, { changes: all, scope: ['mail.read'] });
		assert.equal(tokens.scope, 'mail.read');
		assert.equal(claims(tokens.access_token).scope, 'mail.read');
		for (const scope of ['notes.read', 'mail.read no.such', 'notes.read no.such']) {
			const wish = agent.authorization({ scope });
			is_told(grantd, await ask(grantd, wish.url, { headers: { cookie: alice.cookies.header } }), wish, 'invalid_scope');
		}
		const theirs = await grantd.add_agent({ id: `careless-${Date.now()}` });
		const wish = theirs.authorization({ scope: 'mail.read notes.read' });
		is_told(grantd, await ask(grantd, wish.url), wish, 'invalid_scope');
	});
});

describe('its own keeper', () => {
	test('it reads what is registered', async () => {
		const client = await registered();
		const read = await manage(client, 'GET');
		assert.equal(read.status, 200, read.text);
		assert.deepEqual(read.body, client);
	});

	test('an update replaces everything, and its token', async () => {
		const client = await registered({ client_uri: 'https://desk.example/' });
		const updated = await manage(client, 'PUT', { client_id: client.client_id, client_name: 'Desk 2', redirect_uris: ['http://127.0.0.1/other'], token_endpoint_auth_method: 'none' });
		assert.equal(updated.status, 200, updated.text);
		assert.equal(updated.body.client_name, 'Desk 2');
		assert.deepEqual(updated.body.redirect_uris, ['http://127.0.0.1/other']);
		assert.ok(!('client_uri' in updated.body));
		refused(await manage(client, 'GET'), 401, 'invalid_token');
		assert.equal((await manage(updated.body, 'GET')).status, 200);
		is_error_page(await ask(grantd, agent_of(client).authorization().url));
		is_asked(await ask(grantd, agent_of(updated.body).authorization().url));
		// of one that nobody allowed anything the log alone speaks; then there are events
		const kinds = async () => (await grantd.operate(['event', 'list', '--client', client.client_id])).map(({ kind, actor }) => [kind, actor]);
		assert.deepEqual(await kinds(), [['client.registered', 'agent']]);
		assert.equal(grantd.log().filter((line) => line.event === 'client.updated' && line.client === client.client_id).length, 1);
		await agent_of(updated.body).tokens(alice, { scope: ['mail.read'] });
		assert.equal((await manage(updated.body, 'PUT', { ...desktop, client_id: client.client_id })).status, 200);
		assert.deepEqual((await kinds())[0], ['client.updated', 'agent']);
	});

	test('RG-017: a member of another type is refused though its value is the same', async () => {
		const client = await registered();
		for (const changes of [{ redirect_uris: client.redirect_uris[0] }, { client_name: [client.client_name] }, { grant_types: client.grant_types.join(' ') }, { token_endpoint_auth_method: ['none'] }, { scope: ['mail.read'] }]) {
			const answer = await manage(client, 'PUT', { ...desktop, client_id: client.client_id, ...changes });
			assert.equal(answer.status, 400, answer.text);
		}
		assert.deepEqual((await manage(client, 'GET')).body, client);
	});

	test('RG-018: what an update leaves out is the least there is', async () => {
		const client = await registered({ scope: 'mail.read mail.send' });
		const { body, text } = await manage(client, 'PUT', { client_id: client.client_id, redirect_uris: client.redirect_uris, token_endpoint_auth_method: 'none' });
		assert.deepEqual(body?.grant_types, ['authorization_code'], text);
		assert.ok(!('scope' in body) && !('client_name' in body));
		refused(await manage(body, 'PUT', { client_id: client.client_id }), 400, 'invalid_redirect_uri');
	});

	test('RG-019: who becomes confidential has a secret from then on, and none when it goes back', async () => {
		const client = await registered();
		const { tokens } = { tokens: await agent_of(client).tokens(alice, { scope: ['mail.read'] }) };
		const confidential = (await manage(client, 'PUT', { ...desktop, client_id: client.client_id, token_endpoint_auth_method: 'client_secret_post' })).body;
		assert.match(confidential.client_secret, /^[\w-]{43}$/);
		refused(await agent_of(client).refresh(tokens.refresh_token), 401, 'invalid_client');
		const [kept] = await grantd.rows(`SELECT auth FROM clients WHERE id = '${client.client_id}'`);
		assert.equal(kept.auth, 'client_secret_post');
		const same = (await manage(confidential, 'PUT', { ...desktop, client_id: client.client_id, token_endpoint_auth_method: 'client_secret_post', client_secret: confidential.client_secret })).body;
		assert.equal(same.client_secret, confidential.client_secret);
		refused(await manage(same, 'PUT', { ...desktop, client_id: client.client_id, token_endpoint_auth_method: 'client_secret_post', client_secret: 'a-secret-of-its-own-choice-of-32-characters' }), 400, 'invalid_client_metadata');
		const back = (await manage(same, 'PUT', { ...desktop, client_id: client.client_id })).body;
		assert.ok(!('client_secret' in back));
		assert.equal((await agent_of(back).refresh(tokens.refresh_token)).status, 200);
	});

	test('RG-020: the registration token of another client opens nothing', async () => {
		const [one, other] = [await registered(), await registered()];
		for (const [method, body] of [['GET'], ['PUT', { ...desktop, client_id: one.client_id }], ['DELETE']]) {
			for (const token of [other.registration_access_token, 'grr_x', '', undefined]) {
				const answer = await send(method, one.registration_client_uri, body, { token });
				refused(answer, 401, 'invalid_token');
				assert.ok(!answer.text.includes('grr_'));
			}
		}
		refused(await send('GET', '/register/mail-agent', undefined, { token: one.registration_access_token }), 401, 'invalid_token');
		refused(await manage(one, 'PUT', { ...desktop, client_id: other.client_id }), 400, 'invalid_client_metadata', /client_id/);
		refused(await manage(one, 'PUT', desktop), 400, 'invalid_client_metadata', /client_id/);
		assert.equal((await manage(one, 'GET')).status, 200);
	});

	test('of two updates at once one wins', async () => {
		const client = await registered();
		const answers = await Promise.all(Array.from({ length: 6 }, (_, i) => manage(client, 'PUT', { ...desktop, client_id: client.client_id, client_name: `Desk ${i}` })));
		assert.deepEqual(answers.map(({ status }) => status).sort(), [200, 401, 401, 401, 401, 401]);
		const { body } = answers.find(({ status }) => status === 200);
		assert.equal((await manage(body, 'GET')).body.client_name, body.client_name);
	});

	test('RG-021: after a deletion nothing of the client is left that works', async () => {
		const client = await registered();
		const agent = agent_of(client);
		const tokens = await agent.tokens(alice, { scope: ['mail.read'] });
		const deleted = await manage(client, 'DELETE');
		assert.deepEqual([deleted.status, deleted.text], [204, '']);
		refused(await manage(client, 'GET'), 401, 'invalid_token');
		refused(await manage(client, 'PUT', { ...desktop, client_id: client.client_id }), 401, 'invalid_token');
		refused(await manage(client, 'DELETE'), 401, 'invalid_token');
		refused(await agent.refresh(tokens.refresh_token), 401, 'invalid_client');
		assert.deepEqual(await grantd.introspect(tokens.access_token), { active: false });
		is_error_page(await ask(grantd, agent.authorization().url));
		const enabled = await grantd.grantctl(['client', 'enable', client.client_id]);
		assert.equal(enabled.status, 1);
		assert.match(enabled.stderr, /deleted its registration/);
		// the grants end by the jobs, which look each second
		for (let i = 0; i < 100; i++) {
			const [grant] = (await grantd.operate(['grant', 'list'])).filter((one) => one.client_id === client.client_id);
			if (grant.status === 'revoked') {
				assert.equal(grant.revoked_by, 'client');
				break;
			}
			assert.ok(i < 99, 'the grant does not end');
			await new Promise((resolve) => setTimeout(resolve, 200));
		}
		const kinds = (await grantd.operate(['event', 'list', '--client', client.client_id])).map(({ kind }) => kind);
		assert.ok(kinds.includes('client.deleted') && kinds.includes('grant.revoked'));
	});

	test('an update is on the record of what has ended once somebody allowed the client something, and not before', async () => {
		const on_record = ({ client_id }) => fs.readFileSync(path.join(grantd.dir, 'ended.log'), 'utf8').split('\n').filter((line) => line.includes(` ${client_id} `)).map((line) => line.split(' ')[1]);
		const update = async (client) => (await manage(client, 'PUT', { ...desktop, client_id: client.client_id })).body;
		const unused = await update(await update(await registered()));
		assert.match(unused.registration_access_token, /^grr_/);
		assert.deepEqual(on_record(unused), [], 'strangers could fill the disk with it');
		await agent_of(unused).tokens(alice, { scope: ['mail.read'] });
		await update(unused);
		assert.deepEqual(on_record(unused), ['registration']);
		await grantd.operate(['client', 'update', unused.client_id, '--name', 'Another']);
		const theirs = await registered();
		await grantd.operate(['client', 'update', theirs.client_id, '--name', 'Another']);
		assert.deepEqual([on_record(unused).length, on_record(theirs).length], [2, 1], 'what the operator changes always is');
	});

	test('one that nobody ever allowed anything ends at once and for good, and leaves nothing on record', async () => {
		const client = await registered();
		const asked = agent_of(client).authorization().url;
		is_asked(await ask(grantd, asked));
		assert.equal((await manage(client, 'DELETE')).status, 204);
		is_error_page(await ask(grantd, asked));
		refused(await manage(client, 'GET'), 401, 'invalid_token');
		assert.match((await grantd.grantctl(['client', 'enable', client.client_id])).stderr, /deleted its registration/);
		assert.deepEqual((await grantd.operate(['event', 'list', '--client', client.client_id])).map(({ kind }) => kind), ['client.registered']);
		assert.ok(!fs.readFileSync(path.join(grantd.dir, 'ended.log'), 'utf8').includes(client.client_id));
		assert.equal(grantd.log().filter((line) => line.event === 'client.deleted' && line.client === client.client_id).length, 1);
	});

	test('one that the operator disabled is told so, and changes nothing', async () => {
		const client = await registered();
		await grantd.operate(['client', 'disable', client.client_id]);
		refused(await manage(client, 'PUT', { ...desktop, client_id: client.client_id }), 403, 'access_denied');
		await grantd.operate(['client', 'enable', client.client_id]);
		assert.equal((await manage(client, 'GET')).status, 200);
	});
});

describe('the operator\'s policy', () => {
	const with_policy = async (policy) => {
		grantd.env.GRANTD_REGISTRATION = policy;
		await grantd.restart();
	};

	test('RG-015: where a token is needed, one that is missing, unknown, used, revoked or run out does not do', async () => {
		const before = await registered();
		await with_policy('token');
		refused(await register(desktop), 401, 'invalid_token');
		refused(await register(desktop, { token: 'grn_x' }), 401, 'invalid_token');
		const once = await grantd.operate(['client', 'register-token', '--for', 'the desk team']);
		assert.match(once.register_token, /^grn_[\w-]{43}$/);
		refused(await register({ ...desktop, redirect_uris: ['data:x'] }, { token: once.register_token }), 400, 'invalid_redirect_uri');
		const answers = await Promise.all(Array.from({ length: 5 }, () => register(desktop, { token: once.register_token })));
		assert.deepEqual(answers.map(({ status }) => status).sort(), [201, 401, 401, 401, 401]);
		const twice = await grantd.operate(['client', 'register-token', '--uses', '2', '--expires', '12h']);
		const admitted = await register(desktop, { token: twice.register_token });
		assert.equal(admitted.status, 201);
		await grantd.operate(['client', 'revoke-token', twice.id]);
		refused(await register(desktop, { token: twice.register_token }), 401, 'invalid_token');
		for (const one of [before, admitted.body]) assert.equal((await manage(one, 'GET')).status, 200);
		const list = await grantd.operate(['client', 'register-tokens']);
		assert.deepEqual(list.map(({ name, status, used, uses }) => [name, status, used, uses]).sort(), [['', 'revoked', 1, 2], ['the desk team', 'used up', 1, 1]]);
		assert.deepEqual(await grantd.files_with([once.register_token, twice.register_token]), []);
	});

	test('a malformed wish of the operator is refused', async () => {
		for (const words of [['--uses', '0'], ['--uses', 'x'], ['--expires', '12'], ['--expires', '400d'], ['--for', 'x'.repeat(200)]])
			assert.notEqual((await grantd.grantctl(['client', 'register-token', ...words])).status, 0, words.join(' '));
		assert.equal((await grantd.grantctl(['client', 'revoke-token', 'rtk_aaaaaaaaaaaaaaaaaaaaaaaaaa'])).status, 1);
	});

	test('where it is off there is nothing to be found', async () => {
		const { register_token } = await grantd.operate(['client', 'register-token']);
		const { body } = await register(desktop, { token: register_token });
		await with_policy('off');
		refused(await register(desktop), 404, 'not_found');
		is_asked(await ask(grantd, agent_of(body).authorization().url)); // who is there stays
		const metadata = await (await grantd.fetch(`${grantd.issuer}/.well-known/openid-configuration`)).json();
		assert.ok(!('registration_endpoint' in metadata));
	});
});
