// SPDX-License-Identifier: Apache-2.0
// More than grantd can do: each lane says 503 with Retry-After when it is full, the others go on as if nothing
// were, and when the crowd has gone all is as before.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { Crowd, request, start_plain, statuses } from './crowd.mjs';
import { granted, until } from './expect.mjs';
import { Cluster } from './harness/cluster.mjs';
import { basic, driver, hold_commits, hold_lock, mail_secret } from './harness/index.mjs';

let cluster, grantd, alice, agent, tokens;
before(async () => {
	if (driver === 'postgres') {
		cluster = await Cluster.start();
		process.env.GRANTD_PG_SOCKET = cluster.dir; // of this file's own process
	}
	grantd = await start_plain(null, { env: { GRANTD_DATABASE_QUEUE: '200' } });
	({ alice, agent } = await grantd.furnish());
	tokens = await agent.tokens(alice, { scope: ['mail.read'] });
});
after(async () => {
	await grantd.dispose();
	await cluster?.dispose();
});

// As a browser of hers sends it.
const of_alice = (headers = {}) => ({ Cookie: alice.cookies.header, Origin: grantd.issuer, 'Sec-Fetch-Site': 'same-origin', ...headers });

// Every answer is one of the two, some are of each kind, and each 503 says when to come back.
function some_are_refused(answers, well) {
	const count = statuses(answers);
	assert.deepEqual(Object.keys(count).map(Number).sort(), [well, 503].sort(), JSON.stringify(count));
	for (const { status, retry_after, head } of answers) if (status === 503) assert.match(retry_after ?? '', /^[1-9]\d*$/, head);
}

// How many each queue has refused so far.
async function refusals() {
	const figures = await (await fetch(`http://127.0.0.1:${grantd.port + 1}/metrics`)).text();
	return new Map([...figures.matchAll(/^grantd_queue_refused_total\{queue="(\w+)"\} (\d+)$/gm)].map(([, queue, count]) => [queue, Number(count)]));
}

// That queue refused some since then, and no other did. Who goes on meanwhile may have a note of his own refused.
async function has_overflowed(queue, so_far) {
	const more = [...await refusals()].filter(([name, count]) => count > so_far.get(name));
	assert.deepEqual(more.map(([name]) => name), [queue]);
}

// Answers what `work` does `times` in a row, while the crowd waits: the last of it comes before the crowd's last.
async function meanwhile(answers, work, times) {
	let left = answers.length;
	for (const answer of answers) answer.then(() => { left--; });
	for (let i = 0; i < times; i++) await work();
	return left;
}

async function refresh() {
	tokens = granted(await agent.refresh(tokens.refresh_token));
}

test('sign-ins beyond the slow lane are refused at once; tokens, pages and operators go on; then people sign in again', async () => {
	const page = await alice.get('/login?again=1');
	const form = Object.fromEntries(page.form_with('password').fields.filter(({ name }) => name).map(({ name, value }) => [name, value]));
	const sign_in = request(grantd, 'POST', '/login', { headers: of_alice(), form: { ...form, username: alice.username, password: alice.password } });
	const crowd = await Crowd.open(grantd.port, 120), so_far = await refusals();
	try {
		const coming = await crowd.ask_at_once(grantd.daemon, sign_in);
		const left = await meanwhile(coming, async () => {
			await refresh();
			assert.equal((await grantd.introspect(tokens.access_token)).active, true);
			assert.equal((await grantd.fetch(`${grantd.issuer}/jwks.json`)).status, 200);
			assert.equal((await alice.get('/login?again=1')).status, 200);
			assert.equal((await grantd.grantctl(['status'])).status, 0);
		}, 3);
		assert.ok(left > 0, 'the crowd still waits');
		some_are_refused(await Promise.all(coming), 303);
		await has_overflowed('slow', so_far);
		assert.equal((await crowd.clients[0].ask(sign_in)).status, 303);
	} finally {
		crowd.close();
	}
});

test('pages beyond their lane are refused at once; tokens go on; then pages are shown again', async () => {
	alice.cookies.clear(); // the crowd's sign-ins ended her own session
	await alice.sign_in();
	const page = request(grantd, 'GET', '/account/activity', { headers: of_alice() });
	const crowd = await Crowd.open(grantd.port, 700), so_far = await refusals();
	try {
		const coming = await crowd.ask_at_once(grantd.daemon, page);
		await meanwhile(coming, refresh, 3);
		some_are_refused(await Promise.all(coming), 200);
		await has_overflowed('pages', so_far);
		assert.equal((await crowd.clients[0].ask(page)).status, 200);
	} finally {
		crowd.close();
	}
});

const refreshing = () => request(grantd, 'POST', '/token', { form: { grant_type: 'refresh_token', client_id: agent.client_id, refresh_token: tokens.refresh_token } });

async function refreshes_again() {
	await until(async () => {
		const answer = await agent.refresh(tokens.refresh_token);
		return answer.status !== 503 && (tokens = granted(answer));
	});
}

test('changes beyond the queue of the writer are refused at once; who changes nothing goes on; then changes are kept again', async () => {
	await refresh();
	const crowd = await Crowd.open(grantd.port, 600), so_far = await refusals();
	const heal = await hold_commits(grantd);
	try {
		const coming = await crowd.ask_at_once(grantd.daemon, refreshing());
		const first = await Promise.race(coming);
		assert.equal(first.status, 503);
		assert.equal((await grantd.fetch(`${grantd.issuer}/jwks.json`)).status, 200);
		assert.equal((await alice.get('/account')).status, 200);
		await heal();
		const answers = await Promise.all(coming);
		some_are_refused(answers, 200);
		await has_overflowed('writer', so_far);
	} finally {
		crowd.close();
	}
	await refreshes_again();
});

// SQLite's readers wait for nobody, so there it is writes that pile up.
async function stand_still() {
	if (driver === 'postgres') {
		cluster.freeze();
		return () => cluster.thaw();
	}
	return hold_lock(grantd);
}

test('a database that stands still is felt by who needs it only, none of 1,300 hangs, and it goes on by itself', async () => {
	const ask = driver === 'postgres' ? request(grantd, 'POST', '/introspect', { headers: { Authorization: basic('mail-rs', mail_secret) }, form: { token: tokens.access_token } })
		: refreshing();
	const crowd = await Crowd.open(grantd.port, 1300), so_far = await refusals();
	const heal = await stand_still();
	try {
		const coming = await crowd.ask_at_once(grantd.daemon, ask);
		const first = await Promise.race(coming);
		assert.equal(first.status, 503);
		for (let i = 0; i < 20; i++) {
			assert.equal((await grantd.fetch(`${grantd.issuer}/jwks.json`)).status, 200);
			assert.equal((await grantd.fetch(`${grantd.issuer}/.well-known/oauth-authorization-server`)).status, 200);
			assert.equal((await fetch(`http://127.0.0.1:${grantd.port + 1}/livez`)).status, 200);
		}
		await heal();
		const answers = await Promise.all(coming);
		for (const answer of answers) {
			assert.ok(answer?.status === 200 || answer?.status === 503, answer?.head ?? 'no answer');
			if (answer.status === 503) assert.match(answer.retry_after ?? '', /^[1-9]\d*$/);
		}
		await has_overflowed(driver === 'postgres' ? 'store' : 'writer', so_far);
	} finally {
		crowd.close();
	}
	await until(async () => (await fetch(`http://127.0.0.1:${grantd.port + 1}/readyz`)).status === 200);
	await refreshes_again();
	assert.ok(grantd.daemon.is_running);
});
