// SPDX-License-Identifier: Apache-2.0
// Asking again: for more than one has, and for a newer sign-in (OpenID Connect Core 3.1.2.1).
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { MovedInstance } from './clock.mjs';
import { granted } from './expect.mjs';
import { claims } from './harness/index.mjs';

let grantd, alice, agent, clock = 0;
before(async () => {
	grantd = await MovedInstance.start(null);
	await grantd.add_resource();
	alice = await grantd.add_person('alice');
	agent = await grantd.add_agent({ scope: 'openid mail.read mail.send' });
});
after(() => grantd.end());

const pass = (seconds) => grantd.move(clock += seconds);
const is_sign_in = (page) => page.form_with('password') !== undefined;

// `auth_time` of the ID token that comes of it, in seconds of the server's clock since `from`
async function signed_in_at(page, wish, from) {
	const { left } = await alice.decide(page, 'allow', { scope: ['openid'] });
	const { id_token } = granted(await agent.redeem(left.searchParams.get('code'), wish));
	return claims(id_token).auth_time - from;
}

for (const is_pushed of [false, true]) {
	test(`prompt and max_age ask for a new sign-in when it is due, and auth_time says which it was${is_pushed ? ', also when pushed' : ''}`, async () => {
		const asking = async (changes) => {
			const all = { scope: 'openid mail.read', ...changes };
			const wish = is_pushed ? await agent.push(all) : agent.authorization(all);
			return [await alice.get(wish.url), wish];
		};
		await alice.sign_in();
		const by_the_clock = () => Math.floor(Date.now() / 1000) + clock;
		const from = by_the_clock();
		pass(100);
		for (const changes of [{}, { max_age: '1000' }, { prompt: 'consent' }, { acr_values: 'urn:grantd:acr:password' }]) {
			const [page, wish] = await asking(changes);
			assert.equal(is_sign_in(page), false, JSON.stringify(changes));
			assert.ok(await signed_in_at(page, wish, from) < 60, JSON.stringify(changes));
		}
		for (const changes of [{ max_age: '60' }, { max_age: '0' }, { prompt: 'login' }, { prompt: 'consent login' }, { prompt: 'select_account' }]) {
			const [page, wish] = await asking(changes);
			assert.ok(is_sign_in(page), `${JSON.stringify(changes)}: ${page.status} ${page.text.slice(0, 300)}`);
			const now = by_the_clock() - 1;
			assert.ok(await signed_in_at(await alice.sign_in_on(page), wish, now) >= 0, `${JSON.stringify(changes)}: auth_time`);
			pass(100);
		}
	});
}

test('asked for more after a 403, the grant is all that was allowed, and each installation what it was allowed', async () => {
	const bob = await grantd.add_person('bob');
	const first = granted(await (async () => {
		const wish = agent.authorization({ scope: 'mail.read' });
		return agent.redeem((await bob.allow(wish.url, { duration: '7d' })).code, wish);
	})());
	const permissions = () => grantd.rows("SELECT p.scope, p.expires_at, p.grant_id FROM permissions p JOIN users u ON u.id = p.user_id WHERE u.username = 'bob' ORDER BY p.scope");
	const before = await permissions();
	// what a client does that keeps the union of what it was challenged for
	const wish = agent.authorization({ scope: 'mail.read mail.send' });
	const page = await bob.open(wish.url);
	assert.match(page.text, /Send mail as you/);
	const { left } = await bob.decide(page, 'allow', { scope: ['mail.read', 'mail.send'], duration: '1h' });
	const more = granted(await agent.redeem(left.searchParams.get('code'), wish));
	assert.equal(more.scope, 'mail.read mail.send');
	assert.equal(granted(await agent.refresh(first.refresh_token)).scope, 'mail.read');
	assert.equal((await permissions()).length, 2);
	assert.equal(new Set((await permissions()).map((one) => one.grant_id)).size, 1, 'one grant');
	// a yes to one scope leaves the other's end alone
	const only = agent.authorization({ scope: 'mail.send' });
	const ends = Object.fromEntries((await permissions()).map((one) => [one.scope, Number(one.expires_at)]));
	granted(await agent.redeem((await bob.allow(only.url, { scope: ['mail.send'], duration: '30d' })).code, only));
	const now = Object.fromEntries((await permissions()).map((one) => [one.scope, Number(one.expires_at)]));
	assert.equal(now['mail.read'], ends['mail.read']);
	assert.ok(now['mail.send'] > ends['mail.send']);
	assert.equal(before[0].grant_id, (await permissions())[0].grant_id);
});
