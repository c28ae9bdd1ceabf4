// SPDX-License-Identifier: Apache-2.0
// The restore drill of docs/operator.md: a backup is made under load, things end, the backup is put back, and what had
// ended stays ended. On SQLite with grantctl backup and grantd restore; on PostgreSQL with pg_dump and pg_restore.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { event_kinds, granted, refused } from './expect.mjs';
import { Agent, Instance, driver, run_well } from './harness/index.mjs';

const files_of = (grantd, name) => [path.join(grantd.dir, 'backups', name), path.join(grantd.dir, 'backups', `${name}.keys`)];

// RFC 3339 in whole seconds, the next one
const time = (at) => new Date(Math.ceil(at / 1000) * 1000).toISOString().replace('.000', '');

// What is done from here on was done after the copy was made, to the second.
const until_then = (grantd) => sleep(Math.max(0, Date.parse(grantd.made_at) - Date.now()));

// Both copies, as the operator's guide says.
async function back_up(grantd, name = 'backup') {
	const [file, keys] = files_of(grantd, name);
	grantd.made_at = time(Date.now());
	if (driver === 'sqlite') {
		assert.deepEqual(await grantd.operate(['backup', file]), { file, keys_file: keys });
		return until_then(grantd);
	}
	const from = ['-h', grantd.database.socket, '-d', grantd.database.name, '-Fc'];
	await run_well('pg_dump', [...from, '--exclude-table-data=user_keys', '-f', file]);
	await run_well('pg_dump', [...from, '--data-only', '-t', 'user_keys', '-f', keys]);
	await until_then(grantd);
}

async function in_postgres(grantd, sql) {
	await run_well('psql', ['-X', '-q', '-h', grantd.database.socket, '-d', 'postgres', '-c', sql]);
}

// The database as it was, by PostgreSQL's own tools.
async function pg_put_back(grantd, name = 'backup') {
	await in_postgres(grantd, `DROP DATABASE ${grantd.database.name} WITH (FORCE)`);
	await in_postgres(grantd, `CREATE DATABASE ${grantd.database.name}`);
	for (const dump of files_of(grantd, name)) await run_well('pg_restore', ['-h', grantd.database.socket, '-d', grantd.database.name, dump]);
}

const restore = (grantd, ...args) => grantd.grantd(['restore', '--dir', grantd.dir, ...args]);

// The database is put back with the daemon stopped; answers what grantd restore said.
async function put_back(grantd, name = 'backup', words = ['--made-at', grantd.made_at, '--nodes', '1']) {
	const [file] = files_of(grantd, name);
	if (grantd.daemon.is_running) await grantd.stop();
	if (driver === 'postgres') await pg_put_back(grantd, name);
	const done = await restore(grantd, ...(driver === 'sqlite' ? ['--from', file] : words));
	assert.equal(done.status, 0, done.stderr);
	await grantd.start();
	return done.stdout;
}

const agent_page = (person, id) => person.open(`/account/agents/${id}`);
// A button of an agent's page.
async function act(person, id, fill) {
	const page = await agent_page(person, id);
	const form = page.forms.find((one) => one.action === `/account/agents/${id}`);
	return person.submit(page, { ...form, fields: form.fields.filter((field) => field.name === 'csrf') }, fill);
}
const status_of = async (grantd, id) => (await grantd.operate(['grant', 'show', id])).status;
const paused = (answer) => refused(answer, 503, 'temporarily_unavailable');

// A second agent of alice's, with tokens.
async function another(grantd, alice, id, changes = {}) {
	const agent = await grantd.add_agent({ id, name: `Agent ${id}`, ...changes });
	return { agent, tokens: await agent.tokens(alice, { scope: ['mail.read', 'mail.send'] }) };
}

// Registers at that place, or changes what is registered there.
async function register(grantd, method, at, body, token) {
	const raw_headers = new Map(Object.entries({ 'content-type': 'application/json', ...(token && { authorization: `Bearer ${token}` }) }));
	const response = await grantd.fetch(new URL(at, grantd.issuer), { method, body: JSON.stringify(body), raw_headers });
	return { status: response.status, body: await response.json() };
}

const grant_of = async (grantd, client) => (await grantd.operate(['grant', 'list'])).find((grant) => grant.client_id === client).id;

test('RV-014: what was revoked after the backup stays dead, and everything else waits for its person', async (t) => {
	const grantd = await Instance.start(t);
	const { alice, agent } = await grantd.furnish();
	const bob = await grantd.add_person('bob');
	const kept = await agent.tokens(alice, { scope: ['mail.read'] });
	const names = ['revoked', 'logged-out', 'narrowed', 'held', 'disabled', 'renewed'];
	const others = {};
	for (const name of names) others[name] = await another(grantd, alice, name, name === 'renewed' ? { secret: true } : {});
	const described = { client_name: 'Desk', redirect_uris: ['http://127.0.0.1/cb'], token_endpoint_auth_method: 'none', scope: 'mail.read' };
	const desk = (await register(grantd, 'POST', '/register', described)).body;
	await new Agent(grantd, { client_id: desk.client_id, redirect_uri: 'http://127.0.0.1/cb', resource: grantd.mail_uri, scope: 'mail.read' }).tokens(alice);
	await grantd.operate(['client', 'register-token', '--uses', '5']);
	const ids = Object.fromEntries(await Promise.all(['mail-agent', ...names].map(async (name) => [name, await grant_of(grantd, name)])));
	await back_up(grantd);

	const next = granted(await agent.refresh(kept.refresh_token)); // beyond what the copy knows
	await grantd.operate(['grant', 'revoke', ids.revoked]);
	assert.equal((await others['logged-out'].agent.revoke(others['logged-out'].tokens.refresh_token)).status, 200);
	await act(alice, ids.narrowed, { action: 'remove-scope', scope: 'mail.send' });
	const [{ id: family }] = await grantd.rows(`SELECT id FROM families WHERE grant_id = '${ids.narrowed}'`);
	const installation = await alice.open(`/account/agents/${ids.narrowed}/installations/${family}`);
	assert.equal((await alice.submit(installation, installation.form_with('action'), { action: 'pause-installation' })).status, 200);
	await grantd.operate(['grant', 'pause', ids.held]);
	await grantd.operate(['client', 'disable', 'disabled']);
	await grantd.operate(['client', 'update', 'renewed', '--generate-secret']);
	assert.equal((await register(grantd, 'PUT', desk.registration_client_uri, { ...described, client_id: desk.client_id, client_name: 'Another' }, desk.registration_access_token)).status, 200);
	await grantd.operate(['user', 'disable', 'bob']);
	await grantd.operate(['user', 'password', 'alice', '--password-stdin'], { input: 'another password entirely\n' });
	const said = await put_back(grantd);
	assert.match(said, /2 people, 8 agents, 8 grants/);
	assert.match(said, /what has ended since stays ended: \d+ acts/);
	assert.match(said, /7 grants are paused until their person confirms/);

	// dead
	assert.equal(await status_of(grantd, ids.revoked), 'revoked');
	refused(await others.revoked.agent.refresh(others.revoked.tokens.refresh_token), 400, 'invalid_grant');
	refused(await others['logged-out'].agent.refresh(others['logged-out'].tokens.refresh_token), 400, 'invalid_grant');
	for (const { access_token } of [kept, next, others.revoked.tokens, others['logged-out'].tokens])
		assert.deepEqual(await grantd.introspect(access_token), { active: false });
	refused(await others.renewed.agent.refresh(others.renewed.tokens.refresh_token), 401, 'invalid_client');
	assert.deepEqual((await grantd.operate(['client', 'list'])).filter((client) => client.status === 'disabled').map((client) => client.client_id).sort(), [desk.client_id, 'disabled', 'renewed']);
	assert.deepEqual((await grantd.operate(['client', 'register-tokens'])).map(({ status }) => status), ['revoked']);
	assert.equal((await grantd.operate(['user', 'show', 'bob'])).status, 'disabled');
	assert.deepEqual((await grantd.operate(['grant', 'show', ids.narrowed])).permissions.map((permission) => permission.scope), ['mail.read']);
	assert.deepEqual(await grantd.rows('SELECT hash FROM sessions WHERE ended_at IS NULL'), []);

	// waiting
	paused(await agent.refresh(next.refresh_token));
	alice.cookies.clear();
	await assert.rejects(alice.sign_in(), 'the password that was replaced is not back');
	alice.password = 'a third password entirely';
	await grantd.operate(['user', 'password', 'alice', '--password-stdin'], { input: `${alice.password}\n` });
	await alice.sign_in();
	const page = (await agent_page(alice, ids['mail-agent'])).text;
	assert.match(page, /this service was put back to an older copy/);
	assert.match(page, /Paused: this service was restored from an older copy/);
	await act(alice, ids['mail-agent'], { action: 'resume' });
	const again = granted(await agent.refresh(next.refresh_token));
	assert.equal((await grantd.introspect(again.access_token)).active, true);
	granted(await agent.refresh(again.refresh_token));
	await act(alice, ids.narrowed, { action: 'resume' });
	paused(await others.narrowed.agent.refresh(others.narrowed.tokens.refresh_token)); // the pause of this installation alone
	await act(alice, ids.held, { action: 'resume' }).catch(() => {});
	paused(await others.held.agent.refresh(others.held.tokens.refresh_token)); // the operator's pause of after the backup
	const kinds = await event_kinds(grantd);
	assert.ok(kinds.includes('database.restored'));
	assert.equal(kinds.filter((kind) => kind === 'grant.paused').length >= 6, true);
	assert.ok(bob);
});

test('where nobody remembers what had ended, every installation is ended', async (t) => {
	const grantd = await Instance.start(t);
	const { alice, agent } = await grantd.furnish();
	const tokens = await agent.tokens(alice, { scope: ['mail.read'] });
	const id = await grant_of(grantd, 'mail-agent');
	await back_up(grantd);
	await grantd.stop();
	fs.rmSync(path.join(grantd.dir, 'ended.log')); // as when DIR itself was lost
	assert.match(await put_back(grantd), /nobody remembers all that has ended since: 1 installations of agents are ended/);
	alice.cookies.clear();
	await alice.sign_in();
	await act(alice, id, { action: 'resume' });
	refused(await agent.refresh(tokens.refresh_token), 400, 'invalid_grant');
	granted(await agent.refresh((await agent.tokens(alice, { scope: ['mail.read'] })).refresh_token));
	// a record that began after the copy was made remembers too little
	assert.match(await put_back(grantd), /nobody remembers all that has ended since/);
});

test('with several nodes on PostgreSQL the records of all are needed, and each one keeps ended what ended there', async (t) => {
	const grantd = await Instance.start(t);
	const { alice, agent } = await grantd.furnish();
	if (driver === 'sqlite') { // has one node, and its backups know when they were made
		await back_up(grantd);
		await grantd.stop();
		for (const words of [['--nodes', '2'], ['--made-at', grantd.made_at], ['--ended', path.join(grantd.dir, 'ended.log')]]) {
			const refusal = await restore(grantd, '--from', files_of(grantd, 'backup')[0], ...words);
			assert.equal(refusal.status, 1);
			assert.match(refusal.stderr, /are for PostgreSQL/);
		}
		return;
	}
	const other = await Instance.beside(t, grantd);
	await other.start();
	const gone = await another(grantd, alice, 'gone');
	const kept = await agent.tokens(alice, { scope: ['mail.read'] });
	await back_up(grantd);
	await other.operate(['client', 'disable', 'mail-agent']);
	assert.equal((await new Agent(other, gone.agent).revoke(gone.tokens.refresh_token)).status, 200);
	await grantd.operate(['client', 'enable', 'mail-agent']);
	await other.stop();
	const theirs = path.join(other.dir, 'ended.log'), ours = path.join(grantd.dir, 'ended.log');
	const all = ['--made-at', grantd.made_at, '--nodes', '2', '--ended', theirs];

	assert.match(await put_back(grantd, 'backup', all), /what has ended since stays ended: \d+ acts/);
	refused(await gone.agent.refresh(gone.tokens.refresh_token), 400, 'invalid_grant');
	paused(await agent.refresh(kept.refresh_token)); // the two acts on the agent in their order
	await grantd.stop();

	const refusals = [
		[['--made-at', grantd.made_at, '--nodes', '2', '--ended', ours], /is this node's own, or was given twice/],
		[['--made-at', grantd.made_at, '--nodes', '3', '--ended', theirs, '--ended', theirs], /was given twice/],
		[['--made-at', grantd.made_at, '--nodes', '2', '--ended', `${theirs}.not`], /is not there/],
		[['--made-at', grantd.made_at, '--nodes', '1', '--ended', theirs], /--nodes counts this node and each one/],
		[['--nodes', '0'], /--nodes is a number from 1 to 100/],
		[['--made-at', 'yesterday'], /--made-at is a time that has been, in UTC/],
		[['--made-at', time(Date.now() + 600_000)], /--made-at is a time that has been, in UTC/],
		// as when it was served after it had been put back
		[['--made-at', time(Date.now() - 600_000), '--nodes', '2', '--ended', theirs], /the database goes on until .*: the copy was not made at/],
	];
	await pg_put_back(grantd);
	for (const [words, why] of refusals) {
		const refusal = await restore(grantd, ...words);
		assert.equal(refusal.status, 1, refusal.stdout);
		assert.match(refusal.stderr, why);
	}
	assert.deepEqual(await grantd.rows('SELECT id FROM grants WHERE restored_at IS NOT NULL'), []);
	const incomplete = [
		[['--made-at', grantd.made_at, '--nodes', '2'], /nobody remembers all that has ended since: 2 installations/],
		[['--made-at', grantd.made_at, '--nodes', '1'], /nobody remembers all [^]*\(2 nodes served the database when it was copied, --nodes said 1\)/],
		[['--made-at', grantd.made_at], /nobody remembers all that has ended since: 2 installations/],
		[['--nodes', '2', '--ended', theirs], /of a time that --made-at did not say: [^]*nobody remembers all/],
	];
	for (const [words, said] of incomplete) {
		await pg_put_back(grantd);
		const done = await restore(grantd, ...words);
		assert.equal(done.status, 0, done.stderr);
		assert.match(done.stdout, said);
	}
});

test('a backup under load is whole: what was acknowledged before it is in it', async (t) => {
	const grantd = await Instance.start(t);
	const { alice } = await grantd.furnish();
	const lines = [];
	for (let i = 0; i < 4; i++) lines.push(await another(grantd, alice, `line-${i}`));
	let is_over = false;
	const load = Promise.all(lines.map(async ({ agent, tokens }) => {
		while (!is_over) tokens = granted(await agent.refresh(tokens.refresh_token));
	}));
	await new Promise((resolve) => setTimeout(resolve, 300));
	const [{ before }] = await grantd.rows('SELECT count(*) AS before FROM events');
	await back_up(grantd);
	const [{ after }] = await grantd.rows('SELECT count(*) AS after FROM events');
	is_over = true;
	await load;
	await put_back(grantd);
	const [{ count }] = await grantd.rows("SELECT count(*) AS count FROM events WHERE kind NOT IN ('database.restored', 'grant.paused', 'keys.rotated', 'stop.done', 'backup.made')");
	assert.ok(count >= before && count <= after, `${before} <= ${count} <= ${after}`);
	// every rotation with its event: a family of generation n has n - 1 of them, its first tokens one of another kind
	for (const family of await grantd.rows('SELECT id, generation FROM families')) {
		const [{ rotations }] = await grantd.rows(`SELECT count(*) AS rotations FROM events WHERE family_id = '${family.id}' AND kind = 'token.refreshed'`);
		assert.equal(rotations, family.generation - 1);
	}
});

test('a backup has no key of a person, and the keys are put back for 30 days only', async (t) => {
	const grantd = await Instance.start(t);
	await grantd.furnish();
	await back_up(grantd);
	const [file, keys] = files_of(grantd, 'backup');
	const wrapped = (await grantd.rows('SELECT wrapped_key FROM user_keys')).map((row) => Buffer.from(row.wrapped_key.slice(2), 'hex'));
	assert.equal(wrapped.length, 1);
	for (const mode of [file, keys]) assert.equal((fs.statSync(mode).mode & 0o077) === 0 || driver === 'postgres', true);
	if (driver === 'postgres') { // pg_dump packs its rows
		const list = async (dump) => (await run_well('pg_restore', ['-a', '-f', '-', dump])).stdout;
		assert.equal((await list(file)).includes(wrapped[0].toString('hex')), false);
		assert.equal((await list(keys)).includes(wrapped[0].toString('hex')), true);
		return;
	}
	// what a kill -9 left of one has keys of people too: it goes with the next backup, whatever that one's name
	const unfinished = ['grantd-backup.unfinished', 'grantd-backup.unfinished.keys'].map((name) => path.join(grantd.dir, 'backups', name));
	for (const name of unfinished) fs.copyFileSync(path.join(grantd.dir, 'grantd.db'), name);
	await back_up(grantd, 'next');
	for (const name of unfinished) assert.equal(fs.existsSync(name), false);
	assert.equal(fs.readFileSync(file).includes(wrapped[0]), false);
	assert.equal(fs.readFileSync(keys).includes(wrapped[0]), true);
	const { DatabaseSync } = await import('node:sqlite');
	const old = new DatabaseSync(keys);
	old.exec(`UPDATE facts SET value = '${Date.now() - 30 * 86400_000 - 60_000}' WHERE name = 'backup_made_at'`);
	old.close();
	await grantd.stop();
	const refusal = await grantd.grantd(['restore', '--dir', grantd.dir, '--from', file]);
	assert.equal(refusal.status, 1);
	assert.match(refusal.stderr, /people's keys are put back for 30 days/);
});

// Every file of DIR but the lock files, with its bytes.
function bytes_of(dir) {
	const seen = {};
	for (const entry of fs.readdirSync(dir, { recursive: true, withFileTypes: true })) {
		const file = path.join(entry.parentPath, entry.name);
		if (entry.isFile() && !file.endsWith('.lock')) seen[path.relative(dir, file)] = fs.readFileSync(file).toString('base64');
	}
	return seen;
}

test('what cannot be put back is refused with a sentence, and nothing is changed', async (t) => {
	const grantd = await Instance.start(t);
	const { alice, agent } = await grantd.furnish();
	const tokens = await agent.tokens(alice, { scope: ['mail.read'] });
	const refuses = async (args, words) => {
		const before = bytes_of(grantd.dir);
		const refusal = await restore(grantd, ...args);
		assert.equal(refusal.status, 1, refusal.stdout);
		assert.match(refusal.stderr, words);
		assert.deepEqual(Object.keys(bytes_of(grantd.dir)).sort(), Object.keys(before).sort());
		if (!grantd.daemon.is_running) assert.deepEqual(bytes_of(grantd.dir), before);
	};
	if (driver === 'postgres') {
		const [file] = files_of(grantd, 'backup');
		const made = await grantd.grantctl(['backup', file]);
		assert.equal(made.status, 1);
		assert.match(made.stderr, /PostgreSQL: use pg_dump/);
		await refuses(['--from', file], /PostgreSQL's own tools put the database back/);
		await refuses([], /a grantd is serving this directory; stop it first/);
		return;
	}
	await back_up(grantd);
	const [file, keys] = files_of(grantd, 'backup');
	const again = await grantd.grantctl(['backup', file]);
	assert.equal(again.status, 1);
	assert.match(again.stderr, /is there already/);
	assert.match((await grantd.grantctl(['backup', '/nowhere/at/all'])).stderr, /cannot be written/);
	await refuses(['--from', file], /another grantd \(pid \d+\) uses this database; stop it first/);

	const verified = await restore(grantd, '--from', file, '--verify');
	assert.equal(verified.status, 0, verified.stderr);
	assert.match(verified.stdout, /this would put back the database of .*: 1 people, 1 agents, 1 grants\n[^]*nothing was changed/);
	const { before, made_at, kept_ended, ...said } = JSON.parse((await restore(grantd, '--from', file, '--verify', '--json')).stdout);
	assert.equal(before, undefined);
	assert.match(made_at, /Z$/);
	assert.ok(kept_ended >= 0);
	assert.deepEqual(said, { changed: false, complete: true, users: 1, clients: 1, grants: 1, grants_paused: 1, installations_ended: 0, people_without_key: 0 });
	assert.equal((await grantd.introspect(tokens.access_token)).active, true, 'it went on serving');

	await grantd.stop();
	const bytes = fs.readFileSync(file), bad = path.join(grantd.home, 'bad');
	const damage = { cut: bytes.subarray(0, bytes.length - 5000), empty: Buffer.alloc(0), text: Buffer.from('not a database'), flipped: Buffer.from(bytes) };
	for (let at = 4096; at < damage.flipped.length; at += 512) damage.flipped[at] ^= 0xff;
	for (const [name, content] of Object.entries(damage)) {
		fs.writeFileSync(bad, content);
		await refuses(['--from', bad, '--keys', keys], /is damaged, or not a backup made by grantctl backup/);
		await refuses(['--from', file, '--keys', bad], /is damaged, or not a backup/);
		assert.ok(name);
	}
	await refuses(['--from', path.join(grantd.home, 'missing')], /cannot be opened/);
	await refuses([], /say which backup: --from FILE/);
	fs.copyFileSync(path.join(grantd.dir, 'grantd.db'), bad); // not a backup, but a database
	await refuses(['--from', bad, '--keys', keys], /not a backup made by grantctl backup/);

	const other = await Instance.start(t);
	await other.furnish();
	await back_up(other);
	const [foreign, foreign_keys] = files_of(other, 'backup');
	await refuses(['--from', foreign], /this database was set up for/);
	await refuses(['--from', file, '--keys', foreign_keys], /is of another installation/);
	const root = path.join(grantd.dir, 'root.key'), right = fs.readFileSync(root);
	fs.copyFileSync(path.join(other.dir, 'root.key'), root);
	await refuses(['--from', file], /is not the root key that this database was set up with/);
	fs.writeFileSync(root, right);
	await grantd.start();
	granted(await new Agent(grantd, agent).refresh(tokens.refresh_token));
});
