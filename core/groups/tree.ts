import type { ContactId } from '../base/ids.ts';
import type { EpochId } from './group-crypto.ts';
import type { GroupData } from './group-data.ts';
import { LayeredMap } from './layered-map.ts';

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
}

export const EMPTY_TREE: Tree = { epochs: new Map(), children: new Map() };

export function withEpoch(tree: Tree, epoch: Epoch): Tree {
  if (tree.epochs.has(epoch.id)) return tree;
  const parent = epoch.parent !== null && tree.epochs.has(epoch.parent) ? epoch.parent : null;
  const siblings = tree.children.get(parent) ?? [];
  return {
    epochs: LayeredMap.with(tree.epochs, epoch.id, parent === epoch.parent ? epoch : { ...epoch, parent }),
    children: LayeredMap.with(tree.children, parent, [...siblings, epoch.id]),
  };
}

/** Leaves out some epochs; children of what goes become roots. */
export function withoutEpochs(tree: Tree, gone: ReadonlySet<EpochId>): Tree {
  let kept: Tree = EMPTY_TREE;
  for (const epoch of tree.epochs.values()) if (!gone.has(epoch.id)) kept = withEpoch(kept, epoch);
  return kept;
}

/** For each epoch where it stands in one walk of the tree, and where the walk leaves it: what lies below lies between. */
export interface Walk {
  readonly enter: ReadonlyMap<EpochId, number>;
  readonly leave: ReadonlyMap<EpochId, number>;
  readonly judging: readonly Epoch[];
}

const walks = new WeakMap<Tree, Walk>();

export function walkOf(tree: Tree): Walk {
  const known = walks.get(tree);
  if (known) return known;
  const [enter, leave, judging] = [new Map<EpochId, number>(), new Map<EpochId, number>(), [] as Epoch[]];
  const path: { id: EpochId; next: number }[] = [];
  for (const root of tree.children.get(null) ?? []) {
    path.push({ id: root, next: 0 });
    while (path.length > 0) {
      const top = path[path.length - 1] as { id: EpochId; next: number };
      if (top.next === 0) {
        enter.set(top.id, enter.size);
        const epoch = tree.epochs.get(top.id) as Epoch;
        if (epoch.judgements.length > 0) judging.push(epoch);
      }
      const child = tree.children.get(top.id)?.[top.next];
      top.next += 1;
      if (child) path.push({ id: child, next: 0 });
      else {
        leave.set(top.id, enter.size);
        path.pop();
      }
    }
  }
  const walk = { enter, leave, judging };
  walks.set(tree, walk);
  return walk;
}

/** Whether `low` is `high` or lies below it. */
export function isBelow(tree: Tree, low: EpochId, high: EpochId): boolean {
  const { enter, leave } = walkOf(tree);
  const [at, from, to] = [enter.get(low), enter.get(high), leave.get(high)];
  return at !== undefined && from !== undefined && to !== undefined && from <= at && at < to;
}

/** How many epochs of `from`'s branch are left behind when the head goes to `to`; none when they have no beginning in common. */
export function rolledBack(tree: Tree, from: EpochId, to: EpochId): number {
  let depth = 0;
  let at: EpochId | null = from;
  for (; at !== null && !isBelow(tree, to, at); depth += 1) at = tree.epochs.get(at)?.parent ?? null;
  return at === null ? 0 : depth;
}
