// SPDX-License-Identifier: Apache-2.0
// Tokens that are sound but for one thing, signed by the key of the issuer: what every server of docs/resource-servers.md
// is shown, and refuses unless the page says that it cannot.
import assert from 'node:assert/strict';
import crypto from 'node:crypto';

const thief = crypto.generateKeyPairSync('ec', { namedCurve: 'P-256' });
const part = (value) => Buffer.from(JSON.stringify(value)).toString('base64url');

export const now = () => Math.floor(Date.now() / 1000);
export const key_of_somebody = { cnf: { jkt: 'A'.repeat(43) } };

export class Forge {
	// key: the issuer's pair, kid: its name; body(): the claims of a sound token, typ: its type
	constructor({ key, kid, body, typ = 'at+jwt' }) {
		Object.assign(this, { key, kid, body, typ });
	}

	// A token with these changes of header and claims; undefined takes a member out.
	token({ head = {}, body = {}, by = this.key, signature } = {}) {
		const signed = `${part({ typ: this.typ, alg: 'ES256', kid: this.kid, ...head })}.${part({ ...this.body(), ...body })}`;
		return `${signed}.${signature?.(signed) ?? crypto.sign('sha256', signed, { key: by.privateKey, dsaEncoding: 'ieee-p1363' }).toString('base64url')}`;
	}

	#by_public_key = (signed) => crypto.createHmac('sha256', this.key.publicKey.export({ type: 'spki', format: 'pem' })).update(signed).digest('base64url');

	// what it is => the token, newly made
	get bad() {
		const { aud } = this.body();
		return Object.fromEntries(Object.entries({
			'for another server': { body: { aud: 'https://other.example.org' } },
			'for a name that begins like ours': { body: { aud: `${aud}.evil.example` } },
			'for nobody in particular': { body: { aud: undefined } },
			'of another issuer': { body: { iss: 'https://evil.example' } },
			'of no issuer': { body: { iss: undefined } },
			'that is over': { body: { iat: now() - 400, exp: now() - 60 } },
			'that never ends': { body: { exp: undefined } },
			'not signed (alg none)': { head: { alg: 'none' }, signature: () => '' },
			'that says none and is signed': { head: { alg: 'none' } },
			'with the public key for a secret (HS256)': { head: { alg: 'HS256' }, signature: this.#by_public_key },
			'of a foreign key under our key\'s name': { by: thief },
			'of a foreign key that it brings along': { by: thief, head: { kid: undefined, jwk: thief.publicKey.export({ format: 'jwk' }) } },
			'of another type': { head: { typ: this.typ === 'JWT' ? 'at+jwt' : 'JWT' } },
			'of no type': { head: { typ: undefined } },
			'that belongs to a key': { body: key_of_somebody },
		}).map(([what, changes]) => [what, this.token(changes)]));
	}

	// All of these but the named ones, which this server lets in.
	bad_but(...names) {
		const { bad } = this;
		for (const name of names) {
			assert.ok(name in bad, name);
			delete bad[name];
		}
		return bad;
	}
}
