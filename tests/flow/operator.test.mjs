// SPDX-License-Identifier: Apache-2.0
// The operator's side: init, check, reload, stop, kill; who may administer; what is written down and what never is.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import crypto from 'node:crypto';
import fs from 'node:fs';
import net from 'node:net';
import path from 'node:path';
import { describe, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { until } from './expect.mjs';
import { Daemon, Instance, driver, hold_commits, mail_secret, programs, run_well } from './harness/index.mjs';
import { to_be_allowed, to_be_stopped } from './killed.mjs';

const in_dir = (grantd, name) => path.join(grantd.dir, name);

// Every file of the installation with what is in it; the database's own files come and go.
function files_of(grantd) {
	const seen = {};
	for (const entry of fs.readdirSync(grantd.dir, { recursive: true, withFileTypes: true })) {
		const file = path.join(entry.parentPath, entry.name);
		if (!entry.isFile() || path.basename(file).startsWith('grantd.db')) continue;
		seen[path.relative(grantd.dir, file)] = crypto.createHash('sha256').update(fs.readFileSync(file)).digest('hex') + (fs.statSync(file).mode & 0o777).toString(8);
	}
	return seen;
}

const check = (grantd) => grantd.grantd(['check', '--dir', grantd.dir]);

async function ops(grantd, what) {
	const response = await fetch(`http://127.0.0.1:${grantd.port + 1}/${what}`);
	return [response.status, await response.text()];
}

describe('init', () => {
	test('a second run changes nothing and says so', async (t) => {
		const grantd = await Instance.create();
		t.after(() => grantd.dispose());
		const files = files_of(grantd);
		const rows = await grantd.snapshot();
		const again = await grantd.grantd(['init', '--dir', grantd.dir]);
		assert.equal(again.status, 0, again.stderr);
		assert.match(again.stdout, /nothing to do/);
		assert.deepEqual(files_of(grantd), files);
		assert.deepEqual(await grantd.snapshot(), rows);
		assert.equal(files['root.key'].slice(-3), '600');
		assert.equal(fs.statSync(grantd.dir).mode & 0o777, 0o700);
	});

	test('another issuer is refused, and a root key that is lost is not replaced', async (t) => {
		const grantd = await Instance.create();
		t.after(() => grantd.dispose());
		const other = await grantd.grantd(['init', '--dir', grantd.dir, '--issuer', 'https://other.localhost:1']);
		assert.equal(other.status, 1);
		assert.match(other.stderr, /is set up for https:\/\/grantd\.localhost/);
		fs.rmSync(in_dir(grantd, 'root.key'));
		const lost = await grantd.grantd(['init', '--dir', grantd.dir]);
		assert.equal(lost.status, 1);
		assert.match(lost.stderr, /root\.key is missing.*put it back from its copy/);
		assert.equal(fs.existsSync(in_dir(grantd, 'root.key')), false);
	});

	test('what a crash left half made is ended by the next run', async (t) => {
		const grantd = await Instance.create();
		t.after(() => grantd.dispose());
		for (const name of ['tls/cert.pem', 'providers/README']) {
			fs.rmSync(in_dir(grantd, name));
			fs.writeFileSync(in_dir(grantd, `${name}.new`), 'half a');
			const again = await grantd.grantd(['init', '--dir', grantd.dir]);
			assert.equal(again.status, 0, again.stderr);
			assert.ok(fs.existsSync(in_dir(grantd, name)));
			assert.ok(!fs.existsSync(in_dir(grantd, `${name}.new`)));
		}
		assert.equal((await check(grantd)).status, 0);
	});

	test('AD-009: a database URL with a password is refused on the command line and in the environment, and a root key there is not looked at', async (t) => {
		const grantd = await Instance.create({ init: false });
		t.after(() => grantd.dispose());
		const url = 'postgresql://grantd:hunter2@db.example/grantd';
		const argv = await grantd.grantd(['init', '--dir', grantd.dir, '--issuer', grantd.issuer, '--database', url]);
		assert.equal(argv.status, 1);
		assert.match(argv.stderr, /has a password; put it into ~\/\.pgpass/);
		assert.doesNotMatch(argv.stderr, /hunter2/);
		assert.equal(fs.existsSync(grantd.dir), false);
		await grantd.init();
		const environment = await grantd.grantd(['serve', '--dir', grantd.dir], { env: { ...grantd.env, GRANTD_DATABASE: url } });
		assert.equal(environment.status, 1);
		assert.match(environment.stderr, /has a password/);
		assert.doesNotMatch(environment.stderr, /hunter2/);
		const root = fs.readFileSync(in_dir(grantd, 'root.key'), 'utf8');
		fs.rmSync(in_dir(grantd, 'root.key'));
		const keyless = await grantd.grantd(['check', '--dir', grantd.dir], { env: { ...grantd.env, GRANTD_ROOT_KEY: root.split('\n').find((line) => line.startsWith('1 ')) } });
		assert.equal(keyless.status, 1);
		assert.match(keyless.stderr, /root\.key is missing/);
	});

	test('localhost, a path and a password in the database URL are refused with what to do', async (t) => {
		const grantd = await Instance.create({ init: false });
		t.after(() => grantd.dispose());
		for (const [args, words] of [
			[['--issuer', 'https://localhost:8443'], /cookies know no ports/],
			[['--issuer', 'https://a.example/b'], /no path/],
			[['--issuer', 'http://a.example'], /is not https/],
			[['--database', 'postgresql://u:hunter2@h/d'], /has a password; put it into ~\/\.pgpass/],
		]) {
			const refused = await grantd.grantd(['init', '--dir', `${grantd.home}/refused`, ...args]);
			assert.ok(!fs.existsSync(`${grantd.home}/refused`), 'nothing was made');
			assert.equal(refused.status, 1);
			assert.match(refused.stderr, words);
			assert.doesNotMatch(refused.stderr, /hunter2/);
		}
	});
});

describe('check', () => {
	// Each way of breaking it: what to do, what is said, and whether serve may still answer for its health.
	const breakages = [
		['the root key is gone', (g) => fs.rmSync(in_dir(g, 'root.key')), /root\.key is missing: put it back/],
		['the root key is no file', (g) => { fs.rmSync(in_dir(g, 'root.key')); fs.mkdirSync(in_dir(g, 'root.key')); }, /root\.key is not a regular file/],
		['the root key is open to others', (g) => fs.chmodSync(in_dir(g, 'root.key'), 0o644), /open to other users: run chmod 600/],
		['the root key is another one', (g) => fs.writeFileSync(in_dir(g, 'root.key'), `1 ${crypto.randomBytes(32).toString('base64url')}\n`, { mode: 0o600 }), /is not the root key that this database was set up with/],
		['the TLS key is open to others', (g) => fs.chmodSync(in_dir(g, 'tls/key.pem'), 0o640), /tls\/key\.pem: others may read it .*chmod 600/],
		['the certificate is no certificate', (g) => fs.writeFileSync(in_dir(g, 'tls/cert.pem'), 'x'), /tls\/cert\.pem: holds no certificate/],
		['the certificate is the CA\'s', (g) => fs.copyFileSync(in_dir(g, 'ca.pem'), in_dir(g, 'tls/cert.pem')), /does not belong to the key/],
		['a resource is wrong', (g) => fs.writeFileSync(in_dir(g, 'resources/x.json'), '{"name":"x"}'), /resources\/x\.json: uri: is missing/],
		['a setting is misspelt', (g) => fs.appendFileSync(in_dir(g, 'grantd.conf'), 'lops = 2\n'), /grantd\.conf:\d+: no setting is called "lops"; did you mean "loops"/],
		['the issuer is another one', (g) => fs.writeFileSync(in_dir(g, 'grantd.conf'), fs.readFileSync(in_dir(g, 'grantd.conf'), 'utf8').replace(/^issuer = .*/m, 'issuer = https://other.localhost:9')), /this database was set up for https:\/\/grantd\.localhost/],
		['the configuration is gone', (g) => fs.rmSync(in_dir(g, 'grantd.conf')), /grantd init/],
	];

	test('each thing that is broken is named, nothing is lost, and repaired it serves again', async (t) => {
		const grantd = await Instance.start(t);
		const { alice, agent } = await grantd.furnish();
		let { refresh_token } = await agent.tokens(alice);
		await grantd.stop();
		assert.equal((await check(grantd)).status, 0);
		const kept = `${grantd.home}/kept`;
		fs.cpSync(grantd.dir, kept, { recursive: true, filter: (file) => !path.basename(file).startsWith('grantd.db') && !file.endsWith('.sock') });
		const rows = await grantd.snapshot();
		for (const [name, destroy, words] of breakages) {
			destroy(grantd);
			const said = await check(grantd);
			assert.equal(said.status, 1, `${name}: ${said.stdout}`);
			assert.match(said.stderr, words, name);
			for (const entry of ['root.key', 'resources/x.json']) fs.rmSync(in_dir(grantd, entry), { recursive: true, force: true });
			fs.cpSync(kept, grantd.dir, { recursive: true });
			for (const [file, mode] of [['root.key', 0o600], ['tls/key.pem', 0o600], ['mail-rs.secret', 0o600]]) fs.chmodSync(in_dir(grantd, file), mode);
			assert.deepEqual(await grantd.snapshot(), rows, name);
		}
		const fine = await check(grantd);
		assert.equal(fine.status, 0, fine.stderr);
		await grantd.start();
		({ status: fine.status, body: { refresh_token } } = await agent.refresh(refresh_token));
		assert.equal(fine.status, 200);
	});

	test('all problems are said at once', async (t) => {
		const grantd = await Instance.create();
		t.after(() => grantd.dispose());
		fs.rmSync(in_dir(grantd, 'root.key'));
		fs.writeFileSync(in_dir(grantd, 'tls/cert.pem'), 'x');
		const { status, stderr } = await check(grantd);
		assert.equal(status, 1);
		assert.match(stderr, /root\.key is missing/);
		assert.match(stderr, /cert\.pem: holds no certificate/);
	});

	test('every verb of grantd says its outcome as JSON too', async (t) => {
		const grantd = await Instance.create();
		t.after(() => grantd.dispose());
		const say = async (status, ...args) => {
			const { stdout, stderr, ...done } = await grantd.grantd([...args, '--dir', grantd.dir, '--json']);
			assert.equal(done.status, status, stderr);
			assert.equal(stdout.split('\n').length, 2, 'one line');
			return JSON.parse(stdout);
		};
		assert.deepEqual(await say(0, 'init'), { dir: grantd.dir, issuer: grantd.issuer, changed: false, ca_file: in_dir(grantd, 'ca.pem'), root_key_file: in_dir(grantd, 'root.key') });
		assert.deepEqual(await say(0, 'check'), { dir: grantd.dir, problems: [] });
		const { from, to } = await say(0, 'migrate');
		assert.equal(from, to);
		fs.chmodSync(in_dir(grantd, 'root.key'), 0o644);
		const { problems } = await say(1, 'check');
		assert.equal(problems.length, 1);
		assert.match(problems[0], /root\.key/);
	});
	test('FT-019: a missing database, an older and a newer schema are refused by check and serve alike', async (t) => {
		const grantd = await Instance.create();
		t.after(() => grantd.dispose());
		const run_sql = async (sql) => {
			if (driver === 'postgres') {
				await run_well('psql', ['-X', '-q', '-h', grantd.database.socket, '-d', grantd.database.name, '-c', sql]);
				return;
			}
			const { DatabaseSync } = await import('node:sqlite');
			const file = new DatabaseSync(in_dir(grantd, 'grantd.db'));
			file.exec(sql);
			file.close();
		};
		for (const [sql, said] of [
			['DELETE FROM schema_version', /the database has schema 0, this grantd wants \d+: run grantd migrate/],
			['INSERT INTO schema_version (version, applied_at) VALUES (999, 0)', /the database has schema 999.*use a newer grantd/],
		]) {
			await run_sql(sql);
			for (const verb of ['check', 'serve']) {
				const refused = await grantd.grantd([verb, '--dir', grantd.dir]);
				assert.equal(refused.status, 1);
				assert.match(refused.stderr, said);
			}
		}
		const elsewhere = driver === 'sqlite' ? 'sqlite:nowhere.db' : `postgresql:///nowhere?host=${grantd.database.socket}`;
		for (const verb of ['check', 'serve']) {
			const missing = await grantd.grantd([verb, '--dir', grantd.dir], { env: { ...grantd.env, GRANTD_DATABASE: elsewhere } });
			// PostgreSQL may have it later
			assert.equal(missing.status, driver === 'postgres' && verb === 'serve' ? 75 : 1);
			assert.match(missing.stderr, driver === 'sqlite' ? /nowhere/ : /is PostgreSQL running/);
		}
	});
});

test('without its root key only health is served, and it says why', async (t) => {
	const grantd = await Instance.create();
	t.after(() => grantd.dispose());
	const key = fs.readFileSync(in_dir(grantd, 'root.key'));
	for (const wrong of [null, `1 ${crypto.randomBytes(32).toString('base64url')}\n`]) {
		if (wrong) fs.writeFileSync(in_dir(grantd, 'root.key'), wrong, { mode: 0o600 });
		else fs.rmSync(in_dir(grantd, 'root.key'));
		await assert.rejects(Promise.race([grantd.start(), until(() => grantd.daemon.stderr.includes('only health is served')).then(() => { throw new Error('health only'); })]), /health only/);
		assert.deepEqual((await ops(grantd, 'livez'))[0], 200);
		const [status, text] = await ops(grantd, 'readyz');
		assert.equal(status, 503);
		assert.match(text, /the root key|root\.key/);
		for (const url of ['/jwks.json', '/login', '/.well-known/openid-configuration'])
			assert.equal((await grantd.fetch(grantd.issuer + url)).status, 503, url);
		assert.equal((await grantd.grantctl(['user', 'list'])).status, 1);
		await grantd.stop();
	}
	fs.writeFileSync(in_dir(grantd, 'root.key'), key, { mode: 0o600 });
	await grantd.start();
	assert.deepEqual(await ops(grantd, 'readyz'), [200, 'ok\n']);
});

// An agent that acts as itself, for load that needs no person.
async function with_bot(grantd) {
	await grantd.add_resource({ scopes: [{ name: 'mail.read', title: 'Read', risk: 'read', default: true, clients: true, can: ['read'], cannot: ['send'] }] });
	return grantd.add_agent({ id: 'bot', secret: true, scope: 'mail.read', redirect_uris: [], grant_types: ['client_credentials'] });
}

const ask = (bot, options) => bot.post('/token', { grant_type: 'client_credentials' }, options);

test('HUP with a broken file keeps the old configuration, says why, and drops no request', async (t) => {
	const grantd = await Instance.start(t);
	const bot = await with_bot(grantd);
	const conf = in_dir(grantd, 'grantd.conf');
	const text = fs.readFileSync(conf, 'utf8');
	const statuses = [];
	let stop = false;
	const load = Array.from({ length: 8 }, async () => { while (!stop) statuses.push((await ask(bot)).status); });
	fs.writeFileSync(conf, `${text}lops = 1\n`);
	grantd.daemon.kill('SIGHUP');
	const refused = await until(() => grantd.log().find((line) => line.event === 'reload.refused'));
	assert.match(refused.reason, /did you mean "loops"/);
	stop = true;
	await Promise.all(load);
	assert.ok(statuses.length > 0);
	assert.deepEqual(statuses.filter((status) => status !== 200), []);
	assert.equal((await ask(bot)).status, 200);
});

test('a reload says of each setting that waits for a restart that it changed, and of no other', async (t) => {
	const grantd = await Instance.create({ env: { GRANTD_TRUSTED_PROXIES: undefined, GRANTD_OPS_LISTEN: undefined, GRANTD_SHARE_DIR: undefined } });
	t.after(() => grantd.dispose());
	const { GRANTD_SHARE_DIR: _, ...plain } = grantd.env;
	const conf = in_dir(grantd, 'grantd.conf');
	const own = /^(database|listen|share_dir|ops_listen) = .*\n/gm;
	const text = fs.readFileSync(conf, 'utf8').replace(own, '');
	const share = path.resolve(import.meta.dirname, '../../share');
	const database = grantd.database.url ?? 'sqlite:grantd.db';
	const write = (settings) => fs.writeFileSync(conf, text + Object.entries(settings).map(([name, value]) => `${name} = ${value}\n`).join(''));
	const settings = { listen: `127.0.0.1:${grantd.port}`, ops_listen: `127.0.0.1:${grantd.port + 1}`, share_dir: share, database, trusted_proxies: '127.0.0.1', access_token_lifetime: '60s' };
	write(settings);
	grantd.env = plain;
	await grantd.start();
	fs.cpSync(in_dir(grantd, 'tls'), in_dir(grantd, 'other-tls'), { recursive: true });
	fs.cpSync(share, `${grantd.home}/share`, { recursive: true });
	fs.copyFileSync(in_dir(grantd, 'root.key'), in_dir(grantd, 'other.key'));
	write({
		listen: `127.0.0.1:${grantd.port + 2}`, ops_listen: `127.0.0.1:${grantd.port + 3}`, admin_socket: 'other.sock', admin_group: 'games', plain: 'yes',
		trusted_proxies: '127.0.0.2', tls_cert: 'other-tls/cert.pem', tls_key: 'other-tls/key.pem', database: database.replace(/grantd\.db$|$/, driver === 'sqlite' ? 'other.db' : '&application_name=other'),
		database_pool: 4, database_queue: 512, root_key_file: 'other.key', share_dir: `${grantd.home}/share`, backup_dir: 'other', sandbox: 'no', loops: 3,
		access_token_lifetime: '61s', keep_events: '400d', // these are taken up
	});
	grantd.daemon.kill('SIGHUP');
	await until(() => { const line = grantd.log().find(({ event }) => event.startsWith('reload.') && event !== 'reload.needs_restart'); return line && assert.equal(line.event, 'reload.done', line.reason) || line; });
	const asked = grantd.log().filter((line) => line.event === 'reload.needs_restart').map((line) => line.setting);
	assert.deepEqual(asked.sort(), ['admin_group', 'admin_socket', 'backup_dir', 'database', 'database_pool', 'database_queue', 'listen', 'loops', 'ops_listen', 'plain',
		'root_key_file', 'sandbox', 'share_dir', 'tls_cert', 'tls_key', 'trusted_proxies']);
	// and what was bound and opened at the start is as it was
	assert.equal((await grantd.fetch(`${grantd.issuer}/jwks.json`)).status, 200);
	assert.equal((await ops(grantd, 'livez'))[0], 200);
	assert.deepEqual(await grantd.operate(['user', 'list']), []);
});

test('idle connections that take every file descriptor do not keep anybody out', async (t) => {
	const grantd = await Instance.create();
	t.after(() => grantd.dispose());
	// few for a start, and 160 at the most
	grantd.daemon = new Daemon('sh', ['-c', 'ulimit -Sn 64 && ulimit -Hn 160 && exec "$0" "$@"', programs.grantd, 'serve', '--dir', grantd.dir],
		{ env: grantd.env, log_dir: grantd.home, name: 'grantd' });
	await grantd.daemon.says('ready');
	assert.match(fs.readFileSync(`/proc/${grantd.daemon.pid}/limits`, 'utf8'), /Max open files +160 +160/);
	const idle = Array.from({ length: 300 }, () => net.connect(grantd.port, '127.0.0.1').on('error', () => {}));
	await sleep(200);
	const answer = await Promise.race([grantd.fetch(`${grantd.issuer}/login`), sleep(5000)]);
	assert.equal(answer?.status, 200);
	await grantd.operate(['user', 'list']);
	idle.forEach((socket) => socket.destroy());
});

test('TERM with tasks waiting for their commit answers them all', async (t) => {
	const grantd = await Instance.start(t);
	const { alice, agent } = await grantd.furnish();
	const { refresh_token } = await agent.tokens(alice);
	const at_once = 60;
	// one rotates, the others repeat; each waits for its event's commit
	const all = () => Promise.all(Array.from({ length: at_once }, () =>
		agent.refresh(refresh_token).catch((error) => ({ error }))));
	const on_record = async () => Number((await grantd.rows("SELECT count(*) AS n FROM events WHERE kind IN ('token.refreshed', 'token.repeated')"))[0].n);
	const answered = (of = () => true) => grantd.log().filter((line) => line.path === '/token' && of(line)).length;
	assert.ok((await all()).every((answer) => answer.status === 200)); // so many connections are open now
	const before = await on_record();
	assert.equal(before, at_once);
	const answered_before = answered();
	const go_on = await hold_commits(grantd);
	const calls = all();
	await until(async () => /^grantd_queue_waiting\{queue="writer"\} [1-9]/m.test((await ops(grantd, 'metrics'))[1]));
	assert.equal(answered(), answered_before, 'they wait');
	const stopped = grantd.stop();
	await until(() => grantd.log().some((line) => line.event === 'stopping'));
	await go_on();
	await stopped;
	const answers = await calls;
	const with_status = (wanted) => answers.filter(({ status }) => status === wanted).length;
	for (const { status, error } of answers) assert.ok(status === 200 || status === 503 || /ECONNREFUSED|ECONNRESET|socket hang up/.test(error?.message ?? error?.code ?? ''), `${status} ${error}`);
	assert.ok(with_status(200) > 0);
	// who got no answer was never heard: what was decided, and what grantd says it answered, has arrived
	assert.equal(await on_record() - before, with_status(200), 'each that is on record was answered, and each answer is on record');
	assert.equal(answered() - answered_before, with_status(200) + with_status(503), 'each request that was taken up was answered');
	t.diagnostic(`answered ${with_status(200)}, refused ${with_status(503)}, not heard ${answers.filter(({ error }) => error).length}`);
});

test('20 times kill -9 under load loses nothing that was acknowledged', async (t) => {
	const grantd = await Instance.start(t);
	const { alice, agent } = await grantd.furnish();
	const file = `${grantd.home}/acknowledged`;
	const lines = [], families = [];
	for (let i = 0; i < 4; i++) {
		lines.push((await agent.tokens(alice)).refresh_token);
		families.push(...(await grantd.rows('SELECT id FROM families')).map(({ id }) => id).filter((id) => !families.includes(id)));
	}
	assert.equal(families.length, lines.length);
	const { doomed, paused } = await to_be_stopped(grantd, alice);
	const allowed = await to_be_allowed(grantd, 20);
	const refreshed = lines.map(() => 0);
	let slowest = 0;
	for (let round = 0; round < 20; round++) {
		let stop = false;
		const work = lines.map(async (_, i) => {
			while (!stop) {
				const answer = await agent.refresh(lines[i], {}, { apart: true }).catch(() => null);
				if (!answer) return; // killed: whether it was rotated is not known, and must not matter
				if (answer.status === 503) continue; // storage is slow: nothing was acknowledged
				assert.equal(answer.status, 200, `round ${round}: ${answer.text}`);
				lines[i] = answer.body.refresh_token;
				refreshed[i]++;
				fs.appendFileSync(file, `line ${i} ${lines[i]}\n`);
			}
		});
		const name = `person-${round}`;
		const made = grantd.grantctl(['user', 'create', name, '--json']);
		const revoked = doomed.revoke(round), stopped = paused.pause();
		const consented = allowed.allow(round), redeemed = allowed.redeem(round - 1);
		const sum = () => refreshed.reduce((a, b) => a + b, 0);
		const enough = sum() + 3 + round;
		await until(() => sum() >= enough, 60_000);
		// by turns acknowledged just before, or on the way
		if (round % 2) await Promise.all([revoked, stopped, consented]);
		else if (round % 4 === 0) await redeemed;
		await sleep(round % 5);
		await grantd.kill_9();
		stop = true;
		await Promise.all(work);
		if ((await made).status === 0) fs.appendFileSync(file, `user ${name}\n`);
		if (await revoked) fs.appendFileSync(file, `revoked ${round}\n`);
		const is_paused = await stopped;
		if (is_paused) fs.appendFileSync(file, `paused ${round}\n`);
		if (await consented) fs.appendFileSync(file, `allowed ${round}\n`);
		if ((await redeemed)?.status === 200) fs.appendFileSync(file, `redeemed ${round}\n`);
		const begun = Date.now();
		await grantd.start();
		slowest = Math.max(slowest, Date.now() - begun);
		await doomed.check(round, await revoked);
		await paused.check(is_paused);
		await allowed.check(round - 1, await redeemed);
	}
	await allowed.check(19, null);
	await allowed.check_all();
	// every line goes on with the last token that was acknowledged
	for (const [i, token] of lines.entries()) await until(async () => {
		const { status, text, body } = await agent.refresh(token);
		assert.ok(status === 200 || status === 503, text);
		if (status === 200) fs.appendFileSync(file, `line ${i} ${body.refresh_token}\n`);
		return status === 200;
	});
	const acknowledged = fs.readFileSync(file, 'utf8').trim().split('\n').map((line) => line.split(' '));
	const names = new Set((await grantd.operate(['user', 'list'])).map((user) => user.username));
	for (const [kind, name] of acknowledged) if (kind === 'user') assert.ok(names.has(name), name);
	// A rotation whose answer was lost is handed out again with the same successor. So each successor that a line
	// has seen is one rotation and has its one event, and there is none besides: neither is one lost, nor made twice.
	const events = await grantd.rows("SELECT family_id FROM events WHERE kind = 'token.refreshed'");
	for (const [i, family] of families.entries()) {
		const seen = new Set(acknowledged.filter(([kind, line]) => kind === 'line' && line === String(i)).map(([, , token]) => token));
		assert.equal(seen.size, refreshed[i] + 1, 'no token was given twice');
		assert.equal(events.filter((event) => event.family_id === family).length, seen.size, `line ${i}: each refresh has its event`);
	}
	for (const [kind, least] of [['revoked', 10], ['paused', 10], ['allowed', 10], ['redeemed', 4]]) assert.ok(acknowledged.filter(([one]) => one === kind).length >= least, kind);
	const over = await grantd.rows('SELECT id, revoked_why FROM families WHERE revoked_at IS NOT NULL');
	for (const { id, revoked_why } of over) {
		assert.equal(families.includes(id), false);
		assert.match(revoked_why, /^(revoked_by_client|code_reused)$/);
	}
	const ends = await grantd.rows("SELECT family_id FROM events WHERE kind = 'family.ended'");
	assert.deepEqual(ends.map((event) => event.family_id).sort(), over.map(({ id }) => id).sort(), 'each end has its one event');
	t.diagnostic(`kills 20 acknowledged ${acknowledged.length} slowest start ${slowest} ms`);
});

test('no secret is in database, WAL, log or configuration', async (t) => {
	const grantd = await Instance.start(t, { env: { GRANTD_LOG_LEVEL: 'debug' } });
	await grantd.add_resource();
	const password = 'planted password 8d1f';
	const alice = await grantd.add_person('alice', password);
	const agent = await grantd.add_agent({ secret: 'planted-client-secret-0123456789abcdef' });
	const made = await grantd.add_agent({ id: 'made', secret: true });
	const wish = agent.authorization({ state: 'planted-state-77aa', nonce: 'n' });
	const { code } = await alice.allow(wish.url);
	const { body } = await agent.redeem(code, wish);
	const next = (await agent.refresh(body.refresh_token)).body;
	await agent.post('/token', { grant_type: 'refresh_token', refresh_token: 'planted-refresh-token' });
	await agent.post('/introspect', { token: 'planted-introspected-token' });
	await grantd.fetch(`${grantd.issuer}/planted-path?token=planted-query-token`, { headers: { authorization: 'Bearer planted-bearer', cookie: 'x=planted-cookie' } });
	const secrets = [password, agent.client_secret, made.client_secret, code, wish.verifier, body.access_token, body.refresh_token, next.access_token, next.refresh_token,
		'planted-refresh-token', 'planted-introspected-token', 'planted-query-token', 'planted-bearer', 'planted-cookie', 'alice@example.org', mail_secret];
	// what is no secret is found in the tables and in the WAL, so these are searched
	const plain = (await grantd.files_with(['grant.allowed'])).join();
	for (const place of driver === 'sqlite' ? [/dir\/grantd\.db-wal:/] : [/cluster\/base\//, /cluster\/pg_wal\//]) assert.match(plain, place);
	assert.deepEqual(await grantd.files_with(secrets, { but: ['dir/mail-rs.secret'] }), []);
	await grantd.stop();
	assert.deepEqual(await grantd.files_with(secrets, { but: ['dir/mail-rs.secret'] }), []);
});

test('who is neither root nor of the group is refused at the admin socket', { skip: process.getuid() !== 0 && 'needs root' }, async (t) => {
	const grantd = await Instance.start(t, { env: { GRANTD_ADMIN_GROUP: 'games' } });
	const ctl = `${grantd.home}/grantctl`;
	fs.copyFileSync(programs.grantctl, ctl);
	fs.chmodSync(ctl, 0o755);
	fs.chmodSync(grantd.home, 0o755);
	fs.chmodSync(grantd.dir, 0o711);
	const as = (gid, args) => new Promise((resolve) => {
		const child = spawn(ctl, ['--dir', grantd.dir, ...args], { uid: 65534, gid, cwd: '/', env: grantd.env });
		let stderr = '';
		child.stderr.on('data', (text) => { stderr += text; });
		child.on('close', (status) => resolve({ status, stderr }));
	});
	assert.equal(fs.statSync(in_dir(grantd, 'admin.sock')).mode & 0o777, 0o660);
	assert.equal((await as(65534, ['user', 'list'])).status, 3, 'the kernel does not let them connect');
	const games = (await run_well('getent', ['group', 'games'])).stdout.split(':')[2];
	assert.deepEqual(await as(Number(games), ['user', 'list']), { status: 0, stderr: '' });
	// a group that the caller has, whatever /etc/group says of its user: as at the socket's file
	await run_well('setpriv', ['--reuid=65534', '--regid=65534', `--groups=${games}`, ctl, '--dir', grantd.dir, 'user', 'list'], { env: grantd.env });
	fs.chmodSync(in_dir(grantd, 'admin.sock'), 0o666);
	const refused = await as(65534, ['user', 'create', 'mallory']);
	assert.equal(refused.status, 1);
	assert.match(refused.stderr, /may not administer grantd/);
	assert.deepEqual(await grantd.operate(['user', 'list']), []);
});

test('AD-007: metacharacters and huge words at the admin API are matched literally or refused', async (t) => {
	const grantd = await Instance.start(t);
	await grantd.furnish();
	await grantd.unchanged(async () => {
		for (const word of ["' OR 1=1 --", '%', '_', '*', 'a%', '../alice', '\u202ealice', 'a'.repeat(3000)]) {
			for (const args of [['user', 'show', word], ['client', 'show', word], ['grant', 'show', word], ['grant', 'revoke', word], ['event', 'show', word], ['resource', 'show', word],
				['user', 'disable', word], ['client', 'disable', word], ['resource', 'remove', word], ['grant', 'list', '--user', word], ['event', 'list', '--user', word], ['event', 'list', '--grant', word]]) {
				const { status, stderr } = await grantd.grantctl(args);
				assert.equal(status, 1, `${args}: ${stderr}`);
			}
		}
		assert.deepEqual((await grantd.operate(['event', 'list', '--client', "' OR 1=1 --"])), []);
	});
	assert.equal((await grantd.operate(['user', 'list'])).length, 1);
});

test('every verb has --help and exit codes that tell what happened', async (t) => {
	const grantd = await Instance.create();
	t.after(() => grantd.dispose());
	for (const verb of ['init', 'serve', 'check', 'migrate']) {
		const help = await grantd.grantd([verb, '--help']);
		assert.equal(help.status, 0);
		assert.match(help.stdout, new RegExp(`^grantd ${verb} --dir DIR`));
		assert.equal((await grantd.grantd([verb])).status, 2);
	}
	assert.match((await grantd.grantd(['--version'])).stdout, /^grantd \d/);
	for (const words of ['user create', 'user list', 'client create', 'grant revoke', 'event show', 'resource add']) {
		const help = await grantd.grantctl([...words.split(' '), '--help']);
		assert.equal(help.status, 0, help.stderr);
		assert.ok(help.stdout.startsWith(`grantctl --dir DIR ${words}`));
	}
	assert.equal((await grantd.grantctl(['user', 'list'])).status, 3);
	assert.equal((await grantd.grantctl(['user', 'fly'])).status, 2);
	for (const words of [['--help'], ['user', '--help'], ['client', '--help']]) {
		const help = await grantd.grantctl(words);
		assert.equal(help.status, 0);
		assert.match(help.stdout, /^usage: grantctl --dir DIR NOUN VERB/);
	}
	const argv = await grantd.grantctl(['user', 'create', 'x', '--password', 'hunter2']);
	assert.equal(argv.status, 2);
	assert.match(argv.stderr, /--password-stdin/);
});

test('on_stop runs when an operator revokes, with the name as one argument', async (t) => {
	const grantd = await Instance.start(t);
	const mark = `${grantd.home}/stopped {username} {client}`;
	await grantd.add_resource({ on_stop: ['touch', mark] });
	const alice = await grantd.add_person();
	const agent = await grantd.add_agent();
	const { refresh_token, access_token } = await agent.tokens(alice);
	const [grant] = await grantd.operate(['grant', 'list', '--user', 'alice']);
	assert.deepEqual([grant.status, grant.client_id, grant.resource, grant.scope], ['active', 'mail-agent', grantd.mail_uri, 'mail.read']);
	assert.equal((await grantd.operate(['grant', 'revoke', grant.id])).status, 'revoked');
	await until(() => fs.existsSync(`${grantd.home}/stopped alice mail-agent`));
	assert.equal((await agent.refresh(refresh_token)).status, 400);
	assert.equal((await grantd.introspect(access_token)).active, false);
	await until(async () => (await grantd.operate(['event', 'list', '--grant', grant.id])).some((event) => event.kind === 'stop.done'));
	const consent = (await grantd.operate(['event', 'list', '--grant', grant.id])).find((event) => event.kind === 'grant.allowed');
	const text = await grantd.grantctl(['event', 'show', consent.id, '--text']);
	assert.match(text.stdout, /see folders and read messages/);
});

test('a resource that people use is removed only with force', async (t) => {
	const grantd = await Instance.start(t);
	const { alice, agent } = await grantd.furnish();
	await agent.tokens(alice);
	const used = await grantd.grantctl(['resource', 'remove', 'mail']);
	assert.equal(used.status, 1);
	assert.match(used.stderr, /still let agents use it/);
	assert.ok(fs.existsSync(in_dir(grantd, 'resources/mail.json')));
	assert.equal((await grantd.grantctl(['resource', 'remove', 'mail', '--force'])).status, 0);
	assert.ok(!fs.existsSync(in_dir(grantd, 'resources/mail.json')));
	const bad = `${grantd.home}/bad.json`;
	fs.writeFileSync(bad, JSON.stringify({ name: 'bad', uri: grantd.issuer, title: 'x', scopes: [{ name: 'a', title: 'a', can: ['a'] }] }));
	const refused = await grantd.grantctl(['resource', 'add', bad]);
	assert.equal(refused.status, 1);
	assert.match(refused.stderr, /is the issuer itself/);
	assert.ok(!fs.existsSync(in_dir(grantd, 'resources/bad.json')), 'a refused file is not left behind');
});
