import { concat, equalBytes } from '../base/bytes.ts';
import type { RandomSource } from '../base/clock.ts';
import { keyedBlake2b } from '../base/hash.ts';
import { INCARNATION_BYTES, type Instance, MAX_STARTS } from '../wire/hello.ts';

/**
 * Finds out that a profile is an old copy put back, or one of two copies in use (docs/protocol/mailbox.md §6).
 * Each start has a number that rises and a mark that only the profile's owner can make. A contact tells us which it saw
 * last; the mark proves that it was truly ours, so that no contact can make us throw sessions away by a made-up number.
 */
const RANDOM_BYTES = INCARNATION_BYTES / 2;

/** @param key 32 bytes derived from a secret of the profile under LABEL.incarnation, equal in every copy of it */
export function newInstance(key: Uint8Array, starts: number, random: RandomSource): Instance {
  const fresh = random(RANDOM_BYTES);
  return { starts, incarnation: concat(fresh, mark(key, starts, fresh)) };
}

/**
 * - `same`: what the contact saw is this start or an earlier one.
 * - `restored`: it saw a later start, or another with this number: this profile is a copy. No key it holds may be used.
 * - `unproved`: the mark is not ours; to be ignored.
 */
export type SeenVerdict = 'same' | 'restored' | 'unproved';

export function judgeSeen(key: Uint8Array, own: Instance, seen: Instance | null): SeenVerdict {
  if (!seen || seen.starts < own.starts) return 'same';
  if (seen.starts === own.starts && equalBytes(seen.incarnation, own.incarnation)) return 'same';
  const fresh = seen.incarnation.subarray(0, RANDOM_BYTES);
  const proved = equalBytes(mark(key, seen.starts, fresh), seen.incarnation.subarray(RANDOM_BYTES));
  return proved ? 'restored' : 'unproved';
}

/** The number of the start that follows both: taken once everything old has been dropped. */
export function startsAfter(own: number, seen: number): number {
  return Math.min(Math.max(own, seen) + 1, MAX_STARTS);
}

function mark(key: Uint8Array, starts: number, fresh: Uint8Array): Buffer {
  const number = Buffer.alloc(8);
  number.writeUIntBE(starts, 2, 6);
  return keyedBlake2b(16, key, number, fresh).subarray(0, RANDOM_BYTES);
}
