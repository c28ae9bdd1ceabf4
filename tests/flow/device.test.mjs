// SPDX-License-Identifier: Apache-2.0
// Agents on devices without a browser (RFC 8628): rows DV of tests/rows, and openid-client's device flow.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { after, before, describe, test } from 'node:test';
import * as openid from 'openid-client';
import { AgentHost } from './agent_host.mjs';
import { MovedInstance, hurried } from './clock.mjs';
import { ask, event_comes, event_kinds, granted, is_error_page, refused, until } from './expect.mjs';
import { new_home, stored } from './grant_login.mjs';
import { Person, claims, pkce, programs } from './harness/index.mjs';
import { ClientKey, asserting, seconds } from './proof.mjs';

const device_type = 'urn:ietf:params:oauth:grant-type:device_code';
const types = ['device_code', 'refresh_token'];
const key = new ClientKey(), thief = new ClientKey();
let grantd, alice, agent, plain, web, clock = 0;

const conf = () => path.join(grantd.dir, 'grantd.conf');
async function set(policy) {
	fs.writeFileSync(conf(), `${fs.readFileSync(conf(), 'utf8').replace(/^device_flow = .*\n/m, '')}${policy ? `device_flow = ${policy}\n` : ''}`);
	const reloads = () => grantd.log().filter(({ event }) => event === 'reload.done').length;
	const before = reloads();
	grantd.daemon.kill('SIGHUP');
	await until(() => reloads() > before);
}
const later = (by) => grantd.move(clock += by);

before(async () => {
	grantd = await MovedInstance.start(null);
	await grantd.add_resource({ scopes: [
		{ name: 'mail.read', title: 'Read your mail', risk: 'read', default: true, can: ['read messages'], cannot: ['change anything'] },
		{ name: 'mail.move', title: 'Tidy up your mail', risk: 'write', can: ['move messages'], cannot: ['delete anything'] },
		{ name: 'mail.send', title: 'Send mail as you', risk: 'send', can: ['send messages in your name'], cannot: ['delete anything'] },
	] });
	alice = await grantd.add_person('alice');
	agent = await grantd.add_agent({ grant_types: types, redirect_uris: [], scope: 'mail.read mail.move mail.send' });
	plain = await grantd.add_agent({ id: 'plain' });
	web = await grantd.add_agent({ id: 'web-app', secret: true, grant_types: types, redirect_uris: [] });
	await set('on');
});
after(() => grantd.end());

const start = (changes = {}, who = agent, options) => who.post('/device_authorization', { scope: who.scope, resource: who.resource, ...changes }, options);
async function started(changes, who, options) {
	const { status, body, text } = await start(changes, who, options);
	assert.equal(status, 200, text);
	return body;
}
const poll = ({ device_code }, changes = {}, who = agent, options) => who.post('/token', { grant_type: device_type, device_code, ...changes }, options);
const proof = (from, at, changes) => ({ headers: { DPoP: from.proof(`${grantd.issuer}${at}`, { iat: seconds(clock), ...changes }) } });

// Decides at once: the page is as old for the server as its button must be.
async function decide(page, decision, options, person = alice) {
	later(1);
	page.rendered_at = 0;
	return person.decide(page, decision, options);
}

// The consent page for that code, as who types it comes to it.
async function question(code, person = alice) {
	const page = await person.open('/device');
	return person.submit(page, page.form_with('user_code'), { user_code: code });
}
async function answer(code, decision, options, person = alice) {
	return decide(await question(code, person), decision, options, person);
}
const read = { scope: ['mail.read'], duration: '1h' };
const standing = () => Promise.all(['SELECT * FROM grants ORDER BY id', "SELECT id, state FROM requests WHERE state <> 'pending' ORDER BY id"].map((sql) => grantd.rows(sql)));

test('DV-001: off by default: no endpoint, no page, no word of it in the metadata, and no grant type', async (t) => {
	await set(null);
	t.after(() => set('on'));
	refused(await start(), 404, 'not_found');
	for (const page of ['/device', '/device?user_code=BCDF-GHJK', '/device/done']) is_error_page(await ask(grantd, page), 404);
	const { text } = await ask(grantd, '/.well-known/oauth-authorization-server');
	assert.doesNotMatch(text, /device/);
	refused(await poll({ device_code: 'gdc_x' }), 400, 'unsupported_grant_type');
	await set('on');
	const metadata = JSON.parse((await ask(grantd, '/.well-known/oauth-authorization-server')).text);
	assert.equal(metadata.device_authorization_endpoint, `${grantd.issuer}/device_authorization`);
	assert.ok(metadata.grant_types_supported.includes(device_type));
	// and an agent that may not ask from a device
	refused(await start({}, plain), 400, 'unauthorized_client');
});

test('openid-client asks, waits as it is told to, and has tokens that refresh', async () => {
	const config = await openid.discovery(new URL(grantd.issuer), 'mail-agent', undefined, openid.None(), { [openid.customFetch]: grantd.fetch });
	config[openid.customFetch] = grantd.fetch;
	const asked = await openid.initiateDeviceAuthorization(config, { scope: 'mail.read', resource: agent.resource });
	assert.equal(asked.interval, 5);
	// it asks before and after the answer, which is not given in its half second
	const page = await question(asked.user_code);
	const polling = openid.pollDeviceAuthorizationGrant(config, { ...asked, interval: 0.5 });
	assert.match((await decide(page, 'allow', read)).text, /Go back to your device/);
	const tokens = await polling;
	assert.equal(tokens.scope, 'mail.read');
	const { access_token } = await openid.refreshTokenGrant(config, tokens.refresh_token);
	assert.equal((await grantd.introspect(access_token)).active, true);
});

// `grant login --device --json`: what it shows first, and how it ends. It sleeps a hundredth of what it means to.
function device_login(home, words = [], { issuer = grantd.issuer, ca = path.join(grantd.dir, 'ca.pem') } = {}) {
	const child = spawn(programs.grant, ['login', '--issuer', issuer, '--client', 'mail-agent', '--resource', agent.resource, '--scope', 'mail.read',
		'--ca', ca, '--device', ...words], { env: { ...process.env, ...hurried(100), GRANT_HOME: home }, stdio: ['ignore', 'pipe', 'pipe'], timeout: 60_000 });
	const out = { stdout: '', stderr: '' };
	for (const name of ['stdout', 'stderr']) child[name].setEncoding('utf8').on('data', (text) => { out[name] += text; });
	const ended = new Promise((resolve) => child.on('close', (status) => resolve({ status, ...out })));
	return { child, out, ended };
}

test('grant login --device shows address and code, waits, and keeps a log-in like any other', async () => {
	const homes = [new_home(grantd), new_home(grantd)];
	const [json, plain_words] = [device_login(homes[0], ['--json']), device_login(homes[1])];
	const asked = JSON.parse(await until(() => json.out.stdout.includes('\n') && json.out.stdout.split('\n')[0]));
	assert.equal(asked.verification_uri, `${grantd.issuer}/device`);
	const said = await until(() => /\t([A-Z]{4}-[A-Z]{4})\n/.exec(plain_words.out.stderr));
	assert.ok(plain_words.out.stderr.includes(`\t${grantd.issuer}/device\n`), plain_words.out.stderr);
	await answer(asked.user_code, 'allow', read);
	await answer(said[1], 'deny');
	const [allowed, denied] = await Promise.all([json.ended, plain_words.ended]);
	assert.equal(allowed.status, 0, allowed.stderr);
	assert.equal(JSON.parse(allowed.stdout.split('\n')[1]).scope, 'mail.read');
	assert.equal(denied.status, 1);
	assert.match(denied.stderr, /the person said no \(access_denied\)/);
	assert.equal(denied.stdout, '');
	const { stdout } = await grantd.grant(homes[0], ['token']);
	assert.equal((await grantd.introspect(stdout.trim())).active, true);
	const bound = await grantd.grant(homes[0], ['token', '--dpop']);
	assert.match(claims(bound.stdout.trim()).cnf.jkt, /^.{43}$/);
});

// An issuer of that name whose questions go on to grantd; on_token sees each answer of /token before `grant` does.
async function issuer_before(t, { device = (body) => body, on_token }) {
	const host = await AgentHost.start(t, fs.mkdtempSync(path.join(grantd.home, 'before-')));
	const issuer = host.url('').replace(/\/$/, '');
	const forward = async (request) => {
		let form = '';
		for await (const part of request) form += part;
		return agent.post(request.url, Object.fromEntries(new URLSearchParams(form)));
	};
	host.answer = async (request, response) => {
		const say = (status, body) => response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body));
		if (request.method === 'GET') {
			const metadata = JSON.parse((await ask(grantd, '/.well-known/oauth-authorization-server')).text);
			return say(200, JSON.parse(JSON.stringify(metadata).replaceAll(grantd.issuer, issuer)));
		}
		const { status, body } = await forward(request);
		if (request.url === '/device_authorization') return say(status, device(body));
		return on_token(body, say.bind(null, status, body), () => request.socket.destroy());
	};
	return { issuer, ca: host.ca_file };
}
const login_before = (before, home) => device_login(home, ['--json'], before);
const told_code = async (login) => JSON.parse(await until(() => login.out.stdout.includes('\n') && login.out.stdout.split('\n')[0])).user_code;

for (const [when, wait] of [['soon', 0], ['late', 20]]) {
	test(`grant login --device says that the answer was lost and how to start again, when it asks again ${when}`, async (t) => {
		const home = new_home(grantd);
		const login = login_before(await issuer_before(t, { on_token(body, say, lose) {
			if (!body.access_token) return say();
			later(wait);
			return lose();
		} }), home);
		await answer(await told_code(login), 'allow', read);
		const { status, stderr } = await login.ended;
		assert.equal(status, 1);
		assert.match(stderr, /the answer was probably lost on the way.*start again with `grant login --device` and the same words/);
		assert.deepEqual(stored(home), []);
	});
}

test('grant login --device says that its code was used by another program, and how to start again', async (t) => {
	let device_code;
	const login = login_before(await issuer_before(t, {
		device(body) {
			({ device_code } = body);
			return body;
		},
		on_token: (body, say) => say(),
	}), new_home(grantd));
	const page = await question(await told_code(login));
	login.child.kill('SIGSTOP');
	await decide(page, 'allow', read);
	granted(await agent.refresh(granted(await poll({ device_code })).refresh_token));
	later(20);
	login.child.kill('SIGCONT');
	const { status, stderr } = await login.ended;
	assert.equal(status, 1);
	assert.match(stderr, /a copy of it may be in other hands.*start again with `grant login --device` and the same words/);
	assert.doesNotMatch(stderr, /lost/);
});

test('grant login --device waits as long as it is told to between its questions, and not for what cannot be', async (t) => {
	let told_at, asked_at;
	const told = (changes) => issuer_before(t, {
		device(body) {
			told_at = performance.now();
			return { ...body, ...changes };
		},
		on_token(body, say) {
			asked_at = performance.now();
			return say();
		},
	});
	const login = login_before(await told({ interval: 120 }), new_home(grantd));
	await answer(await told_code(login), 'deny');
	assert.match((await login.ended).stderr, /the person said no/);
	assert.ok(asked_at - told_at >= 1100, `${asked_at - told_at}`); // two minutes, hurried
	const { status, stderr } = await login_before(await told({ interval: 601 }), new_home(grantd)).ended;
	assert.equal(status, 1);
	assert.match(stderr, /wants to be asked less often than its code lasts/);
});

describe('who may ask for what', () => {
	test('DV-002: a client without the device grant', () => grantd.unchanged(async () => {
		refused(await start({}, plain), 400, 'unauthorized_client');
		refused(await poll({ device_code: 'gdc_x' }, {}, plain), 400, 'unauthorized_client');
	}));
	test('DV-003: an unknown client, or a wrong secret', () => grantd.unchanged(async () => {
		refused(await start({ client_id: 'nobody' }), 401, 'invalid_client');
		refused(await start({}, Object.assign(web.at(grantd), { client_secret: 'wrong'.repeat(8) })), 401, 'invalid_client');
	}));
	test('DV-004: a scope beyond what the client may ask for, or none of the resource', () => grantd.unchanged(async () => {
		for (const scope of ['mail.delete', 'openid', 'mail.read mail.delete']) refused(await start({ scope }), 400, 'invalid_scope');
		refused(await start({ resource: `${grantd.issuer}/r/other` }), 400, 'invalid_target');
		refused(await start({ resource: [agent.resource, agent.resource] }), 400, 'invalid_target');
	}));
	test('a repeated parameter, and a device code in the query string', () => grantd.unchanged(async () => {
		refused(await start({ scope: ['mail.read', 'mail.read'] }), 400, 'invalid_request');
		refused(await agent.post('/token?device_code=gdc_x', { grant_type: device_type, device_code: 'gdc_x' }), 400, 'invalid_request');
		refused(await poll({ device_code: null }), 400, 'invalid_request');
	}));
	test('agents that register themselves: only where the operator says so', async () => {
		const register = async () => (await (await grantd.fetch(`${grantd.issuer}/register`, { method: 'POST', headers: { 'content-type': 'application/json' },
			body: JSON.stringify({ client_name: 'Own', redirect_uris: ['http://127.0.0.1/cb'], token_endpoint_auth_method: 'none', grant_types: ['authorization_code', device_type] }) })).json());
		assert.deepEqual((await register()).grant_types, ['authorization_code']);
		await set('open');
		const { client_id, grant_types } = await register();
		assert.deepEqual(grant_types, ['authorization_code', device_type]);
		const own = Object.assign(agent.at(grantd), { client_id });
		const { user_code } = await started({}, own);
		assert.match((await question(user_code)).text, /registered itself.*nobody has verified/s);
		await set('on');
		refused(await start({}, own), 400, 'unauthorized_client');
	});
});

describe('what a device is told', () => {
	test('the answer has all of RFC 8628, and the code is eight letters that make no words', async () => {
		const body = await started();
		assert.match(body.user_code, /^[BCDFGHJKLMNPQRSTVWXZ]{4}-[BCDFGHJKLMNPQRSTVWXZ]{4}$/);
		assert.match(body.device_code, /^gdc_[A-Za-z0-9_-]{43}$/);
		assert.equal(body.verification_uri, `${grantd.issuer}/device`);
		assert.equal(body.verification_uri_complete, `${grantd.issuer}/device?user_code=${body.user_code}`);
		assert.deepEqual([body.expires_in, body.interval], [600, 5]);
		const code = body.user_code.replace('-', '');
		assert.deepEqual(await grantd.files_with([body.device_code, body.user_code, code]), [], 'neither code is anywhere in a file');
	});
	test('DV-005: who asks before the interval is told to slow down, and waits five seconds longer for good', async () => {
		const asked = await started();
		refused(await poll(asked), 400, 'authorization_pending');
		refused(await poll(asked), 400, 'slow_down');
		later(6);
		refused(await poll(asked), 400, 'slow_down');
		later(10);
		refused(await poll(asked), 400, 'slow_down');
		later(21);
		refused(await poll(asked), 400, 'authorization_pending');
		later(21);
		refused(await poll(asked), 400, 'authorization_pending');
	});
	test('DV-007: denied', async () => {
		const asked = await started();
		const page = await answer(asked.user_code, 'deny');
		assert.match(page.text, /You denied Mail Agent/);
		for (let i = 0; i < 2; i++) refused(await poll(asked), 400, 'access_denied');
		assert.equal((await event_kinds(grantd)).at(-1), 'grant.denied');
	});
	test('DV-008: expired, and the code is good for nothing any more', async () => {
		const asked = await started();
		later(601);
		await grantd.unchanged(async () => refused(await poll(asked), 400, 'expired_token'));
		const page = await question(asked.user_code, new Person(grantd, alice));
		assert.equal(page.status, 400);
		assert.match(page.text, /No device waits with this code/);
	});
	test('an answer that is not fetched in time', async () => {
		const asked = await started();
		await answer(asked.user_code, 'allow', read);
		later(661);
		refused(await poll(asked), 400, 'expired_token');
	});
	test('allowed: tokens once; who asks again is refused, and an interval later ends the installation', async () => {
		const asked = await started();
		const page = await answer(asked.user_code, 'allow', read);
		assert.match(page.text, /Mail Agent may go on.*Go back to your device/s);
		const tokens = granted(await poll(asked));
		assert.equal(tokens.scope, 'mail.read');
		assert.equal((await grantd.introspect(tokens.access_token)).active, true);
		assert.ok((await grantd.rows("SELECT id FROM events WHERE kind = 'token.issued'")).length > 0);
		refused(await poll(asked), 400, 'invalid_grant');
		const next = granted(await agent.refresh(tokens.refresh_token));
		later(5);
		refused(await poll(asked), 400, 'invalid_grant');
		refused(await agent.refresh(next.refresh_token), 400, 'invalid_grant', /code_reused/);
	});
	const last_end = async () => JSON.parse((await grantd.rows("SELECT details FROM events WHERE kind = 'family.ended' ORDER BY id DESC LIMIT 1"))[0].details);
	test('an installation that refreshed had its answer: who asks again late holds a copy, and the person is told so', async () => {
		const asked = await started();
		await answer(asked.user_code, 'allow', read);
		granted(await agent.refresh(granted(await poll(asked)).refresh_token));
		later(5);
		refused(await poll(asked), 400, 'invalid_grant', /code_reused/);
		assert.deepEqual(await last_end(), { why: 'code_reused' });
		assert.match((await alice.get('/account/activity')).text, /was picked up twice: it may have been copied/);
	});
	test('one whose first refresh token was never used probably lost its answer: it ends, and nobody is alarmed', async () => {
		const asked = await started();
		await answer(asked.user_code, 'allow', read);
		const tokens = granted(await poll(asked));
		later(20);
		refused(await poll(asked), 400, 'invalid_grant', /code_reused/);
		assert.deepEqual(await last_end(), { why: 'code_answer_lost' });
		assert.match((await alice.get('/account/activity')).text, /asked for again, probably because the answer was lost on the way/);
		assert.equal((await grantd.introspect(tokens.access_token)).active, false);
		refused(await agent.refresh(tokens.refresh_token), 400, 'invalid_grant', /code_reused/);
		const before = await event_kinds(grantd);
		refused(await poll(asked), 400, 'invalid_grant');
		assert.deepEqual(await event_kinds(grantd), before, 'it ends once');
	});
	test('of a client that cannot refresh nobody knows whether it had its answer: its person is told as of a copy', async () => {
		const once = await grantd.add_agent({ id: 'once', grant_types: ['device_code'], redirect_uris: [] });
		const asked = await started({}, once);
		await answer(asked.user_code, 'allow', read);
		granted(await poll(asked, {}, once));
		later(20);
		refused(await poll(asked, {}, once), 400, 'invalid_grant', /code_reused/);
		assert.deepEqual(await last_end(), { why: 'code_reused' });
	});
	test('TK-019: nobody else has use for a device code, and it is no code', async () => {
		const asked = await started();
		await answer(asked.user_code, 'allow', read);
		refused(await poll(asked, {}, web), 400, 'invalid_grant');
		refused(await agent.post('/token', { grant_type: 'authorization_code', code: asked.device_code, code_verifier: pkce().verifier }), 400, 'unauthorized_client');
		refused(await poll({ device_code: `gac_${asked.device_code.slice(4)}` }), 400, 'invalid_grant');
		refused(await agent.refresh(asked.device_code), 400, 'invalid_grant');
		granted(await poll(asked));
	});
	test('a client with a secret, and the grant it hangs on', async () => {
		const asked = await started({}, web);
		await answer(asked.user_code, 'allow', read);
		refused(await poll(asked, { client_id: 'web-app' }, web, { auth: false }), 401, 'invalid_client');
		const { access_token } = granted(await poll(asked, {}, web));
		const [{ id }] = await grantd.rows("SELECT id FROM grants WHERE client_id = 'web-app'");
		assert.equal(claims(access_token).grant_id, id);
	});
	test('an assertion beside a proof that is refused is used up', async () => {
		const file = path.join(grantd.home, 'screen.json');
		fs.writeFileSync(file, JSON.stringify({ keys: [key.jwk] }));
		await grantd.operate(['client', 'create', '--id', 'screen', '--name', 'Screen', '--resource', 'mail', '--jwks-file', file, ...types.flatMap((type) => ['--grant-type', type])]);
		const sent = asserting(key.assertion('screen', grantd.issuer, { iat: seconds(clock), exp: seconds(clock + 60) }));
		const ask_with = (options) => agent.post('/device_authorization', { ...sent, scope: 'mail.read', resource: agent.resource }, { auth: false, ...options });
		refused(await ask_with(proof(key, '/elsewhere')), 400, 'invalid_dpop_proof');
		refused(await ask_with(), 401, 'invalid_client', /used before/);
	});
	test('quotas: so many a minute for one client from one network', async () => {
		const busy = await grantd.add_agent({ id: 'busy', grant_types: types, redirect_uris: [] });
		for (let i = 0; i < 30; i++) await started({}, busy);
		refused(await start({}, busy), 429, 'temporarily_unavailable');
		await started(); // nobody else's affair
		// one that authenticates has more, wherever it is: nobody else can speak in its name
		for (let i = 0; i < 31; i++) await started({}, web);
		later(61);
		const asked = await started({}, busy);
		for (let i = 0; i < 60; i++) assert.equal((await poll(asked, {}, busy)).status, 400);
		refused(await poll(asked, {}, busy), 429, 'temporarily_unavailable');
	});
});

test('DV-013: only the key of the start may fetch the tokens, and others use nothing up', async () => {
	const asked = await started({}, agent, proof(key, '/device_authorization'));
	await answer(asked.user_code, 'allow', read);
	for (const other of [proof(thief, '/token'), {}]) refused(await poll(asked, {}, agent, other), 400, 'invalid_grant', /another DPoP key/);
	const { status, body } = await poll(asked, {}, agent, proof(key, '/token'));
	assert.equal(status, 200);
	assert.equal(body.token_type, 'DPoP');
	assert.deepEqual(claims(body.access_token).cnf, { jkt: key.jkt });
	// by name, and a proof that was used before
	const named = await started({ dpop_jkt: key.jkt });
	refused(await poll(named, {}, agent, proof(thief, '/token')), 400, 'invalid_grant');
	const once = proof(key, '/token');
	refused(await poll(named, {}, agent, once), 400, 'authorization_pending');
	refused(await poll(named, {}, agent, once), 400, 'invalid_dpop_proof');
	refused(await start({ dpop_jkt: 'short' }), 400, 'invalid_request');
	refused(await start({ dpop_jkt: thief.jkt }, agent, proof(key, '/device_authorization')), 400, 'invalid_dpop_proof');
});

describe('the page', () => {
	test('who has not signed in does that first, and comes back with the code', async () => {
		const { user_code } = await started();
		const bob = new Person(grantd, alice);
		const login = await bob.get(`/device?user_code=${user_code}`);
		assert.match(login.text, /You are signing in to connect a device/);
		const page = await bob.sign_in_on(login);
		assert.equal(page.url.pathname, '/device');
		assert.equal(page.form_with('user_code').fields.find(({ name }) => name === 'user_code').value, user_code);
	});
	test('DV-015: an address with the code shows it and sends nothing by itself; the question shows it again', async () => {
		const { user_code } = await started();
		const page = await alice.open(`/device?user_code=${user_code}`);
		assert.match(page.text, /only if your device shows exactly the same/);
		assert.doesNotMatch(page.html, /<script(?! src="\/static\/app\.js)|onload|http-equiv/i);
		assert.equal((await grantd.rows("SELECT id FROM requests WHERE user_id IS NOT NULL AND state = 'pending' AND shown_at IS NULL")).length, 0);
		const asked = await alice.submit(page, page.form_with('user_code'));
		assert.equal(asked.url.pathname, '/consent');
		assert.match(asked.text, new RegExp(`Does your device show exactly this code\\?\\s*${user_code}`));
	});
	test('the code is taken in any case, with or without the dash', async () => {
		for (const write of [(code) => code.toLowerCase(), (code) => code.replace('-', ''), (code) => ` ${code.toLowerCase().replace('-', ' ')} `]) {
			const { user_code } = await started();
			assert.equal((await question(write(user_code))).url.pathname, '/consent');
		}
	});
	test('DV-016: the question says who asks, for what, from where and since when, and whether one began it oneself', async () => {
		const { user_code } = await started();
		later(120);
		const page = await question(user_code);
		for (const words of [/Mail Agent/, /registered by your operator under the id “mail-agent”/, /Read your mail/, /Send mail as you/,
			/Asked for from 127\.0\.0\.1/, /2 minutes ago/, /Did you start this yourself just now\?/, /your access would go to them/, new RegExp(user_code)])
			assert.match(page.text, words);
		const form = page.form_with('decision');
		assert.deepEqual(form.fields.filter(({ name, is_checked }) => name === 'scope' && is_checked).map(({ value }) => value), ['mail.read'], 'only reading is ticked');
		assert.match(page.headers.get('content-security-policy'), /form-action 'self';.*frame-ancestors 'none'/);
	});
	test('a device in another network than the person: said, and warned of', async () => {
		const body = new URLSearchParams({ client_id: agent.client_id, scope: 'mail.read', resource: agent.resource }).toString();
		const socket = await grantd.connect({ localAddress: '127.0.7.7' });
		socket.send(`POST /device_authorization HTTP/1.1\r\nHost: ${grantd.host}:${grantd.port}\r\nConnection: close\r\n`
			+ `Content-Type: application/x-www-form-urlencoded\r\nContent-Length: ${body.length}\r\n\r\n${body}`);
		await socket.closes();
		const { user_code } = JSON.parse(socket.text.split('\r\n\r\n')[1]);
		const page = await question(user_code);
		assert.match(page.text, /Asked for from 127\.0\.7\.7/);
		assert.match(page.text, /in another network \(127\.0\.7\.7\) than you are now/);
		assert.doesNotMatch((await question((await started()).user_code)).text, /another network/);
	});
	test('DV-018: a form of another site or browser is refused', async () => {
		const { user_code } = await started();
		const page = await alice.open('/device');
		for (const csrf of [null, 'x']) is_error_page(await alice.submit(page, page.form_with('user_code'), { user_code, csrf }), 403);
		is_error_page(await alice.submit(page, page.form_with('user_code'), { user_code }, { headers: { origin: 'https://evil.example' } }), 403);
		const asked = await question(user_code);
		const before = await standing();
		is_error_page(await decide(asked, 'allow', { ...read, fill: { csrf: 'x' } }), 403);
		assert.equal((await new Person(grantd, alice).open(asked.url.href)).status, 403, 'another browser');
		assert.deepEqual(await standing(), before);
	});
	test('whose code was typed already is nobody else\'s', async () => {
		const bob = await grantd.add_person('bob');
		const { user_code } = await started();
		await question(user_code);
		assert.equal((await question(user_code, bob)).status, 400);
		assert.equal((await question(user_code, new Person(grantd, alice))).url.pathname, '/consent', 'the same person elsewhere');
	});
	test('DV-019: an agent that was allowed before is asked for all the same', async () => {
		for (let i = 0; i < 2; i++) {
			const { user_code } = await started();
			const page = await question(user_code);
			assert.match(page.text, /Another program that calls itself Mail Agent/);
			assert.ok(page.form_with('decision'));
		}
	});
	test('DV-020: yes and no at once have one outcome, kept once', async () => {
		for (let i = 0; i < 4; i++) {
			const asked = await started();
			const page = await question(asked.user_code);
			const before = (await event_kinds(grantd)).length;
			const answers = await Promise.all(['allow', 'deny'].map((decision) => decide(page, decision, read)));
			assert.deepEqual(answers.map(({ status }) => status).sort(), [200, 409]);
			const kinds = (await event_kinds(grantd)).slice(before).filter((kind) => kind.startsWith('grant.'));
			assert.equal(kinds.length, 1);
			const polled = await poll(asked);
			if (kinds[0] === 'grant.allowed') granted(polled);
			else refused(polled, 400, 'access_denied');
		}
	});
	test('what the person did is kept with how it was asked', async () => {
		const { user_code } = await started();
		await answer(user_code, 'allow', read);
		const [{ details }] = await grantd.rows("SELECT details FROM events WHERE kind = 'grant.allowed' ORDER BY id DESC LIMIT 1");
		assert.equal(JSON.parse(details).via, 'device');
	});
	test('a client that lost the grant type while the question was open', async () => {
		const brief = await grantd.add_agent({ id: 'brief', grant_types: types, redirect_uris: [] });
		const { user_code } = await started({}, brief);
		const page = await question(user_code);
		await grantd.operate(['client', 'update', 'brief', '--grant-type', 'authorization_code', '--redirect-uri', 'http://127.0.0.1/cb']);
		is_error_page(await decide(page, 'allow', read), 404);
	});
	test('DV-014: five wrong codes an hour of one person, twenty of one network, then nobody is told anything', async () => {
		const people = [];
		for (const name of ['carol', 'dave', 'erin', 'frank', 'grace']) people.push(await grantd.add_person(name));
		later(3601); // what was typed wrong above is forgotten
		const { user_code } = await started();
		let wrong = 0;
		for (const person of people.slice(0, 4)) {
			for (let i = 0; i < 5; i++, wrong++) assert.equal((await question('BCDF-GHJK', person)).status, 400, `${wrong}`);
			const page = await question(user_code, person);
			assert.equal(page.status, 429);
			assert.match(page.headers.get('retry-after'), /^[1-9]/);
			assert.match(page.text, /Too many wrong codes/);
		}
		assert.equal((await question(user_code, people[4])).status, 429, 'the network has used up its twenty');
		await event_comes(grantd, 'device.guessed');
		later(3601);
		assert.equal((await question((await started()).user_code, people[4])).url.pathname, '/consent');
	});
});

test('a code that is out when the root key is replaced is good for nothing, and the device asks again', async () => {
	const asked = await started();
	await grantd.grantd(['root-key', 'add', '--dir', grantd.dir]);
	await grantd.restart();
	await grantd.operate(['root-key', 'rewrap']);
	assert.match((await question(asked.user_code)).text, /No device waits with this code/);
	const again = await started();
	await answer(again.user_code, 'allow', read);
	granted(await poll(again));
});
