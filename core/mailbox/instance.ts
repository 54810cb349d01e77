import { concat, equalBytes } from '../base/bytes.ts';
import { keyedBlake2b } from '../base/hash.ts';
import { ALIAS_BYTES, RUN_BYTES, SEALED_BYTES, type Stamp, startsOf } from '../wire/stamp.ts';

/**
 * Finds out that a profile is an old copy put back, or one of two copies in use (docs/protocol/mailbox.md §6).
 * Contacts tell a profile how far they have seen it come. A stamp is sealed: no contact can make us throw sessions away by
 * a made-up number, or read from it how much is said to others.
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
 */
export type StampVerdict = 'known' | 'restored';

/** One byte before what is hashed, so that no hash serves for another. */
const ROLE = { tag: Uint8Array.of(1), mask: Uint8Array.of(2), alias: Uint8Array.of(3) } as const;
const END_BYTES = RUN_BYTES + 4;
const TAG_BYTES = SEALED_BYTES - END_BYTES;

/**
 * Seals `end` for one reader. The tag is made from what it covers and is the nonce as well (synthetic, as in RFC 5297):
 * no random is needed, and a copy of the profile that says the same makes the same bytes.
 * @param key 32 bytes derived from a secret of the profile under LABEL.incarnation, equal in every copy of it
 * @param reader its id, 16 bytes
 * @param order of the stamps for this reader, from 1
 */
export function makeStamp(key: Uint8Array, end: RunEnd, reader: Uint8Array, order: number): Stamp {
  const plain = Buffer.alloc(END_BYTES);
  plain.set(end.run);
  plain.writeUInt32BE(end.count, RUN_BYTES);
  const tag = tagOf(key, plain);
  const alias = keyedBlake2b(16, key, ROLE.alias, end.run, reader).subarray(0, ALIAS_BYTES);
  return { alias, order, sealed: concat(tag, masked(key, tag, plain)) };
}

/** How far the stamp says that this profile came, or undefined when it was not made by it. */
export function openStamp(key: Uint8Array, { sealed }: Stamp): RunEnd | undefined {
  const tag = sealed.subarray(0, TAG_BYTES);
  const plain = masked(key, tag, sealed.subarray(TAG_BYTES));
  if (!equalBytes(tagOf(key, plain), tag)) return undefined;
  return { run: plain.subarray(0, RUN_BYTES), count: plain.readUInt32BE(RUN_BYTES) };
}

export function judgeEnd({ now, former, floor }: OwnRuns, seen: RunEnd): StampVerdict {
  const own = [now, ...former].find(({ run }) => equalBytes(run, seen.run));
  const known = own ? seen.count <= own.count : startsOf(seen.run) <= floor;
  return known ? 'known' : 'restored';
}

/**
 * What is known once every key has been dropped because of `found`: runs of the copies up to now are of no concern
 * again. The run goes on; were it another, two copies in use would drop each other's sessions for ever.
 */
export function afterDropping({ now, floor }: OwnRuns, found: readonly RunEnd[]): OwnRuns {
  const here = found.filter(({ run }) => equalBytes(run, now.run)).map(({ count }) => count);
  return {
    now: { run: now.run, count: Math.max(now.count, ...here) },
    former: [],
    floor: Math.max(floor, startsOf(now.run), ...found.map(({ run }) => startsOf(run))),
  };
}

function tagOf(key: Uint8Array, plain: Uint8Array): Buffer {
  return keyedBlake2b(16, key, ROLE.tag, plain).subarray(0, TAG_BYTES);
}

function masked(key: Uint8Array, tag: Uint8Array, bytes: Uint8Array): Buffer {
  const mask = keyedBlake2b(16, key, ROLE.mask, tag);
  return Buffer.from(bytes.map((byte, at) => byte ^ (mask[at] as number)));
}
