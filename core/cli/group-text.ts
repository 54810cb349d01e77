import type { Group, GroupDetails, GroupMember, Notice } from '../commands/schema.ts';
import { safe, safeName } from './safe.ts';

/** Groups as plain text for a person. Whatever other people wrote goes through `safe`. */

const PHASE = {
  member: '',
  leaving: 'you are leaving',
  left: 'you have left',
  removed: 'you were removed',
  unreadable: 'cannot be read',
} as const;
const TRUST = { verified: 'verified', unverified: 'not verified', changed: 'KEY CHANGED' } as const;

export function groupsText(groups: readonly Group[]): string {
  if (groups.length === 0) return 'No groups yet. "molva group create NAME" makes one.\n';
  const width = Math.max(...groups.map(group => nameOf(group).length));
  return groups.map(group => groupLine(group, width)).join('');
}

export function groupLine(group: Group, width = 0): string {
  const part = PHASE[group.phase] || (group.role === 'admin' ? 'admin' : 'member');
  const members = group.phase === 'unreadable' ? '' : membersOf(group.members);
  return `${nameOf(group).padEnd(width)}  ${members.padEnd(11)}  ${part.padEnd(17)}  ${group.id}\n`;
}

function nameOf({ name, phase }: Group): string {
  return phase === 'unreadable' ? '(unknown)' : safe(name);
}

export function groupText(details: GroupDetails): string {
  return `${groupLine(details)}${membersText(details.people)}`;
}

export function membersText(people: readonly GroupMember[]): string {
  const width = Math.max(0, ...people.map(member => safe(member.nick).length));
  return people.map(member => memberLine(member, width)).join('');
}

function memberLine(member: GroupMember, width: number): string {
  const { nick, role, you, trust, online, equivocated } = member;
  const standing = you ? 'you' : trust === null ? 'no contact' : TRUST[trust];
  const presence = you || online ? 'online' : 'away';
  const warning = equivocated ? '  SIGNED TWO DIFFERENT THINGS IN ONE PLACE' : '';
  return `  ${safe(nick).padEnd(width)}  ${role.padEnd(6)}  ${presence.padEnd(6)}  ${standing.padEnd(12)}  ${member.id}${warning}\n`;
}

/** A change of the group, a sentence without its full stop. */
export function noticeText({ kind, by, member, name, count }: Notice): string {
  const who = by === null ? 'Somebody' : safeName(by.nick);
  const whom = member === null ? 'somebody' : safeName(member.nick);
  switch (kind) {
    case 'made':
      return `${who} made the group ${safe(name ?? '')}`;
    case 'renamed':
      return `${who} named the group ${safe(name ?? '')}`;
    case 'added':
      return `${who} added ${whom}`;
    case 'removed':
      return `${who} removed ${whom}`;
    case 'left':
      return `${whom} left`;
    case 'promoted':
      return `${who} made ${whom} an admin`;
    case 'demoted':
      return `${who} made ${whom} a plain member`;
    case 'fork-healed':
      return 'The group had come apart and is one again';
    case 'equivocation':
      return `${whom} signed two different messages in one place; some may have read the other`;
    case 'returned':
      return `${whom} had lost touch with the group and came back`;
    case 'hole':
      return `${count ?? 1} of ${whom}'s messages ${count === 1 ? 'has' : 'have'} not come`;
  }
}

function membersOf(count: number): string {
  return `${count} ${count === 1 ? 'member' : 'members'}`;
}
