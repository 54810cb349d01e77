import assert from 'node:assert/strict';
import { readFileSync, statSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import type { Message } from '../../core/commands/schema.ts';
import type { BundleReport } from '../../core/state/bundles.ts';
import { introduce, RealCore } from '../support/real-core.ts';

test('a bundle is written and read by the command line, and says what happened', async t => {
  const ada = await RealCore.make(t, 'Ada');
  const ben = await RealCore.make(t, 'Ben');
  await Promise.all([ada.start(), ben.start()]);
  await introduce(ada, ben);
  await ben.end('SIGTERM');
  const sent = await ada.json<Message>('send', 'Ben', 'by stick');
  const file = join(ada.directory, 'stick.molva');
  const { bytes } = await ada.json<{ bytes: number }>('bundle', 'export', file, '--for', 'Ben');
  assert.equal(statSync(file).size, bytes);
  assert.equal(bytes, 64 * 1024);
  if (process.platform !== 'win32') assert.equal(statSync(file).mode & 0o777, 0o600);
  assert.equal((await ada.molva('bundle', 'export', file)).code, 4);
  assert.equal((await ada.molva('bundle', 'export', `${file}2`, '--for', 'Nobody')).code, 5);
  assert.equal((await ada.molva('bundle', 'import', join(ada.directory, 'none'))).code, 5);
  await ada.end('SIGTERM');

  await ben.start();
  const half = join(ada.directory, 'half.molva');
  writeFileSync(half, readFileSync(file));
  truncateSync(half, 100);
  const cut = await ben.json<BundleReport>('bundle', 'import', half);
  assert.deepEqual([cut.file, cut.read], ['cut', 0]);
  const first = await ben.json<BundleReport>('bundle', 'import', file);
  assert.deepEqual([first.file, first.taken, first.notOurs], ['complete', 1, 0]);
  const again = await ben.json<BundleReport>('bundle', 'import', file);
  assert.deepEqual([again.file, again.taken, again.seenBefore], ['complete', 0, 1]);
  const { stdout } = await ben.molva('messages', 'Ada');
  assert.deepEqual(
    stdout
      .trim()
      .split('\n')
      .map(line => (JSON.parse(line) as Message).id),
    [sent.id],
  );
});
