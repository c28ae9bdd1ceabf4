// SPDX-License-Identifier: Apache-2.0
// grantctl client doctor: whether today's clients would get in, from outside, and what to change where they would not.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import { after, before, describe, test } from 'node:test';
import { until } from './expect.mjs';
import { AgentHost } from './agent_host.mjs';
import { Instance } from './harness/index.mjs';

const names = ['chatgpt', 'claude', 'claude-code', 'codex', 'cursor', 'gemini-cli', 'inspector', 'mcp-remote', 'vscode'];
let grantd;
before(async () => {
	grantd = await Instance.start(null);
	await grantd.add_resource();
});
after(() => grantd.dispose());

const doctor = (...words) => grantd.grantctl(['client', 'doctor', ...words, '--json']);
// a client that deleted its registration keeps its place for an hour, disabled
const registered = async () => (await grantd.operate(['client', 'list'])).filter(({ client_id, status }) => client_id.startsWith('cli_') && status === 'active');
const failed = ({ status, json, stderr }, client) => {
	assert.equal(status, 1, stderr);
	return json.filter((one) => one.client === client && one.result === 'FAIL').map(({ check, text }) => `${check}: ${text}`);
};
async function set(settings) {
	const reloads = () => grantd.log().filter(({ event }) => event === 'reload.done').length;
	const had = reloads(), conf = path.join(grantd.dir, 'grantd.conf');
	const kept = fs.readFileSync(conf, 'utf8').split('\n').filter((line) => !Object.keys(settings).some((name) => line.startsWith(`${name} =`)));
	fs.writeFileSync(conf, [...kept, ...Object.entries(settings).map((pair) => pair.join(' = ')), ''].join('\n'));
	grantd.daemon.kill('SIGHUP');
	await until(() => reloads() > had);
}

test('a grantd as it is installed lets every one of them in, and what they registered is gone again', async () => {
	const { status, json, stderr } = await doctor('--all');
	assert.equal(status, 0, stderr + JSON.stringify(json?.filter(({ result }) => result === 'FAIL')));
	assert.deepEqual([...new Set(json.map(({ client }) => client))], names);
	for (const name of names) {
		const of = json.filter(({ client }) => client === name);
		assert.deepEqual(of.filter(({ result }) => result === 'ok').map(({ check }) => check).slice(0, 4),
			['server metadata', 'what it needs', of.some(({ check }) => check === 'document') ? 'document' : 'registration', 'authorization request'], name);
		assert.ok(of.every(({ result }) => ['ok', 'note'].includes(result)));
		assert.equal(of.some(({ check, result }) => check === 'clean-up' && result === 'ok'), of.some(({ check }) => check === 'registration'), name);
	}
	assert.ok(json.some(({ check, result }) => check === 'token request' && result === 'ok'));
	assert.deepEqual(await registered(), []);
	assert.equal((await grantd.operate(['client', 'list'])).length, 6, 'they did register');
});

test('for people it is a table, and one client a part of it', async () => {
	const { status, stdout } = await grantd.grantctl(['client', 'doctor', 'cursor']);
	assert.equal(status, 0);
	assert.match(stdout, /^CLIENT +RESULT +CHECK +WHAT\ncursor +ok +server metadata +https:/);
	assert.doesNotMatch(stdout, /vscode/);
	const list = await grantd.grantctl(['client', 'doctor', '--list', '--json']);
	assert.deepEqual(list.json.map(({ name }) => name), names);
});

test('a name that no profile has, and none at all', async () => {
	for (const [words, said] of [[['netscape'], /no profile is called "netscape"; there are chatgpt, claude, /], [[], /say which client, or --all: chatgpt, /]]) {
		const { status, stderr, stdout } = await grantd.grantctl(['client', 'doctor', ...words]);
		assert.deepEqual([status, stdout], [2, '']);
		assert.match(stderr, said);
	}
});

test('a certificate that is not trusted is said, and how to say otherwise', async () => {
	const other = path.join(grantd.home, 'other');
	const host = await AgentHost.start(null, other);
	await host.stop();
	assert.match(failed(await doctor('inspector', '--ca', path.join(other, 'ca.pem')), 'inspector')[0], /^server metadata: .*certificate.*--ca FILE/i);
});

describe('what the operator closed is named', () => {
	test('registration', async () => {
		await set({ registration: 'off' });
		assert.match(failed(await doctor('cursor'), 'cursor')[0], /^registration: registration = off: .*Set registration = open, or register it .*grantctl client create --public .*--redirect-uri cursor:/);
		// who describes itself does not care
		assert.equal((await doctor('claude')).status, 0);
		await set({ registration: 'token' });
		assert.match(failed(await doctor('vscode'), 'vscode')[0], /^registration: registration = token: .*grantctl client create --public /);
		await set({ registration: 'open' });
	});
	test('the scheme of a desktop program', async () => {
		await set({ redirect_schemes: 'vscode' });
		assert.match(failed(await doctor('cursor'), 'cursor')[0], /^registration: .*redirect_schemes/);
		assert.deepEqual(await registered(), []);
		await set({ redirect_schemes: 'cursor' });
		assert.equal((await doctor('cursor')).status, 0);
	});
	test('documents, and those of one domain, until one is pinned', async () => {
		await set({ client_metadata: 'no' });
		assert.match(failed(await doctor('codex'), 'codex')[0], /^document: client_metadata = no: /);
		await set({ client_metadata: 'yes', client_metadata_deny: 'claude.ai' });
		const all = await doctor('--all');
		assert.match(failed(all, 'claude')[0], /^authorization request: client_metadata_allow or client_metadata_deny leaves its domain out .*grantctl client pin https:\/\/claude\.ai\//);
		assert.deepEqual([...new Set(all.json.filter(({ result }) => result === 'FAIL').map(({ client }) => client))], ['claude', 'claude-code']);
		assert.match(all.stderr, /2 of 9 would not get in/);
		const profile = JSON.parse(fs.readFileSync(path.join(import.meta.dirname, '../../share/arrivals/claude.json'), 'utf8'));
		const copy = path.join(grantd.home, 'claude.json');
		fs.writeFileSync(copy, JSON.stringify(profile.document));
		await grantd.operate(['client', 'pin', profile.document.client_id, '--file', copy]);
		const { status, json } = await doctor('claude');
		assert.equal(status, 0, JSON.stringify(json));
		assert.equal(json.at(-1).result, 'ok', 'it is known, so its code is judged');
	});
});

describe('a protected resource', () => {
	let host, metadata;
	before(async () => {
		host = await AgentHost.start(null, path.join(grantd.home, 'resource'));
		metadata = { resource: grantd.mail_uri, authorization_servers: [grantd.issuer], scopes_supported: ['mail.read'] };
		// one file of authorities for both
		fs.writeFileSync(path.join(grantd.home, 'both.pem'), Buffer.concat([grantd.ca, fs.readFileSync(host.ca_file)]));
		await grantd.add_resource({ uri: host.url('/mcp') });
	});
	after(() => host.stop());
	const visit = () => doctor('inspector', '--resource', host.url('/mcp'), '--ca', path.join(grantd.home, 'both.pem'));
	const publish = (changes, at = '/.well-known/oauth-protected-resource/mcp') => {
		host.documents.clear();
		host.documents.set('/mcp', { status: 401, body: '', headers: { 'www-authenticate': 'Bearer' } });
		host.documents.set(at, { body: JSON.stringify({ ...metadata, resource: host.url('/mcp'), ...changes }) });
	};

	test('leads to its issuer by its challenge, by its path or at the root', async () => {
		for (const at of ['/.well-known/oauth-protected-resource/mcp', '/.well-known/oauth-protected-resource', '/elsewhere.json']) {
			publish({}, at);
			if (at === '/elsewhere.json') host.documents.get('/mcp').headers['www-authenticate'] = `Bearer error="invalid_token", resource_metadata="${host.url(at)}"`;
			const { status, json } = await visit();
			assert.equal(status, 0, JSON.stringify(json));
			assert.ok(json[0].check === 'resource metadata' && json[0].result === 'ok' && json[0].text.startsWith(host.url(at)), json[0].text);
		}
	});
	test('that names another issuer or resource, is not there, or asks for what there is not, is what fails', async () => {
		for (const [changes, words] of [[{ authorization_servers: ['https://elsewhere.example'] }, /^resource metadata: authorization_servers .* does not name/],
			[{ resource: 'https://elsewhere.example/mcp' }, /^resource metadata: resource at .* is "https:\/\/elsewhere/], [{ scopes_supported: ['mail.fly'] }, /^authorization request: .*(scope|page)/]]) {
			publish(changes);
			assert.match(failed(await visit(), 'inspector')[0], words);
		}
		publish({}, '/nowhere');
		assert.match(failed(await visit(), 'inspector')[0], /^resource metadata: there are none/);
		assert.deepEqual(await registered(), []);
	});
});
