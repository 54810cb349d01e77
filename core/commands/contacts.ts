import type { ContactId } from '../base/ids.ts';
import type { CoreHost } from './host.ts';
import type { CommandTable, Contact, Conversation } from './schema.ts';
import { contactView, conversationView, requestView } from './views.ts';
import { findContact, findRequest, requireContact } from './who.ts';

type ContactCommands = Pick<
  CommandTable,
  | 'invite.create'
  | 'contacts.list'
  | 'contacts.add'
  | 'contacts.rename'
  | 'contacts.remove'
  | 'requests.list'
  | 'requests.accept'
  | 'requests.decline'
  | 'conversations.list'
>;

export function contactCommands(host: CoreHost): ContactCommands {
  const show = (id: ContactId): Contact => {
    const messenger = host.messenger();
    return contactView(messenger, requireContact(messenger, id));
  };
  return {
    'invite.create': async () => {
      const { invite, expiresAtMs } = await host.messenger().createInvite();
      return { invite, expiresAt: expiresAtMs };
    },
    'contacts.list': async () => {
      const messenger = host.messenger();
      return messenger.context.store.contacts.list().map(record => contactView(messenger, record));
    },
    'contacts.add': async ({ invite, nick }) => show(await host.messenger().addContact(invite, nick ?? '')),
    'contacts.rename': async ({ who, nick }) => {
      const messenger = host.messenger();
      const { id } = findContact(messenger, who);
      await messenger.ask(id, {
        kind: 'change',
        change: turn => {
          turn.changeContact({ nick });
          turn.event({ type: 'contact-changed', id });
        },
      });
      return show(id);
    },
    'contacts.remove': async ({ who }) => {
      const messenger = host.messenger();
      await messenger.removeContact(findContact(messenger, who).id);
      return { done: true };
    },
    'requests.list': async () => {
      const messenger = host.messenger();
      return messenger.context.store.requests.list().map(record => requestView(messenger, record));
    },
    'requests.accept': async ({ id }) => {
      const messenger = host.messenger();
      return show(await messenger.acceptRequest(findRequest(messenger, id).id));
    },
    'requests.decline': async ({ id }) => {
      const messenger = host.messenger();
      await messenger.introductions.decline(findRequest(messenger, id).id);
      return { done: true };
    },
    'conversations.list': async () => {
      const messenger = host.messenger();
      const { store } = messenger.context;
      const views = store.conversations.list().flatMap(record => conversationView(messenger, record) ?? []);
      const latest = ({ lastMessage, contact, group }: Conversation) =>
        lastMessage?.sentAt ?? contact?.addedAt ?? group?.createdAt ?? 0;
      return views.sort((a, b) => latest(b) - latest(a));
    },
  };
}
