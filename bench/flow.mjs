// SPDX-License-Identifier: Apache-2.0
// Whole authorizations: a person who is signed in, each flow from the agent's link over the consent page to the
// tokens. As few requests as the server's own redirects allow; nothing is guessed, all is read from its answers.
import crypto from 'node:crypto';
import http from 'node:http';
import https from 'node:https';
import { defaults, forms } from '../tests/flow/harness/html.mjs';
import { ask, sleep } from './servers/server.mjs';

const callback = 'http://127.0.0.1/callback';

export class Browser {
	// origin: where to connect; issuer: what the server calls itself in its answers
	constructor(origin, issuer) {
		Object.assign(this, { origin, issuer, cookies: new Map(), requests: 0 });
		const { Agent } = origin.startsWith('https:') ? https : http;
		this.agent = new Agent({ keepAlive: true, maxSockets: 64, rejectUnauthorized: false });
	}

	close() { this.agent.destroy(); }

	// What a browser sends with a page's address, or with its form.
	#fields(is_form) {
		const fields = { accept: 'text/html', 'sec-fetch-mode': 'navigate', 'sec-fetch-dest': 'document',
			'sec-fetch-site': is_form ? 'same-origin' : 'none', cookie: [...this.cookies].map(([name, value]) => `${name}=${value}`).join('; ') };
		return is_form ? { ...fields, origin: this.issuer, 'content-type': 'application/x-www-form-urlencoded' } : fields;
	}

	async #once(url, fill) {
		const target = new URL(url.pathname + url.search, this.origin);
		const headers = { host: new URL(this.issuer).host, ...this.#fields(Boolean(fill)) };
		this.requests++;
		const answer = await ask(target, { method: fill ? 'POST' : 'GET', headers, body: fill, agent: this.agent });
		for (const line of answer.headers['set-cookie'] ?? []) {
			const [, name, value] = /^([^=]+)=([^;]*)/.exec(line);
			if (value === '' || /max-age=0|expires=thu, 01 jan 1970/i.test(line)) this.cookies.delete(name);
			else this.cookies.set(name, value);
		}
		return answer;
	}

	// Follows redirects to a page, { url, body }, or to where they leave the issuer, { left }.
	async go(url, fill) {
		let at = new URL(url, this.issuer);
		for (let hops = 0; hops < 8; hops++) {
			const answer = await this.#once(at, fill);
			if (answer.status === 200) return { url: at, body: answer.body };
			if (![302, 303].includes(answer.status)) throw new Error(`${at} answers ${answer.status} ${answer.body.replace(/<(style|head)[^]*?<\/\1>|<[^>]*>|\s+/g, " ").slice(0, 500)}`);
			at = new URL(answer.headers.location, at);
			if (at.href.startsWith(callback)) return { left: at };
			fill = undefined;
		}
		throw new Error(`${url}: redirected too often`);
	}

	// Sends the page's form that has the field (or its first), with these values over its own.
	submit(page, values, field) {
		const { target, body } = filled(page, values, field);
		return this.go(target, body);
	}

	// The same request as bench/load takes it, to be sent again and again.
	posting(page, values, field) {
		const { target, body } = filled(page, values, field);
		const headers = { host: new URL(this.issuer).host, ...this.#fields(true) };
		return { head: `POST ${target.pathname} HTTP/1.1\n${Object.entries(headers).map(([name, value]) => `${name}: ${value}\n`).join('')}`, body };
	}
}

function filled(page, values, field) {
	const form = forms(page.body).find((one) => !field || one.fields.some(({ name }) => name === field));
	const pairs = new URLSearchParams(defaults(form).filter(([name]) => !(name in values)));
	for (const [name, value] of Object.entries(values)) pairs.append(name, value);
	return { target: new URL(form.action || page.url.href, page.url), body: pairs.toString() };
}

// { url, verifier }: the agent's link, which asks for consent each time
export function wish(server, parameters) {
	const verifier = crypto.randomBytes(32).toString('base64url');
	const query = new URLSearchParams({ response_type: 'code', client_id: 'mail-agent', redirect_uri: callback, state: crypto.randomBytes(8).toString('hex'),
		code_challenge: crypto.createHash('sha256').update(verifier).digest('base64url'), code_challenge_method: 'S256', prompt: 'consent', ...parameters });
	return { url: `${server.authorize_path}?${query}`, verifier };
}

// One flow to its end; answers the tokens. key: a ClientKey, to which they are bound then
export async function authorize(server, browser, key) {
	const { url, verifier } = wish(server, server.wish_parameters);
	const page = await browser.go(url);
	if (page.left) throw new Error(`nobody was asked: ${page.left}`);
	if (server.armed_ms) await sleep(server.armed_ms);
	const { left } = await browser.submit(page, server.yes, server.yes_field);
	const code = left?.searchParams.get('code');
	if (!code) throw new Error(`no code: ${left}`);
	browser.requests++;
	const answer = await ask(new URL(server.token_path, server.origin), { method: 'POST', agent: browser.agent,
		headers: { host: new URL(browser.issuer).host, 'content-type': 'application/x-www-form-urlencoded', ...(key && { dpop: key.proof(server.token_url) }) },
		body: new URLSearchParams({ grant_type: 'authorization_code', client_id: 'mail-agent', code, redirect_uri: callback, code_verifier: verifier }).toString() });
	if (answer.status !== 200) throw new Error(`no tokens: ${answer.status} ${answer.body}`);
	return JSON.parse(answer.body);
}
