// SPDX-License-Identifier: Apache-2.0
// What time does to codes and tokens: the real daemon with its clock moved.
import assert from 'node:assert/strict';
import { after, before, beforeEach, test } from 'node:test';
import { MovedInstance } from './clock.mjs';
import { event_kinds, granted, refused, until } from './expect.mjs';
import { ClientKey, seconds } from './proof.mjs';

const minute = 60, hour = 60 * minute, day = 24 * hour;

let grantd, alice, agent, now = 0;
before(async () => {
	grantd = await MovedInstance.start(null);
	await grantd.add_resource();
	await grantd.add_person('alice').then((person) => { alice = person; });
	agent = await grantd.add_agent();
});
after(() => grantd?.end());

// Time goes on from where the case before left it: the daemon's clock never runs backwards.
const pass = (seconds) => grantd.move(now += seconds);
beforeEach(() => {
	pass(day); // throttles and windows of other cases are over; so is the session
	alice.cookies.clear();
});

const tokens = (duration = 'until-revoked') => agent.tokens(alice, { scope: ['mail.read'], duration });

test('AZ-029: a code is over after 60 s', async () => {
	const early = agent.authorization();
	const in_time = await alice.allow(early.url, { scope: ['mail.read'] });
	pass(50);
	granted(await agent.redeem(in_time.code, early));
	const late = agent.authorization();
	const too_late = await alice.allow(late.url, { scope: ['mail.read'] });
	pass(61);
	refused(await agent.redeem(too_late.code, late), 400, 'invalid_grant');
});

test('TK-011: a second valid use of a code, later than 10 s after the first, ends the family', async () => {
	const wish = agent.authorization();
	const { code } = await alice.allow(wish.url, { scope: ['mail.read'] });
	const first = granted(await agent.redeem(code, wish));
	pass(12);
	refused(await agent.redeem(code, wish), 400, 'invalid_grant');
	refused(await agent.refresh(first.refresh_token), 400, 'invalid_grant', /reused/);
	assert.deepEqual(await grantd.introspect(first.access_token), { active: false });
});

test('RT-010: a token superseded longer ago than the windows ends the family, and the copy of the thief with it', async () => {
	const stolen = await tokens();
	const second = granted(await agent.refresh(stolen.refresh_token));
	const third = granted(await agent.refresh(second.refresh_token));
	pass(11);
	refused(await agent.refresh(stolen.refresh_token), 400, 'invalid_grant', /reused/);
	for (const { refresh_token } of [second, third]) refused(await agent.refresh(refresh_token), 400, 'invalid_grant', /reused/);
	for (const { access_token } of [second, third]) assert.deepEqual(await grantd.introspect(access_token), { active: false });
	assert.ok((await event_kinds(grantd)).includes('family.ended'));
});

test('RT-010: a thief who binds a copy to a key of their own does not outlive the installation that has none', async () => {
	const thief = new ClientKey();
	const with_key = () => ({ headers: { DPoP: thief.proof(`${grantd.issuer}/token`, { iat: seconds(now) }) } });
	const stolen = await tokens();
	const { status, body } = await agent.refresh(stolen.refresh_token, {}, with_key());
	assert.deepEqual([status, body.token_type], [200, 'DPoP']);
	refused(await agent.refresh(stolen.refresh_token), 400, 'invalid_grant', /^proof_missing$/);
	pass(61);
	refused(await agent.refresh(stolen.refresh_token), 400, 'invalid_grant', /^reused$/);
	refused(await agent.refresh(body.refresh_token, {}, with_key()), 400, 'invalid_grant', /^reused$/);
	assert.deepEqual(await grantd.introspect(body.access_token), { active: false });
});

test('a lost answer is given again within 60 s while its successor is unused', async () => {
	const first = await tokens();
	const lost = granted(await agent.refresh(first.refresh_token));
	pass(55);
	assert.equal(granted(await agent.refresh(first.refresh_token)).refresh_token, lost.refresh_token);
	pass(10);
	refused(await agent.refresh(first.refresh_token), 400, 'invalid_grant', /reused/);
});

test('RT-014: after ten lost answers a day only the 10 s window remains, and nothing is revoked by count', async () => {
	let current = await tokens();
	const lose = async () => {
		const next = granted(await agent.refresh(current.refresh_token));
		pass(15);
		return next;
	};
	for (let i = 0; i < 10; i++) {
		const next = await lose();
		assert.equal(granted(await agent.refresh(current.refresh_token)).refresh_token, next.refresh_token);
		current = next;
	}
	const next = await lose();
	refused(await agent.refresh(current.refresh_token), 400, 'invalid_grant', /repeated_too_often/);
	granted(await agent.refresh(next.refresh_token));
});

test('RT-003: a family unused longer than its idle limit is over', async () => {
	const { refresh_token, refresh_token_timeout } = await tokens();
	pass(refresh_token_timeout + 1);
	await grantd.unchanged(async () => refused(await agent.refresh(refresh_token), 400, 'invalid_grant', /idle/));
});

test('RT-004: the end the person chose comes, however often the token is used', async () => {
	let current = await tokens('7d');
	for (let i = 0; i < 6; i++) {
		pass(day);
		current = granted(await agent.refresh(current.refresh_token));
		assert.ok(current.authorization_expires_in <= 7 * day);
	}
	pass(day + 5);
	refused(await agent.refresh(current.refresh_token), 400, 'invalid_grant', /expired/);
});

test('no access token outlives the grant', async () => {
	let current = await tokens('1h');
	pass(hour - 100);
	current = granted(await agent.refresh(current.refresh_token));
	assert.ok(current.expires_in <= 100, String(current.expires_in));
	pass(101);
	assert.deepEqual(await grantd.introspect(current.access_token), { active: false });
});

test('IN-003: an access token is over at its exp', async () => {
	const { access_token, expires_in } = await tokens();
	assert.equal((await grantd.introspect(access_token)).active, true);
	pass(expires_in + 1);
	assert.deepEqual(await grantd.introspect(access_token), { active: false });
});

test('RT-023: a clock set back revives nothing', async () => {
	const other = await grantd.add_agent({ id: 'other' });
	const bystander = await other.tokens(alice, { scope: ['mail.read'] });
	const current = await tokens('1h');
	pass(hour + 5);
	refused(await agent.refresh(current.refresh_token), 400, 'invalid_grant', /expired/);
	granted(await other.refresh(bystander.refresh_token)); // the newest time on record
	grantd.move(now - 2 * hour);
	refused(await agent.refresh(current.refresh_token), 400, 'invalid_grant', /expired/);
	await grantd.restart();
	refused(await agent.refresh(current.refresh_token), 400, 'invalid_grant', /expired/);
	grantd.move(now);
});

test('RT-023: what ran out while nothing happened stays over when the clock is set back across a restart', async (t) => {
	const idle = await MovedInstance.start(t);
	const { alice: person, agent: reader } = await idle.furnish();
	const tokens = await reader.tokens(person, { scope: ['mail.read'] });
	const mark = async () => (await idle.rows("SELECT value FROM marks WHERE name = 'clock'"))[0]?.value ?? 0;
	assert.equal((await idle.introspect(tokens.access_token)).active, true);
	await idle.kill_9();
	idle.move(hour);
	await idle.start(); // the mark is kept at once and then every minute; nothing else is written
	const late = Date.now() + (hour - minute) * 1000;
	for (const end = Date.now() + 20_000; await mark() < late;) {
		assert.ok(Date.now() < end, 'the mark is kept');
		await new Promise((resolve) => setTimeout(resolve, 50));
	}
	const [{ newest }] = await idle.rows('SELECT max(at) AS newest FROM events');
	assert.ok(newest < late, 'no event says how late it was');
	await idle.kill_9();
	idle.move(0);
	await idle.start();
	assert.deepEqual(await idle.introspect(tokens.access_token), { active: false });
	assert.ok(idle.log().some((line) => line.event === 'clock.behind'));
});

// Each kind of thing that has an end, alive.
async function all_that_ends(world) {
	const { alice: person, reader } = world;
	const wish = reader.authorization(), code_wish = reader.authorization();
	const tokens = await reader.tokens(person, { scope: ['mail.read'] });
	const short = await world.other.tokens(person, { scope: ['mail.read'], duration: '1h' });
	const { code } = await person.allow(code_wish.url, { scope: ['mail.read'] });
	const page = await person.open(wish.url); // a request that waits for its answer
	return { tokens, short, code, code_wish, page };
}

async function is_over({ grantd: idle, alice: person, reader, other }, { tokens, short, code, code_wish, page }) {
	refused(await reader.redeem(code, code_wish), 400, 'invalid_grant');
	for (const [client, token] of [[reader, tokens], [other, short]]) {
		refused(await client.refresh(token.refresh_token), 400, 'invalid_grant');
		assert.deepEqual(await idle.introspect(token.access_token), { active: false });
	}
	assert.match((await person.get('/account')).url.pathname, /^\/login/);
	const answered = await person.submit(page, page.form_with('decision'), { decision: 'allow' });
	assert.equal(answered.left, null, 'no code for a request that is over');
}

test('FT-008: ten years ahead and an hour back revive nothing: codes, requests, tokens, grants, sessions, throttles', async (t) => {
	const idle = await MovedInstance.start(t);
	const { alice: person, agent: reader } = await idle.furnish();
	const world = { grantd: idle, alice: person, reader, other: await idle.add_agent({ id: 'other' }) };
	const things = await all_that_ends(world);
	const told = (sign) => idle.log().some((line) => line.event === 'clock.jumped' && line.level === 'error' && Math.sign(line.seconds) === sign);
	const seen_by = (seconds) => until(async () => { idle.move(seconds); await new Promise((resolve) => setTimeout(resolve, 300)); return told(Math.sign(seconds)); });
	// an hour back: time stands still, and nothing ends or begins by it
	await seen_by(-hour);
	assert.equal((await idle.introspect(things.tokens.access_token)).active, true);
	things.tokens = granted(await reader.refresh(things.tokens.refresh_token));
	const { expires_in } = things.tokens;
	assert.ok(expires_in > 0 && expires_in <= 300, 'no token is longer for it');
	// ten years ahead: all of it is over, and the operator is told
	await seen_by(10 * 365 * day);
	await is_over(world, things);
	const asked = await person.sign_in();
	assert.equal(asked.status, 200, 'the daemon still serves');
	person.cookies.clear();
	// and back again, with a restart on the way: still over
	idle.move(-hour);
	await is_over(world, things);
	await idle.kill_9();
	await idle.start();
	assert.ok(idle.log().some((line) => line.event === 'clock.behind'));
	await is_over(world, things);
});

test('a clock set back gives nobody more guesses', async (t) => {
	const idle = await MovedInstance.start(t);
	const { alice: person } = await idle.furnish();
	const guess = async () => {
		const page = await person.get('/login');
		return (await person.submit(page, page.form_with('password'), { username: 'alice', password: 'a wrong guess' })).status;
	};
	const throttled = async () => {
		for (let i = 0; i < 60; i++) if (await guess() === 429) return true;
		return false;
	};
	assert.ok(await throttled());
	idle.move(-hour);
	assert.equal(await guess(), 429, 'set back it stays');
	await idle.restart();
	assert.equal(await guess(), 429, 'and through a restart');
	idle.move(-2 * hour);
	assert.equal(await guess(), 429);
});
