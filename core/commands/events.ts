import type { ConversationId, MessageId } from '../base/ids.ts';
import type { CoreEvent } from '../state/events.ts';
import type { Messenger } from '../state/messenger.ts';
import { groupIn } from './group-views.ts';
import type { ApiEvent, Reach } from './schema.ts';
import { verificationOf } from './verification.ts';
import { contactView, type Home, heldView, messageView, reachView, requestView } from './views.ts';

/** A core event as API clients see it; undefined when what it speaks of is gone already. */
export function apiEventOf(messenger: Messenger, event: CoreEvent): ApiEvent | undefined {
  const { store } = messenger.context;
  switch (event.type) {
    case 'peer-connected':
    case 'peer-disconnected':
      return { event: event.type, contact: event.contact };
    case 'message-received':
    case 'message-sent': {
      const state = event.type === 'message-sent' ? 'queued' : 'received';
      const home = homeOf(messenger, event);
      return home && { event: event.type, message: messageView(messenger, event.message, home, state) };
    }
    case 'message-state': {
      const { id, conversation, state, atMs } = event;
      const reach = reachIn(messenger, conversation, id);
      return { event: event.type, id, conversation, state, heldBy: 0, until: null, reach, at: atMs };
    }
    case 'message-held': {
      const { id, conversation, held, atMs } = event;
      return { event: 'message-state', id, conversation, ...heldView(held), reach: null, at: atMs };
    }
    case 'bundle-progress': {
      const { transfer, direction, bytes, envelopes } = event;
      return { event: event.type, transfer, direction, bytes, envelopes };
    }
    case 'profile-restored':
      return { event: event.type, at: event.atMs };
    case 'contact-request': {
      const request = store.requests.get(event.id);
      return request && { event: event.type, request: requestView(messenger, request) };
    }
    case 'contact-changed': {
      const contact = store.contacts.get(event.id);
      return contact && { event: event.type, contact: contactView(messenger, contact) };
    }
    case 'request-closed':
    case 'contact-removed':
      return { event: event.type, id: event.id };
    case 'conversation-read':
      return { event: event.type, conversation: event.conversation };
    case 'verification-changed': {
      const verification = verificationOf(messenger, event.contact);
      return verification && { event: event.type, verification };
    }
    case 'group-changed': {
      const group = groupIn(messenger, event.group);
      return group && { event: event.type, group };
    }
    case 'group-deleted':
    case 'group-members':
      return { event: event.type, group: event.group };
    case 'group-commit': {
      const { group, epoch, by, changes } = event;
      return { event: event.type, group, epoch, by, changes: [...changes] };
    }
    case 'group-fork-healed':
      return { event: event.type, group: event.group, rolledBack: event.rolledBack };
    case 'network-changed':
      return networkEvent(messenger);
    case 'offline-sync-started':
      return { event: event.type, contact: event.contact, direction: event.direction, queued: event.queued };
    case 'offline-sync-finished': {
      const { contact, direction, sent, received } = event;
      return { event: event.type, contact, direction, sent, received };
    }
  }
}

function networkEvent({ swarm }: Messenger): ApiEvent {
  const peers = swarm.connectedPeers().length;
  return { event: 'network-changed', online: peers > 0, peers, addresses: swarm.addresses() };
}

function homeOf(
  { context }: Messenger,
  { contact, group }: Extract<CoreEvent, { readonly message: unknown }>,
): Home | undefined {
  if (contact) return contact;
  const record = group && context.store.groups.get(group);
  return record ? { group: record.id, conversation: record.conversation } : undefined;
}

function reachIn(messenger: Messenger, conversation: ConversationId, id: MessageId): Reach | null {
  const group = messenger.context.store.conversations.get(conversation)?.group;
  return group ? reachView(messenger, group, id) : null;
}
