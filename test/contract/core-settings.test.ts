import assert from 'node:assert/strict';
import { mkdtempSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { StorageError } from '../../core/base/errors.ts';
import { readSettings, writeSettings } from '../../core/settings.io.ts';

test('settings: kept in the data folder for the owner alone; what is not ours counts as nothing chosen', t => {
  const directory = mkdtempSync(join(tmpdir(), 'molva-settings-'));
  t.after(() => rmSync(directory, { recursive: true, force: true }));
  assert.deepEqual(readSettings(directory), { theme: 'auto', custody: true });
  writeSettings(directory, { theme: 'dark', custody: false });
  assert.deepEqual(readSettings(directory), { theme: 'dark', custody: false });
  assert.deepEqual(readdirSync(directory), ['settings.json']);
  const path = join(directory, 'settings.json');
  if (process.platform !== 'win32') assert.equal(statSync(path).mode & 0o777, 0o600);
  for (const foreign of ['', '{', '[]', 'null', '{"theme":"purple"}', '{"theme":1}']) {
    writeFileSync(path, foreign);
    assert.deepEqual(readSettings(directory), { theme: 'auto', custody: true }, foreign);
  }
  assert.throws(() => writeSettings(join(directory, 'missing'), { theme: 'light', custody: true }), StorageError);
});
