// SPDX-License-Identifier: Apache-2.0
// One installation of an agent, as its person sees it and what they do with it: name, pause, end, and allow more.
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { granted, is_error_page, refused } from './expect.mjs';
import { Instance, claims, unescape } from './harness/index.mjs';

const reading = { scope: ['mail.read'], duration: '7d' };
let grantd, alice, mallory;
before(async () => {
	grantd = await Instance.start(null);
	({ alice } = await grantd.furnish());
	mallory = await grantd.add_person('mallory');
	await Promise.all([alice.sign_in(), mallory.sign_in()]);
});
after(() => grantd.dispose());

const value_of = (form, name) => form.fields.find((one) => one.name === name)?.value;
const form_for = (page, action) => page.forms.find((form) => form.fields.some((one) => one.name === 'action' && one.value === action));
const family_row = async (id) => (await grantd.rows(`SELECT * FROM families WHERE id = '${id}'`))[0];
const events = (family, kind) => grantd.rows(`SELECT * FROM events WHERE family_id = '${family}' AND kind = '${kind}' ORDER BY id`);
const paused = (answer) => refused(answer, 503, 'temporarily_unavailable');
const text = (page) => unescape(page.html);

// Two installations of one agent: the first one is what the cases act on.
async function employ(id, person = alice, options = {}) {
	const agent = await grantd.add_agent({ id, name: `Agent ${id}`, ...options });
	const first = await agent.tokens(person, reading);
	const [{ id: family, grant_id: grant }] = await grantd.rows(`SELECT id, grant_id FROM families WHERE client_id = '${id}'`);
	const second = await agent.tokens(person, reading);
	const agents = `/account/agents/${grant}`;
	return { agent, first, second, grant, family, agents, path: `${agents}/installations/${family}` };
}

async function press(person, path, action, fill = {}, back = path) {
	const page = await person.get(path);
	const answer = await person.submit(page, form_for(page, action), { action, ...fill }, { follow: false });
	assert.equal(answer.status, 303, answer.text.slice(0, 300));
	assert.equal(answer.headers.get('location'), `${back}?done=${action}`);
	return person.get(answer.headers.get('location'));
}

test('its page says what is known of it: agent, first and last use, and from where', async () => {
	const { agent, first, agents, path, family } = await employ('known');
	for (const page of [await alice.get(path), await alice.get(agents)]) {
		assert.match(text(page), /Agent known/);
		assert.match(text(page), /from 127\.0\.0\.1/);
		assert.match(text(page), /Installation 1/);
	}
	const row = await family_row(family);
	assert.equal(row.sealed_last, null, 'it came from nowhere else');
	for (const sealed of [row.sealed_first, row.seen_mark]) assert.doesNotMatch(Buffer.from(sealed).toString('latin1'), /127\.0\.0/);
	granted(await agent.refresh(first.refresh_token));
	assert.equal((await family_row(family)).sealed_last, null);
});

test('a name is the person\'s own: shown as text wherever it stands, sealed where it is kept', async () => {
	const { agents, path, family } = await employ('named');
	const name = '<b>Büro</b> & "Laptop"';
	const page = await press(alice, path, 'name-installation', { name: `  ${name} ` });
	for (const shown of [page, await alice.get(agents)]) {
		assert.doesNotMatch(shown.html, /<b>B/);
		assert.ok(text(shown).includes(name));
	}
	assert.equal(value_of(form_for(page, 'name-installation'), 'name'), name);
	const row = await family_row(family);
	assert.doesNotMatch(Buffer.from(row.sealed_name).toString('latin1'), /Laptop/);
	const [event] = await events(family, 'family.named');
	assert.equal(event.details, null);
	// sixty characters, whatever they take in bytes; not one more, and none that nobody would see
	await press(alice, path, 'name-installation', { name: 'ü'.repeat(60) });
	for (const bad of ['ü'.repeat(61), 'x'.repeat(5000), 'a\u202eb', 'a\u0007b', 'a\nb'])
		await grantd.unchanged(async () => {
			const answer = await alice.submit(page, form_for(page, 'name-installation'), { action: 'name-installation', name: bad });
			assert.equal(answer.status, 400);
			assert.match(answer.text, /at most 60 characters/);
		});
	await press(alice, path, 'name-installation', { name: '' });
	assert.equal((await family_row(family)).sealed_name, null);
	assert.match(text(await alice.get(path)), /Installation 1/);
});

test('one that is paused is refused until it is resumed, and the other one goes on', async () => {
	const { agent, first, second, path, family } = await employ('halted');
	assert.match((await press(alice, path, 'pause-installation')).text, /This installation is paused/);
	assert.equal((await events(family, 'family.paused')).length, 1);
	assert.deepEqual(await grantd.introspect(first.access_token), { active: false });
	await grantd.unchanged(async () => {
		const answer = await agent.refresh(first.refresh_token);
		paused(answer);
		assert.ok(Number(answer.headers.get('retry-after')) > 0);
	});
	assert.equal((await grantd.introspect(second.access_token)).active, true);
	granted(await agent.refresh(second.refresh_token));
	await press(alice, path, 'resume-installation');
	assert.equal((await events(family, 'family.resumed')).length, 1);
	assert.equal((await grantd.introspect(first.access_token)).active, true);
	granted(await agent.refresh(first.refresh_token));
});

test('one that is ended is over, and the other one goes on', async () => {
	const { agent, first, second, agents, path } = await employ('over');
	assert.match((await press(alice, path, 'end-installation', {}, agents)).text, /This installation was ended/);
	refused(await agent.refresh(first.refresh_token), 400, 'invalid_grant', /^revoked_by_user$/);
	granted(await agent.refresh(second.refresh_token));
	is_error_page(await alice.get(path), 404);
});

describe('one that is allowed more', () => {
	test('gets it with its next refresh, and no other installation does', async () => {
		const { agent, first, second, grant, path, family } = await employ('wider');
		const asked = await alice.get(path);
		const form = form_for(asked, 'widen-installation');
		assert.deepEqual(form.fields.filter((one) => one.name === 'scope' && one.is_checked), [], 'nothing is ticked beforehand');
		await press(alice, path, 'widen-installation', { scope: ['mail.send'] });
		// what it has is not another one by that
		assert.equal((await grantd.introspect(first.access_token)).scope, 'mail.read');
		const next = granted(await agent.refresh(first.refresh_token));
		assert.deepEqual(next.scope.split(' ').sort(), ['mail.read', 'mail.send']);
		assert.deepEqual(claims(next.access_token).scope.split(' ').sort(), ['mail.read', 'mail.send']);
		assert.equal(granted(await agent.refresh(next.refresh_token)).scope, next.scope);
		assert.equal(granted(await agent.refresh(second.refresh_token)).scope, 'mail.read');
		const [event] = await events(family, 'family.widened');
		assert.equal(JSON.parse(event.details).scope, 'mail.send');
		assert.equal(event.actor, 'user');
		const permission = (await grantd.rows(`SELECT * FROM permissions WHERE grant_id = '${grant}' AND scope = 'mail.send'`))[0];
		const other = (await grantd.rows(`SELECT * FROM permissions WHERE grant_id = '${grant}' AND scope = 'mail.read'`))[0];
		assert.equal(permission.consent_event, event.id);
		assert.equal(String(permission.expires_at), String(other.expires_at), 'it lasts as long as the rest');
		// the words are kept as those of a consent are
		const words = JSON.parse(permission.words);
		assert.ok(words.title && text(asked).includes(words.title));
		const receipt = text(await alice.get(`/account/agents/${grant}/receipt`));
		assert.ok(receipt.includes('Let this one do more') && receipt.includes(words.title));
	});

	test('does not touch how long another permission lasts, and is taken back like any other', async () => {
		const { agent, first, second, grant, agents, path } = await employ('again');
		await press(alice, path, 'widen-installation', { scope: ['mail.send'] });
		const before = await grantd.rows(`SELECT * FROM permissions WHERE grant_id = '${grant}' ORDER BY scope`);
		const other = (await grantd.rows(`SELECT id FROM families WHERE grant_id = '${grant}'`)).map((row) => row.id).find((id) => !path.endsWith(id));
		await press(alice, `${agents}/installations/${other}`, 'widen-installation', { scope: ['mail.send'] });
		assert.deepEqual(await grantd.rows(`SELECT * FROM permissions WHERE grant_id = '${grant}' ORDER BY scope`), before);
		// no permission is new, and yet it was a consent: both are on the receipt, and neither when it is taken back
		const receipt = async () => text(await alice.get(`/account/agents/${grant}/receipt`));
		const yes = [...await events(path.split('/').at(-1), 'family.widened'), ...await events(other, 'family.widened')];
		assert.equal(yes.length, 2);
		const shown = await receipt();
		for (const { id } of yes) assert.ok(shown.includes(id), id);
		assert.match(granted(await agent.refresh(second.refresh_token)).scope, /mail\.send/);
		const page = await alice.get(agents);
		const remove = page.forms.find((form) => value_of(form, 'scope') === 'mail.send');
		await alice.submit(page, remove, { action: 'remove-scope' });
		assert.equal(granted(await agent.refresh(first.refresh_token)).scope, 'mail.read');
		const left = await receipt();
		for (const { id } of yes) assert.ok(!left.includes(id), id);
	});

	test('reads of each offer when it ends: with what the agent has of it already, or with the rest', async () => {
		const { agent, grant, path, family } = await employ('ends');
		await agent.tokens(alice, { scope: ['mail.send'], duration: '1h' });
		const end = async (scope) => Number((await grantd.rows(`SELECT * FROM permissions WHERE grant_id = '${grant}' AND scope = '${scope}'`))[0].expires_at);
		const day = (at) => new Date(at).toISOString().slice(11, 16);
		const [soon, late] = [await end('mail.send'), await end('mail.read')];
		assert.ok(soon < late - 86400_000);
		const page = text(await alice.get(path));
		const form = page.slice(page.indexOf('value="widen-installation"') - 2000);
		assert.match(form, new RegExp(`Ends: [^<]*${day(soon)} UTC`));
		await press(alice, path, 'widen-installation', { scope: ['mail.send'] });
		const [event] = await events(family, 'family.widened');
		assert.equal(Date.parse(JSON.parse(event.details).expires_at['mail.send']) - soon + soon % 1000, 0);
		assert.equal(await end('mail.send'), soon);
		const kept = text(await alice.get(`/account/agents/${grant}/receipt`));
		assert.match(kept, new RegExp(`Ends: [^<]*${day(soon)} UTC`));
	});

	test('when more is offered than fits, what fits is offered and the other buttons stay', async () => {
		const many = Array.from({ length: 32 }, (_, i) => `do ${i}`); // each line takes room beside its words
		const scopes = Array.from({ length: 24 }, (_, i) => ({ name: `big.${i}`, title: `Big ${i}`, risk: 'read', default: i === 0, can: many, cannot: many }));
		const { uri } = await grantd.add_resource({ name: 'big', uri: `${grantd.issuer}/r/big`, introspection: [], scopes });
		const agent = await grantd.add_agent({ id: 'big', name: 'Big', resource: 'big', scope: scopes.map(({ name }) => name).join(' ') });
		await agent.tokens(alice, { changes: { resource: uri, scope: 'big.0' }, scope: ['big.0'] });
		const [{ id, grant_id }] = await grantd.rows("SELECT id, grant_id FROM families WHERE client_id = 'big'");
		const path = `/account/agents/${grant_id}/installations/${id}`;
		const page = await alice.get(path);
		const offered = form_for(page, 'widen-installation').fields.filter(({ name }) => name === 'scope').map(({ value }) => value);
		assert.ok(offered.length > 10 && offered.length < 23, offered.join(' '));
		assert.deepEqual(offered, scopes.map(({ name }) => name).slice(1, 1 + offered.length));
		assert.match(text(page), /There is more than fits here/);
		await press(alice, path, 'widen-installation', { scope: ['big.1'] });
		await press(alice, path, 'pause-installation');
	});

	test('is the only one: what all had and lost, and a code that waits as well, comes back for it alone, whichever page says yes', async () => {
		const both = { scope: ['mail.read', 'mail.send'], duration: '7d' };
		for (const [id, is_new] of [['lost-ticked', false], ['lost-asked', true]]) {
			const agent = await grantd.add_agent({ id, name: 'Loser' });
			const waiting = agent.authorization();
			const first = await agent.tokens(alice, both);
			const second = await agent.tokens(alice, both);
			const { code } = await alice.allow(waiting.url, both);
			const [{ id: family, grant_id: grant }] = await grantd.rows(`SELECT id, grant_id FROM families WHERE client_id = '${id}' ORDER BY id`);
			const mine = claims(first.access_token).family_id === family ? { own: first, other: second } : { own: second, other: first };
			const agents = `/account/agents/${grant}`;
			const page = await alice.get(agents);
			await alice.submit(page, page.forms.find((form) => value_of(form, 'scope') === 'mail.send'), { action: 'remove-scope' });
			const left = granted(await agent.refresh(mine.other.refresh_token));
			assert.equal(left.scope, 'mail.read');
			if (is_new) await agent.tokens(alice, { scope: ['mail.send'], duration: '7d' });
			else await press(alice, `${agents}/installations/${family}`, 'widen-installation', { scope: ['mail.send'] });
			assert.equal(granted(await agent.redeem(code, waiting)).scope, 'mail.read', id);
			// neither its next refresh nor what it still holds that names the scope
			assert.equal(granted(await agent.refresh(left.refresh_token)).scope, 'mail.read', id);
			assert.equal((await grantd.introspect(mine.other.access_token)).scope, 'mail.read', id);
			const own = granted(await agent.refresh(mine.own.refresh_token)).scope.split(' ').sort();
			assert.deepEqual(own, is_new ? ['mail.read'] : ['mail.read', 'mail.send'], id);
		}
	});

	test('what was not offered, nothing, and other words than those shown', async () => {
		const { path, agents } = await employ('narrow', alice, { scope: 'mail.read mail.send' });
		const page = await alice.get(path);
		const form = form_for(page, 'widen-installation');
		const offered = form.fields.filter((one) => one.name === 'scope').map((one) => one.value);
		assert.deepEqual(offered, ['mail.send'], 'the operator\'s ceiling of the agent holds');
		const other = await employ('narrower');
		const theirs = form_for(await alice.get(other.path), 'widen-installation');
		for (const [fill, status] of [
			[{ scope: [] }, 400], [{ scope: ['mail.delete'] }, 400], [{ scope: ['openid'] }, 400], [{ scope: ['mail.send mail.delete'] }, 400],
			[{ scope: ['mail.send'], shown: 'x' }, 403], [{ scope: ['mail.send'], csrf: value_of(theirs, 'csrf') }, 403],
			[{ scope: ['mail.send'], csrf: value_of(form_for(page, 'name-installation'), 'csrf') }, 403], [{ scope: ['mail.send'], csrf: '' }, 403],
			[{ scope: ['mail.send'], language: 'de' }, 400],
		])
			await grantd.unchanged(async () => assert.equal((await alice.submit(page, form, { action: 'widen-installation', ...fill })).status, status, JSON.stringify(fill)));
		assert.equal((await alice.get(agents)).status, 200);
	});
});

test('nobody else, no other grant, and no installation that is not there', async () => {
	const own = await employ('mine');
	const beside = await employ('beside');
	const theirs = await employ('theirs', mallory);
	for (const path of [theirs.path, `${own.agents}/installations/${beside.family}`, `${own.agents}/installations/${theirs.family}`,
		`${own.agents}/installations/fam_aaaaaaaaaaaaaaaaaaaaaaaaaa`, `${own.agents}/installations/x`])
		is_error_page(await alice.get(path), 404);
	const page = await alice.get(own.path);
	for (const action of ['name-installation', 'pause-installation', 'end-installation', 'widen-installation']) {
		const form = form_for(page, action);
		const fill = { action, name: 'x', scope: ['mail.send'] };
		for (const csrf of ['', null, value_of(form_for(await mallory.get(theirs.path), action), 'csrf')])
			await grantd.unchanged(async () => is_error_page(await alice.submit(page, form, { ...fill, csrf }), 403));
		await grantd.unchanged(async () => is_error_page(await mallory.submit(page, form, fill), 404));
		await grantd.unchanged(async () => is_error_page(await alice.submit(page, { ...form, action: theirs.path }, fill), 404));
		await grantd.unchanged(async () => is_error_page(await alice.submit(page, { ...form, action: beside.path }, fill), 403));
	}
	for (const action of [null, '', 'revoke', 'PAUSE-INSTALLATION'])
		await grantd.unchanged(async () => is_error_page(await alice.submit(page, form_for(page, 'pause-installation'), { action }), 400));
	await press(alice, own.agents, 'revoke', { confirm: '1' }, own.agents);
	await grantd.unchanged(async () => is_error_page(await alice.submit(page, form_for(page, 'pause-installation'), { action: 'pause-installation' }), 404));
});
