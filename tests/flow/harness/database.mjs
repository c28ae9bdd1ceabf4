// SPDX-License-Identifier: Apache-2.0
// The database beneath an instance, as a test sees it: SQLite's file, or a database of its own in the
// cluster that tools/with-postgres started. Tests look; only grantd writes.
import { spawn } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { run_well } from './process.mjs';

export const driver = process.env.GRANTD_DB ?? 'sqlite';

let made = 0;

// Where instance number n of this process keeps its data: { url } for `grantd init --database`, or nothing.
export async function new_database() {
	if (driver === 'sqlite') return {};
	const socket = process.env.GRANTD_PG_SOCKET;
	if (!socket) throw new Error('GRANTD_DB=postgres needs a cluster: tools/with-postgres tools/node --test …');
	const name = `grantd_${process.pid}_${++made}`;
	await run_well('psql', ['-X', '-q', '-h', socket, '-d', 'postgres', '-c', `CREATE DATABASE ${name}`]);
	return { url: `postgresql:///${name}?host=${socket}`, name, socket, made_at: Date.now() };
}

export async function drop_database(database) {
	if (database.name)
		await run_well('psql', ['-X', '-q', '-h', database.socket, '-d', 'postgres', '-c', `DROP DATABASE IF EXISTS ${database.name} WITH (FORCE)`]);
}

// What another process can do to SQLite: take the lock that writers need. Answers what gives it back.
export async function hold_lock({ dir }) {
	const { DatabaseSync } = await import('node:sqlite');
	const file = new DatabaseSync(path.join(dir, 'grantd.db'), { timeout: 10_000 });
	file.exec('BEGIN IMMEDIATE');
	return () => {
		file.exec('ROLLBACK');
		file.close();
	};
}

// A transaction on PostgreSQL that another process has open: `ask` runs statements in it and answers what they print
// (and 'done'), or throws what they fail with; `end` takes it all back.
export async function open_transaction({ database: { socket, name } }) {
	const session = spawn('psql', ['-X', '-q', '-A', '-t', '-v', 'ON_ERROR_STOP=1', '-h', socket, '-d', name], { stdio: ['pipe', 'pipe', 'pipe'] });
	const ended = new Promise((resolve) => session.on('close', resolve));
	let printed = '', complaint = '';
	session.stdout.on('data', (data) => { printed += data; });
	session.stderr.on('data', (data) => { complaint += data; });
	const ask = async (sql) => {
		printed = '';
		session.stdin.write(`${sql};\n\\echo done\n`);
		while (!printed.endsWith('done\n'))
			await Promise.race([new Promise((resolve) => session.stdout.once('data', resolve)), ended.then(() => { throw new Error(`psql ended: ${complaint}`); })]);
		return printed;
	};
	const end = () => {
		session.stdin.end('ROLLBACK;\n');
		return ended;
	};
	await ask('BEGIN');
	return { ask, end };
}

// Nothing is committed from now on that leaves an event. Answers what lets it go on; grantd waits two seconds for it.
export async function hold_commits(instance) {
	if (driver === 'sqlite') return hold_lock(instance);
	const holder = await open_transaction(instance);
	await holder.ask('LOCK TABLE events IN SHARE MODE');
	return holder.end;
}

async function sqlite_rows(dir, sql) {
	const { DatabaseSync } = await import('node:sqlite');
	const file = new DatabaseSync(path.join(dir, 'grantd.db'), { readOnly: true });
	try {
		const statement = file.prepare(sql);
		statement.setReadBigInts(true);
		return statement.all().map(plain);
	} finally {
		file.close();
	}
}

async function postgres_rows(database, sql) {
	const { stdout } = await run_well('psql', ['-X', '-q', '-A', '-t', '-h', database.socket, '-d', database.name,
		'-c', `SELECT coalesce(json_agg(t), '[]') FROM (${sql}) t`]);
	return JSON.parse(stdout).map(plain);
}

// One shape for both: bytes are "\x…" in hex, numbers are numbers.
function plain(row) {
	const out = {};
	for (const [key, value] of Object.entries(row)) {
		if (value instanceof Uint8Array) out[key] = `\\x${Buffer.from(value).toString('hex')}`;
		else out[key] = typeof value === 'bigint' ? Number(value) : value;
	}
	return out;
}

export function rows(instance, sql) {
	if (instance.read_rows) return instance.read_rows(sql); // the file is where this process cannot open it
	return driver === 'sqlite' ? sqlite_rows(instance.dir, sql) : postgres_rows(instance.database, sql);
}

// The files beneath an instance's database in PostgreSQL, as [name, path], with all of it on the disk: its own folder,
// and what was written of the WAL since it was made. SQLite's files are in the instance's directory.
export async function database_files({ database }) {
	if (!database?.name) return [];
	const ask = async (sql) => (await run_well('psql', ['-X', '-q', '-A', '-t', '-h', database.socket, '-d', database.name, '-c', sql])).stdout.trim();
	await ask('CHECKPOINT');
	const data = await ask('SHOW data_directory');
	const oid = await ask('SELECT oid FROM pg_database WHERE datname = current_database()');
	const below = (folder) => fs.readdirSync(path.join(data, folder), { withFileTypes: true }).filter((entry) => entry.isFile())
		.map((entry) => [path.join('cluster', folder, entry.name), path.join(data, folder, entry.name)]);
	const wal = below('pg_wal').filter(([, file]) => fs.statSync(file, { throwIfNoEntry: false })?.mtimeMs >= database.made_at);
	return [...below(`base/${oid}`), ...wal];
}

const tables_sql = {
	sqlite: "SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite%' ORDER BY name",
	postgres: "SELECT tablename AS name FROM pg_tables WHERE schemaname = 'public' ORDER BY tablename",
};

// Every row of every table at once: a psql for each would cost seconds on a busy machine.
async function postgres_tables(instance, names) {
	const parts = names.map((name) => `'${name}', (SELECT coalesce(json_agg(t), '[]') FROM ${name} t)`);
	const [{ tables }] = await rows(instance, `SELECT json_build_object(${parts.join(', ')}) AS tables`);
	return tables;
}

async function sqlite_tables(instance, names) {
	const tables = {};
	for (const name of names) tables[name] = await rows(instance, `SELECT * FROM ${name}`);
	return tables;
}

// What the jobs do by themselves is no change: marks follow the clock, stops queued before are run meanwhile (`stops`
// sees those that are queued), nodes say that they are there, guesses are counted for all of them, and proofs that
// were used are forgotten once they are over. Nor is it one that somebody who is signed in was seen a minute later.
const of_jobs = ['marks', 'outbox', 'nodes', 'leases', 'throttles', 'spent'];
const is_of_jobs = (name, row) => name === 'events' && /^stop\./.test(row.kind);
const without_sight = (name, row) => (name === 'sessions' ? { ...row, last_seen_at: 0 } : row);

async function tables_of(instance) {
	instance.tables ??= (await rows(instance, tables_sql[driver])).map(({ name }) => name);
	return instance.tables;
}

const read_tables = driver === 'sqlite' ? sqlite_tables : postgres_tables;

// Every row of every table there is.
export async function everything(instance) {
	return read_tables(instance, await tables_of(instance));
}

// What resources have yet to be told (`waiting`: ids; `is_spreading`: one of them will queue others), and how many
// were told or given up.
export async function stops(instance) {
	const found = await rows(instance, `SELECT id, kind FROM outbox UNION ALL
		SELECT id, kind FROM events WHERE kind IN ('stop.done', 'stop.failed')`);
	const waiting = found.filter(({ kind }) => !kind.startsWith('stop.'));
	return { waiting: waiting.map(({ id }) => id), is_spreading: waiting.some(({ kind }) => kind === 'on_stop_client'), over: found.length - waiting.length };
}

// How many were queued between the two: those that wait and did not, and those that came and went meanwhile.
export function stops_queued(before, after) {
	if (before.is_spreading) return 0; // whatever came may be of that
	const gone = before.waiting.filter((id) => !after.waiting.includes(id)).length;
	const come = after.waiting.filter((id) => !before.waiting.includes(id)).length;
	return come + Math.max(0, after.over - before.over - gone);
}

// Every row of every table but those left out, for comparing before and after.
export async function snapshot(instance, { except = [] } = {}) {
	const names = (await tables_of(instance)).filter((name) => !of_jobs.includes(name) && !except.includes(name));
	const tables = await read_tables(instance, names);
	return Object.fromEntries(names.map((name) => [name, tables[name].filter((row) => !is_of_jobs(name, row))
		.map((row) => JSON.stringify(without_sight(name, row))).sort()]));
}
