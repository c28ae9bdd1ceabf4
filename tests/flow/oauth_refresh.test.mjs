// SPDX-License-Identifier: Apache-2.0
// Refreshing: rotation that neither forks, nor logs people out, nor feeds a thief. Rows RT of tests/rows.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { event_kinds, granted, refused } from './expect.mjs';
import { Instance, claims } from './harness/index.mjs';

let grantd, alice, agent, other;
before(async () => {
	grantd = await Instance.start(null);
	await grantd.add_resource({ on_stop: ['/bin/true'] });
	alice = await grantd.add_person('alice');
	agent = await grantd.add_agent();
	other = await grantd.add_agent({ id: 'other' });
});
after(() => grantd.dispose());

const stays = (action, ...expected) => grantd.unchanged(async () => refused(await action(), ...expected));

test('the current token rotates, and its answer has the same scope', async () => {
	const first = await agent.tokens(alice, { scope: ['mail.read', 'mail.send'] });
	const second = granted(await agent.refresh(first.refresh_token));
	assert.notEqual(second.refresh_token, first.refresh_token);
	assert.notEqual(second.access_token, first.access_token);
	assert.equal(second.scope, first.scope);
});

test('RT-024: scope and resource of the successor are byte for byte the same', async () => {
	let tokens = await agent.tokens(alice, { scope: ['mail.read', 'mail.send'] });
	const { scope } = tokens;
	const { aud } = claims(tokens.access_token);
	for (let i = 0; i < 3; i++) {
		tokens = granted(await agent.refresh(tokens.refresh_token));
		assert.equal(tokens.scope, scope);
		assert.equal(claims(tokens.access_token).scope, scope);
		assert.equal(claims(tokens.access_token).aud, aud);
	}
});

test('a narrower scope narrows the access token, never the family', async () => {
	const first = await agent.tokens(alice, { scope: ['mail.read', 'mail.send'] });
	const narrow = granted(await agent.refresh(first.refresh_token, { scope: 'mail.read' }));
	assert.equal(narrow.scope, 'mail.read');
	assert.equal(granted(await agent.refresh(narrow.refresh_token)).scope, first.scope);
});

test('RT-001: refresh_token missing', () => stays(() => agent.refresh(''), 400, 'invalid_request'));

test('RT-007: a scope wider than granted', async () => {
	const { refresh_token } = await agent.tokens(alice, { scope: ['mail.read'] });
	await stays(() => agent.refresh(refresh_token, { scope: 'mail.read mail.send' }), 400, 'invalid_scope');
	granted(await agent.refresh(refresh_token));
});

test('a resource other than the granted one', async () => {
	const { refresh_token } = await agent.tokens(alice, { scope: ['mail.read'] });
	await stays(() => agent.refresh(refresh_token, { resource: `${grantd.issuer}/r/other` }), 400, 'invalid_target');
	granted(await agent.refresh(refresh_token, { resource: grantd.mail_uri }));
});

test('RT-012: in the hands of another client it ends the family', async () => {
	const { refresh_token, access_token } = await agent.tokens(alice, { scope: ['mail.read'] });
	refused(await other.refresh(refresh_token), 400, 'invalid_grant');
	refused(await agent.refresh(refresh_token), 400, 'invalid_grant');
	assert.deepEqual(await grantd.introspect(access_token), { active: false });
});

test('RT-015: within 10 s each superseded token gets the current one again', async () => {
	const tokens = [await agent.tokens(alice, { scope: ['mail.read'] })];
	for (let i = 0; i < 5; i++) tokens.push(granted(await agent.refresh(tokens.at(-1).refresh_token)));
	for (const { refresh_token } of tokens.slice(0, -1)) {
		const again = granted(await agent.refresh(refresh_token));
		assert.equal(again.refresh_token, tokens.at(-1).refresh_token);
	}
	granted(await agent.refresh(tokens.at(-1).refresh_token));
});

test('RT-017: an access token is no refresh token, and neither is what looks like one', async () => {
	const { access_token, refresh_token } = await agent.tokens(alice, { scope: ['mail.read'] });
	const flipped = refresh_token.slice(0, 10) + (refresh_token[10] === 'A' ? 'B' : 'A') + refresh_token.slice(11);
	for (const wrong of [access_token, 'grt_', refresh_token.slice(0, -1), `${refresh_token}A`, flipped])
		await stays(() => agent.refresh(wrong), 400, 'invalid_grant');
	granted(await agent.refresh(refresh_token));
});

test('RT-019: the person was disabled by the operator', async () => {
	const carol = await grantd.add_person('carol');
	const { refresh_token, access_token } = await agent.tokens(carol, { scope: ['mail.read'] });
	await grantd.operate(['user', 'disable', 'carol']);
	await stays(() => agent.refresh(refresh_token), 400, 'invalid_grant', /user_disabled/);
	assert.deepEqual(await grantd.introspect(access_token), { active: false });
});

test('a disabled client is refused at the door', async () => {
	const gone = await grantd.add_agent({ id: 'gone' });
	const { refresh_token } = await gone.tokens(alice, { scope: ['mail.read'] });
	await grantd.operate(['client', 'disable', 'gone']);
	await stays(() => gone.refresh(refresh_token), 401, 'invalid_client');
});

test('a paused grant is 503, not the end of the token', async () => {
	const dora = await grantd.add_person('dora');
	const { refresh_token, access_token } = await agent.tokens(dora, { scope: ['mail.read'] });
	const [grant] = await grantd.operate(['grant', 'list', '--user', 'dora']);
	await grantd.operate(['grant', 'pause', grant.id]);
	await stays(() => agent.refresh(refresh_token), 503, 'temporarily_unavailable');
	assert.deepEqual(await grantd.introspect(access_token), { active: false });
	await grantd.operate(['grant', 'resume', grant.id]);
	assert.equal((await agent.refresh(refresh_token)).status, 200);
});

test('a revoked grant says so to the client that owns the token', async () => {
	const emil = await grantd.add_person('emil');
	const { refresh_token } = await agent.tokens(emil, { scope: ['mail.read'] });
	const [grant] = await grantd.operate(['grant', 'list', '--user', 'emil']);
	await grantd.operate(['grant', 'revoke', grant.id]);
	await grantd.unchanged(async () => {
		const answer = await agent.refresh(refresh_token);
		refused(answer, 400, 'invalid_grant', /^revoked[a-z_]*$/);
		assert.equal(answer.body.error_uri, `${grantd.issuer}/errors#${answer.body.error_description}`);
	});
});

test('RT-022: an answer that was lost in a crash is given again', async () => {
	const first = await agent.tokens(alice, { scope: ['mail.read'] });
	const lost = granted(await agent.refresh(first.refresh_token));
	await grantd.kill_9();
	await grantd.start();
	const again = granted(await agent.refresh(first.refresh_token));
	assert.equal(again.refresh_token, lost.refresh_token);
	granted(await agent.refresh(again.refresh_token));
});

test('each refresh leaves one event', async () => {
	const { refresh_token } = await agent.tokens(alice, { scope: ['mail.read'] });
	const before = await event_kinds(grantd);
	granted(await agent.refresh(refresh_token));
	assert.deepEqual((await event_kinds(grantd)).slice(before.length), ['token.refreshed']);
});
