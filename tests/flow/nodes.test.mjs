// SPDX-License-Identifier: Apache-2.0
// Several grantd on one PostgreSQL: what is single holds over all of them, what one ends is ended at the others, and
// one that dies or is cut off takes nothing with it. SQLite has one node: there a second one is refused. SUITE=soak
// runs more of everything.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import { after, before, test } from 'node:test';
import { MovedInstance } from './clock.mjs';
import { ask as open_at, event_kinds, granted, refused, until } from './expect.mjs';
import { Cluster, CommitProxy } from './harness/cluster.mjs';
import { Agent, Instance, claims, driver, mail_secret, open_transaction, programs, run } from './harness/index.mjs';
import { lines } from './lines.mjs';

const is_soak = process.env.SUITE === 'soak';
const read = { scope: ['mail.read'] };
const sleep = (ms) => new Promise((resolve) => setTimeout(resolve, ms));
const count = (list, value) => list.filter((one) => one === value).length;

let first, second, proxy; // two nodes; the second reaches the database through the proxy
let alice, agent;

async function start_second() {
	second = await Instance.beside(null, first);
	proxy = await CommitProxy.start(first.database.socket);
	second.env.GRANTD_DATABASE = first.database.url.replace(first.database.socket, proxy.dir);
	await second.start();
}

before(async () => {
	first = await Instance.start(null, { env: { GRANTD_DEVICE_FLOW: 'on' } });
	await first.add_resource();
	alice = await first.add_person('alice');
	agent = await first.add_agent();
	if (driver === 'postgres') await start_second();
});
after(async () => {
	await second?.dispose();
	await proxy?.dispose();
	await first.dispose();
});

// Another daemon on the file that one has open: refused before it has read or written anything.
async function second_is_refused() {
	const dir = fs.mkdtempSync(path.join(first.home, 'second-'));
	for (const name of ['tls', 'root.key', 'resources', 'mail-rs.secret']) fs.cpSync(path.join(first.dir, name), path.join(dir, name), { recursive: true });
	fs.writeFileSync(path.join(dir, 'grantd.conf'), `issuer = ${first.issuer}\ndatabase = sqlite:${first.dir}/grantd.db\n`, { mode: 0o600 });
	const env = { ...first.env, GRANTD_LISTEN: `127.0.0.1:${first.port + 4}`, GRANTD_OPS_LISTEN: '' };
	await first.unchanged(async () => {
		const refusal = await run(programs.grantd, ['serve', '--dir', dir], { env, timeout: 30_000 });
		assert.equal(refusal.status, 1, refusal.stderr);
		assert.match(refusal.stderr, /^grantd serve: another grantd \(pid \d+\) uses this database; stop it first/);
	}, { except: [] });
	assert.ok(first.daemon.is_running);
}

if (driver === 'sqlite') test('on SQLite only: a second grantd is refused', second_is_refused);

// A case of two nodes: SQLite has none (tools/results.mjs knows the title).
function case_of_two(title, body, options = {}) {
	if (driver === 'postgres') test(`on PostgreSQL only: ${title}`, options, body);
}

const by_turns = (index) => (index % 2 ? second : first);

case_of_two('a pushed request is one browser\u2019s, whichever node it is pushed to, opened at and answered at', async () => {
	for (let round = 0; round < 6; round++) {
		const wish = await agent.at(by_turns(round)).push();
		assert.equal(wish.answer.status, 201, wish.answer.text);
		const answers = await Promise.all(Array.from({ length: 8 }, (_, i) => open_at(by_turns(i), wish.url)));
		assert.deepEqual([count(answers.map((answer) => answer.status), 303), count(answers.map((answer) => answer.status), 400)], [1, 7]);
	}
	const wish = await agent.at(second).push();
	const { code } = await alice.allow(wish.url, read);
	granted(await agent.at(second).redeem(code, wish));
});

case_of_two('TK-013: 64 redemptions of one code at once over two nodes have one winner, and the winner lives on both', async () => {
	const wish = agent.authorization();
	const { code } = await alice.allow(wish.url, read);
	const line = lines(64, agent, by_turns);
	try {
		await Promise.all(Array.from({ length: 64 }, (_, i) => line.post(i, { grant_type: 'none' })));
		const answers = await Promise.all(Array.from({ length: 64 }, (_, i) => line.post(i, {
			grant_type: 'authorization_code', code, code_verifier: wish.verifier, redirect_uri: wish.redirect_uri })));
		const statuses = answers.map((answer) => answer.status);
		assert.deepEqual([count(statuses, 200), count(statuses, 400)], [1, 63]);
		for (const answer of answers) if (answer.status === 400) refused(answer, 400, 'invalid_grant');
		const winner = granted(answers.find((answer) => answer.status === 200));
		for (const node of [first, second]) assert.equal((await node.introspect(winner.access_token)).active, true);
		granted(await agent.at(second).refresh(winner.refresh_token));
	} finally {
		line.close();
	}
});

const rounds = is_soak ? 1250 : 25;
case_of_two('rounds of 8 connections over two nodes that send the current refresh token at once: all 200, one successor', async () => {
	let { refresh_token } = await agent.tokens(alice, read);
	const line = lines(8, agent, by_turns);
	try {
		for (let round = 0; round < rounds; round++) {
			const answers = await Promise.all(Array.from({ length: 8 }, (_, i) => line.post(i, { grant_type: 'refresh_token', refresh_token })));
			for (const answer of answers) assert.equal(answer.status, 200, `round ${round}: ${answer.text}`);
			const successors = new Set(answers.map((answer) => answer.body.refresh_token));
			assert.equal(successors.size, 1, `round ${round}: ${successors.size} successors`);
			assert.ok(!successors.has(refresh_token), `round ${round}: nothing rotated`);
			[refresh_token] = successors;
		}
	} finally {
		line.close();
	}
	assert.ok(!(await event_kinds(first)).includes('family.ended'));
}, { timeout: 540_000 });

case_of_two('keys that a reload makes for a resource sign nothing before the other node has had the time to load them', async (t) => {
	t.after(() => first.operate(['resource', 'remove', 'own']));
	await first.add_resource({ name: 'own', uri: `${first.issuer}/r/own`, token: { typ: 'JWT', alg: 'ES256', lifetime: 300 }, introspection: [] });
	const [key, ...more] = (await first.operate(['keys', 'list'])).filter(({ purpose }) => purpose === 'resource:own');
	assert.deepEqual(more, []);
	const reload = first.log().filter(({ event }) => event === 'reload.done').at(-1);
	// it looks every second, and reload is what makes the resource known
	assert.ok(Date.parse(reload.time) - Date.parse(key.created_at) >= 2000, `${key.created_at} ${reload.time}`);
});

// What the mail server is answered, whatever that is.
const ask = (node, token) => new Agent(node, { client_id: 'mail-rs', client_secret: mail_secret }).post('/introspect', { token });

// How long it takes from the answer to `stop` at one node to the other one's word that the token is dead, which must
// be its next word.
async function delay_of(stop, node, token) {
	assert.equal((await node.introspect(token)).active, true);
	await stop();
	const since = performance.now();
	assert.deepEqual(await node.introspect(token), { active: false });
	return performance.now() - since;
}

function say_p99(t, what, delays) {
	const sorted = delays.toSorted((a, b) => a - b);
	const p99 = sorted[Math.ceil(sorted.length * 0.99) - 1];
	t.diagnostic(`${what}: ${sorted.length} times, p99 ${p99.toFixed(1)} ms`);
	assert.ok(p99 < 1000);
}

case_of_two('what is revoked or paused at one node is inactive at the other within a second', async (t) => {
	const revoked = [], paused = [];
	for (let i = 0; i < (is_soak ? 50 : 3); i++) {
		const [here, there] = i % 2 ? [second, first] : [first, second];
		const tokens = await agent.tokens(alice, read);
		const [grant] = (await here.operate(['grant', 'list', '--user', 'alice'])).filter((one) => one.status === 'active');
		paused.push(await delay_of(() => here.operate(['grant', 'pause', grant.id]), there, tokens.access_token));
		refused(await agent.at(there).refresh(tokens.refresh_token), 503, 'temporarily_unavailable');
		await there.operate(['grant', 'resume', grant.id]);
		revoked.push(await delay_of(() => agent.at(here).revoke(tokens.refresh_token), there, tokens.access_token));
		refused(await agent.at(there).refresh(tokens.refresh_token), 400, 'invalid_grant');
	}
	say_p99(t, 'pause', paused);
	say_p99(t, 'revocation', revoked);
});

case_of_two('guesses at a secret count together, whichever node they are sent to', async () => {
	const careful = await first.add_agent({ id: 'careful', secret: true, grant_types: ['client_credentials'] });
	const guesser = Object.assign(careful.at(first), { client_secret: 'wrong'.repeat(8) });
	const statuses = [];
	for (let i = 0; i < 40; i++) {
		statuses.push((await guesser.at(i % 2 ? second : first).post('/token', { grant_type: 'client_credentials' })).status);
		await until(async () => statuses.at(-1) === 429 || (await first.rows(`SELECT used FROM throttles WHERE used >= ${Math.min(count(statuses, 401), 20)}`)).length > 0);
	}
	// the window once, and at the other node one guess by which it learns
	assert.ok(count(statuses, 401) <= 21, String(statuses));
	assert.ok(count(statuses, 401) >= 20, String(statuses));
	assert.equal(count(statuses, 401) + count(statuses, 429), 40);
	for (const node of [first, second]) refused(await careful.at(node).post('/token', { grant_type: 'client_credentials' }), 429, 'temporarily_unavailable');
	assert.equal(count(await event_kinds(first), 'client.guessing'), 1);
});

case_of_two('a token exchanged at one node is spent at the other, and what came of it ends at both with what it came from', async () => {
	const planner = await first.add_agent({ id: 'planner', grant_types: ['authorization_code', 'refresh_token', 'token-exchange'] });
	const exchange = (node, subject_token, actor_label) => planner.at(node).post('/token', { grant_type: 'urn:ietf:params:oauth:grant-type:token-exchange',
		subject_token, subject_token_type: 'urn:ietf:params:oauth:token-type:access_token', actor_label });
	for (const [here, there] of [[first, second], [second, first]]) {
		const tokens = await planner.tokens(alice, read);
		const derived = granted(await exchange(here, tokens.access_token, 'a')).access_token;
		for (const node of [here, there]) assert.deepEqual((await node.introspect(derived)).act, { sub: 'planner#a' });
		// for the same sub-agent the same token once more; for another, nothing
		assert.equal(claims(granted(await exchange(there, tokens.access_token, 'a')).access_token).jti, claims(derived).jti);
		for (const node of [there, here]) refused(await exchange(node, tokens.access_token, 'b'), 400, 'invalid_request', /exchanged/);
		// what it handed on ends too, by a revocation at the other node than the one that is asked
		const child = granted(await exchange(there, derived, 'c')).access_token;
		for (const token of [derived, child]) assert.equal((await there.introspect(token)).active, true);
		assert.equal((await planner.at(here).revoke(tokens.refresh_token)).status, 200);
		for (const token of [derived, child, tokens.access_token]) assert.deepEqual(await there.introspect(token), { active: false });
		refused(await exchange(there, child, 'd'), 400, 'invalid_request', /does not stand/);
	}
	// two nodes at once, for two sub-agents: one of them has it
	const { access_token } = await planner.tokens(alice, read);
	const answers = await Promise.all(Array.from({ length: 8 }, (_, i) => exchange(by_turns(i), access_token, `n${i % 4}`)));
	const winners = new Set(answers.filter(({ status }) => status === 200).map(({ body }) => claims(body.access_token).jti));
	assert.equal(winners.size, 1);
	for (const one of answers) if (one.status !== 200) refused(one, 400, 'invalid_request', /exchanged/);
});

case_of_two('a device asks at both nodes by turns: one interval, one answer of the person, tokens once', async () => {
	const device = await first.add_agent({ id: 'device', grant_types: ['device_code', 'refresh_token'], redirect_uris: [] });
	const poll = (node, device_code) => device.at(node).post('/token', { grant_type: 'urn:ietf:params:oauth:grant-type:device_code', device_code });
	const { body } = await device.post('/device_authorization', { scope: 'mail.read', resource: device.resource });
	refused(await poll(first, body.device_code), 400, 'authorization_pending');
	refused(await poll(second, body.device_code), 400, 'slow_down');
	const page = await alice.at(second).open('/device');
	const question = await alice.at(first).submit(page, page.form_with('user_code'), { user_code: body.user_code });
	const answers = await Promise.all([[first, 'allow'], [second, 'deny']].map(([node, decision]) => alice.at(node).decide(question, decision, read)));
	assert.deepEqual(answers.map(({ status }) => status).sort(), [200, 409]);
	const polled = await Promise.all(Array.from({ length: 8 }, (_, i) => poll(by_turns(i), body.device_code)));
	if (answers[0].status === 200) {
		assert.deepEqual([count(polled.map(({ status }) => status), 200), polled.length], [1, 8]);
		for (const one of polled) if (one.status !== 200) refused(one, 400, 'invalid_grant');
	} else {
		for (const one of polled) refused(one, 400, 'access_denied');
	}
});

case_of_two('what a person begins at one node is finished at the other', async () => {
	const wish = agent.authorization();
	const page = await alice.at(first).open(wish.url);
	const answered = await alice.at(second).decide(page, 'allow', read);
	assert.ok(answered.left, answered.text);
	const code = answered.left.searchParams.get('code');
	const tokens = granted(await agent.at(first).redeem(code, wish));
	granted(await agent.at(second).refresh(tokens.refresh_token));
	// and a session that ended at one is over at the other
	assert.match((await alice.at(second).get('/account')).text, /Mail Agent/);
	const leave = await alice.at(first).get('/logout');
	await alice.at(first).submit(leave, leave.form_with('csrf'));
	assert.ok((await alice.at(second).get('/account')).form_with('password'), 'signed out at both');
});

case_of_two('rows are taken in one order: an installation is let do more with the others first, and the grant then', async () => {
	const tokens = await agent.tokens(alice, read);
	const { family_id: own, grant_id: grant } = claims(tokens.access_token);
	const [{ id: other }] = await first.rows(`SELECT id FROM families WHERE grant_id = '${grant}' AND id <> '${own}' AND revoked_at IS NULL LIMIT 1`);
	const page = await alice.at(second).get(`/account/agents/${grant}/installations/${own}`);
	const form = page.forms.find(({ fields }) => fields.some(({ value }) => value === 'widen-installation'));
	// what a refresh or a revocation at another node does
	const holder = await open_transaction(first);
	await holder.ask(`UPDATE families SET repeats = repeats WHERE id = '${other}'`);
	const widened = alice.at(second).submit(page, form, { action: 'widen-installation', scope: ['mail.send'] }, { follow: false });
	const came = holder.ask("DO $$ BEGIN FOR i IN 1..1000 LOOP EXIT WHEN EXISTS (SELECT 1 FROM pg_locks WHERE NOT granted); PERFORM pg_sleep(0.01); END LOOP; END $$");
	assert.equal(await Promise.race([came.then(() => 'it waits'), widened.then(() => 'it did not')]), 'it waits');
	await holder.ask(`SELECT id FROM grants WHERE id = '${grant}' FOR UPDATE NOWAIT`);
	await holder.end();
	assert.equal((await widened).status, 303);
	assert.equal(granted(await agent.refresh(tokens.refresh_token)).scope, 'mail.read mail.send');
});

case_of_two('nodes tell each other apart: who is there, and what they have otherwise', async () => {
	const kinds_of_resources = async () => {
		const { nodes } = await first.operate(['status']);
		return nodes.length === 2 && new Set(nodes.map((node) => node.resources)).size;
	};
	// each says so every two seconds
	await until(async () => await kinds_of_resources() === 1);
	const file = path.join(second.dir, 'resources/mail.json');
	const mail = JSON.parse(fs.readFileSync(file, 'utf8'));
	fs.writeFileSync(file, JSON.stringify({ ...mail, title: 'Mail, but otherwise' }));
	await second.operate(['reload']);
	await until(async () => await kinds_of_resources() === 2);
	await first.restart(); // says at once what it sees
	await until(() => first.log().some((line) => line.event === 'node.differs' && line.in === 'resources'));
	fs.writeFileSync(file, JSON.stringify(mail));
	await second.operate(['reload']);
	await first.operate(['reload']);
	await until(async () => await kinds_of_resources() === 1);
	// so do settings that let an agent in at the one and not at the other
	const differences = () => first.log().filter((line) => line.event === 'node.differs' && line.in === 'settings').length;
	for (const [name, value] of [['GRANTD_CLIENT_METADATA_DENY', 'evil.example'], ['GRANTD_REQUIRE_PUSHED_REQUESTS', 'yes']]) {
		const said = differences();
		second.env[name] = value;
		await second.restart();
		await first.restart();
		await until(() => differences() > said);
		delete second.env[name];
	}
	await second.restart();
});

case_of_two('keys that both nodes need and neither has are made once, and are known to both before they sign', async () => {
	const file = path.join(first.dir, 'resources/mail.json');
	const mail = JSON.parse(fs.readFileSync(file, 'utf8'));
	const own = { ...mail, name: 'own', uri: `${first.issuer}/r/own`, title: 'Keys of its own', token: { typ: 'JWT', alg: 'RS256', lifetime: 300 },
		introspection: [{ id: 'own-rs', secret_file: 'mail-rs.secret' }] };
	for (const node of [first, second]) fs.writeFileSync(path.join(node.dir, 'resources/own.json'), JSON.stringify(own), { mode: 0o600 });
	await Promise.all([first, second].map((node) => node.operate(['reload'])));
	assert.equal((await first.rows("SELECT id FROM keys WHERE purpose = 'resource:own'")).length, 1);
	const worker = await first.add_agent({ id: 'worker', resource: 'own' });
	worker.resource = own.uri;
	const tokens = await worker.tokens(alice, read);
	for (const node of [first, second]) assert.equal((await node.introspect(tokens.access_token, { id: 'own-rs' })).active, true);
	const again = granted(await worker.at(second).refresh(tokens.refresh_token));
	for (const node of [first, second]) assert.equal((await node.introspect(again.access_token, { id: 'own-rs' })).active, true);
});

case_of_two('what an exposed key signed is refused at the other node too, within seconds', async () => {
	const tokens = await agent.tokens(alice, read);
	for (const node of [first, second]) assert.equal((await node.introspect(tokens.access_token)).active, true);
	await first.operate(['keys', 'rotate', '--compromised']);
	const since = performance.now();
	assert.deepEqual(await first.introspect(tokens.access_token), { active: false });
	await until(async () => !(await second.introspect(tokens.access_token)).active);
	assert.ok(performance.now() - since < 6000, 'each looks every second');
	const next = granted(await agent.refresh(tokens.refresh_token));
	await until(async () => (await second.introspect(next.access_token)).active);
});

case_of_two('FT-018: a node that is cut off from the database refuses, says active of nothing, and is right again by itself', async () => {
	const kept = await agent.tokens(alice, read), ended = await agent.tokens(alice, read);
	for (const { access_token } of [kept, ended]) assert.equal((await second.introspect(access_token)).active, true);
	proxy.part();
	try {
		// nodes that do not see each other do not mind: each decides by the database
		assert.equal((await agent.at(first).revoke(ended.refresh_token)).status, 200);
		assert.deepEqual(await first.introspect(ended.access_token), { active: false });
		const calls = [];
		for (let i = 0; i < 4; i++) calls.push(ask(second, ended.access_token), ask(second, kept.access_token), agent.at(second).refresh(kept.refresh_token, {}, { apart: true }));
		for (const answer of await Promise.all(calls)) refused(answer, 503, 'temporarily_unavailable');
		assert.equal((await first.introspect(kept.access_token)).active, true);
	} finally {
		proxy.join();
	}
	const next = await until(async () => {
		const answer = await agent.at(second).refresh(kept.refresh_token);
		return answer.status === 503 ? null : granted(answer);
	});
	assert.equal((await second.introspect(next.access_token)).active, true);
	assert.deepEqual(await second.introspect(ended.access_token), { active: false });
});

// Refreshes at whichever node answers, and writes down what was acknowledged. An answer that never came leaves the
// token as it was: the next one is handed out again.
async function work_on(tokens, { until_done, ledger, node_of }) {
	let { refresh_token } = tokens;
	for (let i = 0; !until_done(); i++) {
		const answer = await agent.at(node_of(i)).refresh(refresh_token, {}, { apart: true }).catch(() => null);
		if (!answer || answer.status === 503) continue;
		({ refresh_token } = granted(answer));
		fs.writeSync(ledger, `${claims(answer.body.access_token).jti}\n`);
	}
	return refresh_token;
}

case_of_two('either node killed under load takes nothing with it that it had acknowledged, and the other goes on', async () => {
	const ledger_file = path.join(first.home, 'acknowledged');
	const people = await Promise.all(Array.from({ length: 4 }, (_, i) => first.add_person(`person${i}`)));
	const families = await Promise.all(people.map((person) => agent.tokens(person, read)));
	for (let round = 0; round < (is_soak ? 20 : 2); round++) {
		const [doomed, survivor] = round % 2 ? [second, first] : [first, second];
		const ended = await agent.tokens(alice, read);
		const ledger = fs.openSync(ledger_file, 'a');
		let is_over = false, is_dead = false;
		const work = families.map((tokens) => work_on(tokens, { until_done: () => is_over, ledger, node_of: (i) => (is_dead || i % 2 ? survivor : doomed) }));
		await sleep(250);
		assert.equal((await agent.at(doomed).revoke(ended.refresh_token)).status, 200);
		await doomed.kill_9();
		is_dead = true;
		await sleep(400);
		is_over = true;
		(await Promise.all(work)).forEach((refresh_token, i) => { families[i] = { refresh_token }; });
		fs.closeSync(ledger);
		for (let i = 0; i < families.length; i++) families[i] = granted(await agent.at(survivor).refresh(families[i].refresh_token));
		assert.deepEqual(await survivor.introspect(ended.access_token), { active: false });
		await doomed.start();
	}
	assert.ok(fs.readFileSync(ledger_file, 'utf8').trim().split('\n').length > families.length, 'there was load');
	assert.deepEqual(await first.rows('SELECT id FROM families WHERE revoked_at IS NOT NULL AND revoked_why <> \'revoked_by_client\''), []);
}, { timeout: 300_000 });

case_of_two('what a node was telling a resource when it died is told by another, once', async (t) => {
	const dead = await Instance.start(t);
	const told = path.join(dead.home, 'told'), script = path.join(dead.home, 'kick');
	fs.writeFileSync(script, `#!/bin/sh\necho "$1" >> ${told}\n[ ! -e ${told}.slow ] || exec sleep 8\n`, { mode: 0o755 });
	await dead.add_resource({ on_stop: [script, '{username}'] });
	const bob = await dead.add_person('bob');
	const other = await dead.add_agent();
	await other.tokens(bob, read);
	const heir = await Instance.beside(t, dead);
	t.after(MovedInstance.take(heir));
	const [grant] = await dead.operate(['grant', 'list', '--user', 'bob']);
	fs.writeFileSync(`${told}.slow`, '');
	await dead.operate(['grant', 'revoke', grant.id]);
	const lines_told = () => (fs.existsSync(told) ? fs.readFileSync(told, 'utf8').split('\n').filter(Boolean) : []);
	await until(() => lines_told().length === 1);
	await heir.start();
	await dead.kill_9();
	fs.rmSync(`${told}.slow`);
	await sleep(1500);
	assert.equal(lines_told().length, 1, 'who took it has a minute');
	heir.move(61);
	await until(async () => (await event_kinds(heir)).includes('stop.done'));
	assert.deepEqual(lines_told(), ['bob', 'bob']);
	assert.deepEqual(await heir.rows('SELECT id FROM outbox'), []);
});

case_of_two('FT-007: nothing is decided by what a standby says, also when it is all there is', async (t) => {
	const grantd = await Instance.create();
	t.after(() => grantd.dispose());
	const { socket, url } = grantd.database;
	const standby = await Cluster.follow(socket);
	t.after(() => standby.dispose());
	const primary = await CommitProxy.start(socket);
	t.after(() => primary.dispose());
	grantd.env.GRANTD_DATABASE = url.replace(socket, `${standby.dir},${primary.dir}`);
	await grantd.start();
	const { alice: person, agent: client } = await grantd.furnish();
	const tokens = await client.tokens(person, read);
	await standby.hold(); // it answers, and what it says is old from here on
	assert.equal((await client.revoke(tokens.refresh_token)).status, 200);
	assert.deepEqual(await grantd.introspect(tokens.access_token), { active: false });
	const kept = await client.tokens(person, read);
	primary.part();
	refused(await ask(grantd, kept.access_token), 503, 'temporarily_unavailable');
	refused(await client.refresh(kept.refresh_token), 503, 'temporarily_unavailable');
	assert.equal((await standby.run('SELECT count(*) FROM users', grantd.database.name)), '1', 'the standby would have answered');
	// a failover: the old primary is gone, and what was the standby is it now, with all that had reached it
	await primary.dispose();
	await standby.run('SELECT pg_wal_replay_resume()');
	await standby.run('SELECT pg_promote()');
	const next = await until(async () => {
		const answer = await client.refresh(kept.refresh_token);
		return answer.status === 503 ? null : granted(answer);
	});
	assert.equal((await until(async () => ask(grantd, next.access_token))).body.active, true);
	assert.deepEqual((await ask(grantd, tokens.access_token)).body, { active: false });
});

// The time that a node goes by.
const time_of = async (node) => Date.parse((await node.operate(['status'])).time);

case_of_two('a node whose clock falls behind follows the others, and nobody follows one that is far ahead, nor by steps', async (t) => {
	const third = await Instance.beside(t, first);
	t.after(MovedInstance.take(third));
	await third.start();
	third.move(-600);
	const before = await time_of(third);
	await until(async () => await time_of(third) >= before + 3000);
	assert.ok(third.log().some((line) => line.event === 'node.clock_ahead'));
	third.move(40);
	await until(async () => await time_of(first) > Date.now() + 35_000);
	third.move(80); // as far again ahead of those who followed
	await until(async () => (await first.operate(['status'])).nodes.some((node) => Date.parse(node.seen) > Date.now() + 75_000));
	await sleep(2500); // the others look every two seconds
	for (const node of [first, second]) assert.ok(await time_of(node) < Date.now() + 60_000);
	third.move(3600);
	await until(async () => await time_of(third) > Date.now() + 3500_000);
	await until(async () => (await first.operate(['status'])).nodes.some((node) => Date.parse(node.seen) > Date.now() + 3500_000));
	await sleep(2500);
	for (const node of [first, second]) assert.ok(await time_of(node) < Date.now() + 60_000);
}, { timeout: 120_000 });
