import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { DAY_MS, HOUR_MS, MINUTE_MS } from '../../core/base/clock.ts';
import { UsageError } from '../../core/base/errors.ts';
import { LIMITS } from '../../core/base/limits.ts';
import { digestOf, encodeAsks, type Post } from '../../core/groups/act-codec.ts';
import { sealAct } from '../../core/groups/act-seal.ts';
import type { StandInState } from '../../sim/groups/stand-in.ts';
import { Circle, Member, oneHead, random, seed } from '../support/group-circle.ts';

/** Two sides that know nothing of each other, and each commit and talk. @returns what each side said */
async function partedCircle(
  size: number,
): Promise<{ circle: Circle; left: Member[]; right: Member[]; said: [Post[], Post[]] }> {
  const circle = await Circle.of(size);
  const [a, b, ...rest] = circle.members as [Member, Member, ...Member[]];
  const [left, right] = [
    [a, ...rest.slice(0, rest.length / 2)],
    [b, ...rest.slice(rest.length / 2)],
  ];
  const said: Post[][] = [];
  for (const [side, name] of [
    [left, 'left'],
    [right, 'right'],
  ] as const) {
    const carried: Post[] = [];
    await side[0]?.step({ kind: 'change', change: { kind: 'rename', name } });
    for (let round = 0; round < 3; round += 1) {
      carried.push(...(await circle.gossip(side)));
      await circle.pass(MINUTE_MS, side);
    }
    for (const member of side) await member.say(`${name} of ${member.id}`);
    carried.push(...(await circle.gossip(side)));
    said.push(carried);
  }
  return { circle, left, right, said: said as [Post[], Post[]] };
}

async function exchange({ left, right, said }: Awaited<ReturnType<typeof partedCircle>>): Promise<void> {
  for (const member of left) await member.hear(said[1]);
  for (const member of right) await member.hear(said[0]);
}

describe(`group machine, seed ${seed}`, () => {
  it('two sides that both committed agree, read all of each other, and do what the loser had asked', async () => {
    const parted = await partedCircle(7);
    const { circle, left, right } = parted;
    assert.notEqual(left[0]?.state.head, right[0]?.state.head);
    await exchange(parted);
    assert.ok(oneHead(circle.members));
    assert.ok(
      circle.members.some(({ outputs }) => outputs.some(output => output.kind === 'head' && output.rolledBack > 0)),
    );
    for (const member of circle.members) assert.equal(new Set(member.texts()).size, 6, 'all but its own');
    const before = left[0]?.head.data.name;
    for (let round = 0; round < 4; round += 1) {
      await circle.pass(5 * MINUTE_MS);
      await circle.gossip();
    }
    assert.ok(oneHead(circle.members));
    const names = circle.members.map(({ head }) => head.data.name);
    assert.deepEqual(
      new Set(names),
      new Set([before === 'left' ? 'right' : 'left']),
      'the rename that lost is done on top',
    );
  });

  it('the same posts in any order lead to the same head, and to the same texts read', async () => {
    const { left, right, said } = await partedCircle(5);
    const [reader] = left as [Member];
    const [start, heard] = [reader.state, said[1]];
    const ends = new Set<string>();
    await fc.assert(
      fc.asyncProperty(fc.shuffledSubarray([...heard.keys()], { minLength: heard.length }), async order => {
        Object.assign(reader, { state: start, outputs: [] });
        await reader.hear(order.map(index => heard[index] as Post));
        ends.add(`${reader.state.head} ${reader.texts().sort()}`);
        assert.equal(ends.size, 1);
        assert.equal(reader.texts().length, right.length);
      }),
      { seed, numRuns: 40 },
    );
  });

  it('nothing is judged or said before a backlog has been replayed', async () => {
    const { left, right, said } = await partedCircle(5);
    const [late] = (left.length < right.length ? left : right) as [Member];
    const others = left.includes(late) ? said[1] : said[0];
    late.outputs = [];
    late.said = [];
    await late.step({ kind: 'catch-up' });
    await late.hear(others);
    await late.say('meanwhile');
    late.circle.nowMs += HOUR_MS;
    await late.step({ kind: 'due' });
    assert.deepEqual([late.heads(), late.said], [[], []]);
    await late.step({ kind: 'caught-up' });
    assert.ok(late.said.length > 0, 'what waited is said');
  });

  it('replaying everything, one’s own commits as well, changes nothing', async () => {
    const parted = await partedCircle(5);
    await exchange(parted);
    for (const member of parted.circle.members) {
      const { lineage, head } = member.state;
      member.outputs = [];
      await member.hear([...parted.said[0], ...parted.said[1]]);
      assert.equal(member.state.lineage, lineage);
      assert.equal(member.state.head, head);
      assert.deepEqual(new Set(member.outputs.map(({ kind }) => kind)), new Set(['wake']));
    }
  });

  it('a commit that does what no admin asked is followed by nobody, and its maker stays a member', async () => {
    const circle = await Circle.of(4);
    const [a, , c, d] = circle.members as [Member, Member, Member, Member];
    const [state, context] = [c.state.states.get(c.state.head) as StandInState, { nowMs: circle.nowMs, random }];
    const content = { adds: [], removes: [d.id], data: null, authenticatedData: encodeAsks([]) };
    const { message } = await c.crypto.commit(state, content, context);
    const before = a.state.head;
    const latest = c.state.lineage.chains.get(c.id)?.latest;
    const place = { seq: latest ? latest.seq + 1 : 0, previous: latest?.id ?? null };

    const head = { sender: c.id, ...place, kind: 'commit', digest: digestOf(message) } as const;
    const { act } = await sealAct(c.crypto, state, before, head, context);
    await a.hear([{ epoch: before, number: c.head.number, act, message }]);
    assert.equal(a.state.head, before);
    assert.equal(a.state.lineage.chains.get(c.id)?.latest.seq, place.seq, 'the act itself is on record');
  });

  it('keeps a bounded number of one admin’s asks, and takes more of them once those are done', async () => {
    const circle = await Circle.of(3);
    const [a, b, c] = circle.members as [Member, Member, Member];
    const waiting = () => [...c.state.asks.values()].filter(({ author }) => author === b.id).length;
    const flood = async (name: string): Promise<void> => {
      for (let count = 0; count < 40; count += 1) {
        await b.step({ kind: 'change', change: { kind: 'rename', name: `${name} ${count}` } });
      }
      await circle.gossip();
    };
    await flood('first');
    assert.equal(waiting(), LIMITS.groupAsksPerAuthor);
    for (let round = 0; round < 12; round += 1) {
      await circle.pass(MINUTE_MS, [a, c]);
      await circle.gossip([a, c]);
    }
    assert.equal(c.head.data.name, `first ${LIMITS.groupAsksPerAuthor - 1}`);
    await flood('second');
    assert.equal(waiting(), 2 * LIMITS.groupAsksPerAuthor);
  });

  it('an ask that MLS itself does not allow is forgotten, and holds up no other', async () => {
    const circle = await Circle.of(3);
    const [a] = circle.members as [Member];
    const outsider = new Member(circle);
    const { keyPackage } = await outsider.crypto.keyPackage({ nowMs: circle.nowMs, random });
    for (const { crypto } of circle.members) {
      const commit = crypto.commit.bind(crypto);
      crypto.commit = async (state, content, context) => {
        const refused = content.adds.some(added => Buffer.compare(added, keyPackage) === 0);
        if (refused) throw new UsageError('refused', 'test', 'Not allowed.');
        return commit(state, content, context);
      };
    }
    await a.step({ kind: 'change', change: { kind: 'add', keyPackage } });
    await a.step({ kind: 'change', change: { kind: 'rename', name: 'Name' } });
    for (let round = 0; round < 3; round += 1) {
      await circle.gossip();
      await circle.pass(MINUTE_MS);
    }
    await circle.gossip();
    for (const { head } of circle.members) {
      assert.deepEqual([head.data.name, head.members.length, head.number], ['Name', 3, circle.members[0]?.head.number]);
    }
    assert.ok(oneHead(circle.members));
  });

  it('names whoever says two things in one place, whichever comes first', async () => {
    const circle = await Circle.of(4);
    const [a, b, c] = circle.members as [Member, Member, Member];
    const start = c.state;
    await c.say('yes');
    c.state = start;
    await c.say('no');
    const [yes, no] = c.said as [Post, Post];
    await a.hear([yes, no]);
    await b.hear([no, yes]);
    for (const { outputs } of [a, b]) {
      const found = outputs.flatMap(output => (output.kind === 'equivocation' ? [output] : []));
      assert.deepEqual(
        found.map(({ member, seq }) => [member, seq]),
        [[c.id, 0]],
      );
    }
  });

  it('shows a hole in what someone said, until it is filled', async () => {
    const circle = await Circle.of(3);
    const [a, b] = circle.members as [Member, Member];
    for (const text of ['1', '2', '3']) await a.say(text);
    const before = (a.state.lineage.chains.get(a.id)?.latest.seq ?? 0) - 2;
    const [first, second, third] = a.said as [Post, Post, Post];
    await b.hear([first, third]);
    assert.deepEqual(
      b.outputs.filter(({ kind }) => kind === 'hole'),
      [{ kind: 'hole', member: a.id, holes: [{ from: before + 1, to: before + 1 }] }],
    );
    await b.hear([second]);
    assert.deepEqual(b.state.lineage.chains.get(a.id)?.holes, []);
    assert.deepEqual(b.texts(), ['1', '3', '2']);
  });

  it('someone away past the horizon comes back by an external commit', async () => {
    const circle = await Circle.of(4);
    const [a, b, c, away] = circle.members as [Member, Member, Member, Member];
    const there = [a, b, c];
    const first = a.state.head;
    for (let day = 0; day < 9; day += 1) {
      await a.step({ kind: 'renew' });
      await circle.pass(MINUTE_MS, there);
      const posts = await circle.gossip(there);
      // Mailboxes held the first days no longer.
      if (day > 7) await away.hear(posts);
      await circle.pass(DAY_MS, there);
    }
    assert.equal(a.state.states.has(first), false, 'old states are gone');
    await circle.gossip(there);
    await away.step({ kind: 'due' });
    circle.nowMs += LIMITS.groupLostMs + HOUR_MS;
    away.outputs = [];
    await away.hear(await a.say('where are you').then(() => circle.gossip(there)));
    circle.nowMs += LIMITS.groupLostMs + HOUR_MS;
    await away.step({ kind: 'due' });
    assert.ok(away.outputs.some(({ kind }) => kind === 'lost'));
    const info = await a.crypto.groupInfo(a.state.states.get(a.state.head) as StandInState);
    await away.step({ kind: 'group-info', groupInfo: info });
    await circle.gossip();
    assert.ok(oneHead(circle.members));
    await a.say('there you are');
    await circle.gossip();
    assert.ok(away.texts().includes('there you are'));
    assert.equal(away.texts().includes('where are you'), false, 'what came before stays closed');
  });
});
