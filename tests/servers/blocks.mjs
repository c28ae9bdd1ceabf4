// SPDX-License-Identifier: Apache-2.0
// What stands in a page of docs/ between fences, to be run as it stands: only names, ports and paths become the test's own.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';

export class Blocks {
	constructor(page) {
		this.page = page;
		this.text = fs.readFileSync(path.resolve(import.meta.dirname, '../../docs', page), 'utf8');
		this.all = [...this.text.matchAll(/^```(\w+)\n(.*?)^```$/gms)].map(([, language, block]) => ({ language, block }));
	}

	// The only one in that language in which the words stand, with values in the place of the page's: [[from, to], …], each
	// of which must be there.
	take(language, words, values = []) {
		const found = this.all.filter((one) => one.language === language && one.block.includes(words));
		assert.equal(found.length, 1, `${this.page} has one block of ${language} with ${words}`);
		let [{ block }] = found;
		for (const [from, to] of values) {
			assert.ok(block.includes(from), `${words}: ${from}`);
			block = block.replaceAll(from, to);
		}
		return block;
	}
}
