// SPDX-License-Identifier: Apache-2.0
// A client that says exactly what a test wants it to say, right or wrong.
import { createHash, randomBytes } from 'node:crypto';

export const challenge_of = (verifier) => createHash('sha256').update(verifier).digest('base64url');
export const new_verifier = () => randomBytes(32).toString('base64url');
export const claims_of = (jwt) => JSON.parse(Buffer.from(jwt.split('.')[1], 'base64url'));
export const header_of = (jwt) => JSON.parse(Buffer.from(jwt.split('.')[0], 'base64url'));
export const basic = (id, secret) =>
	`Basic ${Buffer.from(`${encodeURIComponent(id)}:${encodeURIComponent(secret)}`).toString('base64')}`;

// undefined leaves a parameter out
const clean = (params) => Object.entries(params).flatMap(([name, value]) =>
	value === undefined ? [] : Array.isArray(value) ? value.map((each) => [name, each]) : [[name, value]]);

export class Agent {
	constructor(wire, { id, secret, redirect_uri = 'http://127.0.0.1/callback', resource, scope }) {
		Object.assign(this, { wire, id, secret, redirect_uri, resource, scope });
	}

	// { target, verifier, state } of a sound request, but for what `change` says
	ask(change = {}) {
		const verifier = new_verifier();
		const state = randomBytes(12).toString('base64url');
		const params = clean({ response_type: 'code', client_id: this.id, redirect_uri: this.redirect_uri, state,
			scope: this.scope, resource: this.resource, code_challenge: challenge_of(verifier),
			code_challenge_method: 'S256', ...change });
		return { verifier, state, params, target: `/authorize?${new URLSearchParams(params)}` };
	}

	credentials() {
		return this.secret === undefined ? [{ client_id: this.id }, {}]
			: [{}, { Authorization: basic(this.id, this.secret) }];
	}

	post(target, params, options = {}) {
		const [body, headers] = this.credentials();
		return this.wire.form(target, clean({ ...body, ...params }), { ...options, headers: { ...headers, ...options.headers } });
	}

	token(params, options) { return this.post('/token', params, options); }

	redeem({ code, verifier }, change = {}, options = {}) {
		return this.token({ grant_type: 'authorization_code', code, code_verifier: verifier,
			redirect_uri: this.redirect_uri, ...change }, options);
	}

	refresh(refresh_token, change = {}, options = {}) {
		return this.token({ grant_type: 'refresh_token', refresh_token, ...change }, options);
	}

	introspect(token, options) { return this.post('/introspect', { token }, options); }
	revoke(token, change = {}, options = {}) { return this.post('/revoke', { token, ...change }, options); }

	// { code, verifier, state, location } after the person's yes
	async code_from(person, { change, ...choice } = {}) {
		const { target, verifier, state } = this.ask(change);
		const location = await person.allow(target, choice);
		return { code: location.searchParams.get('code'), verifier, state, location };
	}

	// the token answer after the person's yes
	async tokens_from(person, choice) {
		const answer = await this.redeem(await this.code_from(person, choice));
		if (answer.status !== 200) throw new Error(`no tokens: ${answer.status} ${answer.text}`);
		return answer.json;
	}
}
