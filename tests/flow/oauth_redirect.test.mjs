// SPDX-License-Identifier: Apache-2.0
// Redirect URIs: rows RU of tests/rows. The wrong one is a page for the person, never a Location.
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { ask, is_asked, is_error_page } from './expect.mjs';
import { Instance } from './harness/index.mjs';

let grantd, alice, app, local;
before(async () => {
	grantd = await Instance.start(null);
	await grantd.add_resource();
	alice = await grantd.add_person('alice');
	app = await grantd.add_agent({ id: 'app', secret: true, redirect_uris: ['https://app.example/cb', 'https://foo.example.com/cb?a=1'] });
	local = await grantd.add_agent({ id: 'local', redirect_uris: ['http://127.0.0.1/callback'] });
	await grantd.add_agent({ id: 'other', redirect_uris: ['https://other.example/cb'] });
});
after(() => grantd.dispose());

const cases = {
	'RU-001': ['https://app.example.evil.com/cb', 'https://evil.com/https://app.example/cb', 'https://app.example@evil.com/cb'],
	'RU-003': ['https://app.example/cb/..;/evil', 'https://app.example/cb/../evil'],
	'RU-004': ['https://app.example/%2e%2e/cb', 'https://app.example/cb%252f', 'https://app.example/%c0%ae/cb', 'https://app.example/%63b'],
	'RU-005': ['https://app.example/cb?x=1', 'https://foo.example.com/cb?a=1&x=1', 'https://foo.example.com/cb'],
	'RU-006': ['https://app.example/cb#frag', 'https://app.example/cb#'],
	'RU-010': ['https://app.example\\@evil.com/cb', 'https:\\\\evil.com/cb', 'https://app.example/cb\\'],
	'RU-011': ['HTTPS://app.example/cb', 'https://APP.example/cb', 'https://app.example/CB'],
	'RU-012': ['https://app.example/cb/', 'https://app.example:443/cb', 'https://app.example//cb'],
	'RU-013': ['http://app.example/cb'],
	'RU-014': [' https://app.example/cb', 'https://app.example/cb ', 'https://app\t.example/cb', 'https://app.example/c\r\nb', 'https://app.example/cb\u00a0', '\ufeffhttps://app.example/cb'],
	'RU-015': ['https://\u0430pp.example/cb', 'https://app\uff0eexample/cb', 'https://xn--pp-6kc.example/cb'],
	'RU-017': ['https://fooaexample.com/cb?a=1', 'https://appxexample/cb'],
	'RU-022': ['https://other.example/cb'],
};

for (const [row, uris] of Object.entries(cases)) {
	describe(`${row}: redirect URIs that are not the registered one`, () => {
		for (const redirect_uri of uris)
			test(JSON.stringify(redirect_uri), () => grantd.unchanged(async () =>
				is_error_page(await ask(grantd, app.authorization({ redirect_uri }).url))));
	});
}

const loopback = {
	'RU-009': ['http://localhost:8090%25@evil.com/callback', 'http://127.0.0.1:80@evil.com/callback'],
	'RU-021': ['http://127.1/callback', 'http://0x7f.1/callback', 'http://2130706433/callback', 'http://[::ffff:127.0.0.1]/callback', 'http://127.0.0.1.evil.com/callback', 'http://127.0.0.2/callback'],
};

for (const [row, uris] of Object.entries(loopback)) {
	describe(`${row}: what is not the registered loopback address`, () => {
		for (const redirect_uri of uris)
			test(redirect_uri, () => grantd.unchanged(async () =>
				is_error_page(await ask(grantd, local.authorization({ redirect_uri }).url))));
	});
}

describe('RU-020: one loopback host in the place of another', () => {
	const hosts = ['127.0.0.1', 'localhost', '[::1]'];
	for (const [i, host] of hosts.entries()) {
		test(`${host} is registered`, async () => {
			const client = await grantd.add_agent({ id: `on-${i}`, redirect_uris: [`http://${host}/callback`] });
			is_asked(await ask(grantd, client.authorization().url));
			for (const other of hosts.filter((one) => one !== host)) {
				for (const port of ['', ':8080'])
					await grantd.unchanged(async () => is_error_page(await ask(grantd, client.authorization({ redirect_uri: `http://${other}${port}/callback` }).url)));
			}
		});
	}
});

test('RU-018: a loopback client may use any port, and only its own path', async () => {
	for (const redirect_uri of ['http://127.0.0.1:51234/callback', 'http://127.0.0.1:1/callback', 'http://127.0.0.1/callback'])
		is_asked(await ask(grantd, local.authorization({ redirect_uri }).url));
	for (const redirect_uri of ['http://127.0.0.1:51234/other', 'http://127.0.0.1:51234/callback?x', 'https://127.0.0.1:51234/callback', 'http://127.0.0.1:0/callback', 'http://127.0.0.1:65536/callback', 'http://127.0.0.1:/callback'])
		await grantd.unchanged(async () => is_error_page(await ask(grantd, local.authorization({ redirect_uri }).url)));
	const answered = await alice.allow(local.authorization({ redirect_uri: 'http://127.0.0.1:51234/callback' }).url);
	assert.equal(answered.url.port, '51234');
});

// By the operator's command; /register has the rows of the table (register.test.mjs).
const unregistrable = {
	'wildcards': ['https://*.example/cb', 'https://app.example/*'],
	'schemes that run or show what they carry': ['javascript:alert(1)', 'JavaScript:alert(1)', 'data:text/html,x', 'vbscript:x', 'blob:https://a/b', 'file:///etc/passwd', 'about:blank', ' javascript:alert(1)', 'java\tscript:alert(1)'],
};

for (const [what, uris] of Object.entries(unregistrable)) {
	describe(`what may not be registered: ${what}`, () => {
		for (const uri of uris)
			test(JSON.stringify(uri), () => grantd.unchanged(async () => {
				const made = await grantd.grantctl(['client', 'create', '--id', 'bad', '--name', 'Bad', '--redirect-uri', uri, '--public', '--json']);
				assert.equal(made.status, 1, made.stdout);
				assert.match(made.stderr, /redirect/i);
			}));
	});
}

test('RU-028: a client that is gone between the question and the answer gets no code', async () => {
	const gone = await grantd.add_agent({ id: 'gone' });
	const consent = await alice.open(gone.authorization().url);
	await grantd.operate(['client', 'disable', 'gone']);
	const answered = await alice.decide(consent, 'allow');
	assert.equal(answered.left, null);
	assert.ok(answered.status >= 400 && answered.status < 500, String(answered.status));
	assert.deepEqual(await grantd.rows("SELECT id FROM grants WHERE client_id = 'gone'"), []);
});
