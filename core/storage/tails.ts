import { type ConversationId, idBytes, type MessageId, messageIdFromBytes } from '../base/ids.ts';
import { LIMITS } from '../base/limits.ts';
import type { RowReader, Tx } from './port.ts';
import { decodeRow, encodeRow, listOf, shape } from './row-codec.ts';
import type { Sealer } from './sealing.ts';
import { Table } from './table.ts';

/** The changing end of a conversation. */
export interface Tail {
  /** Messages not yet merged into a block. */
  singles: number;
  /** Messages that no stored message names as a parent, oldest arrival first. */
  heads: MessageId[];
  /** Parents named by stored messages and not themselves stored, oldest first. */
  awaited: MessageId[];
}

/** One small row a conversation, written once a transaction however many messages that brings. */
export class TailRows {
  readonly #sealer: Sealer;
  readonly #table: Table;

  constructor(sealer: Sealer) {
    this.#sealer = sealer;
    this.#table = new Table(sealer, 'tails');
  }

  get(from: RowReader, conversation: ConversationId): Tail {
    const plain = this.#table.get(from, this.#key(conversation));
    return plain ? this.#table.decode(plain, decodeTail) : { singles: 0, heads: [], awaited: [] };
  }

  /** The tail as this write leaves it: change it in place; it is stored at the end. */
  open(tx: Tx, conversation: ConversationId, atEnd: (tail: Tail) => void): Tail {
    const slot = `tail/${conversation}`;
    const known = tx.scratch.get(slot);
    if (known) return known as Tail;
    const tail = this.get(tx, conversation);
    tx.scratch.set(slot, tail);
    tx.beforeCommit(() => {
      if (tx.scratch.get(slot) !== tail) return;
      atEnd(tail);
      this.#table.put(tx, this.#key(conversation), encodeTail(tail));
    });
    return tail;
  }

  remove(tx: Tx, conversation: ConversationId): void {
    tx.scratch.delete(`tail/${conversation}`);
    tx.remove(this.#key(conversation));
  }

  #key(conversation: ConversationId): Buffer {
    return this.#table.key(this.#sealer.nameHash('conversation', idBytes(conversation)));
  }
}

/** Takes note of a stored message; `has` tells whether a parent is stored. */
export function noteMessage(
  tail: Tail,
  id: MessageId,
  parents: readonly MessageId[],
  has: (id: MessageId) => boolean,
): void {
  const named = tail.awaited.indexOf(id);
  if (named >= 0) tail.awaited.splice(named, 1);
  else tail.heads.push(id);
  if (parents.length > 0) tail.heads = tail.heads.filter(head => !parents.includes(head));
  for (const parent of parents) if (!tail.awaited.includes(parent) && !has(parent)) tail.awaited.push(parent);
  tail.heads = tail.heads.slice(-LIMITS.awaitedParents);
  tail.awaited = tail.awaited.slice(-LIMITS.awaitedParents);
}

function encodeTail(tail: Tail): Buffer {
  return encodeRow([tail.singles, tail.heads.map(idBytes), tail.awaited.map(idBytes)]);
}

function decodeTail(plain: Buffer): Tail {
  const [singles, heads, awaited] = decodeRow(plain, 3);
  const id = (value: unknown): MessageId => messageIdFromBytes(shape.bytes(value, 16));
  return { singles: shape.uint(singles), heads: listOf(heads, id), awaited: listOf(awaited, id) };
}
