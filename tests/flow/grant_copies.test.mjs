// SPDX-License-Identifier: Apache-2.0
// Eight machines with a copy of one refresh token each, and nothing shared that could lock: nobody is logged out.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import { after, before, test } from 'node:test';
import { eight_take, log_in, new_home, refreshes_each, short_lived, stored } from './grant_login.mjs';

let grantd, alice;

before(async () => { ({ grantd, alice } = await short_lived()); });
after(() => grantd.dispose());

test('8 processes with a copy of one token each, without any lock: no refresh is a log-out', async () => {
	const home = new_home(grantd);
	await log_in(grantd, alice, home);
	const homes = Array.from({ length: 8 }, () => new_home(grantd));
	for (const copy of homes) fs.cpSync(home, copy, { recursive: true });
	assert.equal(new Set(homes.map((copy) => stored(copy)[0].refresh_token)).size, 1);
	await eight_take(grantd, homes, refreshes_each);
	// of the one family, which still stands, nobody used a token older than the windows of rotation
	const families = await grantd.rows('SELECT generation, revoked_at FROM families');
	assert.equal(families.length, 1);
	assert.equal(families[0].revoked_at, null);
	assert.ok(families[0].generation >= refreshes_each, `${families[0].generation} rotations`);
});
