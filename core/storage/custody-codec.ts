import { asBuffer } from '../base/bytes.ts';
import { type ContactId, idBytes, parseEnvelopeId } from '../base/ids.ts';
import type { Counted } from './custody-totals.ts';
import { contactIdFromBytes } from './id-text.ts';
import type { CustodyEntry } from './records.ts';
import { shape } from './row-codec.ts';

/** Row: envelope id 32, tag 16, flags 1, depositor 16, bytes 4, stored 6, expires 6. */
const ENTRY_BYTES = 81;
const HAS_DEPOSITOR = 1;
const PROMISED_TO_OTHERS = 2;

export function encodeEntry(e: CustodyEntry): Buffer {
  const out = Buffer.alloc(ENTRY_BYTES);
  out.set(e.envelopeId, 0);
  out.set(e.tag, 32);
  out[48] = (e.depositor === null ? 0 : HAS_DEPOSITOR) | (e.promisedToOthers ? PROMISED_TO_OTHERS : 0);
  if (e.depositor !== null) out.set(idBytes(e.depositor), 49);
  out.writeUInt32BE(e.bytes, 65);
  out.writeUIntBE(e.storedAtMs, 69, 6);
  out.writeUIntBE(e.expiresAtMs, 75, 6);
  return out;
}

/** @throws DecodeError */
export function decodeEntry(row: Buffer, seq: number): CustodyEntry {
  if (row.length !== ENTRY_BYTES) shape.fail();
  const flags = row[48] as number;
  return {
    seq,
    envelopeId: parseEnvelopeId(row.subarray(0, 32)),
    tag: row.subarray(32, 48),
    depositor: flags & HAS_DEPOSITOR ? contactIdFromBytes(row.subarray(49, 65)) : null,
    promisedToOthers: (flags & PROMISED_TO_OTHERS) !== 0,
    bytes: row.readUInt32BE(65),
    storedAtMs: row.readUIntBE(69, 6),
    expiresAtMs: row.readUIntBE(75, 6),
  };
}

/** What counts, read from a row without decoding it. @throws DecodeError */
export function countedRow(row: Buffer): Counted {
  if (row.length !== ENTRY_BYTES) shape.fail();
  const flags = row[48] as number;
  return {
    bytes: row.readUInt32BE(65),
    depositor: flags & HAS_DEPOSITOR ? row.toString('latin1', 49, 65) : '',
    tag: row.toString('latin1', 32, 48),
  };
}

export function countedEntry({ bytes, depositor, tag }: CustodyEntry): Counted {
  return { bytes, depositor: depositorName(depositor), tag: tagName(tag) };
}

/** All that are not contacts share one name. */
export function depositorName(depositor: ContactId | null): string {
  return depositor === null ? '' : idBytes(depositor).toString('latin1');
}

export function tagName(tag: Uint8Array): string {
  return asBuffer(tag).toString('latin1');
}
