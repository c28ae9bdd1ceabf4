// SPDX-License-Identifier: Apache-2.0
// Asked for more, a person sees what is new and what they allow already, apart; and nobody makes the one look like the other.
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { MovedInstance } from './clock.mjs';
import { claims } from './harness/index.mjs';
import { ClientKey, seconds } from './proof.mjs';

const key = new ClientKey(), thief = new ClientKey();
const all = 'mail.read mail.write mail.send';
let grantd, alice, clock = 0;
before(async () => {
	grantd = await MovedInstance.start(null, { env: { GRANTD_DEVICE_FLOW: 'on' } });
	const scopes = [
		{ name: 'mail.read', title: 'Read your mail', risk: 'read', default: true, can: ['read messages'], cannot: ['change anything'] },
		{ name: 'mail.write', title: 'Sort your mail', risk: 'write', can: ['move messages'], cannot: ['delete anything'], operations: [{ name: 'mail.move', title: 'move messages', limits: ['per_day', 'paths'] }] },
		{ name: 'mail.send', title: 'Send mail as you', risk: 'send', can: ['send messages'], cannot: ['delete anything'] },
	];
	await grantd.add_resource({ scopes });
	await grantd.add_resource({ scopes, name: 'post', uri: `${grantd.issuer}/r/post`, title: 'Post', introspection: [] });
	alice = await grantd.add_person('alice');
	await alice.sign_in();
});
after(() => grantd.end());

const pass = (by) => grantd.move(clock += by);
// An agent that proves itself: by its secret, or (public) by a key that its code is bound to.
let agents = 0;
const add = (changes) => grantd.add_agent({ id: `agent-${++agents}`, name: 'Post Office', scope: all, secret: true, redirect_uris: ['https://app.example/cb'], args: ['--grant-type', 'authorization_code', '--grant-type', 'refresh_token'], ...changes });
const proof = (from) => ({ headers: { DPoP: from.proof(`${grantd.issuer}/token`, { iat: seconds(clock) }) } });
const ask = async (agent, changes) => {
	const wish = agent.authorization({ scope: all, ...changes });
	return { wish, page: await alice.get(wish.url) };
};
// The clock moves instead of the test.
async function allow({ wish, page }, scope, agent, options, duration = '7d') {
	pass(1);
	page.rendered_at = 0;
	const { left } = await alice.decide(page, 'allow', { scope: scope.split(' '), duration });
	const { status, body, text } = await agent.redeem(left.searchParams.get('code'), wish, {}, options);
	assert.equal(status, 200, text);
	return body;
}
const let_in = async (agent, scope, changes, options) => allow(await ask(agent, changes), scope, agent, options);

// { scope: mark } as the boxes are labelled, and which are ticked; the headings above them
function seen({ page }) {
	const boxes = [...page.html.matchAll(/name="scope" value="([\w.]+)" (checked )?><span>[^<]*(?:<span class="tag \w+">([^<]*)<\/span>)?/g)];
	return { marks: Object.fromEntries(boxes.map(([, name, , mark]) => [name, mark])), ticked: boxes.filter((box) => box[2]).map((box) => box[1]),
		headings: [...page.html.matchAll(/<h2>([^<]*)<\/h2>/g)].map((one) => one[1]) };
}
const had = 'Already allowed', fresh = 'New';

// As everybody is asked: one list, nothing marked, and nothing but reading ticked when there is a grant.
function is_plain(question, { is_first = false } = {}) {
	const { marks, ticked, headings } = seen(question);
	assert.equal(question.page.status, 200, question.page.text.slice(0, 300));
	assert.ok(Object.values(marks).length > 0 && Object.values(marks).every((mark) => mark === undefined), JSON.stringify(marks));
	assert.deepEqual(headings, ['What it wants']);
	assert.deepEqual(ticked.filter((name) => name !== 'mail.write' || !is_first), Object.keys(marks).filter((name) => name === 'mail.read'));
	assert.doesNotMatch(question.page.text, /already allow\b(?! this agent)|of use only to the program/i);
	assert.equal(/Another program that calls itself/.test(question.page.text), !is_first);
}

test('the first question is plain, the next one parts what is new from what is allowed, and its answer is both', async () => {
	const agent = await add();
	const first = await ask(agent, { scope: 'mail.read' });
	is_plain(first, { is_first: true });
	await allow(first, 'mail.read', agent);
	const more = await ask(agent);
	assert.deepEqual(seen(more), { marks: { 'mail.write': fresh, 'mail.send': fresh, 'mail.read': had }, ticked: ['mail.write', 'mail.read'], headings: ['What is new', 'What you already allow'] });
	assert.match(more.page.text, /Post Office asks for more access to Mail of Example Ltd/);
	assert.match(more.page.text, /Your answer is of use only to the program that you allowed before/);
	assert.doesNotMatch(more.page.text, /Another program|Signed in under this name|You already allow this agent/);
	// what is new comes first, and what one has is in the same form
	assert.match(more.page.text, /What is new Write Sort your mail New .* Send mail as you New .* What you already allow Read Read your mail Already allowed/);
	assert.equal((await allow(more, 'mail.read mail.send', agent)).scope, 'mail.read mail.send');
	const again = await ask(agent, { scope: 'mail.read mail.send' });
	assert.deepEqual(seen(again), { marks: { 'mail.read': had, 'mail.send': had }, ticked: ['mail.read', 'mail.send'], headings: ['What you already allow'] });
	assert.match(again.page.text, /asks again for the access to Mail of Example Ltd that it has/);
	// only what is new, as a client asks that repeats a challenge: what it has is said
	const only = await ask(agent, { scope: 'mail.write' });
	assert.deepEqual(seen(only).marks, { 'mail.write': fresh });
	assert.match(only.page.text, /It does not ask for this now, and may go on doing it: (Read your mail Send mail as you|Send mail as you Read your mail)/);
	// what is kept with the consent is what was shown
	const receipts = await alice.get(`/account/agents/${(await grantd.rows(`SELECT id FROM grants WHERE client_id = '${agent.client_id}'`))[0].id}/receipt`);
	assert.match(receipts.text, /What is new Write Sort your mail New .* Send mail as you New .*What you already allow/);
});

test('in German, too, it is a word', async () => {
	const agent = await add();
	await let_in(agent, 'mail.read');
	const { page } = await ask(agent, { ui_locales: 'de' });
	assert.match(page.text, /Was neu ist .* Neu .* Was Sie schon erlauben .* Schon erlaubt/);
});

describe('an installation without a secret', () => {
	let agent;
	before(async () => {
		agent = await add({ secret: undefined });
		await let_in(agent, 'mail.read', {}, proof(key));
	});
	test('proves itself by its key, for without it the answer is worth nothing', async () => {
		const more = await ask(agent, { dpop_jkt: key.jkt });
		assert.deepEqual(seen(more).marks, { 'mail.write': fresh, 'mail.send': fresh, 'mail.read': had });
		const more_again = await ask(agent, { dpop_jkt: key.jkt });
		await assert.rejects(allow(more, 'mail.read mail.send', agent, proof(thief)), /invalid_grant/);
		const body = await allow(more_again, 'mail.read mail.send', agent, proof(key));
		assert.deepEqual([body.scope, claims(body.access_token).cnf], ['mail.read mail.send', { jkt: key.jkt }]);
	});
	test('is another program with another key, or with none', async () => {
		is_plain(await ask(agent, { dpop_jkt: thief.jkt }));
		is_plain(await ask(agent));
	});
});

describe('nothing new looks as if it were allowed already', () => {
	const grant_of = async (agent) => (await grantd.rows(`SELECT id FROM grants WHERE client_id = '${agent.client_id}' AND revoked_at IS NULL`))[0].id;
	const act = async (path, action, more = {}) => {
		const page = await alice.get(path);
		const form = page.forms.find(({ fields }) => fields.some(({ name, value }) => name === 'action' && value === action));
		const done = await alice.submit(page, form, { action, ...more });
		assert.equal(done.status, 200, done.text.slice(0, 300));
		return done;
	};
	test('when the agent is paused, by the person or the operator, or this installation is', async () => {
		const agent = await add();
		await let_in(agent, 'mail.read');
		const grant = await grant_of(agent);
		const is_marked = async () => assert.equal(seen(await ask(agent)).marks['mail.read'], had);
		await is_marked();
		const [{ id }] = await grantd.rows(`SELECT id FROM families WHERE grant_id = '${grant}'`);
		for (const [path, word] of [[`/account/agents/${grant}`, 'pause'], [`/account/agents/${grant}/installations/${id}`, 'pause-installation']]) {
			await act(path, word);
			is_plain(await ask(agent));
			await act(path, word.replace('pause', 'resume'));
			await is_marked();
		}
		await grantd.operate(['grant', 'pause', grant]);
		is_plain(await ask(agent));
		await grantd.operate(['grant', 'resume', grant]);
		await is_marked();
	});
	test('when it was revoked, or the installation ended', async () => {
		const agent = await add();
		const { refresh_token } = await let_in(agent, 'mail.read mail.send');
		await agent.revoke(refresh_token);
		is_plain(await ask(agent));
		await let_in(agent, 'mail.read');
		assert.equal(seen(await ask(agent)).marks['mail.send'], fresh, 'of an installation that ended');
		await grantd.operate(['grant', 'revoke', await grant_of(agent)]);
		is_plain(await ask(agent), { is_first: true });
	});
	test('when its time is over', async () => {
		const agent = await add();
		await allow(await ask(agent, { scope: 'mail.send' }), 'mail.send', agent, undefined, '1h');
		await allow(await ask(agent, { scope: 'mail.read' }), 'mail.read', agent, undefined, '30d');
		assert.deepEqual(seen(await ask(agent, { scope: 'mail.read mail.send' })).marks, { 'mail.read': had, 'mail.send': had });
		pass(3700);
		await alice.sign_in();
		assert.deepEqual(seen(await ask(agent, { scope: 'mail.read mail.send' })).marks, { 'mail.send': fresh, 'mail.read': had });
	});
	test('when another agent of that name, or for another resource, was allowed it', async () => {
		const agent = await add();
		await let_in(agent, all);
		is_plain(await ask(await add()), { is_first: true });
		is_plain(await ask(agent, { resource: `${grantd.issuer}/r/post` }), { is_first: true });
	});
	test('when fewer operations, or a smaller limit, were allowed', async () => {
		const agent = await add();
		const element = (limits) => ({ authorization_details: JSON.stringify([{ type: 'operations', locations: [grantd.mail_uri], actions: ['mail.move'], limits }]) });
		const pushed = async (changes) => {
			const wish = await agent.push({ scope: 'mail.read mail.write', ...changes });
			return { wish, page: await alice.get(wish.url) };
		};
		await allow(await pushed(element({ per_day: 5, paths: ['/box'] })), 'mail.read mail.write', agent);
		const mark = async (changes) => seen(await pushed(changes)).marks['mail.write'];
		assert.equal(await mark(element({ per_day: 5, paths: ['/box'] })), had);
		assert.equal(await mark(element({ per_day: 2, paths: ['/box/in'] })), had);
		for (const limits of [{ per_day: 6, paths: ['/box'] }, { per_day: 5 }, { paths: ['/box'] }, { per_day: 5, paths: ['/'] }]) assert.equal(await mark(element(limits)), fresh, JSON.stringify(limits));
		assert.equal(await mark({}), fresh, 'all that the scope can do');
	});
	test('when the operator took it out of what the agent can be allowed', async () => {
		const agent = await add();
		await let_in(agent, all);
		await grantd.operate(['client', 'update', agent.client_id, '--scope', 'mail.read']);
		assert.deepEqual(seen(await ask(agent, { scope: 'mail.read' })).marks, { 'mail.read': had });
		assert.doesNotMatch((await ask(agent, { scope: 'mail.read' })).page.text, /Send mail as you/);
	});
	test('when a device asks, though its client shows its secret', async () => {
		const agent = await add({ args: [], grant_types: ['authorization_code', 'refresh_token', 'device_code'] });
		await let_in(agent, all);
		const { body } = await agent.post('/device_authorization', { scope: all, resource: agent.resource });
		const page = await alice.get('/device');
		const question = await alice.submit(page, page.form_with('user_code'), { user_code: body.user_code });
		is_plain({ page: question });
	});
});

test('what becomes of it while the person reads is asked anew', async () => {
	const agent = await add();
	const { refresh_token } = await let_in(agent, 'mail.read');
	const more = await ask(agent);
	await agent.revoke(refresh_token);
	pass(1);
	more.page.rendered_at = 0;
	const answered = await alice.decide(more.page, 'allow', { scope: all.split(' ') });
	assert.deepEqual([answered.status, answered.left], [400, null]);
	assert.match(answered.text, /The words of this question changed while you were reading/);
	is_plain({ page: Object.assign(answered, { status: 200 }) });
});
