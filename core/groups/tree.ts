import type { ContactId } from '../base/ids.ts';
import type { EpochId } from './group-crypto.ts';
import type { GroupData } from './group-data.ts';
import { LayeredMap } from './layered-map.ts';
import { Place } from './place.ts';

/** Something an ask did to a member, in the epoch whose commit honoured it. */
export interface Judgement {
  readonly kind: 'remove' | 'demote';
  readonly author: ContactId;
  readonly member: ContactId;
}

export interface Epoch {
  readonly id: EpochId;
  /** null where this member's knowledge begins: the group's creation, or its own joining. */
  readonly parent: EpochId | null;
  readonly number: number;
  /** null for a creation, and for someone who came back by an external commit: such a one has no rank. */
  readonly committer: ContactId | null;
  /** Who came back by the external commit that made it. */
  readonly returned: ContactId | null;
  readonly members: readonly ContactId[];
  readonly data: GroupData;
  /** All members, in the order in which their commits on this epoch go before each other (docs/protocol/group.md §5). */
  readonly ranking: readonly ContactId[];
  /** Others' removals and demotions by admins that this epoch's commit honours; not those who leave by themselves. */
  readonly judgements: readonly Judgement[];
  /** Names of the asks that this epoch's commit honours. */
  readonly asks: readonly string[];
}

export interface Tree {
  readonly epochs: ReadonlyMap<EpochId, Epoch>;
  /** Under null: the roots. */
  readonly children: ReadonlyMap<EpochId | null, readonly EpochId[]>;
  readonly places: ReadonlyMap<EpochId, Place>;
  /** Epochs with judgements: few of many. */
  readonly judging: readonly Epoch[];
}

export const EMPTY_TREE: Tree = { epochs: new Map(), children: new Map(), places: new Map(), judging: [] };

export function withEpoch(tree: Tree, epoch: Epoch): Tree {
  if (tree.epochs.has(epoch.id)) return tree;
  const above = epoch.parent === null ? null : (tree.places.get(epoch.parent) ?? null);
  const parent = above?.id ?? null;
  const placed = parent === epoch.parent ? epoch : { ...epoch, parent };
  return {
    epochs: LayeredMap.with(tree.epochs, epoch.id, placed),
    children: LayeredMap.with(tree.children, parent, [...(tree.children.get(parent) ?? []), epoch.id]),
    places: LayeredMap.with(tree.places, epoch.id, new Place(epoch.id, above)),
    judging: epoch.judgements.length > 0 ? [...tree.judging, placed] : tree.judging,
  };
}

/** Leaves out some epochs; children of what goes become roots. */
export function withoutEpochs(tree: Tree, gone: ReadonlySet<EpochId>): Tree {
  let kept: Tree = EMPTY_TREE;
  for (const epoch of tree.epochs.values()) if (!gone.has(epoch.id)) kept = withEpoch(kept, epoch);
  return kept;
}

/** Whether `low` is `high` or lies below it. */
export function isBelow(tree: Tree, low: EpochId, high: EpochId): boolean {
  const above = tree.places.get(high);
  return above !== undefined && tree.places.get(low)?.isBelow(above) === true;
}

/** The child of `parent` that is `low` or has it below; undefined when `low` does not lie below `parent`. */
export function childTowards(tree: Tree, parent: EpochId, low: EpochId): EpochId | undefined {
  const top = tree.places.get(parent);
  return top && tree.places.get(low)?.childOf(top)?.id;
}

/** The lowest epoch that is, or is above, both; null when they have no beginning in common. */
export function meetingOf(tree: Tree, one: EpochId, other: EpochId): Place | null {
  const place = tree.places.get(other);
  return (place && tree.places.get(one)?.meeting(place)) ?? null;
}

/** How many epochs of `from`'s branch are left behind when the head goes to `to`; none when they have no beginning in common. */
export function rolledBack(tree: Tree, from: EpochId, to: EpochId): number {
  const meeting = meetingOf(tree, from, to);
  return meeting ? (tree.places.get(from) as Place).depth - meeting.depth : 0;
}
