// SPDX-License-Identifier: Apache-2.0
// private_key_jwt (RFC 7523) at the token, introspection and revocation endpoints. Rows CA of tests/rows.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import { after, before, describe, test } from 'node:test';
import { granted, refused } from './expect.mjs';
import { Instance, basic, driver } from './harness/index.mjs';
import { ClientKey, asserting, seconds } from './proof.mjs';

const secret = 'a secret of the web agent, long enough: 0123456789';
const keys = { ES256: new ClientKey(), EdDSA: new ClientKey('EdDSA'), Ed25519: new ClientKey('Ed25519'), RS256: new ClientKey('RS256'), PS256: new ClientKey('PS256') };
const key = keys.ES256;
let grantd, alice, robot, web, other, issuer;

// A file of public keys, as `--jwks-file` takes it.
function jwks_file(name, jwks) {
	const file = path.join(grantd.home, name);
	fs.writeFileSync(file, JSON.stringify({ keys: jwks }));
	return file;
}

// An agent that is known by its keys; its requests carry no secret.
async function add(id, jwks, { args = [], ...options } = {}) {
	const words = ['client', 'create', '--id', id, '--name', id, '--jwks-file', jwks_file(`${id}.json`, jwks), '--resource', 'mail', ...args];
	for (const uri of options.redirect_uris ?? []) words.push('--redirect-uri', uri);
	return grantd.operate(words);
}

before(async () => {
	grantd = await Instance.start(null);
	issuer = grantd.issuer;
	await grantd.add_resource({ scopes: [
		{ name: 'mail.read', title: 'Read your mail', risk: 'read', default: true, can: ['read'], cannot: ['write'] },
		{ name: 'mail.count', title: 'Count mail', risk: 'read', clients: true, can: ['count'], cannot: ['read'] },
	] });
	alice = await grantd.add_person('alice');
	await add('robot', Object.entries(keys).map(([kid, { jwk }]) => ({ ...jwk, kid })));
	await add('one-key', [key.jwk], { args: ['--signing-alg', 'ES256'] });
	await add('app', [key.jwk], { redirect_uris: ['https://app.example/cb'] });
	web = await grantd.add_agent({ id: 'web-app', secret, scope: 'mail.read', redirect_uris: ['https://web.example/cb'] });
	other = await grantd.add_agent({ scope: 'mail.read' });
	robot = other;
});
after(() => grantd.dispose());

const post = (where, parameters, options) => robot.post(where, parameters, { auth: false, ...options });
const token = (assertion, parameters = {}, options) => post('/token', { grant_type: 'client_credentials', ...asserting(assertion), ...parameters }, options);
const made = (changes, from = key, id = 'robot') => from.assertion(id, issuer, changes);
const bad = (assertion, words, parameters) => grantd.unchanged(async () => refused(await token(assertion, parameters), 401, 'invalid_client', words));

describe('an assertion by each kind of key, by its kid and without one', () => {
	for (const alg of Object.keys(keys)) {
		test(alg, async () => {
			granted(await token(made({ header: { kid: alg } }, keys[alg])));
			granted(await token(made({}, keys[alg])));
			await bad(made({ header: { kid: 'ES256x' } }, keys[alg]), /registered key/);
		});
	}
});

test('the client_id may come too, and then it is the same', async () => {
	granted(await token(made(), { client_id: 'robot' }));
	await grantd.unchanged(async () => refused(await token(made(), { client_id: 'web-app' }), 400, 'invalid_request'));
});

test('refresh tokens of a client that proves a key may stay the same, until the operator says otherwise', async () => {
	const refresh = async (refresh_token, assertion) => post('/token', { grant_type: 'refresh_token', refresh_token, ...assertion });
	const mine = () => asserting(made({}, key, 'app'));
	const wish = Object.assign(Object.create(other), { client_id: 'app', redirect_uri: 'https://app.example/cb', scope: 'mail.read' }).authorization();
	const { url } = await alice.allow(wish.url);
	const first = granted(await post('/token', { grant_type: 'authorization_code', code: url.searchParams.get('code'), code_verifier: wish.verifier, ...mine() }));
	assert.equal((await grantd.operate(['client', 'update', 'app', '--refresh', 'sender-constrained'])).refresh, 'sender-constrained');
	for (let i = 0; i < 3; i++) {
		const again = granted(await refresh(first.refresh_token, mine()));
		assert.equal(again.refresh_token, first.refresh_token);
		assert.notEqual(again.access_token, first.access_token);
		assert.ok(again.refresh_token_timeout > 0);
	}
	await grantd.unchanged(async () => refused(await refresh(first.refresh_token, asserting(made({}, new ClientKey(), 'app'))), 401, 'invalid_client'));
	await grantd.unchanged(async () => refused(await refresh(first.refresh_token, { client_id: 'app' }), 401, 'invalid_client'));
	assert.equal((await grantd.operate(['client', 'update', 'app', '--refresh', 'rotation'])).refresh, 'rotation');
	assert.notEqual(granted(await refresh(first.refresh_token, mine())).refresh_token, first.refresh_token);
	await grantd.unchanged(async () => {
		// who shows a secret, or nothing, has no key that holds a copy back
		for (const id of ['web-app', other.client_id])
			await assert.rejects(grantd.operate(['client', 'update', id, '--refresh', 'sender-constrained']), /prove a key/);
		await assert.rejects(grantd.operate(['client', 'update', 'app', '--refresh', 'never']), /rotation or sender-constrained/);
	});
	assert.equal((await grantd.operate(['client', 'update', other.client_id, '--dpop', 'required', '--refresh', 'sender-constrained'])).refresh, 'sender-constrained');
	await assert.rejects(grantd.operate(['client', 'update', other.client_id, '--dpop', 'optional']), /prove a key/);
	await grantd.operate(['client', 'update', other.client_id, '--refresh', 'rotation', '--dpop', 'optional']);
});

test('CA-003: two methods at once', async () => {
	refused(await token(made(), {}, { headers: { authorization: basic('robot', secret) } }), 400, 'invalid_request');
	refused(await token(made(), { client_id: 'robot', client_secret: secret }), 400, 'invalid_request');
});

test('CA-006: another method than the registered one', async () => {
	refused(await post('/token', { grant_type: 'client_credentials', client_id: 'robot', client_secret: secret }), 401, 'invalid_client');
	refused(await post('/token', { grant_type: 'client_credentials', client_id: 'robot' }), 401, 'invalid_client');
	refused(await post('/token', { grant_type: 'client_credentials' }, { headers: { authorization: basic('robot', secret) } }), 401, 'invalid_client');
	await bad(key.assertion('web-app', issuer), /authentication failed/);
	await bad(key.assertion('mail-agent', issuer), /authentication failed/);
	await bad(key.assertion('nobody', issuer), /authentication failed/);
	const [, payload] = made().split('.');
	const none = Buffer.from('{"alg":"none"}').toString('base64url');
	await bad(`${none}.${payload}.`);
	await bad(`${none}.${payload}.AAAA`, /alg/);
	// with the secret beside it, it is two methods
	refused(await token(`${none}.${payload}.AAAA`, { client_id: 'web-app', client_secret: secret }), 400, 'invalid_request');
});

test('CA-009: client_assertion_type wrong or missing, or nothing but it', async () => {
	for (const type of [null, 'urn:ietf:params:oauth:client-assertion-type:saml2-bearer', 'jwt-bearer']) await bad(made(), /client_assertion_type/, { client_assertion_type: type });
	await bad(null, /client_assertion is missing/);
});

test('CA-011: another algorithm than the registered one, or than the key', async () => {
	granted(await token(made({}, key, 'one-key')));
	await bad(made({}, keys.EdDSA, 'one-key'), /registered/);
	await bad(made({ header: { alg: 'RS256' } }, key, 'one-key'), /registered/);
	await bad(made({ header: { alg: 'HS256' } }), /alg/);
	await bad(made({ header: { alg: 'PS256', kid: 'ES256' } }), /registered key/);
});

test('CA-012, CA-013: an audience that is not the issuer alone', async () => {
	for (const aud of [`${issuer}/token`, `${issuer}/`, [issuer], [issuer, 'https://other.example'], 'https://other.example', undefined, 7, ''])
		await bad(made({ aud }), /aud/);
});

test('iss and sub are the client, both', async () => {
	for (const claims of [{ iss: 'web-app' }, { iss: undefined }, { sub: undefined }, { sub: 'one-key' }]) await bad(made(claims), /iss|sub|registered key/);
	await bad(made({ jti: undefined }), /jti/);
	await bad(made({ jti: '' }), /jti/);
});

test('CA-016: times', async () => {
	for (const claims of [{ exp: undefined }, { exp: seconds(-1) }, { exp: seconds(320) }, { exp: seconds(3600) }, { exp: 'soon' }, { exp: -5 },
		{ nbf: seconds(60) }, { iat: seconds(60) }, { iat: seconds(-600) }, { iat: undefined, exp: seconds(320) }]) await bad(made(claims));
	granted(await token(made({ iat: seconds(8), nbf: seconds(8), exp: seconds(300) })));
	granted(await token(made({ iat: undefined, exp: seconds(290) })));
});

test('CA-019: of 32 requests with one jti one is served', async () => {
	const racing = made();
	const answers = await Promise.all(Array.from({ length: 32 }, () => token(racing)));
	assert.equal(answers.filter(({ status }) => status === 200).length, 1);
	for (const answer of answers.filter(({ status }) => status !== 200)) refused(answer, 401, 'invalid_client', /used before/);
	granted(await token(made({ jti: 'mine' })));
	granted(await token(made({ jti: 'mine' }, key, 'one-key')));
	await bad(made({ jti: 'mine' }), /used before/);
});

if (driver === 'postgres') test('on PostgreSQL only: CA-019: of 32 requests with one jti at two nodes one is served', async (t) => {
	const node = await Instance.beside(t, grantd);
	await node.start();
	const at_either = (assertion, i) => (i % 2 ? robot : robot.at(node)).post('/token', { grant_type: 'client_credentials', ...asserting(assertion) }, { auth: false });
	for (let round = 0; round < 4; round++) {
		const racing = made();
		const answers = await Promise.all(Array.from({ length: 32 }, (_, i) => at_either(racing, i)));
		assert.equal(answers.filter(({ status }) => status === 200).length, 1);
		for (const answer of answers.filter(({ status }) => status !== 200)) refused(answer, 401, 'invalid_client', /used before/);
	}
	// and one after the other
	const used = made();
	granted(await at_either(used, 0));
	refused(await at_either(used, 1), 401, 'invalid_client', /used before/);
});

test('an assertion whose request is refused is used up all the same', async () => {
	const used = made();
	refused(await token(used, { scope: 'mail.read' }), 400, 'invalid_scope');
	await bad(used, /used before/);
	const asked = made();
	const late = await token(asked, {}, { headers: { DPoP: key.proof(`${issuer}/token`, { iat: seconds(-100) }) } });
	refused(late, 400, 'use_dpop_nonce');
	const again = await token(asked, {}, { headers: { DPoP: key.proof(`${issuer}/token`, { nonce: late.headers.get('dpop-nonce') }) } });
	assert.equal(again.status, 200, again.text);
	assert.equal(again.body.token_type, 'DPoP');
});

test('CA-023: keys and places of keys in the header', async () => {
	for (const header of [{ jku: 'https://127.0.0.1:9/keys' }, { x5u: 'https://127.0.0.1:9/cert' }, { x5c: ['AAAA'] }, { jwk: key.jwk }]) await bad(made({ header }), /header/);
});

test('CA-024: crit and b64', async () => {
	await bad(made({ header: { crit: ['exp'] } }), /crit/);
	await bad(made({ header: { b64: false, crit: ['b64'] } }), /crit|b64/);
});

test('CA-025: signatures of zero, of DER, of another length', async () => {
	const [header, payload, signature] = made().split('.');
	const bytes = Buffer.from(signature, 'base64url');
	const zero_r = Buffer.concat([Buffer.alloc(32), bytes.subarray(32)]), zero_s = Buffer.concat([bytes.subarray(0, 32), Buffer.alloc(32)]);
	const der = Buffer.concat([Buffer.from([0x30, 68, 2, 32]), bytes.subarray(0, 32), Buffer.from([2, 32]), bytes.subarray(32)]);
	for (const wrong of [zero_r, zero_s, Buffer.alloc(64), der, bytes.subarray(0, 63), Buffer.concat([bytes, Buffer.alloc(1)])])
		await bad(`${header}.${payload}.${wrong.toString('base64url')}`, /registered key/);
});

test('code, refresh, introspection and revocation, each with an assertion of its own', async () => {
	const app = () => asserting(key.assertion('app', issuer));
	const wish = Object.assign(Object.create(other), { client_id: 'app', redirect_uri: 'https://app.example/cb', scope: 'mail.read' }).authorization();
	const { code } = await alice.allow(wish.url);
	const first = granted(await post('/token', { grant_type: 'authorization_code', code, redirect_uri: wish.redirect_uri, code_verifier: wish.verifier, ...app() }));
	const next = granted(await post('/token', { grant_type: 'refresh_token', refresh_token: first.refresh_token, ...app() }));
	const used = app();
	assert.equal((await post('/introspect', { token: next.access_token, ...used })).body.active, true);
	refused(await post('/introspect', { token: next.access_token, ...used }), 401, 'invalid_client', /used before/);
	refused(await post('/revoke', { token: next.refresh_token, ...used }), 401, 'invalid_client', /used before/);
	assert.equal((await post('/revoke', { token: next.refresh_token, ...app() })).status, 200);
	assert.equal((await post('/introspect', { token: next.access_token, ...app() })).body.active, false);
	refused(await post('/token', { grant_type: 'refresh_token', refresh_token: next.refresh_token, ...app() }), 400, 'invalid_grant', /^revoked_by_client$/);
});

describe('what is registered', () => {
	const no = async (id, jwks, words, ...args) => {
		const made = await grantd.grantctl(['client', 'create', '--id', id, '--name', id, '--jwks-file', jwks_file('refused.json', jwks), ...args]);
		assert.notEqual(made.status, 0);
		assert.match(made.stderr, words);
	};
	test('private and symmetric keys, and sets without a usable key, are refused', async () => {
		await no('a', [key.private.export({ format: 'jwk' })], /private or symmetric.*new pair/);
		await no('b', [{ kty: 'oct', k: 'AAAA' }], /private or symmetric/);
		await no('c', [], /1 to 8/);
		await no('d', [{ ...key.jwk, use: 'enc' }], /no key to verify/);
		await no('e', [{ ...key.jwk, kid: 'x' }, { ...keys.EdDSA.jwk, kid: 'x' }], /kid/);
		await no('f', [key.jwk], /algorithm/, '--signing-alg', 'HS256');
		await no('g', [key.jwk], /one of --public/, '--public');
	});
	test('new keys count at once, and the old ones no more', async () => {
		await add('moving', [key.jwk]);
		granted(await token(made({}, key, 'moving')));
		await grantd.operate(['client', 'update', 'moving', '--jwks-file', jwks_file('new.json', [keys.EdDSA.jwk])]);
		await bad(made({}, key, 'moving'), /registered key/);
		granted(await token(made({}, keys.EdDSA, 'moving')));
		const shown = await grantd.operate(['client', 'show', 'moving']);
		assert.equal(shown.auth, 'private_key_jwt');
		assert.deepEqual(shown.jwks, { keys: [keys.EdDSA.jwk] });
	});
	test('a secret is no secret of such a client, and keys are none of another', async () => {
		const secret_for_keys = await grantd.grantctl(['client', 'update', 'robot', '--generate-secret']);
		assert.match(secret_for_keys.stderr, /has no secret/);
		const keys_for_secret = await grantd.grantctl(['client', 'update', web.client_id, '--jwks-file', jwks_file('k.json', [key.jwk])]);
		assert.match(keys_for_secret.stderr, /private_key_jwt needs/);
	});
});
