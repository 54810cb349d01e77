import type { ContactId } from '../../base/ids.ts';
import { LIMITS } from '../../base/limits.ts';
import { type Ask, askName } from '../../groups/asks.ts';
import type { EpochId, GroupCrypto } from '../../groups/group-crypto.ts';
import type { GroupState } from '../../groups/group-state.ts';
import { type Epoch, isBelow } from '../../groups/tree.ts';
import type { Notice } from '../../wire/notice.ts';

/**
 * What is different on the new head, for the timeline: as facts, whatever lies between, with who asked for them as far as
 * the way to it says so.
 */
export function noticesOfMove<State>(
  crypto: GroupCrypto<State>,
  state: GroupState<State>,
  from: Epoch | undefined,
  to: Epoch,
): Notice[] {
  if (!from) return [];
  const asks = asksBetween(state, from.id, to);
  const by = (want: (ask: Ask) => boolean): ContactId | null => asks.findLast(want)?.author ?? null;
  const about = (kind: 'remove' | 'promote' | 'demote', member: ContactId): ContactId | null =>
    by(({ change }) => change.kind === kind && change.member === member);
  const notices: Notice[] = [];
  for (const member of to.members.filter(other => !from.members.includes(other))) {
    const author = by(({ change }) => change.kind === 'add' && crypto.ownerOf(change.keyPackage, null) === member);
    notices.push({ kind: 'added', by: author, member });
  }
  for (const member of from.members.filter(other => !to.members.includes(other))) {
    const left = asks.some(({ author, change }) => change.kind === 'leave' && author === member);
    notices.push({ kind: left ? 'left' : 'removed', by: left ? member : about('remove', member), member });
  }
  const returned = new Set(epochsBetween(state, from.id, to).flatMap(epoch => epoch.returned ?? []));
  for (const member of returned) notices.push({ kind: 'returned', by: null, member });
  const [before, after] = [from.data.admins, to.data.admins];
  for (const member of after.filter(admin => !before.includes(admin))) {
    notices.push({ kind: 'promoted', by: about('promote', member), member });
  }
  for (const member of before.filter(admin => !after.includes(admin) && to.members.includes(admin))) {
    notices.push({ kind: 'demoted', by: about('demote', member), member });
  }
  const { name } = to.data;
  if (name !== from.data.name) {
    notices.push({ kind: 'renamed', by: by(({ change }) => change.kind === 'rename' && change.name === name), name });
  }
  return notices;
}

/**
 * Who was removed, and not added since, after a move of the head with these notices; of so many as a group may have members
 * the last are remembered.
 */
export function removedAfter(before: readonly ContactId[], notices: readonly Notice[]): readonly ContactId[] {
  const named = (wanted: 'added' | 'removed') =>
    notices.flatMap(notice => (notice.kind === wanted ? [notice.member] : []));
  const [added, gone] = [named('added'), named('removed')];
  const still = before.filter(member => !added.includes(member) && !gone.includes(member));
  return [...still, ...gone].slice(-LIMITS.groupMembers);
}

/** Asks honoured from where the two epochs part, in their order. */
function asksBetween<State>(state: GroupState<State>, from: EpochId, to: Epoch): Ask[] {
  const byName = new Map([...state.asks.values()].map(ask => [askName(state.groupId, ask), ask]));
  return epochsBetween(state, from, to).flatMap(epoch => epoch.asks.flatMap(name => byName.get(name) ?? []));
}

/** From where the two part, in their order. */
function epochsBetween<State>({ lineage }: GroupState<State>, from: EpochId, to: Epoch): Epoch[] {
  const found: Epoch[] = [];
  let at: Epoch | undefined = to;
  while (at && !isBelow(lineage.tree, from, at.id)) {
    found.unshift(at);
    at = at.parent === null ? undefined : lineage.tree.epochs.get(at.parent);
  }
  return found;
}
