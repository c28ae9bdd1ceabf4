// SPDX-License-Identifier: Apache-2.0
// Keys of clients: DPoP proofs (RFC 9449) and client assertions (RFC 7523), each part of which a test may replace.
import crypto from 'node:crypto';

const encode = (value) => Buffer.from(typeof value === 'string' ? value : JSON.stringify(value)).toString('base64url');
const id = () => crypto.randomBytes(16).toString('base64url');
export const seconds = (shift = 0) => Math.floor(Date.now() / 1000) + shift;

const kinds = {
	ES256: { type: 'ec', options: { namedCurve: 'P-256' }, hash: 'sha256', how: { dsaEncoding: 'ieee-p1363' }, members: ['crv', 'kty', 'x', 'y'] },
	EdDSA: { type: 'ed25519', options: {}, hash: null, how: {}, members: ['crv', 'kty', 'x'] },
	RS256: { type: 'rsa', options: { modulusLength: 2048 }, hash: 'sha256', how: {}, members: ['e', 'kty', 'n'] },
	PS256: { type: 'rsa', options: { modulusLength: 2048 }, hash: 'sha256', how: { padding: crypto.constants.RSA_PKCS1_PSS_PADDING, saltLength: 32 }, members: ['e', 'kty', 'n'] },
};
kinds.Ed25519 = kinds.EdDSA;

export class ClientKey {
	constructor(alg = 'ES256', options = {}) {
		this.alg = alg;
		this.kind = kinds[alg];
		const pair = crypto.generateKeyPairSync(this.kind.type, { ...this.kind.options, ...options });
		this.private = pair.privateKey;
		this.jwk = pair.publicKey.export({ format: 'jwk' });
	}

	// RFC 7638
	get jkt() {
		return crypto.createHash('sha256').update(JSON.stringify(Object.fromEntries(this.kind.members.map((name) => [name, this.jwk[name]])))).digest('base64url');
	}

	sign(header, claims) {
		const text = `${encode(header)}.${encode(claims)}`;
		return `${text}.${crypto.sign(this.kind.hash, text, { key: this.private, ...this.kind.how }).toString('base64url')}`;
	}

	// undefined in `header` or `claims` leaves a member out
	proof(htu, { header, ...claims } = {}) {
		return this.sign({ typ: 'dpop+jwt', alg: this.alg, jwk: this.jwk, ...header }, { htm: 'POST', htu, iat: seconds(), jti: id(), ...claims });
	}

	assertion(client_id, issuer, { header, ...claims } = {}) {
		return this.sign({ alg: this.alg, ...header }, { iss: client_id, sub: client_id, aud: issuer, iat: seconds(), exp: seconds(60), jti: id(), ...claims });
	}
}

export const ath = (token) => crypto.createHash('sha256').update(token).digest('base64url');
export const asserting = (assertion) => ({ client_assertion_type: 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer', client_assertion: assertion });
