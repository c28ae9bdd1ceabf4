// SPDX-License-Identifier: Apache-2.0
// Manual pages and shell completion say what the programs say: every verb, every option, every setting, and nothing else.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import { before, test } from 'node:test';
import { Instance, programs, run_well } from './harness/index.mjs';

const made = path.resolve(path.dirname(programs.grantd), '../../share');
const source = path.resolve(import.meta.dirname, '../../share/man');
const pages = { grant: `${source}/grant.1`, grantctl: `${made}/grantctl.8`, grantd: `${made}/grantd.8`, settings: `${made}/grantd.conf.5` };
const common = { grantd: ['--dir', '--json', '--help'], grantctl: ['--dir', '--socket', '--json', '--help'], grant: ['--json', '--help'] };
const at_first = { grantd: ['--help', '--version'], grantctl: ['--help', '--dir', '--socket'], grant: ['--help'] };

// { grantctl: { 'user create': ['--email', …] } }, from what --help prints
const said = {};
before(async () => {
	for (const [name, program] of Object.entries({ grantd: programs.grantd, grantctl: programs.grantctl, grant: programs.grant })) {
		const usage = (await run_well(program, ['--help'])).stdout.split('\n');
		const verbs = name === 'grantctl'
			? usage.map((line) => /^ {2}([a-z-]+)(?: ([a-z |-]+))?$/.exec(line)).filter(Boolean).flatMap(([, noun, list]) => (list ? list.split(' | ').map((verb) => `${noun} ${verb}`) : [noun]))
			: usage.map((line) => /^ {2}([a-z-]+(?: [a-z]+)?) {2,}/.exec(line)?.[1]).filter(Boolean);
		assert.ok(verbs.length >= 4, `${name}: ${verbs}`);
		said[name] = {};
		for (const verb of verbs) {
			const help = (await run_well(program, [...verb.split(' '), '--help'])).stdout;
			said[name][verb] = [...new Set([...help.matchAll(/(?:^ {2}|\[)(--[a-z-]+)/gm)].map((match) => match[1]))].filter((option) => !common[name].includes(option));
		}
	}
});

test('mandoc finds nothing to complain of in any manual page', async () => {
	for (const page of Object.values(pages)) {
		const { stdout } = await run_well('mandoc', ['-T', 'lint', '-W', 'warning', page]);
		assert.equal(stdout, '', page);
	}
});

test('every verb and option stands in its manual page', () => {
	for (const name of ['grantctl', 'grantd']) {
		const text = fs.readFileSync(pages[name], 'utf8');
		for (const [verb, options] of Object.entries(said[name])) {
			const [, section] = text.split(new RegExp(`^\\.It Cm ${verb}(?: Ar .*)?$`, 'm'));
			assert.ok(section, `${name} ${verb}`);
			const own = section.split(/^\.It Cm |^\.Sh /m)[0];
			for (const option of options) assert.match(own, new RegExp(`^\\.It Fl ${option.slice(1)}\\b`, 'm'), `${name} ${verb} ${option}`);
		}
	}
	const grant = fs.readFileSync(pages.grant, 'utf8').replaceAll('\\-', '-');
	for (const [verb, options] of Object.entries(said.grant)) {
		assert.match(grant, new RegExp(`^\\.B ${verb}$`, 'm'));
		for (const option of [...options, '--json']) assert.ok(grant.includes(`${option}`), `grant ${verb} ${option}`);
	}
});

test('every verb and option stands in docs/automation.md', () => {
	const text = fs.readFileSync(path.resolve(import.meta.dirname, '../../docs/automation.md'), 'utf8');
	for (const [name, verbs] of Object.entries(said)) {
		const section = text.split(new RegExp(`^## ${name}\\b.*$`, 'm'))[1].split('\n```')[1];
		const lines = section.replace(/\n {11,}(?=\[|-)/g, ' ');
		for (const [verb, options] of Object.entries(verbs)) {
			const [noun, act] = verb.split(' ');
			assert.match(lines, new RegExp(`\\b${noun}\\b${act ? `[^;]*?\\b${act}\\b` : ''}`), `${name} ${verb}`);
			for (const option of options) assert.ok(lines.includes(option), `${name} ${verb} ${option}`);
		}
	}
});

test('every setting stands in grantd.conf(5) with its default, and no other', async (t) => {
	const grantd = await Instance.create();
	t.after(() => grantd.dispose());
	const conf = fs.readFileSync(path.join(grantd.dir, 'grantd.conf'), 'utf8');
	const settings = [...conf.matchAll(/^(#?)([a-z_]+) =(?: (.*))?$/gm)].map(([, hash, name, value]) => [name, hash ? value ?? '' : '']);
	const page = fs.readFileSync(pages.settings, 'utf8');
	const written = [...page.matchAll(/^\.It Cm ([a-z_]+)(?: No = (.*))?$/gm)].map(([, name, value]) => [name, value ?? '']);
	const has_own = new Set(['issuer', 'database', 'ops_listen']); // written by init, so no default is seen
	assert.deepEqual(written.map(([name]) => name), settings.map(([name]) => name));
	for (const [i, [name, value]] of settings.entries()) if (!has_own.has(name)) assert.equal(written[i][1], value, name);
});

// For each beginning of a command, what may come next.
function expected(name) {
	const next = { [name]: [...at_first[name]] };
	for (const [verb, options] of Object.entries(said[name])) {
		let typed = name;
		for (const word of verb.split(' ')) {
			(next[typed] ??= []).push(word);
			typed += ` ${word}`;
		}
		next[typed] = [...options, ...common[name]];
	}
	for (const list of Object.values(next)) list.sort();
	return Object.fromEntries(Object.entries(next).map(([typed, list]) => [typed, [...new Set(list)]]));
}

const words_of = (text) => text.split(/\s+/).filter(Boolean).sort();

const shells = {
	// prints what is proposed behind the words given
	bash: ['bash', ['--norc', '-c', 'source "$0"; COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); "_$1"; printf "%s\\n" "${COMPREPLY[@]}"'], (name) => `${made}/${name}.bash`],
	// compadd and _files belong to zsh's editor; here they print
	zsh: ['zsh', ['-f', '-c', 'compadd() { shift; print -l -- "$@" }; _files() { print "files $@" }; file=$0; words=("$@"); CURRENT=$#; source $file'], (name) => `${made}/_${name}`],
};

for (const [shell, [program, args, file_of]] of Object.entries(shells)) {
	// bash's compgen sorts out by what is typed; of zsh its editor does
	const proposed = async (name, words) => (await run_well(program, [...args, file_of(name), ...words])).stdout;

	test(`${shell} proposes what each verb takes, and no more`, async () => {
		for (const name of Object.keys(said))
			for (const [typed, next] of Object.entries(expected(name)))
				assert.deepEqual(words_of(await proposed(name, [...typed.split(' '), /(?:add|backup)$/.test(typed) ? '-' : ''])), next, `${typed} …`);
	});

	test(`${shell} looks past options and their values, and proposes files where one is wanted`, async () => {
		const ctl = ['grantctl', '--dir', '/var/lib/grantd'];
		assert.deepEqual(words_of(await proposed('grantctl', [...ctl, 'keys', ''])), ['list', 'rotate']);
		assert.deepEqual(words_of(await proposed('grantctl', [...ctl, '--socket', 'user', 'keys', ''])), ['list', 'rotate']);
		const here = { cwd: made };
		const files = (words) => run_well(program, [...args, file_of('grantctl'), ...words], here).then(({ stdout }) => stdout);
		for (const words of [['grantctl', '--socket', ''], ['grantctl', 'resource', 'add', '']]) assert.match(await files(words), shell === 'zsh' ? /^files/ : /^grantctl\.8$/m);
		assert.doesNotMatch(await files(['grantctl', 'client', 'create', '--name', '']), /\S/);
	});
}
