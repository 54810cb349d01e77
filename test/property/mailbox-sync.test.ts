import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { hex } from '../../core/base/bytes.ts';
import type { EnvelopeId } from '../../core/base/ids.ts';
import { LIMITS } from '../../core/base/limits.ts';
import { drain } from '../../core/mailbox/drain.ts';
import { newPuller, type PullerInput, type PullerState, stepPuller } from '../../core/mailbox/sync.ts';
import { type HolderInput, type HolderState, newHolder, stepHolder } from '../../core/mailbox/sync-holder.ts';
import { envelopeIdOf } from '../../core/wire/envelope.ts';
import { decodeSync, encodeSync, type SyncFrame } from '../../core/wire/sync.ts';
import { seededNumbers } from '../support/mutate.ts';

interface Row {
  readonly seq: number;
  readonly id: EnvelopeId;
  readonly bytes: Buffer;
  readonly ofPuller: boolean;
}

const TAGS = [Buffer.alloc(16, 1), Buffer.alloc(16, 2)];

/** A holder and a puller, their stores, and the stream between them, which may break at any frame. */
class Pair {
  readonly number: () => number;
  holder: HolderState = newHolder();
  puller: PullerState = newPuller();
  rows: Row[] = [];
  readonly stored: string[] = [];
  readonly refuses = new Set<string>();
  toPuller: Buffer[] = [];
  toHolder: Buffer[] = [];
  taken: { id: EnvelopeId; verdict: 'stored' | 'refused' }[] = [];
  finished = 0;
  events: string[] = [];
  failed = false;
  #seq = 0;

  constructor(seed: number) {
    this.number = seededNumbers(seed);
  }

  add(count: number, ofPuller = true): void {
    for (let i = 0; i < count; i += 1) {
      const bytes = Buffer.from(`envelope ${++this.#seq}`);
      this.rows.push({ seq: this.#seq, id: envelopeIdOf(bytes), bytes, ofPuller });
    }
    this.hold({ kind: 'news' });
  }

  pull(input: PullerInput): void {
    const { state, outputs } = stepPuller(this.puller, input);
    this.puller = state;
    assert.ok(state.unsettled.size <= LIMITS.syncWindow);
    for (const output of outputs) {
      if (output.kind === 'send') this.toHolder.push(encodeSync(output.frame));
      else if (output.kind === 'choose') {
        this.pull({ kind: 'chosen', missing: output.ids.map(id => !this.stored.includes(hex(id))) });
      } else if (output.kind === 'take') {
        const verdict = this.refuses.has(hex(output.envelopeId)) ? 'refused' : 'stored';
        this.taken.push({ id: output.envelopeId, verdict });
      } else if (output.kind === 'fail') this.failed = true;
      else this.events.push(output.kind === 'finished' ? `finished ${output.stored}` : `started ${output.missing}`);
    }
  }

  hold(input: HolderInput): void {
    const { state, outputs } = stepHolder(this.holder, input);
    this.holder = state;
    assert.ok(state.underWay.size + state.loading <= LIMITS.syncWindow);
    for (const output of outputs) {
      if (output.kind === 'send') this.toPuller.push(encodeSync(output.frame));
      else if (output.kind === 'read') {
        const rest = this.rows.filter(row => row.seq > output.after);
        const page = rest.slice(0, 50);
        const entries = page.map(({ id, ofPuller }) => ({ envelopeId: id, ofPuller }));
        this.hold({ kind: 'page', entries, next: rest.length > 50 ? (page.at(-1)?.seq ?? null) : null });
      } else if (output.kind === 'load') {
        const envelopeOf = (id: EnvelopeId): Uint8Array | null => this.rows.find(row => row.id === id)?.bytes ?? null;
        this.hold({ kind: 'loaded', items: output.ids.map(id => ({ envelopeId: id, envelope: envelopeOf(id) })) });
      } else if (output.kind === 'remove') {
        for (const id of output.ids) {
          assert.ok(this.stored.includes(hex(id)), 'only what is stored there is let go');
          const row = this.rows.find(item => hex(item.id) === hex(id));
          assert.notEqual(row?.ofPuller, false, 'what is another’s stays');
          this.rows = this.rows.filter(item => item !== row);
        }
      } else if (output.kind === 'fail') this.failed = true;
      else this.finished += 1;
    }
  }

  connect(): void {
    [this.holder, this.puller, this.toHolder, this.toPuller] = [newHolder(), newPuller(), [], []];
    this.pull({ kind: 'begin', tags: TAGS });
  }

  /** One thing that may happen now, chosen at random; false when nothing can. */
  move(): boolean {
    const moves: (() => void)[] = [];
    if (this.toHolder.length > 0) {
      moves.push(() => this.hold({ kind: 'frame', frame: decodeSync(this.toHolder.shift() as Buffer) }));
    }
    if (this.toPuller.length > 0) {
      moves.push(() => this.pull({ kind: 'frame', frame: decodeSync(this.toPuller.shift() as Buffer) }));
    }
    if (this.taken.length > 0) moves.push(() => this.settleOne());
    moves[Math.floor(this.number() * moves.length)]?.();
    assert.equal(this.failed, false);
    return moves.length > 0;
  }

  settleOne(): void {
    const [one] = this.taken.splice(Math.floor(this.number() * this.taken.length), 1);
    if (!one) return;
    if (one.verdict === 'stored' && !this.stored.includes(hex(one.id))) this.stored.push(hex(one.id));
    this.pull({ kind: 'settled', envelopeId: one.id, verdict: one.verdict });
  }

  quiesce(): void {
    for (let moves = 0; this.move(); moves += 1) assert.ok(moves < 20_000, 'comes to an end');
  }
}

describe('pull sync', () => {
  it('a page after a page, in order of age, with a window; what is stored is let go', () => {
    const pair = new Pair(1);
    pair.add(120);
    pair.refuses.add(hex(pair.rows[7]?.id as EnvelopeId));
    const ids = pair.rows.map(row => hex(row.id));
    pair.connect();
    const order: string[] = [];
    while (pair.move()) for (const item of pair.taken) if (!order.includes(hex(item.id))) order.push(hex(item.id));
    assert.deepEqual(order, ids);
    assert.deepEqual(pair.events, ['started 50', 'finished 119']);
    assert.deepEqual(
      pair.rows.map(row => hex(row.id)),
      [ids[7]],
      'the refused one stays',
    );
  });

  it('brings everything whatever breaks, asks only for what is missing, and takes nothing from others', () => {
    const step = fc.record({
      moves: fc.integer({ min: 0, max: 300 }),
      add: fc.integer({ min: 0, max: 80 }),
      ofPuller: fc.boolean(),
    });
    fc.assert(
      fc.property(fc.array(step, { minLength: 1, maxLength: 6 }), fc.integer(), (steps, seed) => {
        const pair = new Pair(seed);
        const all = new Set<string>();
        for (const { moves, add, ofPuller } of steps) {
          pair.add(add, ofPuller);
          for (const row of pair.rows) all.add(hex(row.id));
          pair.connect();
          for (let count = 0; count < moves && pair.move(); count += 1);
        }
        pair.connect();
        pair.quiesce();
        assert.deepEqual(new Set(pair.stored), all);
        assert.equal(
          pair.rows.every(row => !row.ofPuller),
          true,
        );
        const before = pair.stored.length;
        pair.connect();
        pair.quiesce();
        assert.equal(pair.taken.length + pair.stored.length, before, 'the second pull brings nothing');
      }),
      { numRuns: 150 },
    );
  });

  it('what arrives while both are connected is told and fetched at once', () => {
    const pair = new Pair(3);
    pair.connect();
    pair.quiesce();
    assert.equal(pair.finished, 1);
    pair.add(3);
    pair.quiesce();
    assert.equal(pair.stored.length, 3);
    pair.add(1);
    pair.move();
    pair.add(40);
    pair.quiesce();
    assert.equal(pair.stored.length, 44);
    assert.deepEqual(pair.rows, []);
  });

  it('drains into a file everything that is held, in order, and removes nothing', () => {
    for (const count of [0, 1, 49, 50, 51, 333]) {
      const pair = new Pair(5);
      pair.add(count);
      const missing = pair.rows[20];
      const found = drain(TAGS, {
        page: (_, after) => {
          const rest = pair.rows.filter(row => row.seq > after);
          const entries = rest.slice(0, 50).map(({ id, ofPuller }) => ({ envelopeId: id, ofPuller }));
          return { entries, next: rest.length > 50 ? (rest[49]?.seq ?? null) : null };
        },
        envelope: id => (id === missing?.id ? null : (pair.rows.find(row => row.id === id)?.bytes ?? null)),
      });
      assert.deepEqual(
        [...found],
        pair.rows.filter(row => row !== missing).map(row => row.bytes),
      );
    }
  });

  it('frames out of order end the stream, change no store and throw nothing', () => {
    const pair = new Pair(4);
    pair.add(60);
    const row = pair.rows[0] as Row;
    const frames: SyncFrame[] = [
      { kind: 'ask', tags: TAGS },
      { kind: 'have', ids: pair.rows.slice(0, 9).map(item => item.id), more: true },
      { kind: 'have', ids: [row.id, row.id], more: false },
      { kind: 'want', wanted: [true] },
      { kind: 'envelope', envelope: row.bytes },
      { kind: 'envelope', envelope: Buffer.from('never asked for') },
      { kind: 'stored', ids: [envelopeIdOf(Buffer.from('never sent'))] },
      { kind: 'done', sent: 1, stored: 1 },
      { kind: 'news' },
    ];
    fc.assert(
      fc.property(fc.array(fc.nat({ max: frames.length - 1 }), { maxLength: 12 }), choice => {
        let [holder, puller] = [newHolder(), newPuller()];
        const taken = new Set<string>();
        for (const at of choice) {
          const frame = frames[at] as SyncFrame;
          const held = stepHolder(holder, { kind: 'frame', frame });
          holder = held.state;
          assert.ok(!held.outputs.some(output => output.kind === 'remove'));
          const pulled = stepPuller(puller, { kind: 'frame', frame });
          puller = pulled.state;
          for (const output of pulled.outputs) {
            if (output.kind !== 'take') continue;
            assert.ok(!taken.has(hex(output.envelopeId)));
            taken.add(hex(output.envelopeId));
          }
        }
        assert.equal(taken.size, 0, 'nothing is taken without a choice');
      }),
      { numRuns: 500 },
    );
  });
});
