// SPDX-License-Identifier: Apache-2.0
// HUP and TERM while requests come without a pause: settings, resources and certificates change under load, and what has
// arrived is answered.
import assert from 'node:assert/strict';
import crypto from 'node:crypto';
import fs from 'node:fs';
import net from 'node:net';
import path from 'node:path';
import tls from 'node:tls';
import { test } from 'node:test';
import { until } from './expect.mjs';
import { Instance, claims, mail_secret, run_well } from './harness/index.mjs';

const reloads = 20;
const in_dir = (grantd, name) => path.join(grantd.dir, name);

// An authority of the test's own with one certificate after another for the instance's name.
async function authority(grantd) {
	const file = (name) => path.join(grantd.home, name);
	const key = (name) => ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-keyout', file(name)];
	await run_well('openssl', ['req', '-x509', ...key('own-ca.key'), '-days', '2', '-subj', '/CN=authority of the test', '-out', file('own-ca.pem')]);
	return {
		pem: fs.readFileSync(file('own-ca.pem')),
		async issue(name) {
			await run_well('openssl', ['req', '-x509', ...key(`${name}.key`), '-days', '1', '-subj', `/CN=${name}`, '-addext', `subjectAltName=DNS:${grantd.host}`,
				'-addext', 'basicConstraints=critical,CA:FALSE', '-CA', file('own-ca.pem'), '-CAkey', file('own-ca.key'), '-out', file(`${name}.pem`)]);
			return { cert: fs.readFileSync(file(`${name}.pem`)), key: fs.readFileSync(file(`${name}.key`)) };
		},
	};
}

// The fingerprint of what a new connection is shown.
function shown_certificate(grantd) {
	return new Promise((resolve, reject) => {
		const socket = tls.connect({ host: '127.0.0.1', port: grantd.port, servername: grantd.host, ca: grantd.https.ca, ALPNProtocols: ['http/1.1'] }, () => {
			resolve(socket.getPeerCertificate().fingerprint256);
			socket.destroy();
		});
		socket.on('error', reject);
	});
}

// As an operator's tools do it: beside its place, then renamed.
function put(file, bytes, mode = 0o644) {
	fs.writeFileSync(`${file}.new`, bytes, { mode });
	fs.renameSync(`${file}.new`, file);
}

test(`${reloads} reloads of settings, resources and certificates under load fail no request, on connections old and new`, async (t) => {
	const grantd = await Instance.start(t);
	const scope = { name: 'mail.read', title: 'Read', risk: 'read', default: true, clients: true, can: ['read'], cannot: ['send'] };
	const resource = await grantd.add_resource({ scopes: [scope], token: { typ: 'at+jwt', alg: 'ES256' } });
	const bot = await grantd.add_agent({ id: 'bot', secret: true, scope: 'mail.read', redirect_uris: [], grant_types: ['client_credentials'] });
	const ca = await authority(grantd);
	const pairs = [await ca.issue('one'), await ca.issue('two')];
	grantd.https.ca = [grantd.ca, ca.pem];
	const conf = in_dir(grantd, 'grantd.conf');
	const text = fs.readFileSync(conf, 'utf8');
	const { body: { access_token } } = await bot.post('/token', { grant_type: 'client_credentials' });
	const asks = [
		() => bot.post('/token', { grant_type: 'client_credentials' }),
		() => bot.post('/token', { grant_type: 'client_credentials' }, { apart: true }),
		() => grantd.introspect(access_token).then(({ active }) => ({ status: active ? 200 : 'not active' })),
		() => grantd.https.fetch_apart(`${grantd.issuer}/jwks.json`),
		() => grantd.fetch(`${grantd.issuer}/login`),
		() => grantd.fetch(`${grantd.issuer}/.well-known/openid-configuration`),
	];
	const answers = asks.map(() => 0), failures = [];
	let is_over = false;
	t.after(() => { is_over = true; });
	const load = asks.map(async (ask, i) => {
		while (!is_over) {
			const { status } = await ask().catch((error) => ({ status: `${error.code} ${error.message}` }));
			if (status === 200) answers[i]++;
			else failures.push([i, status]);
		}
	});
	const done = () => grantd.log().filter((line) => line.event === 'reload.done').length;
	for (let i = 0; i < reloads; i++) {
		const before = done(), { cert, key } = pairs[i % 2], lifetime = 60 + i;
		// the key first: a reload between the two would be refused, and keeps what it has
		put(in_dir(grantd, 'tls/key.pem'), key, 0o600);
		put(in_dir(grantd, 'tls/cert.pem'), cert);
		put(in_dir(grantd, 'resources/mail.json'), JSON.stringify({ ...resource, title: `Mail ${i}` }));
		put(conf, `${text}access_token_lifetime = ${lifetime}s\n`);
		grantd.daemon.kill('SIGHUP');
		await until(() => done() > before);
		assert.equal(await shown_certificate(grantd), new crypto.X509Certificate(cert).fingerprint256);
		assert.equal((await bot.post('/token', { grant_type: 'client_credentials' })).body.expires_in, lifetime);
	}
	is_over = true;
	await Promise.all(load);
	assert.deepEqual(failures, []);
	for (const count of answers) assert.ok(count >= reloads / 2, `each kind of request came all the time: ${answers}`);
	assert.equal(grantd.log().filter((line) => line.event === 'reload.refused').length, 0);
	assert.equal((await grantd.operate(['event', 'list'])).filter((event) => event.kind === 'resource.changed').length, reloads);
	assert.equal(claims(access_token).client_id, 'bot');
});

test('TERM answers what has begun to arrive, ends what is idle, lets nobody new in, and exits with 0', async (t) => {
	const grantd = await Instance.start(t);
	await grantd.add_resource();
	const body = `token=x&client_id=mail-rs&client_secret=${mail_secret}`;
	const post = `POST /introspect HTTP/1.1\r\nHost: ${new URL(grantd.issuer).host}\r\nContent-Type: application/x-www-form-urlencoded\r\nContent-Length: ${body.length}\r\n\r\n`;
	const get = `GET /jwks.json HTTP/1.1\r\nHost: ${new URL(grantd.issuer).host}\r\n\r\n`;
	const idle = await grantd.connect(), in_head = await grantd.connect(), in_body = await grantd.connect(), used = await grantd.connect();
	used.send(get);
	assert.ok(await used.until((socket) => socket.statuses.length === 1));
	in_head.send(post.slice(0, 30));
	in_body.send(post + body.slice(0, 5));
	// an answer on another connection says nothing of these two, but the log of a later scrape would: a moment is enough
	await until(async () => /grantd_connections_open\{listener="public"\} 4/.test(await (await fetch(`http://127.0.0.1:${grantd.port + 1}/metrics`)).text()));
	await new Promise((resolve) => setTimeout(resolve, 100));
	grantd.daemon.kill('SIGTERM');
	assert.ok(await idle.closes(5000), 'who said nothing');
	assert.ok(await used.closes(5000), 'who was answered');
	// each loop closes its own door, one a moment after the other
	const stranger = () => new Promise((resolve) => net.connect(grantd.port, '127.0.0.1')
		.on('error', (error) => resolve(error.code)).on('connect', function () { this.destroy(); resolve('connected'); }));
	await until(async () => await stranger() === 'ECONNREFUSED');
	assert.ok(grantd.daemon.is_running, 'it waits for what has begun');
	in_head.send(post.slice(30) + body);
	in_body.send(body.slice(5));
	for (const socket of [in_head, in_body]) {
		assert.ok(await socket.closes(5000));
		assert.deepEqual(socket.statuses, [200]);
		assert.match(socket.text, /\r\nConnection: close\r\n/);
		assert.match(socket.text, /\{"active":false\}$/);
	}
	assert.deepEqual(await grantd.daemon.ended, { status: 0, signal: null });
	grantd.daemon.check_sanitizers();
});
