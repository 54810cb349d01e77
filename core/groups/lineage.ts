import type { ContactId } from '../base/ids.ts';
import type { Act, ActId, Chains } from './chains.ts';
import type { EpochId } from './group-crypto.ts';
import { childTowards, type Epoch, isBelow, meetingOf, type Tree } from './tree.ts';

/**
 * Which epoch is the group's head: a pure function of the epochs and acts that are known (docs/protocol/group.md §5).
 * From the root down, at each fork, the heaviest child is taken.
 */
export interface Lineage {
  readonly tree: Tree;
  readonly chains: Chains;
  /** Acts from before this member's latest joining, made when it could not see all: they do not count between roots. */
  readonly stale: ReadonlySet<ActId>;
}

export interface Fork {
  readonly lineage: Lineage;
  /**
   * null where knowledge begins with several roots: someone who was added on two branches. Then there are two children, the one that was
   * joined first, or won until now, before the other.
   */
  readonly parent: Epoch | null;
  readonly children: readonly Epoch[];
}

/** Says which child of a fork wins. Must depend on nothing but the fork, and on no order in it. */
export type Choose = (fork: Fork) => EpochId;

/** @param roots where to begin: more than one for someone who was added on two branches and knows nothing from before */
export function headOf(lineage: Lineage, roots: readonly EpochId[], choose: Choose = heaviest): EpochId {
  const [first, ...later] = roots as [EpochId, ...EpochId[]];
  const root = later.reduce((best, next) => chosenOf(lineage, null, [best, next], choose), first);
  return headBelow(lineage, root, choose);
}

/** Where the way leads from an epoch that is on it. */
export function headBelow(lineage: Lineage, from: EpochId, choose: Choose = heaviest): EpochId {
  const { children } = lineage.tree;
  let head = from;
  for (let below = children.get(head); below !== undefined; below = children.get(head)) {
    head = chosenOf(lineage, head, below, choose);
  }
  return head;
}

function chosenOf(lineage: Lineage, above: EpochId | null, below: readonly EpochId[], choose: Choose): EpochId {
  const [first, second] = below;
  if (first !== undefined && second === undefined) return first;
  const { epochs } = lineage.tree;
  const parent = above === null ? null : (epochs.get(above) as Epoch);
  return choose({ lineage, parent, children: below.map(id => epochs.get(id) as Epoch) });
}

/**
 * From where on the way to the head an act may lead elsewhere: null when it only adds to what chose the head, or changes
 * nothing on the way; 'root' when all must be judged anew. Holds for the rule, `heaviest`.
 * @param before the sender's latest act until now
 */
export function doubtOf(
  { tree }: Lineage,
  head: EpochId,
  before: Act | undefined,
  latest: Act,
): EpochId | 'root' | null {
  const meeting = meetingOf(tree, head, latest.epoch);
  const was = before && meetingOf(tree, head, before.epoch);
  if (!meeting) return 'root';
  const beside = meeting.id !== head && meeting.id !== latest.epoch;
  // Its say goes from one who is further down the way, or from the way's rivals: only the first takes from the head.
  if (!beside) return was && was.depth > meeting.depth ? meeting.id : null;
  const together = before && meetingOf(tree, before.epoch, latest.epoch);
  return together && together.depth > meeting.depth ? null : meeting.id;
}

/** Weight, then an admin's removal, then the parent epoch's ranking of its members, then the hash. */
export function heaviest(fork: Fork): EpochId {
  const verdict = judgementOf(fork);
  const weights = weightsOf(fork, verdict.silenced);
  const removing = new Set(verdict.removals.map(({ child }) => child));
  const best = fork.children.reduce((a, b) => {
    const order =
      (weights.get(b.id) ?? 0) - (weights.get(a.id) ?? 0) ||
      Number(removing.has(b.id)) - Number(removing.has(a.id)) ||
      rankOf(fork, a) - rankOf(fork, b) ||
      (a.id < b.id ? -1 : 1);
    return order > 0 ? b : a;
  });
  return best.id;
}

/** Distinct members of the parent epoch whose latest act stands on each child or below. */
export function weightsOf(fork: Fork, silenced: ReadonlySet<ContactId>): Map<EpochId, number> {
  const { chains, stale } = fork.lineage;
  const weights = new Map<EpochId, number>();
  for (const member of electorateOf(fork)) {
    const chain = chains.get(member);
    if (!chain || chain.forkedAt !== null || silenced.has(member)) continue;
    if (!fork.parent && stale.has(chain.latest.id)) continue;
    const child = branchOf(fork, chain.latest.epoch);
    if (child !== undefined) weights.set(child, (weights.get(child) ?? 0) + 1);
  }
  return weights;
}

/** On which of the fork's branches an epoch lies. */
function branchOf({ lineage: { tree }, parent, children }: Fork, epoch: EpochId): EpochId | undefined {
  if (parent) return childTowards(tree, parent.id, epoch);
  return children.find(({ id }) => isBelow(tree, epoch, id))?.id;
}

/**
 * Whoever was a member before the fork; puppets that a branch adds have no say in it. Between roots that is whoever was a member at
 * the first or below: what somebody is let in at is for those to say who were known before. Not whoever is a member on neither side any
 * more: its last act stands where both may come from, and below the first root only because nothing is known above the other.
 */
function electorateOf({ parent, children, lineage }: Fork): Iterable<ContactId> {
  const [first] = children;
  if (parent || !first) return parent?.members ?? [];
  const { tree } = lineage;
  const still = new Set(children.flatMap(({ id }) => tree.epochs.get(headBelow(lineage, id))?.members ?? []));
  const known = [...tree.epochs.values()].flatMap(({ id, members }) => (isBelow(tree, id, first.id) ? members : []));
  return new Set(known.filter(member => still.has(member)));
}

interface Removal {
  readonly child: EpochId;
  readonly author: ContactId;
  readonly member: ContactId;
}

/**
 * Removals on any branch by those who were admins before the fork take the removed member's say. They do not when the
 * author removed is itself removed or demoted on another branch by someone else (two admins at odds silence nobody), when the
 * author said two different things in one place, or when one author's removals would silence more than half.
 */
function judgementOf(fork: Fork): { removals: readonly Removal[]; silenced: ReadonlySet<ContactId> } {
  const { parent, lineage } = fork;
  if (!parent) return { removals: [], silenced: new Set() };
  const judged = judgedBelow(fork).filter(
    ({ author }) => parent.data.admins.includes(author) && (lineage.chains.get(author)?.forkedAt ?? null) === null,
  );
  const removals = judged.filter(
    ({ kind, author, child }) =>
      kind === 'remove' &&
      !judged.some(other => other.member === author && other.author !== author && other.child !== child),
  );
  const byAuthor = Map.groupBy(removals, ({ author }) => author);
  const silenced = new Set<ContactId>();
  for (const theirs of byAuthor.values()) {
    const members = new Set(theirs.map(({ member }) => member).filter(member => parent.members.includes(member)));
    if (members.size * 2 > parent.members.length) continue;
    for (const member of members) silenced.add(member);
  }
  return { removals, silenced };
}

function judgedBelow(fork: Fork): (Removal & { readonly kind: 'remove' | 'demote' })[] {
  return fork.lineage.tree.judging.flatMap(({ id, judgements }) => {
    const child = branchOf(fork, id);
    return child === undefined ? [] : judgements.map(judgement => ({ ...judgement, child }));
  });
}

/**
 * The place of the child's committer in the parent's ranking; last for someone come back, or who said two things in one place.
 * Between roots, the latest joining goes first.
 */
function rankOf({ parent, lineage, children }: Fork, child: Epoch): number {
  if (!parent) return -children.indexOf(child);
  if (child.committer === null) return Number.MAX_SAFE_INTEGER;
  const place = parent.ranking.indexOf(child.committer);
  const forked = (lineage.chains.get(child.committer)?.forkedAt ?? null) !== null;
  return place < 0 || forked ? Number.MAX_SAFE_INTEGER : place;
}
