import { type ContactId, type GroupId, groupIdFromBytes, idBytes } from '../base/ids.ts';
import { LIMITS } from '../base/limits.ts';
import { contactIdFromBytes } from './id-text.ts';
import type { RowPort, RowReader, Tx } from './port.ts';
import type { DeletedGroupRecord } from './records.ts';
import { decodeRow, encodeRow, listOf, shape } from './row-codec.ts';
import type { Sealer } from './sealing.ts';
import { Table } from './table.ts';

/** Groups that were deleted here: what still comes of them is not taken. */
export class DeletedGroupRows {
  readonly #port: RowPort;
  readonly #sealer: Sealer;
  readonly #table: Table;

  constructor(port: RowPort, sealer: Sealer) {
    this.#port = port;
    this.#sealer = sealer;
    this.#table = new Table(sealer, 'deletedGroups');
  }

  has(group: GroupId, from: RowReader = this.#port): boolean {
    return from.has(this.#key(group));
  }

  get(group: GroupId, from: RowReader = this.#port): DeletedGroupRecord | undefined {
    const plain = this.#table.get(from, this.#key(group));
    return plain && this.#table.decode(plain, decodeDeleted);
  }

  /** Past the limit the one that was deleted first is forgotten. */
  put(tx: Tx, { group, deletedAtMs, honoured }: DeletedGroupRecord): void {
    const all = Array.from(this.#table.scan(tx), ({ plain }) => this.#table.decode(plain, decodeDeleted));
    const others = all.filter(other => other.group !== group).sort((a, b) => b.deletedAtMs - a.deletedAtMs);
    for (const old of others.slice(LIMITS.groupsDeleted - 1)) this.remove(tx, old.group);
    const asks = [...honoured].map(([author, number]) => [idBytes(author), number]);
    this.#table.put(tx, this.#key(group), encodeRow([idBytes(group), deletedAtMs, asks]));
  }

  remove(tx: Tx, group: GroupId): void {
    tx.remove(this.#key(group));
  }

  #key(group: GroupId): Buffer {
    return this.#table.key(this.#sealer.nameHash('group', idBytes(group)));
  }
}

function decodeDeleted(plain: Buffer): DeletedGroupRecord {
  const [group, deletedAtMs, honoured] = decodeRow(plain, 3);
  return {
    group: groupIdFromBytes(shape.bytes(group, 16)),
    deletedAtMs: shape.uint(deletedAtMs),
    honoured: new Map(listOf(honoured, decodeHonoured)),
  };
}

function decodeHonoured(value: unknown): [ContactId, number] {
  const [author, number] = shape.tuple(value, 2);
  return [contactIdFromBytes(shape.bytes(author, 16)), shape.uint(number)];
}
