import { equalBytes } from '../base/bytes.ts';
import { keyedBlake2b } from '../base/hash.ts';
import { type Stamp, startsOf } from '../wire/stamp.ts';

/**
 * Finds out that a profile is an old copy put back, or one of two copies in use (docs/protocol/mailbox.md §6).
 * Contacts tell a profile how far they have seen it come. The proof in a stamp shows that it was truly ours, so that no
 * contact can make us throw sessions away by a made-up number.
 */

/** How far a run came. */
export interface RunEnd {
  /** 8 */
  readonly run: Uint8Array;
  readonly count: number;
}

/** What a profile knows of its own past. */
export interface OwnRuns {
  readonly now: RunEnd;
  /** The runs before it, since keys were last dropped. */
  readonly former: readonly RunEnd[];
  /** Starts up to this number are of no concern: no key of theirs is held any more, or they are too long ago to tell. */
  readonly floor: number;
}

/**
 * - `known`: the stamp is of our own past, or of one that no longer concerns us.
 * - `restored`: we have come further than we know, or along another way: this profile is a copy. No key it holds may
 *   be used.
 * - `unproved`: not made by us; to be ignored.
 */
export type StampVerdict = 'known' | 'restored' | 'unproved';

/** @param key 32 bytes derived from a secret of the profile under LABEL.incarnation, equal in every copy of it */
export function makeStamp(key: Uint8Array, { run, count }: RunEnd): Stamp {
  return { run, count, proof: proofOf(key, run, count) };
}

export function judgeStamp(key: Uint8Array, { now, former, floor }: OwnRuns, seen: Stamp): StampVerdict {
  const own = [now, ...former].find(({ run }) => equalBytes(run, seen.run));
  if (own ? seen.count <= own.count : startsOf(seen.run) <= floor) return 'known';
  return equalBytes(proofOf(key, seen.run, seen.count), seen.proof) ? 'restored' : 'unproved';
}

/**
 * What is known once every key has been dropped because of `found`: runs of the copies up to now are of no concern
 * again. The run goes on; were it another, two copies in use would drop each other's sessions for ever.
 */
export function afterDropping({ now, floor }: OwnRuns, found: readonly Stamp[]): OwnRuns {
  const here = found.filter(({ run }) => equalBytes(run, now.run)).map(({ count }) => count);
  return {
    now: { run: now.run, count: Math.max(now.count, ...here) },
    former: [],
    floor: Math.max(floor, startsOf(now.run), ...found.map(({ run }) => startsOf(run))),
  };
}

function proofOf(key: Uint8Array, run: Uint8Array, count: number): Buffer {
  const number = Buffer.alloc(4);
  number.writeUInt32BE(count);
  return keyedBlake2b(16, key, run, number).subarray(0, 8);
}
