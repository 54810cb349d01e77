import { hex } from '../../base/bytes.ts';
import { within } from '../../base/clock.ts';
import { CoreError, TransientError } from '../../base/errors.ts';
import type { ContactId } from '../../base/ids.ts';
import { LIMITS } from '../../base/limits.ts';
import { readActId } from '../../groups/chain-codec.ts';
import type { EpochId, GroupCrypto } from '../../groups/group-crypto.ts';
import type { LastAct } from '../../groups/group-state.ts';
import { isBelow } from '../../groups/tree.ts';
import { decodeGroupInfo, encodeGroupInfo, type GroupInfo } from '../../wire/group-welcome.ts';
import type { Answer } from './answers.ts';
import type { GroupDraft } from './draft.ts';
import { step } from './taking.ts';
import { contactsAmong, secretsFrom } from './welcomes.ts';

/** How a member comes back that has lost the way, or was put back from a copy (docs/protocol/group.md §6). */

/** Admins are asked first: they have less to gain by a lie. */
export async function askForInfo<State>(draft: GroupDraft<State>): Promise<void> {
  const { memory, nowMs, head } = draft;
  // There is nobody to ask, and nobody who went on without it.
  if (head.members.length === 1) return comeBackAlone(draft);
  const { admins } = head.data;
  const others = head.members.filter(member => !admins.includes(member));
  for (const contact of memory.answers.next(contactsAmong(draft, [...admins, ...others]), nowMs)) {
    draft.give(contact, 'info-ask', Buffer.from(draft.state.head, 'hex'));
    draft.after(() => memory.answers.asked(contact, nowMs));
  }
}

/** Tells a member where the head is, and how far it was itself heard; seldom, for it is much to give. */
export async function giveInfo<State>(draft: GroupDraft<State>, to: ContactId, at: Uint8Array): Promise<void> {
  const { memory, nowMs, state, head } = draft;
  const givenMs = memory.given.get(to);
  if (givenMs !== undefined && within(givenMs, LIMITS.groupInfoGiveMs, nowMs)) return;
  const info = head.members.includes(to) ? await infoOfHead(draft) : undefined;
  if (!info) return;
  const last = state.lineage.chains.get(to)?.latest;
  const lastAct = last ? { seq: last.seq, id: Buffer.from(last.id, 'hex') } : null;
  draft.give(to, 'info', encodeGroupInfo({ info, secrets: secretsOfLine(draft), lastAct, seen: isBeside(draft, at) }));
  draft.after(() => void memory.given.set(to, nowMs));
}

/**
 * An answer to what was asked; what was not asked for is dropped.
 * @throws TransientError a backlog is being handed over: what is in it decides from where this member goes on
 */
export async function takeInfo<State>(draft: GroupDraft<State>, bytes: Uint8Array, from: ContactId): Promise<void> {
  const { answers } = draft.memory;
  if (!answers.expects(from)) return;
  if (draft.state.catchingUp) throw new TransientError('busy', 'groups.info', 'The group is being caught up with.');
  const answer = draft.head.members.includes(from) ? answerFrom(draft.crypto, bytes, from) : undefined;
  answers.take(from, answer);
  await goBack(draft);
}

/** Once a minute: who has not answered by then is not waited for. */
export async function lookAtAnswers<State>(draft: GroupDraft<State>): Promise<void> {
  if (draft.memory.answers.unanswered(draft.nowMs)) return askForInfo(draft);
  if (!draft.state.catchingUp) await goBack(draft);
}

async function goBack<State>(draft: GroupDraft<State>): Promise<void> {
  const { memory, nowMs, state } = draft;
  const chosen = memory.answers.chosen(nowMs, state.head);
  if (!chosen) return;
  const { answer, votes } = chosen;
  const { info, secrets, lastAct } = answer.info;
  await stepUnlessWrong(() =>
    step(draft, { kind: 'group-info', groupInfo: info, lastAct: lastActOf(lastAct), votes }, secrets),
  );
  const back = draft.state.head !== state.head;
  draft.after(() => memory.answers.close(back));
}

/** @param at where whoever asks stands, empty for one who does not know the group any more */
function isBeside<State>({ state }: GroupDraft<State>, at: Uint8Array): boolean {
  const { tree } = state.lineage;
  const theirs = hex(at) as EpochId;
  return tree.epochs.has(theirs) && !isBelow(tree, state.head, theirs);
}

/** What is not right leads nowhere; others are asked later. */
async function stepUnlessWrong(run: () => Promise<void>): Promise<void> {
  try {
    await run();
  } catch (error) {
    if (!isWrong(error)) throw error;
  }
}

/** @returns undefined for what is not the documented form */
export function answerFrom<State>(crypto: GroupCrypto<State>, bytes: Uint8Array, from: ContactId): Answer | undefined {
  try {
    const info = decodeGroupInfo(bytes);
    return { from, epoch: crypto.viewOfInfo(info.info).epoch, info };
  } catch (error) {
    if (!isWrong(error)) throw error;
    return undefined;
  }
}

function isWrong(error: unknown): boolean {
  return error instanceof CoreError && ['bad-bytes', 'not-authentic'].includes(error.code);
}

export function lastActOf(lastAct: GroupInfo['lastAct']): LastAct | null {
  return lastAct && { seq: lastAct.seq, id: readActId(lastAct.id) };
}

/** Only those of the line that the head lies on: of what was said beside it whoever comes back there reads nothing. */
function secretsOfLine<State>(draft: GroupDraft<State>): Uint8Array[] {
  const { record, state } = draft;
  const { tree } = state.lineage;
  const isOnLine = (epoch: Uint8Array): boolean => {
    const id = hex(epoch) as EpochId;
    return id === state.head || isBelow(tree, state.head, id);
  };
  const line = new Set(record.outer.filter(({ epochs }) => epochs.some(isOnLine)).map(({ secret }) => hex(secret)));
  return secretsFrom(draft, state.head).filter(secret => line.has(hex(secret)));
}

async function comeBackAlone<State>(draft: GroupDraft<State>): Promise<void> {
  const groupInfo = await infoOfHead(draft);
  if (groupInfo) await step(draft, { kind: 'group-info', groupInfo });
}

async function infoOfHead<State>({
  crypto,
  context,
  nowMs,
  state,
}: GroupDraft<State>): Promise<Uint8Array | undefined> {
  const headState = state.states.get(state.head);
  return headState && crypto.groupInfo(headState, { nowMs, random: context.random });
}
