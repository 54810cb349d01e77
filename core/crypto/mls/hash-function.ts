import sodium from 'sodium-native';
import { asBuffer, concat, wipe } from '../../base/bytes.ts';
import { InternalError } from '../../base/errors.ts';

/** In sodium-native, though missing from its published types. */
const sha = sodium as unknown as {
  readonly crypto_hash_sha256: (out: Buffer, data: Buffer) => void;
  readonly crypto_hash_sha512: (out: Buffer, data: Buffer) => void;
};

const INNER = 0x36;
const OUTER = 0x5c;
const EMPTY = Buffer.alloc(0);

/**
 * SHA-2 with the HMAC (RFC 2104) and HKDF (RFC 5869) over it. Over sodium, because one commit of a group takes some
 * hundred of them and node:crypto sets up an object for each.
 */
export class HashFunction {
  readonly bytes: number;
  readonly #blockBytes: number;
  readonly #hash: (out: Buffer, data: Buffer) => void;

  constructor(bytes: 32 | 64) {
    this.bytes = bytes;
    this.#blockBytes = bytes * 2;
    this.#hash = bytes === 32 ? sha.crypto_hash_sha256 : sha.crypto_hash_sha512;
  }

  digest(data: Uint8Array): Buffer {
    const out = Buffer.allocUnsafeSlow(this.bytes);
    this.#hash(out, asBuffer(data));
    return out;
  }

  /** The caller wipes the result when it is a key. */
  mac(key: Uint8Array, data: Uint8Array): Buffer {
    const short = key.length > this.#blockBytes ? this.digest(key) : key;
    const inner = Buffer.allocUnsafeSlow(this.#blockBytes + data.length);
    const outer = Buffer.allocUnsafeSlow(this.#blockBytes + this.bytes);
    for (let index = 0; index < this.#blockBytes; index += 1) {
      const byte = index < short.length ? (short[index] as number) : 0;
      inner[index] = byte ^ INNER;
      outer[index] = byte ^ OUTER;
    }
    inner.set(data, this.#blockBytes);
    const hashed = outer.subarray(this.#blockBytes);
    this.#hash(hashed, inner);
    const out = this.digest(outer);
    wipe(inner, outer);
    return out;
  }

  extract(salt: Uint8Array, keyMaterial: Uint8Array): Buffer {
    return this.mac(salt.length === 0 ? Buffer.alloc(this.bytes) : salt, keyMaterial);
  }

  /** HKDF-Expand; MLS never asks for more than some blocks. */
  expand(key: Uint8Array, info: Uint8Array, length: number): Buffer {
    const blocks = Math.ceil(length / this.bytes);
    if (blocks > 255) throw new InternalError('mls.expand');
    let previous: Buffer = EMPTY;
    const parts: Buffer[] = [];
    for (let count = 1; count <= blocks; count += 1) {
      previous = this.mac(key, concat(previous, info, Uint8Array.of(count)));
      parts.push(previous);
    }
    if (blocks === 1 && length === this.bytes) return previous;
    const out = Buffer.allocUnsafeSlow(length);
    Buffer.concat(parts).copy(out, 0, 0, length);
    return out;
  }
}
