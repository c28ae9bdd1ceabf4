// SPDX-License-Identifier: Apache-2.0
// The database beneath an instance, as a test sees it: SQLite's file, or a database of its own in the
// cluster that tools/with-postgres started. Tests look; only grantd writes.
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
	return { url: `postgresql:///${name}?host=${socket}`, name, socket };
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

// Every row of every table but those left out, for comparing before and after. What the jobs do by themselves is no
// change: marks follow the clock, stops queued before are run meanwhile (who queues one leaves an event too), nodes
// say that they are there, and guesses are counted for all of them.
const of_jobs = ['marks', 'outbox', 'nodes', 'leases', 'throttles'];
const is_of_jobs = (name, row) => name === 'events' && /^stop\./.test(row.kind);

export async function snapshot(instance, { except = [] } = {}) {
	instance.tables ??= (await rows(instance, tables_sql[driver])).map(({ name }) => name).filter((name) => !of_jobs.includes(name));
	const names = instance.tables.filter((name) => !except.includes(name));
	const tables = await (driver === 'sqlite' ? sqlite_tables : postgres_tables)(instance, names);
	return Object.fromEntries(names.map((name) => [name, tables[name].filter((row) => !is_of_jobs(name, row)).map((row) => JSON.stringify(row)).sort()]));
}
