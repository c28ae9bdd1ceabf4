// SPDX-License-Identifier: Apache-2.0
// grantctl client doctor: whether today's clients would get in, from outside, and what to change where they would not.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { after, before, describe, test } from 'node:test';
import { until } from './expect.mjs';
import { AgentHost } from './agent_host.mjs';
import { Front } from './front.mjs';
import { programs } from './harness/index.mjs';

const names = ['chatgpt', 'claude', 'claude-code', 'codex', 'cursor', 'gemini-cli', 'inspector', 'mcp-remote', 'vscode'];
const documents = ['chatgpt', 'claude', 'claude-code', 'codex', 'vscode'];
const profile = (name) => JSON.parse(fs.readFileSync(path.join(import.meta.dirname, `../../share/arrivals/${name}.json`), 'utf8'));
let front, grantd;
before(async () => {
	front = await Front.start();
	grantd = front.grantd;
	await grantd.add_resource();
});
after(() => front.dispose());

const doctor = (...words) => grantd.grantctl(['client', 'doctor', ...words, '--json']);
const nothing_is_left = async () => assert.deepEqual((await grantd.operate(['client', 'list'])).filter(({ kind }) => kind === 'registered'), []);
const failed = ({ status, json, stderr }, client) => {
	assert.equal(status, 1, stderr);
	return json.filter((one) => one.client === client && one.result === 'FAIL').map(({ check, text }) => `${check}: ${text}`);
};
const said = ({ json }, check) => json.filter((one) => one.check === check).map(({ result, text }) => `${result}: ${text}`);
async function set(settings) {
	const reloads = () => grantd.log().filter(({ event }) => event === 'reload.done').length;
	const had = reloads(), conf = path.join(grantd.dir, 'grantd.conf');
	const kept = fs.readFileSync(conf, 'utf8').split('\n').filter((line) => !Object.keys(settings).some((name) => line.startsWith(`${name} =`)));
	fs.writeFileSync(conf, [...kept, ...Object.entries(settings).map((pair) => pair.join(' = ')), ''].join('\n'));
	grantd.daemon.kill('SIGHUP');
	await until(() => reloads() > had);
}

test('a grantd as it is installed lets every one of them in, and nothing that they registered is left', async () => {
	const { status, json, stderr } = await doctor('--all');
	assert.equal(status, 0, stderr + JSON.stringify(json?.filter(({ result }) => result === 'FAIL')));
	assert.deepEqual([...new Set(json.map(({ client }) => client))], names);
	for (const name of names) {
		const of = json.filter(({ client }) => client === name), by_document = documents.includes(name);
		assert.deepEqual(of.map(({ check }) => check), ['server metadata', 'what it needs', by_document ? 'document' : 'registration',
			'authorization request', 'token request', 'refresh', ...(by_document ? [] : ['clean-up'])], name);
		assert.ok(of.every(({ check, result }) => result === (by_document && check === 'token request' ? 'note' : 'ok')), name);
		assert.match(of.find(({ check }) => check === 'refresh').text, /^it gets a refresh token/);
	}
	assert.equal(front.of('/register').length, 4, 'they did register');
	assert.deepEqual(await grantd.operate(['client', 'list']), []);
	assert.equal((await grantd.operate(['event', 'list'])).filter(({ client_id }) => client_id).length, 0);
});

test('each asks for what it would ask for', async () => {
	const asked = (name) => front.of('/authorize').filter(({ url }) => url.searchParams.get('redirect_uri') === profile(name).authorize.redirect_uri).map(({ url }) => url.searchParams.get('scope'));
	for (const name of ['claude', 'claude-code', 'codex', 'cursor', 'inspector', 'mcp-remote', 'vscode']) assert.deepEqual(asked(name), ['mail.read mail.send'], name);
	assert.deepEqual(asked('chatgpt'), ['mail.read mail.send', null], 'and when it connects again');
	assert.deepEqual(asked('gemini-cli'), ['openid profile email mail.read mail.send'], 'all that the server lists');
	const registered = Object.fromEntries(front.of('/register').map(({ body }) => JSON.parse(body)).map(({ client_name, scope }) => [client_name, scope]));
	assert.deepEqual(registered, { Cursor: undefined, 'Gemini CLI MCP Client': 'openid profile email mail.read mail.send', 'MCP Inspector': 'mail.read mail.send', 'MCP CLI Proxy': 'mail.read mail.send' });
});

test('where there is a second resource, who asks for all there is gets in with what is this one\'s', async () => {
	await grantd.add_resource({ name: 'notes', uri: `${grantd.issuer}/r/notes`, introspection: [{ id: 'notes-rs', secret_file: 'notes-rs.secret' }], scopes: [{ name: 'notes.read', title: 'Read your notes', risk: 'read', can: ['read'], cannot: ['write'] }] });
	const { status } = await doctor('gemini-cli');
	assert.equal(status, 0);
	assert.match(front.of('/authorize').at(-1).url.searchParams.get('scope'), / notes\.read$/);
	await nothing_is_left();
	await grantd.operate(['resource', 'remove', 'notes', '--force']);
});

test('what cannot be read is named, and so is an id that there is not', async (t) => {
	const share = fs.mkdtempSync(path.join(grantd.dir, 'share-'));
	t.after(() => fs.rmSync(share, { recursive: true }));
	fs.cpSync(path.join(import.meta.dirname, '../../share/arrivals'), path.join(share, 'arrivals'), { recursive: true });
	fs.writeFileSync(path.join(share, 'arrivals/mine.json'), '{ "name": ');
	const broken = await grantd.grantctl(['client', 'doctor', 'claude'], { env: { GRANTD_SHARE_DIR: share } });
	assert.notEqual(broken.status, 0);
	assert.match(broken.stderr, /profile mine\.json: /);
	const unknown = await grantd.grantctl(['client', 'remove', 'cli_aaaaaaaaaaaaaaaaaaaaaaaaaa']);
	assert.notEqual(unknown.status, 0);
	assert.match(unknown.stderr, /there is none of that name/);
});

test('for people it is client by client, in lines that can be read', async () => {
	const { status, stdout } = await grantd.grantctl(['client', 'doctor', 'cursor']);
	assert.equal(status, 0);
	assert.match(stdout, /^cursor would get in\n {2}ok {4}server metadata {8}https:/);
	assert.doesNotMatch(stdout, /vscode/);
	const list = await grantd.grantctl(['client', 'doctor', '--list', '--json']);
	assert.deepEqual(list.json.map(({ name }) => name), names);
	assert.deepEqual(list.json.at(-1), { name: 'vscode', who: 'Visual Studio Code', arrives: ['document', 'registration'] });
	const refused = await front.instead('/authorize', ({ response }) => response.end('hello'), () => grantd.grantctl(['client', 'doctor', 'cursor']));
	assert.equal(refused.status, 1);
	assert.match(refused.stdout, /^cursor would NOT get in\n/);
	for (const line of refused.stdout.split('\n')) assert.ok(line.length <= 100 || !line.trim().includes(' '), line);
});

test('a name that no profile has, none, and one too many', async () => {
	for (const [words, told] of [[['netscape'], /no profile is called "netscape"; there are chatgpt, claude, /], [[], /say which client, or --all: chatgpt, /], [['cursor', '--all'], /a name or --all, not both/],
		[['cursor', '--ca', '/nowhere/ca.pem'], /--ca: there is no file \/nowhere\/ca\.pem/]]) {
		const { status, stderr, stdout } = await grantd.grantctl(['client', 'doctor', ...words]);
		assert.deepEqual([status, stdout], [2, '']);
		assert.match(stderr, told);
	}
});

test('a certificate that is not trusted is said, and how to say otherwise', async () => {
	const other = path.join(grantd.home, 'other');
	const host = await AgentHost.start(null, other);
	await host.stop();
	assert.match(failed(await doctor('inspector', '--ca', path.join(other, 'ca.pem')), 'inspector')[0], /^server metadata: .*certificate.*--ca FILE/i);
});

describe('the sign-in page is told from', () => {
	const ways = [
		['a page of something else', ({ response }) => response.end('<h1>Welcome to nginx</h1>'), /^its person ends at a page that asks nobody to sign in: Welcome to nginx$/],
		['no page at all', ({ response }) => response.end('hello'), /page that is none of grantd's \(status 200\): does something in front/],
		['an error that goes back to the client', ({ response }) => response.writeHead(303, { location: 'http://localhost:8787/callback?error=invalid_scope&error_description=scope+number+2+is+not+for+this+agent' }).end(),
			/^it is sent back at once with error=invalid_scope: scope number 2 is not for this agent \(it sent scope=mail\.read mail\.send\)/],
		['one that is long', ({ response }) => response.writeHead(303, { location: `http://localhost:8787/callback?error=server_error&state=${'s'.repeat(9000)}` }).end(), /^it is sent back at once with error=server_error$/],
		['one that is too long', ({ response }) => response.writeHead(303, { location: `/login?next=${'n'.repeat(33_000)}` }).end(), /the header of the answer has more than 32768 bytes/],
		['a code that nobody allowed', ({ response }) => response.writeHead(303, { location: 'http://localhost:8787/callback?code=1' }).end(), /^it is sent back at once, and nobody was asked anything$/],
		['another site', ({ response }) => response.writeHead(302, { location: 'https://sso.example/start' }).end(), /^its person is sent away, to https:\/\/sso\.example\/start, before grantd has asked/],
		['itself', ({ response }) => response.writeHead(302, { location: '/authorize' }).end(), /^it is sent on and on/],
	];
	for (const [name, answer, words] of ways) {
		test(name, async () => {
			const found = await front.instead('/authorize', answer, () => doctor('cursor'));
			assert.match(said(found, 'authorization request')[0].replace(/^FAIL: /, ''), words);
			assert.equal(found.status, 1);
			await nothing_is_left();
		});
	}
});

describe('whether it stays signed in', () => {
	test('is not so where it gets no refresh token, or may not use it', async () => {
		const without = async ({ response, grantd_says }) => {
			const { status, text } = await grantd_says();
			response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify({ ...JSON.parse(text), grant_types: ['authorization_code'] }));
		};
		assert.match(failed(await front.instead('/register', without, () => doctor('cursor')), 'cursor')[0], /^refresh: it gets no refresh token: its grant_types here are authorization_code, /);
		const refusing = async ({ response, body, grantd_says }) => {
			const { status, headers, text } = await grantd_says();
			if (!`${body}`.includes('grant_type=refresh_token')) return response.writeHead(status, headers).end(text);
			response.writeHead(400, { 'content-type': 'application/json' }).end('{"error":"unauthorized_client","error_description":"not for you"}');
		};
		assert.match(failed(await front.instead('/token', refusing, () => doctor('cursor')), 'cursor')[0], /^refresh: a made-up refresh token is answered 400 unauthorized_client: not for you$/);
		await nothing_is_left();
	});
	test('is judged as it asks, with its resource and its scope', async () => {
		const refreshes = (name) => {
			const { client_id } = front.of('/authorize').findLast(({ url }) => url.searchParams.get('redirect_uri') === profile(name).authorize.redirect_uri).url.searchParams.entries().reduce((all, [key, value]) => ({ ...all, [key]: value }), {});
			const call = front.of('/token').map(({ body }) => new URLSearchParams(body)).find((form) => form.get('client_id') === client_id && form.get('grant_type') === 'refresh_token');
			return [call.get('resource'), call.get('scope')];
		};
		assert.equal((await doctor('mcp-remote')).status, 0);
		assert.deepEqual(refreshes('mcp-remote'), [grantd.mail_uri, 'mail.read mail.send']);
		assert.deepEqual(refreshes('cursor'), [grantd.mail_uri, null]);
	});
});

test('^C takes back what it registered before it ends', async () => {
	let hangs;
	const reached = new Promise((resolve) => { hangs = resolve; });
	await front.instead('/token', hangs, async () => {
		const child = spawn(programs.grantctl, ['--dir', grantd.dir, 'client', 'doctor', 'cursor'], { env: grantd.env, stdio: 'ignore' });
		const ended = new Promise((resolve) => child.on('close', (status, signal) => resolve(signal)));
		await reached;
		child.kill('SIGINT');
		assert.equal(await ended, 'SIGINT');
	});
	await nothing_is_left();
});

test('what is left of one all the same the operator removes, and nothing else', async () => {
	const response = await grantd.fetch(`${grantd.issuer}/register`, { method: 'POST', body: JSON.stringify(profile('inspector').registration), raw_headers: new Map([['content-type', 'application/json']]) });
	const { client_id } = await response.json();
	await grantd.add_agent();
	const kinds = (await grantd.operate(['client', 'list'])).map((client) => [client.client_id, client.kind]);
	assert.deepEqual(kinds.sort(), [[client_id, 'registered'], ['mail-agent', 'operator']]);
	assert.deepEqual(await grantd.operate(['client', 'remove', client_id]), { removed: client_id });
	await nothing_is_left();
	assert.equal(grantd.log().filter(({ event, client }) => event === 'client.removed' && client === client_id).length, 1);
	for (const [id, words] of [[client_id, /there is none of that name/], ['mail-agent', /only what registered itself is removed; disable this one instead/]]) {
		const { status, stderr } = await grantd.grantctl(['client', 'remove', id]);
		assert.equal(status, 1);
		assert.match(stderr, words);
	}
});

describe('what the operator closed is named', () => {
	test('registration', async () => {
		await set({ registration: 'off' });
		assert.match(failed(await doctor('cursor'), 'cursor')[0], /^registration: registration = off: .*Set registration = open, or register it .*grantctl client create --public .*--redirect-uri http:\/\/localhost:8787\//);
		// who describes itself does not care
		assert.equal((await doctor('claude')).status, 0);
		await set({ registration: 'token', client_metadata: 'no' });
		assert.match(failed(await doctor('vscode'), 'vscode')[0], /^registration: registration = token: .*grantctl client create --public /, 'without documents it registers');
		await set({ registration: 'open', client_metadata: 'yes' });
	});
	test('the scheme of a desktop program, where it does not wait any more', async () => {
		await set({ redirect_schemes: 'vscode' });
		const { status, json } = await doctor('cursor');
		assert.equal(status, 0);
		assert.ok(json.some(({ result, text }) => result === 'note' && /^cursor:.* was left out of its redirect URIs.*redirect_schemes/.test(text)));
		await nothing_is_left();
		await set({ redirect_schemes: 'cursor' });
		assert.ok(!(await doctor('cursor')).json.some(({ result }) => result === 'note'));
	});
	test('requests that have to be pushed', async () => {
		await set({ require_pushed_requests: 'yes' });
		assert.match(failed(await doctor('cursor'), 'cursor')[0], /^authorization request: .*has to send its requests to \/par first\. It cannot: set require_pushed_requests = no$/);
		await set({ require_pushed_requests: 'no' });
	});
	test('documents, and those of one domain, until one is pinned', async () => {
		await set({ client_metadata: 'no' });
		assert.match(failed(await doctor('codex'), 'codex')[0], /^document: client_metadata = no: /);
		assert.equal((await doctor('chatgpt')).status, 0, 'it registers instead');
		await set({ client_metadata: 'yes', client_metadata_deny: 'claude.ai' });
		const all = await doctor('--all');
		assert.match(failed(all, 'claude')[0], /^authorization request: client_metadata_allow or client_metadata_deny leaves its domain out .*grantctl client pin https:\/\/claude\.ai\//);
		assert.deepEqual([...new Set(all.json.filter(({ result }) => result === 'FAIL').map(({ client }) => client))], ['claude', 'claude-code']);
		assert.match(all.stderr, /2 of 9 would not get in/);
		const copy = path.join(grantd.home, 'claude.json'), { document } = profile('claude');
		fs.writeFileSync(copy, JSON.stringify(document));
		await grantd.operate(['client', 'pin', document.client_id, '--file', copy]);
		const { status, json } = await doctor('claude');
		assert.equal(status, 0, JSON.stringify(json));
		assert.ok(json.every(({ result }) => result === 'ok'), 'it is known, so its code and its refresh token are judged');
		await grantd.operate(['client', 'disable', document.client_id]);
		assert.match(failed(await doctor('claude'), 'claude')[0], /^document: it is disabled here: grantctl client enable https:\/\/claude\.ai\//);
	});
});

describe('a protected resource', () => {
	let host, metadata;
	before(async () => {
		host = await AgentHost.start(null, path.join(grantd.home, 'resource'), ['agent.localhost', 'other.localhost', 'x,IP:::ffff:127.0.0.1']);
		metadata = { resource: grantd.mail_uri, authorization_servers: [grantd.issuer], scopes_supported: ['mail.read'] };
		// one file of authorities for both
		fs.writeFileSync(path.join(grantd.home, 'both.pem'), Buffer.concat([grantd.ca, fs.readFileSync(host.ca_file)]));
		await grantd.add_resource({ uri: host.url('/mcp') });
	});
	after(() => host.stop());
	const visit = (url = host.url('/mcp'), name = 'inspector') => doctor(name, '--resource', url, '--ca', path.join(grantd.home, 'both.pem'));
	const publish = (changes, at = '/.well-known/oauth-protected-resource/mcp', challenge = 'Bearer') => {
		host.documents.clear();
		host.documents.set('/mcp', { status: 401, body: '', headers: { 'www-authenticate': challenge } });
		host.documents.set(at, { body: JSON.stringify({ ...metadata, resource: host.url('/mcp'), ...changes }) });
	};
	const last_scope = () => front.of('/authorize').at(-1).url.searchParams.get('scope');

	test('leads to its issuer by its challenge, by its path or at the root', async () => {
		for (const at of ['/.well-known/oauth-protected-resource/mcp', '/.well-known/oauth-protected-resource', '/elsewhere.json']) {
			publish({}, at);
			if (at === '/elsewhere.json') host.documents.get('/mcp').headers['www-authenticate'] = ['Basic realm="x"', `Bearer error="invalid_token", error_description="${'e'.repeat(3000)}", resource_metadata="${host.url(at)}"`];
			const { status, json } = await visit();
			assert.equal(status, 0, JSON.stringify(json));
			assert.ok(json[0].check === 'resource metadata' && json[0].result === 'ok' && json[0].text.startsWith(host.url(at)), json[0].text);
			assert.equal(last_scope(), 'mail.read');
		}
	});
	test('is asked for the scope of its challenge before its own list, and without either for what the server lists', async () => {
		publish({}, undefined, 'Bearer error_scope="x", scope="mail.send"');
		assert.equal((await visit()).status, 0);
		assert.equal(last_scope(), 'mail.send');
		publish({ scopes_supported: undefined });
		assert.equal((await visit()).status, 0);
		assert.equal(last_scope(), null);
		assert.equal((await visit(undefined, 'vscode')).status, 0);
		assert.equal(last_scope(), 'openid profile email mail.read mail.send');
	});
	test('that names another issuer or resource, is not there, or asks for what there is not, is what fails', async () => {
		for (const [changes, words] of [[{ authorization_servers: ['https://elsewhere.example'] }, /^resource metadata: authorization_servers .* sends clients to https:\/\/elsewhere\.example, not to https:\/\/grantd.* has to name this issuer/],
			[{ authorization_servers: undefined }, /^resource metadata: .* has no authorization_servers: they must name https:\/\/grantd/],
			[{ resource: 'https://elsewhere.example/mcp' }, /^resource metadata: resource at .* is "https:\/\/elsewhere/], [{ scopes_supported: ['mail.fly'] }, /^authorization request: .*scope number 1 is none of this resource's \(it sent scope=mail\.fly\)/]]) {
			publish(changes);
			assert.match(failed(await visit(), 'inspector')[0], words);
		}
		publish({}, '/nowhere');
		assert.match(failed(await visit(), 'inspector')[0], /^resource metadata: there are none/);
		await nothing_is_left();
	});
	test('that is open to everybody is noted', async () => {
		publish({});
		host.documents.set('/mcp', { body: '{}' });
		const found = await visit();
		assert.equal(found.status, 0);
		assert.match(said(found, 'resource metadata')[0], /^note: .* answers 200 to who has no token: is it protected\?/);
	});
	test('that is no address, or where nothing answers, is said so', async () => {
		assert.match(failed(await visit('mcp'), 'inspector')[0], /^resource metadata: --resource is the https:\/\/ address of a resource, and "mcp" is none$/);
		assert.match(failed(await visit('http://192.0.2.1/mcp'), 'inspector')[0], /^resource metadata: "http:\/\/192\.0\.2\.1\/mcp" is not https\. Clients want https/);
		assert.match(failed(await visit('https://nowhere.invalid/mcp'), 'inspector')[0], /^resource metadata: .* the name nowhere\.invalid is not known\. Is it spelled right/);
		assert.match(failed(await visit('https://127.0.0.1:1/mcp'), 'inspector')[0], /^resource metadata: .* nothing answers at https:\/\/127\.0\.0\.1:1/);
	});
	test('leads nobody further inside than it is itself', async () => {
		// this computer, in a spelling that counts as an address of somebody's network
		const outside = `https://[::ffff:127.0.0.1]:${host.port}/mcp`, secret = host.url('/secret.json', 'other.localhost');
		host.documents.clear();
		host.documents.set('/secret.json', { body: JSON.stringify({ ...metadata, resource: outside }) });
		const leads = (url) => host.documents.set('/mcp', { status: 401, body: '', headers: { 'www-authenticate': `Bearer resource_metadata="${url}"` } });
		leads(secret);
		host.calls.length = 0;
		assert.match(failed(await visit(outside), 'inspector')[0],
			/^resource metadata: https:\/\/\[::ffff:127\.0\.0\.1\]:\d+ names https:\/\/other\.localhost:\d+\/secret\.json, which was not called: the name other\.localhost leads to (127\.0\.0\.1|::1), which is not on the public internet\. No server may lead/);
		leads(`http://127.0.0.1:${host.port}/secret.json`);
		assert.match(failed(await visit(outside), 'inspector')[0], /^resource metadata: .* was not called: "http:.* is not https/);
		assert.deepEqual(host.calls.map(({ url }) => url), ['/mcp', '/mcp'], 'nothing else was called');
		// what is here may lead here
		leads(secret);
		host.documents.set('/secret.json', { body: JSON.stringify({ ...metadata, resource: host.url('/mcp') }) });
		assert.equal((await visit()).status, 0);
	});
});
