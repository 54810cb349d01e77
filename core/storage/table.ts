import { CoreError, DecodeError } from '../base/errors.ts';
import { afterPrefix, type RangeOptions, type RowReader, type Tx } from './port.ts';
import { damagedRow, type Sealer } from './sealing.ts';
import { TABLES, type TableName } from './tables.ts';

export interface OpenRow {
  readonly key: Buffer;
  readonly plain: Buffer;
}

/** Sealed rows of one table. `parts` of a key are joined behind the table's byte. */
export class Table {
  readonly name: TableName;
  readonly #sealer: Sealer;
  readonly #head: Buffer;

  constructor(sealer: Sealer, name: TableName) {
    this.name = name;
    this.#sealer = sealer;
    this.#head = Buffer.of(TABLES[name]);
  }

  key(...parts: readonly Uint8Array[]): Buffer {
    return Buffer.concat([this.#head, ...parts]);
  }

  get(from: RowReader, key: Buffer): Buffer | undefined {
    const sealed = from.get(key);
    return sealed && this.#sealer.open(this.name, key, sealed);
  }

  put(tx: Tx, key: Buffer, plain: Uint8Array): void {
    tx.put(key, this.#sealer.seal(this.name, key, plain));
  }

  /** Rows whose key begins with `prefix`, opened one by one as they are asked for. */
  *scan(from: RowReader, prefix: Buffer = this.#head, options?: RangeOptions): Iterable<OpenRow> {
    for (const { key, value } of from.range(prefix, afterPrefix(prefix), options)) {
      yield { key, plain: this.#sealer.open(this.name, key, value) };
    }
  }

  keys(from: RowReader, prefix: Buffer = this.#head, options?: RangeOptions): Iterable<Buffer> {
    return from.keys(prefix, afterPrefix(prefix), options);
  }

  removeAll(tx: Tx, prefix: Buffer): void {
    for (const key of [...this.keys(tx, prefix)]) tx.remove(key);
  }

  /** Runs a row decoder; a row that opened and does not decode was written by a fault: still damage. */
  decode<T>(plain: Buffer, decode: (plain: Buffer) => T): T {
    try {
      return decode(plain);
    } catch (cause) {
      if (cause instanceof DecodeError || !(cause instanceof CoreError)) throw damagedRow(this.name, cause);
      throw cause;
    }
  }
}
