import assert from 'node:assert/strict';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { test } from 'node:test';
import { LIMITS } from '../../core/base/limits.ts';
import { COMMANDS, type CommandName } from '../../core/cli/arguments.ts';
import { EXIT } from '../../core/commands/error-map.ts';
import { encodeEnvelope, SEALED_BUCKETS } from '../../core/wire/envelope.ts';

/** What the documents say of files, commands and limits is so. */
const ROOT = join(import.meta.dirname, '..', '..');
const documents = [
  ...readdirSync(ROOT).map(name => join(ROOT, name)),
  ...readdirSync(join(ROOT, 'docs'), { recursive: true }).map(name => join(ROOT, 'docs', String(name))),
].filter(path => path.endsWith('.md'));
const read = (...path: readonly string[]) => readFileSync(join(ROOT, ...path), 'utf8');
const named = (path: string) => relative(ROOT, path);

/** The address of a heading, as the common renderers make it. */
const anchorOf = (heading: string) =>
  heading
    .toLowerCase()
    .replaceAll(/[^\p{L}\p{N} -]/gu, '')
    .replaceAll(' ', '-');

function anchorsIn(path: string): Set<string> {
  const headings = readFileSync(path, 'utf8').matchAll(/^#+ (.*)$/gmu);
  return new Set([...headings].map(([, heading = '']) => anchorOf(heading)));
}

test('every link in a document leads to a file, and to a heading in it', () => {
  let links = 0;
  for (const path of documents) {
    for (const [, target = ''] of readFileSync(path, 'utf8').matchAll(/\]\(([^)\s]+)\)/g)) {
      if (/^[a-z]+:/.test(target)) continue;
      const [file = '', anchor] = target.split('#');
      const there = file === '' ? path : join(dirname(path), file);
      assert.ok(existsSync(there), `${named(path)} links to ${target}`);
      if (anchor !== undefined) assert.ok(anchorsIn(there).has(anchor), `${named(path)} links to ${target}`);
      links += 1;
    }
  }
  assert.ok(links > 20);
});

test('every file of the project that a document names is there', () => {
  let files = 0;
  for (const path of documents) {
    const text = readFileSync(path, 'utf8');
    for (const [, name = ''] of text.matchAll(/`((?:core|test|tools|native|docs|ui)\/[\w./-]+\.(?:ts|mjs|md|cc))`/g)) {
      assert.ok(existsSync(join(ROOT, name)), `${named(path)} names ${name}`);
      files += 1;
    }
  }
  assert.ok(files > 10);
});

test('the readme has every command with its options, and every exit code', () => {
  const readme = read('README.md').replaceAll('\\|', '|');
  for (const name of Object.keys(COMMANDS) as CommandName[]) {
    const form = `\`${name} ${COMMANDS[name].form}`.trimEnd();
    assert.ok(readme.includes(`${form}\``), form);
  }
  for (const code of Object.values(EXIT)) assert.match(readme, new RegExp(`^\\| ${code} \\|`, 'm'));
});

test('the page on envelopes has the sizes and limits of the code', () => {
  const page = read('docs', 'protocol', 'envelope.md');
  const sizes = SEALED_BUCKETS.map(
    length => encodeEnvelope({ tag: Buffer.alloc(16), expiresAtHours: 490_000, sealed: Buffer.alloc(length) }).length,
  );
  assert.deepEqual(sizes, [283, 1051, 4123, 16_411, 65_565]);
  assert.ok(page.includes('283, 1051, 4123, 16,411 or 65,565 bytes'));
  const rows = [...page.matchAll(/^\| (.*) \| (.*) \| ((?:`[a-z]\w+`(?:, )?)+) \|$/gm)];
  const limits = rows.flatMap(([, , , names = '']) => names.replaceAll('`', '').split(', '));
  for (const name of limits) assert.ok(Object.hasOwn(LIMITS, name), name);
  const value = (name: string) => rows.find(([, , , names = '']) => names.includes(`\`${name}\``))?.[2];
  assert.equal(
    value('textBytes'),
    `${LIMITS.textBytes / 1024} KiB, ${LIMITS.nickBytes} bytes, ${LIMITS.cardBytes / 1024} KiB`,
  );
  assert.equal(value('requests'), `${LIMITS.requests}, ${LIMITS.contacts}`);
  assert.equal(value('parents'), `${LIMITS.parents}, ${LIMITS.receiptIds}`);
  assert.equal(value('pushWindow'), `${LIMITS.pushWindow}`);
  assert.equal(value('outboxPerContact'), LIMITS.outboxPerContact.toLocaleString('en'));
});
