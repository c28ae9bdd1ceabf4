// SPDX-License-Identifier: Apache-2.0
// What one person, one agent and one operator do with a daemon in which calls fail: a story that goes on where it was
// refused, and what must hold after it.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { Person, basic, driver, mail_secret } from './harness/index.mjs';
import { create_injected } from './inject.mjs';

const mail = basic('mail-rs', mail_secret);
// pages that wait for their story: a person must have had the time to read
const PAGES = 12;

class Refused extends Error {}

const family_of = (access_token) => JSON.parse(Buffer.from(access_token.split('.')[1], 'base64url')).family_id;

// A page of ours that is an error page: the person looks again.
const is_lost_page = (error) => /^(?:400|403|429|500|503) /.test(error.message);
// The connection was taken away, or there was nobody to take it.
const is_cut = (error) => !(error instanceof assert.AssertionError || error instanceof Refused);
// grantd looks after a second whether there is space again.
const is_full = (error) => /disk is full/.test(error.message), FULL_MS = 1200;

// What one person, one agent and one operator do. Each step may be asked again and then goes on.
const steps = {
	async signs_in(world) {
		const { elsewhere, alice } = world;
		const page = await elsewhere.get('/login?again=1');
		world.right(page, 200, 'the page to sign in');
		const next = await elsewhere.submit(page, page.form_with('password'), { username: alice.username, password: alice.password }, { follow: false });
		world.right(next, 303, 'sign-in');
	},
	async allows(world, story) {
		if (story.times > 1) world.asked = []; // the page may be of a session that is gone
		if (world.asked.length === 0) await world.ask_next();
		if (!story.asked || story.times > 1) story.asked = world.asked.shift();
		const page = await world.alice.decide(story.asked.page, 'allow');
		if (!page.left && /The words of this question changed/.test(page.text)) {
			story.asked = null; // an earlier story changed what this page should say
			world.asked = [];
			throw new Refused('the page is looked at again');
		}
		if (!page.left) world.right(page, 303, 'consent');
		story.code = page.left.searchParams.get('code');
		story.wish = story.asked.wish;
		assert.ok(story.code, page.left.href);
	},
	async redeems(world, story) {
		const answer = await world.agent.redeem(story.code, story.wish);
		// a code whose answer was lost is spent all the same
		if (answer.status === 400 && story.times > 0) {
			story.is_over = true;
			return;
		}
		story.tokens = world.right(answer, 200, 'code').body;
	},
	async rotates_the_keys(world) {
		await world.operate('keys', 'rotate', '--purpose', 'access', '--compromised'); // what was signed before is not believed from here on
	},
	async refreshes(world, story) {
		story.tokens = world.right(await world.agent.refresh(story.tokens.refresh_token), 200, 'refresh').body;
	},
	async is_looked_at(world, story) {
		const { active } = world.right(await world.look_at(story), 200, 'introspection').body;
		if (!active && world.is_believed) throw new Refused('the token is said not to stand');
		assert.equal(active, true, 'a token that stands is said not to');
	},
	async is_operated(world) {
		const { acknowledged } = world;
		const wanted = acknowledged.bob === 'active' ? 'disable' : 'enable';
		await world.operate('user', wanted, 'bob');
		acknowledged.bob = wanted === 'enable' ? 'active' : 'disabled';
		await world.operate('grant', 'list', '--json');
	},
	async is_set_up_anew(world) {
		await world.operate('resource', 'add', world.resource);
		await world.operate('reload');
	},
	async is_backed_up(world) {
		const file = path.join(world.grantd.dir, 'backups', `copy-${++world.copies}`);
		await world.operate('backup', file);
		for (const copy of [file, `${file}.keys`]) fs.rmSync(copy); // both are there
	},
	async revokes(world, story) {
		world.right(await world.agent.revoke(story.tokens.refresh_token), 200, 'revocation');
		world.acknowledged.ended.add(family_of(story.tokens.access_token));
	},
	async is_dead(world, story) {
		assert.deepEqual(world.right(await world.look_at(story), 200, 'introspection').body, { active: false });
		assert.equal((await world.agent.refresh(story.tokens.refresh_token)).status === 200, false, 'a revoked token was refreshed');
	},
	// The resource is told by a command; a refused one is tried again far too late for a story, so that this only waits
	// for the first try. That the end is not forgotten, the rows say.
	async is_told(world) {
		const before = world.told_times();
		for (let i = 0; i < 60 && world.told_times() === before; i++) await sleep(5);
	},
	async asks_for_the_next(world) {
		while (world.asked.length < PAGES) await world.ask_next();
	},
};

const lived = ['allows', 'redeems'], ended = ['refreshes', 'is_looked_at', 'revokes', 'is_dead'], last = 'asks_for_the_next';
// A site is met in the first of these that reaches it, so the short one comes first.
export const stories = {
	'a story': [...lived, ...ended, last],
	'a story that begins with a sign-in': ['signs_in', ...lived, ...ended, last],
	'a story of an operator': [...lived, 'refreshes', 'is_looked_at', 'is_operated', 'revokes', 'is_dead', last],
	'a story whose end the resource is told': [...lived, ...ended, 'is_told', last],
	'a rotation of keys': [...lived, 'rotates_the_keys', ...ended, last],
	'a reload': [...lived, 'is_set_up_anew', ...ended, last],
	// PostgreSQL has tools of its own
	...(driver === 'sqlite' ? { 'a backup': [...lived, 'is_backed_up', ...ended, last] } : {}),
	'all': ['signs_in', ...lived, 'refreshes', 'is_looked_at', 'is_operated', 'revokes', 'is_dead', last],
};

// Of all that was written: what may not be there.
const none_of = {
	'a grant without its event': "SELECT id FROM grants g WHERE NOT EXISTS (SELECT 1 FROM events e WHERE e.grant_id = g.id AND e.kind = 'grant.allowed')",
	'a grant without permissions': 'SELECT id FROM grants g WHERE NOT EXISTS (SELECT 1 FROM permissions p WHERE p.grant_id = g.id)',
	'a family without its event': "SELECT id FROM families f WHERE NOT EXISTS (SELECT 1 FROM events e WHERE e.family_id = f.id AND e.kind = 'token.issued')",
	'a family that ended without an event': "SELECT id FROM families f WHERE revoked_at IS NOT NULL AND NOT EXISTS (SELECT 1 FROM events e WHERE e.family_id = f.id AND e.kind = 'family.ended')",
	// each resource of the story has an on_stop
	'an end that nobody will be told': `SELECT g.id FROM grants g WHERE
		(SELECT count(*) FROM families f WHERE f.grant_id = g.id AND f.revoked_at IS NOT NULL)
		> (SELECT count(*) FROM outbox o WHERE o.kind = 'on_stop' AND o.payload LIKE '%' || g.id || '%')
		+ (SELECT count(*) FROM events e WHERE e.kind = 'stop.done' AND e.grant_id = g.id)`,
	'an event of a family that is not there': "SELECT id FROM events e WHERE kind = 'token.issued' AND family_id IS NOT NULL AND NOT EXISTS (SELECT 1 FROM families f WHERE f.id = e.family_id)",
	'an event of a grant that is not there': "SELECT id FROM events e WHERE kind = 'grant.allowed' AND NOT EXISTS (SELECT 1 FROM grants g WHERE g.id = e.grant_id)",
	'a code that is spent and gave no family': "SELECT id FROM requests WHERE spent_at IS NOT NULL AND state = 'used' AND family_id IS NULL",
	// those of the beginning were not rotated
	'a key without its event': "SELECT id FROM keys k WHERE created_at > (SELECT min(at) FROM events WHERE kind = 'user.created') AND NOT EXISTS (SELECT 1 FROM events e WHERE e.kind LIKE 'keys.%' AND e.details LIKE '%' || k.id || '%')",
};
// one question for all: in PostgreSQL each is a process of its own
const asked_of_rows = [
	...Object.entries(none_of).map(([what, sql]) => `SELECT '${what}' AS what, id FROM (${sql}) t`),
	"SELECT 'told' AS what, id FROM events WHERE kind = 'stop.done'",
	"SELECT 'alive' AS what, id FROM families WHERE revoked_at IS NULL",
	"SELECT 'bob' AS what, CASE WHEN disabled_at IS NULL THEN 'active' ELSE 'disabled' END AS id FROM users WHERE username = 'bob'",
].join(' UNION ALL ');

// A daemon with its people, and what they were told.
export class World {
	// is_noting: its calls are written down from the beginning, which makes it slow.
	static async create(library, { is_noting = false } = {}) {
		const world = new World();
		const grantd = world.grantd = await create_injected(library);
		Object.assign(world, { asked: [], copies: 0, is_believed: false, acknowledged: { ended: new Set(), bob: 'active' } });
		if (!is_noting) grantd.board.disarm();
		await grantd.start();
		world.told = path.join(grantd.home, 'told');
		await grantd.add_resource({ on_stop: ['/bin/sh', '-c', `echo >> ${world.told}`] });
		world.resource = path.join(grantd.home, 'mail.json');
		world.alice = await grantd.add_person('alice');
		world.agent = await grantd.add_agent();
		await grantd.add_person('bob');
		await world.alice.sign_in();
		world.elsewhere = new Person(grantd, world.alice);
		fs.mkdirSync(path.join(grantd.dir, 'backups'), { recursive: true });
		await world.tell();
		return world;
	}

	// how often the resource's command ran to its end
	told_times() { return fs.existsSync(this.told) ? fs.statSync(this.told).size : 0; }

	async dispose() {
		await this.bench?.dispose();
		await this.grantd.dispose();
	}

	// An answer is right, or says that we failed. What OpenSSL or libsodium say of a key, a signature or a password is
	// believed, so there a sound one may be refused as a wrong one is.
	right(answer, status, what) {
		if (answer.status === status) return answer;
		const text = answer.text ?? answer.html ?? '';
		assert.ok([500, 503, ...(this.is_believed ? [400, 401, 403] : [])].includes(answer.status), `${what}: ${answer.status} ${text.slice(0, 300)}`);
		if (answer.status === 503) assert.match(answer.headers.get('retry-after') ?? '', /^[1-9]\d*$/, what);
		throw new Refused(`${what}: ${answer.status} ${text.slice(0, 200)}`);
	}

	look_at({ tokens }) {
		return this.agent.post('/introspect', { token: tokens.access_token }, { auth: false, headers: { authorization: mail } });
	}

	async operate(...words) {
		const { status, signal, stderr } = await this.grantd.grantctl(words);
		if (status !== 0) throw new Refused(`grantctl ${words.join(' ')}: ${signal ?? status} ${stderr}`);
	}

	async ask_next() {
		const wish = this.agent.authorization({ scope: 'mail.read' });
		const page = await this.alice.open(wish.url);
		assert.ok(page.form_with('decision'), `${page.status} ${page.text.slice(0, 200)}`);
		this.asked.push({ wish, page });
	}

	// Tells the story. What was refused on the way goes to `told`; throws where the rules are broken.
	async tell(name = 'all', story = {}, told = []) {
		for (const step of stories[name]) {
			if (story.is_over && step !== last) continue;
			for (let times = 0; ; times++) {
				story.times = times;
				try {
					await steps[step](this, story);
					break;
				} catch (error) {
					if (error instanceof assert.AssertionError && !/no such form|sign-in was refused|armed/.test(error.message) && !is_lost_page(error)) throw error;
					told.push(`${step}: ${error.message}`);
					if (times === 4) throw new Error(`${step} does not go on: ${told.join('\n')}`, { cause: error });
					await this.rise(story, error);
				}
			}
		}
	}

	// If it has ended, that was its own decision, and it starts again as if nothing had been.
	async rise(story, error) {
		const { daemon } = this.grantd;
		if (daemon.is_running) await Promise.race([daemon.ended, sleep(is_cut(error) ? 80 : is_full(error) ? FULL_MS : 20)]);
		if (daemon.is_running) return;
		this.grantd.check_end('grantd');
		story.ends = (story.ends ?? 0) + 1;
		assert.ok(story.ends < 3, 'it ends again and again');
		this.grantd.board.disarm();
		await this.grantd.start();
	}

	// What was acknowledged holds, and nothing is half there.
	async check_rows() {
		const found = Object.groupBy(await this.grantd.rows(asked_of_rows), ({ what }) => what);
		for (const what of Object.keys(none_of)) assert.deepEqual(found[what] ?? [], []);
		const done = found.told?.length ?? 0, told = this.told_times();
		assert.ok(done <= told, `${done} ends are noted as told, and ${told} were`);
		for (const { id } of found.alive ?? []) assert.ok(!this.acknowledged.ended.has(id), `${id} was revoked, and lives`);
		assert.equal(found.bob[0].id, this.acknowledged.bob);
	}

	// Once in a while: the whole file is read.
	async check_file() {
		if (driver === 'sqlite') assert.deepEqual(await this.grantd.rows('PRAGMA integrity_check'), [{ integrity_check: 'ok' }]);
	}

	// What the last failure left in it may be an answer with an error, but no lost way.
	async end_well() {
		const { daemon } = this.grantd;
		if (!daemon.is_running) return;
		daemon.kill('SIGTERM');
		const { signal, status } = await daemon.ended;
		assert.ok(status === 0, `grantd ended by ${signal ?? status} when it was told to: ${daemon.stderr}`);
	}
}
