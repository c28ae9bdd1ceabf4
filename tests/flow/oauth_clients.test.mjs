// SPDX-License-Identifier: Apache-2.0
// The clients that people really use, unchanged, through the whole flow.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import { after, before, test } from 'node:test';
import * as oauth from 'oauth4webapi';
import * as openid from 'openid-client';
import { Instance, claims, run_well } from './harness/index.mjs';

let grantd, alice, web, mail;
before(async () => {
	grantd = await Instance.start(null);
	await grantd.add_resource();
	alice = await grantd.add_person('alice');
	mail = await grantd.add_agent({ id: 'mail-agent' });
	web = await grantd.add_agent({ id: 'web-app', secret: true, redirect_uris: ['https://app.example/cb'], scope: 'openid profile email', resource: null });
});
after(() => grantd.dispose());

async function discover_openid(client, authentication) {
	const config = await openid.discovery(new URL(grantd.issuer), client.client_id, undefined, authentication, { [openid.customFetch]: grantd.fetch });
	config[openid.customFetch] = grantd.fetch;
	return config;
}

test('openid-client signs a person in, checks the ID token and reads userinfo', async () => {
	const config = await discover_openid(web, openid.ClientSecretBasic(web.client_secret));
	const verifier = openid.randomPKCECodeVerifier();
	const state = openid.randomState();
	const nonce = openid.randomNonce();
	const url = openid.buildAuthorizationUrl(config, {
		redirect_uri: web.redirect_uri, scope: 'openid profile email', state, nonce, max_age: '3600',
		code_challenge: await openid.calculatePKCECodeChallenge(verifier), code_challenge_method: 'S256',
	});
	const answered = await alice.allow(url.href);
	const tokens = await openid.authorizationCodeGrant(config, answered.url,
		{ pkceCodeVerifier: verifier, expectedState: state, expectedNonce: nonce, maxAge: 3600, idTokenExpected: true });
	const id = tokens.claims();
	assert.equal(id.iss, grantd.issuer);
	assert.equal(id.aud, web.client_id);
	assert.match(id.sub, /^usr_[a-z2-7]{26}$/);
	assert.ok(id.auth_time <= Date.now() / 1000 && id.at_hash);
	assert.equal(claims(tokens.access_token).aud, grantd.issuer);
	const person = await openid.fetchUserInfo(config, tokens.access_token, id.sub);
	assert.deepEqual({ ...person }, { sub: id.sub, preferred_username: 'alice', email: 'alice@example.org', email_verified: false });
	const fresh = await openid.refreshTokenGrant(config, tokens.refresh_token);
	assert.notEqual(fresh.access_token, tokens.access_token);
	const seen = await openid.tokenIntrospection(config, fresh.access_token);
	assert.equal(seen.active, true);
	assert.equal(seen.client_id, web.client_id);
	await openid.tokenRevocation(config, fresh.refresh_token);
	await assert.rejects(openid.refreshTokenGrant(config, fresh.refresh_token), { error: 'invalid_grant' });
	assert.equal((await openid.tokenIntrospection(config, fresh.access_token)).active, false);
});

test('oauth4webapi as a public agent: code, refresh, revocation', async () => {
	const options = { [oauth.customFetch]: grantd.fetch };
	const issuer = new URL(grantd.issuer);
	const as = await oauth.processDiscoveryResponse(issuer, await oauth.discoveryRequest(issuer, { algorithm: 'oauth2', ...options }));
	const client = { client_id: mail.client_id };
	const wish = mail.authorization({ scope: 'mail.read' });
	const answered = await alice.allow(wish.url, { scope: ['mail.read'], duration: '1h' });
	const parameters = oauth.validateAuthResponse(as, client, answered.url, wish.state);
	const response = await oauth.authorizationCodeGrantRequest(as, client, oauth.None(), parameters, wish.redirect_uri, wish.verifier,
		{ ...options, additionalParameters: { resource: grantd.mail_uri } });
	const tokens = await oauth.processAuthorizationCodeResponse(as, client, response);
	assert.equal(tokens.scope, 'mail.read');
	assert.ok(tokens.authorization_expires_in <= 3600 && tokens.authorization_expires_in > 3500);
	assert.equal(claims(tokens.access_token).aud, grantd.mail_uri);
	assert.equal((await grantd.introspect(tokens.access_token)).username, 'alice');
	const fresh = await oauth.processRefreshTokenResponse(as, client,
		await oauth.refreshTokenGrantRequest(as, client, oauth.None(), tokens.refresh_token, options));
	await oauth.processRevocationResponse(await oauth.revocationRequest(as, client, oauth.None(), fresh.refresh_token, options));
	assert.deepEqual(await grantd.introspect(fresh.access_token), { active: false });
});

test('the signatures verify against the published keys', async () => {
	const options = { [oauth.customFetch]: grantd.fetch };
	const issuer = new URL(grantd.issuer);
	const as = await oauth.processDiscoveryResponse(issuer, await oauth.discoveryRequest(issuer, { algorithm: 'oidc', ...options }));
	const { access_token } = await mail.tokens(alice, { scope: ['mail.read'] });
	const request = new Request(grantd.mail_uri, { headers: { Authorization: `Bearer ${access_token}` } });
	const access = await oauth.validateJwtAccessToken(as, request, grantd.mail_uri, options);
	assert.equal(access.client_id, mail.client_id);
	assert.equal(access.scope, 'mail.read');
});

test('curl redeems a code', async () => {
	const wish = mail.authorization();
	const { code } = await alice.allow(wish.url, { scope: ['mail.read'] });
	const ca = path.join(grantd.dir, 'ca.pem');
	assert.ok(fs.existsSync(ca));
	const { stdout } = await run_well('curl', ['-sS', '--cacert', ca, '--resolve', `${grantd.host}:${grantd.port}:127.0.0.1`,
		'-d', `grant_type=authorization_code&client_id=${mail.client_id}`, '--data-urlencode', `code=${code}`,
		'--data-urlencode', `redirect_uri=${wish.redirect_uri}`, '-d', `code_verifier=${wish.verifier}`, `${grantd.issuer}/token`]);
	const tokens = JSON.parse(stdout);
	assert.equal(tokens.token_type, 'Bearer');
	assert.match(tokens.refresh_token, /^grt_/);
	assert.ok(tokens.refresh_token_timeout > 0);
});

test('userinfo wants its own token, in the header, and tells which', async () => {
	const userinfo = (token) => grantd.fetch(`${grantd.issuer}/userinfo`, { headers: token ? { Authorization: `Bearer ${token}` } : {} });
	const without = await userinfo();
	assert.equal(without.status, 401);
	assert.match(without.headers.get('www-authenticate'), /^Bearer realm="grantd", DPoP realm="grantd", algs="[^"]+"$/);
	const { access_token, refresh_token } = await mail.tokens(alice, { scope: ['mail.read'] });
	for (const token of [access_token, refresh_token, 'x.y.z', 'nonsense']) {
		const answer = await userinfo(token);
		assert.equal(answer.status, 401);
		assert.match(answer.headers.get('www-authenticate'), /^Bearer .*error="invalid_token"/);
	}
	const in_body = await grantd.fetch(`${grantd.issuer}/userinfo`, { method: 'POST', body: new URLSearchParams({ access_token }).toString(),
		headers: { 'content-type': 'application/x-www-form-urlencoded' } });
	assert.equal(in_body.status, 401);
});

test('scope profile alone gives no address, and POST is as good as GET', async () => {
	const tokens = await web.tokens(alice, { changes: { scope: 'openid profile', resource: null } });
	for (const method of ['GET', 'POST']) {
		const answer = await grantd.fetch(`${grantd.issuer}/userinfo`, { method, headers: { Authorization: `Bearer ${tokens.access_token}` } });
		assert.equal(answer.status, 200);
		assert.equal(answer.headers.get('access-control-allow-origin'), '*');
		assert.deepEqual(Object.keys(await answer.json()).sort(), ['preferred_username', 'sub']);
	}
});
