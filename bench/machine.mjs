// SPDX-License-Identifier: Apache-2.0
// Where and with what the figures were measured: a figure without that says nothing.
import { execFile } from 'node:child_process';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';

const run = promisify(execFile);
const repository = path.resolve(import.meta.dirname, '..');

async function debian_version(name) {
	const { stdout } = await run('dpkg-query', ['-W', '-f', '${Version}', name]);
	return stdout;
}

const npm_version = (name) => JSON.parse(fs.readFileSync(path.join(import.meta.dirname, 'node_modules', name, 'package.json'), 'utf8')).version;

async function our_version() {
	const { stdout } = await run('git', ['-C', repository, 'describe', '--always', '--dirty']).catch(() => ({ stdout: 'unknown' }));
	return stdout.trim();
}

async function compiler() {
	const { stdout } = await run('gcc', ['--version']);
	return stdout.split('\n')[0];
}

// µs of a signature where the goals were set
export const SIGNATURE_US = 17;

// What one ES256 signature and one verification cost OpenSSL here, in µs.
export async function probe_signature() {
	const { stdout } = await run('openssl', ['speed', '-seconds', '1', '-mr', 'ecdsap256']);
	const [, signs, verifies] = /^\+F4:\d+:256:([\d.]+):([\d.]+)/m.exec(stdout);
	return { signature_us: 1e6 / Number(signs), verification_us: 1e6 / Number(verifies) };
}

export async function facts() {
	const libraries = {};
	for (const name of ['libssl3', 'libsqlite3-0', 'glewlwyd', 'nginx']) libraries[name] = await debian_version(name);
	return {
		machine: `${os.cpus().length} cores of ${os.cpus()[0].model.trim()}, ${Math.round(os.totalmem() / 2 ** 30)} GiB, Linux ${os.release()}`,
		load_before: os.loadavg()[0],
		versions: { grantd: await our_version(), 'oidc-provider': npm_version('oidc-provider'), node: process.version, ...libraries },
		flags: `${await compiler()}, meson buildtype=release; SQLite in WAL with synchronous=FULL; loops: one per core`,
	};
}
