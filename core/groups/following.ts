import type { ContactId } from '../base/ids.ts';
import { LIMITS } from '../base/limits.ts';
import { isNotRight, openAct } from './act-seal.ts';
import type { EpochId, Processed } from './group-crypto.ts';
import type { GroupTurn } from './group-turn.ts';
import type { Epoch } from './tree.ts';
import type { WaitingPost } from './waiting.ts';

type Commit<State> = Processed<State> & { kind: 'commit' };

/**
 * More commits of one member on one epoch than anybody makes in good faith are put off (docs/protocol/group.md §7). They wait until
 * another member turns out to have followed: then what that one says is to be read, and the rule has to know where it stands.
 */
export async function isPutOff<State>(turn: GroupTurn<State>, parent: Epoch, commit: Commit<State>): Promise<boolean> {
  const { tree } = turn.draft.lineage;
  const theirs = (tree.children.get(parent.id) ?? []).filter(id => {
    const child = tree.epochs.get(id);
    return (child?.committer ?? child?.returned) === commit.sender;
  });
  if (theirs.length < LIMITS.groupCommitsOnEpoch) return false;
  return !(await isFollowed(turn, commit));
}

/** Whether another member says anything in its epoch, or below further commits of its own maker. */
async function isFollowed<State>(
  turn: GroupTurn<State>,
  { epoch, state, sender }: Pick<Commit<State>, 'epoch' | 'state' | 'sender'>,
  depth = 0,
): Promise<boolean> {
  if (state === null) return false;
  for (const { post } of turn.draft.waiting.of(epoch)) {
    if (post.epoch !== epoch) continue;
    try {
      const { head } = await openAct(turn.crypto, state, post);
      if (head.sender !== sender) return true;
      if (head.kind !== 'commit' || depth >= LIMITS.groupCommitsAhead) continue;
      const next = await turn.crypto.process(state, post.message, turn.context);
      if (next.kind !== 'commit') continue;
      const followed = await isFollowed(turn, next, depth + 1);
      if (next.state !== null) turn.crypto.wipe(next.state);
      if (followed) return true;
    } catch (cause) {
      if (!isNotRight(cause)) throw cause;
    }
  }
  return false;
}

/** Commits put off that a post which has just come may show to be followed: those that something waits below, the newest first. */
export function putOffAbove<State>({ draft: { waiting } }: GroupTurn<State>, epoch: EpochId): readonly WaitingPost[] {
  const direct = waiting.commitOf(epoch);
  if (direct) return [direct];
  const withMore = [...waiting].filter(({ makes }) => makes !== undefined && waiting.of(makes).length > 1);
  return withMore.slice(-LIMITS.groupPutOffTried).reverse();
}

/**
 * Whether someone went from the head's line longer ago than what it said before can have been on its way. Who was never on
 * it has not gone: it was let in on another branch.
 */
export function isLongGone<State>({ draft, head, nowMs }: GroupTurn<State>, member: ContactId): boolean {
  const { epochs } = draft.lineage.tree;
  let without = head;
  for (let at: Epoch | undefined = head; at && !at.members.includes(member); ) {
    without = at;
    if (at.parent === null) return false;
    at = epochs.get(at.parent);
  }
  if (without.members.includes(member)) return false;
  return (draft.learntMs.get(without.id) ?? nowMs) <= nowMs - LIMITS.groupRemovedGraceMs;
}
