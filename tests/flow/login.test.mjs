// SPDX-License-Identifier: Apache-2.0
// Signing in, guessing, and what a closed account still opens: rows LG of tests/rows.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import https from 'node:https';
import os from 'node:os';
import { after, before, describe, test } from 'node:test';
import { granted, refused } from './expect.mjs';
import { Instance, Person, driver } from './harness/index.mjs';

let grantd, alice, agent;
before(async () => {
	grantd = await Instance.start(null);
	({ alice, agent } = await grantd.furnish());
});
after(() => grantd.dispose());

// A browser at another address of this machine.
function at(address, person) {
	const local = new https.Agent({ localAddress: address });
	const fetch = (url, init) => grantd.fetch(url, { ...init, agent: local });
	return new Person({ issuer: grantd.issuer, fetch }, person);
}

// Sends one sign-in after another over one page, from wherever `person` is.
async function guesser(person) {
	const page = await person.get('/login');
	return (username, password, who = person) => who.submit(page, page.form_with('password'), { username, password }, { follow: false });
}

const is_in = (answer) => answer.status === 303 && answer.headers.getSetCookie().some((cookie) => /^__Host-grantd-session=[\w-]{43};/.test(cookie));

function is_throttled(answer) {
	assert.equal(answer.status, 429, answer.text.slice(0, 300));
	assert.match(answer.headers.get('retry-after'), /^[1-9][0-9]*$/);
	assert.match(answer.text, /Too many wrong passwords/);
}

test('LG-001: a hundred guesses from a hundred networks meet the throttle of the account; its owner does not', async () => {
	const bob = await grantd.add_person('bob');
	await bob.sign_in(); // this browser is known from now on
	const stranger = new Person(grantd, bob);
	const page = await stranger.get('/login');
	const statuses = [];
	for (let i = 1; i <= 100; i++) {
		const there = at(`127.0.${i}.1`, bob);
		there.cookies = stranger.cookies;
		const answer = await there.submit(page, page.form_with('password'), { username: 'bob', password: `guess ${i}` }, { follow: false });
		statuses.push(answer.status);
		assert.ok(answer.status === 403 || answer.status === 429, String(answer.status));
	}
	assert.deepEqual(statuses.slice(0, 10), Array(10).fill(403));
	// each second lets one through; how many seconds this takes is the machine's affair (the unit test counts)
	assert.ok(statuses.includes(429), statuses.join(' '));
	const again = await bob.get('/login?again=1');
	assert.ok(is_in(await bob.submit(again, again.form_with('password'), { username: 'bob', password: bob.password }, { follow: false })));
});

// Ten guesses at each would be free were they not counted together.
if (driver === 'postgres') test('on PostgreSQL only: LG-001: wrong passwords sent to two nodes by turns count as at one', async (t) => {
	const node = await Instance.beside(t, grantd);
	await node.start();
	const stranger = new Person(grantd, await grantd.add_person('fred'));
	const page = await stranger.get('/login');
	const answers = [];
	for (let i = 0; i < 20; i++)
		answers.push(await stranger.at(i % 2 ? node : grantd).submit(page, page.form_with('password'), { username: 'fred', password: `guess ${i}` }, { follow: false }));
	for (const answer of answers.slice(0, 10)) assert.equal(answer.status, 403);
	for (const turn of [0, 1]) {
		const refusal = answers.find(({ status }, i) => i % 2 === turn && status !== 403);
		assert.ok(refusal, answers.map(({ status }) => status).join(' '));
		is_throttled(refusal);
	}
});

test('LG-002: every spelling of a name is counted as one account', async () => {
	await grantd.add_person('carla');
	const guess = await guesser(new Person(grantd, { username: 'carla', password: '' }));
	const spellings = ['carla', 'Carla', 'CARLA', ' carla', 'carla ', '\tcarla'];
	const counters = async () => new Map((await grantd.rows('SELECT name, sum(used) AS used FROM counters GROUP BY name')).map((row) => [row.name, Number(row.used)]));
	const before = await counters();
	for (const name of spellings) assert.equal((await guess(name, 'wrong password')).status, 403);
	const added = [...await counters()].filter(([name]) => !before.has(name)).map(([, used]) => used);
	assert.deepEqual([...new Set(added)], [spellings.length], 'whatever is counted counts all of them');
	let last;
	for (let i = 0; i < 24 && last?.status !== 429; i++) last = await guess(spellings[i % spellings.length], 'wrong password');
	is_throttled(last);
});

test('LG-002: a name that only looks alike is another account, with a throttle of its own', async () => {
	await grantd.add_person('dora');
	const guess = await guesser(new Person(grantd, { username: 'dora', password: '' }));
	for (const name of ['ｄｏｒａ', 'dorа', 'dora\u200b', 'do\u00adra']) {
		for (let i = 0; i < 4; i++) assert.notEqual((await guess(name, 'the password of dora')).status, 303, name);
	}
	assert.ok(is_in(await guess('dora', 'the password of dora')));
});

test('LG-003: who does not exist is answered like who gave a wrong password', async () => {
	const guess = await guesser(new Person(grantd, alice));
	await grantd.add_person('closed');
	await grantd.operate(['user', 'disable', 'closed']);
	const bare = (answer, name) => answer.html.replaceAll(name, 'NAME').replace(/name="csrf" value="[^"]*"/, '');
	const wrong = await guess('alice', 'wrong password');
	for (const name of ['nobody', 'closed']) {
		const answer = await guess(name, 'the password of closed');
		assert.equal(answer.status, 403);
		assert.equal(bare(answer, name), bare(wrong, 'alice'));
		assert.deepEqual([...answer.headers.keys()].sort(), [...wrong.headers.keys()].sort());
	}
});

describe('LG-008: passwords that are none', () => {
	const cases = [['empty', '', 400], ['too long', 'p'.repeat(1025), 400], ['a MiB', 'p'.repeat(1 << 20), 413], ['with a NUL', 'the password of alice\0x', 400]];
	for (const [name, password, status] of cases) {
		test(name, async () => {
			const guess = await guesser(new Person(grantd, alice));
			await grantd.unchanged(async () => assert.equal((await guess('alice', password)).status, status), { except: ['events', 'sessions'] });
		});
	}
	test('the longest there may be is a wrong one', async () => {
		const guess = await guesser(new Person(grantd, alice));
		assert.equal((await guess('alice', 'p'.repeat(1024))).status, 403);
	});
});

describe('LG-009: a disabled person is out everywhere', () => {
	const read = { scope: ['mail.read'], duration: '7d' };
	let erin, tokens, wish, code, page, form;
	before(async () => {
		erin = await grantd.add_person('erin');
		tokens = await agent.tokens(erin, read);
		wish = agent.authorization();
		({ code } = await erin.allow(wish.url, read));
		page = await erin.open(agent.authorization().url);
		form = await erin.get('/account/security');
		await grantd.operate(['user', 'disable', 'erin']);
	});
	const is_out = (answer) => {
		assert.equal(answer.left?.searchParams.get('code') ?? null, null);
		assert.ok(answer.url.pathname === '/login' || answer.status === 403, `${answer.status} ${answer.url.pathname}`);
	};
	const paths = [
		['signing in', async () => {
			const guess = await guesser(new Person(grantd, erin));
			assert.equal((await guess('erin', erin.password)).status, 403);
		}],
		['a refresh token', async () => refused(await agent.refresh(tokens.refresh_token), 400, 'invalid_grant')],
		['a code', async () => refused(await agent.redeem(code, wish), 400, 'invalid_grant')],
		['an access token', async () => assert.deepEqual(await grantd.introspect(tokens.access_token), { active: false })],
		['an open question', async () => is_out(await erin.decide(page, 'allow', read))],
		['a new question', async () => is_out(await erin.get(agent.authorization().url))],
		['a form of the account', async () => is_out(await erin.submit(form, form.form_with('new_password'), { action: 'password', password: erin.password, new_password: 'another password' }))],
		...['/account', '/account/activity', '/account/security', '/logout'].map((path) => [`the page ${path}`, async () => is_out(await erin.get(path))]),
	];
	for (const [name, run] of paths) test(name, run);

	test('and in again when enabled', async () => {
		await grantd.operate(['user', 'enable', 'erin']);
		const again = new Person(grantd, erin);
		await again.sign_in();
		granted(await agent.redeem((await again.allow((wish = agent.authorization()).url, read)).code, wish));
	});
});

test('LG-009: guesses alone lock nobody out of what was agreed', async () => {
	const frank = await grantd.add_person('frank');
	const { refresh_token, access_token } = await agent.tokens(frank, { scope: ['mail.read'], duration: '7d' });
	const guess = await guesser(new Person(grantd, frank));
	let last;
	for (let i = 0; i < 24 && last?.status !== 429; i++) last = await guess('frank', 'wrong password');
	is_throttled(last);
	assert.equal((await grantd.introspect(access_token)).active, true);
	granted(await agent.refresh(refresh_token));
	assert.equal((await frank.get('/account')).url.pathname, '/account');
});

test('LG-014: no answer gives away the state of a request, a session or a password', async () => {
	const person = new Person(grantd, alice);
	const wish = agent.authorization({ state: 'the-state-of-this-request' });
	const seen = [await person.get(wish.url)];
	const guess = await guesser(person);
	seen.push(await guess('alice', 'a wrong password to look for'));
	seen.push(await person.sign_in_on(seen[0]));
	seen.push(await person.decide(seen[2], 'allow', { scope: [] }));
	for (const path of ['/account', '/account/activity', '/account/security', '/logout', '/nowhere']) seen.push(await person.get(path));
	const secrets = ['the-state-of-this-request', 'a wrong password to look for', alice.password, wish.verifier, ...person.cookies.names().map((name) => person.cookies.get(name))];
	for (const page of seen) for (const secret of secrets) assert.ok(!page.html.includes(secret), `${page.url.pathname} has ${secret}`);
});

test('who hashes passwords goes behind all who answer about tokens, and leaves them every other core', async () => {
	const { pid } = grantd.daemon;
	const threads = fs.readdirSync(`/proc/${pid}/task`).map((thread) => fs.readFileSync(`/proc/${pid}/task/${thread}/stat`, 'utf8').replace(/^.*\) /, '').split(' '));
	const usual = fs.readFileSync('/proc/self/stat', 'utf8').replace(/^.*\) /, '').split(' ')[16];
	const nice = threads.filter((fields) => fields[16] === '15');
	assert.equal(nice.length, Math.ceil(os.availableParallelism() / 2), 'the workers of the slow lane');
	assert.equal(threads.filter((fields) => fields[16] === usual).length, threads.length - nice.length, 'and nobody else');
});
