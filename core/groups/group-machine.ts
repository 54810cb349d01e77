import { HOUR_MS } from '../base/clock.ts';
import { LIMITS } from '../base/limits.ts';
import type { Change } from './asks.ts';
import { ask, askAgain, commitWaiting, scheduleCommit, scheduleRenewal } from './committing.ts';
import type { CryptoContext, EpochId, GroupCrypto } from './group-crypto.ts';
import { type GroupInput, type GroupState, type GroupStep, spread } from './group-state.ts';
import { GroupTurn } from './group-turn.ts';
import { prune } from './horizon.ts';
import { comeBack, takeWelcome } from './joining.ts';
import { type Choose, headAfter, headBelow, headOf } from './lineage.ts';
import { scheduleProof } from './proofs.ts';
import { receive } from './receiving.ts';
import { scheduleAnswer, scheduleStand, standWhenDue } from './standing.ts';
import { believedTimers, nextTime, sameTimers } from './timers.ts';
import { isBelow, rolledBack } from './tree.ts';
import { NO_ORIGIN } from './waiting.ts';

/**
 * One group on one member (docs/protocol/group.md §6). A step that throws has changed nothing. The caller stores the state
 * before it acts on any output, hands over every post it gets in any order, and calls with `due` at the last `wake`.
 */
export async function stepGroup<State>(
  crypto: GroupCrypto<State>,
  state: GroupState<State>,
  input: GroupInput,
  context: CryptoContext,
  choose?: Choose,
): Promise<GroupStep<State>> {
  const turn = new GroupTurn(crypto, state, context, choose);
  turn.draft.timers = believedTimers(state.timers, context.nowMs);
  await take(turn, input);
  await settle(turn);
  if (sameTimers(state.timers, turn.draft.timers)) turn.draft.timers = state.timers;
  const { timers, catchingUp } = turn.draft;
  turn.outputs.push({ kind: 'wake', atMs: Math.max(context.nowMs + 1, nextTime(timers, catchingUp)) });
  const same = (Object.keys(state) as (keyof GroupState<State>)[]).every(field => state[field] === turn.draft[field]);
  return { state: same ? state : turn.draft, outputs: turn.outputs, changed: turn.changed };
}

async function take<State>(turn: GroupTurn<State>, input: GroupInput): Promise<void> {
  switch (input.kind) {
    case 'post':
      return receive(turn, { post: input.post, sinceMs: turn.nowMs, origin: input.origin ?? NO_ORIGIN });
    case 'text':
      return sayOrQueue(turn, input.text);
    case 'change':
      return sayOrQueue(turn, input.change);
    case 'renew':
      turn.setTimers({ renewMs: turn.nowMs });
      return;
    case 'catch-up':
      turn.draft.catchingUp = true;
      return;
    case 'caught-up':
      turn.draft.catchingUp = false;
      return;
    case 'due':
      return atItsTime(turn);
    case 'welcome':
      return takeWelcome(turn, input);
    case 'group-info':
      return comeBack(turn, input);
    case 'put-back':
      turn.fallSilent();
      return;
  }
}

/** Once nothing more of a backlog is to come: judges, moves, and says what waited. */
async function settle<State>(turn: GroupTurn<State>): Promise<void> {
  const { draft } = turn;
  if (draft.catchingUp) return;
  const { doubt } = draft;
  draft.doubt = null;
  if (doubt !== null) await moveToHead(turn, doubt);
  const queued = draft.queued;
  if (queued.length > 0) draft.queued = [];
  for (const item of queued) await sayOrQueue(turn, item);
  scheduleAnswer(turn);
  scheduleProof(turn);
  const { before } = turn;
  if (before.asks !== draft.asks || before.head !== draft.head || before.catchingUp) scheduleCommit(turn);
}

async function sayOrQueue<State>(turn: GroupTurn<State>, item: Uint8Array | Change): Promise<void> {
  if (turn.draft.catchingUp || turn.headState === null) turn.draft.queued = [...turn.draft.queued, item];
  else if (item instanceof Uint8Array) await turn.say({ kind: 'text', text: item });
  else await ask(turn, item);
}

async function moveToHead<State>(turn: GroupTurn<State>, doubt: EpochId | 'root'): Promise<void> {
  const { draft, choose } = turn;
  const from = draft.head;
  const to = letInElsewhere(turn, headAfter(draft.lineage, draft.roots, { head: from, doubt }, choose));
  if (to === from) return;
  const { tree } = draft.lineage;
  const left = tree.epochs.has(from) ? rolledBack(tree, from, to) : 0;
  const judged = judgedBetween(turn, from, to);
  draft.head = to;
  turn.outputs.push({ kind: 'head', from, to, rolledBack: left });
  turn.setTimers({ commitMs: null });
  if (turn.removed) {
    turn.setTimers({ standMs: null });
    turn.outputs.push({ kind: 'removed' });
    return;
  }
  // The head went past where this member came back: it comes back once more, there.
  if (turn.silent) return askSoon(turn);
  if (judged) scheduleRenewal(turn, 'removal');
  if (draft.renewedIn !== null && !isBelow(tree, to, draft.renewedIn)) scheduleRenewal(turn, 'left-behind');
  scheduleStand(turn, left > 0);
  await askAgain(turn);
}

/**
 * Put out there, and let in at another root where an admin of then still is: there it is a member, in whichever order it heard of
 * the two.
 */
function letInElsewhere<State>({ draft, choose }: GroupTurn<State>, head: EpochId): EpochId {
  const { lineage, roots, states } = draft;
  if (states.has(head) || roots.length === 1) return head;
  const { epochs } = lineage.tree;
  const admins = epochs.get(head)?.data.admins ?? [];
  const within = roots.filter(root => {
    const below = headBelow(lineage, root, choose);
    return states.has(below) && admins.some(admin => epochs.get(below)?.members.includes(admin));
  });
  return within.length > 0 ? headOf(lineage, within, choose) : head;
}

function judgedBetween<State>(turn: GroupTurn<State>, from: EpochId, to: EpochId): boolean {
  const { tree } = turn.draft.lineage;
  for (let at: EpochId | null = to; at !== null && !isBelow(tree, from, at); at = tree.epochs.get(at)?.parent ?? null) {
    if (tree.epochs.get(at)?.judgements.some(({ kind }) => kind === 'remove')) return true;
  }
  return false;
}

async function atItsTime<State>(turn: GroupTurn<State>): Promise<void> {
  const { timers, catchingUp } = turn.draft;
  if (timers.sweepMs <= turn.nowMs) sweep(turn);
  if (catchingUp) return;
  const renew = timers.renewMs <= turn.nowMs;
  if (renew || (timers.commitMs !== null && timers.commitMs <= turn.nowMs)) {
    turn.setTimers({ commitMs: null });
    if (renew) turn.setTimers({ renewMs: turn.nowMs + LIMITS.groupUpdateMs });
    await commitWaiting(turn, renew);
  }
  await standWhenDue(turn);
}

function sweep<State>(turn: GroupTurn<State>): void {
  const { draft, nowMs } = turn;
  prune(turn);
  const ahead = [...draft.waiting].filter(({ post }) => turn.mayLeadOn(post));
  const lost = turn.silent || ahead.some(({ sinceMs }) => sinceMs <= nowMs - LIMITS.groupLostMs);
  if (lost && !draft.catchingUp) turn.outputs.push({ kind: 'lost' });
  turn.setTimers({ sweepMs: nowMs + (lost || ahead.length > 0 ? LIMITS.groupLostMs : HOUR_MS) });
}

function askSoon<State>(turn: GroupTurn<State>): void {
  const atMs = turn.nowMs + spread(LIMITS.groupMovedStandMs, turn.context);
  turn.setTimers({ standMs: null, sweepMs: Math.min(turn.draft.timers.sweepMs, atMs) });
}
