// SPDX-License-Identifier: Apache-2.0
// What an agent may ask for, and how a wrong question is answered: rows AZ, PK and RI of tests/rows.
import assert from 'node:assert/strict';
import https from 'node:https';
import { after, before, describe, test } from 'node:test';
import { ask, is_asked, is_error_page, is_told } from './expect.mjs';
import { Instance, driver, pkce } from './harness/index.mjs';

let grantd, alice, agent, bare, strict;
before(async () => {
	grantd = await Instance.start(null);
	await grantd.add_resource();
	await grantd.add_resource({ name: 'notes', uri: `${grantd.issuer}/r/notes`, introspection: [],
		scopes: [{ name: 'notes.read', title: 'Read your notes', risk: 'read', default: false, can: ['read notes'], cannot: ['change notes'] }] });
	alice = await grantd.add_person('alice');
	agent = await grantd.add_agent();
	bare = await grantd.add_agent({ id: 'bare', scope: null, resource: null });
	strict = await grantd.add_agent({ id: 'strict', secret: true, scope: 'mail.read', redirect_uris: ['https://app.example/cb'] });
});
after(() => grantd.dispose());

const get = (wish, init) => ask(grantd, wish.url, init);
// sends the wish, sees the error, and that no request was remembered
const told = (wish, error) => grantd.unchanged(async () => is_told(grantd, await get(wish), wish, error));
const page = (wish) => grantd.unchanged(async () => is_error_page(await get(wish)));

test('a sound request goes on at the consent page', async () => {
	is_asked(await get(agent.authorization()));
	is_asked(await get(strict.authorization({ scope: undefined, resource: null })));
});

// A form of another site comes without our SameSite=Lax cookies; an answer must not put others in their place.
test('a sound request may be posted, and is asked again where cookies come along', async () => {
	const wish = agent.authorization({ state: 'a state & more\u00e9' });
	const posted = await ask(grantd, '/authorize', { method: 'POST', body: new URL(wish.url).search.slice(1),
		headers: { 'content-type': 'application/x-www-form-urlencoded', origin: 'https://evil.example', 'sec-fetch-site': 'cross-site' } });
	assert.equal(posted.status, 303);
	assert.equal(posted.headers.get('set-cookie'), null);
	const again = new URL(posted.headers.get('location'), grantd.issuer);
	assert.deepEqual([...again.searchParams], [...new URL(wish.url).searchParams]);
	is_asked(await ask(grantd, again.href));
});
test('a posted request too long for an address is refused', async () => {
	const body = `${new URL(agent.authorization().url).search.slice(1)}&junk=${'x'.repeat(9000)}`;
	const answer = await ask(grantd, '/authorize', { method: 'POST', body, headers: { 'content-type': 'application/x-www-form-urlencoded' } });
	assert.equal(answer.status, 413);
});

test('AZ-001: client_id missing', () => page(agent.authorization({ client_id: null })));
test('a client that is not registered is told to the person only', async () => {
	const wish = agent.authorization({ client_id: 'nobody' });
	await page(wish);
	assert.match((await get(wish)).text, /This agent is not known here/);
});
test('AZ-003: redirect_uri missing', () => page(agent.authorization({ redirect_uri: null })));

describe('AZ-005: response types other than code', () => {
	for (const response_type of ['token', 'id_token', 'code token', 'code id_token', 'none', 'CODE'])
		test(response_type, () => told(agent.authorization({ response_type }), 'unsupported_response_type'));
	test('missing', () => told(agent.authorization({ response_type: null }), 'invalid_request'));
});

test('AZ-008: prompt=none without a session, for a client of the operator', () =>
	told(agent.authorization({ prompt: 'none' }), 'login_required'));

test('prompt=none with a session still has to ask', async () => {
	await alice.sign_in();
	const wish = agent.authorization({ prompt: 'none' });
	const answer = await alice.get(wish.url);
	assert.equal(answer.left.searchParams.get('error'), 'consent_required');
	assert.equal(answer.left.searchParams.get('state'), wish.state);
});

describe('AZ-009: response modes that are not enabled', () => {
	for (const response_mode of ['fragment', 'form_post', 'web_message', 'query.jwt'])
		test(response_mode, () => told(agent.authorization({ response_mode }), 'invalid_request'));
	test('query is the one', async () => is_asked(await get(agent.authorization({ response_mode: 'query' }))));
});

test('AZ-012: a scope beyond the ceiling that the operator gave the client', () =>
	told(strict.authorization({ scope: 'mail.send' }), 'invalid_scope'));
test('a scope that the resource does not have', () => told(agent.authorization({ scope: 'mail.fly' }), 'invalid_scope'));
test('AZ-013: no scope, and the resource has no default', () =>
	told(bare.authorization({ resource: `${grantd.issuer}/r/notes` }), 'invalid_scope'));
test('AZ-014: no resource, and the client has no default', () =>
	told(bare.authorization({ resource: null, scope: 'mail.read' }), 'invalid_target'));
test('AZ-014: audience is no resource, and is told so', async () => {
	const { headers } = await get(bare.authorization({ resource: null, scope: 'mail.read', audience: grantd.mail_uri }));
	assert.match(new URL(headers.get('location')).searchParams.get('error_description'), /^resource is missing \(audience is not read\)/);
});
test('AZ-016: request objects', () => told(agent.authorization({ request: 'eyJhbGciOiJub25lIn0.e30.' }), 'request_not_supported'));

describe('AZ-017: request_uri', () => {
	for (const request_uri of ['http://169.254.169.254/latest/meta-data/', 'https://evil.example/r', 'urn:ietf:params:oauth:request_uri:x', 'urn:ietf:params:oauth:request_uri:req_x'])
		test(request_uri, () => told(agent.authorization({ request_uri }), 'request_uri_not_supported'));
});

describe('AZ-019: state that is too long or has controls', () => {
	for (const state of ['s'.repeat(5000), 'a\r\nSet-Cookie: x=1', 'a\u0000b']) {
		test(JSON.stringify(state.slice(0, 20)), () => grantd.unchanged(async () => {
			const answer = await get(agent.authorization({ state }));
			is_error_page(answer);
			assert.equal(answer.headers.get('x'), null);
		}));
	}
});

test('AZ-020: state and iss come back byte for byte, with a code and with an error', async () => {
	for (const state of ['a b+c%2B/?&=#é✓', '0', ' lead', '%']) {
		const wish = agent.authorization({ state });
		const yes = await alice.allow(wish.url);
		assert.equal(yes.state, state);
		assert.equal(yes.iss, grantd.issuer);
		assert.match(yes.code, /^gac_/);
		const no = await alice.deny(agent.authorization({ state }).url);
		assert.deepEqual([no.state, no.iss, no.error, no.code], [state, grantd.issuer, 'access_denied', undefined]);
		const wrong = agent.authorization({ state, scope: 'no.such' });
		is_told(grantd, await get(wrong), wrong, 'invalid_scope');
	}
});

test('a request without state gets none back', async () => {
	const answered = await alice.allow(agent.authorization({ state: null }).url);
	assert.equal(answered.url.searchParams.has('state'), false);
	assert.equal(answered.iss, grantd.issuer);
});

test('AZ-021: no CORS at the authorization endpoint', async () => {
	const wish = agent.authorization();
	const origin = { origin: 'https://evil.example', 'access-control-request-method': 'GET' };
	for (const method of ['OPTIONS', 'GET']) {
		const answer = await get(wish, { method, headers: origin });
		for (const [name] of answer.headers) assert.ok(!name.startsWith('access-control-'), name);
	}
});

test('AZ-023: a posted request with a session and an earlier consent still needs the person', async () => {
	await agent.tokens(alice, { scope: ['mail.read'] });
	const wish = agent.authorization();
	const answer = await alice.request('/authorize', { method: 'POST', body: new URL(wish.url).search.slice(1), follow: false,
		headers: { 'content-type': 'application/x-www-form-urlencoded', origin: 'https://evil.example', 'sec-fetch-site': 'cross-site' } });
	assert.equal(answer.left, null);
	assert.doesNotMatch(answer.headers.get('location') ?? '', /code=/);
});

test('AZ-025: what came from outside stands escaped on the error page', async () => {
	const script = '"><script>alert(1)</script><img src=x onerror=alert(1)>';
	for (const change of [{ client_id: script }, { redirect_uri: script }, { client_id: script, scope: script, error: script }]) {
		const answer = await get(agent.authorization(change));
		assert.equal(answer.headers.get('location'), null);
		assert.doesNotMatch(answer.text, /<script>alert|<img src=x/);
		assert.doesNotMatch(answer.headers.get('content-security-policy'), /unsafe-inline/);
	}
});

describe('repeated parameters', () => {
	const twice = (name, value) => {
		const wish = agent.authorization();
		return { ...wish, url: `${wish.url}&${name}=${encodeURIComponent(value)}` };
	};
	for (const name of ['scope', 'response_type', 'code_challenge', 'prompt', 'unknown'])
		test(`${name} is told to the client`, () => {
			const wish = twice(name, 'code');
			return told(name === 'prompt' || name === 'unknown' ? { ...wish, url: `${wish.url}&${name}=login` } : wish, 'invalid_request');
		});
	for (const name of ['client_id', 'redirect_uri', 'state'])
		test(`${name} leaves nobody to trust`, () => page(twice(name, 'other')));
	test('resource: several are an invalid target', () => told(twice('resource', `${grantd.issuer}/r/notes`), 'invalid_target'));
});

describe('RI-001: a resource that is no absolute URI without fragment and userinfo', () => {
	for (const resource of ['/r/mail', 'mail', 'https://grantd.localhost/r/mail#x', 'https://a:b@grantd.localhost/r/mail', 'https://other.example/x'])
		test(resource, () => told(agent.authorization({ resource }), 'invalid_target'));
});

test('RI-004: spellings of one resource are one resource', async () => {
	const upper = grantd.mail_uri.replace('https://grantd', 'HTTPS://GRANTD');
	for (const resource of [upper, `${grantd.mail_uri}/`]) is_asked(await get(agent.authorization({ resource })));
});

describe('PKCE', () => {
	const { challenge } = pkce();
	test('PK-002: no challenge, confidential client', () => told(strict.authorization({ code_challenge: null, code_challenge_method: null }), 'invalid_request'));
	test('no challenge, public client', () => told(agent.authorization({ code_challenge: null }), 'invalid_request'));
	test('PK-003: method plain', () => told(agent.authorization({ code_challenge_method: 'plain' }), 'invalid_request'));
	test('PK-004: method left out', () => told(agent.authorization({ code_challenge_method: null }), 'invalid_request'));
	describe('PK-006: challenges of a wrong form', () => {
		const last = challenge.slice(0, 42);
		for (const [name, code_challenge] of [['42 characters', last], ['44 characters', `${challenge}A`], ['padding', `${challenge}=`],
			['a plus', `+${challenge.slice(1)}`], ['a slash', `/${challenge.slice(1)}`], ['trailing bit 0', `${last}B`], ['trailing bits 1', `${last}_`]])
			test(name, () => told(agent.authorization({ code_challenge }), 'invalid_request'));
	});
	test('PK-007: an empty challenge does not skip PKCE', () => told(agent.authorization({ code_challenge: '' }), 'invalid_request'));
});

test('max_age and acr_values are honoured or refused', async () => {
	await told(agent.authorization({ max_age: 'soon' }), 'invalid_request');
	await told(agent.authorization({ acr_values: 'urn:none:such' }), 'unmet_authentication_requirements');
	is_asked(await get(agent.authorization({ max_age: '0', acr_values: 'urn:none:such urn:grantd:acr:password' })));
});

// Each would take 300 of a network in a minute were they not counted together; the other learns of them by tens.
if (driver === 'postgres') test('on PostgreSQL only: new requests sent to two nodes by turns count together', async (t) => {
	const node = await Instance.beside(t, grantd);
	await node.start();
	const browser = new https.Agent({ localAddress: '127.0.9.1', keepAlive: true });
	t.after(() => browser.destroy());
	const statuses = [];
	for (let i = 0; i < 400; i++) statuses.push((await ask(i % 2 ? node : grantd, agent.authorization().url, { agent: browser })).status);
	assert.deepEqual(statuses.slice(0, 300), Array(300).fill(303));
	for (const turn of [0, 1]) assert.ok(statuses.some((status, i) => i % 2 === turn && status === 429), String(statuses.slice(300)));
});
