import { inspect } from 'node:util';
import sodium, { type SecureBuffer } from 'sodium-native';
import { asBuffer } from './bytes.ts';

/**
 * Key material in guarded, locked memory (sodium_malloc), not readable except inside `use`.
 * Never shows itself: string, JSON and inspect forms are redacted.
 */
export class Secret {
  readonly length: number;
  #memory: SecureBuffer | undefined;
  #depth = 0;

  private constructor(memory: SecureBuffer) {
    this.#memory = memory;
    this.length = memory.length;
  }

  /** Copies `bytes` into guarded memory and wipes the source. */
  static take(bytes: Uint8Array): Secret {
    const memory = sodium.sodium_malloc(bytes.length);
    memory.set(bytes);
    sodium.sodium_memzero(asBuffer(bytes));
    sodium.sodium_mprotect_noaccess(memory);
    return new Secret(memory);
  }

  /** Makes a secret of `length` bytes filled by `fill`. */
  static make(length: number, fill: (memory: Buffer) => void): Secret {
    const memory = sodium.sodium_malloc(length);
    fill(memory);
    sodium.sodium_mprotect_noaccess(memory);
    return new Secret(memory);
  }

  /** Opens the memory for reading while `read` runs (synchronously); the buffer must not escape. */
  use<T>(read: (memory: Buffer) => T): T {
    const memory = this.#memory;
    if (!memory) throw new Error('secret was wiped');
    if (this.#depth === 0) sodium.sodium_mprotect_readonly(memory);
    this.#depth += 1;
    try {
      return read(memory);
    } finally {
      this.#depth -= 1;
      if (this.#depth === 0 && this.#memory) sodium.sodium_mprotect_noaccess(memory);
    }
  }

  get wiped(): boolean {
    return this.#memory === undefined;
  }

  wipe(): void {
    const memory = this.#memory;
    if (!memory) return;
    this.#memory = undefined;
    sodium.sodium_mprotect_readwrite(memory);
    sodium.sodium_memzero(memory);
    (sodium as unknown as { sodium_free(memory: SecureBuffer): void }).sodium_free(memory);
  }

  toString(): string {
    return '[secret]';
  }

  toJSON(): string {
    return '[secret]';
  }

  [inspect.custom](): string {
    return '[secret]';
  }
}
