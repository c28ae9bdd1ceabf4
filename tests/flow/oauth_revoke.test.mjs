// SPDX-License-Identifier: Apache-2.0
// Revocation, introspection and metadata: rows RV, IN and MD of tests/rows.
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { createRemoteJWKSet, customFetch, jwtVerify } from 'jose';
import { ask, granted, refused } from './expect.mjs';
import { Instance, RawSocket, basic, mail_secret } from './harness/index.mjs';

const dead = '{"active":false}';
let grantd, alice, agent, web, other;
before(async () => {
	grantd = await Instance.start(null);
	await grantd.add_resource({ on_stop: ['/bin/true'] });
	await grantd.add_resource({ name: 'notes', uri: `${grantd.issuer}/r/notes`, on_stop: ['/bin/true'], introspection: [{ id: 'notes-rs', secret_file: 'notes-rs.secret' }],
		scopes: [{ name: 'notes.read', title: 'Read your notes', risk: 'read', default: true, can: ['read notes'], cannot: ['change notes'] }] });
	alice = await grantd.add_person('alice');
	agent = await grantd.add_agent();
	web = await grantd.add_agent({ id: 'web-app', secret: true, redirect_uris: ['https://app.example/cb'] });
	other = await grantd.add_agent({ id: 'other-app', secret: true, redirect_uris: ['https://other.example/cb'] });
});
after(() => grantd.dispose());

const read = { scope: ['mail.read'] };
const stays = (action, ...expected) => grantd.unchanged(async () => refused(await action(), ...expected));
const introspect = (token, id = 'mail-rs', secret = mail_secret) =>
	agent.post('/introspect', { token }, { auth: false, headers: { authorization: basic(id, secret) } });

async function is_dead(token) {
	const answer = await introspect(token);
	assert.deepEqual([answer.status, answer.text], [200, dead]);
}

describe('revocation', () => {
	test('RV-002: an unknown token is 200 with an empty body', async () => {
		const { refresh_token, access_token } = await agent.tokens(alice, read);
		for (const token of ['garbage', 'grt_', 'a.b.c', refresh_token.slice(0, -2), access_token.slice(0, -2)]) {
			const answer = await grantd.unchanged(() => agent.revoke(token));
			assert.deepEqual([answer.status, answer.headers.get('content-type'), answer.text], [200, 'application/json', '{}']);
		}
		granted(await agent.refresh(refresh_token));
	});
	test('token missing', () => stays(() => agent.revoke(null), 400, 'invalid_request'));
	test('RV-003: the token of another client stays as it is', async () => {
		const { refresh_token, access_token } = await web.tokens(alice, read);
		for (const token of [refresh_token, access_token]) await stays(() => other.revoke(token), 400, 'invalid_request');
		granted(await web.refresh(refresh_token));
	});
	test('RV-005: a confidential client that does not authenticate', async () => {
		const { refresh_token } = await web.tokens(alice, read);
		await stays(() => web.post('/revoke', { token: refresh_token, client_id: 'web-app' }, { auth: false }), 401, 'invalid_client');
		granted(await web.refresh(refresh_token));
	});
	test('RV-006: a wrong or unknown hint changes nothing', async () => {
		for (const token_type_hint of ['access_token', 'nonsense']) {
			const { refresh_token, access_token } = await agent.tokens(alice, read);
			assert.equal((await agent.revoke(refresh_token, { token_type_hint })).status, 200);
			refused(await agent.refresh(refresh_token), 400, 'invalid_grant', /revoked_by_client/);
			await is_dead(access_token);
		}
	});
	test('RV-007: a revoked family takes its access tokens along; the grant stays', async () => {
		const first = await agent.tokens(alice, read);
		const second = granted(await agent.refresh(first.refresh_token));
		const apart = await agent.tokens(alice, read);
		assert.equal((await agent.revoke(second.refresh_token)).status, 200);
		for (const { access_token } of [first, second]) await is_dead(access_token);
		assert.equal((await grantd.introspect(apart.access_token)).active, true);
		granted(await agent.refresh(apart.refresh_token));
		const grants = await grantd.operate(['grant', 'list', '--user', 'alice']);
		assert.equal(grants.find((grant) => grant.client_id === 'mail-agent').status, 'active');
	});
	test('an access token ends its family too', async () => {
		const { refresh_token, access_token } = await agent.tokens(alice, read);
		assert.equal((await agent.revoke(access_token)).status, 200);
		refused(await agent.refresh(refresh_token), 400, 'invalid_grant');
		await is_dead(access_token);
	});
	test('RV-008: GET is refused, a callback parameter ignored', async () => {
		assert.equal((await ask(grantd, '/revoke?token=x')).status, 405);
		const answer = await agent.post('/revoke?callback=run', { token: 'x', callback: 'run' });
		assert.deepEqual([answer.status, answer.headers.get('content-type'), answer.text], [200, 'application/json', '{}']);
	});
	test('RV-012: revoked is revoked, whatever happens after the 200', async () => {
		const { refresh_token, access_token } = await agent.tokens(alice, read);
		const body = new URLSearchParams({ client_id: agent.client_id, token: refresh_token }).toString();
		const socket = await RawSocket.connect({ port: grantd.port, host: grantd.host, ca: grantd.ca });
		socket.send(`POST /revoke HTTP/1.1\r\nHost: ${grantd.host}:${grantd.port}\r\nContent-Type: application/x-www-form-urlencoded\r\nContent-Length: ${body.length}\r\n\r\n${body}`);
		assert.ok(await socket.until((it) => it.statuses.length > 0));
		await grantd.kill_9();
		assert.deepEqual(socket.statuses, [200]);
		socket.close();
		await grantd.start();
		refused(await agent.refresh(refresh_token), 400, 'invalid_grant');
		await is_dead(access_token);
	});
});

describe('introspection', () => {
	test('a resource server learns what it needs', async () => {
		const { access_token } = await agent.tokens(alice, read);
		const seen = await grantd.introspect(access_token);
		assert.deepEqual({ ...seen, sub: 0, exp: 0, iat: 0, jti: 0, auth_time: 0, acr: 0 }, { active: true, iss: grantd.issuer, sub: 0, username: 'alice', client_id: 'mail-agent',
			scope: 'mail.read', token_type: 'Bearer', aud: grantd.mail_uri, exp: 0, iat: 0, jti: 0, auth_time: 0, acr: 0 });
		assert.equal(seen.exp - seen.iat, 300);
	});
	test('a resource server that accepts a signed answer gets one, for itself', async () => {
		const { access_token, refresh_token } = await agent.tokens(alice, read);
		const keys = createRemoteJWKSet(new URL('/jwks.json', grantd.issuer), { [customFetch]: (url, init) => grantd.fetch(url, init) });
		const type = 'application/token-introspection+jwt';
		const signed = async (accept = type) => {
			const answer = await agent.post('/introspect', { token: access_token }, { auth: false, headers: { authorization: basic('mail-rs', mail_secret), accept } });
			assert.deepEqual([answer.status, answer.headers.get('content-type')], [200, type]);
			const { payload, protectedHeader } = await jwtVerify(answer.text, keys, { issuer: grantd.issuer, audience: 'mail-rs', typ: 'token-introspection+jwt' });
			assert.equal(protectedHeader.alg, 'RS256');
			assert.deepEqual(Object.keys(payload), ['iss', 'aud', 'iat', 'token_introspection']);
			return { text: answer.text, said: payload.token_introspection };
		};
		const { text, said } = await signed();
		assert.deepEqual(said, await grantd.introspect(access_token));
		assert.deepEqual((await signed(`application/json, ${type.toUpperCase()}; q=0.5`)).said, said);
		await is_dead(text); // an answer is no token
		for (const accept of ['*/*', 'application/*', `${type};q=0`, `x${type}`]) {
			const plain = await agent.post('/introspect', { token: access_token }, { auth: false, headers: { authorization: basic('mail-rs', mail_secret), accept } });
			assert.equal(plain.headers.get('content-type'), 'application/json', accept);
		}
		await stays(() => agent.post('/introspect', { token: access_token }, { auth: false, headers: { authorization: basic('mail-rs', 'wrong'), accept: type } }), 401, 'invalid_client');
		await agent.revoke(refresh_token);
		assert.deepEqual((await signed()).said, { active: false });
	});
	test('Dovecot sends empty client parameters beside Basic', async () => {
		const { access_token } = await agent.tokens(alice, read);
		const answer = await agent.post('/introspect', { token: access_token, client_id: '', client_secret: '' }, { auth: false, headers: { authorization: basic('mail-rs', mail_secret) } });
		assert.equal(answer.body.active, true);
	});
	test('IN-002: a token for another resource is not active here', async () => {
		const { access_token } = await agent.tokens(alice, read);
		assert.equal((await introspect(access_token, 'notes-rs')).text, dead);
		assert.equal((await grantd.introspect(access_token)).active, true);
	});
	test('IN-003: revoked, unknown, malformed and cut tokens are not active', async () => {
		const { access_token, refresh_token } = await agent.tokens(alice, read);
		for (const token of ['x', 'a.b.c', access_token.slice(0, -3), `${access_token}A`, access_token.replace(/\.[^.]+\./, '.e30.')]) await is_dead(token);
		await agent.revoke(refresh_token);
		await is_dead(access_token);
	});
	test('IN-005: a resource server does not see refresh tokens, their own client does', async () => {
		const { refresh_token } = await web.tokens(alice, read);
		await is_dead(refresh_token);
		assert.equal((await other.post('/introspect', { token: refresh_token })).text, dead);
		const own = (await web.post('/introspect', { token: refresh_token })).body;
		assert.deepEqual([own.active, own.client_id, own.aud], [true, 'web-app', undefined]);
		assert.ok(own.refresh_token_timeout > 0);
	});
	test('IN-006: a token of a disabled person or client is not active', async () => {
		const bob = await grantd.add_person('bob');
		const gone = await grantd.add_agent({ id: 'gone' });
		const of_bob = await agent.tokens(bob, read);
		const of_gone = await gone.tokens(alice, read);
		await grantd.operate(['user', 'disable', 'bob']);
		await grantd.operate(['client', 'disable', 'gone']);
		await is_dead(of_bob.access_token);
		await is_dead(of_gone.access_token);
		await grantd.operate(['client', 'enable', 'gone']);
		await is_dead(of_gone.access_token);
	});
	test('IN-008: an answer from a moment before does not outlive the revocation', async () => {
		const { access_token, refresh_token } = await agent.tokens(alice, read);
		for (let i = 0; i < 3; i++) assert.equal((await grantd.introspect(access_token)).active, true);
		await agent.revoke(refresh_token);
		await is_dead(access_token);
	});
	test('IN-009: GET', async () => assert.equal((await ask(grantd, '/introspect?token=x')).status, 405));
	test('callers authenticate', async () => {
		await stays(() => introspect('x', 'mail-rs', 'wrong'), 401, 'invalid_client');
		await stays(() => agent.post('/introspect', { token: 'x' }), 401, 'invalid_client');
		await stays(() => agent.post('/introspect', { token: 'x' }, { auth: false }), 401, 'invalid_client');
	});
	test('IN-010: scanning is stopped', async () => {
		let status = 200;
		let sent = 0;
		for (; status === 200 && sent < 12_000; sent += 50)
			status = Math.max(...(await Promise.all(Array.from({ length: 50 }, (_, i) => introspect(`random-${sent + i}`, 'notes-rs')))).map((answer) => answer.status));
		assert.equal(status, 429);
		assert.ok(sent >= 9_950, String(sent));
		refused(await introspect('x', 'notes-rs'), 429, 'temporarily_unavailable');
		await is_dead('x');
	});
});

describe('metadata', () => {
	const paths = ['/.well-known/oauth-authorization-server', '/.well-known/openid-configuration'];
	for (const path of paths) {
		test(`MD-001: ${path} comes from the configuration, not from the request`, async () => {
			const plain = await ask(grantd, path);
			const body = JSON.parse(plain.text);
			assert.equal(body.issuer, grantd.issuer);
			for (const [name, value] of Object.entries(body)) if (/_endpoint$|^jwks_uri$/.test(name)) assert.ok(value.startsWith(`${grantd.issuer}/`), value);
			for (const fields of ['Host: evil.example', `Host: ${grantd.host}\r\nX-Forwarded-Host: evil.example\r\nForwarded: host=evil.example`]) {
				const { text } = await grantd.raw(`GET ${path} HTTP/1.1\r\n${fields}\r\nConnection: close\r\n\r\n`);
				assert.doesNotMatch(text, /evil/);
				if (/^HTTP\/1.1 200 /.test(text)) assert.ok(text.endsWith(plain.text));
			}
		});
		test(`MD-002: ${path} says what is there and no more`, async () => {
			const body = JSON.parse((await ask(grantd, path)).text);
			assert.deepEqual(body.code_challenge_methods_supported, ['S256']);
			assert.equal(body.authorization_response_iss_parameter_supported, true);
			for (const [name, value] of Object.entries(body)) {
				if (Array.isArray(value)) assert.ok(value.length > 0, name);
				if (/alg/.test(name)) assert.ok(!value.includes('none'), name);
				if (/_endpoint$/.test(name)) {
					const there = await ask(grantd, new URL(value).pathname, { method: 'OPTIONS' });
					assert.notEqual(there.status, 404, name);
				}
			}
			assert.equal(body.registration_endpoint, `${grantd.issuer}/register`);
			for (const absent of ['device_authorization_endpoint', 'end_session_endpoint']) assert.equal(body[absent], undefined);
		});
		test(`MD-006: ${path} may be read from any origin, without credentials`, async () => {
			const answer = await ask(grantd, path, { headers: { origin: 'https://page.example' } });
			assert.equal(answer.headers.get('access-control-allow-origin'), '*');
			assert.equal(answer.headers.get('access-control-allow-credentials'), null);
			const preflight = await ask(grantd, path, { method: 'OPTIONS', headers: { origin: 'https://page.example', 'access-control-request-method': 'DELETE' } });
			assert.doesNotMatch(preflight.headers.get('access-control-allow-methods') ?? '', /DELETE|POST|PUT/);
		});
		test(`${path} with a path behind it is 404`, async () => {
			for (const suffix of ['/', '/r/mail', '/x']) assert.equal((await ask(grantd, path + suffix)).status, 404);
		});
	}
	test('the keys are public halves only', async () => {
		const { keys } = JSON.parse((await ask(grantd, '/jwks.json')).text);
		assert.deepEqual(keys.map((key) => key.alg).sort(), ['ES256', 'RS256']);
		for (const key of keys) for (const secret of ['d', 'p', 'q', 'dp', 'dq', 'qi', 'k']) assert.equal(key[secret], undefined);
		assert.equal((await ask(grantd, '/jwks/mail.json')).status, 404);
	});
});
