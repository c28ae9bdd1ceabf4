// SPDX-License-Identifier: Apache-2.0
// The token endpoint: its form, its clients and its codes. Rows FM, TK, PK, CA and RI of tests/rows.
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { event_comes, event_kinds, granted, refused } from './expect.mjs';
import { Instance, basic, claims, pkce } from './harness/index.mjs';

const secret = 'a secret of the web agent, long enough: 0123456789';
let grantd, alice, agent, other, web, robot;
before(async () => {
	grantd = await Instance.start(null);
	await grantd.add_resource({ on_stop: ['/bin/true'], scopes: [
		{ name: 'mail.read', title: 'Read your mail', risk: 'read', default: true, can: ['read'], cannot: ['write'] },
		{ name: 'mail.count', title: 'Count mail', risk: 'read', clients: true, can: ['count'], cannot: ['read'] },
	] });
	alice = await grantd.add_person('alice');
	agent = await grantd.add_agent({ scope: 'mail.read' });
	other = await grantd.add_agent({ id: 'other', scope: 'mail.read' });
	web = await grantd.add_agent({ id: 'web-app', secret, scope: 'mail.read', redirect_uris: ['https://app.example/cb'] });
	robot = await grantd.add_agent({ id: 'robot', secret: true, scope: 'mail.count', redirect_uris: [], grant_types: ['client_credentials'] });
});
after(() => grantd.dispose());

// { code, wish } of a fresh yes
async function code_of(client = agent, changes = {}) {
	const wish = client.authorization(changes);
	const { code } = await alice.allow(wish.url);
	assert.match(code, /^gac_/);
	return { code, wish };
}

// refused, and no row is another one
const stays = (action, ...expected) => grantd.unchanged(async () => refused(await action(), ...expected));
const token = (parameters, options) => agent.post('/token', parameters, options);

// a body as it is, from the public agent
const body_of = async (body, headers = {}) => {
	const response = await grantd.fetch(`${grantd.issuer}/token`, { method: 'POST', body,
		raw_headers: new Map(Object.entries({ 'content-type': 'application/x-www-form-urlencoded', ...headers })) });
	const text = await response.text();
	let json = null;
	try { json = JSON.parse(text); } catch { /* told by the caller */ }
	return { status: response.status, headers: response.headers, text, body: json };
};

describe('the form', () => {
	const start = 'grant_type=authorization_code&client_id=mail-agent';
	test('FM-004: an empty parameter is none', () => stays(() => body_of(`${start}&code=`), 400, 'invalid_request', /code is missing/));
	describe('FM-005: broken percent signs', () => {
		for (const bad of ['%zz', '%', '%2']) test(bad, () => stays(() => body_of(`${start}&code=${bad}`), 400, 'invalid_request'));
	});
	describe('FM-006: bytes that are not text', () => {
		for (const bad of ['%ff', '%c0%af', '%ed%a0%80', 'a%00b', '\u0000']) test(JSON.stringify(bad), () => stays(() => body_of(`${start}&code=${bad}`), 400, 'invalid_request'));
	});
	test('FM-007: secrets in the query string', async () => {
		const planted = 'planted-secret-0123456789';
		for (const name of ['client_secret', 'code', 'refresh_token', 'token', 'code_verifier'])
			await stays(() => agent.post(`/token?${name}=${planted}`, { grant_type: 'authorization_code', code: 'gac_x' }), 400, 'invalid_request');
		await stays(() => web.post(`/revoke?token=${planted}`, {}), 400, 'invalid_request');
		await stays(() => web.post(`/introspect?token=${planted}`, { token: 'x' }), 400, 'invalid_request');
		assert.deepEqual(await grantd.files_with([planted]), []);
	});
	describe('FM-008, FM-009: another media type', () => {
		for (const type of ['application/json', 'multipart/form-data; boundary=x', 'text/plain', '']) {
			test(type || 'none', () => grantd.unchanged(async () => {
				const answer = await body_of(start, { 'content-type': type });
				refused(answer, 415, 'invalid_request');
				assert.equal(answer.headers.get('accept'), 'application/x-www-form-urlencoded');
			}));
		}
	});
	test('FM-011: other spellings of a name are unknown names', () =>
		stays(() => body_of('Grant_Type=authorization_code&client_id=mail-agent&scope[]=a&code=x'), 400, 'invalid_request', /grant_type is missing/));
	test('FM-012: a byte order mark and raw spaces are refused, + and %20 are the same', async () => {
		await stays(() => body_of(`\ufeff${start}&code=x`), 400, 'invalid_request');
		await stays(() => body_of(`${start}&code=a b`), 400, 'invalid_request');
		for (const space of ['+', '%20']) await stays(() => body_of(`${start}&code=a${space}b`), 400, 'invalid_grant');
	});
	test('a repeated parameter is refused', () => stays(() => body_of(`${start}&code=a&code=a`), 400, 'invalid_request', /repeated/));
	test('GET is not a method of this endpoint', async () => {
		const answer = await grantd.fetch(`${grantd.issuer}/token?grant_type=authorization_code`);
		assert.equal(answer.status, 405);
		assert.match(answer.headers.get('allow'), /POST/);
	});
});

test('TK-001: grant_type missing', () => stays(() => token({ code: 'x' }), 400, 'invalid_request'));
test('TK-003: grant_type=password', () => stays(() => token({ grant_type: 'password', username: 'alice', password: 'the password of alice' }), 400, 'unsupported_grant_type'));
test('TK-004: a grant type that the client is not registered for', () => stays(() => robot.post('/token', { grant_type: 'refresh_token', refresh_token: 'x' }), 400, 'unauthorized_client'));
test('TK-005: client_credentials from a public client', () => stays(() => token({ grant_type: 'client_credentials' }), 400, 'unauthorized_client'));
test('TK-006: a client as itself gets no refresh token', async () => {
	const answer = granted(await robot.post('/token', { grant_type: 'client_credentials' }));
	assert.deepEqual(Object.keys(answer).sort(), ['access_token', 'expires_in', 'scope', 'token_type']);
	assert.equal(answer.scope, 'mail.count');
	assert.equal(claims(answer.access_token).sub, 'robot');
	await stays(() => robot.post('/token', { grant_type: 'client_credentials', scope: 'mail.read' }), 400, 'invalid_scope');
});
test('TK-007: jwt-bearer', () => stays(() => token({ grant_type: 'urn:ietf:params:oauth:grant-type:jwt-bearer', assertion: 'x.y.z' }), 400, 'unsupported_grant_type'));
test('TK-008: code missing', () => stays(() => token({ grant_type: 'authorization_code' }), 400, 'invalid_request'));

test('TK-012: a replay with a wrong verifier or by another client ends nothing', async () => {
	const { code, wish } = await code_of();
	const tokens = granted(await agent.redeem(code, wish));
	refused(await agent.redeem(code, { ...wish, verifier: pkce().verifier }), 400, 'invalid_grant');
	refused(await other.redeem(code, wish), 400, 'invalid_grant');
	granted(await agent.refresh(tokens.refresh_token));
});

test('a second valid use within 10 s is refused and ends nothing', async () => {
	const { code, wish } = await code_of();
	const tokens = granted(await agent.redeem(code, wish));
	refused(await agent.redeem(code, wish), 400, 'invalid_grant');
	granted(await agent.refresh(tokens.refresh_token));
});

test('TK-014: a code of one client is nothing to another, and stays good', async () => {
	const { code, wish } = await code_of();
	await stays(() => other.redeem(code, wish), 400, 'invalid_grant');
	granted(await agent.redeem(code, wish));
});

test('TK-016: a code after the grant was revoked, the person or the client disabled', async () => {
	const bob = await grantd.add_person('bob');
	const gone = await grantd.add_agent({ id: 'gone', scope: 'mail.read' });
	const fresh = async (client, person) => {
		const wish = client.authorization();
		return { wish, code: (await person.allow(wish.url)).code };
	};
	const first = await fresh(agent, bob);
	const [grant] = await grantd.operate(['grant', 'list', '--user', 'bob']);
	await grantd.operate(['grant', 'revoke', grant.id]);
	refused(await agent.redeem(first.code, first.wish), 400, 'invalid_grant');
	const second = await fresh(agent, bob);
	const third = await fresh(gone, alice);
	await grantd.operate(['user', 'disable', 'bob']);
	await grantd.operate(['client', 'disable', 'gone']);
	refused(await agent.redeem(second.code, second.wish), 400, 'invalid_grant');
	refused(await gone.redeem(third.code, third.wish), 401, 'invalid_client');
});

test('TK-019: other kinds of token are no codes', async () => {
	const { access_token, refresh_token } = await agent.tokens(alice);
	const { request_uri } = await agent.push();
	assert.match(request_uri, /^urn:ietf:params:oauth:request_uri:/);
	for (const code of [access_token, refresh_token, request_uri, request_uri.split(':').at(-1), 'gac_', 'gac_x'])
		await stays(() => agent.redeem(code, { verifier: pkce().verifier, redirect_uri: agent.redirect_uri }), 400, 'invalid_grant');
});

test('TK-020: the headers of an answer with tokens', async () => {
	const wish = agent.authorization();
	const { code } = await alice.allow(wish.url, { duration: '7d' });
	const answer = await agent.redeem(code, wish, {}, { headers: { origin: 'https://page.example' } });
	granted(answer);
	assert.equal(answer.headers.get('set-cookie'), null);
	assert.equal(answer.headers.get('access-control-allow-origin'), '*');
	assert.equal(answer.headers.get('access-control-allow-credentials'), null);
	assert.equal(answer.headers.get('x-content-type-options'), 'nosniff');
	assert.deepEqual(Object.keys(answer.body).sort(), ['access_token', 'authorization_expires_in', 'expires_in', 'refresh_token', 'refresh_token_timeout', 'scope', 'token_type']);
});

test('redirect_uri is checked when it is sent, and need not be', async () => {
	const sent = await code_of();
	refused(await agent.redeem(sent.code, sent.wish, { redirect_uri: 'http://127.0.0.1:9/callback' }), 400, 'invalid_grant');
	const unsent = await code_of();
	granted(await agent.redeem(unsent.code, unsent.wish, { redirect_uri: null }));
});

describe('PKCE at the token endpoint: the code is burned by the first answer, right or wrong', () => {
	const wrong = {
		'PK-008: verifier left out': null,
		'PK-009: verifier empty': '',
		'PK-010: wrong verifier': pkce().verifier,
		'PK-011: verifier of 1 character': 'a',
		'PK-011: verifier of 42 characters': 'a'.repeat(42),
		'PK-011: verifier of 129 characters': 'a'.repeat(129),
		'PK-014: verifier of another session': pkce().verifier,
	};
	for (const [title, code_verifier] of Object.entries(wrong)) {
		test(title, async () => {
			const { code, wish } = await code_of();
			refused(await agent.redeem(code, wish, { code_verifier }), 400, 'invalid_grant');
			refused(await agent.redeem(code, wish), 400, 'invalid_grant');
			assert.ok((await event_kinds(grantd)).includes('code.refused'));
		});
	}
	test('PK-012: the challenge itself is no verifier', async () => {
		const { code, wish } = await code_of();
		refused(await agent.redeem(code, wish, { code_verifier: new URL(wish.url).searchParams.get('code_challenge') }), 400, 'invalid_grant');
	});
	test('PK-011: other characters are hashed as they came', async () => {
		const { verifier, challenge } = pkce(`${'+/='.repeat(15)}`);
		const { code, wish } = await code_of(agent, { code_challenge: challenge });
		granted(await agent.redeem(code, { ...wish, verifier }));
	});
});

describe('client authentication', () => {
	const attempt = (auth, parameters = {}) => web.post('/token', { grant_type: 'refresh_token', refresh_token: 'x', ...parameters }, { headers: { authorization: auth } });
	test('CA-002: a wrong secret by Basic', async () => {
		await grantd.unchanged(async () => {
			const answer = await attempt(basic('web-app', 'wrong'));
			refused(answer, 401, 'invalid_client');
			assert.match(answer.headers.get('www-authenticate'), /^Basic /);
		});
	});
	// what many client libraries do without being asked: the secret in the body, by Basic as it is, "id:" for none
	test('CA-006: a secret is good by Basic and in the body, in the body not for who is registered for Basic', async () => {
		const [poster, strict] = await Promise.all(['post', 'basic'].map((method) => grantd.add_agent({ id: method, secret: true, scope: 'mail.read',
			redirect_uris: ['https://p.example/cb'], args: ['--auth', `client_secret_${method}`] })));
		const by_basic = ({ client_id, client_secret }, more = '') => attempt(basic(client_id, client_secret + more));
		const in_body = ({ client_id, client_secret }, more = '') => attempt(null, { client_id, client_secret: client_secret + more });
		for (const client of [web, poster]) { // who is registered without a word is as the second
			for (const send of [by_basic, in_body]) {
				refused(await send(client), 400, 'invalid_grant');
				refused(await send(client, 'x'), 401, 'invalid_client');
			}
		}
		refused(await by_basic(strict), 400, 'invalid_grant');
		for (const send of [() => by_basic(strict, 'x'), () => in_body(strict)]) refused(await send(), 401, 'invalid_client');
	});
	test('a secret is good by Basic as it is and form-encoded', async () => {
		const odd = 'kJ3+aQ/7Zr9+W1pXy0Lm4Nq8Bt2Vc6Df5Gh+Ij1Kl0=';
		await grantd.add_agent({ id: 'odd', secret: odd, scope: 'mail.read', redirect_uris: ['https://o.example/cb'] });
		const raw = (text) => attempt(`Basic ${Buffer.from(`odd:${text}`).toString('base64')}`);
		refused(await attempt(basic('odd', odd)), 400, 'invalid_grant');
		refused(await raw(odd), 400, 'invalid_grant');
		for (const wrong of [odd.replaceAll('+', ' '), `${odd} `, odd.slice(1)]) refused(await attempt(basic('odd', wrong)), 401, 'invalid_client');
		refused(await raw(`${odd}+`), 401, 'invalid_client');
	});
	test('Basic with an empty secret is who has none, and nobody else', async () => {
		const bare = (id) => agent.post('/token', { grant_type: 'refresh_token', refresh_token: 'x' }, { auth: false, headers: { authorization: basic(id, '') } });
		await stays(() => bare('mail-agent'), 400, 'invalid_grant');
		for (const id of ['web-app', 'nobody']) await stays(() => bare(id), 401, 'invalid_client');
	});
	test('an unknown client answers the same', () => stays(() => attempt(basic('nobody', 'wrong')), 401, 'invalid_client'));
	test('CA-003: two methods at once', async () => {
		await stays(() => attempt(basic('web-app', secret), { client_id: 'web-app', client_secret: secret }), 400, 'invalid_request');
		await stays(() => attempt(basic('web-app', secret), { client_assertion: 'x.y.z', client_assertion_type: 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer' }), 400, 'invalid_request');
	});
	test('CA-004: Basic that is not Basic', async () => {
		const raw = (text) => `Basic ${Buffer.from(text).toString('base64')}`;
		for (const auth of ['Basic', 'Basic !!!', 'Basic YTpi=', raw('no colon'), raw('web-app:%zz'), raw(':x'), 'Basic YTp'])
			await stays(() => attempt(auth), 400, 'invalid_request');
	});
	test('CA-005: client_id in the body is another', () => stays(() => attempt(basic('web-app', secret), { client_id: 'other' }), 400, 'invalid_request'));
	test('an assertion from a client that has none', async () => {
		for (const client_assertion_type of ['urn:ietf:params:oauth:client-assertion-type:jwt-bearer', 'wrong', null])
			await stays(() => attempt(null, { client_id: 'web-app', client_assertion: 'eyJhbGciOiJub25lIn0.e30.', client_assertion_type }), 401, 'invalid_client');
	});
	test('CA-007: a secret from a public client', async () => {
		await stays(() => agent.post('/token', { grant_type: 'refresh_token', refresh_token: 'x', client_secret: 'any' }), 401, 'invalid_client');
		await stays(() => agent.post('/token', { grant_type: 'refresh_token', refresh_token: 'x' }, { headers: { authorization: basic('mail-agent', 'any') } }), 401, 'invalid_client');
	});
	test('RT-006: a confidential client that does not authenticate', async () => {
		const { refresh_token } = await web.tokens(alice);
		await stays(() => web.post('/token', { grant_type: 'refresh_token', refresh_token, client_id: 'web-app' }, { auth: false }), 401, 'invalid_client');
		granted(await web.refresh(refresh_token));
	});
	test('no client at all', () => stays(() => web.post('/token', { grant_type: 'refresh_token', refresh_token: 'x' }, { auth: false }), 400, 'invalid_request'));
	test('CA-027: guessing is stopped after 20 a minute, for this client and source', async () => {
		const guessed = await grantd.add_agent({ id: 'guessed', secret: true, scope: 'mail.read', redirect_uris: ['https://g.example/cb'] });
		const statuses = [];
		for (let i = 0; i < 24; i++) statuses.push((await attempt(basic('guessed', `guess ${i}`))).status);
		assert.deepEqual(statuses.slice(0, 20), Array(20).fill(401));
		assert.deepEqual(statuses.slice(20), Array(4).fill(429));
		refused(await guessed.refresh('x'), 429, 'temporarily_unavailable');
		await event_comes(grantd, 'client.guessing');
		refused(await web.refresh('x'), 400, 'invalid_grant');
	});
});

describe('resource', () => {
	test('RI-003: several resources, or another one than was granted', async () => {
		for (const resource of [[grantd.mail_uri, `${grantd.issuer}/r/notes`], `${grantd.issuer}/r/notes`]) {
			const { code, wish } = await code_of();
			await stays(() => agent.redeem(code, wish, { resource }), 400, 'invalid_target');
			granted(await agent.redeem(code, wish, { resource: grantd.mail_uri }));
		}
	});
	test('RI-006: the audience is exactly the granted resource', async () => {
		const { access_token } = await agent.tokens(alice);
		assert.equal(claims(access_token).aud, grantd.mail_uri);
	});
});
