import { HLC_BYTES } from '../base/hlc.ts';
import { type ConversationId, idBytes } from '../base/ids.ts';
import { LIMITS } from '../base/limits.ts';
import {
  ENTRY_HEAD_BYTES,
  idBytesOfRow,
  PLACE_BYTES,
  type PlacedRow,
  packBlock,
  unpackBlock,
} from './message-codec.ts';
import { afterPrefix, type RowReader, type Tx } from './port.ts';
import { SEAL_BYTES, type Sealer } from './sealing.ts';
import { Table } from './table.ts';

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

  /** @param idName the keyed hash of the message's id */
  placeOf(hlc: Uint8Array, idName: Buffer): Buffer {
    return Buffer.concat([hlc, idName.subarray(0, ID_HASH_BYTES)]);
  }

  put(tx: Tx, key: Buffer, conversation: ConversationId, place: Buffer, row: Buffer): void {
    const rowKey = this.#singles.key(this.#conversationName(conversation), place);
    tx.put(rowKey, this.#sealer.seal('messages', rowKey, row, key));
  }

  /** The row at a place known to hold one; undefined when it does not. */
  find(from: RowReader, key: Buffer, conversation: ConversationId, place: Buffer): Buffer | undefined {
    const name = this.#conversationName(conversation);
    const rowKey = this.#singles.key(name, place);
    const single = from.get(rowKey);
    if (single) return this.#sealer.open('messages', rowKey, single, key);
    const end = afterPrefix(this.#blocks.key(name));
    for (const block of from.range(this.#blocks.key(name, place), end, { limit: 1 })) {
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
    const after = before && afterPrefix(hlcIn(before));
    for (const placed of tiesInOrder(this.#placedDown(from, key, name, after))) {
      if (!before || Buffer.compare(orderOf(placed), before) < 0) yield placed;
    }
  }

  /** How many messages stand at one time; counts no further than `limit`. */
  countAt(from: RowReader, key: Buffer, conversation: ConversationId, hlc: Buffer, limit: number): number {
    let count = 0;
    for (const { place } of this.#placedDown(from, key, this.#conversationName(conversation), afterPrefix(hlc))) {
      if (count >= limit || !hlcIn(place).equals(hlc)) break;
      count += 1;
    }
    return count;
  }

  *#placedDown(from: RowReader, key: Buffer, name: Buffer, before?: Buffer): Iterable<PlacedRow> {
    const end = before ? this.#singles.key(name, before) : afterPrefix(this.#singles.key(name));
    const singles = from.range(this.#singles.key(name), end, { reverse: true })[Symbol.iterator]();
    let single = singles.next();
    for (const placed of this.#blockRowsDown(from, key, name, before)) {
      while (!single.done && Buffer.compare(placeIn(single.value.key), placed.place) > 0) {
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
    const name = this.#conversationName(conversation);
    const prefix = this.#singles.key(name);
    const singles: PlacedRow[] = [];
    for (const row of tx.range(prefix, afterPrefix(prefix))) {
      if (row.value.length > LIMITS.blockBytes) continue;
      const placed = this.#openSingle(row, key);
      if (fitsBlock(placed.row)) singles.push(placed);
      if (singles.length >= LIMITS.mergeSingles) break;
    }
    for (let at = 0; at < singles.length; ) at = this.#mergeRun(tx, key, name, singles, at);
    for (const { place } of singles) tx.remove(this.#singles.key(name, place));
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
  #mergeRun(tx: Tx, key: Buffer, name: Buffer, singles: readonly PlacedRow[], at: number): number {
    const first = (singles[at] as PlacedRow).place;
    const [low, middle] = [this.#blocks.key(name), this.#blocks.key(name, first)];
    const next = this.#neighbour(tx, key, middle, afterPrefix(low), false);
    let end = at + 1;
    while (end < singles.length && (!next || Buffer.compare((singles[end] as PlacedRow).place, next.last) < 0))
      end += 1;
    const run = singles.slice(at, end);
    const rows: PlacedRow[] = [...run];
    const before = this.#neighbour(tx, key, low, middle, true);
    // a half-filled block before the run takes it in; a full one stays as it is
    if (before && before.bytes <= LIMITS.blockBytes / 2) this.#takeIn(tx, name, before, rows);
    const overlaps = next && Buffer.compare((next.rows[0] as PlacedRow).place, (run.at(-1) as PlacedRow).place) < 0;
    if (next && overlaps) this.#takeIn(tx, name, next, rows);
    rows.sort((a, b) => Buffer.compare(a.place, b.place));
    for (const block of split(rows)) this.#putBlock(tx, key, name, block);
    return end;
  }

  #takeIn(tx: Tx, name: Buffer, block: OpenBlock, rows: PlacedRow[]): void {
    tx.remove(this.#blocks.key(name, block.last));
    rows.push(...block.rows);
  }

  #neighbour(tx: Tx, key: Buffer, from: Buffer, to: Buffer, reverse: boolean): OpenBlock | undefined {
    for (const block of tx.range(from, to, { limit: 1, reverse })) {
      const rows = this.#openBlock(block.key, block.value, key);
      return { last: placeIn(block.key), rows, bytes: block.value.length };
    }
    return undefined;
  }

  #putBlock(tx: Tx, key: Buffer, name: Buffer, rows: readonly PlacedRow[]): void {
    const rowKey = this.#blocks.key(name, (rows.at(-1) as PlacedRow).place);
    tx.put(rowKey, this.#sealer.seal('blocks', rowKey, packBlock(rows), key));
  }

  #openSingle(single: { key: Buffer; value: Buffer }, key: Buffer): PlacedRow {
    const row = this.#sealer.open('messages', single.key, single.value, key);
    return { place: placeIn(single.key), row };
  }

  #openBlock(rowKey: Buffer, value: Buffer, key: Buffer): PlacedRow[] {
    const plain = this.#sealer.open('blocks', rowKey, value, key);
    return this.#blocks.decode(plain, unpackBlock);
  }

  *#blockRowsDown(from: RowReader, key: Buffer, name: Buffer, before: Buffer | undefined): Iterable<PlacedRow> {
    const low = this.#blocks.key(name);
    const above = afterPrefix(low);
    const end = before ? this.#blocks.key(name, before) : above;
    // the block that holds `before` stands at or above it, and no other block above does
    const upper = before ? from.range(end, above, { limit: 1 }) : [];
    for (const part of [upper, from.range(low, end, { reverse: true })]) {
      for (const block of part) {
        const rows = this.#openBlock(block.key, block.value, key);
        for (let i = rows.length - 1; i >= 0; i -= 1) {
          const placed = rows[i] as PlacedRow;
          if (!before || Buffer.compare(placed.place, before) < 0) yield placed;
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

/** The place at the end of a row's key, behind table and conversation. */
function placeIn(rowKey: Buffer): Buffer {
  return rowKey.subarray(rowKey.length - PLACE_BYTES);
}

/** A message too long for a block stays a single row. */
export function fitsBlock(row: Uint8Array): boolean {
  return row.length + ENTRY_HEAD_BYTES + SEAL_BYTES <= LIMITS.blockBytes;
}

/** HLC 8, message id 16: in byte order, the order of the conversation. */
function orderOf({ place, row }: PlacedRow): Buffer {
  return Buffer.concat([hlcIn(place), idBytesOfRow(row)]);
}

function hlcIn(place: Buffer): Buffer {
  return place.subarray(0, HLC_BYTES);
}

/** Rows from the newest down, those of equal time, at most LIMITS.equalTimes, in falling order of their ids. */
function* tiesInOrder(rows: Iterable<PlacedRow>): Iterable<PlacedRow> {
  let ties: PlacedRow[] = [];
  for (const placed of rows) {
    const last = ties[0];
    if (last && !hlcIn(last.place).equals(hlcIn(placed.place))) {
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
    const more = ENTRY_HEAD_BYTES + placed.row.length;
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
