import * as v from 'valibot';
import { groupDetails, group as groupShape } from './group-shapes.ts';
import { done, group, groupInvite, groupName, member, method, none, who } from './parameters.ts';
import { contact, timeMs } from './shapes.ts';

const suite = v.pipe(
  v.picklist(['hybrid', 'classical']),
  v.description(
    'of its cryptography, for good; hybrid: closed to a quantum computer as well. Not given: hybrid, unless the group begins large',
  ),
);
const byGroup = v.strictObject({ group });
const CHANGE = [
  'locked',
  'not-found',
  'ambiguous',
  'refused',
  'limit-reached',
  'busy',
  'disk-full',
  'disk-failed',
] as const;

/** Changes are asked for: they are done when a member that may has committed them, and events tell. */
export const GROUP_METHODS = {
  'groups.create': method({
    summary: 'Makes a group, with oneself as its admin, and adds contacts to it.',
    params: v.strictObject({
      name: groupName,
      members: v.optional(v.pipe(v.array(who), v.maxLength(255)), []),
      suite: v.optional(suite),
    }),
    result: groupDetails,
    errors: CHANGE,
  }),
  'groups.list': method({
    summary: 'All groups, also those that were left.',
    params: none,
    result: v.array(groupShape),
    errors: ['locked'],
  }),
  'groups.get': method({
    summary: 'A group with its members.',
    params: byGroup,
    result: groupDetails,
    errors: ['locked', 'not-found', 'ambiguous'],
  }),
  'groups.rename': method({
    summary: 'Gives a group another name. Admins only.',
    params: v.strictObject({ group, name: groupName }),
    result: groupDetails,
    errors: CHANGE,
  }),
  'groups.add': method({
    summary: 'Adds a contact. Admins only.',
    params: v.strictObject({ group, who }),
    result: groupDetails,
    errors: CHANGE,
  }),
  'groups.remove': method({
    summary: 'Removes a member: it reads nothing that is said later. Admins only.',
    params: v.strictObject({ group, member }),
    result: groupDetails,
    errors: CHANGE,
  }),
  'groups.promote': method({
    summary: 'Makes a member an admin. Admins only.',
    params: v.strictObject({ group, member }),
    result: groupDetails,
    errors: CHANGE,
  }),
  'groups.demote': method({
    summary: 'Makes an admin a plain member; the last one stays. Admins only.',
    params: v.strictObject({ group, member }),
    result: groupDetails,
    errors: CHANGE,
  }),
  'groups.leave': method({
    summary: 'Leaves a group; what was said stays readable here.',
    params: byGroup,
    result: groupShape,
    errors: CHANGE,
  }),
  'groups.delete': method({
    summary:
      'Deletes a group that was left, that one was removed from, or that cannot be read, with all that was said in it; it comes back only when one is added anew.',
    params: byGroup,
    result: done,
    errors: ['locked', 'not-found', 'ambiguous', 'refused', 'disk-full', 'disk-failed'],
  }),
  'groups.invite': method({
    summary:
      'A link, good for seven days: whoever holds it asks to become a contact and, once accepted, is added. Admins only.',
    params: byGroup,
    result: v.object({ invite: v.string(), expiresAt: timeMs() }),
    errors: CHANGE,
  }),
  'groups.join': method({
    summary: 'Asks whoever made a link to be added to its group; the group appears when that has been done.',
    params: v.strictObject({ invite: groupInvite }),
    result: v.object({
      name: v.pipe(v.string(), v.description('of the group, as the link says')),
      contact: v.pipe(contact, v.description('who was asked')),
    }),
    errors: ['locked', 'bad-bytes', 'refused', 'unreachable', 'already-exists', 'limit-reached'],
  }),
} as const;
