import { wipe } from '../../base/bytes.ts';
import { idBytes, type MessageId, messageIdFromBytes } from '../../base/ids.ts';
import type { Cbor } from '../../wire/cbor.ts';
import { conversationIdFromBytes } from '../id-text.ts';
import { decodeMessage } from '../message-codec.ts';
import { MessageLog } from '../message-log.ts';
import type { Tx } from '../port.ts';
import { decodeRow, encodeRow, shape } from '../row-codec.ts';
import type { Sealer } from '../sealing.ts';
import { Table } from '../table.ts';
import { noteParents, type Tail, TailRows } from '../tails.ts';
import type { Migration } from './migrate.ts';

/**
 * Tails get their newest message, and with every awaited message the earliest that names it, read from the messages.
 * Conversations get room for a group in place of a contact.
 */
export const tails: Migration = { version: 2, name: 'tails', run };

function run(tx: Tx, sealer: Sealer): void {
  const conversations = new Table(sealer, 'conversations');
  for (const { key, plain } of [...conversations.scan(tx)]) {
    const fields = conversations.decode(plain, row => decodeRow(row, 7));
    conversations.put(tx, key, encodeRow([...(fields as Cbor[]), null]));
    moveTail(tx, sealer, shape.bytes(fields[0], 16), shape.bytes(fields[2], 32));
  }
}

function moveTail(tx: Tx, sealer: Sealer, id: Uint8Array, salt: Uint8Array): void {
  const table = new Table(sealer, 'tails');
  const plain = table.get(tx, table.key(sealer.nameHash('conversation', id)));
  if (!plain) return;
  const [singles, heads, awaited] = table.decode(plain, row => decodeRow(row, 3));
  const ids = (value: unknown): MessageId[] =>
    shape.list(value, Number.MAX_SAFE_INTEGER, one => messageIdFromBytes(shape.bytes(one, 16)));
  const tail: Tail = { singles: shape.uint(singles), heads: ids(heads), awaited: [], newest: null, untracked: null };
  const locations = new Table(sealer, 'locations');
  const has = (parent: MessageId): boolean => tx.has(locations.key(sealer.nameHash('message', idBytes(parent))));
  const conversation = conversationIdFromBytes(id);
  const key = sealer.subkey('messages', salt);
  try {
    for (const { row } of new MessageLog(sealer).newestFirst(tx, key, conversation)) {
      const message = locations.decode(row, decodeMessage);
      tail.newest ??= { hlc: message.hlc, id: message.id };
      if (ids(awaited).length === 0) break;
      noteParents(tail, message, has);
    }
  } finally {
    wipe(key);
  }
  new TailRows(sealer).put(tx, conversation, tail);
}
