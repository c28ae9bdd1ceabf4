// SPDX-License-Identifier: Apache-2.0
// Many processes of one agent share one store, or one refresh token: nobody is logged out.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import { after, before, test } from 'node:test';
import { eight_take, log_in, new_home, refreshes_each, short_lived, still_good, stored } from './grant_login.mjs';

let grantd, alice;

before(async () => { ({ grantd, alice } = await short_lived()); });
after(() => grantd.dispose());

const generations = async () => (await grantd.rows('SELECT generation FROM families ORDER BY generation DESC'))[0].generation;

test('8 processes share one store: no refresh is a log-out', async () => {
	const home = new_home(grantd);
	await log_in(grantd, alice, home);
	await eight_take(grantd, [home], refreshes_each);
	assert.ok(await generations() >= 7.6 * refreshes_each, `${await generations()} rotations`);
	await still_good(grantd, home);
});

test('8 processes share one store without its lock: no refresh is a log-out', async () => {
	const home = new_home(grantd);
	await log_in(grantd, alice, home);
	// where the lock's file should be made there is a directory
	const [file] = fs.readdirSync(home).filter((name) => name.endsWith('.json'));
	fs.rmSync(path.join(home, `${file}.lock`));
	fs.mkdirSync(path.join(home, `${file}.lock`));
	await eight_take(grantd, [home], 25);
	await still_good(grantd, home);
	assert.deepEqual(fs.readdirSync(home).filter((name) => name.startsWith('.')), [], 'no draft is left');
});

test('8 clients share one refresh token without any lock: no refresh is a log-out', async () => {
	const home = new_home(grantd);
	await log_in(grantd, alice, home);
	const shared = path.join(grantd.home, 'shared-token');
	fs.writeFileSync(shared, stored(home)[0].refresh_token);
	const agent = { client_id: 'mail-agent' };
	await Promise.all(Array.from({ length: 8 }, async (_, client) => {
		for (let i = 0; i < refreshes_each; i++) {
			const response = await grantd.fetch(`${grantd.issuer}/token`, {
				method: 'POST', raw_headers: new Map([['content-type', 'application/x-www-form-urlencoded']]),
				body: new URLSearchParams({ grant_type: 'refresh_token', refresh_token: fs.readFileSync(shared, 'utf8'), ...agent }).toString(),
			});
			const answer = await response.json();
			assert.equal(response.status, 200, JSON.stringify(answer));
			fs.writeFileSync(`${shared}.${client}`, answer.refresh_token);
			fs.renameSync(`${shared}.${client}`, shared);
		}
	}));
});
