// SPDX-License-Identifier: Apache-2.0
// Who may answer the question of an agent, and how often: rows CS of tests/rows. What only a browser shows
// (CS-008, the armed button) is in tests/browser.
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { event_kinds, granted, is_error_page, question_of, refused } from './expect.mjs';
import { Instance, Person } from './harness/index.mjs';

let grantd, alice, agent, web, mallory;
before(async () => {
	grantd = await Instance.start(null);
	({ alice, agent } = await grantd.furnish());
	web = await grantd.add_agent({ id: 'web-app', name: 'Web App', secret: true, redirect_uris: ['https://app.example/cb'] });
	mallory = await grantd.add_person('mallory');
});
after(() => grantd.dispose());

// The same person at another browser: nothing in common but the account.
const elsewhere = (person) => new Person(grantd, person);
const session_cookie = '__Host-grantd-session', browser_cookie = '__Host-grantd-browser';
const refusals = async () => (await event_kinds(grantd)).filter((kind) => kind === 'form.refused').length;
const field = (page, name) => page.form_with('decision').fields.find((one) => one.name === name)?.value;
const allow = { scope: ['mail.read'], duration: '1h' };
const grants = () => grantd.rows('SELECT * FROM grants ORDER BY id');
const standing = () => Promise.all([grants(), grantd.rows("SELECT id, state, decision FROM requests WHERE state <> 'pending' ORDER BY id")]);

// A decision that is refused: an error page without any redirect, and no grant or code in the store.
async function refuses(decide, status = 403) {
	const before = await standing();
	const answer = await decide();
	assert.deepEqual(await standing(), before, 'no grant, no code');
	assert.equal(answer.left, null, answer.left?.href);
	assert.equal(answer.status, status, answer.text.slice(0, 300));
	assert.match(answer.headers.get('content-security-policy'), /default-src 'none'/);
	return answer;
}

async function still_works(page) {
	const answered = await alice.decide(page, 'allow', allow);
	assert.match(answered.left?.searchParams.get('code') ?? answered.text, /^gac_/);
}

describe('the form is of this session and of this question', () => {
	test('CS-001: a decision without a CSRF token is refused and kept as an event', async () => {
		const page = await alice.open(agent.authorization().url);
		const before = await refusals();
		for (const csrf of [null, '', 'x', field(page, 'csrf').slice(0, -1)]) await refuses(() => alice.decide(page, 'allow', { ...allow, fill: { csrf } }));
		// nobody waits for these events; they come soon
		for (let i = 0; i < 100 && await refusals() < before + 4; i++) await new Promise((resolve) => setTimeout(resolve, 50));
		assert.equal(await refusals(), before + 4);
		await still_works(page);
	});

	test('CS-002: nor does the token of another session, another question or another page do', async () => {
		const page = await alice.open(agent.authorization().url);
		const other_question = field(await alice.open(web.authorization().url), 'csrf');
		const other_session = field(await elsewhere(mallory).open(agent.authorization().url), 'csrf');
		const other_page = (await alice.get('/logout')).form_with('csrf').fields.find((one) => one.name === 'csrf').value;
		for (const csrf of [other_question, other_session, other_page]) await refuses(() => alice.decide(page, 'allow', { ...allow, fill: { csrf } }));
		await still_works(page);
	});

	test('words that were not shown cannot be agreed to', async () => {
		const page = await alice.open(agent.authorization().url);
		const shown = field(await alice.open(agent.authorization({ scope: 'mail.read' }).url), 'shown');
		await refuses(() => alice.decide(page, 'allow', { ...allow, fill: { shown } }));
	});

	test('a scope that was not asked for cannot be ticked, nor a time that is not offered', async () => {
		const page = await alice.open(agent.authorization({ scope: 'mail.read' }).url);
		for (const wrong of [{ scope: ['mail.read', 'mail.send'], duration: '1h' }, { scope: ['mail.read'], duration: 'forever' }]) {
			const answer = await alice.decide(page, 'allow', wrong);
			assert.deepEqual([answer.status, answer.left], [400, null]);
		}
	});
});

describe('one question has one answer', () => {
	const answered = 409;
	test('CS-003: the same decision again gets the same redirect', async () => {
		const page = await alice.open(agent.authorization().url);
		const first = await alice.decide(page, 'allow', allow);
		const before = await grants();
		const [second, third] = await Promise.all([alice.decide(page, 'allow', allow), alice.decide(page, 'allow', allow)]);
		assert.match(first.left.searchParams.get('code'), /^gac_/);
		assert.deepEqual([second.left.href, third.left.href], [first.left.href, first.left.href]);
		assert.deepEqual(await grants(), before);
	});
	test('CS-003: two clicks at the same instant are one decision', async () => {
		const wish = agent.authorization();
		const page = await alice.open(wish.url);
		const twins = await Promise.all(Array.from({ length: 6 }, () => alice.decide(page, 'allow', allow)));
		assert.equal(new Set(twins.map((twin) => twin.left?.href)).size, 1);
		granted(await agent.redeem(twins[0].left.searchParams.get('code'), wish));
	});
	test('CS-003: another decision changes nothing, and says that it was answered', async () => {
		const page = await alice.open(agent.authorization().url);
		assert.ok((await alice.decide(page, 'allow', allow)).left);
		for (const [decision, more] of [['deny', {}], ['allow', { ...allow, duration: '30d' }], ['allow', { ...allow, scope: ['mail.send'] }]]) {
			const page_now = await refuses(() => alice.decide(page, decision, more), answered);
			assert.match(page_now.text, /answered/);
		}
		await refuses(() => alice.get(question_of(page)), answered);
	});
	test('a no stays a no', async () => {
		const page = await alice.open(agent.authorization().url);
		const no = await alice.decide(page, 'deny');
		assert.equal(no.left.searchParams.get('error'), 'access_denied');
		await refuses(() => alice.decide(page, 'allow', allow), answered);
	});
});

describe('CS-005: a link cannot answer', () => {
	for (const method of ['GET', 'HEAD']) {
		test(`${method} with all the fields of the form`, async () => {
			const page = await alice.open(agent.authorization().url);
			const query = new URLSearchParams({ csrf: field(page, 'csrf'), shown: field(page, 'shown'), decision: 'allow', scope: 'mail.read', duration: '1h' });
			const before = await grants();
			const answer = await alice.request(`${question_of(page).href}&${query}`, { method });
			assert.equal(answer.left, null);
			assert.deepEqual(await grants(), before);
			page.rendered_at = answer.rendered_at; // it was shown once more
			await still_works(page);
		});
	}
	for (const method of ['PUT', 'DELETE', 'PATCH']) {
		test(`${method} is 405`, async () => {
			const page = await alice.open(agent.authorization().url);
			const answer = await refuses(() => alice.request(question_of(page), { method }), 405);
			assert.match(answer.headers.get('allow'), /GET/);
		});
	}
});

test('CS-006: no page lets itself be framed', async () => {
	const guest = elsewhere(mallory);
	const pages = [await guest.get('/login'), await guest.get('/nowhere'), await guest.get('/consent?request=req_aaaaaaaaaaaaaaaaaaaaaaaaaa'),
		await guest.get('/authorize?client_id=nobody'), await guest.get('/errors'),
		await alice.open(agent.authorization().url), ...await Promise.all(['/account', '/account/activity', '/account/security', '/logout'].map((path) => alice.get(path)))];
	for (const page of pages) {
		assert.match(page.headers.get('content-security-policy'), /frame-ancestors 'none'/, page.url.pathname);
		assert.equal(page.headers.get('x-frame-options'), 'DENY', page.url.pathname);
		assert.equal(page.headers.get('cross-origin-opener-policy'), null, 'it hangs clients that wait for their pop-up');
	}
});

describe('CS-007: a form that another site sends is refused', () => {
	for (const headers of [{ origin: 'https://evil.example' }, { origin: 'null' }, { origin: 'https://grantd.localhost' }, { 'sec-fetch-site': 'cross-site' },
		{ 'sec-fetch-site': 'same-site' }, { origin: null, 'sec-fetch-site': 'cross-site' }]) {
		test(JSON.stringify(headers), async () => {
			const page = await alice.open(agent.authorization().url);
			const send = (more) => alice.submit(page, page.form_with('decision'), { decision: 'allow', scope: 'mail.read', duration: '1h' }, more);
			await new Promise((resolve) => setTimeout(resolve, 750));
			await refuses(() => send({ headers }));
			assert.ok((await send({})).left);
		});
	}
});

test('CS-009: a question is answered in the browser that began it, by nobody else', async () => {
	const attacker = elsewhere(mallory);
	const prepared = await attacker.open(agent.authorization().url);
	const victim = elsewhere(alice);
	await victim.sign_in();
	const opened = await refuses(() => victim.get(question_of(prepared)));
	assert.match(opened.text, /another browser/);
	await refuses(() => victim.decide(prepared, 'allow', allow));
	// nor with the attacker's own token beside the victim's session
	victim.cookies.set(browser_cookie, attacker.cookies.get(browser_cookie));
	await refuses(() => victim.decide(prepared, 'allow', allow));
});

test('CS-010: whoever changes the account in between starts again', async () => {
	const page = await alice.open(agent.authorization().url);
	const bob = await grantd.add_person('bob');
	const leave = await alice.get('/logout');
	await alice.submit(leave, leave.form_with('csrf'));
	bob.cookies = alice.cookies; // the same browser
	await bob.sign_in();
	await refuses(() => bob.decide(page, 'allow', allow));
	await refuses(() => bob.get(question_of(page)));
	alice.cookies.clear();
	assert.equal((await grantd.operate(['grant', 'list', '--user', 'bob'])).length, 0);
});

test('pages load nothing from elsewhere', async () => {
	const page = await alice.open(web.authorization().url);
	assert.match(page.headers.get('content-security-policy'), /img-src 'self';/);
	for (const [, address] of page.html.matchAll(/\s(?:src|href|srcset|poster|data)="([^"]*)"/g)) assert.match(address, /^(\/|#)/);
});

test('CS-016: a program on this computer is called that, with a warning', async () => {
	const page = await alice.open(agent.authorization().url);
	assert.match(page.text, /a program on this computer \(127\.0\.0\.1\)/);
	assert.match(page.text, /Any program on this computer can say that it is Mail Agent/);
	const remote = await alice.open(web.authorization().url);
	assert.match(remote.text, /You will be sent to: app\.example/);
	assert.doesNotMatch(remote.text, /program on this computer/);
});

test('CS-018: a person disabled in another tab gives no code', async () => {
	const carol = await grantd.add_person('carol');
	const page = await carol.open(agent.authorization().url);
	await grantd.operate(['user', 'disable', 'carol']);
	const answer = await carol.decide(page, 'allow', allow);
	assert.equal(answer.left?.searchParams.get('code') ?? null, null);
	assert.equal(answer.url.pathname, '/login');
	assert.equal((await grantd.operate(['grant', 'list', '--user', 'carol'])).length, 0);
});

test('CS-019: an answer within 700 ms of the page is refused, the next one is taken', async () => {
	const pages = [];
	let is_fast = false;
	// a busy machine may take longer than that for both; then it is tried again
	for (let i = 0; i < 10 && !is_fast; i++) {
		const url = question_of(await alice.open(agent.authorization().url));
		const began = Date.now();
		const page = await alice.get(url);
		const answer = await alice.submit(page, page.form_with('decision'), { decision: 'allow', ...allow });
		is_fast = Date.now() - began < 700;
		if (is_fast) pages.push(answer);
	}
	const [answer] = pages;
	assert.deepEqual([answer.status, answer.left], [400, null]);
	assert.match(answer.text, /too fast/);
	await still_works(answer);
});

test('CS-020: a cookie tossed in from a sibling host is not the session', async () => {
	const attacker = elsewhere(mallory);
	await attacker.sign_in();
	const name = session_cookie;
	const stolen = attacker.cookies.get(name);
	await alice.sign_in();
	const own = alice.cookies.header;
	for (const tossed of [`session=${stolen}`, `${name.slice(7)}=${stolen}`, `${name.toLowerCase().replace('__host-', '__HOST-')}=${stolen}`, `${name} =${stolen}`]) {
		for (const cookie of [`${tossed}; ${own}`, `${own}; ${tossed}`]) {
			const page = await alice.get('/account', { headers: { cookie } });
			assert.match(page.text, /alice/, cookie);
			assert.doesNotMatch(page.text, /mallory/, cookie);
		}
		const alone = await new Person(grantd, alice).get('/account', { headers: { cookie: tossed } });
		assert.equal(alone.url.pathname, '/login', tossed);
	}
});

describe('signing in and out', () => {
	const session_of = (person) => person.cookies.get(session_cookie);

	test('CS-022: the session begins at the sign-in, and a second one ends the first', async () => {
		const person = elsewhere(alice);
		const planted = 'p'.repeat(43);
		person.cookies.set(session_cookie, planted);
		await person.sign_in();
		const first = session_of(person);
		assert.notEqual(first, planted);
		await person.sign_in_on(await person.get('/login?again=1'));
		const second = session_of(person);
		assert.notEqual(second, first);
		for (const dead of [planted, first]) {
			const page = await person.get('/account', { headers: { cookie: `${session_cookie}=${dead}` } });
			assert.equal(page.url.pathname, '/login');
		}
		assert.equal((await person.get('/account')).url.pathname, '/account');
	});

	test('CS-023: nobody is signed in by a form that this browser was not given', async () => {
		const stranger = elsewhere(mallory), victim = elsewhere(alice);
		const theirs = await stranger.get('/login');
		const own = await victim.get('/login');
		const answers = { username: 'mallory', password: mallory.password };
		for (const csrf of [null, '', theirs.form_with('csrf').fields.find((one) => one.name === 'csrf').value])
			await refuses(() => victim.submit(own, own.form_with('password'), { ...answers, csrf }));
		await refuses(() => victim.submit(own, own.form_with('password'), answers, { headers: { origin: 'https://evil.example', 'sec-fetch-site': 'cross-site' } }));
		await refuses(() => elsewhere(mallory).submit(theirs, theirs.form_with('password'), answers));
		assert.equal((await victim.get('/account')).url.pathname, '/login');
	});

	test('CS-025: a link signs nobody out, and neither does a foreign form', async () => {
		const person = elsewhere(alice);
		await person.sign_in();
		const cross = { 'sec-fetch-site': 'cross-site', referer: 'https://evil.example/' };
		const page = await person.get('/logout', { headers: cross });
		assert.equal(page.status, 200);
		await refuses(() => person.submit(page, page.form_with('csrf'), { csrf: null }));
		await refuses(() => person.submit(page, page.form_with('csrf'), {}, { headers: { ...cross, origin: 'https://evil.example' } }));
		assert.equal((await person.get('/account')).url.pathname, '/account');
		const session = session_of(person);
		await person.submit(page, page.form_with('csrf'));
		const after = await person.get('/account', { headers: { cookie: `${session_cookie}=${session}` } });
		assert.equal(after.url.pathname, '/login', 'signed out is signed out, also for a copy of the cookie');
	});
});

test('CS-026: a grant revoked on the page is over for every token at once', async () => {
	const tokens = await agent.tokens(alice, allow);
	const more = granted(await agent.refresh(tokens.refresh_token));
	const other = await web.tokens(alice, allow);
	const [grant] = (await grantd.operate(['grant', 'list', '--user', 'alice'])).filter((one) => one.client_id === agent.client_id && one.status === 'active');
	const ask = await alice.get(`/account/agents/${grant.id}/revoke`);
	// agents that are in the middle of their work
	const busy = Array.from({ length: 4 }, () => agent.refresh(more.refresh_token, {}, { apart: true }));
	const done = await alice.submit(ask, ask.form_with('confirm'), { action: 'revoke' });
	assert.match(done.text, /Revoked/);
	const issued = (await Promise.all(busy)).filter((answer) => answer.status === 200).map((answer) => answer.body);
	for (const { access_token, refresh_token } of [tokens, more, ...issued]) {
		assert.deepEqual(await grantd.introspect(access_token), { active: false });
		refused(await agent.refresh(refresh_token), 400, 'invalid_grant');
	}
	assert.equal((await grantd.introspect(other.access_token)).active, true);
});

test('seven days from a moment ago are not six', async () => {
	await agent.tokens(alice, { ...allow, duration: '7d' });
	assert.match((await alice.get('/account')).text, /Ends in 7 days/);
});

test('CS-026: a form of one agent does not stop another', async () => {
	await web.tokens(alice, allow);
	await agent.tokens(alice, allow);
	const active = (await grantd.operate(['grant', 'list', '--user', 'alice'])).filter((one) => one.status === 'active');
	const id = (client_id) => active.find((grant) => grant.client_id === client_id).id;
	const page = await alice.get(`/account/agents/${id('web-app')}/revoke`);
	const form = page.form_with('confirm');
	await refuses(() => alice.submit(page, { ...form, action: `/account/agents/${id('mail-agent')}` }, { action: 'revoke' }));
	const stranger = elsewhere(mallory);
	await stranger.sign_in();
	is_error_page(await stranger.get(`/account/agents/${id('mail-agent')}`), 404);
});

test('a question for all of a resource, with as many words as its file may have, fits the page; more are refused with the file', async () => {
	// 512 bytes of each scope as they are kept with a consent, where a quote counts twice
	const scopes = Array.from({ length: 64 }, (unused, i) => ({ name: `wordy.${i}`, title: '"'.repeat(98), risk: 'read', can: ['x'.repeat(300)], cannot: ['y'.repeat(7)] }));
	const wordy = { name: 'wordy', uri: `${grantd.issuer}/r/wordy`, title: 't'.repeat(200), introspection: [], scopes };
	await grantd.add_resource(wordy);
	const talker = await grantd.add_agent({ id: 'talker', name: 'n'.repeat(128), scope: null });
	const wish = talker.authorization({ resource: wordy.uri, scope: scopes.map(({ name }) => name).join(' ') });
	const { code } = await alice.allow(wish.url, { scope: ['wordy.0'], duration: '1h' });
	granted(await talker.redeem(code, wish));
	scopes[63].cannot[0] += 'y';
	await assert.rejects(grantd.add_resource({ ...wordy, name: 'wordier', uri: `${grantd.issuer}/r/wordier` }), /32769 bytes together.*fewer words/s);
});
