// SPDX-License-Identifier: Apache-2.0
// Whether a token is good here: signed by grantd or confirmed by it, in its time, and for this server and no other.
import fs from 'node:fs';
import { OAuthError, OAuthErrorCode } from '@modelcontextprotocol/server';
import { createRemoteJWKSet, errors, jwtVerify } from 'jose';

const invalid = (why) => new OAuthError(OAuthErrorCode.InvalidToken, why);

async function json_of(url, options) {
	const response = await fetch(url, { ...options, redirect: 'error', signal: AbortSignal.timeout(5000) });
	if (!response.ok) throw new Error(`${url}: ${response.status}`);
	return response.json();
}

// Its signature, with grantd's public keys: kept for ten minutes, and fetched again, once a second at the most, when a
// token has a key that is not among them. A revocation counts when the token is over.
function by_signature({ issuer, jwks_uri }, resource) {
	const keys = createRemoteJWKSet(new URL(jwks_uri), { cooldownDuration: 1000 });
	return async (token) => {
		try {
			return (await jwtVerify(token, keys, { issuer, audience: resource, typ: 'at+jwt', algorithms: ['ES256'], requiredClaims: ['exp'] })).payload;
		} catch (error) {
			// grantd does not answer, or not with keys: that says nothing about the token
			if (!(error instanceof errors.JOSEError) || ['ERR_JWKS_TIMEOUT', 'ERR_JWKS_INVALID', 'ERR_JOSE_GENERIC'].includes(error.code)) throw error;
			throw invalid('It is not a token of this server, or is over');
		}
	};
}

// grantd's word (RFC 7662): one call for each request, and a revocation counts at once.
function by_introspection({ introspection_endpoint }, id, secret) {
	// RFC 6749 2.3.1: both are encoded as in a form before they go into Basic
	const authorization = `Basic ${Buffer.from([id, secret].map(encodeURIComponent).join(':')).toString('base64')}`;
	return async (token) => {
		const seen = await json_of(introspection_endpoint, { method: 'POST', headers: { authorization }, body: new URLSearchParams({ token }) });
		if (!seen.active) throw invalid('It is not a token of this server, or is over');
		return seen;
	};
}

// With INTROSPECTION_ID and INTROSPECTION_SECRET_FILE it asks, without it looks at the signature.
export async function verifier_of(issuer, resource) {
	const server = await json_of(`${issuer}/.well-known/oauth-authorization-server`);
	if (server.issuer !== issuer) throw new Error(`${issuer} says it is ${server.issuer}`);
	const { INTROSPECTION_ID: id, INTROSPECTION_SECRET_FILE: file } = process.env;
	const claims_of = id ? by_introspection(server, id, fs.readFileSync(file, 'utf8').trim()) : by_signature(server, resource);
	return {
		async verifyAccessToken(token) {
			const claims = await claims_of(token);
			if (claims.aud !== resource) throw invalid('It is for another server');
			// bound to a key of the agent (DPoP), whose proof is not checked here: as a bearer token it may be stolen
			if (claims.cnf) throw invalid('It is bound to a key');
			return { token, clientId: claims.client_id, scopes: claims.scope?.split(' ') ?? [], expiresAt: claims.exp, extra: { sub: claims.sub } };
		},
	};
}
