// SPDX-License-Identifier: Apache-2.0
// A disk that answers EIO, beneath the real daemon or the real PostgreSQL: what was acknowledged is kept, what was not
// is not acknowledged, and after a failed sync SQLite's process ends at once instead of trying again.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { test } from 'node:test';
import { event_kinds, granted, refused, until } from './expect.mjs';
import { Cluster } from './harness/cluster.mjs';
import { Agent, Instance, driver, mail_secret } from './harness/index.mjs';
import { preloads, shim } from './preload.mjs';

const files = { sync: { sqlite: 'grantd.db-wal', postgres: 'pg_wal' }, write: { sqlite: 'grantd.db-wal', postgres: 'pg_wal' }, read: { sqlite: 'grantd.db', postgres: 'base/' } };

// An instance whose disk fails as said: disk.fail('sync'), disk.heal().
async function start(t) {
	const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'grantd-disk-'));
	const ends = [() => fs.rmSync(folder, { recursive: true, force: true })];
	t.after(async () => {
		for (const end of ends.reverse()) await end();
	});
	fs.chmodSync(folder, 0o755); // PostgreSQL is somebody else
	const library = path.join(folder, 'shim.so');
	let order = path.join(folder, 'order');
	fs.copyFileSync(shim('failing_disk'), library);
	fs.chmodSync(library, 0o755);
	const disk = { fail: (call) => fs.writeFileSync(order, `${call} ${files[call][driver]}\n`), heal: () => fs.writeFileSync(order, '') };
	if (driver === 'postgres') {
		fs.writeFileSync(order, '');
		const cluster = await Cluster.start({ env: { LD_PRELOAD: library, GRANTD_FAILING_DISK: order } });
		const everybodys = process.env.GRANTD_PG_SOCKET;
		ends.push(() => { process.env.GRANTD_PG_SOCKET = everybodys; }, () => cluster.dispose());
		process.env.GRANTD_PG_SOCKET = cluster.dir; // of this file's own process
	}
	const grantd = await Instance.create();
	ends.push(() => grantd.dispose());
	if (driver === 'sqlite') {
		order = path.join(grantd.dir, 'backups', 'order'); // where the daemon may read in its sandbox
		fs.mkdirSync(path.dirname(order));
		const begin = grantd.start.bind(grantd), plain = grantd.env;
		grantd.start = async () => {
			grantd.env = { ...plain, LD_PRELOAD: preloads(library), GRANTD_FAILING_DISK: order };
			await begin().finally(() => { grantd.env = plain; });
		};
	}
	fs.writeFileSync(order, '');
	await grantd.start();
	return { grantd, disk, ...await grantd.furnish() };
}

const again = (ask) => until(async () => {
	const answer = await ask();
	return answer.status === 503 ? null : answer;
});

test('FT-002: a disk that fails to sync ends the process at once, and nothing acknowledged is lost', async (t) => {
	const { grantd, disk, alice, agent } = await start(t);
	const lines = [];
	for (let i = 0; i < 2; i++) lines.push((await agent.tokens(alice)).refresh_token);
	let refreshed = 0, stop = false;
	const load = lines.map(async (_, i) => {
		while (!stop) {
			const answer = await agent.refresh(lines[i], {}, { apart: true }).catch(() => null);
			if (!answer) return; // the process has ended
			if (answer.status === 503) continue;
			lines[i] = granted(answer).refresh_token;
			refreshed++;
		}
	});
	await until(() => refreshed > 20);
	disk.fail('sync');
	if (driver === 'sqlite') {
		assert.deepEqual(await grantd.daemon.ended, { status: 74, signal: null });
		const last = grantd.log().filter((line) => line.level === 'error');
		assert.deepEqual(last.map((line) => line.event), ['store.fsync_failed'], 'said once, and not tried again');
	} else {
		refused(await until(() => agent.refresh(lines[0]).then((answer) => answer.status === 503 && answer)), 503, 'temporarily_unavailable');
	}
	stop = true;
	await Promise.all(load);
	disk.heal();
	if (driver === 'sqlite') await grantd.start();
	for (const token of lines) granted(await again(() => agent.refresh(token)));
	assert.ok((await event_kinds(grantd)).filter((kind) => kind === 'token.refreshed').length >= refreshed);
	assert.deepEqual(await grantd.rows('SELECT id FROM families WHERE revoked_at IS NOT NULL'), []);
});

test('a command whose disk fails to sync says so, though it keeps no log', async (t) => {
	const grantd = await Instance.create({ init: false });
	t.after(() => grantd.dispose());
	const order = path.join(grantd.home, 'order');
	fs.writeFileSync(order, 'sync grantd.db\n');
	const database = grantd.database.url ? ['--database', grantd.database.url] : [];
	const made = await grantd.grantd(['init', '--dir', grantd.dir, '--issuer', grantd.issuer, ...database],
		{ env: { ...grantd.env, LD_PRELOAD: preloads(shim('failing_disk')), GRANTD_FAILING_DISK: order } });
	if (driver === 'postgres') { // whose server does that
		assert.equal(made.status, 0, made.stderr);
		return;
	}
	assert.equal(made.status, 74);
	assert.match(made.stderr, /^grantd: .*the disk did not sync what was written/);
	await grantd.init(); // what it left keeps nobody from trying again
});

test('a disk that fails to read or to write refuses what it cannot do, changes nothing, and heals without a restart', async (t) => {
	const { grantd, disk, alice, agent } = await start(t);
	const mail = new Agent(grantd, { client_id: 'mail-rs', client_secret: mail_secret });
	const revoked = await agent.tokens(alice);
	let tokens = await agent.tokens(alice);
	assert.equal((await agent.revoke(revoked.refresh_token)).status, 200);
	const recorded = async () => (await event_kinds(grantd)).filter((kind) => kind.startsWith('token.')).length;
	for (const call of ['read', 'write']) {
		tokens = granted(await agent.refresh(tokens.refresh_token)); // what was read before is read again after this
		const before = await recorded();
		disk.fail(call);
		const outcomes = [];
		for (let i = 0; i < 3; i++) {
			const answer = await agent.refresh(tokens.refresh_token);
			if (answer.status === 200) tokens = granted(answer); // PostgreSQL has it in memory
			else refused(answer, 503, 'temporarily_unavailable');
			outcomes.push(answer.status);
			const { status, body } = await mail.post('/introspect', { token: revoked.access_token });
			assert.ok(status === 503 || body.active === false, 'nothing revoked is alive');
		}
		if (driver === 'sqlite') assert.deepEqual(outcomes, [503, 503, 503], call);
		disk.heal();
		tokens = granted(await again(() => agent.refresh(tokens.refresh_token)));
		assert.deepEqual(await grantd.introspect(revoked.access_token), { active: false });
		assert.equal((await grantd.introspect(tokens.access_token)).active, true);
		const given = outcomes.filter((status) => status === 200).length + 1;
		assert.equal(await recorded(), before + given, `${call}: no event for what was refused`);
	}
	assert.ok(grantd.daemon.is_running);
});
