import sodium from 'sodium-native';
import { asBuffer, wipe } from '../base/bytes.ts';

export const ED25519_SEED_BYTES = 32;
export const ED25519_SECRET_BYTES = 64;
export const SIGNATURE_BYTES = 64;

/** Expands a 32-byte seed into `secret` (64 bytes: seed, public key). @returns the public key, 32 bytes */
export function ed25519FromSeed(seed: Uint8Array, secret: Buffer): Buffer {
  const publicKey = Buffer.allocUnsafeSlow(32);
  sodium.crypto_sign_seed_keypair(publicKey, secret, asBuffer(seed));
  return publicKey;
}

/** The public key of a 32-byte seed, 32 bytes. */
export function publicKeyOfSeed(seed: Uint8Array): Buffer {
  const secret = Buffer.allocUnsafeSlow(ED25519_SECRET_BYTES);
  try {
    return ed25519FromSeed(seed, secret);
  } finally {
    wipe(secret);
  }
}

export function ed25519Sign(secret: Buffer, message: Uint8Array): Buffer {
  const signature = Buffer.allocUnsafeSlow(SIGNATURE_BYTES);
  sodium.crypto_sign_detached(signature, asBuffer(message), secret);
  return signature;
}

/** RFC 8032 §5.1.7, strict: small-order keys, non-canonical points and scalars are refused. */
export function ed25519Verify(publicKey: Uint8Array, message: Uint8Array, signature: Uint8Array): boolean {
  if (publicKey.length !== 32 || signature.length !== SIGNATURE_BYTES) return false;
  return sodium.crypto_sign_verify_detached(asBuffer(signature), asBuffer(message), asBuffer(publicKey));
}
