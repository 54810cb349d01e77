import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { hex } from '../../core/base/bytes.ts';
import { LIMITS } from '../../core/base/limits.ts';
import type { Post } from '../../core/groups/act-codec.ts';
import type { EpochId } from '../../core/groups/group-crypto.ts';
import { Waiting } from '../../core/groups/waiting.ts';
import { decodeWaiting, encodeWaiting } from '../../core/groups/waiting-codec.ts';
import { Circle, type Member, random, seed } from '../support/group-circle.ts';

function forged(bytes = 40): Post {
  const act = { sealed: true, bytes: random(120) };
  return { epoch: hex(random(32)) as EpochId, number: 9_999, act, message: Buffer.alloc(Math.floor(bytes)) };
}

/** One who made a commit and then said some words in its epoch, and one who has heard nothing of it. */
async function wordsAfterCommit(count: number) {
  const circle = await Circle.of(2);
  const [one, other] = circle.members as [Member, Member];
  await one.step({ kind: 'renew' });
  await one.step({ kind: 'due' });
  const commit = one.said.splice(0);
  for (let at = 0; at < count; at += 1) await one.say(`word ${at}`);
  return { other, commit, words: one.said.splice(0) };
}

function dropped({ outputs }: Member): string[] {
  return outputs.flatMap(output => (output.kind === 'dropped' ? [output.ref] : []));
}

async function hearFrom(member: Member, posts: readonly Post[], share: string): Promise<void> {
  for (const post of posts) {
    const ref = hex(random(32));
    await member.step({ kind: 'post', post, origin: { ref, share } });
  }
}

describe(`what waits for an epoch, seed ${seed}`, () => {
  it('a backlog of 1,100 comes before its commit: every word is read', async () => {
    const { other, commit, words } = await wordsAfterCommit(1_100);
    await other.step({ kind: 'catch-up' });
    await other.hear(words);
    await other.hear(commit);
    await other.step({ kind: 'caught-up' });
    assert.equal(new Set(other.texts()).size, 1_100);
  });

  it('a flood under an older outer secret displaces nothing of a newer, and names what it displaces of its own', async () => {
    const { other, commit, words } = await wordsAfterCommit(20);
    await hearFrom(
      other,
      Array.from({ length: 10 }, () => forged(LIMITS.groupWaitingBytes / 10)),
      'old',
    );
    await hearFrom(other, words, 'new');
    await hearFrom(
      other,
      Array.from({ length: 200 }, () => forged(LIMITS.groupWaitingBytes / 10)),
      'old',
    );
    await other.hear(commit);
    assert.equal(other.texts().length, 20);
    const left = [...other.state.waiting].filter(({ origin }) => origin.share === 'old').length;
    assert.ok(left > 0 && left <= 10);
    assert.equal(new Set(dropped(other)).size, 210 - left);
  });

  it('what had no room is told of, and is read when it comes again', async () => {
    const { other, commit, words } = await wordsAfterCommit(3);
    const origin = { ref: hex(random(32)), share: 'one' };
    const full = Array.from({ length: LIMITS.groupWaiting }, () => ({ post: forged(), sinceMs: 0, origin }));
    other.state = { ...other.state, waiting: Waiting.from(full) };
    await hearFrom(other, words, 'one');
    assert.equal(dropped(other).length, 3);
    await other.hear(commit);
    assert.equal(other.texts().length, 0);
    await hearFrom(other, words, 'one');
    assert.equal(other.texts().length, 3);
  });

  it('what cannot be had again stays before what can', () => {
    const item = (ref: string | null, sinceMs: number) => {
      return { post: forged(LIMITS.groupWaitingBytes / 2), sinceMs, origin: { ref, share: '' } };
    };
    const [kept, again] = [item(null, 2), item(hex(random(32)), 1)];
    const { waiting, dropped: out } = Waiting.from([kept, again]).with(item(null, 3));
    assert.deepEqual([out, waiting.count], [[again], 2]);
  });

  it('is the same after it was stored', () => {
    for (const ref of [null, hex(random(32))]) {
      const item = { post: forged(), sinceMs: 1_234, origin: { ref, share: 'abc' } };
      const again = decodeWaiting(encodeWaiting(item));
      assert.deepEqual(encodeWaiting(again), encodeWaiting(item));
      assert.deepEqual([again.sinceMs, again.origin, again.post.epoch], [1_234, item.origin, item.post.epoch]);
    }
  });
});
