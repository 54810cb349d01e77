import { type ContactId, type ConversationId, ID_BYTES, type MessageId, messageIdFromBytes } from '../base/ids.ts';

/** The text of an id whose 16 bytes stand in a sealed row. All ids share one spelling. */
export function contactIdFromBytes(bytes: Uint8Array): ContactId {
  return messageIdFromBytes(bytes) as string as ContactId;
}

export function conversationIdFromBytes(bytes: Uint8Array): ConversationId {
  return messageIdFromBytes(bytes) as string as ConversationId;
}

/** The last ids read, by their first byte: a message's parent is the next one's id, and senders are few. */
const known = { bytes: Buffer.alloc(256 * ID_BYTES), texts: new Array<MessageId | undefined>(256) };

/** The id whose 16 bytes stand at `at`. */
export function idAt(row: Buffer, at: number): MessageId {
  const slot = row[at] as number;
  const text = known.texts[slot];
  let same = text !== undefined;
  for (let i = 0; same && i < ID_BYTES; i += 1) same = known.bytes[slot * ID_BYTES + i] === row[at + i];
  if (text !== undefined && same) return text;
  const bytes = row.subarray(at, at + ID_BYTES);
  const read = messageIdFromBytes(bytes);
  known.bytes.set(bytes, slot * ID_BYTES);
  known.texts[slot] = read;
  return read;
}
