import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { LIMITS } from '../../core/base/limits.ts';
import { Secret } from '../../core/base/secret.ts';
import { comparePlaces } from '../../core/storage/message-place.ts';
import type { NewMessage } from '../../core/storage/records.ts';
import { openMemoryStore } from '../../core/storage/store.io.ts';
import type { Store } from '../../core/storage/store.ts';
import { CONVERSATION, conversation, messageId, STORES, storedMessage } from './storage-fixtures.ts';

/** A conversation in which message n names the messages `back` steps before it. */
function said(count: number, backs: readonly number[]): NewMessage[] {
  return Array.from({ length: count }, (_, n) => {
    const parents = backs.filter(back => back <= n && back > 0).map(back => messageId(n - back));
    return storedMessage(n, { parents: [...new Set(parents)] });
  });
}

/** What the store should say, by looking at everything. */
function truth(stored: readonly NewMessage[]) {
  const sorted = stored.toSorted(comparePlaces);
  const ids = new Set(sorted.map(({ id }) => id));
  const awaited = new Map<string, string>();
  let complete: NewMessage | undefined;
  let gap = false;
  for (const message of sorted) {
    for (const parent of message.parents) {
      if (ids.has(parent)) continue;
      gap = true;
      if (!awaited.has(parent)) awaited.set(parent, message.id);
    }
    if (!gap) complete = message;
  }
  return { awaited, complete };
}

async function putAll(store: Store, messages: readonly NewMessage[], atOnce: number): Promise<void> {
  for (let at = 0; at < messages.length; at += atOnce) {
    await store.write(tx => {
      for (const message of messages.slice(at, at + atOnce)) store.messages.put(tx, CONVERSATION, message);
    });
  }
}

for (const { name, open } of STORES) {
  test(`${name}: what is missing and up to where nothing is, whatever came in which order`, async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.shuffledSubarray([...Array(60).keys()]),
        fc.array(fc.integer({ min: 1, max: 20 }), { maxLength: 4 }),
        fc.integer({ min: 1, max: 20 }),
        async (order, backs, atOnce) => {
          const { store, end } = await open();
          await store.write(tx => store.conversations.put(tx, conversation()));
          const all = said(60, backs);
          const come = order.map(n => all[n] as NewMessage);
          await putAll(store, come, atOnce);
          const { awaited, complete } = truth(come);
          const found = store.messages.awaitedOf(CONVERSATION, 100);
          assert.deepEqual(new Map(found.map(({ id, child }) => [id, child.id])), awaited);
          assert.deepEqual(
            found,
            found.toSorted((a, b) => comparePlaces(a.child, b.child)),
          );
          assert.equal(store.messages.completeUpTo(CONVERSATION)?.id, complete?.id);
          for (const [n, message] of come.entries()) {
            const late = come.slice(0, n).some(before => comparePlaces(before, message) > 0);
            assert.equal(store.messages.get(message.id)?.late, late);
          }
          await end();
        },
      ),
      { numRuns: name === 'LMDB' ? 8 : 60, verbose: 1 },
    );
  });

  for (const [from, order] of [
    ['the first', (ns: number[]) => ns],
    ['the last', (ns: number[]) => ns.toReversed()],
  ] as const)
    test(`${name}: more gaps than there is room for: never called complete too early, closed from ${from}`, async () => {
      const { store, end } = await open();
      await store.write(tx => store.conversations.put(tx, conversation()));
      const count = LIMITS.awaitedParents * 6;
      const all = said(count, [1, count / 2]);
      // every second message of the first half is missing, and each is named twice
      const missing = new Set(Array.from({ length: count / 4 }, (_, n) => 2 * n));
      assert.ok(missing.size > LIMITS.awaitedParents);
      const come = all.filter((_, n) => !missing.has(n));
      await putAll(store, come.toReversed(), 16);
      // one more, at the end, names a message that never comes
      const last = storedMessage(count, { parents: [messageId(count - 1), messageId(count + 9)] });
      await putAll(store, [last], 1);
      assert.equal(store.messages.awaitedOf(CONVERSATION, 1000).length, LIMITS.awaitedParents);
      const stored = [...come, last];
      for (const n of order([...missing])) {
        await putAll(store, [all[n] as NewMessage], 1);
        stored.push(all[n] as NewMessage);
        const complete = store.messages.completeUpTo(CONVERSATION);
        const real = truth(stored).complete;
        assert.ok(!complete || (real && comparePlaces(complete, real) <= 0));
      }
      const [left] = store.messages.awaitedOf(CONVERSATION, 10);
      assert.deepEqual([left?.id, left?.child.id], [messageId(count + 9), last.id]);
      assert.equal(store.messages.completeUpTo(CONVERSATION)?.id, messageId(count - 1));
      await end();
    });

  test(`${name}: an empty conversation is complete up to nothing; a removed one forgets its gaps`, async () => {
    const { store, end } = await open();
    await store.write(tx => store.conversations.put(tx, conversation()));
    assert.equal(store.messages.completeUpTo(CONVERSATION), null);
    await putAll(store, [storedMessage(5)], 1);
    assert.equal(store.messages.completeUpTo(CONVERSATION), null, 'its first message names one that is not there');
    await store.write(tx => store.messages.removeAll(tx, CONVERSATION));
    assert.deepEqual(store.messages.awaitedOf(CONVERSATION, 10), []);
    await putAll(store, [storedMessage(2, { parents: [] })], 1);
    assert.equal(store.messages.get(messageId(2))?.late, false, 'what was removed is not newer');
    await end();
  });
}

test('two machines with other keys and another order of arrival show equal times in one order, page by page', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.shuffledSubarray([...Array(80).keys()], { minLength: 80 }),
      fc.integer({ min: 1, max: 9 }),
      async (order, page) => {
        const messages = said(80, []).map((m, n) => ({ ...m, hlc: { ms: 1_700_000_000_000 + (n >> 4), counter: 0 } }));
        const ids: string[][] = [];
        for (const [key, come] of [
          [7, messages],
          [8, order.map(n => messages[n] as NewMessage)],
        ] as const) {
          const store = await openMemoryStore(Secret.take(Buffer.alloc(32, key)));
          await store.write(tx => store.conversations.put(tx, conversation()));
          await putAll(store, come, key);
          let shown = store.messages.newest(CONVERSATION, page);
          while (shown.length < 80) {
            const more = store.messages.newest(CONVERSATION, page, shown[0]?.id);
            assert.ok(more.length > 0);
            shown = [...more, ...shown];
          }
          ids.push(shown.map(({ id }) => id));
          await store.close();
        }
        assert.deepEqual(ids[0], ids[1]);
        assert.deepEqual(
          ids[0],
          messages.toSorted(comparePlaces).map(({ id }) => id),
        );
      },
    ),
    { numRuns: 25, verbose: 1 },
  );
});
