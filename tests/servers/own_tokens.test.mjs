// SPDX-License-Identifier: Apache-2.0
// The checks of docs/resource-servers.md one by one: tokens that are sound but for one thing, signed by the key of an
// issuer that the test is itself, for grantd gives no such tokens away.
import assert from 'node:assert/strict';
import crypto from 'node:crypto';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { after, before, describe, test } from 'node:test';
import { Dovecot } from '../../demo/dovecot.mjs';
import { Imap } from '../../demo/imap.mjs';
import { AgentHost } from '../flow/agent_host.mjs';
import { until } from '../flow/expect.mjs';
import { Daemon, free_ports, run_well } from '../flow/harness/index.mjs';
import { start_apache } from './apache.mjs';
import { Forge, key_of_somebody, now } from './bad_tokens.mjs';
import { Blocks } from './blocks.mjs';

const page = new Blocks('resource-servers.md');
const python = '/usr/bin/python3';
const resource = 'https://api.example.org';
const key = crypto.generateKeyPairSync('ec', { namedCurve: 'P-256' });
const kid = 'own-key-1';
const public_key = { ...key.publicKey.export({ format: 'jwk' }), kid, use: 'sig', alg: 'ES256' };

let home, host, issuer, said, started = [];
before(async () => {
	home = fs.mkdtempSync(path.join(os.tmpdir(), 'grantd-own-'));
	fs.symlinkSync(path.resolve(import.meta.dirname, '../node_modules'), path.join(home, 'node_modules'));
	host = await AgentHost.start(null, path.join(home, 'issuer'));
	issuer = host.url('');
	host.answer = (request, response) => {
		const body = request.url === '/introspect' ? said : { keys: [public_key] };
		request.resume().on('end', () => response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(body)));
	};
});
after(async () => {
	for (const one of started.reverse()) await one.stop();
	await host.stop();
	fs.rmSync(home, { recursive: true, force: true });
});

const names = () => [['https://id.example.org', issuer]];
const env = () => ({ ...process.env, NODE_EXTRA_CA_CERTS: host.ca_file, SSL_CERT_FILE: host.ca_file, PYTHONDONTWRITEBYTECODE: '1' });
const answers = (port) => until(() => fetch(`http://127.0.0.1:${port}/`).then(() => true, () => false));
async function start(program, name, text, more) {
	fs.writeFileSync(path.join(home, name), text);
	const daemon = new Daemon(program, [path.join(home, name)], { log_dir: home, name, env: { ...env(), ...more } });
	started.push({ stop: async () => { daemon.kill('SIGTERM'); await daemon.ended; } });
}

const claims = () => ({ iss: issuer, aud: resource, sub: 'usr_own', client_id: 'agent', scope: 'notes.read', iat: now() - 5, exp: now() + 200, jti: crypto.randomUUID() });
const forge = new Forge({ key, kid, body: claims });
const with_scope = (scope) => forge.token({ body: { scope } });

async function get(port, authorization) {
	const response = await fetch(`http://127.0.0.1:${port}/notes`, { headers: { authorization } });
	return { status: response.status, challenge: response.headers.get('www-authenticate') ?? '', text: await response.text() };
}
async function refuses(port, tokens, statuses = [401]) {
	assert.equal((await get(port, `Bearer ${forge.token()}`)).status, 200, 'a sound one is let in');
	for (const [what, token] of Object.entries(tokens)) {
		const { status, challenge } = await get(port, `Bearer ${token}`);
		assert.ok(statuses.includes(status), `a token ${what}: ${status}`);
		assert.match(challenge, /resource_metadata=/, what);
	}
}

test('Node refuses each of them', async () => {
	const port = await free_ports();
	await start(process.execPath, 'notes.mjs', page.take('js', '// notes.mjs', [...names(), ['listen(8000', `listen(${port}`]]));
	await answers(port);
	await refuses(port, forge.bad);
	for (const scope of [undefined, '', 'notes.reader', 'notes.write']) assert.equal((await get(port, `Bearer ${with_scope(scope)}`)).status, 403, scope);
	assert.equal((await get(port, `DPoP ${forge.token({ body: key_of_somebody })}`)).status, 401);
});

test('Python refuses each of them', async () => {
	fs.writeFileSync(path.join(home, 'local.py'), page.take('python', '# local.py', names()));
	const program = 'import local, jwt, sys\nfor token in sys.stdin.read().split():\n\ttry: local.claims_of(token); print("good")\n\texcept jwt.PyJWTError: print("bad")\n';
	const all = Object.entries({ ...forge.bad, 'without a scope': with_scope(undefined) });
	const { stdout } = await run_well(python, ['-c', program], { input: [forge.token(), ...all.map(([, token]) => token)].join('\n'), env: { ...env(), PYTHONPATH: home } });
	const [good, ...rest] = stdout.trim().split('\n');
	assert.equal(good, 'good');
	assert.deepEqual(rest.map((word, i) => [all[i][0], word]), all.map(([what]) => [what, 'bad']));
});

test('the program that nginx asks refuses what grantd calls active but is not for it, or belongs to a key', async () => {
	const port = await free_ports();
	fs.writeFileSync(path.join(home, 'notes-rs.secret'), 'secret\n');
	await start(python, 'check.py', page.take('python', '# check.py', [...names(), ['8090', String(port)]]), { SECRET_FILE: path.join(home, 'notes-rs.secret') });
	await answers(port);
	const ask = async (body, scheme = 'Bearer') => {
		said = body;
		const response = await fetch(`http://127.0.0.1:${port}/`, { headers: { authorization: `${scheme} opaque`, 'x-scope': 'notes.read' } });
		return response.status;
	};
	const active = { active: true, ...claims(), username: 'alice' };
	assert.equal(await ask(active), 204);
	for (const [what, changes] of [['inactive', { active: false }], ['active as a word', { active: 'true' }], ['for another', { aud: 'https://other.example.org' }],
		['for several', { aud: [resource, 'https://other.example.org'] }], ['for nobody', { aud: undefined }], ['of a key', key_of_somebody]])
		assert.equal(await ask({ ...active, ...changes }), 401, what);
	assert.equal(await ask({ active: false }), 401);
	for (const scope of [undefined, '', 'notes.write', 'notes.reader']) assert.equal(await ask({ ...active, scope }), 403, scope);
	assert.equal(await ask(active, 'DPoP'), 401);
	assert.equal(await ask('what?'), 503);
});

test('Apache refuses each of them but those of another type, of which it knows nothing, as the page says', async () => {
	const port = await free_ports();
	const guard = page.take('apache', 'OAuth2TokenVerify', names());
	started.push(start_apache({ port, guard, ca_file: host.ca_file, env: env(), documents: { notes: 'The notes\n' } }));
	await answers(port);
	await refuses(port, forge.bad_but('of another type', 'of no type'), [401, 403]);
	for (const scope of [undefined, '', 'notes.reader', 'notes.write']) assert.equal((await get(port, `Bearer ${with_scope(scope)}`)).status, 403, scope);
	assert.equal((await get(port, `DPoP ${forge.token()}`)).status, 401);
	// what an ID token is like: its client's name, and no scope
	assert.equal((await get(port, `Bearer ${forge.token({ head: { typ: 'JWT' }, body: { aud: 'agent', scope: undefined } })}`)).status, 403);
	assert.equal((await get(port, `Bearer ${forge.bad['of another type']}`)).status, 200);
	assert.match(page.text, /It does not look at `typ`/);
});

test('Apache believes no keys of a server whose certificate it cannot check', async () => {
	const port = await free_ports();
	const guard = page.take('apache', 'OAuth2TokenVerify', names());
	started.push(start_apache({ port, guard, env: env(), documents: { notes: 'The notes\n' } }));
	await answers(port);
	assert.equal((await get(port, `Bearer ${forge.token()}`)).status, 401);
});

describe('Dovecot', () => {
	let dovecot;
	before(async () => {
		dovecot = await Dovecot.start({
			port: await free_ports(), ca_file: host.ca_file, settings: '\nauth_verbose = yes\n',
			oauth2: async (folder) => {
				const keys = path.join(folder, 'keys/');
				fs.writeFileSync(path.join(folder, 'dovecot_keys.py'), page.take('python', '# dovecot_keys.py', [...names(), ['/etc/dovecot/grantd/', keys]]));
				await run_well(python, [path.join(folder, 'dovecot_keys.py')], { env: env() });
				return page.take('dovecot', 'introspection_mode', [...names(), ['/etc/dovecot/grantd/', keys]]);
			},
		});
		started.push(dovecot);
	});
	// Dovecot's own kind: as the page's resource file has it
	const mail = new Forge({ key, kid, typ: 'JWT', body: () => ({ ...claims(), aud: `${issuer}/r/mail`, scope: 'mail.read', username: 'alice' }) });
	async function login(made) {
		const imap = await Imap.connect(dovecot.port);
		const { ok } = await imap.login('alice', made);
		imap.close();
		return ok;
	}

	test('refuses each of them but those that belong to a key, and a token without the scope or of another person', async () => {
		assert.ok(await login(mail.token()), dovecot.log);
		const all = Object.entries({
			...mail.bad_but('that belongs to a key'), 'without the scope': mail.token({ body: { scope: 'mail.send' } }), 'of no scope': mail.token({ body: { scope: undefined } }),
			'of another person': mail.token({ body: { username: 'bob' } }), 'of nobody': mail.token({ body: { username: undefined } }),
		});
		const oks = await Promise.all(all.map(([, made]) => login(made)));
		assert.deepEqual(oks.map((ok, i) => [all[i][0], ok]), all.map(([what]) => [what, false]));
	});

	test('knows nothing of keys that tokens belong to, which is why its resource says that there are none', async () => {
		assert.ok(await login(mail.bad['that belongs to a key']), dovecot.log);
		assert.equal(JSON.parse(page.take('json', '"name": "mail"')).token.dpop, false);
		assert.match(page.text, /does not look at `cnf`/);
	});
});
