import { decode as cborDecode, encode as cborEncode } from 'cborg';
import { equalBytes } from '../base/bytes.ts';
import { DecodeError } from '../base/errors.ts';

/**
 * The CBOR that Molva speaks (RFC 8949 §4.2.1, core deterministic): arrays, unsigned integers, byte strings,
 * text, true, false and null. What decodes re-encodes to the same bytes, or it is refused.
 */
export type Cbor = number | string | boolean | null | Uint8Array | readonly Cbor[];

const STRICT = {
  strict: true,
  allowIndefinite: false,
  allowUndefined: false,
  allowInfinity: false,
  allowNaN: false,
  allowBigInt: false,
  rejectDuplicateMapKeys: true,
} as const;

export function encodeCbor(value: Cbor): Buffer {
  const bytes = cborEncode(value);
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

/** @throws DecodeError too long, malformed, or not in the one deterministic form */
export function decodeCbor(bytes: Uint8Array, maxBytes: number, operation: string): unknown {
  if (bytes.length > maxBytes) throw new DecodeError(operation, 'The data is too long.');
  let value: unknown;
  try {
    value = cborDecode(bytes, STRICT);
    if (!equalBytes(cborEncode(value), bytes)) throw new DecodeError(operation);
  } catch (cause) {
    if (cause instanceof DecodeError) throw cause;
    throw new DecodeError(operation, undefined, cause);
  }
  return value;
}

/** Checked access to decoded values; every mismatch is a DecodeError of the one operation. */
export class Shape {
  readonly #operation: string;

  constructor(operation: string) {
    this.#operation = operation;
  }

  fail(): never {
    throw new DecodeError(this.#operation);
  }

  tuple(value: unknown, length: number): readonly unknown[] {
    if (!Array.isArray(value) || value.length !== length) this.fail();
    return value;
  }

  list<T>(value: unknown, maxLength: number, item: (value: unknown) => T): T[] {
    if (!Array.isArray(value) || value.length > maxLength) this.fail();
    return value.map(item);
  }

  bytes(value: unknown, length: number): Uint8Array {
    if (!(value instanceof Uint8Array) || value.length !== length) this.fail();
    return value;
  }

  bytesUpTo(value: unknown, maxLength: number): Uint8Array {
    if (!(value instanceof Uint8Array) || value.length > maxLength) this.fail();
    return value;
  }

  uint(value: unknown, max: number = Number.MAX_SAFE_INTEGER): number {
    if (typeof value !== 'number' || !Number.isSafeInteger(value) || value < 0 || value > max) this.fail();
    return value;
  }

  /** Text of at most `maxBytes` UTF-8 bytes. */
  text(value: unknown, maxBytes: number): string {
    if (typeof value !== 'string' || Buffer.byteLength(value) > maxBytes) this.fail();
    return value;
  }

  constant(value: unknown, expected: number): void {
    if (value !== expected) this.fail();
  }
}
