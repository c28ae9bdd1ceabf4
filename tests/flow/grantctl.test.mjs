// SPDX-License-Identifier: Apache-2.0
// grantctl at a terminal: changing a client, words from elsewhere, a password that is not typed to its end.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import fs from 'node:fs';
import { test } from 'node:test';
import { Instance, programs } from './harness/index.mjs';

const ask = (bot) => bot.post('/token', { grant_type: 'client_credentials' });

test('client update changes what is given, rotates a secret at once, and says what it changed', async (t) => {
	const grantd = await Instance.start(t);
	await grantd.add_resource({ scopes: [{ name: 'mail.read', title: 'Read', risk: 'read', default: true, clients: true, can: ['read'], cannot: ['send'] }] });
	const bot = await grantd.add_agent({ id: 'bot', secret: true, scope: 'mail.read', redirect_uris: [], grant_types: ['client_credentials'] });
	assert.equal((await ask(bot)).status, 200);
	const renamed = await grantd.operate(['client', 'update', 'bot', '--name', 'Report robot', '--scope', '']);
	assert.deepEqual([renamed.name, renamed.scope, renamed.client_secret], ['Report robot', '', undefined]);
	const { client_secret } = await grantd.operate(['client', 'update', 'bot', '--generate-secret']);
	assert.equal((await ask(bot)).status, 401, 'the old secret is dead');
	bot.client_secret = client_secret;
	assert.equal((await ask(bot)).status, 200);
	bot.client_secret = 'a-secret-that-came-from-a-line-of-stdin';
	await grantd.operate(['client', 'update', 'bot', '--secret-stdin'], { input: `${bot.client_secret}\n` });
	assert.equal((await ask(bot)).status, 200);
	const events = (await grantd.operate(['event', 'list', '--client', 'bot'])).filter((event) => event.kind === 'client.updated');
	assert.deepEqual(events.map((event) => event.details.changed), [['secret'], ['secret'], ['name', 'scope']]);
	await grantd.unchanged(async () => {
		for (const [args, status] of [[['bot'], 2], [['bot', '--generate-secret', '--secret-stdin'], 2], [['bot', '--secret', 'x'], 2], [[], 2],
			[['nobody', '--name', 'x'], 1], [['bot', '--scope', 'mail.fly'], 1], [['bot', '--redirect-uri', 'http://a.example/'], 1]]) {
			assert.equal((await grantd.grantctl(['client', 'update', ...args])).status, status, `${args}`);
		}
	}, { except: [] });
});

test('what a file or a name says cannot steer the operator\'s terminal', async (t) => {
	const grantd = await Instance.start(t);
	const file = `${grantd.home}/steers.json`;
	fs.writeFileSync(file, JSON.stringify({ name: 'steers', '\u001b]0;owned\u0007': 1, '\u009b2J\u202e': 2 }));
	const refused = await grantd.grantctl(['resource', 'add', file]);
	assert.equal(refused.status, 1);
	assert.doesNotMatch(refused.stderr, /[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u202e]/);
	assert.match(refused.stderr, /\?\]0;owned\?|\?2J\?/);
});

test('a password prompt that is broken off leaves the terminal with its echo', { skip: !fs.existsSync('/usr/bin/script') && 'needs script(1)' }, async (t) => {
	const grantd = await Instance.start(t);
	const line = `trap : INT; '${programs.grantctl}' --dir '${grantd.dir}' user create bob; echo "exit $?"; stty -a`;
	const child = spawn('script', ['-qec', line, '/dev/null'], { env: { ...grantd.env, SHELL: '/bin/sh' }, timeout: 60_000 });
	let seen = '';
	child.stdout.setEncoding('utf8');
	child.stdout.on('data', (text) => {
		if (!seen.includes('Password:') && (seen + text).includes('Password:')) setTimeout(() => child.stdin.write('half a pass\x03'), 100);
		seen += text;
	});
	await new Promise((resolve) => child.on('close', resolve));
	assert.match(seen, /exit 130/);
	assert.match(seen, /(?<!-)\becho\b/, seen);
	assert.doesNotMatch(seen, /half a pass/);
	assert.deepEqual(await grantd.operate(['user', 'list']), []);
});
