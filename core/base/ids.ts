import { compareBytes, concat, utf8 } from './bytes.ts';
import { DecodeError } from './errors.ts';
import { blake2b } from './hash.ts';
import { LABEL } from './labels.ts';

/** Branded values: made only by `parse*` and `derive*` functions, which check. */
export type IdentityKey = Uint8Array & { readonly __brand: 'IdentityKey' };
export type TransportKey = Uint8Array & { readonly __brand: 'TransportKey' };
export type EnvelopeId = Uint8Array & { readonly __brand: 'EnvelopeId' };
/** Text ids: 26 lower-case base32 characters of 16 bytes. */
export type ContactId = string & { readonly __brand: 'ContactId' };
export type ConversationId = string & { readonly __brand: 'ConversationId' };
export type MessageId = string & { readonly __brand: 'MessageId' };
export type GroupId = string & { readonly __brand: 'GroupId' };

export const PUBLIC_KEY_BYTES = 32;
export const ID_BYTES = 16;
export const ENVELOPE_ID_BYTES = 32;
const LETTERS = Buffer.from('abcdefghijklmnopqrstuvwxyz234567');
const VALUES = new Uint8Array(128);
for (const [value, letter] of LETTERS.entries()) VALUES[letter] = value;
const TEXT = Buffer.alloc(26);
export const ID_TEXT = /^[a-z2-7]{26}$/;

export function parseIdentityKey(bytes: Uint8Array): IdentityKey {
  return fixed(bytes, PUBLIC_KEY_BYTES, 'identity-key') as IdentityKey;
}

export function parseTransportKey(bytes: Uint8Array): TransportKey {
  return fixed(bytes, PUBLIC_KEY_BYTES, 'transport-key') as TransportKey;
}

export function parseEnvelopeId(bytes: Uint8Array): EnvelopeId {
  return fixed(bytes, ENVELOPE_ID_BYTES, 'envelope-id') as EnvelopeId;
}

/** The id a person's contacts see: a hash of the identity key. */
export function contactIdOf(identity: IdentityKey): ContactId {
  return idText(blake2b(ID_BYTES, utf8(LABEL.contactId), identity)) as ContactId;
}

/** The same on both sides: a hash over both identity keys, lower first. */
export function conversationIdOf(a: IdentityKey, b: IdentityKey): ConversationId {
  const [low, high] = compareBytes(a, b) <= 0 ? [a, b] : [b, a];
  return idText(blake2b(ID_BYTES, utf8(LABEL.conversationId), low, high)) as ConversationId;
}

/** Names a message by what it says, who says it and where: equal on every machine. */
export function messageIdOf(conversation: ConversationId, sender: IdentityKey, content: Uint8Array): MessageId {
  return idText(blake2b(ID_BYTES, utf8(LABEL.messageId), idBytes(conversation), sender, content)) as MessageId;
}

/** The same on every member's machine. */
export function groupConversationIdOf(group: GroupId): ConversationId {
  return idText(blake2b(ID_BYTES, utf8(LABEL.groupConversation), idBytes(group))) as ConversationId;
}

/** As `messageIdOf`, of a member of whom nothing but its id need be known. */
export function groupMessageIdOf(conversation: ConversationId, sender: ContactId, content: Uint8Array): MessageId {
  return idText(
    blake2b(ID_BYTES, utf8(LABEL.groupMessageId), idBytes(conversation), idBytes(sender), content),
  ) as MessageId;
}

export function parseMessageId(text: string): MessageId {
  return checkedId(text) as MessageId;
}

export function parseGroupId(text: string): GroupId {
  return checkedId(text) as GroupId;
}

export function contactIdFromBytes(bytes: Uint8Array): ContactId {
  if (bytes.length !== ID_BYTES) throw new DecodeError('contact-id');
  return idText(bytes) as ContactId;
}

export function groupIdFromBytes(bytes: Uint8Array): GroupId {
  if (bytes.length !== ID_BYTES) throw new DecodeError('group-id');
  return idText(bytes) as GroupId;
}

export function messageIdFromBytes(bytes: Uint8Array): MessageId {
  if (bytes.length !== ID_BYTES) throw new DecodeError('message-id');
  return idText(bytes) as MessageId;
}

/**
 * The 16 bytes behind a text id. Base32 (RFC 4648, lower case) is written out here and below: every message stored
 * or read back takes several.
 */
export function idBytes(id: ContactId | ConversationId | MessageId | GroupId): Buffer {
  const out = Buffer.allocUnsafe(ID_BYTES);
  let [bits, held, at] = [0, 0, 0];
  for (let i = 0; i < id.length; i += 1) {
    held = ((held << 5) | (VALUES[id.charCodeAt(i) & 0x7f] as number)) & 0xfff;
    bits += 5;
    if (bits < 8) continue;
    bits -= 8;
    out[at] = held >>> bits;
    at += 1;
  }
  return out;
}

function idText(bytes: Uint8Array): string {
  let [bits, held, at] = [0, 0, 0];
  for (let i = 0; i < ID_BYTES; i += 1) {
    held = ((held << 8) | (bytes[i] as number)) & 0xfff;
    bits += 8;
    for (; bits >= 5; at += 1) {
      bits -= 5;
      TEXT[at] = LETTERS[(held >>> bits) & 0x1f] as number;
    }
  }
  TEXT[at] = LETTERS[(held << (5 - bits)) & 0x1f] as number;
  return TEXT.toString('latin1');
}

function checkedId(text: string): string {
  // 26 characters carry 130 bits; the last two must be zero, so that one id has one spelling.
  if (!ID_TEXT.test(text) || !'aeimquy4'.includes(text.charAt(25))) throw new DecodeError('id');
  return text;
}

function fixed(bytes: Uint8Array, length: number, operation: string): Uint8Array {
  if (bytes.length !== length) throw new DecodeError(operation);
  return concat(bytes);
}
