import type { Group, Notice } from '../../../core/commands/schema.ts';

const members = (count: number) => (count === 1 ? '1 member' : `${count} members`);

/** Why nothing can be written, by how one stands with the group. */
const closed: Record<Exclude<Group['phase'], 'member'>, string> = {
  leaving:
    'You are leaving: it is done as soon as another member learns of it. What was said until now stays readable here.',
  left: 'You have left this group. What was said until then stays readable here.',
  removed: 'You were removed from this group. What was said until then stays readable here.',
  unreadable:
    'What this computer kept of this group is damaged. Molva asks its members for the way back; what was said stays readable.',
};

const standing: typeof closed = {
  leaving: 'You are leaving',
  left: 'You have left',
  removed: 'You were removed',
  unreadable: 'Cannot be read',
};

/** What deleting means. */
const deleteAsk: Record<Group['phase'], string> = {
  member: 'Leave the group before you delete it.',
  leaving:
    'You are still leaving: until another member learns of it, you count as a member. All that was said is deleted from this computer.',
  left: 'All that was said in it is deleted from this computer. Others keep what they have.',
  removed: 'All that was said in it is deleted from this computer. Others keep what they have.',
  unreadable:
    'The others go on taking you for a member. All that was said is deleted from this computer, and Molva looks for no way back.',
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
    `${member} signed two different messages in one place. Some members may have read something else than you: ask ${member}.`,
  returned: by => `${by} had lost touch with the group and came back. Some of what was said in between may be missing.`,
  hole: (_, member, __, count) =>
    count === 1
      ? `One message of ${member} has not come; Molva asks for it.`
      : `${count} messages of ${member} have not come; Molva asks for them.`,
};

/** The words about groups. */
export const groupText = {
  new: 'New group',
  name: 'Name of the group',
  whom: 'Who is in it',
  whomHint: 'You can add others later. Everyone in the group sees who else is in it.',
  noContacts: 'Nobody is left to choose: you have no other contacts.',
  notAccepted: 'Has not accepted yet',
  notAddable: 'Cannot be added yet: be online at the same time once',
  noName: 'Give the group a name.',
  nameTooLong: 'This name is too long.',
  create: 'Make the group',
  creating: 'Making its keys…',
  details: 'Group details',
  members,
  membersOnline: (count: number, online: number) =>
    online === 0 ? members(count) : `${members(count)}, ${online} online`,
  membersTitle: 'Members',
  membersThen: 'Members when you were last in it',
  membersAll: (count: number) => `Show all ${count}`,
  you: 'you',
  admin: 'Admin',
  noContact: 'Not your contact',
  stranger: 'not your contact',
  noContactHint: 'You have compared no code with this member.',
  safetyHint: (nick: string) =>
    `The same 60 digits stand on ${nick}’s screen. Compare them, and you know that nobody is in between.`,
  noCard: (nick: string) => `${nick}’s contact card has not come yet, so there is no number to compare.`,
  talk: 'Open the conversation',
  equivocated: 'Signed two different messages in one place',
  more: (nick: string) => `More about ${nick}`,
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
  addChosen: (count: number) => (count === 0 ? 'Add' : count === 1 ? 'Add 1 person' : `Add ${count} people`),
  addNone: 'Choose at least one contact.',
  adding: 'Adding…',
  invite: 'By a link',
  inviteHint: 'Whoever holds it asks to become your contact. Accept only those who are meant: they are added at once.',
  inviteMake: 'Make a link',
  inviteText: 'Invite to the group as text',
  inviteQr: 'Invite to the group as a QR code',
  leave: 'Leave the group',
  leaveAsk:
    'Only an admin can bring you back. What was said until now stays readable on this computer until you delete it.',
  leaveYes: 'Leave',
  delete: 'Delete the group',
  deleteAsk,
  deleteYes: 'Delete',
  unknown: 'Group without a name',
  lastAdmin: 'A group needs an admin, and you are the only one. Make somebody else one first.',
  closed,
  standing,
  notices,
  joined: (nick: string, name: string) =>
    `${nick} is asked to add you to “${name}”. The group appears by itself when that is done.`,
  already: 'You are in this group already.',
  alone: 'Nobody else is in this group yet',
  sent: (deliveredTo: number, of: number) =>
    deliveredTo === 0
      ? 'Sent; no member is known to have it yet'
      : deliveredTo >= of
        ? 'Everyone has it'
        : `${deliveredTo} of ${of} have it`,
  someone: 'Somebody',
  self: 'You',
} as const;
