import { HOUR_MS } from '../base/clock.ts';
import { blake2b } from '../base/hash.ts';
import { type EnvelopeId, parseEnvelopeId } from '../base/ids.ts';
import { LIMITS } from '../base/limits.ts';
import { decodeCbor, encodeCbor, Shape } from './cbor.ts';

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
const MAX_HOURS = 0xffff_ffff;
const shape = new Shape('envelope');

export function encodeEnvelope(envelope: Envelope): Buffer {
  return encodeCbor([ENVELOPE_VERSION, envelope.tag, envelope.expiresAtHours, envelope.sealed]);
}

/** @throws DecodeError any other form, version or length */
export function decodeEnvelope(bytes: Uint8Array): Envelope {
  const [version, tag, expiresAtHours, sealed] = shape.tuple(decodeCbor(bytes, LIMITS.envelopeBytes, 'envelope'), 4);
  shape.constant(version, ENVELOPE_VERSION);
  const body = shape.bytesUpTo(sealed, LIMITS.sealedBytes);
  if (!SEALED_BUCKETS.includes(body.length)) shape.fail();
  return { tag: shape.bytes(tag, TAG_BYTES), expiresAtHours: shape.uint(expiresAtHours, MAX_HOURS), sealed: body };
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
