import { asBuffer } from '../base/bytes.ts';
import { HOUR_MS } from '../base/clock.ts';
import { DecodeError, InternalError } from '../base/errors.ts';
import { blake2b } from '../base/hash.ts';
import { type EnvelopeId, parseEnvelopeId } from '../base/ids.ts';
import { LIMITS } from '../base/limits.ts';

/** Envelope v1 (docs/protocol/envelope.md): what every bearer carries. */
export interface Envelope {
  /** 16 bytes: the recipient's mailbox tag of the day. */
  readonly tag: Uint8Array;
  /** Hours since 1970-01-01 UTC; past it the envelope is dropped. */
  readonly expiresAtHours: number;
  /** One padding bucket long. */
  readonly sealed: Uint8Array;
}

export const ENVELOPE_VERSION = 1;
export const TAG_BYTES = 16;
/** Lengths the sealed part is padded to. */
export const SEALED_BUCKETS: readonly number[] = [256, 1024, 4096, 16_384, 65_536];
const HEAD = Buffer.of(0x84, ENVELOPE_VERSION, 0x50);
const UINT32 = 0x1a;
const HOURS_AT = HEAD.length + TAG_BYTES;
const LENGTH_AT = HOURS_AT + 5;
/** A smaller number has a shorter form in CBOR; it was over in 1977. */
const FIRST_HOURS = 0x1_0000;
const LAST_HOURS = 0xffff_ffff;

/**
 * The deterministic CBOR of the four fields, written out: their offsets are fixed, and every message passes here
 * on both sides.
 * @throws InternalError an expiry outside 4 bytes
 */
export function encodeEnvelope({ tag, expiresAtHours, sealed }: Envelope): Buffer {
  if (expiresAtHours < FIRST_HOURS || expiresAtHours > LAST_HOURS) throw new InternalError('envelope.encode');
  const length = lengthHead(sealed.length);
  const out = Buffer.allocUnsafe(LENGTH_AT + length.length + sealed.length);
  out.set(HEAD);
  out.set(tag, HEAD.length);
  out[HOURS_AT] = UINT32;
  out.writeUInt32BE(expiresAtHours, HOURS_AT + 1);
  out.set(length, LENGTH_AT);
  out.set(sealed, LENGTH_AT + length.length);
  return out;
}

/** The parts lie in the same memory as `bytes`. @throws DecodeError any other form, version or length */
export function decodeEnvelope(bytes: Uint8Array): Envelope {
  const whole = asBuffer(bytes);
  const bucket = SEALED_BUCKETS.find(size => LENGTH_AT + lengthHead(size).length + size === whole.length);
  if (bucket === undefined) throw new DecodeError('envelope');
  const sealedAt = whole.length - bucket;
  const expiresAtHours = whole.readUInt32BE(HOURS_AT + 1);
  const inForm =
    whole.subarray(0, HEAD.length).equals(HEAD) &&
    whole[HOURS_AT] === UINT32 &&
    expiresAtHours >= FIRST_HOURS &&
    whole.subarray(LENGTH_AT, sealedAt).equals(lengthHead(bucket));
  if (!inForm) throw new DecodeError('envelope');
  return { tag: whole.subarray(HEAD.length, HOURS_AT), expiresAtHours, sealed: whole.subarray(sealedAt) };
}

/** CBOR head of a byte string of 256 bytes or more. */
function lengthHead(length: number): Buffer {
  const head = Buffer.allocUnsafe(length <= 0xffff ? 3 : 5);
  head[0] = length <= 0xffff ? 0x59 : 0x5a;
  head.writeUIntBE(length, 1, head.length - 1);
  return head;
}

/** BLAKE2b-256 of the envelope's bytes: its name on every bearer. */
export function envelopeIdOf(bytes: Uint8Array): EnvelopeId {
  return parseEnvelopeId(blake2b(32, bytes));
}

export function expiryHours(expiresAtMs: number): number {
  return Math.ceil(expiresAtMs / HOUR_MS);
}

export function isExpired(envelope: Envelope, nowMs: number): boolean {
  return envelope.expiresAtHours * HOUR_MS <= nowMs;
}

/** Too far ahead to be believed: longer than a lifetime plus the accepted skew of clocks. */
export function expiresTooLate(envelope: Envelope, nowMs: number): boolean {
  return envelope.expiresAtHours * HOUR_MS > nowMs + LIMITS.envelopeLifetimeMs + LIMITS.clockSkewMs + HOUR_MS;
}
