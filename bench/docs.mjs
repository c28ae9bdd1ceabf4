// SPDX-License-Identifier: Apache-2.0
// `make bench-docs`: puts the table of the last whole run (build/bench/bench.json) into docs/performance.md.
import fs from 'node:fs';
import path from 'node:path';
import { markdown_tables } from './table.mjs';

const begin = '<!-- measured: begin -->\n';
const end = '<!-- measured: end -->';
const repository = path.resolve(import.meta.dirname, '..');
const file = path.join(repository, 'docs/performance.md');
const report = JSON.parse(fs.readFileSync(path.join(repository, 'build/bench/bench.json'), 'utf8'));
const text = fs.readFileSync(file, 'utf8');
const [from, to] = [text.indexOf(begin), text.indexOf(end)];

if (!report.is_whole) throw new Error('the last run was of some rows only: make bench');
if (from < 0 || to < from) throw new Error(`${file} has no place for the table`);
fs.writeFileSync(file, text.slice(0, from + begin.length) + markdown_tables(report) + text.slice(to));
