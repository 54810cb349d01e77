import { UsageError } from '../base/errors.ts';
import type { ContactId, ConversationId, GroupId } from '../base/ids.ts';
import { LIMITS } from '../base/limits.ts';
import type { Messenger } from '../state/messenger.ts';
import type { ContactRecord, RequestRecord } from '../storage/records.ts';
import { memberNick } from './group-views.ts';
import { nickOf, sameName } from './names.ts';

/** What the parsers of ids take: 16 bytes in base32. */
const ONE_SPELLING = /^[a-z2-7]{25}[aeimquy4]$/;

/** A group as it is found. */
export interface FoundGroup {
  readonly id: GroupId;
  readonly conversation: ConversationId;
}

export type Talk =
  | { readonly kind: 'contact'; readonly contact: ContactRecord }
  | { readonly kind: 'group'; readonly group: FoundGroup };

/**
 * The contact meant by a nick, contact id or conversation id; ids win over nicks, case does not count in nicks.
 * @throws UsageError `not-found`; `ambiguous` when two contacts bear the nick
 */
export function findContact(messenger: Messenger, who: string): ContactRecord {
  return contactById(messenger, who) ?? onlyOne(contactsCalled(messenger, who), who);
}

/** @throws UsageError `not-found` */
export function requireContact({ context }: Messenger, id: ContactId): ContactRecord {
  const record = context.store.contacts.get(id);
  if (!record) throw new UsageError('not-found', 'contacts', 'There is no such contact.');
  return record;
}

/** As findContact, of groups. */
export function findGroup(messenger: Messenger, name: string): FoundGroup {
  return groupById(messenger, name) ?? onlyOne(groupsCalled(messenger, name), name, 'There is no group called');
}

/** With whom one talks: a contact or a group. A name that both bear is ambiguous. @throws as findContact */
export function findTalk(messenger: Messenger, who: string): Talk {
  const contact = contactById(messenger, who);
  if (contact) return { kind: 'contact', contact };
  const group = groupById(messenger, who);
  if (group) return { kind: 'group', group };
  return onlyOne<Talk>(
    [
      ...contactsCalled(messenger, who).map(found => ({ kind: 'contact', contact: found }) as const),
      ...groupsCalled(messenger, who).map(found => ({ kind: 'group', group: found }) as const),
    ],
    who,
  );
}

/** The member of a group meant by a nick or contact id. @throws as findContact */
export function findMember(messenger: Messenger, group: GroupId, who: string): ContactId {
  const { members } = messenger.groups.get(group);
  const byId = members.find(({ id }) => id === who);
  const found = byId ? [byId] : members.filter(({ id }) => sameName(memberNick(messenger, group, id), who));
  return onlyOne(found, who, 'No member of the group is called').id;
}

/** The request meant by its id or the nick it bears. @throws as findContact */
export function findRequest(messenger: Messenger, who: string): RequestRecord {
  const requests = messenger.context.store.requests.list();
  return (
    requests.find(request => request.id === who) ??
    onlyOne(
      requests.filter(item => sameName(item.nick, who)),
      who,
    )
  );
}

/** Programs name contacts by id, call after call: no list of all contacts is read for it. */
function contactById({ context }: Messenger, id: string): ContactRecord | undefined {
  if (!ONE_SPELLING.test(id)) return undefined;
  const { contacts, conversations } = context.store;
  const contact = contacts.get(id as ContactId);
  if (contact) return contact;
  const of = conversations.get(id as ConversationId)?.contact;
  return of ? contacts.get(of) : undefined;
}

function groupById({ context }: Messenger, id: string): FoundGroup | undefined {
  if (!ONE_SPELLING.test(id)) return undefined;
  const { groups, conversations } = context.store;
  const group = groups.get(id as GroupId);
  if (group) return group;
  const of = conversations.get(id as ConversationId)?.group;
  return of ? groups.get(of) : undefined;
}

function contactsCalled({ context }: Messenger, who: string): ContactRecord[] {
  return context.store.contacts.list().filter(contact => sameName(nickOf(contact), who));
}

function groupsCalled({ groups }: Messenger, name: string): FoundGroup[] {
  return groups.list().filter(group => sameName(group.name, name));
}

function onlyOne<T>(found: readonly T[], who: string, none = 'Nobody here is called'): T {
  const [first] = found;
  if (first === undefined) throw new UsageError('not-found', 'who', `${none} "${shown(who)}".`);
  if (found.length > 1) {
    throw new UsageError('ambiguous', 'who', `More than one is called "${shown(who)}"; use the id.`);
  }
  return first;
}

function shown(who: string): string {
  return who.slice(0, LIMITS.groupNameBytes);
}
