import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { Circle, type Member, oneHead, seed } from '../support/group-circle.ts';

/** Two halves that each renew a key at once, talk, and hear of each other afterwards. */
async function parted(circle: Circle, left: readonly Member[], right: readonly Member[]): Promise<void> {
  const said = [];
  for (const side of [left, right]) {
    await side[0]?.step({ kind: 'renew' });
    await side[0]?.step({ kind: 'due' });
    const carried = await circle.gossip(side);
    await side[1]?.say('hi');
    said.push([...carried, ...(await circle.gossip(side))]);
  }
  for (const member of left) await member.hear(said[1] ?? []);
  for (const member of right) await member.hear(said[0] ?? []);
}

describe(`the rule, seed ${seed}`, () => {
  it('who joined by an epoch and who saw its commit have one ranking of its members, its maker last', async () => {
    for (let round = 0; round < 8; round += 1) {
      const circle = await Circle.of(4);
      const [a, b, c, d] = circle.members as [Member, Member, Member, Member];
      const [ranking] = new Set(circle.members.map(({ head }) => head.ranking.join()));
      for (const { head } of circle.members) assert.equal(head.ranking.join(), ranking);
      assert.equal(a.head.ranking.at(-1), a.head.committer);
      await parted(circle, [a, b], [c, d]);
      assert.ok(oneHead(circle.members), 'two weigh as much as two: the ranking decides');
    }
  });
});
