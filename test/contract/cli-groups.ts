import { UsageError } from '../../core/base/errors.ts';
import type { CommandTable, Contact, Group, GroupDetails, GroupMember } from '../../core/commands/schema.ts';

const id = (letter: string) => letter.repeat(26);

/** One group of Ann, Bob and somebody with a name that would redraw the screen; changes of anybody else are refused. */
export function groupCommands(open: () => void, contact: Contact) {
  const nobody = { contact: false, trust: null, online: false, safetyNumber: null, equivocated: false } as const;
  const people: GroupMember[] = [
    { id: id('a'), nick: 'Ann', role: 'admin', you: true, ...nobody },
    { id: id('b'), nick: 'Bob', role: 'member', you: false, ...nobody, contact: true, trust: 'verified', online: true },
    { id: id('e'), nick: 'Eve\u001b[2J', role: 'member', you: false, ...nobody, equivocated: true },
  ];
  let group: GroupDetails = {
    id: id('g'),
    conversation: id('h'),
    name: 'Crew',
    phase: 'member',
    role: 'admin',
    members: 3,
    createdAt: 1,
    people,
  };
  const find = (name: string): GroupDetails => {
    open();
    if (name !== group.name && name !== group.id) throw new UsageError('not-found', 'test', 'There is no such group.');
    return group;
  };
  const known = (who: string) => {
    const found = people.find(({ nick, id: other }) => who.toLowerCase() === nick.toLowerCase() || who === other);
    if (!found) throw new UsageError('not-found', 'test', `Nobody here is called "${who}".`);
    return found.id;
  };
  const keep = (change: Partial<GroupDetails>) => {
    group = { ...group, ...change };
    return { ...group, members: group.people.length };
  };
  const role = (who: string, to: GroupMember['role']) => {
    const member = known(who);
    return keep({ people: group.people.map(person => (person.id === member ? { ...person, role: to } : person)) });
  };
  const briefly = ({ people: _, ...brief }: GroupDetails): Group => brief;
  return {
    'groups.create': async ({ name, members, suite }) => {
      open();
      if (suite === 'classical')
        throw new UsageError('refused', 'test', 'Bob has given no keys for this kind of group.');
      return keep({ name, people: people.filter(({ you, id: other }) => you || members.map(known).includes(other)) });
    },
    'groups.list': async () => [briefly(group)],
    'groups.get': async ({ group: name }) => find(name),
    'groups.rename': async ({ group: name, name: to }) => find(name) && keep({ name: to }),
    'groups.add': async ({ group: name, who }) => {
      const added = known(who);
      return find(name) && keep({ people: people.filter(({ id: other }) => other === added || inGroup(other)) });
    },
    'groups.remove': async ({ group: name, member }) => {
      const gone = known(member);
      return find(name) && keep({ people: group.people.filter(({ id: other }) => other !== gone) });
    },
    'groups.promote': async ({ group: name, member }) => find(name) && role(member, 'admin'),
    'groups.demote': async ({ group: name, member }) => find(name) && role(member, 'member'),
    'groups.leave': async ({ group: name }) => briefly(find(name) && keep({ phase: 'left' })),
    'groups.delete': async ({ group: name }) => {
      if (find(name).phase === 'member')
        throw new UsageError('refused', 'test', 'Leave the group before you delete it.');
      group = { ...group, name: '', id: '' };
      return { done: true } as const;
    },
    'groups.invite': async ({ group: name }) => find(name) && { invite: 'molva:g1/abc', expiresAt: 1_800_000_000_000 },
    'groups.join': async ({ invite }) => {
      if (!invite.startsWith('molva:g1/')) throw new UsageError('bad-bytes', 'test', 'This is not an invite.');
      return { name: group.name, contact };
    },
  } satisfies Partial<CommandTable>;

  function inGroup(member: string): boolean {
    return group.people.some(({ id: other }) => other === member);
  }
}
