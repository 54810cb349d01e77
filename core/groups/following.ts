import type { ContactId } from '../base/ids.ts';
import { LIMITS } from '../base/limits.ts';
import { isNotRight, openAct } from './act-seal.ts';
import type { Processed } from './group-crypto.ts';
import type { GroupTurn } from './group-turn.ts';
import type { Epoch } from './tree.ts';

type Commit<State> = Processed<State> & { kind: 'commit' };

/**
 * Commits that cost an honest group nothing to put off (docs/protocol/group.md §7): more of one member on one epoch than anybody
 * makes in good faith, and those of someone who is no member any more. They wait until another member turns out to
 * have followed: then what that one says is to be read, and the rule has to know where it stands.
 */
export async function isPutOff<State>(turn: GroupTurn<State>, parent: Epoch, commit: Commit<State>): Promise<boolean> {
  const { tree } = turn.draft.lineage;
  const theirs = (tree.children.get(parent.id) ?? []).filter(id => {
    const child = tree.epochs.get(id);
    return (child?.committer ?? child?.returned) === commit.sender;
  });
  if (theirs.length < LIMITS.groupCommitsOnEpoch && !isLongGone(turn, commit.sender)) return false;
  return !(await isFollowed(turn, commit));
}

async function isFollowed<State>(turn: GroupTurn<State>, { epoch, state, sender }: Commit<State>): Promise<boolean> {
  if (state === null) return false;
  for (const { post } of turn.draft.waiting.of(epoch)) {
    if (post.epoch !== epoch) continue;
    try {
      const { head } = await openAct(turn.crypto, state, post);
      if (head.sender !== sender) return true;
    } catch (cause) {
      if (!isNotRight(cause)) throw cause;
    }
  }
  return false;
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
