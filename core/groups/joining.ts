import { LIMITS } from '../base/limits.ts';
import { isCredible, requireAsked } from './admission.ts';
import type { CryptoContext, EpochId, EpochView, GroupCrypto } from './group-crypto.ts';
import { beginGroup, type GroupInput, type GroupStep, type LastAct, rootOf, type Votes } from './group-state.ts';
import { GroupTurn } from './group-turn.ts';
import { LayeredMap } from './layered-map.ts';
import { addEpoch, receive } from './receiving.ts';
import { startOutcome } from './rights.ts';
import { scheduleStand } from './standing.ts';
import { type Epoch, withEpoch } from './tree.ts';

/** How a member enters an epoch that it did not reach by following commits (docs/protocol/group.md §6). */

/**
 * Added once more: on another branch, or after a removal.
 * @throws DecodeError, AuthError not for this key package, or nobody has asked for it; TransientError who has is not known as an admin yet
 */
export async function takeWelcome<State>(
  turn: GroupTurn<State>,
  { welcome, secret, asks }: GroupInput & { kind: 'welcome' },
): Promise<void> {
  const { draft, crypto } = turn;
  const state = await crypto.join(welcome, secret, turn.context);
  const root = await rootOf(crypto, state);
  if (draft.lineage.tree.epochs.get(root.id) && draft.states.has(root.id)) return;
  let anew: boolean;
  try {
    anew = requireAsked(turn, root, state, asks, secret);
  } catch (cause) {
    crypto.wipe(state);
    throw cause;
  }
  // Whoever is added gets a leaf of its own, whose keys nobody has used.
  if (draft.putBack) draft.putBack = { backIn: root.id };
  // Asked before it left, or was put out: whoever added it afterwards knew of that, and it is not asked again.
  if (anew) draft.asks = new Map([...draft.asks].filter(([, { author }]) => author !== crypto.self));
  await enter(turn, root, state, anew);
}

/**
 * @param lastAct of this member, as far as whoever gave the group info knows
 * @throws DecodeError, AuthError a group info that is not right
 */
export async function comeBack<State>(
  turn: GroupTurn<State>,
  { groupInfo, lastAct, votes }: GroupInput & { kind: 'group-info' },
): Promise<void> {
  const { draft, crypto } = turn;
  const info = crypto.viewOfInfo(groupInfo);
  if (!leadsOn(turn, info, votes)) return;
  const { message, state } = await crypto.externalCommit(groupInfo, turn.context);
  // Whoever answers may know less than another did, or say so.
  if (lastAct && lastAct.seq > (draft.resumeFrom?.seq ?? -1)) draft.resumeFrom = lastAct;
  const { head, act, id } = await turn.nextAct({ epoch: info.epoch, state: null }, 'commit', message);
  turn.outputs.push({ kind: 'publish', post: { epoch: info.epoch, number: info.number, act, message }, body: null });
  const epoch = await enterBack(turn, info.epoch, state);
  if (draft.putBack) draft.putBack = { backIn: epoch };
  turn.recordAct({ id, sender: crypto.self, seq: head.seq, previous: head.previous, epoch });
}

/**
 * Whether to come back there: on a way not known, or, for a profile that was put back, on the head itself. Most go before fewer; of as
 * many, whoever sees both sides has judged, and where nobody does, the numbers say who goes.
 */
function leadsOn<State>(turn: GroupTurn<State>, info: EpochView, votes?: Votes): boolean {
  const { draft, crypto, head, silent } = turn;
  const ours = Buffer.compare(info.groupId, draft.groupId) === 0 && info.members.includes(crypto.self);
  // What a profile said before it was put back is in the backlog: whoever goes on before hearing it says two things in one place.
  if (!ours || (silent && draft.catchingUp)) return false;
  if (draft.lineage.tree.epochs.has(info.epoch)) return silent && info.epoch === draft.head;
  if (!isCredible(info, head)) return false;
  if (silent && info.number === head.number) return true;
  if (votes && votes.there !== votes.here) return votes.there > votes.here;
  return votes?.seen || turn.isAhead(info);
}

async function enterBack<State>(turn: GroupTurn<State>, from: EpochId, state: State): Promise<EpochId> {
  const { crypto, draft } = turn;
  const root = await rootOf(crypto, state);
  const parent = draft.lineage.tree.epochs.get(from);
  if (!parent) await enter(turn, { ...root, returned: crypto.self }, state, true);
  else {
    const made = { epoch: root.id, external: true, sender: crypto.self, state };
    await addEpoch(turn, parent, made, [], startOutcome(parent.data, parent.members));
  }
  return root.id;
}

/** Epochs from before stay, to be read and followed, and to be gone back to should all others turn out to be there. */
async function enter<State>(turn: GroupTurn<State>, epoch: Epoch, state: State, afresh: boolean): Promise<void> {
  const { draft } = turn;
  const { tree, chains, stale } = draft.lineage;
  const acts = [...chains.values()].map(({ latest }) => latest.id);
  turn.setState(epoch.id, state);
  draft.learntMs = LayeredMap.with(draft.learntMs, epoch.id, turn.nowMs);
  draft.lineage = { tree: withEpoch(tree, epoch), chains, stale: afresh ? new Set(acts) : stale };
  draft.roots = [...draft.roots.slice(1 - LIMITS.groupRoots), epoch.id];
  turn.doubtFrom('root');
  scheduleStand(turn, true);
  const waiting = draft.waiting.of(epoch.id);
  draft.waiting = draft.waiting.without(epoch.id);
  for (const item of waiting) await receive(turn, item);
}

/** For a profile that has lost its record of a group it is a member of: everything begins with an external commit. */
export async function rejoinGroup<State>(
  crypto: GroupCrypto<State>,
  groupInfo: Uint8Array,
  lastAct: LastAct | null,
  context: CryptoContext,
): Promise<GroupStep<State>> {
  const info = crypto.viewOfInfo(groupInfo);
  const { message, state } = await crypto.externalCommit(groupInfo, context);
  const turn = new GroupTurn(crypto, await beginGroup(crypto, state, lastAct, context), context);
  const { head, act, id } = await turn.nextAct({ epoch: info.epoch, state: null }, 'commit', message);
  turn.recordAct({ id, sender: crypto.self, seq: head.seq, previous: head.previous, epoch: turn.draft.head });
  turn.outputs.push({ kind: 'publish', post: { epoch: info.epoch, number: info.number, act, message }, body: null });
  turn.changed.set(turn.draft.head, null);
  return { state: turn.draft, outputs: turn.outputs, changed: turn.changed };
}
