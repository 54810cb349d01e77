import type { Contact, Conversation, Group, GroupDetails, Message } from '../../core/commands/schema.ts';
import type { State } from './state.ts';
import { text } from './text.ts';

/** What conversations between two and those of groups have in common. */

export function nameOf({ contact, group }: Conversation): string {
  return group ? groupName(group) : (contact?.nick ?? '');
}

/** One that cannot be read has none. */
export function groupName({ name, phase }: Group): string {
  return phase === 'unreadable' ? text.group.unknown : name;
}

/** Names and colours the circle. */
export function faceOf({ id, contact, group }: Conversation): string {
  return group?.id ?? contact?.id ?? id;
}

export function latestOf({ lastMessage, contact, group }: Conversation): number {
  return lastMessage?.sentAt ?? contact?.addedAt ?? group?.createdAt ?? 0;
}

export function contactsIn({ conversations }: State): readonly Contact[] {
  return conversations.flatMap(({ contact }) => contact ?? []);
}

/** Those who can be chosen: nobody who has not accepted yet. */
export function acceptedIn(state: State): readonly Contact[] {
  return contactsIn(state).filter(({ phase }) => phase === 'accepted');
}

export function onlineIn({ people }: GroupDetails): number {
  return people.filter(({ online, you }) => online && !you).length;
}

/** Whether one can write here. */
export function isOpen({ group }: Conversation): boolean {
  return group === null || group.phase === 'member';
}

/** Messages of one sender stand together; what happened in between parts them. */
export function sameSender(a: Message, b: Message): boolean {
  return a.notice === null && b.notice === null && a.outgoing === b.outgoing && a.from === b.from;
}
