import { HLC_BYTES } from '../base/hlc.ts';
import { type ConversationId, idBytes } from '../base/ids.ts';
import { LIMITS } from '../base/limits.ts';
import { hlcBytesOfRow, idBytesOfRow, packBlock, packedBytes, unpackBlock } from './message-codec.ts';
import { afterPrefix, type RowReader, type Tx } from './port.ts';
import { SEAL_BYTES, type Sealer } from './sealing.ts';
import { Table } from './table.ts';

/** An opened message row with its place: keyed hash of the conversation 16, HLC 8, keyed hash of the id 8. */
export interface PlacedRow {
  readonly place: Buffer;
  readonly row: Buffer;
}

export const PLACE_BYTES = 32;
const ID_HASH_BYTES = 8;

/**
 * The messages of a conversation in order of place: new ones as single rows, older ones merged into sealed blocks
 * (small values cost four times what blocks cost). A block stands under its last message's place. Blocks never
 * overlap; singles may lie anywhere, so a message that comes late is a single until the next merge.
 */
export class MessageLog {
  readonly #sealer: Sealer;
  readonly #singles: Table;
  readonly #blocks: Table;
  /** As many as there are conversations. */
  readonly #names = new Map<ConversationId, Buffer>();

  constructor(sealer: Sealer) {
    this.#sealer = sealer;
    this.#singles = new Table(sealer, 'messages');
    this.#blocks = new Table(sealer, 'blocks');
  }

  placeOf(conversation: ConversationId, hlc: Uint8Array, id: Uint8Array): Buffer {
    const tie = this.#sealer.nameHash('message', id).subarray(0, ID_HASH_BYTES);
    return Buffer.concat([this.#conversationName(conversation), hlc, tie]);
  }

  put(tx: Tx, key: Buffer, place: Buffer, row: Buffer): void {
    const rowKey = this.#singles.key(place);
    tx.put(rowKey, this.#sealer.seal('messages', rowKey, row, key));
  }

  /** The row at a place known to hold one; undefined when it does not. */
  find(from: RowReader, key: Buffer, place: Buffer): Buffer | undefined {
    const rowKey = this.#singles.key(place);
    const single = from.get(rowKey);
    if (single) return this.#sealer.open('messages', rowKey, single, key);
    const end = this.#blocks.key(afterPrefix(place.subarray(0, 16)));
    for (const block of from.range(this.#blocks.key(place), end, { limit: 1 })) {
      const rows = this.#openBlock(block.key, block.value, key);
      return rows.find(({ place: at }) => at.equals(place))?.row;
    }
    return undefined;
  }

  /**
   * Newest first, from just below `before` (or the end). Places say nothing of equal times, which stand in the
   * order of their ids, the same on every machine, and are put into it here.
   * @param before HLC 8, message id 16
   */
  *newestFirst(from: RowReader, key: Buffer, conversation: ConversationId, before?: Buffer): Iterable<PlacedRow> {
    const name = this.#conversationName(conversation);
    const end = afterPrefix(before ? Buffer.concat([name, before.subarray(0, HLC_BYTES)]) : name);
    for (const placed of tiesInOrder(this.#placedDown(from, key, name, end))) {
      if (!before || Buffer.compare(orderOf(placed), before) < 0) yield placed;
    }
  }

  *#placedDown(from: RowReader, key: Buffer, name: Buffer, end: Buffer): Iterable<PlacedRow> {
    const singles = from.range(this.#singles.key(name), this.#singles.key(end), { reverse: true })[Symbol.iterator]();
    let single = singles.next();
    for (const placed of this.#blockRowsDown(from, key, name, end)) {
      while (!single.done && Buffer.compare(single.value.key.subarray(1), placed.place) > 0) {
        yield this.#openSingle(single.value, key);
        single = singles.next();
      }
      yield placed;
    }
    for (; !single.done; single = singles.next()) yield this.#openSingle(single.value, key);
  }

  /**
   * Merges at most LIMITS.mergeSingles single rows into blocks.
   * @returns how many singles are gone
   */
  merge(tx: Tx, key: Buffer, conversation: ConversationId): number {
    const prefix = this.#singles.key(this.#conversationName(conversation));
    const singles: PlacedRow[] = [];
    for (const row of tx.range(prefix, afterPrefix(prefix))) {
      if (row.value.length > LIMITS.blockBytes) continue;
      const placed = this.#openSingle(row, key);
      if (fitsBlock(placed.row)) singles.push(placed);
      if (singles.length >= LIMITS.mergeSingles) break;
    }
    for (let at = 0; at < singles.length; ) at = this.#mergeRun(tx, key, singles, at);
    for (const { place } of singles) tx.remove(this.#singles.key(place));
    return singles.length;
  }

  /** Removes every row of the conversation, and gives each to `each` before. */
  removeAll(tx: Tx, key: Buffer, conversation: ConversationId, each: (row: Buffer) => void): void {
    for (const { row } of this.newestFirst(tx, key, conversation)) each(row);
    const name = this.#conversationName(conversation);
    this.#singles.removeAll(tx, this.#singles.key(name));
    this.#blocks.removeAll(tx, this.#blocks.key(name));
  }

  /** Merges the run of singles from `at` that lie before one and the same block; returns where the run ends. */
  #mergeRun(tx: Tx, key: Buffer, singles: readonly PlacedRow[], at: number): number {
    const first = (singles[at] as PlacedRow).place;
    const name = first.subarray(0, 16);
    const next = this.#neighbour(tx, key, this.#blocks.key(first), this.#blocks.key(afterPrefix(name)), false);
    let end = at + 1;
    while (end < singles.length && (!next || Buffer.compare((singles[end] as PlacedRow).place, next.last) < 0))
      end += 1;
    const run = singles.slice(at, end);
    const rows: PlacedRow[] = [...run];
    const before = this.#neighbour(tx, key, this.#blocks.key(name), this.#blocks.key(first), true);
    // a half-filled block before the run takes it in; a full one stays as it is
    if (before && before.bytes <= LIMITS.blockBytes / 2) this.#takeIn(tx, before, rows);
    const overlaps = next && Buffer.compare((next.rows[0] as PlacedRow).place, (run.at(-1) as PlacedRow).place) < 0;
    if (next && overlaps) this.#takeIn(tx, next, rows);
    rows.sort((a, b) => Buffer.compare(a.place, b.place));
    for (const block of split(rows)) this.#putBlock(tx, key, block);
    return end;
  }

  #takeIn(tx: Tx, block: OpenBlock, rows: PlacedRow[]): void {
    tx.remove(this.#blocks.key(block.last));
    rows.push(...block.rows);
  }

  #neighbour(tx: Tx, key: Buffer, from: Buffer, to: Buffer, reverse: boolean): OpenBlock | undefined {
    for (const block of tx.range(from, to, { limit: 1, reverse })) {
      const rows = this.#openBlock(block.key, block.value, key);
      return { last: block.key.subarray(1), rows, bytes: block.value.length };
    }
    return undefined;
  }

  #putBlock(tx: Tx, key: Buffer, rows: readonly PlacedRow[]): void {
    const rowKey = this.#blocks.key((rows.at(-1) as PlacedRow).place);
    tx.put(rowKey, this.#sealer.seal('blocks', rowKey, packBlock(rows.map(({ row }) => row)), key));
  }

  #openSingle(single: { key: Buffer; value: Buffer }, key: Buffer): PlacedRow {
    const row = this.#sealer.open('messages', single.key, single.value, key);
    return { place: single.key.subarray(1), row };
  }

  #openBlock(rowKey: Buffer, value: Buffer, key: Buffer): PlacedRow[] {
    const plain = this.#sealer.open('blocks', rowKey, value, key);
    const name = rowKey.subarray(1, 17);
    const rows = this.#blocks.decode(plain, unpackBlock);
    return rows.map(row => ({ row, place: this.#placeIn(name, row) }));
  }

  #placeIn(name: Buffer, row: Buffer): Buffer {
    const tie = this.#sealer.nameHash('message', idBytesOfRow(row)).subarray(0, ID_HASH_BYTES);
    return Buffer.concat([name, hlcBytesOfRow(row), tie]);
  }

  *#blockRowsDown(from: RowReader, key: Buffer, name: Buffer, end: Buffer): Iterable<PlacedRow> {
    // the block that holds `end` stands at or above it, and no other block above does
    const above = this.#blocks.key(afterPrefix(name));
    const blocks: Iterable<{ key: Buffer; value: Buffer }>[] = [
      from.range(this.#blocks.key(end), above, { limit: 1 }),
      from.range(this.#blocks.key(name), this.#blocks.key(end), { reverse: true }),
    ];
    for (const part of blocks) {
      for (const block of part) {
        const rows = this.#openBlock(block.key, block.value, key);
        for (let i = rows.length - 1; i >= 0; i -= 1) {
          const placed = rows[i] as PlacedRow;
          if (Buffer.compare(placed.place, end) < 0) yield placed;
        }
      }
    }
  }

  #conversationName(conversation: ConversationId): Buffer {
    const known = this.#names.get(conversation);
    if (known) return known;
    const name = this.#sealer.nameHash('messages', idBytes(conversation));
    this.#names.set(conversation, name);
    return name;
  }
}

interface OpenBlock {
  /** The place of its last message, which is its key. */
  readonly last: Buffer;
  readonly rows: readonly PlacedRow[];
  readonly bytes: number;
}

/** A message too long for a block stays a single row. */
export function fitsBlock(row: Uint8Array): boolean {
  return row.length + SEAL_BYTES <= LIMITS.blockBytes;
}

/** HLC 8, message id 16: in byte order, the order of the conversation. */
function orderOf({ row }: PlacedRow): Buffer {
  return Buffer.concat([hlcBytesOfRow(row), idBytesOfRow(row)]);
}

/** Rows from the newest down, those of equal time in falling order of their ids. */
function* tiesInOrder(rows: Iterable<PlacedRow>): Iterable<PlacedRow> {
  let ties: PlacedRow[] = [];
  for (const placed of rows) {
    const last = ties[0];
    if (last && !hlcBytesOfRow(last.row).equals(hlcBytesOfRow(placed.row))) {
      yield* fallingIds(ties);
      ties = [];
    }
    ties.push(placed);
  }
  yield* fallingIds(ties);
}

function fallingIds(ties: PlacedRow[]): PlacedRow[] {
  return ties.length < 2 ? ties : ties.sort((a, b) => Buffer.compare(idBytesOfRow(b.row), idBytesOfRow(a.row)));
}

/** Cuts rows into blocks that fit: full ones, with what is left in the last, to be filled by the next merge. */
function* split(rows: readonly PlacedRow[]): Iterable<PlacedRow[]> {
  let block: PlacedRow[] = [];
  let bytes = 0;
  for (const placed of rows) {
    const more = packedBytes([placed.row]);
    if (block.length > 0 && bytes + more > LIMITS.blockBytes) {
      yield block;
      block = [];
      bytes = 0;
    }
    block.push(placed);
    bytes += more;
  }
  if (block.length > 0) yield block;
}
