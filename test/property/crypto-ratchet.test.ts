import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { AuthError } from '../../core/base/errors.ts';
import type { Ratchet } from '../../core/crypto/ratchet/ratchet.ts';
import { makePair, StoredRow } from '../support/crypto-pairs.ts';
import { seededRandom } from '../support/crypto-people.ts';

/** What can happen to two ends and the messages between them. `side` is who acts. */
type Event =
  | { kind: 'send'; side: 0 | 1 }
  | { kind: 'receive'; side: 0 | 1; pick: number }
  | { kind: 'drop'; side: 0 | 1; pick: number }
  | { kind: 'duplicate'; side: 0 | 1; pick: number }
  | { kind: 'damage'; side: 0 | 1; pick: number; at: number }
  | { kind: 'shuffle'; side: 0 | 1; pick: number }
  | { kind: 'snapshot'; side: 0 | 1 }
  | { kind: 'restore'; side: 0 | 1 };

interface Travelling {
  readonly bytes: Buffer;
  readonly text: string;
}

/** One end, with the messages on their way to it and what it has read: the model the ratchet is held against. */
class End {
  row: StoredRow;
  inbox: Travelling[] = [];
  read = new Set<string>();
  #snapshot: { state: Buffer; skipped: Buffer | undefined; read: Set<string> } | undefined;

  constructor(ratchet: Ratchet) {
    this.row = new StoredRow(ratchet);
  }

  snapshot(): void {
    this.#snapshot = { state: this.row.state, skipped: this.row.skipped, read: new Set(this.read) };
  }

  /** As after a crash before the last steps were durable: only receiving may be repeated, never sending. */
  restore(): void {
    if (!this.#snapshot) return;
    this.row.state = this.#snapshot.state;
    this.row.skipped = this.#snapshot.skipped;
    this.read = new Set(this.#snapshot.read);
  }

  forgetSnapshot(): void {
    this.#snapshot = undefined;
  }
}

class Run {
  readonly random = seededRandom('property');
  readonly ends: readonly [End, End];
  #sent = 0;

  constructor() {
    const { initiator, responder } = makePair(this.random);
    this.ends = [new End(initiator), new End(responder)];
  }

  apply(event: Event): void {
    const end = this.ends[event.side];
    if (event.kind === 'send') this.send(event.side);
    else if (event.kind === 'snapshot') end.snapshot();
    else if (event.kind === 'restore') end.restore();
    else if (end.inbox.length > 0) this.#handle(end, event);
  }

  #handle(end: End, event: Extract<Event, { pick: number }>): void {
    const index = event.pick % end.inbox.length;
    const message = end.inbox[index] as Travelling;
    switch (event.kind) {
      case 'receive':
        end.inbox.splice(index, 1);
        this.receive(end, message);
        break;
      case 'drop':
        end.inbox.splice(index, 1);
        break;
      case 'duplicate':
        end.inbox.push(message);
        break;
      case 'shuffle':
        end.inbox.push(...end.inbox.splice(0, index));
        break;
      case 'damage':
        this.damage(end, message, event.at);
        break;
    }
  }

  send(side: 0 | 1): void {
    const end = this.ends[side];
    const ratchet = end.row.open();
    const text = `text ${this.#sent}`;
    this.#sent += 1;
    this.ends[side === 0 ? 1 : 0].inbox.push({ bytes: ratchet.encrypt(Buffer.from(text), this.random), text });
    end.row.save(ratchet);
    // What was sent is out: no state from before it is ever used again.
    end.forgetSnapshot();
  }

  receive(end: End, message: Travelling): void {
    const ratchet = end.row.open();
    if (end.read.has(message.text)) {
      assertRefused(ratchet, message.bytes, this.random);
    } else {
      assert.equal(ratchet.decrypt(message.bytes, this.random)?.toString(), message.text);
      end.read.add(message.text);
    }
    end.row.save(ratchet);
  }

  damage(end: End, message: Travelling, at: number): void {
    const bytes = Buffer.from(message.bytes);
    const index = at % bytes.length;
    bytes[index] = (bytes[index] as number) ^ 1;
    const ratchet = end.row.open();
    assertRefused(ratchet, bytes, this.random);
  }

  /** Everything on its way arrives, then each side hears the other afresh. */
  quiesce(): void {
    for (const end of this.ends) while (end.inbox.length > 0) this.receive(end, end.inbox.shift() as Travelling);
    for (const side of [0, 1, 0, 1] as const) {
      this.send(side);
      const other = this.ends[side === 0 ? 1 : 0];
      this.receive(other, other.inbox.shift() as Travelling);
    }
  }
}

/** Refused as not ours or not authentic, with the stored state as before. */
function assertRefused(ratchet: Ratchet, bytes: Buffer, random: (length: number) => Buffer): void {
  const before = ratchet.serialize().state;
  try {
    assert.equal(ratchet.decrypt(bytes, random), undefined);
  } catch (error) {
    if (!(error instanceof AuthError)) throw error;
  }
  const after = ratchet.serialize();
  assert.deepEqual(after.state, before);
  assert.equal(after.skipped, undefined);
}

const side = fc.constantFrom(0 as const, 1 as const);
const pick = fc.nat(30);
const event: fc.Arbitrary<Event> = fc.oneof(
  { weight: 8, arbitrary: fc.record({ kind: fc.constant('send' as const), side }) },
  { weight: 6, arbitrary: fc.record({ kind: fc.constant('receive' as const), side, pick }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('drop' as const), side, pick }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('duplicate' as const), side, pick }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('shuffle' as const), side, pick }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('damage' as const), side, pick, at: fc.nat(400) }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('snapshot' as const), side }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('restore' as const), side }) },
);

test('ratchet against its model: send, receive, drop, duplicate, shuffle, damage, snapshot, restore, then agree', () => {
  const seed = Date.now() % 2 ** 31;
  let restored = 0;
  const property = fc.property(fc.array(event, { minLength: 20, maxLength: 120, size: 'max' }), events => {
    const run = new Run();
    for (const each of events) run.apply(each);
    restored += events.filter(each => each.kind === 'restore').length;
    run.quiesce();
  });
  process.stdout.write(`seed ${seed}\n`);
  fc.assert(property, { seed, numRuns: 300 });
  assert.ok(restored > 100);
});
