import { type ContactId, idBytes } from '../base/ids.ts';
import { contactIdFromBytes } from './id-text.ts';
import type { RowPort, RowReader, Tx } from './port.ts';
import type { KeyPackageRecord, KeyPackageSuite, PeerKeyPackagesRecord } from './records.ts';
import { bytesOf, decodeRow, encodeRow, listOf, orNull, shape, wordOf } from './row-codec.ts';
import type { Sealer } from './sealing.ts';
import { Table } from './table.ts';

const SUITES: readonly KeyPackageSuite[] = ['classical', 'hybrid'];

/** Own key packages with their secrets. */
export class OwnKeyPackageRows {
  readonly #port: RowPort;
  readonly #table: Table;

  constructor(port: RowPort, sealer: Sealer) {
    this.#port = port;
    this.#table = new Table(sealer, 'keyPackages');
  }

  list(from: RowReader = this.#port): KeyPackageRecord[] {
    return Array.from(this.#table.scan(from), ({ plain }) => this.#table.decode(plain, decodeOwn));
  }

  put(tx: Tx, { id, contact, suite, keyPackage, secret, createdAtMs }: KeyPackageRecord): void {
    const row = encodeRow([id, contact && idBytes(contact), SUITES.indexOf(suite), keyPackage, secret, createdAtMs]);
    this.#table.put(tx, this.#table.key(id), row);
    row.fill(0);
  }

  remove(tx: Tx, id: Uint8Array): void {
    tx.remove(this.#table.key(id));
  }
}

/** Contacts' key packages. */
export class PeerKeyPackageRows {
  readonly #port: RowPort;
  readonly #sealer: Sealer;
  readonly #table: Table;

  constructor(port: RowPort, sealer: Sealer) {
    this.#port = port;
    this.#sealer = sealer;
    this.#table = new Table(sealer, 'peerKeyPackages');
  }

  get(contact: ContactId, from: RowReader = this.#port): PeerKeyPackagesRecord | undefined {
    const plain = this.#table.get(from, this.#key(contact));
    return plain && this.#table.decode(plain, decodePeer);
  }

  put(tx: Tx, { contact, oneTime, lastResort }: PeerKeyPackagesRecord): void {
    this.#table.put(tx, this.#key(contact), encodeRow([idBytes(contact), [...oneTime], [...lastResort]]));
  }

  remove(tx: Tx, contact: ContactId): void {
    tx.remove(this.#key(contact));
  }

  #key(contact: ContactId): Buffer {
    return this.#table.key(this.#sealer.nameHash('contact', idBytes(contact)));
  }
}

function decodeOwn(plain: Buffer): KeyPackageRecord {
  const [id, contact, suite, keyPackage, secret, createdAtMs] = decodeRow(plain, 6);
  return {
    id: shape.bytes(id, 16),
    contact: orNull(contact, value => contactIdFromBytes(shape.bytes(value, 16))),
    suite: wordOf(SUITES, suite),
    keyPackage: bytesOf(keyPackage),
    secret: bytesOf(secret),
    createdAtMs: shape.uint(createdAtMs),
  };
}

function decodePeer(plain: Buffer): PeerKeyPackagesRecord {
  const [contact, oneTime, lastResort] = decodeRow(plain, 3);
  return {
    contact: contactIdFromBytes(shape.bytes(contact, 16)),
    oneTime: listOf(oneTime, bytesOf),
    lastResort: listOf(lastResort, bytesOf),
  };
}
