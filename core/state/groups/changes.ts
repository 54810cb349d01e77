import { equalBytes } from '../../base/bytes.ts';
import { CoreError, UsageError } from '../../base/errors.ts';
import type { ContactId } from '../../base/ids.ts';
import { LIMITS } from '../../base/limits.ts';
import type { Change } from '../../groups/asks.ts';
import type { GroupCrypto } from '../../groups/group-crypto.ts';
import type { GroupState } from '../../groups/group-state.ts';
import type { Context } from '../context.ts';
import type { GroupDraft } from './draft.ts';
import { step } from './taking.ts';

/** @throws UsageError it may not be asked for, or is so already */
export async function change<State>(draft: GroupDraft<State>, wanted: Change): Promise<void> {
  requireMember(draft);
  const { data, members } = draft.head;
  const self = draft.crypto.self;
  if (wanted.kind === 'leave') return leave(draft);
  if (!data.admins.includes(self)) throw refused('Only an admin of the group can do that.');
  if ('member' in wanted && !members.includes(wanted.member)) throw refused('This person is not in the group.');
  if (wanted.kind === 'demote' && data.admins.length === 1) {
    throw refused('A group needs an admin: make somebody else one first.');
  }
  await step(draft, { kind: 'change', change: wanted });
}

async function leave<State>(draft: GroupDraft<State>): Promise<void> {
  const { data, members } = draft.head;
  const lastAdmin = data.admins.length === 1 && data.admins[0] === draft.crypto.self;
  if (lastAdmin && members.length > 1) throw refused('Make somebody else an admin before you leave.');
  draft.event({ type: 'group-changed', group: draft.record.id });
  // Nobody is left who could be told.
  if (members.length === 1) return draft.changeRecord({ phase: 'left', endedAtMs: draft.nowMs });
  draft.changeRecord({ phase: 'leaving' });
  await step(draft, { kind: 'change', change: { kind: 'leave' } });
}

export async function add<State>(draft: GroupDraft<State>, contact: ContactId): Promise<void> {
  const { context, crypto, state, head } = draft;
  const { peerKeyPackages } = context.store;
  if (head.members.includes(contact)) throw refused('This person is in the group already.');
  if (head.members.length >= LIMITS.groupMembers) throw full();
  const keyPackage = requireUsable(context, crypto, state, contact);
  await change(draft, { kind: 'add', keyPackage });
  draft.changeRecord({ adding: [...draft.record.adding.filter(other => other !== contact), contact] });
  draft.put(tx => {
    const known = peerKeyPackages.get(contact, tx);
    if (!known) return;
    const oneTime = known.oneTime.filter(other => !equalBytes(other, keyPackage));
    peerKeyPackages.put(tx, { ...known, oneTime });
  });
}

/** What to add a contact to a group with. @throws UsageError there is nothing that fits the group */
export function requireUsable<State>(
  { store, clock }: Pick<Context, 'store' | 'clock'>,
  crypto: GroupCrypto<State>,
  { states, head }: Pick<GroupState<State>, 'states' | 'head'>,
  contact: ContactId,
): Uint8Array {
  const packages = store.peerKeyPackages.get(contact);
  if (!packages) throw refused('This contact cannot be added yet: its Molva has to be met once first.');
  const fits = (keyPackage: Uint8Array): boolean => {
    try {
      return crypto.ownerOf(keyPackage, clock(), states.get(head)) === contact;
    } catch (error) {
      if (error instanceof CoreError) return false;
      throw error;
    }
  };
  const usable = [...packages.oneTime, ...packages.lastResort].find(fits);
  if (usable) return usable;
  throw refused(
    'This contact has given no key for this kind of group that still holds: its Molva has to be met again.',
  );
}

export function requireMember<State>(draft: GroupDraft<State>): void {
  if (draft.record.phase !== 'member') throw refused('You are no longer in this group.');
}

function refused(message: string): UsageError {
  return new UsageError('refused', 'groups', message);
}

function full(): UsageError {
  return new UsageError('limit-reached', 'groups.add', 'The group is full.');
}
