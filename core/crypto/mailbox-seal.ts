import sodium from 'sodium-native';
import { asBuffer, concat, wipe } from '../base/bytes.ts';
import { DAY_MS, type RandomSource } from '../base/clock.ts';
import { AuthError, DecodeError, UsageError } from '../base/errors.ts';
import { deriveKey, keyedBlake2b } from '../base/hash.ts';
import { LABEL } from '../base/labels.ts';
import { LIMITS } from '../base/limits.ts';
import { type Envelope, expiryHours, SEALED_BUCKETS, TAG_BYTES } from '../wire/envelope.ts';

/**
 * The outer layer of every envelope (docs/protocol/envelope.md): XChaCha20-Poly1305 under the recipient's mailbox
 * key, which hides the kind and headers of what is inside from whoever carries it.
 *
 *   sealed = nonce 24 | ciphertext( kind 1 | length 4 | body | zeros ) | tag 16
 */
export type SealedKind = 'initiation' | 'response' | 'ratchet' | 'group';

const NONCE_BYTES = sodium.crypto_aead_xchacha20poly1305_ietf_NPUBBYTES;
const MAC_BYTES = sodium.crypto_aead_xchacha20poly1305_ietf_ABYTES;
const HEAD_BYTES = 5;
const OVERHEAD_BYTES = NONCE_BYTES + HEAD_BYTES + MAC_BYTES;
/** Largest body that fits an envelope. */
export const SEALED_BODY_BYTES = LIMITS.sealedBytes - OVERHEAD_BYTES;
const KIND_BYTE = { initiation: 1, response: 2, ratchet: 3, group: 4 } as const;
const KINDS: readonly (SealedKind | undefined)[] = [undefined, 'initiation', 'response', 'ratchet', 'group'];

/** Keys derived once from a mailbox key (32 bytes). The owner wipes them. */
export interface MailboxKeys {
  readonly tagKey: Buffer;
  readonly sealKey: Buffer;
}

export function deriveMailboxKeys(mailboxKey: Uint8Array): MailboxKeys {
  return { tagKey: deriveKey(mailboxKey, LABEL.mailboxTag), sealKey: deriveKey(mailboxKey, LABEL.mailboxSeal) };
}

export function wipeMailboxKeys(keys: MailboxKeys): void {
  wipe(keys.tagKey, keys.sealKey);
}

/** The mailbox tag (16 bytes) of the UTC day `dayNumber` (days since 1970-01-01). */
export function mailboxTag(keys: MailboxKeys, dayNumber: number): Buffer {
  const day = Buffer.allocUnsafeSlow(4);
  day.writeUInt32BE(dayNumber);
  return keyedBlake2b(TAG_BYTES, keys.tagKey, day);
}

export function dayOf(nowMs: number): number {
  return Math.floor(nowMs / DAY_MS);
}

/** Tags an own envelope may bear now: today's, tomorrow's (clock skew) and those of the seven days before. */
export function currentTags(keys: MailboxKeys, nowMs: number): Buffer[] {
  const today = dayOf(nowMs);
  return Array.from({ length: 9 }, (_, back) => mailboxTag(keys, today + 1 - back));
}

/** @throws UsageError a body longer than SEALED_BODY_BYTES */
export function sealEnvelope(
  keys: MailboxKeys,
  kind: SealedKind,
  body: Uint8Array,
  nowMs: number,
  random: RandomSource,
): Envelope {
  const bucket = SEALED_BUCKETS.find(size => size >= body.length + OVERHEAD_BYTES);
  if (bucket === undefined) throw new UsageError('too-large', 'envelope.seal', 'The message is too long.');
  const tag = mailboxTag(keys, dayOf(nowMs));
  const expiresAtHours = expiryHours(nowMs + LIMITS.envelopeLifetimeMs);
  const plain = Buffer.alloc(bucket - NONCE_BYTES - MAC_BYTES);
  plain[0] = KIND_BYTE[kind];
  plain.writeUInt32BE(body.length, 1);
  plain.set(body, HEAD_BYTES);
  const sealed = Buffer.allocUnsafeSlow(bucket);
  const nonce = random(NONCE_BYTES);
  nonce.copy(sealed);
  const ad = associatedData(tag, expiresAtHours);
  sodium.crypto_aead_xchacha20poly1305_ietf_encrypt(sealed.subarray(NONCE_BYTES), plain, ad, null, nonce, keys.sealKey);
  return { tag, expiresAtHours, sealed };
}

/** @throws AuthError not sealed under this mailbox key; DecodeError sealed, but not in the documented form */
export function openEnvelope(keys: MailboxKeys, envelope: Envelope): { kind: SealedKind; body: Buffer } {
  const sealed = asBuffer(envelope.sealed);
  if (sealed.length < OVERHEAD_BYTES) throw new DecodeError('envelope.open');
  const plain = Buffer.allocUnsafeSlow(sealed.length - NONCE_BYTES - MAC_BYTES);
  const ad = associatedData(envelope.tag, envelope.expiresAtHours);
  const nonce = sealed.subarray(0, NONCE_BYTES);
  try {
    const cipher = sealed.subarray(NONCE_BYTES);
    sodium.crypto_aead_xchacha20poly1305_ietf_decrypt(plain, null, cipher, ad, nonce, keys.sealKey);
  } catch {
    throw new AuthError('not-authentic', 'envelope.open', 'The envelope was not sealed for this mailbox.');
  }
  const kind = KINDS[plain[0] as number];
  const end = HEAD_BYTES + plain.readUInt32BE(1);
  if (!kind || end > plain.length || !sodium.sodium_is_zero(plain.subarray(end), plain.length - end)) {
    throw new DecodeError('envelope.open');
  }
  return { kind, body: plain.subarray(HEAD_BYTES, end) };
}

function associatedData(tag: Uint8Array, expiresAtHours: number): Buffer {
  const hours = Buffer.allocUnsafeSlow(4);
  hours.writeUInt32BE(expiresAtHours);
  return concat(tag, hours);
}
