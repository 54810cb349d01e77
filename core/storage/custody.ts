import { HOUR_MS } from '../base/clock.ts';
import type { ContactId, EnvelopeId } from '../base/ids.ts';
import { countedEntry, countedRow, decodeEntry, depositorName, encodeEntry, tagName } from './custody-codec.ts';
import { CustodyTotals } from './custody-totals.ts';
import { inOrder } from './merge-keys.ts';
import { afterPrefix, type RowPort, type RowReader, type Tx } from './port.ts';
import type { CustodyDeposit, CustodyEntry, CustodyUsage, HoldingClockRecord } from './records.ts';
import { decodeRow, encodeRow, shape, uint32, uint48 } from './row-codec.ts';
import type { Sealer } from './sealing.ts';
import { Table } from './table.ts';

const SEQ_BYTES = 6;

/**
 * Envelopes held for others, in order of arrival. By the number of arrival: the entry. By keyed hashes of the tag and
 * of the tag with the depositor, and by hour of expiry, each followed by that number: what is found without opening
 * other rows. The envelopes lie apart, so that counting and listing never touch them. Quotas are the caller's; totals
 * are here. Whose a tag is does not stand here: that changes with the contacts.
 */
export class CustodyRows {
  readonly #port: RowPort;
  readonly #sealer: Sealer;
  readonly #entries: Table;
  readonly #bodies: Table;
  readonly #index: Table;
  readonly #expiry: Table;
  readonly #clock: Table;
  #totals: CustodyTotals | undefined;
  /** Numbers given in this run are not given again, so that whoever lists after one misses nothing. */
  #lastSeq = 0;

  constructor(port: RowPort, sealer: Sealer) {
    this.#port = port;
    this.#sealer = sealer;
    this.#entries = new Table(sealer, 'custody');
    this.#bodies = new Table(sealer, 'custodyBodies');
    this.#index = new Table(sealer, 'custodyIndex');
    this.#expiry = new Table(sealer, 'custodyExpiry');
    this.#clock = new Table(sealer, 'custodyClock');
  }

  /** Takes an envelope in, once; false when it is held already. */
  put(tx: Tx, deposit: CustodyDeposit): boolean {
    const bodyKey = this.#bodyKey(deposit.envelopeId);
    if (tx.has(bodyKey)) return false;
    const totals = this.#counted(tx);
    this.#lastSeq += 1;
    const entry: CustodyEntry = { ...deposit, seq: this.#lastSeq };
    const seq = uint48(entry.seq);
    this.#entries.put(tx, this.#entries.key(seq), encodeEntry(entry));
    this.#bodies.put(tx, bodyKey, Buffer.concat([seq, deposit.envelope]));
    for (const [table, key] of this.#indexKeys(entry)) table.put(tx, key, Buffer.of());
    totals.add(countedEntry(entry), 1);
    return true;
  }

  has(envelopeId: EnvelopeId, from: RowReader = this.#port): boolean {
    return from.has(this.#bodyKey(envelopeId));
  }

  entry(envelopeId: EnvelopeId, from: RowReader = this.#port): CustodyEntry | undefined {
    const body = this.#bodies.get(from, this.#bodyKey(envelopeId));
    return body && this.#at(from, body.subarray(0, SEQ_BYTES));
  }

  /** The envelope's bytes. */
  envelope(envelopeId: EnvelopeId, from: RowReader = this.#port): Buffer | undefined {
    return this.#bodies.get(from, this.#bodyKey(envelopeId))?.subarray(SEQ_BYTES);
  }

  /** Entries that bear one of `tags`, in order of arrival, those after number `after`; at most `limit`. */
  byTags(tags: readonly Uint8Array[], limit: number, after = 0, from: RowReader = this.#port): CustodyEntry[] {
    const found: Buffer[] = [];
    for (const tag of tags) {
      const prefix = this.#index.key(this.#tagName(tag));
      const start = Buffer.concat([prefix, uint48(after + 1)]);
      for (const key of from.keys(start, afterPrefix(prefix), { limit })) found.push(seqOf(key));
    }
    found.sort(Buffer.compare);
    // a tag that is asked for twice is answered once
    const seqs = found.filter((seq, i) => i === 0 || !seq.equals(found[i - 1] as Buffer)).slice(0, limit);
    return this.#sealer.batch(() => this.#all(from, seqs));
  }

  /** What bears one of `tags` (each named once), oldest first, read only as far as it is asked for, as often as it is. */
  boxOf(tags: readonly Uint8Array[], from: RowReader = this.#port): Iterable<CustodyEntry> {
    return { [Symbol.iterator]: () => this.#oldestFirst(this.#used(tags, from), tag => this.#tagName(tag), from) };
  }

  /** Of a box, what one depositor brought: a contact, or with null all that are none. */
  partOf(
    tags: readonly Uint8Array[],
    depositor: ContactId | null,
    from: RowReader = this.#port,
  ): Iterable<CustodyEntry> {
    const nameOf = (tag: Uint8Array) => this.#partName(tag, depositor);
    return { [Symbol.iterator]: () => this.#oldestFirst(this.#used(tags, from), nameOf, from) };
  }

  #used(tags: readonly Uint8Array[], from: RowReader): Uint8Array[] {
    const totals = this.#counted(from);
    return tags.filter(tag => totals.ofTags([tagName(tag)]).envelopes > 0);
  }

  *#oldestFirst(
    tags: readonly Uint8Array[],
    nameOf: (tag: Uint8Array) => Buffer,
    from: RowReader,
  ): Generator<CustodyEntry> {
    const runs = tags.map(tag => {
      const prefix = this.#index.key(nameOf(tag));
      return from.keys(prefix, afterPrefix(prefix));
    });
    for (const seq of inOrder(runs, seqOf)) {
      const entry = this.#at(from, seq);
      if (entry) yield entry;
    }
  }

  /** Another contact than the depositor is promised an envelope that is held. */
  promiseToOthers(tx: Tx, entry: CustodyEntry): void {
    this.#entries.put(tx, this.#entries.key(uint48(entry.seq)), encodeEntry({ ...entry, promisedToOthers: true }));
  }

  /** The entry removed, or undefined when it is not held (any more). */
  remove(tx: Tx, envelopeId: EnvelopeId): CustodyEntry | undefined {
    const entry = this.entry(envelopeId, tx);
    if (entry) this.#drop(tx, entry);
    return entry;
  }

  /** Removes at most `limit` envelopes whose time, by the holding clock, ended by `beforeMs`; returns their entries. */
  expire(tx: Tx, beforeMs: number, limit: number): CustodyEntry[] {
    const due: CustodyEntry[] = [];
    // those of the hour under way are looked at one by one
    const end = this.#expiry.key(uint32(Math.floor(beforeMs / HOUR_MS) + 1));
    for (const key of tx.keys(this.#expiry.key(), end)) {
      const entry = this.#at(tx, seqOf(key));
      if (entry && entry.expiresAtMs <= beforeMs) due.push(entry);
      if (due.length >= limit) break;
    }
    for (const entry of due) this.#drop(tx, entry);
    return due;
  }

  /** All that is held. */
  usage(from: RowReader = this.#port): CustodyUsage {
    return this.#counted(from).all;
  }

  /** What a contact deposited; with null, what all that are not contacts deposited together. */
  usageOfDepositor(depositor: ContactId | null, from: RowReader = this.#port): CustodyUsage {
    return this.#counted(from).ofDepositor(depositorName(depositor));
  }

  /** What is held under these tags, each named once. */
  usageOfTags(tags: readonly Uint8Array[], from: RowReader = this.#port): CustodyUsage {
    return this.#counted(from).ofTags(tags.map(tagName));
  }

  /** Every tag under which something is held. */
  tags(from: RowReader = this.#port): Buffer[] {
    return Array.from(this.#counted(from).tags(), name => Buffer.from(name, 'latin1'));
  }

  /** Undefined until it was put. */
  clock(from: RowReader = this.#port): HoldingClockRecord | undefined {
    const plain = this.#clock.get(from, this.#clock.key());
    return plain && this.#clock.decode(plain, decodeClock);
  }

  putClock(tx: Tx, { forwardMs, wallMs }: HoldingClockRecord): void {
    this.#clock.put(tx, this.#clock.key(), encodeRow([forwardMs, wallMs]));
  }

  /** Rows that were counted did not reach the disk: count again at the next question. */
  forgetTotals(): void {
    this.#totals = undefined;
  }

  #drop(tx: Tx, entry: CustodyEntry): void {
    this.#counted(tx).add(countedEntry(entry), -1);
    tx.remove(this.#entries.key(uint48(entry.seq)));
    tx.remove(this.#bodyKey(entry.envelopeId));
    for (const [, key] of this.#indexKeys(entry)) tx.remove(key);
  }

  #counted(from: RowReader): CustodyTotals {
    if (this.#totals) return this.#totals;
    const totals = new CustodyTotals();
    this.#sealer.batch(() => {
      for (const { key, plain } of this.#entries.scan(from)) {
        totals.add(this.#entries.decode(plain, countedRow), 1);
        this.#lastSeq = Math.max(this.#lastSeq, key.readUIntBE(key.length - SEQ_BYTES, SEQ_BYTES));
      }
    });
    this.#totals = totals;
    return totals;
  }

  #all(from: RowReader, seqs: readonly Buffer[]): CustodyEntry[] {
    return seqs.map(seq => this.#at(from, seq)).filter(entry => entry !== undefined);
  }

  #at(from: RowReader, seq: Buffer): CustodyEntry | undefined {
    const plain = this.#entries.get(from, this.#entries.key(seq));
    return plain && this.#entries.decode(plain, row => decodeEntry(row, seq.readUIntBE(0, SEQ_BYTES)));
  }

  #indexKeys(entry: CustodyEntry): [Table, Buffer][] {
    const seq = uint48(entry.seq);
    return [
      [this.#index, this.#index.key(this.#tagName(entry.tag), seq)],
      [this.#index, this.#index.key(this.#partName(entry.tag, entry.depositor), seq)],
      [this.#expiry, this.#expiry.key(uint32(Math.floor(entry.expiresAtMs / HOUR_MS)), seq)],
    ];
  }

  #tagName(tag: Uint8Array): Buffer {
    return this.#sealer.nameHash('custody-tag', tag);
  }

  #partName(tag: Uint8Array, depositor: ContactId | null): Buffer {
    return this.#sealer.nameHash('custody-part', Buffer.concat([tag, Buffer.from(depositorName(depositor), 'latin1')]));
  }

  #bodyKey(envelopeId: Uint8Array): Buffer {
    return this.#bodies.key(this.#sealer.nameHash('custody', envelopeId));
  }
}

/** Every key here ends with the number of arrival. */
function seqOf(key: Buffer): Buffer {
  return Buffer.from(key.subarray(key.length - SEQ_BYTES));
}

function decodeClock(plain: Buffer): HoldingClockRecord {
  const [forwardMs, wallMs] = decodeRow(plain, 2);
  return { forwardMs: shape.uint(forwardMs), wallMs: shape.uint(wallMs) };
}
