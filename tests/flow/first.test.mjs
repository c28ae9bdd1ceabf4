// SPDX-License-Identifier: Apache-2.0
// The shortest way through everything: if this fails, look here before anywhere else.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { Instance, claims } from './harness/index.mjs';

let grantd, alice, agent;
before(async () => {
	grantd = await Instance.start(null);
	({ alice, agent } = await grantd.furnish());
});
after(() => grantd?.dispose());

test('a person allows, and the agent has a token for what was ticked and nothing else', async () => {
	const { access_token, scope } = await agent.tokens(alice, { scope: ['mail.read'], duration: '1h' });
	assert.equal(scope, 'mail.read');
	assert.equal(claims(access_token).aud, grantd.mail_uri);
	const seen = await grantd.introspect(access_token);
	assert.deepEqual([seen.active, seen.scope, seen.client_id], [true, 'mail.read', 'mail-agent']);
});

test('a person denies, and the agent has an error and no code', async () => {
	const wish = agent.authorization();
	const answer = await alice.deny(wish.url);
	assert.equal(answer.error, 'access_denied');
	assert.equal(answer.code, undefined);
	assert.deepEqual([answer.state, answer.iss], [wish.state, grantd.issuer]);
});

test('a request that makes no sense is refused and leaves every row as it was', async () => {
	const { status, body } = await grantd.unchanged(() => agent.post('/token', { grant_type: 'nonsense' }));
	assert.deepEqual([status, body.error], [400, 'unsupported_grant_type']);
});
