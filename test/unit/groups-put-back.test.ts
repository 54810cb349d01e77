import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { HOUR_MS, MINUTE_MS } from '../../core/base/clock.ts';
import type { Post } from '../../core/groups/act-codec.ts';
import type { StandInState } from '../../sim/groups/stand-in.ts';
import { Circle, type Member, oneHead, seed } from '../support/group-circle.ts';

describe(`a member that was put back from a copy, seed ${seed}`, () => {
  it('says nothing before it has come back, and then names no place twice', async () => {
    const circle = await Circle.of(3);
    const [a, b, c] = circle.members as [Member, Member, Member];
    const copy = c.state;
    await c.say('after the copy');
    const [own] = c.said as [Post];
    await circle.gossip();
    c.state = copy;
    await c.step({ kind: 'put-back' });
    await c.say('waits');
    await circle.pass(HOUR_MS);
    assert.deepEqual(c.said, []);
    assert.ok(c.outputs.some(({ kind }) => kind === 'lost'));
    await circle.gossip();
    const headState = a.state.states.get(a.state.head) as StandInState;
    const groupInfo = await a.crypto.groupInfo(headState);
    await c.step({ kind: 'group-info', groupInfo, lastAct: a.state.lineage.chains.get(c.id)?.latest ?? null });
    await circle.gossip();
    await circle.pass(MINUTE_MS);
    await circle.gossip();
    assert.ok(oneHead(circle.members));
    assert.deepEqual([a.head.returned, c.head.returned], [c.id, c.id]);
    assert.ok(a.texts().includes('waits') && b.texts().includes('after the copy'));
    await c.hear([own]);
    for (const { state } of circle.members) assert.equal(state.lineage.chains.get(c.id)?.forkedAt, null);
    await c.say('goes on');
    await circle.gossip();
    assert.ok(b.texts().includes('goes on'));
  });

  it('hears an own act that it does not know of, and falls silent', async () => {
    const circle = await Circle.of(3);
    const [, , c] = circle.members as [Member, Member, Member];
    const copy = c.state;
    await c.say('after the copy');
    const [own] = c.said as [Post];
    Object.assign(c, { state: copy, said: [], outputs: [] });
    await c.hear([own]);
    await c.say('not yet');
    assert.deepEqual(c.said, []);
    await circle.pass(MINUTE_MS);
    assert.ok(c.outputs.some(({ kind }) => kind === 'lost'));
  });
});
