import { type ContactId, idBytes } from '../base/ids.ts';
import type { RowPort, RowReader, Tx } from './port.ts';
import type { UptimeRecord } from './records.ts';
import { decodeRow, encodeRow, shape } from './row-codec.ts';
import type { Sealer } from './sealing.ts';
import { Table } from './table.ts';

const BIT_BYTES = 21;

/** In which of the last hours contacts were seen; one small row each. */
export class UptimeRows {
  readonly #port: RowPort;
  readonly #sealer: Sealer;
  readonly #table: Table;

  constructor(port: RowPort, sealer: Sealer) {
    this.#port = port;
    this.#sealer = sealer;
    this.#table = new Table(sealer, 'uptime');
  }

  get(contact: ContactId, from: RowReader = this.#port): UptimeRecord | undefined {
    const plain = this.#table.get(from, this.#key(contact));
    return plain && this.#table.decode(plain, decodeUptime);
  }

  /** @returns false, and writes nothing, when that is what stands there */
  put(tx: Tx, contact: ContactId, uptime: UptimeRecord): boolean {
    const key = this.#key(contact);
    const plain = encodeRow([uptime.lastHour, uptime.bits]);
    if (this.#table.get(tx, key)?.equals(plain)) return false;
    this.#table.put(tx, key, plain);
    return true;
  }

  remove(tx: Tx, contact: ContactId): void {
    tx.remove(this.#key(contact));
  }

  #key(contact: ContactId): Buffer {
    return this.#table.key(this.#sealer.nameHash('uptime', idBytes(contact)));
  }
}

function decodeUptime(plain: Buffer): UptimeRecord {
  const [lastHour, bits] = decodeRow(plain, 2);
  return { lastHour: shape.uint(lastHour), bits: shape.bytes(bits, BIT_BYTES) };
}
