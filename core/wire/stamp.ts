import { concat, equalBytes } from '../base/bytes.ts';
import { DecodeError } from '../base/errors.ts';
import { LIMITS } from '../base/limits.ts';

/**
 * How far a profile has come: it stands before the content in every ratchet message, and in every hello
 * (docs/protocol/mailbox.md §6). Whoever reads it keeps it, and says it back in its own hellos.
 */
export interface Stamp {
  /** 8 bytes that name one start of one copy of the profile: the number of the start, u32, and 4 random. */
  readonly run: Uint8Array;
  /** Rises within the run with everything that is sealed, and with every hello; at least 1. */
  readonly count: number;
  /** 8 bytes that only the profile's owner can make (core/mailbox/instance.ts). */
  readonly proof: Uint8Array;
}

export const RUN_BYTES = 8;
export const PROOF_BYTES = 8;
export const STAMP_BYTES = RUN_BYTES + 4 + PROOF_BYTES;
export const MAX_STARTS = 2 ** 32 - 1;
const PROOF_AT = RUN_BYTES + 4;

/** @param random at least 4 bytes of this start's own */
export function runOf(starts: number, random: Uint8Array): Buffer {
  const run = Buffer.allocUnsafeSlow(RUN_BYTES);
  run.writeUInt32BE(starts);
  run.set(random.subarray(0, RUN_BYTES - 4), 4);
  return run;
}

/** The number of the start that `run` names. */
export function startsOf(run: Uint8Array): number {
  return Buffer.from(run).readUInt32BE(0);
}

export function encodeStamp({ run, count, proof }: Stamp): Buffer {
  const number = Buffer.alloc(4);
  number.writeUInt32BE(count);
  return concat(run, number, proof);
}

/** @throws DecodeError another length; a start or a count of 0 */
export function decodeStamp(bytes: Uint8Array): Stamp {
  if (bytes.length !== STAMP_BYTES) throw new DecodeError('stamp');
  const copy = Buffer.from(bytes);
  const run = copy.subarray(0, RUN_BYTES);
  const count = copy.readUInt32BE(RUN_BYTES);
  if (count === 0 || startsOf(run) === 0) throw new DecodeError('stamp');
  return { run, count, proof: copy.subarray(PROOF_AT) };
}

/**
 * What to keep of a peer's stamps once `stamp` is among them: of each run the furthest, the runs heard of last first.
 * @returns undefined when that is what is kept already
 */
export function keepStamp(kept: readonly Stamp[], stamp: Stamp): Stamp[] | undefined {
  const known = kept.find(({ run }) => equalBytes(run, stamp.run));
  if (known && known.count >= stamp.count) return undefined;
  return [stamp, ...kept.filter(other => other !== known)].slice(0, LIMITS.stampsKept);
}
