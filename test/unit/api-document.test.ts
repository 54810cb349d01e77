import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { ERROR_MAP } from '../../core/commands/error-map.ts';
import { EVENTS, METHODS } from '../../core/commands/schema.ts';

const document = readFileSync(new URL('../../docs/protocol/api.md', import.meta.url), 'utf8');

test('docs/protocol/api.md is what the schema says now', async () => {
  const tool: string = '../../tools/make-api-doc.mjs';
  const { apiDocument } = await import(tool);
  assert.equal(document, apiDocument(), 'run node_modules/.bin/node tools/make-api-doc.mjs');
});

test('it names every method, event and error', () => {
  for (const name of [...Object.keys(METHODS), ...Object.keys(EVENTS)])
    assert.ok(document.includes(`### \`${name}\``), name);
  for (const code of Object.keys(ERROR_MAP)) assert.ok(document.includes(`| \`${code}\` |`), code);
});
