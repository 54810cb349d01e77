import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import type { MessageId } from '../../core/base/ids.ts';
import { LIMITS } from '../../core/base/limits.ts';
import { comparePlaces } from '../../core/storage/message-place.ts';
import type { StoredMessage } from '../../core/storage/records.ts';
import { CONVERSATION, conversation, messageId, STORES, storedMessage } from './storage-fixtures.ts';

for (const { name, open } of STORES) {
  test(`${name}: messages come back as they went in, through single rows and blocks`, async () => {
    const { store, end } = await open();
    await store.write(tx => store.conversations.put(tx, conversation()));
    const count = LIMITS.singles * 21 + 17;
    for (let n = 0; n < count; n += 50) {
      await store.write(tx => {
        for (let i = n; i < Math.min(n + 50, count); i += 1) store.messages.put(tx, CONVERSATION, storedMessage(i));
      });
    }
    const all = store.messages.newest(CONVERSATION, count + 10);
    assert.deepEqual(
      all,
      Array.from({ length: count }, (_, n) => storedMessage(n)),
    );
    for (const n of [0, 1, 63, 127, 128, 400, count - 1]) {
      assert.deepEqual(store.messages.get(messageId(n)), storedMessage(n));
    }
    assert.deepEqual(
      store.messages.newest(CONVERSATION, 3, messageId(200)).map(m => m.id),
      [197, 198, 199].map(messageId),
    );
    assert.deepEqual(store.messages.heads(CONVERSATION), [messageId(count - 1)]);
    assert.equal(store.messages.get(messageId(count)), undefined);
    await end();
  });

  test(`${name}: blocks agree with a plain list, whatever the order of arrival`, async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.record({ put: fc.integer({ min: 0, max: 900 }), bytes: fc.integer({ min: 0, max: 700 }) }), {
          minLength: 1,
          maxLength: 300,
        }),
        fc.integer({ min: 0, max: 900 }),
        async (steps, probe) => {
          const { store, end } = await open();
          await store.write(tx => store.conversations.put(tx, conversation()));
          const model = new Map<MessageId, StoredMessage>();
          for (const step of steps) {
            const message = storedMessage(step.put, {
              // equal times occur, and one message in a hundred is longer than a block
              hlc: { ms: 1_700_000_000_000 + (step.put >> 2), counter: 0 },
              text: 'x'.repeat(step.put % 100 === 0 ? 20_000 : step.bytes),
              parents: [],
            });
            let fresh = false;
            await store.write(tx => {
              fresh = store.messages.put(tx, CONVERSATION, message) !== undefined;
            });
            assert.equal(fresh, !model.has(message.id));
            const late = [...model.values()].some(there => comparePlaces(there, message) > 0);
            if (fresh) model.set(message.id, { ...message, late });
          }
          const all = store.messages.newest(CONVERSATION, 10_000);
          assert.equal(all.length, model.size);
          for (const [i, message] of all.entries()) {
            assert.deepEqual(message, model.get(message.id));
            assert.deepEqual(store.messages.get(message.id), message);
            const before = all[i - 1];
            if (before) assert.ok(comparePlaces(before, message) < 0);
          }
          const at = all.findIndex(m => m.id === messageId(probe));
          const page = store.messages.newest(CONVERSATION, 7, messageId(probe));
          assert.deepEqual(page, at < 0 ? [] : all.slice(Math.max(0, at - 7), at));
          await end();
        },
      ),
      { numRuns: name === 'LMDB' ? 12 : 40, verbose: 1 },
    );
  });

  test(`${name}: heads are exactly the messages nobody answered, however they arrive`, async () => {
    await fc.assert(
      fc.asyncProperty(fc.shuffledSubarray([...Array(30).keys()], { minLength: 30 }), async order => {
        const { store, end } = await open();
        await store.write(tx => store.conversations.put(tx, conversation()));
        const parentsOf = (n: number): number[] => (n === 0 ? [] : n % 3 === 0 ? [n - 1, n - 2] : [n - 1]);
        await store.write(tx => {
          for (const n of order) {
            store.messages.put(tx, CONVERSATION, storedMessage(n, { parents: parentsOf(n).map(messageId) }));
          }
        });
        assert.deepEqual(store.messages.heads(CONVERSATION), [messageId(29)]);
        await end();
      }),
      { numRuns: name === 'LMDB' ? 5 : 25 },
    );
  });

  test(`${name}: delivery states and the list of what is not delivered`, async () => {
    const { store, end } = await open();
    await store.write(tx => store.conversations.put(tx, conversation()));
    await store.write(tx => {
      for (let n = 0; n < 5; n += 1) {
        store.messages.put(tx, CONVERSATION, storedMessage(n, { outgoing: true }));
        store.messages.setState(tx, messageId(n), { state: 'queued', atMs: n, receipt: null });
      }
    });
    await store.write(tx => {
      store.messages.setState(tx, messageId(1), { state: 'delivered', atMs: 100, receipt: null });
      store.messages.setState(tx, messageId(3), { state: 'expired', atMs: 101, receipt: null });
    });
    assert.deepEqual(store.messages.undelivered(CONVERSATION, 10), [0, 2, 4].map(messageId));
    assert.deepEqual(store.messages.stateOf(messageId(1)), { state: 'delivered', atMs: 100, receipt: null });
    assert.equal(store.messages.stateOf(messageId(9)), undefined);
    await store.write(tx => store.messages.setState(tx, messageId(3), { state: 'queued', atMs: 102, receipt: null }));
    assert.deepEqual(store.messages.undelivered(CONVERSATION, 3), [0, 2, 3].map(messageId));
    await end();
  });

  test(`${name}: a removed conversation leaves nothing of its messages`, async () => {
    const { store, end } = await open();
    await store.write(tx => store.conversations.put(tx, conversation()));
    await store.write(tx => {
      for (let n = 0; n < 300; n += 1) store.messages.put(tx, CONVERSATION, storedMessage(n));
    });
    const gone: MessageId[] = [];
    await store.write(tx => {
      store.messages.removeAll(tx, CONVERSATION, id => gone.push(id));
      store.conversations.remove(tx, CONVERSATION);
    });
    assert.equal(gone.length, 300);
    assert.equal(store.messages.has(messageId(5)), false);
    assert.equal(store.conversations.get(CONVERSATION), undefined);
    await store.write(tx => store.conversations.put(tx, { ...conversation(), salt: Buffer.alloc(32, 9) }));
    assert.deepEqual(store.messages.newest(CONVERSATION, 10), []);
    await end();
  });
}
