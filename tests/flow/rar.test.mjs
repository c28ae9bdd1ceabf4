// SPDX-License-Identifier: Apache-2.0
// Authorization details (RFC 9396) of type operations: rows RA of tests/rows, and their way from the push to the token.
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { ask, granted, is_told, refused } from './expect.mjs';
import { Instance, claims } from './harness/index.mjs';

const scopes = (changes = {}) => [
	{ name: 'mail.read', title: 'Read your mail', risk: 'read', default: true, can: ['see folders and read messages'], cannot: ['send anything'] },
	{ name: 'mail.write', title: 'Sort your mail', risk: 'write', can: ['move and mark messages'], cannot: ['delete anything'],
		operations: [{ name: 'mail.move', title: 'move messages', limits: ['per_hour', 'per_day', 'uses', 'paths'] }, { name: 'mail.mark', title: 'mark messages as read', limits: ['per_day'] }], ...changes },
	{ name: 'mail.send', title: 'Send mail as you', risk: 'send', can: ['send messages in your name'], cannot: ['delete anything'],
		operations: [{ name: 'mail.draft', title: 'write drafts' }, { name: 'mail.answer', title: 'answer what you got', limits: ['per_day'] }] },
];

let grantd, alice, agent, helper;
before(async () => {
	grantd = await Instance.start(null, { env: { GRANTD_DEVICE_FLOW: 'on' } });
	await grantd.add_resource({ scopes: scopes() });
	await grantd.add_resource({ name: 'notes', uri: `${grantd.issuer}/r/notes`, introspection: [] });
	alice = await grantd.add_person('alice');
	const grant_types = ['authorization_code', 'refresh_token', 'token-exchange'];
	agent = await grantd.add_agent({ scope: 'mail.read mail.write mail.send', grant_types });
	helper = await grantd.add_agent({ id: 'helper', scope: 'mail.read mail.write mail.send', grant_types });
});
after(() => grantd.dispose());

const element = (actions, limits, more = {}) => ({ type: 'operations', locations: [grantd.mail_uri], actions, ...(limits && { limits }), ...more });
// as grantd spells it
const kept = (scope, actions, limits) => ({ type: 'operations', locations: [grantd.mail_uri], scope, actions, ...(limits && { limits }) });
const text = (value) => (typeof value === 'string' ? value : JSON.stringify(value));
const push = (details, changes = {}, by = agent) => by.push({ authorization_details: text(details), scope: 'mail.read mail.write', ...changes });
const not_pushed = async (details, error, words, changes) => {
	const { answer } = await grantd.unchanged(() => push(details, changes), { except: ['events', 'throttles'] });
	refused(answer, 400, error, words);
};
async function tokens(details, { changes, decision = {}, redeem = {}, by = agent } = {}) {
	const wish = await push(details, changes, by);
	assert.equal(wish.answer.status, 201, wish.answer.text);
	const { code, error } = await alice.allow(wish.url, { scope: ['mail.read', 'mail.write'], ...decision });
	assert.equal(error, undefined);
	return by.redeem(code, wish, redeem);
}

describe('what is refused when it is pushed', () => {
	const list = (...items) => () => items.map((item) => ({ type: 'operations', locations: [grantd.mail_uri], ...item }));
	const move = { actions: ['mail.move'] };
	for (const [row, title, details, words] of [
		['RA-001', 'not JSON', () => '{', /not JSON/], ['RA-001', 'an object', () => '{}', /list/], ['RA-001', 'an empty list', () => '[]', /list/],
		['RA-001', 'a text in the list', () => '["operations"]', /not an object/],
		['JS-002', 'a member twice', () => `[{"type":"operations","locations":["${grantd.mail_uri}"],"actions":["mail.move"],"actions":["mail.mark"]}]`, /each member once/],
		['RA-003', 'another type', list({ ...move, type: 'payment_initiation' }), /type/],
		['RA-003', 'no type', list({ ...move, type: undefined }), /type/],
		['RA-003', 'an unknown field', list({ ...move, amount: 5 }), /members are/],
		['RA-003', 'an unknown limit', list({ ...move, limits: { per_week: 1 } }), /limits are/],
		['RA-003', 'no locations', list({ ...move, locations: undefined }), /locations/],
		['RA-003', 'actions missing', list({}), /actions/], ['RA-003', 'no actions', list({ actions: [] }), /actions/],
		['RA-003', 'actions of another type', list({ actions: 'mail.move' }), /actions/], ['RA-003', 'an action of another type', list({ actions: [7] }), /actions/],
		['RA-003', 'an operation that is none', list({ actions: ['mail.erase'] }), /no operation/],
		['RA-003', 'operations of two scopes', list({ actions: ['mail.move', 'mail.draft'] }), /element of their own/],
		['RA-003', 'another scope than the operation has', list({ ...move, scope: 'mail.send' }), /scope/],
		['RA-003', 'a scope that is not asked for', list({ actions: ['mail.draft'] }), /not asked/],
		['RA-003', 'limits of another type', list({ ...move, limits: 5 }), /limits/], ['RA-003', 'a limit of another type', list({ ...move, limits: { per_day: '5' } }), /whole numbers/],
		['RA-003', 'a limit of nothing', list({ ...move, limits: { per_day: 0 } }), /whole numbers/], ['RA-003', 'a limit with a fraction', list({ ...move, limits: { uses: 1.5 } }), /whole numbers/],
		['RA-003', 'a limit that the operation does not take', list({ actions: ['mail.mark'], limits: { uses: 1 } }), /does not take/],
		['RA-004', '33 elements', () => Array(33).fill(element(['mail.move'])), /1 to 32/],
		['RA-004', 'more than 16 KiB', () => [element(['mail.move'], undefined, { actions: Array(2000).fill('mail.move') })], /16 KiB/],
		['RA-004', 'more than a token should carry', () => Array(4).fill(element(['mail.move'], { paths: Array.from({ length: 8 }, (_, i) => `/${'a'.repeat(240)}${i}`) })), /each token/],
		...['/a/../b', '/a/./b', '/a/%2e%2e/b', '/a%2Fb', '//a', '/a//b', '/a/', 'a/b', '/a\\b', '/a?x', '/a#x', '/a b', '/\u00e9', '', '..'].map((path) =>
			['RA-009', `the path ${JSON.stringify(path)}`, list({ ...move, limits: { paths: [path] } }), /paths/]),
		['RA-009', 'no path', list({ ...move, limits: { paths: [] } }), /paths/],
	]) test(`${row}: ${title}`, () => not_pushed(details(), 'invalid_authorization_details', words));
	test('RA-006: another resource, though it is one here', async () => {
		for (const uri of [`${grantd.issuer}/r/notes`, 'https://elsewhere.example/', grantd.issuer])
			await not_pushed([element(['mail.move'], undefined, { locations: [uri] })], 'invalid_target', /locations/);
		await not_pushed([element(['mail.move'], undefined, { locations: [grantd.mail_uri, `${grantd.issuer}/r/notes`] })], 'invalid_authorization_details', /locations/);
	});
});

test('RA-008: in a browser it is refused, whatever it says', async () => {
	const wish = agent.authorization({ authorization_details: text([element(['mail.move'])]) });
	await grantd.unchanged(async () => is_told(grantd, await ask(grantd, wish.url), wish, 'invalid_request'));
	const pushed = await push([element(['mail.move'], { per_day: 1 })]);
	const page = await alice.open(`${pushed.url}&authorization_details=${encodeURIComponent(text([element(['mail.mark'])]))}`);
	assert.match(page.text, /move messages · at most 1 times a day/);
	assert.doesNotMatch(page.text, /mark messages/);
});

test('the metadata say that there is the type', async () => {
	const metadata = await (await grantd.fetch(`${grantd.issuer}/.well-known/oauth-authorization-server`)).json();
	assert.deepEqual(metadata.authorization_details_types_supported, ['operations']);
});

test('RA-010: the page says every element in full, from what is kept', async () => {
	const details = [
		element(['mail.move'], { per_hour: 3, per_day: 20, uses: 100, paths: ['/box/b', '/box/a', '/box/a'] }),
		...Array.from({ length: 20 }, (_, i) => element(['mail.mark'], { per_day: i + 1 })), element(['mail.mark', 'mail.move']),
	];
	const page = await alice.open((await push(details)).url);
	assert.match(page.text, /It can only, as Mail of Example Ltd promises move messages · at most 3 times an hour · at most 20 times a day · at most 100 times in all · only at and below \/box\/a, \/box\/b/);
	for (let i = 1; i <= 20; i++) assert.ok(page.text.includes(`mark messages as read · at most ${i} times a day`), `element ${i}`);
	assert.match(page.text, /mark messages as read, move messages/);
	assert.doesNotMatch(page.text, /move and mark messages/, 'not what the whole scope could do');
	assert.match(page.text, /see folders and read messages/, 'a scope that no element speaks of is whole');
});

describe('on its way', () => {
	const asked = () => [element(['mail.move', 'mail.mark', 'mail.move'], { per_day: 20 }), element(['mail.move'], { per_hour: 5, paths: ['/box'] })];
	const first = () => kept('mail.write', ['mail.mark', 'mail.move'], { per_day: 20 }), second = () => kept('mail.write', ['mail.move'], { per_hour: 5, paths: ['/box'] });

	test('in the answer, the token, introspection and the refreshed token; kept in one form', async () => {
		const body = granted(await tokens(asked()));
		const all = [first(), second()];
		assert.deepEqual(body.authorization_details, all);
		assert.deepEqual(claims(body.access_token).authorization_details, all);
		assert.deepEqual((await grantd.introspect(body.access_token)).authorization_details, all);
		const fresh = granted(await agent.refresh(body.refresh_token));
		assert.deepEqual([fresh.authorization_details, claims(fresh.access_token).authorization_details], [all, all]);
		const own = await agent.post('/introspect', { token: fresh.refresh_token });
		assert.equal(own.status, 401);
		const [row] = await grantd.rows('SELECT details FROM families ORDER BY created_at DESC LIMIT 1');
		assert.deepEqual(JSON.parse(row.details), all);
		const events = await grantd.rows("SELECT details FROM events WHERE kind = 'grant.allowed' ORDER BY id");
		assert.deepEqual(JSON.parse(events.at(-1).details).authorization_details, all);
	});

	test('what is not asked for as such has none', async () => {
		const body = granted(await helper.redeem(...await (async () => {
			const wish = await helper.push({ scope: 'mail.write' });
			return [(await alice.allow(wish.url, { scope: ['mail.write'] })).code, wish];
		})()));
		assert.equal(body.authorization_details, undefined);
		assert.equal(claims(body.access_token).authorization_details, undefined);
		assert.equal('authorization_details' in await grantd.introspect(body.access_token), false);
		const narrowed = granted(await helper.refresh(body.refresh_token, { authorization_details: text([element(['mail.mark'])]) }));
		assert.deepEqual(claims(narrowed.access_token).authorization_details, [kept('mail.write', ['mail.mark'])]);
	});

	test('with its scope unticked, it is gone', async () => {
		const body = granted(await tokens(asked(), { decision: { scope: ['mail.read'] } }));
		assert.deepEqual([body.scope, body.authorization_details], ['mail.read', undefined]);
		refused(await agent.refresh(body.refresh_token, { authorization_details: text([first()]) }), 400, 'invalid_authorization_details');
	});

	test('narrowed at the code, at the refresh and for a sub-agent; never widened', async () => {
		const narrow = [element(['mail.move'], { per_day: 3 })];
		const body = granted(await tokens(asked(), { redeem: { authorization_details: text(narrow) } }));
		const [small] = [kept('mail.write', ['mail.move'], { per_day: 3 })];
		assert.deepEqual(claims(body.access_token).authorization_details, [small]);
		let { refresh_token } = body;
		const refresh = async (details, more = {}) => {
			const answer = await agent.refresh(refresh_token, { authorization_details: text(details), ...more });
			if (answer.status === 200) ({ refresh_token } = answer.body);
			return answer;
		};
		assert.deepEqual(granted(await agent.refresh(refresh_token)).authorization_details, [first(), second()], 'the installation keeps what it has');
		refresh_token = granted(await agent.refresh(refresh_token)).refresh_token;
		assert.deepEqual(granted(await refresh([element(['mail.move'], { per_hour: 1, paths: ['/box/a'] })])).authorization_details, [kept('mail.write', ['mail.move'], { per_hour: 1, paths: ['/box/a'] })]);
		for (const wide of [element(['mail.move']), element(['mail.move'], { per_day: 21 }), element(['mail.move'], { per_hour: 5, paths: ['/boxing'] }), element(['mail.move'], { per_hour: 5, paths: ['/'] }), element(['mail.mark'], { per_day: 30 })])
			refused(await refresh([wide]), 400, 'invalid_authorization_details', /more than was granted/);
		refused(await refresh([element(['mail.draft'])]), 400, 'invalid_authorization_details');
		refused(await refresh([small], { scope: 'mail.read' }), 400, 'invalid_authorization_details');
		refused(await refresh('[{}]'), 400, 'invalid_authorization_details');
		const exchange = (subject_token, details) => agent.post('/token', { grant_type: 'urn:ietf:params:oauth:grant-type:token-exchange', subject_token,
			subject_token_type: 'urn:ietf:params:oauth:token-type:access_token', actor_label: 'part', authorization_details: details && text(details) });
		const parent = granted(await refresh([small])).access_token;
		refused(await exchange(parent, [element(['mail.move'], { per_day: 4 })]), 400, 'invalid_request');
		refused(await exchange(parent, [element(['mail.move'], { per_hour: 5, paths: ['/box'] })]), 400, 'invalid_request', /more than was granted/);
		const child = granted(await exchange(parent, [element(['mail.move'], { per_day: 2 })]));
		assert.deepEqual(claims(child.access_token).authorization_details, [kept('mail.write', ['mail.move'], { per_day: 2 })]);
		assert.deepEqual((await grantd.introspect(child.access_token)).authorization_details, [kept('mail.write', ['mail.move'], { per_day: 2 })]);
		const plain = granted(await exchange(child.access_token));
		assert.deepEqual(claims(plain.access_token).authorization_details, [kept('mail.write', ['mail.move'], { per_day: 2 })]);
	});

	test('with what was granted before never more than a token carries: refused, and nothing is used up but the code', async () => {
		const many = (scope) => Array.from({ length: 40 }, (_, i) => ({ name: `${scope}.${i}`, title: `do ${i}` }));
		const box = (name) => ({ name, title: name, risk: 'write', can: ['sort'], cannot: ['delete'], operations: many(name) });
		const uri = `${grantd.issuer}/r/many`;
		await grantd.add_resource({ name: 'many', uri, scopes: [box('one'), box('two')], introspection: [{ id: 'many-rs', secret_file: 'many-rs.secret' }] });
		const introspect = (token) => grantd.introspect(token, { id: 'many-rs' });
		const wide = await grantd.add_agent({ id: 'wide', resource: 'many', scope: 'one two', grant_types: ['authorization_code', 'refresh_token', 'token-exchange'] });
		const all_of = (scope, count = 40) => text([{ type: 'operations', locations: [uri], actions: many(scope).slice(0, count).map(({ name }) => name) }]);
		const begin = async (redeem) => {
			const wish = await wide.push({ scope: 'one two', resource: uri, authorization_details: all_of('one') });
			return wide.redeem((await alice.allow(wish.url, { scope: ['one', 'two'] })).code, wish, redeem);
		};
		const two_of = { authorization_details: all_of('two') }, fits = { authorization_details: all_of('two', 24) };
		refused(await begin(two_of), 400, 'invalid_authorization_details');
		const body = granted(await begin(fits));
		assert.equal((await introspect(body.access_token)).active, true);
		refused(await wide.refresh(body.refresh_token, two_of), 400, 'invalid_authorization_details', /than fits a token/);
		const next = granted(await wide.refresh(body.refresh_token));
		const exchange = (more) => wide.post('/token', { grant_type: 'urn:ietf:params:oauth:grant-type:token-exchange', subject_token: next.access_token,
			subject_token_type: 'urn:ietf:params:oauth:token-type:access_token', actor_label: 'part', ...more });
		refused(await exchange(two_of), 400, 'invalid_request', /than fits a token/);
		for (const given of [granted(await exchange(fits)), granted(await wide.refresh(next.refresh_token, fits))])
			assert.equal((await introspect(given.access_token)).authorization_details.flatMap(({ actions }) => actions).length, 64);
	});

	test('a client as itself has none', async () => {
		const robot = await grantd.add_agent({ id: 'robot', secret: true, redirect_uris: [], grant_types: ['client_credentials'], scope: null });
		refused(await robot.post('/token', { grant_type: 'client_credentials', authorization_details: text([element(['mail.move'])]) }), 400, undefined ?? 'invalid_authorization_details');
	});
});

describe('installations that were let in before', () => {
	// A yes of that person; what the agent got for it.
	const let_in = async (person, details, duration, scope = 'mail.read mail.write') => {
		const wish = await helper.push({ scope, ...(details && { authorization_details: text(details) }) });
		const { code } = await person.allow(wish.url, { scope: scope.split(' '), duration });
		return granted(await helper.redeem(code, wish));
	};
	const page_of = async (person) => person.get(`/account/agents/${(await person.get('/account')).html.match(/gra_[a-z2-7]{26}/)[0]}`);

	test('keep all of a scope when a yes to a part of it is for no longer, and the words say both', async () => {
		const bob = await grantd.add_person('bob');
		const whole = await let_in(bob, null, 'until-revoked', 'mail.write');
		await let_in(bob, [element(['mail.mark'])], 'until-revoked', 'mail.write');
		const page = await page_of(bob);
		assert.match(page.text, /mark messages as read/);
		assert.match(page.text, /move and mark messages/);
		assert.equal(granted(await helper.refresh(whole.refresh_token)).scope, 'mail.write');
	});

	test('do not get a scope for longer, nor back, by a yes to a part of it that does not cover what they had', async () => {
		const erin = await grantd.add_person('erin');
		const little = await let_in(erin, [element(['mail.move'], { per_day: 10 })], '1h');
		const whole = await let_in(erin, null, '1h');
		const waiting = await helper.push({ scope: 'mail.read mail.write' });
		const { code } = await erin.allow(waiting.url, { scope: ['mail.read', 'mail.write'], duration: '1h' });
		const more = await let_in(erin, [element(['mail.move'], { per_day: 20 })], '30d');
		assert.equal((await grantd.introspect(whole.access_token)).scope, 'mail.read');
		assert.equal(granted(await helper.redeem(code, waiting)).scope, 'mail.read', 'a code that was out meanwhile');
		const fresh = granted(await helper.refresh(whole.refresh_token));
		assert.equal(fresh.scope, 'mail.read');
		refused(await helper.refresh(fresh.refresh_token, { scope: 'mail.write' }), 400, 'invalid_scope');
		const kept_on = granted(await helper.refresh(little.refresh_token));
		assert.deepEqual([kept_on.scope, kept_on.authorization_details], ['mail.read mail.write', [kept('mail.write', ['mail.move'], { per_day: 10 })]]);
		let page = await page_of(erin);
		assert.match(page.text, /move messages/);
		assert.doesNotMatch(page.text, /move and mark messages/, 'nobody can any more');

		const remove = page.forms.find((form) => form.fields.some(({ name, value }) => name === 'scope' && value === 'mail.write'));
		await erin.submit(page, remove, { action: 'remove-scope' });
		await let_in(erin, [element(['mail.mark'])], '30d');
		for (const { refresh_token } of [kept_on, more]) assert.equal(granted(await helper.refresh(refresh_token)).scope, 'mail.read');
		page = await page_of(erin);
		assert.doesNotMatch(page.text, /move messages/);
	});

	test('and one that is allowed more has all of it then, and the words say so', async () => {
		const dave = await grantd.add_person('dave');
		const part = await let_in(dave, [element(['mail.move'])], 'until-revoked');
		const other = await let_in(dave, null, 'until-revoked', 'mail.read');
		const action_of = (wanted) => ({ fields }) => fields.some(({ name, value }) => name === 'action' && value === wanted);
		const widen = async ({ access_token }) => {
			const { grant_id, family_id } = claims(access_token);
			const page = await dave.get(`/account/agents/${grant_id}/installations/${family_id}`);
			await dave.submit(page, page.forms.find(action_of('widen-installation')), { action: 'widen-installation', scope: ['mail.write'] });
		};
		await widen(other);
		const whole = granted(await helper.refresh(other.refresh_token));
		assert.deepEqual([whole.scope, whole.authorization_details], ['mail.read mail.write', undefined]);
		const page = await page_of(dave);
		assert.match(page.text, /move and mark messages/);
		assert.match(page.text, /move messages/, 'the other one can still this only');
		const { refresh_token, authorization_details } = granted(await helper.refresh(part.refresh_token));
		assert.deepEqual(authorization_details, [kept('mail.write', ['mail.move'])]);

		const remove = page.forms.find((form) => action_of('remove-scope')(form) && form.fields.some(({ name, value }) => name === 'scope' && value === 'mail.write'));
		await dave.submit(page, remove, { action: 'remove-scope' });
		await widen(part);
		const all = granted(await helper.refresh(refresh_token));
		assert.deepEqual([all.scope, all.authorization_details], ['mail.read mail.write', undefined]);
	});
});

describe('from a device', () => {
	const device_type = 'urn:ietf:params:oauth:grant-type:device_code';
	let device;
	before(async () => {
		device = await grantd.add_agent({ id: 'device', redirect_uris: [], grant_types: ['device_code', 'refresh_token'], scope: 'mail.read mail.write mail.send' });
	});
	const start = (details, scope = 'mail.read mail.write') => device.post('/device_authorization', { scope, resource: grantd.mail_uri, authorization_details: text(details) });
	const poll = ({ device_code }, changes = {}) => device.post('/token', { grant_type: device_type, device_code, ...changes });
	const question = async ({ user_code }) => {
		const page = await alice.open('/device');
		return alice.submit(page, page.form_with('user_code'), { user_code });
	};
	const asked = () => [element(['mail.move'], { per_day: 20, paths: ['/box'] }), element(['mail.draft'])];

	test('refused when it asks, and nothing is kept of it', async () => {
		for (const [details, error, words, scope] of [
			['{', 'invalid_authorization_details', /not JSON/], [[element(['mail.erase'])], 'invalid_authorization_details', /no operation/],
			[[{ ...element(['mail.move']), type: 'payment_initiation' }], 'invalid_authorization_details', /type/],
			[[element(['mail.draft'])], 'invalid_authorization_details', /not asked/], [[element(['mail.mark'], { uses: 1 })], 'invalid_authorization_details', /does not take/],
			[[element(['mail.move'], undefined, { locations: [`${grantd.issuer}/r/notes`] })], 'invalid_target', /locations/, 'mail.write'],
		]) await grantd.unchanged(async () => refused(await start(details, scope), 400, error, words), { except: ['throttles'] });
	});

	test('shown in full to who types the code, carried by the token, introspection and the refreshed token', async () => {
		const { status, body, text: words } = await start(asked(), 'mail.read mail.write mail.send');
		assert.equal(status, 200, words);
		const page = await question(body);
		assert.match(page.text, /move messages · at most 20 times a day · only at and below \/box/);
		assert.match(page.text, /write drafts/);
		assert.doesNotMatch(page.text, /move and mark messages|send messages in your name/, 'not what the whole scopes could do');
		refused(await poll(body), 400, 'authorization_pending');
		await alice.decide(page, 'allow', { scope: ['mail.read', 'mail.write', 'mail.send'] });
		const all = [kept('mail.write', ['mail.move'], { per_day: 20, paths: ['/box'] }), kept('mail.send', ['mail.draft'])];
		const tokens = granted(await poll(body));
		assert.deepEqual([tokens.authorization_details, claims(tokens.access_token).authorization_details], [all, all]);
		assert.deepEqual((await grantd.introspect(tokens.access_token)).authorization_details, all);
		assert.deepEqual(claims(granted(await device.refresh(tokens.refresh_token)).access_token).authorization_details, all);
	});

	test('a yes to one of its scopes leaves the other\u2019s elements out', async () => {
		const { body } = await start(asked(), 'mail.read mail.write mail.send');
		await alice.decide(await question(body), 'allow', { scope: ['mail.read', 'mail.send'] });
		const tokens = granted(await poll(body));
		const rest = [kept('mail.send', ['mail.draft'])];
		assert.deepEqual([tokens.scope, tokens.authorization_details, claims(tokens.access_token).authorization_details], ['mail.read mail.send', rest, rest]);
		assert.deepEqual((await grantd.introspect(tokens.access_token)).authorization_details, rest);
		refused(await device.refresh(tokens.refresh_token, { authorization_details: text([element(['mail.move'])]) }), 400, 'invalid_authorization_details');
	});

	test('narrowed with the poll that fetches the tokens, and never widened', async () => {
		for (const [wish, expected] of [[element(['mail.move'], { per_day: 3, paths: ['/box/a'] }), [kept('mail.write', ['mail.move'], { per_day: 3, paths: ['/box/a'] })]],
			[element(['mail.move'], { per_day: 21, paths: ['/box'] }), null], [element(['mail.mark']), null]]) {
			const { body } = await start([element(['mail.move'], { per_day: 20, paths: ['/box'] })]);
			await alice.decide(await question(body), 'allow', { scope: ['mail.read', 'mail.write'] });
			const answer = await poll(body, { authorization_details: text([wish]) });
			if (expected) assert.deepEqual(claims(granted(answer).access_token).authorization_details, expected);
			else refused(answer, 400, 'invalid_authorization_details');
		}
	});
});

test('the largest request there can be: 4 KiB of scopes and as much of conditions, from the push to the receipt', async () => {
	const dora = await grantd.add_person('dora');
	const uri = `${grantd.issuer}/r/large`;
	const name = (i) => `s${String(i).padStart(3, '0')}.`.padEnd(i ? 63 : 64, 'n');
	const sentence = 'be read here in one sentence that is as long as sentences are, to the last of its many words'.padEnd(300, '!');
	const large_file = { name: 'large', uri, introspection: [], scopes: Array.from({ length: 64 }, (_, i) => ({ name: name(i), title: `Scope ${i}`, risk: 'read', default: i === 0, can: [sentence],
		...(i === 0 && { operations: [{ name: 'o'.repeat(64), title: 'do one thing', limits: ['paths', 'uses', 'per_day', 'per_hour'] }] }) })) };
	await grantd.add_resource(large_file);
	const scope = Array.from({ length: 64 }, (_, i) => name(i));
	assert.equal(scope.join(' ').length, 4096);
	const others = await Promise.all(Array.from({ length: 4 }, (_, i) => grantd.add_agent({ id: `h${i}`.padEnd(100, 'h'), redirect_uris: [], scope: '', resource: '', grant_types: ['token-exchange'], secret: true })));
	const large = await grantd.add_agent({ id: 'large', resource: 'large', scope: null, args: others.flatMap(({ client_id }) => ['--delegates-to', client_id]) });
	large.resource = uri;
	// as long as it may be kept: one byte more is refused
	const details = (length) => [{ type: 'operations', locations: [uri], actions: ['o'.repeat(64)], limits: { uses: 1, per_day: 1000000, per_hour: 1000000, paths: [...Array.from({ length: 7 }, (_, i) => `/${i}`.padEnd(256, 'p')), `/x${'p'.repeat(length)}`] } },
		...Array.from({ length: 6 }, (_, i) => ({ type: 'operations', locations: [uri], actions: ['o'.repeat(64)], limits: { uses: 1000000, per_day: 1000000 - i, per_hour: 1000000 } }))];
	const ask_for = (length) => large.push({ scope: scope.join(' '), authorization_details: text(details(length)) });
	// a scope more is a byte too many, and 64 are all there may be
	const longer = [...scope.slice(0, 63), `${name(63)}n`];
	await grantd.add_resource({ ...large_file, scopes: [...large_file.scopes.slice(0, 63), { ...large_file.scopes[63], name: `${name(63)}n` }] });
	refused((await large.push({ scope: longer.join(' ') })).answer, 400, 'invalid_scope', /too long/);
	await grantd.add_resource(large_file);
	let longest = 0;
	for (let step = 128; step >= 1; step /= 2) if ((await ask_for(longest + step)).answer.status === 201) longest += step;
	assert.ok(longest > 0 && longest < 254, (await ask_for(0)).answer.text);
	const wish = await ask_for(longest);
	assert.equal(wish.answer.status, 201, wish.answer.text);
	const { code } = await dora.allow(wish.url, { scope });
	const tokens = granted(await large.redeem(code, wish));
	assert.equal(tokens.scope.split(' ').length, 64);
	assert.ok(text(tokens.authorization_details).length > 4000, `${text(tokens.authorization_details).length}`);
	assert.equal(granted(await large.refresh(tokens.refresh_token)).scope, tokens.scope);
	const [row] = await grantd.rows("SELECT details FROM events WHERE kind = 'grant.allowed' ORDER BY id DESC LIMIT 1");
	const said = JSON.parse(row.details);
	assert.deepEqual([said.asked, said.scope, said.authorization_details.length], [scope.join(' '), scope.join(' '), 7]);
	assert.ok(row.details.length > 12_000, `${row.details.length}`);
	// what was kept is shown again: agent, receipt, activity, and the next question
	const { html } = await dora.get('/account');
	const address = `/account/agents/${html.match(/gra_[a-z2-7]{26}/)[0]}`;
	for (const target of [address, `${address}/receipt`, '/account/activity']) {
		const page = await dora.get(target);
		assert.equal(page.status, 200, `${target}: ${page.text.slice(0, 300)}`);
	}
	assert.ok((await dora.get(`${address}/receipt`)).text.includes(name(63)));
	const again = await ask_for(longest);
	assert.ok((await dora.allow(again.url, { scope })).code);
});

test('the agent\u2019s page says what its installations were let do: a part, once none is left that can do the whole', async () => {
	const carol = await grantd.add_person('carol');
	const let_in = async (details) => {
		const wish = await helper.push({ scope: 'mail.write', ...(details && { authorization_details: text(details) }) });
		return granted(await helper.redeem((await carol.allow(wish.url, { scope: ['mail.write'], duration: 'until-revoked' })).code, wish));
	};
	const pages = async () => {
		const { html } = await carol.get('/account');
		const address = `/account/agents/${html.match(/gra_[a-z2-7]{26}/)[0]}`;
		const page = await carol.get(address);
		const installations = [...new Set(page.html.match(/fam_[a-z2-7]{26}/g))];
		return { page: page.text, installed: await Promise.all(installations.map(async (id) => (await carol.get(`${address}/installations/${id}`)).text)) };
	};
	const whole = await let_in(), part = await let_in([element(['mail.mark'], { per_day: 4 })]);
	// both are there: the page of the agent has both, and each installation has its own
	const both = await pages();
	for (const words of [/It can mark messages as read · at most 4 times a day/, /It can move and mark messages/]) assert.match(both.page, words);
	assert.equal(both.installed.filter((one) => /move and mark messages/.test(one)).length, 1);
	assert.equal(both.installed.filter((one) => /mark messages as read · at most 4 times a day/.test(one) && !/move and mark/.test(one)).length, 1);
	await helper.revoke(whole.refresh_token);
	const rest = await pages();
	assert.match(rest.page, /It can mark messages as read · at most 4 times a day/);
	assert.doesNotMatch(rest.page, /move and mark messages/);
	// a second part is told beside it, each once
	await let_in([element(['mail.move'], { uses: 2 })]);
	await let_in([element(['mail.mark'], { per_day: 4 })]);
	const parts = (await pages()).page;
	assert.match(parts, /move messages · at most 2 times in all/);
	assert.equal(parts.match(/mark messages as read · at most 4 times a day/g).length, 1);
	assert.doesNotMatch(parts, /move and mark messages/);
	await helper.revoke(part.refresh_token);
});

test('an operation that the resource\u2019s file takes away is nobody\u2019s any more, and its scope is not whole for that', async () => {
	const both = granted(await tokens([element(['mail.mark'], { per_day: 9 }), element(['mail.move'])]));
	const one = granted(await tokens([element(['mail.move'])], { by: helper }));
	await grantd.add_resource({ scopes: scopes({ operations: [{ name: 'mail.mark', title: 'mark messages as read', limits: ['per_day'] }] }) });
	assert.deepEqual((await grantd.introspect(both.access_token)).authorization_details, [kept('mail.write', ['mail.mark'], { per_day: 9 })]);
	assert.deepEqual(granted(await agent.refresh(both.refresh_token)).authorization_details, [kept('mail.write', ['mail.mark'], { per_day: 9 })]);
	assert.deepEqual(await grantd.introspect(one.access_token), await grantd.introspect(one.access_token));
	const rest = await grantd.introspect(one.access_token);
	assert.deepEqual([rest.scope, rest.authorization_details], ['mail.read', undefined]);
	assert.equal(granted(await helper.refresh(one.refresh_token)).scope, 'mail.read');
	await grantd.add_resource({ scopes: scopes({ operations: [] }) });
	assert.equal(granted(await agent.refresh(granted(await agent.refresh(both.refresh_token)).refresh_token)).scope, 'mail.read');
});
