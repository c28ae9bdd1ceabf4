// SPDX-License-Identifier: Apache-2.0
// The root key's succession as docs/operator.md tells it ("Root key"): a new one is added, becomes the current one, what
// lies under the old one moves, the old one is retired.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import http from 'node:http';
import path from 'node:path';
import { after, before, test } from 'node:test';
import { MovedInstance, ahead } from './clock.mjs';
import { event_kinds, granted, refused, until } from './expect.mjs';
import { drop_database, new_database } from './harness/database.mjs';
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
const retire = (number = 1, seconds = 0) => grantd.grantd(['root-key', 'retire', '--dir', grantd.dir, '--number', String(number)],
	{ env: { ...grantd.env, ...(seconds ? ahead(seconds) : {}) } });
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

// So many more people than are moved in one second, by the admin API: a command for each would take minutes.
async function create_people(count) {
	const agent = new http.Agent({ keepAlive: true, maxSockets: 16 });
	const create = (username) => new Promise((resolve, reject) => {
		const options = { agent, socketPath: path.join(grantd.dir, 'admin.sock'), method: 'POST', path: '/v1/users', headers: { host: 'grantd', 'content-type': 'application/json' } };
		http.request(options, (answer) => answer.resume().on('end', () => resolve(answer.statusCode))).on('error', reject).end(JSON.stringify({ username }));
	});
	const statuses = await Promise.all(Array.from({ length: count }, (_, i) => create(`person${i}`)));
	agent.destroy();
	assert.deepEqual(new Set(statuses), new Set([201]));
}

const under = async (number) => Number((await grantd.rows(`SELECT count(*) AS n FROM user_keys WHERE root_number = ${number}`))[0].n);

// Whole, as a copy of the disk would be: with the people's keys.
async function back_up() {
	const file = path.join(grantd.dir, 'backups', 'before');
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
	await create_people(1100);
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
	// keys are made meanwhile too: whichever comes first, they end under the new one
	const [begun, made] = await Promise.all([rewrap(), grantd.grantctl(['keys', 'rotate', '--at-once'])]);
	assert.deepEqual([begun.status, made.status], [0, 0], begun.stderr + made.stderr);
	await until(async () => await under(2) > 0);
	is_over = true;
	await load;
	await grantd.kill_9();
	const [left, there] = [await under(1), await under(2)];
	assert.ok(left > 0 && there > 0, `${left} are left, ${there} have moved`);
	await grantd.start();
	await moved();
	assert.deepEqual(await states(), [[1, 'old'], [2, 'current']]);
	assert.deepEqual([await under(1), await under(2)], [0, left + there]);
	assert.deepEqual((await list()).map((one) => one.people_left), [[], []]);
	assert.ok(count > 0);
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
	const before_it = fs.readFileSync(file_of(grantd));
	assert.match((await retire()).stderr, /moved away from it less than a minute ago.*try again in a minute/);
	// by a clock that is wrong all would be over
	assert.match((await retire(1, 90 * 86_400)).stderr, /^grantd root-key retire: the clock says 20.*was last used at 20.*if the clock is ahead put it right/);
	assert.deepEqual(fs.readFileSync(file_of(grantd)), before_it);
	const done = await retire(1, 61);
	assert.equal(done.status, 0, done.stderr);
	assert.match(done.stdout, /backups made while anything lay under it need it/);
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
	assert.match(await trouble(grantd), /does not have root key 2, by which some of this database is still sealed/);
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
	// a form that is open meanwhile is good all the same, and nobody is signed out
	alice.cookies.clear();
	await alice.sign_in();
	const wish = agent.authorization(), open = await alice.open(wish.url);
	assert.equal((await rewrap()).status, 0);
	await moved();
	assert.ok((await alice.decide(open, 'allow', read)).left?.searchParams.get('code'));
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
	assert.match(early.stderr, new RegExp(`the node .*127\\.0\\.0\\.1:${second.port}, last heard of at 20\\S+, does not have root key 3 .*copy root\\.key to it and restart it`));
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

// Its clock is two hours behind that of the other, which therefore believes that it is gone.
if (driver === 'postgres') test('on PostgreSQL only: a node that goes on without the new key puts everybody off, ends nothing and says why', async (t) => {
	const first = await MovedInstance.start(t);
	const { alice: person, agent: theirs } = await first.furnish();
	const second = await Instance.beside(t, first);
	await second.start();
	const before_it = await theirs.tokens(person, read);
	assert.equal((await second.introspect(before_it.access_token)).active, true);
	await add(first);
	await first.restart();
	first.move(7200);
	assert.equal((await rewrap(first)).status, 0);
	const tokens = granted(await theirs.refresh(before_it.refresh_token));
	const health = () => fetch(`http://127.0.0.1:${second.port + 1}/readyz`);
	await until(async () => (await health()).status === 503);
	assert.match(await (await health()).text(), /^root key 2, by which the database is sealed now, is not in this node's root key file, or another key has its number there: copy the file from a node that has it and restart grantd/);
	const put_off = (answer) => {
		assert.equal(answer.status, 503);
		assert.ok(Number(answer.headers.get?.('retry-after') ?? answer.headers['retry-after']) > 0);
	};
	const form = (fields) => ({ method: 'POST', body: new URLSearchParams(fields).toString(), raw_headers: new Map([['content-type', 'application/x-www-form-urlencoded']]) });
	const client = { client_id: theirs.client_id };
	put_off(await second.fetch(`${second.issuer}/token`, form({ ...client, grant_type: 'refresh_token', refresh_token: tokens.refresh_token })));
	put_off(await second.fetch(`${second.issuer}/revoke`, form({ ...client, token: tokens.refresh_token })));
	put_off(await second.fetch(`${second.issuer}/revoke`, form({ ...client, token: tokens.access_token })));
	put_off(await second.fetch(`${second.issuer}/jwks.json`));
	await assert.rejects(second.introspect(before_it.access_token), /503/);
	granted(await theirs.refresh(tokens.refresh_token));
	fs.copyFileSync(file_of(first), file_of(second));
	await second.restart();
	await until(async () => (await health()).status === 200);
	assert.equal((await second.operate(['user', 'show', 'alice'])).email, 'alice@example.org');
});

// Both find the database empty; which one is first, the database decides.
if (driver === 'postgres') test('on PostgreSQL only: of two that set up one database at once, one is refused with what to do', async (t) => {
	const database = await new_database();
	t.after(() => drop_database(database));
	const nodes = await Promise.all([0, 1].map(() => Instance.create({ init: false })));
	for (const node of nodes) t.after(() => node.dispose());
	const made = await Promise.all(nodes.map((node) => node.grantd(['init', '--dir', node.dir, '--issuer', nodes[0].issuer, '--database', database.url])));
	assert.deepEqual(made.map((one) => one.status).sort(), [0, 1], made.map((one) => one.stderr).join(''));
	const [winner, loser] = made[0].status === 0 ? [0, 1] : [1, 0];
	assert.match(made[loser].stderr, /^grantd init: .*--root-key FILE/);
	assert.equal((await nodes[winner].grantd(['check', '--dir', nodes[winner].dir])).status, 0);
});
