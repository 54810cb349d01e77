import { asBuffer } from '../base/bytes.ts';
import { type ContactId, idBytes, parseEnvelopeId } from '../base/ids.ts';
import type { Counted } from './custody-totals.ts';
import { contactIdFromBytes } from './id-text.ts';
import type { CustodyEntry } from './records.ts';
import { shape } from './row-codec.ts';

/** Row: envelope id 32, tag 16, flags 1, recipient 16, depositor 16, bytes 4, stored 6, expires 6. */
const ENTRY_BYTES = 97;
const HAS_RECIPIENT = 1;
const HAS_DEPOSITOR = 2;

export function encodeEntry(e: CustodyEntry): Buffer {
  const out = Buffer.alloc(ENTRY_BYTES);
  out.set(e.envelopeId, 0);
  out.set(e.tag, 32);
  out[48] = (e.recipient === null ? 0 : HAS_RECIPIENT) | (e.depositor === null ? 0 : HAS_DEPOSITOR);
  if (e.recipient !== null) out.set(idBytes(e.recipient), 49);
  if (e.depositor !== null) out.set(idBytes(e.depositor), 65);
  out.writeUInt32BE(e.bytes, 81);
  out.writeUIntBE(e.storedAtMs, 85, 6);
  out.writeUIntBE(e.expiresAtMs, 91, 6);
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
    recipient: flags & HAS_RECIPIENT ? contactIdFromBytes(row.subarray(49, 65)) : null,
    depositor: flags & HAS_DEPOSITOR ? contactIdFromBytes(row.subarray(65, 81)) : null,
    bytes: row.readUInt32BE(81),
    storedAtMs: row.readUIntBE(85, 6),
    expiresAtMs: row.readUIntBE(91, 6),
  };
}

/** What counts, read from a row without decoding it. @throws DecodeError */
export function countedRow(row: Buffer): Counted {
  if (row.length !== ENTRY_BYTES) shape.fail();
  const flags = row[48] as number;
  return {
    bytes: row.readUInt32BE(81),
    depositor: flags & HAS_DEPOSITOR ? row.toString('latin1', 65, 81) : '',
    box: flags & HAS_RECIPIENT ? row.toString('latin1', 49, 65) : `tag ${row.toString('latin1', 32, 48)}`,
  };
}

export function countedEntry({ bytes, depositor, recipient, tag }: CustodyEntry): Counted {
  return { bytes, depositor: depositorName(depositor), box: boxName(recipient, tag) };
}

/** All that are not contacts share one name. */
export function depositorName(depositor: ContactId | null): string {
  return depositor === null ? '' : idBytes(depositor).toString('latin1');
}

/** The box of a contact, or when null of whoever the tag belongs to. */
export function boxName(recipient: ContactId | null, tag: Uint8Array): string {
  return recipient === null ? `tag ${asBuffer(tag).toString('latin1')}` : idBytes(recipient).toString('latin1');
}
