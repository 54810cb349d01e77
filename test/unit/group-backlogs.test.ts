import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { HOUR_MS, SECOND_MS } from '../../core/base/clock.ts';
import { groupIdFromBytes } from '../../core/base/ids.ts';
import { LIMITS } from '../../core/base/limits.ts';
import { Backlogs } from '../../core/state/groups/catch-up.ts';
import { VirtualTime } from '../support/virtual-time.ts';

const GROUP = groupIdFromBytes(Buffer.alloc(16, 1));
const OTHER = groupIdFromBytes(Buffer.alloc(16, 2));

function world() {
  const time = new VirtualTime();
  const held = new Set<string>();
  const groups = {
    catchUp: (group: string) => void held.add(group),
    caughtUp: (group: string) => void held.delete(group),
  };
  return { time, held, backlogs: new Backlogs(groups, { monotonic: time.monotonic, scheduler: time.scheduler }) };
}

describe('backlogs', () => {
  it('hold a group up until the last of them is over, and no other group', () => {
    const { held, backlogs } = world();
    backlogs.begin(GROUP, 'Ada');
    backlogs.begin(GROUP, 'Ben');
    backlogs.end(GROUP, 'Ada');
    assert.deepEqual([...held], [GROUP]);
    backlogs.begin(OTHER, 'Ada');
    backlogs.end(GROUP, 'Ben');
    assert.deepEqual([...held], [OTHER]);
  });

  it('that never end are over for the group in time', async () => {
    const { time, held, backlogs } = world();
    backlogs.begin(GROUP, 'Ada');
    await time.pass(LIMITS.groupCatchUpMs - 1);
    assert.equal(held.size, 1);
    await time.pass(1);
    assert.equal(held.size, 0);
    backlogs.begin(GROUP, 'Ada');
    assert.equal(held.size, 0, 'it has had its time');
    backlogs.begin(OTHER, 'Ada');
    assert.equal(held.size, 1, 'of that group alone');
  });

  it('of one member, one after another, hold it up for so much of an hour and no more', async () => {
    const { time, held, backlogs } = world();
    let heldMs = 0;
    for (let second = 0; second < 1_800; second += 1) {
      backlogs.begin(GROUP, 'Eve');
      if (held.size > 0) heldMs += SECOND_MS;
      await time.pass(SECOND_MS - 1);
      backlogs.end(GROUP, 'Eve');
      await time.pass(1);
    }
    assert.ok(heldMs > 0 && heldMs <= LIMITS.groupCatchUpMs + SECOND_MS, `${heldMs} ms`);
    backlogs.begin(GROUP, 'Ada');
    assert.equal(held.size, 1, 'another member has its own time');
    backlogs.end(GROUP, 'Ada');
    await time.pass(HOUR_MS);
    backlogs.begin(GROUP, 'Eve');
    assert.equal(held.size, 1, 'and so has it in the next hour');
  });

  it('leave no timer behind when all is over', () => {
    const { time, backlogs } = world();
    backlogs.begin(GROUP, 'Ada');
    backlogs.begin(GROUP, 'Ben');
    backlogs.stop();
    assert.equal(time.timers, 0);
  });
});
