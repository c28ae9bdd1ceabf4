// SPDX-License-Identifier: Apache-2.0
// What every answer of the OAuth endpoints must look like, said once.
import assert from 'node:assert/strict';

const description = /^[\x20-\x21\x23-\x5b\x5d-\x7e]+$/;

// RFC 6749 5.2: status, error word, and nothing that a cache or a header could leak.
export function refused(answer, status, error, words) {
	assert.equal(answer.status, status, answer.text);
	assert.equal(answer.body?.error, error, answer.text);
	assert.match(answer.headers.get('content-type'), /^application\/json/);
	assert.equal(answer.headers.get('cache-control'), 'no-store');
	assert.equal(answer.headers.get('set-cookie'), null);
	assert.match(answer.body.error_uri, /^https:\/\/[^/]+\/errors#[a-z_]+$/);
	if (answer.body.error_description !== undefined) assert.match(answer.body.error_description, description);
	if (words !== undefined) assert.match(answer.body.error_description ?? '', words);
	if (status === 401) assert.match(answer.headers.get('www-authenticate') ?? '', /^(Basic|Bearer) /);
	if (status === 429 || status === 503) assert.match(answer.headers.get('retry-after') ?? '', /^[1-9][0-9]*$/);
	assert.equal(answer.body.access_token, undefined);
}

export function granted(answer) {
	assert.equal(answer.status, 200, answer.text);
	assert.equal(answer.body.token_type, 'Bearer');
	assert.match(answer.headers.get('content-type'), /^application\/json/);
	assert.equal(answer.headers.get('cache-control'), 'no-store');
	return answer.body;
}

// GET without a browser's manners: { status, headers, text, location }
export async function ask(instance, target, { headers = {}, ...init } = {}) {
	const response = await instance.fetch(new URL(target, instance.issuer), { ...init, raw_headers: new Map(Object.entries(headers)) });
	const location = response.headers.get('location');
	return { status: response.status, headers: response.headers, text: await response.text(), location: location && new URL(location, instance.issuer) };
}

// An error that only the person may see: a page, and no Location whatever.
export function is_error_page(answer, status = 400) {
	assert.equal(answer.status, status, answer.text.slice(0, 300));
	assert.equal(answer.headers.get('location'), null);
	assert.match(answer.headers.get('content-type'), /^text\/html/);
	assert.match(answer.headers.get('content-security-policy') ?? '', /default-src 'none'/);
}

// An error that the client is told: the redirect URI, with state and iss byte for byte.
export function is_told(instance, answer, wish, error) {
	assert.equal(answer.status, 303, answer.text.slice(0, 300));
	const { location } = answer;
	assert.equal(location.href.split('?')[0], wish.redirect_uri);
	assert.equal(location.searchParams.get('error'), error, location.href);
	assert.equal(location.searchParams.get('code'), null);
	assert.equal(location.searchParams.get('state'), wish.state);
	assert.equal(location.searchParams.get('iss'), instance.issuer);
}

// The request was sound: who is signed in is asked at once, others go on at the consent page.
export function is_asked(answer) {
	if (answer.status === 200) return assert.match(answer.text, /<form method="post" action="\/consent\?request=req_[a-z2-7]{26}"/);
	assert.equal(answer.status, 303, answer.text.slice(0, 300));
	assert.match(answer.headers.get('location'), /^\/consent\?request=req_[a-z2-7]{26}$/);
}

// Where the question on a page is answered, and may be read again.
export const question_of = (page) => new URL(page.form_with('decision').action, page.url);

// Kinds of the events so far, oldest first.
export async function event_kinds(instance) {
	return (await instance.rows('SELECT kind FROM events ORDER BY id')).map((row) => row.kind);
}

// An event that nobody waits for, such as a guess: it comes soon.
export async function event_comes(instance, kind, timeout = 5000) {
	for (const end = Date.now() + timeout; Date.now() < end; await new Promise((resolve) => setTimeout(resolve, 50)))
		if ((await event_kinds(instance)).includes(kind)) return;
	assert.fail(`no event ${kind} within ${timeout} ms`);
}

// What the condition answers as soon as that is something.
export async function until(condition, timeout = 20_000) {
	for (const end = Date.now() + timeout; ;) {
		const value = await condition();
		if (value) return value;
		assert.ok(Date.now() < end, `within ${timeout} ms: ${condition}`);
		await new Promise((resolve) => setTimeout(resolve, 50));
	}
}
