import { concat, utf8, wipe } from '../../base/bytes.ts';
import type { RandomSource } from '../../base/clock.ts';
import { AuthError, DecodeError } from '../../base/errors.ts';
import { CHACHA_NONCE_BYTES, openChaCha, sealChaCha } from '../aead.ts';
import type { HashFunction } from './hash-function.ts';
import { type Kem, type KemPair, LabeledKdf } from './kem.ts';

export interface HpkeSealed {
  /** What the key encapsulation sends. */
  readonly sent: Buffer;
  readonly ciphertext: Buffer;
}

const KEY_BYTES = 32;
const CHACHA20_POLY1305_ID = 3;
const BASE_MODE = 0;
const NOTHING = Buffer.alloc(0);

interface Schedule {
  readonly key: Buffer;
  readonly nonce: Buffer;
  readonly exporter: Buffer;
}

/** HPKE (RFC 9180) in its base mode, one message a context, with ChaCha20-Poly1305. */
export class Hpke {
  readonly kem: Kem;
  readonly #hash: HashFunction;
  readonly #kdf: LabeledKdf;
  readonly #pskIdHash: Buffer;

  constructor(kem: Kem, hash: HashFunction) {
    this.kem = kem;
    this.#hash = hash;
    const kdfId = hash.bytes === 32 ? 1 : 3;
    const ids = Uint8Array.of(kem.id >>> 8, kem.id & 0xff, 0, kdfId, 0, CHACHA20_POLY1305_ID);
    this.#kdf = new LabeledKdf(hash, concat(utf8('HPKE'), ids));
    this.#pskIdHash = this.#kdf.extract(NOTHING, 'psk_id_hash', NOTHING);
  }

  /** The key pair of a secret, which is wiped. */
  pairOf(secret: Uint8Array): KemPair {
    const pair = this.kem.derive(secret);
    wipe(secret);
    return pair;
  }

  /** @throws DecodeError nothing can be sealed to the public key */
  seal(publicKey: Uint8Array, info: Uint8Array, plaintext: Uint8Array, random: RandomSource): HpkeSealed {
    const { sent, shared } = this.kem.encapsulate(this.checked(publicKey), random);
    const schedule = this.#schedule(shared, info);
    const ciphertext = sealChaCha(plaintext, NOTHING, schedule.nonce, schedule.key);
    wipeSchedule(schedule);
    return { sent, ciphertext };
  }

  /** @throws DecodeError wrong length; AuthError not sealed to this key with this info */
  open(privateKey: Uint8Array, sent: Uint8Array, info: Uint8Array, ciphertext: Uint8Array): Buffer {
    const schedule = this.#schedule(this.kem.decapsulate(privateKey, sent), info);
    const plaintext = openChaCha(ciphertext, NOTHING, schedule.nonce, schedule.key);
    wipeSchedule(schedule);
    if (plaintext === undefined) throw new AuthError('not-authentic', 'mls.hpke', 'The data is not authentic.');
    return plaintext;
  }

  /** RFC 9180 §6.2, sender's side: what is sent, and a secret both sides can export. */
  sendExport(publicKey: Uint8Array, info: Uint8Array, context: Uint8Array, length: number, random: RandomSource) {
    const { sent, shared } = this.kem.encapsulate(this.checked(publicKey), random);
    return { sent, secret: this.#export(shared, info, context, length) };
  }

  receiveExport(privateKey: Uint8Array, sent: Uint8Array, info: Uint8Array, context: Uint8Array, length: number) {
    return this.#export(this.kem.decapsulate(privateKey, sent), info, context, length);
  }

  /** @throws DecodeError nothing can be sealed to it: it has another length, is of small order, or not reduced */
  checked(publicKey: Uint8Array): Uint8Array {
    if (!this.kem.isPublic(publicKey)) throw new DecodeError('mls.hpke-key');
    return publicKey;
  }

  #export(shared: Buffer, info: Uint8Array, context: Uint8Array, length: number): Buffer {
    const schedule = this.#schedule(shared, info);
    const secret = this.#kdf.expand(schedule.exporter, 'sec', context, length);
    wipeSchedule(schedule);
    return secret;
  }

  /** Wipes `shared`. */
  #schedule(shared: Buffer, info: Uint8Array): Schedule {
    const infoHash = this.#kdf.extract(NOTHING, 'info_hash', info);
    const context = concat(Uint8Array.of(BASE_MODE), this.#pskIdHash, infoHash);
    const secret = this.#kdf.extract(shared, 'secret', NOTHING);
    const schedule = {
      key: this.#kdf.expand(secret, 'key', context, KEY_BYTES),
      nonce: this.#kdf.expand(secret, 'base_nonce', context, CHACHA_NONCE_BYTES),
      exporter: this.#kdf.expand(secret, 'exp', context, this.#hash.bytes),
    };
    wipe(shared, secret);
    return schedule;
  }
}

function wipeSchedule({ key, nonce, exporter }: Schedule): void {
  wipe(key, nonce, exporter);
}
