// SPDX-License-Identifier: Apache-2.0
// What a flow test imports. A case begins:
//
//	test('RV-002: an unknown token is answered 200', async (t) => {
//		const grantd = await Instance.start(t);
//		const { alice, agent } = await grantd.furnish();
//
// or, once for the cases of a file: before(async () => { grantd = await Instance.start(null); });
// after(() => grantd.dispose()). Row ids of tests/rows/rows.tsv stand in the titles.
export { Agent, basic, claims, pkce } from './agent.mjs';
export { driver, hold_commits, hold_lock, open_transaction } from './database.mjs';
export { forms, text_of, unescape } from './html.mjs';
export { Https, RawSocket } from './https.mjs';
export { Instance, free_ports, mail_secret, programs } from './instance.mjs';
export { Page, Person } from './person.mjs';
export { Daemon, run, run_well } from './process.mjs';
