import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { DAY_MS, HOUR_MS, MINUTE_MS } from '../../core/base/clock.ts';
import { Circle, type Member, seed } from '../support/group-circle.ts';

const YEARS_MS = 10 * 365 * DAY_MS;

async function pair(): Promise<{ circle: Circle; one: Member; other: Member }> {
  const circle = await Circle.of(2);
  const [one, other] = circle.members as [Member, Member];
  return { circle, one, other };
}

describe(`the timers of a group, seed ${seed}`, () => {
  for (const [name, errorMs] of [
    ['ahead', YEARS_MS],
    ['back', -YEARS_MS],
  ] as const) {
    it(`a clock ten years ${name} for two hours stops nothing and lets nothing go`, async () => {
      const { circle, one, other } = await pair();
      await other.say('before');
      const said = other.said.splice(0);
      await other.step({ kind: 'renew' });
      await other.step({ kind: 'due' });
      await other.say('waits');
      const later = other.said.splice(0);
      await one.hear(later.slice(1));
      const epochs = one.state.states.size;
      circle.nowMs += errorMs;
      await one.step({ kind: 'due' });
      await circle.pass(2 * HOUR_MS, [one]);
      await one.step({ kind: 'change', change: { kind: 'rename', name: 'Asked in the wrong year' } });
      circle.nowMs -= errorMs;
      assert.ok(one.state.states.size >= epochs);
      await one.hear([...said, ...later.slice(0, 1)]);
      assert.deepEqual(one.texts(), ['before', 'waits']);
      await circle.pass(HOUR_MS, [one]);
      assert.equal(one.head.data.name, 'Asked in the wrong year');
      const { timers } = one.state;
      assert.ok(timers.sweepMs <= circle.nowMs + HOUR_MS && timers.renewMs <= circle.nowMs + 7 * DAY_MS);
    });
  }

  it('while a backlog is handed over nothing wakes for what is not done before its end', async () => {
    const { circle, one } = await pair();
    await one.step({ kind: 'change', change: { kind: 'rename', name: 'Soon' } });
    await one.step({ kind: 'catch-up' });
    circle.nowMs += 10 * MINUTE_MS;
    await one.step({ kind: 'due' });
    assert.equal(one.wakeMs, one.state.timers.sweepMs);
    await one.step({ kind: 'caught-up' });
    assert.ok(one.wakeMs <= circle.nowMs + 1);
  });

  it('a step for which nothing was due gives back the state it was given', async () => {
    const { one, circle } = await pair();
    await circle.pass(HOUR_MS);
    const before = one.state;
    await one.step({ kind: 'due' });
    assert.equal(one.state, before);
  });
});
