import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import type { CoreError } from '../../core/base/errors.ts';
import { type ContactId, parseEnvelopeId, parseIdentityKey, parseTransportKey } from '../../core/base/ids.ts';
import { MemoryRows } from '../../core/storage/memory-rows.ts';
import { afterPrefix, type Op } from '../../core/storage/port.ts';
import type { ContactRecord, OutboxRecord, ProfileRecord, SessionRecord } from '../../core/storage/records.ts';
import { WriteQueue } from '../../core/storage/write-queue.ts';
import { ALICE, ALICE_ID, BOB, BOB_ID, CONVERSATION, messageId, STORES } from './storage-fixtures.ts';

const filled = (byte: number, length = 32): Buffer => Buffer.alloc(length, byte);

const envelopeOf = (n: number, contact: ContactId): OutboxRecord => ({
  envelopeId: parseEnvelopeId(filled(n)),
  contact,
  seq: n,
  envelope: filled(n, 300),
  expiresAtMs: (1000 + n) * 3_600_000,
  messageId: n % 2 === 0 ? null : messageId(n),
});

const PROFILE: ProfileRecord = {
  nick: 'Миша',
  createdAtMs: 5,
  identity: filled(1, 100),
  transportSeed: filled(2),
  mailboxKey: filled(3),
  presenceKey: filled(4),
  cardSerial: 7,
  nextPrekeyId: 9,
  listenPorts: [4001, 0],
  card: filled(5, 900),
};

const CONTACT: ContactRecord = {
  id: ALICE_ID,
  identity: ALICE,
  conversation: CONVERSATION,
  card: filled(6, 800),
  cardSerial: 3,
  nick: '',
  claimedNick: 'Alice',
  phase: 'accepted',
  trust: 'verified',
  addedAtMs: 10,
  lastSeenAtMs: null,
  addresses: ['/ip4/127.0.0.1/tcp/1'],
  transportKey: parseTransportKey(filled(8)),
  mailboxKey: filled(9),
  initiation: null,
  superseded: null,
  lastInitiationMs: 0,
};

for (const { name, open } of STORES) {
  test(`${name}: profile, requests, invites, prekeys and verifications come back as they went in`, async () => {
    const { store, end } = await open();
    assert.equal(store.profile.get(), undefined);
    const request = {
      id: ALICE_ID,
      identity: ALICE,
      card: filled(1, 9),
      initiation: filled(2, 5),
      receivedAtMs: 3,
      nick: 'A',
    };
    const invite = { secret: filled(1, 16), createdAtMs: 1, expiresAtMs: 2 };
    const prekey = { id: 4_000_000_000, bytes: filled(3, 200), createdAtMs: 1, expiresAtMs: 2 };
    await store.write(tx => {
      store.profile.put(tx, PROFILE);
      store.requests.put(tx, request);
      store.declined.add(tx, ALICE);
      store.invites.put(tx, invite);
      store.prekeys.put(tx, prekey);
      store.verifications.put(tx, ALICE_ID, filled(7, 60));
    });
    assertSame(store.profile.get(), PROFILE);
    assertSame(store.requests.list(), [request]);
    assert.ok(store.declined.has(ALICE));
    assert.equal(store.declined.has(parseIdentityKey(filled(2))), false);
    assertSame(store.invites.list(), [invite]);
    assertSame(store.prekeys.get(4_000_000_000), prekey);
    assertSame(store.verifications.get(ALICE_ID), filled(7, 60));
    await store.write(tx => {
      store.requests.remove(tx, ALICE_ID);
      store.invites.remove(tx, invite.secret);
      store.prekeys.remove(tx, prekey.id);
      store.verifications.remove(tx, ALICE_ID);
    });
    assert.deepEqual([store.requests.list(), store.invites.list(), store.prekeys.list()], [[], [], []]);
    assert.equal(store.verifications.get(ALICE_ID), undefined);
    await end();
  });

  test(`${name}: a contact is found by identity and by the transport key it has now`, async () => {
    const { store, end } = await open();
    await store.write(tx => store.contacts.put(tx, CONTACT));
    assertSame(store.contacts.byIdentity(ALICE), CONTACT);
    const moved: ContactRecord = {
      ...CONTACT,
      transportKey: parseTransportKey(filled(18)),
      initiation: { id: filled(1, 16), atMs: 7 },
    };
    const secret = filled(2, 40);
    await store.write(tx => {
      store.contacts.put(tx, moved);
      store.contacts.putInitiationSecret(tx, ALICE_ID, secret);
    });
    assert.deepEqual(store.contacts.initiationSecret(ALICE_ID), secret);
    await store.write(tx => store.contacts.putInitiationSecret(tx, ALICE_ID, null));
    assert.equal(store.contacts.initiationSecret(ALICE_ID), undefined);
    await store.write(tx => store.contacts.putInitiationSecret(tx, ALICE_ID, secret));
    assert.equal(store.contacts.byTransport(CONTACT.transportKey), undefined);
    assertSame(store.contacts.byTransport(moved.transportKey), moved);
    await store.write(tx => store.contacts.remove(tx, ALICE_ID));
    assert.equal(store.contacts.initiationSecret(ALICE_ID), undefined);
    assert.equal(store.contacts.byTransport(moved.transportKey), undefined);
    assert.deepEqual(store.contacts.list(), []);
    await end();
  });

  test(`${name}: a transport key is one contact's, until that one gives it up`, async () => {
    const { store, end } = await open();
    const other: ContactRecord = { ...CONTACT, id: BOB_ID, identity: BOB };
    await store.write(tx => store.contacts.put(tx, CONTACT));
    await assert.rejects(
      store.write(tx => store.contacts.put(tx, other)),
      (error: CoreError) => error.code === 'refused',
    );
    assertSame(store.contacts.byTransport(CONTACT.transportKey), CONTACT);
    assert.equal(store.contacts.get(BOB_ID), undefined);
    await store.write(tx => {
      store.contacts.put(tx, { ...CONTACT, transportKey: parseTransportKey(filled(18)) });
      store.contacts.put(tx, other);
    });
    assertSame(store.contacts.byTransport(CONTACT.transportKey), other);
    await end();
  });

  test(`${name}: sessions with their skipped keys`, async () => {
    const { store, end } = await open();
    const session = (byte: number, contact = ALICE_ID): SessionRecord => ({
      sessionId: filled(byte, 16),
      contact,
      role: 'responder',
      createdAtMs: 1,
      state: filled(byte, 300),
      verificationKey: filled(3),
      ownCardHash: filled(4),
      peerCardHash: filled(5),
      live: true,
    });
    await store.write(tx => {
      for (const s of [session(1), session(2), session(3, BOB_ID)]) store.sessions.put(tx, s);
      store.sessions.putSkipped(tx, filled(1, 16), filled(4, 90));
    });
    await store.write(tx => store.sessions.put(tx, { ...session(1), live: false }));
    assertSame(store.sessions.get(filled(1, 16)), { ...session(1), live: false });
    assert.equal(store.sessions.listOf(ALICE_ID).length, 2);
    assert.equal(store.sessions.listOf(BOB_ID).length, 1);
    assertSame(store.sessions.skipped(filled(1, 16)), filled(4, 90));
    await store.write(tx => store.sessions.remove(tx, filled(1, 16)));
    assert.equal(store.sessions.skipped(filled(1, 16)), undefined);
    assertSame(store.sessions.listOf(ALICE_ID), [session(2)]);
    await end();
  });

  test(`${name}: the outbox keeps order, counts, and gives up what expired`, async () => {
    const { store, end } = await open();
    await store.write(tx => {
      for (let n = 0; n < 10; n += 1) store.outbox.put(tx, envelopeOf(n, ALICE_ID));
      store.outbox.put(tx, envelopeOf(20, BOB_ID));
      store.outbox.put(tx, envelopeOf(20, BOB_ID));
    });
    assert.deepEqual([store.outbox.countOf(ALICE_ID), store.outbox.countOf(BOB_ID)], [10, 1]);
    assert.deepEqual(
      store.outbox.listOf(ALICE_ID, 3, 4).map(r => r.seq),
      [5, 6, 7],
    );
    assertSame(store.outbox.listOf(ALICE_ID, 1)[0], envelopeOf(0, ALICE_ID));
    await store.write(tx => assert.ok(store.outbox.remove(tx, envelopeOf(0, ALICE_ID).envelopeId)));
    await store.write(tx => assert.equal(store.outbox.remove(tx, envelopeOf(0, ALICE_ID).envelopeId), false));
    let expired: number[] = [];
    await store.write(tx => {
      expired = store.outbox.sweep(tx, envelopeOf(4, ALICE_ID).expiresAtMs, 100).map(r => r.seq);
    });
    assert.deepEqual(expired, [1, 2, 3, 4]);
    assert.equal(store.outbox.countOf(ALICE_ID), 5);
    await store.write(tx => store.outbox.removeAllOf(tx, ALICE_ID));
    assert.deepEqual(store.outbox.contactsWithWork(), [BOB_ID]);
    await end();
  });

  test(`${name}: counts of the outbox stay true when writes fail`, async () => {
    const { store, end } = await open();
    const failing = store.write(tx => {
      store.outbox.put(tx, envelopeOf(1, ALICE_ID));
      throw new RangeError('half-way');
    });
    const fine = store.write(tx => store.outbox.put(tx, envelopeOf(2, ALICE_ID)));
    await assert.rejects(failing, RangeError);
    await fine;
    assert.equal(store.outbox.countOf(ALICE_ID), 1);
    assert.deepEqual(
      store.outbox.listOf(ALICE_ID, 9).map(r => r.seq),
      [2],
    );
    await end();
  });

  test(`${name}: seen ids are swept when their hour has passed, in bounded steps`, async () => {
    const { store, end } = await open();
    const hour = 3_600_000;
    await store.write(tx => {
      for (let n = 0; n < 100; n += 1) store.seen.add(tx, filled(n), n < 60 ? hour : 9 * hour);
    });
    assert.ok(store.seen.has(filled(3)));
    let [removed, rounds, done] = [0, 0, false];
    while (!done) {
      await store.write(tx => {
        const step = store.seen.sweep(tx, 2 * hour, 30);
        removed += step.removed;
        done = step.done;
      });
      rounds += 1;
    }
    assert.equal(removed, 60);
    assert.ok(rounds >= 4);
    assert.equal(store.seen.has(filled(3)), false);
    assert.ok(store.seen.has(filled(99)));
    await end();
  });

  test(`${name}: a job sees its own rows, a reader only durable ones, and a thrown job leaves nothing`, async () => {
    const { store, end } = await open();
    const writing = store.write(tx => {
      store.receipts.put(tx, messageId(1), 1, filled(1));
      assert.ok(store.receipts.get(messageId(1), 1, tx));
      assert.equal(store.receipts.get(messageId(1), 1), undefined);
    });
    await writing;
    assert.ok(store.receipts.get(messageId(1), 1));
    await assert.rejects(
      store.write(tx => {
        store.receipts.removeAllOf(tx, messageId(1));
        throw new Error('no');
      }),
    );
    assert.ok(store.receipts.get(messageId(1), 1));
    await end();
    await assert.rejects(store.write(() => {}));
  });
}

test('the write queue agrees with one map, whatever jobs do and fail', async () => {
  const key = fc.tuple(fc.constant(1), fc.nat(3), fc.nat(3)).map(bytes => Buffer.from(bytes));
  const op = fc.record({
    key,
    value: fc.option(fc.uint8Array({ minLength: 1, maxLength: 3 }).map(v => Buffer.from(v))),
  });
  const job = fc.record({ ops: fc.array(op, { maxLength: 8 }), fails: fc.boolean(), pause: fc.boolean() });
  await fc.assert(
    fc.asyncProperty(fc.array(job, { maxLength: 12 }), fc.boolean(), async (jobs, reverse) => {
      const queue = new WriteQueue(new MemoryRows());
      const model = new Map<string, string>();
      const results: Promise<unknown>[] = [];
      for (const { ops, fails, pause } of jobs) {
        results.push(
          queue
            .write(tx => {
              const own = new Map(model);
              for (const { key: k, value } of ops) {
                if (value) tx.put(k, value);
                else tx.remove(k);
                if (value) own.set(k.toString('hex'), value.toString('hex'));
                else own.delete(k.toString('hex'));
                for (const limit of [2, 100]) {
                  const rows = [...tx.range(Buffer.of(1), afterPrefix(Buffer.of(1)), { reverse, limit })];
                  assert.deepEqual(
                    rows.map(r => [r.key.toString('hex'), r.value.toString('hex')]),
                    sorted(own, reverse).slice(0, limit),
                  );
                }
                assert.equal(tx.get(k)?.toString('hex'), own.get(k.toString('hex')));
                assert.equal(tx.has(k), own.has(k.toString('hex')));
              }
              if (fails) throw new RangeError('fails');
              model.clear();
              for (const [k, v] of own) model.set(k, v);
            })
            .catch(error => assert.ok(error instanceof RangeError, String(error))),
        );
        if (pause) await results.at(-1);
      }
      await Promise.all(results);
      const rows = [...queue.range(Buffer.of(1), Buffer.of(2), { reverse })];
      assert.deepEqual(
        rows.map(r => [r.key.toString('hex'), r.value.toString('hex')]),
        sorted(model, reverse),
      );
    }),
    { numRuns: 300 },
  );
});

test('a commit that fails rejects every job of its group, and later jobs build on what is durable', async () => {
  class FailingRows extends MemoryRows {
    fail = true;
    override async commit(ops: readonly Op[]): Promise<void> {
      if (this.fail) throw new RangeError('no room');
      return super.commit(ops);
    }
  }
  const rows = new FailingRows();
  let failures = 0;
  const queue = new WriteQueue(rows, () => {
    failures += 1;
  });
  const put = (byte: number) => queue.write(tx => tx.put(Buffer.of(1, byte), Buffer.of(byte)));
  const results = await Promise.allSettled([put(1), put(2)]);
  assert.deepEqual(
    results.map(r => r.status),
    ['rejected', 'rejected'],
  );
  assert.ok(failures > 0);
  rows.fail = false;
  await put(3);
  assert.deepEqual([...queue.keys(Buffer.of(1), Buffer.of(2))], [Buffer.of(1, 3)]);
});

function sorted(model: Map<string, string>, reverse: boolean): [string, string][] {
  const rows = [...model].sort(([a], [b]) => (a < b ? -1 : 1));
  return reverse ? rows.reverse() : rows;
}

/** Equal by value, whichever of Buffer and Uint8Array holds the bytes. */
function assertSame(actual: unknown, expected: unknown): void {
  const plain = (value: unknown): unknown =>
    JSON.parse(
      JSON.stringify(value ?? null, (_, v) => (v?.type === 'Buffer' ? v.data : v instanceof Uint8Array ? [...v] : v)),
    );
  assert.deepEqual(plain(actual), plain(expected));
}
