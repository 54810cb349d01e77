import { blake2b } from '../base/hash.ts';
import type { Op } from './port.ts';

/**
 * One commit in the journal: magic 4 · length of the whole 4 · number 6 · BLAKE2b-128 of the rest, with length and
 * number, 16 · for each change: key length 2 · value length 4 (all ones: removed) · key · value.
 */
export interface JournalRecord {
  /** Rises by one from commit to commit, for as long as the profile lives. */
  readonly number: number;
  readonly ops: readonly Op[];
}

const MAGIC = Buffer.from('mljr');
const NUMBER_AT = 8;
const SUM_AT = 14;
const HEAD_BYTES = 30;
const OP_BYTES = 6;
const REMOVED = 0xffff_ffff;

export function encodeRecord(number: number, ops: readonly Op[]): Buffer {
  let length = HEAD_BYTES;
  for (const { key, value } of ops) length += OP_BYTES + key.length + (value?.length ?? 0);
  const out = Buffer.allocUnsafeSlow(length);
  out.set(MAGIC);
  out.writeUInt32BE(length, 4);
  out.writeUIntBE(number, NUMBER_AT, 6);
  let at = HEAD_BYTES;
  for (const { key, value } of ops) {
    out.writeUInt16BE(key.length, at);
    out.writeUInt32BE(value === null ? REMOVED : value.length, at + 2);
    out.set(key, at + OP_BYTES);
    if (value) out.set(value, at + OP_BYTES + key.length);
    at += OP_BYTES + key.length + (value?.length ?? 0);
  }
  out.set(checksum(out), SUM_AT);
  return out;
}

/** Every whole record anywhere in `bytes`: also those that stand behind one that is not whole. */
export function* findRecords(bytes: Buffer): Iterable<JournalRecord> {
  for (let at = bytes.indexOf(MAGIC); at >= 0; at = bytes.indexOf(MAGIC, at)) {
    const record = recordAt(bytes, at);
    if (record) yield decode(record);
    at += record?.length ?? 1;
  }
}

function recordAt(bytes: Buffer, at: number): Buffer | undefined {
  if (at + HEAD_BYTES > bytes.length) return undefined;
  const length = bytes.readUInt32BE(at + 4);
  if (length < HEAD_BYTES || at + length > bytes.length) return undefined;
  const record = bytes.subarray(at, at + length);
  return checksum(record).equals(record.subarray(SUM_AT, HEAD_BYTES)) ? record : undefined;
}

function checksum(record: Buffer): Buffer {
  return blake2b(HEAD_BYTES - SUM_AT, record.subarray(4, SUM_AT), record.subarray(HEAD_BYTES));
}

function decode(record: Buffer): JournalRecord {
  const ops: Op[] = [];
  for (let at = HEAD_BYTES; at < record.length; ) {
    const keyAt = at + OP_BYTES;
    const valueAt = keyAt + record.readUInt16BE(at);
    const length = record.readUInt32BE(at + 2);
    at = valueAt + (length === REMOVED ? 0 : length);
    ops.push({
      key: record.subarray(keyAt, valueAt),
      value: length === REMOVED ? null : record.subarray(valueAt, at),
    });
  }
  return { number: record.readUIntBE(NUMBER_AT, 6), ops };
}
