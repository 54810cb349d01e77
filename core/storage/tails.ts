import { type ConversationId, idBytes, type MessageId, messageIdFromBytes } from '../base/ids.ts';
import { LIMITS } from '../base/limits.ts';
import { comparePlaces, decodePlace, encodePlace } from './message-place.ts';
import type { RowReader, Tx } from './port.ts';
import type { AwaitedMessage, MessagePlace, NewMessage } from './records.ts';
import { decodeRow, encodeRow, listOf, orNull, shape } from './row-codec.ts';
import type { Sealer } from './sealing.ts';
import { Table } from './table.ts';

/** The changing end of a conversation. */
export interface Tail {
  /** Messages not yet merged into a block. */
  singles: number;
  /** Messages that no stored message names as a parent, oldest arrival first. */
  heads: MessageId[];
  /** Parents named by stored messages and not themselves stored. */
  awaited: AwaitedMessage[];
  newest: MessagePlace | null;
  /** The earliest message that names a parent for which there was no room among the awaited. */
  untracked: MessagePlace | null;
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
    if (plain) return this.#table.decode(plain, decodeTail);
    return { singles: 0, heads: [], awaited: [], newest: null, untracked: null };
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
      this.put(tx, conversation, tail);
    });
    return tail;
  }

  put(tx: Tx, conversation: ConversationId, tail: Tail): void {
    this.#table.put(tx, this.#key(conversation), encodeTail(tail));
  }

  remove(tx: Tx, conversation: ConversationId): void {
    tx.scratch.delete(`tail/${conversation}`);
    tx.remove(this.#key(conversation));
  }

  #key(conversation: ConversationId): Buffer {
    return this.#table.key(this.#sealer.nameHash('conversation', idBytes(conversation)));
  }
}

/**
 * Takes note of a message about to be stored; `has` tells whether a parent is stored.
 * @returns whether it is late: a message that stands after it is stored already
 */
export function noteMessage(tail: Tail, message: NewMessage, has: (id: MessageId) => boolean): boolean {
  const { id, hlc, parents } = message;
  const named = tail.awaited.findIndex(awaited => awaited.id === id);
  if (named >= 0) tail.awaited.splice(named, 1);
  // What the core tells here is on no other machine: nothing that is sent may name it.
  else if (message.content === undefined) tail.heads.push(id);
  if (parents.length > 0) tail.heads = tail.heads.filter(head => !parents.includes(head));
  tail.heads = tail.heads.slice(-LIMITS.awaitedParents);
  noteParents(tail, message, has);
  const late = tail.newest !== null && comparePlaces(message, tail.newest) < 0;
  if (!late) tail.newest = { hlc, id };
  return late;
}

/** Takes note of the parents a message names. What has no room leaves behind where it was named. */
export function noteParents(
  tail: Tail,
  { id, hlc, parents }: Pick<NewMessage, 'id' | 'hlc' | 'parents'>,
  has: (id: MessageId) => boolean,
): void {
  const child = { hlc, id };
  for (const parent of parents) {
    if (has(parent)) continue;
    const at = tail.awaited.findIndex(awaited => awaited.id === parent);
    const known = tail.awaited[at];
    if (!known) tail.awaited.push({ id: parent, child });
    else if (comparePlaces(child, known.child) < 0) tail.awaited[at] = { id: parent, child };
  }
  if (tail.awaited.length <= LIMITS.awaitedParents) return;
  // the earliest gaps are kept: they say up to where the conversation is complete
  tail.awaited.sort((a, b) => comparePlaces(a.child, b.child));
  const first = tail.awaited.splice(LIMITS.awaitedParents)[0] as AwaitedMessage;
  if (!tail.untracked || comparePlaces(first.child, tail.untracked) < 0) tail.untracked = first.child;
}

/** Every gap known before the untracked one is closed: it is time to look for those there was no room for. */
export function untrackedIsFirst({ awaited, untracked }: Tail): boolean {
  return untracked !== null && awaited.every(({ child }) => comparePlaces(child, untracked) > 0);
}

/** The earliest message that names one not stored; undefined when there is none. */
export function firstGap({ awaited }: Tail): MessagePlace | undefined {
  return awaited.map(({ child }) => child).sort(comparePlaces)[0];
}

function encodeTail(tail: Tail): Buffer {
  const awaited = tail.awaited.map(({ id, child }) => [idBytes(id), encodePlace(child)]);
  const places = [tail.newest, tail.untracked].map(place => place && encodePlace(place));
  return encodeRow([tail.singles, tail.heads.map(idBytes), awaited, ...places]);
}

function decodeTail(plain: Buffer): Tail {
  const [singles, heads, awaited, newest, untracked] = decodeRow(plain, 5);
  const id = (value: unknown): MessageId => messageIdFromBytes(shape.bytes(value, 16));
  return {
    singles: shape.uint(singles),
    heads: listOf(heads, id),
    awaited: listOf(awaited, value => {
      const [parent, child] = shape.tuple(value, 2);
      return { id: id(parent), child: decodePlace(child) };
    }),
    newest: orNull(newest, decodePlace),
    untracked: orNull(untracked, decodePlace),
  };
}
