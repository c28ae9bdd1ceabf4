// SPDX-License-Identifier: Apache-2.0
// The suite of the Model Context Protocol for authorization servers: no failure, no warning, nothing left out.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import { until } from './expect.mjs';
import { Daemon, Instance, free_ports } from './harness/index.mjs';

const suite = path.resolve(import.meta.dirname, '../node_modules/@modelcontextprotocol/conformance/dist/index.js');

// Runs it while the person answers in the browser it names; its checks, and what it said.
async function run_suite(grantd, person, words) {
	const port = await free_ports();
	const folder = fs.mkdtempSync(path.join(grantd.home, 'conformance-'));
	const running = new Daemon(process.execPath, [suite, 'authorization', '--url', grantd.issuer, ...words, '-p', String(port), '-o', folder],
		{ log_dir: folder, name: 'suite', env: { PATH: process.env.PATH, NODE_EXTRA_CA_CERTS: path.join(grantd.dir, 'ca.pem') } });
	const said = () => fs.readFileSync(running.stdout_file, 'utf8');
	try {
		const url = await until(() => running.is_running ? said().match(/^https:\S+\/authorize\?\S+$/m)?.[0] : assert.fail(said() + running.stderr));
		const answered = await person.allow(url);
		assert.equal(answered.url.origin, `http://127.0.0.1:${port}`);
		await fetch(answered.url);
		const { status } = await running.ended;
		const files = fs.readdirSync(folder, { recursive: true }).filter((name) => name.endsWith('checks.json')).sort();
		return { status, said: said(), checks: files.flatMap((name) => JSON.parse(fs.readFileSync(path.join(folder, name), 'utf8'))) };
	} finally {
		running.kill('SIGKILL');
		await running.ended;
	}
}

test('the conformance suite for authorization servers has nothing to say against it', async (t) => {
	const grantd = await Instance.start(t);
	const { alice } = await grantd.furnish();
	// Not with --client-secret: where a server knows `none` too, the suite leaves the secret out, and a client that has one
	// must authenticate (RFC 6749 3.2.1).
	for (const words of [['--client-id', 'mail-agent'], ['--client-id', 'mail-agent', '--resource', grantd.mail_uri]]) {
		const { status, said, checks } = await run_suite(grantd, alice, words);
		assert.equal(status, 0, said);
		assert.deepEqual(checks.map((check) => [check.id, check.status]), [['authorization-code-grant', 'SUCCESS'],
			['authorization-server-metadata', 'SUCCESS'], ['authorization-server-metadata-cimd', 'SUCCESS']], said);
	}
});

test('the suite sees what is wrong: documents switched off are a warning', async (t) => {
	const grantd = await Instance.start(t, { env: { GRANTD_CLIENT_METADATA: 'no' } });
	const { alice } = await grantd.furnish();
	const { checks } = await run_suite(grantd, alice, ['--client-id', 'mail-agent']);
	assert.equal(checks.find((check) => check.id === 'authorization-server-metadata-cimd').status, 'WARNING');
});
