import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { DAY_MS, HOUR_MS, MINUTE_MS } from '../../core/base/clock.ts';
import { LIMITS } from '../../core/base/limits.ts';
import { digestOf, encodeAsks, type Post } from '../../core/groups/act-codec.ts';
import { sealAct } from '../../core/groups/act-seal.ts';
import type { ActId } from '../../core/groups/chains.ts';
import { encodeGroup } from '../../core/groups/state-codec.ts';
import { Circle, type Member, oneHead, random, seed } from '../support/group-circle.ts';

/** Commits of nothing, all on the epoch where a member stands, by someone who keeps to no rule. */
async function commitsOnOne(circle: Circle, member: Member, count: number): Promise<Post[]> {
  const { crypto, state } = member;
  const epoch = state.head;
  const from = state.states.get(epoch) ?? assert.fail();
  const context = { nowMs: circle.nowMs, random };
  const latest = state.lineage.chains.get(member.id)?.latest;
  let [seq, previous]: [number, ActId | null] = latest ? [latest.seq + 1, latest.id] : [0, null];
  const posts: Post[] = [];
  for (let at = 0; at < count; at += 1) {
    const content = { adds: [], removes: [], data: null, authenticatedData: encodeAsks([]) };
    const { message } = await crypto.commit(from, content, context);
    const head = { sender: member.id, seq, previous, kind: 'commit' as const, digest: digestOf(message) };
    const { act, id } = await sealAct(crypto, from, epoch, head, context);
    posts.push({ epoch, number: member.head.number, act, message });
    [seq, previous] = [seq + 1, id];
  }
  return posts;
}

/** Mal is put out by the first member; nobody but it was away. */
async function putOut(): Promise<{ circle: Circle; mal: Member; others: Member[]; before: Member['state'] }> {
  const circle = await Circle.of(4);
  const mal = circle.members[3] as Member;
  const others = circle.members.slice(0, 3);
  const before = mal.state;
  await others[0]?.step({ kind: 'change', change: { kind: 'remove', member: mal.id } });
  for (let round = 0; round < 3; round += 1) {
    await circle.gossip(others);
    await circle.pass(MINUTE_MS, others);
  }
  assert.ok(others.every(({ head }) => !head.members.includes(mal.id)));
  return { circle, mal, others, before };
}

describe(`commits that are put off, seed ${seed}`, () => {
  it('of any number on one epoch a few are followed, the rest wait, and all is small', async () => {
    const circle = await Circle.of(3);
    const [one, , mal] = circle.members as [Member, Member, Member];
    const before = one.state.states.size;
    const row = encodeGroup(one.state).length;
    const posts = await commitsOnOne(circle, mal, 300);
    await one.hear(posts);
    assert.ok(one.state.states.size <= before + LIMITS.groupCommitsOnEpoch);
    assert.ok(
      encodeGroup(one.state).length < row + 300 * 160 + LIMITS.groupCommitsOnEpoch * 400,
      'a commit that is put off costs its act alone',
    );
  });

  it('one that another member follows is followed, however late its turn was; in any order all agree', async () => {
    const circle = await Circle.of(4);
    const [one, two, three, mal] = circle.members as [Member, Member, Member, Member];
    const count = LIMITS.groupCommitsOnEpoch + 4;
    const posts = await commitsOnOne(circle, mal, count);
    await one.hear(posts.slice(count - 1));
    await one.say('said where only the last leads');
    const said = one.said.splice(0);
    const start = two.state;
    await fc.assert(
      fc.asyncProperty(fc.shuffledSubarray([...posts, ...said], { minLength: count + 1 }), async order => {
        Object.assign(two, { state: start, outputs: [], said: [] });
        await two.hear(order);
        assert.deepEqual(two.texts(), ['said where only the last leads']);
        assert.equal(two.state.head, one.state.head, 'it alone is stood on by another');
      }),
      { seed, numRuns: 10 },
    );
    await three.hear([...posts, ...said]);
    for (let round = 0; round < 4; round += 1) {
      await circle.gossip([one, two, three]);
      await circle.pass(40 * MINUTE_MS, [one, two, three]);
    }
    assert.ok(oneHead([one, two, three]));
  });

  it('what someone put out long ago says is marked as late, and its flood is bounded as any', async () => {
    const { circle, mal, others, before } = await putOut();
    const [one] = others as [Member];
    const soon = await say(mal, 'on its way');
    await one.hear(soon);
    circle.nowMs += 3 * DAY_MS;
    const states = one.state.states.size;
    await one.hear(await say(mal, 'still here'));
    mal.state = { ...mal.state, head: before.head };
    await one.hear(await commitsOnOne(circle, mal, 200));
    assert.ok(one.state.states.size <= states + LIMITS.groupCommitsOnEpoch);
    assert.ok(!one.head.members.includes(mal.id));
    const late = one.outputs.flatMap(output =>
      output.kind === 'text' ? [[output.sender === mal.id, output.late]] : [],
    );
    assert.deepEqual(late, [
      [true, false],
      [true, true],
    ]);
  });

  it('what others said below a commit of someone put out is read, when they come back after days', async () => {
    const circle = await Circle.of(5);
    const [one, two, away, also, mal] = circle.members as [Member, Member, Member, Member, Member];
    const here = [one, two];
    await one.step({ kind: 'change', change: { kind: 'remove', member: mal.id } });
    for (let round = 0; round < 3; round += 1) {
      await circle.gossip(here);
      await circle.pass(MINUTE_MS, here);
    }
    const there = [away, also, mal];
    await mal.step({ kind: 'renew' });
    await mal.step({ kind: 'due' });
    const carried = await circle.gossip(there);
    await away.say('from the other side');
    carried.push(...(await circle.gossip(there)));
    circle.nowMs += 2 * DAY_MS;
    for (const post of [...carried].reverse()) await one.hear([post]);
    assert.ok(one.texts().includes('from the other side'));
  });
});

describe('more epochs than are kept', () => {
  it('bring the horizon nearer: the head and those near it stay', async () => {
    const circle = await Circle.of(2);
    const [one] = circle.members as [Member];
    for (let at = 0; at <= LIMITS.groupEpochs; at += 1) {
      await one.step({ kind: 'renew' });
      await one.step({ kind: 'due' });
      one.said = [];
    }
    await circle.pass(HOUR_MS, [one]);
    const { tree } = one.state.lineage;
    assert.ok(tree.epochs.size <= (LIMITS.groupEpochs * 3) / 4 && tree.epochs.size > LIMITS.groupEpochs / 4);
    assert.deepEqual(new Set(one.state.states.keys()), new Set(tree.epochs.keys()));
    await one.say('goes on');
    assert.equal(one.said.length, 1);
  });
});

async function say(member: Member, text: string): Promise<Post[]> {
  await member.say(text);
  return member.said.splice(0);
}
