// SPDX-License-Identifier: Apache-2.0
// /metrics: what operators alert on says what happened, in the form Prometheus reads, and holds nothing that a client sent.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import { after, before, test } from 'node:test';
import { until } from './expect.mjs';
import { Instance, Person, run, run_well } from './harness/index.mjs';

const repository = path.resolve(import.meta.dirname, '../..');
const rules_file = path.join(repository, 'packaging/prometheus/grantd.rules.yml');
const operator_md = fs.readFileSync(path.join(repository, 'docs/operator.md'), 'utf8');

let grantd, alice, agent;
before(async () => {
	grantd = await Instance.start(null);
	({ alice, agent } = await grantd.furnish({ agent: { secret: true } }));
});
after(() => grantd.dispose());

async function scrape(instance = grantd) {
	const response = await fetch(`http://127.0.0.1:${instance.port + 1}/metrics`);
	assert.equal(response.status, 200);
	assert.equal(response.headers.get('content-type'), 'text/plain; version=0.0.4; charset=utf-8');
	return response.text();
}

// Strictly: { families: Map(name, type), samples: Map('name{labels}', number) }.
function parse(text) {
	const families = new Map(), samples = new Map();
	let family = null;
	assert.ok(text.endsWith('\n'));
	for (const line of text.slice(0, -1).split('\n')) {
		const head = /^# (HELP|TYPE) ([a-z_]+) (.+)$/.exec(line);
		if (head) {
			if (head[1] === 'HELP') family = { name: head[2] };
			assert.equal(head[2], family.name, line);
			if (head[1] === 'TYPE') {
				assert.ok(!families.has(family.name), `${family.name} once`);
				families.set(family.name, head[3]);
			}
			continue;
		}
		const sample = /^([a-z_]+)(\{(?:[a-z_]+="[^"\\\n]*"(?:,(?=[a-z]))?)+\})? ([0-9.]+)$/.exec(line);
		assert.ok(sample, `not a sample: ${line}`);
		const suffix = sample[1].slice(family.name.length);
		assert.ok(sample[1].startsWith(family.name) && (families.get(family.name) === 'histogram' ? ['_bucket', '_sum', '_count'] : ['']).includes(suffix), line);
		const name = sample[1] + (sample[2] ?? '');
		assert.ok(!samples.has(name), `${name} once`);
		samples.set(name, Number(sample[3]));
	}
	return { families, samples };
}

// What has grown since: { 'name{labels}': by how much }.
function grown(before, now, pattern) {
	return Object.fromEntries([...now.samples].filter(([name]) => pattern.test(name))
		.map(([name, value]) => [name, value - (before.samples.get(name) ?? 0)]).filter(([, more]) => more !== 0));
}

test('the figures are what happened, each once', async () => {
	const before_all = parse(await scrape());
	const { refresh_token, access_token } = await agent.tokens(alice);
	const next = (await agent.refresh(refresh_token)).body;
	await agent.refresh(next.refresh_token);
	await agent.refresh('grt_nonsense');
	await agent.post('/token', { grant_type: 'password' });
	const eve = new Person(grantd, { username: 'alice', password: 'not hers' });
	await assert.rejects(eve.sign_in(), /refused/);
	await agent.revoke(access_token);
	await agent.revoke(access_token); // over already: not counted again
	await agent.tokens(alice);
	const [grant] = await grantd.operate(['grant', 'list', '--user', 'alice']);
	await grantd.operate(['grant', 'revoke', grant.id]);
	await grantd.operate(['grant', 'revoke', grant.id]);
	const now = parse(await scrape());
	assert.deepEqual(grown(before_all, now, /^grantd_(tokens|token_reuse|revocations|sign_ins|oauth_refusals)/), {
		'grantd_tokens_issued_total{grant_type="authorization_code"}': 2,
		'grantd_tokens_issued_total{grant_type="refresh_token"}': 2,
		'grantd_revocations_total{by="agent"}': 1,
		'grantd_revocations_total{by="operator"}': 1,
		'grantd_sign_ins_total{result="succeeded"}': 1,
		'grantd_sign_ins_total{result="wrong"}': 1,
		'grantd_oauth_refusals_total{error="invalid_grant"}': 1,
		'grantd_oauth_refusals_total{error="unsupported_grant_type"}': 1,
	});
	assert.deepEqual(grown(before_all, now, /^grantd_http_requests_total.*"\/(token|revoke)"/), {
		'grantd_http_requests_total{listener="public",method="POST",route="/token",status="2xx"}': 4,
		'grantd_http_requests_total{listener="public",method="POST",route="/token",status="4xx"}': 2,
		'grantd_http_requests_total{listener="public",method="POST",route="/revoke",status="2xx"}': 2,
	});
	assert.ok(now.samples.get('grantd_commit_seconds_count') > before_all.samples.get('grantd_commit_seconds_count'));
	assert.equal(now.samples.get('grantd_database_up'), 1);
	assert.ok(now.samples.get('grantd_connections_open{listener="public"}') >= 1);
	assert.ok(now.samples.get('grantd_connections_room') >= 100);
	assert.equal(now.samples.get('grantd_queue_room{queue="writer"}'), 16384);
	const { stdout } = await run_well('openssl', ['x509', '-noout', '-enddate', '-in', path.join(grantd.dir, 'tls/cert.pem')]);
	assert.equal(now.samples.get('grantd_certificate_expiry_timestamp_seconds'), Date.parse(stdout.trim().slice('notAfter='.length)) / 1000);
	for (const [name, bound] of [['grantd_http_request_seconds', 'route="/token"'], ['grantd_commit_seconds', '']]) {
		const buckets = [...now.samples].filter(([key]) => key.startsWith(`${name}_bucket`) && key.includes(bound));
		assert.equal(buckets.length, 13);
		for (let i = 1; i < buckets.length; i++) assert.ok(buckets[i][1] >= buckets[i - 1][1], buckets[i][0]);
		assert.equal(buckets.at(-1)[1], [...now.samples].find(([key]) => key.startsWith(`${name}_count`) && key.includes(bound))[1]);
	}
});

test('a refresh token in other hands is counted as reuse, and once for its family', async () => {
	const { refresh_token } = await agent.tokens(alice);
	const thief = await grantd.add_agent({ id: 'thief' });
	const before_reuse = parse(await scrape());
	for (let i = 0; i < 3; i++) assert.equal((await thief.refresh(refresh_token)).status, 400);
	assert.equal((await agent.refresh(refresh_token)).status, 400);
	assert.deepEqual(grown(before_reuse, parse(await scrape()), /^grantd_token_reuse/), { 'grantd_token_reuse_total{kind="refresh_token"}': 1 });
});

test('LO-009: whatever clients send, no series appears that the tables of the program do not name', async () => {
	const names = async () => [...parse(await scrape()).samples.keys()].filter((name) => !/_seconds_(bucket|sum|count)\{listener/.test(name));
	const known = await names();
	const routes = new Set(known.map((name) => /route="([^"]*)"/.exec(name)?.[1]).filter(Boolean));
	const junk = (i) => `planted${i}"\\{}`;
	for (let i = 0; i < 30; i++) {
		await grantd.fetch(`${grantd.issuer}/planted-path-${i}?planted=${i}`, { method: ['GET', 'POST', 'DELETE', 'PATCH'][i % 4], headers: { 'x-planted': 'x', 'user-agent': `planted/${i}` } });
		await agent.post('/token', { grant_type: junk(i), client_id: junk(i), scope: junk(i), resource: junk(i) }, { auth: i % 2 === 0 });
		await agent.post('/token', { grant_type: 'client_credentials' }, { auth: false, headers: { authorization: `Basic ${Buffer.from(`planted${i}:planted`).toString('base64')}` } });
		await grantd.fetch(`${grantd.issuer}/authorize?client_id=planted${i}&response_type=planted${i}`);
		await grantd.fetch(`${grantd.issuer}/account/agents/planted${i}`);
		await grantd.grantctl(['user', 'show', `planted${i}`]);
		await fetch(`http://127.0.0.1:${grantd.port + 1}/planted${i}`);
	}
	await grantd.raw('PLANTED /planted HTTP/1.1\r\nHost: h\r\n\r\n');
	await grantd.raw('planted\r\n\r\n');
	const text = await scrape();
	assert.doesNotMatch(text, /planted/i);
	assert.deepEqual(await names(), known);
	for (const name of parse(text).samples.keys()) {
		const route = /route="([^"]*)"/.exec(name)?.[1];
		if (route) assert.ok(routes.has(route), name);
	}
});

test('promtool finds nothing to complain of', async () => {
	const checked = await run('promtool', ['check', 'metrics'], { input: await scrape() });
	assert.equal(checked.status, 0, checked.stdout + checked.stderr);
	assert.equal(checked.stderr, '');
});

test('/metrics is on the ops listener alone, and says less while only health is served', async (t) => {
	assert.equal((await grantd.fetch(`${grantd.issuer}/metrics`)).status, 404);
	const broken = await Instance.create();
	t.after(() => broken.dispose());
	fs.rmSync(path.join(broken.dir, 'root.key'));
	broken.start().catch(() => {}); // it never says "ready"
	await until(() => broken.daemon.stderr.includes('only health is served'));
	const { samples } = parse(await scrape(broken));
	assert.equal(samples.get('grantd_database_up'), 1);
	assert.ok(![...samples.keys()].some((name) => name.startsWith('grantd_job_')));
});

// alert: [series when all is well, series when it is to fire], each with the 90 minutes in steps of a minute.
const minutes = 90;
const growing = (from, by) => `${from}+${by}x${minutes}`;
const steady = (value) => `${value}x${minutes}`;
const bucket = (route, le, by) => [`grantd_http_request_seconds_bucket{listener="public",route="${route}",le="${le}"}`, growing(0, by)];
const commit = (le, by) => [`grantd_commit_seconds_bucket{le="${le}"}`, growing(0, by)];
const started = ['grantd_start_timestamp_seconds', steady(0)];
const alerts = {
	GrantdDown: [[['up{job="grantd"}', steady(1)]], [['up{job="grantd"}', steady(0)]]],
	GrantdDatabaseDown: [[['grantd_database_up', steady(1)]], [['grantd_database_up', steady(0)]]],
	GrantdDiskFull: [[['grantd_disk_full', steady(0)]], [['grantd_disk_full', steady(1)]]],
	GrantdFails: [[['grantd_http_requests_total{route="/token",status="503"}', growing(0, 5)]], [['grantd_http_requests_total{route="/token",status="5xx"}', growing(0, 1)]]],
	GrantdWritesFail: [[['grantd_writes_failed_total', steady(7)]], [['grantd_writes_failed_total', growing(0, 1)]]],
	GrantdOverloaded: [[['grantd_queue_refused_total{queue="slow"}', steady(3)], ['grantd_http_late_total', steady(3)]], [['grantd_queue_refused_total{queue="slow"}', growing(0, 1)], ['grantd_http_late_total', steady(0)]]],
	GrantdSlow: [[bucket('/token', '0.1', 100), bucket('/token', '+Inf', 100)], [bucket('/token', '0.1', 90), bucket('/token', '1', 100), bucket('/token', '+Inf', 100)]],
	GrantdCommitsSlow: [[commit('0.01', 100), commit('+Inf', 100)], [commit('0.01', 90), commit('1', 100), commit('+Inf', 100)]],
	GrantdTokenReuse: [[['grantd_token_reuse_total{kind="refresh_token_lost_answer"}', growing(0, 1)], ['grantd_token_reuse_total{kind="code_lost_answer"}', growing(0, 1)]], [['grantd_token_reuse_total{kind="refresh_token"}', growing(0, 1)]]],
	GrantdGuessing: [[['grantd_sign_ins_total{result="throttled"}', growing(0, 1)]], [['grantd_sign_ins_total{result="throttled"}', growing(0, 10)]]],
	GrantdCrowded: [[['grantd_connections_open{listener="public"}', steady(100)], ['grantd_connections_room', steady(1000)]], [['grantd_connections_open{listener="public"}', steady(900)], ['grantd_connections_room', steady(1000)]]],
	GrantdJobsStuck: [[started, ['grantd_job_done_timestamp_seconds{name="sweep"}', growing(0, 60)]], [started, ['grantd_job_done_timestamp_seconds{name="sweep"}', steady(1)]]],
	GrantdResourceNotTold: [[['grantd_outbox_oldest_timestamp_seconds', steady(0)]], [['grantd_outbox_oldest_timestamp_seconds', steady(60)]]],
	GrantdCertificateEnds: [[['grantd_certificate_expiry_timestamp_seconds', steady(90 * 86400)]], [['grantd_certificate_expiry_timestamp_seconds', steady(7 * 86400)]]],
};

test('each alert fires when it should and not before, asks for what /metrics has, and is documented', async (t) => {
	const rules = fs.readFileSync(rules_file, 'utf8');
	const named = [...rules.matchAll(/- alert: (\w+)/g)].map((match) => match[1]);
	assert.deepEqual(named, Object.keys(alerts));
	const { families } = parse(await scrape());
	for (const [name] of rules.matchAll(/\bgrantd_[a-z_]+/g)) assert.ok(families.has(name.replace(/_bucket$/, '')), name);
	for (const name of [...named, ...families.keys()]) assert.ok(operator_md.includes(`\`${name}\``), `docs/operator.md speaks of ${name}`);
	const input = (series) => series.map(([name, values]) => ({ series: name, values }));
	// by count(ALERTS): the labels and words of an alert are not what is tested here
	const cases = named.flatMap((alert) => alerts[alert].map((series, fires) => ({
		name: `${alert} ${fires ? 'fires' : 'is quiet'}`, interval: '1m', input_series: input(series),
		promql_expr_test: [{ expr: `count(ALERTS{alertname="${alert}",alertstate="firing"}) or vector(0)`, eval_time: '80m', exp_samples: [{ labels: '{}', value: fires ? 1 : 0 }] }],
	})));
	const file = path.join(grantd.home, 'rules.test.json');
	fs.writeFileSync(file, JSON.stringify({ rule_files: [rules_file], evaluation_interval: '1m', tests: cases }));
	const tested = await run('promtool', ['test', 'rules', file]);
	assert.equal(tested.status, 0, tested.stdout + tested.stderr);
	assert.equal((await run('promtool', ['check', 'rules', rules_file])).status, 0);
});
