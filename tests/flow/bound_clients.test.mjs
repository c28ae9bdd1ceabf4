// SPDX-License-Identifier: Apache-2.0
// Real clients that prove their keys, against a server that insists on its nonces: openid-client and oauth4webapi.
import assert from 'node:assert/strict';
import crypto from 'node:crypto';
import fs from 'node:fs';
import path from 'node:path';
import { after, before, test } from 'node:test';
import * as oauth from 'oauth4webapi';
import * as openid from 'openid-client';
import { Instance, claims } from './harness/index.mjs';

const { subtle } = crypto.webcrypto;
const make_pair = () => subtle.generateKey({ name: 'ECDSA', namedCurve: 'P-256' }, false, ['sign', 'verify']);
let grantd, alice, mail, pair, asked = 0;

before(async () => {
	grantd = await Instance.start(null, { env: { GRANTD_REQUIRE_DPOP_NONCE: 'yes' } });
	await grantd.add_resource();
	alice = await grantd.add_person('alice');
	mail = await grantd.add_agent({ id: 'mail-agent', scope: 'openid profile mail.read', args: ['--dpop', 'required'] });
	pair = await make_pair();
	const jwk = await subtle.exportKey('jwk', pair.publicKey);
	const file = path.join(grantd.home, 'app.json');
	fs.writeFileSync(file, JSON.stringify({ keys: [{ kty: jwk.kty, crv: jwk.crv, x: jwk.x, y: jwk.y, kid: 'app-1', alg: 'ES256', use: 'sig' }] }));
	await grantd.operate(['client', 'create', '--id', 'app', '--name', 'App', '--jwks-file', file, '--signing-alg', 'ES256',
		'--redirect-uri', 'https://app.example/cb', '--resource', 'mail', '--dpop', 'required']);
});
after(() => grantd.dispose());

// counts how often the server asked for a nonce
const counting = async (...words) => {
	const response = await grantd.fetch(...words);
	if (response.headers.get('dpop-nonce') !== null) asked++;
	return response;
};

test('openid-client: code, userinfo and refresh with DPoP; the nonce is its own affair', async () => {
	const config = await openid.discovery(new URL(grantd.issuer), mail.client_id, undefined, openid.None(), { [openid.customFetch]: counting });
	config[openid.customFetch] = counting;
	const DPoP = openid.getDPoPHandle(config, await openid.randomDPoPKeyPair());
	const verifier = openid.randomPKCECodeVerifier();
	const url = openid.buildAuthorizationUrl(config, {
		redirect_uri: mail.redirect_uri, scope: 'openid profile', resource: grantd.issuer, dpop_jkt: await DPoP.calculateThumbprint(),
		code_challenge: await openid.calculatePKCECodeChallenge(verifier), code_challenge_method: 'S256',
	});
	const answered = await alice.allow(url.href);
	asked = 0;
	const tokens = await openid.authorizationCodeGrant(config, answered.url, { pkceCodeVerifier: verifier, idTokenExpected: true }, undefined, { DPoP });
	assert.equal(asked, 1, 'the first proof was answered with a nonce');
	assert.equal(tokens.token_type, 'dpop');
	assert.deepEqual(claims(tokens.access_token).cnf, { jkt: await DPoP.calculateThumbprint() });
	const person = await openid.fetchUserInfo(config, tokens.access_token, tokens.claims().sub, { DPoP });
	assert.equal(person.preferred_username, 'alice');
	await assert.rejects(openid.fetchUserInfo(config, tokens.access_token, tokens.claims().sub));
	const fresh = await openid.refreshTokenGrant(config, tokens.refresh_token, undefined, { DPoP });
	assert.equal(fresh.token_type, 'dpop');
	const other = openid.getDPoPHandle(config, await openid.randomDPoPKeyPair());
	await assert.rejects(openid.refreshTokenGrant(config, fresh.refresh_token, undefined, { DPoP: other }), { error: 'invalid_grant', error_description: 'other_key' });
	await assert.rejects(openid.refreshTokenGrant(config, fresh.refresh_token), { error: 'invalid_grant', error_description: 'proof_missing' });
	await openid.refreshTokenGrant(config, fresh.refresh_token, undefined, { DPoP });
});

test('oauth4webapi: private_key_jwt and DPoP at once', async () => {
	const options = { [oauth.customFetch]: counting };
	const issuer = new URL(grantd.issuer);
	const as = await oauth.processDiscoveryResponse(issuer, await oauth.discoveryRequest(issuer, { algorithm: 'oauth2', ...options }));
	assert.ok(as.dpop_signing_alg_values_supported.includes('ES256') && as.token_endpoint_auth_methods_supported.includes('private_key_jwt'));
	const client = { client_id: 'app' };
	const DPoP = oauth.DPoP(client, await oauth.generateKeyPair('ES256'));
	const known = oauth.PrivateKeyJwt({ key: pair.privateKey, kid: 'app-1' });
	const wish = Object.assign(Object.create(mail), { client_id: 'app', redirect_uri: 'https://app.example/cb', scope: 'mail.read' }).authorization();
	const answered = await alice.allow(wish.url);
	const parameters = oauth.validateAuthResponse(as, client, answered.url, wish.state);
	const redeem = async () => oauth.processAuthorizationCodeResponse(as, client,
		await oauth.authorizationCodeGrantRequest(as, client, known, parameters, wish.redirect_uri, wish.verifier, { ...options, DPoP }));
	await assert.rejects(redeem(), (error) => oauth.isDPoPNonceError(error));
	const tokens = await redeem();
	assert.equal(tokens.token_type, 'dpop');
	const fresh = await oauth.processRefreshTokenResponse(as, client, await oauth.refreshTokenGrantRequest(as, client, known, tokens.refresh_token, { ...options, DPoP }));
	const seen = await oauth.processIntrospectionResponse(as, client, await oauth.introspectionRequest(as, client, known, fresh.access_token, options));
	assert.equal(seen.active, true);
	assert.deepEqual(seen.cnf, claims(fresh.access_token).cnf);
	await oauth.processRevocationResponse(await oauth.revocationRequest(as, client, known, fresh.refresh_token, options));
	assert.deepEqual(await grantd.introspect(fresh.access_token), { active: false });
	const stranger = oauth.PrivateKeyJwt((await make_pair()).privateKey);
	await assert.rejects(async () => oauth.processIntrospectionResponse(as, client, await oauth.introspectionRequest(as, client, stranger, fresh.access_token, options)),
		(error) => error.status === 401 || error.error === 'invalid_client');
});
