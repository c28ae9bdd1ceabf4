// SPDX-License-Identifier: Apache-2.0
// Agents that nobody registered, by their metadata documents: rows CM of tests/rows, and a whole life of one.
import assert from 'node:assert/strict';
import crypto from 'node:crypto';
import fs from 'node:fs';
import path from 'node:path';
import { after, before, describe, test } from 'node:test';
import { with_documents } from './agent_host.mjs';
import { ask, granted, is_error_page, refused, until } from './expect.mjs';
import { Instance } from './harness/index.mjs';
import { preloads, shim } from './preload.mjs';
import { ClientKey } from './proof.mjs';

const metadata_of = async (grantd) => (await grantd.fetch(`${grantd.issuer}/.well-known/oauth-authorization-server`)).json();
const shown = (page) => ({ status: page.status, text: page.text });

function is_page(page, words) {
	assert.equal(page.left, null, `it left to ${page.left}`);
	assert.equal(page.status, 400, page.text.slice(0, 300));
	assert.match(page.text, words);
}

const unusable = /This agent cannot be recognised/;
const unknown = /This agent is not known here/;

describe('one host with documents', () => {
	let grantd, host, alice;
	before(async () => ({ grantd, host, alice } = await with_documents(null, { env: { GRANTD_DEVICE_FLOW: 'open' } })));
	after(async () => { await grantd.dispose(); await host.stop(); });

	// What a signed-in person sees who is sent by that agent; nothing but events and what was counted is written.
	async function seen(url, changes) {
		await alice.sign_in();
		return alice.get(host.agent(grantd, url, changes).authorization().url);
	}
	const refuses = (url, words, changes) => grantd.unchanged(async () => is_page(await seen(url, changes), words), { except: ['events', 'throttles', 'sessions'] });

	test('a whole life: signed in first, read once, asked, tokens, refreshed, revoked', async () => {
		const agent = host.agent(grantd, host.publish({}, { file: '/life.json' }));
		const fetches = host.fetches;
		const bob = await grantd.add_person('bob');
		const stranger = await bob.get(agent.authorization().url);
		assert.match(stranger.text, /signing in to answer agent\.localhost:\d+\. Nothing is allowed yet/);
		assert.doesNotMatch(stranger.text, /Robot/);
		assert.equal(host.fetches, fetches, 'nothing is fetched before the sign-in');
		const page = await bob.sign_in_on(stranger);
		assert.match(page.text, /“Robot” asks for access to Mail of Example Ltd/);
		assert.match(page.text, /It says it is Robot\. Nobody has verified that\. Described at: agent\.localhost/);
		assert.match(page.text, /Nobody here has allowed this agent before/);
		assert.match(page.text, /Any program on this computer can say that it is Robot/);
		const tokens = await agent.tokens(bob);
		assert.equal(host.fetches, fetches + 1, 'read once');
		const sent = host.calls.at(-1);
		assert.deepEqual(sent.headers, { host: `agent.localhost:${host.port}`, accept: 'application/json' });
		assert.equal((await grantd.introspect(tokens.access_token)).client_id, agent.client_id);
		const next = (await agent.refresh(tokens.refresh_token)).body;
		assert.equal((await agent.revoke(next.refresh_token)).status, 200);
		refused(await agent.refresh(next.refresh_token), 400, 'invalid_grant');
		// asked every time: nothing about it is proven
		const again = await bob.open(agent.authorization().url);
		assert.match(again.text, /You already allow this agent/);
		assert.doesNotMatch(again.text, /Nobody here has allowed this agent/);
		const [event] = await grantd.rows("SELECT details FROM events WHERE kind = 'grant.allowed'");
		assert.match(JSON.parse(event.details).document, /^[\w-]{43}$/);
		assert.deepEqual((await grantd.operate(['client', 'show', agent.client_id])).name, 'Robot');
	});

	test('the endpoints that nobody signs in at never fetch: such a client is not known there', async () => {
		const agent = host.agent(grantd, host.publish({ grant_types: ['authorization_code', 'urn:ietf:params:oauth:grant-type:device_code'] }, { file: '/early.json' }));
		const fetches = host.fetches;
		refused(await agent.post('/token', { grant_type: 'authorization_code', code: 'gac_x', code_verifier: 'x'.repeat(43) }), 401, 'invalid_client');
		refused(await agent.refresh('grt_x'), 401, 'invalid_client');
		refused(await agent.revoke('grt_x'), 401, 'invalid_client');
		const ask_from_a_device = () => agent.post('/device_authorization', { scope: 'mail.read', resource: agent.resource });
		refused(await ask_from_a_device(), 401, 'invalid_client');
		assert.equal(host.fetches, fetches);
		// known by a person's question, it may
		assert.equal((await seen(agent.client_id)).status, 200);
		assert.equal((await ask_from_a_device()).status, 200);
	});

	test('a question that cannot be come back to after the sign-in says why', async () => {
		const url = host.agent(grantd, host.publish({}, { file: '/back.json' })).authorization().url;
		const status = async (target) => (await ask(grantd, target)).status;
		assert.equal(await status(url), 303);
		assert.equal(await status(`${url}&x=a|b`), 400, 'a character that should be escaped');
		assert.equal(await status(url.replace('client_id=', '%63lient_id=')), 400, 'a name that should not');
		assert.equal(await status(`${url}&x=${'a'.repeat(5000)}`), 413, 'too long');
	});

	test('its identity is proven when the answer goes by https to the domain that publishes it', async () => {
		const url = host.publish({ redirect_uris: ['https://app.agents.localhost/cb', 'https://elsewhere.example/cb', 'com.example.app:/cb'] }, { file: '/proven.json', name: 'id.agents.localhost' });
		const page = await seen(url, { redirect_uri: 'https://app.agents.localhost/cb' });
		assert.match(page.text, /Its identity is published by id\.agents\.localhost:\d+\./);
		assert.match(page.html, /#seal"/);
		for (const redirect_uri of ['https://elsewhere.example/cb', 'com.example.app:/cb']) {
			const other = await seen(url, { redirect_uri });
			assert.match(other.text, /Nobody has verified that/);
			assert.doesNotMatch(other.html, /#seal"/);
		}
	});

	test('an agent that looks like one that is known is told from it', async () => {
		await grantd.add_agent({ id: 'claude', name: 'Claude' });
		const twin = host.publish({ client_name: 'Cl\u0430ude' }, { file: '/twin.json' });
		const page = await seen(twin);
		assert.match(page.text, /mixes letters of different alphabets/);
		assert.match(page.text, /not the agent “Claude” that is already known here/);
		const honest = await seen(host.publish({ client_name: 'Claudia' }, { file: '/honest.json' }));
		assert.doesNotMatch(honest.text, /alphabets|already known here/);
	});

	describe('CM-001: client_ids that are no URL of a document', () => {
		const forms = (origin, port) => [
			['http', `http://agent.localhost:${port}/agent.json`], ['no path', origin], ['fragment', `${origin}/agent.json#x`],
			['userinfo', `https://a:b@agent.localhost:${port}/agent.json`], ['dot segment', `${origin}/./agent.json`],
			['dot segments', `${origin}/a/../agent.json`], ['encoded dots', `${origin}/a/%2e%2e/agent.json`], ['encoded dot', `${origin}/%2E/agent.json`],
			['backslash', `${origin}\\agent.json`], ['encoded backslash', `${origin}/a%5cagent.json`], ['too long', `${origin}/${'a'.repeat(600)}`],
		];
		for (const name of forms('', 0).map(([one]) => one)) {
			test(name, async () => {
				const fetches = host.fetches;
				const [, url] = forms(host.url(''), host.port).find(([one]) => one === name);
				await refuses(url, /cannot be recognised|not known here/);
				is_error_page(await ask(grantd, host.agent(grantd, url).authorization().url));
				assert.equal(host.fetches, fetches);
			});
		}
	});

	describe('CM-002: hosts that are addresses', () => {
		for (const name of ['2130706433', '0x7f000001', '0177.0.0.1', '127.1', '127.0.0.1', '[::1]', '[::ffff:7f00:1]', '[fe80::1%25eth0]', '127.0.0.1.']) {
			test(name, async () => {
				const fetches = host.fetches;
				await refuses(host.url('/agent.json', name), unusable);
				assert.equal(host.fetches, fetches);
			});
		}
	});

	test('CS-015: a logo that an agent names is neither shown nor asked for, by the browser or by grantd', async () => {
		const logo = host.url('/logo.png');
		const described = host.agent(grantd, host.publish({ logo_uri: logo }, { file: '/logo.json' }));
		const registration = { client_name: 'Robot', redirect_uris: ['http://127.0.0.1/callback'], token_endpoint_auth_method: 'none', logo_uri: 'https://logo.example/logo.png' };
		const answer = await grantd.fetch(`${grantd.issuer}/register`, { method: 'POST', body: JSON.stringify(registration), headers: { 'content-type': 'application/json' } });
		const registered = host.agent(grantd, (await answer.json()).client_id);
		await alice.sign_in();
		for (const agent of [described, registered]) {
			const page = await alice.get(agent.authorization().url);
			assert.match(page.text, /“Robot” asks for access/);
			assert.doesNotMatch(page.html, /logo\.(png|example)/);
			assert.match(page.headers.get('content-security-policy'), /default-src 'none';.* img-src 'self';/);
		}
		assert.ok(!host.calls.some(({ url }) => url === '/logo.png'));
	});

	describe('CM-006: redirects are not followed', () => {
		for (const status of [301, 302, 303, 307, 308]) {
			test(String(status), async () => {
				const target = host.publish({}, { file: '/target.json' });
				const url = host.publish({}, { file: `/moved${status}.json`, status, headers: { location: target } });
				const fetches = host.fetches;
				await refuses(url, new RegExp(`answered ${status} and not 200`));
				assert.equal(host.fetches, fetches + 1);
			});
		}
	});
	test('an answer other than 200 is an error, and asked for again the next time', async () => {
		const url = host.url('/later.json');
		await refuses(url, /answered 404 and not 200/);
		host.publish({}, { file: '/later.json' });
		assert.match((await seen(url)).text, /“Robot” asks for access/);
	});

	test('CM-009: a host that sends a byte a second is left after three', async () => {
		const url = host.publish({}, { file: '/slow.json' });
		const timers = [];
		host.answer = (request, response) => {
			response.writeHead(200, { 'content-type': 'application/json' });
			timers.push(setInterval(() => response.write('{'), 1000));
		};
		await refuses(url, unusable);
		host.answer = null;
		timers.forEach(clearInterval);
		assert.match(grantd.log().findLast((line) => line.event === 'document.not_read').reason, /did not answer within 3000 ms/);
	});
	test('hosts that hang hold up nothing else: tokens, pages and agents that are known go on meanwhile', async () => {
		const known = host.publish({}, { file: '/known.json' });
		await seen(known);
		const agent = await grantd.add_agent();
		let tokens = await agent.tokens(alice);
		const paths = Array.from({ length: 8 }, (unused, i) => host.publish({}, { file: `/hangs${i}.json` }));
		// one of three rounds is enough: on a slow machine what goes on may itself take as long as the hosts are waited for
		for (let round = 0, is_free = false; !is_free; round++) {
			assert.ok(round < 3, 'something waited for the hosts');
			const fetches = host.fetches;
			let ended = 0;
			host.answer = () => {};
			// so many at once at one host, then it is busy for a person
			const hanging = paths.map((url) => alice.get(host.agent(grantd, url).authorization().url).then((page) => {
				if (page.status !== 503) ended++;
				return page.status;
			}));
			await until(async () => host.fetches > fetches);
			tokens = granted(await agent.refresh(tokens.refresh_token));
			assert.equal((await grantd.introspect(tokens.access_token)).active, true);
			assert.match((await alice.get(host.agent(grantd, known).authorization().url)).text, /“Robot” asks for access/);
			assert.equal((await grantd.fetch(`${grantd.issuer}/login`)).status, 200);
			is_free = ended === 0;
			const statuses = await Promise.all(hanging);
			host.answer = null;
			assert.ok(statuses.includes(400) && statuses.every((status) => [400, 503].includes(status)), `${statuses}`);
		}
	});
	test('a document over 5 KiB is left', async () => {
		const url = host.publish({ filler: 'x'.repeat(6000) }, { file: '/large.json' });
		await refuses(url, unusable);
		assert.match(grantd.log().findLast((line) => line.event === 'document.not_read').reason, /more than 5120 bytes/);
	});

	describe('CM-010: types that are not JSON', () => {
		for (const type of ['text/html', 'application/octet-stream', 'text/plain; x=application/json'])
			test(type, () => refuses(host.publish({}, { file: '/type.json', type }), /not called JSON/));
		test('a type that ends in +json is JSON', async () => {
			assert.match((await seen(host.publish({}, { file: '/plus.json', type: 'application/x+json; charset=utf-8' }))).text, /“Robot” asks/);
		});
	});

	describe('CM-011: client_id is not the URL', () => {
		const others = { case: (url) => url.replace('agent.json', 'Agent.json'), ':443': (url) => url.replace(`:${host.port}`, ':443'),
			'trailing slash': (url) => `${url}/`, missing: () => null, 'another type': () => 7 };
		for (const [name, change] of Object.entries(others))
			test(name, () => refuses(host.publish({ client_id: change(host.url()) }), /not the URL it stands at/));
	});

	describe('CM-012: secrets', () => {
		const secrets = [{ client_secret: 'x' }, { client_secret_expires_at: 0 }, { token_endpoint_auth_method: 'client_secret_basic' },
			{ token_endpoint_auth_method: 'client_secret_post' }, { token_endpoint_auth_method: 'client_secret_jwt' }];
		for (const secret of secrets)
			test(JSON.stringify(secret), () => refuses(host.publish(secret, { file: '/secret.json' }), /client_secret|must be none or private_key_jwt/));
	});

	test('CM-014: a redirect_uri that is not in the document is a page', async () => {
		const url = host.publish({}, { file: '/redirect.json' });
		assert.match((await seen(url)).text, /“Robot” asks/);
		for (const redirect_uri of ['https://evil.example/cb', 'http://127.0.0.1/other', 'http://localhost/callback'])
			await refuses(url, /redirect_uri is not one the agent registered/, { redirect_uri });
		assert.match((await seen(url, { redirect_uri: 'http://127.0.0.1:51234/callback' })).text, /“Robot” asks/);
	});

	test('a wrong question is a page until the person has allowed the agent, and then its own', async () => {
		const agent = host.agent(grantd, host.publish({}, { file: '/errors.json' }));
		const carol = await grantd.add_person('carol');
		await carol.sign_in();
		const wrong = () => carol.get(agent.authorization({ scope: 'no.such' }).url);
		is_page(await wrong(), /scope number 1/);
		is_page(await carol.get(agent.authorization({ prompt: 'none' }).url), /has to be asked/);
		await agent.tokens(carol);
		assert.equal((await wrong()).left.searchParams.get('error'), 'invalid_scope');
		await alice.sign_in();
		is_page(await alice.get(agent.authorization({ scope: 'no.such' }).url), /scope number 1/);
	});

	test('CM-017: a hundred who ask for one agent at the same time cost one fetch', async () => {
		const agent = host.agent(grantd, host.publish({}, { file: '/crowd.json' }));
		const fetches = host.fetches;
		await alice.sign_in();
		host.answer = (request, response) => setTimeout(() => response.writeHead(200, { 'content-type': 'application/json' })
			.end(host.documents.get('/crowd.json').body), 500);
		const pages = await Promise.all(Array.from({ length: 100 }, () => alice.get(agent.authorization().url)));
		host.answer = null;
		for (const page of pages) assert.deepEqual(shown(page).status, 200, page.text.slice(0, 200));
		assert.equal(host.fetches, fetches + 1);
	});
	test('all who waited for an agent are told what is wrong with it', async () => {
		const agent = host.agent(grantd, host.publish({ client_id: null }, { file: '/crowd2.json' }));
		const fetches = host.fetches;
		host.answer = (request, response) => setTimeout(() => response.writeHead(200, { 'content-type': 'application/json' })
			.end(host.documents.get('/crowd2.json').body), 500);
		const pages = await Promise.all(Array.from({ length: 20 }, () => alice.get(agent.authorization().url)));
		host.answer = null;
		for (const page of pages) is_page(page, /not the URL it stands at/);
		assert.equal(host.fetches, fetches + 1);
	});

	test('CM-018: who has not signed in causes no fetch and leaves no row, and who has may bring sixty documents an hour, of ten new hosts', async () => {
		const fetches = host.fetches;
		await grantd.unchanged(async () => {
			for (let i = 0; i < 200; i++) {
				const answer = await ask(grantd, host.agent(grantd, host.url(`/${i}`, `h${i}.agents.localhost`)).authorization().url);
				assert.match(answer.headers.get('location'), /^\/login\?next=/);
			}
		});
		assert.equal(host.fetches, fetches);
		const dave = await grantd.add_person('dave');
		await dave.sign_in();
		const statuses = [];
		for (let i = 0; i < 12; i++) {
			const url = host.publish({}, { file: '/many.json', name: `m${i}.agents.localhost` });
			statuses.push((await dave.get(host.agent(grantd, url).authorization().url)).status);
		}
		assert.deepEqual(statuses, [...Array(10).fill(200), 429, 429]);
		// a host that is known costs nothing of it
		const read = async (file) => (await dave.get(host.agent(grantd, host.publish({}, { file })).authorization().url)).status;
		assert.equal(await read('/new.json'), 200);
		for (let i = 0; i < 49; i++) assert.equal(await read(`/dave${i}.json`), 200, `${i}`);
		assert.equal(await read('/dave.json'), 429);
	});

	test('CM-022: an internationalised host stays as it is written, with what was registered of it standing out', async () => {
		const page = await seen(host.publish({}, { file: '/idn.json', name: 'xn--bcher-kva.agents.localhost' }));
		assert.match(page.html, new RegExp(`<span class="host">xn--bcher-kva\\.<strong>agents\\.localhost</strong>:${host.port}</span>`));
		assert.doesNotMatch(page.text, /bücher|alphabets/);
	});

	test('a host that mixes alphabets is told, also with a port, and one that nobody can read is taken for one', async () => {
		for (const name of ['xn--pple-43d.agents.localhost', 'xn--zz.agents.localhost'])
			assert.match((await seen(host.publish({}, { file: '/mixed.json', name }))).text, /mixes letters of different alphabets/, name);
	});

	test('what it says of its proofs binds it until it says otherwise; what is bound stays bound, and the operator has the last word', async () => {
		const { publicKey } = crypto.generateKeyPairSync('ec', { namedCurve: 'P-256' });
		const keys = { token_endpoint_auth_method: 'private_key_jwt', jwks: { keys: [publicKey.export({ format: 'jwk' })] } };
		const shown_of = async (url) => {
			const { dpop_bound, auth_alg } = await grantd.operate(['client', 'show', url]);
			return [dpop_bound, auth_alg];
		};
		const url = host.publish({ dpop_bound_access_tokens: true }, { file: '/bound.json' });
		const agent = host.agent(grantd, url);
		const wish = agent.authorization();
		const { code } = await alice.allow(wish.url);
		refused(await agent.redeem(code, wish), 400, 'invalid_dpop_proof', /without a DPoP proof/);
		assert.deepEqual(await shown_of(url), [true, undefined]);
		const key = new ClientKey();
		const proof = () => ({ headers: { DPoP: key.proof(`${grantd.issuer}/token`) } });
		const is_bound = ({ status, body, text }) => {
			assert.deepEqual([status, body.token_type], [200, 'DPoP'], text);
			return body;
		};
		const bound = is_bound(await agent.redeem(code, wish, {}, proof()));
		const pin = async (changes) => {
			const file = path.join(grantd.home, 'pinned.json');
			host.publish(changes, { file: '/bound.json' });
			fs.writeFileSync(file, host.documents.get('/bound.json').body);
			await grantd.operate(['client', 'pin', url, '--file', file]);
		};
		await pin({});
		assert.deepEqual(await shown_of(url), [false, undefined]);
		assert.deepEqual(JSON.parse((await grantd.rows("SELECT details FROM events WHERE kind = 'client.document' ORDER BY id DESC LIMIT 1"))[0].details).changed, ['pinned', 'dpop_bound']);
		assert.equal((await agent.tokens(alice)).token_type, 'Bearer');
		refused(await agent.refresh(bound.refresh_token), 400, 'invalid_grant', /proof_missing/);
		is_bound(await agent.refresh(bound.refresh_token, {}, proof()));
		await grantd.operate(['client', 'update', url, '--dpop', 'required']);
		await pin({ ...keys, token_endpoint_auth_signing_alg: 'ES256', dpop_bound_access_tokens: false });
		assert.deepEqual(await shown_of(url), [true, 'ES256']);
		await assert.rejects(grantd.operate(['client', 'update', url, '--name', 'Other']), /what its document says/);
		await grantd.operate(['client', 'update', url, '--dpop', 'optional']);
		await pin({ dpop_bound_access_tokens: true });
		assert.deepEqual(await shown_of(url), [false, undefined]);
		for (const alg of ['HS256', 'none'])
			await refuses(host.publish({ ...keys, token_endpoint_auth_signing_alg: alg }, { file: '/alg.json' }), /alg/);
	});

	test('what is the operator\'s to say of it stays, whatever it publishes', async () => {
		const url = host.publish({}, { file: '/told.json' });
		await seen(url);
		const wishes = ['--dpop', 'required', '--par', 'required', '--refresh', 'sender-constrained', '--resource', 'mail', '--delegates-to', 'helper'];
		await grantd.add_agent({ id: 'helper', name: 'Helper' });
		await grantd.operate(['client', 'update', url, ...wishes]);
		const file = path.join(grantd.home, 'told.json');
		host.publish({ client_name: 'Told', dpop_bound_access_tokens: false, require_pushed_authorization_requests: false }, { file: '/told.json' });
		fs.writeFileSync(file, host.documents.get('/told.json').body);
		await grantd.operate(['client', 'pin', url, '--file', file]);
		const { name, dpop_bound, par_required, refresh, resource, delegates_to } = await grantd.operate(['client', 'show', url]);
		assert.deepEqual([name, dpop_bound, par_required, refresh, resource, delegates_to], ['Told', true, true, 'sender-constrained', grantd.mail_uri, ['helper']]);
	});

	test('an operator disables it like any other agent', async () => {
		const agent = host.agent(grantd, host.publish({}, { file: '/off.json' }));
		const { refresh_token } = await agent.tokens(alice);
		await grantd.operate(['client', 'disable', agent.client_id]);
		refused(await agent.refresh(refresh_token), 401, 'invalid_client');
		is_page(await alice.get(agent.authorization().url), unknown);
		assert.equal((await metadata_of(grantd)).client_id_metadata_document_supported, true);
	});
});

describe('certificates', () => {
	let grantd, host, alice, sound;
	before(async () => {
		({ grantd, host, alice } = await with_documents(null));
		sound = await host.certificate('sound');
		await alice.sign_in();
	});
	after(async () => { await grantd.dispose(); await host.stop(); });

	const wrong = {
		expired: () => host.certificate('expired', { args: ['-days', '-1'] }),
		'self-signed': () => host.certificate('self', { self_signed: true }),
		'wrong host': () => host.certificate('other', { names: ['other.localhost'] }),
		'TLS 1.1': () => ({ ...sound, minVersion: 'TLSv1', maxVersion: 'TLSv1.1', ciphers: 'DEFAULT:@SECLEVEL=0' }),
	};
	for (const [name, make] of Object.entries(wrong)) {
		test(`CM-019: ${name}`, async () => {
			const agent = host.agent(grantd, host.publish());
			const fetches = host.fetches;
			host.use(await make());
			is_page(await alice.get(agent.authorization().url), unusable);
			assert.equal(host.fetches, fetches, 'nothing was asked');
			host.use(sound);
		});
	}
	test('a certificate that is right is taken', async () => {
		host.use(sound);
		assert.match((await alice.get(host.agent(grantd, host.publish()).authorization().url)).text, /“Robot” asks/);
	});
});

describe('what names lead to', () => {
	const special = { 'loopback.example': '127.0.0.1', 'ten.example': '10.1.2.3', 'b172.example': '172.16.0.1', 'b192.example': '192.168.1.1',
		'link.example': '169.254.169.254', 'cgn.example': '100.64.0.1', 'zero.example': '0.0.0.0', 'doc.example': '192.0.2.1', 'bench.example': '198.18.0.1',
		'multi.example': '224.0.0.1', 'reserved.example': '240.0.0.1', 'one6.example': '::1', 'any6.example': '::', 'ula.example': 'fc00::1',
		'link6.example': 'fe80::1', 'multi6.example': 'ff02::1', 'nat64.example': '64:ff9b::a00:1', 'sixto4.example': '2002:a00:1::1', 'mapped.example': '::ffff:10.0.0.1' };
	const names = (map) => Object.entries(map).map(([name, addresses]) => `${name}=${addresses}`).join(' ');
	const with_names = (map, env) => ({ GIVEN_NAMES: names(map), LD_PRELOAD: preloads(shim('given_names')), ...env });
	const said = (grantd, what) => grantd.daemon.stderr.split('\n').filter((line) => line.startsWith(`given_names: ${what}`)).map((line) => line.split(' ')[2]);

	test('CM-003, CM-004: an address that is not public is never connected to, alone or beside a public one', async (t) => {
		const mixed = { 'mixed.example': '93.184.216.34,10.0.0.1', 'mixed6.example': '2606:4700::1111,fd00::1' };
		const grantd = await Instance.start(t, { env: with_names({ ...special, ...mixed }) });
		await grantd.add_resource();
		const hosts = [...Object.keys(special), ...Object.keys(mixed)];
		for (let i = 0; i < hosts.length; i++) {
			// ten new hosts an hour for a person
			const person = i % 8 === 0 ? await grantd.add_person(`person${i}`) : t.person;
			if (i % 8 === 0) await person.sign_in();
			t.person = person;
			const url = new URL(`/authorize?${new URLSearchParams({ client_id: `https://${hosts[i]}/agent.json`, redirect_uri: 'http://127.0.0.1/cb' })}`, grantd.issuer);
			const page = await person.get(url.href);
			is_page(page, unusable);
			assert.doesNotMatch(page.text, /public internet|\d+\.\d+\.\d+/, 'what a name leads to is not told');
		}
		await until(() => said(grantd, 'lookup').length >= hosts.length);
		assert.deepEqual(said(grantd, 'lookup'), hosts);
		assert.deepEqual(said(grantd, 'connect'), []);
	});

	test('CM-005: a name is looked up once, and only what it led to then is connected to', async (t) => {
		// here loopback stands for what is public, by the switch for tests
		const { grantd, host, alice } = await with_documents(t, { env: with_names({ 'agent.localhost': '127.0.0.1|10.0.0.1' }) });
		await alice.sign_in();
		const page = await alice.get(host.agent(grantd, host.publish()).authorization().url);
		assert.match(page.text, /“Robot” asks/);
		await until(() => said(grantd, 'connect').length > 0);
		assert.deepEqual(said(grantd, 'lookup'), ['agent.localhost']);
		assert.deepEqual(said(grantd, 'connect'), ['127.0.0.1']);
		// the next lookup leads inside, and is refused as a whole
		is_page(await alice.get(host.agent(grantd, host.publish({}, { file: '/b.json' })).authorization().url), unusable);
		assert.deepEqual(said(grantd, 'connect'), ['127.0.0.1']);
	});
});

test('CM-023: a new name or redirect URI is said when the person is next asked; of a new key there is notice only', async (t) => {
	const { grantd, host, alice } = await with_documents(t, { moved: true });
	const url = host.publish({ jwks: { keys: [] } }, { headers: { 'cache-control': 'max-age=600' } });
	const agent = host.agent(grantd, url);
	const { refresh_token } = await agent.tokens(alice);
	const asked = async () => {
		const page = await alice.open(agent.authorization().url);
		return /have changed since you allowed it/.test(page.text);
	};
	const changes = async () => (await grantd.rows("SELECT details FROM events WHERE kind = 'client.document' ORDER BY id")).map((row) => JSON.parse(row.details).changed);
	assert.equal(await asked(), false);
	host.publish({ jwks: { keys: [{ kty: 'OKP' }] } }, { headers: { 'cache-control': 'max-age=600' } });
	assert.equal(await asked(), false);
	assert.equal(host.fetches, 1, 'it is believed for as long as it says');
	grantd.move(601);
	assert.equal(await asked(), false, 'a key is no reason to warn');
	assert.deepEqual(await changes(), [['new'], ['keys']]);
	host.publish({ redirect_uris: ['http://127.0.0.1/callback', 'https://elsewhere.example/cb'], jwks: { keys: [{ kty: 'OKP' }] } });
	grantd.move(1300);
	assert.equal(await asked(), true);
	host.publish({ client_name: 'Other', jwks: { keys: [{ kty: 'OKP' }] } });
	grantd.move(3 * 3600);
	assert.equal(await asked(), true);
	assert.deepEqual(await changes(), [['new'], ['keys'], ['redirect_uris'], ['name', 'redirect_uris']]);
	assert.equal((await agent.refresh(refresh_token)).status, 200, 'what was allowed stays allowed');
	await agent.tokens(alice);
	assert.equal(await asked(), false, 'the last yes was to what it is now');
	// more for one installation is no yes to what it became since, and keeps nobody from being told of it
	const [{ id, grant_id }] = await grantd.rows('SELECT id, grant_id FROM families ORDER BY created_at DESC LIMIT 1');
	const page = await alice.get(`/account/agents/${grant_id}/installations/${id}`);
	const more = page.form_with('shown');
	const done = await alice.submit(page, more, { action: 'widen-installation', scope: ['mail.send'] }, { follow: false });
	assert.equal(done.status, 303, done.text.slice(0, 300));
	assert.equal(await asked(), false);
	host.publish({ client_name: 'Another', jwks: { keys: [] } });
	grantd.move(6 * 3600);
	assert.equal(await asked(), true);
});

test('the operator lets domains in, keeps them out, or switches documents off', async (t) => {
	const { grantd, host, alice } = await with_documents(t, { env: { GRANTD_CLIENT_METADATA_ALLOW: 'agents.localhost agent.localhost', GRANTD_CLIENT_METADATA_DENY: 'bad.agents.localhost' } });
	await alice.sign_in();
	const at = (name) => alice.get(host.agent(grantd, host.publish({}, { name })).authorization().url);
	assert.match((await at('good.agents.localhost')).text, /“Robot” asks/);
	const fetches = host.fetches;
	is_page(await at('bad.agents.localhost'), unknown);
	is_page(await at('deep.bad.agents.localhost'), unknown);
	is_page(await at('elsewhere.localhost'), unknown);
	assert.equal(host.fetches, fetches);
	const allowed = host.agent(grantd, host.publish({}, { name: 'good.agents.localhost' }));
	const { refresh_token } = await allowed.tokens(alice);
	grantd.env.GRANTD_CLIENT_METADATA = 'no';
	await grantd.restart();
	await alice.sign_in();
	is_page(await at('good.agents.localhost'), unknown);
	granted(await allowed.refresh(refresh_token));
	assert.equal((await metadata_of(grantd)).client_id_metadata_document_supported, false);
});

test('an operator pins a copy: the agent is known by it whatever stands at the URL, until it is unpinned', async (t) => {
	const { grantd, host, alice } = await with_documents(t, { env: { GRANTD_CLIENT_METADATA: 'no' } });
	await alice.sign_in();
	const url = host.publish({ client_name: 'Published' });
	const agent = host.agent(grantd, url);
	const open = async () => alice.get(agent.authorization().url);
	const file = path.join(grantd.home, 'pinned.json');
	fs.writeFileSync(file, JSON.stringify({ client_id: url, client_name: 'Pinned', redirect_uris: ['http://127.0.0.1/callback'] }));
	is_page(await open(), unknown);
	assert.equal((await grantd.operate(['client', 'pin', url, '--file', file])).name, 'Pinned');
	assert.match((await open()).text, /“Pinned” asks for access/);
	assert.equal((await agent.tokens(alice)).token_type, 'Bearer');
	const bob = await grantd.add_person('bob');
	assert.match((await bob.open(agent.authorization().url)).text, /“Pinned” asks for access/);
	assert.equal(host.fetches, 0);
	for (const [changes, words] of [[{ client_id: `${url}x` }, /not the URL it stands at/], [{ client_id: url, redirect_uris: [] }, /none of redirect_uris/]]) {
		fs.writeFileSync(file, JSON.stringify(changes));
		const refused_pin = await grantd.unchanged(() => grantd.grantctl(['client', 'pin', url, '--file', file]));
		assert.equal(refused_pin.status, 1);
		assert.match(refused_pin.stderr, words);
	}
	const untrusted = await grantd.grantctl(['client', 'pin', url]);
	assert.equal(untrusted.status, 1, 'what is read from here must be trusted here');
	assert.match(untrusted.stderr, /not trusted.*--file FILE/);
	await grantd.operate(['client', 'unpin', url]);
	assert.equal((await grantd.grantctl(['client', 'unpin', url])).status, 1);
	is_page(await open(), unknown);
	grantd.env.GRANTD_CLIENT_METADATA = 'yes';
	await grantd.restart();
	await alice.sign_in();
	assert.match((await open()).text, /calls itself Published asks for access/);
	assert.equal(host.fetches, 1);
});

test('documents of this machine are for tests: refused with an issuer that others could mean', async (t) => {
	const grantd = await Instance.create({ init: false });
	t.after(() => grantd.dispose());
	const database = grantd.database.url ? ['--database', grantd.database.url] : [];
	await grantd.grantd(['init', '--dir', grantd.dir, '--issuer', 'https://id.example.org', ...database]);
	grantd.env.GRANTD_CLIENT_METADATA_LOOPBACK = 'yes';
	const checked = await grantd.grantd(['check', '--dir', grantd.dir]);
	assert.equal(checked.status, 1);
	assert.match(checked.stdout + checked.stderr, /client_metadata_loopback: is for tests/);
});
