// SPDX-License-Identifier: Apache-2.0
//
// make demo: a person lets one agent read their mail, and stops it. Real parts only: grantd over HTTPS,
// Dovecot as the mail server, a browser (AUTO=1: headless Chromium), and `grant`, the agent's command. Each
// step checks what it shows; the first that fails ends the demo with a status that is not 0.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import path from 'node:path';
import { Imap, parse_message } from './imap.mjs';
import { RealPerson, RobotPerson } from './person.mjs';
import { say } from './say.mjs';
import { World } from './world.mjs';

const AUTO = Boolean(process.env.AUTO);
const PATIENCE_MS = AUTO ? 20_000 : 15 * 60_000;
let world, person, agent_imap;
const logins = [];

// Opens a session at the mail server with the agent's token; answers it with the server's reply.
async function open_mailbox(user, token) {
	const imap = await Imap.connect(world.mail_port);
	const reply = await imap.login(user, token);
	return { imap, reply };
}

async function must_refuse_login(user, token) {
	const { imap, reply } = await open_mailbox(user, token);
	imap.close();
	assert.equal(reply.ok, false, `Dovecot let ${user} in`);
	assert.match(reply.line, /^NO \[AUTHENTICATIONFAILED\]/);
	say.refused('Dovecot', `${reply.line}${reply.challenge ? `   ${reply.challenge}` : ''}`);
}

async function token_of_agent(agent) {
	const { status, stdout, stderr } = await world.grant(['token'], agent);
	assert.equal(status, 0, stderr);
	return stdout.trim();
}

// `grant login` waits for the person. Its only output is the address; with --device, address and code.
function start_login(client, agent = 'agent', how = undefined) {
	const { file, words } = world.grant_login(client, how);
	const child = spawn(file, words, { env: world.grant_env(agent), stdio: ['ignore', 'pipe', 'pipe'] });
	let stdout = '', stderr = '', wake;
	const address = new Promise((resolve, reject) => { wake = { resolve, reject }; });
	const look = () => {
		const device = /\t(https:\/\/\S+\/device)\n[^]*\t([A-Z]{4}-[A-Z]{4})\n/.exec(stderr);
		if (how === '--device' && device) wake.resolve({ url: device[1], code: device[2] });
		if (how !== '--device' && stdout.includes('\n')) wake.resolve(stdout.split('\n')[0]);
	};
	child.stdout.on('data', (text) => { stdout += text; look(); });
	child.stderr.on('data', (text) => { stderr += text; look(); });
	const ended = new Promise((resolve) => child.on('close', (status) => {
		wake.reject(new Error(`grant login ended (${status}): ${stderr}`));
		resolve({ status, stderr });
	}));
	logins.push(child);
	return { address, ended };
}

// The subjects of what this agent may read.
async function read_mailbox(agent) {
	const { imap, reply } = await open_mailbox('alice', await token_of_agent(agent));
	assert.equal(reply.ok, true, reply.line);
	assert.ok((await imap.command('SELECT INBOX')).ok);
	const { literals } = await imap.command('FETCH 1:* (BODY.PEEK[])');
	imap.close();
	assert.equal(literals.length, 3);
	return literals.map((literal) => parse_message(literal).fields.subject);
}

const steps = [
	['grantd starts', async () => {
		await world.check_name();
		await world.start_grantd();
		say.why(`It listens on ${world.issuer} with a certificate of its own authority and keeps everything in\none SQLite file under ${world.dir}.`);
	}],
	['a mail server starts that asks grantd about each token', async () => {
		await world.start_dovecot();
		await world.add_people();
		await world.add_mail();
		await world.add_agent();
		say.why(`Dovecot on 127.0.0.1:${world.mail_port} takes OAUTHBEARER and XOAUTH2 and nothing else. alice has three\nmessages, bob has one. The operator has registered one agent, "Mail Reader"; it has no secret.`);
	}],
	['without a token the agent reads nothing', async () => {
		say.why('Nobody has allowed anything yet. The mail server takes no password, asks grantd about a token that\nsomebody made up, and hears that it is not active; the agent itself has none to show.');
		const imap = await Imap.connect(world.mail_port);
		const bare = await imap.command('SELECT INBOX');
		imap.close();
		assert.equal(bare.ok, false);
		say.refused('Dovecot', bare.line);
		await must_refuse_login('alice', 'a-token-that-nobody-issued');
		const { status, stderr } = await world.grant(['token']);
		assert.equal(status, 1);
		say.refused('grant', stderr.trim());
	}],
	['the agent asks, the person decides', async () => {
		const login = start_login('mail-agent');
		const address = await login.address;
		say.why('The agent ran `grant login`. Its address names the agent, the mailbox and mail.read; the key to\nthe answer (PKCE) stays with the agent. alice signs in at grantd, not at the agent, and reads what\nit would be able to do.');
		const seen = await person.allow(address, world.alice);
		const { status, stderr } = await login.ended;
		assert.equal(status, 0, stderr);
		if (seen) assert.equal(seen.heading, 'Signed in');
		say.said('grant', stderr.trim());
		const { stdout } = await world.grant(['list']);
		assert.match(stdout, /^active .*mail\.read/);
		say.said('grant list', stdout.trim());
	}],
	['the agent reads the mailbox of this person', async () => {
		say.why('The agent has a token of its own, for this mailbox and for minutes. Dovecot asks grantd what it is\nworth before it opens the mailbox.');
		const opened = await open_mailbox('alice', await token_of_agent());
		agent_imap = opened.imap;
		assert.equal(opened.reply.ok, true, opened.reply.line);
		say.said('Dovecot', opened.reply.line.replace(/\[CAPABILITY [^\]]*\] /, ''));
		assert.ok((await agent_imap.command('SELECT INBOX')).ok);
		const { literals } = await agent_imap.command('FETCH 1:* (BODY.PEEK[])');
		assert.equal(literals.length, 3);
		const messages = literals.map(parse_message);
		for (const { fields } of messages) say.why(`- ${fields.date}   ${fields.subject}`);
		assert.match(messages[0].text, /^Hello Alice/);
		say.aside(messages[0].text);
	}],
	["another person's mailbox is refused", async () => {
		say.why('The same token, but for bob: grantd tells Dovecot whose token it is.');
		await must_refuse_login('bob', await token_of_agent());
	}],
	['writing is refused', async () => {
		say.why('alice allowed mail.read and nothing else, and the mail server lets such a token look and read.');
		const before = world.dovecot.messages('alice');
		for (const [words, literal] of [['APPEND INBOX {26}', 'Subject: planted\r\n\r\nplanted'], ['CREATE Forwarded']]) {
			const reply = await agent_imap.command(words, { literal });
			assert.equal(reply.ok, false);
			say.refused('Dovecot', `${words.split(' ')[0]}: ${reply.line}`);
		}
		assert.deepEqual(world.dovecot.messages('alice'), before);
	}],
	['the person sees the agent on their dashboard', async () => {
		say.why('What it may do, since when, until when, and what it has done: that is at /account, with a button to\npause it and one to stop it.');
		const text = await person.look(world.issuer, 'Mail Reader');
		if (text === undefined) return;
		assert.match(text, /Mail Reader/);
		assert.match(text, /Read your mail/);
		say.said('grantd', text.split('\n').filter((line) => /Read your mail|see folders|send, change|Ends|ends/.test(line)).map((line) => line.trim()).join(' · '));
	}],
	['the person revokes, and the open session ends', async () => {
		say.why('The agent still has an IMAP session open. When alice revokes, grantd runs what the mail resource\ndeclares as its on_stop: doveadm kick alice.');
		const hung_up = agent_imap.unasked(PATIENCE_MS);
		await person.revoke();
		const lines = await hung_up;
		assert.equal(agent_imap.is_closed, true, 'the session is still open');
		for (const line of lines) say.said('Dovecot', line);
		assert.match(lines.join('\n'), /^\* BYE /m);
	}],
	['from now on the same token is refused', async () => {
		say.why('Its time is not up, but Dovecot asks grantd at each login, and grantd says that it is not active.');
		await must_refuse_login('alice', await token_of_agent());
	}],
	['and so is a new one', async () => {
		say.why('The refresh token ended with the grant. The agent has to ask alice again, and she reads a consent\npage again.');
		const { status, stdout, stderr } = await world.grant(['token', '--fresh']);
		assert.equal(status, 1);
		assert.equal(stdout, '');
		assert.match(stderr, /invalid_grant/);
		say.refused('grantd, by way of grant', stderr.trim());
	}],
	['an agent that nobody registered asks', async () => {
		say.why('It registers itself, as MCP clients do. Nobody has verified what it calls itself, and the page says\nso: alice decides about a claim, not about a name.');
		const client = await world.register({ client_name: 'Helpful Robot', redirect_uris: ['http://127.0.0.1/callback'],
			token_endpoint_auth_method: 'none', grant_types: ['authorization_code', 'refresh_token'] });
		say.said('grantd', `client_id ${client.client_id}`);
		const login = start_login(client.client_id, 'robot');
		const seen = await person.allow(await login.address, world.alice);
		const { status, stderr } = await login.ended;
		assert.equal(status, 0, stderr);
		if (seen) {
			assert.match(seen.asked, /Nobody has verified/i);
			say.said('grantd', seen.asked.split('\n').find((line) => /verified/i.test(line)).trim());
		}
		say.said('Dovecot', `gives it ${(await read_mailbox('robot')).length} messages`);
	}],
	['an agent on a device without a browser asks', async () => {
		say.why('A printer has no browser. `grant login --device` shows an address and a code; alice types the code in\na browser of her own. The page asks whether it was she who started this.');
		await world.add_device();
		const login = start_login('mail-printer', 'printer', '--device');
		const { url, code } = await login.address;
		say.said('grant', `${url}   ${code}`);
		const seen = await person.allow_device(url, code);
		const { status, stderr } = await login.ended;
		assert.equal(status, 0, stderr);
		if (seen) {
			assert.ok(seen.asked.includes(code), 'the page shows the code');
			assert.match(seen.asked, /Did you start this yourself/);
			say.said('grantd', seen.heading);
		}
		say.said('Dovecot', `gives it ${(await read_mailbox('printer')).length} messages`);
	}],
];

async function walk() {
	for (const [index, [title, run]] of steps.entries()) {
		say.step(index + 1, title);
		await run();
	}
}

async function clean_up() {
	agent_imap?.close();
	for (const child of logins) if (child.exitCode === null) child.kill();
	await person?.stop();
	await world?.stop();
}

if (!AUTO && !process.stdout.isTTY) {
	say.bad('make demo needs a terminal and a person; `make demo AUTO=1` lets Chromium be the person.');
	process.exit(2);
}
for (const signal of ['SIGINT', 'SIGTERM']) process.once(signal, () => clean_up().finally(() => process.exit(130)));
let failed = 0;
try {
	world = await World.create();
	person = AUTO ? await RobotPerson.start({ pictures: path.resolve(import.meta.dirname, '../build/demo') }) : new RealPerson();
	await walk();
} catch (error) {
	failed = 1;
	say.bad(`\nfailed: ${error.message}`);
	if (world?.grantd) say.bad(world.grantd.stderr);
	if (world?.dovecot) say.bad(world.dovecot.log);
}
await clean_up().catch((error) => { failed = 1; say.bad(`cleaning up: ${error.message}`); });
console.log(`\ndemo: ${steps.length} steps, ${failed} failed`);
process.exitCode = failed;
