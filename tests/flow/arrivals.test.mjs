// SPDX-License-Identifier: Apache-2.0
// Today's agents as they arrive, by share/arrivals/NAME.json (what each sends, and where that is written): not registered
// by anybody, asked about, allowed, used, refreshed, revoked.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import { after, before, test } from 'node:test';
import { granted, refused } from './expect.mjs';
import { Agent, Instance, claims } from './harness/index.mjs';

const folder = path.join(import.meta.dirname, '../../share/arrivals');
const profiles = fs.readdirSync(folder).sort().map((file) => ({ file, ...JSON.parse(fs.readFileSync(path.join(folder, file), 'utf8')) }));
let grantd, alice, metadata;
before(async () => {
	grantd = await Instance.start(null);
	await grantd.add_resource();
	alice = await grantd.add_person('alice');
	metadata = await (await grantd.fetch(`${grantd.issuer}/.well-known/oauth-authorization-server`)).json();
});
after(() => grantd.dispose());

// The client id with which it goes on: of what it registers, or the URL of its document, which is pinned here because
// nothing outside of this computer is fetched in a test.
const arrivals = {
	async registration({ registration }) {
		const response = await grantd.fetch(metadata.registration_endpoint, { method: 'POST', body: JSON.stringify(registration), raw_headers: new Map([['content-type', 'application/json']]) });
		assert.equal(response.status, 201);
		const said = await response.json();
		assert.deepEqual(said.redirect_uris, registration.redirect_uris, 'all its addresses are kept');
		assert.equal(said.token_endpoint_auth_method, registration.token_endpoint_auth_method);
		assert.ok(said.grant_types.includes('refresh_token') && !('client_secret' in said));
		return said.client_id;
	},
	async document({ file, document }) {
		assert.equal(metadata.client_id_metadata_document_supported, true);
		const copy = path.join(grantd.home, file);
		fs.writeFileSync(copy, JSON.stringify(document));
		await grantd.operate(['client', 'pin', document.client_id, '--file', copy]);
		return document.client_id;
	},
};

// The first of its ways that can be played: who signs does so with a key that only its maker has.
const way_of = ({ arrives, document }) => arrives.find((way) => way !== 'document' || !document.jwks_uri);
const what = (is, name, value) => (is ? {} : { [name]: null, ...(value !== undefined && { [name]: value }) });

for (const profile of profiles) {
	test(`${profile.name} gets what a person allows it, keeps it, and is stopped`, async () => {
		assert.ok(profile.source.length > 0);
		const client_id = await arrivals[way_of(profile)](profile);
		const { redirect_uri, scope, resource, state } = profile.authorize;
		const agent = new Agent(grantd, { client_id, redirect_uri, resource: grantd.mail_uri, scope: 'mail.read' });
		const asked = agent.authorization({ ...what(scope.length > 0 && !profile.authorize.scope_left_out, 'scope'), ...what(resource, 'resource'), ...what(state, 'state') });
		const answered = await alice.allow(asked.url, { scope: ['mail.read'], duration: '7d' });
		assert.equal(answered.url.href.split('?')[0], redirect_uri, 'the answer goes where it waits, whatever its port is');
		assert.equal(answered.url.searchParams.get('iss'), grantd.issuer);
		assert.equal(answered.url.searchParams.get('state'), state ? asked.state : null);
		const first = granted(await agent.redeem(answered.code, asked, profile.token.resource ? { resource: grantd.mail_uri } : {}));
		assert.equal(claims(first.access_token).aud, grantd.mail_uri);
		assert.equal(first.scope, 'mail.read');
		assert.equal((await grantd.introspect(first.access_token)).client_id, client_id);
		const more = profile.refresh.resource ? { resource: grantd.mail_uri } : {};
		const [next, twin] = (await Promise.all([agent.refresh(first.refresh_token, more), agent.refresh(first.refresh_token, more)])).map(granted);
		assert.equal(next.refresh_token, twin.refresh_token, 'two windows of it that refresh at once stay signed in');
		assert.equal((await agent.revoke(next.refresh_token)).status, 200);
		assert.deepEqual(await grantd.introspect(next.access_token), { active: false });
		refused(await agent.refresh(next.refresh_token), 400, 'invalid_grant', /^revoked_by_client$/);
	});

	test(`${profile.name}: its answer goes to no other address`, async () => {
		const client_id = await arrivals[way_of(profile)](profile);
		const agent = new Agent(grantd, { client_id, redirect_uri: 'https://evil.example/callback', resource: grantd.mail_uri, scope: 'mail.read' });
		const page = await alice.get(agent.authorization().url);
		assert.equal(page.left, null);
		assert.equal(page.status, 400);
	});
}

test('there is a profile for each of those that are promised', () => {
	assert.deepEqual(profiles.map(({ file }) => file), ['chatgpt.json', 'claude-code.json', 'claude.json', 'codex.json', 'cursor.json', 'gemini-cli.json', 'inspector.json', 'mcp-remote.json', 'vscode.json']);
});
