import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { DAY_MS, HOUR_MS } from '../../core/base/clock.ts';
import { judgeDeadline } from '../../core/base/deadline.ts';
import { LIMITS } from '../../core/base/limits.ts';

const NOW = 1_760_000_000_000;
const WEEK_MS = 7 * DAY_MS;
const TEN_YEARS_MS = 3650 * DAY_MS;

/** Something kept for a week, swept every hour. */
class Kept {
  deadlineMs = NOW + WEEK_MS;
  gone = false;

  sweep(wallMs: number): void {
    if (this.gone) return;
    const verdict = judgeDeadline(this.deadlineMs, WEEK_MS, wallMs);
    if (verdict === 'over') this.gone = true;
    else if (verdict === 'anew') this.deadlineMs = wallMs + WEEK_MS;
  }
}

describe('the end of what is kept for a while', () => {
  it('comes on time, also when the program was away for some days', () => {
    assert.equal(judgeDeadline(NOW + 1, WEEK_MS, NOW), 'waits');
    assert.equal(judgeDeadline(NOW, WEEK_MS, NOW), 'over');
    assert.equal(judgeDeadline(NOW - LIMITS.believedGapMs + 1, WEEK_MS, NOW), 'over');
    assert.equal(judgeDeadline(NOW + WEEK_MS + LIMITS.clockSkewMs + HOUR_MS, WEEK_MS, NOW), 'waits');
  });

  it('is put off by a clock that is years wrong, to either side, and once more when it is right again', () => {
    for (const wrongMs of [TEN_YEARS_MS, -TEN_YEARS_MS]) {
      const kept = new Kept();
      kept.sweep(NOW + HOUR_MS);
      for (let hour = 0; hour < 48; hour += 1) kept.sweep(NOW + wrongMs + hour * HOUR_MS);
      assert.equal(kept.gone, false);
      kept.sweep(NOW + 2 * DAY_MS);
      assert.equal(kept.gone, false);
      kept.sweep(NOW + 2 * DAY_MS + WEEK_MS);
      assert.equal(kept.gone, true);
    }
  });

  it('never comes before its time has been run through by one clock or the other, and comes a lifetime after the last jump', () => {
    const stretch = fc.record({
      hours: fc.integer({ min: 1, max: 200 }),
      years: fc.constantFrom(-20, -10, 0, 10, 20),
    });
    fc.assert(
      fc.property(fc.array(stretch, { minLength: 1, maxLength: 8 }), stretches => {
        const kept = new Kept();
        let [ranMs, inARowMs] = [0, 0];
        let former = 0;
        for (const { hours, years } of stretches) {
          if (years !== former) inARowMs = 0;
          former = years;
          for (let hour = 0; hour < hours; hour += 1) {
            kept.sweep(NOW + years * 365 * DAY_MS + ranMs);
            if (kept.gone) assert.ok(ranMs >= WEEK_MS, 'a week has passed');
            if (inARowMs > WEEK_MS) assert.ok(kept.gone, 'nothing is kept for ever');
            ranMs += HOUR_MS;
            inARowMs += HOUR_MS;
          }
        }
      }),
      { numRuns: 300 },
    );
  });
});
