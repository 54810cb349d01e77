import type { ContactId } from '../base/ids.ts';
import { LIMITS } from '../base/limits.ts';
import { readSigned } from './act-seal.ts';
import { type Act, conflictOf, type Proof, provenIn, withProof } from './chains.ts';
import type { EpochId } from './group-crypto.ts';
import type { GroupTurn } from './group-turn.ts';
import { standWithin } from './standing.ts';
import { isBelow } from './tree.ts';

/**
 * That somebody said two things in one place decides who is counted, so everyone must know it who judges: also those who joined later and
 * can read neither. Whoever knows shows the two acts, which their author has signed (docs/protocol/group.md §2).
 */

/** @throws DecodeError, AuthError it is no proof against a member of the epoch in which it is said */
export function takeProof<State>(turn: GroupTurn<State>, proof: Proof, epoch: EpochId, state: State): void {
  const [first, second] = proof.map(signed => {
    const { id, head } = readSigned(turn.crypto, state, signed);
    return { id, sender: head.sender, seq: head.seq, previous: head.previous, epoch: signed.epoch, signed };
  }) as [Act, Act];
  const conflict = first.sender === second.sender ? conflictOf(first, second) : null;
  if (conflict === null) return;
  turn.learn(first.sender, withProof(turn.draft.lineage.chains, first, conflict));
  noteProven(turn, first.sender, epoch);
}

/** Somebody who is here and said two things, of whom not all who are here have been shown that. */
function unproven<State>(turn: GroupTurn<State>): { readonly member: ContactId; readonly proof: Proof } | undefined {
  const { draft, head, headState } = turn;
  const { tree, chains } = draft.lineage;
  if (headState === null) return undefined;
  let since: EpochId | undefined;
  for (const member of head.members) {
    const { proof = null, shownIn = null } = chains.get(member) ?? {};
    if (proof === null) continue;
    since ??= lastJoining(turn);
    const shown = shownIn !== null && isBelow(tree, draft.head, shownIn) && isBelow(tree, shownIn, since);
    if (!shown) return { member, proof };
  }
  return undefined;
}

/** Soon, and not by all: who hears it from another says it no more. */
export function scheduleProof<State>(turn: GroupTurn<State>): void {
  const { standMs } = turn.draft.timers;
  if (standMs !== null && standMs <= turn.nowMs + LIMITS.groupMovedStandMs) return;
  if (unproven(turn)) standWithin(turn, 0, LIMITS.groupMovedStandMs);
}

/** @returns whether there was something to show; to say it is to stand */
export async function proveWhenDue<State>(turn: GroupTurn<State>): Promise<boolean> {
  const owed = unproven(turn);
  if (!owed) return false;
  await turn.say({ kind: 'proof', proof: owed.proof });
  noteProven(turn, owed.member, turn.draft.head);
  return true;
}

function noteProven<State>(turn: GroupTurn<State>, member: ContactId, epoch: EpochId): void {
  const { lineage, head } = turn.draft;
  const before = lineage.chains.get(member)?.shownIn ?? null;
  const { tree } = lineage;
  // One on the way to the head is not forgotten for one beside it.
  if (before !== null && isBelow(tree, head, before) && !isBelow(tree, epoch, before)) return;
  turn.draft.lineage = { ...lineage, chains: provenIn(lineage.chains, member, epoch) };
}

/** The newest epoch on the way to the head that somebody entered: all who are here can read what is said there and below. */
function lastJoining<State>({ draft, head }: GroupTurn<State>): EpochId {
  const { epochs } = draft.lineage.tree;
  let at = head;
  for (;;) {
    const parent = at.parent === null ? undefined : epochs.get(at.parent);
    if (!parent || at.returned !== null || at.members.some(member => !parent.members.includes(member))) return at.id;
    at = parent;
  }
}
