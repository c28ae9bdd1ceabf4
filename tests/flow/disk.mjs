// SPDX-License-Identifier: Apache-2.0
// A real file system of a few megabytes beneath the database, which the test can fill to its last byte: a tmpfs in a
// mount namespace of its own. Programs that use it are started inside; the test looks in through /proc.
import { spawn } from 'node:child_process';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import readline from 'node:readline';
import { Cluster } from './harness/cluster.mjs';
import { Instance, driver, programs } from './harness/index.mjs';
import { Daemon, run } from './harness/process.mjs';

export class SmallDisk {
	static async make(megabytes) {
		const disk = new SmallDisk();
		disk.place = fs.mkdtempSync(path.join(os.tmpdir(), 'grantd-disk-'));
		const script = `mount -t tmpfs -o size=${megabytes}m,mode=777 tmpfs "$0" && echo mounted && exec sleep infinity`;
		disk.holder = spawn('unshare', ['--mount', 'sh', '-c', script, disk.place], { stdio: ['ignore', 'pipe', 'inherit'] });
		disk.ended = new Promise((resolve) => disk.holder.on('close', resolve));
		const said = await Promise.race([new Promise((resolve) => disk.holder.stdout.once('data', resolve)), disk.ended]);
		if (!/mounted/.test(String(said))) throw new Error('no file system could be mounted');
		disk.seen = `/proc/${disk.holder.pid}/root${disk.place}`; // the same from outside
		disk.inside = ['nsenter', '--mount', '--root', '--wd', `--target=${disk.holder.pid}`]; // root and folder too: ours may be in a chroot
		return disk;
	}

	get filler() { return path.join(this.seen, 'filler'); }

	// To the last byte. Asked again, it takes what was given up meanwhile.
	fill() {
		const fd = fs.openSync(this.filler, 'a');
		for (let size = 1 << 20; size >= 1;) {
			try {
				if (fs.writeSync(fd, Buffer.alloc(size)) < size) size >>= 1;
			} catch (error) {
				if (error.code !== 'ENOSPC') throw error;
				size >>= 1;
			}
		}
		fs.closeSync(fd);
	}

	free() { fs.rmSync(this.filler, { force: true }); }

	async dispose() {
		this.holder.kill('SIGKILL');
		await this.ended;
		fs.rmSync(this.place, { recursive: true, force: true });
	}
}

// SQLite looks through links, and so does not find a file behind /proc: a helper inside reads the rows.
function rows_inside(ends, [file, ...words], dir) {
	const script = `import { rows } from '${import.meta.dirname}/harness/database.mjs';
		import readline from 'node:readline';
		for await (const line of readline.createInterface({ input: process.stdin }))
			console.log(JSON.stringify(await rows({ dir: process.argv[1] }, JSON.parse(line)).catch((error) => ({ error: error.message }))));`;
	const helper = spawn(file, [...words, process.execPath, '--no-warnings', '--input-type=module', '-e', script, dir], { stdio: ['pipe', 'pipe', 'inherit'] });
	const answers = readline.createInterface({ input: helper.stdout })[Symbol.asyncIterator]();
	ends.push(() => new Promise((resolve) => { helper.on('close', resolve); helper.stdin.end(); }));
	return async (sql) => {
		helper.stdin.write(`${JSON.stringify(sql)}\n`);
		const answer = JSON.parse((await answers.next()).value);
		if (answer.error) throw new Error(`${sql}: ${answer.error}`);
		return answer;
	};
}

async function on_sqlite(ends, disk, env) {
	const [file, ...words] = disk.inside;
	const grantd = await Instance.create({ env, init: false });
	ends.push(() => grantd.dispose());
	const dir = path.join(disk.place, 'dir'); // as those inside call it
	grantd.grantd = (args, options) => run(file, [...words, programs.grantd, ...args.map((arg) => (arg === grantd.dir ? dir : arg))], { env: grantd.env, ...options });
	grantd.dir = path.join(disk.seen, 'dir');
	grantd.start = async () => {
		grantd.daemon = new Daemon(file, [...words, programs.grantd, 'serve', '--dir', dir], { env: grantd.env, log_dir: grantd.home, name: 'grantd' });
		await grantd.daemon.says('ready');
	};
	await grantd.init();
	grantd.read_rows = rows_inside(ends, disk.inside, dir);
	return grantd;
}

async function on_postgres(ends, disk, env) {
	const cluster = await Cluster.start({ inside: disk.inside, data: path.join(disk.place, 'data') });
	ends.push(() => cluster.dispose());
	const shared = process.env.GRANTD_PG_SOCKET;
	ends.push(() => { process.env.GRANTD_PG_SOCKET = shared; });
	process.env.GRANTD_PG_SOCKET = cluster.dir; // of this file's own process
	const grantd = await Instance.create({ env });
	ends.push(() => grantd.dispose());
	return grantd;
}

// SQLite: the daemon's directory is the small disk. PostgreSQL: the cluster's data are on it.
export async function instance_on_small_disk(t, { env = {} } = {}) {
	const ends = [];
	t.after(async () => {
		for (const end of ends.reverse()) await end();
	});
	const disk = await SmallDisk.make(driver === 'sqlite' ? 40 : 160);
	ends.push(() => disk.dispose());
	const grantd = await (driver === 'sqlite' ? on_sqlite : on_postgres)(ends, disk, env);
	await grantd.start();
	return { grantd, disk };
}
