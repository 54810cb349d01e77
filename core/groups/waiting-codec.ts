import { hex } from '../base/bytes.ts';
import { blake2b } from '../base/hash.ts';
import { LIMITS } from '../base/limits.ts';
import { decodeCbor, encodeCbor, Shape } from '../wire/cbor.ts';
import { decodePost, encodePost } from './act-codec.ts';
import { epochIdBytes, readEpochId } from './epoch-codec.ts';
import type { WaitingPost } from './waiting.ts';

/** A post that waits, at rest: written once, and removed when it is read or dropped. */
const REF_BYTES = 32;
const SHARE_CHARACTERS = 64;
const NAME_BYTES = 32;
const shape = new Shape('group-waiting.decode');
const encoded = new WeakMap<WaitingPost, Buffer>();

export function encodeWaiting(item: WaitingPost): Buffer {
  const known = encoded.get(item);
  if (known) return known;
  const { ref, share } = item.origin;
  const bytes = encodeCbor([
    item.sinceMs,
    ref === null ? null : Buffer.from(ref, 'hex'),
    share,
    encodePost(item.post),
    item.makes === undefined ? null : epochIdBytes(item.makes),
  ]);
  encoded.set(item, bytes);
  return bytes;
}

/** @throws DecodeError not the documented form */
export function decodeWaiting(bytes: Uint8Array): WaitingPost {
  const fields = shape.tuple(decodeCbor(bytes, bytes.length, 'group-waiting.decode'), 5);
  const ref = fields[1] === null ? null : hex(shape.bytes(fields[1], REF_BYTES));
  const origin = { ref, share: shape.text(fields[2], SHARE_CHARACTERS) };
  return {
    sinceMs: shape.uint(fields[0]),
    origin,
    post: decodePost(shape.bytesUpTo(fields[3], LIMITS.sealedBytes)),
    ...(fields[4] === null ? {} : { makes: readEpochId(fields[4]) }),
  };
}

/** 32 bytes: what it is stored by. */
export function waitingName(item: WaitingPost): Buffer {
  return blake2b(NAME_BYTES, encodeWaiting(item));
}
