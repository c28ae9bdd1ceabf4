// SPDX-License-Identifier: Apache-2.0
// `grant token --dpop` and `grant curl`: a log-in that is bound to a key, and calls with it.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import http from 'node:http';
import path from 'node:path';
import { after, before, test } from 'node:test';
import { log_in, new_home, stored } from './grant_login.mjs';
import { Instance, claims } from './harness/index.mjs';

let grantd, alice;
before(async () => {
	// each first proof is refused, so each verb has to sign a second one
	grantd = await Instance.start(null, { env: { GRANTD_REQUIRE_DPOP_NONCE: 'yes' } });
	({ alice } = await grantd.furnish({ agent: { scope: 'mail.read openid profile' } }));
});
after(() => grantd.dispose());

// A resource server on loopback: what it is asked, in order; 401 for as many calls as it is told.
async function resource(t, refusals = 0) {
	const asked = [];
	const server = http.createServer((request, response) => {
		asked.push({ method: request.method, url: request.url, ...request.headers });
		response.writeHead(asked.length <= refusals ? 401 : 200, { 'content-type': 'text/plain' }).end('the answer');
	});
	await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
	t.after(() => server.close());
	return { asked, url: `http://127.0.0.1:${server.address().port}/items?page=2` };
}

test('a log-in is bound to a key when that is asked for, and stays so', async () => {
	const home = new_home(grantd);
	await log_in(grantd, alice, home);
	const before = stored(home)[0];
	assert.equal(claims(before.access_token).cnf, undefined);
	const { json } = await grantd.grant(home, ['token', '--dpop', '--json']);
	assert.equal(json.token_type, 'DPoP');
	const { jkt } = claims(json.access_token).cnf;
	assert.match(jkt, /^[\w-]{43}$/);
	for (const name of fs.readdirSync(home)) assert.equal(fs.statSync(path.join(home, name)).mode & 0o777, 0o600, name);
	assert.match(stored(home)[0].dpop_key, /^-----BEGIN PRIVATE KEY-----/);
	// also without the word, and again with it: the same key
	for (const words of [['token', '--fresh'], ['token', '--dpop', '--fresh']]) {
		const next = await grantd.grant(home, words);
		assert.equal(next.status, 0, next.stderr);
		assert.deepEqual(claims(next.stdout.trim()).cnf, { jkt });
	}
	const listed = await grantd.grant(home, ['list', '--json']);
	assert.ok(!listed.stdout.includes('PRIVATE KEY'));
});

test('without its key the log-in is of no use to who has the file', async () => {
	const home = new_home(grantd);
	await log_in(grantd, alice, home);
	await grantd.grant(home, ['token', '--dpop']);
	const [name] = fs.readdirSync(home).filter((name) => name.endsWith('.json'));
	const file = path.join(home, name);
	const { dpop_key, ...rest } = JSON.parse(fs.readFileSync(file, 'utf8'));
	assert.ok(dpop_key);
	fs.writeFileSync(file, JSON.stringify(rest));
	const refused = await grantd.grant(home, ['token', '--fresh']);
	assert.equal(refused.status, 1);
	assert.match(refused.stderr, /bound to a key that is not here/);
});

test('grant curl proves the key at userinfo, with the nonce', async () => {
	const home = new_home(grantd);
	await log_in(grantd, alice, home, ['--resource', grantd.issuer, '--scope', 'openid profile']);
	for (const words of [[], ['--dpop'], []]) {
		const answer = await grantd.grant(home, ['curl', `${grantd.issuer}/userinfo`, ...words]);
		assert.equal(answer.status, 0, answer.stderr);
		assert.equal(JSON.parse(answer.stdout).preferred_username, 'alice');
	}
	assert.equal(stored(home)[0].token_type, 'DPoP');
});

test('grant curl sends the token in the header, and asks for a new one when it is refused', async (t) => {
	const home = new_home(grantd);
	await log_in(grantd, alice, home);
	const { asked, url } = await resource(t, 1);
	const answer = await grantd.grant(home, ['curl', url, '--resource', 'mail', '--json']);
	assert.equal(answer.status, 0, answer.stderr);
	assert.deepEqual(answer.json, { status: 200, type: 'text/plain', body: 'the answer' });
	assert.equal(asked.length, 2);
	assert.match(asked[0].authorization, /^Bearer /);
	assert.notEqual(asked[1].authorization, asked[0].authorization);
	const bound = await grantd.grant(home, ['curl', url, '--resource', 'mail', '--method', 'DELETE', '--dpop']);
	assert.equal(bound.stdout, 'the answer');
	const call = asked.at(-1);
	assert.match(call.authorization, /^DPoP /);
	const proof = claims(call.dpop);
	assert.equal(proof.htm, 'DELETE');
	assert.equal(proof.htu, url.split('?')[0]);
	assert.ok(proof.ath && Math.abs(proof.iat - Date.now() / 1000) < 60);
});

test('a resource that goes on refusing is exit 1, with its answer on stdout', async (t) => {
	const home = new_home(grantd);
	await log_in(grantd, alice, home);
	const { asked, url } = await resource(t, 9);
	const answer = await grantd.grant(home, ['curl', url, '--resource', 'mail']);
	assert.equal(answer.status, 1);
	assert.equal(answer.stdout, 'the answer');
	assert.match(answer.stderr, /answered 401/);
	assert.equal(asked.length, 2);
});

// Further log-ins in the store, each with a token of its own for that resource.
function keep(home, resources) {
	const [login] = stored(home);
	for (const [i, [resource, access_token]] of resources.entries())
		fs.writeFileSync(path.join(home, `more-${i}.json`), JSON.stringify({ ...login, resource, access_token }), { mode: 0o600 });
}

test('of several log-ins for one server the call has the token of the resource that it is in, or none', async (t) => {
	const home = new_home(grantd);
	await log_in(grantd, alice, home);
	const { asked, url } = await resource(t);
	const { origin } = new URL(url);
	keep(home, [[`${origin}/mail-archive`, 'archive'], [`${origin}/mail`, 'mail'], [`${origin}/mail/deep`, 'deep'], [`${origin}/files/`, 'files'],
		[`${origin}/twice`, 'first'], [`${origin}/twice`, 'second']]);
	const calls = { '/mail': 'mail', '/mail/a': 'mail', '/mail?a': 'mail', '/mail/deeper': 'mail', '/mail/deep/a': 'deep', '/mail-archive': 'archive', '/mail-archive/a': 'archive', '/files/a': 'files' };
	for (const [target, token] of Object.entries(calls)) {
		const answer = await grantd.grant(home, ['curl', `${origin}${target}`]);
		assert.equal(answer.status, 0, answer.stderr);
		assert.deepEqual([asked.at(-1).url, asked.at(-1).authorization], [target, `Bearer ${token}`]);
	}
	asked.length = 0;
	for (const target of ['/mailbox', '/mail-', '/file', '/', '/twice/a']) {
		const refused = await grantd.grant(home, ['curl', `${origin}${target}`]);
		assert.equal(refused.status, 1, target);
		assert.match(refused.stderr, /several log-ins are for that server.*\/twice \(mail-agent\), http.*\/twice \(mail-agent\)/);
	}
	for (const words of [[], ['--resource', `${origin}/mail`]])
		for (const target of ['/mail/../files/a', '/mail/%2e%2E/files/a', '/mail/./a', '/mail/..']) {
			const refused = await grantd.grant(home, ['curl', `${origin}${target}`, ...words]);
			assert.equal(refused.status, 2, target);
			assert.match(refused.stderr, /dot segment/);
		}
	assert.equal(asked.length, 0);
});

test('a token goes to no server that its log-in is not for', async (t) => {
	const home = new_home(grantd);
	await log_in(grantd, alice, home);
	const { asked, url } = await resource(t);
	for (const other of [url, 'https://other.example/', `${grantd.issuer.replace('grantd.', 'grantd-')}/r/mail`, 'ftp://x/', 'nonsense']) {
		const refused = await grantd.grant(home, ['curl', other]);
		assert.notEqual(refused.status, 0);
		assert.match(refused.stderr, /no log-in is for|not a URL/);
	}
	assert.equal(asked.length, 0);
	const without = await grantd.grant(home, ['curl']);
	assert.equal(without.status, 2);
});
