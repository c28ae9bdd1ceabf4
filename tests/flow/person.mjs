// SPDX-License-Identifier: Apache-2.0
// A person with a browser that has no JavaScript: cookies, redirects within the issuer, forms as pages have them.
import { setTimeout as sleep } from 'node:timers/promises';

const entities = { amp: '&', lt: '<', gt: '>', quot: '"', apos: "'" };
const decode = (text) => text.replace(/&(?:#x([0-9a-f]+)|#([0-9]+)|([a-z]+));/gi, (all, hex, dec, name) =>
	hex ? String.fromCodePoint(parseInt(hex, 16)) : dec ? String.fromCodePoint(Number(dec)) : entities[name] ?? all);

const attribute = (tag, name) => {
	const found = new RegExp(`\\s${name}\\s*=\\s*(?:"([^"]*)"|'([^']*)'|([^\\s>]+))`, 'i').exec(tag);
	return found ? decode(found[1] ?? found[2] ?? found[3]) : undefined;
};

// The forms of a page: action, and the hidden fields that go with any answer.
export function forms(html) {
	return [...html.matchAll(/<form\b[^>]*>[\s\S]*?<\/form>/gi)].map(([form]) => ({
		action: attribute(/<form\b[^>]*>/i.exec(form)[0], 'action') ?? '',
		hidden: [...form.matchAll(/<input\b[^>]*>/gi)].map(([tag]) => tag)
			.filter((tag) => attribute(tag, 'type') === 'hidden')
			.map((tag) => [attribute(tag, 'name'), attribute(tag, 'value') ?? '']),
		names: [...form.matchAll(/<(?:input|button|select)\b[^>]*>/gi)].map(([tag]) => attribute(tag, 'name')),
		scopes: [...form.matchAll(/<input\b[^>]*>/gi)].map(([tag]) => tag)
			.filter((tag) => attribute(tag, 'name') === 'scope').map((tag) => attribute(tag, 'value')),
	}));
}

export class Person {
	constructor(wire, username, password) {
		Object.assign(this, { wire, username, password, cookies: new Map() });
	}

	async send(method, target, params) {
		const headers = { Cookie: [...this.cookies].map(([name, value]) => `${name}=${value}`).join('; '),
			'Accept-Language': 'en', Accept: 'text/html' };
		const answer = method === 'GET' ? await this.wire.get(target, { headers })
			: await this.wire.form(target, params, { headers: { ...headers, Origin: this.wire.issuer.origin } });
		for (const line of answer.headers['set-cookie'] ?? []) {
			const [pair] = line.split(';');
			const at = pair.indexOf('=');
			if (/;\s*max-age=0/i.test(line)) this.cookies.delete(pair.slice(0, at));
			else this.cookies.set(pair.slice(0, at), pair.slice(at + 1));
		}
		return answer;
	}

	// Follows redirects as long as they stay here; .at is where the answer is from.
	async go(target, method = 'GET', params = undefined) {
		for (let hops = 0; hops < 10; hops++) {
			const answer = await this.send(method, target, params);
			const location = answer.headers.location;
			answer.at = target;
			if (location === undefined) return answer;
			const next = new URL(location, this.wire.issuer);
			if (next.origin !== this.wire.issuer.origin) return answer;
			[target, method, params] = [next.pathname + next.search, 'GET', undefined];
		}
		throw new Error(`redirects without end at ${target}`);
	}

	async submit(page, name, fields) {
		const form = forms(page.text).find((it) => it.names.includes(name));
		if (!form) throw new Error(`no form with ${name} at ${page.at}: ${page.status} ${page.text.slice(0, 2000)}`);
		const action = new URL(form.action, new URL(page.at, this.wire.issuer));
		return this.go(action.pathname + action.search, 'POST', [...form.hidden, ...fields]);
	}

	async sign_in(page) {
		if (!forms(page.text).some((it) => it.names.includes('password'))) return page;
		return this.submit(page, 'password', [['username', this.username], ['password', this.password]]);
	}

	// From an authorization request to the consent page, signing in when asked.
	async consent_page(target) {
		return this.sign_in(await this.go(target));
	}

	// scope undefined: everything that was asked
	async decide(page, decision, { scope, duration = 'until-revoked' } = {}) {
		const form = forms(page.text).find((it) => it.names.includes('decision'));
		if (!form) throw new Error(`no decision to make at ${page.at}: ${page.status} ${page.text.slice(0, 2000)}`);
		await sleep(800); // the server takes no decision within 700 ms of showing
		const ticked = (scope ?? form.scopes).map((name) => ['scope', name]);
		const answer = await this.submit(page, 'decision', [...ticked, ['duration', duration], ['decision', decision]]);
		if (answer.headers.location === undefined)
			throw new Error(`the decision led to ${answer.status} at ${answer.at}: ${answer.text.slice(0, 2000)}`);
		return new URL(answer.headers.location);
	}

	async allow(target, choice) { return this.decide(await this.consent_page(target), 'allow', choice); }
	async deny(target) { return this.decide(await this.consent_page(target), 'deny'); }
}
