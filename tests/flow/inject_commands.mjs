// SPDX-License-Identifier: Apache-2.0
// The commands of an operator in which a call fails: each ends by its own word, and the next run ends what it began.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { rows } from './harness/database.mjs';
import { driver, programs, run, run_well } from './harness/index.mjs';
import { ended_by_itself, is_library_lost } from './inject.mjs';

// Where a command works: a folder and a database beside those of the world's daemon, made anew from a copy of its own.
// A run is { status, signal, stdout, stderr }.
class Bench {
	static async of(world) {
		if (world.bench) return world.bench;
		const bench = world.bench = new Bench(), { grantd } = world;
		bench.grantd = grantd;
		bench.dir = path.join(grantd.home, 'other');
		bench.copy = path.join(grantd.home, 'copy');
		bench.backup = path.join(grantd.dir, 'backups', 'copy');
		if (!grantd.daemon.is_running) await grantd.start();
		if (driver === 'sqlite') await grantd.operate(['backup', bench.backup]);
		bench.made_at = new Date(Math.ceil(Date.now() / 1000) * 1000).toISOString().replace('.000', '');
		await world.tell(); // ends what is in the backup
		await world.end_well();
		fs.cpSync(grantd.dir, bench.copy, { recursive: true, filter: (file) => !/\/backups\/|\.(?:sock|lock|reserve)$/.test(file) });
		if (driver === 'postgres') await bench.#make('kept', grantd.database.name);
		bench.ended = [...world.acknowledged.ended];
		await bench.renew();
		return bench;
	}

	#name(what) { return `${this.grantd.database.name}_${what}`; }

	#ask(sql, name = 'postgres') { return run_well('psql', ['-X', '-q', '-h', this.grantd.database.socket, '-d', name, '-c', sql]); }

	async #make(what, from) {
		await this.#ask(`DROP DATABASE IF EXISTS ${this.#name(what)} WITH (FORCE)`);
		await this.#ask(`CREATE DATABASE ${this.#name(what)} TEMPLATE ${from} STRATEGY FILE_COPY`);
	}

	get database() {
		if (driver === 'sqlite') return undefined;
		const { socket } = this.grantd.database;
		return { name: this.#name('other'), socket, url: `postgresql:///${this.#name('other')}?host=${socket}` };
	}

	// As the world was: with the same people, or with none.
	async renew({ is_empty = false, is_looking = false } = {}) {
		if (is_looking && this.is_copy) return;
		this.is_copy = is_looking;
		fs.rmSync(this.dir, { recursive: true, force: true });
		if (!is_empty) {
			fs.cpSync(this.copy, this.dir, { recursive: true });
			// megabytes that are never looked into
			if (driver === 'sqlite') fs.linkSync(path.join(this.grantd.dir, 'grantd.db.reserve'), path.join(this.dir, 'grantd.db.reserve'));
		}
		if (driver === 'postgres') await this.#make('other', is_empty ? 'template0' : this.#name('kept'));
	}

	#env(env) { return { ...env, ...(this.database ? { GRANTD_DATABASE: this.database.url } : {}) }; }

	async run_injected([program, ...args]) {
		return run(programs[program], args, { env: this.#env(this.grantd.injected) });
	}

	async run_plain([program, ...args]) {
		const result = await run(programs[program], args, { env: this.#env(this.grantd.env) });
		assert.equal(result.status, 0, `the next run: ${program} ${args.join(' ')}: ${result.signal} ${result.stderr}${result.stdout}`);
	}

	is_sound() { return this.run_plain(['grantd', 'check', '--dir', this.dir]); }

	async check_ended() {
		const where = { dir: this.dir, database: this.database };
		const alive = new Set((await rows(where, 'SELECT id FROM families WHERE revoked_at IS NULL')).map(({ id }) => id));
		for (const id of this.ended) assert.ok(!alive.has(id), `${id} was revoked, and lives`);
	}

	async dispose() {
		if (driver === 'postgres') for (const what of ['other', 'kept']) await this.#ask(`DROP DATABASE IF EXISTS ${this.#name(what)} WITH (FORCE)`);
	}
}

// What the restored database comes from: SQLite's own file, or what PostgreSQL's tools have put back.
const from = (bench) => (driver === 'sqlite' ? ['--from', bench.backup] : ['--made-at', bench.made_at, '--nodes', '1']);

// { name, words: what is run, is_empty: in an empty folder, check: what else must hold then }
const list = [
	{ name: 'grantd init', is_empty: true, words: (bench) => ['grantd', 'init', '--dir', bench.dir, '--issuer', bench.grantd.issuer, ...(bench.database ? ['--database', bench.database.url] : [])] },
	{ name: 'grantd check', is_looking: true, words: (bench) => ['grantd', 'check', '--dir', bench.dir] },
	{ name: 'grantd root-key add', words: (bench) => ['grantd', 'root-key', 'add', '--dir', bench.dir] },
	{ name: 'grantd restore', words: (bench) => ['grantd', 'restore', '--dir', bench.dir, ...from(bench)], check: (bench) => bench.check_ended() },
	...(driver === 'sqlite' ? [{ name: 'grantd restore --verify', is_looking: true, words: (bench) => ['grantd', 'restore', '--dir', bench.dir, ...from(bench), '--verify'] }] : []),
	{ name: 'grantctl', is_looking: true, is_served: true, words: (bench) => ['grantctl', '--dir', bench.grantd.dir, 'user', 'list', '--json'] },
];

// The site may be the daemon's own that answers the command.
async function get_ready({ grantd }, { is_served }) {
	if (!is_served) return;
	if (grantd.daemon.is_running) await Promise.race([grantd.daemon.ended, sleep(20)]);
	if (grantd.daemon.is_running) return;
	if (grantd.daemon.status !== 0) grantd.check_end('grantd');
	await grantd.start();
}

export const commands = list.map((command) => ({
	name: command.name,
	async note(world) {
		const bench = await Bench.of(world);
		await get_ready(world, command);
		await bench.renew(command);
		world.grantd.board.note(); // what was done to get here is not the command's
		const result = await bench.run_injected(command.words(bench));
		assert.equal(result.status, 0, `${command.name}: ${result.stderr}${result.stdout}`);
	},
	async meets(world, site) {
		const bench = await Bench.of(world), { board } = world.grantd;
		await get_ready(world, command);
		await bench.renew(command);
		board.arm(site);
		const result = await bench.run_injected(command.words(bench)), is_reached = !board.is_armed;
		const is_lost = result.signal !== null && is_library_lost(site);
		board.disarm();
		if (result.status !== 0) {
			assert.ok(is_reached, `nothing failed, and it came to this: ${result.stderr}`);
			if (!is_lost) ended_by_itself({ ...result, stderr: result.stderr || result.stdout }, command.name);
			await get_ready(world, command);
			// a daemon that met the failure itself may take its time to end
			await bench.run_plain(command.words(bench)).catch(async () => {
				await get_ready(world, command);
				await bench.run_plain(command.words(bench));
			});
		}
		if (!command.is_looking) {
			await bench.is_sound();
			await command.check?.(bench);
		}
		return !is_reached ? 'not_reached' : result.status === 0 ? 'went_on' : is_lost ? 'ended_in_a_library' : 'ended';
	},
}));
