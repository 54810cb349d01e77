import { UsageError } from '../base/errors.ts';
import { type ContactId, parseMessageId } from '../base/ids.ts';
import { LIMITS } from '../base/limits.ts';
import { proofsOf } from '../state/proofs.ts';
import type { SentText } from '../state/sending.ts';
import type { CoreHost } from './host.ts';
import type { CommandTable } from './schema.ts';
import { type Home, messageView, proofView } from './views.ts';
import { findTalk, type Talk } from './who.ts';

type MessageCommands = Pick<
  CommandTable,
  'messages.send' | 'messages.sendAgain' | 'messages.list' | 'messages.proof' | 'messages.markRead'
>;

export function messageCommands(host: CoreHost): MessageCommands {
  return {
    'messages.send': async ({ who, text }) => {
      const messenger = host.messenger();
      const talk = messenger.knows(who) ? undefined : findTalk(messenger, who);
      if (talk?.kind === 'group') {
        const { id: group, conversation } = talk.group;
        return messageView(messenger, await messenger.groups.send(group, text), { group, conversation }, 'queued');
      }
      const id = talk ? talk.contact.id : (who as ContactId);
      const { message, contact } = await messenger.ask<SentText>(id, { kind: 'send', text });
      return messageView(messenger, message, contact, 'queued');
    },
    'messages.sendAgain': async ({ id: asked }) => {
      const messenger = host.messenger();
      const { store } = messenger.context;
      const id = parseMessageId(asked);
      const conversation = store.messages.conversationOf(id);
      const record = conversation && store.conversations.get(conversation);
      if (!record?.contact) throw new UsageError('not-found', 'messages.sendAgain', 'There is no such message.');
      const { message, contact } = await messenger.ask<SentText>(record.contact, { kind: 'send-again', id });
      return messageView(messenger, message, contact);
    },
    'messages.list': async ({ who, limit, before }) => {
      const messenger = host.messenger();
      const { store } = messenger.context;
      const home = homeOf(findTalk(messenger, who));
      const { conversation } = home;
      const from = before === undefined ? undefined : parseMessageId(before);
      if (from && store.messages.conversationOf(from) !== conversation) {
        throw new UsageError('not-found', 'messages.list', 'There is no such message in this conversation.');
      }
      // One more than asked for tells whether there is more.
      const found = store.messages.newest(conversation, limit + 1, from);
      const shown = found.slice(-limit);
      return {
        messages: store.reading(() => shown.map(message => messageView(messenger, message, home))),
        more: found.length > limit,
        completeUpTo: store.messages.completeUpTo(conversation)?.id ?? null,
        missing: store.messages.awaitedOf(conversation, LIMITS.awaitedParents).length,
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
      const talk = findTalk(messenger, who);
      const target = upTo === undefined ? undefined : parseMessageId(upTo);
      if (talk.kind === 'group') await messenger.groups.markRead(talk.group.id, target);
      else await messenger.ask(talk.contact.id, { kind: 'mark-read', upTo: target });
      return { done: true };
    },
  };
}

function homeOf(talk: Talk): Home {
  if (talk.kind === 'contact') return talk.contact;
  return { group: talk.group.id, conversation: talk.group.conversation, nicks: new Map() };
}
