// SPDX-License-Identifier: Apache-2.0
// A person without a browser: keeps cookies, fills in our forms, follows our redirects, and stops where the
// answer leaves the issuer (that is what the agent would receive).
import assert from 'node:assert/strict';
import { defaults, forms, text_of } from './html.mjs';

// The server refuses a decision within 700 ms of rendering (PAGES.md, "armed").
const ARMED_MS = 750;
const sleep = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

class CookieJar {
	#cookies = new Map();

	take(response) {
		for (const line of response.headers.getSetCookie()) {
			const [pair, ...attributes] = line.split(';').map((part) => part.trim());
			const at = pair.indexOf('=');
			const age = attributes.find((one) => /^max-age=/i.test(one));
			const expires = attributes.find((one) => /^expires=/i.test(one));
			const is_over = (age && Number(age.slice(8)) <= 0) || (!age && expires && Date.parse(expires.slice(8)) <= Date.now());
			if (is_over) this.#cookies.delete(pair.slice(0, at));
			else this.#cookies.set(pair.slice(0, at), pair.slice(at + 1));
		}
	}

	get header() {
		return [...this.#cookies].map(([name, value]) => `${name}=${value}`).join('; ');
	}

	get(name) { return this.#cookies.get(name); }
	set(name, value) { this.#cookies.set(name, value); }
	names() { return [...this.#cookies.keys()]; }
	clear() { this.#cookies.clear(); }
}

export class Page {
	constructor(url, response, html, left) {
		this.url = new URL(url);
		this.status = response.status;
		this.headers = response.headers;
		this.html = html;
		this.rendered_at = Date.now();
		// where a redirect leads that leaves the issuer, unfollowed; null on a page
		this.left = left;
	}

	get text() { return text_of(this.html); }
	get forms() { return forms(this.html); }
	form_with(name) { return this.forms.find((form) => form.fields.some((field) => field.name === name)); }
}

export class Person {
	constructor(instance, { username, password }) {
		this.instance = instance;
		this.username = username;
		this.password = password;
		this.cookies = new CookieJar();
	}

	// The same person in the same browser, whose requests go to that node.
	at(instance) {
		return Object.assign(Object.create(Person.prototype), this, { instance });
	}

	// One request, with what a browser on our own page would send; follow: false answers the redirect itself.
	async request(url, { method = 'GET', body, headers = {}, follow = true } = {}) {
		let target = new URL(url, this.instance.issuer);
		for (let hops = 0; hops < 12; hops++) {
			const raw_headers = new Map([['accept', 'text/html'], ['sec-fetch-mode', 'navigate'], ['sec-fetch-dest', 'document'],
				['sec-fetch-site', method === 'POST' || hops > 0 ? 'same-origin' : 'none']]);
			if (this.cookies.header) raw_headers.set('cookie', this.cookies.header);
			if (method === 'POST') raw_headers.set('origin', this.instance.issuer);
			for (const [name, value] of Object.entries(headers)) {
				if (value === null) raw_headers.delete(name.toLowerCase());
				else raw_headers.set(name.toLowerCase(), value);
			}
			const response = await this.instance.fetch(target, { method, body, raw_headers });
			this.cookies.take(response);
			const location = response.headers.get('location');
			if (!location || response.status < 300 || response.status > 399) return new Page(target, response, await response.text(), null);
			const next = new URL(location, target);
			if (next.origin !== this.instance.issuer) return new Page(target, response, await response.text(), next);
			if (!follow) return new Page(target, response, await response.text(), null);
			target = next;
			method = 'GET';
			body = undefined;
		}
		throw new Error(`${target} is the twelfth redirect in a row`);
	}

	get(url, options) { return this.request(url, options); }

	// Sends a form of the page: its own values, then what `fill` says. In fill, a value may be a list (several
	// checkboxes) or null (leave out).
	async submit(page, form, fill = {}, options = {}) {
		assert.ok(form, `no such form on ${page.url}: ${page.text.slice(0, 500)}`);
		const pairs = defaults(form).filter(([name]) => !(name in fill));
		for (const [name, value] of Object.entries(fill)) {
			for (const one of Array.isArray(value) ? value : [value]) if (one !== null) pairs.push([name, one]);
		}
		const target = new URL(form.action || page.url.href, page.url);
		if (form.method === 'get') {
			target.search = new URLSearchParams(pairs);
			return this.request(target, options);
		}
		return this.request(target, {
			...options, method: 'POST', body: new URLSearchParams(pairs).toString(),
			headers: { 'content-type': 'application/x-www-form-urlencoded', ...options.headers },
		});
	}

	// Answers the sign-in page if that is where we are.
	async sign_in_on(page) {
		const form = page.form_with('password');
		if (page.left || !form || !page.form_with('username')) return page;
		const next = await this.submit(page, form, { username: this.username, password: this.password });
		assert.ok(next.left || !next.form_with('password'), `sign-in was refused: ${next.status} ${next.text.slice(0, 300)}`);
		return next;
	}

	async sign_in() {
		return this.sign_in_on(await this.get('/login'));
	}

	// Opens what the agent asked for and stops at the consent page, signed in.
	async open(url) {
		return this.sign_in_on(await this.get(url));
	}

	// Waits until the page takes an answer, then decides. `scope`: a list to tick exactly these; absent: as offered.
	async decide(page, decision, { scope, duration, fill = {} } = {}) {
		const answers = { decision, ...fill };
		if (scope !== undefined) answers.scope = scope;
		if (duration !== undefined) answers.duration = duration;
		await sleep(Math.max(0, ARMED_MS - (Date.now() - page.rendered_at)));
		return this.submit(page, page.form_with('decision'), answers);
	}

	async #answer(url, decision, options) {
		const page = await this.open(url);
		const answered = page.left ? page : await this.decide(page, decision, options);
		assert.ok(answered.left, `no redirect to the agent: ${answered.status} ${answered.text.slice(0, 500)}`);
		return { url: answered.left, ...Object.fromEntries(answered.left.searchParams) };
	}

	// What the agent receives: { url, code, state, iss } or { url, error, … }.
	allow(url, options) { return this.#answer(url, 'allow', options); }
	deny(url, options) { return this.#answer(url, 'deny', options); }
}
