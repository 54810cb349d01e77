import { LIMITS } from '../base/limits.ts';
import { decodeCbor, encodeCbor, Shape } from './cbor.ts';
import { decodeStamp, encodeStamp, STAMP_BYTES, type Stamp } from './stamp.ts';

/**
 * The one frame each side sends on `/molva/hello/1` when a connection begins, before anything else is pushed
 * (docs/protocol/mailbox.md §2): a CBOR array [version, holds, stamp, seen].
 */
export interface Hello {
  /** It keeps envelopes for its contacts. */
  readonly holds: boolean;
  /** How far the sender has come. */
  readonly stamp: Stamp;
  /** How far the sender has seen the one it speaks to come; empty at the first meeting. */
  readonly seen: readonly Stamp[];
}

export const HELLO_PROTOCOL = '/molva/hello/1';
export const HELLO_VERSION = 1;
/** Heads of 1 byte for array, version, flag and list; each stamp has one of 2. */
const MAX_BYTES = 4 + (1 + LIMITS.stampsKept) * (2 + STAMP_BYTES);
const shape = new Shape('hello');

export function encodeHello({ holds, stamp, seen }: Hello): Buffer {
  return encodeCbor([HELLO_VERSION, holds, encodeStamp(stamp), seen.map(encodeStamp)]);
}

/** @throws DecodeError any other form, version or length */
export function decodeHello(bytes: Uint8Array): Hello {
  const [version, holds, stamp, seen] = shape.tuple(decodeCbor(bytes, MAX_BYTES, 'hello'), 4);
  shape.constant(version, HELLO_VERSION);
  if (typeof holds !== 'boolean') return shape.fail();
  return { holds, stamp: stampOf(stamp), seen: shape.list(seen, LIMITS.stampsKept, stampOf) };
}

function stampOf(value: unknown): Stamp {
  return decodeStamp(shape.bytes(value, STAMP_BYTES));
}
