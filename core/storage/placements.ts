import { type ContactId, type EnvelopeId, idBytes, type MessageId, parseEnvelopeId } from '../base/ids.ts';
import { contactIdFromBytes } from './id-text.ts';
import { afterPrefix, type RowPort, type RowReader, type Tx } from './port.ts';
import type { PlacementRecord } from './records.ts';
import { bytesOf, decodeRow, encodeRow, messageIdField, messageIdOrNull, shape } from './row-codec.ts';
import { NAME_HASH_BYTES, type Sealer } from './sealing.ts';
import { Table } from './table.ts';

/** Names of envelope and custodian, which end every key here. */
const NAME_BYTES = 2 * NAME_HASH_BYTES;

/** The receipts of custodians: by envelope and custodian, with an index by message and by custodian. */
export class PlacementRows {
  readonly #port: RowPort;
  readonly #sealer: Sealer;
  readonly #table: Table;
  readonly #index: Table;

  constructor(port: RowPort, sealer: Sealer) {
    this.#port = port;
    this.#sealer = sealer;
    this.#table = new Table(sealer, 'placements');
    this.#index = new Table(sealer, 'placementIndex');
  }

  /** Adds a placement, or replaces the one of the same envelope and custodian. */
  put(tx: Tx, placement: PlacementRecord): void {
    const name = this.#name(placement);
    const key = this.#table.key(name);
    if (!tx.has(key)) {
      for (const prefix of this.#indexPrefixes(placement)) {
        this.#index.put(tx, Buffer.concat([prefix, name]), Buffer.of());
      }
    }
    this.#table.put(tx, key, encodePlacement(placement));
  }

  get(envelopeId: EnvelopeId, custodian: ContactId, from: RowReader = this.#port): PlacementRecord | undefined {
    return this.#at(from, this.#name({ envelopeId, custodian }));
  }

  listOf(envelopeId: EnvelopeId, from: RowReader = this.#port): PlacementRecord[] {
    const rows = this.#table.scan(from, this.#table.key(this.#envelopeName(envelopeId)));
    return Array.from(rows, ({ plain }) => this.#table.decode(plain, decodePlacement));
  }

  listOfMessage(id: MessageId, from: RowReader = this.#port): PlacementRecord[] {
    return this.#listed(from, this.#messagePrefix(id), Number.MAX_SAFE_INTEGER);
  }

  /** At most `limit`, in no particular order. */
  listOfCustodian(custodian: ContactId, limit: number, from: RowReader = this.#port): PlacementRecord[] {
    return this.#listed(from, this.#custodianPrefix(custodian), limit);
  }

  /** Every placement, opened one by one as they are asked for. */
  *all(from: RowReader = this.#port): Iterable<PlacementRecord> {
    for (const { plain } of this.#table.scan(from)) yield this.#table.decode(plain, decodePlacement);
  }

  remove(tx: Tx, envelopeId: EnvelopeId, custodian: ContactId): void {
    const placement = this.get(envelopeId, custodian, tx);
    if (placement) this.#drop(tx, placement);
  }

  /** The envelope was delivered, or expired. */
  removeAllOf(tx: Tx, envelopeId: EnvelopeId): void {
    for (const placement of this.listOf(envelopeId, tx)) this.#drop(tx, placement);
  }

  removeAllOfCustodian(tx: Tx, custodian: ContactId): void {
    for (const placement of this.listOfCustodian(custodian, Number.MAX_SAFE_INTEGER, tx)) this.#drop(tx, placement);
  }

  removeAll(tx: Tx): void {
    for (const table of [this.#table, this.#index]) table.removeAll(tx, table.key());
  }

  #drop(tx: Tx, placement: PlacementRecord): void {
    const name = this.#name(placement);
    tx.remove(this.#table.key(name));
    for (const prefix of this.#indexPrefixes(placement)) tx.remove(Buffer.concat([prefix, name]));
  }

  #listed(from: RowReader, prefix: Buffer, limit: number): PlacementRecord[] {
    const found: PlacementRecord[] = [];
    for (const key of from.keys(prefix, afterPrefix(prefix), { limit })) {
      const placement = this.#at(from, key.subarray(key.length - NAME_BYTES));
      if (placement) found.push(placement);
    }
    return found;
  }

  #at(from: RowReader, name: Buffer): PlacementRecord | undefined {
    const plain = this.#table.get(from, this.#table.key(name));
    return plain && this.#table.decode(plain, decodePlacement);
  }

  #indexPrefixes({ messageId, custodian }: PlacementRecord): Buffer[] {
    const prefixes = [this.#custodianPrefix(custodian)];
    return messageId === null ? prefixes : [...prefixes, this.#messagePrefix(messageId)];
  }

  #messagePrefix(id: MessageId): Buffer {
    return this.#index.key(this.#sealer.nameHash('placement-message', idBytes(id)));
  }

  #custodianPrefix(custodian: ContactId): Buffer {
    return this.#index.key(this.#sealer.nameHash('placement-custodian', idBytes(custodian)));
  }

  #envelopeName(envelopeId: EnvelopeId): Buffer {
    return this.#sealer.nameHash('placement', envelopeId);
  }

  #name({ envelopeId, custodian }: Pick<PlacementRecord, 'envelopeId' | 'custodian'>): Buffer {
    const custodianName = this.#sealer.nameHash('custodian', idBytes(custodian));
    return Buffer.concat([this.#envelopeName(envelopeId), custodianName]);
  }
}

function encodePlacement(p: PlacementRecord): Buffer {
  const people = [idBytes(p.contact), idBytes(p.custodian)];
  return encodeRow([p.envelopeId, messageIdField(p.messageId), ...people, p.changedAtMs, p.untilMs, p.receipt]);
}

function decodePlacement(plain: Buffer): PlacementRecord {
  const f = decodeRow(plain, 7);
  return {
    envelopeId: parseEnvelopeId(shape.bytes(f[0], 32)),
    messageId: messageIdOrNull(f[1]),
    contact: contactIdFromBytes(shape.bytes(f[2], 16)),
    custodian: contactIdFromBytes(shape.bytes(f[3], 16)),
    changedAtMs: shape.uint(f[4]),
    untilMs: shape.uint(f[5]),
    receipt: bytesOf(f[6]),
  };
}
