// SPDX-License-Identifier: Apache-2.0
// The dashboard: what an agent may do, and how it is stopped.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { Instance } from '../flow/harness/index.mjs';
import { assert_quiet, launch, open_tab, sign_in_at } from './chromium.mjs';

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

async function open_agent(t) {
	const tokens = await agent.tokens(alice, { scope: ['mail.read'], duration: '7d' });
	const page = await open_tab(t, browser);
	await sign_in_at(page, grantd, alice);
	await page.locator('a.title', { hasText: 'Mail Agent' }).first().click();
	await page.waitForURL('**/account/agents/gra_*');
	return { page, tokens };
}

const act = (page, value) => page.locator(`button[name=action][value=${value}]`).first().click();
const done = (page) => page.locator('[role=status]').innerText();

test('an agent is paused and goes on', async (t) => {
	const { page, tokens } = await open_agent(t);
	await act(page, 'pause');
	assert.match(await done(page), /paused/);
	assert.equal((await agent.refresh(tokens.refresh_token)).status, 503);
	await act(page, 'resume');
	assert.match(await done(page), /may go on/);
	assert.equal((await agent.refresh(tokens.refresh_token)).status, 200);
	assert_quiet(page);
});

test('revoking asks once more on a page of its own, and is at once', async (t) => {
	const { page, tokens } = await open_agent(t);
	await act(page, 'revoke');
	await page.waitForURL('**/revoke');
	assert.equal((await grantd.introspect(tokens.access_token)).active, true, 'asking changes nothing');
	await act(page, 'revoke');
	assert.match(await done(page), /Revoked/);
	assert.equal((await grantd.introspect(tokens.access_token)).active, false);
	assert.equal((await agent.refresh(tokens.refresh_token)).status, 400);
	assert_quiet(page);
});

test('the receipt has the sentences of the page', async (t) => {
	const { page } = await open_agent(t);
	await page.locator('a[href$="/receipt"]').click();
	const text = await page.locator('article').first().innerText();
	assert.match(text, /Mail Agent asks for access to Mail of Example Ltd/);
	assert.match(text, /It cannot, as Mail of Example Ltd promises/);
	assert_quiet(page);
});

test('CS-025: a link signs nobody out', async (t) => {
	const page = await open_tab(t, browser);
	await sign_in_at(page, grantd, alice);
	await page.goto(`${grantd.issuer}/logout`);
	await page.goto(`${grantd.issuer}/account`);
	assert.equal(new URL(page.url()).pathname, '/account');
	await page.goto(`${grantd.issuer}/logout`);
	await page.locator('main button[type=submit]').click();
	await page.goto(`${grantd.issuer}/account`);
	assert.equal(new URL(page.url()).pathname, '/login');
	assert_quiet(page);
});
