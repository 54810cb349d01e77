import { hex } from '../base/bytes.ts';
import { blake2b } from '../base/hash.ts';
import { type ContactId, contactIdFromBytes, ID_BYTES, idBytes } from '../base/ids.ts';
import { LABEL } from '../base/labels.ts';
import { LIMITS } from '../base/limits.ts';
import { decodeCbor, encodeCbor, Shape } from '../wire/cbor.ts';
import { type Ask, askFromCbor, askToCbor } from './asks.ts';
import type { ActId, Proof, SignedAct } from './chains.ts';
import type { EpochId } from './group-crypto.ts';

/**
 * What its sender signs of every message: its place in the sender's chain. It is sealed under a key that all of the epoch
 * hold until the epoch is dropped, and not under a message key that is used once: of two messages sealed with one message
 * key each member could open only the first to come, and nobody would see that there are two.
 */
export interface ActHead {
  readonly sender: ContactId;
  readonly seq: number;
  readonly previous: ActId | null;
  readonly kind: 'application' | 'commit';
  /** BLAKE2b-256 of the MLS message. */
  readonly digest: Uint8Array;
}

/** What an application message says. `stand` says nothing but where its sender stands; `proof`, that somebody said two things in one place. */
export type ActBody =
  | { readonly kind: 'text'; readonly text: Uint8Array }
  | { readonly kind: 'ask'; readonly ask: Ask }
  | { readonly kind: 'stand' }
  | { readonly kind: 'proof'; readonly proof: Proof };

/** What bearers carry, inside the group's outer layer: the epoch it is sealed in, and the MLS message. */
export interface Post {
  readonly epoch: EpochId;
  /** The epoch's number: tells a post from before this member's time from one of an epoch still to come. */
  readonly number: number;
  readonly act: SealedAct;
  readonly message: Uint8Array;
}

/** Someone who comes back by an external commit has no key of the epoch yet: its act is signed, and not sealed. */
export interface SealedAct {
  readonly sealed: boolean;
  readonly bytes: Uint8Array;
}

const LABEL_BYTES = Buffer.from(LABEL.groupAct);
const VERSION = 1;
export const ACT_ID_BYTES = 32;
const EPOCH_ID_BYTES = 32;
export const DIGEST_BYTES = 32;
export const ACT_BYTES = 256;
export const MESSAGE_KINDS = ['application', 'commit'] as const;
const KINDS = ['text', 'ask', 'stand', 'proof'] as const;
const shape = new Shape('group-act.decode');

export function encodeActHead(head: ActHead): Buffer {
  const previous = head.previous === null ? null : Buffer.from(head.previous, 'hex');
  const kind = MESSAGE_KINDS.indexOf(head.kind);
  return encodeCbor([LABEL.groupAct, idBytes(head.sender), head.seq, previous, kind, head.digest]);
}

/** @throws DecodeError not the documented form */
export function decodeActHead(bytes: Uint8Array): ActHead {
  const fields = shape.tuple(decodeCbor(bytes, ACT_BYTES, 'group-act.decode'), 6);
  if (fields[0] !== LABEL.groupAct) shape.fail();
  const seq = shape.uint(fields[2]);
  const previous = fields[3] === null ? null : (hex(shape.bytes(fields[3], ACT_ID_BYTES)) as ActId);
  if ((seq === 0) !== (previous === null)) shape.fail();
  return {
    sender: contactIdFromBytes(shape.bytes(fields[1], ID_BYTES)),
    seq,
    previous,
    kind: MESSAGE_KINDS[shape.uint(fields[4], 1)] ?? shape.fail(),
    digest: shape.bytes(fields[5], DIGEST_BYTES),
  };
}

export function digestOf(message: Uint8Array): Buffer {
  return blake2b(DIGEST_BYTES, message);
}

/** The asks that a commit honours, in its authenticated data. */
export function encodeAsks(asks: readonly Ask[]): Buffer {
  return encodeCbor(asks.map(askToCbor));
}

/** @throws DecodeError not the documented form */
export function decodeAsks(bytes: Uint8Array): Ask[] {
  return shape.list(decodeCbor(bytes, LIMITS.sealedBytes, 'group-act.decode'), LIMITS.groupAsksPerCommit, askFromCbor);
}

export function encodeActBody(body: ActBody): Buffer {
  const kind = KINDS.indexOf(body.kind);
  switch (body.kind) {
    case 'text':
      return encodeCbor([kind, body.text]);
    case 'ask':
      return encodeCbor([kind, askToCbor(body.ask)]);
    case 'stand':
      return encodeCbor([kind, null]);
    case 'proof':
      return encodeCbor([kind, body.proof.map(({ epoch, bytes }) => [Buffer.from(epoch, 'hex'), bytes])]);
  }
}

/** @throws DecodeError not the documented form */
export function decodeActBody(bytes: Uint8Array): ActBody {
  const [kind, value] = shape.tuple(decodeCbor(bytes, LIMITS.sealedBytes, 'group-act.decode'), 2);
  switch (KINDS[shape.uint(kind, KINDS.length - 1)]) {
    case 'text':
      return { kind: 'text', text: shape.bytesUpTo(value, LIMITS.sealedBytes) };
    case 'ask':
      return { kind: 'ask', ask: askFromCbor(value) };
    case 'proof': {
      const [first, second] = shape.tuple(value, 2);
      return { kind: 'proof', proof: [readSignedAct(first), readSignedAct(second)] };
    }
    default:
      return value === null ? { kind: 'stand' } : shape.fail();
  }
}

function readSignedAct(value: unknown): SignedAct {
  const [epoch, bytes] = shape.tuple(value, 2);
  return { epoch: parseEpochId(hex(shape.bytes(epoch, EPOCH_ID_BYTES))), bytes: shape.bytesUpTo(bytes, ACT_BYTES) };
}

export function encodePost(post: Post): Buffer {
  const { sealed, bytes } = post.act;
  return encodeCbor([VERSION, Buffer.from(post.epoch, 'hex'), post.number, sealed, bytes, post.message]);
}

/** @throws DecodeError not the documented form */
export function decodePost(bytes: Uint8Array): Post {
  const fields = shape.tuple(decodeCbor(bytes, LIMITS.sealedBytes, 'group-post.decode'), 6);
  const [version, epoch, number, sealed, act, message] = fields;
  shape.constant(version, VERSION);
  return {
    epoch: parseEpochId(hex(shape.bytes(epoch, EPOCH_ID_BYTES))),
    number: shape.uint(number),
    act: { sealed: typeof sealed === 'boolean' ? sealed : shape.fail(), bytes: shape.bytesUpTo(act, ACT_BYTES) },
    message: shape.bytesUpTo(message, LIMITS.sealedBytes),
  };
}

/** @throws DecodeError not 64 characters of lower-case hex */
export function parseEpochId(text: string): EpochId {
  if (!/^[0-9a-f]{64}$/.test(text)) shape.fail();
  return text as EpochId;
}

/** Names an act by what its sender signed, and where. */
export function actIdOf(epoch: EpochId, head: Uint8Array): ActId {
  return hex(blake2b(ACT_ID_BYTES, LABEL_BYTES, Buffer.from(epoch, 'hex'), head)) as ActId;
}
