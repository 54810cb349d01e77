import { UsageError } from '../../core/base/errors.ts';
import type {
  ApiEvent,
  CommandTable,
  Contact,
  Group,
  GroupDetails,
  GroupMember,
  Message,
  Notice,
} from '../../core/commands/schema.ts';
import { type FakeProfile, safetyNumberOf } from './fake-profile.ts';

/** Groups of the fake core: every change is carried out at once and told as the core tells it. */

export const FAKE_GROUP_INVITE = `molva:g1/${'n4c7w2zrtq'.repeat(18)}`;
const CREATED_AT = 1_700_000_000_000;

type NoticeParts = Pick<Notice, 'kind'> & Partial<Notice>;

export function memberOf(contact: Contact, more: Partial<GroupMember> = {}): GroupMember {
  const { id, nick, trust, online, safetyNumber } = contact;
  const known = { contact: true, trust, online, safetyNumber } as const;
  return { id, nick, role: 'member', you: false, equivocated: false, ...known, ...more };
}

/** A member that is no contact. */
export function strangerIn(profile: FakeProfile, nick: string, more: Partial<GroupMember> = {}): GroupMember {
  const id = profile.next('stranger');
  const nobody = {
    contact: false,
    trust: null,
    online: false,
    safetyNumber: safetyNumberOf(id.charCodeAt(0)),
  } as const;
  return { id, nick, role: 'member', you: false, equivocated: false, ...nobody, ...more };
}

export function addGroup(
  profile: FakeProfile,
  name: string,
  others: readonly GroupMember[],
  more: Partial<Group> = {},
): GroupDetails {
  const role = more.role ?? 'admin';
  const you = { you: true, contact: false, trust: null, online: true, safetyNumber: null, equivocated: false } as const;
  const people = [{ id: profile.id, nick: profile.nick, role, ...you }, ...others];
  const [id, conversation] = [profile.next('group'), profile.next('talk')];
  const group: Group = { id, conversation, name, phase: 'member', role, members: 0, createdAt: CREATED_AT, ...more };
  const details = { ...group, members: people.length, people };
  profile.groups.set(id, details);
  profile.messages.set(conversation, []);
  return details;
}

/** A text of a member, by nick; of the own profile by 'you'. */
export function say(
  profile: FakeProfile,
  { conversation, people }: GroupDetails,
  who: string,
  text: string,
  more: Partial<Message> = {},
): Message {
  const member = people.find(person => (who === 'you' ? person.you : person.nick === who));
  if (!member) throw new Error(`nobody here is called ${who}`);
  const { id, nick, you } = member;
  return profile.addMessage({ id, conversation, nick }, text, { outgoing: you, ...more });
}

export function notify(
  profile: FakeProfile,
  { conversation }: Pick<Group, 'conversation'>,
  parts: NoticeParts,
  more: Partial<Message> = {},
): Message {
  const brief = (person: Notice['by'] | undefined) => (person ? { id: person.id, nick: person.nick } : null);
  const { by, member, name = null, count = null, kind } = parts;
  const notice: Notice = { kind, by: brief(by), member: brief(member), name, count };
  const before = profile.unread.get(conversation) ?? 0;
  const message = profile.addMessage({ id: profile.id, nick: profile.nick, conversation }, '', { notice, ...more });
  profile.unread.set(conversation, before);
  return message;
}

export function fakeGroupCommands(profile: FakeProfile, emit: (event: ApiEvent) => void): Partial<CommandTable> {
  const you = { id: profile.id, nick: profile.nick };
  const mine = (name: string): GroupDetails => {
    const found = findGroup(profile, name);
    if (found.phase !== 'member') throw new UsageError('refused', 'fake', 'You are no member of this group.');
    return found;
  };
  const keep = (details: GroupDetails, notice: NoticeParts): GroupDetails => {
    const kept = { ...details, members: details.people.length };
    profile.groups.set(kept.id, kept);
    emit({ event: 'group-changed', group: summary(kept) });
    emit({ event: 'group-members', group: kept.id });
    emit({ event: 'message-received', message: notify(profile, kept, { by: you, ...notice }) });
    return kept;
  };
  const role = (name: string, who: string, to: GroupMember['role']) => {
    const group = mine(name);
    const member = memberIn(group, who);
    const admins = group.people.filter(person => person.role === 'admin');
    if (to === 'member' && admins.length === 1) {
      throw new UsageError('refused', 'fake', 'A group needs an admin: make somebody else one first.');
    }
    const people = group.people.map(person => (person === member ? { ...person, role: to } : person));
    const kind = to === 'admin' ? 'promoted' : 'demoted';
    return keep({ ...group, people, role: member.you ? to : group.role }, { kind, member });
  };
  return {
    'groups.create': async ({ name, members }) => {
      const others = members.map(who => memberOf(contactOf(profile, who)));
      return keep(addGroup(profile, name, others), { kind: 'made', name });
    },
    'groups.list': async () => [...profile.groups.values()].map(summary),
    'groups.get': async ({ group }) => findGroup(profile, group),
    'groups.rename': async ({ group, name }) => keep({ ...mine(group), name }, { kind: 'renamed', name }),
    'groups.add': async ({ group, who }) => {
      const found = mine(group);
      const contact = contactOf(profile, who);
      if (found.people.some(({ id }) => id === contact.id)) throw new UsageError('refused', 'fake', 'Is a member.');
      return keep({ ...found, people: [...found.people, memberOf(contact)] }, { kind: 'added', member: contact });
    },
    'groups.remove': async ({ group, member: who }) => {
      const found = mine(group);
      const member = memberIn(found, who);
      return keep({ ...found, people: found.people.filter(person => person !== member) }, { kind: 'removed', member });
    },
    'groups.promote': async ({ group, member }) => role(group, member, 'admin'),
    'groups.demote': async ({ group, member }) => role(group, member, 'member'),
    'groups.leave': async ({ group }) => {
      const found = mine(group);
      const people = found.people.filter(person => !person.you);
      return summary(keep({ ...found, people, phase: 'left' }, { kind: 'left', member: you }));
    },
    'groups.delete': async ({ group }) => {
      const { id, conversation, phase } = findGroup(profile, group);
      if (phase === 'member') throw new UsageError('refused', 'fake', 'Leave the group before you delete it.');
      profile.groups.delete(id);
      profile.messages.delete(conversation);
      emit({ event: 'group-deleted', group: id });
      return { done: true };
    },
    'groups.invite': async ({ group }) => {
      mine(group);
      return { invite: FAKE_GROUP_INVITE, expiresAt: Date.now() + 7 * 86_400_000 };
    },
    'groups.join': async ({ invite }) => {
      if (invite.includes('expired')) throw new UsageError('refused', 'fake', 'This invite has expired.');
      return { name: 'Harbour', contact: profile.addContact('Tomasz', { phase: 'requested', addedAt: Date.now() }) };
    },
  };
}

export function summary({ people: _, ...group }: GroupDetails): Group {
  return group;
}

export function findGroup(profile: FakeProfile, who: string): GroupDetails {
  const found = [...profile.groups.values()].find(({ id, conversation, name }) =>
    [id, conversation, name].includes(who),
  );
  if (!found) throw new UsageError('not-found', 'fake', 'There is no such group.');
  return found;
}

function memberIn({ people }: GroupDetails, who: string): GroupMember {
  const member = people.find(({ id, nick }) => who === id || who === nick);
  if (!member) throw new UsageError('not-found', 'fake', 'There is no such member.');
  return member;
}

function contactOf(profile: FakeProfile, who: string): Contact {
  const contact = profile.find(who);
  if (!contact) throw new UsageError('not-found', 'fake', 'There is no such contact.');
  return contact;
}
