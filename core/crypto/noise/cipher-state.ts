import { wipe } from '../../base/bytes.ts';
import { AuthError } from '../../base/errors.ts';
import { CHACHA_NONCE_BYTES, openChaCha, sealChaCha } from '../aead.ts';

/** A key and its counter (Noise §5.1). Takes ownership of the 32-byte key. */
export class CipherState {
  readonly #key: Buffer;
  readonly #nonce = Buffer.alloc(CHACHA_NONCE_BYTES);
  #count = 0n;

  constructor(key: Buffer) {
    this.#key = key;
  }

  encrypt(associatedData: Uint8Array, plaintext: Uint8Array): Buffer {
    const ciphertext = sealChaCha(plaintext, associatedData, this.#currentNonce(), this.#key);
    this.#count += 1n;
    return ciphertext;
  }

  /** @throws AuthError the tag does not match; the counter does not move */
  decrypt(associatedData: Uint8Array, ciphertext: Uint8Array): Buffer {
    const plaintext = openChaCha(ciphertext, associatedData, this.#currentNonce(), this.#key);
    if (!plaintext) throw new AuthError('not-authentic', 'noise.decrypt', 'The handshake is not authentic.');
    this.#count += 1n;
    return plaintext;
  }

  wipe(): void {
    wipe(this.#key);
  }

  #currentNonce(): Buffer {
    this.#nonce.writeBigUInt64LE(this.#count, 4);
    return this.#nonce;
  }
}
