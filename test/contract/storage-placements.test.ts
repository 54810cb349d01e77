import assert from 'node:assert/strict';
import { test } from 'node:test';
import { contactIdOf, parseEnvelopeId, parseIdentityKey } from '../../core/base/ids.ts';
import type { PlacementRecord, SessionRecord } from '../../core/storage/records.ts';
import { ALICE_ID, BOB_ID, messageId, STORES } from './storage-fixtures.ts';

const custodian = (n: number) => contactIdOf(parseIdentityKey(Buffer.alloc(32, n)));
const envelope = (n: number) => parseEnvelopeId(Buffer.alloc(32, n));

function placement(n: number, holder: number, more: Partial<PlacementRecord> = {}): PlacementRecord {
  return {
    envelopeId: envelope(n),
    messageId: messageId(n),
    contact: ALICE_ID,
    custodian: custodian(holder),
    changedAtMs: 5,
    untilMs: 7,
    receipt: Buffer.of(1),
    ...more,
  };
}

const custodians = (placements: Iterable<PlacementRecord>): string[] =>
  Array.from(placements, ({ custodian: who }) => who).sort();

for (const { name, open } of STORES) {
  test(`${name}: placements are found by envelope, text and custodian, and end together`, async () => {
    const { store, end } = await open();
    await store.write(tx => {
      for (const holder of [1, 2, 3]) store.placements.put(tx, placement(1, holder));
      store.placements.put(tx, placement(2, 1, { messageId: null }));
      store.placements.put(tx, placement(3, 1));
    });
    const held = placement(1, 2, { untilMs: 900, receipt: Buffer.alloc(90, 4), changedAtMs: 6 });
    await store.write(tx => store.placements.put(tx, held));
    const found = store.placements.get(envelope(1), custodian(2)) ?? assert.fail();
    assert.deepEqual({ ...found, receipt: Buffer.from(found.receipt) }, held);
    assert.deepEqual(custodians(store.placements.listOf(envelope(1))), [1, 2, 3].map(custodian).sort());
    assert.deepEqual(custodians(store.placements.listOfMessage(messageId(1))), [1, 2, 3].map(custodian).sort());
    assert.equal(store.placements.listOfCustodian(custodian(1), 10).length, 3);
    assert.equal(store.placements.listOfCustodian(custodian(1), 2).length, 2);
    assert.equal([...store.placements.all()].length, 5);
    await store.write(tx => {
      store.placements.remove(tx, envelope(1), custodian(1));
      store.placements.remove(tx, envelope(1), custodian(9));
      store.placements.removeAllOf(tx, envelope(2));
    });
    assert.deepEqual(
      store.placements.listOfCustodian(custodian(1), 10).map(p => p.envelopeId),
      [envelope(3)],
    );
    await store.write(tx => {
      store.placements.removeAllOf(tx, envelope(1));
      store.placements.removeAllOfCustodian(tx, custodian(1));
    });
    assert.deepEqual([...store.placements.all()], []);
    assert.deepEqual(store.placements.listOfCustodian(custodian(3), 10), []);
    await end();
  });

  test(`${name}: hours seen and instances come back as they went in`, async () => {
    const { store, end } = await open();
    const uptime = { lastHour: 490_000, bits: Buffer.alloc(21, 0xa5) };
    const stamp = { alias: Buffer.alloc(4, 7), order: 2 ** 32 - 1, sealed: Buffer.alloc(24, 9) };
    const seen = { holds: true, stamps: [stamp] };
    const wrote: boolean[] = [];
    for (const lastHour of [490_000, 490_000, 490_001]) {
      await store.write(tx => wrote.push(store.uptime.put(tx, ALICE_ID, { ...uptime, lastHour })));
    }
    assert.deepEqual(wrote, [true, false, true]);
    await store.write(tx => store.instances.putSeen(tx, ALICE_ID, seen));
    const stored = store.uptime.get(ALICE_ID);
    assert.deepEqual([stored?.lastHour, Buffer.from(stored?.bits ?? [])], [490_001, uptime.bits]);
    assert.deepEqual(store.instances.seen(ALICE_ID), seen);
    assert.equal(store.instances.seen(BOB_ID), undefined);
    assert.equal(store.uptime.get(BOB_ID), undefined);
    await store.write(tx => {
      store.uptime.remove(tx, ALICE_ID);
      store.instances.removeSeen(tx, ALICE_ID);
    });
    assert.equal(store.uptime.get(ALICE_ID), undefined);
    assert.equal(store.instances.seen(ALICE_ID), undefined);
    await end();
  });

  test(`${name}: a restored profile drops every session, skipped key and sealed envelope at once`, async () => {
    const { store, end } = await open();
    const session = (n: number): SessionRecord => ({
      sessionId: Buffer.alloc(16, n),
      contact: n % 2 === 0 ? ALICE_ID : BOB_ID,
      role: 'initiator',
      createdAtMs: 1,
      state: Buffer.alloc(50, n),
      verificationKey: Buffer.alloc(32),
      ownCardHash: Buffer.alloc(32),
      peerCardHash: Buffer.alloc(32),
      live: true,
    });
    const waiting = (n: number) => ({
      envelopeId: envelope(n),
      contact: n % 2 === 0 ? ALICE_ID : BOB_ID,
      seq: n,
      envelope: Buffer.alloc(9, n),
      expiresAtMs: 1,
      messageId: null,
    });
    await store.write(tx => {
      for (let n = 0; n < 6; n += 1) {
        store.sessions.put(tx, session(n));
        store.sessions.putSkipped(tx, Buffer.alloc(16, n), Buffer.of(n));
        store.outbox.put(tx, waiting(n));
      }
    });
    const dropping = store.write(tx => {
      store.sessions.removeAll(tx);
      store.outbox.removeAll(tx);
      throw new RangeError('half-way');
    });
    await assert.rejects(dropping, RangeError);
    assert.deepEqual([store.outbox.count(), store.sessions.all().length], [6, 6]);
    await store.write(tx => {
      store.sessions.removeAll(tx);
      store.outbox.removeAll(tx);
    });
    assert.deepEqual([store.outbox.count(), store.sessions.all().length], [0, 0]);
    assert.deepEqual([store.sessions.listOf(ALICE_ID), store.outbox.listOf(ALICE_ID, 9)], [[], []]);
    assert.equal(store.sessions.skipped(Buffer.alloc(16, 1)), undefined);
    assert.deepEqual(store.outbox.contactsWithWork(), []);
    await store.write(tx => store.outbox.put(tx, waiting(1)));
    assert.equal(store.outbox.countOf(BOB_ID), 1);
    await end();
  });
}
