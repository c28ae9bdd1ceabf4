// SPDX-License-Identifier: Apache-2.0
// people.mjs CA PORT allow: alice lets the agent read her mail; prints the grant. people.mjs CA PORT answers: the issuer is there, and
// nowhere else. For tools/systemd-test, in the network of what it booted.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import { Agent, claims } from '../flow/harness/agent.mjs';
import { Https } from '../flow/harness/https.mjs';
import { Person } from '../flow/harness/person.mjs';

const [ca, port, word] = process.argv.slice(2);
const https = new Https(fs.readFileSync(ca), Number(port));
const instance = { issuer: 'https://id.example.org', https, fetch: https.fetch };

const does = {
	async allow() {
		const agent = new Agent(instance, { client_id: 'mail-agent', resource: 'https://mail.example.org/', scope: 'mail.read' });
		const { access_token } = await agent.tokens(new Person(instance, { username: 'alice', password: 'the password of alice' }));
		console.log(claims(access_token).grant_id);
	},
	async answers() {
		const metadata = await (await https.fetch(`${instance.issuer}/.well-known/oauth-authorization-server`)).json();
		assert.equal(metadata.issuer, instance.issuer);
	},
};

await does[word]();
https.close();
