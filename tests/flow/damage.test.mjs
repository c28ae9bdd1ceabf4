// SPDX-License-Identifier: Apache-2.0
// A database that is not what it was: damaged, cut short, or an older one in its place. It is not served, and the
// operator hears why; nothing is changed by that, and what is whole is served again.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import { MovedInstance } from './clock.mjs';
import { Instance, driver, run_well } from './harness/index.mjs';

const PAGE = 4096;
const minute = 60, hour = 3600;

// Refused by serve and check alike, in these words, and the file stays as it is.
async function is_refused(grantd, words) {
	const file = path.join(grantd.dir, 'grantd.db');
	const before = driver === 'sqlite' ? fs.readFileSync(file) : undefined;
	for (const verb of ['serve', 'check']) {
		const { status, stderr } = await grantd.grantd([verb, '--dir', grantd.dir]);
		assert.equal(status, 1, `${verb}: ${stderr}`);
		assert.match(stderr, words, verb);
		assert.match(stderr, /grantd restore/, verb);
	}
	if (before) assert.ok(fs.readFileSync(file).equals(before), 'nothing was changed');
}

const kill = async (grantd) => {
	process.kill(grantd.daemon.pid, 'SIGKILL');
	await grantd.daemon.ended;
};

if (driver === 'sqlite') test('on SQLite only: FT-009: a damaged page, a damaged header and a file cut short are refused', async (t) => {
	const grantd = await Instance.start(t);
	const { alice, agent } = await grantd.furnish();
	await agent.tokens(alice);
	await grantd.stop();
	const file = path.join(grantd.dir, 'grantd.db');
	const whole = fs.readFileSync(file);
	const damaged = (from, bytes) => Buffer.concat([whole.subarray(0, from), bytes, whole.subarray(from + bytes.length)]);
	const pages = whole.length / PAGE;
	assert.ok(pages > 20);
	let refused = 0;
	for (let page = 1; page < pages; page++) {
		const header = whole.subarray(page * PAGE, page * PAGE + 8);
		if (![2, 5, 10, 13].includes(header[0])) continue; // no page of a tree: its bytes are values, or nothing
		// how many cells it has, and where they begin
		fs.writeFileSync(file, damaged(page * PAGE + 3, Buffer.from([0xff, 0xff, 0xff, 0xff])));
		if (refused++ % 8 === 0) await is_refused(grantd, /the database .*grantd\.db is damaged \(/);
	}
	assert.ok(refused > 20);
	fs.writeFileSync(file, damaged(0, Buffer.from('not a database at all')));
	await is_refused(grantd, /the database .*grantd\.db is damaged \(file is not a database\)/);
	fs.writeFileSync(file, whole.subarray(0, whole.length - 3 * PAGE - 100));
	await is_refused(grantd, /the database .*grantd\.db is damaged \(/);
	fs.writeFileSync(file, whole);
	await grantd.start();
});

// The database as it is now, to be put back in place of a later one; nobody serves it meanwhile.
async function copy_of(grantd) {
	if (driver === 'sqlite') {
		const file = path.join(grantd.dir, 'grantd.db');
		const bytes = fs.readFileSync(file);
		return () => fs.writeFileSync(file, bytes);
	}
	const { name, socket } = grantd.database;
	const psql = (sql) => run_well('psql', ['-X', '-q', '-h', socket, '-d', 'postgres', '-c', sql]);
	await psql(`CREATE DATABASE ${name}_copy TEMPLATE ${name}`);
	return async () => {
		await psql(`DROP DATABASE ${name}`);
		await psql(`CREATE DATABASE ${name} TEMPLATE ${name}_copy`);
		await psql(`DROP DATABASE ${name}_copy`);
	};
}

test('FT-009: an older database that was put in place of a later one is refused, for what was revoked would live again', async (t) => {
	const grantd = await MovedInstance.start(t);
	const { alice, agent } = await grantd.furnish();
	const tokens = await agent.tokens(alice);
	const [{ id }] = await grantd.operate(['grant', 'list']);
	await grantd.stop();
	const put_back_older = await copy_of(grantd);
	grantd.move(6 * minute);
	await grantd.start();
	await grantd.operate(['grant', 'revoke', id]);
	await grantd.stop();
	const put_back_later = driver === 'sqlite' && await copy_of(grantd);
	await put_back_older();
	await is_refused(grantd, /ends at .*, but something was revoked at .*ended\.log.* would live again/);
	if (!put_back_later) return;
	// the right one is served, and what was revoked is
	await put_back_later();
	await grantd.start();
	assert.deepEqual(await grantd.introspect(tokens.access_token), { active: false });
});

if (driver === 'sqlite') test('on SQLite only: FT-009: a log that lost its commits is refused when a revocation was among them', async (t) => {
	const grantd = await MovedInstance.start(t);
	const { alice, agent } = await grantd.furnish();
	await agent.tokens(alice);
	const [{ id }] = await grantd.operate(['grant', 'list']);
	await grantd.stop();
	grantd.move(hour);
	await grantd.start();
	await grantd.operate(['grant', 'revoke', id]);
	await kill(grantd);
	const log = path.join(grantd.dir, 'grantd.db-wal');
	const whole = fs.readFileSync(log);
	fs.writeFileSync(log, whole.subarray(0, 100));
	await is_refused(grantd, /ends at .*, but something was revoked at/);
	fs.writeFileSync(log, whole);
	await grantd.start();
});

test('a revocation whose commit was not kept does not keep grantd from starting', async (t) => {
	const grantd = await Instance.start(t);
	await grantd.furnish();
	await grantd.stop();
	fs.appendFileSync(path.join(grantd.dir, 'ended.log'), `${Date.now() + 4 * minute * 1000} grant gra_00000000000000000000000000 operator\n`);
	await grantd.start();
});
