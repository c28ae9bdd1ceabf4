// SPDX-License-Identifier: Apache-2.0
// Sub-agents (RFC 8693): rows EX of tests/rows, what a resource server sees of them, and what ends them.
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { SignJWT, generateKeyPair } from 'jose';
import * as oauth from 'oauth4webapi';
import * as openid from 'openid-client';
import { event_comes, event_kinds, granted, refused } from './expect.mjs';
import { log_in, new_home } from './grant_login.mjs';
import { Instance, claims } from './harness/index.mjs';
import { lines } from './lines.mjs';

const exchange_type = 'urn:ietf:params:oauth:grant-type:token-exchange';
const access = 'urn:ietf:params:oauth:token-type:access_token';
const own_types = ['authorization_code', 'refresh_token', 'token-exchange'];
const both = { scope: ['mail.read', 'mail.send'] };
const read = { scope: ['mail.read'] };

let grantd, alice, agent, helper, stranger, plain, robot;
before(async () => {
	grantd = await Instance.start(null);
	await grantd.add_resource({ on_stop: ['/bin/true'] });
	await grantd.add_resource({ name: 'notes', uri: `${grantd.issuer}/r/notes`, introspection: [],
		scopes: [{ name: 'notes.read', title: 'Read your notes', risk: 'read', default: true, can: ['read notes'], cannot: ['change notes'], clients: true }] });
	alice = await grantd.add_person('alice');
	helper = await grantd.add_agent({ id: 'helper', name: 'Research Helper', redirect_uris: [], scope: '', resource: '', grant_types: ['token-exchange', 'client_credentials'], secret: true });
	stranger = await grantd.add_agent({ id: 'stranger', redirect_uris: [], scope: '', resource: '', grant_types: ['token-exchange'], secret: true });
	robot = await grantd.add_agent({ id: 'robot', redirect_uris: [], scope: '', resource: 'notes', grant_types: ['token-exchange', 'client_credentials'], secret: true });
	agent = await grantd.add_agent({ grant_types: own_types, args: ['--delegates-to', 'helper'] });
	plain = await grantd.add_agent({ id: 'plain', grant_types: ['authorization_code', 'refresh_token'] });
});
after(() => grantd.dispose());

const exchange = (subject_token, changes = {}, who = agent) =>
	who.post('/token', { grant_type: exchange_type, subject_token, subject_token_type: access, ...changes });
const derive = async (subject, label, changes = {}, who = agent) => granted(await exchange(subject, { actor_label: label, ...changes }, who)).access_token;
// A new access token each time, of the installation that these tokens are of.
const refresher = (tokens) => async () => (tokens = granted(await agent.refresh(tokens.refresh_token))).access_token;
const stays = (action, ...expected) => grantd.unchanged(async () => refused(await action(), ...expected));
const active = async (token) => (await grantd.introspect(token)).active;

describe('what is refused, and changes nothing', () => {
	let first, fresh;
	before(async () => {
		first = await agent.tokens(alice, read);
		fresh = refresher(first);
	});
	test('EX-001: subject_token or its type is missing', async () => {
		const token = await fresh();
		for (const changes of [{ subject_token: null }, { subject_token_type: null }, { subject_token: '' }, { subject_token_type: '' }])
			await stays(() => exchange(token, changes), 400, 'invalid_request', /subject_token/);
	});
	test('EX-002: types of token that are not exchanged here', async () => {
		const token = await fresh();
		for (const type of ['refresh_token', 'id_token', 'saml2', 'jwt'].map((name) => `urn:ietf:params:oauth:token-type:${name}`)) {
			await stays(() => exchange(token, { subject_token_type: type }), 400, 'invalid_request');
			await stays(() => exchange(token, { actor_token: token, actor_token_type: type }), 400, 'invalid_request');
			await stays(() => exchange(token, { requested_token_type: type }), 400, 'invalid_request');
		}
	});
	test('EX-003: a subject token that does not stand', async () => {
		const token = await fresh();
		const ended = await agent.tokens(alice, read);
		assert.equal((await agent.revoke(ended.refresh_token)).status, 200);
		for (const bad of [ended.access_token, token.slice(0, -3), `${token}x`, 'garbage', first.refresh_token, 'a.b.c'])
			await stays(() => exchange(bad), 400, 'invalid_request', /does not stand/);
	});
	test('EX-004: a client to which nobody delegates', async () => {
		const token = await fresh();
		await stays(() => exchange(token, {}, stranger), 400, 'invalid_request');
		await stays(() => exchange(token, { actor_label: 'a' }, stranger), 400, 'invalid_request');
		await stays(() => exchange(token, {}, plain), 400, 'unauthorized_client');
		// and not a step later either
		const handed = granted(await exchange(token, {}, helper)).access_token;
		await stays(() => exchange(handed, {}, stranger), 400, 'invalid_request');
	});
	test('EX-005: a wider scope', async () => {
		const token = await fresh();
		await stays(() => exchange(token, { scope: 'mail.read mail.send' }), 400, 'invalid_scope');
		await stays(() => exchange(token, { scope: 'mail.send' }), 400, 'invalid_scope');
		await stays(() => exchange(token, { scope: 'nothing.such' }), 400, 'invalid_scope');
		const wide = granted(await agent.refresh((await agent.tokens(alice, both)).refresh_token)).access_token;
		const narrow = await derive(wide, 'a', { scope: 'mail.read' });
		await stays(() => exchange(narrow, { scope: 'mail.send' }), 400, 'invalid_scope');
	});
	test('EX-007: another audience or resource', async () => {
		const token = await fresh();
		for (const uri of [`${grantd.issuer}/r/notes`, 'https://elsewhere.example/', 'mail', grantd.issuer]) {
			await stays(() => exchange(token, { resource: uri }), 400, 'invalid_target');
			await stays(() => exchange(token, { audience: uri }), 400, 'invalid_target');
		}
		await stays(() => exchange(token, { resource: [grantd.mail_uri, `${grantd.issuer}/r/notes`] }), 400, 'invalid_target');
		await stays(() => exchange(token, { resource: grantd.mail_uri, audience: `${grantd.issuer}/r/notes` }), 400, 'invalid_target');
		granted(await exchange(token, { resource: grantd.mail_uri, audience: grantd.mail_uri }));
	});
	test('EX-008: actor_token without its type, or the reverse', async () => {
		const token = await fresh();
		await stays(() => exchange(token, { actor_token: token }), 400, 'invalid_request', /actor_token/);
		await stays(() => exchange(token, { actor_token_type: access }), 400, 'invalid_request', /actor_token/);
	});
	test('an actor_token that is not the own one of who asks', async () => {
		const token = await fresh();
		await stays(() => exchange(token, { actor_token: token, actor_token_type: access }, helper), 400, 'invalid_request', /actor_token/);
		await stays(() => exchange(token, { actor_token: 'x.y.z', actor_token_type: access }), 400, 'invalid_request');
		const own = granted(await helper.post('/token', { grant_type: 'client_credentials', resource: `${grantd.issuer}/r/notes` })).access_token;
		granted(await exchange(token, { actor_token: own, actor_token_type: access }, helper));
	});
	test('EX-012: a refresh token is not given for an exchange', async () => {
		const token = await fresh();
		await stays(() => exchange(token, { requested_token_type: 'urn:ietf:params:oauth:token-type:refresh_token' }), 400, 'invalid_request');
		const answer = granted(await exchange(token));
		assert.equal(answer.refresh_token, undefined);
	});
	test('EX-015: a token that another key or another algorithm made', async () => {
		const token = await fresh();
		const { privateKey } = await generateKeyPair('ES256');
		const body = claims(token);
		const [head] = token.split('.');
		const foreign = await new SignJWT(body).setProtectedHeader({ alg: 'ES256', typ: 'at+jwt' }).sign(privateKey);
		const jwks = await (await grantd.fetch(`${grantd.issuer}/jwks.json`)).text();
		const confused = await new SignJWT(body).setProtectedHeader({ alg: 'HS256', typ: 'at+jwt' }).sign(Buffer.from(jwks));
		const none = `${Buffer.from('{"alg":"none","typ":"at+jwt"}').toString('base64url')}.${token.split('.')[1]}.`;
		const elsewhere = `${head}.${Buffer.from(JSON.stringify({ ...body, iss: 'https://evil.example' })).toString('base64url')}.${token.split('.')[2]}`;
		for (const bad of [foreign, confused, none, elsewhere]) await stays(() => exchange(bad), 400, 'invalid_request');
	});
	test('EX-016: the lists of operator and person are looked at for each exchange and each use', async () => {
		const token = await fresh();
		const handed = granted(await exchange(token, {}, helper)).access_token;
		assert.equal(await active(handed), true);
		const parameters = { audience: 'helper', resource: null, client_id: 'helper', actor_label: 'helper' };
		for (const [name, value] of Object.entries(parameters)) {
			const answer = await exchange(await fresh(), { [name]: value }, stranger);
			assert.equal(answer.status, 400, answer.text);
		}
		await grantd.operate(['client', 'update', 'mail-agent', '--delegates-to', '']);
		try {
			assert.equal(await active(handed), false);
			const next = await fresh();
			await stays(() => exchange(next, {}, helper), 400, 'invalid_request');
		} finally {
			await grantd.operate(['client', 'update', 'mail-agent', '--delegates-to', 'helper']);
		}
		assert.equal(await active(handed), true);
	});
	test('the ceiling of the client that acts, when it is asked for and at each use', async () => {
		const ceiling = (scope) => grantd.operate(['client', 'update', 'helper', '--scope', scope]);
		const next = refresher(await agent.tokens(alice, both));
		const wide = granted(await exchange(await next(), {}, helper));
		assert.equal(wide.scope, 'mail.read mail.send');
		await ceiling('mail.read');
		try {
			const token = await next();
			await stays(() => exchange(token, { scope: 'mail.send' }, helper), 400, 'invalid_scope');
			const narrow = granted(await exchange(token, {}, helper));
			assert.deepEqual([narrow.scope, claims(narrow.access_token).scope], ['mail.read', 'mail.read']);
			for (const { access_token } of [wide, narrow]) assert.equal((await grantd.introspect(access_token)).scope, 'mail.read');
			const [{ details }] = (await grantd.rows("SELECT details FROM events WHERE kind = 'token.exchanged' ORDER BY id")).slice(-1);
			assert.deepEqual([JSON.parse(details).actor, JSON.parse(details).scope], ['helper', 'mail.read']);
		} finally {
			await ceiling('');
		}
	});
	// rar.test.mjs raises a cap that there is; the word is RFC 9396's, which is more exact than the row's
	test('EX-017: a child asks for conditions of its own', async () => {
		const token = await fresh();
		const wishes = [[{ type: 'operations', mode: 'allow' }], [{ type: 'operations', limits: { per_day: 1000 } }]];
		for (const wish of wishes) await stays(() => exchange(token, { authorization_details: JSON.stringify(wish) }), 400, 'invalid_request', /authorization_details/);
	});
	test('what a client has for itself is nobody to act for', async () => {
		const own = granted(await robot.post('/token', { grant_type: 'client_credentials' })).access_token;
		await stays(() => exchange(own, {}, robot), 400, 'invalid_request', /itself/);
	});
	test('a label that is none, or names a part of somebody else', async () => {
		const token = await fresh();
		for (const label of ['a b', 'a#b', 'é', 'x'.repeat(65), 'a/b']) await stays(() => exchange(token, { actor_label: label }), 400, 'invalid_request', /label/);
		await stays(() => exchange(token, { actor_label: 'a' }, helper), 400, 'invalid_request');
	});
	test('secrets in the query', async () => {
		const token = await fresh();
		for (const name of ['subject_token', 'actor_token'])
			refused(await agent.post(`/token?${name}=${token}`, { grant_type: exchange_type, subject_token: token, subject_token_type: access }), 400, 'invalid_request', /query/);
	});
	test('who acts through another client must authenticate', async () => {
		const token = await fresh();
		refused(await agent.post('/token', { grant_type: exchange_type, client_id: 'helper', subject_token: token, subject_token_type: access }, { auth: false }), 401, 'invalid_client');
	});
	test('EX-019: the 51st live child of one parent', { timeout: 120_000 }, async () => {
		const next = refresher(await agent.tokens(alice, read));
		for (let i = 0; i < 50; i++) granted(await exchange(await next(), { actor_label: `n${i % 3}` }));
		const one_more = await next();
		const answer = await exchange(one_more, { actor_label: 'n0' });
		refused(answer, 429, 'temporarily_unavailable', /too_many_sub_agents/);
		await event_comes(grantd, 'token.refused');
		// another installation is another parent
		granted(await exchange((await agent.tokens(alice, read)).access_token));
	});
});

test('a sub-agent acts for the person within what the agent may, and says so', async () => {
	const first = await agent.tokens(alice, both);
	const answer = granted(await exchange(first.access_token, { actor_label: 'research', scope: 'mail.read', resource: grantd.mail_uri, requested_token_type: access }));
	assert.deepEqual(Object.keys(answer).sort(), ['access_token', 'expires_in', 'issued_token_type', 'scope', 'token_type']);
	assert.deepEqual([answer.issued_token_type, answer.scope], [access, 'mail.read']);
	const before = claims(first.access_token), token = claims(answer.access_token);
	assert.deepEqual(token.act, { sub: 'mail-agent#research' });
	for (const name of ['iss', 'sub', 'aud', 'grant_id', 'family_id', 'auth_time', 'acr', 'client_id']) assert.equal(token[name], before[name], name);
	assert.ok(token.exp <= before.exp);
	const seen = await grantd.introspect(answer.access_token);
	assert.deepEqual([seen.active, seen.scope, seen.username, seen.client_id, seen.act], [true, 'mail.read', 'alice', 'mail-agent', { sub: 'mail-agent#research' }]);
	assert.equal((await grantd.introspect(first.access_token)).act, undefined);
});

test('a chain of four, outermost first, and no fifth', async () => {
	let token = (await agent.tokens(alice, both)).access_token;
	token = await derive(token, 'plan');
	token = granted(await exchange(token, {}, helper)).access_token;
	token = await derive(token, 'part', {}, helper);
	token = await derive(token, 'bit', {}, helper);
	const act = { sub: 'helper#bit', act: { sub: 'helper#part', act: { sub: 'helper', act: { sub: 'mail-agent#plan' } } } };
	assert.deepEqual(claims(token).act, act);
	await stays(() => exchange(token, { actor_label: 'more' }, helper), 400, 'invalid_request', /four/);
	// helper was handed it, and does not hand it back up
	await stays(() => exchange(token, { actor_label: 'x' }, agent), 400, 'invalid_request');
	const seen = await grantd.introspect(token);
	assert.deepEqual([seen.client_id, seen.act], ['helper', act]);
	await event_comes(grantd, 'resource.used');
});

test('64 exchanges of one token at once: one token, by however many answers', async () => {
	const { access_token } = await agent.tokens(alice, both);
	const line = lines(64, agent, () => grantd);
	const wish = (label) => ({ grant_type: exchange_type, subject_token: access_token, subject_token_type: access, actor_label: label });
	try {
		await Promise.all(Array.from({ length: 64 }, (_, i) => line.post(i, { grant_type: 'none' })));
		const before = await event_kinds(grantd);
		const answers = await Promise.all(Array.from({ length: 64 }, (_, i) => line.post(i, wish(`n${i % 4}`))));
		const good = answers.filter(({ status }) => status === 200);
		assert.equal(good.length, 16);
		assert.equal(new Set(good.map(({ body }) => claims(body.access_token).jti)).size, 1);
		for (const answer of answers) if (answer.status !== 200) refused(answer, 400, 'invalid_request', /exchanged before/);
		assert.deepEqual((await event_kinds(grantd)).slice(before.length).filter((kind) => kind === 'token.exchanged'), ['token.exchanged']);
		assert.equal(await active(good[0].body.access_token), true);
	} finally {
		line.close();
	}
});

describe('what ends a sub-agent ends it at once', () => {
	async function made() {
		const first = await agent.tokens(alice, both);
		const child = await derive(first.access_token, 'a');
		const grandchild = granted(await exchange(child, {}, helper)).access_token;
		assert.deepEqual([await active(child), await active(grandchild)], [true, true]);
		return { first, child, grandchild };
	}
	test('the end of its installation, and not that of another one', async () => {
		const one = await made(), other = await made();
		assert.equal((await agent.revoke(one.first.refresh_token)).status, 200);
		assert.deepEqual([await active(one.child), await active(one.grandchild)], [false, false]);
		assert.deepEqual([await active(other.child), await active(other.grandchild)], [true, true]);
	});
	test('the end of its client', async () => {
		const { first, child, grandchild } = await made();
		await grantd.operate(['client', 'disable', 'helper']);
		assert.deepEqual([await active(first.access_token), await active(child), await active(grandchild)], [true, true, false]);
		await grantd.operate(['client', 'enable', 'helper']);
		assert.equal(await active(grandchild), false);
		// a token says when it was made in whole seconds, so of the second in which its client ended none stands
		await sleep(1000);
	});
	test('its own wish, which ends what it handed on and no more', async () => {
		const { first, child, grandchild } = await made();
		// the resource is told nothing: who exchanges and gives back in a loop must not keep it busy
		const given_back = await grantd.unchanged(() => agent.revoke(child), { except: ['derivations', 'sub_agents', 'events'] });
		assert.equal(given_back.status, 200);
		assert.deepEqual([await active(first.access_token), await active(child), await active(grandchild)], [true, false, false]);
		granted(await agent.refresh(first.refresh_token));
		await stays(() => agent.revoke(grandchild), 400, 'invalid_request');
	});
	test('the end of the grant, at /userinfo too', async () => {
		const reader = await grantd.add_agent({ id: 'reader', scope: '', resource: '', grant_types: own_types });
		const signed_in = await reader.tokens(alice, { changes: { scope: 'openid profile', resource: null }, scope: ['openid', 'profile'] });
		const child = await derive(signed_in.access_token, 'part', { scope: 'openid' }, reader);
		const userinfo = () => grantd.fetch(`${grantd.issuer}/userinfo`, { raw_headers: new Map([['authorization', `Bearer ${child}`]]) });
		assert.deepEqual(await (await userinfo()).json(), { sub: claims(child).sub });
		await grantd.operate(['grant', 'revoke', claims(child).grant_id]);
		assert.equal((await userinfo()).status, 401);
	});
	test('a pause stops it for as long', async () => {
		const { child, first } = await made();
		const { grant_id } = claims(child);
		await grantd.operate(['grant', 'pause', grant_id]);
		assert.equal(await active(child), false);
		refused(await exchange(child, { actor_label: 'x' }), 503, 'temporarily_unavailable', /paused/);
		await grantd.operate(['grant', 'resume', grant_id]);
		assert.equal(await active(child), true);
		assert.ok(first.access_token);
	});
});

describe('what the person reads and presses', () => {
	const value_of = (form, name) => form.fields.find((one) => one.name === name)?.value;
	async function press(path, action, wanted) {
		const page = await alice.get(path);
		const form = page.forms.find((one) => one.fields.some(({ name, value }) => name === 'action' && value === action) &&
			value_of(one, 'sub_agent') === wanted.sub_agent && value_of(one, 'installation') === wanted.installation);
		const answer = await alice.submit(page, form, { action }, { follow: false });
		assert.equal(answer.headers.get('location'), `${path}?done=${action}`, answer.text.slice(0, 300));
		return alice.get(answer.headers.get('location'));
	}
	test('the question names who may act through the agent, and so does its page', async () => {
		const wish = agent.authorization();
		const page = await alice.get(wish.url);
		assert.match(page.text, /Who may act through it.*Research Helper \(“helper”\)/s);
		const { grant_id } = claims((await agent.tokens(alice, read)).access_token);
		assert.match((await alice.get(`/account/agents/${grant_id}`)).text, /It may hand this on to: Research Helper \(helper\)/);
	});
	test('whom the operator names while the person reads, they read of before their yes counts', async () => {
		const wish = agent.authorization();
		const page = await alice.open(wish.url);
		const name = (...ids) => grantd.operate(['client', 'update', 'mail-agent', ...ids.flatMap((id) => ['--delegates-to', id])]);
		await name('helper', 'stranger');
		try {
			const again = await grantd.unchanged(() => alice.decide(page, 'allow', read), { except: ['requests'] });
			assert.match(again.text, /The words of this question changed/);
			assert.match(again.text, /Who may act through it.*\(“stranger”\)/s);
			assert.ok((await alice.decide(again, 'allow', read)).left);
		} finally {
			await name('helper');
		}
		const events = await grantd.rows("SELECT details FROM events WHERE kind = 'grant.allowed' ORDER BY id");
		assert.equal(JSON.parse(events.at(-1).details).delegates, 'helper stranger');
		await agent.tokens(alice, read);
	});
	test('sub-agents stand below their installation, who acts through whom; one is stopped and let go on, and all', async () => {
		const first = await agent.tokens(alice, both);
		const { family_id: installation, grant_id } = claims(first.access_token);
		const path = `/account/agents/${grant_id}`;
		const next = refresher(first);
		const plan = await derive(first.access_token, 'tree-plan');
		const inner = granted(await exchange(plan, {}, helper)).access_token;
		const other = await derive(await next(), 'tree-other');
		const page = (await alice.get(path)).text;
		assert.match(page, /mail-agent#tree-other.*mail-agent#tree-plan.*helper\s*Acts at the moment · through mail-agent#tree-plan/s);
		assert.match((await press(path, 'stop-sub-agent', { installation, sub_agent: 'mail-agent#tree-plan' })).text, /Stopped\. It is refused/);
		assert.deepEqual([await active(plan), await active(inner), await active(other)], [false, false, true]);
		const kept = await next();
		await stays(() => exchange(kept, { actor_label: 'tree-plan' }), 400, 'invalid_request', /sub_agent_stopped/);
		await press(path, 'allow-sub-agent', { installation, sub_agent: 'mail-agent#tree-plan' });
		assert.equal(await active(await derive(kept, 'tree-plan')), true);
		assert.match((await press(path, 'stop-sub-agent', { installation, sub_agent: '' })).text, /Nobody may act through installation/);
		assert.equal(await active(other), false);
		const last = await next();
		await stays(() => exchange(last, { actor_label: 'tree-new' }), 400, 'invalid_request', /sub_agent_stopped/);
		await press(path, 'allow-sub-agent', { installation, sub_agent: '' });
		assert.equal(await active(other), true);
		const text = (await alice.get(path)).text;
		for (const words of [/Gave a narrower access key to mail-agent#tree-plan › helper/, /The sub-agent mail-agent#tree-plan was stopped/, /All sub-agents of an installation were stopped/])
			assert.match(text, words);
	});
	test('nobody else stops them, nor a sub-agent that is not there', async () => {
		const first = await agent.tokens(alice, both);
		const { family_id: installation, grant_id } = claims(first.access_token);
		const child = await derive(first.access_token, 'mine');
		const mallory = await grantd.add_person('mallory');
		await mallory.sign_in();
		const page = await alice.get(`/account/agents/${grant_id}`);
		const form = page.forms.find((one) => value_of(one, 'sub_agent') === 'mail-agent#mine');
		for (const sub_agent of ['mail-agent#none', 'a b c d e', 'x'.repeat(3000)])
			assert.equal((await alice.submit(page, form, { action: 'stop-sub-agent', installation, sub_agent }, { follow: false })).status, 404);
		assert.equal((await alice.submit(page, form, { action: 'stop-sub-agent', installation: 'fam_aaaaaaaaaaaaaaaaaaaaaaaaaa', sub_agent: 'mail-agent#mine' }, { follow: false })).status, 404);
		assert.equal((await mallory.get(`/account/agents/${grant_id}`)).status, 404);
		assert.equal(await active(child), true);
	});
});

describe('grant exchange', () => {
	test('prints a narrower token each time it is asked, side by side too', async () => {
		const home = new_home(grantd);
		assert.equal((await log_in(grantd, alice, home)).status, 0);
		const one = await grantd.grant(home, ['exchange', '--label', 'cli', '--scope', 'mail.read']);
		assert.equal(one.status, 0, one.stderr);
		assert.match(one.stdout, /^[\w.-]+\n$/);
		const seen = await grantd.introspect(one.stdout.trim());
		assert.deepEqual([seen.active, seen.scope, seen.act], [true, 'mail.read', { sub: 'mail-agent#cli' }]);
		const many = await Promise.all(['a', 'b', 'c'].map((label) => grantd.grant(home, ['exchange', '--label', label, '--json'])));
		for (const [i, answer] of many.entries()) {
			assert.equal(answer.status, 0, answer.stderr);
			assert.deepEqual(claims(answer.json.access_token).act, { sub: `mail-agent#${'abc'[i]}` });
			assert.deepEqual(Object.keys(answer.json), ['access_token', 'token_type', 'expires_at', 'resource', 'scope']);
		}
		assert.equal((await grantd.grant(home, ['token'])).status, 0);
	});
	test('says why it is refused', async () => {
		const home = new_home(grantd);
		assert.equal((await grantd.grant(home, ['exchange'])).status, 1);
		await log_in(grantd, alice, home);
		const wide = await grantd.grant(home, ['exchange', '--scope', 'mail.read mail.send']);
		assert.deepEqual([wide.status, wide.stdout], [1, '']);
		assert.match(wide.stderr, /wider than the subject token/);
		assert.equal((await grantd.grant(home, ['exchange', '--label'])).status, 2);
	});
});

test('killed between an exchange and its repetition, the answer is the same token', async () => {
	const { access_token } = await agent.tokens(alice, both);
	const before = await derive(access_token, 'a');
	await grantd.kill_9();
	await grantd.start();
	const again = await derive(access_token, 'a');
	assert.equal(claims(again).jti, claims(before).jti);
	assert.equal(claims(again).exp, claims(before).exp);
	await stays(() => exchange(access_token, { actor_label: 'b' }), 400, 'invalid_request', /exchanged before/);
	assert.equal(await active(before), true);
});

test('openid-client and oauth4webapi exchange a token', async () => {
	const { access_token, refresh_token } = await agent.tokens(alice, both);
	const config = await openid.discovery(new URL(grantd.issuer), 'mail-agent', undefined, openid.None(), { [openid.customFetch]: grantd.fetch });
	config[openid.customFetch] = grantd.fetch;
	assert.ok(config.serverMetadata().grant_types_supported.includes(exchange_type));
	const one = await openid.genericGrantRequest(config, exchange_type, { subject_token: access_token, subject_token_type: access, actor_label: 'openid', scope: 'mail.read' });
	assert.deepEqual([one.issued_token_type, one.scope, claims(one.access_token).act], [access, 'mail.read', { sub: 'mail-agent#openid' }]);

	const fresh = granted(await agent.refresh(refresh_token)).access_token;
	const options = { [oauth.customFetch]: grantd.fetch };
	const server = await oauth.processDiscoveryResponse(new URL(grantd.issuer), await oauth.discoveryRequest(new URL(grantd.issuer), { algorithm: 'oauth2', ...options }));
	const client = { client_id: 'helper' };
	const response = await oauth.genericTokenEndpointRequest(server, client, oauth.ClientSecretBasic(helper.client_secret), exchange_type,
		new URLSearchParams({ subject_token: fresh, subject_token_type: access }), options);
	const two = await oauth.processGenericTokenEndpointResponse(server, client, response);
	assert.deepEqual([two.token_type, claims(two.access_token).act, claims(two.access_token).client_id], ['bearer', { sub: 'helper' }, 'helper']);
});
