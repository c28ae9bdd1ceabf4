// SPDX-License-Identifier: Apache-2.0
// An agent written down to its requests, for tests that need to say each parameter themselves. The real
// clients (openid-client, oauth4webapi) are used beside it, not replaced by it.
import crypto from 'node:crypto';

export function pkce(verifier = crypto.randomBytes(32).toString('base64url')) {
	return { verifier, challenge: crypto.createHash('sha256').update(verifier).digest('base64url') };
}

// application/x-www-form-urlencoded before Base64 (RFC 6749 2.3.1)
export function basic(id, secret) {
	const encode = (text) => new URLSearchParams({ '': text }).toString().slice(1);
	return `Basic ${Buffer.from(`${encode(id)}:${encode(secret)}`).toString('base64')}`;
}

export function claims(jwt) {
	return JSON.parse(Buffer.from(jwt.split('.')[1], 'base64url').toString('utf8'));
}

export class Agent {
	constructor(instance, { client_id, client_secret, redirect_uri = 'http://127.0.0.1/callback', resource, scope }) {
		Object.assign(this, { instance, client_id, client_secret, redirect_uri, resource, scope });
	}

	// The same agent, who sends to that node.
	at(instance) {
		return Object.assign(Object.create(Agent.prototype), this, { instance });
	}

	// The address to open, with what it takes to redeem the code. In `changes` null leaves a parameter out.
	authorization(changes = {}) {
		const { verifier, challenge } = pkce();
		const parameters = {
			response_type: 'code', client_id: this.client_id, redirect_uri: this.redirect_uri, scope: this.scope,
			resource: this.resource, state: crypto.randomBytes(12).toString('base64url'),
			code_challenge: challenge, code_challenge_method: 'S256', ...changes,
		};
		const url = new URL('/authorize', this.instance.issuer);
		for (const [name, value] of Object.entries(parameters)) {
			for (const one of Array.isArray(value) ? value : [value]) if (one !== undefined && one !== null) url.searchParams.append(name, one);
		}
		return { url: url.href, verifier, state: parameters.state, redirect_uri: parameters.redirect_uri };
	}

	// POST to an endpoint, authenticated as this client unless told otherwise: { status, headers, body, text }.
	async post(path, parameters, { headers = {}, auth = true, apart = false } = {}) {
		const form = new URLSearchParams();
		const all = auth && !this.client_secret ? { client_id: this.client_id, ...parameters } : parameters;
		for (const [name, value] of Object.entries(all)) {
			for (const one of Array.isArray(value) ? value : [value]) if (one !== undefined && one !== null) form.append(name, one);
		}
		const raw_headers = new Map([['content-type', 'application/x-www-form-urlencoded']]);
		if (auth && this.client_secret) raw_headers.set('authorization', basic(this.client_id, this.client_secret));
		for (const [name, value] of Object.entries(headers)) {
			if (value === null) raw_headers.delete(name.toLowerCase());
			else raw_headers.set(name.toLowerCase(), value);
		}
		const send = apart ? this.instance.https.fetch_apart.bind(this.instance.https) : this.instance.fetch;
		const response = await send(new URL(path, this.instance.issuer), { method: 'POST', body: form.toString(), raw_headers });
		const text = await response.text();
		let body = null;
		try { body = JSON.parse(text); } catch { /* not every answer is JSON */ }
		return { status: response.status, headers: response.headers, body, text };
	}

	// The same, pushed first (RFC 9126): the address has the client and where the rest lies. answer: what /par said
	async push(changes = {}, options) {
		const wish = this.authorization(changes);
		const url = new URL('/authorize', this.instance.issuer);
		const answer = await this.post('/par', Object.fromEntries([...new Set(new URL(wish.url).searchParams.keys())]
			.map((name) => [name, new URL(wish.url).searchParams.getAll(name)])), options);
		url.search = new URLSearchParams({ client_id: this.client_id, request_uri: answer.body?.request_uri });
		return { ...wish, url: url.href, answer, request_uri: answer.body?.request_uri };
	}

	redeem(code, wish, changes = {}, options) {
		return this.post('/token', { grant_type: 'authorization_code', code, redirect_uri: wish.redirect_uri, code_verifier: wish.verifier, ...changes }, options);
	}

	refresh(refresh_token, changes = {}, options) {
		return this.post('/token', { grant_type: 'refresh_token', refresh_token, ...changes }, options);
	}

	revoke(token, changes = {}, options) {
		return this.post('/revoke', { token, ...changes }, options);
	}

	// The whole way: the person allows, the code becomes tokens. { access_token, refresh_token, … }
	async tokens(person, { changes, ...decision } = {}) {
		const wish = this.authorization(changes);
		const { code, error, error_description } = await person.allow(wish.url, decision);
		if (!code) throw new Error(`no code: ${error}: ${error_description}`);
		const { status, body, text } = await this.redeem(code, wish);
		if (status !== 200) throw new Error(`no token: ${status} ${text}`);
		return body;
	}
}
