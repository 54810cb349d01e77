import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { CoreError } from '../../core/base/errors.ts';
import { conversationIdOf, parseIdentityKey } from '../../core/base/ids.ts';
import { LIMITS } from '../../core/base/limits.ts';
import { MemoryRows } from '../../core/storage/memory-rows.ts';
import { comparePlaces } from '../../core/storage/message-place.ts';
import { initial } from '../../core/storage/migrations/0001-initial.ts';
import { MIGRATIONS } from '../../core/storage/migrations/list.ts';
import type { Migration } from '../../core/storage/migrations/migrate.ts';
import { openMemoryStore, openStore } from '../../core/storage/store.io.ts';
import {
  ALICE,
  CONVERSATION,
  conversation,
  dataKey,
  messageId,
  storedMessage,
  temporaryFolder,
} from '../contract/storage-fixtures.ts';

const code = (expected: string) => (error: unknown) => error instanceof CoreError && error.code === expected;

test('numbers of migrations rise by one', () => {
  assert.deepEqual(
    MIGRATIONS.map(({ version }) => version),
    MIGRATIONS.map((_, i) => i + 1),
  );
});

test('a migration runs once, behind a backup that opens, and a downgrade is refused', async () => {
  const folder = temporaryFolder();
  const first = await openStore(folder.path, dataKey(), { create: true, migrations: [initial] });
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
  await assert.rejects(openStore(folder.path, dataKey(), { migrations: [initial] }), code('newer-format'));
  assert.ok(existsSync(join(folder.path, 'store-before-2', 'data.mdb')));
  folder.remove();
});

test('a migration that fails changes nothing and can be run again', async () => {
  const folder = temporaryFolder();
  await (await openStore(folder.path, dataKey(), { create: true, migrations: [initial] })).close();
  const broken: Migration = {
    version: 2,
    name: 'broken',
    run: tx => {
      tx.put(Buffer.of(200, 1), Buffer.of(1));
      throw new RangeError('half-way');
    },
  };
  await assert.rejects(openStore(folder.path, dataKey(), { migrations: [initial, broken] }), RangeError);
  const store = await openStore(folder.path, dataKey(), { migrations: [initial] });
  await store.close();
  folder.remove();
});

test('rows of version 1 become rows of version 2, and nothing in them is lost', async () => {
  const rows = new MemoryRows();
  const golden = JSON.parse(readFileSync(new URL('./storage-rows-v1.json', import.meta.url), 'utf8')) as {
    rows: [string, string][];
  };
  assert.equal(golden.rows.length, 29);
  await rows.commit(
    golden.rows.map(([key, value]) => ({ key: Buffer.from(key, 'hex'), value: Buffer.from(value, 'hex') })),
  );
  const store = await openMemoryStore(dataKey(), {}, rows);
  const readUpTo = { hlc: { ms: 1_700_000_000_003, counter: 0 }, id: messageId(3) };
  const second = conversationIdOf(ALICE, parseIdentityKey(Buffer.alloc(32, 0xc0)));
  assert.deepEqual(store.conversations.get(CONVERSATION), {
    ...conversation(),
    readUpTo,
    unread: 4,
    lateUnread: [messageId(1)],
  });
  assert.equal(store.conversations.get(second)?.unread, 0);
  const at20 = { ms: 1_700_000_000_020, counter: 0 };
  const expected = [
    ...[0, 1, 2, 3, 4, 5].map(n => storedMessage(n, { outgoing: n % 2 === 0 })),
    storedMessage(10, { parents: [messageId(90)], text: 'earlier child' }),
    storedMessage(15, { parents: [messageId(91)], hlc: at20 }),
    storedMessage(20, { parents: [messageId(5), messageId(90)] }),
  ].sort(comparePlaces);
  assert.deepEqual(store.messages.newest(CONVERSATION, 100), expected);
  assert.deepEqual(store.messages.undelivered(CONVERSATION, 10), [messageId(4)]);
  assert.equal(store.outbox.count(), 1);
  assert.deepEqual(store.messages.awaitedOf(CONVERSATION, 10), [
    { id: messageId(90), child: { hlc: storedMessage(10).hlc, id: messageId(10) } },
    { id: messageId(91), child: { hlc: at20, id: messageId(15) } },
  ]);
  assert.equal(store.messages.completeUpTo(CONVERSATION)?.id, messageId(5));
  assert.equal(store.messages.completeUpTo(second), null);
  // the newest is known: what comes below it is late, what comes above is not
  await store.write(tx => {
    assert.equal(
      store.messages.put(tx, CONVERSATION, storedMessage(90, { hlc: readUpTo.hlc, parents: [] }))?.late,
      true,
    );
    assert.equal(store.messages.put(tx, CONVERSATION, storedMessage(30, { parents: [messageId(20)] }))?.late, false);
  });
  assert.equal(
    store.messages.completeUpTo(CONVERSATION)?.id,
    expected.findLast(m => comparePlaces(m, storedMessage(15, { hlc: at20 })) < 0)?.id,
  );
  await store.verify(async () => {});
  await store.close();
});

test('blocks fill whole pages: the limit leaves room for nonce, tag and page head, and wastes no page', () => {
  const [pageBytes, pageHeadBytes, sealBytes] = [4096, 24, 40];
  const pages = (LIMITS.blockBytes + sealBytes + pageHeadBytes) / pageBytes;
  assert.ok(pages <= 4 && pages > 3.9, String(pages));
});
