import { wipe } from '../../base/bytes.ts';
import { compareHlc, decodeHlc, encodeHlc, HLC_ZERO, type HlcTime } from '../../base/hlc.ts';
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
 * Every conversation gets a clock of its own, beginning where the profile's stood, which is gone. Tails get their
 * newest message, and with every awaited message the earliest that names it, both read from the messages.
 */
export const conversationClocks: Migration = { version: 2, name: 'conversation-clocks', run };

function run(tx: Tx, sealer: Sealer): void {
  const profile = new Table(sealer, 'profile');
  const clockKey = profile.key(Buffer.from('clock'));
  const last = profile.get(tx, clockKey);
  const clock = last ? profile.decode(last, decodeHlc) : HLC_ZERO;
  const conversations = new Table(sealer, 'conversations');
  for (const { key, plain } of [...conversations.scan(tx)]) {
    const fields = conversations.decode(plain, row => decodeRow(row, 6));
    const newest = moveTail(tx, sealer, shape.bytes(fields[0], 16), shape.bytes(fields[2], 32));
    const later = newest && compareHlc(newest, clock) > 0 ? newest : clock;
    conversations.put(tx, key, encodeRow([...(fields as Cbor[]), encodeHlc(later)]));
  }
  tx.remove(clockKey);
}

/** @returns the time of the newest message */
function moveTail(tx: Tx, sealer: Sealer, id: Uint8Array, salt: Uint8Array): HlcTime | undefined {
  const table = new Table(sealer, 'tails');
  const plain = table.get(tx, table.key(sealer.nameHash('conversation', id)));
  if (!plain) return undefined;
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
  return tail.newest?.hlc;
}
