// SPDX-License-Identifier: Apache-2.0
// What the demo prints: what happens, why, and the servers' own lines with who said them.
const colours = process.stdout.isTTY && !process.env.NO_COLOR;
const paint = (code, text) => (colours ? `\x1b[${code}m${text}\x1b[0m` : text);
const indent = (text) => text.split('\n').map((line) => `   ${line}`).join('\n');

export const say = {
	step: (number, title) => console.log(`\n${paint('1', `${number}. ${title}`)}`),
	why: (text) => console.log(indent(text)),
	aside: (text) => console.log(paint('2', indent(text))),
	please: (text) => console.log(`\n${paint('1;33', indent(text))}\n`),
	// a line as it came over the wire
	said: (who, line) => console.log(`   ${paint('36', `${who}:`)} ${line}`),
	refused: (who, line) => console.log(`   ${paint('31', `${who} refuses:`)} ${line}`),
	bad: (text) => console.error(paint('31', text)),
};
