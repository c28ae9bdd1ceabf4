// SPDX-License-Identifier: Apache-2.0
// The keys of an installation, opened without grantd: from root.key and the rows of the database, by what the
// comments in src/crypto say. For looking where they are and where they are not.
import crypto from 'node:crypto';
import fs from 'node:fs';
import path from 'node:path';

const rotate = (value, by) => (value << by | value >>> (32 - by)) >>> 0;

// draft-irtf-cfrg-xchacha 2.2: the key for the rest of a 24-byte nonce.
function hchacha20(key, nonce) {
	const state = new Uint32Array(16);
	for (const [i, word] of [0x61707865, 0x3320646e, 0x79622d32, 0x6b206574].entries()) state[i] = word;
	for (let i = 0; i < 8; i++) state[4 + i] = key.readUInt32LE(4 * i);
	for (let i = 0; i < 4; i++) state[12 + i] = nonce.readUInt32LE(4 * i);
	const quarter = (a, b, c, d) => {
		for (const [x, y, z, by] of [[a, b, d, 16], [c, d, b, 12], [a, b, d, 8], [c, d, b, 7]]) {
			state[x] += state[y];
			state[z] = rotate(state[z] ^ state[x], by);
		}
	};
	for (let round = 0; round < 10; round++) {
		for (let i = 0; i < 4; i++) quarter(i, 4 + i, 8 + i, 12 + i);
		for (let i = 0; i < 4; i++) quarter(i, 4 + (i + 1) % 4, 8 + (i + 2) % 4, 12 + (i + 3) % 4);
	}
	const out = Buffer.alloc(32);
	for (const [i, at] of [0, 1, 2, 3, 12, 13, 14, 15].entries()) out.writeUInt32LE(state[at], 4 * i);
	return out;
}

const number = (value) => {
	const bytes = Buffer.alloc(8);
	bytes.writeBigInt64BE(BigInt(value));
	return bytes;
};
const part = (bytes) => Buffer.concat([number(bytes.length), bytes]);

function open_sealed(key, sealed, place) {
	const prefix = sealed.subarray(0, 5), nonce = sealed.subarray(5, 29), rest = sealed.subarray(29);
	const subkey = hchacha20(key, nonce);
	const open = crypto.createDecipheriv('chacha20-poly1305', subkey, Buffer.concat([Buffer.alloc(4), nonce.subarray(16)]), { authTagLength: 16 });
	open.setAAD(Buffer.concat([prefix, ...place.map((text) => Buffer.from(text))].map(part).concat(number(0))), { plaintextLength: rest.length - 16 });
	open.setAuthTag(rest.subarray(-16));
	return Buffer.concat([open.update(rest.subarray(0, -16)), open.final()]);
}

const backwards = (bytes) => Buffer.from(bytes).reverse();

// OpenSSL keeps its numbers with the lowest byte first.
function numbers_of(purpose, der, alg) {
	const key = crypto.createPrivateKey({ key: der, format: 'der', type: alg === 'ES256' ? 'sec1' : 'pkcs1' });
	const jwk = key.export({ format: 'jwk' });
	const names = alg === 'ES256' ? ['d'] : ['d', 'p', 'q'];
	return names.flatMap((name) => {
		const bytes = Buffer.from(jwk[name], 'base64url');
		return [[`${name} of the ${alg} key for ${purpose}`, backwards(bytes)], [`${name} of the ${alg} key for ${purpose}, as sent`, bytes]];
	});
}

function root_of(grantd) {
	const [, text] = /^1 ([\w-]{43})$/m.exec(fs.readFileSync(path.join(grantd.dir, 'root.key'), 'utf8'));
	const root = Buffer.from(text, 'base64url');
	return { text, root, derive: (label) => Buffer.from(crypto.hkdfSync('sha256', root, '', label, 32)) };
}

// The signing keys: [{ id, purpose, alg, der }].
export async function signing_keys(grantd) {
	const key = root_of(grantd).derive('grantd v1 seal root');
	return (await grantd.rows('SELECT id, purpose, alg, sealed FROM keys')).map(({ sealed, ...row }) =>
		({ ...row, der: open_sealed(key, Buffer.from(sealed.slice(2), 'hex'), ['keys', row.id, `sealed ${row.alg} ${row.purpose}`, '']) }));
}

// [what it is, its bytes]: the root key, what is derived from it, and the private numbers of the signing keys.
export async function keys_of(grantd) {
	const { text, root, derive } = root_of(grantd);
	const found = [['the root key', root], ['the text of the root key', Buffer.from(text)], ['the sealing key', derive('grantd v1 seal root')]];
	for (const label of ['code', 'browser']) found.push([`the MAC key for ${label}`, derive(`grantd v1 mac ${label}`)]);
	for (const { purpose, alg, der } of await signing_keys(grantd)) found.push(...numbers_of(purpose, der, alg), [`the file of the ${alg} key for ${purpose}`, der]);
	return found;
}
