import { asBuffer, concat, utf8, wipe } from '../base/bytes.ts';
import type { RandomSource } from '../base/clock.ts';
import { DecodeError } from '../base/errors.ts';
import { type IdentityKey, parseIdentityKey } from '../base/ids.ts';
import { Secret } from '../base/secret.ts';
import { ED25519_SECRET_BYTES, ED25519_SEED_BYTES, ed25519FromSeed, ed25519Sign, ed25519Verify } from './ed25519.ts';
import { KEM_SEED_BYTES, kemDecapsulate, kemPublicOf } from './ml-kem.ts';
import { type AgreementKey, X25519_BYTES, x25519, x25519PublicOf } from './x25519.ts';

/** The three long-term keys (docs/protocol/session.md §1). */
export interface IdentityPublic {
  readonly identity: IdentityKey;
  /** X25519, 32 bytes. */
  readonly agreement: Uint8Array;
  /** ML-KEM-768, 1184 bytes. */
  readonly kem: Uint8Array;
}

/** Format version 1, signing seed 32, agreement secret 32, KEM seed 64. */
export const IDENTITY_EXPORT_BYTES = 1 + ED25519_SEED_BYTES + X25519_BYTES + KEM_SEED_BYTES;
const EXPORT_VERSION = 1;

/** The pair a session is answered with: an X25519 key and a KEM key, long-term or prekey. */
export interface ResponderKeys {
  readonly agreement: AgreementKey;
  /** @throws DecodeError wrong length. The 32-byte result is wiped by the caller. */
  decapsulate(ciphertext: Uint8Array): Buffer;
}

export class IdentitySecrets implements ResponderKeys {
  readonly public: IdentityPublic;
  readonly agreement: AgreementKey;
  readonly #signing: Secret;
  readonly #agreement: Secret;
  readonly #kem: Secret;

  /** Takes over and wipes the three secrets: signing seed 32, agreement 32, KEM seed 64. */
  constructor(signingSeed: Buffer, agreement: Buffer, kemSeed: Buffer) {
    let identity: Buffer = Buffer.alloc(0);
    this.#signing = Secret.make(ED25519_SECRET_BYTES, memory => {
      identity = ed25519FromSeed(signingSeed, memory);
    });
    wipe(signingSeed);
    const agreementPublic = x25519PublicOf(agreement);
    this.public = { identity: parseIdentityKey(identity), agreement: agreementPublic, kem: kemPublicOf(kemSeed) };
    this.#agreement = Secret.take(agreement);
    this.#kem = Secret.take(kemSeed);
    this.agreement = guardedAgreement(this.#agreement, agreementPublic);
  }

  /** Signs `label` and `bytes` (docs/protocol/session.md, "Signatures"). @returns 64 bytes */
  sign(label: string, bytes: Uint8Array): Buffer {
    return this.#signing.use(secret => ed25519Sign(secret, signedMessage(label, bytes)));
  }

  decapsulate(ciphertext: Uint8Array): Buffer {
    return this.#kem.use(seed => kemDecapsulate(seed, ciphertext));
  }

  /** For a sealed storage row; the caller wipes it. */
  export(): Buffer {
    const out = Buffer.allocUnsafeSlow(IDENTITY_EXPORT_BYTES);
    out[0] = EXPORT_VERSION;
    let offset = 1;
    const append = (part: Buffer): void => {
      out.set(part, offset);
      offset += part.length;
    };
    this.#signing.use(secret => append(secret.subarray(0, ED25519_SEED_BYTES)));
    this.#agreement.use(append);
    this.#kem.use(append);
    return out;
  }

  wipe(): void {
    this.#signing.wipe();
    this.#agreement.wipe();
    this.#kem.wipe();
  }
}

export function generateIdentity(random: RandomSource): IdentitySecrets {
  return new IdentitySecrets(random(ED25519_SEED_BYTES), random(X25519_BYTES), random(KEM_SEED_BYTES));
}

/** For a sealed storage row; the caller wipes it. */
export function exportIdentity(identity: IdentitySecrets): Buffer {
  return identity.export();
}

/** The bytes stay the caller's to wipe. @throws DecodeError not an export of this version */
export function importIdentity(bytes: Uint8Array): IdentitySecrets {
  if (bytes.length !== IDENTITY_EXPORT_BYTES || bytes[0] !== EXPORT_VERSION) throw new DecodeError('identity.import');
  const agreementStart = 1 + ED25519_SEED_BYTES;
  const kemStart = agreementStart + X25519_BYTES;
  return new IdentitySecrets(
    concat(bytes.subarray(1, agreementStart)),
    concat(bytes.subarray(agreementStart, kemStart)),
    concat(bytes.subarray(kemStart)),
  );
}

/** @returns false for a wrong signature, label or key, and for keys of small order */
export function verifySignature(
  identity: IdentityKey,
  label: string,
  bytes: Uint8Array,
  signature: Uint8Array,
): boolean {
  return ed25519Verify(identity, signedMessage(label, bytes), signature);
}

/** An agreement that opens its guarded memory only while it computes. */
export function guardedAgreement(secret: Secret, publicKey: Uint8Array): AgreementKey {
  return { public: publicKey, agree: peer => secret.use(memory => x25519(memory, peer)) };
}

/** The label's length in front makes two labels' messages never equal. */
/** What a signature covers: the label in front of the bytes. */
export function signedMessage(label: string, bytes: Uint8Array): Buffer {
  const name = asBuffer(utf8(label));
  return concat(Uint8Array.of(name.length), name, bytes);
}
