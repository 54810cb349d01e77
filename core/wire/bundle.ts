import { utf8 } from '../base/bytes.ts';
import { LIMITS } from '../base/limits.ts';

/**
 * The bundle file (docs/protocol/bundle.md): a head that only its recipients can open, then chunks of one size, each
 * sealed. This is the outside of it and what stands inside; core/crypto/bundle.ts seals and opens.
 */
export const BUNDLE_MAGIC = 'MOLVA-BUNDLE-1\n';
const MAGIC_BYTES = utf8(BUNDLE_MAGIC).length;
/** ML-KEM-768 ciphertext 1088, and the file key 32 sealed with a tag of 16. */
export const SLOT_BYTES = 1088 + 32 + 16;
const MOST_SLOTS = 2048;
/** Numbers of slots a file may have: how many of them are filled is not seen. */
export const SLOT_COUNTS: readonly number[] = [8, 32, 128, 512, MOST_SLOTS];
/** Magic, number of slots 2, ephemeral key 32. */
export const SLOTS_AT = MAGIC_BYTES + 2 + 32;
/** Small, as a cut file loses the chunk that was cut. */
export const CHUNK_PLAIN_BYTES = 16 * 1024;
export const CHUNK_BYTES = CHUNK_PLAIN_BYTES + 16;
const FEWEST_CHUNKS = 4;
/** In front of each envelope: its length. */
const LENGTH_BYTES = 4;

/** The smallest number of slots that these recipients fit. */
export function slotsFor(recipients: number): number {
  return SLOT_COUNTS.find(count => count >= recipients) ?? MOST_SLOTS;
}

export function headBytes(slots: number): number {
  return SLOTS_AT + slots * SLOT_BYTES;
}

/** From 16 on in steps of an eighth of the power of two below: the length of the file says little about what is in it. */
export function paddedChunks(chunks: number): number {
  const step = 2 ** Math.max(0, Math.floor(Math.log2(Math.max(chunks, 1))) - 3);
  return Math.max(FEWEST_CHUNKS, Math.ceil(chunks / step) * step);
}

/** Whether a bundle with this much inside stays within LIMITS.bundleBytes. */
export function fitsBundle(slots: number, plainBytes: number): boolean {
  const chunks = paddedChunks(Math.ceil(plainBytes / CHUNK_PLAIN_BYTES));
  return headBytes(slots) + chunks * CHUNK_BYTES <= LIMITS.bundleBytes;
}

/** What an envelope takes inside. */
export function bundledBytes(envelope: Uint8Array): number {
  return LENGTH_BYTES + envelope.length;
}

/** @param envelope 1 to LIMITS.envelopeBytes long */
export function bundled(envelope: Uint8Array): Buffer {
  const length = Buffer.allocUnsafeSlow(LENGTH_BYTES);
  length.writeUInt32BE(envelope.length);
  return Buffer.concat([length, envelope]);
}

/** Takes the opened chunks apart: envelopes, then zeros to the end. Holds one envelope and one chunk at most. */
export class EnvelopeReader {
  #rest: Buffer = Buffer.alloc(0);
  #ended = false;

  /** @returns the envelopes completed by this chunk, or undefined when it is none of the documented form */
  push(plain: Uint8Array): Uint8Array[] | undefined {
    this.#rest = Buffer.concat([this.#rest, plain]);
    const envelopes: Uint8Array[] = [];
    let at = 0;
    while (!this.#ended && this.#rest.length - at >= LENGTH_BYTES) {
      const length = this.#rest.readUInt32BE(at);
      if (length > LIMITS.envelopeBytes) return undefined;
      this.#ended = length === 0;
      const end = at + LENGTH_BYTES + length;
      if (this.#ended || end > this.#rest.length) break;
      envelopes.push(Buffer.from(this.#rest.subarray(at + LENGTH_BYTES, end)));
      at = end;
    }
    if (this.#ended && !isZero(this.#rest.subarray(at))) return undefined;
    this.#rest = this.#ended ? Buffer.alloc(0) : Buffer.from(this.#rest.subarray(at));
    return envelopes;
  }

  /** After the last chunk: false when an envelope has no end. */
  get whole(): boolean {
    return isZero(this.#rest);
  }
}

function isZero(bytes: Uint8Array): boolean {
  return Buffer.alloc(bytes.length).equals(bytes);
}
