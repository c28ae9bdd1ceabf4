// SPDX-License-Identifier: Apache-2.0
// Headless Chromium on a test's own grantd: nothing but the daemon is asked, and what a page says on its
// console is a failure.
import assert from 'node:assert/strict';
import { chromium } from 'playwright-core';

const quiet = ['--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking', '--disable-component-update', '--disable-sync',
	'--host-resolver-rules=MAP grantd.localhost 127.0.0.1'];

// Longer than the 700 ms in which no answer is taken.
export const READING_MS = 900;

export async function launch() {
	return chromium.launch({
		executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium',
		args: process.getuid() === 0 ? ['--no-sandbox', ...quiet] : quiet,
	});
}

// A tab with a profile of its own; closed with the test. tab.said: what pages wrote to the console.
export async function open_tab(t, browser, options = {}) {
	// the installation's private authority is not in the browser's list
	const context = await browser.newContext({ ignoreHTTPSErrors: true, locale: 'en-GB', ...options });
	const page = await context.newPage();
	page.said = [];
	page.on('console', (message) => page.said.push(message.text()));
	page.on('pageerror', (error) => page.said.push(error.message));
	t?.after(() => context.close());
	return page;
}

// The agent's end: whatever goes to its loopback address is caught here. Answers a function that waits for it.
export async function catch_callback(page) {
	let arrived;
	const arrival = new Promise((resolve) => { arrived = resolve; });
	await page.context().route((url) => url.hostname === '127.0.0.1', (route) => {
		arrived(new URL(route.request().url()));
		return route.fulfill({ status: 200, contentType: 'text/plain', body: 'back at the agent' });
	});
	return () => arrival;
}

export async function sign_in(page, person) {
	await page.locator('input[name=username]').fill(person.username);
	await page.locator('input[name=password]').fill(person.password);
	await page.locator('form:has(input[name=password]) button[type=submit]').click();
}

export async function sign_in_at(page, instance, person) {
	await page.goto(`${instance.issuer}/login`);
	await sign_in(page, person);
	await page.waitForURL('**/account');
}

export function assert_quiet(page) {
	assert.deepEqual(page.said, [], 'the pages say nothing on the console');
}
