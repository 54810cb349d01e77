import { concat, equalBytes } from '../base/bytes.ts';
import { DecodeError } from '../base/errors.ts';
import { LIMITS } from '../base/limits.ts';

/**
 * How far a profile has come: it stands before the content in every ratchet message, and in every hello
 * (docs/protocol/mailbox.md §6). Whoever reads it keeps it, and says it back in its own hellos.
 */
export interface Stamp {
  /** 4 bytes that name one start of one copy of the profile, to this reader; to others it has other names. */
  readonly alias: Uint8Array;
  /** Rises with everything that is made for this reader in this run; at least 1. */
  readonly order: number;
  /** 24 bytes that only the profile itself can make or read (core/mailbox/instance.ts). */
  readonly sealed: Uint8Array;
}

export const RUN_BYTES = 8;
export const ALIAS_BYTES = 4;
export const SEALED_BYTES = 24;
export const STAMP_BYTES = ALIAS_BYTES + 4 + SEALED_BYTES;
export const MAX_STARTS = 2 ** 32 - 1;

/** 8 bytes that name one start of one copy: its number and 4 random. @param random at least 4 bytes of this start's own */
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

export function encodeStamp({ alias, order, sealed }: Stamp): Buffer {
  const number = Buffer.alloc(4);
  number.writeUInt32BE(order);
  return concat(alias, number, sealed);
}

/** @throws DecodeError another length; an order of 0 */
export function decodeStamp(bytes: Uint8Array): Stamp {
  if (bytes.length !== STAMP_BYTES) throw new DecodeError('stamp');
  const copy = Buffer.from(bytes);
  const order = copy.readUInt32BE(ALIAS_BYTES);
  if (order === 0) throw new DecodeError('stamp');
  return { alias: copy.subarray(0, ALIAS_BYTES), order, sealed: copy.subarray(ALIAS_BYTES + 4) };
}

/**
 * What to keep of a peer's stamps once `stamp` is among them: of each run the furthest, the runs heard of last first.
 * @returns undefined when that is what is kept already
 */
export function keepStamp(kept: readonly Stamp[], stamp: Stamp): Stamp[] | undefined {
  const known = kept.find(({ alias }) => equalBytes(alias, stamp.alias));
  if (known && known.order >= stamp.order) return undefined;
  return [stamp, ...kept.filter(other => other !== known)].slice(0, LIMITS.stampsKept);
}
