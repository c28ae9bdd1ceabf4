// SPDX-License-Identifier: Apache-2.0
// The programs of docs/agents.md, as they stand there, each with its own library against a real grantd and the MCP server
// of examples/: signed in, stepped up, paused, let go on, ended. They run beside each other.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { after, before, test } from 'node:test';
import { Client } from '@modelcontextprotocol/client';
import { StdioClientTransport } from '@modelcontextprotocol/client/stdio';
import { with_documents } from '../flow/agent_host.mjs';
import { until } from '../flow/expect.mjs';
import { free_ports, programs as built, run_well } from '../flow/harness/index.mjs';
import { NotesServer } from '../flow/notes_server.mjs';
import { Blocks } from './blocks.mjs';
import { Door } from './door.mjs';

const page = new Blocks('agents.md');
const sources = path.resolve(import.meta.dirname);

let grantd, door, host, alice, uri, server, notebook, clock = 0;
before(async () => {
	const behind = await free_ports();
	({ grantd, host, alice } = await with_documents(null, { moved: true, env: { GRANTD_DEVICE_FLOW: 'on', GRANTD_LISTEN: `127.0.0.1:${behind}` } }));
	door = await Door.open(grantd, behind);
	({ uri } = await NotesServer.add(grantd));
	server = await NotesServer.start(grantd, uri);
	notebook = await grantd.add_agent({ id: 'notebook', resource: 'notes', scope: 'notes.read' });
	notebook.resource = uri;
	fs.symlinkSync(path.resolve(sources, '../node_modules'), path.join(grantd.home, 'node_modules'));
	await run_well('sh', ['-c', page.take('sh', 'client create --id notes-cron', [['grantctl --dir /var/lib/grantd', `${built.grantctl} --dir ${grantd.dir}`]])], { env: grantd.env });
	const document = page.take('json', '"client_id": "https://agent.example/client.json"', [['https://agent.example', host.url('')]]);
	host.documents.set('/client.json', { body: document });
	await Promise.all([...programs, by_another_server].map((program) => program.install()));
});
after(async () => {
	await server?.stop();
	await door?.close();
	await grantd?.dispose();
	await host?.stop();
});

const addresses = () => [['http://127.0.0.1:3000/mcp', uri]];
const with_issuer = () => [['https://grantd.localhost:8443', grantd.issuer], ...addresses()];
const agent_mjs = () => page.take('js', '// agent.mjs', with_issuer());
const said_by = (model) => `export { ${model} as model } from ${JSON.stringify(path.join(sources, 'models.mjs'))};\n`;
const by_hand = (note) => ['add_note', JSON.stringify({ note })];
const in_words = (note) => [note];

class Program {
	// files: what its folder has; command: how it is started; words: what it is told, for a note; kept: where its tokens are
	constructor(name, { files, command, words = by_hand, kept = 'agent.json', answer = in_browser }) {
		Object.assign(this, { name, files, command, words, kept, answer });
	}

	// Each has a person of its own, who has no other agent.
	async install() {
		const name = this.name.replaceAll(/\W/g, '-');
		this.person = await grantd.add_person(name.toLowerCase());
		this.folder = path.join(grantd.home, name);
		for (const [file, text] of Object.entries(this.files())) {
			fs.mkdirSync(path.dirname(path.join(this.folder, file)), { recursive: true });
			fs.writeFileSync(path.join(this.folder, file), text, { mode: 0o700 });
		}
	}

	get tokens() { return fs.readFileSync(path.join(this.folder, this.kept), 'utf8'); }

	// Runs it with a note to add. What it asks of its person is answered while it waits (allow, deny): { status, stdout, stderr, asked }.
	async run(note, decision = 'allow') {
		const ca = path.join(grantd.dir, 'ca.pem');
		const env = { PATH: `${this.folder}/bin:${process.env.PATH}`, HOME: this.folder, NODE_EXTRA_CA_CERTS: ca, CURL_CA_BUNDLE: ca, REQUESTS_CA_BUNDLE: ca };
		const child = spawn(this.command[0], [...this.command.slice(1), ...this.words(note)], { cwd: this.folder, env, stdio: ['ignore', 'pipe', 'pipe'], detached: true });
		// with whatever it has started
		const end = () => {
			try {
				process.kill(-child.pid, 'SIGKILL');
			} catch (error) {
				if (error.code !== 'ESRCH') throw error;
			}
		};
		const timer = setTimeout(end, 60_000);
		const out = { stdout: '', stderr: '', asked: [] };
		let answering = Promise.resolve();
		child.stdout.setEncoding('utf8').on('data', (text) => { out.stdout += text; });
		child.stderr.setEncoding('utf8').on('data', (text) => {
			out.stderr += text;
			for (const line of text.split('\n').filter((one) => /^(Please open|Open) /.test(one)))
				answering = answering.then(() => this.answer(this.person, line, decision)).then((scope) => out.asked.push(scope), (error) => { end(); throw error; });
			answering.catch(() => {});
		});
		const status = await new Promise((resolve, reject) => child.on('error', reject).on('close', resolve));
		clearTimeout(timer);
		await answering;
		return { status, ...out };
	}
}

// The person opens what the program says, answers, and their browser goes back to the program: after somebody else's,
// who has a code for it but not its state. changes: of the answer
async function in_browser(person, line, decision, changes = {}) {
	const url = new URL(line.slice('Please open '.length));
	const scope = url.searchParams.get('scope').split(' ');
	const { url: answer } = await person[decision](url, { scope });
	const forged = new URL(answer);
	for (const name of ['code', 'state']) forged.searchParams.set(name, 'forged');
	for (const [name, value] of Object.entries(changes)) answer.searchParams.set(name, value);
	for (const one of [forged, answer]) assert.equal((await fetch(one)).status, 200);
	return scope.sort().join(' ');
}

// The person types the code that they read elsewhere.
async function on_device(person, line, decision) {
	const [, code] = / type (\S+)$/.exec(line);
	const typed = await person.open('/device');
	const question = await person.submit(typed, typed.form_with('user_code'), { user_code: code });
	const scope = question.form_with('decision').fields.filter((one) => one.name === 'scope').map((one) => one.value);
	const answered = await person.decide(question, decision, { scope });
	assert.equal(answered.status, 200, answered.text);
	// the program has asked in vain; it waits, which takes no time here
	let wait = 5;
	if (door.tokens === 'refused') {
		sleep_over(wait);
		await until(() => door.refused > 0);
		door.tokens = 'pass';
		wait += 5;
	}
	sleep_over(wait);
	return scope.sort().join(' ');
}

// For the first time it comes back at once, so that the program hears it is too early; then when the test says that it has slept.
const sleep_shim = `#!/bin/sh
if [ ! -e slept ]; then : > slept; exec test "$1" = 5; fi
while [ ! -e over ]; do /bin/sleep 0.05; done
[ "$1" = "$(cat over)" ] && rm over && if [ ! -e twice ]; then rm slept; fi
`;
function sleep_over(seconds) {
	grantd.move(clock += seconds + 1);
	fs.writeFileSync(path.join(grantd.home, 'curl', 'over.new'), `${seconds}`);
	fs.renameSync(path.join(grantd.home, 'curl', 'over.new'), path.join(grantd.home, 'curl', 'over'));
}

const programs = [
	new Program('curl', { kept: 'tokens.json', command: ['./agent.sh'], answer: on_device, files: () => ({ 'agent.sh': page.take('sh', '# agent.sh', with_issuer()), 'bin/sleep': sleep_shim }) }),
	new Program('Python', { command: ['/usr/bin/python3', 'agent.py'], files: () => ({ 'agent.py': page.take('python', '# agent.py', with_issuer()) }) }),
	new Program('Node', { command: [process.execPath, 'notes.mjs'], files: () => ({ 'agent.mjs': agent_mjs(), 'notes.mjs': page.take('js', '// notes.mjs', addresses()) }) }),
	new Program('MCP SDK', { kept: 'mcp.json', command: [process.execPath, 'mcp.mjs'], files: () => ({ 'mcp.mjs': page.take('js', '// mcp.mjs', [...addresses(), ['https://agent.example', host.url('')]]) }) }),
	new Program('Vercel AI SDK', { words: in_words, command: [process.execPath, 'ai.mjs'], files: () => ({ 'agent.mjs': agent_mjs(), 'ai.mjs': page.take('js', '// ai.mjs', addresses()), 'model.mjs': said_by('of_the_ai_sdk') }) }),
	new Program('LangGraph', { words: in_words, command: [process.execPath, 'graph.mjs'], files: () => ({ 'agent.mjs': agent_mjs(), 'graph.mjs': page.take('js', '// graph.mjs', addresses()), 'model.mjs': said_by('of_langchain') }) }),
];

const by_another_server = new Program('Python, elsewhere', { ...programs[1], answer: (person, line, decision) => in_browser(person, line, decision, { iss: 'https://elsewhere.example' }) });

const each_of = (list, name, action, ...others) => test(name, { concurrency: true }, (t) => Promise.all([...list.map((program) => t.test(`${program.name}: ${name}`, () => action(program))),
	...others.map(([title, other]) => t.test(title, other))]));
const each = (...args) => each_of(programs, ...args);
// without the two that have the Node program's fetch
const four = programs.slice(0, 4);

// count: of its person's notes then
function succeeded({ status, stdout, stderr }, count) {
	assert.equal(status, 0, stderr);
	assert.match(stdout, new RegExp(`This is note ${count}\\.`));
}

// As npx starts it; it finds no browser, for the person has one elsewhere.
async function bridged(t) {
	const file = page.take('json', '"mcp-remote"', [...addresses(), ['/etc/grantd/ca.pem', path.join(grantd.dir, 'ca.pem')]]);
	const { command, args: [bridge, ...args], env } = JSON.parse(file).mcpServers.notes;
	assert.deepEqual([command, bridge], ['npx', 'mcp-remote']);
	const home = path.join(grantd.home, 'desktop');
	fs.mkdirSync(home);
	const person = await grantd.add_person('desktop');
	const program = path.resolve(sources, '../node_modules/mcp-remote/dist/proxy.js');
	const transport = new StdioClientTransport({ command: process.execPath, args: [program, ...args], env: { PATH: home, HOME: home, ...env }, stderr: 'pipe' });
	const client = new Client({ name: 'desktop', version: '1' });
	t.after(() => client.close());
	let said = '';
	transport.stderr.on('data', (text) => { said += text; });
	const connected = client.connect(transport);
	const [, url] = await Promise.race([until(() => /by visiting:\s+(https:\S+)\s/.exec(said)), connected.then(() => assert.fail(`nobody was asked: ${said}`))]);
	const { url: answer } = await person.allow(url, { scope: ['notes.read'] });
	assert.equal(answer.hostname, 'localhost');
	assert.equal((await fetch(answer)).status, 200);
	await connected;
	assert.deepEqual((await client.listTools()).tools.map(({ name }) => name), ['list_notes', 'add_note', 'delete_note']);
	assert.equal((await client.callTool({ name: 'list_notes', arguments: {} })).content[0].text, '');
}

each('signs in, and asks for what is missing', async (program) => {
	const done = await program.run('Buy milk');
	succeeded(done, 1);
	assert.deepEqual(done.asked, ['notes.read', 'notes.read notes.write']);
	assert.equal(fs.statSync(path.join(program.folder, program.kept)).mode & 0o077, 0, 'nobody else reads its tokens');
}, ['Python: takes no answer of another server', async () => {
	const { status, stderr } = await by_another_server.run('Buy nothing');
	assert.equal(status, 1);
	assert.match(stderr, /another server/);
	assert.doesNotMatch(by_another_server.tokens, /access_token/);
}], ["Claude Desktop's file: mcp-remote asks the person and brings the tools", bridged]);

// Every token is over from now on: the key that signed it is said to be in other hands, and the server knows.
async function make_tokens_stale() {
	await grantd.operate(['keys', 'rotate', '--purpose', 'access', '--compromised']);
	const { access_token } = await notebook.tokens(alice, { scope: ['notes.read'] });
	await until(async () => (await server.call(access_token)).status === 200);
}
// pause, resume or revoke: what people have allowed the programs
async function operate_all(verb) {
	const grants = (await grantd.operate(['grant', 'list'])).filter(({ client_id, status }) => client_id !== 'notebook' && status !== 'revoked');
	await Promise.all(grants.map(({ id }) => grantd.operate(['grant', verb, id])));
}

// It keeps its tokens, and leaves its person alone.
async function comes_back_later(program) {
	const kept = program.tokens;
	const { status, asked, stdout, stderr } = await program.run('Not now');
	assert.equal(status, 75, stderr);
	assert.deepEqual([asked, stdout], [[], '']);
	assert.notEqual(stderr, '', 'it says why');
	assert.equal(program.tokens, kept);
}

test('all grants are paused', async () => {
	await operate_all('pause');
	await make_tokens_stale();
});

each('ends with 75 while it is paused, keeps its tokens and leaves its person alone', comes_back_later);

test('all grants go on, and answers of /token get lost', async () => {
	await operate_all('resume');
	door.tokens = 'lost';
});

each_of(four, 'ends with 75 when the answer to its refresh is lost, and keeps its tokens', comes_back_later);

test('a proxy says of /token that nobody is behind it', () => {
	assert.ok(door.lost >= four.length, 'each has had its tokens renewed without knowing');
	door.tokens = 'refused';
});

each_of(four, 'ends with 75 when it is a proxy that answers, and keeps its tokens', comes_back_later);

test('grantd is down, and nobody answers', async () => {
	await door.close();
	await grantd.stop();
});

each('ends with 75 while nobody answers, and keeps its tokens', comes_back_later);

test('grantd is there again', async () => {
	await grantd.start();
	door = await Door.open(grantd, door.behind);
});

each('refreshes and goes on, without asking', async (program) => {
	const kept = program.tokens;
	const done = await program.run('Buy bread');
	succeeded(done, 2);
	assert.deepEqual(done.asked, []);
	assert.notEqual(program.tokens, kept);
});

test('all grants are revoked', async () => {
	await operate_all('revoke');
	await make_tokens_stale();
});

each('asks its person again when it has been ended, and takes no for an answer', async (program) => {
	const { status, asked, stdout, stderr } = await program.run('Buy nothing', 'deny');
	assert.deepEqual([status, stdout], [1, ''], stderr);
	assert.equal(asked.length, 1, stderr);
	assert.match(asked[0], /notes\.read/);
});

test('curl: goes on asking for its tokens when nobody answered once', async () => {
	const [curl] = programs;
	fs.writeFileSync(path.join(curl.folder, 'twice'), '');
	Object.assign(door, { tokens: 'refused', refused: 0 });
	fs.writeFileSync(path.join(curl.folder, 'tokens.json'), '{}');
	succeeded(await curl.run('Buy butter'), 3);
});

// What these programs send is played by tests/flow/arrivals.test.mjs.
const toml_as_json = 'import json, sys, tomllib; json.dump(tomllib.loads(sys.stdin.read()), sys.stdout)';

test('the files of desktop programs are sound, and name the server of examples/', async () => {
	const { uri: address } = JSON.parse(fs.readFileSync(path.resolve(sources, '../../examples/mcp-server/notes.json'), 'utf8'));
	const files = page.all.filter(({ block }) => /mcpServers|"servers"|mcp_servers/.test(block));
	const parsed = await Promise.all(files.map(async ({ language, block }) => JSON.parse(language === 'toml' ? (await run_well('/usr/bin/python3', ['-c', toml_as_json], { input: block })).stdout : block)));
	const servers = parsed.map((file) => Object.values(file)[0].notes);
	assert.deepEqual(servers.map((one) => one.url ?? one.httpUrl ?? one.args[1]), Array(6).fill(address));
	assert.deepEqual(parsed.map((file) => Object.keys(file)), [['mcpServers'], ['mcpServers'], ['mcp_servers'], ['servers'], ['mcpServers'], ['mcpServers']]);
	// and whatever commands there are
	for (const [, used] of page.text.matchAll(/(http:\/\/127\.0\.0\.1:\d+\/mcp)/g)) assert.equal(used, address);
});
