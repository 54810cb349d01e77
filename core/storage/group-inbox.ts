import { hex } from '../base/bytes.ts';
import { judgeDeadline } from '../base/deadline.ts';
import { type GroupId, groupIdFromBytes, idBytes, parseEnvelopeId } from '../base/ids.ts';
import { LIMITS } from '../base/limits.ts';
import { parcelFields, parcelFrom } from '../wire/group-parcel.ts';
import { contactIdFromBytes } from './id-text.ts';
import type { RowPort, RowReader, Tx } from './port.ts';
import type { GroupInboxRecord, LayerOrigin } from './records.ts';
import { decodeRow, encodeRow, orNull, shape, uint48 } from './row-codec.ts';
import type { Sealer } from './sealing.ts';
import { Table } from './table.ts';

/** 16 bytes in hex, or none. */
const SHARE_CHARACTERS = 32;

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

  /**
   * @param newest names the group's outer secret that nobody who was removed knows
   * @returns what there is no room for, and is as if it had not come: what has waited longest for its other parts, or else the record itself
   */
  put(tx: Tx, record: GroupInboxRecord, newest?: string): readonly GroupInboxRecord[] {
    const { group, from, layer, seq, expiresAtMs, parcel } = record;
    const isOld = (other: GroupInboxRecord): boolean => other.layer !== null && other.layer.share !== newest;
    const rivals = this.#from(tx, record).filter(other => isOld(other) === isOld(record));
    const gone = tooMuch(rivals, record, isOld(record) ? LIMITS.groupOldInbox : LIMITS.groupInbox);
    for (const other of gone) this.remove(tx, other);
    if (gone.includes(record)) return gone;
    const came = layer && [layer.envelopeId, layer.share];
    const row = [idBytes(group), from && idBytes(from), came, seq, expiresAtMs, parcelFields(parcel)];
    this.#table.put(tx, this.#key(group, seq), encodeRow(row));
    return gone;
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
  #from(tx: Tx, { from, group }: GroupInboxRecord): GroupInboxRecord[] {
    const theirs = from === null ? this.listOf(group, tx) : this.list(tx);
    return theirs.filter(record => record.from === from);
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

/** The parts of each parcel, in the order in which the first of them came. */
export function partSets(records: readonly GroupInboxRecord[]): (readonly GroupInboxRecord[])[] {
  const inOrder = [...records].sort((a, b) => a.seq - b.seq);
  return [...Map.groupBy(inOrder, setOf).values()];
}

export function isWhole(parts: readonly GroupInboxRecord[]): boolean {
  return new Set(parts.map(({ parcel }) => parcel.index)).size === parts[0]?.parcel.count;
}

function setOf({ group, from, layer, parcel }: GroupInboxRecord): string {
  return [group, from, layer?.share, parcel.what, parcel.count, hex(parcel.id)].join(' ');
}

/** What is whole is taken soon, and waits for nobody's parts. */
function tooMuch(rivals: readonly GroupInboxRecord[], record: GroupInboxRecord, room: number): GroupInboxRecord[] {
  const others = partSets(rivals).filter(
    parts => !isWhole(parts) && setOf(parts[0] as GroupInboxRecord) !== setOf(record),
  );
  const gone: GroupInboxRecord[] = [];
  while (rivals.length - gone.length >= room) {
    const oldest = others.shift();
    if (!oldest) return [...gone, record];
    gone.push(...oldest);
  }
  return gone;
}

function decodeInbox(plain: Buffer): GroupInboxRecord {
  const [group, from, layer, seq, expiresAtMs, parcel] = decodeRow(plain, 6);
  return {
    group: groupIdFromBytes(shape.bytes(group, 16)),
    from: orNull(from, id => contactIdFromBytes(shape.bytes(id, 16))),
    layer: orNull(layer, decodeLayer),
    seq: shape.uint(seq),
    expiresAtMs: shape.uint(expiresAtMs),
    parcel: parcelFrom(shape.tuple(parcel, 5)),
  };
}

function decodeLayer(value: unknown): LayerOrigin {
  const [envelopeId, share] = shape.tuple(value, 2);
  return { envelopeId: parseEnvelopeId(shape.bytes(envelopeId, 32)), share: shape.text(share, SHARE_CHARACTERS) };
}
