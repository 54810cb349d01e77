import { utf8 } from '../base/bytes.ts';
import { encodeHlc } from '../base/hlc.ts';
import { type ContactId, ID_BYTES, idBytes } from '../base/ids.ts';
import { idAt } from './id-text.ts';
import type { StoredMessage } from './records.ts';
import { shape } from './row-codec.ts';

/**
 * A message as a row: flags 1 (1 outgoing, 2 content, 4 late), parents 1, id 16, sender 16, HLC 8, received 6, text
 * length 4, parents (16 each), text, content. In a block each row stands behind its length (4) and its place (16).
 */
const HEAD_BYTES = 52;
export const PLACE_BYTES = 16;
export const ENTRY_HEAD_BYTES = 4 + PLACE_BYTES;
const OUTGOING = 1;
const CONTENT = 2;
const LATE = 4;

/** A message row with its place in the conversation: HLC 8, keyed hash of the id 8. */
export interface PlacedRow {
  readonly place: Buffer;
  readonly row: Buffer;
}

export function encodeMessage(m: StoredMessage): Buffer {
  const text = utf8(m.text);
  const content = m.content ?? new Uint8Array();
  const out = Buffer.allocUnsafeSlow(HEAD_BYTES + m.parents.length * ID_BYTES + text.length + content.length);
  out[0] = (m.outgoing ? OUTGOING : 0) | (m.content ? CONTENT : 0) | (m.late ? LATE : 0);
  out[1] = m.parents.length;
  out.set(idBytes(m.id), 2);
  out.set(idBytes(m.sender), 18);
  out.set(encodeHlc(m.hlc), 34);
  out.writeUIntBE(m.receivedAtMs, 42, 6);
  out.writeUInt32BE(text.length, 48);
  let at = HEAD_BYTES;
  for (const parent of m.parents) {
    out.set(idBytes(parent), at);
    at += ID_BYTES;
  }
  out.set(text, at);
  out.set(content, at + text.length);
  return out;
}

/** @throws DecodeError */
export function decodeMessage(row: Buffer): StoredMessage {
  if (row.length < HEAD_BYTES) shape.fail();
  const flags = row[0] as number;
  const textAt = HEAD_BYTES + (row[1] as number) * ID_BYTES;
  const textEnd = textAt + row.readUInt32BE(48);
  if (textEnd > row.length) shape.fail();
  const parents = [];
  for (let at = HEAD_BYTES; at < textAt; at += ID_BYTES) {
    parents.push(idAt(row, at));
  }
  const message: StoredMessage = {
    id: idAt(row, 2),
    sender: idAt(row, 18) as string as ContactId,
    hlc: { ms: row.readUIntBE(34, 6), counter: row.readUInt16BE(40) },
    outgoing: (flags & OUTGOING) !== 0,
    parents,
    text: row.toString('utf8', textAt, textEnd),
    receivedAtMs: row.readUIntBE(42, 6),
    late: (flags & LATE) !== 0,
  };
  return flags & CONTENT ? { ...message, content: row.subarray(textEnd) } : message;
}

export function idBytesOfRow(row: Buffer): Buffer {
  return row.subarray(2, 18);
}

/** Packs rows into the plain bytes of a block. */
export function packBlock(rows: readonly PlacedRow[]): Buffer {
  const out = Buffer.allocUnsafe(rows.reduce((sum, { row }) => sum + ENTRY_HEAD_BYTES + row.length, 0));
  let at = 0;
  for (const { place, row } of rows) {
    out.writeUInt32BE(row.length, at);
    out.set(place, at + 4);
    out.set(row, at + ENTRY_HEAD_BYTES);
    at += ENTRY_HEAD_BYTES + row.length;
  }
  return out;
}

/** @throws DecodeError */
export function unpackBlock(block: Buffer): PlacedRow[] {
  const rows: PlacedRow[] = [];
  for (let at = 0; at < block.length; ) {
    const rowAt = at + ENTRY_HEAD_BYTES;
    if (rowAt > block.length) shape.fail();
    const end = rowAt + block.readUInt32BE(at);
    if (end > block.length) shape.fail();
    rows.push({ place: block.subarray(at + 4, rowAt), row: block.subarray(rowAt, end) });
    at = end;
  }
  return rows;
}
