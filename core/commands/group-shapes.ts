import * as v from 'valibot';
import { contact, count, id, message, safetyNumber, timeMs, trust } from './shapes.ts';

/** What the API shows of groups; schema.ts says where. */

const groupRole = v.picklist(['admin', 'member']);

export const groupMember = v.object({
  id: id(),
  nick: v.pipe(v.string(), v.description('as contacts are called here, else what the member calls itself')),
  role: groupRole,
  you: v.boolean(),
  contact: v.pipe(v.boolean(), v.description('is a contact too')),
  trust: v.nullable(v.pipe(trust, v.description('of a contact; null: not compared, for it is none, or oneself'))),
  online: v.boolean(),
  safetyNumber: v.nullable(
    v.pipe(safetyNumber, v.description('with this member; null: of oneself, and while its card has not come')),
  ),
  equivocated: v.pipe(v.boolean(), v.description('has signed two different things in one place')),
});

export const group = v.object({
  id: id(),
  conversation: id(),
  name: v.pipe(v.string(), v.description('empty where the group cannot be read')),
  phase: v.pipe(
    v.picklist(['member', 'leaving', 'left', 'removed', 'unreadable']),
    v.description(
      'all but member: what was said can be read, and nothing written; leaving: asked for, and not yet carried out by anybody; unreadable: its rows are damaged, and its members are asked for the way back',
    ),
  ),
  role: groupRole,
  members: v.pipe(count(), v.description('how many, oneself included')),
  createdAt: v.pipe(timeMs(), v.description('when it began on this machine')),
});

export const groupDetails = v.object({ ...group.entries, people: v.array(groupMember) });

export const conversation = v.object({
  id: id(),
  contact: v.nullable(v.pipe(contact, v.description('of a conversation between two'))),
  group: v.nullable(v.pipe(group, v.description('of a conversation in a group'))),
  lastMessage: v.nullable(message),
  unread: count(),
});

export type GroupMember = v.InferOutput<typeof groupMember>;
export type Group = v.InferOutput<typeof group>;
export type GroupDetails = v.InferOutput<typeof groupDetails>;
export type Conversation = v.InferOutput<typeof conversation>;
