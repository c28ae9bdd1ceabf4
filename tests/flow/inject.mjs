// SPDX-License-Identifier: Apache-2.0
// A real daemon in which one call fails when the test says so: tests/inject is loaded before its libraries. What
// it writes and reads is the board, a file that both map.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import { Daemon, Instance, programs } from './harness/index.mjs';

const kinds = ['malloc', 'SQLite', 'libpq', 'OpenSSL', 'libsodium', 'send'];
const SITES = 16384, HEAD = 16, SITE = 64; // struct board of tests/inject/inject.c

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

	// The next time that the site is passed, it fails. 0n: nothing does.
	arm(id) {
		const bytes = Buffer.alloc(8);
		bytes.writeBigUInt64LE(id);
		fs.writeSync(this.fd, bytes, 0, 8, 0);
	}

	// Forgets which sites were passed.
	clear() {
		fs.writeSync(this.fd, Buffer.alloc(SITES * SITE), 0, SITES * SITE, HEAD);
	}

	get is_armed() { return this.#read(0, 8).readBigUInt64LE() !== 0n; }

	// Every site passed so far, in the order of their ids.
	sites() {
		const all = this.#read(HEAD, SITES * SITE), found = [];
		for (let at = 0; at < all.length; at += SITE) {
			const id = all.readBigUInt64LE(at);
			if (id === 0n) continue;
			const name = all.toString('latin1', at + 16, at + SITE).replace(/\0.*$/s, '');
			found.push({ id, kind: kinds[all.readUInt32LE(at + 8)], name, frame: `0x${all.readUInt32LE(at + 12).toString(16)}` });
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

export async function create_injected(library) {
	const instance = await Instance.create();
	const plain = instance.env;
	instance.board = new Board(path.join(instance.home, 'board'));
	const dispose = instance.dispose.bind(instance);
	// only the daemon: commands are what they always are
	const env = { ...plain, LD_PRELOAD: library, INJECT_BOARD: instance.board.file };
	// 'ready', 'health' (there is trouble with the keys), or 'ended'
	instance.try_start = async () => {
		const daemon = new Daemon(programs.grantd, ['serve', '--dir', instance.dir], { env, log_dir: instance.home, name: 'grantd' });
		instance.daemon = daemon;
		for (const end = Date.now() + 30_000; daemon.is_running; await Promise.race([daemon.ended, new Promise((resolve) => setTimeout(resolve, 5))])) {
			if (/^ready$/m.test(daemon.stderr)) return 'ready';
			if (/only health is served/.test(daemon.stderr)) return 'health';
			assert.ok(Date.now() < end, `neither ready nor ended: ${daemon.stderr}`);
		}
		return 'ended';
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
