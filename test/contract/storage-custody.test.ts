import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { test } from 'node:test';
import fc from 'fast-check';
import { HOUR_MS } from '../../core/base/clock.ts';
import { type ContactId, contactIdOf, parseEnvelopeId, parseIdentityKey } from '../../core/base/ids.ts';
import { LIMITS } from '../../core/base/limits.ts';
import { admit } from '../../core/mailbox/custody.ts';
import type { CustodyDeposit, CustodyEntry, CustodyUsage } from '../../core/storage/records.ts';
import type { Store } from '../../core/storage/store.ts';
import { ALICE_ID, BOB_ID, STORES } from './storage-fixtures.ts';

const CAROL_ID = contactIdOf(parseIdentityKey(Buffer.alloc(32, 0xca)));
const tag = (n: number): Buffer => Buffer.alloc(16, n);
const id = (n: number) => parseEnvelopeId(createHash('sha256').update(`envelope ${n}`).digest());

function deposit(n: number, more: Partial<CustodyDeposit> = {}): CustodyDeposit {
  return {
    envelopeId: id(n),
    tag: tag(1),
    depositor: BOB_ID,
    promisedToOthers: false,
    envelope: Buffer.alloc(40, n),
    bytes: 40,
    storedAtMs: 1000 + n,
    expiresAtMs: 50 * HOUR_MS + n,
    ...more,
  };
}

for (const { name, open } of STORES) {
  test(`${name}: what is held comes back by tag in order of arrival, page by page`, async () => {
    const { store, end } = await open();
    await store.write(tx => {
      // a clock set back between deposits changes nothing about their order
      for (let n = 0; n < 30; n += 1) {
        assert.ok(store.custody.put(tx, deposit(n, { tag: tag(n % 3), storedAtMs: 1_000_000 - n })));
      }
      assert.equal(store.custody.put(tx, deposit(7)), false, 'held already');
    });
    const first = store.custody.byTags([tag(0), tag(2), tag(0)], 8);
    assert.deepEqual(
      first.map(e => e.envelopeId),
      [0, 2, 3, 5, 6, 8, 9, 11].map(id),
    );
    const rest = store.custody.byTags([tag(0), tag(2)], 100, first.at(-1)?.seq);
    assert.equal(rest.length, 12);
    assert.deepEqual(store.custody.byTags([tag(9)], 5), []);
    const { envelope, ...kept } = deposit(12, { tag: tag(0), storedAtMs: 1_000_000 - 12 });
    const { seq, ...entry } = store.custody.entry(id(12)) ?? assert.fail();
    assert.deepEqual({ ...entry, tag: Buffer.from(entry.tag) }, kept);
    assert.deepEqual(store.custody.envelope(id(12)), envelope);
    assert.ok(store.custody.has(id(12)) && !store.custody.has(id(99)));
    assert.equal(store.custody.envelope(id(99)), undefined);
    assert.deepEqual(
      Array.from(store.custody.boxOf([2, 0, 5, 1].map(tag)), e => e.envelopeId),
      Array.from({ length: 30 }, (_, n) => id(n)),
      'all tags of a contact are one box',
    );
    const oldest = (from: Iterable<CustodyEntry>) => from[Symbol.iterator]().next().value?.envelopeId;
    assert.deepEqual(oldest(store.custody.partOf([tag(1), tag(2)], BOB_ID)), id(1));
    assert.equal(oldest(store.custody.partOf([tag(1), tag(2)], ALICE_ID)), undefined);
    await store.write(tx => assert.equal(store.custody.remove(tx, id(0))?.seq, first[0]?.seq));
    await store.write(tx => assert.equal(store.custody.remove(tx, id(0)), undefined));
    assert.deepEqual(oldest(store.custody.boxOf([0, 1, 2].map(tag))), id(1));
    assert.ok(seq > 0);
    await end();
  });

  test(`${name}: every tag is counted by itself, and strangers are counted together`, async () => {
    const { store, end } = await open();
    await store.write(tx => {
      store.custody.put(tx, deposit(1, { depositor: null, tag: tag(1) }));
      store.custody.put(tx, deposit(2, { depositor: null, tag: tag(2), bytes: 7 }));
      store.custody.put(tx, deposit(3, { depositor: ALICE_ID, tag: tag(2) }));
    });
    assert.deepEqual(store.custody.usageOfTags([tag(2)]), { envelopes: 2, bytes: 47 });
    assert.deepEqual(store.custody.usageOfTags([tag(9), tag(1)]), { envelopes: 1, bytes: 40 });
    assert.deepEqual(store.custody.tags(), [tag(1), tag(2)]);
    assert.deepEqual(store.custody.usageOfDepositor(null), { envelopes: 2, bytes: 47 });
    assert.deepEqual(store.custody.usageOfDepositor(CAROL_ID), { envelopes: 0, bytes: 0 });
    assert.deepEqual(store.custody.usage(), { envelopes: 3, bytes: 87 });
    assert.deepEqual([...store.custody.boxOf([tag(3)])], []);
    await end();
  });

  test(`${name}: the oldest of a full box is found by reading one entry`, async () => {
    const { store, end } = await open();
    await store.write(tx => {
      for (let n = 0; n < 200; n += 1) store.custody.put(tx, deposit(n, { tag: tag(n % 9) }));
    });
    await store.write(tx => {
      let reads = 0;
      const counting = {
        get: (key: Buffer) => {
          reads += 1;
          return tx.get(key);
        },
        has: (key: Buffer) => tx.has(key),
        range: (...range: Parameters<typeof tx.range>) => tx.range(...range),
        keys: (...range: Parameters<typeof tx.keys>) => tx.keys(...range),
      };
      const tags = Array.from({ length: 9 }, (_, n) => tag(n));
      for (const entry of store.custody.boxOf(tags, counting)) {
        assert.deepEqual(entry.envelopeId, id(0));
        break;
      }
      assert.equal(reads, 1);
    });
    await end();
  });

  test(`${name}: a promise to another contact is kept with the entry, and changes no total`, async () => {
    const { store, end } = await open();
    await store.write(tx => store.custody.put(tx, deposit(1)));
    const usage = store.custody.usage();
    await store.write(tx => store.custody.promiseToOthers(tx, store.custody.entry(id(1), tx) ?? assert.fail()));
    assert.equal(store.custody.entry(id(1))?.promisedToOthers, true);
    assert.deepEqual([...store.custody.boxOf([tag(1)])], [store.custody.entry(id(1))]);
    store.custody.forgetTotals();
    assert.deepEqual(store.custody.usage(), usage);
    await end();
  });

  test(`${name}: what expires goes in bounded steps, to the millisecond, and the holding clock is kept`, async () => {
    const { store, end } = await open();
    assert.equal(store.custody.clock(), undefined);
    await store.write(tx => {
      for (let n = 0; n < 20; n += 1) store.custody.put(tx, deposit(n, { expiresAtMs: 5 * HOUR_MS + n * 1000 }));
      store.custody.put(tx, deposit(30, { expiresAtMs: 4 * HOUR_MS }));
      store.custody.putClock(tx, { forwardMs: 77, wallMs: 99 });
    });
    const expired: number[] = [];
    for (let step = 0; step < 3; step += 1) {
      await store.write(tx => expired.push(store.custody.expire(tx, 5 * HOUR_MS + 9000, 6).length));
    }
    assert.deepEqual(expired, [6, 5, 0]);
    assert.equal(store.custody.usage().envelopes, 10);
    assert.equal(store.custody.has(id(9)), false);
    assert.ok(store.custody.has(id(10)));
    assert.deepEqual(store.custody.clock(), { forwardMs: 77, wallMs: 99 });
    await end();
  });

  test(`${name}: totals and boxes agree with a plain list whatever happens, and quotas hold`, async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(step(), { minLength: 1, maxLength: 60 }), async steps => {
        const { store, end } = await open();
        const model: CustodyDeposit[] = [];
        for (const [n, action] of steps.entries()) await act(store, model, action, n);
        compare(store, model);
        store.custody.forgetTotals();
        compare(store, model);
        await end();
      }),
      { numRuns: name === 'LMDB' ? 10 : 80, verbose: 1 },
    );
  });
}

const PEOPLE: readonly (ContactId | null)[] = [ALICE_ID, BOB_ID, CAROL_ID, null];
/** Tags of two contacts, and two of nobody known. */
const BOXES = [[0, 1], [2, 3, 4], [5], [6]];

type Step =
  | {
      kind: 'deposit';
      depositor: ContactId | null;
      tag: number;
      bytes: number;
      fails: boolean;
    }
  | { kind: 'remove' | 'expire'; at: number; fails: boolean };

function step(): fc.Arbitrary<Step> {
  const person = fc.constantFrom(...PEOPLE);
  const shares = [LIMITS.mailboxStrangerBytes >> 1, LIMITS.mailboxDepositorBytes >> 1, LIMITS.mailboxBytes >> 3];
  return fc.oneof(
    {
      weight: 5,
      arbitrary: fc.record({
        kind: fc.constant('deposit' as const),
        depositor: person,
        tag: fc.nat(6),
        // so large that every quota is met within a few deposits
        bytes: fc.constantFrom(500, ...shares),
        fails: fc.nat(9).map(n => n === 0),
      }),
    },
    {
      weight: 2,
      arbitrary: fc.record({
        kind: fc.constantFrom('remove' as const, 'expire' as const),
        at: fc.nat(60),
        fails: fc.nat(4).map(n => n === 0),
      }),
    },
  );
}

/** Does to the store and to the list what the step says; a step that fails does nothing to either. */
async function act(store: Store, model: CustodyDeposit[], action: Step, n: number): Promise<void> {
  const next = [...model];
  const drop = (gone: (held: CustodyDeposit) => boolean): void => {
    next.splice(0, next.length, ...next.filter(held => !gone(held)));
  };
  const writing = store.write(tx => {
    if (action.kind === 'deposit') {
      const { depositor, bytes } = action;
      const fresh = deposit(n, { depositor, bytes, tag: tag(action.tag), expiresAtMs: n * HOUR_MS });
      const admission = admit({ bytes, depositor, expiresAtHours: 100 }, roomFor(store, tx, fresh), 99 * HOUR_MS);
      if (admission.kind === 'take') {
        for (const old of admission.evict) {
          assert.ok(store.custody.remove(tx, old));
          drop(held => held.envelopeId.toString() === old.toString());
        }
        store.custody.put(tx, fresh);
        next.push(fresh);
      }
    } else if (action.kind === 'remove') {
      const held = next[action.at % Math.max(1, next.length)];
      if (held) store.custody.remove(tx, held.envelopeId);
      drop(other => other === held);
    } else {
      store.custody.expire(tx, action.at * HOUR_MS, 1000);
      drop(held => held.expiresAtMs <= action.at * HOUR_MS);
    }
    if (action.fails) throw new RangeError('half-way');
  });
  if (action.fails) await assert.rejects(writing, RangeError);
  else {
    await writing;
    model.splice(0, model.length, ...next);
  }
}

function roomFor(store: Store, tx: Parameters<Parameters<Store['write']>[0]>[0], fresh: CustodyDeposit) {
  const { depositor } = fresh;
  const tags = (BOXES.find(box => box.includes(fresh.tag[0] ?? 0)) ?? []).map(tag);
  return {
    holds: true,
    totalBytes: store.custody.usage(tx).bytes,
    depositorBytes: store.custody.usageOfDepositor(depositor, tx).bytes,
    boxCount: store.custody.usageOfTags(tags, tx).envelopes,
    box: store.custody.boxOf(tags, tx),
    part: store.custody.partOf(tags, depositor, tx),
  };
}

function compare(store: Store, model: readonly CustodyDeposit[]): void {
  const ids = (held: Iterable<Pick<CustodyEntry, 'envelopeId'>>) => Array.from(held, one => one.envelopeId);
  const sum = (held: readonly CustodyDeposit[]): CustodyUsage => ({
    envelopes: held.length,
    bytes: held.reduce((total, { bytes }) => total + bytes, 0),
  });
  assert.deepEqual(store.custody.usage(), sum(model));
  assert.ok(store.custody.usage().bytes <= LIMITS.mailboxBytes);
  for (const person of PEOPLE) {
    const deposited = sum(model.filter(held => held.depositor === person));
    assert.deepEqual(store.custody.usageOfDepositor(person), deposited);
    assert.ok(deposited.bytes <= (person === null ? LIMITS.mailboxStrangerBytes : LIMITS.mailboxDepositorBytes));
    for (const box of BOXES) {
      const part = model.filter(held => held.depositor === person && box.includes(held.tag[0] ?? 0));
      assert.deepEqual(ids(store.custody.partOf(box.map(tag), person)), ids(part));
    }
  }
  for (const box of BOXES) {
    const inBox = model.filter(held => box.includes(held.tag[0] ?? 0));
    assert.deepEqual(store.custody.usageOfTags(box.map(tag)), sum(inBox));
    assert.deepEqual(ids(store.custody.boxOf(box.map(tag))), ids(inBox));
  }
  const all = store.custody.byTags([0, 1, 2, 3, 4, 5, 6].map(tag), 1000);
  assert.deepEqual(
    all.map(entry => entry.envelopeId),
    model.map(held => held.envelopeId),
  );
  for (const held of model) assert.deepEqual(store.custody.envelope(held.envelopeId), held.envelope);
}
