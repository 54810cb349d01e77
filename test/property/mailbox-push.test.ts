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

  tell(input: PushInput): void {
    const { state, outputs } = stepPush(this.state, input, { nowMs: this.nowMs, random: systemRandom });
    this.state = state;
    for (const output of outputs) {
      if (output.kind === 'dial') this.dialing = true;
      if (output.kind === 'wake') this.wakeAtMs = output.atMs;
      if (output.kind === 'load') this.load(output.limit);
      if (output.kind === 'caught-up') assert.equal(this.inFlight.length, 0);
    }
    assert.ok(this.state.inFlight <= LIMITS.pushWindow);
    if (this.state.link === 'up') assert.equal(this.state.inFlight, this.inFlight.length);
  }

  load(limit: number): void {
    const items = this.outbox.filter(seq => seq > this.cursor).slice(0, limit);
    this.cursor = items.at(-1) ?? this.cursor;
    this.inFlight.push(...items);
    this.tell({ kind: 'loaded', count: items.length, more: items.length === limit });
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
      this.inFlight = [];
      this.cursor = 0;
    }
    this.tell({ kind: works ? 'up' : 'down' });
  }

  lose(): void {
    if (this.state.link !== 'up') return;
    this.inFlight = [];
    this.tell({ kind: 'down' });
  }

  wait(): void {
    this.nowMs = Math.max(this.nowMs, this.wakeAtMs ?? this.nowMs);
    this.tell({ kind: 'due' });
  }
}

const step = fc.oneof(
  fc.record({ do: fc.constant('add' as const), count: fc.integer({ min: 1, max: 600 }) }),
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
          else if (item.do === 'answer' && 'count' in item) model.answer(item.count);
          else if (item.do === 'lose') model.lose();
          else if (item.do === 'wait') model.wait();
          else if (item.do === 'seen') model.tell({ kind: 'seen' });
          else model.endDial(item.do === 'dialed');
        }
        for (let round = 0; model.outbox.length > 0 && round < 10_000; round += 1) {
          model.wait();
          model.endDial(true);
          model.answer(1_000);
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
});
