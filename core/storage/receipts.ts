import { type ContactId, idBytes, type MessageId } from '../base/ids.ts';
import type { RowPort, RowReader, Tx } from './port.ts';
import type { Sealer } from './sealing.ts';
import { Table } from './table.ts';

/** Signed proofs of what became of a message, by message and type (one byte). */
export class ReceiptRows {
  readonly #port: RowPort;
  readonly #sealer: Sealer;
  readonly #table: Table;

  constructor(port: RowPort, sealer: Sealer) {
    this.#port = port;
    this.#sealer = sealer;
    this.#table = new Table(sealer, 'receipts');
  }

  get(id: MessageId, type: number, from: RowReader = this.#port): Buffer | undefined {
    return this.#table.get(from, this.#key(id, type));
  }

  put(tx: Tx, id: MessageId, type: number, proof: Uint8Array): void {
    this.#table.put(tx, this.#key(id, type), proof);
  }

  removeAllOf(tx: Tx, id: MessageId): void {
    this.#table.removeAll(tx, this.#table.key(this.#sealer.nameHash('receipt', idBytes(id))));
  }

  #key(id: MessageId, type: number): Buffer {
    return this.#table.key(this.#sealer.nameHash('receipt', idBytes(id)), Buffer.of(type));
  }
}

/** The verification under way with a contact, as its own bytes. */
export class VerificationRows {
  readonly #port: RowPort;
  readonly #sealer: Sealer;
  readonly #table: Table;

  constructor(port: RowPort, sealer: Sealer) {
    this.#port = port;
    this.#sealer = sealer;
    this.#table = new Table(sealer, 'verifications');
  }

  get(contact: ContactId, from: RowReader = this.#port): Buffer | undefined {
    return this.#table.get(from, this.#key(contact));
  }

  put(tx: Tx, contact: ContactId, state: Uint8Array): void {
    this.#table.put(tx, this.#key(contact), state);
  }

  remove(tx: Tx, contact: ContactId): void {
    tx.remove(this.#key(contact));
  }

  #key(contact: ContactId): Buffer {
    return this.#table.key(this.#sealer.nameHash('verification', idBytes(contact)));
  }
}
