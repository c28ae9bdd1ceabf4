// SPDX-License-Identifier: Apache-2.0
// The dashboard's buttons, as a person presses them: what each does, and that nobody else can press it.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { granted, refused } from './expect.mjs';
import { Instance } from './harness/index.mjs';

let grantd, alice, mallory, agent;
before(async () => {
	grantd = await Instance.start(null);
	({ alice, agent } = await grantd.furnish());
	mallory = await grantd.add_person('mallory');
	await alice.sign_in();
	await mallory.sign_in();
});
after(() => grantd.dispose());

const button_of = (page, action) => page.forms.find((form) => form.fields.some((field) => field.name === 'action' && field.value === action));
const field = (form, name) => form.fields.find((one) => one.name === name).value;
const grant_id = async (client = 'mail-agent') => (await grantd.operate(['grant', 'list', '--user', 'alice'])).find((grant) => grant.client_id === client && grant.status !== 'revoked').id;
const agent_page = (person, id) => person.open(`/account/agents/${id}`);
const security = (person) => person.get('/account/security'); // whose form looks like that of /login
const events_of = async (kind) => (await grantd.operate(['event', 'list', '--limit', '200'])).filter((event) => event.kind === kind);
const press = (person, page, action, fill = {}) => person.submit(page, button_of(page, action), { ...fill, action }, { follow: false });
const dead = { active: false };

// Nothing happens, but that a form from elsewhere is written down.
async function refuses(status, action) {
	const answer = await grantd.unchanged(action);
	assert.equal(answer.status, status, answer.text.slice(0, 300));
}

// What nobody may do with the button: without its form's own csrf, from another page, as somebody else.
async function is_guarded(open, action, fill = {}) {
	const page = await open(alice), own = button_of(page, action);
	assert.ok(own, `${action} is on the page`);
	const elsewhere = (await alice.open('/logout')).form_with('csrf');
	for (const csrf of [null, '', 'x', field(elsewhere, 'csrf'), field((await security(mallory)).form_with('csrf'), 'csrf')])
		await refuses(403, () => press(alice, page, action, { ...fill, csrf }));
	await refuses(403, () => alice.submit(page, own, { ...fill, action }, { follow: false, headers: { 'sec-fetch-site': 'cross-site' } }));
	await refuses(403, () => alice.submit(page, own, { ...fill, action }, { follow: false, headers: { origin: 'https://evil.example' } }));
	await refuses(400, () => alice.submit(page, own, { ...fill, action: 'no-such-action' }, { follow: false }));
	// with the page's form, but another's session: its csrf is not theirs
	await refuses(403, () => mallory.submit(page, own, { ...fill, action }, { follow: false }));
	return page;
}

test('set-duration: the end is moved, tokens do not outlive it, and the person reads that it was done', async () => {
	const tokens = await agent.tokens(alice, { scope: ['mail.read'], duration: 'until-revoked' });
	const id = await grant_id();
	const open = (person) => agent_page(person, id);
	const page = await is_guarded(open, 'set-duration', { duration: '1h' });
	for (const duration of ['', '1', 'forever', '999d', null]) await refuses(400, () => press(alice, page, 'set-duration', { duration }));
	const done = await press(alice, page, 'set-duration', { duration: '1h' });
	assert.equal(done.status, 303);
	assert.match((await alice.open(done.headers.get('location'))).html, /role="status"/);
	const [grant] = await grantd.operate(['grant', 'list', '--user', 'alice']);
	const left = Date.parse(grant.expires_at) - Date.now();
	assert.ok(left > 3_400_000 && left <= 3_600_000, grant.expires_at);
	assert.equal((await events_of('grant.end_changed')).filter((event) => event.grant_id === id).length, 1);
	assert.ok(granted(await agent.refresh(tokens.refresh_token)).authorization_expires_in <= 3600);
});

test('remove-scope: what was taken away is in no token any more, and what is left goes on', async () => {
	const tokens = await agent.tokens(alice, { scope: ['mail.read', 'mail.send'] });
	const id = await grant_id();
	const page = await is_guarded((person) => agent_page(person, id), 'remove-scope', { scope: 'mail.send' });
	for (const scope of ['', null]) await refuses(400, () => press(alice, page, 'remove-scope', { scope }));
	await refuses(404, () => press(alice, page, 'remove-scope', { scope: 'mail.delete' }));
	assert.equal((await press(alice, page, 'remove-scope', { scope: 'mail.send' })).status, 303);
	assert.deepEqual((await grantd.operate(['grant', 'show', id])).permissions.map(({ scope }) => scope), ['mail.read']);
	assert.equal(granted(await agent.refresh(tokens.refresh_token)).scope, 'mail.read');
});

test('pause and resume: tokens rest, and go on', async () => {
	const tokens = await agent.tokens(alice, { scope: ['mail.read'] });
	const id = await grant_id();
	const page = await is_guarded((person) => agent_page(person, id), 'pause');
	assert.equal((await press(alice, page, 'pause')).status, 303);
	assert.deepEqual(await grantd.introspect(tokens.access_token), dead);
	refused(await agent.refresh(tokens.refresh_token), 503, 'temporarily_unavailable');
	const paused = await is_guarded((person) => agent_page(person, id), 'resume');
	assert.equal((await press(alice, paused, 'resume')).status, 303);
	assert.equal((await grantd.introspect(tokens.access_token)).active, true);
	granted(await agent.refresh(tokens.refresh_token));
});

test('end-installation: one copy of the agent is signed out, another goes on', async () => {
	const one = await agent.tokens(alice, { scope: ['mail.read'] });
	const other = await agent.tokens(alice, { scope: ['mail.read'] });
	const family = JSON.parse(Buffer.from(one.access_token.split('.')[1], 'base64url')).family_id;
	const id = await grant_id();
	const page = await is_guarded((person) => agent_page(person, id), 'end-installation', { installation: family });
	for (const installation of ['', 'x', 'fam_aaaaaaaaaaaaaaaaaaaaaaaaaa', null]) await refuses(404, () => press(alice, page, 'end-installation', { installation }));
	// another person's installation by alice's own form
	const theirs = await agent.tokens(mallory, { scope: ['mail.read'] });
	const their_family = JSON.parse(Buffer.from(theirs.access_token.split('.')[1], 'base64url')).family_id;
	await refuses(404, () => press(alice, page, 'end-installation', { installation: their_family }));
	assert.equal((await grantd.introspect(theirs.access_token)).active, true);
	assert.equal((await press(alice, page, 'end-installation', { installation: family })).status, 303);
	assert.deepEqual(await grantd.introspect(one.access_token), dead);
	refused(await agent.refresh(one.refresh_token), 400, 'invalid_grant');
	assert.equal((await grantd.introspect(other.access_token)).active, true);
	granted(await agent.refresh(other.refresh_token));
});

test('revoke: asked once more, then everything of the agent ends', async () => {
	const tokens = await agent.tokens(alice, { scope: ['mail.read'] });
	const id = await grant_id();
	const page = await is_guarded((person) => agent_page(person, id), 'revoke', { confirm: 'yes' });
	const asked = await grantd.unchanged(() => press(alice, page, 'revoke'));
	assert.deepEqual([asked.status, asked.headers.get('location')], [303, `/account/agents/${id}/revoke`]);
	assert.equal((await grantd.introspect(tokens.access_token)).active, true);
	assert.equal((await press(alice, page, 'revoke', { confirm: 'yes' })).status, 303);
	assert.deepEqual(await grantd.introspect(tokens.access_token), dead);
	refused(await agent.refresh(tokens.refresh_token), 400, 'invalid_grant');
});

test('another person\'s agent is not there: its page, its receipt and its buttons answer 404', async () => {
	await agent.tokens(alice, { scope: ['mail.read'] });
	const id = await grant_id();
	for (const path of ['', '/revoke', '/receipt']) await refuses(404, () => mallory.open(`/account/agents/${id}${path}`));
	await agent.tokens(mallory, { scope: ['mail.read'] });
	const theirs = (await grantd.operate(['grant', 'list', '--user', 'mallory'])).find((grant) => grant.status === 'active').id;
	const page = await agent_page(mallory, theirs);
	for (const action of ['pause', 'revoke', 'set-duration']) {
		const form = { ...button_of(page, action), action: `/account/agents/${id}` };
		// the form is bound to the agent of its page
		await refuses(403, () => mallory.submit(page, form, { action, confirm: 'yes', duration: '1h' }, { follow: false }));
	}
});

test('sessions: one is ended, then all others, and the one that asked goes on', async () => {
	const elsewhere = async () => {
		const copy = Object.assign(Object.create(Object.getPrototypeOf(alice)), alice, { cookies: new alice.cookies.constructor() });
		await copy.sign_in();
		return copy;
	};
	const is_in = async (person) => (await person.get('/account', { follow: false })).status === 200;
	const [first, second, third] = [await elsewhere(), await elsewhere(), await elsewhere()];
	const page = await security(alice);
	const sessions = page.forms.filter((form) => form.fields.some((one) => one.name === 'session'));
	assert.ok(sessions.length >= 3);
	await is_guarded(security, 'end-session');
	const [theirs] = (await grantd.rows("SELECT hash FROM sessions s JOIN users u ON u.id = s.user_id WHERE u.username = 'mallory'")).map(({ hash }) => Buffer.from(hash).toString('base64url'));
	for (const session of ['', 'x', theirs, null]) await refuses(404, () => press(alice, page, 'end-session', { session }));
	assert.ok(await is_in(mallory));
	assert.equal((await press(alice, page, 'end-session')).status, 303);
	assert.equal((await Promise.all([first, second, third].map(is_in))).filter(Boolean).length, 2, 'one of them');
	const all = await is_guarded(security, 'sign-out-everywhere');
	assert.equal((await press(alice, all, 'sign-out-everywhere')).status, 303);
	assert.deepEqual(await Promise.all([first, second, third, mallory].map(is_in)), [false, false, false, true]);
});

test('who asks in the name of an agent that is allowed already is told apart, and only reading starts ticked', async () => {
	const scopes = ['read', 'write', 'send'].map((risk) => ({ name: `notes.${risk}`, title: `${risk} notes`, risk, default: true, can: [`${risk} notes`], cannot: ['anything else'] }));
	const { uri } = await grantd.add_resource({ name: 'notes', uri: `${grantd.issuer}/r/notes`, introspection: [], scopes });
	const scribe = await grantd.add_agent({ id: 'scribe', name: 'Scribe', resource: 'notes', scope: scopes.map(({ name }) => name).join(' ') });
	const question = async () => {
		const page = await alice.open(scribe.authorization({ resource: uri, scope: scopes.map(({ name }) => name).join(' ') }).url);
		const ticked = page.form_with('decision').fields.filter(({ name, is_checked }) => name === 'scope' && is_checked).map(({ value }) => value);
		return { page, ticked };
	};
	const first = await question();
	assert.deepEqual(first.ticked, ['notes.read', 'notes.write']);
	assert.doesNotMatch(first.page.text, /Another program/);
	assert.ok((await alice.decide(first.page, 'allow', { scope: ['notes.read', 'notes.write'] })).left.searchParams.get('code'));
	const again = await question();
	assert.deepEqual(again.ticked, ['notes.read']);
	assert.match(again.page.text, /Another program that calls itself Scribe/);
});
