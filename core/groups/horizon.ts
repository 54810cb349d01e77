import { judgeDeadline } from '../base/deadline.ts';
import { LIMITS } from '../base/limits.ts';
import type { Ask } from './asks.ts';
import type { Chain } from './chains.ts';
import type { EpochId } from './group-crypto.ts';
import type { GroupData } from './group-data.ts';
import type { GroupTurn } from './group-turn.ts';
import { isBelow, withoutEpochs } from './tree.ts';
import { Waiting } from './waiting.ts';

/**
 * Past the horizon nothing is weighed again: the newest epoch above the head that is old enough becomes the one root, and what is old
 * and does not lie below it goes, with its secrets. Mailboxes no longer hold what could be read with them.
 */
export function prune<State>(turn: GroupTurn<State>): void {
  const { draft } = turn;
  const beforeMs = turn.nowMs - LIMITS.groupHorizonMs;
  believeTimes(turn);
  draft.waiting = draft.waiting.filter(({ sinceMs }) => sinceMs > beforeMs);
  const asks = [...draft.asks].filter(([, ask]) => !isOver(ask, turn.head.data, turn.nowMs));
  if (asks.length < draft.asks.size) draft.asks = new Map(asks);
  const tooMany = draft.lineage.tree.epochs.size > LIMITS.groupEpochs;
  const root = tooMany ? nearer(turn) : oldEnough(turn, beforeMs);
  const gone = tooMany ? notBelow(turn, root) : goneEpochs(turn, beforeMs, root);
  if (gone.size === 0) return;
  const { tree, chains } = draft.lineage;
  turn.outputs.push({ kind: 'forget', epochs: [...gone] });
  draft.states = new Map([...draft.states].filter(([id]) => !gone.has(id)));
  draft.learntMs = new Map([...draft.learntMs].filter(([id]) => !gone.has(id)));
  const kept = new Map([...chains].map(([member, chain]) => [member, shortened(chain, gone)] as const));
  const pruned = withoutEpochs(tree, gone);
  const tops = pruned.children.get(null) ?? [];
  // Where all has lost its beginning that is no reason never to go back there.
  const roots = draft.roots.flatMap(id => {
    if (root !== null && isBelow(tree, root, id)) return [root];
    return gone.has(id) ? tops.filter(top => isBelow(tree, top, id)) : [id];
  });
  draft.roots = [...new Set(roots)];
  draft.lineage = { ...draft.lineage, tree: pruned, chains: kept };
  turn.doubtFrom('root');
}

/** What was learnt by a clock that was wrong, or is judged by one, begins anew: nothing is let go for that. */
function believeTimes<State>({ draft, nowMs }: GroupTurn<State>): void {
  const anew = (sinceMs: number): boolean => verdictOn(sinceMs, nowMs) === 'anew';
  if ([...draft.learntMs.values()].some(anew)) {
    draft.learntMs = new Map([...draft.learntMs].map(([id, atMs]) => [id, anew(atMs) ? nowMs : atMs]));
  }
  if ([...draft.waiting].some(({ sinceMs }) => anew(sinceMs))) {
    draft.waiting = Waiting.from(
      [...draft.waiting].map(item => (anew(item.sinceMs) ? { ...item, sinceMs: nowMs } : item)),
    );
  }
}

/** One that was carried out, or passed over, goes whatever its time. */
function isOver({ author, number }: Ask, { honoured }: GroupData, nowMs: number): boolean {
  const verdict = verdictOn(number, nowMs);
  return verdict === 'over' || (verdict === 'anew' && number < nowMs && number <= (honoured.get(author) ?? -1));
}

function verdictOn(sinceMs: number, nowMs: number) {
  return judgeDeadline(sinceMs + LIMITS.groupHorizonMs, LIMITS.groupHorizonMs, nowMs);
}

function goneEpochs<State>({ draft }: GroupTurn<State>, beforeMs: number, root: EpochId | null): Set<EpochId> {
  const { tree } = draft.lineage;
  const gone = new Set<EpochId>();
  for (const [id, learntMs] of draft.learntMs) {
    if (learntMs <= beforeMs && id !== draft.head && !(root !== null && isBelow(tree, id, root))) gone.add(id);
  }
  return gone;
}

/** Of more epochs than are kept those stay that lie below one near the head. */
function nearer<State>(turn: GroupTurn<State>): EpochId {
  const { epochs } = turn.draft.lineage.tree;
  for (let up = LIMITS.groupEpochs / 2; up >= 1; up /= 2) {
    let root = turn.head;
    for (let at = 0; at < up && root.parent !== null; at += 1) root = epochs.get(root.parent) ?? root;
    if (epochs.size - notBelow(turn, root.id).size <= (LIMITS.groupEpochs * 3) / 4) return root.id;
  }
  return turn.draft.head;
}

function notBelow<State>({ draft }: GroupTurn<State>, root: EpochId | null): Set<EpochId> {
  const { tree } = draft.lineage;
  return new Set([...tree.epochs.keys()].filter(id => root !== null && !isBelow(tree, id, root)));
}

function oldEnough<State>(turn: GroupTurn<State>, beforeMs: number): EpochId | null {
  const { draft } = turn;
  let at: EpochId | null = draft.head;
  while (at !== null && (draft.learntMs.get(at) ?? 0) > beforeMs)
    at = draft.lineage.tree.epochs.get(at)?.parent ?? null;
  return at;
}

/** The latest act stays: the next one is to name it. */
function shortened(chain: Chain, gone: ReadonlySet<EpochId>): Chain {
  const acts = new Map([...chain.acts].filter(([, act]) => !gone.has(act.epoch) || act === chain.latest));
  const first = Math.min(...acts.keys());
  return { ...chain, acts, first, holes: chain.holes.filter(({ from }) => from > first) };
}
