import { within } from '../../base/clock.ts';
import { TransientError } from '../../base/errors.ts';
import type { ContactId } from '../../base/ids.ts';
import { LIMITS } from '../../base/limits.ts';
import { readActId } from '../../groups/chain-codec.ts';
import type { LastAct } from '../../groups/group-state.ts';
import { decodeGroupInfo, encodeGroupInfo, type GroupInfo } from '../../wire/group-welcome.ts';
import type { GroupDraft } from './draft.ts';
import { step } from './taking.ts';
import { contactsAmong, secretsFrom } from './welcomes.ts';

/** How a member comes back that has lost the way, or was put back from a copy (docs/protocol/group.md §6). */

const NOTHING = Buffer.alloc(0);

/** Whoever is connected answers; one answer is enough, and a second changes nothing. */
export async function askForInfo<State>(draft: GroupDraft<State>): Promise<void> {
  const { memory, nowMs, head } = draft;
  // There is nobody to ask, and nobody who went on without it.
  if (head.members.length === 1) return comeBackAlone(draft);
  for (const contact of contactsAmong(draft, head.members)) {
    const askedMs = memory.asked.get(contact);
    if (askedMs !== undefined && within(askedMs, LIMITS.groupInfoAskMs, nowMs)) continue;
    draft.give(contact, 'info-ask', NOTHING);
    draft.after(() => void memory.asked.set(contact, nowMs));
  }
}

/** Tells a member where the head is, and how far it was itself heard; seldom, for it is much to give. */
export async function giveInfo<State>(draft: GroupDraft<State>, to: ContactId): Promise<void> {
  const { memory, nowMs, state, head } = draft;
  const givenMs = memory.given.get(to);
  if (givenMs !== undefined && within(givenMs, LIMITS.groupInfoGiveMs, nowMs)) return;
  const info = head.members.includes(to) ? await infoOfHead(draft) : undefined;
  if (!info) return;
  const last = state.lineage.chains.get(to)?.latest;
  const lastAct = last ? { seq: last.seq, id: Buffer.from(last.id, 'hex') } : null;
  draft.give(to, 'info', encodeGroupInfo({ info, secrets: secretsFrom(draft, state.head), lastAct }));
  draft.after(() => void memory.given.set(to, nowMs));
}

/**
 * An answer to what was asked.
 * @throws TransientError a backlog is being handed over: what is in it decides from where this member goes on
 */
export async function takeInfo<State>(draft: GroupDraft<State>, bytes: Uint8Array, from: ContactId): Promise<void> {
  const { info, secrets, lastAct } = decodeGroupInfo(bytes);
  if (!draft.head.members.includes(from)) return;
  if (draft.state.catchingUp) throw new TransientError('busy', 'groups.info', 'The group is being caught up with.');
  draft.after(() => void draft.memory.asked.delete(from));
  await step(draft, { kind: 'group-info', groupInfo: info, lastAct: lastActOf(lastAct) }, secrets);
}

export function lastActOf(lastAct: GroupInfo['lastAct']): LastAct | null {
  return lastAct && { seq: lastAct.seq, id: readActId(lastAct.id) };
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
