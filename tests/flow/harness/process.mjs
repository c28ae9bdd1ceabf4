// SPDX-License-Identifier: Apache-2.0
// Programs: one that runs to its end, and one that stays until it is told to stop, by its own pid.
import { spawn } from 'node:child_process';
import fs from 'node:fs';

// { status, signal, stdout, stderr }; never throws for a status that is not 0.
export function run(file, args = [], { input = '', env = process.env, cwd, timeout = 60_000 } = {}) {
	return new Promise((resolve, reject) => {
		const child = spawn(file, args, { env, cwd, stdio: ['pipe', 'pipe', 'pipe'], timeout, killSignal: 'SIGKILL' });
		const out = { stdout: '', stderr: '' };
		for (const name of ['stdout', 'stderr']) {
			child[name].setEncoding('utf8');
			child[name].on('data', (text) => { out[name] += text; });
		}
		child.stdin.on('error', () => {}); // it may end without reading
		child.stdin.end(input);
		child.on('error', reject);
		child.on('close', (status, signal) => resolve({ status, signal, ...out }));
	});
}

// As run; throws with everything that was said unless the status is 0.
export async function run_well(file, args, options) {
	const result = await run(file, args, options);
	if (result.status !== 0)
		throw new Error(`${file} ${args.join(' ')}: ${result.signal ?? `exit ${result.status}`}\n${result.stderr}${result.stdout}`);
	return result;
}

// What the sanitizers print when they stop a program, or would have.
const sanitizer = /ERROR: (?:Address|Leak|Thread)Sanitizer|WARNING: ThreadSanitizer|runtime error: /;

// What each thread of a program that does not answer is at: its state, its system call, its processor time.
function threads_of(pid) {
	const read = (thread, file) => {
		try {
			return fs.readFileSync(`/proc/${pid}/task/${thread}/${file}`, 'utf8').trim();
		} catch (error) {
			return error.code;
		}
	};
	try {
		return fs.readdirSync(`/proc/${pid}/task`).map((thread) =>
			`thread ${thread}: stat ${read(thread, 'stat')}, system call ${read(thread, 'syscall')}, waits in ${read(thread, 'wchan')}\n`).join('');
	} catch {
		return 'its process is gone\n';
	}
}

export class Daemon {
	constructor(file, args, { env = process.env, log_dir, name = 'daemon' }) {
		this.name = name;
		this.stderr = '';
		this.stdout_file = `${log_dir}/${name}.stdout`;
		this.stderr_file = `${log_dir}/${name}.stderr`;
		const stdout = fs.openSync(this.stdout_file, 'a');
		this.child = spawn(file, args, { env, stdio: ['ignore', stdout, 'pipe'] });
		fs.closeSync(stdout);
		this.pid = this.child.pid;
		this.child.stderr.setEncoding('utf8');
		this.child.stderr.on('data', (text) => {
			this.stderr += text;
			fs.appendFileSync(this.stderr_file, text);
		});
		this.ended = new Promise((resolve, reject) => {
			this.child.on('error', reject);
			this.child.on('close', (status, signal) => {
				this.status = status;
				this.signal = signal;
				resolve({ status, signal });
			});
		});
		this.ended.catch(() => {});
	}

	get is_running() {
		return this.status === undefined;
	}

	// Waits until a line of stderr is exactly the word.
	async says(word, timeout = 30_000) {
		const until = Date.now() + timeout;
		while (!this.stderr.split('\n').includes(word)) {
			if (!this.is_running) throw new Error(`${this.name} ended (${this.signal ?? this.status}) before it said "${word}":\n${this.stderr}`);
			if (Date.now() > until) throw new Error(`${this.name} did not say "${word}" within ${timeout} ms:\n${this.stderr}${threads_of(this.pid)}`);
			await Promise.race([this.ended, new Promise((resolve) => setTimeout(resolve, 10))]);
		}
	}

	kill(signal) {
		if (this.is_running) this.child.kill(signal);
	}

	// TERM, and a status of 0 within the time; anything else is an error of the test that asked.
	async stop(timeout = 30_000) {
		this.kill('SIGTERM');
		const timer = setTimeout(() => this.kill('SIGKILL'), timeout);
		const { status, signal } = await this.ended;
		clearTimeout(timer);
		this.check_sanitizers();
		if (status !== 0) throw new Error(`${this.name} ended with ${signal ?? status}:\n${this.stderr}`);
	}

	// The end that asks nobody.
	async kill_9() {
		this.kill('SIGKILL');
		await this.ended;
		this.check_sanitizers();
	}

	check_sanitizers() {
		if (sanitizer.test(this.stderr)) throw new Error(`a sanitizer spoke up in ${this.name}:\n${this.stderr}`);
	}
}
