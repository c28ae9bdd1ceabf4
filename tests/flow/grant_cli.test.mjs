// SPDX-License-Identifier: Apache-2.0
// The agent's CLI against the real daemon: logging in, sharing one store, losing the grant, logging out.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import { after, before, describe, test } from 'node:test';
import { Login, log_in, new_home, short_lived, stored, visit } from './grant_login.mjs';
import { Instance, run_well } from './harness/index.mjs';

describe('grant login', () => {
	let grantd, alice;

	before(async () => {
		grantd = await Instance.start(null);
		({ alice } = await grantd.furnish());
	});
	after(() => grantd.dispose());

	test('a person allows, and the token works and stays with its owner', async () => {
		const home = new_home(grantd);
		const { status, stdout, stderr, page } = await log_in(grantd, alice, home);
		assert.equal(status, 0, stderr);
		assert.equal(stdout.trim().split('\n').length, 1, 'only the address is printed');
		assert.equal(page.status, 200);
		assert.match(page.body, /Signed in/);
		assert.match(page.headers['content-security-policy'], /default-src 'none'/);
		const token = await grantd.grant(home, ['token']);
		assert.equal(token.status, 0, token.stderr);
		assert.match(token.stdout, /^[\w.-]+\n$/);
		const seen = await grantd.introspect(token.stdout.trim());
		assert.equal(seen.active, true);
		assert.equal(seen.username, 'alice');
		assert.equal(seen.scope, 'mail.read');
		assert.equal(fs.statSync(home).mode & 0o777, 0o700);
		for (const name of fs.readdirSync(home)) assert.equal(fs.statSync(path.join(home, name)).mode & 0o777, 0o600, name);
	});

	test('the list names what is held and shows no token', async () => {
		const home = new_home(grantd);
		await log_in(grantd, alice, home);
		const { json, stdout } = await grantd.grant(home, ['list', '--json']);
		assert.equal(json.length, 1);
		assert.equal(json[0].status, 'active');
		assert.equal(json[0].client_id, 'mail-agent');
		assert.equal(json[0].resource, grantd.mail_uri);
		assert.equal(json[0].scope, 'mail.read');
		assert.ok(Math.abs(Date.parse(json[0].expires_at) - Date.now() - 7 * 86_400_000) < 600_000, json[0].expires_at);
		for (const secret of [stored(home)[0].access_token, stored(home)[0].refresh_token]) assert.ok(!stdout.includes(secret));
	});

	test('a fresh token is handed out again without asking the server', async () => {
		const home = new_home(grantd);
		await log_in(grantd, alice, home);
		const first = await grantd.grant(home, ['token']);
		const second = await grantd.grant(home, ['token', '--resource', 'mail', '--json']);
		assert.equal(second.json.access_token, first.stdout.trim());
		assert.ok(Date.parse(second.json.expires_at) - Date.now() > 30_000);
	});

	test('--fresh asks the server even for a token that lasts', async () => {
		const home = new_home(grantd);
		await log_in(grantd, alice, home);
		const first = await grantd.grant(home, ['token']);
		const second = await grantd.grant(home, ['token', '--fresh']);
		assert.equal(second.status, 0, second.stderr);
		assert.notEqual(second.stdout, first.stdout);
		assert.equal((await grantd.grant(home, ['token'])).stdout, second.stdout);
	});

	test('a second login takes the place of the first and ends its tokens', async () => {
		const home = new_home(grantd);
		await log_in(grantd, alice, home);
		const former = stored(home)[0];
		assert.equal((await log_in(grantd, alice, home)).status, 0);
		assert.equal(stored(home).length, 1);
		assert.equal((await grantd.introspect(former.access_token)).active, false);
		assert.equal((await grantd.introspect(stored(home)[0].access_token)).active, true);
	});

	test('a person who denies is an exit 1 with a reason, and nothing is stored', async () => {
		const home = new_home(grantd);
		const login = await Login.start(grantd, home);
		const { url } = await alice.deny(login.address);
		assert.match((await visit(url)).body, /Not signed in/);
		const { status, stderr } = await login.ended;
		assert.equal(status, 1);
		assert.match(stderr, /the person said no/);
		assert.deepEqual(stored(home), []);
	});

	test('an answer with another state is turned away and the right one still counts', async () => {
		const home = new_home(grantd);
		const login = await Login.start(grantd, home);
		const { url } = await alice.allow(login.address);
		const forged = new URL(url);
		forged.searchParams.set('state', 'AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA');
		assert.equal((await visit(forged)).status, 400);
		forged.searchParams.delete('state');
		assert.equal((await visit(forged)).status, 400);
		assert.equal((await visit(url, { host: 'rebound.example' })).status, 400);
		assert.equal((await visit(url)).status, 200);
		assert.equal((await login.ended).status, 0);
	});

	for (const [what, change] of [
		['from another issuer', (query) => query.set('iss', 'https://evil.example')],
		['without iss', (query) => query.delete('iss')],
	]) {
		test(`an answer ${what} is not used and nothing is stored`, async () => {
			const home = new_home(grantd);
			const login = await Login.start(grantd, home);
			const { url } = await alice.allow(login.address);
			change(url.searchParams);
			await visit(url);
			const { status, stderr } = await login.ended;
			assert.equal(status, 1);
			assert.match(stderr, /not used/);
			assert.deepEqual(stored(home), []);
		});
	}

	test('an issuer that calls itself otherwise is refused before anybody is asked', async () => {
		const home = new_home(grantd);
		const login = await Login.start(grantd, home, ['--issuer', `${grantd.issuer}/`]);
		const { status, stdout, stderr } = await login.ended;
		assert.equal(status, 1);
		assert.equal(stdout, '');
		assert.match(stderr, /calls itself/);
	});

	test('a certificate of another authority or name is not trusted', async () => {
		const home = new_home(grantd);
		const other = path.join(grantd.home, 'other-ca.pem');
		await run_well('openssl', ['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-keyout', '/dev/null',
			'-out', other, '-subj', '/CN=other', '-days', '2']);
		for (const words of [['--ca', other], ['--issuer', `https://other.localhost:${grantd.port}`]]) {
			const { status, stdout, stderr } = await (await Login.start(grantd, home, words)).ended;
			assert.equal(status, 3);
			assert.equal(stdout, '');
			assert.match(stderr, /not trusted|certificate/);
		}
	});

	test('an issuer that is not there is exit 3, and nonsense is exit 2', async () => {
		const home = new_home(grantd);
		assert.equal((await (await Login.start(grantd, home, ['--issuer', 'https://grantd.localhost:9'])).ended).status, 3);
		assert.equal((await (await Login.start(grantd, home, ['--issuer', 'http://grantd.localhost'])).ended).status, 2);
		assert.equal((await (await Login.start(grantd, home, ['--password', 'x'])).ended).status, 2);
	});
});

describe('grant token', () => {
	let grantd, alice;

	before(async () => {
		({ grantd, alice } = await short_lived());
	});
	after(() => grantd.dispose());

	test('a server that is away is exit 3, and afterwards everything is still there', async () => {
		const home = new_home(grantd);
		await log_in(grantd, alice, home);
		await grantd.stop();
		const away = await grantd.grant(home, ['token']);
		await grantd.start();
		assert.equal(away.status, 3);
		assert.equal(away.stdout, '');
		assert.match(away.stderr, /nothing answers at https:/);
		assert.equal((await grantd.grant(home, ['token'])).status, 0);
	});

	test('a paused grant keeps everything and says so', async () => {
		const home = new_home(grantd);
		await log_in(grantd, alice, home);
		const [grant] = await grantd.operate(['grant', 'list', '--user', 'alice']);
		await grantd.operate(['grant', 'pause', grant.id]);
		const paused = await grantd.grant(home, ['token']);
		assert.equal(paused.status, 1);
		assert.equal(paused.stdout, '');
		assert.match(paused.stderr, /stopped for now.*kept/);
		assert.ok(stored(home)[0].refresh_token);
		assert.equal((await grantd.grant(home, ['list', '--json'])).json[0].status, 'active');
		await grantd.operate(['grant', 'revoke', grant.id]);
	});

	test('a revoked grant says why and how to ask again, and keeps no token', async () => {
		const home = new_home(grantd);
		await log_in(grantd, alice, home);
		const [grant] = (await grantd.operate(['grant', 'list', '--user', 'alice'])).filter(({ status }) => status === 'active');
		await grantd.operate(['grant', 'revoke', grant.id]);
		const over = await grantd.grant(home, ['token']);
		assert.equal(over.status, 1);
		assert.equal(over.stdout, '');
		assert.match(over.stderr, /ended this log-in: .*invalid_grant.*To ask again: grant login --issuer https:/);
		assert.equal(stored(home)[0].refresh_token, undefined);
		assert.equal(stored(home)[0].access_token, undefined);
		const again = await grantd.grant(home, ['token']);
		assert.equal(again.status, 1);
		assert.match(again.stderr, /To ask again/);
		assert.equal((await grantd.grant(home, ['list', '--json'])).json[0].status, 'ended');
	});
});

describe('grant logout', () => {
	let grantd, alice;

	before(async () => {
		grantd = await Instance.start(null);
		({ alice } = await grantd.furnish());
	});
	after(() => grantd.dispose());

	test('the tokens die at the server and the store is empty', async () => {
		const home = new_home(grantd);
		await log_in(grantd, alice, home);
		const { access_token } = stored(home)[0];
		const { status, stderr } = await grantd.grant(home, ['logout']);
		assert.equal(status, 0, stderr);
		assert.equal((await grantd.introspect(access_token)).active, false);
		assert.deepEqual(stored(home), []);
		assert.equal((await grantd.grant(home, ['token'])).status, 1);
		assert.equal((await grantd.grant(home, ['logout'])).status, 1);
	});

	test('without the server nothing is deleted unless one insists', async () => {
		const home = new_home(grantd);
		await log_in(grantd, alice, home);
		await grantd.stop();
		const away = await grantd.grant(home, ['logout']);
		assert.equal(away.status, 3);
		assert.match(away.stderr, /Nothing was deleted/);
		assert.equal(stored(home).length, 1);
		assert.equal((await grantd.grant(home, ['logout', '--local'])).status, 0);
		await grantd.start();
		assert.deepEqual(stored(home), []);
	});
});
