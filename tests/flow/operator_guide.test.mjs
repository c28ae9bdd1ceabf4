// SPDX-License-Identifier: Apache-2.0
// Sentences of docs/operator.md that no other test proves: what a set-up makes and how it is renewed, what a supervisor is
// told, what is looked at and what is not, and settings that put things elsewhere.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import crypto from 'node:crypto';
import fs from 'node:fs';
import path from 'node:path';
import tls from 'node:tls';
import { test } from 'node:test';
import { event_kinds, granted, until } from './expect.mjs';
import { Instance, driver, programs, run, run_well } from './harness/index.mjs';

const in_dir = (grantd, name) => path.join(grantd.dir, name);
const DAY = 86400_000;

// Whether a new connection that trusts `ca` alone is made.
function is_trusted(grantd, ca) {
	return new Promise((resolve) => {
		const socket = tls.connect({ host: '127.0.0.1', port: grantd.port, servername: grantd.host, ca, ALPNProtocols: ['http/1.1'] }, () => { socket.destroy(); resolve(true); });
		socket.on('error', () => resolve(false));
	});
}

test('init signs for one host and keeps no key of its authority; renewing it takes removing, init and a reload', async (t) => {
	const grantd = await Instance.start(t);
	const { alice, agent } = await grantd.furnish();
	const { refresh_token } = await agent.tokens(alice);
	const files = fs.readdirSync(grantd.dir, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile() && !entry.name.startsWith('grantd.db'))
		.map((entry) => path.join(entry.parentPath, entry.name));
	assert.deepEqual(files.filter((file) => /PRIVATE KEY/.test(fs.readFileSync(file, 'latin1'))), [in_dir(grantd, 'tls/key.pem')]);
	const ca = new crypto.X509Certificate(grantd.ca), leaf = new crypto.X509Certificate(fs.readFileSync(in_dir(grantd, 'tls/cert.pem')));
	assert.ok(leaf.verify(ca.publicKey) && leaf.checkPrivateKey(crypto.createPrivateKey(fs.readFileSync(in_dir(grantd, 'tls/key.pem')))));
	assert.ok(!ca.publicKey.equals(leaf.publicKey), 'the key that is there is not the authority\'s');
	for (const one of [ca, leaf]) assert.equal(Math.round((Date.parse(one.validTo) - Date.now()) / DAY), 825);
	const { stdout } = await run_well('openssl', ['x509', '-noout', '-ext', 'nameConstraints,basicConstraints', '-in', in_dir(grantd, 'ca.pem')]);
	assert.match(stdout, /Name Constraints: critical\s+Permitted:\s+DNS:grantd\.localhost\s*$/m);
	assert.match(stdout, /CA:TRUE, pathlen:0/);

	fs.rmSync(in_dir(grantd, 'tls'), { recursive: true });
	fs.rmSync(in_dir(grantd, 'ca.pem'));
	const made = await grantd.grantd(['init', '--dir', grantd.dir]);
	assert.equal(made.status, 0, made.stderr);
	const renewed = fs.readFileSync(in_dir(grantd, 'ca.pem'));
	assert.deepEqual([await is_trusted(grantd, grantd.ca), await is_trusted(grantd, renewed)], [true, false], 'not before the reload');
	grantd.daemon.kill('SIGHUP');
	await until(() => is_trusted(grantd, renewed));
	assert.equal(await is_trusted(grantd, grantd.ca), false);
	grantd.https.ca = [renewed];
	granted(await agent.refresh(refresh_token));
});

test('localhost and an address are an issuer\'s host only where the operator says that nobody else listens there', async (t) => {
	const grantd = await Instance.create({ init: false });
	t.after(() => grantd.dispose());
	const database = grantd.database.url ? ['--database', grantd.database.url] : [];
	const issuer = `https://localhost:${grantd.port}`;
	const init = (...words) => grantd.grantd(['init', '--dir', grantd.dir, '--issuer', issuer, ...database, ...words]);
	assert.match((await init()).stderr, /--shared-loopback-host/);
	const made = await init('--shared-loopback-host');
	assert.equal(made.status, 0, made.stderr);
	await grantd.start();
	grantd.host = 'localhost';
	assert.equal(await is_trusted(grantd, fs.readFileSync(in_dir(grantd, 'ca.pem'))), true);
	await grantd.stop();
	const checked = await grantd.grantd(['check', '--dir', grantd.dir]);
	assert.equal(checked.status, 0, checked.stderr);
});

// What grantd tells NOTIFY_SOCKET, as systemd would hear it: node has no sockets for datagrams of that kind.
async function supervisor(t, file) {
	const script = 'use Socket; $| = 1; socket(S, AF_UNIX, SOCK_DGRAM, 0); bind(S, pack_sockaddr_un($ARGV[0])) or die $!; print "here\\n"; while (defined recv(S, $m, 4096, 0)) { $m =~ tr/\\n/ /; print "$m\\n" }';
	const child = spawn('perl', ['-e', script, file], { stdio: ['ignore', 'pipe', 'inherit'] });
	t.after(() => child.kill('SIGKILL'));
	const heard = [];
	child.stdout.setEncoding('utf8').on('data', (text) => heard.push(...text.split('\n').filter(Boolean)));
	await until(() => heard.shift() === 'here');
	return heard;
}

test('a supervisor is told when it is ready, reloads and stops; INT stops it as TERM does, and counters begin anew', async (t) => {
	const grantd = await Instance.create();
	t.after(() => grantd.dispose());
	const socket = path.join(grantd.home, 'notify');
	const heard = await supervisor(t, socket);
	grantd.env.NOTIFY_SOCKET = socket;
	await grantd.start();
	await until(() => heard.length > 0);
	assert.match(heard.shift(), /^READY=1\b/);
	const { alice, agent } = await grantd.furnish();
	await agent.tokens(alice);
	heard.length = 0;
	grantd.daemon.kill('SIGHUP');
	await until(() => heard.length > 1);
	assert.match(heard.shift(), /^RELOADING=1 MONOTONIC_USEC=\d+/);
	assert.match(heard.shift(), /^READY=1\b/);
	const issued = async () => Number(/^grantd_tokens_issued_total\{grant_type="authorization_code"\} (\d+)$/m.exec(await (await fetch(`http://127.0.0.1:${grantd.port + 1}/metrics`)).text())[1]);
	assert.equal(await issued(), 1);
	grantd.daemon.kill('SIGINT');
	assert.deepEqual(await grantd.daemon.ended, { status: 0, signal: null });
	await until(() => heard.some((line) => /^STOPPING=1/.test(line)));
	await grantd.start();
	assert.equal(await issued(), 0);
});

test('check beside a grantd that serves leaves a SQLite database alone and says so', async (t) => {
	const grantd = await Instance.start(t);
	const check = () => grantd.grantd(['check', '--dir', grantd.dir]);
	const beside = await check();
	assert.equal(beside.status, 0, beside.stderr);
	const words = /is serving this directory; its database was not looked into/;
	if (driver === 'sqlite') assert.match(beside.stdout, words);
	else assert.doesNotMatch(beside.stdout, words);
	await grantd.stop();
	assert.doesNotMatch((await check()).stdout, words);
});

test('root key, admin socket and backups may be elsewhere', async (t) => {
	const grantd = await Instance.create();
	t.after(() => grantd.dispose());
	const elsewhere = (name) => path.join(grantd.home, name);
	fs.mkdirSync(elsewhere('run'), { mode: 0o750 });
	fs.renameSync(in_dir(grantd, 'root.key'), elsewhere('root.key'));
	Object.assign(grantd.env, { GRANTD_ROOT_KEY_FILE: elsewhere('root.key') });
	fs.appendFileSync(in_dir(grantd, 'grantd.conf'), `admin_socket = ${elsewhere('run/admin.sock')}\nbackup_dir = ${elsewhere('backups')}\n`);
	await grantd.start();
	assert.ok(!fs.existsSync(in_dir(grantd, 'admin.sock')));
	const ctl = (...words) => run(programs.grantctl, ['--socket', elsewhere('run/admin.sock'), ...words], { env: grantd.env });
	const made = await ctl('user', 'create', 'alice');
	assert.equal(made.status, 0, made.stderr);
	assert.ok(fs.statSync(elsewhere('backups')).isDirectory(), 'made at the start');
	if (driver === 'sqlite') assert.equal((await ctl('backup', elsewhere('backups/one'))).status, 0);
	await grantd.stop();
	assert.equal((await ctl('user', 'list')).status, 3);
});

test('tokens of an agent as itself, and what a resource asks about an installation, are one event a minute', async (t) => {
	const grantd = await Instance.start(t);
	await grantd.add_resource({ scopes: [{ name: 'mail.read', title: 'Read', risk: 'read', default: true, clients: true, can: ['read'], cannot: ['send'] }] });
	const bot = await grantd.add_agent({ id: 'bot', secret: true, scope: 'mail.read', redirect_uris: [], grant_types: ['client_credentials'] });
	const [alice, agent] = [await grantd.add_person(), await grantd.add_agent({ scope: 'mail.read' })];
	const { access_token } = await agent.tokens(alice);
	// across the turn of a minute there may be two
	for (let i = 0; i < 5; i++) {
		granted(await bot.post('/token', { grant_type: 'client_credentials' }));
		assert.equal((await grantd.introspect(access_token)).active, true);
	}
	await until(async () => (await event_kinds(grantd)).includes('resource.used'));
	const kinds = await event_kinds(grantd);
	for (const kind of ['token.issued_to_client', 'resource.used']) {
		const count = kinds.filter((one) => one === kind).length;
		assert.ok(count === 1 || count === 2, `${kind}: ${count}`);
	}
});

// A filler makes it larger than what is looked through at a start; one page of its own tree is then damaged.
if (driver === 'sqlite') test('on SQLite only: FT-009: what is damaged in a database above 16 MiB is found by check', async (t) => {
	const grantd = await Instance.start(t);
	await grantd.stop();
	const file = in_dir(grantd, 'grantd.db');
	const { DatabaseSync } = await import('node:sqlite');
	const database = new DatabaseSync(file);
	database.exec('CREATE TABLE filler (bytes BLOB); INSERT INTO filler VALUES (zeroblob(17825792)); PRAGMA wal_checkpoint(TRUNCATE)');
	const { rootpage } = database.prepare("SELECT rootpage FROM sqlite_schema WHERE name = 'filler'").get();
	database.close();
	const check = () => grantd.grantd(['check', '--dir', grantd.dir]);
	assert.equal((await check()).status, 0);
	const fd = fs.openSync(file, 'r+');
	fs.writeSync(fd, Buffer.from([0xff, 0xff, 0xff, 0xff]), 0, 4, (rootpage - 1) * 4096 + 3);
	fs.closeSync(fd);
	const found = await check();
	assert.equal(found.status, 1);
	assert.match(found.stderr, /the database .*grantd\.db is damaged \(/);
	await grantd.start(); // which would take as long as reading all of it
	await grantd.operate(['user', 'create', 'alice']);
});

if (driver === 'postgres') test('on PostgreSQL only: a further node takes the issuer from the database, and another root key or none is refused with nothing written', async (t) => {
	const first = await Instance.start(t);
	const dir = path.join(first.home, 'further'), other = path.join(first.home, 'other.key');
	fs.writeFileSync(other, `1 ${crypto.randomBytes(32).toString('base64url')}\n`, { mode: 0o600 });
	const init = (...words) => first.grantd(['init', '--dir', dir, '--database', first.database.url, ...words]);
	for (const [words, why] of [[[], /--root-key/], [['--root-key', other], /is not the root key that this database was set up with/]]) {
		const refused = await init(...words);
		assert.equal(refused.status, 1);
		assert.match(refused.stderr, why);
		assert.ok(!fs.existsSync(path.join(dir, 'root.key')) && !fs.existsSync(path.join(dir, 'grantd.conf')), 'nothing was written');
	}
	const made = await init('--root-key', in_dir(first, 'root.key'));
	assert.equal(made.status, 0, made.stderr);
	assert.match(fs.readFileSync(path.join(dir, 'grantd.conf'), 'utf8'), new RegExp(`^issuer = ${first.issuer}$`, 'm'));
});
