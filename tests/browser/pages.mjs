// SPDX-License-Identifier: Apache-2.0
// Every page on a real daemon, each in light and dark, narrow and wide, and once more in German, whose words
// are long: no sideways scroll, nothing on the console, at most 60 KB to load for who comes for the first time, and axe
// finds nothing; a PNG of each under build/pages/.
import fs from 'node:fs';
import path from 'node:path';
import axe from 'axe-core';
import { Instance, hold_lock } from '../flow/harness/index.mjs';
import { catch_callback, launch, open_tab, sign_in, sign_in_at } from './chromium.mjs';

const PAGE_MAX = 60 * 1024;
const out = path.resolve(import.meta.dirname, '../../build/pages');
const english = ['light', 'dark'].flatMap((colorScheme) => [320, 1280].map((width) => ({ colorScheme, width, suffix: `${colorScheme}-${width}` })));
const german = [{ colorScheme: 'light', width: 320, suffix: 'german-320' }];
let failed = 0, looked = 0, largest = 0;

function complain(name, what) {
	failed++;
	console.error(`${name}: ${what}`);
}

// Chromium's own protocol is not under the page's Content-Security-Policy, so axe can be put in.
async function violations(page) {
	return page.evaluate(async () => {
		const { violations } = await globalThis.axe.run(document, { resultTypes: ['violations'] });
		return violations.map(({ id, nodes }) => `axe ${id}: ${nodes.map((node) => node.target.join(' ')).join(', ')}`);
	});
}

// page.bytes: what came over the wire for each address, heads and all. What the cache has counts as when it came.
async function count_bytes(page) {
	const session = await page.context().newCDPSession(page);
	const answers = new Map();
	page.bytes = new Map();
	session.on('Network.responseReceived', ({ requestId, response, type }) => answers.set(requestId, { url: response.url, is_page: type === 'Document' }));
	session.on('Network.loadingFinished', ({ requestId, encodedDataLength }) => {
		const { url, is_page } = answers.get(requestId) ?? {};
		if (is_page || encodedDataLength > (page.bytes.get(url) ?? 0)) page.bytes.set(url, encodedDataLength);
	});
	await session.send('Network.enable');
}

// The bytes that the page and all it refers to cost a browser that has nothing of it.
async function first_visit(page, name) {
	const urls = await page.evaluate(() => [location.href, ...performance.getEntriesByType('resource').map((entry) => entry.name)]);
	let sum = 0;
	for (const url of new Set(urls.map((one) => one.replace(/#.*/, '')))) {
		if (!page.bytes.get(url)) complain(name, `${url} was not seen to be loaded`);
		sum += page.bytes.get(url) ?? 0;
	}
	for (const kind of ['style.css', 'app.js']) if (!urls.some((url) => url.includes(`/static/${kind}`))) complain(name, `loads no ${kind}`);
	return sum;
}

// The page as it stands, in every look. `status`: Chromium itself writes about a page that is answered 4xx.
async function look(page, name, { status = 200 } = {}) {
	const answered = await page.evaluate(() => performance.getEntriesByType('navigation')[0].responseStatus);
	if (answered !== status) complain(name, `answered ${answered}, not ${status}`);
	const bytes = await first_visit(page, name);
	if (bytes > PAGE_MAX) complain(name, `${bytes} bytes, at most ${PAGE_MAX}`);
	largest = Math.max(largest, bytes);
	// the pictures, and the contrast, are of what a person answers
	if (await page.locator('[data-arm]').count()) await page.locator('[data-arm][data-armed=yes]').waitFor();
	await page.evaluate(axe.source);
	for (const { colorScheme, width, suffix } of page.looks) {
		const full = `${name}-${suffix}`;
		looked++;
		await page.emulateMedia({ colorScheme });
		await page.setViewportSize({ width, height: 800 });
		const over = await page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
		if (over > 0) complain(full, `scrolls sideways by ${over} px`);
		await page.screenshot({ path: path.join(out, `${full}.png`), fullPage: true });
		for (const one of await violations(page)) complain(full, one);
	}
	for (const text of page.said) if (status === 200 || !text.includes(`status of ${status}`)) complain(name, `console: ${text}`);
	page.said.length = 0;
}

// A device without a browser asks; the person types its code, once a wrong one before.
async function device(page, look_at, { television }) {
	const ask = async () => (await television.post('/device_authorization', { scope: 'mail.read', resource: television.resource })).body;
	const type = async (code) => {
		await page.fill('#user_code', code);
		await page.locator('button.main').click();
	};
	await look_at('device', '/device');
	await type('BCDF-GHJK');
	await page.locator('[role=alert]').waitFor();
	await look(page, 'device-wrong', { status: 400 });
	for (const decision of ['deny', 'allow']) {
		const { verification_uri_complete } = await ask();
		await look_at('device-brought', verification_uri_complete);
		await page.locator('button.main').click();
		await page.locator('[data-arm][data-armed=yes]').waitFor();
		await look(page, 'consent-device');
		await page.locator(`button[value=${decision}]`).click();
		await page.waitForURL('**/device/done?**');
		await look(page, `device-${decision === 'allow' ? 'allowed' : 'denied'}`);
	}
}

async function tour(page, world) {
	const { grantd, alice, agent, stranger, registered, published, organiser, carol } = world;
	const at = (where) => page.goto(new URL(where, grantd.issuer).href);
	const look_at = async (name, where, options) => {
		await at(where);
		await look(page, name, options);
	};
	await look_at('login', '/login');
	await sign_in(page, { username: 'nobody', password: 'not the password' });
	await page.locator('[role=alert]').waitFor();
	await look(page, 'login-wrong', { status: 403 });
	await look_at('login-for-device', '/device');
	await look_at('login-for-agent', stranger.authorization().url);
	await sign_in(page, alice);
	await page.locator('button[name=decision]').first().waitFor();
	await look(page, 'consent');
	await look_at('consent-again', agent.authorization().url);
	for (const box of await page.locator('input[name=scope]').all()) await box.uncheck();
	await page.locator('button[value=allow]').click();
	await page.locator('[role=alert]').waitFor();
	await look(page, 'consent-nothing-ticked', { status: 400 });
	const asked = page.url();
	const arrival = await catch_callback(page);
	await page.locator('[data-arm][data-armed=yes]').waitFor();
	await page.locator('button[value=deny]').click();
	await arrival();
	await page.waitForURL((url) => url.hostname === '127.0.0.1');
	await look_at('consent-answered', asked, { status: 409 });
	await look_at('consent-registered', agent.authorization({ client_id: registered }).url);
	await look_at('consent-published', agent.authorization({ client_id: published, redirect_uri: 'https://planner.example.co.uk/callback' }).url);
	await device(page, look_at, world);
	await look_at('consent-more', world.clerk.authorization().url);
	await look_at('consent-same', world.clerk.authorization({ scope: 'mail.read' }).url);
	await look_at('consent-operations', await ask_for_operations(organiser));
	for (const name of ['account', 'activity', 'security', 'logout', 'errors'])
		await look_at(name, ['activity', 'security'].includes(name) ? `/account/${name}` : `/${name}`);
	await at('/account');
	await page.locator('a.title', { hasText: 'Mail Agent' }).first().click();
	await page.waitForURL('**/agents/gra_*');
	const where = page.url();
	await look(page, 'agent');
	await page.locator('a.title[href*="/installations/"]').first().click();
	await page.waitForURL('**/installations/fam_*');
	await look(page, 'installation');
	await page.locator('#name').fill('Laptop at home');
	await page.locator('button[value=name-installation]').click();
	await page.locator('h1', { hasText: 'Laptop at home' }).waitFor();
	await page.locator('button[value=pause-installation]').click();
	await page.locator('button[value=resume-installation]').waitFor();
	await look(page, 'installation-paused');
	await page.locator('button[value=resume-installation]').click();
	await page.locator('button[value=pause-installation]').waitFor();
	await page.goto(where);
	await look(page, 'agent-named');
	await page.locator('button[value=pause]').click();
	await page.locator('button[value=resume]').waitFor();
	await look(page, 'agent-paused');
	await page.locator('button[value=resume]').click();
	await page.locator('button[value=pause]').waitFor();
	await look_at('revoke', `${where}/revoke`);
	await look_at('receipt', `${where}/receipt`);
	await at('/account');
	await page.locator('a.title', { hasText: 'Notes' }).first().click();
	await page.waitForURL('**/agents/gra_*');
	await look(page, 'agent-paused-by-operator');
	await at('/account');
	await page.locator('a.title', { hasText: 'Code assistant' }).first().click();
	await page.waitForURL('**/agents/gra_*');
	await look(page, 'agent-sub-agents');
	await page.locator('a.title[href*="/installations/"]').first().click();
	await page.waitForURL('**/installations/fam_*');
	await look(page, 'installation-more');
	await look_at('agent-unknown', agent.authorization({ client_id: 'nobody' }).url, { status: 400 });
	await look_at('not-found', '/nowhere', { status: 404 });
	await look_at('consent-gone', '/consent?request=req_aaaaaaaaaaaaaaaaaaaaaaaaaa', { status: 404 });
	await page.context().clearCookies();
	await sign_in_at(page, grantd, carol);
	await look(page, 'account-empty');
	await page.context().clearCookies();
	await at('/login');
	const let_go = await hold_lock(grantd);
	await sign_in(page, carol);
	await page.waitForURL('**/login', { waitUntil: 'load' });
	await look(page, 'not-now', { status: 503 });
	let_go();
	await at('/login');
	const guessed = { username: `guessed-${page.looks[0].suffix}`, password: 'not the password' };
	for (let status = 0; status !== 429;) {
		const answer = page.waitForResponse((response) => response.request().method() === 'POST');
		await sign_in(page, guessed);
		status = (await answer).status();
		await page.waitForLoadState();
	}
	page.said.splice(0, page.said.length, ...page.said.filter((text) => !text.includes('status of 403')));
	await look(page, 'login-too-often', { status: 429 });
}

// One that registered itself, under a name that alice knows already.
async function register(grantd) {
	const answer = await grantd.fetch(`${grantd.issuer}/register`, { method: 'POST', headers: { 'content-type': 'application/json' },
		body: JSON.stringify({ client_name: 'Mail Agent', redirect_uris: ['http://127.0.0.1/callback'], token_endpoint_auth_method: 'none' }) });
	return (await answer.json()).client_id;
}

// One that is known by its document, of which the operator keeps a copy.
async function publish(grantd) {
	const url = 'https://agents.planner.example.co.uk/client.json', file = path.join(grantd.home, 'document.json');
	fs.writeFileSync(file, JSON.stringify({ client_id: url, client_name: 'Day planner', redirect_uris: ['https://planner.example.co.uk/callback'], token_endpoint_auth_method: 'none' }));
	await grantd.operate(['client', 'pin', url, '--file', file]);
	return url;
}

// One that asks for some operations of a scope, with every limit there is.
async function add_organiser(grantd) {
	const limits = ['per_hour', 'per_day', 'uses', 'paths'];
	await grantd.add_resource({ name: 'calendar', uri: `${grantd.issuer}/r/calendar`, title: 'Calendar of Example Ltd', introspection: [],
		scopes: [{ name: 'calendar.read', title: 'Read your calendar', risk: 'read', can: ['see what is when, with whom and where'] },
			{ name: 'calendar.write', title: 'Change your calendar', risk: 'write', can: ['make, move and delete entries'], cannot: ['invite others'],
				operations: [{ name: 'calendar.move', title: 'move entries', limits }, { name: 'calendar.answer', title: 'answer invitations', limits }] }] });
	return grantd.add_agent({ id: 'organiser', name: 'Organiser', resource: 'calendar', scope: 'calendar.read calendar.write' });
}

async function ask_for_operations(organiser) {
	const resource = `${organiser.instance.issuer}/r/calendar`;
	const details = [{ actions: ['calendar.move', 'calendar.answer'], limits: { per_hour: 3, per_day: 10, uses: 200, paths: ['/team/weekly-meetings/of-the-whole-department-and-its-guests', '/private'] } }, { actions: ['calendar.answer'] }]
		.map((one) => ({ type: 'operations', locations: [resource], ...one }));
	return (await organiser.push({ resource, authorization_details: JSON.stringify(details) })).url;
}

// An installation through which others act, one of them through another.
async function add_sub_agents(grantd, alice, read) {
	const coder = await grantd.add_agent({ id: 'coder', name: 'Code assistant', grant_types: ['authorization_code', 'refresh_token', 'token-exchange'] });
	let tokens = await coder.tokens(alice, read);
	const derive = async (subject_token, actor_label) => (await coder.post('/token', { grant_type: 'urn:ietf:params:oauth:grant-type:token-exchange', subject_token,
		subject_token_type: 'urn:ietf:params:oauth:token-type:access_token', actor_label })).body.access_token;
	await derive(await derive(tokens.access_token, 'research'), 'summary');
	tokens = (await coder.refresh(tokens.refresh_token)).body;
	await derive(tokens.access_token, 'a-reviewer-with-quite-a-long-name-that-has-to-break-somewhere');
}

// Agents in every state, so that rows have something to align.
async function furnish(grantd) {
	const { alice, agent } = await grantd.furnish();
	const read = { scope: ['mail.read'] };
	const tokens = await agent.tokens(alice, { duration: '7d', scope: ['mail.read', 'mail.send'] });
	await agent.refresh(tokens.refresh_token);
	for (const [id, name, command] of [['notes', 'Notes', 'pause'], ['digest', 'Morning digest of everything that came in during the night 🌅', null], ['scribe', 'כתב העת שלי', null], ['old', 'Old helper', 'revoke']]) {
		const one = await grantd.add_agent({ id, name, redirect_uris: ['https://app.example/cb'] });
		await one.tokens(alice, { ...read, duration: 'until-revoked' });
		const [grant] = (await grantd.operate(['grant', 'list', '--user', 'alice'])).filter((grant) => grant.client_id === id);
		if (command) await grantd.operate(['grant', command, grant.id]);
	}
	await add_sub_agents(grantd, alice, read);
	const clerk = await grantd.add_agent({ id: 'clerk', name: 'Front office', secret: true, redirect_uris: ['https://office.example/callback'] });
	await clerk.tokens(alice, { ...read, duration: '7d' });
	const stranger = await grantd.add_agent({ id: 'travel', name: 'Travel planner', redirect_uris: ['https://travel.example/callback'] });
	const television = await grantd.add_agent({ id: 'television', name: 'Living-room television', grant_types: ['device_code', 'refresh_token'], redirect_uris: [], scope: 'mail.read' });
	return { grantd, alice, agent, clerk, stranger, television, registered: await register(grantd), published: await publish(grantd), organiser: await add_organiser(grantd), carol: await grantd.add_person('carol') };
}

fs.rmSync(out, { recursive: true, force: true });
fs.mkdirSync(out, { recursive: true });
const grantd = await Instance.create({ env: { GRANTD_DEVICE_FLOW: 'on' } });
const browser = await launch();
try {
	await grantd.start();
	const world = await furnish(grantd);
	for (const [locale, looks] of [['en-GB', english], ['de-DE', german]]) {
		const page = await open_tab(null, browser, { locale });
		page.looks = looks;
		await count_bytes(page);
		await tour(page, world);
	}
} finally {
	await browser.close();
	await grantd.dispose();
}
console.log(`pages: ${looked} looks, ${failed} complaints, ${largest} bytes at the most; pictures in build/pages`);
process.exit(failed === 0 ? 0 : 1);
