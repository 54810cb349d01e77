import { createCipheriv, createDecipheriv, createHash, hkdfSync } from 'node:crypto';
import type { ICryptoInterface } from '@libp2p/noise';
import sodium from 'sodium-native';
import { asBuffer } from '../base/bytes.ts';

const CIPHER = 'chacha20-poly1305';
const TAG_BYTES = 16;
const HASH_BYTES = 32;
/** Measured: below this a call into libsodium is cheaper than setting up an OpenSSL cipher, above it OpenSSL is. */
const SODIUM_UNTIL_BYTES = 1200;
const NO_INFO = Buffer.alloc(0);

/** In sodium-native, missing from its type definitions (libsodium, "ChaCha20-Poly1305-IETF"). */
interface ChaChaPoly {
  crypto_aead_chacha20poly1305_ietf_encrypt(
    out: Buffer,
    message: Buffer,
    data: Buffer,
    reserved: null,
    nonce: Buffer,
    key: Buffer,
  ): void;
  /** @throws Error the tag does not match */
  crypto_aead_chacha20poly1305_ietf_decrypt(
    out: Buffer,
    reserved: null,
    sealed: Buffer,
    data: Buffer,
    nonce: Buffer,
    key: Buffer,
  ): void;
}

const chachaPoly = sodium as unknown as ChaChaPoly;

/** `subarray()` gives the bytes of a Uint8Array or of a list of them as one piece. */
interface Bytes {
  subarray(): Uint8Array;
}

/** `Noise_XX_25519_ChaChaPoly_SHA256` on native code, each result one buffer, so that it leaves in one write. */
export const noiseCrypto: ICryptoInterface = {
  hashSHA256: data => createHash('sha256').update(flat(data)).digest(),

  getHKDF: (chainingKey, material) => {
    const out = Buffer.from(hkdfSync('sha256', material, chainingKey, NO_INFO, 3 * HASH_BYTES));
    return [out.subarray(0, 32), out.subarray(32, 64), out.subarray(64, 96)];
  },

  generateX25519KeyPair: () => {
    const seed = Buffer.alloc(sodium.crypto_scalarmult_SCALARBYTES);
    sodium.randombytes_buf(seed);
    return keyPairFrom(seed);
  },

  generateX25519KeyPairFromSeed: seed => keyPairFrom(asBuffer(seed)),

  generateX25519SharedKey: (privateKey, publicKey) => {
    const shared = Buffer.alloc(sodium.crypto_scalarmult_BYTES);
    sodium.crypto_scalarmult(shared, flat(privateKey), flat(publicKey));
    return shared;
  },

  chaCha20Poly1305Encrypt: (plaintext, nonce, data, key) => {
    const message = flat(plaintext);
    if (message.length >= SODIUM_UNTIL_BYTES) return encryptLarge(message, nonce, data, key);
    const out = Buffer.allocUnsafe(message.length + TAG_BYTES);
    chachaPoly.crypto_aead_chacha20poly1305_ietf_encrypt(
      out,
      message,
      asBuffer(data),
      null,
      asBuffer(nonce),
      asBuffer(key),
    );
    return out;
  },

  chaCha20Poly1305Decrypt: (ciphertext, nonce, data, key) => {
    const sealed = flat(ciphertext);
    if (sealed.length < TAG_BYTES) throw new Error('short Noise message');
    if (sealed.length >= SODIUM_UNTIL_BYTES) return decryptLarge(sealed, nonce, data, key);
    const out = Buffer.allocUnsafe(sealed.length - TAG_BYTES);
    chachaPoly.crypto_aead_chacha20poly1305_ietf_decrypt(
      out,
      null,
      sealed,
      asBuffer(data),
      asBuffer(nonce),
      asBuffer(key),
    );
    return out;
  },
};

function flat(data: Bytes): Buffer {
  return asBuffer(data.subarray());
}

function keyPairFrom(privateKey: Buffer): { publicKey: Buffer; privateKey: Buffer } {
  const publicKey = Buffer.alloc(sodium.crypto_scalarmult_BYTES);
  sodium.crypto_scalarmult_base(publicKey, privateKey);
  return { publicKey, privateKey };
}

function encryptLarge(message: Buffer, nonce: Uint8Array, data: Uint8Array, key: Uint8Array): Buffer {
  const cipher = createCipheriv(CIPHER, key, nonce, { authTagLength: TAG_BYTES });
  cipher.setAAD(data, { plaintextLength: message.length });
  return Buffer.concat([cipher.update(message), cipher.final(), cipher.getAuthTag()]);
}

/** @throws Error the tag does not match; nothing is returned before it was checked */
function decryptLarge(sealed: Buffer, nonce: Uint8Array, data: Uint8Array, key: Uint8Array): Buffer {
  const end = sealed.length - TAG_BYTES;
  const decipher = createDecipheriv(CIPHER, key, nonce, { authTagLength: TAG_BYTES });
  decipher.setAAD(data, { plaintextLength: end });
  decipher.setAuthTag(sealed.subarray(end));
  const message = decipher.update(sealed.subarray(0, end));
  decipher.final();
  return message;
}
