import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { constants } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { describe, test } from 'node:test';
import { compileFailingIo, FailingFolder, type Fault } from '../support/failing-io.ts';

const CHILD = join(import.meta.dirname, 'storage-failing-child.ts');
const ROUNDS = 40;

/** @returns what the process said that filled a database, and went on while calls to the disk failed */
async function survive(folder: FailingFolder, fault: Fault, every: number): Promise<string> {
  const words = [folder.directory, folder.control, constants.errno[fault], every, ROUNDS].map(String);
  const child = spawn(process.execPath, [CHILD, ...words], { env: { ...process.env, ...folder.environment } });
  const said = Promise.all([text(child.stdout), text(child.stderr)]);
  const [code, signal] = await once(child, 'exit');
  const [out, err] = await said;
  assert.deepEqual({ code, signal }, { code: 0, signal: null }, err.slice(-500));
  return out;
}

describe('the database alone, while its disk fails: the process lives on, and holds what was acknowledged', () => {
  for (const [fault, every] of [
    ['EIO', 3],
    ['ENOSPC', 3],
    ['EMFILE', 3],
    ['EIO', 8],
  ] as const) {
    test(`${fault}, every ${every}th call`, async t => {
      const library = compileFailingIo(t);
      if (!library) return;
      const said = await survive(new FailingFolder(t, library), fault, every);
      t.diagnostic(said);
      assert.ok(Number.parseInt(said, 10) > ROUNDS / 2, said);
    });
  }
});
