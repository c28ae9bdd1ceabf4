// SPDX-License-Identifier: Apache-2.0
// The daemon's clock in the test's hand: libfaketime beneath the real program, its offset in a file that can be
// changed while it runs. Only wall time moves; deadlines are monotonic and stay real.
import fs from 'node:fs';
import path from 'node:path';
import { Instance } from './harness/index.mjs';
import { preloads } from './preload.mjs';

const library = fs.globSync('/usr/lib/*/faketime/libfaketimeMT.so.1')[0];

// ASan asks for the time while it holds a lock of its allocator. Before libfaketime is ready that question
// allocates, and whether the same lock is wanted depends on the length of the program's path: then nothing moves.
const asan_without_time = [process.env.ASAN_OPTIONS, 'allocator_release_to_os_interval_ms=-1'].filter(Boolean).join(':');

// libfaketime takes this C library for one of those whose waits on monotonic time need its help, which here ends each of
// them at once: the daemon's jobs would do their rounds without a pause.
const faked = { LD_PRELOAD: preloads(library), ASAN_OPTIONS: asan_without_time, DONT_FAKE_MONOTONIC: '1', FAKETIME_DONT_FAKE_MONOTONIC: '1', FAKETIME_FORCE_MONOTONIC_FIX: '0' };

// What a command finds in its environment whose clock is so far ahead.
export const ahead = (seconds) => ({ ...faked, FAKETIME: `+${seconds}` });

// The same where a second of its sleep takes so small a part of one.
export const hurried = (times) => ({ ...faked, FAKETIME: `+0 x${times}` });

// What a program that is not ours finds in its environment: it is so far ahead as the file says at each moment ("+400").
export const as_file_says = (file) => ({ ...faked, LD_PRELOAD: library, FAKETIME_TIMESTAMP_FILE: file, FAKETIME_NO_CACHE: '1' });

export class MovedInstance {
	// An instance with .move(seconds): so far ahead of the real time (negative: behind) from now on.
	static async start(t, { env = {} } = {}) {
		const instance = await Instance.create({ env });
		const forget = MovedInstance.take(instance);
		const end = async () => {
			await instance.dispose();
			forget();
		};
		t?.after(end);
		instance.end = end;
		try {
			await instance.start();
		} catch (error) {
			if (!t) await end(); // a daemon left behind would keep the file from ending
			throw error;
		}
		return instance;
	}

	// Gives an instance that is not started .move; answers what removes the file that says the offset.
	static take(instance) {
		if (!library) throw new Error('libfaketime is missing: tools/install-deps test');
		// where the daemon may read in its sandbox
		const folder = path.join(instance.dir, 'backups');
		const file = path.join(folder, 'offset');
		fs.mkdirSync(folder, { recursive: true });
		fs.writeFileSync(file, '+0');
		instance.move = (seconds) => fs.writeFileSync(file, `${seconds < 0 ? '' : '+'}${seconds}`);
		// only the daemon: commands and databases keep the real time
		const start = instance.start.bind(instance);
		const plain = instance.env;
		instance.start = async () => {
			instance.env = { ...plain, ...faked, FAKETIME_TIMESTAMP_FILE: file, FAKETIME_NO_CACHE: '1' };
			try {
				await start();
			} finally {
				instance.env = plain;
			}
		};
		return () => fs.rmSync(file, { force: true });
	}
}
