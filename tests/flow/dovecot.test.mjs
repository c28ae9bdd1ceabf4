// SPDX-License-Identifier: Apache-2.0
// A real mail server that asks grantd about each token: what it lets in, what it refuses, and when it stops.
import assert from 'node:assert/strict';
import path from 'node:path';
import { after, before, describe, test } from 'node:test';
import { Dovecot } from '../../demo/dovecot.mjs';
import { Imap, parse_message } from '../../demo/imap.mjs';
import { Instance, free_ports, mail_secret } from './harness/index.mjs';

describe('Dovecot as a resource server', () => {
	let grantd, dovecot, alice, bob, agent;

	before(async () => {
		grantd = await Instance.create();
		await grantd.start();
		const port = await free_ports();
		dovecot = await Dovecot.start({
			port, issuer_host: `${grantd.host}:${grantd.port}`, secret: mail_secret,
			ca_file: path.join(grantd.dir, 'ca.pem'),
		});
		await grantd.add_resource({ on_stop: dovecot.on_stop });
		alice = await grantd.add_person('alice');
		bob = await grantd.add_person('bob');
		agent = await grantd.add_agent({ scope: 'mail.read' });
	});
	after(async () => {
		await dovecot?.stop();
		await grantd.dispose();
	});

	async function session(user, token) {
		const imap = await Imap.connect(dovecot.port);
		const answer = await imap.login(user, token);
		return { imap, answer };
	}

	async function refused(user, token) {
		const { imap, answer } = await session(user, token);
		imap.close();
		assert.equal(answer.ok, false);
		assert.match(answer.line, /^NO \[AUTHENTICATIONFAILED\]/);
	}

	test('a token reads the mailbox of its person, whoever that is', async () => {
		for (const [person, count] of [[alice, 3], [bob, 1]]) {
			const { access_token } = await agent.tokens(person);
			const { imap, answer } = await session(person.username, access_token);
			assert.equal(answer.ok, true, answer.line);
			assert.equal((await imap.command('SELECT INBOX')).ok, true);
			const { literals } = await imap.command('FETCH 1:* (BODY.PEEK[])');
			assert.equal(literals.length, count);
			assert.match(parse_message(literals[0]).fields.to, new RegExp(`${person.username}@example.org`));
			imap.close();
		}
	});

	test('no token, a wrong one and an altered one are refused', async () => {
		const { access_token } = await agent.tokens(alice);
		await refused('alice', 'x');
		await refused('alice', `${access_token.slice(0, -6)}AAAAAA`);
	});

	test("another person's mailbox is refused", async () => {
		const { access_token } = await agent.tokens(alice);
		await refused('bob', access_token);
	});

	test('the refresh token opens no mailbox', async () => {
		await refused('alice', (await agent.tokens(alice)).refresh_token);
	});

	test('reading is all: APPEND, CREATE, STORE and EXPUNGE change nothing', async () => {
		const { access_token } = await agent.tokens(alice);
		const { imap } = await session('alice', access_token);
		const before_it = dovecot.messages('alice');
		await imap.command('SELECT INBOX');
		assert.match((await imap.command('APPEND INBOX {5}', { literal: 'hello' })).line, /^NO \[NOPERM\]/);
		assert.match((await imap.command('CREATE Forwarded')).line, /^NO \[NOPERM\]/);
		await imap.command('STORE 1:* +FLAGS (\\Deleted)');
		await imap.command('EXPUNGE');
		imap.close();
		assert.deepEqual(dovecot.messages('alice'), before_it);
	});

	test('after a revocation the open session ends and the next login is refused', async () => {
		const { access_token, refresh_token } = await agent.tokens(alice);
		const { imap, answer } = await session('alice', access_token);
		assert.equal(answer.ok, true);
		const ended = imap.unasked();
		for (const { id, status } of await grantd.operate(['grant', 'list', '--user', 'alice']))
			if (status === 'active') await grantd.operate(['grant', 'revoke', id]);
		assert.deepEqual(await ended, ['* BYE Server shutting down.']);
		assert.equal(imap.is_closed, true);
		await refused('alice', access_token);
		const { status, body } = await agent.refresh(refresh_token);
		assert.equal(status, 400);
		assert.equal(body.error, 'invalid_grant');
	});

	test('what the agent itself revokes ends its open session, and so does the operator who disables it', async () => {
		for (const end of [({ refresh_token }) => agent.revoke(refresh_token), () => grantd.operate(['client', 'disable', agent.client_id])]) {
			const tokens = await agent.tokens(alice);
			const { imap, answer } = await session('alice', tokens.access_token);
			assert.equal(answer.ok, true, answer.line);
			const ended = imap.unasked();
			await end(tokens);
			assert.deepEqual(await ended, ['* BYE Server shutting down.']);
			await refused('alice', tokens.access_token);
		}
		await grantd.operate(['client', 'enable', agent.client_id]);
	});
});
