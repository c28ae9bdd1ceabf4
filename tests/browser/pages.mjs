// SPDX-License-Identifier: Apache-2.0
// Every page on a real daemon: no sideways scroll, nothing on the console, at most 60 KB, and axe finds
// nothing; a PNG of each under build/pages/.
import fs from 'node:fs';
import path from 'node:path';
import axe from '@axe-core/playwright';
import { Instance } from '../flow/harness/index.mjs';
import { launch, open_tab, sign_in, sign_in_at } from './chromium.mjs';

const AxeBuilder = axe.default ?? axe;
const PAGE_MAX = 60 * 1024;
const out = path.resolve(import.meta.dirname, '../../build/pages');
const schemes = ['light', 'dark'];
const widths = [320, 1280];
let failed = 0, looked = 0;

function complain(name, what) {
	failed++;
	console.error(`${name}: ${what}`);
}

// `expected`: what Chromium itself writes about a page that is answered 4xx.
async function look(page, name, { status = 200 } = {}) {
	looked++;
	const html = await page.content();
	if (html.length > PAGE_MAX) complain(name, `${html.length} bytes, at most ${PAGE_MAX}`);
	const over = await page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
	if (over > 0) complain(name, `scrolls sideways by ${over} px`);
	await page.waitForTimeout(800); // Allow is armed by then: pictures and contrast are of what a person answers
	await page.screenshot({ path: path.join(out, `${name}.png`), fullPage: true });
	const { violations } = await new AxeBuilder({ page }).analyze();
	for (const one of violations) complain(name, `axe ${one.id}: ${one.nodes.map((node) => node.target.join(' ')).join(', ')}`);
	for (const text of page.said) if (status === 200 || !text.includes(`status of ${status}`)) complain(name, `console: ${text}`);
	page.said.length = 0;
}

async function answer_wrong(page, grantd) {
	await page.goto(`${grantd.issuer}/login`);
	await sign_in(page, { username: 'nobody', password: 'not the password' });
	await page.locator('[role=alert]').waitFor();
}

async function tour(page, suffix, { grantd, alice, agent, carol }) {
	const at = (where) => page.goto(new URL(where, grantd.issuer).href);
	await at('/login');
	await look(page, `login-${suffix}`);
	await answer_wrong(page, grantd);
	await look(page, `login-wrong-${suffix}`, { status: 403 });
	await at(agent.authorization().url);
	await look(page, `login-for-agent-${suffix}`);
	await sign_in(page, alice);
	await page.locator('button[name=decision]').first().waitFor();
	await look(page, `consent-${suffix}`);
	for (const box of await page.locator('input[name=scope]').all()) await box.uncheck();
	await page.locator('button[value=allow]').click();
	await page.locator('[role=alert]').waitFor();
	await look(page, `consent-nothing-ticked-${suffix}`, { status: 400 });
	for (const [name, where] of [['account', '/account'], ['activity', '/account/activity'], ['security', '/account/security'],
		['logout', '/logout'], ['errors', '/errors']]) {
		await at(where);
		await look(page, `${name}-${suffix}`);
	}
	await at('/account');
	await page.locator('a.title').first().click();
	await page.waitForURL('**/agents/gra_*');
	const where = page.url();
	await look(page, `agent-${suffix}`);
	await at(`${where}/revoke`);
	await look(page, `revoke-${suffix}`);
	await at(`${where}/receipt`);
	await look(page, `receipt-${suffix}`);
	await at('/nowhere');
	await look(page, `not-found-${suffix}`, { status: 404 });
	await at('/consent?request=req_aaaaaaaaaaaaaaaaaaaaaaaaaa');
	await look(page, `consent-gone-${suffix}`, { status: 404 });
	await page.context().clearCookies();
	await sign_in_at(page, grantd, carol);
	await look(page, `account-empty-${suffix}`);
}

fs.rmSync(out, { recursive: true, force: true });
fs.mkdirSync(out, { recursive: true });
const grantd = await Instance.create();
const browser = await launch();
try {
	await grantd.start();
	const { alice, agent } = await grantd.furnish();
	const carol = await grantd.add_person('carol');
	await agent.tokens(alice, { scope: ['mail.read'], duration: '7d' });
	for (const colorScheme of schemes) {
		for (const width of widths) {
			const page = await open_tab(null, browser, { colorScheme, viewport: { width, height: 800 } });
			await tour(page, `${colorScheme}-${width}`, { grantd, alice, agent, carol });
			await page.context().close();
		}
	}
} finally {
	await browser.close();
	await grantd.dispose();
}
console.log(`pages: ${looked} looked at, ${failed} complaints; pictures in build/pages`);
process.exit(failed === 0 ? 0 : 1);
