// SPDX-License-Identifier: Apache-2.0
// Libraries beneath the real daemon.
import { execFileSync } from 'node:child_process';
import path from 'node:path';
import { programs } from './harness/index.mjs';

// LD_PRELOAD for the library. A program with one of gcc's sanitizers wants that one first of all: ASan says so itself, and
// TSan would not see the library's own waits give a lock back.
export function preloads(library) {
	const sanitizer = /=> (\S*lib[at]san\S*)/.exec(execFileSync('ldd', [programs.grantd], { encoding: 'utf8' }));
	return [...(sanitizer ? [sanitizer[1]] : []), library].join(':');
}

// One of tests/shim, of the same build.
export function shim(name) {
	return path.join(path.dirname(programs.grantd), '../../tests/shim', `lib${name}.so`);
}
