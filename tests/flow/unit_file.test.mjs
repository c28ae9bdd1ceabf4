// SPDX-License-Identifier: Apache-2.0
// packaging/grantd.service: how much it shuts off, and that what it leaves is what grantd and its commands need.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import { granted, until } from './expect.mjs';
import { Daemon, Instance, programs, run, run_well } from './harness/index.mjs';

const unit = path.resolve(import.meta.dirname, '../../packaging/grantd.service');
const text = fs.readFileSync(unit, 'utf8');
const analyze = (file) => run('systemd-analyze', ['security', '--offline=true', '--threshold=20', '--no-pager', file]);

test('the unit\'s exposure is at most 2.0, and would not be without its lines', async (t) => {
	const judged = await analyze(unit);
	assert.equal(judged.status, 0, judged.stdout + judged.stderr);
	const bare = `${fs.mkdtempSync('/tmp/grantd-unit-')}/grantd.service`;
	t.after(() => fs.rmSync(path.dirname(bare), { recursive: true }));
	fs.writeFileSync(bare, text.replace(/^SystemCallFilter=.*$/gm, '').replace(/^CapabilityBoundingSet=$/m, ''));
	assert.notEqual((await analyze(bare)).status, 0);
});

test('it tries again for as long as the database is away, and not what is refused', () => {
	const value_of = (name) => new RegExp(`^${name}=(.*)$`, 'm').exec(text)[1].split(' ');
	assert.deepEqual(value_of('RestartPreventExitStatus'), ['1', '2']);
	assert.deepEqual(value_of('StartLimitIntervalSec'), ['0']);
	assert.deepEqual([value_of('Restart'), value_of('RestartSec')], [['on-failure'], ['1']]);
});

test('what is not set up is not started: the condition holds as soon as there is a grantd.conf', async (t) => {
	const [condition] = /^ConditionPathExists=.*$/m.exec(text);
	const dir = fs.mkdtempSync('/tmp/grantd-unit-');
	t.after(() => fs.rmSync(dir, { recursive: true }));
	const holds = async () => (await run('systemd-analyze', ['condition', condition.replace('/var/lib/grantd', dir)])).status === 0;
	assert.match(condition, /\/var\/lib\/grantd\/grantd\.conf$/);
	assert.equal(await holds(), false);
	fs.writeFileSync(`${dir}/grantd.conf`, '');
	assert.equal(await holds(), true);
});

const sets = new Map();

// The names of system calls in a set of systemd's ("@chown"), or the name itself.
async function calls_of(word) {
	if (!word.startsWith('@')) return [word];
	if (!sets.has(word)) {
		const { stdout } = await run_well('systemd-analyze', ['syscall-filter', '--no-pager', word]);
		const words = stdout.split('\n').slice(1).map((line) => line.trim()).filter((line) => line && !line.startsWith('#'));
		sets.set(word, (await Promise.all(words.map(calls_of))).flat());
	}
	return sets.get(word);
}

// As systemd reads the lines one after another: a plain one adds, one with ~ takes away.
async function allowed_calls() {
	const allowed = new Set(await calls_of('@default'));
	for (const [, tilde, words] of text.matchAll(/^SystemCallFilter=(~?)(.+)$/gm)) {
		for (const word of words.split(' ')) {
			for (const call of await calls_of(word)) {
				if (tilde) allowed.delete(call);
				else allowed.add(call);
			}
		}
	}
	return allowed;
}

test('every system call of a whole life is one that the unit allows: start, flow, on_stop, reload, end', async (t) => {
	const grantd = await Instance.create({ env: { GRANTD_ADMIN_GROUP: process.getuid() === 0 ? 'games' : undefined, ASAN_OPTIONS: 'detect_leaks=0' } });
	t.after(() => grantd.dispose());
	const summary = path.join(grantd.home, 'calls');
	grantd.daemon = new Daemon('strace', ['-f', '-qq', '-c', '-U', 'calls,name', '-o', summary, programs.grantd, 'serve', '--dir', grantd.dir], { env: grantd.env, log_dir: grantd.home, name: 'grantd' });
	await grantd.daemon.says('ready', 60_000);
	const mark = path.join(grantd.home, 'stopped');
	await grantd.add_resource({ on_stop: ['touch', mark] });
	const alice = await grantd.add_person();
	const agent = await grantd.add_agent();
	const { refresh_token } = await agent.tokens(alice);
	granted(await agent.refresh(refresh_token));
	await grantd.operate(['reload']);
	const [grant] = await grantd.operate(['grant', 'list', '--user', 'alice']);
	await grantd.operate(['grant', 'revoke', grant.id]);
	await until(() => fs.existsSync(mark), 40_000);
	const [traced] = fs.readFileSync(`/proc/${grantd.daemon.pid}/task/${grantd.daemon.pid}/children`, 'utf8').trim().split(' ').map(Number);
	process.kill(traced, 'SIGTERM');
	assert.equal((await grantd.daemon.ended).status, 0);
	const made = fs.readFileSync(summary, 'utf8').split('\n').slice(2).map((line) => /^\s*\d+\s+(\w+)$/.exec(line)?.[1]).filter((name) => name && name !== 'total');
	assert.ok(made.length > 40 && made.includes('accept4') && made.includes('execve'), made.join(' '));
	const allowed = await allowed_calls();
	assert.ok(!allowed.has('mount') && !allowed.has('setrlimit') && !allowed.has('bpf') && !allowed.has('ptrace'));
	// grantd raises its limit of open files if it can; with LimitNOFILE there is nothing to raise
	assert.deepEqual(made.filter((name) => !allowed.has(name) && name !== 'setrlimit'), []);
});
