import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { CoreError } from '../../core/base/errors.ts';
import { LIMITS } from '../../core/base/limits.ts';
import { initial } from '../../core/storage/migrations/0001-initial.ts';
import { MIGRATIONS } from '../../core/storage/migrations/list.ts';
import type { Migration } from '../../core/storage/migrations/migrate.ts';
import { openStore } from '../../core/storage/store.io.ts';
import { dataKey, messageId, temporaryFolder } from '../contract/storage-fixtures.ts';

const code = (expected: string) => (error: unknown) => error instanceof CoreError && error.code === expected;

test('numbers of migrations rise by one', () => {
  assert.deepEqual(
    MIGRATIONS.map(({ version }) => version),
    MIGRATIONS.map((_, i) => i + 1),
  );
});

test('a migration runs once, behind a backup that opens, and a downgrade is refused', async () => {
  const folder = temporaryFolder();
  const first = await openStore(folder.path, dataKey(), { create: true });
  await first.write(tx => first.receipts.put(tx, messageId(1), 1, Buffer.from('before')));
  await first.close();
  let runs = 0;
  const second: Migration = {
    version: 2,
    name: 'second',
    run: () => {
      runs += 1;
    },
  };
  const migrations = [initial, second];
  for (let starts = 0; starts < 3; starts += 1) {
    const store = await openStore(folder.path, dataKey(), { migrations });
    assert.equal(store.receipts.get(messageId(1), 1)?.toString(), 'before');
    await store.close();
  }
  assert.equal(runs, 1);
  await assert.rejects(openStore(folder.path, dataKey()), code('newer-format'));
  assert.ok(existsSync(join(folder.path, 'store-before-2', 'data.mdb')));
  folder.remove();
});

test('a migration that fails changes nothing and can be run again', async () => {
  const folder = temporaryFolder();
  await (await openStore(folder.path, dataKey(), { create: true })).close();
  const broken: Migration = {
    version: 2,
    name: 'broken',
    run: tx => {
      tx.put(Buffer.of(200, 1), Buffer.of(1));
      throw new RangeError('half-way');
    },
  };
  await assert.rejects(openStore(folder.path, dataKey(), { migrations: [initial, broken] }), RangeError);
  const store = await openStore(folder.path, dataKey());
  await store.close();
  folder.remove();
});

test('blocks fill whole pages: the limit leaves room for nonce, tag and page head, and wastes no page', () => {
  const [pageBytes, pageHeadBytes, sealBytes] = [4096, 24, 40];
  const pages = (LIMITS.blockBytes + sealBytes + pageHeadBytes) / pageBytes;
  assert.ok(pages <= 4 && pages > 3.9, String(pages));
});
