// SPDX-License-Identifier: Apache-2.0
// Many at once: one winner, one successor, nobody logged out, nothing alive after a revocation.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { event_kinds, granted, refused } from './expect.mjs';
import { Instance } from './harness/index.mjs';
import { lines } from './lines.mjs';

const read = { scope: ['mail.read'] };
const installations = [];
let grantd, alice, agent;
before(async () => {
	grantd = await Instance.start(null);
	await grantd.add_resource();
	alice = await grantd.add_person('alice');
	agent = await grantd.add_agent();
	// forty installations cost forty decisions of a person who must look for 700 ms each: made side by side
	const people = await Promise.all(Array.from({ length: 8 }, (_, i) => grantd.add_person(`person${i}`)));
	for (let i = 0; i < 5; i++) installations.push(...await Promise.all(people.map((person) => agent.tokens(person, read))));
});
after(() => grantd.dispose());

const count = (list, value) => list.filter((one) => one === value).length;

test('TK-013: 64 redemptions of one code at once have one winner, and the winner lives', async () => {
	const wish = agent.authorization();
	const { code } = await alice.allow(wish.url, read);
	const line = lines(64, agent, () => grantd);
	try {
		// open every connection first, so that the redemptions really meet
		await Promise.all(Array.from({ length: 64 }, (_, i) => line.post(i, { grant_type: 'none' })));
		const before = await event_kinds(grantd);
		const answers = await Promise.all(Array.from({ length: 64 }, (_, i) => line.post(i, {
			grant_type: 'authorization_code', code, code_verifier: wish.verifier, redirect_uri: wish.redirect_uri })));
		const statuses = answers.map((answer) => answer.status);
		assert.deepEqual([count(statuses, 200), count(statuses, 400)], [1, 63]);
		for (const answer of answers) if (answer.status === 400) refused(answer, 400, 'invalid_grant');
		assert.equal(count((await event_kinds(grantd)).slice(before.length), 'token.issued'), 1);
		const winner = granted(answers.find((answer) => answer.status === 200));
		assert.equal((await grantd.introspect(winner.access_token)).active, true);
		granted(await agent.refresh(winner.refresh_token));
	} finally {
		line.close();
	}
});

test('1,250 rounds of 8 connections that send the current refresh token at the same instant: all 200, one successor', { timeout: 540_000 }, async () => {
	let { refresh_token } = await agent.tokens(alice, read);
	const line = lines(8, agent, () => grantd);
	try {
		for (let round = 0; round < 1250; round++) {
			const answers = await Promise.all(Array.from({ length: 8 }, (_, i) => line.post(i, { grant_type: 'refresh_token', refresh_token })));
			for (const answer of answers) assert.equal(answer.status, 200, `round ${round}: ${answer.text}`);
			const successors = new Set(answers.map((answer) => answer.body.refresh_token));
			assert.equal(successors.size, 1, `round ${round}: ${successors.size} successors`);
			assert.ok(!successors.has(refresh_token), `round ${round}: nothing rotated`);
			[refresh_token] = successors;
		}
	} finally {
		line.close();
	}
	const [family] = await grantd.rows('SELECT generation FROM families ORDER BY created_at DESC LIMIT 1');
	assert.ok(family.generation >= 1250, String(family.generation));
});

test('a revocation that races refreshes leaves no live token', async () => {
	for (let round = 0; round < 40; round++) {
		const first = installations.shift();
		const line = lines(6, agent, () => grantd);
		try {
			const work = Array.from({ length: 6 }, (_, i) => line.post(i, { grant_type: 'refresh_token', refresh_token: first.refresh_token }));
			if (round % 2) await Promise.race(work);
			const [revoked, ...answers] = await Promise.all([agent.revoke(first.refresh_token, {}, { apart: true }), ...work]);
			assert.equal(revoked.status, 200);
			const issued = [first, ...answers.filter((answer) => answer.status === 200).map((answer) => answer.body)];
			for (const { access_token, refresh_token } of issued) {
				assert.deepEqual(await grantd.introspect(access_token), { active: false });
				refused(await agent.refresh(refresh_token), 400, 'invalid_grant');
			}
			for (const answer of answers) if (answer.status !== 200) refused(answer, 400, 'invalid_grant');
		} finally {
			line.close();
		}
	}
});
