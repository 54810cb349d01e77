import type { ContactId } from '../base/ids.ts';
import { LIMITS } from '../base/limits.ts';
import type { Ask } from './asks.ts';
import type { GroupData } from './group-data.ts';
import type { Judgement } from './tree.ts';

/** What a commit is to do for the asks it honours. */
export interface Outcome {
  readonly data: GroupData;
  readonly members: ReadonlySet<ContactId>;
  readonly adds: readonly { readonly member: ContactId; readonly keyPackage: Uint8Array }[];
  readonly removes: readonly ContactId[];
  readonly judgements: readonly Judgement[];
}

export function startOutcome(data: GroupData, members: readonly ContactId[]): Outcome {
  return { data, members: new Set(members), adds: [], removes: [], judgements: [] };
}

/**
 * One ask more, by the rights its author has after those before it.
 * @param ownerOf whose key package it is; throws when it is not good
 * @returns null when the author may not, or when there is nothing to do
 */
export function honour(outcome: Outcome, ask: Ask, ownerOf: (keyPackage: Uint8Array) => ContactId): Outcome | null {
  const { data, members } = outcome;
  if (!members.has(ask.author) || ask.number <= (data.honoured.get(ask.author) ?? -1)) return null;
  if (ask.change.kind !== 'leave' && !data.admins.includes(ask.author)) return null;
  const changed = apply(outcome, ask, ownerOf);
  if (!changed?.members.has(ask.author)) return changed;
  const honoured = new Map(changed.data.honoured).set(ask.author, ask.number);
  return { ...changed, data: { ...changed.data, honoured } };
}

function apply(
  outcome: Outcome,
  { author, number, change }: Ask,
  ownerOf: (keyPackage: Uint8Array) => ContactId,
): Outcome | null {
  const { data, members, judgements } = outcome;
  switch (change.kind) {
    case 'add':
      return add(outcome, change.keyPackage, ownerOf(change.keyPackage), number);
    case 'remove': {
      const judged = { kind: 'remove', author, member: change.member } as const;
      return author === change.member
        ? null
        : remove({ ...outcome, judgements: [...judgements, judged] }, change.member);
    }
    case 'leave':
      return remove(outcome, author);
    case 'rename':
      return change.name === data.name ? null : { ...outcome, data: { ...data, name: change.name } };
    case 'promote':
      if (data.admins.includes(change.member) || !members.has(change.member)) return null;
      return { ...outcome, data: { ...data, admins: [...data.admins, change.member] } };
    case 'demote': {
      const admins = data.admins.filter(admin => admin !== change.member);
      if (admins.length === 0 || admins.length === data.admins.length) return null;
      const judged = { kind: 'demote', author, member: change.member } as const;
      return { ...outcome, data: { ...data, admins }, judgements: [...judgements, judged] };
    }
  }
}

function add(outcome: Outcome, keyPackage: Uint8Array, member: ContactId, number: number): Outcome | null {
  const { data, members, adds, removes } = outcome;
  // Someone removed by this very commit can be added by the next one.
  if (members.has(member) || removes.includes(member) || members.size >= LIMITS.groupMembers) return null;
  // Whoever was a member before and asked then begins above that: whoever adds takes a number above all it knows. And with room for
  // whatever it will ask itself, be it only to leave.
  const honoured = new Map(data.honoured).set(member, Math.min(number, LIMITS.groupAskNumber / 2));
  return {
    ...outcome,
    data: { ...data, honoured },
    members: new Set(members).add(member),
    adds: [...adds, { member, keyPackage }],
  };
}

/** The last admin goes only when there is nobody left to be without one. */
function remove(outcome: Outcome, member: ContactId): Outcome | null {
  const { data, removes, adds } = outcome;
  if (!outcome.members.has(member) || adds.some(added => added.member === member)) return null;
  const admins = data.admins.filter(admin => admin !== member);
  if (admins.length === 0) return null;
  const members = new Set(outcome.members);
  members.delete(member);
  const honoured = new Map(data.honoured);
  honoured.delete(member);
  return { ...outcome, members, data: { ...data, admins, honoured }, removes: [...removes, member] };
}
