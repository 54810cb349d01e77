import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { decodeActBody, encodeActBody, type Post } from '../../core/groups/act-codec.ts';
import { openAct } from '../../core/groups/act-seal.ts';
import type { Proof, SignedAct } from '../../core/groups/chains.ts';
import { joinGroup } from '../../core/groups/group-state.ts';
import { GroupTurn } from '../../core/groups/group-turn.ts';
import { decodeGroup, encodeGroup } from '../../core/groups/state-codec.ts';
import type { StandInState } from '../../sim/groups/stand-in.ts';
import { Circle, Member, oneHead, random, seed } from '../support/group-circle.ts';

/** One of these says two things in one place; the others hear both. */
async function twoThings(circle: Circle, liar: Member): Promise<readonly [Post, Post]> {
  const start = liar.state;
  await liar.say('yes');
  liar.state = start;
  await liar.say('no');
  const said = liar.said.splice(0) as [Post, Post];
  for (const member of circle.members) if (member !== liar) await member.hear(said);
  return said;
}

async function signedIn(member: Member, post: Post): Promise<SignedAct> {
  const state = member.state.states.get(post.epoch) as StandInState;
  return (await openAct(member.crypto, state, post)).signed;
}

/** Says it in the head as if it were so. */
async function claim(member: Member, proof: Proof): Promise<void> {
  const turn = new GroupTurn(member.crypto, member.state, { nowMs: member.circle.nowMs, random });
  await turn.say({ kind: 'proof', proof });
  member.state = turn.draft;
  for (const output of turn.outputs) if (output.kind === 'publish') member.said.push(output.post);
}

async function joined(circle: Circle, by: Member): Promise<{ newcomer: Member; said: Post[] }> {
  const newcomer = new Member(circle);
  const context = { nowMs: circle.nowMs, random };
  const { keyPackage, secret } = await newcomer.crypto.keyPackage(context);
  await by.step({ kind: 'change', change: { kind: 'add', keyPackage } });
  const said: Post[] = [];
  while (!by.head.members.includes(newcomer.id)) {
    said.push(...(await circle.gossip()));
    await circle.pass(50);
  }
  const welcome = circle.members.flatMap(({ outputs }) => outputs.filter(({ kind }) => kind === 'welcome'))[0];
  assert.ok(welcome?.kind === 'welcome');
  newcomer.state = await joinGroup(newcomer.crypto, welcome.welcome, secret, context);
  circle.members.push(newcomer);
  await newcomer.hear(said);
  return { newcomer, said };
}

const isNamed = (by: Member, member: Member): boolean =>
  (by.state.lineage.chains.get(member.id)?.forkedAt ?? null) !== null;

describe(`proofs of two things said in one place, seed ${seed}`, () => {
  it('who joins later is shown them once, and counts as the others do', async () => {
    const circle = await Circle.of(5);
    const [a, b, c, d, liar] = circle.members as [Member, Member, Member, Member, Member];
    await twoThings(circle, liar);
    const { newcomer: late, said: posts } = await joined(circle, a);
    posts.push(...(await circle.gossip()));
    for (let round = 0; round < 600; round += 1) {
      await circle.pass(50);
      posts.push(...(await circle.gossip()));
    }
    for (const member of [a, b, c, d, late]) {
      assert.ok(isNamed(member, liar));
      const named = member.outputs.filter(({ kind }) => kind === 'equivocation');
      assert.deepEqual(named.length, 1, 'and told of once');
    }
    assert.ok(oneHead(circle.members));
    let shown = 0;
    for (const post of posts) {
      const state = late.state.states.get(post.epoch);
      const opened = state && (await openBody(late, state, post));
      shown += Number(opened?.kind === 'proof');
    }
    // Two may say it at the same time; all four who know would be too many.
    assert.ok(shown === 1 || shown === 2, `shown ${shown} times`);
  });

  it('what two acts do not show is not believed, nor what their author did not sign', async () => {
    const circle = await Circle.of(4);
    const [a, b, , liar] = circle.members as [Member, Member, Member, Member];
    await b.say('one');
    await b.say('two');
    const [one, two] = b.said as [Post, Post];
    await circle.gossip();
    const [first, second] = [await signedIn(a, one), await signedIn(a, two)];
    const forged = { epoch: 'ab'.repeat(32) as SignedAct['epoch'], bytes: second.bytes };
    for (const proof of [
      [first, second],
      [first, first],
      [first, forged],
    ] as const) {
      await claim(liar, proof);
      await circle.gossip();
    }
    for (const member of circle.members) assert.ok(!isNamed(member, b));
  });

  it('a proof that is heard first counts by itself, and is kept with the group', async () => {
    const circle = await Circle.of(4);
    const [a, b, c, liar] = circle.members as [Member, Member, Member, Member];
    circle.members = [a];
    const [yes, no] = await twoThings(circle, liar);
    circle.members = [a, b, c, liar];
    await claim(a, [await signedIn(a, yes), await signedIn(a, no)]);
    await b.hear(a.said);
    assert.ok(isNamed(b, liar));
    const again = decodeGroup(encodeGroup(a.state), a.state.states);
    assert.deepEqual(encodeGroup(again), encodeGroup(a.state));
    const [kept, was] = [again, a.state].map(({ lineage }) => lineage.chains.get(liar.id));
    assert.deepEqual(kept?.proof, was?.proof);
    assert.deepEqual(
      [...(kept?.acts.values() ?? [])].map(({ signed }) => signed?.bytes),
      [...(was?.acts.values() ?? [])].map(({ signed }) => signed?.bytes),
    );
    assert.ok(kept?.proof);
  });
});

async function openBody(reader: Member, state: StandInState, post: Post) {
  const sender = (await openAct(reader.crypto, state, post)).head;
  if (sender.kind === 'commit') return undefined;
  const fresh = { ...state, read: new Set<string>() };
  const processed = await reader.crypto.process(fresh, post.message).catch(() => undefined);
  if (processed?.kind !== 'application') return undefined;
  const body = decodeActBody(processed.plaintext);
  assert.deepEqual(Buffer.from(encodeActBody(body)), Buffer.from(processed.plaintext));
  return body;
}
