import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { DAY_MS, HOUR_MS } from '../../core/base/clock.ts';
import { LIMITS } from '../../core/base/limits.ts';
import { advanceHoldingClock, type HoldingClock, holdingTimeMs, startHoldingClock } from '../../core/mailbox/expiry.ts';
import { noteSeen, type Uptime, uptimeShare } from '../../core/mailbox/uptime.ts';

const NOW = 1_760_000_000_000;
const TEN_YEARS_MS = 3650 * DAY_MS;

/** A machine whose wall clock is set by hand, and which sleeps and starts again. */
class Machine {
  wallMs = NOW;
  monotonicMs = 5_000;
  clock: HoldingClock = startHoldingClock(undefined, this);

  run(ms: number): void {
    this.wallMs += ms;
    this.monotonicMs += ms;
    this.read();
  }

  /** Asleep or off: the monotonic clock stands. */
  sleep(ms: number): void {
    this.wallMs += ms;
    this.read();
  }

  restart(ms: number): void {
    this.wallMs += ms;
    this.monotonicMs = 17;
    this.clock = startHoldingClock(this.clock, { wallMs: this.wallMs, monotonicMs: this.monotonicMs });
  }

  setClock(byMs: number): void {
    this.wallMs += byMs;
    this.read();
  }

  read(): void {
    this.clock = advanceHoldingClock(this.clock, { wallMs: this.wallMs, monotonicMs: this.monotonicMs });
  }
}

describe('holding clock', () => {
  it('counts running, sleeping and being off', () => {
    const machine = new Machine();
    machine.run(2 * HOUR_MS);
    machine.sleep(10 * HOUR_MS);
    machine.restart(DAY_MS);
    assert.equal(machine.clock.forwardMs - NOW, 2 * HOUR_MS + 10 * HOUR_MS + DAY_MS);
  });

  for (const [name, byMs] of [
    ['ten years ahead', TEN_YEARS_MS],
    ['ten years back', -TEN_YEARS_MS],
  ] as const) {
    it(`set ${name} and later right again: holds to the day, loses nothing, keeps nothing longer`, () => {
      for (const whileRunning of [true, false]) {
        const machine = new Machine();
        const dueMs = machine.clock.forwardMs + 7 * DAY_MS;
        const jump = (ms: number): void => (whileRunning ? machine.setClock(ms) : machine.restart(ms));
        machine.run(3 * DAY_MS);
        jump(byMs);
        machine.run(3 * DAY_MS);
        jump(-byMs);
        assert.ok(machine.clock.forwardMs < dueMs, 'six days have passed');
        machine.run(DAY_MS - 1);
        assert.ok(machine.clock.forwardMs < dueMs);
        machine.run(1);
        assert.ok(machine.clock.forwardMs >= dueMs, 'seven have');
      }
    });
  }

  it('never goes back, and never runs ahead of what can have passed', () => {
    const step = fc.record({
      do: fc.constantFrom('run', 'sleep', 'restart', 'setClock'),
      ms: fc.integer({ min: 0, max: 20 * DAY_MS }),
      back: fc.boolean(),
    });
    fc.assert(
      fc.property(fc.array(step, { maxLength: 40 }), steps => {
        const machine = new Machine();
        let mostMs = machine.clock.forwardMs;
        for (const { do: what, ms, back } of steps) {
          const before = machine.clock.forwardMs;
          if (what === 'setClock') machine.setClock(back ? -ms : ms);
          else machine[what as 'run' | 'sleep' | 'restart'](ms);
          mostMs += what === 'run' ? ms : Math.min(ms, LIMITS.believedGapMs);
          assert.ok(machine.clock.forwardMs >= before && machine.clock.forwardMs <= mostMs);
          if (what === 'run') assert.equal(machine.clock.forwardMs - before, ms);
        }
      }),
      { numRuns: 300 },
    );
  });

  it('an envelope is held to its own expiry, and never longer than seven days', () => {
    const hours = Math.floor(NOW / HOUR_MS);
    assert.equal(holdingTimeMs(hours + 48, hours * HOUR_MS), 2 * DAY_MS);
    assert.equal(holdingTimeMs(hours + 180, hours * HOUR_MS), 7 * DAY_MS);
    assert.equal(holdingTimeMs(hours, hours * HOUR_MS), null);
    assert.equal(holdingTimeMs(hours + 48, NOW - TEN_YEARS_MS), null);
  });
});

describe('uptime', () => {
  const seenAt = (hours: readonly number[]): Uptime | undefined =>
    hours.reduce<Uptime | undefined>((uptime, hour) => noteSeen(uptime, NOW + hour * HOUR_MS), undefined);

  it('is the share of the last week, recent hours weighing more', () => {
    const always = seenAt(Array.from({ length: 300 }, (_, hour) => hour));
    assert.equal(uptimeShare(always, NOW + 299 * HOUR_MS), 1);
    assert.equal(uptimeShare(undefined, NOW), 0);
    const lately = uptimeShare(seenAt([0, 160]), NOW + 160 * HOUR_MS);
    const longAgo = uptimeShare(seenAt([0, 1]), NOW + 160 * HOUR_MS);
    assert.ok(lately > longAgo && longAgo > 0);
    assert.equal(uptimeShare(seenAt([0, 1]), NOW + 200 * HOUR_MS), 0);
  });

  it('stays a share when the clock jumps, and recovers', () => {
    const before = seenAt(Array.from({ length: 100 }, (_, hour) => hour));
    const back = noteSeen(before, NOW - TEN_YEARS_MS);
    assert.ok(uptimeShare(back, NOW - TEN_YEARS_MS) > 0.4, 'a clock set back does not cost the week');
    const ahead = noteSeen(before, NOW + TEN_YEARS_MS);
    assert.ok(uptimeShare(ahead, NOW + TEN_YEARS_MS) > 0);
    let again: Uptime = ahead;
    for (let hour = 0; hour < 168; hour += 1) again = noteSeen(again, NOW + hour * HOUR_MS);
    assert.equal(uptimeShare(again, NOW + 167 * HOUR_MS), 1);
  });

  it('an hour seen late by a slow clock is put in its place', () => {
    const uptime = noteSeen(seenAt([0, 10]), NOW + 8 * HOUR_MS);
    assert.deepEqual(uptime, seenAt([0, 8, 10]));
  });
});
