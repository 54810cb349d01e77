import { concat } from '../base/bytes.ts';
import type { RandomSource } from '../base/clock.ts';
import { DecodeError } from '../base/errors.ts';
import { LIMITS } from '../base/limits.ts';
import { Secret } from '../base/secret.ts';
import { guardedAgreement, type ResponderKeys } from './identity.ts';
import { KEM_SEED_BYTES, kemDecapsulate, kemPublicOf } from './ml-kem.ts';
import { type AgreementKey, X25519_BYTES, x25519PublicOf } from './x25519.ts';

/** Named instead of a prekey when a card's prekeys have expired: the long-term keys themselves. */
export const LAST_RESORT_PREKEY_ID = 0;
const MAX_PREKEY_ID = 0xffff_ffff;

export interface PrekeyPublic {
  /** 1 to 2^32 - 1. */
  readonly id: number;
  readonly x25519: Uint8Array;
  readonly kem: Uint8Array;
  /** Offered to initiators until then; answered until `LIMITS.prekeyKeepMs` after it was made. */
  readonly expiresAtMs: number;
}

/** Format version 1, id u32, expiresAtMs u48, X25519 secret 32, KEM seed 64. */
export const PREKEY_EXPORT_BYTES = 1 + 4 + 6 + X25519_BYTES + KEM_SEED_BYTES;
const EXPORT_VERSION = 1;
const SECRETS_START = 11;

export class Prekey implements ResponderKeys {
  readonly id: number;
  readonly public: PrekeyPublic;
  readonly agreement: AgreementKey;
  readonly #agreement: Secret;
  readonly #kem: Secret;

  /** Takes over and wipes both secrets. */
  constructor(id: number, expiresAtMs: number, agreement: Buffer, kemSeed: Buffer) {
    this.id = id;
    this.public = { id, x25519: x25519PublicOf(agreement), kem: kemPublicOf(kemSeed), expiresAtMs };
    this.#agreement = Secret.take(agreement);
    this.#kem = Secret.take(kemSeed);
    this.agreement = guardedAgreement(this.#agreement, this.public.x25519);
  }

  decapsulate(ciphertext: Uint8Array): Buffer {
    return this.#kem.use(seed => kemDecapsulate(seed, ciphertext));
  }

  /** For a sealed storage row; the caller wipes it. */
  export(): Buffer {
    const out = Buffer.allocUnsafeSlow(PREKEY_EXPORT_BYTES);
    out[0] = EXPORT_VERSION;
    out.writeUInt32BE(this.id, 1);
    out.writeUIntBE(this.public.expiresAtMs, 5, 6);
    this.#agreement.use(secret => out.set(secret, SECRETS_START));
    this.#kem.use(seed => out.set(seed, SECRETS_START + X25519_BYTES));
    return out;
  }

  wipe(): void {
    this.#agreement.wipe();
    this.#kem.wipe();
  }
}

export function generatePrekey(id: number, nowMs: number, random: RandomSource): Prekey {
  if (!Number.isInteger(id) || id <= LAST_RESORT_PREKEY_ID || id > MAX_PREKEY_ID) throw new RangeError('prekey id');
  return new Prekey(id, nowMs + LIMITS.prekeyOfferMs, random(X25519_BYTES), random(KEM_SEED_BYTES));
}

export function exportPrekey(prekey: Prekey): Buffer {
  return prekey.export();
}

/** The bytes stay the caller's to wipe. @throws DecodeError not an export of this version */
export function importPrekey(bytes: Uint8Array): Prekey {
  if (bytes.length !== PREKEY_EXPORT_BYTES || bytes[0] !== EXPORT_VERSION) throw new DecodeError('prekey.import');
  const copy = concat(bytes);
  const id = copy.readUInt32BE(1);
  const expiresAtMs = copy.readUIntBE(5, 6);
  const kemStart = SECRETS_START + X25519_BYTES;
  try {
    return new Prekey(id, expiresAtMs, concat(copy.subarray(SECRETS_START, kemStart)), concat(copy.subarray(kemStart)));
  } finally {
    copy.fill(0);
  }
}
