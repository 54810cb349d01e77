import { hex } from '../base/bytes.ts';
import { LIMITS } from '../base/limits.ts';
import { identityPublicOf } from '../crypto/card.ts';
import { safetyNumber } from '../crypto/verification.ts';
import type { Held } from '../mailbox/placement.ts';
import type { Messenger } from '../state/messenger.ts';
import type { Proof as Signed } from '../state/proofs.ts';
import { placeText } from '../storage/message-place.ts';
import type { ContactRecord, ConversationRecord, RequestRecord, StoredMessage } from '../storage/records.ts';
import { decodeCard } from '../wire/card.ts';
import type { Contact, ContactRequest, Conversation, Message, MessageState, Profile, Proof } from './schema.ts';

/** Stored records as the API shows them. */

export function profileView({ context: { account } }: Messenger): Profile {
  return { id: account.id, nick: account.nick, createdAt: account.createdAtMs };
}

export function contactView(messenger: Messenger, record: ContactRecord): Contact {
  return {
    id: record.id,
    conversation: record.conversation,
    nick: nickOf(record),
    claimedNick: record.claimedNick,
    phase: record.phase,
    trust: record.trust,
    online: messenger.isOnline(record),
    safetyNumber: safetyNumberWith(messenger, record.card),
    addedAt: record.addedAtMs,
    lastSeenAt: record.lastSeenAtMs,
  };
}

export function requestView(messenger: Messenger, record: RequestRecord): ContactRequest {
  return {
    id: record.id,
    nick: record.nick,
    safetyNumber: safetyNumberWith(messenger, record.card),
    receivedAt: record.receivedAtMs,
  };
}

/** @param state how far the message has come, where the caller knows it */
export function messageView(
  messenger: Messenger,
  message: StoredMessage,
  contact: ContactRecord,
  state = stateOf(messenger, message),
): Message {
  const held = state === 'queued' ? heldView(messenger.placing.heldOf(message.id)) : { state, heldBy: 0, until: null };
  const { account } = messenger.context;
  return {
    id: message.id,
    conversation: contact.conversation,
    from: message.sender,
    fromNick: message.outgoing ? account.nick : nickOf(contact),
    outgoing: message.outgoing,
    text: message.text,
    sentAt: sentAtMs(message),
    place: placeText(message),
    ...held,
    late: message.late,
  };
}

export function proofView(
  { store }: Messenger['context'],
  { says, atMs, identity, statement, signature }: Signed,
): Proof {
  const contact = store.contacts.byIdentity(identity);
  return {
    says,
    at: atMs,
    by: contact ? nickOf(contact) : null,
    identity: hex(identity),
    statement: hex(statement),
    signature: hex(signature),
  };
}

/** How far a text has come that its recipient has not confirmed. */
export function heldView({ heldBy, untilMs }: Held): Pick<Message, 'state' | 'heldBy' | 'until'> {
  return { state: heldBy > 0 ? 'held' : 'queued', heldBy, until: untilMs };
}

/** The sender's time; where that cannot be, a clock was wrong, and it is the time of arrival here. */
function sentAtMs({ hlc, receivedAtMs }: StoredMessage): number {
  const earliestMs = receivedAtMs - LIMITS.envelopeLifetimeMs - LIMITS.clockSkewMs;
  return hlc.ms < earliestMs || hlc.ms > receivedAtMs + LIMITS.clockSkewMs ? receivedAtMs : hlc.ms;
}

export function conversationView(
  messenger: Messenger,
  record: ConversationRecord,
  contact: ContactRecord,
): Conversation {
  const last = messenger.context.store.messages.newest(record.id, 1).at(-1);
  return {
    id: record.id,
    contact: contactView(messenger, contact),
    lastMessage: last ? messageView(messenger, last, contact) : null,
    unread: record.unread,
  };
}

function stateOf({ context }: Messenger, { id, outgoing }: StoredMessage): MessageState {
  return outgoing ? (context.store.messages.stateOf(id)?.state ?? 'queued') : 'received';
}

export function nickOf(record: ContactRecord): string {
  return record.nick || record.claimedNick;
}

function safetyNumberWith({ context }: Messenger, card: Uint8Array): string {
  return safetyNumber(context.account.public, identityPublicOf(decodeCard(card)));
}
