import { hex } from '../base/bytes.ts';
import type { ContactId, ConversationId, GroupId, MessageId } from '../base/ids.ts';
import { LIMITS } from '../base/limits.ts';
import type { Held } from '../mailbox/placement.ts';
import type { Messenger } from '../state/messenger.ts';
import type { Proof as Signed } from '../state/proofs.ts';
import { placeText } from '../storage/message-place.ts';
import type { ContactRecord, ConversationRecord, RequestRecord, StoredMessage } from '../storage/records.ts';
import { groupIn, memberNick, noticeView } from './group-views.ts';
import { nickOf } from './names.ts';
import { safetyNumberWith } from './safety.ts';
import type { Contact, ContactRequest, Conversation, Message, MessageState, Profile, Proof, Reach } from './schema.ts';

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
    addable: messenger.context.store.peerKeyPackages.get(record.id) !== undefined,
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

/** Where a message stands: with a contact, or in a group. */
export type Home = ContactRecord | GroupHome;

export interface GroupHome {
  readonly group: GroupId;
  readonly conversation: ConversationId;
  /** What members are called, for as long as one answer takes: a name may have to be read from a card. */
  readonly nicks?: Map<ContactId, string>;
}

/** @param state how far the message has come, where the caller knows it */
export function messageView(
  messenger: Messenger,
  message: StoredMessage,
  home: Home,
  state = stateOf(messenger, message),
): Message {
  const alone = { state, heldBy: 0, until: null };
  const held = state === 'queued' && !('group' in home) ? heldView(messenger.placing.heldOf(message.id)) : alone;
  const { account } = messenger.context;
  const nick = 'group' in home ? nickIn(messenger, home, message.sender) : nickOf(home);
  return {
    id: message.id,
    conversation: home.conversation,
    from: message.sender,
    fromNick: message.outgoing ? account.nick : nick,
    outgoing: message.outgoing,
    text: message.text,
    sentAt: sentAtMs(message),
    place: placeText(message),
    ...held,
    late: message.late,
    notice: 'group' in home ? noticeView(messenger, home.group, message) : null,
    reach: 'group' in home && message.outgoing ? reachView(messenger, home.group, message.id) : null,
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

function nickIn(messenger: Messenger, { group, nicks }: GroupHome, member: ContactId): string {
  const nick = nicks?.get(member) ?? memberNick(messenger, group, member);
  nicks?.set(member, nick);
  return nick;
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

/** Undefined when the contact or group is gone already. */
export function conversationView(messenger: Messenger, record: ConversationRecord): Conversation | undefined {
  const { id, unread, group } = record;
  const last = messenger.context.store.messages.newest(id, 1).at(-1);
  const contact = record.contact ? messenger.context.store.contacts.get(record.contact) : undefined;
  if (contact) {
    const lastMessage = last ? messageView(messenger, last, contact) : null;
    return { id, contact: contactView(messenger, contact), group: null, lastMessage, unread };
  }
  const found = group && groupIn(messenger, group);
  if (!group || !found) return undefined;
  const lastMessage = last ? messageView(messenger, last, { group, conversation: id }) : null;
  return { id, contact: null, group: found, lastMessage, unread };
}

/** Members known to have an own text; null while no member is known to have it. */
export function reachView({ groups }: Messenger, group: GroupId, id: MessageId): Reach | null {
  const reach = groups.reachOf(group, id);
  return reach ? { deliveredTo: reach.deliveredTo, of: reach.of } : null;
}

function stateOf({ context }: Messenger, { id, outgoing }: StoredMessage): MessageState {
  return outgoing ? (context.store.messages.stateOf(id)?.state ?? 'queued') : 'received';
}
