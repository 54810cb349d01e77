import { UsageError } from '../base/errors.ts';
import type { ContactId, GroupId } from '../base/ids.ts';
import type { GroupMemberView, GroupView } from '../state/groups/views.ts';
import type { Messenger } from '../state/messenger.ts';
import type { ContactRecord, StoredMessage } from '../storage/records.ts';
import { type ContactCard, decodeCard } from '../wire/card.ts';
import { decodeNotice, type Notice as StoredNotice } from '../wire/notice.ts';
import { nickOf } from './names.ts';
import { safetyNumberWith } from './safety.ts';
import type { Group, GroupDetails, GroupMember, Notice } from './schema.ts';

/** Groups as the API shows them. */

export function groupView({ id, conversation, name, phase, admin, members, createdAtMs }: GroupView): Group {
  const role = admin ? 'admin' : 'member';
  return { id, conversation, name, phase, role, members: members.length, createdAt: createdAtMs };
}

/** Undefined for one that is gone, or that could not be read. */
export function groupIn({ groups }: Messenger, id: GroupId): Group | undefined {
  try {
    return groupView(groups.get(id));
  } catch (error) {
    if (error instanceof UsageError) return undefined;
    throw error;
  }
}

export function groupDetailsView(messenger: Messenger, group: GroupView): GroupDetails {
  const { store } = messenger.context;
  const people = store.reading(() => group.members.map(member => memberView(messenger, group.id, member)));
  const rank = (member: GroupMember) => (member.you ? 0 : member.role === 'admin' ? 1 : 2);
  people.sort((a, b) => rank(a) - rank(b) || a.nick.localeCompare(b.nick) || (a.id < b.id ? -1 : 1));
  return { ...groupView(group), people };
}

function memberView(messenger: Messenger, group: GroupId, { id, admin, equivocated }: GroupMemberView): GroupMember {
  const { store, account } = messenger.context;
  const you = id === account.id;
  const contact = you ? undefined : store.contacts.get(id);
  const card = you ? undefined : cardOf(messenger, group, id, contact);
  return {
    id,
    nick: memberNick(messenger, group, id),
    role: admin ? 'admin' : 'member',
    you,
    contact: contact !== undefined,
    trust: contact?.trust ?? null,
    online: you || isOnline(messenger, contact ?? card),
    safetyNumber: card ? safetyNumberWith(messenger, card) : null,
    equivocated,
  };
}

/** Whoever is no contact is known by the card it gave the group. */
function cardOf(
  { context }: Messenger,
  group: GroupId,
  id: ContactId,
  contact: ContactRecord | undefined,
): ContactCard | undefined {
  const record = contact ?? context.store.groupMembers.get(group, id);
  return record && decodeCard(record.card);
}

function isOnline(messenger: Messenger, peer: ContactRecord | ContactCard | undefined): boolean {
  return peer !== undefined && messenger.isOnline(peer);
}

/** As a contact is called here, else what the member calls itself; where no card has come, the beginning of its id. */
export function memberNick({ context, groups }: Messenger, group: GroupId, id: ContactId): string {
  const contact = context.store.contacts.get(id);
  return contact ? nickOf(contact) : (groups.nickOf(group, id) ?? id.slice(0, UNNAMED_LETTERS));
}

/** Enough to tell a few apart, and plainly not a name. */
const UNNAMED_LETTERS = 6;

/** What a row of the timeline tells that nobody said; null for a text. */
export function noticeView(messenger: Messenger, group: GroupId, { content }: StoredMessage): Notice | null {
  if (content === undefined) return null;
  const notice: StoredNotice = decodeNotice(content);
  const person = (id: ContactId | null) => id && { id, nick: memberNick(messenger, group, id) };
  return {
    kind: notice.kind,
    by: 'by' in notice ? person(notice.by) : null,
    member: 'member' in notice ? person(notice.member) : null,
    name: 'name' in notice ? notice.name : null,
    count: 'count' in notice ? notice.count : null,
  };
}
