import type { ContactId, GroupId } from '../base/ids.ts';
import type { Change } from '../groups/asks.ts';
import { askToJoin, inviteToGroup } from '../state/groups/invites.ts';
import { groupDetailsView, groupView } from './group-views.ts';
import type { CoreHost } from './host.ts';
import type { CommandTable, GroupDetails } from './schema.ts';
import { contactView } from './views.ts';
import { findContact, findGroup, findMember, requireContact } from './who.ts';

type GroupCommands = Pick<
  CommandTable,
  | 'groups.create'
  | 'groups.list'
  | 'groups.get'
  | 'groups.rename'
  | 'groups.add'
  | 'groups.remove'
  | 'groups.promote'
  | 'groups.demote'
  | 'groups.leave'
  | 'groups.delete'
  | 'groups.invite'
  | 'groups.join'
>;

export function groupCommands(host: CoreHost): GroupCommands {
  const show = (id: GroupId): GroupDetails => {
    const messenger = host.messenger();
    return groupDetailsView(messenger, messenger.groups.get(id));
  };
  /** Asks for a change; it is done when it has been committed. */
  const change = async (group: string, changeOf: (id: GroupId) => Change): Promise<GroupDetails> => {
    const messenger = host.messenger();
    const { id } = findGroup(messenger, group);
    await messenger.groups.change(id, changeOf(id));
    return show(id);
  };
  const memberOf = (id: GroupId, member: string): ContactId => findMember(host.messenger(), id, member);
  return {
    'groups.create': async ({ name, members, suite }) => {
      const messenger = host.messenger();
      const chosen = new Set(members.map(who => findContact(messenger, who).id));
      return show(await messenger.groups.create(name, [...chosen], suite));
    },
    'groups.list': async () => {
      return host.messenger().groups.list().map(groupView);
    },
    'groups.get': async ({ group }) => show(findGroup(host.messenger(), group).id),
    'groups.rename': ({ group, name }) => change(group, () => ({ kind: 'rename', name })),
    'groups.add': async ({ group, who }) => {
      const messenger = host.messenger();
      const { id } = findGroup(messenger, group);
      await messenger.groups.add(id, findContact(messenger, who).id);
      return show(id);
    },
    'groups.remove': ({ group, member }) => change(group, id => ({ kind: 'remove', member: memberOf(id, member) })),
    'groups.promote': ({ group, member }) => change(group, id => ({ kind: 'promote', member: memberOf(id, member) })),
    'groups.demote': ({ group, member }) => change(group, id => ({ kind: 'demote', member: memberOf(id, member) })),
    'groups.leave': async ({ group }) => {
      const messenger = host.messenger();
      const { id } = findGroup(messenger, group);
      await messenger.groups.leave(id);
      return groupView(messenger.groups.get(id));
    },
    'groups.delete': async ({ group }) => {
      const messenger = host.messenger();
      await messenger.groups.delete(findGroup(messenger, group).id);
      return { done: true };
    },
    'groups.invite': async ({ group }) => {
      const messenger = host.messenger();
      const { invite, expiresAtMs } = await inviteToGroup(messenger, findGroup(messenger, group).id);
      return { invite, expiresAt: expiresAtMs };
    },
    'groups.join': async ({ invite }) => {
      const messenger = host.messenger();
      const { contact, name } = await askToJoin(messenger, invite);
      return { name, contact: contactView(messenger, requireContact(messenger, contact)) };
    },
  };
}
