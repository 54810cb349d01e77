import sodium from 'sodium-native';
import { asBuffer } from '../base/bytes.ts';

type Seal = (out: Buffer, plaintext: Buffer, ad: Buffer, secretNonce: null, nonce: Buffer, key: Buffer) => void;
type Open = (out: Buffer, secretNonce: null, ciphertext: Buffer, ad: Buffer, nonce: Buffer, key: Buffer) => void;

/** In sodium-native, though missing from its published types. */
const chacha = sodium as unknown as {
  readonly crypto_aead_chacha20poly1305_ietf_encrypt: Seal;
  readonly crypto_aead_chacha20poly1305_ietf_decrypt: Open;
};

export const AEAD_TAG_BYTES = 16;
export const XCHACHA_NONCE_BYTES = 24;
export const CHACHA_NONCE_BYTES = 12;

/** XChaCha20-Poly1305 (draft-irtf-cfrg-xchacha-03): `out` is the plaintext's length + 16. */
export function sealXChaCha(out: Buffer, plaintext: Uint8Array, ad: Buffer | null, nonce: Buffer, key: Buffer): void {
  sodium.crypto_aead_xchacha20poly1305_ietf_encrypt(out, asBuffer(plaintext), ad, null, nonce, key);
}

/** `out` is the ciphertext's length - 16. @returns false, with `out` zero, when the tag does not match */
export function openXChaCha(
  out: Buffer,
  ciphertext: Uint8Array,
  ad: Buffer | null,
  nonce: Buffer,
  key: Buffer,
): boolean {
  try {
    sodium.crypto_aead_xchacha20poly1305_ietf_decrypt(out, null, asBuffer(ciphertext), ad, nonce, key);
    return true;
  } catch {
    out.fill(0);
    return false;
  }
}

/** ChaCha20-Poly1305 (RFC 8439 §2.8). @returns ciphertext, plaintext's length + 16 */
export function sealChaCha(plaintext: Uint8Array, ad: Uint8Array, nonce: Buffer, key: Buffer): Buffer {
  const out = Buffer.allocUnsafeSlow(plaintext.length + AEAD_TAG_BYTES);
  chacha.crypto_aead_chacha20poly1305_ietf_encrypt(out, asBuffer(plaintext), asBuffer(ad), null, nonce, key);
  return out;
}

/** @returns the plaintext, or undefined when the tag does not match */
export function openChaCha(ciphertext: Uint8Array, ad: Uint8Array, nonce: Buffer, key: Buffer): Buffer | undefined {
  if (ciphertext.length < AEAD_TAG_BYTES) return undefined;
  const out = Buffer.allocUnsafeSlow(ciphertext.length - AEAD_TAG_BYTES);
  try {
    chacha.crypto_aead_chacha20poly1305_ietf_decrypt(out, null, asBuffer(ciphertext), asBuffer(ad), nonce, key);
    return out;
  } catch {
    return undefined;
  }
}
