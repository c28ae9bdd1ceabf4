// SPDX-License-Identifier: Apache-2.0
// Clients that publish their keys somewhere (jwks_uri): who has them read, when again, and who never.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import { after, before, describe, test } from 'node:test';
import { with_documents } from './agent_host.mjs';
import { granted, is_error_page, refused, until } from './expect.mjs';
import { Agent, Instance } from './harness/index.mjs';
import { preloads, shim } from './preload.mjs';
import { ClientKey, asserting, seconds } from './proof.mjs';

const jwk = (key, kid, more) => ({ ...key.jwk, kid, ...more });
const set = (...keys) => JSON.stringify({ keys });
const redirect_uri = 'https://app.example/cb';
const hour = 3600;

async function register(grantd, body, { at = '/register', method = 'POST', token } = {}) {
	const raw_headers = new Map(Object.entries({ 'content-type': 'application/json', ...(token && { authorization: `Bearer ${token}` }) }));
	const response = await grantd.fetch(new URL(at, grantd.issuer), { method, body: JSON.stringify(body), raw_headers });
	const text = await response.text();
	return { status: response.status, headers: response.headers, text, body: JSON.parse(text) };
}

// By registration and document: what such an agent says of itself.
const confidential = (jwks_uri, more) => ({ client_name: 'Robot', redirect_uris: [redirect_uri], grant_types: ['authorization_code', 'refresh_token'], token_endpoint_auth_method: 'private_key_jwt', jwks_uri, ...more });

describe('with a host of keys', () => {
	let grantd, host, alice, moved = 0;
	const [one, two, other] = [new ClientKey(), new ClientKey('EdDSA'), new ClientKey()];
	before(async () => {
		({ grantd, host, alice } = await with_documents(null, { moved: true }));
		await grantd.add_resource({ scopes: [
			{ name: 'mail.read', title: 'Read your mail', risk: 'read', default: true, can: ['read'], cannot: ['write'] },
			{ name: 'mail.count', title: 'Count mail', risk: 'read', clients: true, can: ['count'], cannot: ['read'] },
		] });
	});
	after(async () => { await grantd.dispose(); await host.stop(); });

	const move = (more) => grantd.move(moved += more);
	const publish = (file, ...keys) => {
		host.documents.set(file, { body: set(...keys), type: 'application/jwk-set+json' });
		return host.url(file);
	};
	const reads = (file) => host.calls.filter(({ url }) => url === file).length;
	const assertion = (id, key, kid) => asserting(key.assertion(id, grantd.issuer, { header: { kid }, iat: seconds(moved), exp: seconds(moved + 60) }));
	const post = (at, parameters) => new Agent(grantd, {}).post(at, parameters, { auth: false });
	const token = (id, key, kid) => post('/token', { grant_type: 'client_credentials', ...assertion(id, key, kid) });
	const show = (id) => grantd.operate(['client', 'show', id]);
	const create = (id, uri, ...args) => grantd.operate(['client', 'create', '--id', id, '--name', id, '--jwks-uri', uri, '--resource', 'mail', ...args]);
	const agent_of = (client_id) => new Agent(grantd, { client_id, redirect_uri, resource: grantd.mail_uri, scope: 'mail.read' });
	const warnings = (id) => grantd.log().filter(({ event, client, level }) => event === 'keys.not_read' && client === id && level === 'warning');

	// alice says yes; the agent shows that key for the code.
	async function redeem(client_id, key, kid) {
		const agent = agent_of(client_id), wish = agent.authorization();
		const { url } = await alice.allow(wish.url);
		return post('/token', { grant_type: 'authorization_code', code: url.searchParams.get('code'), redirect_uri, code_verifier: wish.verifier, ...assertion(client_id, key, kid) });
	}

	test('the operator\'s: read at once, rotated with both keys there, and a key that is gone counts no longer after an hour', async () => {
		const uri = publish('/robot.json', jwk(one, 'one', { x5c: ['A'.repeat(20000)] }), { kty: 'EC', crv: 'P-521', x: 'AA', y: 'AA', kid: 'foreign' });
		const made = await create('robot', uri);
		assert.deepEqual([made.auth, made.jwks_uri, made.jwks_read_at, made.jwks_problem], ['private_key_jwt', uri, null, null]);
		await until(async () => (await show('robot')).jwks_read_at);
		assert.deepEqual((await show('robot')).jwks, { keys: [jwk(one, 'one')] });
		granted(await token('robot', one, 'one'));
		granted(await token('robot', one));
		assert.deepEqual(host.calls.at(-1).headers, { host: `agent.localhost:${host.port}`, accept: 'application/jwk-set+json, application/json' });
		publish('/robot.json', jwk(one, 'one'), jwk(two, 'two'));
		host.documents.get('/robot.json').headers = { 'cache-control': 'max-age=86400' };
		refused(await token('robot', two, 'two'), 401, 'invalid_client', /registered key/);
		move(301);
		refused(await token('robot', two, 'two'), 401, 'invalid_client', /registered key/); // this one has it read
		await until(async () => (await show('robot')).jwks.keys.length === 2);
		assert.equal(reads('/robot.json'), 2);
		granted(await token('robot', two, 'two'));
		granted(await token('robot', one, 'one'));
		publish('/robot.json', jwk(two, 'two'));
		move(hour);
		await until(async () => (await show('robot')).jwks.keys.length === 1);
		refused(await token('robot', one, 'one'), 401, 'invalid_client', /registered key/);
		granted(await token('robot', two, 'two'));
		assert.equal(reads('/robot.json'), 3);
	});

	test('a flood of assertions that nobody can verify has nothing fetched; of unknown kids one in five minutes', async () => {
		await create('flooded', publish('/flooded.json', jwk(one, 'one')));
		await until(async () => (await show('flooded')).jwks_read_at);
		const flood = async (kid) => {
			const answers = await Promise.all(Array.from({ length: 24 }, () => token('flooded', other, kid)));
			for (const answer of answers) refused(answer, 401, 'invalid_client', /registered key/);
		};
		const rounds = async () => { // so many that whatever was noted would have been done
			await create(`beside-${moved}`, publish('/beside.json', jwk(one, 'one')));
			await until(async () => (await show(`beside-${moved}`)).jwks_read_at);
		};
		for (const kid of ['one', undefined, 'unknown']) await flood(kid);
		await rounds();
		assert.equal(reads('/flooded.json'), 1, 'it was read a moment ago');
		move(301);
		for (const kid of ['one', undefined]) await flood(kid);
		await rounds();
		assert.equal(reads('/flooded.json'), 1, 'a signature that is wrong is no reason');
		const began = (await show('flooded')).jwks_read_at;
		await flood('unknown');
		await until(async () => (await show('flooded')).jwks_read_at !== began);
		for (let i = 0; i < 3; i++) await flood(`unknown${i}`);
		move(1);
		await rounds();
		assert.equal(reads('/flooded.json'), 2);
		granted(await token('flooded', one, 'one'));
	});

	test('while the host is down, or says nonsense, the last good set counts for a day, and the operator is told', async () => {
		await create('down', publish('/down.json', jwk(one, 'one')));
		await until(async () => (await show('down')).jwks_read_at);
		host.documents.set('/down.json', { body: set({ kty: 'oct', k: 'AAAA' }) });
		move(hour);
		await until(() => warnings('down').length === 1);
		assert.match(warnings('down')[0].reason, /private or symmetric/);
		assert.match((await show('down')).jwks_problem, /key 1 holds a private or symmetric key/);
		granted(await token('down', one, 'one'));
		host.answer = (request, response) => response.destroy();
		move(22 * hour);
		await until(() => warnings('down').length === 2);
		granted(await token('down', one, 'one'));
		move(hour);
		refused(await token('down', one, 'one'), 401, 'invalid_client', /for a day/);
		host.answer = null;
		publish('/down.json', jwk(two, 'two'));
		move(400);
		await until(async () => (await show('down')).jwks_problem === null);
		granted(await token('down', two, 'two'));
		refused(await token('down', one, 'one'), 401, 'invalid_client', /registered key/);
	});

	test('a set that cannot be used is refused whole, and the operator reads why', async () => {
		const many = Array.from({ length: 33 }, (unused, i) => jwk(one, `k${i}`));
		const bad = {
			'too-large': [{ body: set(jwk(one, 'one', { x5c: ['A'.repeat(70000)] })) }, /more than 65536 bytes/],
			'too-many': [{ body: set(...many) }, /1 to 32 keys/],
			'too-many-usable': [{ body: set(...many.slice(0, 9)) }, /more than 8 keys/],
			symmetric: [{ body: set(jwk(one, 'one'), { kty: 'oct', k: 'AAAA' }) }, /private or symmetric/],
			private: [{ body: set(jwk(one, 'one', one.private.export({ format: 'jwk' }))) }, /private or symmetric/],
			'same-kid': [{ body: set(jwk(one, 'a'), jwk(two, 'a')) }, /kid/],
			'no-key': [{ body: set({ kty: 'EC', crv: 'P-521', x: 'AA', y: 'AA' }) }, /no key to verify/],
			'no-set': [{ body: '[]' }, /"keys"/],
			'no-json': [{ body: '<html>' }, /not JSON/],
			'called-html': [{ body: set(jwk(one, 'one')), type: 'text/html' }, /not called JSON/],
			moved: [{ body: '', status: 302, headers: { location: host.url('/robot.json') } }, /302/],
			gone: [{ body: '', status: 404 }, /404/],
		};
		for (const [id, [answer]] of Object.entries(bad)) {
			host.documents.set(`/${id}.json`, answer);
			await create(id, host.url(`/${id}.json`));
		}
		for (const [id, [, words]] of Object.entries(bad)) {
			await until(async () => (await show(id)).jwks_problem);
			const shown = await show(id);
			assert.match(shown.jwks_problem, words, id);
			assert.deepEqual([shown.jwks_read_at, shown.jwks], [null, undefined], id);
			refused(await token(id, one, 'one'), 401, 'invalid_client', /nothing was read/);
			assert.equal(reads(`/${id}.json`), 1, id);
		}
	});

	test('addresses that nobody may name, and keys given twice', async () => {
		const uris = { 'http://app.example/keys': /not an https URL/, 'https://127.0.0.1/keys': /a name/, 'https://[::1]/keys': /a name/, 'https://db.internal/keys': /public host/,
			'https://u:p@app.example/keys': /user name/, 'https://app.example/keys#a': /fragment/, 'https://app.example': /a path/, 'https://app.example/a/../k': /dot segments/, 'javascript:alert(1)': /https URL/,
			[`https://app.example/${'a'.repeat(500)}`]: /512 bytes/ };
		const file = path.join(grantd.home, 'keys.json');
		fs.writeFileSync(file, set(jwk(one, 'one')));
		await grantd.unchanged(async () => {
			for (const [uri, words] of Object.entries(uris)) {
				await assert.rejects(create('bad', uri), words, uri);
				refused(await register(grantd, confidential(uri)), 400, 'invalid_client_metadata', words);
			}
			await assert.rejects(create('bad', host.url('/robot.json'), '--jwks-file', file), /one of --public/);
			await assert.rejects(grantd.operate(['client', 'update', 'robot', '--jwks-uri', host.url('/x.json'), '--jwks-file', file]), /not both/);
			refused(await register(grantd, confidential(host.url('/robot.json'), { jwks: { keys: [jwk(one, 'one')] } })), 400, 'invalid_client_metadata', /not both/);
		});
	});

	test('keys by value take the place of keys by reference, and the other way round', async () => {
		const file = path.join(grantd.home, 'value.json');
		fs.writeFileSync(file, set(jwk(one, 'one')));
		await create('changing', publish('/changing.json', jwk(two, 'two')));
		await until(async () => (await show('changing')).jwks_read_at);
		const by_value = await grantd.operate(['client', 'update', 'changing', '--jwks-file', file]);
		assert.deepEqual([by_value.jwks_uri, by_value.jwks], [undefined, { keys: [jwk(one, 'one')] }]);
		granted(await token('changing', one, 'one'));
		refused(await token('changing', two, 'two'), 401, 'invalid_client');
		await grantd.operate(['client', 'update', 'changing', '--jwks-uri', host.url('/changing.json')]);
		refused(await token('changing', one, 'one'), 401, 'invalid_client');
		await until(async () => (await show('changing')).jwks_read_at);
		granted(await token('changing', two, 'two'));
		// the same once more: read now
		publish('/changing.json', jwk(one, 'one'));
		await grantd.operate(['client', 'update', 'changing', '--jwks-uri', host.url('/changing.json')]);
		await until(async () => (await show('changing')).jwks.keys[0].kid === 'one');
	});

	test('an agent that registers itself has nothing read until somebody who is signed in is asked', async () => {
		const uri = publish('/own.json', jwk(one, 'one'));
		const { status, body } = await register(grantd, confidential(uri));
		assert.deepEqual([status, body.token_endpoint_auth_method, body.jwks_uri, body.jwks], [201, 'private_key_jwt', uri, undefined]);
		refused(await post('/token', { grant_type: 'refresh_token', refresh_token: 'grt_x', ...assertion(body.client_id, one, 'unknown') }), 401, 'invalid_client', /nothing was read/);
		const bob = await grantd.add_person('bob');
		assert.match((await bob.get(agent_of(body.client_id).authorization().url)).text, /signing in|Sign in/);
		assert.equal(reads('/own.json'), 0);
		granted(await redeem(body.client_id, one, 'one'));
		assert.equal(reads('/own.json'), 1);
		await grantd.restart();
		granted(await redeem(body.client_id, one, 'one'));
		assert.equal(reads('/own.json'), 1, 'it lies in the store');
		// somebody allowed it: now its own word is enough
		publish('/own2.json', jwk(two, 'two'));
		const changed = await register(grantd, { ...confidential(host.url('/own2.json')), client_id: body.client_id }, { at: body.registration_client_uri, method: 'PUT', token: body.registration_access_token });
		assert.deepEqual([changed.status, changed.body.jwks_uri], [200, host.url('/own2.json')]);
		await until(async () => (await show(body.client_id)).jwks_read_at);
		granted(await redeem(body.client_id, two, 'two'));
		refused(await redeem(body.client_id, one, 'one'), 401, 'invalid_client');
	});

	test('a person whose agent publishes no usable keys is told so, and it is logged', async () => {
		host.documents.set('/nothing.json', { body: '{}' });
		const { body } = await register(grantd, confidential(host.url('/nothing.json')));
		await alice.sign_in();
		const page = await alice.get(agent_of(body.client_id).authorization().url);
		assert.equal(page.status, 400);
		assert.match(page.text, /This agent cannot be recognised/);
		assert.match(grantd.log().find(({ event, client }) => event === 'keys.not_read' && client === body.client_id).reason, /1 to 32 keys/);
		publish('/nothing.json', jwk(one, 'one'));
		granted(await redeem(body.client_id, one, 'one'));
	});

	test('a metadata document may name where its keys are: both are read for who has signed in, and a pinned copy\'s at once', async () => {
		const url = host.publish(confidential(publish('/document_keys.json', jwk(one, 'one')), { client_id: host.url('/document.json') }), { file: '/document.json' });
		granted(await redeem(url, one, 'one'));
		assert.deepEqual([reads('/document.json'), reads('/document_keys.json')], [1, 1]);
		const file = path.join(grantd.home, 'pinned.json');
		publish('/pinned_keys.json', jwk(two, 'two'));
		fs.writeFileSync(file, JSON.stringify({ client_id: url, ...confidential(host.url('/pinned_keys.json')) }));
		assert.equal((await grantd.operate(['client', 'pin', url, '--file', file])).jwks_uri, host.url('/pinned_keys.json'));
		await until(async () => (await show(url)).jwks_read_at);
		granted(await redeem(url, two, 'two'));
		refused(await redeem(url, one, 'one'), 401, 'invalid_client');
		const late = host.publish(confidential(host.url('/k.json'), { require_pushed_authorization_requests: true }), { file: '/late.json' });
		const page = await alice.get(agent_of(late).authorization().url);
		is_error_page(page);
		assert.match(page.text, /jwks has to take the place of jwks_uri/);
		for (const jwks_uri of [host.url('/k.json').replace('https', 'http'), 7, ''])
			is_error_page(await alice.get(agent_of(host.publish(confidential(jwks_uri), { file: '/bad_document.json' })).authorization().url));
		is_error_page(await alice.get(agent_of(host.publish(confidential(host.url('/k.json'), { jwks: { keys: [jwk(one)] } }), { file: '/bad_document.json' })).authorization().url));
	});
});

test('RG-009: keys of domains that the operator keeps out, or whose names lead inside, are not read', async (t) => {
	const inside = { 'ten.example': '10.1.2.3', 'link.example': '169.254.169.254', 'mixed.example': '93.184.216.34,10.0.0.1' };
	const grantd = await Instance.create({ env: { GIVEN_NAMES: Object.entries(inside).map(([name, addresses]) => `${name}=${addresses}`).join(' '), LD_PRELOAD: preloads(shim('given_names')),
		GRANTD_REGISTRATION: 'token', GRANTD_CLIENT_METADATA_DENY: 'bad.example' } });
	t.after(() => grantd.dispose());
	await grantd.start();
	await grantd.add_resource();
	const { register_token: token } = await grantd.operate(['client', 'register-token', '--uses', '9']);
	const said = (what) => grantd.daemon.stderr.split('\n').filter((line) => line.startsWith(`given_names: ${what}`)).map((line) => line.split(' ')[2]);
	refused(await register(grantd, confidential('https://deep.bad.example/keys'), { token }), 400, 'invalid_client_metadata', /not read from that domain/);
	const names = Object.keys(inside);
	const made = await Promise.all(names.map((name) => register(grantd, confidential(`https://${name}/keys`), { token })));
	for (const { status, body } of made) {
		assert.equal(status, 201);
		assert.match(await until(async () => (await grantd.operate(['client', 'show', body.client_id])).jwks_problem), /not on the public internet/);
	}
	assert.deepEqual(said('lookup').sort(), names.sort());
	assert.deepEqual(said('connect'), []);
});
