import { HOUR_MS } from '../base/clock.ts';
import { judgeDeadline } from '../base/deadline.ts';
import {
  type ContactId,
  type EnvelopeId,
  idBytes,
  type MessageId,
  messageIdFromBytes,
  parseEnvelopeId,
} from '../base/ids.ts';
import { LIMITS } from '../base/limits.ts';
import { contactIdFromBytes } from './id-text.ts';
import { afterPrefix, type RowPort, type RowReader, type Tx } from './port.ts';
import type { OutboxRecord } from './records.ts';
import { shape, uint32, uint48 } from './row-codec.ts';
import type { Sealer } from './sealing.ts';
import { Table } from './table.ts';

/** Row: envelope id 32, contact 16, seq 6, expires 6, has message 1, message 16; the envelope is the rest. */
const HEAD_BYTES = 77;
/** Key: table 1, contact name 16, seq 6, hour of expiry 4. */
const HOUR_AT = 23;

/**
 * Sealed envelopes that wait for a peer, by contact and order. The hour of expiry stands at the end of the key,
 * so that what expires is found without opening a row. Counts are kept in memory, made by one pass over the keys.
 */
export class OutboxRows {
  readonly #port: RowPort;
  readonly #sealer: Sealer;
  readonly #table: Table;
  readonly #ids: Table;
  #counts: Map<ContactId, number> | undefined;

  constructor(port: RowPort, sealer: Sealer) {
    this.#port = port;
    this.#sealer = sealer;
    this.#table = new Table(sealer, 'outbox');
    this.#ids = new Table(sealer, 'outboxIds');
  }

  put(tx: Tx, record: OutboxRecord): void {
    const idKey = this.#idKey(record.envelopeId);
    if (tx.has(idKey)) return;
    const counts = this.#counted(tx);
    const hour = uint32(Math.ceil(record.expiresAtMs / HOUR_MS));
    const key = this.#table.key(this.#name(record.contact), uint48(record.seq), hour);
    this.#table.put(tx, key, encodeOutbox(record));
    this.#ids.put(tx, idKey, Buffer.concat([key, idBytes(record.contact)]));
    counts.set(record.contact, (counts.get(record.contact) ?? 0) + 1);
  }

  get(envelopeId: EnvelopeId, from: RowReader = this.#port): OutboxRecord | undefined {
    const place = this.#ids.get(from, this.#idKey(envelopeId));
    const plain = place && this.#table.get(from, place.subarray(0, HOUR_AT + 4));
    return plain && this.#table.decode(plain, decodeOutbox);
  }

  /** In order of `seq`, those after `afterSeq`. */
  listOf(contact: ContactId, limit: number, afterSeq?: number, from: RowReader = this.#port): OutboxRecord[] {
    const prefix = this.#table.key(this.#name(contact));
    const start = afterSeq === undefined ? prefix : Buffer.concat([prefix, uint48(afterSeq + 1)]);
    const found: OutboxRecord[] = [];
    for (const { key, value } of from.range(start, afterPrefix(prefix), { limit })) {
      found.push(this.#table.decode(this.#sealer.open('outbox', key, value), decodeOutbox));
    }
    return found;
  }

  /** False when it is not there (any more). */
  remove(tx: Tx, envelopeId: EnvelopeId): boolean {
    const idKey = this.#idKey(envelopeId);
    const place = this.#ids.get(tx, idKey);
    if (!place) return false;
    const counts = this.#counted(tx);
    tx.remove(idKey);
    tx.remove(place.subarray(0, HOUR_AT + 4));
    this.#less(counts, contactIdFromBytes(place.subarray(HOUR_AT + 4)));
    return true;
  }

  removeAllOf(tx: Tx, contact: ContactId): void {
    for (const record of this.listOf(contact, Number.MAX_SAFE_INTEGER, undefined, tx)) {
      this.remove(tx, record.envelopeId);
    }
  }

  /** Everything that waits, for everybody. */
  removeAll(tx: Tx): void {
    for (const table of [this.#table, this.#ids]) table.removeAll(tx, table.key());
    this.#counts = new Map();
  }

  countOf(contact: ContactId): number {
    return this.#counted(this.#port).get(contact) ?? 0;
  }

  /** The own messages that have an envelope waiting. */
  messagesOf(contact: ContactId, from: RowReader = this.#port): Set<MessageId> {
    const records = this.listOf(contact, Number.MAX_SAFE_INTEGER, undefined, from);
    return new Set(records.map(record => record.messageId).filter(id => id !== null));
  }

  /** All envelopes waiting. */
  count(): number {
    let sum = 0;
    for (const count of this.#counted(this.#port).values()) sum += count;
    return sum;
  }

  contactsWithWork(): ContactId[] {
    return [...this.#counted(this.#port).keys()];
  }

  /**
   * Removes at most `limit` envelopes that are past their hour at `nowMs`, and returns them. What only a wrong clock
   * would end stays for another lifetime: whether the envelope itself has expired is for its recipient to say.
   */
  sweep(tx: Tx, nowMs: number, limit: number): OutboxRecord[] {
    const due: { readonly record: OutboxRecord; readonly anew: boolean }[] = [];
    for (const key of this.#table.keys(tx)) {
      const verdict = judgeDeadline(key.readUInt32BE(HOUR_AT) * HOUR_MS, LIMITS.envelopeLifetimeMs, nowMs);
      const plain = verdict === 'waits' ? undefined : this.#table.get(tx, key);
      if (plain) due.push({ record: this.#table.decode(plain, decodeOutbox), anew: verdict === 'anew' });
      if (due.length >= limit) break;
    }
    const expiresAtMs = nowMs + LIMITS.envelopeLifetimeMs;
    for (const { record, anew } of due) {
      this.remove(tx, record.envelopeId);
      if (anew) this.put(tx, { ...record, expiresAtMs });
    }
    return due.flatMap(({ record, anew }) => (anew ? [] : record));
  }

  /** Rows that were counted did not reach the disk: count again at the next question. */
  forgetCounts(): void {
    this.#counts = undefined;
  }

  #counted(from: RowReader): Map<ContactId, number> {
    if (this.#counts) return this.#counts;
    const counts = new Map<ContactId, number>();
    let last: { name: Buffer; contact: ContactId } | undefined;
    for (const key of this.#table.keys(from)) {
      const name = key.subarray(1, 17);
      if (!last?.name.equals(name)) {
        const plain = this.#table.get(from, key);
        if (!plain) continue;
        last = { name: Buffer.from(name), contact: this.#table.decode(plain, decodeOutbox).contact };
      }
      counts.set(last.contact, (counts.get(last.contact) ?? 0) + 1);
    }
    this.#counts = counts;
    return counts;
  }

  #less(counts: Map<ContactId, number>, contact: ContactId): void {
    const left = (counts.get(contact) ?? 1) - 1;
    if (left > 0) counts.set(contact, left);
    else counts.delete(contact);
  }

  #name(contact: ContactId): Buffer {
    return this.#sealer.nameHash('outbox', idBytes(contact));
  }

  #idKey(envelopeId: Uint8Array): Buffer {
    return this.#ids.key(this.#sealer.nameHash('outbox-id', envelopeId));
  }
}

function encodeOutbox(r: OutboxRecord): Buffer {
  const out = Buffer.alloc(HEAD_BYTES + r.envelope.length);
  out.set(r.envelopeId, 0);
  out.set(idBytes(r.contact), 32);
  out.writeUIntBE(r.seq, 48, 6);
  out.writeUIntBE(r.expiresAtMs, 54, 6);
  if (r.messageId !== null) {
    out[60] = 1;
    out.set(idBytes(r.messageId), 61);
  }
  out.set(r.envelope, HEAD_BYTES);
  return out;
}

function decodeOutbox(plain: Buffer): OutboxRecord {
  if (plain.length < HEAD_BYTES) shape.fail();
  return {
    envelopeId: parseEnvelopeId(plain.subarray(0, 32)),
    contact: contactIdFromBytes(plain.subarray(32, 48)),
    seq: plain.readUIntBE(48, 6),
    expiresAtMs: plain.readUIntBE(54, 6),
    messageId: plain[60] === 1 ? messageIdFromBytes(plain.subarray(61, HEAD_BYTES)) : null,
    envelope: plain.subarray(HEAD_BYTES),
  };
}
