import { type ContactId, idBytes } from '../base/ids.ts';
import type { RowPort, RowReader, Tx } from './port.ts';
import type { PendingRecord } from './records.ts';
import { bytesOf, decodeRow, encodeRow, shape, uint48 } from './row-codec.ts';
import type { Sealer } from './sealing.ts';
import { Table } from './table.ts';

/** Contents that wait for a session, in the order of `seq`. */
export class PendingRows {
  readonly #port: RowPort;
  readonly #sealer: Sealer;
  readonly #table: Table;

  constructor(port: RowPort, sealer: Sealer) {
    this.#port = port;
    this.#sealer = sealer;
    this.#table = new Table(sealer, 'pending');
  }

  add(tx: Tx, contact: ContactId, seq: number, content: Uint8Array): void {
    this.#table.put(tx, this.#key(contact, seq), encodeRow([seq, content]));
  }

  listOf(contact: ContactId, limit: number, from: RowReader = this.#port): PendingRecord[] {
    const rows = this.#table.scan(from, this.#table.key(this.#name(contact)), { limit });
    return Array.from(rows, ({ plain }) => this.#table.decode(plain, row => decodePending(row, contact)));
  }

  remove(tx: Tx, contact: ContactId, seq: number): void {
    tx.remove(this.#key(contact, seq));
  }

  /** Those of a contact's contents that `isGone` says; the order of the others stays. */
  removeWhere(tx: Tx, contact: ContactId, isGone: (content: Uint8Array) => boolean): void {
    for (const { key, plain } of [...this.#table.scan(tx, this.#table.key(this.#name(contact)))]) {
      if (isGone(this.#table.decode(plain, row => decodePending(row, contact)).content)) tx.remove(key);
    }
  }

  removeAllOf(tx: Tx, contact: ContactId): void {
    this.#table.removeAll(tx, this.#table.key(this.#name(contact)));
  }

  #name(contact: ContactId): Buffer {
    return this.#sealer.nameHash('pending', idBytes(contact));
  }

  #key(contact: ContactId, seq: number): Buffer {
    return this.#table.key(this.#name(contact), uint48(seq));
  }
}

function decodePending(plain: Buffer, contact: ContactId): PendingRecord {
  const [seq, content] = decodeRow(plain, 2);
  return { contact, seq: shape.uint(seq), content: bytesOf(content) };
}
