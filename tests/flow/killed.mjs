// SPDX-License-Identifier: Apache-2.0
// What is on its way when the daemon is killed, and what must be true of it afterwards.
import assert from 'node:assert/strict';
import { until } from './expect.mjs';

// Who is stopped while the load goes on: in each round another installation, and the one grant of another agent.
export async function to_be_stopped(grantd, alice) {
	const [doomed, paused] = [await grantd.add_agent({ id: 'doomed' }), await grantd.add_agent({ id: 'paused' })];
	// a page waits before it takes an answer: people side by side, and each one's one after another
	const installations = (await Promise.all(Array.from({ length: 5 }, async (_, i) => {
		const person = await grantd.add_person(`many-${i}`), own = [];
		while (own.length < 4) own.push(await doomed.tokens(person));
		return own;
	}))).flat();
	let tokens = await paused.tokens(alice);
	const [grant] = (await grantd.operate(['grant', 'list'])).filter(({ client_id }) => client_id === 'paused');
	const is_active = async ({ access_token }) => (await until(() => grantd.introspect(access_token).catch(() => null))).active;
	// whether it was acknowledged
	const is_done = (answer) => answer.then(({ status }) => status === 200 || status === 0, () => false);
	return {
		doomed: {
			revoke: (round) => is_done(doomed.revoke(installations[round].refresh_token, {}, { apart: true })),
			async check(round, is_revoked) {
				if (!is_revoked) return;
				assert.equal(await is_active(installations[round]), false, `round ${round}: revoked`);
				const { status, text } = await until(async () => { const answer = await doomed.refresh(installations[round].refresh_token); return answer.status !== 503 && answer; });
				assert.equal(status, 400, `round ${round}: ${text}`);
			},
		},
		paused: {
			pause: () => is_done(grantd.grantctl(['grant', 'pause', grant.id])),
			// and makes it ready for the next time
			async check(is_paused) {
				if (is_paused) assert.equal(await is_active(tokens), false, 'paused');
				await grantd.grantctl(['grant', 'resume', grant.id]);
				tokens = await until(async () => { const answer = await paused.refresh(tokens.refresh_token); return answer.status === 200 && answer.body; });
				assert.equal(await is_active(tokens), true);
			},
		},
	};
}

// A person's answer and an agent's code: in each round another person's page is answered, and the code of the round
// before redeemed.
export async function to_be_allowed(grantd, rounds) {
	const agent = await grantd.add_agent({ id: 'allowed' });
	const asked = [], codes = [];
	while (asked.length < rounds) {
		const person = await grantd.add_person(`asked-${asked.length}`), wish = agent.authorization();
		asked.push({ person, wish, page: await person.open(wish.url) });
	}
	const redeem = (round, options) => agent.redeem(codes[round], asked[round].wish, {}, options);
	return {
		// whether it was acknowledged
		async allow(round) {
			const answer = await asked[round].person.decide(asked[round].page, 'allow').catch(() => null);
			codes[round] = answer?.left?.searchParams.get('code');
			return Boolean(codes[round]);
		},
		// the answer, if there was one
		redeem: (round) => (codes[round] ? redeem(round, { apart: true }).catch(() => null) : null),
		// one that was redeemed is not taken again, and one that was given is taken once
		async check(round, answer) {
			if (!codes[round]) return;
			if (answer && answer.status !== 503) assert.equal(answer.status, 200, `round ${round}: ${answer.text}`);
			const taken = answer?.status === 200;
			if (taken) assert.equal((await until(() => grantd.introspect(answer.body.access_token).catch(() => null))).active, true);
			const again = async () => until(async () => { const one = await redeem(round); return one.status !== 503 && one; });
			const second = await again();
			assert.ok(second.status === 400 || (!taken && second.status === 200), `round ${round}: ${second.text}`);
			assert.equal((await again()).status, 400);
		},
		// each code that was given has become tokens once, whether or not somebody heard of it
		async check_all() {
			const families = await grantd.rows("SELECT id FROM families WHERE client_id = 'allowed'");
			assert.equal(families.length, codes.filter(Boolean).length);
		},
	};
}
