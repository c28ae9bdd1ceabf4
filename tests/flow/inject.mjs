// SPDX-License-Identifier: Apache-2.0
// A real daemon in which one call fails when the test says so: tests/inject is loaded before its libraries. What
// it writes and reads is the board, a file that both map.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { Daemon, Instance, programs } from './harness/index.mjs';

const kinds = ['malloc', 'SQLite', 'libpq', 'OpenSSL', 'libsodium', 'send', 'system'], within = [undefined, 'libseccomp', 'a look-up of a user'];
const SITES = 16384, HEAD = 32, SITE = 96, NAME = 16, WITHIN = 60, LIBRARY = 64; // struct board of tests/inject/inject.c

class Board {
	constructor(file) {
		this.file = file;
		fs.writeFileSync(file, Buffer.alloc(HEAD + SITES * SITE));
		this.fd = fs.openSync(file, 'r+');
	}

	#read(at, length) {
		const bytes = Buffer.alloc(length);
		fs.readSync(this.fd, bytes, 0, length, at);
		return bytes;
	}

	#write(at, bytes) { fs.writeSync(this.fd, bytes, 0, bytes.length, at); }

	// The next time that the site is passed, it fails. From now on sites are not written down: that takes time.
	arm({ id, frame }) {
		const bytes = Buffer.alloc(12);
		this.disarm();
		bytes.writeUInt32LE(frame, 8);
		this.#write(8, bytes.subarray(8));
		bytes.writeBigUInt64LE(id);
		this.#write(0, bytes.subarray(0, 8));
	}

	// Nothing fails any more, and nothing is written down.
	disarm() { this.#write(0, Buffer.from([0, 0, 0, 0, 0, 0, 0, 0, 1])); }

	// Sites that are passed are written down from now on, and those of before are forgotten.
	note() {
		this.#write(0, Buffer.alloc(HEAD));
		this.#write(HEAD, Buffer.alloc(SITES * SITE));
	}

	get is_armed() { return this.#read(0, 8).readBigUInt64LE() !== 0n; }

	// Every site passed so far, in the order of their ids.
	sites() {
		const all = this.#read(HEAD, SITES * SITE), found = [];
		for (let at = 0; at < all.length; at += SITE) {
			const id = all.readBigUInt64LE(at);
			if (id === 0n) continue;
			const text = (from, to) => all.toString('latin1', at + from, at + to).replace(/\0.*$/s, '');
			found.push({ id, kind: kinds[all.readUInt32LE(at + 8)], frame: all.readUInt32LE(at + 12), name: text(NAME, WITHIN), within: within[all.readUInt32LE(at + WITHIN)], library: text(LIBRARY, SITE) || 'grantd' });
		}
		assert.ok(found.length < SITES * 0.9, 'the board is too small');
		return found.sort((one, other) => (one.id < other.id ? -1 : 1));
	}

	close() { fs.closeSync(this.fd); }
}

// With sanitizers there is no place before their allocator: then the build beside it is used.
export function choose_build() {
	const here = path.resolve(programs.grantd, '../../..');
	const build = [here, path.resolve(import.meta.dirname, '../../build/clang')].find((one) => fs.existsSync(path.join(one, 'tests/inject/inject.so')));
	assert.ok(build, 'tests/inject is not built: tools/build clang');
	for (const name of ['grantd', 'grantctl']) programs[name] = path.join(build, 'src', name, name);
	return path.join(build, 'tests/inject/inject.so');
}


// Signals of a program that lost its way, as names and as grantd's log numbers them. To abort is how a program says
// that there is no memory; then it says nothing, while a heap that is not sound anymore and a wrong assertion do.
const lost = { SIGILL: 4, SIGTRAP: 5, SIGBUS: 7, SIGFPE: 8, SIGSEGV: 11, SIGSYS: 31 };
const unsound = /assert|corrupt|free\(\)|alloc\(\)|smash|overflow|terminated/i;

// Libraries that themselves lose their way where they find no memory: libseccomp (2.5.4) crashes, or makes half a list
// that then ends the process; glibc (2.36) asserts, or crashes, where it looks up a user. Both work while nothing is
// served yet, in a start or in a command, so that an end is all that is asked for. Only what they themselves asked for
// is excused, however far below them: what glibc asks for on behalf of anybody else is that one's to answer for.
export const is_library_lost = ({ within }) => within !== undefined;

// That a program ended by its own decision: { status, signal, stderr } of one that did end, what: for people.
export function ended_by_itself({ status, signal, stderr }, what) {
	assert.ok(!(signal in lost), `${what} ended by ${signal}: ${stderr}`);
	assert.ok(signal === 'SIGABRT' || status > 0, `${what} ended by ${signal ?? status}: ${stderr}`);
	if (signal === 'SIGABRT') assert.doesNotMatch(stderr, unsound, `${what} ended by SIGABRT: ${stderr}`);
	else assert.match(stderr, /\S/, `${what} ended with ${status} and said nothing`);
}

export async function create_injected(library) {
	const instance = await Instance.create();
	const plain = instance.env;
	instance.board = new Board(path.join(instance.home, 'board'));
	const dispose = instance.dispose.bind(instance);
	instance.injected = { ...plain, LD_PRELOAD: library, INJECT_BOARD: instance.board.file };
	const log = path.join(instance.home, 'grantd.stdout');
	let log_from = 0;
	// 'ready', 'health' (there is trouble with the keys), or 'ended'
	instance.try_start = async () => {
		log_from = fs.existsSync(log) ? fs.statSync(log).size : 0;
		const daemon = new Daemon(programs.grantd, ['serve', '--dir', instance.dir], { env: instance.injected, log_dir: instance.home, name: 'grantd' });
		instance.daemon = daemon;
		for (const end = Date.now() + 30_000; daemon.is_running; await Promise.race([daemon.ended, sleep(2)])) {
			if (/^ready$/m.test(daemon.stderr)) return 'ready';
			if (/only health is served/.test(daemon.stderr)) return 'health';
			assert.ok(Date.now() < end, `neither ready nor ended: ${daemon.stderr}`);
		}
		return 'ended';
	};
	// the log since the last start, which also says why it ended and how its other processes did
	instance.log_now = () => fs.readFileSync(log).subarray(log_from).toString('utf8');
	instance.check_end = (what) => {
		const { status, signal, stderr } = instance.daemon, said = instance.log_now();
		ended_by_itself({ status, signal, stderr: stderr || said.split('\n').slice(-3).join('\n') }, what);
		for (const [, number] of said.matchAll(/"(?:keyd|errands)\.gone".*"signal (\d+)"/g))
			assert.ok(!Object.values(lost).includes(Number(number)), `${what}: ${said.split('\n').slice(-3).join('\n')}`);
	};
	instance.start = async () => {
		const how = await instance.try_start();
		assert.equal(how, 'ready', instance.daemon.stderr);
	};
	instance.dispose = async () => {
		instance.board.close();
		await dispose();
	};
	return instance;
}
