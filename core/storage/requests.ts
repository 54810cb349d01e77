import { type ContactId, contactIdOf, type IdentityKey, idBytes, parseIdentityKey } from '../base/ids.ts';
import { contactIdFromBytes } from './id-text.ts';
import type { RowPort, RowReader, Tx } from './port.ts';
import type { RequestRecord } from './records.ts';
import { bytesOf, decodeRow, encodeRow, shape, textOf } from './row-codec.ts';
import type { Sealer } from './sealing.ts';
import { Table } from './table.ts';

/** People who ask to become contacts. */
export class RequestRows {
  readonly #port: RowPort;
  readonly #sealer: Sealer;
  readonly #table: Table;

  constructor(port: RowPort, sealer: Sealer) {
    this.#port = port;
    this.#sealer = sealer;
    this.#table = new Table(sealer, 'requests');
  }

  get(id: ContactId, from: RowReader = this.#port): RequestRecord | undefined {
    const plain = this.#table.get(from, this.#key(id));
    return plain && this.#table.decode(plain, decodeRequest);
  }

  list(from: RowReader = this.#port): RequestRecord[] {
    return Array.from(this.#table.scan(from), ({ plain }) => this.#table.decode(plain, decodeRequest));
  }

  put(tx: Tx, r: RequestRecord): void {
    const row = encodeRow([idBytes(r.id), r.identity, r.card, r.initiation, r.receivedAtMs, r.nick]);
    this.#table.put(tx, this.#key(r.id), row);
  }

  remove(tx: Tx, id: ContactId): void {
    tx.remove(this.#key(id));
  }

  #key(id: ContactId): Buffer {
    return this.#table.key(this.#sealer.nameHash('contact', idBytes(id)));
  }
}

/** Identities whose request was declined: they are not asked about again. */
export class DeclinedRows {
  readonly #port: RowPort;
  readonly #sealer: Sealer;
  readonly #table: Table;

  constructor(port: RowPort, sealer: Sealer) {
    this.#port = port;
    this.#sealer = sealer;
    this.#table = new Table(sealer, 'declined');
  }

  has(identity: IdentityKey, from: RowReader = this.#port): boolean {
    return from.has(this.#key(identity));
  }

  add(tx: Tx, identity: IdentityKey): void {
    this.#table.put(tx, this.#key(identity), identity);
  }

  /** For a person the user adds after all. */
  remove(tx: Tx, identity: IdentityKey): void {
    tx.remove(this.#key(identity));
  }

  #key(identity: IdentityKey): Buffer {
    return this.#table.key(this.#sealer.nameHash('contact', idBytes(contactIdOf(identity))));
  }
}

function decodeRequest(plain: Buffer): RequestRecord {
  const f = decodeRow(plain, 6);
  return {
    id: contactIdFromBytes(shape.bytes(f[0], 16)),
    identity: parseIdentityKey(shape.bytes(f[1], 32)),
    card: bytesOf(f[2]),
    initiation: bytesOf(f[3]),
    receivedAtMs: shape.uint(f[4]),
    nick: textOf(f[5]),
  };
}
