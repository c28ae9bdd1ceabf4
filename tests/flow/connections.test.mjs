// SPDX-License-Identifier: Apache-2.0
// Thousands who connect: idle ones, slow ones, and ones that send nothing of sense. How many is said by IDLE, ACTIVE
// and GARBAGE; `make soak` says more than every test run. Memory is bounded in builds without sanitizers, which
// have a memory of their own.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { after, before, test } from 'node:test';
import { Crowd, descriptors_of, memory_of, request, start_plain } from './crowd.mjs';
import { granted, until } from './expect.mjs';
import { Instance, basic, mail_secret, programs } from './harness/index.mjs';

const size = (name, otherwise) => Number(process.env[name] ?? otherwise);
const idle_count = size('IDLE', 300), active_count = size('ACTIVE', 50), garbage_count = size('GARBAGE', 3000);
const is_soak = process.env.SUITE === 'soak', budget_ms = 2000; // as docs/reliability.md says
const has_sanitizer = /libasan|libtsan/.test(execFileSync('ldd', [programs.grantd], { encoding: 'utf8' }));

// Connections that have ended are closed here too. Some files stay: each thread's way to the database.
const threads_files = 48;
const all_closed = (grantd, before_all) => until(() => descriptors_of(grantd.daemon.pid) <= before_all + threads_files);

let secure, plain, tokens, agent;
before(async () => {
	secure = await Instance.start(null);
	plain = await start_plain(null);
	const world = await secure.furnish();
	agent = world.agent;
	tokens = await agent.tokens(world.alice, { scope: ['mail.read'] });
});
after(async () => {
	await secure.dispose();
	await plain.dispose();
});

const introspection = () => request(secure, 'POST', '/introspect', { headers: { Authorization: basic('mail-rs', mail_secret) }, form: { token: tokens.access_token } });

// Idle clients have asked once and stay: who never asked would be gone after 10 s, who asked after 60. So while
// thousands are still coming, those who are there ask again now and then.
async function open_idle(options, text) {
	const idle = await Crowd.open(secure.port, 0);
	const all_ask = async (clients) => {
		for (const answer of await Promise.all(clients.map((client) => client.ask(text)))) assert.equal(answer?.status, 200);
	};
	for (let asked = Date.now(); idle.clients.length < idle_count;) {
		const { clients } = await Crowd.open(secure.port, Math.min(500, idle_count - idle.clients.length), options);
		idle.clients.push(...clients);
		await all_ask(Date.now() - asked > 20_000 ? idle.clients : clients);
		if (Date.now() - asked > 20_000) asked = Date.now();
	}
	await all_ask(idle.clients);
	return idle;
}

test(`FT-015: ${active_count} that ask are all answered beside ${idle_count} that are idle, and memory is bounded`, async () => {
	const options = { ca: secure.ca, servername: secure.host, ALPNProtocols: ['http/1.1'] };
	const jwks = request(secure, 'GET', '/jwks.json');
	const before_all = descriptors_of(secure.daemon.pid);
	const idle = await open_idle(options, jwks), active = await Crowd.open(secure.port, active_count, options);
	try {
		const times = [];
		for (let round = 0; round < 10; round++)
			await Promise.all(active.clients.map(async (client) => {
				const began = performance.now();
				const answer = await client.ask(introspection());
				times.push(performance.now() - began);
				assert.equal(answer?.status, 200, answer?.head);
				assert.match(answer.body, /"active":true/);
			}));
		const { rss } = memory_of(secure.daemon.pid);
		assert.ok(descriptors_of(secure.daemon.pid) >= before_all + idle_count + active_count, 'all of them are there');
		times.sort((one, other) => one - other);
		const p99 = times[Math.floor(times.length * 0.99)];
		console.log(`${idle_count} idle, ${active_count} active: ${times.length} answers, p99 ${p99.toFixed(0)} ms with all asking at once, RSS ${(rss / 1024).toFixed(1)} MiB`);
		if (!has_sanitizer) assert.ok(rss < 256 * 1024, `RSS ${rss} KiB`);
		if (is_soak && !has_sanitizer) assert.ok(p99 < budget_ms, `p99 ${p99} ms`);
		for (const answer of await Promise.all(idle.clients.map((client) => client.ask(jwks)))) assert.equal(answer?.status, 200, 'who was idle is answered too');
	} finally {
		idle.close();
		active.close();
	}
	await all_closed(secure, before_all);
});

// Ways to be slow: what is sent at once, and what drips after it.
const slow = {
	'says nothing': ['', ''],
	'drips a head': ['GET / HTTP/1.1\r\n', 'X-A: b\r\n'],
	'drips a field name': ['GET / HTTP/1.1\r\nX', 'x'],
	'drips a body': [`POST /token HTTP/1.1\r\nHost: h\r\nContent-Type: application/x-www-form-urlencoded\r\nContent-Length: 1000\r\n\r\n`, 'a'],
	'drips chunks': [`POST /token HTTP/1.1\r\nHost: h\r\nContent-Type: application/x-www-form-urlencoded\r\nTransfer-Encoding: chunked\r\n\r\n`, '1\r\na\r\n'],
	'drips empty lines': ['', '\r\n'],
};

test('those who drip, stall or close one half are ended by our deadlines, and nobody else waits', { timeout: 120_000 }, async () => {
	const before_all = descriptors_of(plain.daemon.pid), ways = Object.entries(slow);
	const crowd = await Crowd.open(plain.port, 30 * ways.length);
	const half_open = await Crowd.open(plain.port, 30), handshakes = await Crowd.open(secure.port, 30);
	const way_of = (index) => ways[index % ways.length];
	try {
		crowd.clients.forEach(({ socket }, index) => socket.write(way_of(index)[1][0]));
		// a request, and the end of this direction: the answer is still wanted
		const answered = half_open.clients.map((client, index) => {
			const answer = client.ask(index % 2 ? request(plain, 'GET', '/jwks.json') : 'GET /jwks');
			client.socket.end();
			return answer;
		});
		handshakes.clients.forEach(({ socket }, index) => socket.write(Buffer.from('160301020001', 'hex').subarray(0, index % 7)));
		const drip = setInterval(() => {
			crowd.clients.forEach(({ socket }, index) => { if (socket.writable) socket.write(way_of(index)[1][1]); });
			handshakes.clients.forEach(({ socket }) => { if (socket.writable) socket.write('\u0000'); });
		}, 500);
		try {
			const ends = Date.now() + 30_000;
			const all = [...crowd.clients, ...half_open.clients, ...handshakes.clients];
			while (all.some((client) => !client.is_closed)) {
				assert.ok(Date.now() < ends, `still open: ${crowd.clients.map((client, index) => (client.is_closed ? '' : way_of(index)[0])).filter(Boolean)}`);
				assert.equal((await plain.fetch(`${plain.issuer}/jwks.json`)).status, 200);
				tokens = granted(await agent.refresh(tokens.refresh_token));
				await new Promise((resolve) => setTimeout(resolve, 500));
			}
		} finally {
			clearInterval(drip);
		}
		(await Promise.all(answered)).forEach((answer, index) => { if (index % 2) assert.equal(answer?.status, 200); });
		crowd.clients.forEach(({ last }, index) => assert.ok([undefined, 400, 408].includes(last?.status), `${way_of(index)[0]}: ${last?.head}`));
	} finally {
		for (const one of [crowd, half_open, handshakes]) one.close();
	}
	await all_closed(plain, before_all);
});

// xorshift32: the same garbage each time, another with another SEED
function numbers(seed) {
	let state = seed >>> 0 || 1;
	return (most) => {
		state ^= state << 13;
		state >>>= 0;
		state ^= state >>> 17;
		state ^= state << 5;
		state >>>= 0;
		return state % most;
	};
}

const corpus = path.resolve(import.meta.dirname, '../../fuzz/corpus');
const seeds = (name) => fs.readdirSync(path.join(corpus, name)).map((file) => fs.readFileSync(path.join(corpus, name, file)));

// What a fuzzer would send: seeds of every kind in every place, and bytes changed, doubled, lost or made up.
function garbage_maker(random) {
	const heads = seeds('http_head'), chunks = seeds('http_chunks');
	const bodies = fs.readdirSync(corpus).filter((name) => !name.startsWith('http')).flatMap(seeds).filter((bytes) => bytes.length < 16_000);
	const one_of = (list) => list[random(list.length)];
	const noise = (length) => Buffer.from(Array.from({ length }, () => random(256)));
	const paths = ['/token', '/introspect', '/revoke', '/login', '/consent', '/account/security', '/userinfo', '/authorize'];
	const field = () => one_of(['Authorization: Bearer ', 'Authorization: Basic ', 'Cookie: __Host-grantd-session=', 'Accept-Language: ', 'Host: ', 'Transfer-Encoding: ', 'Content-Length: ', 'Origin: ', 'If-None-Match: ', 'X: ']);
	const text = (bytes) => bytes.toString('latin1').replace(/[\r\n\0]/g, '.').slice(0, 8000);
	const makers = [
		() => one_of(heads),
		() => noise(1 + random(400)),
		() => Buffer.concat([Buffer.from(`POST ${one_of(paths)} HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\nContent-Type: application/x-www-form-urlencoded\r\n\r\n`), one_of(chunks)]),
		() => {
			const body = one_of(bodies);
			return Buffer.concat([Buffer.from(`POST ${one_of(paths)} HTTP/1.1\r\nHost: h\r\nContent-Length: ${body.length}\r\nContent-Type: application/x-www-form-urlencoded\r\n\r\n`), body]);
		},
		() => Buffer.from(`GET ${one_of(paths)} HTTP/1.1\r\nHost: h\r\n${field()}${text(one_of(bodies))}\r\n\r\n`, 'latin1'),
		() => Buffer.from(`GET /${text(one_of(bodies))} HTTP/1.1\r\nHost: h\r\n\r\n`, 'latin1'),
	];
	const changes = [
		(bytes) => bytes,
		(bytes) => { if (bytes.length) bytes[random(bytes.length)] = random(256); return bytes; },
		(bytes) => { for (let i = 0; i < 8 && bytes.length; i++) bytes[random(bytes.length)] ^= 1 << random(8); return bytes; },
		(bytes) => bytes.subarray(0, random(bytes.length + 1)),
		(bytes) => { const at = random(bytes.length + 1); return Buffer.concat([bytes.subarray(0, at), noise(random(20)), bytes.subarray(at)]); },
		(bytes) => { const at = random(bytes.length + 1); return Buffer.concat([bytes.subarray(at), bytes.subarray(0, at)]); },
		(bytes) => Buffer.concat([bytes, bytes]),
	];
	return () => one_of(changes)(Buffer.from(one_of(makers)()));
}

// One piece of garbage on a connection of its own, to the end: how long grantd would like to wait is not asked.
async function throw_at(port, bytes) {
	const { clients: [client] } = await Crowd.open(port, 1);
	client.socket.end(bytes);
	if (!client.is_closed) await new Promise((resolve) => { client.socket.once('close', resolve); });
	return client.last?.status ?? 'none';
}

test(`${garbage_count} pieces of garbage end nothing, leak nothing and change nothing`, { timeout: 1_200_000 }, async () => {
	const seed = size('SEED', 20261128), make = garbage_maker(numbers(seed));
	const count = {}, baseline = { files: descriptors_of(plain.daemon.pid), rows: await plain.snapshot({ except: ['events', 'requests'] }) };
	let left = garbage_count, warm = null;
	const worker = async (index) => {
		while (left-- > 0) {
			// each tenth to where TLS is spoken
			const bytes = make(), port = left % 10 === 0 ? secure.port : plain.port;
			const status = await throw_at(port, bytes);
			count[status] = (count[status] ?? 0) + 1;
			assert.ok(status < 500 || ['none', 501, 503, 505].includes(status), `SEED=${seed}: ${status} for ${JSON.stringify(bytes.toString('latin1'))}`);
			if (index === 0 && left < garbage_count * 0.8) warm ??= memory_of(plain.daemon.pid).pss;
		}
	};
	await Promise.all(Array.from({ length: 16 }, (unused, index) => worker(index)));
	const { pss } = memory_of(plain.daemon.pid);
	console.log(`${garbage_count} pieces of garbage (SEED=${seed}): ${JSON.stringify(count)}, PSS ${warm} KiB after a fifth of them and ${pss} KiB after all`);
	assert.ok(Object.keys(count).length >= 4, JSON.stringify(count));
	if (!has_sanitizer) assert.ok(pss - warm < 4096, `PSS ${warm} KiB, then ${pss} KiB`);
	await all_closed(plain, baseline.files);
	assert.deepEqual(await plain.snapshot({ except: ['events', 'requests'] }), baseline.rows);
	for (const grantd of [plain, secure]) {
		assert.ok(grantd.daemon.is_running);
		assert.equal((await grantd.fetch(`${grantd.issuer}/jwks.json`)).status, 200);
	}
	tokens = granted(await agent.refresh(tokens.refresh_token));
});
