// SPDX-License-Identifier: Apache-2.0
// An Apache of one's own with mod_oauth2: a private directory that its user may read, one page, a port.
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { Daemon } from '../flow/harness/index.mjs';

const modules = { mpm_event_module: 'mpm_event', authn_core_module: 'authn_core', authz_core_module: 'authz_core', headers_module: 'headers', mime_module: 'mime', oauth2_module: 'oauth2' };

// In a mount namespace of its own, with that file for the authorities of the system: mod_oauth2 has no setting for them.
function with_authorities(ca_file, command) {
	const alone = process.getuid() === 0 ? ['--mount'] : ['--user', '--map-current-user', '--keep-caps', '--mount'];
	return ['unshare', ...alone, 'sh', '-c', 'mount --bind "$0" /etc/ssl/certs/ca-certificates.crt && exec "$@"', ca_file, ...command];
}

// guard: what stands in the documentation; documents: { path: text }; ca_file: for those of the system
export function start_apache({ port, guard, documents, env, ca_file }) {
	const home = fs.mkdtempSync(path.join(os.tmpdir(), 'grantd-apache-'));
	fs.chmodSync(home, 0o755);
	for (const [name, text] of Object.entries(documents)) {
		fs.mkdirSync(path.dirname(path.join(home, 'htdocs', name)), { recursive: true });
		fs.writeFileSync(path.join(home, 'htdocs', name), text);
	}
	const lines = [
		`ServerRoot ${home}`, `DefaultRuntimeDir ${home}`, `PidFile ${home}/pid`, `ErrorLog ${home}/error.log`, 'ServerName api.example.org', `Listen 127.0.0.1:${port}`,
		...Object.entries(modules).map(([name, file]) => `LoadModule ${name} /usr/lib/apache2/modules/mod_${file}.so`),
		'User www-data', 'Group www-data', 'StartServers 1', `DocumentRoot ${home}/htdocs`, 'TypesConfig /etc/mime.types', guard,
	];
	fs.writeFileSync(path.join(home, 'apache.conf'), lines.join('\n'));
	const command = ['apache2', '-f', path.join(home, 'apache.conf'), '-D', 'FOREGROUND'];
	const [program, ...args] = ca_file ? with_authorities(ca_file, command) : command;
	const daemon = new Daemon(program, args, { log_dir: home, name: 'apache', env: { ...process.env, ...env } });
	return {
		daemon, home,
		get log() { return daemon.stderr + fs.readFileSync(path.join(home, 'error.log'), 'utf8'); },
		async stop() {
			daemon.kill('SIGTERM');
			await daemon.ended;
			fs.rmSync(home, { recursive: true, force: true });
		},
	};
}
