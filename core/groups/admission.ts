import { equalBytes } from '../base/bytes.ts';
import { AuthError, DecodeError, TransientError } from '../base/errors.ts';
import { LIMITS } from '../base/limits.ts';
import { decodeAsks } from './act-codec.ts';
import { type Ask, askBytes } from './asks.ts';
import type { EpochView } from './group-crypto.ts';
import { decodeGroupData, type GroupData } from './group-data.ts';
import type { GroupTurn } from './group-turn.ts';
import type { Epoch } from './tree.ts';

/** What is taken of epochs that this member did not see made (docs/protocol/group.md §6). */

/**
 * Whatever is begun with can be stored and read again, and is a group as members would make it.
 * @throws DecodeError
 */
export function readRoot({ number, members, data }: EpochView): GroupData {
  const read = decodeGroupData(data);
  const sound =
    number < LIMITS.groupEpochNumber &&
    members.length <= LIMITS.groupMembers &&
    read.admins.length > 0 &&
    read.admins.every(admin => members.includes(admin));
  if (!sound) throw new DecodeError('group.root', 'An epoch is none that a group comes to.');
  return read;
}

/** Whether it may be where the group went on: not absurdly far ahead, and with an admin known here still in it. */
export function isCredible({ number, members }: EpochView, head: Epoch): boolean {
  const near = number < Math.min(head.number + LIMITS.groupEpochJump, LIMITS.groupEpochNumber);
  return near && members.length <= LIMITS.groupMembers && head.data.admins.some(admin => members.includes(admin));
}

/**
 * A welcome into a group that is known counts only with the ask by which this member was to be added.
 * @param asks those that the epoch's commit honoured, as they came with the welcome
 * @returns whether it was put out and is let in anew, and has not seen where the others went since
 * @throws DecodeError, AuthError; TransientError whoever asked is not known as an admin yet, and may be with what is still to come
 */
export function requireAsked<State>(
  turn: GroupTurn<State>,
  root: Epoch,
  state: State,
  asks: Uint8Array,
  secret: Uint8Array,
): boolean {
  const { draft, crypto, head } = turn;
  const sameGroup = equalBytes(crypto.view(state).groupId, draft.groupId);
  const own = crypto.packageOf(secret);
  const ask = decodeAsks(asks).find(({ change }) => change.kind === 'add' && equalBytes(change.keyPackage, own));
  const near = root.number < head.number + LIMITS.groupEpochJump;
  if (!sameGroup || !near || !ask || !isSigned(turn, state, ask)) {
    throw new AuthError('not-authentic', 'group.welcome', 'Nobody who may has asked for this.');
  }
  if (letsIn(turn, root, ask)) return true;
  if (mayAdd(turn, ask)) return false;
  throw new TransientError('busy', 'group.welcome', 'Whoever asked for this is not known as an admin here.');
}

/** Somebody known as an admin here, on whichever branch: what it leads to is weighed against all that is known. */
function mayAdd<State>({ draft }: GroupTurn<State>, { author }: Ask): boolean {
  const known = [...draft.lineage.tree.epochs.values()];
  return draft.roots.length < LIMITS.groupRoots && known.some(({ data }) => data.admins.includes(author));
}

/**
 * Who was put out believes the new epoch who is an admin now: somebody who stayed, or who came since to where an admin who stayed still is. What
 * it was added by before is no reason to add it again.
 */
function letsIn<State>({ draft, crypto, head, removed }: GroupTurn<State>, root: Epoch, ask: Ask): boolean {
  const known = [...draft.lineage.tree.epochs.values()];
  const asked = Math.max(-1, ...known.map(epoch => epoch.data.honoured.get(crypto.self) ?? -1));
  const stayed = head.data.admins.some(admin => root.members.includes(admin));
  const entitled = root.data.admins.includes(ask.author) && (head.members.includes(ask.author) || stayed);
  return removed && entitled && ask.number > asked;
}

/** Its author may have gone since: who it is stands in every epoch that it was a member of. */
function isSigned<State>({ draft, crypto }: GroupTurn<State>, entered: State, ask: Ask): boolean {
  const states = [entered, ...draft.states.values()];
  const state = states.find(each => crypto.view(each).members.includes(ask.author));
  return state !== undefined && crypto.verify(state, ask.author, askBytes(draft.groupId, ask), ask.signature);
}
