// SPDX-License-Identifier: Apache-2.0
// The harness itself: a wrong helper would make wrong cases pass. A small HTTPS server stands for grantd.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import https from 'node:https';
import os from 'node:os';
import path from 'node:path';
import { after, before, describe, test } from 'node:test';
import { defaults, forms, text_of } from './html.mjs';
import { Agent, Daemon, Https, Person, RawSocket, basic, free_ports, pkce, run, run_well } from './index.mjs';
import { compare, parse_tap } from '../../../tools/results.mjs';

const form_page = `<!doctype html><title>x</title><script>document.write('<form>')</script><!-- <form> -->
<form method="post" action="/consent?x=1&amp;y=2"><input type=hidden name=csrf value="a&quot;b&#x27;c">
<input type="checkbox" name="scope" value="mail.read" checked><input type='checkbox' name='scope' value='mail.send'>
<input type="checkbox" name="off" checked disabled><select name="duration"><option value="1h">One hour<option value="7d" selected>Seven days</select>
<button name="decision" value="deny">Deny</button><button name="decision" value="allow">Allow</button></form>`;

describe('html', () => {
	test('a form has its fields, unescaped, and sends what a browser would', () => {
		const [form, ...others] = forms(form_page);
		assert.equal(others.length, 0);
		assert.equal(form.action, '/consent?x=1&y=2');
		assert.equal(form.method, 'post');
		assert.deepEqual(defaults(form), [['csrf', 'a"b\'c'], ['scope', 'mail.read'], ['duration', '7d']]);
		assert.deepEqual(form.fields.filter((field) => field.name === 'decision').map((field) => field.value), ['deny', 'allow']);
	});

	test('the text of a page is without marks and scripts', () => {
		assert.equal(text_of('<h1>A &amp; B</h1><script>no()</script><p>c &lt;d&gt;'), 'A & B c <d>');
	});
});

describe('agent', () => {
	test('PKCE is the example of RFC 7636 appendix B', () => {
		assert.equal(pkce('dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk').challenge, 'E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM');
	});

	test('Basic credentials are form-encoded before Base64', () => {
		assert.equal(Buffer.from(basic('a:b', 'c d%').slice(6), 'base64').toString(), 'a%3Ab:c+d%25');
	});

	test('an authorization address leaves out what is null and repeats a list', () => {
		const agent = new Agent({ issuer: 'https://grantd.localhost:1' }, { client_id: 'a', resource: 'r', scope: 's' });
		const url = new URL(agent.authorization({ state: null, resource: ['x', 'y'] }).url);
		assert.equal(url.searchParams.has('state'), false);
		assert.deepEqual(url.searchParams.getAll('resource'), ['x', 'y']);
		assert.match(url.searchParams.get('code_challenge'), /^[\w-]{43}$/);
	});
});

describe('against a server', () => {
	let server, port, home, client, issuer;
	const seen = [];

	// A sign-in page, a consent page and the redirect back, as far as the person's part goes.
	function answer(request, response, body) {
		const url = new URL(request.url, 'https://x');
		const cookies = request.headers.cookie ?? '';
		seen.push({ method: request.method, path: url.pathname, headers: request.headers, body });
		const redirect = (where, cookie) => response.writeHead(303, { location: where, ...(cookie && { 'set-cookie': cookie }) }).end();
		if (url.pathname === '/authorize') return redirect(`/login?for=${url.searchParams.get('state')}`, ['__Host-pre=1; Secure; Path=/', 'gone=1']);
		if (url.pathname === '/login' && request.method === 'GET')
			return response.end('<form method=post><input type=hidden name=csrf value=c1><input name=username><input type=password name=password></form>');
		if (url.pathname === '/login')
			return body.includes('password=right') ? redirect('/consent', ['__Host-session=2; Secure', 'gone=; Max-Age=0']) : response.writeHead(403).end('<form method=post><input name=username><input type=password name=password></form>');
		if (url.pathname === '/consent' && request.method === 'GET')
			return cookies.includes('__Host-session=2') ? response.end(form_page) : response.writeHead(403).end('no');
		if (url.pathname === '/consent') return redirect('http://127.0.0.1/callback?code=c&state=s&iss=i');
		if (url.pathname === '/loop') return redirect('/loop');
		return response.writeHead(404).end('nothing here');
	}

	before(async () => {
		home = fs.mkdtempSync(path.join(os.tmpdir(), 'grantd-harness-'));
		port = await free_ports();
		issuer = `https://grantd.localhost:${port}`;
		await run_well('openssl', ['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-days', '2',
			'-subj', '/CN=grantd.localhost', '-addext', 'subjectAltName=DNS:grantd.localhost', '-keyout', `${home}/key.pem`, '-out', `${home}/cert.pem`]);
		server = https.createServer({ key: fs.readFileSync(`${home}/key.pem`), cert: fs.readFileSync(`${home}/cert.pem`) }, (request, response) => {
			const parts = [];
			request.on('data', (part) => parts.push(part));
			request.on('end', () => answer(request, response, Buffer.concat(parts).toString()));
		});
		await new Promise((resolve) => server.listen(port, '127.0.0.1', resolve));
		client = new Https(fs.readFileSync(`${home}/cert.pem`));
	});

	after(async () => {
		client.close();
		server.closeAllConnections();
		await new Promise((resolve) => server.close(resolve));
		fs.rmSync(home, { recursive: true });
	});

	test('a person signs in, allows what was ticked, and the agent receives the code', async () => {
		seen.length = 0;
		const person = new Person({ issuer, fetch: client.fetch }, { username: 'alice', password: 'right' });
		const answered = await person.allow(`${issuer}/authorize?state=s`, { scope: ['mail.read', 'mail.send'], duration: '1h' });
		assert.deepEqual([answered.code, answered.state, answered.iss], ['c', 's', 'i']);
		assert.equal(answered.url.origin, 'http://127.0.0.1');
		const sent = seen.at(-1);
		assert.equal(sent.headers.origin, issuer);
		assert.equal(sent.headers['sec-fetch-site'], 'same-origin');
		assert.equal(sent.headers.cookie, '__Host-pre=1; __Host-session=2');
		assert.equal(sent.body, 'csrf=a%22b%27c&decision=allow&scope=mail.read&scope=mail.send&duration=1h');
	});

	test('a refused sign-in is an error, not a page to go on with', async () => {
		const person = new Person({ issuer, fetch: client.fetch }, { username: 'alice', password: 'wrong' });
		await assert.rejects(person.open(`${issuer}/authorize?state=s`), /sign-in was refused: 403/);
	});

	test('a redirect in circles ends', async () => {
		const person = new Person({ issuer, fetch: client.fetch }, { username: 'alice', password: 'right' });
		await assert.rejects(person.get(`${issuer}/loop`), /twelfth redirect/);
	});

	test('fetch follows nothing, keeps each Set-Cookie, and knows no other authority', async () => {
		const response = await client.fetch(`${issuer}/authorize?state=s`);
		assert.equal(response.status, 303);
		assert.equal(response.headers.getSetCookie().length, 2);
		await assert.rejects(new Https(undefined).fetch(issuer), /self-signed|certificate/);
	});

	test('a raw socket sends exactly its bytes and sees the close', async () => {
		const socket = await RawSocket.connect({ port, host: 'grantd.localhost', ca: client.ca });
		socket.send('GET /nothing HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n');
		assert.equal(await socket.closes(), true);
		assert.deepEqual(socket.statuses, [404]);
		assert.match(socket.text, /nothing here/);
		const quiet = await RawSocket.connect({ port });
		assert.equal(await quiet.closes(50), false);
		quiet.close();
	});
});

describe('processes', () => {
	let home;
	before(() => { home = fs.mkdtempSync(path.join(os.tmpdir(), 'grantd-harness-')); });
	after(() => fs.rmSync(home, { recursive: true }));
	const shell = (script) => new Daemon('/bin/sh', ['-c', script], { log_dir: home });

	test('a daemon is ready when it says so and stops at TERM', async () => {
		const daemon = shell('trap "exit 0" TERM; echo "not ready yet" >&2; echo ready >&2; echo line; while :; do sleep 0.05; done');
		await daemon.says('ready');
		await daemon.stop();
		assert.equal(fs.readFileSync(daemon.stdout_file, 'utf8'), 'line\n');
	});

	test('one that ends early, fails at its end, or ends with a sanitizer report is an error', async () => {
		await assert.rejects(shell('echo "no such database" >&2; exit 3').says('ready'), /ended \(3\)[\s\S]*no such database/);
		const failing = shell('trap "exit 4" TERM; echo ready >&2; while :; do sleep 0.05; done');
		await failing.says('ready');
		await assert.rejects(failing.stop(), /ended with 4/);
		const leaking = shell('trap "echo ==1==ERROR: LeakSanitizer: x >&2; exit 0" TERM; echo ready >&2; while :; do sleep 0.05; done');
		await leaking.says('ready');
		await assert.rejects(leaking.stop(), /sanitizer/);
	});

	test('kill -9 ends what ignores TERM', async () => {
		const daemon = shell('trap "" TERM; echo ready >&2; while :; do sleep 0.05; done');
		await daemon.says('ready');
		daemon.kill('SIGTERM');
		await daemon.kill_9();
		assert.equal(daemon.signal, 'SIGKILL');
	});

	test('a command gets its input and answers all it said', async () => {
		const result = await run('/bin/sh', ['-c', 'cat; echo no >&2; exit 1'], { input: 'yes' });
		assert.deepEqual([result.status, result.stdout, result.stderr], [1, 'yes', 'no\n']);
	});
});

describe('counting', () => {
	test('TAP counts what ran, and a plan that is not met is a failure', () => {
		const good = parse_tap('1..2\nok 1 - a\nok 2 - b # skip not here\n', 'f');
		assert.deepEqual(good.map(({ name, ok, skip }) => [name, ok, skip]), [['a', true, undefined], ['b', true, 'not here']]);
		const cut = parse_tap('1..3\nok 1 - a\nnot ok 2 - b\n# why\n', 'f');
		assert.deepEqual(cut.map(({ ok }) => ok), [true, false, false]);
		assert.equal(cut[1].why, 'why\n');
		assert.equal(parse_tap('', 'f')[0].ok, false);
	});

	test('a case that ran on one database only is found, unless its title says that it is of that one', () => {
		const run_on = (...names) => names.map((name) => ({ file: 'f', name, ok: true }));
		const wrong = (sqlite, postgres) => compare({ 'flow-sqlite': sqlite, 'flow-postgres': postgres }).wrong;
		assert.deepEqual(wrong(run_on('a', 'b', 'on SQLite only: c'), run_on('b', 'a', 'on PostgreSQL only: d')), []);
		assert.deepEqual(wrong(run_on('a', 'b'), run_on('a')), ['f: b']);
		assert.deepEqual(wrong(run_on('a'), run_on('a', 'a')), ['f: a']);
		assert.deepEqual(wrong(run_on('a'), [{ file: 'f', name: 'a', ok: true, skip: 'no' }]), ['f: a']);
		assert.deepEqual(wrong(run_on('on PostgreSQL only: d'), run_on('on PostgreSQL only: d')), ['f: on PostgreSQL only: d']);
		const both = run_on('on PostgreSQL only: d', 'on SQLite only: c');
		assert.equal(wrong(both, both).length, 2);
		assert.deepEqual(compare({ 'flow-sqlite': run_on('a', 'on SQLite only: c'), 'flow-postgres': run_on('a') }), { counts: [1, 1], own: { 'flow-sqlite': 1, 'flow-postgres': 0 }, wrong: [] });
	});
});
