// SPDX-License-Identifier: Apache-2.0
// Every call that may fail does, once: malloc, SQLite, libpq, OpenSSL, libsodium, sockets, files, processes and
// threads, each at every place from which a story reaches it, in a start, in the daemon (with keyd and errands), and in
// the commands of an operator. After each: the program has ended by its own word or answered by its table, what was
// acknowledged holds, nothing is half there, and the story goes on. SITES bounds how many are tried (a sample, spread
// over all kinds), KINDS which kinds ("SQLite,send"), WHERE from where ("in a start"), SITE names one by its number,
// MINUTES how long, BESIDE how many daemons at a time; `make soak` tries all.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { choose_build, is_library_lost } from './inject.mjs';
import { commands } from './inject_commands.mjs';
import { World, stories } from './inject_story.mjs';

const kinds = process.env.KINDS?.split(','), only = process.env.SITE?.split(',');
const most = Number(process.env.SITES ?? 16), ends_at = Date.now() + Number(process.env.MINUTES ?? 1000) * 60_000;
const beside = Number(process.env.BESIDE ?? 1);
// what a world has written is looked at whole after each site, so a new one begins after so many
const SITES_OF_A_WORLD = 100;
const a_story = 'a story';

const library = choose_build();
let first;
before(async () => { first = await World.create(library, { is_noting: true }); });
after(() => first.dispose());

// Each n-th of the list, so that every kind has its share.
function sample(sites, count) {
	const by_kind = Object.groupBy(sites, ({ kind }) => kind);
	return Object.values(by_kind).flatMap((list) => {
		const share = Math.max(1, Math.round((count * list.length) / sites.length));
		return list.filter((unused, index) => Math.floor((index * share) / list.length) !== Math.floor(((index - 1) * share) / list.length));
	});
}

const count_of = (sites) => Object.entries(Object.groupBy(sites, ({ kind }) => kind)).map(([kind, list]) => `${list.length} ${kind}`).sort().join(', ');

// The start was ready, and may have ended right after.
async function is_served({ grantd }) {
	const answer = await grantd.fetch(`${grantd.issuer}/jwks.json`).catch(() => null);
	if (answer) await answer.text();
	if (answer?.status !== 200) await Promise.race([grantd.daemon.ended, sleep(1000)]);
	return answer?.status === 200 && grantd.daemon.is_running;
}

// What a start that met a failure came to: ready all the same, health only, or an end with a reason. The next start
// needs none in between: if this one left something that keeps it from starting, it says so there.
async function start_meets(world, site) {
	const { grantd } = world;
	await world.end_well();
	grantd.board.arm(site);
	let how = await grantd.try_start();
	const was_ready = how === 'ready' && await is_served(world); // what failed may be its first answer
	const is_reached = !grantd.board.is_armed;
	grantd.board.disarm();
	if (how === 'ready' && !was_ready && !grantd.daemon.is_running) how = 'ended';
	if (how === 'ended' && is_reached && is_library_lost(site)) return 'ended_in_a_library';
	if (how === 'ended') grantd.check_end('the start');
	else if (how === 'health') await grantd.stop();
	else assert.ok(await is_served(world), 'it is ready and does not answer');
	assert.ok(is_reached || how === 'ready', `nothing failed, and the start came to this: ${how} ${grantd.daemon.stderr}`);
	return is_reached ? how : 'not_reached';
}

async function story_meets(name, world, site, told) {
	const story = {};
	if (site.again) await world.end_well(); // it may be passed only by a thread, or on a connection, that is new
	if (!world.grantd.daemon.is_running) await world.grantd.start();
	world.is_believed = ['OpenSSL', 'libsodium'].includes(site.kind);
	world.grantd.board.arm(site);
	await world.tell(name, story, told);
	const is_reached = !world.grantd.board.is_armed || story.ends > 0;
	world.grantd.board.disarm();
	return !is_reached ? 'not_reached' : story.ends ? 'ended' : told.length ? 'refused' : 'went_on';
}

async function first_story_meets(world, site, told) {
	await world.end_well();
	world.grantd.board.disarm();
	return story_meets('all', world, site, told);
}

const less = (sites, others) => {
	const ids = new Set(others.map(({ id }) => id));
	return sites.filter(({ id }) => !ids.has(id));
};

// The sites that are passed while that is done.
async function passed(world, act) {
	world.grantd.board.note();
	await act();
	return world.grantd.board.sites();
}

// Where calls are reached from: in a start, in every story, in the first one after a start only, in what an operator
// does in between, or in a command that needs no daemon.
async function find_sites(world) {
	const found = [], others = Object.keys(stories).filter((name) => ![a_story, 'all'].includes(name));
	const tell = async (name, times) => { for (let i = 0; i < times; i++) await world.tell(name); };
	const new_ones = (sites) => found.reduce((left, [, sites]) => less(left, sites), sites);
	const began = await passed(world, async () => {
		await world.end_well();
		await world.grantd.start();
	});
	const early = await passed(world, () => tell('all', 2));
	found.push([`in ${a_story}`, await passed(world, () => tell(a_story, 2)), (...args) => story_meets(a_story, ...args)]);
	for (const name of others) {
		const sites = new_ones(await passed(world, () => tell(name, 2)));
		found.push([`in ${name}`, sites, (...args) => story_meets(name, ...args)]);
	}
	found.push(['in a start', new_ones(began), start_meets]);
	found.push(['in the first story after it', new_ones(early), first_story_meets]);
	for (const { name, note, meets } of commands) found.push([`in ${name}`, new_ones(await passed(world, () => note(world))), meets]);
	return found;
}

const failures = [], held = {}, unreached = [];
let tried = 0;

const words_for = (where, { id, kind, name, library, frame }) => `${kind} ${name} of ${library} at 0x${frame.toString(16)}, ${where} (site ${id})`;

async function try_site(world, [where, , meets], site) {
	const told = [];
	try {
		const how = await meets(world, site, told);
		await world.check_rows();
		if (how === 'not_reached' && !site.again) unreached.push([[where, [], meets], { ...site, again: true }]);
		else {
			held[how] = (held[how] ?? 0) + 1;
			tried++;
			if (how === 'not_reached') console.log(`not reached: ${words_for(where, site)}`);
		}
		return true;
	} catch (error) {
		tried++;
		failures.push(`${words_for(where, site)}: ${error.stack}\n${told.join('\n')}`);
		console.log(failures.at(-1));
		return false;
	} finally {
		if (tried % 200 === 0) console.log(`${tried} tried: ${JSON.stringify(held)}`);
	}
}

// The queue's sites one after another in worlds of its own; after a failure of ours in a new one, on sound ground.
async function work(queue) {
	while (queue.length > 0 && Date.now() < ends_at && failures.length < 100) {
		const world = beside === 1 && most < SITES_OF_A_WORLD ? first : await World.create(library);
		if (!world.grantd.daemon.is_running) await world.grantd.start(); // a sample's one world, in its second round
		let is_sound = true;
		for (let i = 0; i < SITES_OF_A_WORLD && is_sound && queue.length > 0 && Date.now() < ends_at; i++) is_sound = await try_site(world, ...queue.shift());
		try {
			if (is_sound) {
				if (!world.grantd.daemon.is_running) await world.grantd.start();
				await world.tell();
				await world.check_rows();
				await world.check_file();
			}
		} finally {
			world.grantd.daemon.kill('SIGKILL');
			await world.grantd.daemon.ended;
			if (world !== first) await world.dispose();
		}
		if (world === first && !is_sound) return; // a sample has one world
	}
}

test('FT-005: each call that may fail fails once, and what was acknowledged holds', { timeout: 14_400_000 }, async () => {
	const found = await find_sites(first), queue = [], all = found.flatMap(([, sites]) => sites);
	await first.check_rows();
	for (const part of found) {
		const [where, sites] = part;
		const wanted = sites.filter(({ id, kind }) => where.includes(process.env.WHERE ?? '') && (!kinds || kinds.includes(kind)) && (!only || only.includes(String(id))));
		// a start is most of the places and least of the danger
		const chosen = most < all.length ? sample(wanted, Math.round(most * (where === `in ${a_story}` ? 0.6 : 0.4 * sites.length / all.length))) : wanted;
		queue.push(...chosen.map((site) => [part, site]));
		console.log(`${where}: ${chosen.length} of ${sites.length} sites (${count_of(sites)})`);
	}
	const count = queue.length;
	for (let round = 0; round < 2; round++) {
		await Promise.all(Array.from({ length: beside }, () => work(queue)));
		queue.push(...unreached.splice(0));
	}
	console.log(`${tried} sites, ${tried - failures.length} held: ${JSON.stringify(held)}; of ${all.length} (${count_of(all)})`);
	assert.deepEqual(failures, []);
	// a sample may end by the clock, the whole count may not
	assert.ok(tried === count || (process.env.SUITE !== 'soak' && Date.now() >= ends_at), `${tried} of ${count} were tried`);
	assert.ok((held.not_reached ?? 0) < tried / 4, `too many are not reached: ${JSON.stringify(held)}`);
});
