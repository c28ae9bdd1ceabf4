// SPDX-License-Identifier: Apache-2.0
// Forged tokens at the two doors that take tokens from outside: /userinfo and introspection. Everything here is
// made of what anybody has: the published keys, a token of one's own, and keys of one's own. Tokens that would
// need our key are in tests/unit/authority/test_verify.c.
import assert from 'node:assert/strict';
import crypto from 'node:crypto';
import net from 'node:net';
import { after, before, describe, test } from 'node:test';
import zlib from 'node:zlib';
import { refused } from './expect.mjs';
import { Instance, claims } from './harness/index.mjs';

const base64url = (value) => Buffer.from(typeof value === 'object' && !Buffer.isBuffer(value) ? JSON.stringify(value) : value).toString('base64url');
const own = { ec: crypto.generateKeyPairSync('ec', { namedCurve: 'P-256' }), rsa: crypto.generateKeyPairSync('rsa', { modulusLength: 2048 }),
	ed: crypto.generateKeyPairSync('ed25519') };
const signers = {
	none: () => Buffer.alloc(0),
	ES256: (text) => crypto.sign('sha256', text, { key: own.ec.privateKey, dsaEncoding: 'ieee-p1363' }),
	RS256: (text) => crypto.sign('sha256', text, own.rsa.privateKey),
	PS256: (text) => crypto.sign('sha256', text, { key: own.rsa.privateKey, padding: crypto.constants.RSA_PKCS1_PSS_PADDING, saltLength: 32 }),
	EdDSA: (text) => crypto.sign(null, text, own.ed.privateKey),
};

let grantd, alice, app, calls, listener;
// what is real: { userinfo, mail, id_token, refresh_token }, the keys and the header of an access token
let real, keys, header;
before(async () => {
	grantd = await Instance.start(null);
	await grantd.add_resource();
	alice = await grantd.add_person('alice');
	const agent = await grantd.add_agent();
	app = await grantd.add_agent({ id: 'web-app', secret: true, scope: 'openid profile', resource: null, redirect_uris: ['https://app.example/cb'] });
	const first = await app.tokens(alice, { changes: { resource: null } });
	const second = await agent.tokens(alice);
	real = { userinfo: first.access_token, id_token: first.id_token, mail: second.access_token, refresh_token: second.refresh_token };
	keys = (await (await grantd.fetch(`${grantd.issuer}/jwks.json`)).json()).keys;
	header = JSON.parse(Buffer.from(real.mail.split('.')[0], 'base64url'));
	calls = 0;
	listener = net.createServer((socket) => {
		calls++;
		socket.destroy();
	});
	await new Promise((resolve) => listener.listen(0, '127.0.0.1', resolve));
});
after(async () => {
	listener.close();
	await grantd.dispose();
});

const userinfo = async (token) => {
	const response = await grantd.fetch(`${grantd.issuer}/userinfo`, { raw_headers: new Map([['authorization', `Bearer ${token}`]]) });
	const text = await response.text();
	let body = null;
	try { body = JSON.parse(text); } catch { /* told by the caller */ }
	return { status: response.status, headers: response.headers, text, body };
};

// A token of these parts. `key` is what HMAC is keyed with, or one of the signers.
function token_of(head, payload, signer) {
	const text = `${base64url(head)}.${base64url(payload)}`;
	return `${text}.${signer(Buffer.from(text)).toString('base64url')}`;
}

const hmac = (bits, key) => (text) => crypto.createHmac(`sha${bits}`, key).update(text).digest();

// What `make` builds from each of the two real tokens is refused where that token is taken.
async function is_refused(make) {
	refused(await userinfo(make(real.userinfo)), 401, 'invalid_token');
	assert.deepEqual(await grantd.introspect(make(real.mail)), { active: false });
}

// with another header (made from the real one), the same claims, signed by `signer`
const forged = (change, signer) => (token) => token_of(change(JSON.parse(Buffer.from(token.split('.')[0], 'base64url'))), claims(token), signer);

// with another header, and the signature that it had
const relabelled = (change) => (token) => {
	const [head, payload, signature] = token.split('.');
	return `${base64url(change(JSON.parse(Buffer.from(head, 'base64url'))))}.${payload}.${signature}`;
};

async function both_real_ones_pass() {
	assert.equal((await userinfo(real.userinfo)).status, 200);
	assert.equal((await grantd.introspect(real.mail)).active, true);
}

let rows_before;
test('the real tokens pass', async () => {
	await both_real_ones_pass();
	rows_before = await grantd.snapshot({ except: ['events'] });
});

describe('JW-001: no signature', () => {
	for (const alg of ['none', 'None', 'nOnE', 'NONE', '']) {
		test(`alg "${alg}" and an empty signature`, () => is_refused(forged((head) => ({ ...head, alg }), signers.none)));
		test(`alg "${alg}" and the real signature`, () => is_refused(relabelled((head) => ({ ...head, alg }))));
	}
	test('alg none without a kid', () => is_refused(forged(() => ({ alg: 'none', typ: 'at+jwt' }), signers.none)));
	test('the signature left out', () => is_refused((token) => `${token.split('.').slice(0, 2).join('.')}.`));
	test('the signature and its dot left out', () => is_refused((token) => token.split('.').slice(0, 2).join('.')));
	test('a signature of zeros (CVE-2022-21449)', () => is_refused((token) => `${token.split('.').slice(0, 2).join('.')}.${base64url(Buffer.alloc(64))}`));
	test('the signature of another token', () => is_refused((token) => [...token.split('.').slice(0, 2), (token === real.mail ? real.userinfo : real.mail).split('.')[2]].join('.')));
	test('a signature in DER', () => is_refused(forged((head) => head, (text) => crypto.sign('sha256', text, own.ec.privateKey))));
	for (const claim of ['scope', 'exp', 'sub', 'client_id', 'aud'])
		test(`another ${claim} under the real signature`, () => is_refused((token) => {
			const [head, , signature] = token.split('.');
			const payload = claims(token);
			return `${head}.${base64url({ ...payload, [claim]: claim === 'exp' ? payload.exp + 1 : `${payload[claim]} x` })}.${signature}`;
		}));
});

describe('JW-002: a key of another kind', () => {
	const jwk_of = () => keys.find((key) => key.kid === header.kid);
	const spellings = {
		PEM: (key) => key.export({ type: 'spki', format: 'pem' }),
		'PEM without its last newline': (key) => key.export({ type: 'spki', format: 'pem' }).trimEnd(),
		DER: (key) => key.export({ type: 'spki', format: 'der' }),
		'the point': (key) => key.export({ type: 'spki', format: 'der' }).subarray(-65),
		'JWK text': () => JSON.stringify(jwk_of()),
		'JWKS text': () => JSON.stringify({ keys }),
		x: () => Buffer.from(jwk_of().x, 'base64url'),
		'an empty key': () => Buffer.alloc(0),
		'the kid': () => header.kid,
	};
	for (const [name, spell] of Object.entries(spellings))
		test(`HMAC keyed with ${name}`, async () => {
			const key = spell(crypto.createPublicKey({ key: jwk_of(), format: 'jwk' }));
			for (const bits of [256, 384, 512]) await is_refused(forged((head) => ({ ...head, alg: `HS${bits}` }), hmac(bits, key)));
			await is_refused(forged((head) => head, hmac(512, key))); // 64 bytes, as ES256 has
		});
	for (const alg of ['ES256', 'RS256', 'PS256', 'EdDSA']) {
		test(`${alg} by a key of one's own under our kid`, () => is_refused(forged((head) => ({ ...head, alg }), signers[alg])));
		test(`${alg} by a key of one's own under the kid of another key of ours`, () =>
			is_refused(forged((head) => ({ ...head, alg, kid: keys.find((key) => key.kid !== header.kid).kid }), signers[alg])));
	}
});

describe('JW-003: what is no access token', () => {
	test('an ID token, as it is', () => is_refused(() => real.id_token));
	test('an ID token under the name of an access token', () => is_refused(() => relabelled((head) => ({ ...head, typ: 'at+jwt' }))(real.id_token)));
	for (const typ of ['JWT', 'dpop+jwt', 'logout+jwt', 'client-authentication+jwt', 'AT+JWT', null, 7])
		test(`typ ${typ}`, () => is_refused(relabelled((head) => ({ ...head, typ }))));
	test('RT-018: a refresh token', () => is_refused(() => real.refresh_token));
	test('a token for another resource', async () => {
		refused(await userinfo(real.mail), 401, 'invalid_token');
		assert.deepEqual(await grantd.introspect(real.userinfo), { active: false });
	});
});

describe('JW-007: keys and rules chosen by the sender, and nothing is fetched', () => {
	const kids = { 'of nobody': 'nobody', 'a path': '../../../../dev/null', 'an absolute path': '/etc/passwd', 'SQL': "' OR 1=1 --", 'empty': '',
		'with NUL': 'a\u0000b', 'of 7 KiB': 'k'.repeat(7000), 'a number': 7, 'a list': [], 'absent': undefined };
	for (const [name, kid] of Object.entries(kids))
		test(`kid ${name}`, () => is_refused(forged((head) => ({ ...head, kid }), signers.ES256)));
	test('kid of 1 MB', async () => {
		const token = forged((head) => ({ ...head, kid: 'k'.repeat(1 << 20) }), signers.ES256)(real.mail);
		const { statuses, closed } = await grantd.raw(`GET /userinfo HTTP/1.1\r\nHost: ${grantd.host}:${grantd.port}\r\nAuthorization: Bearer ${token}\r\n\r\n`);
		assert.deepEqual([statuses, closed], [[431], true]);
		const answer = await app.post('/introspect', { token });
		assert.equal(answer.status, 413);
	});
	const places = {
		jku: (url) => ({ jku: url }), x5u: (url) => ({ x5u: url }), 'jku and no kid': (url) => ({ jku: url, kid: undefined }),
		'kid that is a URL': (url) => ({ kid: url }), 'jwks in the header': (url) => ({ jwks_uri: url, kid: 'x' }),
	};
	for (const [name, members] of Object.entries(places))
		test(name, async () => {
			for (const scheme of ['http', 'https', 'ftp', 'ldap'])
				for (const alg of ['ES256', 'RS256'])
					await is_refused(forged((head) => ({ ...head, alg, ...members(`${scheme}://127.0.0.1:${listener.address().port}/jwks.json`) }), signers[alg]));
		});
	test('another issuer to discover', async () => {
		const iss = `http://127.0.0.1:${listener.address().port}`;
		await is_refused((token) => token_of({ ...header, kid: 'theirs' }, { ...claims(token), iss }, signers.ES256));
	});
	test('jwk: one\'s own key in the header', () => is_refused(forged((head) => ({ ...head, jwk: own.ec.publicKey.export({ format: 'jwk' }) }), signers.ES256)));
	test('jwk beside the kid of nobody', () => is_refused(forged((head) => ({ ...head, kid: 'x', jwk: own.ec.publicKey.export({ format: 'jwk' }) }), signers.ES256)));
	test('x5c: a chain in the header', () => is_refused(forged((head) => ({ ...head, x5c: [own.ec.publicKey.export({ type: 'spki', format: 'der' }).toString('base64')] }), signers.ES256)));
	for (const members of [{ crit: ['exp'], exp: 1 }, { crit: ['unknown'], unknown: true }, { crit: [] }, { crit: 'b64' }, { b64: false }, { b64: false, crit: ['b64'] }, { b64: true }])
		test(JSON.stringify(members), async () => {
			await is_refused(relabelled((head) => ({ ...head, ...members })));
			await is_refused(forged((head) => ({ ...head, ...members }), signers.ES256));
		});
	test('nobody was called', () => assert.equal(calls, 0));
});

describe('JW-008: another spelling of a real token', () => {
	const parts = (token) => token.split('.');
	const spellings = {
		'flattened JSON': (token) => JSON.stringify({ protected: parts(token)[0], payload: parts(token)[1], signature: parts(token)[2] }),
		'general JSON': (token) => JSON.stringify({ payload: parts(token)[1], signatures: [{ protected: parts(token)[0], signature: parts(token)[2] }] }),
		'a fourth part': (token) => `${token}.${parts(token)[2]}`,
		'a dot at the end': (token) => `${token}.`,
		'a dot before it': (token) => `.${token}`,
		'no header': (token) => `.${parts(token).slice(1).join('.')}`,
		'no claims': (token) => `${parts(token)[0]}..${parts(token)[2]}`,
		'padding at the end': (token) => `${token}==`,
		'padding inside': (token) => parts(token).map((part) => part.padEnd(Math.ceil(part.length / 4) * 4, '=')).join('.'),
		'a space inside': (token) => token.replace('.', ' .'),
		'a tab inside': (token) => token.replace('.', '.\t'),
		'a comma and another': (token) => `${token},${token}`,
		'quoted': (token) => `"${token}"`,
		'the other alphabet': (token) => `${parts(token).slice(0, 2).join('.')}.${Buffer.from(parts(token)[2], 'base64url').toString('base64').replaceAll('=', '')}+`,
		'percent signs': (token) => token.replace('.', '%2E'),
	};
	for (const [name, spell] of Object.entries(spellings)) test(name, () => is_refused(spell));
	test('bits left over in the last character', () => is_refused((token) => {
		const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_';
		const other = `${token.slice(0, -1)}${alphabet[alphabet.indexOf(token.at(-1)) ^ 1]}`;
		assert.deepEqual(Buffer.from(other.split('.')[2], 'base64url'), Buffer.from(token.split('.')[2], 'base64url'), 'the same bytes');
		return other;
	}));
	test('a line end inside ends the connection, not the header', async () => {
		const { statuses } = await grantd.raw(`GET /userinfo HTTP/1.1\r\nHost: ${grantd.host}:${grantd.port}\r\nAuthorization: Bearer ${real.userinfo.replace('.', '.\r\n ')}\r\n\r\n`);
		assert.deepEqual(statuses, [400]);
		assert.deepEqual(await grantd.introspect(real.mail.replace('.', '.\r\n')), { active: false });
	});
	test('header or claims that are no JSON object', async () => {
		for (const bytes of ['', '[]', '7', 'null', '{', '{"alg":"ES256","alg":"none"}', '{} {}', '\u0000', Buffer.from([0xff]), `${'['.repeat(4000)}`, `{"a":${'['.repeat(40)}${']'.repeat(40)}}`]) {
			await is_refused((token) => token_of(bytes, claims(token), signers.ES256));
			await is_refused((token) => token_of(header, bytes, signers.ES256));
		}
	});
});

describe('JW-009: encrypted, nested and packed', () => {
	// 8 MiB of claims that are 8 KiB when packed
	const bomb = zlib.deflateRawSync(Buffer.alloc(8 << 20, '{')).subarray(0, 8192);
	const sealed = (head, text) => {
		const key = crypto.randomBytes(16), iv = crypto.randomBytes(12);
		const cipher = crypto.createCipheriv('aes-128-gcm', key, iv);
		cipher.setAAD(Buffer.from(base64url(head)));
		const bytes = Buffer.concat([cipher.update(text), cipher.final()]);
		return [head, '', iv, bytes, cipher.getAuthTag()].map(base64url).join('.');
	};
	test('JWE of the real token', () => is_refused((token) => sealed({ alg: 'dir', enc: 'A128GCM', cty: 'JWT' }, token)));
	test('JWE with alg none', () => is_refused((token) => sealed({ alg: 'none', enc: 'none' }, token)));
	test('JWE header in three parts', () => is_refused(relabelled((head) => ({ ...head, enc: 'A128GCM' }))));
	test('a token within a token', async () => {
		await is_refused((token) => token_of({ ...header, cty: 'JWT' }, token, signers.ES256));
		await is_refused((token) => token_of({ ...header, cty: 'JWT', alg: 'none' }, token, signers.none));
	});
	test('zip=DEF is not unpacked', async () => {
		await is_refused(() => token_of({ ...header, zip: 'DEF' }, bomb, signers.ES256));
		await is_refused(() => sealed({ alg: 'dir', enc: 'A128GCM', zip: 'DEF' }, bomb));
		await is_refused(relabelled((head) => ({ ...head, zip: 'DEF' })));
	});
});

test('JW-006: a token past its time, or with another time under its signature, is refused', async () => {
	for (const exp of [undefined, '9999999999', -1, 1e20, 0, null, true]) await is_refused((token) => token_of(header, { ...claims(token), exp }, signers.ES256));
	for (const claim of ['nbf', 'iat']) await is_refused((token) => token_of(header, { ...claims(token), [claim]: 9999999999 }, signers.ES256));
});

test('nothing of that changed a row or shows in the log, and the real tokens still pass', async () => {
	assert.deepEqual(await grantd.snapshot({ except: ['events'] }), rows_before);
	await both_real_ones_pass();
	assert.deepEqual(await grantd.files_with([real.userinfo, real.mail, real.id_token, real.refresh_token]), []);
});
