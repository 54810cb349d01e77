import type { ContactId, GroupId } from '../base/ids.ts';
import type { GroupStanding } from '../state/groups/groups.ts';
import type { Messenger } from '../state/messenger.ts';
import type { StoredMessage } from '../storage/records.ts';
import { decodeCard } from '../wire/card.ts';
import { decodeNotice, type Notice as StoredNotice } from '../wire/notice.ts';
import { nickOf } from './names.ts';
import type { Group, GroupDetails, GroupMember, Notice } from './schema.ts';

/** Stored groups as the API shows them. */

export function groupView({ context }: Messenger, standing: GroupStanding): Group {
  const { id, conversation, phase, createdAtMs } = standing.record;
  const { name, admins, members } = standing;
  const role = admins.includes(context.account.id) ? 'admin' : 'member';
  return { id, conversation, name, phase, role, members: members.length, createdAt: createdAtMs };
}

export function groupDetailsView(messenger: Messenger, standing: GroupStanding): GroupDetails {
  const people = messenger.context.store.reading(() => standing.members.map(id => memberView(messenger, standing, id)));
  const rank = (member: GroupMember) => (member.you ? 0 : member.role === 'admin' ? 1 : 2);
  people.sort((a, b) => rank(a) - rank(b) || a.nick.localeCompare(b.nick) || (a.id < b.id ? -1 : 1));
  return { ...groupView(messenger, standing), people };
}

function memberView(messenger: Messenger, standing: GroupStanding, id: ContactId): GroupMember {
  const { store, account } = messenger.context;
  const you = id === account.id;
  const contact = you ? undefined : store.contacts.get(id);
  const card = contact ?? cardOf(messenger, standing.record.id, id);
  return {
    id,
    nick: memberNick(messenger, standing.record.id, id),
    role: standing.admins.includes(id) ? 'admin' : 'member',
    you,
    contact: contact !== undefined,
    trust: contact?.trust ?? null,
    online: you || (card !== undefined && messenger.isOnline(card)),
    equivocated: standing.equivocators.includes(id),
  };
}

/** As a contact is called here, else what the member calls itself; of a card that has not come, the beginning of the id. */
export function memberNick(messenger: Messenger, group: GroupId, id: ContactId): string {
  const { store, account } = messenger.context;
  if (id === account.id) return account.nick;
  const contact = store.contacts.get(id);
  if (contact) return nickOf(contact);
  return cardOf(messenger, group, id)?.nick ?? id.slice(0, UNNAMED_LETTERS);
}

/** Enough to tell a few apart, and plainly not a name. */
const UNNAMED_LETTERS = 6;

function cardOf({ context }: Messenger, group: GroupId, id: ContactId) {
  const record = context.store.groupMembers.get(group, id);
  return record && decodeCard(record.card);
}

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
