// SPDX-License-Identifier: Apache-2.0
// Proof of possession (RFC 9449) at the token endpoint, userinfo and introspection. Rows DP, RT-012 and RT-021 of tests/rows.
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { ask, event_kinds, refused } from './expect.mjs';
import { Instance, claims, driver } from './harness/index.mjs';
import { ClientKey, ath, seconds } from './proof.mjs';

const secret = 'a secret of the web agent, long enough: 0123456789';
const key = new ClientKey(), thief = new ClientKey();
let grantd, alice, agent, web, robot, strict, token_url;
before(async () => {
	grantd = await Instance.start(null);
	await grantd.add_resource({ scopes: [
		{ name: 'mail.read', title: 'Read your mail', risk: 'read', default: true, can: ['read'], cannot: ['write'] },
		{ name: 'mail.count', title: 'Count mail', risk: 'read', clients: true, can: ['count'], cannot: ['read'] },
	] });
	alice = await grantd.add_person('alice');
	agent = await grantd.add_agent({ scope: 'mail.read openid' });
	web = await grantd.add_agent({ id: 'web-app', secret, scope: 'mail.read', redirect_uris: ['https://app.example/cb'] });
	robot = await grantd.add_agent({ id: 'robot', secret: true, scope: 'mail.count', redirect_uris: [], grant_types: ['client_credentials'] });
	strict = await grantd.add_agent({ id: 'strict', scope: 'mail.read', args: ['--dpop', 'required'] });
	token_url = `${grantd.issuer}/token`;
});
after(() => grantd.dispose());

const with_proof = (proof) => ({ headers: { DPoP: proof } });
const proven = (from = key, changes = {}) => with_proof(from.proof(token_url, changes));

// 200 with a token bound to that key
function bound(answer, to = key) {
	assert.equal(answer.status, 200, answer.text);
	assert.equal(answer.body.token_type, 'DPoP');
	assert.deepEqual(claims(answer.body.access_token).cnf, { jkt: to.jkt });
	return answer.body;
}

// { code, wish } of a fresh yes
async function code_of(client = agent, changes = { scope: 'mail.read' }) {
	const wish = client.authorization(changes);
	return { ...await alice.allow(wish.url), wish };
}

async function bound_tokens(client = agent, from = key, changes) {
	const { code, wish } = await code_of(client, changes);
	return bound(await client.redeem(code, wish, {}, proven(from)), from);
}

// what a robot's request with that proof comes to, which costs no consent
const robot_with = (proof) => robot.post('/token', { grant_type: 'client_credentials' }, with_proof(proof));
const bad = (proof, words) => grantd.unchanged(async () => refused(await robot_with(proof), 400, 'invalid_dpop_proof', words));

test('DP-001: two DPoP headers, or two proofs in one', async () => {
	const [one, two] = [key.proof(token_url), key.proof(token_url)];
	await bad([one, two], /more than one DPoP header/);
	await bad(`${one}, ${two}`);
	await bad('', /three parts/);
});

describe('DP-002: the type of a proof', () => {
	for (const typ of [undefined, 'JWT', 'at+jwt', 'dpop', 7]) test(`${typ}`, () => bad(key.proof(token_url, { header: { typ } }), /typ/));
});

test('DP-003: algorithms that are none, symmetric or unknown', async () => {
	for (const alg of ['none', 'HS256', 'ES512', 'RS1', undefined]) await bad(key.proof(token_url, { header: { alg } }), /alg/);
	const [header, payload] = key.proof(token_url, { header: { alg: 'none' } }).split('.');
	await bad(`${header}.${payload}.`);
});

test('DP-004: a key that is missing, private, symmetric, of another kind, or off its curve', async () => {
	const ed = new ClientKey('EdDSA');
	await bad(key.proof(token_url, { header: { jwk: undefined } }), /no jwk/);
	await bad(key.proof(token_url, { header: { jwk: key.private.export({ format: 'jwk' }) } }), /private/);
	await bad(key.proof(token_url, { header: { jwk: { kty: 'oct', k: 'AAAA' } } }), /symmetric/);
	await bad(key.proof(token_url, { header: { jwk: ed.jwk } }), /alg/);
	await bad(key.proof(token_url, { header: { jwk: { ...key.jwk, crv: 'P-384' } } }), /curve/);
	await bad(key.proof(token_url, { header: { jwk: { ...key.jwk, y: key.jwk.x } } }), /off the curve/);
	await bad(key.proof(token_url, { header: { jwk: thief.jwk } }), /signature/);
	await bad(key.proof(token_url, { header: { jwk: 'a key' } }), /JSON object/);
});

test('DP-005: RSA keys that cost too much', async () => {
	const rsa = new ClientKey('RS256');
	await bad(rsa.proof(token_url, { header: { jwk: { ...rsa.jwk, n: Buffer.alloc(2048, 0xff).toString('base64url') } } }), /wrong length|too long/);
	await bad(rsa.proof(token_url, { header: { jwk: { ...rsa.jwk, e: 'AQ' } } }), /exponent/);
	await bad(new ClientKey('RS256', { modulusLength: 1024 }).proof(token_url), /2048 to 4096/);
});

test('DP-008: a proof for another place', async () => {
	const { host } = new URL(grantd.issuer);
	for (const htu of ['https://other.example/token', `${grantd.issuer}/userinfo`, `${grantd.issuer}/token/`, `http://${host}/token`, `https://user@${host}/token`,
		`https://grantd.localhost/token`, `${grantd.issuer}/%2e/token`, 'token', 'a b']) await bad(key.proof(htu), /htu/);
	for (const htu of [7, undefined, '', null]) await bad(key.proof(htu), /htu/);
	for (const htm of ['GET', 'post', undefined]) await bad(key.proof(token_url, { htm }), /htm/);
	// what RFC 3986 6.2 calls the same
	bound(await robot_with(key.proof(`HTTPS://${host.toUpperCase()}/%74oken?x=1#y`)));
});

describe('a proof by each kind of key', () => {
	for (const alg of ['ES256', 'EdDSA', 'Ed25519', 'RS256', 'PS256']) {
		test(alg, async () => {
			const own = new ClientKey(alg);
			bound(await robot_with(own.proof(token_url)), own);
		});
	}
});

test('DP-009: a proof that is old or of the future gets a nonce, and five minutes with it', async () => {
	for (const shift of [-65, -290, -100_000, 30, 290]) {
		const first = await robot_with(key.proof(token_url, { iat: seconds(shift) }));
		refused(first, 400, 'use_dpop_nonce');
		const nonce = first.headers.get('dpop-nonce');
		assert.match(nonce, /^[\w-]{20,}$/);
		const second = await robot_with(key.proof(token_url, { iat: seconds(shift), nonce }));
		if (Math.abs(shift) < 300) bound(second);
		else refused(second, 400, 'invalid_dpop_proof', /clock/);
	}
	bound(await robot_with(key.proof(token_url, { iat: seconds(-50) })));
	bound(await robot_with(key.proof(token_url, { iat: seconds(8) })));
	for (const iat of [undefined, 'now', -1, 1e300]) await bad(key.proof(token_url, { iat }), /iat/);
});

test('DP-010: a jti that is missing, empty or long', async () => {
	for (const jti of [undefined, '', 'x'.repeat(129), 7]) await bad(key.proof(token_url, { jti }), /jti/);
	bound(await robot_with(key.proof(token_url, { jti: 'x'.repeat(128) })));
});

test('DP-011: a proof is used once: in a row, at once, and after a restart', async () => {
	const proof = key.proof(token_url);
	bound(await robot_with(proof));
	await bad(proof, /used before/);
	const racing = key.proof(token_url);
	const answers = await Promise.all(Array.from({ length: 8 }, () => robot_with(racing)));
	assert.equal(answers.filter(({ status }) => status === 200).length, 1);
	for (const answer of answers.filter(({ status }) => status !== 200)) refused(answer, 400, 'invalid_dpop_proof', /used before/);
	await grantd.stop();
	await grantd.start();
	await bad(proof, /used before/);
});

if (driver === 'postgres') test('on PostgreSQL only: DP-011: a proof that one node took is refused by another', async (t) => {
	const node = await Instance.beside(t, grantd);
	await node.start();
	const elsewhere = robot.at(node);
	const proof = key.proof(token_url);
	bound(await robot_with(proof));
	refused(await elsewhere.post('/token', { grant_type: 'client_credentials' }, with_proof(proof)), 400, 'invalid_dpop_proof', /used before/);
	const racing = key.proof(token_url);
	const answers = await Promise.all([...Array(8).keys()].map((i) => (i % 2 ? robot : elsewhere).post('/token', { grant_type: 'client_credentials' }, with_proof(racing))));
	assert.equal(answers.filter(({ status }) => status === 200).length, 1);
	// a nonce of one node is good at the other
	const late = await robot_with(key.proof(token_url, { iat: seconds(-100) }));
	const nonce = late.headers.get('dpop-nonce');
	bound(await elsewhere.post('/token', { grant_type: 'client_credentials' }, with_proof(key.proof(token_url, { nonce }))));
});

test('DP-013: the same jti of two keys is two proofs', async () => {
	bound(await robot_with(key.proof(token_url, { jti: 'shared' })));
	bound(await robot_with(thief.proof(token_url, { jti: 'shared' })), thief);
	await bad(thief.proof(token_url, { jti: 'shared' }), /used before/);
});

test('a nonce that is not ours is answered with one that is', async () => {
	for (const nonce of ['another-server-s', 'AAAA', Buffer.alloc(22).toString('base64url')]) {
		const answer = await robot_with(key.proof(token_url, { nonce }));
		refused(answer, 400, 'use_dpop_nonce');
		bound(await robot_with(key.proof(token_url, { nonce: answer.headers.get('dpop-nonce') })));
	}
});

test('a client as itself: with a proof DPoP, without one Bearer', async () => {
	bound(await robot_with(key.proof(token_url)));
	const bare = await robot.post('/token', { grant_type: 'client_credentials' });
	assert.equal(bare.body.token_type, 'Bearer');
	assert.equal(claims(bare.body.access_token).cnf, undefined);
});

test('a code with a proof binds all that comes of it; introspection says so', async () => {
	const tokens = await bound_tokens();
	const seen = await grantd.introspect(tokens.access_token);
	assert.equal(seen.token_type, 'DPoP');
	assert.deepEqual(seen.cnf, { jkt: key.jkt });
	const next = bound(await agent.refresh(tokens.refresh_token, {}, proven()));
	bound(await agent.refresh(next.refresh_token, {}, proven()));
});

test('RT-021: a bound refresh token without a proof is refused, and stays good', async () => {
	const tokens = await bound_tokens();
	await grantd.unchanged(async () => refused(await agent.refresh(tokens.refresh_token), 400, 'invalid_grant', /^proof_missing$/));
	await grantd.unchanged(async () => refused(await agent.refresh(tokens.refresh_token, {}, proven(thief)), 400, 'invalid_grant', /^other_key$/));
	bound(await agent.refresh(tokens.refresh_token, {}, proven()));
});

test('RT-012: a superseded refresh token with another key ends the family', async () => {
	const tokens = await bound_tokens();
	const next = bound(await agent.refresh(tokens.refresh_token, {}, proven()));
	// its own key may repeat within the window
	bound(await agent.refresh(tokens.refresh_token, {}, proven()));
	refused(await agent.refresh(tokens.refresh_token, {}, proven(thief)), 400, 'invalid_grant');
	refused(await agent.refresh(next.refresh_token, {}, proven()), 400, 'invalid_grant', /^reused$/);
	assert.equal((await grantd.introspect(next.access_token)).active, false);
	assert.ok((await event_kinds(grantd)).includes('family.ended'));
});

test('a family that began without a key is bound from the first proof on', async () => {
	const { code, wish } = await code_of();
	const bare = await agent.redeem(code, wish);
	assert.equal(bare.body.token_type, 'Bearer');
	const tokens = bound(await agent.refresh(bare.body.refresh_token, {}, proven()));
	refused(await agent.refresh(tokens.refresh_token), 400, 'invalid_grant', /^proof_missing$/);
	refused(await agent.refresh(tokens.refresh_token, {}, proven(thief)), 400, 'invalid_grant', /^other_key$/);
	bound(await agent.refresh(tokens.refresh_token, {}, proven()));
});

test('a confidential client may change its key, but never drop it', async () => {
	const tokens = await bound_tokens(web);
	const next = bound(await web.refresh(tokens.refresh_token, {}, proven(thief)), thief);
	refused(await web.refresh(next.refresh_token), 400, 'invalid_grant', /^proof_missing$/);
});

test('a refused request uses up neither the code nor the proof, a redeemed one both', async () => {
	const { code, wish } = await code_of();
	refused(await agent.redeem(code, wish, {}, proven(key, { htm: 'GET' })), 400, 'invalid_dpop_proof');
	const proof = key.proof(token_url);
	bound(await agent.redeem(code, wish, {}, with_proof(proof)));
	const again = await code_of();
	await grantd.unchanged(async () => refused(await agent.redeem(again.code, again.wish, {}, with_proof(proof)), 400, 'invalid_dpop_proof', /used before/));
	bound(await agent.redeem(again.code, again.wish, {}, proven()));
});

test('a client that must be bound gets nothing without a proof', async () => {
	const { code, wish } = await code_of(strict);
	await grantd.unchanged(async () => refused(await strict.redeem(code, wish), 400, 'invalid_dpop_proof', /without a DPoP proof/));
	bound(await strict.redeem(code, wish, {}, proven()));
});

test('DP-020: a code asked for a key is for that key', async () => {
	for (const options of [undefined, proven(thief)]) {
		const { code, wish } = await code_of(agent, { scope: 'mail.read', dpop_jkt: key.jkt });
		refused(await agent.redeem(code, wish, {}, options), 400, 'invalid_grant', /another DPoP key/);
		refused(await agent.redeem(code, wish, {}, proven()), 400, 'invalid_grant');
	}
	const { code, wish } = await code_of(agent, { scope: 'mail.read', dpop_jkt: key.jkt });
	bound(await agent.redeem(code, wish, {}, proven()));
	for (const dpop_jkt of ['short', `${key.jkt}A`, `${key.jkt.slice(1)}=`]) {
		const { location } = await ask(grantd, agent.authorization({ dpop_jkt }).url);
		assert.equal(location.searchParams.get('error'), 'invalid_request', location.href);
	}
});

describe('a resource that cannot check proofs', () => {
	before(async () => {
		const { access_token } = await bound_tokens();
		await grantd.add_resource({ token: { dpop: false } });
		// bound before: to this server now as good as stolen
		assert.deepEqual(await grantd.introspect(access_token), { active: false });
	});
	test('has bearer tokens, and bound refresh tokens', async () => {
		const { code, wish } = await code_of();
		const { body } = await agent.redeem(code, wish, {}, proven());
		assert.equal(body.token_type, 'Bearer');
		assert.equal(claims(body.access_token).cnf, undefined);
		assert.equal((await grantd.introspect(body.access_token)).active, true);
		refused(await agent.refresh(body.refresh_token), 400, 'invalid_grant', /^proof_missing$/);
		assert.equal((await agent.refresh(body.refresh_token, {}, proven())).body.token_type, 'Bearer');
	});
	test('is no target for a client that must be bound', async () => {
		const { code, wish } = await code_of(strict);
		await grantd.unchanged(async () => refused(await strict.redeem(code, wish, {}, proven()), 400, 'invalid_target', /cannot check DPoP/));
	});
});

describe('userinfo', () => {
	const place = () => `${grantd.issuer}/userinfo`;
	const call = (scheme, token, proof) => ask(grantd, '/userinfo', { headers: { authorization: `${scheme} ${token}`, ...proof && { DPoP: proof } } });
	const get = (token, from = key, changes = {}) => from.proof(place(), { htm: 'GET', ath: ath(token), ...changes });
	let token;
	before(async () => {
		({ access_token: token } = await bound_tokens(agent, key, { scope: 'openid', resource: grantd.issuer }));
	});
	const no = (answer, word, scheme = 'DPoP') => {
		assert.equal(answer.status, 401, answer.text);
		assert.match(answer.headers.get('www-authenticate'), new RegExp(`^${scheme} .*error="${word}"`));
	};

	test('a bound token with a proof of this call', async () => {
		const proof = get(token);
		const answer = await call('DPoP', token, proof);
		assert.equal(answer.status, 200, answer.text);
		assert.match(JSON.parse(answer.text).sub, /^usr_/);
		no(await call('DPoP', token, proof), 'invalid_dpop_proof');
	});
	test('DP-017: a bound token as Bearer', async () => {
		no(await call('Bearer', token), 'invalid_token', 'Bearer');
		no(await call('Bearer', token, get(token)), 'invalid_token', 'Bearer');
	});
	test('DP-019: a proof by another key', async () => no(await call('DPoP', token, get(token, thief)), 'invalid_token'));
	test('no proof, or one of another token or call', async () => {
		no(await call('DPoP', token), 'invalid_dpop_proof');
		no(await call('DPoP', token, get(token, key, { ath: undefined })), 'invalid_dpop_proof');
		no(await call('DPoP', token, get(token, key, { ath: ath('another') })), 'invalid_dpop_proof');
		no(await call('DPoP', token, get(token, key, { htm: 'POST' })), 'invalid_dpop_proof');
		const late = await call('DPoP', token, get(token, key, { iat: seconds(-200) }));
		no(late, 'use_dpop_nonce');
		const nonce = late.headers.get('dpop-nonce');
		assert.equal((await call('DPoP', token, get(token, key, { iat: seconds(-200), nonce }))).status, 200);
	});
	test('a bearer token is none for the scheme DPoP', async () => {
		const wish = agent.authorization({ scope: 'openid', resource: grantd.issuer });
		const { body } = await agent.redeem((await alice.allow(wish.url)).code, wish);
		no(await call('DPoP', body.access_token, get(body.access_token)), 'invalid_token');
		assert.equal((await call('Bearer', body.access_token)).status, 200);
	});
	test('who sends nothing is told both schemes', async () => {
		const answer = await ask(grantd, '/userinfo');
		assert.equal(answer.status, 401);
		assert.match(answer.headers.get('www-authenticate'), /Bearer realm="grantd", DPoP realm="grantd", algs="ES256/);
	});
});
