// SPDX-License-Identifier: Apache-2.0
// The root key's succession as docs/operator.md tells it ("Root key"): a new one is added, becomes the current one, what
// lies under the old one moves, the old one is retired.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import { after, before, test } from 'node:test';
import { event_kinds, granted, refused, until } from './expect.mjs';
import { Instance, driver, run_well } from './harness/index.mjs';

const read = { scope: ['mail.read'] };
const file_of = (node) => path.join(node.dir, 'root.key');

let grantd, alice, agent, idle, old_file;
before(async () => {
	grantd = await Instance.start(null);
	({ alice, agent } = await grantd.furnish());
	idle = await grantd.add_agent({ id: 'idle-agent', name: 'Idle Agent' });
	old_file = fs.readFileSync(file_of(grantd));
});
after(() => grantd?.dispose());

const root_key = (node, act, ...more) => node.grantd(['root-key', act, '--dir', node.dir, ...more]);
const retire = (number = 1) => root_key(grantd, 'retire', '--number', String(number));
const list = (node = grantd) => node.operate(['root-key', 'list']);
const states = async () => (await list()).map((one) => [one.number, one.state]);
const rewrap = (node = grantd) => node.grantctl(['root-key', 'rewrap', '--json']);
const moved = (node = grantd) => until(async () => {
	const old = (await list(node)).filter((one) => one.state === 'old');
	return old.length > 0 && old.every((one) => one.people + one.signing_keys === 0);
});

// Starts it and answers why it serves health only.
async function trouble(node) {
	node.start().catch(() => {});
	await until(() => node.daemon.stderr.includes('only health is served'));
	const { reason } = node.log().findLast((line) => line.event === 'keys.trouble' || line.msg === 'keys.trouble');
	await node.stop();
	return reason;
}

async function add(node = grantd) {
	const added = await root_key(node, 'add', '--json');
	assert.equal(added.status, 0, added.stderr);
	assert.equal(fs.statSync(file_of(node)).mode & 0o777, 0o600);
	return JSON.parse(added.stdout).added;
}

// Whole, as a copy of the disk would be: with the people's keys.
async function back_up() {
	const file = path.join(grantd.home, 'before');
	if (driver === 'sqlite') await grantd.operate(['backup', file]);
	else await run_well('pg_dump', ['-h', grantd.database.socket, '-d', grantd.database.name, '-Fc', '-f', file]);
	return file;
}

async function put_back(file) {
	if (driver === 'postgres') {
		const psql = ['-X', '-q', '-h', grantd.database.socket, '-d', 'postgres', '-c'];
		await run_well('psql', [...psql, `DROP DATABASE ${grantd.database.name} WITH (FORCE)`]);
		await run_well('psql', [...psql, `CREATE DATABASE ${grantd.database.name}`]);
		await run_well('pg_restore', ['-h', grantd.database.socket, '-d', grantd.database.name, file]);
	}
	return grantd.grantd(['restore', '--dir', grantd.dir, ...(driver === 'sqlite' ? ['--from', file] : [])]);
}

let at_first, idle_tokens, backup;
test('a new root key does nothing until it was read at a start and is made the current one', async () => {
	at_first = await agent.tokens(alice, read);
	idle_tokens = await idle.tokens(alice, read);
	for (let i = 0; i < 20; i++) await grantd.operate(['user', 'create', `person${i}`]);
	backup = await back_up();
	const early = await rewrap();
	assert.equal(early.status, 1);
	assert.match(early.stderr, /nothing to do: root key 1 is the current one.*grantd root-key add/);
	assert.equal(await add(), 2);
	assert.match((await rewrap()).stderr, /the newest that this grantd read when it started.*then restart grantd/);
	assert.deepEqual(await states(), [[1, 'current']]);
	await grantd.restart();
	assert.deepEqual(await states(), [[1, 'current'], [2, 'waiting']]);
	await grantd.operate(['user', 'create', 'late']);
	assert.equal((await list())[1].people, 0);
	at_first = { ...at_first, ...granted(await agent.refresh(at_first.refresh_token)) };
});

test('it becomes the current one under load, and a kill -9 in the middle loses nothing: the next start goes on', async () => {
	let is_over = false, { refresh_token } = await agent.tokens(alice, read), count = 0;
	const load = (async () => {
		for (; !is_over; count++) ({ refresh_token } = granted(await agent.refresh(refresh_token)));
	})();
	assert.equal((await rewrap()).status, 0);
	await until(() => count > 5);
	is_over = true;
	await load;
	await grantd.kill_9();
	await grantd.start();
	await moved();
	assert.deepEqual(await states(), [[1, 'old'], [2, 'current']]);
	assert.equal((await list())[1].people, 22);
	assert.deepEqual(await grantd.rows("SELECT count(*) AS n FROM keys WHERE root_number <> 2 AND retire_at IS NULL").then((rows) => Number(rows[0].n)), 0);
	assert.equal((await event_kinds(grantd)).filter((kind) => kind === 'root_key.current').length, 1);
	granted(await agent.refresh(refresh_token));
	assert.equal((await grantd.operate(['user', 'show', 'alice'])).email, 'alice@example.org');
});

test('refresh tokens of before keep working, move to the new root key with their next use, and are judged as ever', async () => {
	const families = async () => (await list())[0].installations;
	const count = await families();
	const next = granted(await idle.refresh(idle_tokens.refresh_token));
	assert.equal(await families(), count - 1);
	// a parallel call with the token of before, by the old root key: the same successor again
	assert.equal(granted(await idle.refresh(idle_tokens.refresh_token)).refresh_token, next.refresh_token);
	const after_next = granted(await idle.refresh(next.refresh_token));
	assert.ok(after_next.refresh_token);
	idle_tokens = after_next;
});

test('retiring is refused while it is the current one, while grantd serves, and while anything needs it: it says what', async () => {
	assert.match((await retire()).stderr, /a grantd is serving this directory; stop it first/);
	const stays = await idle.tokens(alice, read); // a second installation that will not come back: made by the new key
	granted(await idle.refresh(stays.refresh_token));
	await grantd.stop();
	const before_it = fs.readFileSync(file_of(grantd));
	assert.match((await retire(2)).stderr, /^grantd root-key retire: root key 2 is the current one/);
	assert.match((await retire(3)).stderr, /there is no root key 3/);
	const needed = await retire();
	assert.equal(needed.status, 1);
	assert.match(needed.stderr, /^grantd root-key retire: root key 1 is needed: 1 installations of agents have refresh tokens made by it.*over at \d{4}-/);
	assert.deepEqual(fs.readFileSync(file_of(grantd)), before_it);
	await grantd.start();
	granted(await agent.refresh(at_first.refresh_token)); // the one that stayed away
});

test('it is retired when nothing needs it; all goes on, and a token by it is refused as one that is unknown', async () => {
	await grantd.stop();
	const done = await retire();
	assert.equal(done.status, 0, done.stderr);
	assert.match(done.stdout, /backups made before it was replaced need it/);
	assert.deepEqual(fs.readFileSync(file_of(grantd), 'utf8').match(/^\d+ /gm), ['2 ']);
	assert.equal((await grantd.grantd(['check', '--dir', grantd.dir])).status, 0);
	await grantd.start();
	alice.cookies.clear();
	granted(await agent.refresh((await agent.tokens(alice, read)).refresh_token));
	idle_tokens = granted(await idle.refresh(idle_tokens.refresh_token));
	refused(await agent.refresh(at_first.refresh_token), 400, 'invalid_grant');
});

test('another key under a number that the database knows, and an old file, are refused with what to do', async () => {
	await grantd.stop();
	const right = fs.readFileSync(file_of(grantd));
	fs.writeFileSync(file_of(grantd), old_file, { mode: 0o600 });
	assert.match(await trouble(grantd), /does not have root key 2, by which .* is still sealed|does not have root key 2/);
	fs.writeFileSync(file_of(grantd), String(old_file).replace(/^1 /m, '2 '), { mode: 0o600 });
	assert.match(await trouble(grantd), /is not the root key that this database was set up with/);
	fs.writeFileSync(file_of(grantd), right, { mode: 0o600 });
	await grantd.start();
});

test('a backup of before the rotation needs the old root key and says so; with it, it is put back', async () => {
	await grantd.stop();
	const without = await put_back(backup);
	assert.equal(without.status, 1);
	assert.match(without.stderr, /does not have root key 1, by which some of this database is still sealed.*copy of the file of that time/);
	fs.appendFileSync(file_of(grantd), `${String(old_file).match(/^1 .*$/m)[0]}\n`);
	const done = await put_back(backup);
	assert.equal(done.status, 0, done.stderr);
	await grantd.start();
	assert.deepEqual(await states(), [[1, 'current'], [2, 'waiting']]);
	assert.equal((await grantd.operate(['user', 'show', 'alice'])).email, 'alice@example.org');
	assert.equal((await rewrap()).status, 0);
	await moved();
});

test('a node that serves without the new key holds it up by name, and one with an old file does not start', async (t) => {
	if (driver === 'sqlite') { // one node: the same two refusals there
		await grantd.stop();
		fs.writeFileSync(file_of(grantd), old_file, { mode: 0o600 });
		assert.match(await trouble(grantd), /does not have root key 2/);
		return;
	}
	const second = await Instance.beside(t, grantd);
	await second.start();
	const stale = fs.readFileSync(file_of(second));
	assert.equal(await add(), 3);
	await grantd.restart();
	await until(async () => (await grantd.rows('SELECT id FROM nodes')).length === 2);
	const early = await rewrap();
	assert.equal(early.status, 1);
	assert.match(early.stderr, new RegExp(`the node .*127\\.0\\.0\\.1:${second.port} does not have root key 3 .*copy root\\.key to it and restart it`));
	assert.deepEqual((await states()).at(-1), [3, 'waiting']);
	await second.stop();
	fs.copyFileSync(file_of(grantd), file_of(second));
	await second.start();
	await until(async () => (await grantd.rows('SELECT id FROM nodes')).length === 2);
	assert.equal((await rewrap(second)).status, 0);
	await until(async () => (await states()).at(-1)[1] === 'current');
	for (const node of [grantd, second]) assert.equal((await node.operate(['user', 'show', 'alice'])).email, 'alice@example.org');
	await moved();
	await second.stop();
	fs.writeFileSync(file_of(second), stale, { mode: 0o600 });
	assert.match(await trouble(second), /does not have root key 3/);
});
