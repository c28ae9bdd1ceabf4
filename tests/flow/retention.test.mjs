// SPDX-License-Identifier: Apache-2.0
// What is over is deleted when its time has come, by the daemon itself, with its clock moved; a live grant keeps all
// that it rests on.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { with_documents } from './agent_host.mjs';
import { MovedInstance } from './clock.mjs';
import { granted, until } from './expect.mjs';
import { Instance, driver } from './harness/index.mjs';

const day = 86400;

test('what has been over for long goes, and what a live grant rests on stays', async (t) => {
	const grantd = await MovedInstance.start(t, { env: { GRANTD_KEEP_EVENTS: '40d', GRANTD_KEEP_ENDED: '30d', GRANTD_KEEP_SESSIONS: '30d', GRANTD_REFRESH_IDLE: '300d' } });
	const { alice, agent } = await grantd.furnish();
	const live = await agent.tokens(alice, { scope: ['mail.read'], duration: 'until-revoked' });
	const other = await grantd.add_agent({ id: 'other' });
	await other.tokens(alice, { scope: ['mail.read'] });
	const ids = Object.fromEntries((await grantd.operate(['grant', 'list'])).map((grant) => [grant.client_id, grant.id]));
	await grantd.operate(['grant', 'revoke', ids.other]);
	const [{ consent_event: consent }] = await grantd.rows(`SELECT consent_event FROM permissions WHERE grant_id = '${ids['mail-agent']}'`);
	const grants = async () => (await grantd.rows('SELECT id FROM grants')).map((grant) => grant.id);
	const done = async () => (await grantd.operate(['event', 'list'])).filter((event) => event.kind === 'retention.done').map((event) => event.details);

	grantd.move(29 * day);
	await grantd.restart(); // looks at once whether a day has passed since the last walk
	const next = granted(await agent.refresh(live.refresh_token));
	await agent.tokens(alice, { scope: ['mail.read'], duration: 'until-revoked' }); // a new yes in place of the first
	assert.equal((await grants()).length, 2);
	grantd.move(31 * day);
	await grantd.restart();
	await until(async () => (await grants()).length === 1);
	assert.deepEqual(await grants(), [ids['mail-agent']]);
	assert.deepEqual(await until(async () => (await done())[0]), { installations: 1, grants: 1, events: 0 });
	assert.deepEqual((await grantd.rows(`SELECT scope FROM permissions WHERE grant_id = '${ids.other}'`)), []);
	await until(async () => (await grantd.rows(`SELECT hash FROM sessions WHERE created_at < ${Date.now() + day * 1000}`)).length === 0);

	grantd.move(41 * day);
	await grantd.restart();
	await until(async () => (await done())[0]?.events > 0);
	const left = await grantd.rows(`SELECT id FROM events WHERE at < ${Date.now()}`);
	assert.deepEqual(left.map((event) => event.id), [consent], 'of that day only the consent that counted until lately');
	assert.match((await grantd.grantctl(['event', 'show', consent, '--text'])).stdout, /read/i);
	granted(await agent.refresh(next.refresh_token));

	// ten years ahead by mistake: what happened lately is not taken for old
	const lately = async () => (await grantd.rows(`SELECT id FROM events WHERE at > ${Date.now() + 40 * day * 1000}`)).map((event) => event.id);
	const recent = await lately();
	await grantd.stop();
	grantd.move(3650 * day);
	await grantd.start();
	const mark = async () => Number((await grantd.rows("SELECT value FROM marks WHERE name = 'retained'"))[0].value);
	await until(async () => await mark() > Date.now() + 60 * day * 1000);
	assert.ok(await mark() < Date.now() + 72 * day * 1000);
	const kept = await lately();
	assert.ok(recent.length > 0 && recent.every((id) => kept.includes(id)));
	// forty days after the new yes the proof of the old one goes too
	assert.ok(!(await grantd.rows('SELECT id FROM events')).some((event) => event.id === consent));

	// and starting again and again does not take it further, but the next day does
	const so_far = await mark();
	for (let i = 0; i < 2; i++) await grantd.restart(); // ends after its first round
	assert.equal(await mark(), so_far);
	grantd.move(3651 * day + 60);
	await grantd.restart();
	await until(async () => await mark() > so_far);
	assert.equal(await mark(), so_far + 30 * day * 1000);
});

test('agents that nobody needs are forgotten: a document after a week, a registration after 30 days', async (t) => {
	const { grantd, host, alice } = await with_documents(t, { moved: true });
	const allowed = host.agent(grantd, host.publish({}, { file: '/allowed.json' }));
	await allowed.tokens(alice);
	const opened = host.agent(grantd, host.publish({}, { file: '/opened.json' }));
	assert.equal((await alice.get(opened.authorization().url)).status, 200);
	const response = await grantd.fetch(`${grantd.issuer}/register`, { method: 'POST', body: JSON.stringify({ client_name: 'Desk', redirect_uris: ['http://127.0.0.1/cb'], token_endpoint_auth_method: 'none' }),
		raw_headers: new Map([['content-type', 'application/json']]) });
	const { client_id } = await response.json();
	const known = async () => (await grantd.operate(['client', 'list'])).map((client) => client.client_id);
	const starts_at = async (days) => {
		await grantd.stop(); // after its first round
		grantd.move(days * day);
		await grantd.start();
	};
	const everybody = (await known()).sort();
	for (const days of [6.8, 6.9]) await starts_at(days);
	assert.deepEqual((await known()).sort(), everybody);
	await starts_at(7.1);
	await until(async () => !(await known()).includes(opened.client_id));
	const needed = [client_id, allowed.client_id].sort();
	assert.deepEqual((await known()).sort(), needed);
	for (const days of [29.8, 29.9]) await starts_at(days);
	assert.deepEqual((await known()).sort(), needed);
	await starts_at(30.1);
	await until(async () => !(await known()).includes(client_id));
	assert.deepEqual(await known(), [allowed.client_id]);
	assert.equal(grantd.log().filter(({ event, client }) => event === 'client.expired' && client === client_id).length, 1);
});

async function the_other_sweeps(t) {
	const holder = await Instance.start(t);
	const { agent } = await holder.furnish({ agent: { secret: true, grant_types: ['client_credentials'] } });
	const heir = await Instance.beside(t, holder);
	t.after(MovedInstance.take(heir));
	const lease = async () => (await heir.rows("SELECT holder, fence FROM leases WHERE name = 'sweep'"))[0];
	const throttles = () => heir.rows('SELECT name FROM throttles');
	const held = await until(lease);
	// a row that is over a minute later
	await Object.assign(agent.at(holder), { client_secret: 'wrong'.repeat(8) }).post('/token', { grant_type: 'client_credentials' });
	await until(async () => (await throttles()).length === 1);
	await heir.start();
	await until(async () => /^grantd_job_done_timestamp_seconds\{name="sweep"\} [1-9]/m.test(await (await fetch(`http://127.0.0.1:${heir.port + 1}/metrics`)).text()));
	await holder.kill_9();
	assert.deepEqual(await lease(), held, 'it has asked for its turn, and it was not');
	heir.move(181);
	// it asks every minute, and those are real
	await until(async () => (await throttles()).length === 0, 120_000);
	const taken = await lease();
	assert.notEqual(taken.holder, held.holder);
	assert.equal(Number(taken.fence), Number(held.fence) + 1);
}

if (driver === 'postgres') test('on PostgreSQL only: when the node that sweeps is killed, another takes its lease when that has run out', { timeout: 240_000 }, the_other_sweeps);
