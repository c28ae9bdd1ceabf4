// SPDX-License-Identifier: Apache-2.0
// Real clients that nobody registered: each finds its way from a 401 of a resource to tokens that it refreshes.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import https from 'node:https';
import path from 'node:path';
import { after, before, test } from 'node:test';
import { auth } from '@modelcontextprotocol/sdk/client/auth.js';
import { Client } from '@modelcontextprotocol/sdk/client/index.js';
import { StreamableHTTPClientTransport } from '@modelcontextprotocol/sdk/client/streamableHttp.js';
import { McpServer } from '@modelcontextprotocol/sdk/server/mcp.js';
import { StreamableHTTPServerTransport } from '@modelcontextprotocol/sdk/server/streamableHttp.js';
import * as oauth from 'oauth4webapi';
import * as openid from 'openid-client';
import { Instance, claims, free_ports } from './harness/index.mjs';

let grantd, alice, server;
before(async () => {
	grantd = await Instance.start(null);
	server = await serve_tools();
	await grantd.add_resource();
	await grantd.add_resource({ name: 'tools', uri: server.uri, title: 'Tools', introspection: [{ id: 'tools-rs', secret_file: 'tools-rs.secret' }], scopes: [
		{ name: 'tools.read', title: 'Look things up', risk: 'read', default: true, can: ['look things up'], cannot: ['change anything'] },
		{ name: 'tools.write', title: 'Change things', risk: 'write', can: ['change things'], cannot: ['delete anything'] },
	] });
	alice = await grantd.add_person('alice');
});
after(async () => {
	await server?.close();
	await grantd?.dispose();
});

// An MCP server of the SDK behind TLS, which asks grantd about each token (RFC 9728, RFC 7662).
async function serve_tools() {
	const port = await free_ports();
	const uri = `https://${grantd.host}:${port}/mcp`;
	const metadata = `https://${grantd.host}:${port}/.well-known/oauth-protected-resource/mcp`;
	const tls = ['cert', 'key'].map((name) => fs.readFileSync(path.join(grantd.dir, 'tls', `${name}.pem`)));

	async function answer(request, response) {
		if (request.url.startsWith('/.well-known/oauth-protected-resource'))
			return response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify({ resource: uri, authorization_servers: [grantd.issuer], scopes_supported: ['tools.read'] }));
		const token = /^Bearer (.+)$/.exec(request.headers.authorization ?? '')?.[1];
		const seen = token ? await grantd.introspect(token, { id: 'tools-rs' }) : { active: false };
		if (!seen.active)
			return response.writeHead(401, { 'www-authenticate': `Bearer resource_metadata="${metadata}", scope="tools.read"` }).end();
		const tools = new McpServer({ name: 'tools', version: '1' });
		tools.registerTool('who', { description: 'Whom the token is for' }, async () => ({ content: [{ type: 'text', text: seen.username }] }));
		const transport = new StreamableHTTPServerTransport({ sessionIdGenerator: undefined });
		await tools.connect(transport);
		await transport.handleRequest(request, response);
	}
	const listening = https.createServer({ cert: tls[0], key: tls[1] }, (request, response) => answer(request, response).catch((error) => response.destroy(error)));
	await new Promise((resolve) => listening.listen(port, '127.0.0.1', resolve));
	return { uri, close: () => new Promise((resolve) => { listening.closeAllConnections(); listening.close(resolve); }) };
}

// What a desktop program keeps, and the browser it opens.
class Keeper {
	redirectUrl = 'http://localhost:3334/oauth/callback';
	#kept = {};
	get clientMetadata() {
		return { client_name: 'MCP CLI Proxy', client_uri: 'https://github.com/modelcontextprotocol/mcp-cli', redirect_uris: [this.redirectUrl], token_endpoint_auth_method: 'none',
			grant_types: ['authorization_code', 'refresh_token'], response_types: ['code'], software_id: '2e6dc280-f3c3-4e01-99a7-8181dbd1d23d', software_version: '0.15.0' };
	}
	state() { return 'a-state-of-its-own'; }
	clientInformation() { return this.#kept.client; }
	saveClientInformation(client) { this.#kept.client = client; }
	tokens() { return this.#kept.tokens; }
	saveTokens(tokens) { this.#kept.tokens = tokens; }
	saveCodeVerifier(verifier) { this.#kept.verifier = verifier; }
	codeVerifier() { return this.#kept.verifier; }
	invalidateCredentials(what) { if (what === 'tokens') delete this.#kept.tokens; else this.#kept = {}; }
	redirectToAuthorization(url) { this.opened = url; }
}

test('the MCP TypeScript SDK v1 discovers, registers, asks the person, calls a tool and refreshes', async () => {
	const keeper = new Keeper();
	const transport = () => new StreamableHTTPClientTransport(new URL(server.uri), { authProvider: keeper, fetch: grantd.fetch });
	const first = transport();
	await assert.rejects(new Client({ name: 'cli', version: '1' }).connect(first), { message: 'Unauthorized' });
	assert.match(keeper.clientInformation().client_id, /^cli_[a-z2-7]{26}$/);
	assert.equal(keeper.opened.searchParams.get('resource'), server.uri);
	const { code, iss, state } = await alice.allow(keeper.opened.href, { scope: ['tools.read'] });
	assert.deepEqual([iss, state], [grantd.issuer, 'a-state-of-its-own']);
	await first.finishAuth(code, iss);
	const client = new Client({ name: 'cli', version: '1' });
	await client.connect(transport());
	assert.deepEqual((await client.callTool({ name: 'who' })).content, [{ type: 'text', text: 'alice' }]);
	await client.close();
	const before = keeper.tokens();
	assert.equal(claims(before.access_token).aud, server.uri);
	assert.equal(await auth(keeper, { serverUrl: server.uri, fetchFn: grantd.fetch }), 'AUTHORIZED');
	assert.notEqual(keeper.tokens().access_token, before.access_token);
	assert.notEqual(keeper.tokens().refresh_token, before.refresh_token);
	// the person ends it: the SDK asks anew, and under the client id it has
	const [grant] = await grantd.operate(['grant', 'list']);
	await grantd.operate(['grant', 'revoke', grant.id]);
	const { client_id } = keeper.clientInformation();
	assert.equal(await auth(keeper, { serverUrl: server.uri, fetchFn: grantd.fetch }), 'REDIRECT');
	assert.equal(keeper.clientInformation().client_id, client_id);
});

test('a person is told what to do when the SDK comes with a client that is not there any more', async () => {
	const keeper = new Keeper();
	await auth(keeper, { serverUrl: server.uri, fetchFn: grantd.fetch });
	await grantd.operate(['client', 'disable', keeper.clientInformation().client_id]);
	const page = await alice.get(keeper.opened.href);
	assert.equal(page.status, 400);
	assert.match(page.text, /connect it anew, so that it registers again/);
});

test('openid-client registers, confidential by default, and signs a person in', async () => {
	const config = await openid.dynamicClientRegistration(new URL(grantd.issuer), { redirect_uris: ['https://app.example/cb'], client_name: 'Web app', grant_types: ['authorization_code', 'refresh_token'], scope: 'openid email' },
		openid.ClientSecretBasic(), { [openid.customFetch]: grantd.fetch });
	config[openid.customFetch] = grantd.fetch;
	assert.ok(config.clientMetadata().client_secret);
	const verifier = openid.randomPKCECodeVerifier(), nonce = openid.randomNonce();
	const url = openid.buildAuthorizationUrl(config, { redirect_uri: 'https://app.example/cb', scope: 'openid email', nonce, code_challenge: await openid.calculatePKCECodeChallenge(verifier), code_challenge_method: 'S256' });
	const answered = await alice.allow(url.href);
	const tokens = await openid.authorizationCodeGrant(config, answered.url, { pkceCodeVerifier: verifier, expectedNonce: nonce, idTokenExpected: true });
	assert.equal(tokens.claims().aud, config.clientMetadata().client_id);
	assert.notEqual((await openid.refreshTokenGrant(config, tokens.refresh_token)).refresh_token, tokens.refresh_token);
});

test('oauth4webapi registers, keeps its registration, and its tokens end with it', async () => {
	const options = { [oauth.customFetch]: grantd.fetch };
	const issuer = new URL(grantd.issuer);
	const as = await oauth.processDiscoveryResponse(issuer, await oauth.discoveryRequest(issuer, { algorithm: 'oauth2', ...options }));
	const client = await oauth.processDynamicClientRegistrationResponse(await oauth.dynamicClientRegistrationRequest(as,
		{ redirect_uris: ['http://127.0.0.1/callback'], token_endpoint_auth_method: 'none', grant_types: ['authorization_code', 'refresh_token'], client_name: 'Script' }, options));
	const verifier = oauth.generateRandomCodeVerifier();
	const url = new URL(as.authorization_endpoint);
	url.search = new URLSearchParams({ client_id: client.client_id, redirect_uri: 'http://127.0.0.1:9999/callback', response_type: 'code', resource: grantd.mail_uri, scope: 'mail.read',
		code_challenge: await oauth.calculatePKCECodeChallenge(verifier), code_challenge_method: 'S256' });
	const answered = await alice.allow(url.href, { scope: ['mail.read'] });
	const parameters = oauth.validateAuthResponse(as, client, answered.url, oauth.expectNoState);
	const tokens = await oauth.processAuthorizationCodeResponse(as, client, await oauth.authorizationCodeGrantRequest(as, client, oauth.None(), parameters, 'http://127.0.0.1:9999/callback', verifier, options));
	const fresh = await oauth.processRefreshTokenResponse(as, client, await oauth.refreshTokenGrantRequest(as, client, oauth.None(), tokens.refresh_token, options));
	const read = await oauth.protectedResourceRequest(client.registration_access_token, 'GET', new URL(client.registration_client_uri), undefined, undefined, options);
	assert.equal((await read.json()).client_id, client.client_id);
	await oauth.protectedResourceRequest(client.registration_access_token, 'DELETE', new URL(client.registration_client_uri), undefined, undefined, options);
	assert.deepEqual(await grantd.introspect(fresh.access_token), { active: false });
	await assert.rejects(async () => oauth.processRefreshTokenResponse(as, client, await oauth.refreshTokenGrantRequest(as, client, oauth.None(), fresh.refresh_token, options)), { code: oauth.WWW_AUTHENTICATE_CHALLENGE, status: 401 });
});

test('oauth4webapi registers with keys of its own, bound by DPoP, as hosted chats do', async () => {
	const options = { [oauth.customFetch]: grantd.fetch };
	const issuer = new URL(grantd.issuer);
	const as = await oauth.processDiscoveryResponse(issuer, await oauth.discoveryRequest(issuer, { algorithm: 'oauth2', ...options }));
	const pair = await oauth.generateKeyPair('RS256', { extractable: true });
	const { kty, n, e } = await crypto.subtle.exportKey('jwk', pair.publicKey);
	const wish = { redirect_uris: ['https://chat.example/connector_platform_oauth_redirect'], grant_types: ['authorization_code', 'refresh_token'], client_name: 'Chat',
		token_endpoint_auth_method: 'private_key_jwt', token_endpoint_auth_methods_supported: ['private_key_jwt', 'none'], token_endpoint_auth_signing_alg: 'RS256' };
	const register = async (more) => oauth.processDynamicClientRegistrationResponse(await oauth.dynamicClientRegistrationRequest(as, { ...wish, ...more }, options));
	// by reference they are read when somebody is asked (key_sets.test.mjs)
	const elsewhere = await register({ jwks_uri: 'https://chat.example/jwks.json' });
	assert.deepEqual([elsewhere.token_endpoint_auth_method, elsewhere.jwks_uri], ['private_key_jwt', 'https://chat.example/jwks.json']);
	const client = await register({ jwks: { keys: [{ kty, n, e, kid: 'one' }] }, dpop_bound_access_tokens: true });
	assert.deepEqual([client.token_endpoint_auth_method, client.token_endpoint_auth_signing_alg, client.dpop_bound_access_tokens, client.jwks.keys[0].kid, client.client_secret],
		['private_key_jwt', 'RS256', true, 'one', undefined]);
	const known = oauth.PrivateKeyJwt({ key: pair.privateKey, kid: 'one' });
	const DPoP = oauth.DPoP(client, await oauth.generateKeyPair('ES256'));
	const verifier = oauth.generateRandomCodeVerifier();
	const url = new URL(as.authorization_endpoint);
	url.search = new URLSearchParams({ client_id: client.client_id, redirect_uri: wish.redirect_uris[0], response_type: 'code', resource: grantd.mail_uri, scope: 'mail.read',
		code_challenge: await oauth.calculatePKCECodeChallenge(verifier), code_challenge_method: 'S256' });
	const answered = await alice.allow(url.href, { scope: ['mail.read'] });
	const parameters = oauth.validateAuthResponse(as, client, answered.url, oauth.expectNoState);
	const tokens = await oauth.processAuthorizationCodeResponse(as, client, await oauth.authorizationCodeGrantRequest(as, client, known, parameters, wish.redirect_uris[0], verifier, { ...options, DPoP }));
	assert.equal(tokens.token_type, 'dpop');
	const fresh = await oauth.processRefreshTokenResponse(as, client, await oauth.refreshTokenGrantRequest(as, client, known, tokens.refresh_token, { ...options, DPoP }));
	assert.equal(fresh.token_type, 'dpop');
	// an update that forgets to say so does not let go of the key
	const updated = await grantd.fetch(client.registration_client_uri, { method: 'PUT', body: JSON.stringify({ client_id: client.client_id, redirect_uris: wish.redirect_uris, token_endpoint_auth_method: 'none' }),
		raw_headers: new Map([['content-type', 'application/json'], ['authorization', `Bearer ${client.registration_access_token}`]]) });
	const now = await updated.json();
	assert.deepEqual([now.token_endpoint_auth_method, now.dpop_bound_access_tokens, now.jwks], ['none', true, undefined]);
});
