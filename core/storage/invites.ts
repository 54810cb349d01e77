import type { RowPort, RowReader, Tx } from './port.ts';
import type { InviteRecord, PrekeyRecord } from './records.ts';
import { bytesOf, decodeRow, encodeRow, shape, uint32 } from './row-codec.ts';
import type { Sealer } from './sealing.ts';
import { Table } from './table.ts';

/** Open invites, by their secret. */
export class InviteRows {
  readonly #port: RowPort;
  readonly #sealer: Sealer;
  readonly #table: Table;

  constructor(port: RowPort, sealer: Sealer) {
    this.#port = port;
    this.#sealer = sealer;
    this.#table = new Table(sealer, 'invites');
  }

  get(secret: Uint8Array, from: RowReader = this.#port): InviteRecord | undefined {
    const plain = this.#table.get(from, this.#key(secret));
    return plain && this.#table.decode(plain, decodeInvite);
  }

  list(from: RowReader = this.#port): InviteRecord[] {
    return Array.from(this.#table.scan(from), ({ plain }) => this.#table.decode(plain, decodeInvite));
  }

  put(tx: Tx, invite: InviteRecord): void {
    const row = encodeRow([invite.secret, invite.createdAtMs, invite.expiresAtMs]);
    this.#table.put(tx, this.#key(invite.secret), row);
  }

  remove(tx: Tx, secret: Uint8Array): void {
    tx.remove(this.#key(secret));
  }

  #key(secret: Uint8Array): Buffer {
    return this.#table.key(this.#sealer.nameHash('invite', secret));
  }
}

/** Own signed prekeys with their secrets, by number. */
export class PrekeyRows {
  readonly #port: RowPort;
  readonly #table: Table;

  constructor(port: RowPort, sealer: Sealer) {
    this.#port = port;
    this.#table = new Table(sealer, 'prekeys');
  }

  get(id: number, from: RowReader = this.#port): PrekeyRecord | undefined {
    const plain = this.#table.get(from, this.#table.key(uint32(id)));
    return plain && this.#table.decode(plain, decodePrekey);
  }

  /** Oldest number first. */
  list(from: RowReader = this.#port): PrekeyRecord[] {
    return Array.from(this.#table.scan(from), ({ plain }) => this.#table.decode(plain, decodePrekey));
  }

  put(tx: Tx, prekey: PrekeyRecord): void {
    const row = encodeRow([prekey.id, prekey.bytes, prekey.createdAtMs, prekey.expiresAtMs]);
    this.#table.put(tx, this.#table.key(uint32(prekey.id)), row);
  }

  remove(tx: Tx, id: number): void {
    tx.remove(this.#table.key(uint32(id)));
  }
}

function decodeInvite(plain: Buffer): InviteRecord {
  const f = decodeRow(plain, 3);
  return { secret: shape.bytes(f[0], 16), createdAtMs: shape.uint(f[1]), expiresAtMs: shape.uint(f[2]) };
}

function decodePrekey(plain: Buffer): PrekeyRecord {
  const f = decodeRow(plain, 4);
  return {
    id: shape.uint(f[0]),
    bytes: bytesOf(f[1]),
    createdAtMs: shape.uint(f[2]),
    expiresAtMs: shape.uint(f[3]),
  };
}
