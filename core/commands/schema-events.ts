import * as v from 'valibot';
import { group } from './group-shapes.ts';
import {
  contact,
  contactRequest,
  coreState,
  count,
  id,
  message,
  messageState,
  reach,
  syncDirection,
  timeMs,
  verification,
} from './shapes.ts';

/** What the core tells every client (schema.ts says how it travels). */

export const EVENTS = {
  'core-state': v.object({ state: coreState }),
  'peer-connected': v.object({ contact: id() }),
  'peer-disconnected': v.object({ contact: id() }),
  'message-received': v.object({ message }),
  'message-sent': v.object({ message }),
  'message-state': v.object({
    id: id(),
    conversation: id(),
    state: messageState,
    heldBy: count(),
    until: v.nullable(timeMs()),
    reach: v.nullable(reach),
    at: timeMs(),
  }),
  'profile-restored': v.object({ at: timeMs() }),
  'bundle-progress': v.object({
    transfer: v.pipe(v.string(), v.description('the name given in the header `Molva-Transfer`, or one of its own')),
    direction: v.picklist(['export', 'import']),
    bytes: count(),
    envelopes: count(),
  }),
  'contact-request': v.object({ request: contactRequest }),
  'request-closed': v.object({ id: id() }),
  'contact-changed': v.object({ contact }),
  'contact-removed': v.object({ id: id() }),
  'conversation-read': v.object({ conversation: id() }),
  'verification-changed': v.object({ verification }),
  'group-changed': v.object({ group }),
  'group-deleted': v.object({ group: v.pipe(id(), v.description('it is gone, with its conversation')) }),
  'group-members': v.object({ group: v.pipe(id(), v.description('its members, their nicks or roles are others now')) }),
  'group-commit': v.object({
    group: id(),
    epoch: v.pipe(v.string(), v.description('which one is the head now; hexadecimal')),
    by: v.nullable(v.pipe(id(), v.description('who committed it'))),
    changes: v.array(v.picklist(['add', 'remove', 'leave', 'promote', 'demote', 'rename', 'keys'])),
  }),
  'group-fork-healed': v.object({
    group: id(),
    rolledBack: v.pipe(count(), v.description('epochs of the branch before that were left')),
  }),
  'network-changed': v.object({ online: v.boolean(), peers: count(), addresses: v.array(v.string()) }),
  'offline-sync-started': v.object({ contact: id(), direction: syncDirection, queued: count() }),
  'offline-sync-finished': v.object({
    contact: id(),
    direction: syncDirection,
    sent: v.pipe(count(), v.description('out: envelopes the contact has stored')),
    received: v.pipe(count(), v.description('in: envelopes stored here')),
  }),
} as const;

export type EventName = keyof typeof EVENTS;
export type EventData<E extends EventName> = v.InferOutput<(typeof EVENTS)[E]>;
/** What travels to the page and to `watch`: one event with its name. */
export type ApiEvent = { [E in EventName]: { readonly event: E } & EventData<E> }[EventName];
