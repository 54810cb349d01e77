import assert from 'node:assert/strict';
import { describe, it, mock } from 'node:test';
import { DAY_MS } from '../../core/base/clock.ts';
import { systemScheduler } from '../../core/base/world.io.ts';

const LONGEST_MS = 2 ** 31 - 1;

describe('the timers of the system', () => {
  it('a time further off than a timer can wait is waited for all the same', t => {
    mock.timers.enable({ apis: ['setTimeout'] });
    t.after(() => mock.timers.reset());
    const run = mock.fn();
    systemScheduler(60 * DAY_MS, run);
    for (const passedMs of [LONGEST_MS, LONGEST_MS, 60 * DAY_MS - 2 * LONGEST_MS - 1]) {
      mock.timers.tick(passedMs);
      assert.equal(run.mock.callCount(), 0);
    }
    mock.timers.tick(1);
    assert.equal(run.mock.callCount(), 1);
    mock.timers.tick(LONGEST_MS);
    assert.equal(run.mock.callCount(), 1);
  });

  it('is cancelled also when it has been set again', t => {
    mock.timers.enable({ apis: ['setTimeout'] });
    t.after(() => mock.timers.reset());
    const run = mock.fn();
    const cancel = systemScheduler(2 * LONGEST_MS, run);
    mock.timers.tick(LONGEST_MS);
    cancel();
    mock.timers.tick(2 * LONGEST_MS);
    assert.equal(run.mock.callCount(), 0);
  });
});
