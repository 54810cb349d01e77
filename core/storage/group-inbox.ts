import { judgeDeadline } from '../base/deadline.ts';
import { type GroupId, groupIdFromBytes, idBytes } from '../base/ids.ts';
import { LIMITS } from '../base/limits.ts';
import { parcelFields, parcelFrom } from '../wire/group-parcel.ts';
import { contactIdFromBytes } from './id-text.ts';
import type { RowPort, RowReader, Tx } from './port.ts';
import type { GroupInboxRecord } from './records.ts';
import { decodeRow, encodeRow, orNull, shape, uint48 } from './row-codec.ts';
import type { Sealer } from './sealing.ts';
import { Table } from './table.ts';

/** What came for groups and cannot be taken yet, by group and order of arrival. */
export class GroupInboxRows {
  readonly #port: RowPort;
  readonly #sealer: Sealer;
  readonly #table: Table;

  constructor(port: RowPort, sealer: Sealer) {
    this.#port = port;
    this.#sealer = sealer;
    this.#table = new Table(sealer, 'groupInbox');
  }

  listOf(group: GroupId, from: RowReader = this.#port): GroupInboxRecord[] {
    return this.#read(from, this.#table.key(this.#name(group)));
  }

  list(from: RowReader = this.#port): GroupInboxRecord[] {
    return this.#read(from);
  }

  /** What has no room is left: whoever sent it can be asked again. */
  put(tx: Tx, record: GroupInboxRecord): void {
    if (this.#countFrom(tx, record) >= LIMITS.groupInbox) return;
    const { group, from, seq, expiresAtMs, parcel } = record;
    const row = [idBytes(group), from && idBytes(from), seq, expiresAtMs, parcelFields(parcel)];
    this.#table.put(tx, this.#key(group, seq), encodeRow(row));
  }

  remove(tx: Tx, { group, seq }: GroupInboxRecord): void {
    tx.remove(this.#key(group, seq));
  }

  removeAllOf(tx: Tx, group: GroupId): void {
    this.#table.removeAll(tx, this.#table.key(this.#name(group)));
  }

  sweep(tx: Tx, nowMs: number): void {
    for (const record of this.#read(tx)) {
      const verdict = judgeDeadline(record.expiresAtMs, LIMITS.envelopeLifetimeMs, nowMs);
      if (verdict !== 'waits') this.remove(tx, record);
    }
  }

  /** Of one contact for all groups together, or of one group: else whoever makes up groups fills the disk. */
  #countFrom(tx: Tx, { from, group }: GroupInboxRecord): number {
    const theirs = from === null ? this.listOf(group, tx) : this.list(tx);
    return theirs.filter(record => record.from === from).length;
  }

  #read(from: RowReader, prefix?: Buffer): GroupInboxRecord[] {
    return Array.from(this.#table.scan(from, prefix), ({ plain }) => this.#table.decode(plain, decodeInbox));
  }

  #name(group: GroupId): Buffer {
    return this.#sealer.nameHash('group', idBytes(group));
  }

  #key(group: GroupId, seq: number): Buffer {
    return this.#table.key(this.#name(group), uint48(seq));
  }
}

function decodeInbox(plain: Buffer): GroupInboxRecord {
  const [group, from, seq, expiresAtMs, parcel] = decodeRow(plain, 5);
  return {
    group: groupIdFromBytes(shape.bytes(group, 16)),
    from: orNull(from, id => contactIdFromBytes(shape.bytes(id, 16))),
    seq: shape.uint(seq),
    expiresAtMs: shape.uint(expiresAtMs),
    parcel: parcelFrom(shape.tuple(parcel, 5)),
  };
}
