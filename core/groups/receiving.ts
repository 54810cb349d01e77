import { equalBytes } from '../base/bytes.ts';
import { DecodeError } from '../base/errors.ts';
import { LIMITS } from '../base/limits.ts';
import { decodeActBody, decodeAsks } from './act-codec.ts';
import { isNotRight, type OpenedAct, openAct } from './act-seal.ts';
import { type Ask, askBytes, askName, openAsks } from './asks.ts';
import { isLongGone, isPutOff, putOffAbove } from './following.ts';
import type { EpochId, Processed } from './group-crypto.ts';
import { encodeGroupData } from './group-data.ts';
import { rankingOf } from './group-state.ts';
import type { GroupTurn } from './group-turn.ts';
import { LayeredMap } from './layered-map.ts';
import { takeProof } from './proofs.ts';
import { honour, type Outcome, startOutcome } from './rights.ts';
import { type Epoch, isBelow, meetingOf, withEpoch } from './tree.ts';
import type { WaitingPost } from './waiting.ts';

type Commit<State> = Processed<State> & { kind: 'commit' };

/** Takes in a post and whatever waited for what it brings. What is not right is left; who sealed it is another's matter. */
export async function receive<State>(turn: GroupTurn<State>, item: WaitingPost): Promise<void> {
  const ready: WaitingPost[] = [item];
  for (let next = ready.pop(); next; next = ready.pop()) {
    const made = await takeOne(turn, next);
    if (made === null) continue;
    const { waiting } = turn.draft;
    ready.push(...[...waiting.of(made)].reverse());
    turn.draft.waiting = waiting.without(made);
  }
}

/** @returns the epoch that can be read now and could not before */
async function takeOne<State>(turn: GroupTurn<State>, item: WaitingPost): Promise<EpochId | null> {
  const { post } = item;
  const { tree } = turn.draft.lineage;
  const state = turn.draft.states.get(post.epoch);
  if (!state) {
    // An epoch known and not readable is one this member was removed from.
    if (tree.epochs.has(post.epoch)) return null;
    turn.wait(item);
    for (const putOff of putOffAbove(turn, post.epoch)) {
      const made = await takeOne(turn, putOff);
      if (made !== null) return made;
    }
    return null;
  }
  try {
    return await takeReadable(turn, item, state);
  } catch (cause) {
    if (!isNotRight(cause)) throw cause;
    return null;
  }
}

async function takeReadable<State>(turn: GroupTurn<State>, item: WaitingPost, state: State): Promise<EpochId | null> {
  const { post } = item;
  const act = await openAct(turn.crypto, state, post);
  const { sender, seq, previous, kind } = act.head;
  const known = turn.draft.lineage.chains.get(sender)?.acts.get(seq);
  // A commit that has led nowhere may have been put off.
  if (known?.id === act.id && !(kind === 'commit' && known.epoch === post.epoch)) return null;
  if (sender === turn.crypto.self) noteOwn(turn, post.epoch, seq);
  let stands = post.epoch;
  try {
    const processed = await turn.crypto.process(state, post.message, turn.context);
    if (processed.kind !== kind || processed.sender !== sender) return null;
    if (processed.kind === 'application') takeApplication(turn, post.epoch, act, processed, state);
    else if (await takeCommit(turn, item, state, processed)) stands = processed.epoch;
  } catch (cause) {
    // What it says cannot be read, or may not be done; that its sender was there and spoke is signed all the same.
    if (!isNotRight(cause)) throw cause;
  }
  const { id, signed } = act;
  turn.recordAct({ id, sender, seq, previous, epoch: stands, signed });
  return turn.draft.states.has(stands) && stands !== post.epoch ? stands : null;
}

/** An own act that this profile does not know of: it is a copy that was put back. What it said before it came back is known to be old. */
function noteOwn<State>(turn: GroupTurn<State>, epoch: EpochId, seq: number): void {
  const { putBack, lineage, resumeFrom } = turn.draft;
  const last = Math.max(lineage.chains.get(turn.crypto.self)?.latest.seq ?? -1, resumeFrom?.seq ?? -1);
  if (seq <= last) return;
  if (putBack === null || (putBack.backIn !== null && isBelow(lineage.tree, epoch, putBack.backIn))) turn.fallSilent();
}

function takeApplication<State>(
  turn: GroupTurn<State>,
  epoch: EpochId,
  act: OpenedAct,
  processed: Processed<State> & { kind: 'application' },
  state: State,
): void {
  const { sender, seq } = act.head;
  turn.setState(epoch, processed.state);
  const body = decodeActBody(processed.plaintext);
  if (body.kind === 'text') {
    const late = isLongGone(turn, sender);
    turn.outputs.push({ kind: 'text', sender, seq, epoch, act: act.id, text: body.text, late });
  }
  if (body.kind === 'ask' && body.ask.author === sender && turn.isTimely(body.ask)) takeAsk(turn, body.ask, epoch);
  if (body.kind === 'proof') takeProof(turn, body.proof, epoch, state);
}

/** Kept only if its author may ask for it where it was said, and no more of one author than the limit. */
export function takeAsk<State>(turn: GroupTurn<State>, ask: Ask, epoch: EpochId): void {
  const { draft, crypto } = turn;
  const state = draft.states.get(epoch);
  const admins = draft.lineage.tree.epochs.get(epoch)?.data.admins ?? [];
  if (!state || (ask.change.kind !== 'leave' && !admins.includes(ask.author))) return;
  const name = askName(draft.groupId, ask);
  if (draft.asks.has(name)) return;
  if (!crypto.verify(state, ask.author, askBytes(draft.groupId, ask), ask.signature)) return;
  // Those honoured on the head have each cost a commit: only what still waits can be a flood.
  const theirs = openAsks(draft.asks, turn.head.data).filter(({ author }) => author === ask.author);
  if (theirs.length >= LIMITS.groupAsksPerAuthor) return;
  draft.asks = LayeredMap.with(draft.asks, name, ask);
}

/** @returns whether the commit's epoch is in the tree */
async function takeCommit<State>(
  turn: GroupTurn<State>,
  item: WaitingPost,
  parentState: State,
  commit: Commit<State>,
): Promise<boolean> {
  const parentId = item.post.epoch;
  const parent = turn.draft.lineage.tree.epochs.get(parentId);
  // No parent: it is read for its messages alone, being of a branch from before this member came back.
  if (!parent) return false;
  if (turn.draft.lineage.tree.epochs.has(commit.epoch)) return true;
  // Who comes back by itself has no asks to honour.
  const asks = commit.external ? [] : decodeAsks(commit.authenticatedData);
  const outcome = justify(turn, parent, parentState, commit, asks);
  if (await isPutOff(turn, parent, commit)) {
    if (commit.state) turn.crypto.wipe(commit.state);
    if (!turn.draft.waiting.commitOf(commit.epoch)) turn.wait({ ...item, makes: commit.epoch });
    return false;
  }
  for (const ask of asks) takeAsk(turn, ask, parentId);
  await addEpoch(turn, parent, commit, asks, outcome);
  return true;
}

/** A commit may do what the asks it carries allow, all of it and nothing else. */
function justify<State>(
  turn: GroupTurn<State>,
  parent: Epoch,
  parentState: State,
  commit: Commit<State>,
  asks: readonly Ask[],
): Outcome {
  const { crypto, draft } = turn;
  let outcome = startOutcome(parent.data, parent.members);
  for (const ask of asks) {
    const signed = crypto.verify(parentState, ask.author, askBytes(draft.groupId, ask), ask.signature);
    const next = signed ? honour(outcome, ask, keyPackage => crypto.ownerOf(keyPackage, null, parentState)) : null;
    if (!next) throw new DecodeError('group.commit', 'A commit does what nobody may ask.');
    outcome = next;
  }
  const added = outcome.adds.map(({ keyPackage }) => crypto.packageName(keyPackage));
  const data = commit.state ? crypto.view(commit.state).data : null;
  const agrees =
    same(added, commit.added) &&
    same(outcome.removes, commit.removed) &&
    (data === null || equalBytes(encodeGroupData(outcome.data), data));
  if (!agrees) throw new DecodeError('group.commit', 'A commit does something else than it says.');
  return outcome;
}

function same(a: readonly string[], b: readonly string[]): boolean {
  return a.length === b.length && a.every(name => b.includes(name));
}

/** A commit's epoch, from another member or from this one. */
export async function addEpoch<State>(
  turn: GroupTurn<State>,
  parent: Epoch,
  made: Pick<Commit<State>, 'epoch' | 'external' | 'sender' | 'state'>,
  asks: readonly Ask[],
  outcome: Outcome,
): Promise<void> {
  const { draft } = turn;
  const epoch: Epoch = {
    id: made.epoch,
    parent: parent.id,
    number: parent.number + 1,
    committer: made.external ? null : made.sender,
    returned: made.external ? made.sender : null,
    members: [...outcome.members],
    data: outcome.data,
    ranking: made.state ? await rankingOf(turn.crypto, made.state) : [],
    judgements: outcome.judgements,
    asks: asks.map(ask => askName(draft.groupId, ask)),
  };
  const tree = withEpoch(draft.lineage.tree, epoch);
  draft.lineage = { ...draft.lineage, tree };
  // What it removes or demotes counts at every fork above; by itself it is one child more.
  turn.doubtFrom(epoch.judgements.length > 0 ? 'root' : (meetingOf(tree, draft.head, parent.id)?.id ?? 'root'));
  draft.learntMs = LayeredMap.with(draft.learntMs, epoch.id, turn.nowMs);
  if (made.state) turn.setState(epoch.id, made.state);
  if (tree.epochs.size > LIMITS.groupEpochs) turn.setTimers({ sweepMs: turn.nowMs });
}
