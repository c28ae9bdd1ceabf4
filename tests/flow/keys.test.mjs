// SPDX-License-Identifier: Apache-2.0
// Signing keys over their life, as real clients and resource servers see it: jose keeps a copy of our keys, as they do.
import assert from 'node:assert/strict';
import http from 'node:http';
import { after, before, test } from 'node:test';
import { createRemoteJWKSet, customFetch, decodeProtectedHeader, jwtVerify } from 'jose';
import { MovedInstance } from './clock.mjs';
import { ask, granted, until } from './expect.mjs';
import { driver } from './harness/index.mjs';

const minute = 60, day = 24 * 60 * minute;

let grantd, alice, agent, now = 0;
before(async () => {
	grantd = await MovedInstance.start(null);
	({ alice, agent } = await grantd.furnish());
});
after(() => grantd?.end());

const pass = (seconds) => grantd.move(now += seconds);
// With no call under way: one that began before the move would end after it.
async function pass_between(load, seconds) {
	let go_on;
	load.gate = new Promise((resolve) => { go_on = resolve; });
	await Promise.race([load.done, new Promise((resolve) => { load.rests = resolve; })]);
	pass(seconds);
	load.gate = null;
	go_on();
}
const list = async (purpose = 'access') => (await grantd.operate(['keys', 'list'])).filter((key) => key.purpose === purpose);
const states = async (purpose) => (await list(purpose)).map((key) => key.state);
const published = async () => JSON.parse((await ask(grantd, '/jwks.json')).text).keys.map((key) => key.kid);
const kid = (token) => decodeProtectedHeader(token).kid;
// The daemon's time moves, and nobody else's.
const daemon_time = () => new Date(Date.now() + now * 1000);
const fresh = () => { alice.cookies.clear(); return agent.tokens(alice, { scope: ['mail.read'] }); };

// A resource server that keeps our keys for ten minutes and fetches them again for a key id it does not know.
const resource_server = () => createRemoteJWKSet(new URL('/jwks.json', grantd.issuer), { [customFetch]: (url, init) => grantd.fetch(url, init), cooldownDuration: 0 });
const verify = (keys, token) => jwtVerify(token, keys, { issuer: grantd.issuer, typ: 'at+jwt', currentDate: daemon_time() });

// Agents refresh and resources check, until told to stop; what was refused is thrown.
function under_load(keys, refresh_token) {
	const seen = { kids: new Set(), tokens: 0, is_over: false, current: null, gate: null, rests: () => {} };
	const run = async () => {
		while (!seen.is_over) {
			if (seen.gate) {
				seen.rests();
				await seen.gate;
			}
			const next = granted(await agent.refresh(refresh_token));
			refresh_token = next.refresh_token;
			await verify(keys, next.access_token);
			assert.equal((await grantd.introspect(next.access_token)).active, true, 'a token that was just issued');
			seen.kids.add(kid(next.access_token));
			seen.tokens++;
			seen.current = next;
		}
	};
	seen.done = run();
	seen.done.catch(() => {});
	return seen;
}

async function reaches(load, tokens) {
	while (load.tokens < tokens) await Promise.race([load.done, new Promise((resolve) => setTimeout(resolve, 10))]);
}

test('a rotation under load refuses no token: published before use, kept until the last token it signed is dead', async () => {
	const keys = resource_server();
	const first = await fresh();
	const old = kid(first.access_token);
	const load = under_load(keys, first.refresh_token);
	await reaches(load, 3);
	const rotated = await grantd.operate(['keys', 'rotate', '--purpose', 'access']);
	const next = rotated.find((key) => key.purpose === 'access' && key.state === 'published');
	assert.ok(next && next.id !== old);
	assert.equal(Date.parse(next.signs_from) - Date.parse(next.created_at), day * 1000);
	assert.deepEqual(await states('id'), ['signing']);
	assert.deepEqual((await published()).includes(next.id), true, 'before its first use');
	await reaches(load, load.tokens + 3);
	assert.deepEqual([...load.kids], [old], 'it does not sign yet');
	await pass_between(load, day - minute);
	await reaches(load, load.tokens + 3);
	const last = load.current.access_token;
	assert.equal(kid(last), old);
	await pass_between(load, minute + 5);
	await until(async () => load.kids.has(next.id));
	await reaches(load, load.tokens + 3);
	assert.deepEqual(await states(), ['retiring', 'signing']);
	assert.equal((await grantd.introspect(last)).active, true);
	await verify(keys, last);
	load.is_over = true;
	await load.done;
	pass(20 * minute);
	assert.deepEqual(await states(), ['retired', 'signing']);
	assert.equal((await published()).includes(old), false);
	await grantd.restart(); // the jobs' first round
	await until(async () => (await grantd.rows(`SELECT id FROM keys WHERE length(sealed) = 0`)).length === 1);
	await fresh();
});

test('what an exposed key signed is refused at once, and the key is shown no more', async () => {
	const keys = resource_server();
	const tokens = await fresh();
	await verify(keys, tokens.access_token);
	assert.equal((await grantd.introspect(tokens.access_token)).active, true);
	await grantd.operate(['keys', 'rotate', '--compromised']);
	assert.deepEqual(await grantd.introspect(tokens.access_token), { active: false });
	const userinfo = await ask(grantd, '/userinfo', { headers: { authorization: `Bearer ${tokens.access_token}` } });
	assert.equal(userinfo.status, 401);
	assert.equal((await published()).includes(kid(tokens.access_token)), false);
	await assert.rejects(verify(resource_server(), tokens.access_token), /no applicable key/);
	const next = granted(await agent.refresh(tokens.refresh_token));
	await verify(keys, next.access_token);
	await grantd.restart();
	assert.deepEqual(await grantd.introspect(tokens.access_token), { active: false });
	assert.equal((await grantd.introspect(next.access_token)).active, true);
	const events = (await grantd.operate(['event', 'list'])).filter((event) => event.kind === 'keys.compromised');
	assert.deepEqual(events.map((event) => [event.actor, event.details.purpose]).sort(), [['operator', 'access'], ['operator', 'id']]);
});

test('keys are replaced by their age, by the daemon itself', async () => {
	const ids = (await list()).map((key) => key.id);
	pass(89 * day);
	await grantd.restart();
	await until(async () => (await states()).at(-1) === 'published');
	const keys = await list();
	assert.equal(keys.length, ids.length + 1, 'no id is given twice');
	assert.equal(Math.round((Date.parse(keys.at(-1).signs_from) - daemon_time()) / 1000 / minute / 60), 24);
	const [event] = (await grantd.operate(['event', 'list'])).filter((one) => one.kind === 'keys.rotated');
	assert.equal(event.actor, 'system');
	const again = await grantd.grantctl(['keys', 'rotate', '--purpose', 'access']);
	assert.equal(again.status, 1);
	assert.match(again.stderr, /signs from .* on; wait, or rotate at once/);
	await grantd.operate(['keys', 'rotate', '--purpose', 'access', '--at-once']);
	pass(6);
	assert.equal((await states()).at(-1), 'signing');
	assert.equal(kid((await fresh()).access_token), keys.at(-1).id);
});

test('a purpose nobody has and words that are not understood change nothing', async () => {
	await grantd.unchanged(async () => {
		for (const [args, status, words] of [
			[['--purpose', 'resource:nobody'], 1, /no signing keys of that purpose/], [['--purpose', 'x'.repeat(2000)], 2, /no purpose is that long/],
			[['--purpose'], 2, /needs a value/], [['access'], 2, /one word too many/], [['--compromised=yes'], 2, /takes no value/],
		]) {
			const refused = await grantd.grantctl(['keys', 'rotate', ...args]);
			assert.equal(refused.status, status, refused.stderr);
			assert.match(refused.stderr, words);
		}
	}, { except: [] });
});

test('AD-008: no call gives out a private or root key', async () => {
	const ask_admin = (path) => new Promise((resolve, reject) => {
		http.get({ socketPath: `${grantd.dir}/admin.sock`, path }, (response) => resolve(response.resume().statusCode)).on('error', reject);
	});
	const [{ id }] = await list();
	for (const path of [`/v1/keys/${id}`, `/v1/keys/${id}/private`, '/v1/keys/root', '/v1/root', '/v1/export', '/v1/keys/export'])
		assert.equal(await ask_admin(path), 404, path);
	const members = new Set((await grantd.operate(['keys', 'list'])).flatMap(Object.keys));
	assert.deepEqual([...members].sort(), ['alg', 'created_at', 'id', 'purpose', 'retires_at', 'signs_from', 'state']);
	for (const key of JSON.parse((await ask(grantd, '/jwks.json')).text).keys)
		for (const secret of ['d', 'p', 'q', 'dp', 'dq', 'qi', 'k']) assert.equal(key[secret], undefined);
	const sealed = await grantd.rows('SELECT sealed FROM keys WHERE length(sealed) > 0');
	assert.ok(sealed.length > 0 && sealed.every((row) => row.sealed.startsWith('\\x02')), `sealed under the root (${driver})`);
});
