import type { Group, Notice } from '../../core/commands/schema.ts';

const members = (count: number) => (count === 1 ? '1 member' : `${count} members`);

/** Why nothing can be written, by how one stands with the group. */
const closed: Record<Exclude<Group['phase'], 'member'>, string> = {
  left: 'You have left this group. What was said until then stays readable here.',
  removed: 'You were removed from this group. What was said until then stays readable here.',
};

const standing: typeof closed = {
  left: 'You have left',
  removed: 'You were removed',
};

/** What happened in a group. `by` begins a sentence and `member` does not. */
const notices: Record<Notice['kind'], (by: string, member: string, name: string, count: number) => string> = {
  made: (by, _, name) => `${by} made the group “${name}”`,
  renamed: (by, _, name) => `${by} named the group “${name}”`,
  added: (by, member) => `${by} added ${member}`,
  removed: (by, member) => `${by} removed ${member}`,
  left: by => `${by} left`,
  promoted: (by, member) => `${by} made ${member} an admin`,
  demoted: (by, member) => `${by} took the admin’s role from ${member}`,
  'fork-healed': () => 'The group had come apart and is one again. Nothing that was said is lost.',
  equivocation: (_, member) =>
    `Two different messages stand in one place of ${member}’s messages. Both are signed by ${member}: others may have seen only one of them.`,
  hole: (_, member, __, count) =>
    count === 1 ? `One message of ${member} has not come.` : `${count} messages of ${member} have not come.`,
};

/** The words about groups. */
export const groupText = {
  new: 'New group',
  name: 'Name of the group',
  whom: 'Who is in it',
  whomHint: 'You can add others later. Everyone in the group sees who else is in it.',
  noContacts: 'Nobody is left to choose: you have no other contacts.',
  noName: 'Give the group a name.',
  nameTooLong: 'This name is too long.',
  create: 'Make the group',
  creating: 'Making its keys…',
  details: 'Group details',
  members,
  membersOnline: (count: number, online: number) =>
    online === 0 ? members(count) : `${members(count)}, ${online} online`,
  membersTitle: 'Members',
  you: 'you',
  admin: 'Admin',
  noContact: 'Not your contact',
  noContactHint: 'You have compared no code with this member. Ask for an invite to become contacts.',
  equivocated: 'Signed two different messages in one place',
  actions: (nick: string) => `Change ${nick}’s part`,
  promote: 'Make admin',
  demote: 'Make plain member',
  remove: 'Remove from the group…',
  removeAsk: (nick: string) =>
    `${nick} reads nothing that is said from then on, and is told. What was said stays with ${nick}.`,
  removeYes: 'Remove',
  demoteSelfAsk: 'Then only another admin can make you one again.',
  rename: 'Name of the group',
  add: 'Add people…',
  addTitle: 'Add people',
  addWhom: 'Your contacts',
  addChosen: (count: number) => (count === 1 ? 'Add 1 person' : `Add ${count} people`),
  addNone: 'Choose at least one contact.',
  adding: 'Adding…',
  invite: 'By a link',
  inviteHint: 'Whoever holds it asks to become your contact. Accept only those who are meant: they are added at once.',
  inviteMake: 'Make a link',
  inviteText: 'Invite to the group as text',
  leave: 'Leave the group',
  leaveAsk: 'Only an admin can bring you back. What was said until now stays readable on this computer.',
  leaveYes: 'Leave',
  lastAdmin: 'You are the only admin. Make somebody else one first.',
  closed,
  standing,
  notices,
  joined: (nick: string, name: string) =>
    `${nick} is asked to add you to “${name}”. The group appears by itself when that is done.`,
  already: 'You are in this group already.',
  sent: (deliveredTo: number, of: number) =>
    deliveredTo === 0 ? 'Sent; no member is known to have it yet' : `${deliveredTo} of ${of} have it`,
  someone: 'Somebody',
  self: 'You',
} as const;
