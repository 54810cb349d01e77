import type { ApiEvent } from '../commands/schema.ts';
import { GroupNames } from './group-names.ts';
import { groupLine } from './group-text.ts';
import { safe } from './safe.ts';
import { contactLine, count, messageLine, RESTORED, STATE_TEXT, stateText, timeOf } from './text.ts';

/** What `watch` prints of an event. */

/** @param groups what they are called, as far as it is known */
export function eventText(event: ApiEvent, groups = new GroupNames()): string {
  switch (event.event) {
    case 'core-state':
      return `Molva is ${STATE_TEXT[event.state]}.`;
    case 'message-received':
    case 'message-sent':
      return messageLine(event.message, groups.of(event.message.conversation));
    case 'message-state':
      return `${timeOf(event.at)}  message ${event.id} is ${stateText(event)}`;
    case 'profile-restored':
      return `${timeOf(event.at)}  ${RESTORED}`;
    case 'contact-request':
      return `${safe(event.request.nick)} asks to become a contact: molva accept ${event.request.id}`;
    case 'contact-changed':
      return contactLine(event.contact);
    case 'group-changed':
      return groupLine(event.group).trimEnd();
    case 'group-commit':
      return `group ${called(event.group, groups)}: ${event.changes.join(', ')}`;
    case 'group-fork-healed':
      return `group ${called(event.group, groups)} had come apart and is one again; ${count(event.rolledBack, 'step')} gone back`;
    case 'group-deleted':
      return `group ${called(event.group, groups)} was deleted here`;
    case 'group-members':
      return `group ${called(event.group, groups)}: its members, their names or roles are others now`;
    case 'verification-changed':
      return `verification of ${event.verification.contact}: ${event.verification.phase}`;
    case 'network-changed':
      return `network: ${event.online ? 'online' : 'offline'}, ${count(event.peers, 'peer')}`;
    default: {
      const { event: name, ...rest } = event;
      return `${name} ${Object.values(rest).join(' ')}`;
    }
  }
}

function called(group: string, groups: GroupNames): string {
  return safe(groups.of(group) ?? group);
}
