// SPDX-License-Identifier: Apache-2.0
// The buttons of an agent's page and of the security page, pressed as a person does: each with what it changes,
// the event it leaves, where the agent feels it, and who may not press it.
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { granted, is_error_page, refused } from './expect.mjs';
import { Instance, Person, claims } from './harness/index.mjs';

const both = { scope: ['mail.read', 'mail.send'], duration: '7d' };
const hour = 3_600_000, day = 24 * hour;
let grantd, alice, mallory;
before(async () => {
	grantd = await Instance.start(null);
	({ alice } = await grantd.furnish());
	mallory = await grantd.add_person('mallory');
	await Promise.all([alice.sign_in(), mallory.sign_in()]);
});
after(() => grantd.dispose());

const value_of = (form, name) => form.fields.find((one) => one.name === name)?.value;
const form_for = (page, action, wanted = () => true) => page.forms.find((form) =>
	form.fields.some((one) => one.name === 'action' && one.value === action) && wanted(form));
const grant_row = async (id) => (await grantd.rows(`SELECT * FROM grants WHERE id = '${id}'`))[0];
const permissions = (id) => grantd.rows(`SELECT scope, expires_at FROM permissions WHERE grant_id = '${id}' ORDER BY scope`);
const family_row = async (id) => (await grantd.rows(`SELECT * FROM families WHERE id = '${id}'`))[0];
const newest_event = async (id) => (await grantd.rows(`SELECT * FROM events WHERE grant_id = '${id}' ORDER BY id`)).at(-1);
const paused = (answer) => refused(answer, 503, 'temporarily_unavailable');
const ended = (answer) => refused(answer, 400, 'invalid_grant');

// An agent of its own for each case: what it holds, its grant, its page and the installation it is.
async function employ(id, person = alice, decision = both) {
	const agent = await grantd.add_agent({ id, name: `Agent ${id}` });
	const tokens = await agent.tokens(person, decision);
	const [{ id: family, grant_id: grant }] = await grantd.rows(`SELECT id, grant_id FROM families WHERE client_id = '${id}'`);
	return { agent, tokens, grant, family, path: `/account/agents/${grant}` };
}

// Opens the page, presses the button, and is sent back to where it says what was done.
async function press(person, path, action, { fill = {}, wanted, back = path } = {}) {
	const page = await person.get(path);
	const form = form_for(page, action, wanted);
	const answer = await person.submit(page, form, { action, ...fill }, { follow: false });
	assert.equal(answer.status, 303, answer.text.slice(0, 300));
	assert.equal(answer.headers.get('location'), `${back}?done=${action}`);
	return person.get(answer.headers.get('location'));
}

async function leaves(grant, kind, details) {
	const event = await newest_event(grant);
	assert.equal(event.kind, kind);
	assert.equal(event.actor, 'user');
	for (const [name, value] of Object.entries(details ?? {})) assert.equal(JSON.parse(event.details)[name], value);
}

describe('the buttons of an agent', () => {
	test('pause stops it at once, and resume lets it go on', async () => {
		const { agent, tokens, grant, path } = await employ('paused');
		assert.match((await press(alice, path, 'pause')).text, /The agent is paused/);
		assert.notEqual((await grant_row(grant)).paused_at, null);
		await leaves(grant, 'grant.paused');
		assert.deepEqual(await grantd.introspect(tokens.access_token), { active: false });
		paused(await agent.refresh(tokens.refresh_token));
		assert.match((await press(alice, path, 'resume')).text, /The agent may go on/);
		assert.equal((await grant_row(grant)).paused_at, null);
		await leaves(grant, 'grant.resumed');
		granted(await agent.refresh(tokens.refresh_token));
	});

	test('the pause of the operator is not taken back here: no button, and its form is refused', async () => {
		const { grant, path } = await employ('held');
		await grantd.operate(['grant', 'pause', grant]);
		const page = await alice.get(path);
		assert.equal(form_for(page, 'resume'), undefined);
		await grantd.unchanged(async () => is_error_page(await alice.submit(page, form_for(page, 'revoke'), { action: 'resume' }), 403));
	});

	test('a new end is that of each permission, of the grant, and of the next token', async () => {
		const { agent, tokens, grant, path } = await employ('longer');
		for (const [duration, length] of [['30d', 30 * day], ['1h', hour]]) {
			const began = Date.now();
			assert.match((await press(alice, path, 'set-duration', { fill: { duration } })).text, /The duration was changed/);
			const ends = [...await permissions(grant), await grant_row(grant)].map((row) => Number(row.expires_at));
			assert.equal(ends.length, 3);
			assert.equal(new Set(ends).size, 1);
			assert.ok(ends[0] >= began + length && ends[0] <= Date.now() + length, `${duration}: ${ends[0] - began}`);
			await leaves(grant, 'grant.end_changed', { duration, expires_at: new Date(ends[0]).toISOString().replace(/\.\d+Z/, 'Z') });
		}
		granted(await agent.refresh(tokens.refresh_token));
	});

	test('a permission that is removed is in no token any more, and without the last one the grant is over', async () => {
		const { agent, tokens, grant, path } = await employ('narrowed');
		const of = (scope) => ({ wanted: (form) => value_of(form, 'scope') === scope });
		assert.match((await press(alice, path, 'remove-scope', of('mail.send'))).text, /The permission was removed/);
		assert.deepEqual((await permissions(grant)).map((row) => row.scope), ['mail.read']);
		await leaves(grant, 'grant.scope_removed', { scope: 'mail.send' });
		assert.doesNotMatch((await grantd.introspect(tokens.access_token)).scope ?? '', /mail\.send/);
		const next = granted(await agent.refresh(tokens.refresh_token));
		assert.equal(claims(next.access_token).scope, 'mail.read');
		await press(alice, path, 'remove-scope', of('mail.read'));
		assert.equal((await grant_row(grant)).revoked_by, 'user');
		await leaves(grant, 'grant.revoked');
		ended(await agent.refresh(next.refresh_token));
	});

	test('one installation ends, and the other one of the same agent goes on', async () => {
		const { agent, tokens, grant, family, path } = await employ('twice');
		const other = await agent.tokens(alice, both);
		const page = await press(alice, path, 'end-installation', { wanted: (form) => value_of(form, 'installation') === family });
		assert.match(page.text, /This installation was ended/);
		assert.equal((await family_row(family)).revoked_why, 'revoked_by_user');
		assert.equal((await newest_event(grant)).family_id, family);
		await leaves(grant, 'family.ended', { why: 'revoked_by_user' });
		assert.deepEqual(await grantd.introspect(tokens.access_token), { active: false });
		ended(await agent.refresh(tokens.refresh_token));
		assert.equal((await grantd.introspect(other.access_token)).active, true);
		granted(await agent.refresh(other.refresh_token));
	});

	test('revoke asks first, on a page of its own, and then is final', async () => {
		const { agent, tokens, grant, path } = await employ('revoked');
		const page = await alice.get(path);
		const stale = form_for(page, 'pause');
		const asked = await grantd.unchanged(() => alice.submit(page, form_for(page, 'revoke'), { action: 'revoke' }), { except: [] });
		assert.equal(asked.url.pathname, `${path}/revoke`);
		assert.match((await press(alice, `${path}/revoke`, 'revoke', { back: path })).text, /Revoked/);
		assert.equal((await grant_row(grant)).revoked_by, 'user');
		await leaves(grant, 'grant.revoked');
		ended(await agent.refresh(tokens.refresh_token));
		// the page that stood open meanwhile cannot bring it back
		for (const fill of [{ action: 'resume' }, { action: 'set-duration', duration: '30d' }])
			await grantd.unchanged(async () => assert.ok((await alice.submit(page, stale, fill)).status >= 400, fill.action));
	});

	describe('what is refused', () => {
		let own, others;
		before(async () => {
			own = await employ('steady');
			others = await employ('of-mallory', mallory);
		});
		// Sends the first form of alice's page, changed; nothing but the log of refusals may be another afterwards.
		const refuses = (fill, status, { action, person = alice } = {}) => grantd.unchanged(async () => {
			const page = await alice.get(own.path);
			const form = form_for(page, 'pause');
			is_error_page(await person.submit(page, { ...form, action: action ?? form.action }, fill), status);
		});
		const each = [['pause', {}], ['revoke', { confirm: '1' }], ['set-duration', { duration: '1h' }], ['remove-scope', { scope: 'mail.send' }]];

		for (const [action, more] of each) {
			test(`${action} without the token of this page, with another page's, and by somebody else`, async () => {
				const foreign = value_of(form_for(await alice.get('/account/security'), 'sign-out-everywhere'), 'csrf');
				const theirs = value_of(form_for(await mallory.get(others.path), 'pause'), 'csrf');
				for (const csrf of [null, '', foreign, theirs]) await refuses({ action, ...more, csrf }, 403);
				await refuses({ action, ...more }, 403, { person: mallory });
				await refuses({ action, ...more }, 403, { action: others.path });
			});
		}
		test('the page of another person does not exist', async () => {
			for (const path of [others.path, `${others.path}/revoke`, `${others.path}/receipt`, '/account/agents/gra_aaaaaaaaaaaaaaaaaaaaaaaaaa', '/account/agents/gra_x'])
				is_error_page(await alice.get(path), 404);
			await refuses({ action: 'pause' }, 404, { action: '/account/agents/gra_x' });
		});
		test('an installation of another grant, of another person, or of nobody', async () => {
			const second = await employ('beside');
			for (const installation of [second.family, others.family, 'fam_aaaaaaaaaaaaaaaaaaaaaaaaaa', 'fam_x', own.grant, null])
				await refuses({ action: 'end-installation', installation }, 404);
		});
		test('a duration that is not offered', async () => {
			for (const duration of [null, '', '1H', ' 1h', '8d', '-1', '99999999999999999999', 'until-revoked\n']) await refuses({ action: 'set-duration', duration }, 400);
		});
		test('a permission that it does not have', async () => {
			await refuses({ action: 'remove-scope' }, 400);
			await refuses({ action: 'remove-scope', scope: 'mail.delete' }, 404);
		});
		test('an action that does not exist', async () => {
			for (const action of [null, '', 'extend', 'PAUSE', 'end-session']) await refuses({ action }, 400);
		});
		test('after all that the agent works as before', async () => {
			assert.equal((await grantd.introspect(own.tokens.access_token)).active, true);
			assert.equal((await grantd.introspect(others.tokens.access_token)).active, true);
		});
	});
});

describe('the buttons of the security page', () => {
	const path = '/account/security';
	const is_in = async (person) => (await person.get('/account')).url.pathname === '/account';
	const session_of = (form) => value_of(form, 'session');
	let bob, browsers;
	before(async () => {
		bob = await grantd.add_person('bob');
		browsers = Array.from({ length: 3 }, () => new Person(grantd, bob));
		for (const person of [bob, ...browsers]) await person.sign_in();
	});
	const listed = async () => (await bob.get(path)).forms.map(session_of).filter(Boolean);

	test('what is refused ends no session', async () => {
		const page = await bob.get(path);
		const form = form_for(page, 'end-session');
		// a second browser, without which her page has no such button
		await new Person(grantd, mallory).sign_in();
		const theirs = form_for(await mallory.get(path), 'end-session');
		const cases = [[{ action: 'end-session', session: session_of(theirs) }, 404], [{ action: 'end-session', session: 'x' }, 404], [{ action: 'end-session', session: null }, 404],
			[{ action: 'sign-out' }, 400], [{ action: null }, 400], [{ action: 'pause' }, 400]];
		for (const action of ['end-session', 'sign-out-everywhere'])
			for (const csrf of [null, '', value_of(theirs, 'csrf'), value_of((await bob.get('/logout')).form_with('csrf'), 'csrf')]) cases.push([{ action, csrf }, 403]);
		for (const [fill, status] of cases) await grantd.unchanged(async () => is_error_page(await bob.submit(page, form, fill), status));
		await grantd.unchanged(async () => is_error_page(await mallory.submit(page, form, { action: 'end-session' }), 403));
		for (const person of [bob, mallory, ...browsers]) assert.ok(await is_in(person));
	});

	test('end-session signs out that browser and no other', async () => {
		const before = await listed();
		assert.equal(before.length, 3);
		const page = await press(bob, path, 'end-session', { wanted: (form) => session_of(form) === before[0] });
		assert.match(page.text, /That browser was signed out/);
		assert.deepEqual(await listed(), before.slice(1));
		assert.equal((await Promise.all(browsers.map(is_in))).filter((one) => !one).length, 1);
		assert.ok(await is_in(bob));
	});

	test('sign-out-everywhere leaves this browser alone', async () => {
		const page = await press(bob, path, 'sign-out-everywhere');
		assert.match(page.text, /Every other browser was signed out/);
		assert.deepEqual(await listed(), []);
		assert.deepEqual(await Promise.all(browsers.map(is_in)), [false, false, false]);
		assert.ok(await is_in(bob));
		assert.ok(await is_in(mallory), 'nobody else');
	});
});

describe('what the pages make of a request', () => {
	test('a second question with a live grant says that another program asks, and only reading is ticked', async () => {
		const risks = { 'mail.read': 'read', 'mail.write': 'write', 'mail.send': 'send', 'mail.delete': 'delete' };
		await grantd.add_resource({
			name: 'box', uri: `${grantd.issuer}/r/box`, title: 'Box', introspection: [],
			scopes: Object.entries(risks).map(([name, risk]) => ({ name, risk, title: name, default: risk === 'read', can: ['do it'], cannot: ['do more'] })),
		});
		const agent = await grantd.add_agent({ id: 'again', name: 'Again', resource: 'box', scope: Object.keys(risks).join(' ') });
		agent.resource = `${grantd.issuer}/r/box`;
		const ticks = (page) => page.form_with('decision').fields.filter((one) => one.name === 'scope' && one.is_checked).map((one) => one.value).sort();
		const first = await alice.open(agent.authorization().url);
		assert.match(first.text, /Again asks for access to Box/);
		assert.doesNotMatch(first.text, /Another program|already allow this agent/);
		assert.deepEqual(ticks(first), ['mail.read', 'mail.write']);
		await alice.decide(first, 'allow', { scope: Object.keys(risks), duration: '1h' });
		const second = await alice.open(agent.authorization().url);
		assert.match(second.text, /Another program that calls itself Again asks for access to Box/);
		assert.match(second.text, /You already allow this agent/);
		assert.deepEqual(ticks(second), ['mail.read']);
	});

	test('login_hint stands in the name field, escaped, and ui_locales chooses the language of the question', async () => {
		const agent = await grantd.add_agent({ id: 'hints', name: 'Hints' });
		const hinted = async (login_hint) => (await new Person(grantd, alice).get(agent.authorization({ login_hint }).url)).form_with('username').fields.find((one) => one.name === 'username').value;
		assert.equal(await hinted('alice'), 'alice');
		assert.equal(await hinted('"><b>'), '"><b>');
		assert.equal(await hinted(null), '');
		for (const [ui_locales, lang] of [['de', 'de'], ['xx de en', 'de'], ['en', 'en'], [null, 'en']]) {
			const page = await alice.open(agent.authorization({ ui_locales }).url);
			assert.match(page.html, new RegExp(`<html lang="${lang}"`), String(ui_locales));
			assert.match(page.text, lang === 'de' ? /Erlauben/ : /Allow/);
		}
	});

	test('the ID token says how the person signed in', async () => {
		const app = await grantd.add_agent({ id: 'signs-in', secret: true, scope: 'openid', resource: null, redirect_uris: ['https://app.example/cb'] });
		app.resource = undefined;
		assert.deepEqual(claims((await app.tokens(alice)).id_token).amr, ['pwd']);
	});

	test('the chart has fourteen days, and today is what the agent was given', async () => {
		const { agent, tokens, path } = await employ('drawn');
		granted(await agent.refresh(tokens.refresh_token));
		const { html, text } = await alice.get(path);
		assert.match(text, /2 access keys given out in 14 days/);
		const used = [...html.matchAll(/<tr><td>([\d-]{10})<\/td><td class="number">(\d+)<\/td><\/tr>/g)].map((row) => ({ date: row[1], used: Number(row[2]) }));
		assert.equal(used.length, 14);
		assert.equal(used.reduce((sum, one) => sum + one.used, 0), 2);
		assert.deepEqual(used.map((one) => one.date), Array.from({ length: 14 }, (_, i) => new Date(Date.parse(used[13].date) - (13 - i) * day).toISOString().slice(0, 10)));
		assert.ok(used[13].used > 0 || used[12].used > 0, 'midnight may pass between');
		assert.equal(html.match(/<rect /g).length, 14);
	});
});

test('who asks in the name of an agent that is allowed already sees nothing vouch for them, and one more installation makes no other question', async () => {
	const scopes = ['read', 'write', 'send'].map((risk) => ({ name: `notes.${risk}`, title: `${risk} notes`, risk, default: true, can: [`${risk} notes`], cannot: ['anything else'] }));
	const { uri } = await grantd.add_resource({ name: 'notes', uri: `${grantd.issuer}/r/notes`, introspection: [], scopes });
	const scribe = await grantd.add_agent({ id: 'scribe', name: 'Scribe', resource: 'notes', scope: scopes.map(({ name }) => name).join(' ') });
	const changes = { resource: uri, scope: scopes.map(({ name }) => name).join(' ') };
	const question = async () => {
		const page = await alice.open(scribe.authorization(changes).url);
		const ticked = page.form_with('decision').fields.filter(({ name, is_checked }) => name === 'scope' && is_checked).map(({ value }) => value);
		return { page, ticked };
	};
	const first = await question();
	assert.deepEqual(first.ticked, ['notes.read', 'notes.write']);
	assert.doesNotMatch(first.page.text, /Another program|Signed in under this name/);
	await scribe.tokens(alice, { changes, scope: ['notes.read', 'notes.write'] });
	const again = await question();
	assert.deepEqual(again.ticked, ['notes.read']);
	assert.match(again.page.text, /Another program that calls itself Scribe/);
	const installed = (page) => (/<ul class="installed">(.*?)<\/ul>/s.exec(page.html)[1].match(/<time/g) ?? []).length / 2;
	assert.equal(installed(again.page), 1);
	// one more while the person reads: the question is the same, and the answer counts
	await scribe.tokens(alice, { changes, scope: ['notes.read'] });
	assert.ok((await alice.decide(again.page, 'allow', { scope: ['notes.read'] })).left.searchParams.get('code'));
	assert.equal(installed((await question()).page), 2);
});
