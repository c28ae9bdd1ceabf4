// SPDX-License-Identifier: Apache-2.0
// What the metadata promise, done: each endpoint, each value of each list and each yes or no has a performer below, and
// each list a neighbour that it does not name and that is refused. A promise without a performer fails, and so does a
// performer without a promise.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import { after, before, describe, test } from 'node:test';
import { createLocalJWKSet, jwtVerify } from 'jose';
import { with_documents } from './agent_host.mjs';
import { ask, is_asked, is_told, refused, until } from './expect.mjs';
import { Agent, basic, claims, mail_secret } from './harness/index.mjs';
import { ClientKey, asserting } from './proof.mjs';

const well_known = ['oauth-authorization-server', 'openid-configuration', 'oauth-protected-resource'].map((name) => `/.well-known/${name}`);
const algorithms = ['ES256', 'RS256', 'PS256', 'EdDSA', 'Ed25519'];
const urn = (kind, name) => `urn:ietf:params:oauth:${kind}:${name}`;
const device_code = urn('grant-type', 'device_code'), token_exchange = urn('grant-type', 'token-exchange'), jwt_bearer = urn('grant-type', 'jwt-bearer');
const keys = Object.fromEntries(algorithms.map((alg) => [alg, new ClientKey(alg)]));
const identity_scopes = 'openid profile email';
const mail_scopes = 'mail.read mail.write mail.send';

let grantd, host, alice, metadata;
let agent, web, poster, keyed; // public, with a secret in the header, with one in the body, with keys
let mail, identity; // what alice allowed: { wish, code, body }
let family; // of each way to authenticate, the newest tokens of who does so
before(async () => {
	({ grantd, host, alice } = await with_documents(null, { env: { GRANTD_DEVICE_FLOW: 'on' } }));
	await grantd.add_resource({ scopes: [
		{ name: 'mail.read', title: 'Read your mail', risk: 'read', default: true, can: ['read messages'], cannot: ['change anything'] },
		{ name: 'mail.write', title: 'Sort your mail', risk: 'write', can: ['move messages'], cannot: ['delete anything'], operations: [{ name: 'mail.move', title: 'move messages', limits: ['per_day'] }] },
		{ name: 'mail.send', title: 'Send mail as you', risk: 'send', can: ['send messages'], cannot: ['delete anything'] },
		{ name: 'mail.count', title: 'Count mail', risk: 'read', clients: true, can: ['count'], cannot: ['read'] },
	] });
	const own = ['authorization_code', 'refresh_token', 'token-exchange'];
	const confidential = { secret: true, scope: 'mail.count mail.read', redirect_uris: ['https://app.example/cb'], grant_types: [...own, 'client_credentials'] };
	agent = await grantd.add_agent({ scope: `${identity_scopes} ${mail_scopes}`, grant_types: [...own, 'device_code'] });
	web = await grantd.add_agent({ id: 'web-app', ...confidential });
	poster = await grantd.add_agent({ id: 'poster', ...confidential, args: ['--auth', 'client_secret_post'] });
	const jwks = path.join(grantd.home, 'keyed.json');
	fs.writeFileSync(jwks, JSON.stringify({ keys: Object.entries(keys).map(([kid, { jwk }]) => ({ ...jwk, kid })) }));
	await grantd.operate(['client', 'create', '--id', 'keyed', '--name', 'keyed', '--jwks-file', jwks, '--resource', 'mail', '--scope', confidential.scope,
		'--redirect-uri', confidential.redirect_uris[0], ...confidential.grant_types.flatMap((type) => ['--grant-type', type])]);
	keyed = new Agent(grantd, { client_id: 'keyed', redirect_uri: confidential.redirect_uris[0], resource: grantd.mail_uri });
	metadata = await document_at(well_known[0]);
	await alice.sign_in();
	const allowed_by = async (way, by) => {
		const { code, wish } = await code_of({ scope: 'mail.read' }, by);
		return [way, ok(await ways[way]('/token', { grant_type: 'authorization_code', code, redirect_uri: wish.redirect_uri, code_verifier: wish.verifier }))];
	};
	[mail, identity, ...family] = await Promise.all([
		allowed({ scope: `openid ${mail_scopes}`, nonce: 'a nonce' }), allowed({ scope: identity_scopes, resource: grantd.issuer }),
		allowed_by('client_secret_basic', web), allowed_by('client_secret_post', poster), allowed_by('private_key_jwt', keyed),
	]);
	family = Object.fromEntries([...family, ['none', mail.body]].map(([way, body]) => [way, Promise.resolve(body)]));
});
after(async () => { await grantd.dispose(); await host.stop(); });

// null: not served
async function document_at(at) {
	const answer = await ask(grantd, at);
	if (answer.status === 404) return null;
	assert.deepEqual([answer.status, answer.headers.get('content-type')], [200, 'application/json']);
	return JSON.parse(answer.text);
}

async function code_of(changes, by = agent) {
	const wish = by.authorization(changes);
	return { wish, ...await alice.allow(wish.url, { duration: '7d', ...(changes?.scope && { scope: changes.scope.split(' ') }) }) };
}

async function allowed(changes, by = agent) {
	const given = await code_of(changes, by);
	assert.equal(given.error, undefined, given.error_description);
	return { ...given, body: ok(await by.redeem(given.code, given.wish)) };
}

function ok(answer, status = 200) {
	assert.equal(answer.status, status, answer.text);
	return answer.body;
}

const post = (at, parameters, options) => agent.post(at, parameters, { auth: false, ...options });
const as_itself = (parameters = {}, options, by = web) => by.post('/token', { grant_type: 'client_credentials', resource: grantd.mail_uri, ...parameters }, options);
const assertion = (alg = 'ES256', from = keys[alg], changes = {}) => asserting(from.assertion('keyed', grantd.issuer, changes));
const by_key = (parameters, assertion) => post('/token', { grant_type: 'client_credentials', ...parameters, ...assertion });
const active = async (token) => (await grantd.introspect(token)).active;
const told = async (changes, error) => {
	const wish = agent.authorization(changes);
	is_told(grantd, await ask(grantd, wish.url, { headers: { cookie: alice.cookies.header } }), wish, error);
};
const question = async (changes) => {
	const page = await alice.get(agent.authorization(changes).url);
	assert.ok(page.form_with('decision'), `${page.status} ${page.text.slice(0, 300)}`);
	return page;
};
const signed = async (jwt, options) => jwtVerify(jwt, createLocalJWKSet(await document_at(new URL(metadata.jwks_uri).pathname)), { issuer: grantd.issuer, ...options });
const userinfo = async () => JSON.parse((await ask(grantd, metadata.userinfo_endpoint, { headers: { authorization: `Bearer ${identity.body.access_token}` } })).text);

async function json(method, at, body, token) {
	const raw_headers = new Map(Object.entries({ ...(body && { 'content-type': 'application/json' }), ...(token && { authorization: `Bearer ${token}` }) }));
	const response = await grantd.fetch(at, { method, body: body && JSON.stringify(body), raw_headers });
	const text = await response.text();
	return { status: response.status, headers: response.headers, text, body: text.startsWith('{') ? JSON.parse(text) : null };
}
const registration = { client_name: 'Desk', redirect_uris: ['http://127.0.0.1/cb'], token_endpoint_auth_method: 'none' };
const register = (changes) => json('POST', `${grantd.issuer}/register`, { ...registration, ...changes });
// an agent of its own, by a name of its own, so that no other question about it is open at the same time
let newcomers = 0;
const newcomer = async (changes) => new Agent(grantd, { ...ok(await register({ client_name: 'Desk'.repeat(++newcomers), ...changes }), 201), redirect_uri: registration.redirect_uris[0], resource: grantd.mail_uri, scope: 'mail.read' });

// --- the ways of a client to show who it is, at the three endpoints that list them ---

const ways = {
	client_secret_basic: (at, parameters) => post(at, parameters, { headers: { authorization: basic(web.client_id, web.client_secret) } }),
	client_secret_post: (at, parameters) => post(at, { ...parameters, client_id: poster.client_id, client_secret: poster.client_secret }),
	private_key_jwt: (at, parameters) => post(at, { ...parameters, ...assertion() }),
	none: (at, parameters) => post(at, { ...parameters, client_id: agent.client_id }),
};
// one after the other
const refreshed = (way) => family[way] = family[way].then(async ({ refresh_token }) => ok(await ways[way]('/token', { grant_type: 'refresh_token', refresh_token })));
// a token of a sub-agent of who authenticates so: what ends with it is nothing else
const helper_of = async (way, label) => ok(await ways[way]('/token', { grant_type: token_exchange, subject_token: (await refreshed(way)).access_token,
	subject_token_type: urn('token-type', 'access_token'), actor_label: label })).access_token;
const of_each = (names, make) => Object.fromEntries(names.map((name) => [name, make(name)]));

const token_by = (way) => async () =>
	assert.ok(await active((await refreshed(way)).access_token));
const revoked = async (token, send) => {
	assert.equal(await active(token), true);
	ok(await send({ token }));
	assert.equal(await active(token), false);
};
const revoked_by = (way) => async () => revoked(await helper_of(way, 'a'), (parameters) => ways[way]('/revoke', parameters));
const introspected_by = (way) => async () => {
	const of_its_own = await helper_of(way, 'b');
	assert.equal(ok(await ways[way]('/introspect', { token: of_its_own })).active, true);
	// of another it learns nothing
	assert.deepEqual(ok(await ways[way]('/introspect', { token: mail.body.access_token })), { active: false });
};
// an algorithm that is not listed, by a key that is registered
const other_assertion = (at) => async () => {
	for (const [alg, from] of [['RS384', keys.RS256], ['ES384', keys.ES256], ['HS256', keys.ES256], ['none', keys.ES256]])
		refused(await post(at, { grant_type: 'client_credentials', token: mail.body.access_token, ...assertion('ES256', from, { header: { alg } }) }), 401, 'invalid_client');
};
const other_way = (at) => async () => {
	const secret = { token: mail.body.access_token, grant_type: 'client_credentials', client_id: web.client_id };
	const jwt = new ClientKey().assertion(web.client_id, grantd.issuer); // client_secret_jwt, or tls_client_auth: there is no such way
	refused(await post(at, { ...secret, ...asserting(jwt) }), 401, 'invalid_client');
	refused(await post(at, { ...secret }), 401, 'invalid_client');
};

const only = (method) => async (url) => {
	const wrong = method === 'GET' ? 'PUT' : 'GET';
	const answer = await ask(grantd, url, { method: wrong });
	assert.equal(answer.status, 405, `${wrong} ${url}`);
	assert.ok(answer.headers.get('allow').split(', ').includes(method));
};
const scope_of = (given, name) => async () => assert.ok(given().body.scope.split(' ').includes(name), given().body.scope);
const claim_of_id = (check) => async (name) => {
	const { payload } = await signed(mail.body.id_token, { audience: agent.client_id });
	assert.ok(check(payload[name]), `${name}: ${payload[name]}`);
};
const claim_of_userinfo = (value) => async (name) => assert.equal((await userinfo())[name], value);
const is_now = (value) => Math.abs(value - Date.now() / 1000) < 600;

// --- member → value as the metadata say it, our issuer left out → what does it ---

const performers = {
	issuer: { '': async (issuer) => assert.equal(claims(mail.body.access_token).iss, issuer) },
	authorization_endpoint: { '/authorize': async (url) => {
		const { search } = new URL(agent.authorization().url);
		is_asked(await ask(grantd, url + search, { headers: { cookie: alice.cookies.header } }));
		const page = await alice.request(url, { method: 'POST', body: search.slice(1), headers: { 'content-type': 'application/x-www-form-urlencoded' } });
		assert.ok(page.form_with('decision'), `${page.status}`);
		assert.equal((await ask(grantd, url, { method: 'PUT' })).status, 405);
	} },
	token_endpoint: { '/token': async (url) => { ok(await post(url, { grant_type: 'client_credentials', ...assertion() })); await only('POST')(url); } },
	revocation_endpoint: { '/revoke': async (url) => { ok(await post(url, { token: 'x', client_id: agent.client_id })); await only('POST')(url); } },
	introspection_endpoint: { '/introspect': async (url) => {
		const headers = { authorization: basic('mail-rs', mail_secret) };
		assert.equal(ok(await post(url, { token: mail.body.access_token }, { headers })).active, true);
		assert.equal(ok(await post(url, { token: `${mail.body.access_token}x` }, { headers })).active, false);
		await only('POST')(url);
	} },
	userinfo_endpoint: { '/userinfo': async (url) => {
		assert.equal((await userinfo()).sub, claims(identity.body.id_token).sub);
		assert.equal((await ask(grantd, url)).status, 401);
		await only('GET')(url);
	} },
	jwks_uri: { '/jwks.json': async (url) => {
		await signed(identity.body.id_token, { audience: agent.client_id });
		await only('GET')(url);
	} },
	pushed_authorization_request_endpoint: { '/par': async (url) => {
		const wish = await agent.push();
		assert.match(ok(wish.answer, 201).request_uri, /^urn:ietf:params:oauth:request_uri:/);
		assert.ok((await alice.get(wish.url)).form_with('decision'));
		await only('POST')(url);
	} },
	registration_endpoint: { '/register': async (url) => {
		const made = ok(await json('POST', url, registration), 201);
		const manage = (method) => json(method, made.registration_client_uri, undefined, made.registration_access_token);
		assert.equal(ok(await manage('GET')).client_id, made.client_id);
		ok(await manage('DELETE'), 204);
		assert.equal((await manage('GET')).status, 401);
		await only('POST')(url);
	} },
	device_authorization_endpoint: { '/device_authorization': async (url) => {
		const asked = ok(await agent.post(url, { scope: 'mail.read', resource: grantd.mail_uri }));
		assert.ok((await alice.get(asked.verification_uri)).form_with('user_code'));
		await only('POST')(url);
	} },
	grant_types_supported: {
		authorization_code: async () => assert.ok(await active(mail.body.access_token)),
		refresh_token: async () => assert.ok(await active((await refreshed('none')).access_token)),
		client_credentials: async () => assert.equal((await grantd.introspect(ok(await as_itself()).access_token)).sub, web.client_id),
		[token_exchange]: async () => {
			const access_token = await helper_of('none', 'researcher');
			assert.ok(claims(access_token).act && await active(access_token));
		},
		[device_code]: async () => {
			const device = await grantd.add_agent({ id: 'device', name: 'Console', redirect_uris: [], scope: 'mail.read', grant_types: ['device_code', 'refresh_token'] });
			const asked = ok(await device.post('/device_authorization', { scope: 'mail.read', resource: grantd.mail_uri }));
			const page = await alice.get(asked.verification_uri);
			await alice.decide(await alice.submit(page, page.form_with('user_code'), { user_code: asked.user_code }), 'allow', { scope: ['mail.read'] });
			assert.ok(await active(ok(await device.post('/token', { grant_type: device_code, device_code: asked.device_code })).access_token));
		},
	},
	response_types_supported: { code: async () => assert.match(mail.code, /^gac_/) },
	response_modes_supported: { query: async () => {
		const { url } = await code_of({ response_mode: 'query' }, await newcomer());
		assert.ok(url.searchParams.get('code') && url.hash === '');
	} },
	code_challenge_methods_supported: { S256: async () => {
		const by = await newcomer();
		const { wish, code } = await code_of({ code_challenge_method: 'S256' }, by);
		refused(await by.redeem(code, { ...wish, verifier: 'x'.repeat(43) }), 400, 'invalid_grant');
	} },
	token_endpoint_auth_methods_supported: of_each(['client_secret_basic', 'client_secret_post', 'private_key_jwt', 'none'], token_by),
	token_endpoint_auth_signing_alg_values_supported: of_each(algorithms, (alg) => async () => assert.ok(await active(ok(await by_key({}, assertion(alg))).access_token))),
	revocation_endpoint_auth_methods_supported: of_each(['client_secret_basic', 'client_secret_post', 'private_key_jwt', 'none'], revoked_by),
	revocation_endpoint_auth_signing_alg_values_supported: of_each(algorithms, (alg) => async () =>
		revoked(await helper_of('private_key_jwt', alg), (parameters) => post('/revoke', { ...parameters, ...assertion(alg) }))),
	introspection_endpoint_auth_methods_supported: of_each(['client_secret_basic', 'client_secret_post', 'private_key_jwt'], introspected_by),
	introspection_endpoint_auth_signing_alg_values_supported: of_each(algorithms, (alg) => async () =>
		assert.equal(ok(await post('/introspect', { token: (await family.private_key_jwt).access_token, ...assertion(alg) })).active, true)),
	dpop_signing_alg_values_supported: of_each(algorithms, (alg) => async () => {
		const body = ok(await as_itself({}, { headers: { DPoP: keys[alg].proof(metadata.token_endpoint) } }));
		assert.deepEqual([body.token_type, claims(body.access_token).cnf], ['DPoP', { jkt: keys[alg].jkt }]);
	}),
	introspection_signing_alg_values_supported: { RS256: async (alg) => {
		const type = 'token-introspection+jwt';
		const answer = await post('/introspect', { token: mail.body.access_token }, { headers: { authorization: basic('mail-rs', mail_secret), accept: `application/${type}` } });
		const { payload } = await signed(answer.text, { audience: 'mail-rs', typ: type, algorithms: [alg] });
		assert.equal(payload.token_introspection.active, true);
	} },
	prompt_values_supported: {
		none: async () => {
			await told({ prompt: 'none' }, 'consent_required');
			const wish = agent.authorization({ prompt: 'none' });
			is_told(grantd, await ask(grantd, wish.url), wish, 'login_required');
		},
		login: async () => assert.ok((await alice.get(agent.authorization({ prompt: 'login' }).url)).form_with('password')),
		consent: () => question({ prompt: 'consent' }),
	},
	acr_values_supported: { 'urn:grantd:acr:password': async (acr) => {
		await question({ acr_values: acr });
		assert.equal(claims(mail.body.id_token).acr, acr);
	} },
	refresh_token_expiration_types_supported: {
		authorization: async () => assert.ok(Math.abs(mail.body.authorization_expires_in - 7 * 86400) < 600),
		token_timeout: async () => assert.ok(Math.abs(mail.body.refresh_token_timeout - 30 * 86400) < 600),
	},
	subject_types_supported: { public: async () => {
		for (const { access_token } of await Promise.all(Object.values(family))) assert.equal(claims(access_token).sub, claims(mail.body.id_token).sub);
	} },
	id_token_signing_alg_values_supported: { RS256: async (alg) => { await signed(mail.body.id_token, { audience: agent.client_id, algorithms: [alg] }); } },
	scopes_supported: {
		...of_each(identity_scopes.split(' '), (name) => scope_of(() => identity, name)), ...of_each(mail_scopes.split(' '), (name) => scope_of(() => mail, name)),
		'mail.count': async () => assert.equal(ok(await as_itself({ scope: 'mail.count' })).scope, 'mail.count'),
	},
	claims_supported: {
		sub: claim_of_id((value) => /^usr_[a-z2-7]{26}$/.test(value)), iss: claim_of_id((value) => value === grantd.issuer), aud: claim_of_id((value) => value === agent.client_id),
		exp: claim_of_id((value) => value > Date.now() / 1000), iat: claim_of_id(is_now), auth_time: claim_of_id(is_now), acr: claim_of_id((value) => metadata.acr_values_supported.includes(value)),
		nonce: claim_of_id((value) => value === 'a nonce'), at_hash: claim_of_id((value) => /^.{22}$/.test(value)), amr: claim_of_id((value) => value[0] === 'pwd'),
		email: claim_of_userinfo('alice@example.org'), email_verified: claim_of_userinfo(false), preferred_username: claim_of_userinfo('alice'),
	},
	authorization_details_types_supported: { operations: async (type) => {
		const details = [{ type, locations: [grantd.mail_uri], scope: 'mail.write', actions: ['mail.move'], limits: { per_day: 3 } }];
		const by = await newcomer();
		const wish = await by.push({ scope: 'mail.write', authorization_details: JSON.stringify(details) });
		const { code } = await alice.allow(wish.url, { scope: ['mail.write'] });
		const body = ok(await by.redeem(code, wish));
		assert.deepEqual([body.authorization_details, claims(body.access_token).authorization_details], [details, details]);
	} },
	authorization_response_iss_parameter_supported: { true: async () => {
		assert.equal(mail.iss, grantd.issuer);
		await told({ scope: 'mail.fly' }, 'invalid_scope'); // with iss, as every error
	} },
	client_id_metadata_document_supported: { true: async () => {
		const described = host.agent(grantd, host.publish());
		assert.ok(await active((await allowed({ scope: 'mail.read' }, described)).body.access_token));
	} },
	claims_parameter_supported: { false: async () => {
		const page = await question({ scope: 'openid', resource: null, claims: '{"id_token":{"email":{"essential":true}}}' });
		assert.doesNotMatch(page.text, /e-mail address/);
	} },
	request_parameter_supported: { false: () => told({ request: 'eyJhbGciOiJub25lIn0.e30.' }, 'request_not_supported') },
	request_uri_parameter_supported: { false: () => told({ request_uri: 'https://app.example/request.jwt' }, 'request_uri_not_supported') },
};

// What each list does not name, and what comes of it.
const neighbours = {
	grant_types_supported: { password: (type) => grant(type, { username: 'alice', password: alice.password }), [jwt_bearer]: (type) => grant(type, { assertion: 'a.b.c' }) },
	response_types_supported: of_each(['token', 'id_token', 'code id_token', 'none'], () => (response_type) => told({ response_type }, 'unsupported_response_type')),
	response_modes_supported: of_each(['fragment', 'form_post', 'jwt'], () => (response_mode) => told({ response_mode }, 'invalid_request')),
	code_challenge_methods_supported: of_each(['plain', 's256'], () => (code_challenge_method) => told({ code_challenge_method }, 'invalid_request')),
	token_endpoint_auth_methods_supported: { client_secret_jwt: other_way('/token') },
	token_endpoint_auth_signing_alg_values_supported: { RS384: other_assertion('/token') },
	revocation_endpoint_auth_methods_supported: { client_secret_jwt: other_way('/revoke') },
	revocation_endpoint_auth_signing_alg_values_supported: { RS384: other_assertion('/revoke') },
	introspection_endpoint_auth_methods_supported: { client_secret_jwt: other_way('/introspect'), none: async () => refused(await ways.none('/introspect', { token: mail.body.access_token }), 401, 'invalid_client') },
	introspection_endpoint_auth_signing_alg_values_supported: { RS384: other_assertion('/introspect') },
	dpop_signing_alg_values_supported: of_each(['HS256', 'ES384', 'none'], () => async (alg) => {
		const proof = keys.ES256.proof(metadata.token_endpoint, { header: { alg } });
		refused(await as_itself({}, { headers: { DPoP: proof } }), 400, 'invalid_dpop_proof');
	}),
	introspection_signing_alg_values_supported: { ES256: async (alg) => ok_or_ours(await register({ introspection_signed_response_alg: alg }), 'introspection_signed_response_alg', alg) },
	prompt_values_supported: { create: (prompt) => told({ prompt }, 'invalid_request') },
	acr_values_supported: { phr: (acr_values) => told({ acr_values }, 'unmet_authentication_requirements') },
	// nobody can ask for one of these: what else comes with the token is none
	refresh_token_expiration_types_supported: { refresh_token_expires_in: async (name) => assert.equal(name in mail.body, false) },
	subject_types_supported: { pairwise: async (type) => ok_or_ours(await register({ subject_type: type }), 'subject_type', type) },
	id_token_signing_alg_values_supported: of_each(['HS256', 'ES256', 'none'], () => async (alg) => ok_or_ours(await register({ id_token_signed_response_alg: alg }), 'id_token_signed_response_alg', alg)),
	scopes_supported: of_each(['mail.fly', 'phone'], () => (scope) => told({ scope }, 'invalid_scope')),
	claims_supported: { '*': async () => {
		const { payload } = await signed(mail.body.id_token, { audience: agent.client_id });
		for (const name of Object.keys({ ...payload, ...await userinfo() })) assert.ok(metadata.claims_supported.includes(name), name);
	} },
	authorization_details_types_supported: { payment_initiation: async (type) =>
		refused((await agent.push({ authorization_details: JSON.stringify([{ type, locations: [grantd.mail_uri], actions: ['mail.move'] }]) })).answer, 400, 'invalid_authorization_details') },
};
const grant = async (grant_type, parameters) => refused(await agent.post('/token', { grant_type, ...parameters }), 400, 'unsupported_grant_type');
// refused, or another value registered in its place, which the answer says (RFC 7591 3.2.1)
function ok_or_ours(answer, member, value) {
	if (answer.status === 400) return refused(answer, 400, 'invalid_client_metadata');
	assert.equal(answer.status, 201, answer.text);
	assert.notEqual(answer.body[member], value, `${member} is kept as if it were done`);
}

const values_of = (said) => (Array.isArray(said) ? said : [said]);
const name_of = (value) => String(value).replace(grantd.issuer, '');
const promised = (document) => Object.entries(document).flatMap(([member, said]) => values_of(said).map((value) => `${member}: ${name_of(value)}`)).sort();
const performed = (table) => Object.entries(table).flatMap(([member, does]) => Object.keys(does).map((value) => `${member}: ${value}`)).sort();

describe('the table is whole', () => {
	test('every promise has a performer, and every performer a promise', async () => {
		assert.deepEqual(performed(performers), promised(metadata));
	});
	test('every list has a neighbour that it does not name', () => {
		assert.deepEqual(Object.keys(neighbours).sort(), Object.keys(metadata).filter((member) => Array.isArray(metadata[member])).sort());
		for (const [member, others] of Object.entries(neighbours)) for (const value of Object.keys(others)) assert.ok(!metadata[member].includes(value), `${member}: ${value}`);
	});
	test('both documents say the same, and there is no other', async () => {
		assert.deepEqual(await Promise.all(well_known.map(document_at)), [metadata, metadata, null]);
	});
});

describe('what is promised is done', { concurrency: 4 }, () => {
	for (const [member, table] of Object.entries(performers)) {
		for (const [name, perform] of Object.entries(table)) test(`${member}: ${name || 'ours'}`, () => perform(values_of(metadata[member]).find((value) => name_of(value) === name)));
	}
});

describe('what is not promised is not done', { concurrency: 4 }, () => {
	for (const [member, table] of Object.entries(neighbours)) {
		for (const [name, perform] of Object.entries(table)) test(`${member}: ${name}`, () => perform(name));
	}
});

describe('other settings, other promises', () => {
	async function set(settings) {
		const reloads = () => grantd.log().filter(({ event }) => event === 'reload.done').length;
		const before = reloads();
		fs.appendFileSync(path.join(grantd.dir, 'grantd.conf'), Object.entries(settings).map((pair) => `${pair.join(' = ')}\n`).join(''));
		grantd.daemon.kill('SIGHUP');
		await until(() => reloads() > before);
		return document_at(well_known[0]);
	}
	test('what is off is promised no more and not done, and what is required is', async () => {
		const now = await set({ require_pushed_requests: 'yes', registration: 'off', client_metadata: 'no' });
		const [had, has] = [promised(metadata), promised(now)];
		assert.deepEqual(had.filter((one) => !has.includes(one)), ['client_id_metadata_document_supported: true', 'registration_endpoint: /register']);
		assert.deepEqual(has.filter((one) => !had.includes(one)), ['client_id_metadata_document_supported: false', 'require_pushed_authorization_requests: true']);
		await told({}, 'invalid_request');
		assert.ok((await alice.get((await agent.push()).url)).form_with('decision'));
		assert.equal((await register()).status, 404);
		const stranger = await alice.get(host.agent(grantd, host.publish({}, { file: '/other.json' })).authorization().url);
		assert.deepEqual([stranger.left, stranger.status], [null, 400]);
	});
});
