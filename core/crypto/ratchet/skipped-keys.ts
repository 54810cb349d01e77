import { wipe } from '../../base/bytes.ts';
import { DecodeError } from '../../base/errors.ts';
import { LIMITS } from '../../base/limits.ts';

const KEY_BYTES = 32;
const NUMBER_START = KEY_BYTES;
const MESSAGE_KEY_START = KEY_BYTES + 4;
/** header key 32, message number u32, message key 32 */
export const SKIPPED_ENTRY_BYTES = MESSAGE_KEY_START + KEY_BYTES;
const FIRST_ENTRIES = 16;

/** Keys of messages that have not come yet, oldest first, in one flat run of bytes that is also their stored form. */
export class SkippedKeys {
  #bytes: Buffer;
  #length: number;

  private constructor(bytes: Buffer, length: number) {
    this.#bytes = bytes;
    this.#length = length;
  }

  /** @throws DecodeError not whole entries, or more than the limit */
  static open(stored: Uint8Array): SkippedKeys {
    const count = stored.length / SKIPPED_ENTRY_BYTES;
    if (!Number.isInteger(count) || count > LIMITS.skippedKeys) throw new DecodeError('ratchet.skipped');
    const bytes = Buffer.alloc(Math.max(count, FIRST_ENTRIES) * SKIPPED_ENTRY_BYTES);
    bytes.set(stored);
    return new SkippedKeys(bytes, count);
  }

  get length(): number {
    return this.#length;
  }

  append(headerKey: Uint8Array, number: number, messageKey: Uint8Array): void {
    const start = this.#length * SKIPPED_ENTRY_BYTES;
    if (start === this.#bytes.length) this.#grow();
    this.#bytes.set(headerKey, start);
    this.#bytes.writeUInt32BE(number, start + NUMBER_START);
    this.#bytes.set(messageKey, start + MESSAGE_KEY_START);
    this.#length += 1;
  }

  /** The index of an entry, or -1. Header keys are compared as public data: which one matched is no secret. */
  find(headerKey: Buffer, number: number): number {
    for (let index = 0; index < this.#length; index += 1) {
      const start = index * SKIPPED_ENTRY_BYTES;
      if (this.#bytes.readUInt32BE(start + NUMBER_START) !== number) continue;
      if (this.#bytes.compare(headerKey, 0, KEY_BYTES, start, start + KEY_BYTES) === 0) return index;
    }
    return -1;
  }

  copyMessageKey(index: number, out: Buffer): void {
    const start = index * SKIPPED_ENTRY_BYTES + MESSAGE_KEY_START;
    this.#bytes.copy(out, 0, start, start + KEY_BYTES);
  }

  /** Copies the first header key for which `matches` holds into `out`; each distinct one is tried once. */
  findHeaderKey(out: Buffer, matches: (headerKey: Buffer) => boolean): boolean {
    for (let index = 0; index < this.#length; index += 1) {
      const start = index * SKIPPED_ENTRY_BYTES;
      // Entries of one chain stand together, since a chain that has ended gains no more.
      if (index > 0 && out.compare(this.#bytes, start, start + KEY_BYTES) === 0) continue;
      this.#bytes.copy(out, 0, start, start + KEY_BYTES);
      if (matches(out)) return true;
    }
    return false;
  }

  remove(index: number): void {
    const start = index * SKIPPED_ENTRY_BYTES;
    this.#bytes.copyWithin(start, start + SKIPPED_ENTRY_BYTES, this.#length * SKIPPED_ENTRY_BYTES);
    this.truncate(this.#length - 1);
  }

  /** Forgets the newest entries, back to `length`. */
  truncate(length: number): void {
    if (length >= this.#length) return;
    wipe(this.#bytes.subarray(length * SKIPPED_ENTRY_BYTES, this.#length * SKIPPED_ENTRY_BYTES));
    this.#length = length;
  }

  /** Forgets the oldest entries, down to `limit`. */
  dropOldest(limit: number): void {
    const excess = this.#length - limit;
    if (excess <= 0) return;
    this.#bytes.copyWithin(0, excess * SKIPPED_ENTRY_BYTES, this.#length * SKIPPED_ENTRY_BYTES);
    this.truncate(limit);
  }

  /** A copy for a sealed storage row; the caller wipes it. */
  serialize(): Buffer {
    const out = Buffer.allocUnsafeSlow(this.#length * SKIPPED_ENTRY_BYTES);
    this.#bytes.copy(out, 0, 0, out.length);
    return out;
  }

  wipe(): void {
    wipe(this.#bytes);
    this.#length = 0;
  }

  #grow(): void {
    const larger = Buffer.alloc(this.#bytes.length * 2);
    larger.set(this.#bytes);
    wipe(this.#bytes);
    this.#bytes = larger;
  }
}
