import type { CiphersuiteImpl, CiphersuiteName } from 'ts-mls';
import type { PrivateKey, PublicKey } from 'ts-mls/crypto/hpke.js';
import { asBuffer, concat, equalBytes, wipe } from '../../base/bytes.ts';
import type { RandomSource } from '../../base/clock.ts';
import { AuthError, InternalError } from '../../base/errors.ts';
import { LIMITS } from '../../base/limits.ts';
import { CHACHA_NONCE_BYTES, openChaCha, sealChaCha } from '../aead.ts';
import { ED25519_SECRET_BYTES, ed25519FromSeed, ed25519Sign, ed25519Verify } from '../ed25519.ts';
import { HashFunction } from './hash-function.ts';
import { Hpke } from './hpke.ts';
import { type Kem, X25519Kem, XWingKem } from './kem.ts';
import { labelBytes, lengthHead, uint16, uint32, varBytes } from './wire.ts';

/** The suites a group can have: docs/decisions/0012 tells which is the default, and why. */
export const SUITES = {
  classical: 'MLS_128_DHKEMX25519_CHACHA20POLY1305_SHA256_Ed25519',
  hybrid: 'MLS_256_XWING_CHACHA20POLY1305_SHA512_Ed25519',
} as const satisfies Record<string, CiphersuiteName>;
export type SuiteKind = keyof typeof SUITES;

export const AEAD_KEY_BYTES = 32;
const NOTHING = Buffer.alloc(0);

/**
 * The cryptography of one suite: plain functions for our own steps, and the same as the provider that ts-mls takes.
 * Randomness is bound in at the start of a step; key generation inside node:crypto (ML-KEM) draws its own.
 */
export class Suite {
  readonly kind: SuiteKind;
  readonly name: CiphersuiteName;
  readonly hash: HashFunction;
  readonly hpke: Hpke;

  constructor(kind: SuiteKind, hash: HashFunction, kem: Kem) {
    this.kind = kind;
    this.name = SUITES[kind];
    this.hash = hash;
    this.hpke = new Hpke(kem, hash);
  }

  /** RFC 9420 §8, ExpandWithLabel. The caller wipes the result. */
  expand(secret: Uint8Array, label: string, context: Uint8Array, length: number): Buffer {
    return this.hash.expand(secret, length, uint16(length), labelBytes(label), lengthHead(context.length), context);
  }

  /** RFC 9420 §8, DeriveSecret. */
  derive(secret: Uint8Array, label: string): Buffer {
    return this.expand(secret, label, NOTHING, this.hash.bytes);
  }

  /** RFC 9420 §9, DeriveTreeSecret. */
  deriveAt(secret: Uint8Array, label: string, generation: number, length: number): Buffer {
    return this.expand(secret, label, uint32(generation), length);
  }

  /** RFC 9420 §5.1.2, SignWithLabel. @param secret 64 bytes */
  sign(secret: Uint8Array, label: string, content: Uint8Array): Buffer {
    return ed25519Sign(asBuffer(secret), concat(labelBytes(label), varBytes(content)));
  }

  verify(publicKey: Uint8Array, label: string, content: Uint8Array, signature: Uint8Array): boolean {
    return ed25519Verify(publicKey, concat(labelBytes(label), varBytes(content)), signature);
  }

  /** RFC 9420 §5.1.3, the info of EncryptWithLabel. */
  encryptionInfo(label: string, context: Uint8Array): Buffer {
    return concat(labelBytes(label), varBytes(context));
  }

  /** What ts-mls takes, drawing its randomness from `random`. */
  provider(random: RandomSource): CiphersuiteImpl {
    return {
      name: this.name,
      hash: providedHash(this.hash),
      kdf: {
        size: this.hash.bytes,
        extract: async (salt, keyMaterial) => this.hash.extract(salt, keyMaterial),
        expand: async (key, info, length) => this.hash.expand(key, length, info),
      },
      signature: {
        sign: async (secret, message) => ed25519Sign(signingSecret(secret), message),
        verify: async (publicKey, message, signature) => ed25519Verify(publicKey, message, signature),
        keygen: () => Promise.reject(new InternalError('mls.keygen')),
      },
      hpke: providedHpke(this.hpke, random),
      rng: { randomBytes: random },
    };
  }
}

const SUITE: Readonly<Record<SuiteKind, Suite>> = {
  classical: new Suite('classical', new HashFunction(32), new X25519Kem()),
  hybrid: new Suite('hybrid', new HashFunction(64), new XWingKem()),
};

export function suiteOf(kind: SuiteKind): Suite {
  return SUITE[kind];
}

/** The suite of a group that begins with so many members (docs/decisions/0012). */
export function suiteForGroup(members: number): SuiteKind {
  return members <= LIMITS.mlsHybridMembers ? 'hybrid' : 'classical';
}

/** @returns undefined for a suite that Molva does not have */
export function suiteNamed(name: string): Suite | undefined {
  return Object.values(SUITE).find(suite => suite.name === name);
}

/** Keys of the signature as ts-mls passes them: a seed of 32 bytes, or what it was expanded to. */
function signingSecret(key: Uint8Array): Buffer {
  if (key.length === ED25519_SECRET_BYTES) return asBuffer(key);
  const secret = Buffer.allocUnsafeSlow(ED25519_SECRET_BYTES);
  ed25519FromSeed(key, secret);
  return secret;
}

function providedHash(hash: HashFunction): CiphersuiteImpl['hash'] {
  return {
    digest: async data => hash.digest(data),
    mac: async (key, data) => hash.mac(key, data),
    verifyMac: async (key, mac, data) => equalBytes(hash.mac(key, data), mac),
  };
}

/** Keys are bytes here; ts-mls only hands them on and calls them CryptoKey. */
function providedHpke(hpke: Hpke, random: RandomSource): CiphersuiteImpl['hpke'] {
  const bytes = (key: PublicKey | PrivateKey): Uint8Array => key as unknown as Uint8Array;
  const asKey = <T extends PublicKey | PrivateKey>(key: Uint8Array): T => key as unknown as T;
  const pair = (material: Uint8Array) => {
    const made = hpke.kem.derive(material);
    return { privateKey: asKey<PrivateKey>(made.private), publicKey: asKey<PublicKey>(made.public) };
  };
  return {
    keyLength: AEAD_KEY_BYTES,
    nonceLength: CHACHA_NONCE_BYTES,
    open: async (key, sent, ciphertext, info) => hpke.open(bytes(key), sent, info, ciphertext),
    seal: async (key, plaintext, info) => {
      const { sent, ciphertext } = hpke.seal(bytes(key), info, plaintext, random);
      return { enc: sent, ct: ciphertext };
    },
    exportSecret: async (key, context, length, info) => {
      const { sent, secret } = hpke.sendExport(bytes(key), info, context, length, random);
      return { enc: sent, secret };
    },
    // The key is the epoch's external one, which ts-mls derives for this alone.
    importSecret: async (key, context, sent, length, info) => {
      const secret = hpke.receiveExport(bytes(key), sent, info, context, length);
      wipe(bytes(key));
      return secret;
    },
    importPrivateKey: async key => asKey<PrivateKey>(key),
    importPublicKey: async key => asKey<PublicKey>(hpke.checked(key)),
    exportPublicKey: async key => bytes(key),
    exportPrivateKey: async key => bytes(key),
    encryptAead: async (key, nonce, data, plaintext) =>
      sealChaCha(plaintext, data ?? NOTHING, asBuffer(nonce), asBuffer(key)),
    decryptAead: async (key, nonce, data, ciphertext) => openAead(key, nonce, data, ciphertext),
    deriveKeyPair: async material => pair(material),
    generateKeyPair: async () => pair(random(hpke.kem.privateBytes)),
  };
}

function openAead(key: Uint8Array, nonce: Uint8Array, data: Uint8Array | undefined, ciphertext: Uint8Array): Buffer {
  const plaintext = openChaCha(ciphertext, data ?? NOTHING, asBuffer(nonce), asBuffer(key));
  if (plaintext === undefined) throw new AuthError('not-authentic', 'mls.aead', 'The data is not authentic.');
  return plaintext;
}
