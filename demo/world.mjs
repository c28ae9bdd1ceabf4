// SPDX-License-Identifier: Apache-2.0
// The demo's machine room: grantd on SQLite behind its own certificate, Dovecot that asks it, alice and bob,
// one agent. Everything lies in a private directory and on loopback, and goes away at the end.
import crypto from 'node:crypto';
import dns from 'node:dns/promises';
import fs from 'node:fs';
import https from 'node:https';
import net from 'node:net';
import os from 'node:os';
import path from 'node:path';
import { Daemon, run, run_well } from '../tests/flow/harness/process.mjs';
import { Dovecot } from './dovecot.mjs';

const repository = path.resolve(import.meta.dirname, '..');
const build = process.env.GRANTD_BUILD ?? path.join(repository, 'build/release');
const program = (name, folder = name) => path.join(build, 'src', folder, name);

function is_free(port) {
	return new Promise((resolve) => {
		const probe = net.createServer();
		probe.once('error', () => resolve(false));
		probe.listen(port, '127.0.0.1', () => probe.close(() => resolve(true)));
	});
}

// `count` neighbours, the first from `wanted` upwards in steps of 100.
async function ports(wanted, count) {
	for (let port = wanted; port < 60_000; port += 100) {
		const all = await Promise.all(Array.from({ length: count }, (_, i) => is_free(port + i)));
		if (all.every(Boolean)) return port;
	}
	throw new Error('no free port');
}

const secret = () => crypto.randomBytes(24).toString('base64url');

export class World {
	static async create() {
		const world = new World();
		world.home = fs.mkdtempSync(path.join(os.tmpdir(), 'grantd-demo-'));
		world.dir = path.join(world.home, 'grantd');
		world.port = await ports(8443, 2);
		world.host = `grantd.localhost:${world.port}`;
		world.issuer = `https://${world.host}`;
		world.mail_uri = `${world.issuer}/r/mail`;
		world.ca_file = path.join(world.dir, 'ca.pem');
		world.env = { ...process.env, GRANTD_SHARE_DIR: path.join(repository, 'share'), GRANTD_OPS_LISTEN: `127.0.0.1:${world.port + 1}`, GRANTD_DEVICE_FLOW: 'on' };
		world.alice = { username: 'alice', password: secret().slice(0, 16) };
		world.bob = { username: 'bob', password: secret().slice(0, 16) };
		return world;
	}

	async check_name() {
		try {
			await dns.lookup('grantd.localhost');
		} catch {
			throw new Error('grantd.localhost does not resolve here: install libnss-myhostname, or add "127.0.0.1 grantd.localhost" to /etc/hosts');
		}
	}

	async start_grantd() {
		await run_well(program('grantd'), ['init', '--dir', this.dir, '--issuer', this.issuer], { env: this.env });
		this.grantd = new Daemon(program('grantd'), ['serve', '--dir', this.dir], { env: this.env, log_dir: this.home, name: 'grantd' });
		await this.grantd.says('ready');
	}

	async start_dovecot() {
		this.mail_secret = secret();
		this.mail_port = await ports(9143, 1);
		this.dovecot = await Dovecot.start({ port: this.mail_port, issuer_host: this.host, secret: this.mail_secret, ca_file: this.ca_file });
	}

	grantctl(words, options) {
		return run_well(program('grantctl'), ['--dir', this.dir, ...words], { env: this.env, ...options });
	}

	async add_people() {
		for (const { username, password } of [this.alice, this.bob])
			await this.grantctl(['user', 'create', username, '--email', `${username}@example.org`, '--password-stdin'], { input: `${password}\n` });
	}

	async add_mail() {
		const file = path.join(this.home, 'mail.json');
		fs.writeFileSync(path.join(this.dir, 'mail-rs.secret'), `${this.mail_secret}\n`, { mode: 0o600 });
		fs.writeFileSync(file, JSON.stringify({
			name: 'mail', uri: this.mail_uri, title: 'Mail of Example Ltd', enforced_by: 'resource', checks: 'introspection',
			on_stop: this.dovecot.on_stop, token: { typ: 'at+jwt', alg: 'ES256', lifetime: 300 },
			scopes: [{ name: 'mail.read', title: 'Read your mail', risk: 'read', default: true, can: ['see folders and read messages'], cannot: ['send, change or delete anything'] }],
			introspection: [{ id: 'mail-rs', secret_file: 'mail-rs.secret' }],
		}, null, 2));
		await this.grantctl(['resource', 'add', file]);
	}

	add_agent() {
		return this.grantctl(['client', 'create', '--id', 'mail-agent', '--name', 'Mail Reader', '--redirect-uri', 'http://127.0.0.1/callback',
			'--public', '--resource', 'mail', '--scope', 'mail.read']);
	}

	add_device() {
		return this.grantctl(['client', 'create', '--id', 'mail-printer', '--name', 'Mail Printer', '--public', '--grant-type', 'device_code',
			'--grant-type', 'refresh_token', '--resource', 'mail', '--scope', 'mail.read']);
	}

	// An agent that nobody told the operator of: it sends what it calls itself, and is given a client id (RFC 7591).
	register(metadata) {
		const body = JSON.stringify(metadata);
		return new Promise((resolve, reject) => {
			const request = https.request(`${this.issuer}/register`, { method: 'POST', ca: fs.readFileSync(this.ca_file),
				headers: { 'content-type': 'application/json', 'content-length': Buffer.byteLength(body) } }, async (answer) => {
				let text = '';
				for await (const part of answer) text += part;
				if (answer.statusCode === 201) resolve(JSON.parse(text));
				else reject(new Error(`/register answers ${answer.statusCode}: ${text}`));
			});
			request.on('error', reject).end(body);
		});
	}

	// The agent's own command, with the agent's own store.
	grant_env(agent) { return { ...process.env, GRANT_HOME: path.join(this.home, agent) }; }
	grant_login(client, how = '--no-browser') {
		return { file: program('grant', 'grant_cli'), words: ['login', '--issuer', this.issuer, '--client', client, '--resource', this.mail_uri,
			'--scope', 'mail.read', '--ca', this.ca_file, how] };
	}
	grant(words, agent = 'agent') { return run(program('grant', 'grant_cli'), words, { env: this.grant_env(agent) }); }

	async stop() {
		await this.dovecot?.stop();
		if (this.grantd?.is_running) await this.grantd.stop();
		if (process.env.KEEP) console.log(`kept: ${this.home}`);
		else fs.rmSync(this.home, { recursive: true, force: true });
	}
}
