// SPDX-License-Identifier: Apache-2.0
// `grant login` with a person in front of it, and what the store of `grant` then holds.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import fs from 'node:fs';
import http from 'node:http';
import path from 'node:path';
import { Instance, programs, run } from './harness/index.mjs';

// Opens the address as the person's browser would: plain HTTP to the agent's listener.
export function visit(url, headers = {}) {
	return new Promise((resolve, reject) => {
		http.get(url, { headers }, (answer) => {
			let body = '';
			answer.setEncoding('utf8');
			answer.on('data', (part) => { body += part; });
			answer.on('end', () => resolve({ status: answer.statusCode, headers: answer.headers, body }));
		}).on('error', reject);
	});
}

let stores = 0;
export const new_home = (grantd) => path.join(grantd.home, `store-${++stores}`);

// `grant login` as it runs: { address, ended: { status, stdout, stderr } }.
export class Login {
	static async start(grantd, home, words = []) {
		const login = new Login();
		const args = ['login', '--issuer', grantd.issuer, '--client', 'mail-agent', '--resource', grantd.mail_uri,
			'--scope', 'mail.read', '--ca', path.join(grantd.dir, 'ca.pem'), '--no-browser', ...words];
		login.child = spawn(programs.grant, args, { env: { ...process.env, GRANT_HOME: home }, stdio: ['ignore', 'pipe', 'pipe'], timeout: 60_000 });
		const out = { stdout: '', stderr: '' };
		let line;
		const first = new Promise((resolve) => { line = resolve; });
		for (const name of ['stdout', 'stderr']) {
			login.child[name].setEncoding('utf8');
			login.child[name].on('data', (text) => {
				out[name] += text;
				if (out.stdout.includes('\n')) line();
			});
		}
		login.ended = new Promise((resolve) => login.child.on('close', (status) => { line(); resolve({ status, ...out }); }));
		await first;
		login.address = out.stdout.split('\n')[0];
		return login;
	}
}

export async function log_in(grantd, person, home, words) {
	const login = await Login.start(grantd, home, words);
	const answer = await person.allow(login.address, { duration: '7d' });
	const page = await visit(answer.url);
	return { ...await login.ended, page };
}

export const stored = (home) => fs.readdirSync(home).filter((name) => name.endsWith('.json')).map((name) => JSON.parse(fs.readFileSync(path.join(home, name), 'utf8')));

// An instance whose access tokens last 30 s: every `grant token` finds less than half a minute left and refreshes.
export async function short_lived() {
	const grantd = await Instance.create();
	await grantd.start();
	await grantd.add_resource({ token: { typ: 'at+jwt', alg: 'ES256', lifetime: 30 } });
	const alice = await grantd.add_person();
	await grantd.add_agent();
	return { grantd, alice };
}

// How often each of eight refreshes: 2,000 times in all. Who is beside whom is the same on both databases, and
// PostgreSQL takes longer: there so many only in soak.
export const refreshes_each = process.env.GRANTD_DB === 'postgres' && process.env.SUITE !== 'soak' ? 50 : 250;

// Eight loops of `grant token`, one in each of the stores; every call must print a token.
export async function eight_take(grantd, homes, each) {
	const loop = 'i=0; while [ $i -lt "$2" ]; do "$1" token || exit; i=$((i + 1)); done';
	await Promise.all(Array.from({ length: 8 }, async (_, i) => {
		const { status, stdout, stderr } = await run('sh', ['-c', loop, 'sh', programs.grant_often, `${each}`],
			{ env: { ...grantd.env, GRANT_HOME: homes[i % homes.length] }, timeout: 570_000 });
		assert.equal(status, 0, stderr);
		const tokens = stdout.trim().split('\n');
		assert.equal(tokens.length, each);
		for (const token of tokens) assert.match(token, /^[\w-]+\.[\w-]+\.[\w-]+$/);
	}));
}

export async function still_good(grantd, home) {
	const { status, stdout, stderr } = await grantd.grant(home, ['token']);
	assert.equal(status, 0, stderr);
	assert.equal((await grantd.introspect(stdout.trim())).active, true);
}
