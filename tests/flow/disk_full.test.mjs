// SPDX-License-Identifier: Apache-2.0
// A disk that is full to its last byte: who wants something is refused, who stops something is not, and when there is
// space again all goes on without a restart. PostgreSQL has no reserve of ours: there only what is refused and that
// it heals are promised.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import { instance_on_small_disk } from './disk.mjs';
import { event_kinds, granted, refused, until } from './expect.mjs';
import { Agent, Instance, driver } from './harness/index.mjs';

const skip = process.getuid() !== 0 && 'needs root, to mount a small disk';
const has_reserve = driver === 'sqlite';
const read = { scope: ['mail.read'] };

async function ready(grantd) {
	const response = await fetch(`http://127.0.0.1:${grantd.port + 1}/readyz`);
	return [response.status, await response.text()];
}

// What is allocated already may still be written to: until nothing fits any more, each token is a real one.
async function refresh_until_refused(agent, tokens, disk) {
	for (let i = 0; i < 4000; i++) {
		const answer = await agent.refresh(tokens.refresh_token);
		if (answer.status !== 200) return { answer, tokens };
		tokens = granted(answer);
		disk.fill();
	}
	return assert.fail('the disk is never full');
}

async function space_is_back(grantd, agent, tokens, disk) {
	disk.free();
	const next = await until(async () => {
		const answer = await agent.refresh(tokens.refresh_token);
		return answer.status === 503 ? null : granted(answer);
	});
	assert.equal((await grantd.introspect(next.access_token)).active, true);
	await until(async () => (await ready(grantd))[0] === 200);
	return next;
}

test('FT-001: on a full disk what is asked for is refused and leaves nothing, and space heals it without a restart', { skip }, async (t) => {
	const { grantd, disk } = await instance_on_small_disk(t);
	const { alice, agent } = await grantd.furnish();
	let tokens = await agent.tokens(alice, read);
	for (let i = 0; i < (has_reserve ? 2 : 1); i++) {
		disk.fill();
		let answer;
		({ answer, tokens } = await refresh_until_refused(agent, tokens, disk));
		refused(answer, 503, 'temporarily_unavailable');
		await grantd.unchanged(async () => refused(await agent.refresh(tokens.refresh_token), 503, 'temporarily_unavailable'), { except: [] });
		if (has_reserve) {
			assert.equal((await fetch(`http://127.0.0.1:${grantd.port + 1}/livez`)).status, 200, 'a proxy that watches this lets people stop things');
			assert.deepEqual(await ready(grantd), [503, 'the disk is full: only what stops something is kept\n']);
			const figures = await (await fetch(`http://127.0.0.1:${grantd.port + 1}/metrics`)).text();
			assert.match(figures, /^grantd_disk_full 1$/m);
			assert.match(figures, /^grantd_database_up 1$/m);
			assert.ok(grantd.log().some((line) => line.event === 'store.full'));
			const page = await alice.get(agent.authorization().url);
			assert.equal(page.status, 503);
			assert.match(page.text, /disk is full/);
			assert.notEqual((await grantd.grantctl(['user', 'create', 'bob'])).status, 0);
		}
		const events = await event_kinds(grantd);
		tokens = await space_is_back(grantd, agent, tokens, disk);
		assert.ok((await event_kinds(grantd)).length > events.length);
	}
	assert.deepEqual(await grantd.rows('SELECT id FROM families WHERE revoked_at IS NOT NULL'), []);
	if (has_reserve) assert.ok(grantd.log().some((line) => line.event === 'store.space_back'));
});

// Everybody's way to stop something; each must hold at once and leave its event.
async function stop_everything(grantd, { alice, agents, tokens, asked }) {
	assert.equal((await agents[0].revoke(tokens[0].refresh_token)).status, 200);
	const grants = await grantd.operate(['grant', 'list', '--user', 'alice']);
	const grant_of = (i) => grants.find((grant) => grant.client_id === agents[i].client_id).id;
	assert.equal((await grantd.operate(['grant', 'revoke', grant_of(1)])).status, 'revoked');
	const page = await alice.get(`/account/agents/${grant_of(2)}`);
	const paused = await alice.submit(page, page.form_with('csrf'), { action: 'pause' });
	assert.equal(paused.status, 200, paused.text.slice(0, 300));
	await grantd.operate(['client', 'disable', agents[3].client_id]);
	const denied = await alice.decide(asked, 'deny');
	assert.equal(denied.left?.searchParams.get('error'), 'access_denied', denied.text);
	const leave = await alice.get('/logout');
	await alice.submit(leave, leave.form_with('csrf'));
	assert.ok((await alice.get('/account')).form_with('password'), 'signed out');
}

async function is_stopped(grantd, { agents, tokens }) {
	for (let i = 0; i < agents.length - 1; i++) {
		assert.deepEqual(await grantd.introspect(tokens[i].access_token), { active: false }, agents[i].client_id);
		const { status, body } = await agents[i].refresh(tokens[i].refresh_token);
		assert.deepEqual([status, body.error], [[400, 'invalid_grant'], [400, 'invalid_grant'], [503, 'temporarily_unavailable'], [401, 'invalid_client']][i]);
	}
	const ids = agents.map(({ client_id }) => client_id);
	const kinds = (await grantd.rows('SELECT kind, client_id FROM events')).filter(({ client_id }) => !client_id || ids.includes(client_id)).map(({ kind }) => kind);
	for (const kind of ['family.ended', 'grant.revoked', 'grant.paused', 'client.disabled', 'grant.denied', 'logout']) assert.equal(kinds.filter((one) => one === kind).length, 1, kind);
}

// What a stranger registers and ends at will must not use up the space in reserve.
async function registered_ones(grantd, alice) {
	const ones = [];
	for (const name of ['unused', 'used']) {
		const response = await grantd.fetch(`${grantd.issuer}/register`, { method: 'POST', body: JSON.stringify({ client_name: name, redirect_uris: ['http://127.0.0.1/cb'], token_endpoint_auth_method: 'none' }),
			headers: { 'content-type': 'application/json' } });
		ones.push(await response.json());
	}
	const { client_id } = ones[1];
	await new Agent(grantd, { client_id, redirect_uri: 'http://127.0.0.1/cb', resource: grantd.mail_uri, scope: 'mail.read' }).tokens(alice, read);
	return ones;
}

async function one_in_use_ends_itself(grantd, [unused, used]) {
	const end = async (one) => (await grantd.fetch(one.registration_client_uri, { method: 'DELETE', headers: { authorization: `Bearer ${one.registration_access_token}` } })).status;
	if (has_reserve) assert.equal(await end(unused), 503);
	if (has_reserve) assert.ok(!grantd.log().some((line) => line.event === 'store.reserve_used'), 'no byte of the reserve for it');
	assert.equal(await end(used), 204);
}

test('FT-016: on a full disk revocation, pause, disabling, a no and signing out are kept with their events, also through kill -9', { skip }, async (t) => {
	const { grantd, disk } = await instance_on_small_disk(t);
	await grantd.add_resource();
	const alice = await grantd.add_person('alice');
	const agents = [], tokens = [];
	await alice.sign_in();
	for (const id of ['revokes-itself', 'is-revoked', 'is-paused', 'is-disabled', 'goes-on']) agents.push(await grantd.add_agent({ id, name: id }));
	tokens.push(...await Promise.all(agents.map((agent) => agent.tokens(alice, read))));
	const last = agents.length - 1;
	const ones = await registered_ones(grantd, alice);
	const asked = await alice.open(agents[last].authorization().url); // a question that is answered on the full disk
	disk.fill();
	const full = await refresh_until_refused(agents[last], tokens[last], disk);
	tokens[last] = full.tokens;
	// PostgreSQL's operator gives back the space that was kept for this: docs/operator.md
	if (!has_reserve) await space_is_back(grantd, agents[last], tokens[last], disk).then((next) => { tokens[last] = next; });
	await one_in_use_ends_itself(grantd, ones);
	await stop_everything(grantd, { alice, agents, tokens, asked });
	disk.fill();
	await is_stopped(grantd, { agents, tokens });
	if (has_reserve) assert.ok(grantd.log().some((line) => line.event === 'store.reserve_used'), 'they were kept from the reserve');
	if (has_reserve) refused(await agents[last].refresh(tokens[last].refresh_token), 503, 'temporarily_unavailable');
	await grantd.kill_9();
	await grantd.start();
	await is_stopped(grantd, { agents, tokens });
	tokens[last] = await space_is_back(grantd, agents[last], tokens[last], disk);
	await is_stopped(grantd, { agents, tokens });
	if (has_reserve) await until(() => fs.statSync(path.join(grantd.dir, 'grantd.db.reserve')).size === 16 * 1024 * 1024);
});

test('check says when the space in reserve is missing or too small, and start makes it', async (t) => {
	const grantd = await Instance.start(t);
	await grantd.stop();
	const check = () => grantd.grantd(['check', '--dir', grantd.dir]);
	assert.equal((await check()).status, 0);
	const reserve = path.join(grantd.dir, 'grantd.db.reserve');
	if (!has_reserve) return assert.ok(!fs.existsSync(reserve));
	assert.equal(fs.statSync(reserve).mode & 0o777, 0o600);
	fs.truncateSync(reserve, 4096);
	const short = await check();
	assert.equal(short.status, 1);
	assert.match(short.stderr, /grantd\.db\.reserve holds back 4096 of 16777216 bytes/);
	fs.truncateSync(reserve, 16 * 1024 * 1024);
	assert.match((await check()).stderr, /holds back 4096 of/, 'a length is no space');
	fs.rmSync(reserve);
	assert.match((await check()).stderr, /grantd\.db\.reserve is missing/);
	assert.ok(!fs.existsSync(reserve), 'check changes nothing');
	await grantd.start();
	assert.equal((await check()).status, 0);
	assert.ok(fs.statSync(reserve).blocks * 512 >= 16 * 1024 * 1024);
});

test('a start that cannot have its reserve ends with 1 and says so, also where it had something to write', async (t) => {
	const grantd = await Instance.start(t);
	await grantd.furnish();
	await grantd.stop();
	const resource = path.join(grantd.dir, 'resources/mail.json');
	const reserve = path.join(grantd.dir, 'grantd.db.reserve');
	const edit = (title) => fs.writeFileSync(resource, JSON.stringify({ ...JSON.parse(fs.readFileSync(resource, 'utf8')), title }));
	fs.rmSync(reserve, { force: true });
	fs.mkdirSync(reserve); // which is nothing to PostgreSQL
	for (const change of [() => {}, () => edit('Another title')]) {
		change();
		if (!has_reserve) {
			await grantd.restart();
			continue;
		}
		const start = await grantd.grantd(['serve', '--dir', grantd.dir], { timeout: 30_000 });
		assert.equal(start.status, 1, start.stderr);
		assert.match(start.stderr, /grantd\.db\.reserve/);
		assert.doesNotMatch(start.stderr, /^ready$/m);
	}
	if (!has_reserve) return;
	fs.rmdirSync(reserve);
	await grantd.start();
	assert.deepEqual(await ready(grantd), [200, 'ok\n']);
});
