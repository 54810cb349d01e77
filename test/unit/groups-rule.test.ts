import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { HOUR_MS, MINUTE_MS } from '../../core/base/clock.ts';
import { AuthError, DecodeError, TransientError } from '../../core/base/errors.ts';
import { LIMITS } from '../../core/base/limits.ts';
import { digestOf, encodeAsks, type Post } from '../../core/groups/act-codec.ts';
import { sealAct } from '../../core/groups/act-seal.ts';
import { type Ask, askBytes, type Change, changeFromCbor, changeToCbor } from '../../core/groups/asks.ts';
import { decodeGroupData, encodeGroupData } from '../../core/groups/group-data.ts';
import { beginGroup, createGroup, joinGroup } from '../../core/groups/group-state.ts';
import { GroupTurn } from '../../core/groups/group-turn.ts';
import { takeAsk } from '../../core/groups/receiving.ts';
import type { StandInState } from '../../sim/groups/stand-in.ts';
import { Circle, Member, oneHead, random, seed } from '../support/group-circle.ts';

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

/** A group of the same id that is not the same, with members of its own, into which somebody is let in as if it had been asked for. */
async function madeUp(circle: Circle, maker: Member, victim: Member, asks?: Uint8Array) {
  const context = { nowMs: circle.nowMs, random };
  const other = new Member(circle, maker.crypto);
  other.state = await createGroup(maker.crypto, victim.state.groupId, 'Group', context);
  const puppets = [1, 2, 3, 4].map(() => new Member(circle));
  const { keyPackage, secret } = await victim.crypto.keyPackage(context);
  const packages = await Promise.all(puppets.map(puppet => puppet.crypto.keyPackage(context)));
  for (const added of [...packages.map(each => each.keyPackage), keyPackage]) {
    await other.step({ kind: 'change', change: { kind: 'add', keyPackage: added } });
  }
  await circle.pass(MINUTE_MS, [other]);
  const output = other.outputs.find(each => each.kind === 'welcome');
  assert.ok(output);
  for (const [at, puppet] of puppets.entries()) {
    puppet.state = await joinGroup(puppet.crypto, output.welcome, packages[at]?.secret as Uint8Array, context);
    await puppet.say('we are all here');
  }
  const input = { kind: 'welcome', welcome: output.welcome, asks: asks ?? output.asks, secret } as const;
  return { other, input, said: [...other.said, ...puppets.flatMap(({ said }) => said)] };
}

function turnOf(member: Member): GroupTurn<StandInState> {
  return new GroupTurn(member.crypto, member.state, { nowMs: member.circle.nowMs, random });
}

function signedAsk(author: Member, number: number, change: Change): Ask {
  const unsigned = { author: author.id, number, change };
  return { ...unsigned, signature: author.crypto.sign(askBytes(author.state.groupId, unsigned)) };
}

function take(member: Member, ask: Ask): void {
  const turn = turnOf(member);
  takeAsk(turn, ask, member.state.head);
  member.state = turn.draft;
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

  it('a welcome into a known group is refused without the ask of an admin that is known there', async () => {
    const circle = await Circle.of(3);
    const [, , victim] = circle.members as [Member, Member, Member];
    const stranger = new Member(circle);
    for (const asks of [undefined, encodeAsks([])]) {
      const before = victim.state;
      const { input } = await madeUp(circle, stranger, victim, asks);
      await assert.rejects(victim.step(input), asks ? AuthError : TransientError);
      assert.equal(victim.state, before);
    }
  });

  it('who was put out is let in anew by one that stayed, and by no ask from before', async () => {
    const circle = await Circle.of(4);
    const [a, b, c, victim] = circle.members as [Member, Member, Member, Member];
    const context = { nowMs: circle.nowMs, random };
    await a.step({ kind: 'change', change: { kind: 'remove', member: victim.id } });
    for (let round = 0; round < 2; round += 1) {
      await circle.gossip();
      await circle.pass(MINUTE_MS);
    }
    assert.ok(victim.outputs.some(({ kind }) => kind === 'removed'));
    const { input } = await madeUp(circle, new Member(circle), victim);
    await assert.rejects(victim.step(input), TransientError);
    const { keyPackage, secret } = await victim.crypto.keyPackage(context);
    await b.step({ kind: 'change', change: { kind: 'add', keyPackage } });
    const said = [];
    for (let round = 0; round < 3; round += 1) {
      said.push(...(await circle.gossip([a, b, c])));
      await circle.pass(MINUTE_MS, [a, b, c]);
    }
    // Each that committed before it heard of the others let it in on its own branch.
    const outputs = [a, b, c].flatMap(member => member.outputs.filter(each => each.kind === 'welcome'));
    assert.ok(outputs.length > 0);
    for (const { welcome, asks } of outputs) {
      await assert.rejects(victim.step({ kind: 'welcome', welcome, asks: encodeAsks([]), secret }), AuthError);
      await victim.step({ kind: 'welcome', welcome, asks, secret });
    }
    await victim.hear(said);
    for (let round = 0; round < 3; round += 1) {
      await circle.gossip();
      await circle.pass(MINUTE_MS);
    }
    await circle.gossip();
    assert.ok(oneHead(circle.members));
  });

  it('who is let in again before it hears of having been put out is in all the same', async () => {
    const circle = await Circle.of(4);
    const [a, b, c, victim] = circle.members as [Member, Member, Member, Member];
    const others = [a, b, c];
    const { keyPackage, secret } = await victim.crypto.keyPackage({ nowMs: circle.nowMs, random });
    await a.step({ kind: 'change', change: { kind: 'remove', member: victim.id } });
    const before = await circle.gossip(others);
    await circle.pass(MINUTE_MS, others);
    before.push(...(await circle.gossip(others)));
    await b.step({ kind: 'change', change: { kind: 'add', keyPackage } });
    await circle.gossip(others);
    await circle.pass(MINUTE_MS, others);
    const welcomes = others.flatMap(member => member.outputs.filter(each => each.kind === 'welcome'));
    assert.ok(welcomes.length > 0);
    for (const { welcome, asks } of welcomes) await victim.step({ kind: 'welcome', welcome, asks, secret });
    const { head } = victim.state;
    await victim.hear(before);
    assert.ok(victim.state.lineage.tree.epochs.size > 2, 'it has followed the removal');
    assert.equal(victim.state.head, head);
    assert.ok(victim.state.states.has(head));
  });

  it('members that only a welcome names have no say between it and what is known', async () => {
    const circle = await Circle.of(3);
    const [, admin, victim] = circle.members as [Member, Member, Member];
    for (const member of circle.members) await member.say('here');
    await circle.gossip();
    const { input, said } = await madeUp(circle, admin, victim);
    const before = victim.state.head;
    await victim.step(input);
    assert.equal(victim.state.roots.length, 2, 'an admin that is known asked for it');
    await victim.hear(said);
    assert.equal(victim.state.head, before);
  });

  it('nothing is begun with that no group comes to', async () => {
    const circle = new Circle();
    const maker = new Member(circle);
    const context = { nowMs: circle.nowMs, random };
    const stranger = new Member(circle);
    const data = encodeGroupData({ name: 'Group', admins: [stranger.id], honoured: new Map() });
    const without = await maker.crypto.create(Buffer.from('id'), data, context);
    await assert.rejects(beginGroup(maker.crypto, without, null, context), DecodeError);
    const own = encodeGroupData({ name: 'Group', admins: [maker.id], honoured: new Map() });
    const state = await maker.crypto.create(Buffer.from('id'), own, context);
    const late = { ...state, view: { ...state.view, number: LIMITS.groupEpochNumber } };
    await assert.rejects(beginGroup(maker.crypto, late, null, context), DecodeError);
    await beginGroup(maker.crypto, state, null, context);
  });

  it('who is added by an ask of the highest number still can ask to leave', async () => {
    const circle = await Circle.of(2);
    const [a, b] = circle.members as [Member, Member];
    const newcomer = new Member(circle);
    const context = { nowMs: circle.nowMs, random };
    const { keyPackage, secret } = await newcomer.crypto.keyPackage(context);
    const change = { kind: 'add', keyPackage } as const;
    take(a, signedAsk(a, LIMITS.groupAskNumber - 1, change));
    a.state = { ...a.state, timers: { ...a.state.timers, commitMs: circle.nowMs } };
    await a.step({ kind: 'due' });
    const output = a.outputs.find(({ kind }) => kind === 'welcome') as { welcome: Uint8Array } | undefined;
    newcomer.state = await joinGroup(newcomer.crypto, output?.welcome as Uint8Array, secret, context);
    circle.members.push(newcomer);
    await circle.gossip();
    await newcomer.step({ kind: 'change', change: { kind: 'leave' } });
    for (let round = 0; round < 3; round += 1) {
      await circle.gossip();
      await circle.pass(MINUTE_MS);
    }
    for (const { head } of [a, b]) assert.ok(!head.members.includes(newcomer.id));
    assert.ok(newcomer.outputs.some(({ kind }) => kind === 'removed'));
  });

  it('who left with a clock ahead and is added again is not put out by its old wish to leave', async () => {
    const circle = await Circle.of(3);
    const [a, b, c] = circle.members as [Member, Member, Member];
    circle.nowMs += 20 * MINUTE_MS;
    await c.step({ kind: 'change', change: { kind: 'leave' } });
    circle.nowMs -= 20 * MINUTE_MS;
    await circle.gossip();
    await circle.pass(MINUTE_MS, [a, b]);
    await circle.gossip([a, b]);
    assert.ok(!a.head.members.includes(c.id));
    const { keyPackage } = await c.crypto.keyPackage({ nowMs: circle.nowMs, random });
    await a.step({ kind: 'change', change: { kind: 'add', keyPackage } });
    for (let round = 0; round < 5; round += 1) {
      await circle.gossip([a, b]);
      await circle.pass(MINUTE_MS, [a, b]);
    }
    for (const { head } of [a, b]) assert.ok(head.members.includes(c.id));
  });

  it('asks that can never be honoured, are of a far time, or ask twice to leave, are not kept', async () => {
    const circle = await Circle.of(3);
    const [a, , c] = circle.members as [Member, Member, Member];
    const last = a.head.data.honoured.get(c.id) as number;
    const far = circle.nowMs + LIMITS.groupAskAheadMs;
    const leave = { kind: 'leave' } as const;
    const kept = async (number: number): Promise<boolean> => {
      const turn = turnOf(c);
      await turn.say({ kind: 'ask', ask: signedAsk(c, number, leave) });
      c.state = turn.draft;
      const before = a.state.asks.size;
      await a.step({ kind: 'catch-up' });
      for (const output of turn.outputs) if (output.kind === 'publish') await a.hear([output.post]);
      return a.state.asks.size > before;
    };
    assert.deepEqual([await kept(last), await kept(last - 1), await kept(2 * far)], [false, false, false]);
    assert.deepEqual([await kept(far - 1), await kept(far - 2), await kept(last + 1)], [true, false, false]);
  });

  it('a commit is followed only if all it honours was signed by its author', async () => {
    const circle = await Circle.of(4);
    const [a, b, c, d] = circle.members as [Member, Member, Member, Member];
    const genuine = signedAsk(a, circle.nowMs + 1, { kind: 'remove', member: d.id });
    const signature = Buffer.from(genuine.signature);
    signature[0] = (signature[0] as number) ^ 1;
    for (const [ask, followed] of [
      [{ ...genuine, signature }, false],
      [genuine, true],
    ] as const) {
      const before = b.state.head;
      c.state = { ...c.state, asks: new Map() };
      const verify = c.crypto.verify.bind(c.crypto);
      c.crypto.verify = () => true;
      take(c, ask);
      c.state = { ...c.state, timers: { ...c.state.timers, commitMs: circle.nowMs } };
      const start = c.state;
      await c.step({ kind: 'due' });
      c.crypto.verify = verify;
      await b.hear(c.said.splice(0));
      assert.equal(b.state.head !== before, followed);
      if (!followed)
        c.state = { ...start, asks: new Map(), lineage: { ...start.lineage, chains: c.state.lineage.chains } };
    }
  });

  it('names that could pass for others are in no ask and no group', () => {
    for (const name of ['', ' ', 'Trip\u202e', 'Tr\u200bip', 'a\nb']) {
      const data = { name, admins: [], honoured: new Map() };
      assert.throws(() => decodeGroupData(encodeGroupData(data)), DecodeError);
      assert.throws(() => changeFromCbor(changeToCbor({ kind: 'rename', name })), DecodeError);
    }
  });

  it('nobody comes back to where no admin known here is, nor absurdly far ahead', async () => {
    const circle = await Circle.of(3);
    const [a, , victim] = circle.members as [Member, Member, Member];
    const { other } = await madeUp(circle, new Member(circle), victim);
    for (let count = 0; count < 5; count += 1) {
      await other.step({ kind: 'renew' });
      await other.step({ kind: 'due' });
    }
    assert.ok(other.head.number > victim.head.number);
    const state = a.state.states.get(a.state.head) as StandInState;
    const far = { ...state, view: { ...state.view, number: victim.head.number + LIMITS.groupEpochJump } };
    const elsewhere = { ...far, view: { ...far.view, epoch: 'ef'.repeat(32) as StandInState['view']['epoch'] } };
    const answers = [
      await other.crypto.groupInfo(other.state.states.get(other.state.head) as StandInState),
      await a.crypto.groupInfo(elsewhere),
    ];
    for (const groupInfo of answers) {
      const { roots } = victim.state;
      await victim.step({ kind: 'group-info', groupInfo });
      assert.deepEqual([victim.state.roots, victim.said], [roots, []]);
    }
    const near = { ...elsewhere, view: { ...elsewhere.view, number: victim.head.number + 1 } };
    await victim.step({ kind: 'group-info', groupInfo: await a.crypto.groupInfo(near) });
    assert.equal(victim.said.length, 1, 'else it does');
  });

  it('an act is its sender’s, and of the message that it came with', async () => {
    const circle = await Circle.of(3);
    const [a, b, c] = circle.members as [Member, Member, Member];
    await a.say('words');
    const [post] = a.said.splice(0) as [Post];
    const message = random(80);
    await b.hear([{ ...post, message }]);
    assert.equal(b.state.lineage.chains.get(a.id)?.latest.seq, undefined, 'of another message');
    await b.hear([post]);
    assert.deepEqual(b.texts(), ['words'], 'it is not taken for known');
    const state = c.state.states.get(c.state.head) as StandInState;
    const latest = b.state.lineage.chains.get(a.id)?.latest;
    const place = { seq: (latest?.seq ?? -1) + 1, previous: latest?.id ?? null };
    const head = { sender: a.id, ...place, kind: 'application', digest: digestOf(message) } as const;
    for (const [signer, seq] of [
      [c, latest?.seq],
      [a, place.seq],
    ] as const) {
      const { act } = await sealAct(signer.crypto, state, c.state.head, head, { nowMs: circle.nowMs, random });
      await b.hear([{ epoch: c.state.head, number: c.head.number, act, message }]);
      assert.equal(b.state.lineage.chains.get(a.id)?.latest.seq, seq);
    }
  });

  it('keys that cannot be renewed hold up nothing else that is due', async () => {
    const circle = await Circle.of(3);
    const [a] = circle.members as [Member];
    a.crypto.commit = async () => {
      throw new AuthError('not-authentic', 'test', 'Somebody’s key is no key.');
    };
    circle.nowMs = Math.max(a.state.timers.renewMs, a.state.timers.sweepMs) + 1;
    await a.step({ kind: 'due' });
    const { renewMs, sweepMs } = a.state.timers;
    assert.ok(renewMs > circle.nowMs && renewMs <= circle.nowMs + HOUR_MS && sweepMs > circle.nowMs);
  });
});
