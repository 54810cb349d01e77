import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { LIMITS } from '../../core/base/limits.ts';
import { systemRandom } from '../../core/base/world.io.ts';
import { newPushState, type PushInput, type PushState, retryDelayMs, stepPush } from '../../core/mailbox/push.ts';

/** An outbox and a peer that obey the machine, with links that break at any moment. */
class Model {
  nowMs = 1_000_000;
  state: PushState = newPushState(this.nowMs);
  outbox: number[] = [];
  inFlight: number[] = [];
  cursor = 0;
  next = 1;
  dialing = false;
  wakeAtMs: number | undefined;
  delivered: number[] = [];
  /** A load under way: what is still to be sent, and whether the outbox may hold more. */
  loading: { unsent: number[]; more: boolean } | undefined;

  tell(input: PushInput): void {
    const { state, outputs } = stepPush(this.state, input, { nowMs: this.nowMs, random: systemRandom });
    this.state = state;
    for (const output of outputs) {
      if (output.kind === 'dial') this.dialing = true;
      if (output.kind === 'wake') this.wakeAtMs = output.atMs;
      if (output.kind === 'load') this.load(output.limit);
      if (output.kind === 'caught-up') assert.equal(this.inFlight.length + (this.loading?.unsent.length ?? 0), 0);
    }
    assert.ok(this.state.inFlight <= LIMITS.pushWindow);
  }

  /** Between two inputs the machine knows exactly how much is under way. */
  check(): void {
    if (this.state.link !== 'up') return;
    assert.equal(this.state.inFlight, this.inFlight.length + (this.loading?.unsent.length ?? 0));
  }

  load(limit: number): void {
    const items = this.outbox.filter(seq => seq > this.cursor).slice(0, limit);
    this.cursor = items.at(-1) ?? this.cursor;
    assert.equal(this.loading, undefined, 'one load at a time, or envelopes would overtake each other');
    this.loading = { unsent: items, more: items.length === limit };
    if (items.length > 0) this.tell({ kind: 'pushed', count: items.length });
  }

  /** Sends go on for a while after the outbox was read; the peer answers what it has, meanwhile. */
  send(count: number): void {
    if (!this.loading) return;
    this.inFlight.push(...this.loading.unsent.splice(0, count));
    if (this.loading.unsent.length > 0) return;
    const { more } = this.loading;
    this.loading = undefined;
    this.tell({ kind: 'loaded', more });
  }

  add(count: number): void {
    for (let i = 0; i < count; i += 1) this.outbox.push(this.next++);
    this.tell({ kind: 'work' });
  }

  answer(count: number): void {
    const settled = this.inFlight.splice(0, count);
    this.delivered.push(...settled);
    this.outbox = this.outbox.filter(seq => !settled.includes(seq));
    if (settled.length > 0) this.tell({ kind: 'settled', count: settled.length });
  }

  endDial(works: boolean): void {
    if (!this.dialing) return;
    this.dialing = false;
    if (works) {
      this.forget();
      this.cursor = 0;
    }
    this.tell({ kind: works ? 'up' : 'down' });
  }

  lose(): void {
    if (this.state.link !== 'up') return;
    this.forget();
    this.tell({ kind: 'down' });
  }

  forget(): void {
    this.inFlight = [];
    this.loading = undefined;
  }

  wait(): void {
    this.nowMs = Math.max(this.nowMs, this.wakeAtMs ?? this.nowMs);
    this.tell({ kind: 'due' });
  }
}

const step = fc.oneof(
  fc.record({ do: fc.constant('add' as const), count: fc.integer({ min: 1, max: 600 }) }),
  fc.record({ do: fc.constant('send' as const), count: fc.integer({ min: 1, max: 300 }) }),
  fc.record({ do: fc.constant('answer' as const), count: fc.integer({ min: 1, max: 300 }) }),
  fc.record({ do: fc.constantFrom('lose', 'wait', 'dialed', 'failed', 'seen') }),
);

describe('push machine', () => {
  it('pushes everything, in order, at least once, whatever the links do; never more than a window at a time', () => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 60 }), steps => {
        const model = new Model();
        for (const item of steps) {
          if (item.do === 'add' && 'count' in item) model.add(item.count);
          else if (item.do === 'send' && 'count' in item) model.send(item.count);
          else if (item.do === 'answer' && 'count' in item) model.answer(item.count);
          else if (item.do === 'lose') model.lose();
          else if (item.do === 'wait') model.wait();
          else if (item.do === 'seen') model.tell({ kind: 'seen' });
          else model.endDial(item.do === 'dialed');
          model.check();
        }
        for (let round = 0; model.outbox.length > 0 && round < 10_000; round += 1) {
          model.wait();
          model.endDial(true);
          model.send(1_000);
          model.answer(1_000);
          model.check();
        }
        assert.deepEqual(model.outbox, []);
        assert.deepEqual(new Set(model.delivered).size, model.next - 1);
      }),
      { numRuns: 300 },
    );
  });

  it('waits longer after each failure, up to a bound, and tries at once when the peer shows itself', () => {
    const delays = Array.from({ length: 20 }, (_, failures) => retryDelayMs(failures, () => Buffer.alloc(2)));
    assert.equal(delays[0], LIMITS.retryFirstMs);
    assert.equal(delays.at(-1), LIMITS.retryLastMs);
    assert.deepEqual(
      [...delays].sort((a, b) => a - b),
      delays,
    );
    const model = new Model();
    model.wait();
    model.endDial(false);
    model.tell({ kind: 'due' });
    assert.equal(model.dialing, false, 'not before its time');
    model.tell({ kind: 'seen' });
    assert.equal(model.dialing, true);
  });

  it('a timer that rings early is set again, and a clock set back does not put off the dial', () => {
    const model = new Model();
    model.wait();
    model.endDial(false);
    const dueAtMs = model.wakeAtMs;
    assert.ok(dueAtMs !== undefined);
    model.wakeAtMs = undefined;
    model.nowMs = dueAtMs - 1;
    model.tell({ kind: 'due' });
    assert.deepEqual([model.dialing, model.wakeAtMs], [false, dueAtMs]);
    model.nowMs -= 3_600_000;
    model.tell({ kind: 'due' });
    assert.equal(model.dialing, true);
  });

  it('a link that comes up and takes nothing is tried less and less often', () => {
    const model = new Model();
    model.add(1);
    let before = 0;
    for (let round = 0; round < 5; round += 1) {
      model.wait();
      model.endDial(true);
      model.send(1);
      model.lose();
      const waitMs = (model.wakeAtMs ?? 0) - model.nowMs;
      assert.ok(waitMs > before, `${waitMs} ms after ${before} ms`);
      before = waitMs;
    }
    model.wait();
    model.endDial(true);
    model.send(1);
    model.answer(1);
    model.lose();
    assert.ok((model.wakeAtMs ?? 0) - model.nowMs <= LIMITS.retryFirstMs, 'it took something: not a failure');
  });
});
