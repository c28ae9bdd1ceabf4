// SPDX-License-Identifier: Apache-2.0
//
// One grantd of a test's own: a private directory, a port, a database, made with the commands a person uses.
// What differs from a person's installation is said in the environment: where the pages are (nothing is
// installed) and a health port of its own.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import net from 'node:net';
import os from 'node:os';
import path from 'node:path';
import { Agent, basic } from './agent.mjs';
import { database_files, drop_database, everything, new_database, rows, snapshot, stops, stops_queued } from './database.mjs';
import { Https, RawSocket } from './https.mjs';
import { Person } from './person.mjs';
import { Daemon, run } from './process.mjs';

const repository = path.resolve(import.meta.dirname, '../../..');
const build = process.env.GRANTD_BUILD ?? path.join(repository, 'build/gcc-asan');

export const programs = {
	grantd: path.join(build, 'src/grantd/grantd'),
	grantctl: path.join(build, 'src/grantctl/grantctl'),
	grant: path.join(build, 'src/grant_cli/grant'),
};

// For thousands of runs: the one without sanitizers, where it is built, for their start-up would be most of the time.
const light_grant = path.join(repository, 'build/clang/src/grant_cli/grant');
programs.grant_often = fs.existsSync(light_grant) ? light_grant : programs.grant;

export const mail_secret = 'mail-rs-secret-for-tests-0123456789abcdef';

function is_free(port) {
	return new Promise((resolve) => {
		const probe = net.createServer();
		probe.once('error', () => resolve(false));
		probe.listen(port, '127.0.0.1', () => probe.close(() => resolve(true)));
	});
}

// Two neighbours (public and health). Test files run side by side, each in a process of its own, so each
// begins somewhere else; below 32768, where the system takes ports for outgoing connections.
let next_port = Number(process.env.GRANTD_FIRST_PORT ?? 12000 + (process.pid % 500) * 40);

export async function free_ports() {
	for (let i = 0; i < 1000; i++) {
		const port = next_port;
		next_port = next_port + 2 > 32700 ? 12000 : next_port + 2;
		if (await is_free(port) && await is_free(port + 1)) return port;
	}
	throw new Error('no free port');
}

export class Instance {
	// env: GRANTD_* settings as an operator would put them. init: false leaves an empty directory.
	static async create({ env = {}, init = true } = {}) {
		const instance = new Instance();
		instance.home = fs.mkdtempSync(path.join(os.tmpdir(), 'grantd-flow-'));
		instance.dir = path.join(instance.home, 'dir');
		instance.port = await free_ports();
		instance.host = 'grantd.localhost';
		instance.issuer = `https://${instance.host}:${instance.port}`;
		instance.env = { ...process.env, GRANTD_SHARE_DIR: path.join(repository, 'share'), GRANTD_OPS_LISTEN: `127.0.0.1:${instance.port + 1}`, ...env };
		try {
			instance.database = await new_database();
			if (init) await instance.init();
		} catch (error) {
			await instance.dispose();
			throw error;
		}
		return instance;
	}

	// create and start, with the end in the hands of node:test (t.after, or `after` of the file).
	static async start(t, options) {
		const instance = await Instance.create(options);
		t?.after(() => instance.dispose());
		await instance.start();
		return instance;
	}

	// A further node of the first one's installation, set up as docs/operator.md says and not yet started: the same
	// issuer, root key and database, files of its own, a port of its own to which `fetch` goes.
	static async beside(t, first, { env = {} } = {}) {
		const node = new Instance();
		node.home = fs.mkdtempSync(path.join(os.tmpdir(), 'grantd-node-'));
		node.dir = path.join(node.home, 'dir');
		t?.after(() => node.dispose());
		node.port = await free_ports();
		Object.assign(node, { host: first.host, issuer: first.issuer, shares: first.database });
		node.env = { ...first.env, GRANTD_LISTEN: `127.0.0.1:${node.port}`, GRANTD_OPS_LISTEN: `127.0.0.1:${node.port + 1}`, ...env };
		fs.mkdirSync(node.dir, { mode: 0o700 });
		for (const name of ['tls', 'ca.pem', 'resources', 'mail-rs.secret']) {
			if (fs.existsSync(path.join(first.dir, name))) fs.cpSync(path.join(first.dir, name), path.join(node.dir, name), { recursive: true });
		}
		const made = await node.grantd(['init', '--dir', node.dir, '--database', first.database.url, '--root-key', path.join(first.dir, 'root.key')]);
		assert.equal(made.status, 0, `grantd init: ${made.stderr}`);
		node.ca = first.ca;
		node.https = new Https(node.ca, node.port);
		node.fetch = node.https.fetch;
		return node;
	}

	grantd(args, options) {
		return run(programs.grantd, args, { env: this.env, ...options });
	}

	async init() {
		const database = this.database.url ? ['--database', this.database.url] : [];
		const made = await this.grantd(['init', '--dir', this.dir, '--issuer', this.issuer, ...database]);
		assert.equal(made.status, 0, `grantd init: ${made.stderr}`);
		this.ca = fs.readFileSync(path.join(this.dir, 'ca.pem'));
		this.https = new Https(this.ca);
		this.fetch = this.https.fetch;
	}

	async start() {
		this.daemon = new Daemon(programs.grantd, ['serve', '--dir', this.dir], { env: this.env, log_dir: this.home, name: 'grantd' });
		await this.daemon.says('ready');
	}

	stop() { return this.daemon.stop(); }
	kill_9() { return this.daemon.kill_9(); }

	async restart() {
		if (this.daemon.is_running) await this.stop();
		await this.start();
	}

	// Stops what runs and removes everything. KEEP=1 leaves the directory for looking at.
	async dispose() {
		try {
			if (this.daemon?.is_running) await this.daemon.stop();
		} finally {
			this.https?.close();
			if (this.database) await drop_database(this.database);
			if (process.env.KEEP) console.error(`kept: ${this.home}`);
			else fs.rmSync(this.home, { recursive: true, force: true });
		}
	}

	// { status, stdout, stderr, json }: json where the command was asked for it and had something to say.
	async #command(program, args, options) {
		const result = await run(program, args, { env: this.env, ...options });
		if (args.includes('--json') && result.stdout.trim()) result.json = JSON.parse(result.stdout);
		return result;
	}

	grantctl(args, options) {
		return this.#command(programs.grantctl, ['--dir', this.dir, ...args], options);
	}

	// As grantctl; anything but exit 0 is an error. Answers the JSON.
	async operate(args, options) {
		const result = await this.grantctl([...args, '--json'], options);
		assert.equal(result.status, 0, `grantctl ${args.join(' ')}: ${result.stderr}${result.stdout}`);
		return result.json;
	}

	// The agent's CLI with a store of its own under `home`.
	grant(home, args, options) {
		return this.#command(programs.grant, args, { ...options, env: { ...this.env, GRANT_HOME: home, ...options?.env } });
	}

	get mail_uri() { return `${this.issuer}/r/mail`; }

	// The resource of the README, with changes.
	async add_resource(changes = {}) {
		const resource = {
			name: 'mail', uri: this.mail_uri, title: 'Mail of Example Ltd', enforced_by: 'resource', checks: 'introspection',
			token: { typ: 'at+jwt', alg: 'ES256', lifetime: 300 },
			scopes: [
				{ name: 'mail.read', title: 'Read your mail', risk: 'read', default: true, can: ['see folders and read messages'], cannot: ['send, change or delete anything'] },
				{ name: 'mail.send', title: 'Send mail as you', risk: 'send', can: ['send messages in your name'], cannot: ['delete anything'] },
			],
			introspection: [{ id: 'mail-rs', secret_file: 'mail-rs.secret' }],
			...changes,
		};
		const file = path.join(this.home, `${resource.name}.json`);
		fs.writeFileSync(file, JSON.stringify(resource));
		for (const caller of resource.introspection ?? []) {
			fs.writeFileSync(path.join(this.dir, path.basename(caller.secret_file)), `${mail_secret}\n`, { mode: 0o600 });
		}
		await this.operate(['resource', 'add', file]);
		return resource;
	}

	async add_person(username = 'alice', password = `the password of ${username}`) {
		await this.operate(['user', 'create', username, '--email', `${username}@example.org`, '--password-stdin'], { input: `${password}\n` });
		return new Person(this, { username, password });
	}

	// redirect_uris, scope, resource, grant_types; secret: true (made by grantd), a text, or absent (public).
	async add_agent({ id = 'mail-agent', name = 'Mail Agent', redirect_uris = ['http://127.0.0.1/callback'], scope = 'mail.read mail.send', resource = 'mail', grant_types = [], secret, args = [] } = {}) {
		const words = ['client', 'create', '--id', id, '--name', name, ...redirect_uris.flatMap((uri) => ['--redirect-uri', uri])];
		if (resource) words.push('--resource', resource);
		if (scope) words.push('--scope', scope);
		for (const type of grant_types) words.push('--grant-type', type);
		words.push(secret === true ? '--generate-secret' : secret ? '--secret-stdin' : '--public', ...args);
		const made = await this.operate(words, { input: typeof secret === 'string' ? `${secret}\n` : '' });
		return new Agent(this, { client_id: made.client_id, client_secret: made.client_secret ?? (typeof secret === 'string' ? secret : undefined),
			redirect_uri: redirect_uris[0], resource: this.mail_uri, scope: scope || undefined });
	}

	// What most cases begin with: the mail resource, alice, and one public agent.
	async furnish({ agent, password } = {}) {
		await this.add_resource();
		return { alice: await this.add_person('alice', password), agent: await this.add_agent(agent) };
	}

	// Asks as the mail server would. Answers the JSON of /introspect.
	async introspect(token, { id = 'mail-rs', secret = mail_secret } = {}) {
		const response = await this.fetch(`${this.issuer}/introspect`, {
			method: 'POST', body: new URLSearchParams({ token }).toString(),
			raw_headers: new Map([['content-type', 'application/x-www-form-urlencoded'], ['authorization', basic(id, secret)]]),
		});
		assert.equal(response.status, 200, 'introspection is answered');
		return response.json();
	}

	// A socket to the public listener; { tls: false } speaks TCP only.
	connect({ tls = true, ...options } = {}) {
		return RawSocket.connect({ port: this.port, host: tls ? this.host : undefined, ca: this.ca, ...options });
	}

	// Sends the bytes on a connection of its own and answers when the other side has closed (or time is up).
	async raw(bytes, { timeout = 15_000, ...options } = {}) {
		const socket = await this.connect(options);
		socket.send(bytes);
		const closed = await socket.closes(timeout);
		socket.close();
		return { text: socket.text, statuses: socket.statuses, closed };
	}

	rows(sql) { return rows(this.shares ? { database: this.shares } : this, sql); }
	snapshot(options) { return snapshot(this, options); }
	everything() { return everything(this); }

	// Runs `action` and asserts that no row but those of the tables named in `except` is another afterwards, and that
	// no resource is told that something stopped.
	async unchanged(action, { except = ['events'] } = {}) {
		const before = await this.snapshot({ except });
		const stops_before = await stops(this);
		const result = await action();
		assert.deepEqual(await this.snapshot({ except }), before, 'nothing changed');
		assert.equal(stops_queued(stops_before, await stops(this)), 0, 'no stop was queued');
		return result;
	}

	// The daemon's log so far: parsed lines. A line may be read while it is being written: not the last one before its end.
	log() {
		return fs.readFileSync(path.join(this.home, 'grantd.stdout'), 'utf8').split('\n').slice(0, -1).filter(Boolean).map((line) => JSON.parse(line));
	}

	// Everything the instance has written, as [name, path]: log, configuration, and the database with its WAL, also
	// where that is PostgreSQL's ("cluster/…").
	async files_written() {
		const own = fs.readdirSync(this.home, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile())
			.map((entry) => path.join(entry.parentPath, entry.name));
		return [...own.map((file) => [path.relative(this.home, file), file]), ...await database_files(this)];
	}

	// The files that hold any of the secrets in clear, among everything the instance has written. The files that are
	// the secret's own home are named in `but`.
	async files_with(secrets, { but = [] } = {}) {
		const found = [];
		for (const [name, file] of await this.files_written()) {
			if (but.includes(name)) continue;
			const bytes = fs.readFileSync(file);
			for (const secret of secrets) if (bytes.includes(secret)) found.push(`${name}: ${secret.slice(0, 8)}…`);
		}
		return found;
	}
}
