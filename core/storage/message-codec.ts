import { asBuffer, fromUtf8, utf8 } from '../base/bytes.ts';
import { decodeHlc, encodeHlc } from '../base/hlc.ts';
import { ID_BYTES, idBytes, messageIdFromBytes } from '../base/ids.ts';
import { contactIdFromBytes } from './id-text.ts';
import type { StoredMessage } from './records.ts';
import { shape } from './row-codec.ts';

/**
 * A message as a row: flags 1 (1 outgoing, 2 content, 4 late), parents 1, id 16, sender 16, HLC 8, received 6, text
 * length 4, parents (16 each), text, content. Blocks hold rows one after another, each behind its length (4).
 */
const HEAD_BYTES = 52;
const OUTGOING = 1;
const CONTENT = 2;
const LATE = 4;

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
    parents.push(messageIdFromBytes(row.subarray(at, at + ID_BYTES)));
  }
  const message: StoredMessage = {
    id: messageIdFromBytes(row.subarray(2, 18)),
    sender: contactIdFromBytes(row.subarray(18, 34)),
    hlc: decodeHlc(row.subarray(34, 42)),
    outgoing: (flags & OUTGOING) !== 0,
    parents,
    text: fromUtf8(row.subarray(textAt, textEnd)),
    receivedAtMs: row.readUIntBE(42, 6),
    late: (flags & LATE) !== 0,
  };
  return flags & CONTENT ? { ...message, content: row.subarray(textEnd) } : message;
}

export function idBytesOfRow(row: Buffer): Buffer {
  return row.subarray(2, 18);
}

export function hlcBytesOfRow(row: Buffer): Buffer {
  return row.subarray(34, 42);
}

export function packBlock(rows: readonly Uint8Array[]): Buffer {
  const out = Buffer.allocUnsafeSlow(packedBytes(rows));
  let at = 0;
  for (const row of rows) {
    out.writeUInt32BE(row.length, at);
    out.set(row, at + 4);
    at += 4 + row.length;
  }
  return out;
}

export function packedBytes(rows: readonly Uint8Array[]): number {
  return rows.reduce((sum, row) => sum + 4 + row.length, 0);
}

/** @throws DecodeError */
export function unpackBlock(block: Uint8Array): Buffer[] {
  const bytes = asBuffer(block);
  const rows: Buffer[] = [];
  for (let at = 0; at < bytes.length; ) {
    if (at + 4 > bytes.length) shape.fail();
    const end = at + 4 + bytes.readUInt32BE(at);
    if (end > bytes.length) shape.fail();
    rows.push(bytes.subarray(at + 4, end));
    at = end;
  }
  return rows;
}
