import sodium from 'sodium-native';

const encoder = new TextEncoder();

export function utf8(text: string): Uint8Array {
  return encoder.encode(text);
}

export function hex(bytes: Uint8Array): string {
  return asBuffer(bytes).toString('hex');
}

/** A Buffer over the same memory (no copy), the form sodium-native takes. */
export function asBuffer(bytes: Uint8Array): Buffer {
  return Buffer.isBuffer(bytes) ? bytes : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

export function concat(...parts: readonly Uint8Array[]): Buffer {
  return Buffer.concat(parts);
}

/** Constant time for equal lengths; lengths are not secret. */
export function equalBytes(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && sodium.sodium_memcmp(asBuffer(a), asBuffer(b));
}

/** Byte order, for keys whose order is public (ids, public keys). */
export function compareBytes(a: Uint8Array, b: Uint8Array): number {
  return Buffer.compare(a, b);
}

export function wipe(...parts: readonly Uint8Array[]): void {
  for (const part of parts) if (part.length > 0) sodium.sodium_memzero(asBuffer(part));
}
