// SPDX-License-Identifier: Apache-2.0
// Malformed, ambiguous and slow HTTP on the public listener of the real daemon. Rows HT of tests/rows. Behind
// each bad request stands a good one on the same connection: it must never be answered.
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { Instance } from './harness/index.mjs';

let grantd, host, rows;
before(async () => {
	grantd = await Instance.start(null);
	await grantd.furnish();
	host = new URL(grantd.issuer).host;
	rows = await grantd.snapshot();
});
after(() => grantd.dispose());

const good = () => `GET /jwks.json HTTP/1.1\r\nHost: ${host}\r\n\r\n`;
const post = (fields, body = '') => `POST /token HTTP/1.1\r\nHost: ${host}\r\nContent-Type: application/x-www-form-urlencoded\r\n${fields}\r\n\r\n${body}`;

// A body need not end its line, so an answer may begin anywhere.
const statuses_of = (text) => [...text.matchAll(/HTTP\/1\.1 (\d{3}) [A-Z]/g)].map(([, status]) => Number(status));

// One answer of the expected status, then the end of the connection; what came behind is not answered.
async function refused(bytes, ...expected) {
	const { text, closed } = await grantd.raw(bytes + good());
	const statuses = statuses_of(text);
	assert.equal(statuses.length, 1, `one answer, not ${statuses}`);
	assert.ok(expected.includes(statuses[0]), `${statuses[0]} is none of ${expected}`);
	assert.ok(closed, 'the connection ends');
}

// One answer; the connection may go on.
async function answered(bytes) {
	const socket = await grantd.connect();
	socket.send(bytes);
	await socket.until(({ statuses }) => statuses.filter((status) => status !== 100).length > 0);
	const { text, statuses } = socket;
	socket.close();
	return { status: statuses.at(-1), text };
}

describe('framing that two readers could read differently', () => {
	test('HT-001: Content-Length and Transfer-Encoding', () => refused(post('Content-Length: 4\r\nTransfer-Encoding: chunked', '0\r\n\r\n'), 400));
	for (const [name, fields] of [['two', 'Content-Length: 5\r\nContent-Length: 6'], ['a list', 'Content-Length: 5, 5'], ['the same twice', 'Content-Length: 5\r\nContent-Length: 5']])
		test(`HT-002: Content-Length, ${name}`, () => refused(post(fields, 'hello'), 400));
	for (const [name, value] of [['unknown', 'xchunked'], ['stacked', 'chunked, identity'], ['identity', 'identity'], ['twice', 'chunked, chunked'], ['vertical tab', '\x0bchunked'], ['form feed', 'chunked\x0c']])
		test(`HT-004: Transfer-Encoding, ${name}`, () => refused(post(`Transfer-Encoding: ${value}`, '0\r\n\r\n'), 400, 501));
	test('HT-005: chunked in HTTP/1.0', () => refused(post('Transfer-Encoding: chunked', '0\r\n\r\n').replace('HTTP/1.1', 'HTTP/1.0'), 400));
	test('HT-006: a chunk size ended by a bare line feed', () => refused(post('Transfer-Encoding: chunked', '3\nabc\r\n0\r\n\r\n'), 400));
	test('HT-007: a line feed in a chunk extension', () => refused(post('Transfer-Encoding: chunked', '3;a="\n"\r\nabc\r\n0\r\n\r\n'), 400));
	test('HT-007: a line end in a quoted chunk extension', () => refused(post('Transfer-Encoding: chunked', '3;a="\r\nb"\r\nabc\r\n0\r\n\r\n'), 400));
	for (const size of ['FFFFFFFFFFFFFFFFF', '0x10', '-1', '+1', '00000000000000001'])
		test(`HT-008: chunk size ${size}`, () => refused(post('Transfer-Encoding: chunked', `${size}\r\na\r\n0\r\n\r\n`), 400));
	test('HT-009: a folded field', () => refused(`GET / HTTP/1.1\r\nHost: ${host}\r\nX-A: b\r\n c\r\n\r\n`, 400));
	test('HT-010: a space before the colon', () => refused(`GET / HTTP/1.1\r\nHost: ${host}\r\nX-A : b\r\n\r\n`, 400));
	test('HT-014: an absolute target of another host', () => refused(`GET https://evil.example/jwks.json HTTP/1.1\r\nHost: ${host}\r\n\r\n`, 400, 421));
});

describe('sizes and times', () => {
	test('HT-015: a head of more than 16 KiB', () => refused(`GET / HTTP/1.1\r\nHost: ${host}\r\n${`X-A: ${'a'.repeat(1000)}\r\n`.repeat(17)}\r\n`, 431));
	test('HT-015: more than 100 fields', () => refused(`GET / HTTP/1.1\r\nHost: ${host}\r\n${'X-A: b\r\n'.repeat(101)}\r\n`, 431));
	test('HT-016: a target of more than 8 KiB', () => refused(`GET /${'a'.repeat(8200)} HTTP/1.1\r\nHost: ${host}\r\n\r\n`, 414));
	test('HT-017: a body of more than 64 KiB, announced', async () => {
		const { status } = await answered(post(`Content-Length: ${64 * 1024 + 1}`, 'a'));
		assert.equal(status, 413);
	});
	test('HT-017: a body of more than 64 KiB, in chunks', async () => {
		const { status } = await answered(post('Transfer-Encoding: chunked', `8000\r\n${'a'.repeat(0x8000)}\r\n`.repeat(3)));
		assert.equal(status, 413);
	});
	test('HT-019: a body that drips is closed at its deadline', async () => {
		const socket = await grantd.connect();
		socket.send(post('Content-Length: 100', 'a'));
		const drip = setInterval(() => socket.send('a'), 1000);
		try {
			assert.ok(await socket.closes(25_000), 'the connection ends');
		} finally {
			clearInterval(drip);
		}
		assert.deepEqual(socket.statuses, [408]);
	});
	test('HT-020: a client that does not read is dropped and holds up nobody', async () => {
		const slow = await grantd.connect();
		slow.socket.pause();
		for (let i = 0; i < 20; i++) slow.send(good().repeat(100));
		for (let i = 0; i < 20; i++) assert.equal((await answered(good())).status, 200);
		slow.close();
	});
	test('HT-021: a hundred requests in one piece are answered in order', async () => {
		const socket = await grantd.connect();
		const targets = Array.from({ length: 100 }, (unused, i) => (i % 3 === 0 ? '/jwks.json' : i % 3 === 1 ? '/userinfo' : `/nothing-${i}`));
		socket.send(targets.map((target) => `GET ${target} HTTP/1.1\r\nHost: ${host}\r\n\r\n`).join(''));
		await socket.until(({ text }) => statuses_of(text).length === 100);
		assert.deepEqual(statuses_of(socket.text), targets.map((target) => (target === '/jwks.json' ? 200 : target === '/userinfo' ? 401 : 404)));
		socket.close();
	});
});

describe('methods and fields', () => {
	test('HT-022: GET /token is refused and its parameters are not logged', async () => {
		const { status, text } = await answered(`GET /token?grant_type=password&password=planted-in-a-query HTTP/1.1\r\nHost: ${host}\r\n\r\n`);
		assert.equal(status, 405);
		assert.match(text, /^Allow: POST\b/mi);
		assert.deepEqual(await grantd.files_with(['planted-in-a-query']), []);
	});
	for (const method of ['TRACE', 'CONNECT', 'BREW'])
		test(`HT-023: ${method}`, async () => {
			const target = method === 'CONNECT' ? host : '/';
			const { status } = await answered(`${method} ${target} HTTP/1.1\r\nHost: ${host}\r\n\r\n`);
			assert.ok([400, 405, 501].includes(status), `${status}`);
		});
	test('HT-025: a field name with an underscore is no other field', async () => {
		const { status } = await answered(`GET /account HTTP/1.1\r\nHost: ${host}\r\nX_Forwarded_User: alice\r\nX-Forwarded-User: alice\r\n\r\n`);
		assert.equal(status, 303, 'nobody is signed in by a field');
		const auth = await answered(`GET /userinfo HTTP/1.1\r\nHost: ${host}\r\nAuthorization_: Bearer x\r\n\r\n`);
		assert.equal(auth.status, 401);
	});
	test('HT-026: a health checker has no other rights', async () => {
		for (const agent of ['GoogleHC/1.0', 'kube-probe/1.30', 'ELB-HealthChecker/2.0'])
			assert.equal((await answered(`GET /userinfo HTTP/1.1\r\nHost: ${host}\r\nUser-Agent: ${agent}\r\n\r\n`)).status, 401);
	});
	test('HT-028: the method is the one of the request line', async () => {
		const { status } = await answered(`GET /token?_method=POST HTTP/1.1\r\nHost: ${host}\r\nX-HTTP-Method-Override: POST\r\n\r\n`);
		assert.equal(status, 405);
	});
	for (const coding of ['gzip', 'br'])
		test(`HT-029: a body in ${coding}`, async () => assert.equal((await answered(post(`Content-Encoding: ${coding}\r\nContent-Length: 5`, 'hello'))).status, 415));
});

// the last of the file: after all the others
test('nothing of all this has changed a row', async () => {
	assert.deepEqual(await grantd.snapshot(), rows);
});
