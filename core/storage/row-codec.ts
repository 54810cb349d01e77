import { idBytes, type MessageId, messageIdFromBytes } from '../base/ids.ts';
import { type Cbor, decodeCbor, encodeCbor, Shape } from '../wire/cbor.ts';

/** What the CBOR rows of the repositories share. Rows are arrays; an absent value is null. */
export const shape = new Shape('store.row');
export const encodeRow = (fields: readonly Cbor[]): Buffer => encodeCbor(fields);

export function decodeRow(plain: Buffer, length: number): readonly unknown[] {
  return shape.tuple(decodeCbor(plain, plain.length, 'store.row'), length);
}

export function bytesOf(value: unknown): Uint8Array {
  return shape.bytesUpTo(value, Number.MAX_SAFE_INTEGER);
}

export function textOf(value: unknown): string {
  return shape.text(value, Number.MAX_SAFE_INTEGER);
}

export function flagOf(value: unknown): boolean {
  return typeof value === 'boolean' ? value : shape.fail();
}

export function orNull<T>(value: unknown, read: (value: unknown) => T): T | null {
  return value === null ? null : read(value);
}

/** Word lists are stored as their index; the order of a list never changes. */
export function wordOf<const W extends readonly string[]>(words: W, value: unknown): W[number] {
  return words[shape.uint(value, words.length - 1)] as W[number];
}

export function messageIdField(id: MessageId | null): Uint8Array | null {
  return id === null ? null : idBytes(id);
}

export function messageIdOrNull(value: unknown): MessageId | null {
  return orNull(value, bytes => messageIdFromBytes(shape.bytes(bytes, 16)));
}

export function listOf<T>(value: unknown, read: (value: unknown) => T): T[] {
  return shape.list(value, Number.MAX_SAFE_INTEGER, read);
}

/** 48-bit big endian, so that byte order is number order. */
export function uint48(value: number): Buffer {
  const out = Buffer.allocUnsafeSlow(6);
  out.writeUIntBE(value, 0, 6);
  return out;
}

export function uint32(value: number): Buffer {
  const out = Buffer.allocUnsafeSlow(4);
  out.writeUInt32BE(value);
  return out;
}
