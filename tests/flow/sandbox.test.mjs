// SPDX-License-Identifier: Apache-2.0
// The walls around the process that faces the network: that a whole life fits inside them, what a thief in there is
// kept from, and that `grantd check --sandbox` says what is in force. Where a sanitizer is built in, system calls are
// not filtered, and what is tested is the files.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import http from 'node:http';
import path from 'node:path';
import { test } from 'node:test';
import { event_kinds, granted, until } from './expect.mjs';
import { Daemon, Instance, driver, programs, run, run_well } from './harness/index.mjs';
import { Listener } from './listener.mjs';
import { preloads, shim } from './preload.mjs';

const libraries = (await run_well('ldd', [programs.grantd])).stdout;
const is_sanitized = /lib[at]san/.test(libraries);
// a thread of ThreadSanitizer's own, from before keyd shuts itself in
const has_strange_thread = /libtsan/.test(libraries);
const skip = process.getuid() !== 0 && 'needs root';

// A kernel without it shuts no files, and grantd has said so.
function lacks_landlock(grantd) {
	const log = grantd.log();
	if (log.find(({ event }) => event === 'sandbox.in_force').landlock > 0) return false;
	assert.ok(log.some(({ event, what, reason }) => event === 'sandbox.partial' && what === 'files' && /no Landlock/.test(reason)));
	return true;
}

// One connection of its own to the health port; its end, well or not, is all that is asked for.
const knock = (grantd) => new Promise((resolve) => {
	const request = http.get({ port: grantd.port + 1, path: '/livez', agent: false }, (answer) => answer.resume().on('close', resolve));
	request.on('error', resolve);
});

// Another certificate, in another folder that takes the place of the first.
async function renew_certificate(grantd) {
	const other = path.join(grantd.home, 'other'), at = (name) => path.join(grantd.dir, name);
	assert.equal((await grantd.grantd(['init', '--dir', other, '--issuer', grantd.issuer])).status, 0);
	fs.renameSync(at('tls'), at('tls.old'));
	fs.renameSync(path.join(other, 'tls'), at('tls'));
	await grantd.operate(['reload']);
	const socket = await grantd.connect({ ca: fs.readFileSync(path.join(other, 'ca.pem')) });
	socket.close();
}

async function lose_connections(grantd) {
	if (driver === 'sqlite') return;
	const { socket, name } = grantd.database;
	await run_well('psql', ['-X', '-q', '-h', socket, '-d', 'postgres', '-c', `SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '${name}'`]);
}

// The calls that failed, as strace saw them, in processes and threads of grantd and keyd, not of errands.
function failed_calls(file, outside) {
	return fs.readFileSync(file, 'utf8').split('\n').filter((line) => !outside.some((pid) => line.startsWith(`${pid} `)))
		.filter((line) => / = -1 (EACCES|EPERM|ENOSYS|EAFNOSUPPORT|EXDEV) /.test(line)).map((line) => line.replace(/^\d+ +/, ''));
}

test('a whole life has no call refused: sign-in, tokens, on_stop by command and URL, reload, rotation, backup, end', { skip }, async (t) => {
	const grantd = await Instance.create({ env: { GRANTD_EXTRA_CA_FILE: 'listener.pem', GRANTD_ADMIN_GROUP: 'games', ASAN_OPTIONS: 'detect_leaks=0' } });
	t.after(() => grantd.dispose());
	const listener = await Listener.start(t, grantd.dir);
	const calls = path.join(grantd.home, 'calls');
	grantd.daemon = new Daemon('strace', ['-f', '-qq', '-Z', '-o', calls, programs.grantd, 'serve', '--dir', grantd.dir], { env: grantd.env, log_dir: grantd.home, name: 'grantd' });
	await grantd.daemon.says('ready', 60_000);
	const [traced] = fs.readFileSync(`/proc/${grantd.daemon.pid}/task/${grantd.daemon.pid}/children`, 'utf8').trim().split(' ');
	t.after(() => { try { process.kill(Number(traced), 'SIGKILL'); } catch { /* it has ended */ } });
	const begun = failed_calls(calls, []).length;
	const mark = path.join(grantd.home, 'stopped');
	await grantd.add_resource({ on_stop: ['touch', mark] });
	await grantd.add_resource({ name: 'crm', uri: `${grantd.issuer}/r/crm`, on_stop: listener.url, introspection: [] });
	const alice = await grantd.add_person();
	// by one of another user, whose groups the kernel knows and no file has to be asked for
	fs.chmodSync(grantd.home, 0o755);
	fs.chmodSync(grantd.dir, 0o711);
	const games = (await run_well('getent', ['group', 'games'])).stdout.split(':')[2];
	const ctl = path.join(grantd.home, 'grantctl');
	fs.copyFileSync(programs.grantctl, ctl);
	await run_well('setpriv', ['--reuid=65534', '--regid=65534', `--groups=${games}`, ctl, '--dir', grantd.dir, 'user', 'list'], { env: grantd.env });
	const agent = await grantd.add_agent();
	const other = await grantd.add_agent({ id: 'crm-agent', resource: 'crm' });
	other.resource = `${grantd.issuer}/r/crm`;
	let { refresh_token } = await agent.tokens(alice);
	await other.tokens(alice);
	({ refresh_token } = granted(await agent.refresh(refresh_token)));
	await lose_connections(grantd);
	const fresh = await until(async () => { const answer = await agent.refresh(refresh_token); return answer.status === 200 && answer.body; });
	assert.equal((await grantd.introspect(fresh.access_token)).active, true);
	await grantd.operate(['keys', 'rotate', '--at-once']);
	if (driver === 'sqlite') await grantd.operate(['backup', path.join(grantd.dir, 'backups', 'one')]);
	await knock(grantd);
	for (const grant of await grantd.operate(['grant', 'list', '--user', 'alice'])) await grantd.operate(['grant', 'revoke', grant.id]);
	await until(() => fs.existsSync(mark) && listener.calls.length === 1, 40_000);
	await until(async () => (await event_kinds(grantd)).filter((kind) => kind === 'stop.done').length === 2);
	fs.appendFileSync(path.join(grantd.dir, 'grantd.conf'), 'log_level = debug\n');
	await renew_certificate(grantd);
	const [errands] = fs.readFileSync(`/proc/${traced}/task/${traced}/children`, 'utf8').trim().split(' ').filter((pid) => fs.readFileSync(`/proc/${pid}/comm`, 'utf8') === 'errands\n');
	const outside = [errands, ...fs.readdirSync(`/proc/${errands}/task`)];
	process.kill(Number(traced), 'SIGTERM');
	assert.equal((await grantd.daemon.ended).status, 0);
	const refused = failed_calls(calls, outside).slice(begun);
	// known and dealt with: threads are begun by the older call, and files of DIR are opened by errands
	const known = [/^clone3\(/, /^socket\(AF_NETLINK/, new RegExp(`^openat\\([^"]*"${grantd.dir}/(grantd.conf|resources|tls|listener.pem|mail-rs.secret)`), /^\S+ resumed>/];
	const others = refused.filter((line) => !known.some((one) => one.test(line)));
	assert.deepEqual(others, []);
	assert.ok(refused.some((line) => line.includes('/grantd.conf"')), 'the settings were read by errands');
	assert.deepEqual(grantd.log().filter(({ event }) => /^(job|stop)\.failed|store\.failed|sandbox\.(off|partial)/.test(event) && !(is_sanitized && event === 'sandbox.partial')), []);
});

// the release build has no libraries of tests
const no_shim = !fs.existsSync(shim('thief')) && 'the thief is not built';

test('a thief in the process gets at no key, file, process or socket, and a shell is his end', { skip: skip || no_shim }, async (t) => {
	const grantd = await Instance.create();
	t.after(() => grantd.dispose());
	const log = path.join(grantd.home, 'thief');
	fs.writeFileSync(log, '');
	const plain = grantd.env;
	grantd.env = { ...plain, LD_PRELOAD: preloads(shim('thief')), THIEF_LOG: log, THIEF_DIR: grantd.dir };
	await grantd.start();
	grantd.env = plain;
	if (lacks_landlock(grantd)) return t.skip('this kernel has no Landlock');
	const before = fs.readdirSync(path.join(grantd.dir, 'resources'));
	for (let i = 0; i < 9; i++) await knock(grantd);
	const [EACCES, ENOSYS, EAFNOSUPPORT] = [13, 38, 97];
	const files = ['read root.key', 'write grantd.conf', 'write a resource', 'read shadow', 'write outside'].map((name) => `${name}: ${EACCES}`);
	await until(() => fs.readFileSync(log, 'utf8').includes('start a shell?'));
	const outcomes = fs.readFileSync(log, 'utf8').trim().split('\n').filter((line) => !line.endsWith('?'));
	assert.deepEqual(outcomes.slice(0, 5), files);
	if (is_sanitized) {
		assert.equal(outcomes.at(-1), `start a shell: ${EACCES}`);
	} else {
		assert.deepEqual(outcomes.slice(5), [`sniff: ${EAFNOSUPPORT}`, `chmod root.key: ${ENOSYS}`, `fork: ${ENOSYS}`]);
		assert.equal((await grantd.daemon.ended).signal, 'SIGSYS');
		assert.deepEqual(fs.readdirSync(grantd.dir).filter((name) => /core/.test(name)), []);
	}
	assert.deepEqual(fs.readdirSync(path.join(grantd.dir, 'resources')), before);
	assert.ok(!fs.existsSync('/tmp/grantd-thief'));
});

test('check --sandbox says what is in force, and fails when something is not', async (t) => {
	const grantd = await Instance.start(t);
	if (lacks_landlock(grantd)) return t.skip('this kernel has no Landlock');
	const check = (...words) => grantd.grantd(['check', '--dir', grantd.dir, '--sandbox', ...words]);
	const said = await check('--json');
	const { processes, landlock, root_key_out_of_reach } = JSON.parse(said.stdout);
	assert.deepEqual(processes.map(({ name }) => name), ['grantd', 'keyd', 'errands']);
	assert.equal(processes[0].pid, grantd.daemon.pid);
	assert.ok(landlock > 0 && root_key_out_of_reach);
	for (const one of processes.slice(0, 2)) {
		const { no_new_privileges, system_calls_listed, files_listed, no_core, memory_hidden } = one;
		assert.equal(no_new_privileges, !(has_strange_thread && one.name === 'keyd'), one.name);
		assert.deepEqual({ system_calls_listed, files_listed, no_core, memory_hidden },
			{ system_calls_listed: !is_sanitized, files_listed: true, no_core: true, memory_hidden: true }, one.name);
	}
	assert.equal(said.status, is_sanitized ? 1 : 0);
	assert.match((await check()).stdout, /^files listed +yes +yes +- *$/m);
	await grantd.stop();
	fs.appendFileSync(path.join(grantd.dir, 'grantd.conf'), 'sandbox = no\n');
	assert.equal((await check()).status, 3, 'nobody serves');
	await grantd.start();
	const off = await check();
	assert.equal(off.status, 1);
	assert.match(off.stdout, /^files listed +NO +NO +- *$/m);
	assert.match(off.stderr, /sandbox = no/);
	if (fs.existsSync(shim('given_filter'))) {
		// a list that a container or systemd gives is not ours, and does not pass for it
		await grantd.stop();
		const plain = grantd.env;
		grantd.env = { ...plain, LD_PRELOAD: preloads(shim('given_filter')) };
		await grantd.start();
		grantd.env = plain;
		assert.match(fs.readFileSync(`/proc/${grantd.daemon.pid}/status`, 'utf8'), /^Seccomp:\s2$/m);
		assert.match((await check()).stdout, is_sanitized ? /^system calls listed +NO +NO +- *$/m : /^system calls listed +NO +yes +- *$/m);
	}
	assert.equal(grantd.log().filter(({ event }) => event === 'sandbox.off').length, fs.existsSync(shim('given_filter')) ? 2 : 1);
});

// Issue 2's own example, to the byte.
const example = `{ "name": "mail", "uri": "https://grantd.localhost:8443/r/mail", "title": "Mail of Example Ltd",
  "enforced_by": "resource", "checks": "introspection", "on_stop": "doveadm kick {username}",
  "token": { "typ": "at+jwt", "alg": "ES256", "lifetime": 300 },
  "scopes": [ { "name": "mail.read", "title": "Read your mail", "risk": "read", "default": true,
                "can": ["see folders and read messages"], "cannot": ["send, change or delete anything"] } ],
  "introspection": [ { "id": "mail-rs", "secret_file": "mail-rs.secret" } ] }
`;

test('who may write in DIR adds a resource with a command, and what is refused leaves the file as it was', async (t) => {
	const grantd = await Instance.start(t);
	const added = path.join(grantd.home, 'mail.json'), file = path.join(grantd.dir, 'resources/mail.json');
	const names = () => fs.readdirSync(path.join(grantd.dir, 'resources')).sort();
	const add = (text) => { fs.writeFileSync(added, text); return grantd.grantctl(['resource', 'add', added]); };
	const missing = await add(example);
	assert.equal(missing.status, 1, 'its secret is not there yet');
	assert.deepEqual(names(), []);
	fs.writeFileSync(path.join(grantd.dir, 'mail-rs.secret'), `${'s'.repeat(40)}\n`, { mode: 0o600 });
	const taken = await add(example);
	assert.equal(taken.stderr, '');
	assert.equal(taken.status, 0);
	assert.equal(fs.readFileSync(file, 'utf8'), example);
	assert.deepEqual([fs.statSync(file).mode & 0o777, fs.statSync(file).uid], [0o600, fs.statSync(path.dirname(file)).uid]);
	assert.equal((await grantd.operate(['resource', 'list']))[0].name, 'mail');
	const other = JSON.parse(example);
	for (const wrong of [{ uri: grantd.issuer }, { on_stop: ['kick', ''] }, { scopes: [] }]) {
		const refused = await add(JSON.stringify({ ...other, ...wrong }));
		assert.equal(refused.status, 1, JSON.stringify(wrong));
		assert.equal(fs.readFileSync(file, 'utf8'), example);
		assert.deepEqual(names(), ['mail.json']);
	}
	// a file by hand that is wrong: a better one that is refused does not take its place
	fs.writeFileSync(file, '{"name":', { mode: 0o600 });
	assert.equal((await add(JSON.stringify({ ...other, uri: grantd.issuer }))).status, 1);
	assert.equal(fs.readFileSync(file, 'utf8'), '{"name":');
	assert.equal((await add(example)).status, 0);
	await grantd.stop();
	assert.equal((await add(JSON.stringify({ ...other, on_stop: 'true' }))).status, 3, 'nobody answers');
	assert.equal(fs.readFileSync(file, 'utf8'), example);
	assert.deepEqual(names(), ['mail.json']);
});

test('a command is not taken from who may not write in DIR', { skip }, async (t) => {
	const grantd = await Instance.start(t, { env: { GRANTD_ADMIN_GROUP: 'games' } });
	const resource = await grantd.add_resource();
	const file = path.join(grantd.home, 'mail.json'), ctl = path.join(grantd.home, 'grantctl');
	const there = () => JSON.parse(fs.readFileSync(path.join(grantd.dir, 'resources/mail.json')));
	fs.copyFileSync(programs.grantctl, ctl);
	fs.chmodSync(ctl, 0o755);
	fs.chmodSync(grantd.home, 0o755);
	fs.chmodSync(grantd.dir, 0o711);
	const games = (await run_well('getent', ['group', 'games'])).stdout.split(':')[2];
	const add = (change) => {
		fs.writeFileSync(file, JSON.stringify({ ...resource, ...change }));
		return run('setpriv', ['--reuid=65534', '--regid=65534', `--groups=${games}`, ctl, '--dir', grantd.dir, 'resource', 'add', file], { env: grantd.env });
	};
	const refused = await add({ on_stop: ['sh', '-c', 'cat root.key'] });
	assert.equal(refused.status, 1);
	assert.match(refused.stderr, /on_stop: a command is taken only from who can write .*\/resources: .* or run this as root/);
	assert.equal(there().on_stop, undefined);
	// nor a file of the machine, in the place of a secret
	fs.writeFileSync(path.join(grantd.home, 'secret'), `${'s'.repeat(40)}\n`, { mode: 0o600 });
	assert.equal((await add({ introspection: [{ id: 'rs', secret_file: path.join(grantd.home, 'secret') }] })).status, 1);
	assert.equal((await add({ on_stop: 'https://mail.example.org/stop' })).status, 0);
	await grantd.add_resource({ on_stop: ['true'] });
	assert.equal((await add({ on_stop: ['true'], title: 'Another title' })).status, 0);
	assert.deepEqual([there().title, there().on_stop], ['Another title', ['true']]);
});

test('a reload takes up a file outside of DIR that was never named before', async (t) => {
	const grantd = await Instance.start(t);
	const resource = await grantd.add_resource();
	const secret = path.join(grantd.home, 'moved.secret');
	fs.copyFileSync(path.join(grantd.dir, 'mail-rs.secret'), secret);
	const file = path.join(grantd.dir, 'resources/mail.json');
	fs.writeFileSync(file, JSON.stringify({ ...resource, introspection: [{ id: 'moved', secret_file: secret }] }), { mode: 0o600 });
	await grantd.operate(['reload']);
	fs.writeFileSync(secret, 'short\n');
	assert.match((await grantd.grantctl(['reload'])).stderr, /moved\.secret|secret has under/);
});

test('a backup goes to the folder that was backup_dir at the start, by whatever name, and nowhere else', async (t) => {
	const grantd = await Instance.start(t);
	const backups = path.join(grantd.dir, 'backups');
	if (driver === 'postgres') {
		assert.match((await grantd.grantctl(['backup', path.join(backups, 'one')])).stderr, /pg_dump/);
		return;
	}
	fs.mkdirSync(path.join(backups, 'deep'));
	fs.symlinkSync(backups, path.join(grantd.home, 'link'));
	fs.symlinkSync(grantd.home, path.join(backups, 'out'));
	const back_up = (file) => grantd.grantctl(['backup', file]);
	for (const file of [path.join(backups, 'one'), path.join(backups, 'deep/two'), path.join(grantd.home, 'link/three'), `${backups}/deep/../four`]) {
		const made = await back_up(file);
		assert.equal(made.status, 0, made.stderr);
	}
	fs.appendFileSync(path.join(grantd.dir, 'grantd.conf'), `backup_dir = ${path.join(grantd.home, 'later')}\n`);
	await grantd.operate(['reload']);
	for (const file of [path.join(backups, 'out/five'), path.join(grantd.home, 'later/six'), `${backups}/../seven`, path.join(grantd.dir, 'eight')]) {
		const refused = await back_up(file);
		assert.equal(refused.status, 1, file);
		assert.match(refused.stderr, new RegExp(`backups are made in ${backups}`));
	}
	assert.equal((await back_up(path.join(backups, 'nine'))).status, 0);
});
