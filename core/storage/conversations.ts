import { wipe } from '../base/bytes.ts';
import { InternalError } from '../base/errors.ts';
import { type ConversationId, groupIdFromBytes, idBytes, messageIdFromBytes } from '../base/ids.ts';
import { contactIdFromBytes, conversationIdFromBytes } from './id-text.ts';
import { decodePlace, encodePlace } from './message-place.ts';
import type { RowPort, RowReader, Tx } from './port.ts';
import type { ConversationRecord } from './records.ts';
import { decodeRow, encodeRow, listOf, orNull, shape } from './row-codec.ts';
import type { Sealer } from './sealing.ts';
import { Table } from './table.ts';

/** Conversations, and the keys of their messages, which live only through the salt in the conversation's row. */
export class ConversationRows {
  readonly #port: RowPort;
  readonly #sealer: Sealer;
  readonly #table: Table;
  readonly #salts = new Map<ConversationId, Uint8Array>();

  constructor(port: RowPort, sealer: Sealer) {
    this.#port = port;
    this.#sealer = sealer;
    this.#table = new Table(sealer, 'conversations');
  }

  get(id: ConversationId, from: RowReader = this.#port): ConversationRecord | undefined {
    const plain = this.#table.get(from, this.#key(id));
    return plain && this.#table.decode(plain, decodeConversation);
  }

  list(from: RowReader = this.#port): ConversationRecord[] {
    return Array.from(this.#table.scan(from), ({ plain }) => this.#table.decode(plain, decodeConversation));
  }

  put(tx: Tx, c: ConversationRecord): void {
    const readUpTo = c.readUpTo && encodePlace(c.readUpTo);
    const lateUnread = c.lateUnread.map(idBytes);
    const [contact, group] = [c.contact && idBytes(c.contact), c.group && idBytes(c.group)];
    const row = [idBytes(c.id), contact, c.salt, c.createdAtMs, readUpTo, c.unread, lateUnread, group];
    this.#table.put(tx, this.#key(c.id), encodeRow(row));
  }

  /** The row alone; MessageRows.removeAll comes first. */
  remove(tx: Tx, id: ConversationId): void {
    this.#salts.delete(id);
    tx.remove(this.#key(id));
  }

  /** Runs `use` with the key of the conversation's messages, and wipes it. */
  withKey<T>(from: RowReader, id: ConversationId, use: (key: Buffer) => T): T {
    let salt = this.#salts.get(id);
    if (!salt) {
      salt = this.get(id, from)?.salt;
      if (!salt) throw new InternalError('store.conversations', 'The conversation does not exist.');
      this.#salts.set(id, salt);
    }
    const key = this.#sealer.subkey('messages', salt);
    try {
      return use(key);
    } finally {
      wipe(key);
    }
  }

  /** A conversation whose row did not become durable may come again with another salt. */
  forgetSalts(): void {
    wipe(...this.#salts.values());
    this.#salts.clear();
  }

  #key(id: ConversationId): Buffer {
    return this.#table.key(this.#sealer.nameHash('conversation', idBytes(id)));
  }
}

function decodeConversation(plain: Buffer): ConversationRecord {
  const f = decodeRow(plain, 8);
  return {
    id: conversationIdFromBytes(shape.bytes(f[0], 16)),
    contact: orNull(f[1], id => contactIdFromBytes(shape.bytes(id, 16))),
    group: orNull(f[7], id => groupIdFromBytes(shape.bytes(id, 16))),
    salt: Buffer.from(shape.bytes(f[2], 32)),
    createdAtMs: shape.uint(f[3]),
    readUpTo: orNull(f[4], decodePlace),
    unread: shape.uint(f[5]),
    lateUnread: listOf(f[6], id => messageIdFromBytes(shape.bytes(id, 16))),
  };
}
