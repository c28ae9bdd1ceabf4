// SPDX-License-Identifier: Apache-2.0
// The example of an MCP server behind grantd, called by the SDKs, old and new, and by who should not get in.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import { after, before, test } from 'node:test';
import { Client, StreamableHTTPClientTransport, auth } from '@modelcontextprotocol/client';
import { Client as OldClient } from '@modelcontextprotocol/sdk/client/index.js';
import { StreamableHTTPClientTransport as OldTransport } from '@modelcontextprotocol/sdk/client/streamableHttp.js';
import { decodeProtectedHeader } from 'jose';
import { with_documents } from './agent_host.mjs';
import { until } from './expect.mjs';
import { claims, free_ports, mail_secret } from './harness/index.mjs';
import { Keeper, NotesServer } from './notes_server.mjs';

let grantd, host, alice, uri, server, agent;
before(async () => {
	({ grantd, host, alice } = await with_documents(null));
	({ uri } = await NotesServer.add(grantd));
	server = await NotesServer.start(grantd, uri);
	agent = await grantd.add_agent({ id: 'notebook', resource: 'notes', scope: 'openid notes.read notes.write notes.delete' });
	agent.resource = uri;
});
after(async () => {
	await server?.stop();
	await grantd?.dispose();
	await host?.stop();
});

const get_there = (url, init) => new URL(url).origin === grantd.issuer ? grantd.fetch(url, init) : fetch(url, init);
const text = (answer) => answer.content[0].text;
const metadata_url = () => uri.replace('/mcp', '/.well-known/oauth-protected-resource/mcp');

test('it says where its tokens come from: metadata in the path form, and a challenge with the least scope', async () => {
	const metadata = await (await fetch(metadata_url())).json();
	assert.deepEqual([metadata.resource, metadata.authorization_servers, metadata.scopes_supported], [uri, [grantd.issuer], ['notes.read', 'notes.write', 'notes.delete']]);
	for (const token of [undefined, 'x', 'grt_x']) {
		const { status, challenge } = await server.call(token);
		assert.equal(status, 401);
		assert.deepEqual([challenge.resource_metadata, challenge.scope], [metadata_url(), 'notes.read']);
	}
});

test('SDK v1 registers itself, asks the person and calls a tool', async () => {
	const keeper = new Keeper();
	const transport = () => new OldTransport(new URL(uri), { authProvider: keeper, fetch: get_there });
	const first = transport();
	await assert.rejects(new OldClient({ name: 'cli', version: '1' }).connect(first), { message: 'Unauthorized' });
	assert.match(keeper.clientInformation().client_id, /^cli_/);
	const { code, iss } = await alice.allow(keeper.opened.href);
	await first.finishAuth(code, iss);
	const client = new OldClient({ name: 'cli', version: '1' });
	await client.connect(transport());
	assert.deepEqual((await client.listTools()).tools.map((tool) => tool.name), ['list_notes', 'add_note', 'delete_note']);
	assert.equal(typeof text(await client.callTool({ name: 'list_notes' })), 'string');
	await client.close();
});

test('SDK v2 comes with a metadata document, checks iss, calls tools, steps up after a 403, and refreshes', async () => {
	const url = host.publish({ client_name: 'Notebook' }, { file: '/notebook.json' });
	const keeper = new Keeper({ clientMetadataUrl: url });
	const transport = () => new StreamableHTTPClientTransport(new URL(uri), { authProvider: keeper, fetch: get_there });
	const first = transport();
	await assert.rejects(new Client({ name: 'notebook', version: '2' }).connect(first), { name: 'UnauthorizedError' });
	assert.equal(keeper.opened.searchParams.get('client_id'), url);
	assert.deepEqual(['resource', 'scope'].map((name) => keeper.opened.searchParams.get(name)), [uri, 'notes.read']);

	// an answer of another server is not taken: the mix-up of RFC 9207
	const answered = await alice.allow(keeper.opened.href);
	const foreign = new URL(answered.url);
	foreign.searchParams.set('iss', 'https://elsewhere.example');
	await assert.rejects(first.finishAuth(foreign.searchParams), { name: 'IssuerMismatchError' });
	await first.finishAuth(answered.url.searchParams);
	assert.deepEqual([claims(keeper.tokens().access_token).aud, keeper.tokens().scope], [uri, 'notes.read']);

	const client = new Client({ name: 'notebook', version: '2' }, { versionNegotiation: { mode: 'auto' } });
	const second = transport();
	await client.connect(second);
	assert.equal(client.getNegotiatedProtocolVersion(), '2026-07-28');
	const notes = text(await client.callTool({ name: 'list_notes', arguments: {} }));

	// what it may not do yet, it asks for, with what it has
	await assert.rejects(client.callTool({ name: 'add_note', arguments: { note: 'Buy milk' } }), { name: 'UnauthorizedError' });
	assert.deepEqual(keeper.opened.searchParams.get('scope').split(' ').sort(), ['notes.read', 'notes.write']);
	await second.finishAuth((await alice.allow(keeper.opened.href, { scope: ['notes.read', 'notes.write'] })).url.searchParams);
	assert.equal(keeper.tokens().scope, 'notes.read notes.write');
	assert.match(text(await client.callTool({ name: 'add_note', arguments: { note: 'Buy milk' } })), /^This is note \d+\.$/);
	assert.match(text(await client.callTool({ name: 'list_notes', arguments: {} })), /Buy milk$/);
	assert.doesNotMatch(notes, /Buy milk/);

	const before_it = keeper.tokens();
	assert.equal(await auth(keeper, { serverUrl: uri, fetchFn: get_there }), 'AUTHORIZED');
	assert.notEqual(keeper.tokens().refresh_token, before_it.refresh_token);
	assert.equal(keeper.tokens().scope, before_it.scope);
	assert.match(text(await client.callTool({ name: 'list_notes', arguments: {} })), /Buy milk$/);
	await client.close();
});

test('SDK v2 without a document registers itself', async () => {
	const keeper = new Keeper();
	assert.equal(await auth(keeper, { serverUrl: uri, fetchFn: get_there }), 'REDIRECT');
	assert.match(keeper.clientInformation().client_id, /^cli_/);
	const { searchParams } = (await alice.allow(keeper.opened.href)).url;
	assert.equal(await auth(keeper, { serverUrl: uri, callbackParams: searchParams, authorizationCode: searchParams.get('code'), iss: searchParams.get('iss'), fetchFn: get_there }), 'AUTHORIZED');
	assert.equal((await server.call(keeper.tokens().access_token)).status, 200);
});

test('each person has their own notes, and a tool wants all its scopes at once', async () => {
	const bob = await grantd.add_person('bob');
	const { access_token } = await agent.tokens(bob, { scope: ['notes.write'] });
	assert.match((await server.call(access_token, 'add_note', { note: "Bob's" })).text, /This is note 1\./);
	const missing = await server.call(access_token, 'delete_note', { number: 1 });
	assert.deepEqual([missing.status, missing.challenge.error, missing.challenge.scope, missing.challenge.resource_metadata],
		[403, 'insufficient_scope', 'notes.read notes.delete', metadata_url()]);
	assert.equal((await server.call(access_token)).status, 403);
	const all = (await agent.tokens(bob, { scope: ['notes.read', 'notes.write', 'notes.delete'] })).access_token;
	assert.match((await server.call(all)).text, /1\. Bob's/);
	assert.doesNotMatch((await server.call((await agent.tokens(alice, { scope: ['notes.read'] })).access_token)).text, /Bob/);
	assert.match((await server.call(all, 'delete_note', { number: 1 })).text, /Bob's/);
});

test('a token for another server, an altered one, a refresh token and an ID token are refused', async () => {
	const mail = await grantd.add_agent();
	const { access_token, refresh_token, id_token } = await agent.tokens(alice, { changes: { scope: 'openid notes.read' } });
	assert.equal((await server.call(access_token)).status, 200);
	const [head, body, signature] = access_token.split('.');
	const wider = Buffer.from(JSON.stringify({ ...claims(access_token), scope: 'notes.read notes.delete' })).toString('base64url');
	const unsigned = Buffer.from(JSON.stringify({ typ: 'at+jwt', alg: 'none' })).toString('base64url');
	const wrong = [(await mail.tokens(alice)).access_token, `${head}.${wider}.${signature}`, `${unsigned}.${body}.`, refresh_token, id_token];
	for (const token of wrong) {
		assert.equal(typeof token, 'string');
		const { status, challenge } = await server.call(token);
		assert.deepEqual([status, challenge.error], [401, 'invalid_token']);
	}
});

test('a token that is over is refused', async (t) => {
	const { access_token } = await agent.tokens(alice, { scope: ['notes.read'] });
	const late = await NotesServer.start(grantd, uri, { late: 301, listen: String(await free_ports()) });
	t.after(() => late.stop());
	assert.equal((await server.call(access_token)).status, 200);
	assert.deepEqual([(await late.call(access_token)).status, (await late.call(access_token)).challenge.error], [401, 'invalid_token']);
});

test('it follows the signing keys: a new one is fetched, one that was exposed is dropped', async () => {
	const before_it = (await agent.tokens(alice, { scope: ['notes.read'] })).access_token;
	assert.equal((await server.call(before_it)).status, 200);
	await grantd.operate(['keys', 'rotate', '--purpose', 'access', '--compromised']);
	const { access_token } = await agent.tokens(alice, { scope: ['notes.read'] });
	assert.notEqual(decodeProtectedHeader(access_token).kid, decodeProtectedHeader(before_it).kid);
	await until(async () => (await server.call(access_token)).status === 200, 5000);
	assert.equal((await server.call(before_it)).status, 401);
});

test('by introspection a revocation counts at once', async (t) => {
	const asked = await NotesServer.add(grantd, { introspection: [{ id: 'notes-rs', secret_file: 'notes-rs.secret' }] });
	assert.equal(asked.name, 'notes');
	const secret_file = path.join(grantd.home, 'secret');
	fs.writeFileSync(secret_file, `${mail_secret}\n`, { mode: 0o600 });
	const asking = await NotesServer.start(grantd, asked.uri, { env: { INTROSPECTION_ID: 'notes-rs', INTROSPECTION_SECRET_FILE: secret_file } });
	t.after(() => asking.stop());
	const tokens = await agent.tokens(alice, { changes: { resource: asked.uri }, scope: ['notes.read'] });
	assert.equal((await asking.call(tokens.access_token)).status, 200);
	assert.equal((await asking.call(tokens.access_token, 'add_note', { note: 'x' })).status, 403);
	const mail = await grantd.add_agent({ id: 'mail-two' });
	assert.equal((await asking.call((await mail.tokens(alice)).access_token)).status, 401);
	await agent.revoke(tokens.refresh_token);
	assert.deepEqual([(await asking.call(tokens.access_token)).status, (await asking.call(tokens.access_token)).challenge.error], [401, 'invalid_token']);
	await grantd.stop();
	assert.equal((await asking.call(tokens.access_token)).status, 503, 'that it cannot ask says nothing about the token');
	await grantd.start();
});
