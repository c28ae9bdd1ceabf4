// SPDX-License-Identifier: Apache-2.0
// A person at a real browser: the question, the answer, and what becomes of it.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { Instance } from '../flow/harness/index.mjs';
import { assert_quiet, catch_callback, launch, open_tab, READING_MS, sign_in } from './chromium.mjs';

let grantd, browser, alice, agent;

before(async () => {
	grantd = await Instance.start(null);
	({ alice, agent } = await grantd.furnish());
	browser = await launch();
});
after(async () => {
	await browser?.close();
	await grantd?.dispose();
});

// A tab at the consent page, signed in.
async function open_question(t, options) {
	const page = await open_tab(t, browser, options);
	const wish = agent.authorization({ redirect_uri: 'http://127.0.0.1:5999/callback' });
	const callback = await catch_callback(page);
	await page.goto(wish.url);
	await sign_in(page, alice);
	await page.locator('button[name=decision][value=allow]').waitFor();
	return { page, wish, callback };
}

const button = (page, value) => page.locator(`button[name=decision][value=${value}]`);

test('a person allows a part of it for an hour, and the agent gets just that', async (t) => {
	const { page, wish, callback } = await open_question(t);
	await page.locator('input[name=scope][value="mail.read"]').check();
	assert.equal(await page.locator('input[name=scope][value="mail.send"]').isChecked(), false, 'sending starts off');
	await page.locator('input[name=duration][value="1h"]').check();
	await page.waitForTimeout(READING_MS);
	await button(page, 'allow').click();
	const answer = (await callback()).searchParams;
	assert.equal(answer.get('state'), wish.state);
	const { status, body } = await agent.redeem(answer.get('code'), wish);
	assert.equal(status, 200);
	assert.equal(body.scope, 'mail.read');
	assert.ok(body.authorization_expires_in <= 3600);
	assert_quiet(page);
});

test('CS-008: the shipped Referrer-Policy leaves the form its Origin, and the redirect is let through', async (t) => {
	const { page, callback } = await open_question(t);
	let origin;
	page.on('request', (request) => { if (request.method() === 'POST') request.allHeaders().then((headers) => { origin = headers.origin; }); });
	await page.waitForTimeout(READING_MS);
	await button(page, 'deny').click();
	assert.equal((await callback()).searchParams.get('error'), 'access_denied');
	assert.equal(origin, grantd.issuer);
	assert_quiet(page);
});

test('CS-019: Allow answers 700 ms after the page is visible, and not sooner', async (t) => {
	const { page } = await open_question(t);
	// deferred scripts run before this event: what the button is like when the page appears
	await page.addInitScript(() => document.addEventListener('DOMContentLoaded', () => {
		window.at_first = document.querySelector('button[value=allow]')?.getAttribute('aria-disabled');
	}));
	await page.reload();
	assert.equal(await page.evaluate(() => window.at_first), 'true');
	await page.waitForTimeout(READING_MS);
	assert.equal(await button(page, 'allow').getAttribute('aria-disabled'), null);
	assert.notEqual(await page.evaluate(() => document.activeElement.tagName), 'BUTTON', 'nothing is focused beforehand');
});

test('without JavaScript the page works', async (t) => {
	const { page, callback } = await open_question(t, { javaScriptEnabled: false });
	await page.waitForTimeout(READING_MS);
	await button(page, 'allow').click();
	assert.match((await callback()).searchParams.get('code'), /^gac_/);
});

test('the keyboard is enough', async (t) => {
	const { page, callback } = await open_question(t);
	await page.waitForTimeout(READING_MS);
	for (let i = 0; i < 40; i++) {
		await page.keyboard.press('Tab');
		if (await page.evaluate(() => document.activeElement.value === 'allow')) break;
	}
	assert.equal(await page.evaluate(() => document.activeElement.value), 'allow');
	await page.keyboard.press('Enter');
	assert.match((await callback()).searchParams.get('code'), /^gac_/);
});

test('CS-003: a double click gets the same redirect', async (t) => {
	const { page, callback } = await open_question(t);
	await page.waitForTimeout(READING_MS);
	await button(page, 'allow').dblclick();
	assert.match((await callback()).searchParams.get('code'), /^gac_/);
});

test('nothing ticked is asked again', async (t) => {
	const { page } = await open_question(t);
	for (const box of await page.locator('input[name=scope]').all()) await box.uncheck();
	await page.waitForTimeout(READING_MS);
	await button(page, 'allow').click();
	assert.match(await page.locator('[role=alert]').innerText(), /Nothing was ticked/);
});

test('the back button leads to a page that says it was answered', async (t) => {
	const { page, callback } = await open_question(t);
	const address = page.url();
	await page.waitForTimeout(READING_MS);
	await button(page, 'deny').click();
	await callback();
	// the agent was called; the browser must have arrived there too before it can go back
	await page.waitForURL((url) => url.pathname === '/callback');
	await page.goto(address);
	assert.match(await page.locator('h1').innerText(), /was answered/);
});
