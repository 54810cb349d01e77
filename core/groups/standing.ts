import { LIMITS } from '../base/limits.ts';
import { spread } from './group-state.ts';
import type { GroupTurn } from './group-turn.ts';
import { proveWhenDue } from './proofs.ts';
import { isBelow } from './tree.ts';

/** A member whose last act stands elsewhere says where it stands, should it say nothing else before. */
export function scheduleStand<State>(turn: GroupTurn<State>, moved: boolean): void {
  if (moved) standWithin(turn, 0, LIMITS.groupMovedStandMs);
  // Where the head changes often, what is set already is soon enough.
  if (moved || standsOnHead(turn) || turn.draft.timers.standMs !== null) return;
  standWithin(turn, LIMITS.groupStandMs / 2, LIMITS.groupStandMs);
}

/**
 * Someone who was added on a branch that lost does not count what others did before: it hears where they are once they
 * say so again. They do, one after the other, until it has moved; and seldom, so that nobody makes them talk.
 */
export function scheduleAnswer<State>(turn: GroupTurn<State>): void {
  const { timers } = turn.draft;
  if (!turn.heardElsewhere || timers.answeredMs > turn.nowMs - LIMITS.groupStandMs || turn.headState === null) return;
  if (someoneElsewhere(turn)) standWithin(turn, 0, turn.head.members.length * LIMITS.groupAnswerSlotMs);
}

export async function standWhenDue<State>(turn: GroupTurn<State>): Promise<void> {
  const { standMs } = turn.draft.timers;
  if (standMs === null || standMs > turn.nowMs) return;
  turn.setTimers({ standMs: null });
  if (await proveWhenDue(turn)) return;
  if (standsOnHead(turn)) {
    if (!someoneElsewhere(turn)) return;
    turn.setTimers({ answeredMs: turn.nowMs });
  }
  await turn.say({ kind: 'stand' });
}

/** Somewhere in that time, or sooner where that is set already. */
export function standWithin<State>(turn: GroupTurn<State>, fromMs: number, withinMs: number): void {
  const atMs = turn.nowMs + fromMs + spread(withinMs - fromMs, turn.context);
  turn.setTimers({ standMs: Math.min(turn.draft.timers.standMs ?? atMs, atMs) });
}

function standsOnHead<State>({ draft, crypto }: GroupTurn<State>): boolean {
  return draft.lineage.chains.get(crypto.self)?.latest.epoch === draft.head;
}

/** Whether some member's latest act stands beside the head's line. */
function someoneElsewhere<State>({ draft, head }: GroupTurn<State>): boolean {
  const { tree, chains } = draft.lineage;
  return head.members.some(member => {
    const chain = chains.get(member);
    if (!chain || chain.forkedAt !== null || !tree.epochs.has(chain.latest.epoch)) return false;
    return !isBelow(tree, draft.head, chain.latest.epoch);
  });
}
