import { decodeCbor, encodeCbor, Shape } from './cbor.ts';

/**
 * The one frame each side sends on `/molva/hello/1` when a connection begins, before anything else is pushed
 * (docs/protocol/mailbox.md §2): a CBOR array [version, holds, starts, incarnation, seen].
 */
export interface Hello {
  /** It keeps envelopes for its contacts. */
  readonly holds: boolean;
  readonly instance: Instance;
  /** What the sender last saw of the one it speaks to; null at the first meeting. */
  readonly seen: Instance | null;
}

/** Tells one running start of a profile from every other, and from a copy of it. */
export interface Instance {
  /** Rises by one or more with each start of the profile; at least 1. */
  readonly starts: number;
  /** 16 bytes: 8 random, 8 that only the profile's owner can make (core/mailbox/instance.ts). */
  readonly incarnation: Uint8Array;
}

export const HELLO_PROTOCOL = '/molva/hello/1';
export const HELLO_VERSION = 1;
export const INCARNATION_BYTES = 16;
export const MAX_STARTS = 2 ** 48 - 1;
const MAX_BYTES = 96;
const shape = new Shape('hello');

export function encodeHello({ holds, instance, seen }: Hello): Buffer {
  const { starts, incarnation } = instance;
  return encodeCbor([HELLO_VERSION, holds, starts, incarnation, seen && [seen.starts, seen.incarnation]]);
}

/** @throws DecodeError any other form, version or length */
export function decodeHello(bytes: Uint8Array): Hello {
  const [version, holds, starts, incarnation, seen] = shape.tuple(decodeCbor(bytes, MAX_BYTES, 'hello'), 5);
  shape.constant(version, HELLO_VERSION);
  if (typeof holds !== 'boolean') return shape.fail();
  return { holds, instance: instanceOf([starts, incarnation]), seen: seen === null ? null : instanceOf(seen) };
}

function instanceOf(value: unknown): Instance {
  const [starts, incarnation] = shape.tuple(value, 2);
  const number = shape.uint(starts, MAX_STARTS);
  if (number === 0) shape.fail();
  return { starts: number, incarnation: shape.bytes(incarnation, INCARNATION_BYTES) };
}
