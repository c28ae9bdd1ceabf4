// SPDX-License-Identifier: Apache-2.0
// What must never be written down or told: a canary in every parameter and header of every endpoint, with the log
// at its most talkative, and answers when the database is broken. Rows LO and AD of tests/rows.
import assert from 'node:assert/strict';
import crypto from 'node:crypto';
import fs from 'node:fs';
import path from 'node:path';
import { after, before, test } from 'node:test';
import { Instance, driver, run_well } from './harness/index.mjs';
import { fields, foreign_fields, furnish, makers, members, name_of, parameters, routes, secret_parameters, send, stale } from './surface.mjs';

// Parameters that the database keeps because that is what they are for. None of them is ever in the log.
const kept = new Set(['state', 'nonce', 'login_hint', 'ui_locales', 'username', 'name', 'client_id']);

let grantd, world;
before(async () => {
	grantd = await Instance.start(null, { env: { GRANTD_LOG_LEVEL: 'debug', GRANTD_DEVICE_FLOW: 'on' } });
	world = await furnish(grantd);
});
after(() => grantd.dispose());

// canary => where it was put
const places = new Map();
const answers = [];
function canary(route, kind, name) {
	const text = `canary${crypto.randomBytes(10).toString('hex')}`;
	places.set(text, { route: name_of(route), kind, name });
	return text;
}

const set = (pairs, name, value) => [...(pairs ?? []).filter(([one]) => one !== name), [name, value]];

// Fields that decide by themselves whether a request gets any further; all others come in one request.
const deciding = ['authorization', 'cookie', 'origin', 'sec-fetch-site', 'x-forwarded-proto'];
const others = [...fields.filter((name) => !deciding.includes(name)), ...foreign_fields];

function* in_parameters(route, wish) {
	const put = (kind, name) => ({ ...wish, [kind]: set(wish[kind], name, canary(route, kind, name)) });
	const names = parameters[route.room];
	if (route.is_json) for (const name of members.filter((one) => one in wish.json)) yield { ...wish, json: { ...wish.json, [name]: canary(route, 'json', name) } };
	else if (route.is_form) for (const name of new Set([...names, ...wish.form.map(([one]) => one)])) yield put('form', name);
	// a page that reads nothing of the kind gets them all at once
	for (const [name] of wish.query ?? []) yield put('query', name);
	if (route.room === 'admin' || !route.is_form) for (const name of route.room === 'admin' ? names : []) yield put('query', name);
	yield { ...wish, query: [...(wish.query ?? []), ...names.map((name) => [name, canary(route, 'query', name)])] };
}

// Sound requests, each with a canary in one of the places that the request has.
function* variants(route, wish) {
	const header = (name, value = canary(route, 'header', name)) => ({ ...wish, headers: set(wish.headers, name, value) });
	const secret = () => canary(route, 'header', 'authorization');
	yield* in_parameters(route, wish);
	if (route.is_form || route.is_json) {
		yield { ...wish, raw: canary(route, 'raw', 'body') };
		yield { ...wish, raw: `{"${canary(route, 'raw', 'body')}":` };
		yield header('content-type', `text/${canary(route, 'header', 'content-type')}`);
	}
	for (const name of deciding) yield header(name);
	for (const value of [`Basic ${secret()}`, `Bearer ${secret()}`, `DPoP ${secret()}`, `Basic ${Buffer.from(`${secret()}:${secret()}`).toString('base64')}`]) yield header('authorization', value);
	yield header('cookie', ['session', 'browser', 'other'].map((name) => `__Host-grantd-${name}=${canary(route, 'header', 'cookie')}`).join('; '));
	yield { ...wish, headers: others.map((name) => [name, canary(route, 'header', name)]) };
}

// LO-002: the same secrets as bytes that are no text
function* as_bytes(route, wish) {
	if (!route.is_form) return;
	for (const name of secret_parameters.filter((one) => parameters[route.room].includes(one)))
		for (const mark of ['%FF', '%00', '%ED%A0%80'])
			yield { ...wish, raw: `${new URLSearchParams((wish.form ?? []).filter(([one]) => one !== name))}&${name}=${mark}${canary(route, 'bytes', name)}${mark}` };
}

async function side_by_side(list, work, width = 12) {
	const rest = list[Symbol.iterator]();
	await Promise.all(Array.from({ length: width }, async () => {
		for (let next = rest.next(); !next.done; next = rest.next()) await work(next.value);
	}));
}

test('every route of the sources is known here, and no other', () => {
	assert.ok(routes.length >= 60, `${routes.length} routes`);
	for (const route of routes) makers(route);
	assert.deepEqual(stale(), []);
	for (const [room, names] of Object.entries({ oauth: ['code_verifier', 'client_secret'], web: ['password', 'csrf'], admin: ['after', 'limit'] }))
		for (const name of names) assert.ok(parameters[room].includes(name), `${room} reads ${name}`);
	for (const name of ['client_secret', 'password', 'redirect_uris']) assert.ok(members.includes(name), name);
	for (const name of ['authorization', 'user-agent', 'accept-language', 'origin', 'x-forwarded-for']) assert.ok(fields.includes(name), name);
});

test('a sound request of each route is answered', async () => {
	// what ends a session or takes things away comes last
	const is_end = (route) => /logout|revoke$|disable|DELETE/.test(name_of(route));
	for (const route of [...routes.filter((one) => !is_end(one)), ...routes.filter((one) => is_end(one) && one.path !== '/logout')])
		for (const make of makers(route)) {
			const { status, text } = await send(world, route, await make(world));
			// PostgreSQL has a tool of its own for that, and the answer names it
			const is_backup = driver === 'postgres' && route.path === '/v1/backup' && /pg_dump/.test(text);
			assert.ok(status < 400 || is_backup || (status === 400 && /invalid_grant|access_denied|authorization_pending|html/.test(text)), `${name_of(route)}: ${status} ${text.slice(0, 200)}`);
		}
});

const canaries = (text) => [...text.matchAll(/canary[0-9a-f]{20}/g)].map(([one]) => one);

// All that was written anywhere, and every row as text: PostgreSQL may have compressed it in its files.
async function written() {
	const found = new Map((await grantd.files_written()).map(([name, file]) => [name, fs.readFileSync(file, 'latin1')]));
	const text = JSON.stringify(await grantd.everything());
	found.set('dir/grantd.db: rows', text + text.replaceAll(/\\\\x([0-9a-f]+)/g, (all, hex) => Buffer.from(hex, 'hex').toString('latin1')));
	return found;
}

test('LO-001, LO-002: a secret in any parameter or header of any endpoint is written nowhere', async () => {
	const jobs = [];
	for (const route of routes)
		for (const make of makers(route)) {
			const wish = await make(world);
			for (const variant of [...variants(route, wish), ...as_bytes(route, wish)]) jobs.push([route, variant]);
		}
	await side_by_side(jobs, async ([route, wish]) => answers.push({ route, ...await send(world, route, wish) }));
	assert.ok(places.size > 2000, `${places.size} places`);
	for (const name of secret_parameters) assert.ok(!kept.has(name), name);
	const found = [], read = await written();
	for (const name of ['base', 'pg_wal']) assert.equal([...read.keys()].some((file) => file.startsWith(`cluster/${name}/`)), driver === 'postgres', name);
	for (const [file, text] of read)
		for (const one of canaries(text)) {
			const { route, kind, name } = places.get(one);
			if (!/^dir\/grantd\.db|^dir\/backups\/backup\d|^cluster\//.test(file) || !kept.has(name)) found.push(`${file}: ${kind} ${name} of ${route}`);
		}
	assert.deepEqual(found, []);
});

test('LO-001: no error answer repeats what was sent, but to who typed a name', () => {
	const found = answers.filter(({ status }) => status >= 400).flatMap(({ route, status, text, headers }) => canaries(text + headers)
		.map((one) => places.get(one)).filter(({ kind, name }) => !(route.path === '/login' && name === 'username') && !(route.room === 'admin' && kind === 'json' && !secret_parameters.includes(name)))
		.map(({ kind, name }) => `${status} of ${name_of(route)}: ${kind} ${name}`));
	assert.deepEqual(found, []);
});

test('LO-001: what the health listener shows has nothing of it', async () => {
	for (const route of routes.filter(({ listener }) => listener === 'ops')) {
		const { status, text } = await send(world, route, {});
		assert.equal(status, 200, name_of(route));
		assert.deepEqual(canaries(text), []);
	}
});

const no_words = [/\b(?:select|insert into|update \w+ set|delete from|drop table|pragma|savepoint)\b/i, /\b(?:sqlite|postgres|libpq|sqlstate|psql|openssl|libsodium)/i, /no such (?:table|column)|relation "|syntax error at/i,
	/\.[ch]:\d+/, /0x[0-9a-f]{6,}/i, /(?:^|[\s"'(=])\/(?:tmp|usr|home|var|etc|root|proc|work|dev)\//, /backtrace|stack trace|assertion failed|core dumped/i];

// Random words may spell anything: one request in a million has an id that begins with "psql".
const random_words = /\b(?:[a-z2-7]{26}|[\w-]{43})(?![\w-])/g;

function says_too_much({ text, headers }) {
	const all = text.replaceAll(grantd.issuer, '') + headers;
	const words = [grantd.home, grantd.database.name, world.robot.client_secret, world.poster.client_secret, world.tokens.access_token, world.tokens.refresh_token,
		fs.readFileSync(path.join(grantd.dir, 'root.key'), 'latin1').trim()].filter(Boolean);
	const said = all.replaceAll(random_words, '…');
	return [...no_words.map((word) => word.exec(said)?.[0]).filter(Boolean), ...words.filter((word) => all.includes(word))];
}

async function drop_tables() {
	const names = ['grants', 'families', 'users', 'sessions', 'clients', 'requests', 'events', 'permissions', 'user_keys'];
	if (driver === 'postgres') {
		await run_well('psql', ['-X', '-q', '-h', grantd.database.socket, '-d', grantd.database.name, '-c', names.map((name) => `DROP TABLE ${name} CASCADE`).join('; ')]);
		return;
	}
	const { DatabaseSync } = await import('node:sqlite');
	const file = new DatabaseSync(path.join(grantd.dir, 'grantd.db'), { enableForeignKeyConstraints: false });
	for (const name of names) file.exec(`DROP TABLE ${name}`);
	file.close();
}

test('LO-005: no error answer of any endpoint has a path, SQL or a secret, not with a broken database either', async () => {
	const wishes = [];
	await world.alice.sign_in();
	for (const route of routes) for (const make of makers(route)) wishes.push([route, await make(world)]);
	// who makes a backup is told of the file that they named, or of the tool that makes it
	const tell = (all) => all.filter(({ route }) => route.path !== '/v1/backup').flatMap(tell_one);
	const tell_one = (answer) => says_too_much(answer).map((word) => `${answer.status} of ${name_of(answer.route)}: ${word}: ${answer.text.slice(0, 300)}`);
	assert.deepEqual(tell(answers.filter(({ status }) => status >= 400)), []);
	await drop_tables();
	const broken = [];
	for (const [route, wish] of wishes) broken.push({ route, ...await send(world, route, wish) });
	assert.ok(broken.filter(({ status }) => status >= 500).length > 20, 'the database is broken');
	assert.deepEqual(tell(broken.filter(({ status }) => status >= 400)), []);
	assert.ok(grantd.daemon.is_running);
});

test('AD-008: no route of any listener gives away a private key', async () => {
	const secret = fs.readFileSync(path.join(grantd.dir, 'root.key'), 'latin1').trim();
	for (const { route, text } of answers)
		assert.ok(!text.includes('PRIVATE KEY') && !/"(?:d|p|q|dp|dq|qi|k)":/.test(text) && !text.includes(secret), name_of(route));
	for (const [listener, room] of [['admin', 'admin'], ['public', 'oauth'], ['ops', 'grantd']])
		for (const at of ['keys/export', 'keys/private', 'keys/access/private', 'keys/root', 'root', 'root.key', 'export', 'backup/keys', 'seal/open'])
			for (const method of ['GET', 'POST', 'PUT'])
				for (const start of ['/v1/', '/']) {
					const { status } = await send(world, { listener, room, method, path: start + at }, {});
					assert.ok([404, 405].includes(status), `${listener}: ${method} ${start}${at}: ${status}`);
				}
});

test('AD-009: a password is taken neither from the words of a command nor from the environment', async (t) => {
	const fresh = await Instance.create({ init: false });
	t.after(() => fresh.dispose());
	const url = 'postgresql://grantd:hunter2@127.0.0.1/grantd';
	const by_word = await fresh.grantd(['init', '--dir', fresh.dir, '--issuer', fresh.issuer, '--database', url]);
	assert.notEqual(by_word.status, 0, by_word.stderr);
	const by_environment = await fresh.grantd(['init', '--dir', fresh.dir, '--issuer', fresh.issuer], { env: { ...fresh.env, GRANTD_DATABASE: url } });
	assert.notEqual(by_environment.status, 0, by_environment.stderr);
	for (const { stderr, stdout } of [by_word, by_environment]) {
		assert.match(stderr, /password/);
		assert.ok(!(stderr + stdout).includes('hunter2'));
	}
	assert.deepEqual(await fresh.files_with(['hunter2']), []);
});
