// SPDX-License-Identifier: Apache-2.0
// The key process: that it alone holds the keys, that it is shut in, and that neither process outlives the other.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import { describe, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { until } from './expect.mjs';
import { Instance } from './harness/index.mjs';
import { keys_of } from './keys_by_hand.mjs';

const [, prevented] = /^RestartPreventExitStatus=(.*)$/m.exec(fs.readFileSync(path.resolve(import.meta.dirname, '../../packaging/grantd.service'), 'utf8'));
const prevents = prevented.split(' ');
const needs_root = { skip: process.getuid() !== 0 && 'needs root' };
// a sanitizer's own mappings are tables, and larger than any disk
const TABLE = 4 * 1024 ** 3;
const PIECE = 1024 * 1024;

function keyd_of(grantd) {
	return process_of(grantd, 'keyd');
}

// grantd's child of that name.
function process_of(grantd, name) {
	const pids = fs.readFileSync(`/proc/${grantd.daemon.pid}/task/${grantd.daemon.pid}/children`, 'utf8').trim().split(' ');
	const names = pids.map((pid) => fs.readFileSync(`/proc/${pid}/comm`, 'utf8').trim());
	assert.deepEqual([...names].sort(), ['errands', 'keyd']);
	return Number(pids[names.indexOf(name)]);
}

const status_of = (pid, name) => new RegExp(`^${name}:\\s+(.*)$`, 'm').exec(fs.readFileSync(`/proc/${pid}/status`, 'utf8'))[1];

function is_running(pid) {
	try {
		return !/^State:\s+Z/m.test(fs.readFileSync(`/proc/${pid}/status`, 'utf8'));
	} catch {
		return false;
	}
}

// What of a process can be read, piece by piece; neighbours overlap, so that nothing hides on an edge.
function* memory_of(pid) {
	const memory = fs.openSync(`/proc/${pid}/mem`);
	const piece = Buffer.alloc(PIECE + 4096);
	try {
		for (const line of fs.readFileSync(`/proc/${pid}/maps`, 'utf8').split('\n')) {
			const [, from, to] = /^([0-9a-f]+)-([0-9a-f]+) r.*(?<!\[vvar\]|\[vvar_vclock\]|\[vsyscall\])$/.exec(line) ?? [];
			const [start, end] = [Number(`0x${from}`), Number(`0x${to}`)];
			if (from === undefined || end - start > TABLE) continue;
			for (let at = start; at < end; at += PIECE) {
				try {
					yield piece.subarray(0, fs.readSync(memory, piece, 0, Math.min(piece.length, end - at), at));
				} catch (error) {
					if (error.code !== 'EIO' && error.code !== 'EFAULT') throw error; // a guard page
				}
			}
		}
	} finally {
		fs.closeSync(memory);
	}
}

// Which of the secrets are in the memory of a process.
function found_in(pid, secrets) {
	const found = new Set();
	for (const piece of memory_of(pid))
		for (const [name, bytes] of secrets) if (piece.includes(bytes)) found.add(name);
	return found;
}

test('the process that faces the network holds no key, and the key process does', needs_root, async (t) => {
	const grantd = await Instance.start(t);
	const { alice, agent } = await grantd.furnish();
	// keys are made, loaded and used: for codes, pages, people, refresh tokens and both kinds of JWT
	await grantd.add_resource({ name: 'crm', uri: `${grantd.issuer}/r/crm`, token: { typ: 'JWT', alg: 'RS256', lifetime: 300 }, introspection: [] });
	const tokens = await agent.tokens(alice);
	assert.equal((await agent.refresh(tokens.refresh_token)).status, 200);
	await grantd.operate(['reload']);
	const secrets = await keys_of(grantd);
	assert.ok(secrets.some(([name]) => /RS256 key for resource:crm/.test(name)), 'the new key is looked for');
	assert.deepEqual([...found_in(grantd.daemon.pid, secrets)], [], 'in the process that faces the network');
	const held = found_in(keyd_of(grantd), secrets);
	for (const name of ['the root key', 'the sealing key', 'the MAC key for code', 'the MAC key for browser', 'd of the ES256 key for access', 'p of the RS256 key for id', 'q of the RS256 key for resource:crm'])
		assert.ok(held.has(name), `${name} is found where it is: ${[...held].join(', ')}`);
	assert.deepEqual([...held].filter((name) => /^the text|^the file/.test(name)), [], 'what keys were read from is wiped');
});

test('the key process has no socket and no file, cannot be dumped, and may make few system calls', needs_root, async (t) => {
	const grantd = await Instance.start(t);
	const pid = keyd_of(grantd);
	assert.equal(fs.readFileSync(`/proc/${pid}/comm`, 'utf8'), 'keyd\n');
	for (const name of fs.readdirSync(`/proc/${pid}/fd`)) {
		const target = fs.readlinkSync(`/proc/${pid}/fd/${name}`);
		if (Number(name) > 2) assert.match(target, /^pipe:/);
	}
	assert.equal(status_of(pid, 'NoNewPrivs'), '1');
	assert.match(fs.readFileSync(`/proc/${pid}/limits`, 'utf8'), /^Max core file size +0 +0 /m);
	assert.equal(fs.statSync(`/proc/${pid}/mem`).uid, 0, 'not dumpable: its memory is root\'s');
	// in the builds with a sanitizer there is no filter
	const is_sanitized = /asan|tsan/.test(fs.readFileSync(`/proc/${pid}/maps`, 'utf8'));
	assert.equal(status_of(pid, 'Seccomp'), is_sanitized ? '0' : '2');
	for (const thread of fs.readdirSync(`/proc/${pid}/task`))
		assert.match(fs.readFileSync(`/proc/${pid}/task/${thread}/status`, 'utf8'), is_sanitized ? /^Seccomp:\s+0$/m : /^Seccomp:\s+2$/m);
	await grantd.stop();
	assert.ok(!is_running(pid), 'it ended with grantd');
});

// With a resource, whose file is read before the key process is forked.
test('the key process takes nothing from the configuration of OpenSSL, which may load code', needs_root, async (t) => {
	const grantd = await Instance.start(t);
	const { alice, agent } = await grantd.furnish();
	grantd.env.OPENSSL_CONF = path.join(grantd.home, 'openssl.cnf');
	fs.writeFileSync(grantd.env.OPENSSL_CONF, `openssl_conf = all
[all]
providers = providers
[providers]
default = active
legacy = active
[active]
activate = 1
`);
	await grantd.restart();
	const loads = (pid) => /\/legacy\.so$/m.test(fs.readFileSync(`/proc/${pid}/maps`, 'utf8'));
	assert.ok(loads(grantd.daemon.pid), 'the process that speaks TLS does as its operator says');
	assert.ok(!loads(keyd_of(grantd)));
	await agent.tokens(alice); // all of its work is done without
	await grantd.operate(['keys', 'rotate']);
	await agent.tokens(alice);
});

describe('neither process outlives the other', () => {
	for (const name of ['keyd', 'errands']) test(`FT-012: grantd ends at once when ${name} is killed, says so, and starts again`, async (t) => {
		const grantd = await Instance.start(t);
		const { alice, agent } = await grantd.furnish();
		let { refresh_token } = await agent.tokens(alice);
		const asking = (async () => {
			for (;;) {
				const answer = await agent.refresh(refresh_token).catch((error) => error);
				if (answer.status !== 200) return answer;
				refresh_token = answer.body.refresh_token;
			}
		})();
		await sleep(100);
		process.kill(process_of(grantd, name), 'SIGKILL');
		const killed_at = Date.now();
		const { status } = await grantd.daemon.ended;
		assert.ok(Date.now() - killed_at < 2000, `it took ${Date.now() - killed_at} ms`);
		assert.equal(status, 70);
		assert.ok(!prevents.includes('70'), 'a supervisor starts it again');
		const last = await asking; // nobody is left waiting
		assert.ok(last instanceof Error || last.status === 503, last.text);
		const [line] = grantd.log().filter(({ event }) => event === `${name}.gone`);
		assert.equal(line?.level, 'error');
		assert.equal(line.how, 'signal 9');
		await grantd.start();
		assert.equal((await agent.refresh(refresh_token)).status, 200, 'the last token that was answered is good');
	});

	test('both children end when grantd is killed', async (t) => {
		const grantd = await Instance.start(t);
		const pids = ['keyd', 'errands'].map((name) => process_of(grantd, name));
		assert.ok(pids.every(is_running));
		await grantd.kill_9();
		await until(() => !pids.some(is_running));
	});

	test('signals for the group are grantd\'s to follow: its children answer until the last request is', async (t) => {
		const grantd = await Instance.start(t);
		const { alice, agent } = await grantd.furnish();
		const pids = ['keyd', 'errands'].map((name) => process_of(grantd, name));
		for (const pid of pids) for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.kill(pid, signal);
		await agent.tokens(alice);
		await grantd.operate(['reload']);
		assert.deepEqual(['keyd', 'errands'].map((name) => process_of(grantd, name)), pids);
	});
});

test('a root key changed on disk is taken up by a restart, not by a reload', async (t) => {
	const grantd = await Instance.start(t);
	const { alice, agent } = await grantd.furnish();
	const file = path.join(grantd.dir, 'root.key');
	const key = fs.readFileSync(file);
	fs.writeFileSync(file, `1 ${Buffer.alloc(32, 7).toString('base64url')}\n`, { mode: 0o600 });
	await grantd.operate(['reload']);
	const { refresh_token } = await agent.tokens(alice);
	await grantd.stop();
	fs.writeFileSync(file, key, { mode: 0o600 });
	await grantd.start();
	assert.equal((await agent.refresh(refresh_token)).status, 200);
});
