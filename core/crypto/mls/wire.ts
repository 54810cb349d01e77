import { concat, utf8 } from '../../base/bytes.ts';
import { DecodeError } from '../../base/errors.ts';

/** The parts of the TLS presentation language that MLS uses (RFC 9420 §2.1), for what is built or read often. */
export function varBytes(bytes: Uint8Array): Buffer {
  return concat(lengthHead(bytes.length), bytes);
}

/** A variable-length field, in parts: what holds secrets is put together once, so that no other copy is left behind. */
export function sized(...parts: readonly Uint8Array[]): Uint8Array[] {
  return [lengthHead(totalBytes(parts)), ...parts];
}

/** The parts in one piece of memory of its own. */
export function written(parts: readonly Uint8Array[]): Buffer {
  const out = Buffer.allocUnsafeSlow(totalBytes(parts));
  let at = 0;
  for (const part of parts) {
    out.set(part, at);
    at += part.length;
  }
  return out;
}

function totalBytes(parts: readonly Uint8Array[]): number {
  let total = 0;
  for (const { length } of parts) total += length;
  return total;
}

/** A variable-length head in its shortest form (RFC 9420 §2.1.2). */
export function lengthHead(length: number): Uint8Array {
  if (length < 0x40) return Uint8Array.of(length);
  if (length < 0x4000) return Uint8Array.of(0x40 | (length >>> 8), length & 0xff);
  return Uint8Array.of(0x80 | (length >>> 24), (length >>> 16) & 0xff, (length >>> 8) & 0xff, length & 0xff);
}

export function uint16(value: number): Uint8Array {
  return Uint8Array.of(value >>> 8, value & 0xff);
}

export function uint32(value: number): Buffer {
  const out = Buffer.allocUnsafe(4);
  out.writeUInt32BE(value);
  return out;
}

export function uint64(value: bigint): Buffer {
  const out = Buffer.allocUnsafe(8);
  out.writeBigUInt64BE(value);
  return out;
}

const labels = new Map<string, Buffer>();

/** The label of RFC 9420, as a variable-length field; there are some twenty. */
export function labelBytes(label: string): Buffer {
  let bytes = labels.get(label);
  if (bytes === undefined) {
    bytes = varBytes(utf8(`MLS 1.0 ${label}`));
    labels.set(label, bytes);
  }
  return bytes;
}

/** Reads what the functions above write; whatever does not fit is a DecodeError. */
export class Reader {
  readonly #bytes: Uint8Array;
  #at = 0;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
  }

  /** A view, not a copy. */
  take(length: number): Uint8Array {
    const end = this.#at + length;
    if (end > this.#bytes.length) throw new DecodeError('mls.short');
    const part = this.#bytes.subarray(this.#at, end);
    this.#at = end;
    return part;
  }

  uint8(): number {
    return this.take(1)[0] as number;
  }

  uint16(): number {
    return this.uint8() * 0x100 + this.uint8();
  }

  uint32(): number {
    return this.uint16() * 0x10000 + this.uint16();
  }

  uint64(): bigint {
    return BigInt(this.uint32()) * 0x100000000n + BigInt(this.uint32());
  }

  varBytes(): Uint8Array {
    return this.take(this.#length());
  }

  get left(): number {
    return this.#bytes.length - this.#at;
  }

  rest(): Uint8Array {
    return this.take(this.left);
  }

  end(): void {
    if (this.left > 0) throw new DecodeError('mls.trailing');
  }

  #length(): number {
    const first = this.uint8();
    const size = first >>> 6;
    if (size === 0) return first;
    const length =
      size === 1
        ? (first & 0x3f) * 0x100 + this.uint8()
        : (first & 0x3f) * 0x1000000 + this.uint8() * 0x10000 + this.uint16();
    // The longest form of 64 bits does not exist, and a length has one spelling.
    if (size === 3 || length < (size === 1 ? 0x40 : 0x4000)) throw new DecodeError('mls.length');
    return length;
  }
}
