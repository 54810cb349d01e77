import { UsageError } from '../base/errors.ts';
import { parseMessageId } from '../base/ids.ts';
import { LIMITS } from '../base/limits.ts';
import { proofsOf } from '../state/proofs.ts';
import type { SentText } from '../state/sending.ts';
import type { CoreHost } from './host.ts';
import type { CommandTable } from './schema.ts';
import { messageView, proofView } from './views.ts';
import { findContact } from './who.ts';

type MessageCommands = Pick<
  CommandTable,
  'messages.send' | 'messages.sendAgain' | 'messages.list' | 'messages.proof' | 'messages.markRead'
>;

export function messageCommands(host: CoreHost): MessageCommands {
  return {
    'messages.send': async ({ who, text }) => {
      const messenger = host.messenger();
      const id = messenger.knows(who) ? who : findContact(messenger, who).id;
      const { message, contact } = await messenger.ask<SentText>(id, { kind: 'send', text });
      return messageView(messenger, message, contact, 'queued');
    },
    'messages.sendAgain': async ({ id: asked }) => {
      const messenger = host.messenger();
      const { store } = messenger.context;
      const id = parseMessageId(asked);
      const conversation = store.messages.conversationOf(id);
      const record = conversation && store.conversations.get(conversation);
      if (!record) throw new UsageError('not-found', 'messages.sendAgain', 'There is no such message.');
      const { message, contact } = await messenger.ask<SentText>(record.contact, { kind: 'send-again', id });
      return messageView(messenger, message, contact);
    },
    'messages.list': async ({ who, limit, before }) => {
      const messenger = host.messenger();
      const { store } = messenger.context;
      const contact = findContact(messenger, who);
      const from = before === undefined ? undefined : parseMessageId(before);
      if (from && store.messages.conversationOf(from) !== contact.conversation) {
        throw new UsageError('not-found', 'messages.list', 'There is no such message in this conversation.');
      }
      // One more than asked for tells whether there is more.
      const found = store.messages.newest(contact.conversation, limit + 1, from);
      const shown = found.slice(-limit);
      return {
        messages: store.reading(() => shown.map(message => messageView(messenger, message, contact))),
        more: found.length > limit,
        completeUpTo: store.messages.completeUpTo(contact.conversation)?.id ?? null,
        missing: store.messages.awaitedOf(contact.conversation, LIMITS.awaitedParents).length,
      };
    },
    'messages.proof': async ({ id: asked }) => {
      const { context } = host.messenger();
      const { store } = context;
      const id = parseMessageId(asked);
      if (!store.messages.stateOf(id)) {
        throw new UsageError('not-found', 'messages.proof', 'There is no such message of your own.');
      }
      return { id, proofs: store.reading(() => proofsOf(store, id).map(proof => proofView(context, proof))) };
    },
    'messages.markRead': async ({ who, upTo }) => {
      const messenger = host.messenger();
      const contact = findContact(messenger, who);
      const target = upTo === undefined ? undefined : parseMessageId(upTo);
      await messenger.ask(contact.id, { kind: 'mark-read', upTo: target });
      return { done: true };
    },
  };
}
