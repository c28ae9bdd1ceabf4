// SPDX-License-Identifier: Apache-2.0
// When storage fails under a request: nothing is acknowledged that is not kept, nothing forks, the answer comes in
// two seconds, and all is well again by itself. PostgreSQL is frozen, stopped, slow, and cut off at COMMIT; SQLite has its
// lock held by another process, or loses its daemon.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { event_kinds, granted, refused, until } from './expect.mjs';
import { CommitProxy, Cluster } from './harness/cluster.mjs';
import { Agent, Instance, driver, hold_lock, mail_secret } from './harness/index.mjs';

let cluster;
before(async () => {
	if (driver === 'sqlite') return;
	cluster = await Cluster.start();
	process.env.GRANTD_PG_SOCKET = cluster.dir; // of this file's own process
});
after(() => cluster?.dispose());

// Storage of the instance keeps nothing from now on; answers what ends it.
async function refuse_writes(grantd) {
	if (driver === 'sqlite') return hold_lock(grantd);
	grantd.proxy.at_commit = 'cut';
	return () => { grantd.proxy.at_commit = 'pass'; };
}

async function freeze(grantd) {
	if (driver === 'sqlite') return hold_lock(grantd);
	cluster.freeze();
	return () => cluster.thaw();
}

async function go_away(grantd) {
	if (driver === 'sqlite') return hold_lock(grantd);
	await cluster.stop();
	return () => cluster.start();
}

async function slow_down(grantd) {
	grantd.proxy.delay = 5000;
	return () => { grantd.proxy.delay = 0; };
}

async function start(t) {
	const grantd = await Instance.create();
	t.after(() => grantd.dispose());
	if (driver === 'postgres') {
		grantd.proxy = await CommitProxy.start(cluster.dir);
		t.after(() => grantd.proxy.dispose());
		grantd.env = { ...grantd.env, GRANTD_DATABASE: grantd.database.url.replace(cluster.dir, grantd.proxy.dir) };
	}
	await grantd.start();
	return { grantd, ...await grantd.furnish() };
}

const BOUND_MS = 2500; // two seconds, and something for a busy machine

async function in_time(what, request) {
	const began = performance.now();
	const answer = await request();
	const took = performance.now() - began;
	assert.ok(took < BOUND_MS, `${what} took ${Math.round(took)} ms`);
	return answer;
}

const reads_too = driver === 'postgres'; // SQLite's readers need no lock
const ready = async (grantd) => (await fetch(`http://127.0.0.1:${grantd.port + 1}/readyz`)).status;
const figures = async (grantd) => (await fetch(`http://127.0.0.1:${grantd.port + 1}/metrics`)).text();
const introspected = (grantd, token) => new Agent(grantd, { client_id: 'mail-rs', client_secret: mail_secret }).post('/introspect', { token });

test('RV-009: a revocation that storage does not keep is answered 503, changes nothing, and holds when asked again', async (t) => {
	const { grantd, alice, agent } = await start(t);
	const tokens = await agent.tokens(alice, { scope: ['mail.read'] });
	const heal = await refuse_writes(grantd);
	await grantd.unchanged(async () => refused(await agent.revoke(tokens.refresh_token), 503, 'temporarily_unavailable'), { except: [] });
	await heal();
	assert.equal((await grantd.introspect(tokens.access_token)).active, true);
	await until(async () => (await agent.revoke(tokens.refresh_token)).status === 200);
	assert.deepEqual(await grantd.introspect(tokens.access_token), { active: false });
	refused(await agent.refresh(tokens.refresh_token), 400, 'invalid_grant');
	assert.equal((await event_kinds(grantd)).filter((kind) => kind === 'family.ended').length, 1);
});

// A request whose commit nobody learns of. On SQLite the only such end is the daemon's own.
async function without_outcome(grantd, request, how = 'lose') {
	if (driver === 'sqlite') {
		const answer = request().catch(() => null);
		await new Promise((resolve) => setTimeout(resolve, 3));
		await grantd.kill_9();
		await grantd.start();
		return answer;
	}
	grantd.proxy.at_commit = how;
	grantd.proxy.met = 0;
	const answer = await in_time(`what is ${how} at COMMIT`, request);
	grantd.proxy.at_commit = 'pass';
	assert.ok(grantd.proxy.met > 0, 'the COMMIT was sent');
	refused(answer, 503, 'temporarily_unavailable');
	assert.ok(grantd.log().some((line) => line.event === 'store.outcome_unknown'));
	return null;
}

test('a refresh whose commit is not heard of is not acknowledged, and asked again goes on without a fork', async (t) => {
	const { grantd, alice, agent } = await start(t);
	let tokens = await agent.tokens(alice, { scope: ['mail.read'] });
	for (let i = 0; i < 5; i++) {
		await without_outcome(grantd, () => agent.refresh(tokens.refresh_token, {}, { apart: true }), i % 2 ? 'late' : 'lose');
		const again = await until(async () => {
			const answer = await agent.refresh(tokens.refresh_token);
			return answer.status === 503 ? null : granted(answer);
		});
		assert.equal(granted(await agent.refresh(tokens.refresh_token)).refresh_token, again.refresh_token, 'one successor');
		assert.equal((await grantd.introspect(again.access_token)).active, true);
		tokens = again;
	}
	granted(await agent.refresh(tokens.refresh_token));
	const families = await grantd.rows('SELECT generation, revoked_at FROM families');
	assert.deepEqual(families.map((family) => [family.generation, family.revoked_at]), [[7, null]]);
	assert.ok(!(await event_kinds(grantd)).includes('family.ended'));
});

test('a revocation whose commit is not heard of is not acknowledged, and asked again it holds', async (t) => {
	const { grantd, alice, agent } = await start(t);
	const tokens = await agent.tokens(alice, { scope: ['mail.read'] });
	await without_outcome(grantd, () => agent.revoke(tokens.refresh_token, {}, { apart: true }));
	await until(async () => (await agent.revoke(tokens.refresh_token)).status === 200);
	assert.deepEqual(await grantd.introspect(tokens.access_token), { active: false });
	assert.equal((await event_kinds(grantd)).filter((kind) => kind === 'family.ended').length, 1);
});

test('a code whose commit is not heard of gives tokens once at most', async (t) => {
	const { grantd, alice, agent } = await start(t);
	const wish = agent.authorization();
	const { code } = await alice.allow(wish.url, { scope: ['mail.read'] });
	const first = await without_outcome(grantd, () => agent.redeem(code, wish, {}, { apart: true }));
	const second = await until(async () => {
		const answer = await agent.redeem(code, wish);
		return answer.status === 503 ? null : answer;
	});
	if (driver === 'postgres') refused(second, 400, 'invalid_grant');
	assert.ok([first, second].filter((answer) => answer?.status === 200).length <= 1);
	assert.equal((await grantd.rows('SELECT id FROM families')).length, 1);
});

// Many at once, while storage does not answer; each must be told so in time, and none may be left hanging.
async function all_refused(grantd, { alice, agent, tokens }) {
	const apart = (what, request) => in_time(what, request).then((answer) => refused(answer, 503, 'temporarily_unavailable'));
	await Promise.all([
		...Array.from({ length: 24 }, () => apart('refresh', () => agent.refresh(tokens.refresh_token, {}, { apart: true }))),
		apart('revoke', () => agent.revoke(tokens.refresh_token, {}, { apart: true })),
		...(reads_too ? [apart('introspect', () => introspected(grantd, tokens.access_token))] : []),
		in_time('authorize', () => alice.get(agent.authorization().url)).then((page) => assert.equal(page.status, 503)),
		...(reads_too ? [in_time('account', () => alice.get('/account')).then((page) => assert.equal(page.status, 503))] : []),
	]);
}

async function health_says_so(grantd) {
	if (!reads_too) {
		assert.match(await figures(grantd), /^grantd_writes_failed_total [1-9]/m);
		return;
	}
	await until(async () => await in_time('readyz', () => ready(grantd)) === 503);
	assert.match(await figures(grantd), /^grantd_database_up 0$/m);
	assert.equal((await fetch(`http://127.0.0.1:${grantd.port + 1}/livez`)).status, 200);
}

async function all_well(grantd, agent, tokens) {
	await until(async () => await ready(grantd) === 200);
	const next = await until(async () => {
		const answer = await agent.refresh(tokens.refresh_token);
		return answer.status === 503 ? null : granted(answer);
	});
	await until(async () => (await introspected(grantd, next.access_token)).body?.active);
	assert.deepEqual(await grantd.rows('SELECT id FROM families WHERE revoked_at IS NOT NULL'), []);
	return next;
}

// Twice while it lasts: those who find their connections as they were, and those who need new ones.
async function refuses_in_time(t, begin) {
	const { grantd, alice, agent } = await start(t);
	let tokens = await agent.tokens(alice, { scope: ['mail.read'] });
	for (let i = 0; i < 2; i++) {
		const heal = await begin(grantd);
		try {
			await all_refused(grantd, { alice, agent, tokens });
			await health_says_so(grantd);
			await all_refused(grantd, { alice, agent, tokens });
		} finally {
			await heal();
		}
		tokens = await all_well(grantd, agent, tokens);
	}
	assert.ok(grantd.daemon.is_running);
}

for (const [how, begin] of [['freezes', freeze], ['goes away', go_away]])
	test(`FT-006: storage that ${how} refuses within two seconds, and works again by itself when it is back`, (t) => refuses_in_time(t, begin));

if (driver === 'postgres') test('on PostgreSQL only: FT-006: a server whose answers take five seconds is not waited for longer than two', (t) => refuses_in_time(t, slow_down));

// Each is over when it answers; what follows must come by itself.
const blows = driver === 'sqlite'
	? [['its lock is taken', async (grantd) => { const release = await hold_lock(grantd); await sleep(500); release(); }]]
	: [
		['a backend is killed', (grantd) => cluster.kill_backend(grantd.database.name)],
		['it is shut down at once and started', async () => { await cluster.stop(); await cluster.start(); }],
		['it stands still', async () => { cluster.freeze(); await sleep(500); cluster.thaw(); }],
	];

test('FT-006: storage that is killed, restarted and stopped under load loses nothing acknowledged and comes back by itself', async (t) => {
	const grantd = await Instance.start(t);
	const { alice, agent } = await grantd.furnish();
	const lines = [];
	for (let i = 0; i < 2; i++) lines.push((await agent.tokens(alice, { scope: ['mail.read'] })).refresh_token);
	let stop = false, refreshed = 0, refused_count = 0;
	const load = [0, 1, 0, 1].map(async (i) => {
		while (!stop) {
			const answer = await agent.refresh(lines[i], {}, { apart: true });
			if (answer.status === 503) {
				refused(answer, 503, 'temporarily_unavailable');
				refused_count++;
				await sleep(20);
				continue;
			}
			lines[i] = granted(answer).refresh_token;
			refreshed++;
		}
	});
	const goes_on = () => { const enough = refreshed + 10; return until(() => refreshed >= enough, 60_000); };
	await goes_on();
	for (let round = 0; round < Number(process.env.BLOWS ?? 1); round++) {
		for (const [what, strike] of blows) {
			await strike(grantd);
			await goes_on();
		}
	}
	stop = true;
	await Promise.all(load);
	if (driver === 'postgres') assert.ok(refused_count > 0, 'it was felt');
	for (const token of lines) await until(async () => { // a connection that died may be noticed only now
		const answer = await agent.refresh(token);
		return answer.status === 503 ? null : granted(answer);
	});
	const recorded = (await event_kinds(grantd)).filter((kind) => /^token\.(refreshed|repeated)$/.test(kind)).length;
	assert.ok(recorded >= refreshed, `${recorded} events for ${refreshed} answers`);
	assert.deepEqual(await grantd.rows('SELECT id FROM families WHERE revoked_at IS NOT NULL'), []);
	assert.ok(grantd.daemon.is_running);
	t.diagnostic(`storage struck down ${blows.length * Number(process.env.BLOWS ?? 1)} times (${blows.map(([what]) => what).join(', ')}): ${refreshed} acknowledged and kept, ${refused_count} refused`);
});
