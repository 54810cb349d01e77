import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { Allowance } from '../../core/state/allowance.ts';

describe('allowance', () => {
  it('gives so much at once, then one each pause, and saves up no more than that', () => {
    const allowance = new Allowance(3, 100);
    const take = (nowMs: number, times: number) => Array.from({ length: times }, () => allowance.take(nowMs));
    assert.deepEqual(take(1_000, 4), [true, true, true, false]);
    assert.deepEqual(take(1_099, 1), [false]);
    assert.deepEqual(take(1_100, 2), [true, false]);
    assert.deepEqual(take(60_000, 4), [true, true, true, false]);
    assert.deepEqual(take(5_000, 1), [false], 'a clock set back gives nothing');
    assert.deepEqual(take(5_100, 2), [true, false], 'and costs no more than one pause');
  });

  it('never gives more than the first and one each pause, however it is asked', () => {
    fc.assert(
      fc.property(fc.array(fc.nat(250), { maxLength: 200 }), steps => {
        const allowance = new Allowance(5, 100);
        let [nowMs, given] = [1_000, 0];
        for (const step of steps) {
          nowMs += step;
          if (allowance.take(nowMs)) given += 1;
        }
        assert.ok(given <= 5 + (nowMs - 1_000) / 100);
      }),
    );
  });
});
