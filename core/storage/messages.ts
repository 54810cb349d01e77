import { decodeHlc, encodeHlc, type HlcTime } from '../base/hlc.ts';
import { type ConversationId, idBytes, type MessageId, messageIdFromBytes } from '../base/ids.ts';
import { LIMITS } from '../base/limits.ts';
import type { ConversationRows } from './conversations.ts';
import { conversationIdFromBytes } from './id-text.ts';
import { decodeMessage, encodeMessage, idBytesOfRow } from './message-codec.ts';
import { fitsBlock, MessageLog } from './message-log.ts';
import { comparePlaces } from './message-place.ts';
import { afterPrefix, type RowPort, type RowReader, type Tx } from './port.ts';
import type { AwaitedMessage, DeliveryState, MessagePlace, NewMessage, StoredMessage } from './records.ts';
import { decodeRow, encodeRow, messageIdField, messageIdOrNull, shape, wordOf } from './row-codec.ts';
import type { Sealer } from './sealing.ts';
import { Table } from './table.ts';
import { firstGap, noteMessage, noteParents, type Tail, TailRows, untrackedIsFirst } from './tails.ts';

const NAMES_KEPT = 512;
const STATES = ['queued', 'delivered', 'read', 'expired', 'sent'] as const;

/** Messages with their index, their heads, and what became of the own ones. */
export class MessageRows {
  readonly #port: RowPort;
  readonly #sealer: Sealer;
  readonly #conversations: ConversationRows;
  readonly #log: MessageLog;
  readonly #tails: TailRows;
  /** Message -> conversation 16, HLC 8. */
  readonly #locations: Table;
  readonly #states: Table;
  readonly #undelivered: Table;
  readonly #names = new Map<MessageId, Buffer>();

  constructor(port: RowPort, sealer: Sealer, conversations: ConversationRows) {
    this.#port = port;
    this.#sealer = sealer;
    this.#conversations = conversations;
    this.#log = new MessageLog(sealer);
    this.#tails = new TailRows(sealer);
    this.#locations = new Table(sealer, 'locations');
    this.#states = new Table(sealer, 'states');
    this.#undelivered = new Table(sealer, 'undelivered');
  }

  /**
   * Stores a message once; undefined when it is there already. Its conversation must exist.
   * @returns the message as stored: it says whether it is late
   */
  put(tx: Tx, conversation: ConversationId, message: NewMessage): StoredMessage | undefined {
    if (this.has(message.id, tx)) return undefined;
    const tail = this.#tails.open(tx, conversation, end => this.#tidy(tx, conversation, end));
    const late = noteMessage(tail, message, parent => this.has(parent, tx));
    const stored = { ...message, late: late || message.late === true };
    const hlc = encodeHlc(message.hlc);
    const place = this.#log.placeOf(hlc, this.#name(message.id));
    const row = encodeMessage(stored);
    this.#conversations.withKey(tx, conversation, key => this.#log.put(tx, key, conversation, place, row));
    this.#locations.put(tx, this.#locationKey(message.id), Buffer.concat([idBytes(conversation), hlc]));
    if (fitsBlock(row)) tail.singles += 1;
    return stored;
  }

  has(id: MessageId, from: RowReader = this.#port): boolean {
    return from.has(this.#locationKey(id));
  }

  get(id: MessageId, from: RowReader = this.#port): StoredMessage | undefined {
    const at = this.#locate(from, id);
    if (!at) return undefined;
    const place = this.#log.placeOf(encodeHlc(at.hlc), this.#name(id));
    const row = this.#conversations.withKey(from, at.conversation, key =>
      this.#log.find(from, key, at.conversation, place),
    );
    return row && this.#locations.decode(row, decodeMessage);
  }

  conversationOf(id: MessageId, from: RowReader = this.#port): ConversationId | undefined {
    return this.#locate(from, id)?.conversation;
  }

  /** The newest `limit` messages, or the newest of those before `before`, oldest first: by time, then by id. */
  newest(
    conversation: ConversationId,
    limit: number,
    before?: MessageId,
    from: RowReader = this.#port,
  ): StoredMessage[] {
    const at = before && this.#locate(from, before);
    if (before && !at) return [];
    const end = before && at && Buffer.concat([encodeHlc(at.hlc), idBytes(before)]);
    const found: StoredMessage[] = [];
    if (limit <= 0) return found;
    this.#sealer.batch(() =>
      this.#conversations.withKey(from, conversation, key => {
        for (const { row } of this.#log.newestFirst(from, key, conversation, end)) {
          found.push(this.#locations.decode(row, decodeMessage));
          if (found.length >= limit) break;
        }
      }),
    );
    return found.reverse();
  }

  /** How many messages of the conversation stand at one and the same time; counts no further than `limit`. */
  countAt(conversation: ConversationId, hlc: HlcTime, limit: number, from: RowReader = this.#port): number {
    return this.#conversations.withKey(from, conversation, key =>
      this.#log.countAt(from, key, conversation, encodeHlc(hlc), limit),
    );
  }

  /** At most LIMITS.parents messages that no stored message names as a parent, oldest arrival first. */
  heads(conversation: ConversationId, from: RowReader = this.#port): MessageId[] {
    return this.#tails.get(from, conversation).heads.slice(-LIMITS.parents);
  }

  /** Messages that stored ones name as parents and that are not stored, by the earliest that names them. */
  awaitedOf(conversation: ConversationId, limit: number, from: RowReader = this.#port): AwaitedMessage[] {
    const { awaited } = this.#tails.get(from, conversation);
    return awaited.sort((a, b) => comparePlaces(a.child, b.child)).slice(0, limit);
  }

  /**
   * The last message up to which the conversation is complete: neither it nor any before it names a message that is
   * not stored. Null when there is none such.
   */
  completeUpTo(conversation: ConversationId, from: RowReader = this.#port): MessagePlace | null {
    const tail = this.#tails.get(from, conversation);
    const gap = firstGap(tail);
    if (!gap) return tail.newest;
    const last = this.newest(conversation, 1, gap.id, from)[0];
    return last ? { hlc: last.hlc, id: last.id } : null;
  }

  /** Only for own messages. */
  setState(tx: Tx, id: MessageId, state: DeliveryState): void {
    this.#states.put(
      tx,
      this.#stateKey(id),
      encodeRow([STATES.indexOf(state.state), state.atMs, messageIdField(state.receipt)]),
    );
    const at = this.#locate(tx, id);
    if (!at) return;
    const key = this.#undeliveredKey(at.conversation, at.hlc, id);
    if (state.state === 'queued') this.#undelivered.put(tx, key, idBytes(id));
    else tx.remove(key);
  }

  stateOf(id: MessageId, from: RowReader = this.#port): DeliveryState | undefined {
    const plain = this.#states.get(from, this.#stateKey(id));
    return plain && this.#states.decode(plain, decodeState);
  }

  /** Own messages neither delivered nor expired, oldest first; with `after`, those later than it. */
  undelivered(
    conversation: ConversationId,
    limit: number,
    after?: MessageId,
    from: RowReader = this.#port,
  ): MessageId[] {
    const prefix = this.#undelivered.key(this.#undeliveredName(conversation));
    const at = after && this.#locate(from, after);
    const start = at ? Buffer.concat([this.#undeliveredKey(conversation, at.hlc, after), Buffer.of(0)]) : prefix;
    const found: MessageId[] = [];
    for (const { key, value } of from.range(start, afterPrefix(prefix), { limit })) {
      found.push(messageIdFromBytes(this.#sealer.open('undelivered', key, value)));
    }
    return found;
  }

  countUndelivered(conversation: ConversationId, from: RowReader = this.#port): number {
    let count = 0;
    const prefix = this.#undelivered.key(this.#undeliveredName(conversation));
    for (const _ of from.keys(prefix, afterPrefix(prefix))) count += 1;
    return count;
  }

  /** Removes all messages of a conversation with all that is kept about them. `each` sees every id before it goes. */
  removeAll(tx: Tx, conversation: ConversationId, each: (id: MessageId) => void = () => {}): void {
    this.#conversations.withKey(tx, conversation, key =>
      this.#log.removeAll(tx, key, conversation, row => {
        const id = messageIdFromBytes(idBytesOfRow(row));
        each(id);
        tx.remove(this.#locationKey(id));
        tx.remove(this.#stateKey(id));
      }),
    );
    this.#undelivered.removeAll(tx, this.#undelivered.key(this.#undeliveredName(conversation)));
    this.#tails.remove(tx, conversation);
  }

  /** What is done once a write, however many messages it brought. */
  #tidy(tx: Tx, conversation: ConversationId, tail: Tail): void {
    while (tail.singles >= LIMITS.singles) {
      const merged = this.#merge(tx, conversation);
      tail.singles = merged > 0 ? tail.singles - merged : 0;
    }
    if (tail.untracked && untrackedIsFirst(tail)) this.#lookForGaps(tx, conversation, tail, tail.untracked);
  }

  /** Those there was no room for are found by reading again from where the first of them was named. */
  #lookForGaps(tx: Tx, conversation: ConversationId, tail: Tail, start: MessagePlace): void {
    tail.untracked = null;
    this.#sealer.batch(() =>
      this.#conversations.withKey(tx, conversation, key => {
        for (const { row } of this.#log.newestFirst(tx, key, conversation)) {
          const message = this.#locations.decode(row, decodeMessage);
          if (comparePlaces(message, start) < 0) break;
          noteParents(tail, message, parent => this.has(parent, tx));
        }
      }),
    );
  }

  #merge(tx: Tx, conversation: ConversationId): number {
    return this.#sealer.batch(() =>
      this.#conversations.withKey(tx, conversation, key => this.#log.merge(tx, key, conversation)),
    );
  }

  #locate(from: RowReader, id: MessageId): { conversation: ConversationId; hlc: HlcTime } | undefined {
    const plain = this.#locations.get(from, this.#locationKey(id));
    if (!plain) return undefined;
    return { conversation: conversationIdFromBytes(plain.subarray(0, 16)), hlc: decodeHlc(plain.subarray(16)) };
  }

  /** The keyed hash of an id. The last ones are kept: one step asks for the same few again and again. */
  #name(id: MessageId): Buffer {
    const known = this.#names.get(id);
    if (known) return known;
    if (this.#names.size >= NAMES_KEPT) this.#names.clear();
    const name = this.#sealer.nameHash('message', idBytes(id));
    this.#names.set(id, name);
    return name;
  }

  #locationKey(id: MessageId): Buffer {
    return this.#locations.key(this.#name(id));
  }

  #stateKey(id: MessageId): Buffer {
    return this.#states.key(this.#name(id));
  }

  #undeliveredName(conversation: ConversationId): Buffer {
    return this.#sealer.nameHash('undelivered', idBytes(conversation));
  }

  #undeliveredKey(conversation: ConversationId, hlc: HlcTime, id: MessageId): Buffer {
    const tie = this.#name(id).subarray(0, 8);
    return this.#undelivered.key(this.#undeliveredName(conversation), encodeHlc(hlc), tie);
  }
}

function decodeState(plain: Buffer): DeliveryState {
  const [state, atMs, receipt] = decodeRow(plain, 3);
  return { state: wordOf(STATES, state), atMs: shape.uint(atMs), receipt: messageIdOrNull(receipt) };
}
