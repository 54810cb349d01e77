import sodium from 'sodium-native';
import { asBuffer } from '../base/bytes.ts';
import type { RandomSource } from '../base/clock.ts';
import { AuthError } from '../base/errors.ts';

export const X25519_BYTES = 32;

/** The owner wipes `secret`. */
export interface X25519Pair {
  readonly secret: Buffer;
  readonly public: Buffer;
}

/** A long-lived key that agrees without its secret leaving guarded memory. */
export interface AgreementKey {
  readonly public: Uint8Array;
  /** @throws AuthError the peer's key is of small order */
  agree(peerPublic: Uint8Array): Buffer;
}

export function generateX25519(random: RandomSource): X25519Pair {
  return x25519PairOf(random(X25519_BYTES));
}

/** The pair of a secret; takes ownership of `secret`. */
export function x25519PairOf(secret: Buffer): X25519Pair {
  return { secret, public: x25519PublicOf(secret) };
}

export function x25519PublicOf(secret: Uint8Array): Buffer {
  const out = Buffer.allocUnsafeSlow(X25519_BYTES);
  sodium.crypto_scalarmult_base(out, asBuffer(secret));
  return out;
}

/**
 * X25519 (RFC 7748 §6.1), refusing the all-zero result that a small-order point gives.
 * @returns 32 bytes, wiped by the caller
 * @throws AuthError small-order public key
 */
export function x25519(secret: Uint8Array, peerPublic: Uint8Array): Buffer {
  const out = Buffer.allocUnsafeSlow(X25519_BYTES);
  x25519Into(out, secret, peerPublic);
  return out;
}

/** As `x25519`, into 32 bytes of the caller's. */
export function x25519Into(out: Buffer, secret: Uint8Array, peerPublic: Uint8Array): void {
  try {
    sodium.crypto_scalarmult(out, asBuffer(secret), asBuffer(peerPublic));
  } catch (cause) {
    throw new AuthError('not-authentic', 'x25519', 'A public key was not valid.', cause);
  }
}

/** An AgreementKey over plain bytes, for short-lived keys and for tests. The pair stays the caller's to wipe. */
export function agreementKeyOf(pair: X25519Pair): AgreementKey {
  return { public: pair.public, agree: peer => x25519(pair.secret, peer) };
}
