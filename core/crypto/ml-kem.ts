import { createPrivateKey, createPublicKey, decapsulate, encapsulate, type KeyObject } from 'node:crypto';
import { concat, wipe } from '../base/bytes.ts';
import { AuthError, DecodeError } from '../base/errors.ts';

/** ML-KEM-768 (FIPS 203). Private keys are kept as the 64-byte seed d ‖ z. */
export const KEM_PUBLIC_BYTES = 1184;
export const KEM_CIPHERTEXT_BYTES = 1088;
export const KEM_SEED_BYTES = 64;

/** DER heads for id-ml-kem-768 (RFC 9935): PKCS#8 with the seed alone, and SubjectPublicKeyInfo. */
const SEED_HEAD = Buffer.from('3054020100300b06096086480165030404020442' + '8040', 'hex');
const PUBLIC_HEAD = Buffer.from('308204b2300b0609608648016503040402038204a100', 'hex');

export interface Encapsulation {
  /** 1088 bytes, for the wire. */
  readonly ciphertext: Buffer;
  /** 32 bytes, wiped by the caller. */
  readonly shared: Buffer;
}

export function kemPublicOf(seed: Uint8Array): Buffer {
  const der = createPublicKey(privateKeyOf(seed)).export({ format: 'der', type: 'spki' });
  return concat(der.subarray(PUBLIC_HEAD.length));
}

/**
 * Encapsulates towards a public key. The one place that draws its own randomness: node:crypto takes none.
 * @throws DecodeError not a valid public key (length, or a coefficient not reduced: FIPS 203 §7.2)
 */
export function kemEncapsulate(publicKey: Uint8Array): Encapsulation {
  if (publicKey.length !== KEM_PUBLIC_BYTES) throw new DecodeError('ml-kem.public');
  try {
    const key = createPublicKey({ key: concat(PUBLIC_HEAD, publicKey), format: 'der', type: 'spki' });
    const { ciphertext, sharedKey } = encapsulate(key);
    return { ciphertext: ownBuffer(ciphertext), shared: ownBuffer(sharedKey) };
  } catch (cause) {
    throw new DecodeError('ml-kem.public', undefined, cause);
  }
}

/**
 * @returns 32 bytes, wiped by the caller; for a forged ciphertext an unrelated secret (implicit rejection)
 * @throws DecodeError wrong length
 */
export function kemDecapsulate(seed: Uint8Array, ciphertext: Uint8Array): Buffer {
  if (ciphertext.length !== KEM_CIPHERTEXT_BYTES) throw new DecodeError('ml-kem.ciphertext');
  const key = privateKeyOf(seed);
  try {
    return ownBuffer(decapsulate(key, ciphertext));
  } catch (cause) {
    throw new AuthError('not-authentic', 'ml-kem.decapsulate', 'The key exchange failed.', cause);
  }
}

function privateKeyOf(seed: Uint8Array): KeyObject {
  if (seed.length !== KEM_SEED_BYTES) throw new DecodeError('ml-kem.seed');
  const der = concat(SEED_HEAD, seed);
  try {
    return createPrivateKey({ key: der, format: 'der', type: 'pkcs8' });
  } finally {
    wipe(der);
  }
}

function ownBuffer(bytes: ArrayBuffer | Uint8Array): Buffer {
  return bytes instanceof ArrayBuffer ? Buffer.from(bytes) : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
}
