import { HOUR_MS } from '../base/clock.ts';
import { CoreError } from '../base/errors.ts';
import { LIMITS } from '../base/limits.ts';
import { encodeAsks } from './act-codec.ts';
import { type Ask, askBytes, askName, type Change, nextNumber, openAsks } from './asks.ts';
import type { EpochId } from './group-crypto.ts';
import { encodeGroupData } from './group-data.ts';
import { spread } from './group-state.ts';
import type { GroupTurn } from './group-turn.ts';
import { LayeredMap } from './layered-map.ts';
import { addEpoch } from './receiving.ts';
import { honour, type Outcome, startOutcome } from './rights.ts';

interface Plan {
  readonly asks: readonly Ask[];
  readonly outcome: Outcome;
}

/** The asks that a commit of this member on the head can honour, each author's in their order. */
function planCommit<State>(turn: GroupTurn<State>, most: number = LIMITS.groupAsksPerCommit): Plan {
  const { crypto, draft, head, headState } = turn;
  let outcome = startOutcome(head.data, head.members);
  const asks: Ask[] = [];
  for (const ask of openAsks(draft.asks, head.data)) {
    if (headState === null || asks.length >= most) break;
    const next = tryHonour(turn, outcome, ask);
    // MLS lets nobody commit a removal of themselves: others will.
    if (!next || next.removes.includes(crypto.self)) continue;
    if (!crypto.verify(headState, ask.author, askBytes(draft.groupId, ask), ask.signature)) continue;
    outcome = next;
    asks.push(ask);
  }
  return { asks, outcome };
}

function tryHonour<State>(turn: GroupTurn<State>, outcome: Outcome, ask: Ask): Outcome | null {
  try {
    return honour(outcome, ask, keyPackage => turn.crypto.ownerOf(keyPackage, turn.nowMs, turn.headState ?? undefined));
  } catch (cause) {
    if (cause instanceof CoreError) return null;
    throw cause;
  }
}

/** When asks wait and no time is set yet: the first in the head's ranking commits soon, the next should it not have. */
export function scheduleCommit<State>(turn: GroupTurn<State>): void {
  const { timers, catchingUp } = turn.draft;
  if (timers.commitMs !== null || catchingUp || turn.headState === null) return;
  if (planCommit(turn).asks.length === 0) return;
  const rank = Math.max(0, turn.head.ranking.indexOf(turn.crypto.self));
  turn.setTimers({ commitMs: turn.nowMs + LIMITS.groupCommitWaitMs + rank * LIMITS.groupCommitSlotMs });
}

/**
 * Commits what waits, and renews this member's keys with it or without. What MLS itself does not allow (a key package with
 * someone else's key in it) shows when it is tried: that ask is forgotten, so that it does not hold up the others. Keys that cannot be renewed now
 * are renewed later: what else is due in this step is not lost with them.
 */
export async function commitWaiting<State>(turn: GroupTurn<State>, renew: boolean): Promise<void> {
  for (let plan = planCommit(turn); renew || plan.asks.length > 0; plan = planCommit(turn, 1)) {
    try {
      await commitOnHead(turn, plan);
      return;
    } catch (cause) {
      if (!(cause instanceof CoreError) || cause.code === 'internal') throw cause;
      if (plan.asks.length > 1) continue;
      if (plan.asks.length === 0) return turn.setTimers({ renewMs: turn.nowMs + HOUR_MS });
      const refused = plan.asks.map(each => askName(turn.draft.groupId, each));
      turn.draft.asks = new Map([...turn.draft.asks].filter(([name]) => !refused.includes(name)));
    }
  }
}

/** Commits the plan on the head; with no asks it renews this member's keys. */
async function commitOnHead<State>(turn: GroupTurn<State>, { asks, outcome }: Plan): Promise<void> {
  const { crypto, context, head, headState } = turn;
  if (headState === null) return;
  const content = {
    adds: outcome.adds.map(({ keyPackage }) => keyPackage),
    removes: outcome.removes,
    data: asks.length > 0 ? encodeGroupData(outcome.data) : null,
    authenticatedData: encodeAsks(asks),
  };
  const { message, welcome, parent, state } = await crypto.commit(headState, content, context);
  turn.setState(head.id, parent);
  const { epoch } = crypto.view(state);
  await addEpoch(turn, head, { epoch, external: false, sender: crypto.self, state }, asks, outcome);
  const { head: place, act, id } = await turn.nextAct({ epoch: head.id, state: headState }, 'commit', message);
  turn.recordAct({ id, sender: crypto.self, seq: place.seq, previous: place.previous, epoch });
  turn.outputs.push({ kind: 'publish', post: { epoch: head.id, number: head.number, act, message }, body: null });
  if (welcome) {
    const adding = asks.filter(({ change }) => change.kind === 'add');
    const to = outcome.adds.map(({ member }) => member);
    turn.outputs.push({ kind: 'welcome', to, welcome, asks: encodeAsks(adding) });
  }
  turn.draft.renewedIn = epoch;
  const half = LIMITS.groupUpdateMs / 2;
  turn.setTimers({ commitMs: null, standMs: null, renewMs: turn.nowMs + half + spread(half, context) });
}

/** Says what this member wants changed; someone will commit it, on whichever branch wins. */
export async function ask<State>(turn: GroupTurn<State>, change: Change): Promise<void> {
  const { draft, crypto } = turn;
  const number = nextNumber(crypto.self, draft.asks, turn.head.data, turn.nowMs);
  const unsigned = { author: crypto.self, number, change };
  const asked: Ask = { ...unsigned, signature: crypto.sign(askBytes(draft.groupId, unsigned)) };
  draft.asks = LayeredMap.with(draft.asks, askName(draft.groupId, asked), asked);
  await turn.say({ kind: 'ask', ask: asked });
}

/** One's own asks that the head's branch has passed over, a later one having been honoured first, are asked once more. */
export async function askAgain<State>(turn: GroupTurn<State>): Promise<void> {
  const { draft, crypto } = turn;
  const last = turn.head.data.honoured.get(crypto.self);
  const passed: [string, Ask][] = [];
  draft.asks.forEach((ask, name) => {
    if (ask.author === crypto.self && ask.number <= (last ?? -1)) passed.push([name, ask]);
  });
  if (passed.length === 0) return;
  const done = new Set<string>();
  for (let at: EpochId | null = draft.head; at !== null; at = draft.lineage.tree.epochs.get(at)?.parent ?? null) {
    for (const name of draft.lineage.tree.epochs.get(at)?.asks ?? []) done.add(name);
  }
  for (const [name, { change }] of passed) {
    const asks = new Map(draft.asks);
    asks.delete(name);
    draft.asks = asks;
    if (!done.has(name)) await ask(turn, change);
  }
}

/** Keys are renewed within a day of a removal, and soon where the last renewal was left behind with its branch. */
export function scheduleRenewal<State>(turn: GroupTurn<State>, why: 'removal' | 'left-behind'): void {
  const withinMs = why === 'removal' ? LIMITS.groupUpdateAfterRemovalMs : HOUR_MS;
  const atMs = turn.nowMs + spread(withinMs, turn.context);
  turn.setTimers({ renewMs: Math.min(turn.draft.timers.renewMs, atMs) });
}
