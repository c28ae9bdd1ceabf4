// SPDX-License-Identifier: Apache-2.0
// Servers that agents call, each as docs/resource-servers.md sets it up: who gets in, and who does not.
import assert from 'node:assert/strict';
import crypto from 'node:crypto';
import fs from 'node:fs';
import http from 'node:http';
import os from 'node:os';
import path from 'node:path';
import { after, before, describe, test } from 'node:test';
import { Dovecot } from '../../demo/dovecot.mjs';
import { Imap } from '../../demo/imap.mjs';
import { as_file_says } from '../flow/clock.mjs';
import { until } from '../flow/expect.mjs';
import { Daemon, Instance, claims, free_ports, mail_secret, run_well } from '../flow/harness/index.mjs';
import { signing_keys } from '../flow/keys_by_hand.mjs';
import { start_apache } from './apache.mjs';
import { Forge } from './bad_tokens.mjs';
import { Blocks } from './blocks.mjs';

const page = new Blocks('resource-servers.md');
// Debian's, which has Debian's packages
const python = '/usr/bin/python3';
const audience = 'https://api.example.org';

let grantd, alice, agent, stranger, mail, mail_resource, clock, started = [];
before(async () => {
	grantd = await Instance.start(null);
	alice = await grantd.add_person('alice');
	const notes = JSON.parse(page.take('json', '"name": "notes"'));
	await grantd.add_resource(notes);
	mail_resource = { introspection: undefined, ...JSON.parse(page.take('json', '"name": "mail"', [['https://id.example.org', grantd.issuer], ['"on_stop": "doveadm kick {username}",', '']])) };
	mail_resource.scopes.push({ name: 'mail.send', title: 'Send mail', risk: 'send', can: ['send messages'] });
	await grantd.add_resource(mail_resource);
	agent = await grantd.add_agent({ id: 'notebook', resource: 'notes', scope: 'openid notes.read notes.write' });
	agent.resource = audience;
	// tokens of the same keys for another server
	await grantd.add_resource({ ...notes, name: 'other', uri: 'https://other.example.org', introspection: undefined });
	stranger = await grantd.add_agent({ id: 'stranger', resource: 'other', scope: 'notes.read' });
	stranger.resource = 'https://other.example.org';
	mail = await grantd.add_agent({ scope: 'mail.read' });
	fs.symlinkSync(path.resolve(import.meta.dirname, '../node_modules'), path.join(grantd.home, 'node_modules'));
	fs.writeFileSync(path.join(grantd.home, 'notes-rs.secret'), `${mail_secret}\n`, { mode: 0o600 });
	// how far the servers' time is ahead, where those may read it that are other users
	clock = fs.mkdtempSync(path.join(os.tmpdir(), 'grantd-clock-'));
	fs.chmodSync(clock, 0o755);
	fs.writeFileSync(path.join(clock, 'offset'), '+0');
});
after(async () => {
	for (const one of started.reverse()) await one.stop();
	await grantd?.dispose();
	fs.rmSync(clock, { recursive: true, force: true });
});

const ahead = (seconds) => fs.writeFileSync(path.join(clock, 'offset'), `+${seconds}`);
const server_env = () => ({ PATH: process.env.PATH, ...as_file_says(path.join(clock, 'offset')), NODE_EXTRA_CA_CERTS: path.join(grantd.dir, 'ca.pem'), SSL_CERT_FILE: path.join(grantd.dir, 'ca.pem') });
const ahead_for_good = (seconds) => {
	fs.writeFileSync(path.join(clock, `${seconds}`), `+${seconds}`);
	return as_file_says(path.join(clock, `${seconds}`));
};
const answers = (port) => until(() => fetch(`http://127.0.0.1:${port}/`).then(() => true, () => false));

// A program of the page, with its own values in the place of the page's.
async function start(program, name, text, more = {}) {
	const file = path.join(grantd.home, name);
	fs.writeFileSync(file, text);
	const daemon = new Daemon(program, [file], { log_dir: grantd.home, name, env: { ...server_env(), ...more } });
	started.push({ stop: async () => { daemon.kill('SIGTERM'); await daemon.ended; } });
	return daemon;
}

async function get(port, authorization, target = '/notes') {
	const response = await fetch(`http://127.0.0.1:${port}${target}`, { headers: authorization ? { authorization } : {} });
	return { status: response.status, challenge: response.headers.get('www-authenticate') ?? '', text: await response.text() };
}

const kid_of = (token) => JSON.parse(Buffer.from(token.split('.')[0], 'base64url')).kid;

// The same claims under the same header, signed by somebody else's key.
function by_another_key(token) {
	const [head, body] = token.split('.');
	const { privateKey } = crypto.generateKeyPairSync('ec', { namedCurve: 'P-256' });
	return `${head}.${body}.${crypto.sign('sha256', `${head}.${body}`, { key: privateKey, dsaEncoding: 'ieee-p1363' }).toString('base64url')}`;
}

// Lets alice's agent in that may read, and nobody else. elsewhere: what a sound token for another server is answered
async function guards_well(port, { elsewhere = 401 } = {}) {
	const { access_token, refresh_token, id_token } = await agent.tokens(alice, { changes: { scope: 'openid notes.read' } });
	const good = await get(port, `Bearer ${access_token}`);
	assert.equal(good.status, 200, good.text);
	const nothing = await get(port);
	assert.equal(nothing.status, 401);
	assert.match(nothing.challenge, /^Bearer resource_metadata="https:\/\/api\.example\.org\/\.well-known\/oauth-protected-resource", scope="notes\.read"/);
	const others = (await stranger.tokens(alice)).access_token;
	assert.equal(kid_of(others), kid_of(access_token));
	assert.notEqual(claims(others).aud, audience);
	assert.equal(claims(access_token).username, undefined, 'a name goes only to who asked for it');
	for (const token of [by_another_key(access_token), `${access_token.slice(0, -8)}AAAAAAAA`, refresh_token, 'x']) {
		assert.equal(typeof token, 'string');
		const { status, challenge } = await get(port, `Bearer ${token}`);
		assert.equal(status, 401, token);
		assert.match(challenge, /^Bearer resource_metadata=/);
	}
	assert.equal((await get(port, `Bearer ${others}`)).status, elsewhere);
	assert.equal(claims(id_token).iss, grantd.issuer);
	assert.ok([401, elsewhere].includes((await get(port, `Bearer ${id_token}`)).status));
	assert.equal((await get(port, `Basic ${Buffer.from(`alice:${access_token}`).toString('base64')}`)).status, 401);
	assert.equal((await get(port, null, `/notes?access_token=${access_token}`)).status, 401);
	return { good, access_token, refresh_token };
}

// What is missing is said, so that the agent can ask its person.
async function wants_scope(port) {
	const { access_token } = await agent.tokens(alice, { changes: { scope: 'notes.write' }, scope: ['notes.write'] });
	const { status, challenge } = await get(port, `Bearer ${access_token}`);
	assert.equal(status, 403);
	for (const words of ['error="insufficient_scope"', 'scope="notes.read"', `resource_metadata="${audience}/.well-known/oauth-protected-resource"`]) assert.ok(challenge.includes(words), challenge);
}

const metadata = () => JSON.parse(page.take('json', '"authorization_servers"', names()));
async function is_found(port) {
	assert.deepEqual(JSON.parse((await get(port, null, '/.well-known/oauth-protected-resource')).text), metadata());
}

async function is_over_in_time(port, token) {
	assert.equal((await get(port, `Bearer ${token}`)).status, 200);
	ahead(400);
	try {
		assert.equal((await get(port, `Bearer ${token}`)).status, 401);
	} finally {
		ahead(0);
	}
}

async function follows_the_keys(port) {
	await grantd.operate(['keys', 'rotate', '--purpose', 'access', '--compromised']);
	const { access_token } = await agent.tokens(alice, { scope: ['notes.read'] });
	await until(async () => (await get(port, `Bearer ${access_token}`)).status === 200);
}

const names = () => [['https://id.example.org', grantd.issuer]];

// What grantd says of itself, signed again with its own key, and the same made bad in one thing or another.
async function forge_of(token) {
	const { der } = (await signing_keys(grantd)).find(({ id }) => id === kid_of(token));
	const privateKey = crypto.createPrivateKey({ key: der, format: 'der', type: 'sec1' });
	return new Forge({ key: { privateKey, publicKey: crypto.createPublicKey(privateKey) }, kid: kid_of(token), body: () => claims(token) });
}

test('Node: a server that checks locally', async () => {
	const port = await free_ports();
	await start(process.execPath, 'notes.mjs', page.take('js', '// notes.mjs', [...names(), ['listen(8000', `listen(${port}`]]));
	await answers(port);
	const { good, access_token } = await guards_well(port);
	assert.equal(good.text, `The notes of ${claims(access_token).sub}\n`);
	await wants_scope(port);
	await is_found(port);
	await is_over_in_time(port, access_token);
	await follows_the_keys(port);
});

test('Python: a check of the token itself', async () => {
	fs.writeFileSync(path.join(grantd.home, 'local.py'), page.take('python', '# local.py', names()));
	const program = 'import json, local, jwt, sys\nfor token in sys.stdin.read().split():\n\ttry: print(json.dumps(local.claims_of(token)))\n\texcept (jwt.PyJWTError, local.CannotAsk) as error: print(type(error).__name__)\n';
	const said_of = async (tokens) => (await run_well(python, ['-c', program], { input: tokens.join('\n'), env: { ...server_env(), PYTHONPATH: grantd.home, PYTHONDONTWRITEBYTECODE: '1' } })).stdout.trim().split('\n');
	const { access_token, refresh_token } = await agent.tokens(alice, { scope: ['notes.read'] });
	const others = (await stranger.tokens(alice)).access_token;
	const [good, ...rest] = await said_of([access_token, others, (await mail.tokens(alice)).access_token, by_another_key(access_token), `${access_token.slice(0, -8)}AAAAAAAA`, refresh_token]);
	assert.deepEqual(JSON.parse(good), claims(access_token));
	assert.deepEqual(rest, ['InvalidAudienceError', 'InvalidTokenError', 'InvalidSignatureError', 'InvalidSignatureError', 'DecodeError']);
	ahead(400);
	try {
		assert.deepEqual(await said_of([access_token]), ['ExpiredSignatureError']);
	} finally {
		ahead(0);
	}
	// nobody answers there: the token is not called bad for that
	fs.writeFileSync(path.join(grantd.home, 'local.py'), page.take('python', '# local.py', [['https://id.example.org', 'https://127.0.0.1:1']]));
	assert.deepEqual(await said_of([access_token, access_token]), ['CannotAsk', 'CannotAsk']);
});

test('nginx: asks a program that asks grantd, so that a revocation counts at once', async () => {
	const [port, check, behind] = [await free_ports(), await free_ports(), await free_ports()];
	await start(python, 'check.py', page.take('python', '# check.py', [...names(), ['8090', String(check)]]), { SECRET_FILE: path.join(grantd.home, 'notes-rs.secret') });
	const seen = [];
	const server = http.createServer((request, response) => {
		seen.push(request.headers);
		response.end(`The notes of ${request.headers['x-user']}\n`);
	});
	await new Promise((resolve) => server.listen(behind, '127.0.0.1', resolve));
	started.push({ stop: () => new Promise((resolve) => { server.closeAllConnections(); server.close(resolve); }) });
	const folder = path.join(grantd.home, 'nginx');
	fs.mkdirSync(folder);
	const guard = page.take('nginx', 'auth_request', [...names(), ['443 ssl', `127.0.0.1:${port}`], ['127.0.0.1:8090', `127.0.0.1:${check}`], ['127.0.0.1:8000', `127.0.0.1:${behind}`],
		['\tssl_certificate /etc/ssl/api.example.org/cert.pem;\n\tssl_certificate_key /etc/ssl/api.example.org/key.pem;\n', '']]);
	const temporary = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'].map((one) => `${one}_temp_path ${folder}/${one};`).join(' ');
	fs.writeFileSync(path.join(folder, 'nginx.conf'), `user ${os.userInfo().username};\npid ${folder}/pid;\nevents {}\nhttp { access_log off; ${temporary}\n${guard}\n}\n`);
	const nginx = new Daemon('nginx', ['-e', 'stderr', '-c', path.join(folder, 'nginx.conf'), '-g', 'daemon off;'], { log_dir: folder, name: 'nginx' });
	started.push({ stop: async () => { nginx.kill('SIGTERM'); await nginx.ended; } });
	await answers(check);
	await answers(port);
	const { good, access_token, refresh_token } = await guards_well(port);
	assert.equal(good.text, 'The notes of alice\n');
	const forge = await forge_of(access_token);
	const refused = await Promise.all(Object.entries(forge.bad).map(async ([what, token]) => [what, (await get(port, `Bearer ${token}`)).status]));
	assert.deepEqual(refused, Object.keys(forge.bad).map((what) => [what, 401]));
	assert.equal(seen.length, 1, 'nobody else came through');
	assert.equal((await get(port, `Bearer ${forge.token()}`)).status, 200, 'it was not the signing');
	assert.equal(seen[0].authorization, undefined, 'the token stays outside');
	await wants_scope(port);
	await is_found(port);
	assert.equal((await get(port, `Bearer ${access_token}`, '/check')).status, 404);
	await agent.revoke(refresh_token);
	assert.equal((await get(port, `Bearer ${access_token}`)).status, 401);
	await grantd.stop();
	assert.equal((await get(port, `Bearer ${access_token}`)).status, 500, 'nothing passes while nobody can be asked');
	await grantd.start();
});

test('Apache: mod_oauth2 checks locally and follows the keys', async () => {
	const port = await free_ports();
	const guard = page.take('apache', 'OAuth2TokenVerify', names());
	const apache = start_apache({ port, guard, ca_file: path.join(grantd.dir, 'ca.pem'), env: server_env(), documents: { notes: 'The notes\n', '.well-known/oauth-protected-resource': JSON.stringify(metadata()) } });
	started.push(apache);
	await answers(port);
	const { access_token } = await guards_well(port, { elsewhere: 403 });
	await wants_scope(port);
	await is_found(port);
	await is_over_in_time(port, access_token);
	await follows_the_keys(port);
});

describe('Dovecot with keys of its own', () => {
	let dovecot;

	// Set up as the page says. late: how many seconds its clock is ahead, all its life: it does not stand a clock that jumps
	async function start_dovecot(late = 0) {
		let fetch_keys;
		const here = await Dovecot.start({
			port: await free_ports(), ca_file: path.join(grantd.dir, 'ca.pem'), settings: '\nauth_verbose = yes\n', env: late ? ahead_for_good(late) : {},
			oauth2: async (home) => {
				const keys = path.join(home, 'keys/');
				const file = path.join(home, 'dovecot_keys.py');
				fs.writeFileSync(file, page.take('python', '# dovecot_keys.py', [...names(), ['/etc/dovecot/grantd/', keys]]));
				fetch_keys = () => run_well(python, [file], { env: server_env() });
				await fetch_keys();
				return page.take('dovecot', 'introspection_mode', [...names(), ['/etc/dovecot/grantd/', keys]]);
			},
		});
		started.push(here);
		return Object.assign(here, { fetch_keys });
	}
	before(async () => { dovecot = await start_dovecot(); });

	async function login(user, token, server = dovecot) {
		const imap = await Imap.connect(server.port);
		const { ok, line } = await imap.login(user, token);
		const read = ok && (await imap.command('SELECT INBOX')).ok && (await imap.command('FETCH 1:* (BODY.PEEK[])')).literals.length;
		imap.close();
		return { ok, line, read };
	}
	const token_of = async () => (await mail.tokens(alice)).access_token;

	test('a token reads the mailbox of its person, and no other', async () => {
		const token = await token_of();
		assert.equal(claims(token).username, 'alice');
		const { ok, read, line } = await login('alice', token);
		assert.ok(ok, line + dovecot.log);
		assert.equal(read, 3);
		assert.equal((await login('bob', token)).ok, false);
	});

	// A token of the same kind for another mail server, whose keys lie beside those of this one.
	async function token_for_another() {
		const resource = { ...mail_resource, name: 'archive', uri: `${grantd.issuer}/r/archive` };
		await grantd.add_resource(resource);
		const archivist = await grantd.add_agent({ id: 'archivist', resource: 'archive', scope: 'mail.read' });
		archivist.resource = resource.uri;
		const { keys } = await (await grantd.fetch(`${grantd.issuer}/jwks/archive.json`)).json();
		for (const key of keys)
			fs.writeFileSync(path.join(dovecot.home, 'keys/default/ES256', key.kid), crypto.createPublicKey({ key, format: 'jwk' }).export({ type: 'spki', format: 'pem' }));
		return (await archivist.tokens(alice)).access_token;
	}

	test('another audience, another key, a token without the scope and one that is over are refused', async () => {
		const token = await token_of();
		const others = await token_for_another();
		const sender = await grantd.add_agent({ id: 'sender', scope: 'mail.send' });
		const unread = (await sender.tokens(alice, { scope: ['mail.send'] })).access_token;
		const of_notes = (await agent.tokens(alice, { scope: ['notes.read'] })).access_token;
		const refused = await Promise.all([others, unread, of_notes, by_another_key(token), `${token.slice(0, -8)}AAAAAAAA`].map((one) => login('alice', one)));
		assert.deepEqual(refused.map((one) => one.ok), [false, false, false, false, false]);
		for (const words of ['client_id not found in aud field', "scope 'mail.read' missing", "Cannot find 'typ' field", 'Bad signature']) assert.ok(dovecot.log.includes(words), `${words}\n${dovecot.log}`);
		const [in_time, late] = await Promise.all([start_dovecot(200), start_dovecot(400)]);
		const [early, over] = await Promise.all([login('alice', token, in_time), login('alice', token, late)]);
		assert.deepEqual([early.ok, over.ok], [true, false]);
		assert.match(late.log, /Token has expired/);
	});

	test('a new key is taken once its file is there, and one that was exposed is forgotten after a reload', async () => {
		const old = await token_of();
		assert.ok((await login('alice', old)).ok);
		await grantd.operate(['keys', 'rotate', '--compromised']);
		const token = await token_of();
		assert.equal((await login('alice', token)).ok, false);
		await dovecot.fetch_keys();
		const { ok, line } = await login('alice', token);
		assert.ok(ok, line);
		await run_well('doveadm', ['-c', dovecot.conf, 'reload']);
		await until(async () => !(await login('alice', old)).ok);
		assert.ok((await login('alice', token)).ok);
	});
});
