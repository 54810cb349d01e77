import { type ContactId, type ConversationId, messageIdFromBytes } from '../base/ids.ts';

/** The text of an id whose 16 bytes stand in a sealed row. All ids share one spelling. */
export function contactIdFromBytes(bytes: Uint8Array): ContactId {
  return messageIdFromBytes(bytes) as string as ContactId;
}

export function conversationIdFromBytes(bytes: Uint8Array): ConversationId {
  return messageIdFromBytes(bytes) as string as ConversationId;
}
