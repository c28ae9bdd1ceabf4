// SPDX-License-Identifier: Apache-2.0
// How a resource is told that something has stopped: by a command or a real HTTPS server, again until it hears it,
// and also when the daemon is killed between the commit and the call.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import { MovedInstance } from './clock.mjs';
import { event_kinds, until } from './expect.mjs';
import { Instance } from './harness/index.mjs';
import { Listener } from './listener.mjs';

// alice lets the agent read, with that on_stop; answers { agent, tokens, grant }.
async function furnished(grantd, on_stop) {
	await grantd.add_resource({ on_stop });
	const alice = await grantd.add_person();
	const agent = await grantd.add_agent();
	const tokens = await agent.tokens(alice, { scope: ['mail.read'] });
	const [grant] = await grantd.operate(['grant', 'list', '--user', 'alice']);
	return { alice, agent, tokens, grant };
}

const log_of = (grantd, event) => grantd.log().filter((line) => line.event === event);
const marks = (file) => (fs.existsSync(file) ? fs.readFileSync(file, 'utf8').split('\n').filter(Boolean) : []);

test('a URL is told what stopped, is asked again after refusals, redirects and endless answers, and only while it must', async (t) => {
	const grantd = await MovedInstance.start(t, { env: { GRANTD_EXTRA_CA_FILE: 'listener.pem' } });
	const listener = await Listener.start(t, grantd.dir);
	const { grant } = await furnished(grantd, listener.url);
	const answers = [
		(response) => response.writeHead(503).end('later'),
		(response) => response.writeHead(302, { location: `https://localhost:${listener.port}/elsewhere` }).end(),
		(response) => response.writeHead(200).end(Buffer.alloc(1024 * 1024)),
		(response) => response.socket.destroy(),
		(response) => response.writeHead(204).end(),
	];
	listener.answer = (response) => answers[listener.calls.length - 1](response);
	await grantd.operate(['grant', 'revoke', grant.id]);
	for (let i = 1; i < answers.length; i++) {
		await until(() => log_of(grantd, 'stop.failed').length >= i);
		assert.equal(log_of(grantd, 'stop.failed')[i - 1].attempts, i);
		grantd.move(i * 3600); // the back-off is an hour at most
	}
	await until(async () => (await event_kinds(grantd)).includes('stop.done'));
	assert.equal(listener.calls.length, answers.length);
	for (const call of listener.calls) {
		assert.deepEqual([call.method, call.url, call.headers['content-type']], ['POST', '/stop?from=grantd', 'application/json']);
		assert.deepEqual(JSON.parse(call.body), { resource: 'mail', username: 'alice', client: 'mail-agent', grant: grant.id });
		assert.deepEqual(Object.keys(call.headers).filter((name) => /authorization|cookie/.test(name)), []);
	}
	assert.deepEqual(await grantd.rows('SELECT id FROM outbox'), []);
});

test('a stop that is queued is seen by who asserts that nothing changed, also when it is over by then', async (t) => {
	const grantd = await Instance.start(t);
	const { grant } = await furnished(grantd, ['/bin/true']);
	const others = ['events', 'grants', 'families'];
	const kinds = async () => (await event_kinds(grantd)).filter((kind) => kind === 'stop.done').length;
	await grantd.unchanged(() => grantd.operate(['grant', 'list']), { except: others });
	await assert.rejects(grantd.unchanged(() => grantd.operate(['grant', 'pause', grant.id]), { except: others }), /no stop was queued/);
	await until(async () => await kinds() === 1);
	await grantd.operate(['grant', 'resume', grant.id]);
	await assert.rejects(grantd.unchanged(async () => {
		await grantd.operate(['grant', 'pause', grant.id]);
		await until(async () => await kinds() === 2);
	}, { except: others }), /no stop was queued/);
});

test('a URL that never answers is left after its time, and its certificate must be trusted', async (t) => {
	const grantd = await MovedInstance.start(t);
	const listener = await Listener.start(t, grantd.dir);
	const { grant } = await furnished(grantd, listener.url);
	await grantd.operate(['grant', 'revoke', grant.id]);
	await until(() => log_of(grantd, 'stop.failed').length >= 1);
	assert.match(log_of(grantd, 'stop.failed')[0].reason, /is not trusted/);
	assert.equal(listener.calls.length, 0);
	listener.answer = () => {};
	fs.appendFileSync(path.join(grantd.dir, 'grantd.conf'), 'extra_ca_file = listener.pem\n');
	await grantd.operate(['reload']);
	grantd.move(3600);
	await until(() => log_of(grantd, 'stop.failed').length >= 2, 40_000);
	assert.match(log_of(grantd, 'stop.failed')[1].reason, /did not answer within 10000 ms/);
	listener.answer = (response) => response.writeHead(200).end();
	grantd.move(2 * 3600);
	await until(async () => (await event_kinds(grantd)).includes('stop.done'));
	assert.equal(listener.calls.length, 2);
});

test('a URL that refuses for a day is given up, on record', async (t) => {
	const grantd = await MovedInstance.start(t, { env: { GRANTD_EXTRA_CA_FILE: 'listener.pem' } });
	const listener = await Listener.start(t, grantd.dir);
	const { grant } = await furnished(grantd, listener.url);
	listener.answer = (response) => response.writeHead(500).end();
	await grantd.operate(['grant', 'pause', grant.id]);
	await until(() => log_of(grantd, 'stop.failed').length >= 1);
	grantd.move(25 * 3600);
	await until(async () => (await event_kinds(grantd)).includes('stop.failed'));
	assert.equal(log_of(grantd, 'stop.given_up')[0].grant, grant.id);
	assert.deepEqual(await grantd.rows('SELECT id FROM outbox'), []);
});

test('a command that hangs is killed with its children and tried again', async (t) => {
	const grantd = await MovedInstance.start(t);
	const script = path.join(grantd.dir, 'kick');
	fs.writeFileSync(script, `#!/bin/sh\nenv >> ${grantd.dir}/environment\n[ -e ${grantd.dir}/child ] && exit 0\nsleep 1000 &\necho $! > ${grantd.dir}/child\nwait\n`, { mode: 0o755 });
	const { grant } = await furnished(grantd, [script, '{username}']);
	await grantd.operate(['grant', 'revoke', grant.id]);
	await until(() => log_of(grantd, 'stop.failed').length >= 1, 40_000);
	assert.match(log_of(grantd, 'stop.failed')[0].reason, /it was ended after 10000 ms/);
	const child = fs.readFileSync(`${grantd.dir}/child`, 'utf8').trim();
	const state = () => { try { return fs.readFileSync(`/proc/${child}/stat`, 'utf8').split(') ')[1][0]; } catch { return 'gone'; } };
	await until(() => ['Z', 'X', 'gone'].includes(state()));
	grantd.move(3600);
	await until(async () => (await event_kinds(grantd)).includes('stop.done'));
	assert.doesNotMatch(fs.readFileSync(`${grantd.dir}/environment`, 'utf8'), /GRANTD|LD_PRELOAD|HOME/);
});

test('killed between commit and command it runs it after the restart, and killed during it once more', async (t) => {
	const grantd = await MovedInstance.start(t);
	const told = path.join(grantd.dir, 'told'), slow = path.join(grantd.dir, 'slow');
	const script = path.join(grantd.dir, 'kick');
	fs.writeFileSync(script, `#!/bin/sh\necho "$1" >> ${told}\n[ ! -e ${slow} ] || exec sleep 8\n`, { mode: 0o755 });
	const { alice, agent } = await furnished(grantd, [script, '{client}']);
	const other = await grantd.add_agent({ id: 'other' });
	await other.tokens(alice, { scope: ['mail.read'] });
	const grants = Object.fromEntries((await grantd.operate(['grant', 'list', '--user', 'alice'])).map((one) => [one.client_id, one.id]));
	// the jobs' one thread is with the first command while the second revocation is committed
	fs.writeFileSync(slow, '');
	await grantd.operate(['grant', 'revoke', grants.other]);
	await until(() => marks(told).length === 1);
	await grantd.operate(['grant', 'revoke', grants[agent.client_id]]);
	await grantd.kill_9();
	assert.deepEqual((await grantd.rows('SELECT attempts FROM outbox ORDER BY attempts')).map((row) => row.attempts), [0, 1]);
	fs.rmSync(slow);
	await grantd.start();
	await until(() => marks(told).length === 2);
	assert.deepEqual(marks(told), ['other', agent.client_id]);
	grantd.move(61); // who took the first is dead: its lease is over
	await until(() => marks(told).length === 3);
	assert.deepEqual(marks(told), ['other', agent.client_id, 'other']);
	await until(async () => (await grantd.rows('SELECT id FROM outbox')).length === 0);
	assert.equal((await event_kinds(grantd)).filter((kind) => kind === 'stop.done').length, 2);
});

test('a grant that runs out is told once, on record once, and shows as expired, also when it ran out while we were away', async (t) => {
	const grantd = await MovedInstance.start(t);
	const told = path.join(grantd.dir, 'told');
	const script = path.join(grantd.dir, 'kick');
	fs.writeFileSync(script, `#!/bin/sh\necho "$1" >> ${told}\n`, { mode: 0o755 });
	await grantd.add_resource({ on_stop: [script, '{client}'] });
	const alice = await grantd.add_person();
	const first = await grantd.add_agent({ id: 'first' }), second = await grantd.add_agent({ id: 'second' });
	await first.tokens(alice, { scope: ['mail.read'], duration: '1h' });
	await second.tokens(alice, { scope: ['mail.read'], duration: '1h' });
	await second.tokens(alice, { scope: ['mail.read'], duration: '7d' });
	grantd.move(3700);
	await until(() => marks(told).length === 1);
	await grantd.stop();
	grantd.move(8 * 86400); // and long away
	await grantd.start();
	await alice.sign_in(); // the newest event is no longer of the time when we were away
	await until(() => marks(told).length === 2);
	await grantd.restart();
	await until(() => grantd.log().filter((line) => line.event === 'serving').length === 3);
	await until(async () => (await event_kinds(grantd)).filter((kind) => kind === 'stop.done').length === 2);
	assert.deepEqual(marks(told), ['first', 'second']);
	assert.equal((await event_kinds(grantd)).filter((kind) => kind === 'grant.expired').length, 2);
});

test('a session may be open: what an agent revokes, reuse ends and the operator disables is told', async (t) => {
	const grantd = await Instance.start(t);
	const told = path.join(grantd.dir, 'told');
	const script = path.join(grantd.dir, 'kick');
	fs.writeFileSync(script, `#!/bin/sh\necho "$1 $2" >> ${told}\n`, { mode: 0o755 });
	const { alice, agent, tokens } = await furnished(grantd, [script, '{username}', '{client}']);
	const lines = [];
	const hears = async (line) => {
		lines.push(line);
		await until(() => marks(told).length >= lines.length);
		assert.deepEqual(marks(told), lines);
	};
	assert.equal((await agent.revoke(tokens.refresh_token)).status, 200);
	await hears('alice mail-agent');
	assert.equal((await agent.revoke(tokens.refresh_token)).status, 200); // over already: nothing more
	const thief = await grantd.add_agent({ id: 'thief' });
	const stolen = await agent.tokens(alice, { scope: ['mail.read'] });
	assert.equal((await thief.refresh(stolen.refresh_token)).status, 400);
	await hears('alice mail-agent');
	await agent.tokens(alice, { scope: ['mail.read'] });
	const bob = await grantd.add_person('bob');
	await agent.tokens(bob, { scope: ['mail.read'] });
	await grantd.operate(['user', 'disable', 'bob']);
	await hears('bob mail-agent');
	await grantd.operate(['user', 'enable', 'bob']);
	await grantd.operate(['user', 'disable', 'alice']);
	await hears('alice mail-agent');
	await grantd.operate(['user', 'enable', 'alice']);
	await grantd.operate(['client', 'disable', 'mail-agent']);
	await until(() => marks(told).length >= lines.length + 2);
	assert.deepEqual(marks(told).slice(lines.length).sort(), ['alice mail-agent', 'bob mail-agent']);
});
