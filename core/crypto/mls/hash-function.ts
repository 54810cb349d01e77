import sodium from 'sodium-native';
import { asBuffer, wipe } from '../../base/bytes.ts';
import { InternalError } from '../../base/errors.ts';

/** In sodium-native, though missing from its published types. */
const sha = sodium as unknown as {
  readonly crypto_hash_sha256: (out: Buffer, data: Buffer) => void;
  readonly crypto_hash_sha512: (out: Buffer, data: Buffer) => void;
};

const INNER = 0x36;
const OUTER = 0x5c;
/** Longer data than most key derivations have gets memory of its own. */
const KEPT_BYTES = 512;
const MOST_BLOCKS = 255;

/**
 * SHA-2 with the HMAC (RFC 2104) and HKDF (RFC 5869) over it. Over sodium, because one commit of a group takes some
 * hundred of them and node:crypto sets up an object for each. What is hashed is put together in memory that is kept,
 * and zero between calls: it holds the key.
 */
export class HashFunction {
  readonly bytes: number;
  readonly #blockBytes: number;
  readonly #hash: (out: Buffer, data: Buffer) => void;
  readonly #inner: Buffer;
  readonly #outer: Buffer;
  /** The end of `#outer`. */
  readonly #innerHash: Buffer;
  readonly #noSalt: Buffer;

  constructor(bytes: 32 | 64) {
    this.bytes = bytes;
    this.#blockBytes = bytes * 2;
    this.#hash = bytes === 32 ? sha.crypto_hash_sha256 : sha.crypto_hash_sha512;
    this.#inner = Buffer.alloc(this.#blockBytes + KEPT_BYTES);
    this.#outer = Buffer.alloc(this.#blockBytes + bytes);
    this.#innerHash = this.#outer.subarray(this.#blockBytes);
    this.#noSalt = Buffer.alloc(bytes);
  }

  digest(data: Uint8Array): Buffer {
    const out = Buffer.allocUnsafeSlow(this.bytes);
    this.#hash(out, asBuffer(data));
    return out;
  }

  /** HMAC of the concatenated parts. The caller wipes the result when it is a key. */
  mac(key: Uint8Array, ...parts: readonly Uint8Array[]): Buffer {
    if (key.length > this.#blockBytes) return this.#macOfLongKey(key, parts);
    const inner = this.#innerOf(parts);
    this.#pad(inner, key);
    let at = this.#blockBytes;
    for (const part of parts) {
      inner.set(part, at);
      at += part.length;
    }
    const out = Buffer.allocUnsafeSlow(this.bytes);
    this.#hash(this.#innerHash, inner);
    this.#hash(out, this.#outer);
    wipe(inner, this.#outer);
    return out;
  }

  extract(salt: Uint8Array, ...keyMaterial: readonly Uint8Array[]): Buffer {
    return this.mac(salt.length === 0 ? this.#noSalt : salt, ...keyMaterial);
  }

  /** HKDF-Expand with the concatenated parts as info. The caller wipes the result. */
  expand(key: Uint8Array, length: number, ...info: readonly Uint8Array[]): Buffer {
    if (length === this.bytes) return this.mac(key, ...info, Uint8Array.of(1));
    if (length > MOST_BLOCKS * this.bytes) throw new InternalError('mls.expand');
    const out = Buffer.allocUnsafeSlow(length);
    let previous = this.#noSalt.subarray(this.bytes);
    for (let count = 1, at = 0; at < length; count += 1, at += this.bytes) {
      const block = this.mac(key, previous, ...info, Uint8Array.of(count));
      block.copy(out, at);
      wipe(previous);
      previous = block;
    }
    wipe(previous);
    return out;
  }

  #macOfLongKey(key: Uint8Array, parts: readonly Uint8Array[]): Buffer {
    const short = this.digest(key);
    const out = this.mac(short, ...parts);
    wipe(short);
    return out;
  }

  #innerOf(parts: readonly Uint8Array[]): Buffer {
    let length = this.#blockBytes;
    for (const part of parts) length += part.length;
    return length <= this.#inner.length ? this.#inner.subarray(0, length) : Buffer.allocUnsafeSlow(length);
  }

  #pad(inner: Buffer, key: Uint8Array): void {
    for (let index = 0; index < this.#blockBytes; index += 1) {
      const byte = index < key.length ? (key[index] as number) : 0;
      inner[index] = byte ^ INNER;
      this.#outer[index] = byte ^ OUTER;
    }
  }
}
