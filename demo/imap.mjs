// SPDX-License-Identifier: Apache-2.0
// As much of an IMAP client (RFC 9051) as an agent needs to read mail with an access token (RFC 7628). Keeps
// the server's own words: what is refused is shown as the server said it.
import net from 'node:net';

export class Imap {
	static async connect(port) {
		const imap = new Imap();
		imap.buffer = '';
		imap.tags = 0;
		imap.is_closed = false;
		imap.socket = net.connect({ host: '127.0.0.1', port });
		imap.socket.setEncoding('latin1');
		imap.socket.on('data', (text) => { imap.buffer += text; imap.wake?.(); });
		imap.socket.on('error', () => {});
		imap.socket.on('close', () => { imap.is_closed = true; imap.wake?.(); });
		imap.greeting = await imap.#line();
		return imap;
	}

	async #more(timeout) {
		if (this.is_closed) throw new Error('the IMAP server closed the connection');
		let timer;
		await new Promise((resolve, reject) => {
			this.wake = resolve;
			timer = setTimeout(() => reject(new Error('the IMAP server does not answer')), timeout);
		});
		clearTimeout(timer);
	}

	async #line(timeout = 30_000) {
		while (!this.buffer.includes('\r\n')) await this.#more(timeout);
		const at = this.buffer.indexOf('\r\n');
		const line = this.buffer.slice(0, at);
		this.buffer = this.buffer.slice(at + 2);
		return line;
	}

	async #literal(length) {
		while (this.buffer.length < length) await this.#more(30_000);
		const text = this.buffer.slice(0, length);
		this.buffer = this.buffer.slice(length);
		return Buffer.from(text, 'latin1').toString('utf8');
	}

	// { ok, line (the tagged answer without its tag), untagged: [lines], literals: [texts], challenge }
	async command(text, { literal } = {}) {
		const tag = `a${++this.tags}`;
		const untagged = [], literals = [];
		let challenge;
		this.socket.write(`${tag} ${text}\r\n`);
		for (;;) {
			const line = await this.#line();
			const size = /\{(\d+)\}$/.exec(line);
			if (size) literals.push(await this.#literal(Number(size[1])));
			if (line.startsWith(`${tag} `)) {
				const answer = line.slice(tag.length + 1);
				return { ok: answer.startsWith('OK'), line: answer, untagged, literals, challenge };
			}
			// "+": it waits for what we announced; an empty line ends a failed SASL exchange (RFC 7628 3.2.3)
			if (!line.startsWith('+')) untagged.push(line);
			else if (literal) this.socket.write(`${literal}\r\n`);
			else {
				challenge = Buffer.from(line.slice(2), 'base64').toString('utf8');
				this.socket.write('AQ==\r\n');
			}
		}
	}

	login(user, token) {
		const words = Buffer.from(`n,a=${user},\x01auth=Bearer ${token}\x01\x01`).toString('base64');
		return this.command(`AUTHENTICATE OAUTHBEARER ${words}`);
	}

	// Waits until the server has something to say unasked, or hangs up. Answers the lines.
	async unasked(timeout = 20_000) {
		const lines = [];
		try {
			for (;;) lines.push(await this.#line(timeout));
		} catch {
			return lines;
		}
	}

	close() { this.socket.destroy(); }
}

// A message's header fields (unfolded) and text.
export function parse_message(text) {
	const at = text.indexOf('\r\n\r\n');
	const head = text.slice(0, at).replace(/\r\n[ \t]+/g, ' ');
	const fields = Object.fromEntries(head.split('\r\n').map((line) => [line.slice(0, line.indexOf(':')).toLowerCase(), line.slice(line.indexOf(':') + 1).trim()]));
	return { fields, text: text.slice(at + 4).replace(/\r\n/g, '\n').trim() };
}
