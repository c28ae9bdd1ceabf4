// SPDX-License-Identifier: Apache-2.0
// What an operator changes while grantd runs or is down: resource files, the log level, and many mistakes at once.
import assert from 'node:assert/strict';
import crypto from 'node:crypto';
import fs from 'node:fs';
import path from 'node:path';
import { describe, test } from 'node:test';
import { until } from './expect.mjs';
import { Instance } from './harness/index.mjs';

const in_dir = (grantd, name) => path.join(grantd.dir, name);
const hash_of = (file) => crypto.createHash('sha256').update(fs.readFileSync(file)).digest('hex');
const reloads = (grantd) => grantd.log().filter((line) => line.event === 'reload.done').length;

async function hup(grantd) {
	const before = reloads(grantd);
	grantd.daemon.kill('SIGHUP');
	await until(() => reloads(grantd) > before);
}

describe('resource files', () => {
	// [kind, name, hash] of each event about a resource, oldest first
	const recorded = async (grantd) => (await grantd.operate(['event', 'list'])).filter((event) => event.kind.startsWith('resource.')).reverse()
		.map(({ kind, actor, resource, details }) => { assert.equal(actor, 'operator'); assert.ok(resource); return [kind, details.name, details.sha256]; });

	test('what grantctl, HUP and a restart take up is on record once, with the hash of the file', async (t) => {
		const grantd = await Instance.start(t);
		await grantd.add_resource();
		const file = in_dir(grantd, 'resources/mail.json');
		const expected = [['resource.added', 'mail', hash_of(file)]];
		assert.deepEqual(await recorded(grantd), expected);
		await hup(grantd);
		assert.deepEqual(await recorded(grantd), expected, 'nothing was changed');
		await grantd.add_resource({ title: 'Another title' });
		expected.push(['resource.changed', 'mail', hash_of(file)]);
		fs.writeFileSync(file, fs.readFileSync(file, 'utf8').replace('Another title', 'By hand'));
		await hup(grantd);
		expected.push(['resource.changed', 'mail', hash_of(file)]);
		assert.deepEqual(await recorded(grantd), expected);
		await grantd.stop();
		fs.writeFileSync(file, fs.readFileSync(file, 'utf8').replace('By hand', 'While it was down'));
		await grantd.start();
		expected.push(['resource.changed', 'mail', hash_of(file)]);
		assert.deepEqual(await recorded(grantd), expected);
		expected.push(['resource.removed', 'mail', hash_of(file)]);
		await grantd.operate(['resource', 'remove', 'mail']);
		assert.deepEqual(await recorded(grantd), expected);
		assert.deepEqual(grantd.log().filter((line) => line.event.startsWith('resource.')).map((line) => [line.event, line.name, line.sha256]), expected, 'the log says the same');
	});

	test('a file that is refused leaves no record', async (t) => {
		const grantd = await Instance.start(t);
		await grantd.add_resource();
		const file = in_dir(grantd, 'resources/mail.json');
		const good = fs.readFileSync(file);
		fs.writeFileSync(file, '{"name":"mail"}');
		grantd.daemon.kill('SIGHUP');
		await until(() => grantd.log().some((line) => line.event === 'reload.refused'));
		assert.equal((await recorded(grantd)).length, 1);
		fs.writeFileSync(file, good);
		await hup(grantd);
		assert.equal((await recorded(grantd)).length, 1);
	});
});

test('HUP takes up the log level, and names what waits for a restart', async (t) => {
	const grantd = await Instance.start(t);
	const conf = in_dir(grantd, 'grantd.conf');
	const text = fs.readFileSync(conf, 'utf8');
	const requests = () => grantd.log().filter((line) => line.event === 'http.request').length;
	const ask = async () => assert.equal((await grantd.fetch(`${grantd.issuer}/jwks.json`)).status, 200);
	await ask();
	await until(() => requests() === 1);
	fs.writeFileSync(conf, `${text}log_level = error\n`);
	grantd.daemon.kill('SIGHUP');
	await until(async () => { // a reload that is quiet about itself is over when a request is not logged
		const before = requests();
		await ask();
		return requests() === before;
	});
	const quiet = requests();
	for (let i = 0; i < 5; i++) await ask();
	assert.equal(requests(), quiet);
	fs.writeFileSync(conf, `${text}log_level = info\nloops = 3\n`);
	await hup(grantd);
	await ask();
	await until(() => requests() > quiet);
	assert.deepEqual(grantd.log().filter((line) => line.event === 'reload.needs_restart').map((line) => line.setting), ['loops']);
});

test('check says all that is wrong at once, a sentence each, and changes nothing', async (t) => {
	const grantd = await Instance.create({ env: { GRANTD_SHARE_DIR: '/nowhere' } });
	t.after(() => grantd.dispose());
	const check = () => grantd.grantd(['check', '--dir', grantd.dir]);
	const conf = in_dir(grantd, 'grantd.conf');
	fs.appendFileSync(conf, 'lops = 2\nloops = many\nadmin_group = no-such-group\nextra_ca_file = nowhere.pem\n');
	fs.writeFileSync(in_dir(grantd, 'resources/a.json'), '{"name":"a"}');
	fs.writeFileSync(in_dir(grantd, 'resources/b.json'), 'no JSON');
	fs.chmodSync(in_dir(grantd, 'tls/key.pem'), 0o644);
	fs.copyFileSync(in_dir(grantd, 'ca.pem'), in_dir(grantd, 'tls/cert.pem'));
	fs.writeFileSync(in_dir(grantd, 'root.key'), `1 ${crypto.randomBytes(32).toString('base64url')}\n`, { mode: 0o600 });
	const rows = await grantd.snapshot();
	const faults = [
		/grantd\.conf:\d+: no setting is called "lops"; did you mean "loops"/, /grantd\.conf:\d+: loops: "many" is not a number/,
		/admin_group: there is no group no-such-group; make it/, /extra_ca_file: .*nowhere\.pem is missing; put it there/,
		/resources\/a\.json: uri: is missing/, /resources\/b\.json: not JSON/, /tls\/key\.pem: others may read it .*chmod 600/,
		/tls\/cert\.pem: does not belong to the key/, /tls\/cert\.pem: is not for the host/, /share_dir: \/nowhere has no pages/,
		/root\.key is not the root key that this database was set up with/,
	];
	const said = await check();
	assert.equal(said.status, 1);
	const lines = said.stderr.trim().split('\n');
	for (const fault of faults) assert.equal(lines.filter((line) => fault.test(line)).length, 1, `${fault}\n${said.stderr}`);
	assert.equal(lines.length, faults.length, said.stderr);
	for (const line of lines) assert.match(line, /^grantd check: /);
	assert.deepEqual(await grantd.snapshot(), rows);
	// without an issuer the files and the other settings are looked at all the same
	fs.writeFileSync(conf, fs.readFileSync(conf, 'utf8').replace(/^issuer = .*$/m, 'issuer = http://plain.example'));
	fs.chmodSync(in_dir(grantd, 'root.key'), 0o644);
	const worse = await check();
	assert.equal(worse.status, 1);
	for (const fault of [/issuer: "http:\/\/plain\.example" is not https/, /root\.key: others may read it/, /tls\/key\.pem: others may read it/, /resources\/b\.json/, /share_dir:/])
		assert.match(worse.stderr, fault);
	// what is wrong with the database's place is said once, and a socket path too long for the kernel breaks nothing
	fs.appendFileSync(conf, `database = mysql://x\nadmin_socket = ${'x'.repeat(120)}\n`);
	const worst = await check();
	assert.equal(worst.status, 1);
	assert.equal(worst.stderr.split('\n').filter((line) => /database/.test(line)).length, 1, worst.stderr);
	assert.match(worst.stderr, /admin_socket: the path of a unix socket has 1 to 107 bytes/);
});

test('FT-019: a set-up and migration that is killed at any moment is ended by the next run', async (t) => {
	const grantd = await Instance.create({ init: false });
	t.after(() => grantd.dispose());
	const database = grantd.database.url ? ['--database', grantd.database.url] : [];
	const args = ['init', '--dir', grantd.dir, '--issuer', grantd.issuer, ...database];
	let killed = 0;
	for (let ms = 2, status = null; status !== 0; ms += 4) {
		({ status } = await grantd.grantd(args, { timeout: ms }));
		if (status === null) killed++;
		// half made or not, nothing that is there keeps the next run from ending it
		const migrated = await grantd.grantd(['migrate', '--dir', grantd.dir], { timeout: ms });
		assert.ok([0, 1, null].includes(migrated.status), migrated.stderr);
	}
	assert.ok(killed > 1, 'it was killed on the way');
	const checked = await grantd.grantd(['check', '--dir', grantd.dir]);
	assert.equal(checked.status, 0, checked.stderr);
	const [{ n }] = await grantd.rows('SELECT count(*) AS n FROM schema_version');
	assert.ok(n > 0);
});
