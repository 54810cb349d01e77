import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { utf8 } from '../../core/base/bytes.ts';
import { CoreError } from '../../core/base/errors.ts';
import { openStore } from '../../core/storage/store.io.ts';
import { changePassphrase, createVault, openVault } from '../../core/storage/vault.io.ts';
import { CONVERSATION, conversation, dataKey, messageId, storedMessage } from '../contract/storage-fixtures.ts';
import { skipHere } from '../support/skip.ts';

const WEAK = { argon: { memoryKib: 64, passes: 1, lanes: 1 } };
const full = (error: unknown) => error instanceof CoreError && error.code === 'disk-full';

/** A disk of three megabytes, or why there is none. */
function smallDisk(): { path: string; remove: () => void } | string {
  if (process.platform !== 'linux' || process.getuid?.() !== 0) return 'needs Linux and root to mount a small disk';
  const path = mkdtempSync(join(tmpdir(), 'molva-small-disk-'));
  try {
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=3m', 'tmpfs', path], { stdio: 'ignore' });
  } catch {
    rmdirSync(path);
    return 'mounting is not permitted here';
  }
  return {
    path,
    remove: () => {
      execFileSync('umount', [path]);
      rmdirSync(path);
    },
  };
}

test('a full disk is said, loses nothing, and ends when there is room', async t => {
  const disk = smallDisk();
  if (typeof disk === 'string') return skipHere(t, disk);
  t.after(disk.remove);
  const dataKeyOfVault = await createVault(disk.path, utf8('first'), WEAK);
  dataKeyOfVault.wipe();
  writeFileSync(join(disk.path, 'filler'), Buffer.alloc(1_500_000));
  const store = await openStore(disk.path, dataKey(), { create: true });
  await store.write(tx => store.conversations.put(tx, conversation()));
  let stored = 0;
  const put = (n: number): Promise<void> =>
    store.write(tx => {
      store.messages.put(tx, CONVERSATION, storedMessage(n, { text: 'x'.repeat(20_000), outgoing: true }));
      store.messages.setState(tx, messageId(n), { state: 'queued', atMs: n, receipt: null });
    });
  await assert.rejects(async () => {
    for (; ; stored += 1) await put(stored);
  }, full);
  assert.ok(stored > 5);
  for (let again = 0; again < 3; again += 1) await assert.rejects(put(stored), full);
  assert.equal(store.messages.newest(CONVERSATION, 1000).length, stored);
  assert.equal(store.messages.undelivered(CONVERSATION, 1000).length, stored);
  assert.equal(store.messages.has(messageId(stored)), false, 'nothing half');
  writeFileSync(join(disk.path, 'rest'), '');
  try {
    writeFileSync(join(disk.path, 'rest'), Buffer.alloc(3_000_000));
  } catch {}
  await assert.rejects(changePassphrase(disk.path, utf8('first'), utf8('second'), WEAK), full);
  for (const name of ['filler', 'rest']) rmSync(join(disk.path, name));
  await put(stored);
  assert.equal(store.messages.newest(CONVERSATION, 1000).length, stored + 1);
  await store.close();
  (await openVault(disk.path, utf8('first'))).wipe();
  const again = await openStore(disk.path, dataKey());
  assert.equal(again.messages.newest(CONVERSATION, 1000).length, stored + 1);
  await again.close();
});
