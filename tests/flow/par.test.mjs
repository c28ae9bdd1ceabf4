// SPDX-License-Identifier: Apache-2.0
// Pushed authorization requests (RFC 9126): rows PR of tests/rows, whose a request is, and a real client.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import { after, before, describe, test } from 'node:test';
import * as openid from 'openid-client';
import { with_documents } from './agent_host.mjs';
import { MovedInstance } from './clock.mjs';
import { ask, granted, is_asked, is_error_page, is_told, refused, until } from './expect.mjs';
import { Agent, Person, claims, driver } from './harness/index.mjs';
import { ClientKey, asserting, seconds } from './proof.mjs';

const read = { scope: ['mail.read'] };
const prefix = 'urn:ietf:params:oauth:request_uri:';
const key = new ClientKey();
let grantd, alice, mallory, agent, app, only, keyed, clock = 0;
before(async () => {
	grantd = await MovedInstance.start(null);
	await grantd.add_resource();
	alice = await grantd.add_person('alice');
	mallory = await grantd.add_person('mallory');
	agent = await grantd.add_agent();
	app = await grantd.add_agent({ id: 'app', scope: 'openid mail.read', secret: true, redirect_uris: ['https://app.example/cb'] });
	only = await grantd.add_agent({ id: 'only', args: ['--par', 'required'] });
	const file = path.join(grantd.home, 'keyed.json');
	fs.writeFileSync(file, JSON.stringify({ keys: [{ ...key.jwk, kid: 'one' }] }));
	await grantd.operate(['client', 'create', '--id', 'keyed', '--name', 'Keyed', '--jwks-file', file, '--redirect-uri', 'https://app.example/cb', '--resource', 'mail']);
	keyed = new Agent(grantd, { client_id: 'keyed', redirect_uri: 'https://app.example/cb', resource: agent.resource, scope: 'mail.read' });
});
after(() => grantd.end());

// time for what was counted, and for what lasts a minute
const pass = (seconds) => grantd.move(clock += seconds);
const browser_of = (person) => new Person(grantd, person);
const push = (changes, options) => agent.push(changes, options);
async function pushed(by, changes, options) {
	const wish = await by.push(changes, options);
	assert.equal(wish.answer.status, 201, wish.answer.text);
	return wish;
}
const not_pushed = async (by, changes, status, error, words, options) => {
	const { answer } = await grantd.unchanged(() => by.push(changes, options), { except: ['events', 'throttles', 'spent'] });
	refused(answer, status, error, words);
	assert.equal(answer.headers.get('location'), null);
	return answer;
};
// a page for the person, and nothing for anybody else
const is_over = (answer) => { is_error_page(answer); assert.match(answer.text ?? answer.html, /This request is over/); };
const is_over_for = async (person, wish) => {
	const page = await person.get(wish.url);
	assert.equal(page.left, null);
	assert.deepEqual([page.status, /This request is over/.test(page.text)], [400, true], page.text.slice(0, 300));
};

test('a pushed request goes on at the consent page, with what was pushed', async () => {
	const wish = await pushed(agent, { state: 'as pushed' });
	assert.deepEqual(Object.keys(wish.answer.body), ['request_uri', 'expires_in']);
	assert.match(wish.request_uri, new RegExp(`^${prefix}req_[a-z2-7]{26}$`));
	assert.equal(wish.answer.body.expires_in, 60);
	assert.equal(wish.answer.headers.get('cache-control'), 'no-store');
	const answered = await alice.allow(wish.url, read);
	assert.deepEqual([answered.state, answered.iss], ['as pushed', grantd.issuer]);
	granted(await agent.redeem(answered.code, wish));
	assert.equal((await alice.deny((await pushed(app)).url)).error, 'access_denied');
});

test('the metadata say where, and that it must be only where it must of all', async () => {
	const metadata = await (await grantd.fetch(`${grantd.issuer}/.well-known/oauth-authorization-server`)).json();
	assert.equal(metadata.pushed_authorization_request_endpoint, `${grantd.issuer}/par`);
	assert.equal('require_pushed_authorization_requests' in metadata, false);
});

describe('every way to authenticate', () => {
	test('a secret, in the header or the body', async () => {
		const wish = await pushed(app);
		granted(await app.redeem((await alice.allow(wish.url, read)).code, wish));
		const poster = Object.assign(Object.create(app), { client_secret: undefined });
		assert.equal((await poster.push({ client_secret: app.client_secret })).answer.status, 201);
		refused((await poster.push({ client_secret: `${app.client_secret}x` })).answer, 401, 'invalid_client');
	});
	test('an assertion, spent by the push and by a push that was refused', async () => {
		const assertion = key.assertion('keyed', grantd.issuer);
		const wish = await pushed(keyed, asserting(assertion));
		assert.equal((await alice.allow(wish.url, read)).error, undefined);
		await not_pushed(keyed, asserting(assertion), 401, 'invalid_client', /used before/);
		const other = key.assertion('keyed', grantd.issuer);
		await not_pushed(keyed, { ...asserting(other), scope: 'mail.fly' }, 400, 'invalid_scope');
		await not_pushed(keyed, asserting(other), 401, 'invalid_client', /used before/);
	});
});

test('PR-002: without client authentication, or with that of another', async () => {
	const bare = new Agent(grantd, { ...app, client_secret: undefined });
	await not_pushed(bare, {}, 401, 'invalid_client');
	await not_pushed(new Agent(grantd, { ...app, client_secret: 'a wrong secret that is long enough' }), {}, 401, 'invalid_client');
	await not_pushed(keyed, {}, 401, 'invalid_client');
	await not_pushed(app, { client_id: 'mail-agent' }, 400, 'invalid_request', /not the authenticated client/);
	await not_pushed(agent, { client_id: 'nobody' }, 401, 'invalid_client');
});

describe('what /authorize refuses is refused here, and said to the client', () => {
	const wrong = [
		['PR-004', 'a redirect URI that is not registered', { redirect_uri: 'https://evil.example/cb' }, 'invalid_request', /redirect_uri/],
		['PR-004', 'no redirect URI', { redirect_uri: null }, 'invalid_request', /redirect_uri/],
		['', 'a response type', { response_type: 'token' }, 'unsupported_response_type'],
		['', 'a response mode', { response_mode: 'fragment' }, 'invalid_request'],
		['', 'PKCE', { code_challenge: null }, 'invalid_request'],
		['', 'plain PKCE', { code_challenge_method: 'plain' }, 'invalid_request'],
		['', 'a scope', { scope: 'mail.fly' }, 'invalid_scope'],
		['', 'a resource', { resource: 'https://elsewhere.example/' }, 'invalid_target'],
		['', 'two resources', { resource: ['https://a.example/', 'https://b.example/'] }, 'invalid_target'],
		['', 'a state', { state: 's'.repeat(5000) }, 'invalid_request'],
		['', 'a request object', { request: 'eyJhbGciOiJub25lIn0.e30.' }, 'request_not_supported'],
		['', 'a request_uri', { request_uri: `${prefix}req_aaaaaaaaaaaaaaaaaaaaaaaaaa` }, 'invalid_request', /request_uri/],
		['', 'a prompt', { prompt: 'none login' }, 'invalid_request'],
		['', 'a max_age', { max_age: '-1' }, 'invalid_request'],
		['', 'an acr', { acr_values: 'phr' }, 'unmet_authentication_requirements'],
		['', 'a dpop_jkt', { dpop_jkt: 'short' }, 'invalid_request'],
		['', 'a repeated parameter', { scope: ['mail.read', 'mail.send'] }, 'invalid_request', /repeated/],
	];
	for (const [row, title, changes, error, words] of wrong)
		test(row ? `${row}: ${title}` : title, () => not_pushed(agent, changes, 400, error, words));
	test('a client that may not use codes', async () => {
		const robot = await grantd.add_agent({ id: 'robot', secret: true, redirect_uris: [], grant_types: ['client_credentials'] });
		await not_pushed(robot, { redirect_uri: 'https://app.example/cb' }, 400, 'invalid_request');
	});
});

test('PR-005: a body over the limit', async () => {
	const { answer } = await grantd.unchanged(() => push({ login_hint: 'x'.repeat(70_000) }));
	assert.equal(answer.status, 413);
});

test('other methods, and no CORS', async () => {
	const answer = await grantd.fetch(`${grantd.issuer}/par`);
	assert.deepEqual([answer.status, answer.headers.get('allow')], [405, 'POST']);
	const { headers } = (await push({}, { headers: { origin: 'https://evil.example' } })).answer;
	for (const [name] of headers) assert.ok(!name.startsWith('access-control-'), name);
});

describe('AZ-018: only what was pushed counts', () => {
	test('parameters beside it have no effect', async () => {
		const wish = await pushed(agent, { scope: 'mail.read' });
		const other = agent.authorization({ scope: 'mail.read mail.send', state: 'x', redirect_uri: 'https://evil.example/cb' });
		const url = new URL(other.url);
		url.searchParams.set('request_uri', wish.request_uri);
		const page = await alice.open(url.href);
		assert.doesNotMatch(page.html, /value="mail\.send"/);
		const answered = await alice.decide(page, 'allow');
		assert.equal(answered.left.href.split('?')[0], wish.redirect_uri);
		assert.equal(answered.left.searchParams.get('state'), wish.state);
		const code = answered.left.searchParams.get('code');
		refused(await agent.redeem(code, other, { redirect_uri: wish.redirect_uri }), 400, 'invalid_grant');
	});
	test('a request object, or what is repeated, is refused', async () => {
		const wish = await pushed(agent);
		for (const more of ['&request=eyJhbGciOiJub25lIn0.e30.', `&request_uri=${wish.request_uri}`, `&client_id=${agent.client_id}`, '&scope=a&scope=b'])
			is_error_page(await grantd.unchanged(() => ask(grantd, wish.url + more)));
		is_asked(await ask(grantd, wish.url));
	});
	test('the client_id is needed', async () => {
		const wish = await pushed(agent);
		is_over(await ask(grantd, wish.url.replace(/client_id=[^&]*&/, '')));
	});
	test('posted by another site, it is asked again where cookies come along', async () => {
		const wish = await pushed(agent);
		const posted = await ask(grantd, '/authorize', { method: 'POST', body: new URL(wish.url).search.slice(1), headers: { 'content-type': 'application/x-www-form-urlencoded' } });
		assert.deepEqual([posted.status, posted.headers.get('set-cookie')], [303, null]);
		is_asked(await ask(grantd, posted.location.href));
	});
});

describe('AZ-027: a client that has to push its requests', () => {
	test('one of the operator', async () => {
		const wish = only.authorization();
		await grantd.unchanged(async () => is_told(grantd, await ask(grantd, wish.url), wish, 'invalid_request'));
		const by = await pushed(only);
		granted(await only.redeem((await alice.allow(by.url, read)).code, by));
		await grantd.operate(['client', 'update', 'only', '--par', 'optional']);
		is_asked(await ask(grantd, only.authorization().url));
		assert.equal((await grantd.operate(['client', 'update', 'only', '--par', 'required'])).par_required, true);
	});
	test('one that said so when it registered, for good', async () => {
		const said = { redirect_uris: ['http://127.0.0.1/callback'], token_endpoint_auth_method: 'none', require_pushed_authorization_requests: true };
		const send = async (url, method, body, token) => (await grantd.fetch(url, { method, body: JSON.stringify(body), headers: { 'content-type': 'application/json', ...(token && { authorization: `Bearer ${token}` }) } })).json();
		const client = await send(`${grantd.issuer}/register`, 'POST', said);
		assert.equal(client.require_pushed_authorization_requests, true);
		const registered = new Agent(grantd, { client_id: client.client_id, resource: agent.resource, scope: 'mail.read' });
		is_error_page(await ask(grantd, registered.authorization().url));
		const again = await send(client.registration_client_uri, 'PUT', { ...said, client_id: client.client_id, require_pushed_authorization_requests: false }, client.registration_access_token);
		assert.equal(again.require_pushed_authorization_requests, true);
		is_asked(await ask(grantd, (await pushed(registered)).url));
	});
});

for (const is_bound of [false, true]) {
	test(`openid-client: buildAuthorizationUrlWithPAR ${is_bound ? 'with' : 'without'} DPoP`, async () => {
		const config = await openid.discovery(new URL(grantd.issuer), app.client_id, undefined, openid.ClientSecretBasic(app.client_secret), { [openid.customFetch]: grantd.fetch });
		config[openid.customFetch] = grantd.fetch;
		const DPoP = is_bound ? openid.getDPoPHandle(config, await openid.randomDPoPKeyPair()) : undefined;
		const pkceCodeVerifier = openid.randomPKCECodeVerifier();
		const url = await openid.buildAuthorizationUrlWithPAR(config, {
			redirect_uri: app.redirect_uri, scope: 'openid mail.read', resource: app.resource, state: 'here', nonce: 'once',
			code_challenge: await openid.calculatePKCECodeChallenge(pkceCodeVerifier), code_challenge_method: 'S256',
		}, { DPoP });
		assert.deepEqual([...url.searchParams.keys()].sort(), ['client_id', 'request_uri']);
		const answered = await browser_of(alice).allow(url.href);
		const tokens = await openid.authorizationCodeGrant(config, answered.url, { pkceCodeVerifier, expectedState: 'here', expectedNonce: 'once', idTokenExpected: true }, undefined, { DPoP });
		assert.equal(tokens.token_type, is_bound ? 'dpop' : 'bearer');
		assert.equal(claims(tokens.access_token).cnf?.jkt, await DPoP?.calculateThumbprint());
	});
}

describe('whose it is', () => {
	test('PR-008: 60 seconds, until a browser opens it', async () => {
		const wish = await pushed(agent), opened = await pushed(agent);
		const person = browser_of(alice);
		const page = await person.get(opened.url); // the sign-in
		pass(61);
		await grantd.unchanged(async () => is_over(await ask(grantd, wish.url)));
		assert.ok(grantd.log().some((line) => line.event === 'page.refused' && line.error === 'ERR_PUSHED'));
		const answered = await person.decide(await person.sign_in_on(page), 'allow', read);
		assert.match(answered.left.searchParams.get('code'), /^gac_/);
	});
	test('PR-009: another client\u2019s, and one that was guessed', async () => {
		const wish = await pushed(agent);
		await grantd.unchanged(async () => {
			is_over(await ask(grantd, wish.url.replace('mail-agent', 'app')));
			is_over(await ask(grantd, wish.url.replace('mail-agent', 'nobody')));
			is_over(await ask(grantd, wish.url.replace(/req_.{26}/, 'req_aaaaaaaaaaaaaaaaaaaaaaaaaa')));
		});
		is_asked(await ask(grantd, wish.url));
	});
	test('a reload in the same browser goes on; another browser has nothing of it, at no time', async () => {
		const wish = await pushed(agent);
		const person = browser_of(alice), thief = browser_of(mallory);
		const first = await person.get(wish.url);
		await is_over_for(thief, wish);
		const again = await person.get(wish.url);
		assert.equal(first.url.href, again.url.href);
		const page = await person.sign_in_on(again);
		assert.equal((await person.get(wish.url)).url.href, page.url.href);
		const { left } = await person.decide(page, 'allow', read);
		const late = await person.get(wish.url);
		assert.deepEqual([late.left, late.status], [null, 409]);
		await is_over_for(thief, wish);
		granted(await agent.redeem(left.searchParams.get('code'), wish));
		assert.equal((await person.get(wish.url)).status, 409);
		await is_over_for(thief, wish);
	});
	test('of twelve browsers at once one has it', async () => {
		const wish = await pushed(agent);
		const answers = await Promise.all(Array.from({ length: 12 }, () => ask(grantd, wish.url)));
		const asked = answers.filter((answer) => answer.status === 303);
		assert.equal(asked.length, 1);
		for (const answer of answers) if (answer !== asked[0]) is_over(answer);
	});
	test('kill -9 after the answer takes nothing back: neither that it is there nor that it is taken', async () => {
		const opened = await pushed(agent), wish = await pushed(agent);
		const person = browser_of(alice);
		await person.get(opened.url);
		await grantd.daemon.kill_9();
		await grantd.start();
		await is_over_for(browser_of(mallory), opened);
		assert.equal((await person.allow(opened.url, read)).error, undefined);
		assert.equal((await person.allow(wish.url, read)).error, undefined);
	});
	test('what changed since is seen: a client that was disabled, a redirect URI that went', async () => {
		const spare = await grantd.add_agent({ id: 'spare', redirect_uris: ['http://127.0.0.1/callback', 'http://127.0.0.1/other'] });
		const wish = await pushed(spare), other = await pushed(spare);
		await grantd.operate(['client', 'update', 'spare', '--redirect-uri', 'http://127.0.0.1/other']);
		is_error_page(await ask(grantd, wish.url));
		await grantd.operate(['client', 'disable', 'spare']);
		is_error_page(await ask(grantd, other.url));
	});
});

test('prompt=none is answered where the browser is', async () => {
	const wish = await pushed(agent, { prompt: 'none' });
	is_told(grantd, await ask(grantd, wish.url), wish, 'login_required');
	await alice.sign_in();
	assert.equal((await alice.get(wish.url)).left.searchParams.get('error'), 'consent_required');
});

describe('bound to a key (RFC 9449 10.1)', () => {
	const k1 = new ClientKey(), k2 = new ClientKey();
	// by the server's clock, which went on
	const proof = (one, at = '/par') => ({ headers: { dpop: one.proof(grantd.issuer + at, { iat: seconds(clock) }) } });
	const token_proof = (one) => proof(one, '/token');
	test('PR-010: pushed with the one key, redeemed with another', async () => {
		for (const [changes, options] of [[{}, proof(k1)], [{ dpop_jkt: k1.jkt }, {}], [{ dpop_jkt: k1.jkt }, proof(k1)]]) {
			const wish = await pushed(agent, changes, options);
			const { code } = await alice.allow(wish.url, read);
			refused(await agent.redeem(code, wish, {}, token_proof(k2)), 400, 'invalid_grant');
			const bound = await pushed(agent, changes, changes.dpop_jkt && !options.headers ? {} : proof(k1));
			const { body } = await agent.redeem((await alice.allow(bound.url, read)).code, bound, {}, token_proof(k1));
			assert.deepEqual([body.token_type, claims(body.access_token).cnf], ['DPoP', { jkt: k1.jkt }]);
		}
	});
	test('two keys at once, a proof of another endpoint, and one that was used', async () => {
		await not_pushed(agent, { dpop_jkt: k2.jkt }, 400, 'invalid_request', /another key/, proof(k1));
		await not_pushed(agent, {}, 400, 'invalid_dpop_proof', undefined, token_proof(k1));
		const options = proof(k1);
		await pushed(agent, {}, options);
		await not_pushed(agent, {}, 400, 'invalid_dpop_proof', /used before/, options);
	});
});

test('PR-006: more than a client may push in a minute', async () => {
	pass(120);
	const rows = async () => Number((await grantd.rows("SELECT count(*) AS count FROM requests WHERE state = 'pushed' AND client_id = 'app'"))[0].count);
	const before = await rows(); // over, and maybe not swept yet
	const answers = [];
	for (let i = 0; i < 6; i++) answers.push(...await Promise.all(Array.from({ length: 55 }, () => app.push())));
	const statuses = answers.map(({ answer }) => answer.status);
	assert.equal(statuses.filter((status) => status === 201).length, 300);
	refused(answers.find(({ answer }) => answer.status === 429).answer, 429, 'temporarily_unavailable');
	await pushed(agent);
	assert.ok(await rows() <= 300 + before);
});

test('PR-011: what nobody opened is swept, and then it may push again', async () => {
	pass(61);
	await pushed(app);
	await grantd.restart(); // the sweep comes with the start, and then each minute
	await until(async () => Number((await grantd.rows("SELECT count(*) AS count FROM requests WHERE state = 'pushed' AND client_id = 'app'"))[0].count) <= 1);
});

test('where all have to, the metadata say so and nobody is asked otherwise', async () => {
	grantd.env.GRANTD_REQUIRE_PUSHED_REQUESTS = 'yes';
	await grantd.restart();
	const metadata = await (await grantd.fetch(`${grantd.issuer}/.well-known/openid-configuration`)).json();
	assert.equal(metadata.require_pushed_authorization_requests, true);
	const wish = agent.authorization();
	is_told(grantd, await ask(grantd, wish.url), wish, 'invalid_request');
	is_asked(await ask(grantd, (await pushed(agent)).url));
});

test('an agent with a metadata document: known by then, read again when it is opened, and not lost by a long sign-in', async (t) => {
	const { grantd: other, host, alice: person } = await with_documents(t, { moved: true });
	const url = host.publish({ require_pushed_authorization_requests: true }, { file: '/pushes.json' });
	const robot = host.agent(other, url);
	refused((await robot.push()).answer, 401, 'invalid_client');
	await person.sign_in();
	const page = await person.get(robot.authorization().url); // the document is read by this
	assert.deepEqual([page.status, page.left], [400, null], page.text.slice(0, 200));
	const wish = await pushed(robot);
	const late = new Person(other, person);
	const login = await late.get(wish.url);
	assert.match(login.text, /signing in to answer agent\.localhost/);
	other.move(90);
	const answered = await late.decide(await late.sign_in_on(login), 'allow', read);
	granted(await robot.redeem(answered.left.searchParams.get('code'), wish));
});
