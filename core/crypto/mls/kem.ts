import { createHash } from 'node:crypto';
import { concat, utf8, wipe } from '../../base/bytes.ts';
import type { RandomSource } from '../../base/clock.ts';
import { DecodeError } from '../../base/errors.ts';
import {
  KEM_CIPHERTEXT_BYTES,
  KEM_PUBLIC_BYTES,
  KEM_SEED_BYTES,
  kemDecapsulate,
  kemEncapsulate,
  kemPublicOf,
} from '../ml-kem.ts';
import { X25519_BYTES, x25519, x25519PublicOf } from '../x25519.ts';
import { HashFunction } from './hash-function.ts';
import { isReduced, isSmallOrder } from './public-key.ts';

/** A key encapsulation as HPKE (RFC 9180 §4) uses it. Keys are bytes; the caller wipes secrets and private keys. */
export interface Kem {
  /** In the IANA registry "HPKE KEM Identifiers". */
  readonly id: number;
  readonly publicBytes: number;
  readonly privateBytes: number;
  /** Whether something can be sealed to it. */
  isPublic(key: Uint8Array): boolean;
  derive(keyMaterial: Uint8Array): KemPair;
  encapsulate(publicKey: Uint8Array, random: RandomSource): { readonly sent: Buffer; readonly shared: Buffer };
  /** @throws DecodeError, AuthError */
  decapsulate(privateKey: Uint8Array, sent: Uint8Array): Buffer;
}

export interface KemPair {
  readonly private: Buffer;
  readonly public: Buffer;
}

const HPKE_VERSION = utf8('HPKE-v1');
const SHA256 = new HashFunction(32);
const NOTHING = Buffer.alloc(0);

/** LabeledExtract and LabeledExpand (RFC 9180 §4) of one suite identifier. */
export class LabeledKdf {
  readonly #hash: HashFunction;
  readonly #prefix: Buffer;

  constructor(hash: HashFunction, suiteId: Uint8Array) {
    this.#hash = hash;
    this.#prefix = concat(HPKE_VERSION, suiteId);
  }

  extract(salt: Uint8Array, label: string, keyMaterial: Uint8Array): Buffer {
    return this.#hash.extract(salt, this.#prefix, utf8(label), keyMaterial);
  }

  expand(key: Uint8Array, label: string, info: Uint8Array, length: number): Buffer {
    const head = Uint8Array.of(length >>> 8, length & 0xff);
    return this.#hash.expand(key, length, head, this.#prefix, utf8(label), info);
  }
}

/** DHKEM(X25519, HKDF-SHA256) (RFC 9180 §4.1, §7.1.3). */
export class X25519Kem implements Kem {
  readonly id = 0x0020;
  readonly publicBytes = X25519_BYTES;
  readonly privateBytes = X25519_BYTES;
  readonly #kdf = new LabeledKdf(SHA256, concat(utf8('KEM'), Uint8Array.of(0x00, 0x20)));

  isPublic(key: Uint8Array): boolean {
    return key.length === this.publicBytes && !isSmallOrder(key);
  }

  derive(keyMaterial: Uint8Array): KemPair {
    const key = this.#kdf.extract(NOTHING, 'dkp_prk', keyMaterial);
    const secret = this.#kdf.expand(key, 'sk', NOTHING, X25519_BYTES);
    wipe(key);
    return { private: secret, public: x25519PublicOf(secret) };
  }

  encapsulate(publicKey: Uint8Array, random: RandomSource): { sent: Buffer; shared: Buffer } {
    const ephemeral = random(X25519_BYTES);
    const sent = x25519PublicOf(ephemeral);
    const agreed = x25519(ephemeral, publicKey);
    wipe(ephemeral);
    return { sent, shared: this.#share(agreed, sent, publicKey) };
  }

  decapsulate(privateKey: Uint8Array, sent: Uint8Array): Buffer {
    if (sent.length !== X25519_BYTES) throw new DecodeError('mls.kem');
    return this.#share(x25519(privateKey, sent), sent, x25519PublicOf(privateKey));
  }

  #share(agreed: Buffer, sent: Uint8Array, publicKey: Uint8Array): Buffer {
    const key = this.#kdf.extract(NOTHING, 'eae_prk', agreed);
    const shared = this.#kdf.expand(key, 'shared_secret', concat(sent, publicKey), 32);
    wipe(agreed, key);
    return shared;
  }
}

/** The last 6 bytes of what X-Wing hashes. */
const XWING_LABEL = Buffer.from('5c2e2f2f5e5c', 'hex');
const XWING_SEED_BYTES = 32;

/** X-Wing (draft-connolly-cfrg-xwing-kem): ML-KEM-768 and X25519, safe while either of them is. */
export class XWingKem implements Kem {
  readonly id = 0x647a;
  readonly publicBytes = KEM_PUBLIC_BYTES + X25519_BYTES;
  readonly privateBytes = XWING_SEED_BYTES;

  isPublic(key: Uint8Array): boolean {
    return key.length === this.publicBytes && isReduced(key) && !isSmallOrder(key.subarray(KEM_PUBLIC_BYTES));
  }

  derive(keyMaterial: Uint8Array): KemPair {
    const seed = shake256(keyMaterial, XWING_SEED_BYTES);
    const { kemSeed, x25519Secret } = expandXWing(seed);
    const publicKey = concat(kemPublicOf(kemSeed), x25519PublicOf(x25519Secret));
    wipe(kemSeed, x25519Secret);
    return { private: seed, public: publicKey };
  }

  encapsulate(publicKey: Uint8Array, random: RandomSource): { sent: Buffer; shared: Buffer } {
    const theirs = publicKey.subarray(KEM_PUBLIC_BYTES);
    const ephemeral = random(X25519_BYTES);
    const ours = x25519PublicOf(ephemeral);
    const kem = kemEncapsulate(publicKey.subarray(0, KEM_PUBLIC_BYTES));
    const shared = combineXWing(kem.shared, x25519(ephemeral, theirs), ours, theirs);
    wipe(ephemeral);
    return { sent: concat(kem.ciphertext, ours), shared };
  }

  decapsulate(privateKey: Uint8Array, sent: Uint8Array): Buffer {
    if (sent.length !== KEM_CIPHERTEXT_BYTES + X25519_BYTES) throw new DecodeError('mls.kem');
    const { kemSeed, x25519Secret } = expandXWing(privateKey);
    try {
      const theirs = sent.subarray(KEM_CIPHERTEXT_BYTES);
      const shared = kemDecapsulate(kemSeed, sent.subarray(0, KEM_CIPHERTEXT_BYTES));
      return combineXWing(shared, x25519(x25519Secret, theirs), theirs, x25519PublicOf(x25519Secret));
    } finally {
      wipe(kemSeed, x25519Secret);
    }
  }
}

function expandXWing(seed: Uint8Array): { kemSeed: Buffer; x25519Secret: Buffer } {
  const expanded = shake256(seed, KEM_SEED_BYTES + X25519_BYTES);
  return { kemSeed: expanded.subarray(0, KEM_SEED_BYTES), x25519Secret: expanded.subarray(KEM_SEED_BYTES) };
}

/** Wipes the two secrets. */
function combineXWing(kemShared: Buffer, agreed: Buffer, sent: Uint8Array, publicKey: Uint8Array): Buffer {
  const hash = createHash('sha3-256');
  for (const part of [kemShared, agreed, sent, publicKey, XWING_LABEL]) hash.update(part);
  wipe(kemShared, agreed);
  return hash.digest();
}

function shake256(input: Uint8Array, outputLength: number): Buffer {
  return createHash('shake256', { outputLength }).update(input).digest();
}
