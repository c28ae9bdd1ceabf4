// SPDX-License-Identifier: Apache-2.0
// Who answers the pages: headless Chromium with AUTO=1, which keeps a picture of each page; else whoever sits
// at the terminal, who is told what to open and what to do there.
import { spawn } from 'node:child_process';
import fs from 'node:fs';
import { createRequire } from 'node:module';
import path from 'node:path';
import { say } from './say.mjs';

const require = createRequire(new URL('../tests/package.json', import.meta.url));

// The server refuses a decision made within 700 ms of the page; a person reads longer.
const READING_MS = 1000;

export class RobotPerson {
	static async start({ pictures }) {
		const { chromium } = require('playwright-core');
		const person = new RobotPerson();
		person.pictures = pictures;
		person.count = 0;
		fs.mkdirSync(pictures, { recursive: true });
		for (const name of fs.readdirSync(pictures)) if (name.endsWith('.png')) fs.rmSync(path.join(pictures, name));
		person.browser = await chromium.launch({ executablePath: '/usr/bin/chromium', args: process.getuid() === 0 ? ['--no-sandbox'] : [] });
		// the demo's private authority is not in the browser's list
		const context = await person.browser.newContext({ ignoreHTTPSErrors: true, locale: 'en-GB', viewport: { width: 900, height: 900 } });
		person.page = await context.newPage();
		return person;
	}

	async #picture(name) {
		const file = path.join(this.pictures, `${String(++this.count).padStart(2, '0')}-${name}.png`);
		await this.page.screenshot({ path: file, fullPage: true });
		say.aside(`picture: ${path.relative(process.cwd(), file)}`);
	}

	async #sign_in({ username, password }) {
		const { page } = this;
		await page.locator('input[name=username]').fill(username);
		await page.locator('input[name=password]').fill(password);
		await this.#picture('sign-in');
		await page.locator('form:has(input[name=password]) button[type=submit]').first().click();
	}

	// Answers what the page said.
	async #decide(name) {
		const { page } = this;
		await page.locator('button[name=decision][value=allow]').waitFor();
		await page.locator('[name=duration][value="1h"]').check();
		await page.waitForTimeout(READING_MS);
		await this.#picture(name);
		const text = await page.locator('main').innerText();
		await page.locator('button[name=decision][value=allow]').click();
		return text;
	}

	// { heading, asked }: of the page at the end, and what the question said.
	async allow(address, who) {
		const { page } = this;
		await page.goto(address);
		if (await page.locator('input[name=password]').count()) await this.#sign_in(who);
		const asked = await this.#decide('consent');
		await page.waitForURL(/^http:\/\/127\.0\.0\.1:\d+\/callback/);
		await page.locator('h1').waitFor();
		await this.#picture('back-at-the-agent');
		return { heading: await page.locator('h1').innerText(), asked };
	}

	// The same for the code that a device shows.
	async allow_device(address, code) {
		const { page } = this;
		await page.goto(address);
		await page.locator('input[name=user_code]').fill(code.toLowerCase());
		await this.#picture('device');
		await page.locator('form:has(input[name=user_code]) button[type=submit]').click();
		const asked = await this.#decide('consent-device');
		await page.waitForURL(/\/device\/done/);
		await this.#picture('device-done');
		return { heading: await page.locator('h1').innerText(), asked };
	}

	// Answers what the dashboard says of the agent.
	async look(issuer, agent) {
		const { page } = this;
		await page.goto(`${issuer}/account`);
		await this.#picture('dashboard');
		await page.locator('a[href^="/account/agents/"]', { hasText: agent }).first().click();
		await page.waitForURL(/\/account\/agents\//);
		await this.#picture('agent');
		const text = await page.locator('main').innerText();
		const here = page.url();
		await page.goto(`${issuer}/account/activity`);
		await this.#picture('activity');
		await page.goto(here);
		return text;
	}

	async revoke() {
		const { page } = this;
		await page.locator('button[name=action][value=revoke]').first().click();
		await page.locator('input[name=confirm]').waitFor({ state: 'attached' });
		await this.#picture('revoke');
		await page.locator('button[name=action][value=revoke]').click();
		await page.waitForLoadState();
		await this.#picture('revoked');
	}

	async stop() { await this.browser.close(); }
}

export class RealPerson {
	#open(address) {
		const child = spawn('xdg-open', [address], { stdio: 'ignore', detached: true });
		child.on('error', () => {});
		child.unref();
	}

	async allow(address, { username, password }) {
		say.please(`Please open this address in a browser on this computer:\n\n    ${address}\n\nSign in as ${username} with the password ${password}, read the page, choose how long, and press Allow.\n(The certificate is the demo's own: your browser will warn once.)`);
		if (process.env.DISPLAY || process.env.WAYLAND_DISPLAY) this.#open(address);
		return undefined;
	}

	async allow_device(address, code) {
		say.please(`Please open ${address}, type ${code}, read the page, and press Allow.`);
		if (process.env.DISPLAY || process.env.WAYLAND_DISPLAY) this.#open(address);
		return undefined;
	}

	async look(issuer) {
		say.please(`Please look at ${issuer}/account: what the agent may do, since when, how long.`);
		return undefined;
	}

	async revoke() {
		say.please('There, open the agent and press Revoke. The demo goes on when the mail server has hung up.');
	}

	async stop() {}
}
