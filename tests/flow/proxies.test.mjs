// SPDX-License-Identifier: Apache-2.0
// Behind nginx, HAProxy and Caddy, each as its file in packaging/proxy says: a whole flow, whose address is on record, and what
// never reaches grantd. Only what an operator would change is changed: name, port, paths.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import http from 'node:http';
import https from 'node:https';
import os from 'node:os';
import path from 'node:path';
import { after, before, describe, test } from 'node:test';
import { granted, until } from './expect.mjs';
import { Daemon, Https, Instance, Person, free_ports } from './harness/index.mjs';

const packaging = path.resolve(import.meta.dirname, '../../packaging/proxy');
const client_address = '127.0.0.5';

// Of the documented file, with the operator's own values in the place of the example's; each must be there.
function written(grantd, name, values) {
	let text = fs.readFileSync(path.join(packaging, name), 'utf8');
	for (const [from, to] of values) {
		assert.ok(text.includes(from), `${name} says ${from}`);
		text = text.replaceAll(from, to);
	}
	const file = path.join(grantd.home, name);
	fs.writeFileSync(file, text);
	return file;
}

// The settings that the head of the file tells to write: { name: value }.
function settings_in(name) {
	const head = fs.readFileSync(path.join(packaging, name), 'utf8').split(/^[^#]/m)[0];
	return Object.fromEntries([...head.matchAll(/^# {3}(\w+) = (.*)$/gm)].map((match) => match.slice(1)));
}

const certificate = (grantd) => [
	['/etc/ssl/id.example.org/cert.pem', path.join(grantd.dir, 'tls/cert.pem')],
	['/etc/ssl/id.example.org/key.pem', path.join(grantd.dir, 'tls/key.pem')],
];

const proxies = {
	nginx: {
		file: 'nginx.conf',
		prepare: (grantd) => fs.mkdirSync(`${grantd.home}/nginx`),
		values: (grantd) => [
			...certificate(grantd), ['/run/grantd/public.sock', grantd.socket], ['/run/nginx.pid', `${grantd.home}/nginx.pid`],
			['/var/log/nginx/error.log', `${grantd.home}/nginx-error.log`], ['listen 443 ', `listen 127.0.0.1:${grantd.port} `], ['id.example.org', grantd.host],
			// whoever runs the tests, and a directory for its temporary files
			['user www-data;', `user ${os.userInfo().username};`], ['http {\n', `http {\n${['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'].map((one) => `${one}_temp_path ${grantd.home}/nginx/${one};\n`).join('')}`],
		],
		command: (file) => ['nginx', ['-e', 'stderr', '-c', file, '-g', 'daemon off;']],
		two_framings: 'refused',
	},
	haproxy: {
		file: 'haproxy.cfg',
		prepare: (grantd) => fs.writeFileSync(`${grantd.home}/${grantd.host}.pem`, ['cert.pem', 'key.pem'].map((file) => fs.readFileSync(path.join(grantd.dir, 'tls', file))).join('\n'), { mode: 0o600 }),
		values: (grantd) => [
			['/etc/haproxy/certs', grantd.home], ['bind :443 ', `bind 127.0.0.1:${grantd.port} `], ['127.0.0.1:8080', `127.0.0.1:${grantd.inner_port}`], ['id.example.org', grantd.host],
		],
		command: (file) => ['haproxy', ['-db', '-f', file]],
		two_framings: 'one is taken out',
	},
	caddy: {
		file: 'Caddyfile',
		prepare: () => {},
		values: (grantd) => [
			...certificate(grantd), ['/run/grantd/public.sock', grantd.socket], ['https://id.example.org:443', `https://${grantd.host}:${grantd.port}`],
			['\tadmin off\n', `\tadmin off\n\tdefault_bind 127.0.0.1\n`],
		],
		command: (file) => ['caddy', ['run', '--adapter', 'caddyfile', '--config', file]],
		two_framings: 'one is taken out',
	},
};

// grantd as the file's head tells, and the proxy before it.
async function start({ file, prepare, values, command }) {
	const settings = settings_in(file);
	assert.deepEqual(Object.keys(settings), ['issuer', 'listen', 'plain', 'trusted_proxies']);
	const grantd = await Instance.create();
	grantd.socket = path.join(grantd.home, 'public.sock');
	grantd.inner_port = await free_ports();
	const listen = settings.listen.replace('/run/grantd/public.sock', grantd.socket).replace(':8080', `:${grantd.inner_port}`);
	Object.assign(grantd.env, { GRANTD_LISTEN: listen, GRANTD_PLAIN: settings.plain, GRANTD_TRUSTED_PROXIES: settings.trusted_proxies });
	await grantd.start();
	prepare(grantd);
	const [program, args] = command(written(grantd, file, values(grantd)));
	const proxy = grantd.before_it = new Daemon(program, args, { env: { ...process.env, HOME: grantd.home, XDG_DATA_HOME: grantd.home, XDG_CONFIG_HOME: grantd.home }, log_dir: grantd.home, name: program });
	await until(() => {
		assert.ok(proxy.is_running, proxy.stderr);
		return grantd.fetch(`${grantd.issuer}/jwks.json`).then((answer) => answer.status === 200, () => false);
	});
	return grantd;
}

// A person whose connections begin at another address of this machine.
function at(grantd, address, person, headers = {}) {
	const agent = new https.Agent({ localAddress: address });
	const fetch = (url, init) => grantd.fetch(url, { ...init, agent, raw_headers: new Map([...init.raw_headers, ...Object.entries(headers)]) });
	return new Person({ issuer: grantd.issuer, fetch }, person);
}

// The addresses of the sign-ins on record, the newest first.
async function sign_in_addresses(grantd) {
	const events = (await grantd.operate(['event', 'list'])).filter((event) => /^login\./.test(event.kind));
	return Promise.all(events.map(async (event) => (await grantd.operate(['event', 'show', event.id])).personal.address));
}

for (const [name, proxy] of Object.entries(proxies)) {
	describe(`behind ${name}`, () => {
		let grantd;
		before(async () => { grantd = await start(proxy); });
		after(async () => {
			grantd.before_it.kill('SIGTERM');
			await grantd.before_it.ended;
			await grantd.dispose();
		});

		test('a whole flow works, and what is on record is the client\'s address, whatever it claims', async () => {
			const { alice, agent } = await grantd.furnish();
			const claims = { 'x-forwarded-for': '203.0.113.9', 'x-real-ip': '203.0.113.9', forwarded: 'for=203.0.113.9', 'x-forwarded-proto': 'http', 'x-forwarded-host': 'evil.example' };
			const honest = at(grantd, client_address, alice);
			const { refresh_token, access_token } = await agent.tokens(honest);
			granted(await agent.refresh(refresh_token));
			assert.equal((await grantd.introspect(access_token)).active, true);
			const liar = at(grantd, '127.0.0.6', alice, claims);
			await liar.sign_in();
			assert.deepEqual(await sign_in_addresses(grantd), ['127.0.0.6', client_address]);
			const metadata = await (await grantd.fetch(`${grantd.issuer}/.well-known/openid-configuration`)).json();
			assert.equal(metadata.issuer, grantd.issuer);
			assert.equal(metadata.token_endpoint, `${grantd.issuer}/token`);
			assert.equal((await agent.revoke(refresh_token)).status, 200);
			assert.equal((await grantd.introspect(access_token)).active, false);
		});

		test('a request with two framings is refused or comes with one, and nothing is smuggled behind it', async () => {
			const smuggled = 'GET /smuggled HTTP/1.1\r\nHost: h\r\n\r\n';
			const head = `POST /token HTTP/1.1\r\nHost: ${new URL(grantd.issuer).host}\r\nContent-Type: application/x-www-form-urlencoded\r\n`;
			const earlier = grantd.log().filter((line) => line.path === '/token').length;
			const ambiguous = [
				`${head}Content-Length: ${5 + smuggled.length}\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n${smuggled}`,
				`${head}Transfer-Encoding: chunked\r\nContent-Length: 6\r\n\r\n0\r\n\r\n${smuggled}`,
				`${head}Transfer-Encoding : chunked\r\nContent-Length: 6\r\n\r\n0\r\n\r\n${smuggled}`,
				`${head}Transfer-Encoding: xchunked\r\nContent-Length: 6\r\n\r\n0\r\n\r\n${smuggled}`,
				`${head}Content-Length: 5\r\nContent-Length: 6\r\n\r\n0\r\n\r\n${smuggled}`,
			];
			const answers = [];
			for (const bytes of ambiguous) answers.push((await grantd.raw(bytes, { timeout: 1000 })).statuses);
			// what comes next on a connection to grantd is answered for itself
			assert.equal((await grantd.fetch(`${grantd.issuer}/jwks.json`)).status, 200);
			const arrived = grantd.log().filter((line) => line.event === 'http.request');
			// grantd refuses two framings itself and says so: that it never had to is that none arrived
			assert.deepEqual(arrived.filter((line) => /framing|Content-Length|Transfer-Encoding/i.test(line.why ?? '')), []);
			const at_token = arrived.filter((line) => line.path === '/token').length - earlier;
			assert.equal(at_token, proxy.two_framings === 'refused' ? 0 : 2, JSON.stringify(answers));
			assert.ok(!arrived.some((line) => line.path === '/smuggled'));
			for (const statuses of answers.slice(2)) assert.ok([400, 501].includes(statuses[0]), JSON.stringify(answers));
		});
	});
}

// With one grantd behind it, a proxy that asks for its health would keep people from stopping things on a full disk.
test('no configuration takes grantd out for what /readyz says, or for answers that it gave', () => {
	for (const { file } of Object.values(proxies)) {
		const settings = fs.readFileSync(path.join(packaging, file), 'utf8').replace(/^\s*#.*$/gm, '');
		assert.doesNotMatch(settings, /readyz|livez|health_|\bcheck\b|httpchk|\bobserve\b|max_fails|fail_duration|proxy_next_upstream (?!off;)/, file);
	}
});

test('who is not on the list of proxies speaks for nobody, also on a plain listener', async (t) => {
	const grantd = await Instance.create();
	t.after(() => grantd.dispose());
	Object.assign(grantd.env, { GRANTD_PLAIN: 'yes', GRANTD_TRUSTED_PROXIES: '127.0.0.9' });
	await grantd.start();
	const alice = await grantd.add_person();
	const from = (address) => {
		const agent = new http.Agent({ localAddress: address });
		const plain = new Https();
		t.after(() => plain.close());
		const fetch = (url, init) => plain.fetch(String(url).replace('https:', 'http:'), { ...init, agent, raw_headers: new Map([...init.raw_headers, ['x-forwarded-for', '198.51.100.1, 203.0.113.9']]) });
		return new Person({ issuer: grantd.issuer, fetch }, alice);
	};
	await from('127.0.0.7').sign_in();
	await from('127.0.0.9').sign_in();
	assert.deepEqual(await sign_in_addresses(grantd), ['203.0.113.9', '127.0.0.7']);
});
