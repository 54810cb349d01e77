import assert from 'node:assert/strict';
import { readdirSync, readFileSync, statSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import type { Message } from '../../core/commands/schema.ts';
import type { BundleReport } from '../../core/state/bundles.ts';
import { CHUNK_BYTES, headBytes } from '../../core/wire/bundle.ts';
import { introduce, RealCore } from '../support/real-core.ts';

test('a bundle is written and read by the command line, and says what happened', async t => {
  const ada = await RealCore.make(t, 'Ada');
  const ben = await RealCore.make(t, 'Ben');
  await Promise.all([ada.start(), ben.start()]);
  await introduce(ada, ben);
  await ben.end('SIGTERM');
  const sent = await ada.json<Message>('send', 'Ben', 'by stick');
  const file = join(ada.directory, 'stick.molva');
  writeFileSync(`${file}.part`, 'a file of the person');
  const { bytes, envelopes } = await ada.json<{ bytes: number; envelopes: number }>(
    'bundle',
    'export',
    file,
    '--for',
    'Ben',
  );
  assert.equal(statSync(file).size, bytes);
  assert.deepEqual([bytes, envelopes], [headBytes(8) + 4 * CHUNK_BYTES, 1]);
  assert.equal(readFileSync(`${file}.part`, 'utf8'), 'a file of the person');
  if (process.platform !== 'win32') assert.equal(statSync(file).mode & 0o777, 0o600);
  const before = readFileSync(file);
  assert.equal((await ada.molva('bundle', 'export', file)).code, 4);
  assert.deepEqual(readFileSync(file), before);
  assert.equal((await ada.molva('bundle', 'export', file, '--force')).code, 0);
  assert.notDeepEqual(readFileSync(file), before);
  assert.equal((await ada.molva('bundle', 'export', `${file}2`, '--for', 'Nobody')).code, 5);
  assert.equal((await ada.molva('bundle', 'export', '')).code, 2);
  const lost = await ada.molva('bundle', 'export', join(ada.directory, 'no-such-folder', 'x'));
  assert.equal(lost.code, 4);
  assert.equal(errorCode(lost.stderr), 'disk-failed');
  assert.equal((await ada.molva('bundle', 'import', join(ada.directory, 'none'))).code, 5);
  const folder = await ada.molva('bundle', 'import', ada.directory);
  assert.equal(folder.code, 2);
  assert.equal(errorCode(folder.stderr), 'bad-request');
  const own = await ada.molva('bundle', 'import', file);
  assert.deepEqual([own.code, (JSON.parse(own.stdout) as BundleReport).file], [4, 'closed']);
  assert.deepEqual(
    readdirSync(ada.directory).filter(name => /\.[0-9a-f]+\.part$/.test(name)),
    [],
  );
  await ada.end('SIGTERM');

  await ben.start();
  const half = join(ada.directory, 'half.molva');
  writeFileSync(half, readFileSync(file));
  truncateSync(half, 100);
  const cut = await ben.molva('bundle', 'import', half);
  const { file: end, read } = JSON.parse(cut.stdout) as BundleReport;
  assert.deepEqual([cut.code, end, read], [4, 'cut', 0]);
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

function errorCode(stderr: string): string {
  return (JSON.parse(stderr) as { error: { code: string } }).error.code;
}
