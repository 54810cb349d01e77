import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { base32nopad } from '@scure/base';
import fc from 'fast-check';
import { DAY_MS } from '../../core/base/clock.ts';
import { groupIdFromBytes } from '../../core/base/ids.ts';
import { LIMITS } from '../../core/base/limits.ts';
import { currentTags, dayOf, deriveMailboxKeys } from '../../core/crypto/mailbox-seal.ts';
import { GroupPlaces, groupTopic, type Secrets } from '../../core/state/groups/places.ts';

const NOON = 1_760_011_200_000;
const secretOf = (seed: number) => Buffer.alloc(32, seed);
const idOf = (seed: number) => groupIdFromBytes(Buffer.from(String(seed).padStart(16, '0')));

function places(nowMs: () => number, ...groups: readonly (readonly number[])[]): GroupPlaces {
  const secrets = groups.map((seeds): Secrets => seeds.map(seed => ({ secret: secretOf(seed) })));
  const ids = groups.map((_, index) => idOf(index));
  const known = {
    ids: () => ids,
    membersOf: () => [],
    secretsOf: (id: (typeof ids)[number]) => secrets[ids.indexOf(id)] ?? [],
  };
  return new GroupPlaces(known, nowMs);
}

describe('the topic of a group', () => {
  it('golden: is 20 bytes of keyed BLAKE2b in base32', () => {
    assert.equal(groupTopic(secretOf(7), 20_370), 'gm46rsfwiz4wxjq42i3kgyf4m44nkts2');
  });

  it('is another one with each secret and each day, and says nothing of the tags of that day', () => {
    const day = fc.integer({ min: 0, max: 100_000 });
    const seed = fc.uint8Array({ minLength: 32, maxLength: 32 });
    const differ = fc.property(seed, seed, day, day, (one, other, first, second) => {
      const same = Buffer.compare(one, other) === 0 && first === second;
      assert.equal(groupTopic(one, first) === groupTopic(other, second), same);
      assert.equal(groupTopic(one, first), groupTopic(Uint8Array.from(one), first));
    });
    fc.assert(differ);
    const tags = currentTags(deriveMailboxKeys(secretOf(1)), NOON).map(tag => base32nopad.encode(tag).toLowerCase());
    const topic: string = groupTopic(secretOf(1), dayOf(NOON));
    assert.ok(tags.length > 0 && tags.every(tag => !topic.includes(tag)));
  });

  it('is joined an hour before its day and left an hour after it', () => {
    const midnight = Math.ceil(NOON / DAY_MS) * DAY_MS;
    const [before, after] = [dayOf(midnight) - 1, dayOf(midnight)].map(day => groupTopic(secretOf(1), day));
    const joinedAt = (nowMs: number) => places(() => nowMs, [1]).topics();
    assert.deepEqual(joinedAt(midnight - LIMITS.groupTopicOverlapMs - 1), [before]);
    for (const side of [-LIMITS.groupTopicOverlapMs, -1, 0, LIMITS.groupTopicOverlapMs - 1])
      assert.deepEqual(joinedAt(midnight + side).sort(), [before, after].sort());
    assert.deepEqual(joinedAt(midnight + LIMITS.groupTopicOverlapMs), [after]);
  });

  it('of the newest secrets alone is joined, and of every group before a second one of any', () => {
    const many = Array.from({ length: LIMITS.gossipTopics }, (_, at) => [at % 256, (at + 1) % 256, (at + 2) % 256]);
    const known = places(() => NOON, ...many.slice(0, 3));
    assert.equal(
      known.topics().length,
      new Set(many.slice(0, 3).flatMap(seeds => seeds.slice(0, LIMITS.groupTopicSecrets))).size,
    );
    const full = places(() => NOON, ...many).topics();
    assert.equal(full.length, LIMITS.gossipTopics);
    assert.deepEqual(
      full,
      many.map(([seed]) => groupTopic(secretOf(seed as number), dayOf(NOON))),
    );
  });
});
