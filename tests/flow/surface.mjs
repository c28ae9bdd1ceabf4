// SPDX-License-Identifier: Apache-2.0
// Everything that can be asked of grantd from outside, read from its own sources: routes from the tables of the
// doors, parameters and fields from the calls that read them, members of JSON bodies from their tables. What a
// person or client would send to each route is in `sound`; a route that needs more than its path and has no line
// there is an error of whoever added it.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import http from 'node:http';
import path from 'node:path';
import { basic, forms, mail_secret, pkce } from './harness/index.mjs';
import { defaults } from './harness/html.mjs';
import { question_of } from './expect.mjs';

const src = path.resolve(import.meta.dirname, '../../src');
const texts = (folder) => fs.readdirSync(path.join(src, folder)).filter((name) => name.endsWith('.c')).map((name) => fs.readFileSync(path.join(src, folder, name), 'utf8'));
const found = (folder, pattern) => texts(folder).flatMap((text) => [...text.matchAll(pattern)].map((match) => match[1]));
const once = (list) => [...new Set(list)].sort();

// which door a route belongs to says how it is reached
const listeners = { oauth: 'public', web: 'public', admin: 'admin', grantd: 'ops' };

export const routes = Object.entries(listeners).flatMap(([room, listener]) => texts(room).flatMap((text) =>
	[...text.matchAll(/\{\s*(?:\w+,\s*)?"(GET|POST|PUT|PATCH|DELETE)",\s*"(\/[^"]*)",([^}]*)\}/g)]
		.map(([, method, at, rest]) => ({ room, listener, method, path: at, is_form: rest.includes('ROUTE_FORM'), is_json: rest.includes('ROUTE_JSON') }))));

// names that the rooms read: of form and query parameters, and of members of bodies
const by_form = /\bform_[a-z_]+\([^,()]+,\s*"([^"]+)"/g;
export const parameters = { oauth: once([...found('oauth', by_form), 'resource', 'access_token']), web: once(found('web', by_form)), admin: once(found('admin', by_form)), grantd: once(found('grantd', by_form)) };
export const members = once(found('admin', /\{\s*"([a-z_]+)",\s*MEMBER_/g));
// header fields that anything of grantd reads, and what others call theirs
const by_field = (folder) => found(folder, /\bSTR(?:_INIT)?\("([A-Z][A-Za-z0-9]*(?:-[A-Z][A-Za-z0-9]*)*)"\)/g);
export const fields = once(['oauth', 'web', 'admin', 'grantd', 'http'].flatMap(by_field).map((name) => name.toLowerCase()))
	.filter((name) => !['host', 'content-length', 'transfer-encoding', 'connection', 'content-type', 'expect', 'upgrade', 'te', 'trailer', 'keep-alive'].includes(name));
export const foreign_fields = ['proxy-authorization', 'dpop', 'forwarded', 'x-forwarded-for', 'x-forwarded-host', 'x-real-ip', 'x-api-key', 'x-auth-token', 'x-csrf-token', 'x-request-id',
	'traceparent', 'referer', 'from', 'via', 'range', 'if-match', 'accept', 'accept-encoding', 'x-secret'];

// parameters whose values are secrets by their nature, as the sources say too
export const secret_parameters = once([...found('oauth', /STR_INIT\("([a-z_]+)"\)/g), 'password', 'new_password', 'csrf', 'session', 'client_secret']);

// { path, query, form, json, headers }: pairs in lists; path: what stands for {…}, several as a list
const none = async () => ({});
const agent_id = async ({ alice }) => ({ path: (await alice.get('/account')).html.match(/gra_[a-z2-7]{26}/)[0] });
const installation_of = async (world) => {
	const { path: grant } = await agent_id(world);
	return [grant, (await world.alice.get(`/account/agents/${grant}`)).html.match(/installations\/(fam_[a-z2-7]{26})/)[1]];
};
const authorization = async ({ agent }) => ({ query: [...new URL(agent.authorization().url).searchParams] });
const client = (parameters) => async ({ agent }) => ({ form: [['client_id', agent.client_id], ...Object.entries(parameters(agent))] });
const as_mail = async ({ tokens }) => ({ form: [['token', tokens.access_token]], headers: [['authorization', basic('mail-rs', mail_secret)]] });
const bearer = async ({ signed_in }) => ({ headers: [['authorization', `Bearer ${signed_in.access_token}`]] });

// the form that the page shows, filled in as far as it is by itself
const form_of = (page_of, name) => async (world) => {
	const page = await page_of(world);
	const form = page.forms.find((one) => one.method === 'post' && one.fields.some((field) => field.name === name));
	assert.ok(form, `no form with ${name} on ${page.url}`);
	const button = form.fields.find((field) => field.kind === 'submit' && field.name);
	return { query: [...new URL(form.action, page.url).searchParams], form: [...defaults(form), ...(button ? [[button.name, button.value]] : [])] };
};
const page = (at) => ({ alice }) => alice.get(at);
const with_agent = (make) => async (world) => ({ ...await make(world), ...await agent_id(world) });
const consent_page = ({ alice, agent }) => alice.get(agent.authorization().url);
const registrable = { redirect_uris: ['http://127.0.0.1/callback'], token_endpoint_auth_method: 'none', grant_types: ['authorization_code', 'refresh_token'] };
let made = 0;

// A device without a browser: its question, alice's page for it, and her no.
const device_form = ({ television }) => ({ form: [['client_id', television.client_id], ['scope', 'mail.read'], ['resource', television.resource]] });
const device_code = async ({ television }) => (await television.post('/device_authorization', { scope: 'mail.read', resource: television.resource })).body;
const device_page = async (world) => world.alice.get(`/device?user_code=${(await device_code(world)).user_code}`);
let done; // once: codes that are typed wrong are counted
const device_done = async (world) => done ??= await answer_device(world);
const answer_device = async (world) => {
	const asked = await device_page(world);
	const answered = await world.alice.decide(await world.alice.submit(asked, asked.form_with('user_code')), 'deny');
	return { query: [...answered.url.searchParams] };
};

// One that registered itself just now, and keeps its registration.
const registered = async ({ grantd }) =>
	(await grantd.fetch(`${grantd.issuer}/register`, { method: 'POST', body: JSON.stringify(registrable), headers: { 'content-type': 'application/json' } })).json();
const kept = (more = () => ({})) => async (world) => {
	const client = await registered(world);
	return { path: client.client_id, headers: [['authorization', `Bearer ${client.registration_access_token}`]], ...more(client) };
};

// An agent that nobody registered, known by the operator's copy of its document.
const published = 'https://agent.example/client.json';
const document_of = (url) => JSON.stringify({ client_id: url, client_name: 'Published', redirect_uris: ['https://agent.example/callback'], token_endpoint_auth_method: 'none' });
const pinned = async ({ grantd }) => {
	const url = `https://agent.example/client${++made}.json`, file = path.join(grantd.home, 'document.json');
	fs.writeFileSync(file, document_of(url));
	await grantd.operate(['client', 'pin', url, '--file', file]);
	return { path: url };
};

export const sound = {
	'GET /jwks/{file}': async () => ({ path: 'own.json' }),
	'GET /static/{file}': async ({ alice }) => ({ path: (await alice.get('/account')).html.match(/\/static\/([^"?]+\.css)/)[1] }),
	'GET /authorize': [authorization, async ({ agent }) => ({ query: [...new URL((await agent.push()).url).searchParams] })],
	'POST /authorize': async (world) => ({ form: (await authorization(world)).query }),
	'POST /par': async ({ agent }) => ({ form: [...new URL(agent.authorization().url).searchParams] }),
	'POST /token': [
		client(() => ({ grant_type: 'authorization_code', code: 'gac_x', redirect_uri: 'http://127.0.0.1/callback', code_verifier: pkce().verifier })),
		async ({ agent, tokens }) => ({ form: [['client_id', agent.client_id], ['grant_type', 'refresh_token'], ['refresh_token', tokens.refresh_token]] }),
		async ({ robot }) => ({ form: [['grant_type', 'client_credentials']], headers: [['authorization', basic(robot.client_id, robot.client_secret)]] }),
		async (world) => ({ form: [['client_id', world.television.client_id], ['grant_type', 'urn:ietf:params:oauth:grant-type:device_code'],
			['device_code', (await device_code(world)).device_code]] }),
		async ({ poster }) => ({ form: [['grant_type', 'client_credentials'], ['client_id', poster.client_id], ['client_secret', poster.client_secret]] }),
	],
	'POST /device_authorization': async (world) => device_form(world),
	'POST /introspect': as_mail,
	'POST /revoke': client(() => ({ token: 'grt_x' })),
	'GET /userinfo': bearer,
	'POST /userinfo': bearer,
	'POST /register': async () => ({ json: { ...registrable, client_name: `Robot ${++made}` } }),
	'GET /register/{id}': kept(),
	'PUT /register/{id}': kept((client) => ({ json: { ...registrable, client_id: client.client_id } })),
	'DELETE /register/{id}': kept(),
	'GET /login': async () => ({ query: [['next', '/account/activity']] }),
	'POST /login': form_of(page('/login?again=1'), 'password'),
	'POST /logout': form_of(page('/logout'), 'csrf'),
	'GET /consent': async (world) => ({ query: [...question_of(await consent_page(world)).searchParams] }),
	'POST /consent': form_of(consent_page, 'decision'),
	'POST /device': form_of(device_page, 'user_code'),
	'GET /device/done': device_done,
	'POST /account': form_of(page('/account'), 'action'),
	'GET /account/agents/{id}': agent_id,
	'POST /account/agents/{id}': with_agent(form_of(async (world) => world.alice.get(`/account/agents/${(await agent_id(world)).path}`), 'action')),
	'GET /account/agents/{id}/installations/{family}': async (world) => ({ path: await installation_of(world) }),
	'POST /account/agents/{id}/installations/{family}': async (world) => {
		const [grant, family] = await installation_of(world);
		return { ...await form_of(page(`/account/agents/${grant}/installations/${family}`), 'name')(world), path: [grant, family] };
	},
	'GET /account/agents/{id}/revoke': agent_id,
	'GET /account/agents/{id}/receipt': agent_id,
	'POST /account/security': form_of(page('/account/security'), 'new_password'),
	'POST /v1/reload': none,
	'POST /v1/users': async () => ({ json: { username: `person${++made}`, email: `person${made}@example.org`, password: 'a password long enough' } }),
	'GET /v1/users/{name}': async () => ({ path: 'bob' }),
	'POST /v1/users/{name}/disable': async () => ({ path: 'bob' }),
	'POST /v1/users/{name}/enable': async () => ({ path: 'bob' }),
	'POST /v1/users/{name}/password': async () => ({ path: 'bob', json: { password: 'a password long enough' } }),
	'POST /v1/clients': async () => ({ json: { client_id: `client${++made}`, name: 'A client', redirect_uris: ['https://app.example/cb'], public: false,
		client_secret: 'a-secret-of-at-least-32-characters-here', grant_types: ['authorization_code'], scope: 'mail.read', resource: 'mail' } }),
	'GET /v1/clients/{id}': async () => ({ path: 'robot' }),
	'PATCH /v1/clients/{id}': async () => ({ path: 'spare', json: { name: 'Spare', client_secret: 'a-secret-of-at-least-32-characters-here' } }),
	'DELETE /v1/clients/{id}': async (world) => ({ path: (await registered(world)).client_id }),
	'POST /v1/clients/{id}/disable': async () => ({ path: 'spare' }),
	'POST /v1/clients/{id}/enable': async () => ({ path: 'spare' }),
	'POST /v1/clients/{id}/pin': async () => ({ path: published, json: { document: document_of(published) } }),
	'POST /v1/clients/{id}/unpin': pinned,
	'POST /v1/register-tokens': async () => ({ json: { name: 'a team', uses: 2, expires_in: 60 } }),
	'POST /v1/register-tokens/{id}/revoke': async ({ grantd }) => ({ path: (await grantd.operate(['client', 'register-token'])).id }),
	'GET /v1/grants/{id}': async ({ grants }) => ({ path: grants[0].id }),
	'POST /v1/grants/{id}/pause': async ({ grants }) => ({ path: grants.at(-1).id }),
	'POST /v1/grants/{id}/resume': async ({ grants }) => ({ path: grants.at(-1).id }),
	'POST /v1/grants/{id}/revoke': async ({ grants }) => ({ path: grants.at(-1).id }),
	'GET /v1/events': async () => ({ query: [['limit', '2']] }),
	'GET /v1/events/{id}': async ({ events }) => ({ path: events[0].id }),
	'POST /v1/backup': async ({ grantd }) => ({ json: { file: `${grantd.dir}/backups/backup${++made}` } }),
	'POST /v1/keys/rotate': async () => ({ json: { purpose: 'id' } }),
	'POST /v1/root-keys/rewrap': none,
	'GET /v1/resources/{name}': async () => ({ path: 'mail' }),
	'PUT /v1/resources/{name}': async () => ({ path: 'spare', json: { name: 'spare', uri: 'https://spare.example/', title: 'Spare', scopes: [{ name: 'a', title: 'A', can: ['a'] }] } }),
	'DELETE /v1/resources/{name}': async () => ({ path: 'spare' }),
};

export const name_of = (route) => `${route.method} ${route.path}`;

// What a well-formed request of the route looks like: one or several.
export function makers(route) {
	const made_by = sound[name_of(route)];
	assert.ok(made_by || (route.method === 'GET' && !route.path.includes('{')), `${name_of(route)} is new: tests/flow/surface.mjs must say what a sound request of it is`);
	return [made_by ?? none].flat();
}

// Names in `sound` that no route has any more.
export const stale = () => Object.keys(sound).filter((name) => !routes.some((route) => name_of(route) === name));

// An instance with something of everything: alice with a grant, bob, clients, resources, events.
export async function furnish(grantd) {
	// one that waits to become the current one
	assert.equal((await grantd.grantd(['root-key', 'add', '--dir', grantd.dir])).status, 0);
	await grantd.restart();
	await grantd.add_resource({ scopes: [
		{ name: 'mail.read', title: 'Read your mail', risk: 'read', default: true, can: ['read'], cannot: ['write'] },
		{ name: 'mail.count', title: 'Count mail', risk: 'read', clients: true, can: ['count'], cannot: ['read'] },
	] });
	await grantd.add_resource({ name: 'own', uri: `${grantd.issuer}/r/own`, token: { typ: 'JWT', alg: 'RS256' }, introspection: [] });
	const [alice, bob, agent, robot] = [await grantd.add_person('alice'), await grantd.add_person('bob'), await grantd.add_agent({ scope: 'mail.read' }),
		await grantd.add_agent({ id: 'robot', secret: true, scope: 'mail.count', redirect_uris: [], grant_types: ['client_credentials'] })];
	await grantd.add_agent({ id: 'spare', secret: true, scope: 'mail.read', redirect_uris: ['https://spare.example/cb'] });
	const poster = await grantd.add_agent({ id: 'poster', secret: true, scope: 'mail.count', redirect_uris: [], grant_types: ['client_credentials'], args: ['--auth', 'client_secret_post'] });
	const television = await grantd.add_agent({ id: 'television', scope: 'mail.read', redirect_uris: [], grant_types: ['device_code', 'refresh_token'] });
	const app = await grantd.add_agent({ id: 'app', scope: 'openid profile email', resource: null });
	const signed_in = await app.tokens(alice, { changes: { resource: null } });
	const [tokens] = [await agent.tokens(alice), await agent.tokens(bob)];
	const grants = await grantd.operate(['grant', 'list']);
	grants.sort((one, other) => Number(one.user === 'bob') - Number(other.user === 'bob'));
	return { grantd, alice, bob, agent, robot, poster, television, tokens, signed_in, grants, events: await grantd.operate(['event', 'list']) };
}

const plain_agent = new http.Agent({ keepAlive: true, maxSockets: 16 });

function ask_plain(options, body) {
	return new Promise((resolve, reject) => {
		const request = http.request({ agent: plain_agent, ...options }, (answer) => {
			const parts = [];
			answer.on('data', (part) => parts.push(part));
			answer.on('error', reject);
			answer.on('end', () => resolve({ status: answer.statusCode, headers: JSON.stringify(answer.headers), text: Buffer.concat(parts).toString('latin1') }));
		});
		request.on('error', reject);
		request.end(body);
	});
}

// Sends a request of the route; `wish` as `sound` makes it. { status, headers, text }
export async function send(world, route, wish) {
	const { grantd } = world;
	const query = wish.query?.length ? `?${new URLSearchParams(wish.query)}` : '';
	const parts = [wish.path ?? ''].flat();
	const target = route.path.replace(/\{\w+\}/g, () => encodeURIComponent(parts.shift())) + query;
	const body = wish.raw ?? (wish.form ? new URLSearchParams(wish.form).toString() : wish.json ? JSON.stringify(wish.json) : undefined);
	const headers = {};
	if (route.room === 'web' || route.path === '/authorize') headers.cookie = world.alice.cookies.header;
	if (route.is_form) headers['content-type'] = 'application/x-www-form-urlencoded';
	if (route.is_json) headers['content-type'] = 'application/json';
	for (const [name, value] of wish.headers ?? []) headers[name] = value;
	if (body !== undefined) headers['content-length'] = Buffer.byteLength(body);
	if (route.listener === 'admin') return ask_plain({ socketPath: path.join(grantd.dir, 'admin.sock'), path: target, method: route.method, headers: { host: 'grantd', ...headers } }, body);
	if (route.listener === 'ops') return ask_plain({ host: '127.0.0.1', port: grantd.port + 1, path: target, method: route.method, headers }, body);
	const answer = await grantd.fetch(new URL(target, grantd.issuer), { method: route.method, body, raw_headers: new Map(Object.entries(headers)) });
	return { status: answer.status, headers: JSON.stringify([...answer.headers]), text: await answer.text() };
}
