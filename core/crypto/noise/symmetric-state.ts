import { asBuffer, concat, utf8, wipe } from '../../base/bytes.ts';
import { InternalError } from '../../base/errors.ts';
import { CipherState } from './cipher-state.ts';
import { type NoiseProtocol, noiseHash, noiseHkdf } from './protocol.ts';

const KEY_BYTES = 32;
const EMPTY = Buffer.alloc(0);

/** What a handshake carries from one message to the next: enough, since every message begins by mixing a key. */
export interface HandshakeState {
  /** Secret, one hash long; wiped by its owner. */
  readonly chainingKey: Buffer;
  /** The transcript hash `h`, public. */
  readonly hash: Buffer;
}

/** Noise §5.2. Everything it holds is its own copy, so a failed message leaves the caller's state as it was. */
export class SymmetricState {
  readonly #protocol: NoiseProtocol;
  #chainingKey: Buffer;
  #hash: Buffer;
  #cipher: CipherState | undefined;

  private constructor(protocol: NoiseProtocol, chainingKey: Buffer, hash: Buffer) {
    this.#protocol = protocol;
    this.#chainingKey = chainingKey;
    this.#hash = hash;
  }

  static start(protocol: NoiseProtocol, prologue: Uint8Array): SymmetricState {
    const name = asBuffer(utf8(protocol.name));
    const hash =
      name.length > protocol.hashBytes
        ? noiseHash(protocol, name)
        : concat(name, Buffer.alloc(protocol.hashBytes - name.length));
    const state = new SymmetricState(protocol, concat(hash), hash);
    state.mixHash(prologue);
    return state;
  }

  static resume(protocol: NoiseProtocol, from: HandshakeState): SymmetricState {
    return new SymmetricState(protocol, concat(from.chainingKey), concat(from.hash));
  }

  mixHash(data: Uint8Array): void {
    this.#hash = noiseHash(this.#protocol, this.#hash, data);
  }

  /** Mixes a shared secret in and wipes it. */
  mixSecret(secret: Buffer): void {
    try {
      this.mixKey(secret);
    } finally {
      wipe(secret);
    }
  }

  mixKey(input: Uint8Array): void {
    const [chainingKey, key] = noiseHkdf(this.#protocol, this.#chainingKey, input, 2) as [Buffer, Buffer];
    this.#setKeys(chainingKey, key);
  }

  mixKeyAndHash(psk: Uint8Array): void {
    const [chainingKey, hash, key] = noiseHkdf(this.#protocol, this.#chainingKey, psk, 3) as [Buffer, Buffer, Buffer];
    this.mixHash(hash);
    wipe(hash);
    this.#setKeys(chainingKey, key);
  }

  /** Only ever called after a key was mixed: in IK the first encrypted field follows `es`. */
  encryptAndHash(plaintext: Uint8Array): Buffer {
    const ciphertext = this.#requireCipher().encrypt(this.#hash, plaintext);
    this.mixHash(ciphertext);
    return ciphertext;
  }

  /** @throws AuthError the tag does not match */
  decryptAndHash(ciphertext: Uint8Array): Buffer {
    const plaintext = this.#requireCipher().decrypt(this.#hash, ciphertext);
    this.mixHash(ciphertext);
    return plaintext;
  }

  /** A copy to continue from; the caller owns it. */
  save(): HandshakeState {
    return { chainingKey: concat(this.#chainingKey), hash: concat(this.#hash) };
  }

  wipe(): void {
    wipe(this.#chainingKey);
    this.#cipher?.wipe();
  }

  #setKeys(chainingKey: Buffer, key: Buffer): void {
    this.wipe();
    this.#chainingKey = chainingKey;
    // HASHLEN 64 gives 64-byte outputs; the cipher key is the first 32 (§5.2).
    this.#cipher = new CipherState(key.subarray(0, KEY_BYTES));
  }

  #requireCipher(): CipherState {
    if (!this.#cipher) throw new InternalError('noise.key');
    return this.#cipher;
  }
}

/** The transport keys after the handshake (§5.2 Split): initiator to responder, responder to initiator. */
export function splitHandshake(protocol: NoiseProtocol, state: HandshakeState): readonly [CipherState, CipherState] {
  const [first, second] = noiseHkdf(protocol, state.chainingKey, EMPTY, 2) as [Buffer, Buffer];
  return [new CipherState(first.subarray(0, KEY_BYTES)), new CipherState(second.subarray(0, KEY_BYTES))];
}
