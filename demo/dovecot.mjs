// SPDX-License-Identifier: Apache-2.0
// A Dovecot of one's own: a private directory, a port, mailboxes with real messages, and grantd asked about
// each token. Used by the demo and by tests/flow/dovecot.test.mjs.
import fs from 'node:fs';
import net from 'node:net';
import os from 'node:os';
import path from 'node:path';
import { Daemon, run, run_well } from '../tests/flow/harness/process.mjs';

const here = import.meta.dirname;
const sleep = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

function fill(template, words) {
	return fs.readFileSync(path.join(here, template), 'utf8').replace(/@([A-Z_]+)@/g, (whole, name) => words[name] ?? whole);
}

// Without root Dovecot runs all of itself as the one who starts it.
function unprivileged(user, group) {
	return `\ndefault_internal_user = ${user}\ndefault_internal_group = ${group}\ndefault_login_user = ${user}\nservice anvil {\n  chroot =\n}\nservice imap-login {\n  chroot =\n}\nservice stats {\n  chroot =\n}\n`;
}

async function numbers(user) {
	const id = async (flag) => Number((await run_well('id', [flag, user])).stdout);
	return { uid: await id('-u'), gid: await id('-g') };
}

export class Dovecot {
	// issuer_host: "grantd.localhost:8443". oauth2: what writes another oauth2.conf.ext for the directory it is given;
	// settings: more lines of dovecot.conf; env: for all its processes
	static async start({ port, issuer_host, secret, ca_file, oauth2, settings = '', env = {} }) {
		const dovecot = new Dovecot();
		// of its own, and open to the users that parts of Dovecot run as; a test's directory is not
		const home = fs.mkdtempSync(path.join(os.tmpdir(), 'grantd-mail-'));
		dovecot.home = home;
		dovecot.port = port;
		dovecot.conf = path.join(home, 'dovecot.conf');
		const is_root = process.getuid() === 0;
		const user = is_root ? 'mail' : os.userInfo().username;
		const group = is_root ? 'mail' : (await run_well('id', ['-gn'])).stdout.trim();
		dovecot.owner = is_root ? await numbers('mail') : null;
		const words = { RUN: home, USER: user, GROUP: group, PORT: String(port), SECRET: secret, ISSUER_HOST: issuer_host, CA: path.join(home, 'ca.pem') };
		fs.chmodSync(home, 0o755);
		fs.copyFileSync(ca_file, words.CA);
		fs.chmodSync(words.CA, 0o644);
		const passed_on = Object.keys(env).length ? `\nimport_environment = TZ ${Object.keys(env).join(' ')}\n` : '';
		fs.writeFileSync(dovecot.conf, `${fill('dovecot.conf', words)}${settings}${passed_on}` + (is_root ? '' : unprivileged(user, group)));
		fs.writeFileSync(path.join(home, 'oauth2.conf.ext'), oauth2 ? await oauth2(home) : fill('oauth2.conf.ext', words), { mode: 0o600 });
		fs.writeFileSync(path.join(home, 'acl'), '* owner lr\n');
		for (const name of fs.readdirSync(path.join(here, 'mail'))) dovecot.#deliver(name);
		dovecot.daemon = new Daemon('dovecot', ['-F', '-c', dovecot.conf], { log_dir: home, name: 'dovecot', env: { ...process.env, ...env } });
		try {
			await dovecot.#answers();
		} catch (error) {
			await dovecot.stop();
			throw error;
		}
		return dovecot;
	}

	// The messages of demo/mail/USER become that user's INBOX.
	#deliver(user) {
		const box = path.join(this.home, 'mail', user, 'Maildir');
		for (const part of ['cur', 'new', 'tmp']) fs.mkdirSync(path.join(box, part), { recursive: true });
		for (const file of fs.readdirSync(path.join(here, 'mail', user)).sort()) {
			const text = fs.readFileSync(path.join(here, 'mail', user, file), 'utf8').replace(/\r?\n/g, '\r\n');
			fs.writeFileSync(path.join(box, 'cur', `${1795500000 + Number(file.slice(0, 2))}.${file.replace(/\W/g, '_')}.example:2,`), text);
		}
		if (!this.owner) return;
		const all = [path.join(this.home, 'mail'), path.join(this.home, 'mail', user)];
		for (const entry of fs.readdirSync(box, { recursive: true })) all.push(path.join(box, entry));
		for (const one of [...all, box]) fs.chownSync(one, this.owner.uid, this.owner.gid);
	}

	async #answers() {
		const until = Date.now() + 15_000;
		while (Date.now() < until) {
			if (!this.daemon.is_running) break;
			if (await knock(this.port)) return;
			await sleep(50);
		}
		throw new Error(`Dovecot does not start:\n${this.daemon.stderr}${this.log}`);
	}

	get log() {
		try {
			return fs.readFileSync(path.join(this.home, 'dovecot.log'), 'utf8');
		} catch {
			return '';
		}
	}

	// What a resource's on_stop says to end the sessions of one person.
	get on_stop() { return `/usr/bin/doveadm -c ${this.conf} kick {username}`; }

	// The messages as they lie on disk: { name: bytes }, for seeing that nothing was written.
	messages(user) {
		const box = path.join(this.home, 'mail', user, 'Maildir/cur');
		return Object.fromEntries(fs.readdirSync(box).sort().map((file) => [file, fs.readFileSync(path.join(box, file), 'latin1')]));
	}

	async who() {
		return (await run('doveadm', ['-c', this.conf, 'who'])).stdout;
	}

	async stop() {
		this.daemon.kill('SIGTERM');
		const timer = setTimeout(() => this.daemon.kill('SIGKILL'), 15_000);
		await this.daemon.ended;
		clearTimeout(timer);
		fs.rmSync(this.home, { recursive: true, force: true });
	}
}

function knock(port) {
	return new Promise((resolve) => {
		const socket = net.connect({ host: '127.0.0.1', port });
		socket.once('data', () => { socket.destroy(); resolve(true); });
		socket.once('error', () => resolve(false));
	});
}
