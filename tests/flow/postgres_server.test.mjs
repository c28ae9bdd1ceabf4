// SPDX-License-Identifier: Apache-2.0
// A PostgreSQL on another machine, as docs/operator.md has it: TLS, a role that owns one schema, so many connections. It is the
// test's own server, whatever the other tests keep their data in.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { after, before, test } from 'node:test';
import { granted } from './expect.mjs';
import { Instance, free_ports, run, run_well } from './harness/index.mjs';

const packaging = path.resolve(import.meta.dirname, '../../packaging/postgres');
const as_owner = process.getuid() === 0 ? ['setpriv', '--reuid=postgres', '--regid=postgres', '--init-groups'] : ['env'];
const [bin] = fs.globSync('/usr/lib/postgresql/*/bin').sort().reverse();
const password = 'role-password-0123456789';

let dir, port, server, ended;
const file = (name) => path.join(dir, name);
const superuser = async (sql, database = 'postgres') =>
	(await run_well('psql', ['-X', '-q', '-A', '-t', '-h', dir, '-p', String(port), '-U', 'admin', '-d', database, '-c', sql])).stdout.trim();

// An authority, and a certificate of its for `localhost`.
async function authority(name) {
	const key = (what) => ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-keyout', file(`${what}.key`)];
	await run_well('openssl', ['req', '-x509', ...key(name), '-days', '2', '-subj', `/CN=${name}`, '-out', file(`${name}.pem`)]);
	await run_well('openssl', ['req', '-x509', ...key(`${name}-server`), '-days', '2', '-subj', '/CN=localhost', '-addext', 'subjectAltName=DNS:localhost',
		'-addext', 'basicConstraints=critical,CA:FALSE', '-CA', file(`${name}.pem`), '-CAkey', file(`${name}.key`), '-out', file(`${name}-server.pem`)]);
}

before(async () => {
	dir = fs.mkdtempSync(path.join(os.tmpdir(), 'grantd-pg-tls-'));
	port = await free_ports();
	await authority('right');
	await authority('wrong');
	if (process.getuid() === 0) await run_well('chown', ['-R', 'postgres:', dir]);
	const [program, ...words] = as_owner;
	await run_well(program, [...words, `${bin}/initdb`, '-D', file('data'), '-U', 'admin', '--auth=trust', '--encoding=UTF8', '--locale=C', '-N'], { cwd: dir });
	fs.writeFileSync(file('data/pg_hba.conf'), 'local all admin trust\nhostssl grantd grantd 127.0.0.1/32 scram-sha-256\n');
	server = spawn(program, [...words, `${bin}/postgres`, '-D', file('data'), '-k', dir, '-p', String(port), '-c', 'listen_addresses=127.0.0.1', '-c', 'ssl=on',
		'-c', `ssl_cert_file=${file('right-server.pem')}`, '-c', `ssl_key_file=${file('right-server.key')}`], { cwd: dir, stdio: 'ignore' });
	ended = new Promise((resolve) => server.on('close', resolve));
	for (let i = 0; (await run(`${bin}/pg_isready`, ['-q', '-h', dir, '-p', String(port)])).status !== 0; i++) {
		assert.ok(i < 300, 'PostgreSQL starts');
		await new Promise((resolve) => setTimeout(resolve, 100));
	}
	await run_well('psql', ['-X', '-q', '-v', 'ON_ERROR_STOP=1', '-h', dir, '-p', String(port), '-U', 'admin', '-d', 'postgres', '-f', path.join(packaging, 'roles.sql')]);
	await superuser(`ALTER ROLE grantd PASSWORD '${password}'`);
});

after(async () => {
	server?.kill('SIGINT');
	await ended;
	fs.rmSync(dir, { recursive: true, force: true });
});

// The whole URL, password and all, in a file of mode 0600.
function url_file(grantd, { host = 'localhost', ca = 'right', sslmode = 'verify-full' } = {}) {
	const name = path.join(grantd.home, 'database.url');
	fs.writeFileSync(name, `postgresql://grantd:${password}@${host}:${port}/grantd?sslmode=${sslmode}&sslrootcert=${file(`${ca}.pem`)}\n`, { mode: 0o600 });
	return name;
}

test('over TLS that is verified, with a role that owns one schema: set-up, a whole flow, check, no more connections than said', async (t) => {
	const grantd = await Instance.create({ init: false });
	t.after(() => grantd.dispose());
	delete grantd.env.GRANTD_DATABASE;
	const real = grantd.database;
	grantd.database = {};
	t.after(async () => { if (real.name) await run('psql', ['-X', '-q', '-h', real.socket, '-d', 'postgres', '-c', `DROP DATABASE ${real.name}`]); });
	grantd.env.GRANTD_DATABASE_FILE = url_file(grantd);
	Object.assign(grantd.env, { GRANTD_DATABASE_POOL: '4', GRANTD_LOOPS: '2' });
	await grantd.init();
	await grantd.start();
	const { alice, agent } = await grantd.furnish();
	const { refresh_token, access_token } = await agent.tokens(alice);
	await Promise.all(Array.from({ length: 20 }, () => agent.refresh(refresh_token, {}, { apart: true }).then(granted)));
	assert.equal((await grantd.introspect(access_token)).active, true);
	const [all, encrypted] = (await superuser("SELECT count(*), count(*) FILTER (WHERE s.ssl) FROM pg_stat_activity a JOIN pg_stat_ssl s USING (pid) WHERE usename = 'grantd'")).split('|').map(Number);
	assert.ok(all >= 5, `connections: ${all}`);
	assert.equal(encrypted, all);
	// docs/operator.md: database_pool + loops + half the cores + 14
	assert.ok(all <= 4 + 2 + Math.ceil(os.cpus().length / 2) + 14, `connections: ${all}`);
	assert.equal(await superuser("SELECT rolsuper OR rolcreatedb OR rolcreaterole OR rolreplication FROM pg_roles WHERE rolname = 'grantd'"), 'f');
	assert.equal(await superuser("SELECT count(*) FROM pg_tables WHERE tableowner = 'grantd' AND schemaname <> 'grantd'", 'grantd'), '0');
	assert.ok(Number(await superuser("SELECT count(*) FROM pg_tables WHERE schemaname = 'grantd'", 'grantd')) > 10);
	const checked = await grantd.grantd(['check', '--dir', grantd.dir]);
	assert.equal(checked.status, 0, checked.stderr);
	const migrated = await grantd.grantd(['migrate', '--dir', grantd.dir]);
	assert.equal(migrated.status, 0, migrated.stderr);
	assert.deepEqual(await grantd.files_with([password], { but: ['database.url'] }), []);
	await grantd.stop();

	for (const [verb, what, wish] of [
		['check', 'a server that another authority vouches for', { ca: 'wrong' }],
		['serve', 'a server of another name', { host: '127.0.0.1' }],
		['serve', 'a connection without TLS', { sslmode: 'disable' }],
	]) {
		url_file(grantd, wish);
		const refused = await grantd.grantd([verb, '--dir', grantd.dir]);
		assert.equal(refused.status, verb === 'serve' ? 75 : 1, what);
		assert.match(refused.stderr, /database/, what);
		assert.doesNotMatch(refused.stderr + refused.stdout, new RegExp(password), what);
	}
	url_file(grantd);
	assert.equal((await grantd.grantd(['check', '--dir', grantd.dir])).status, 0);
});
