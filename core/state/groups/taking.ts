import { CoreError } from '../../base/errors.ts';
import { compareHlc } from '../../base/hlc.ts';
import { type ContactId, groupMessageIdOf } from '../../base/ids.ts';
import { LIMITS } from '../../base/limits.ts';
import { type ActBody, encodePost } from '../../groups/act-codec.ts';
import type { GroupInput, GroupOutput } from '../../groups/group-state.ts';
import { missingIn } from '../../groups/holes.ts';
import type { Epoch } from '../../groups/tree.ts';
import { type Content, decodeContent, type TextContent } from '../../wire/content.ts';
import type { CommitChange } from '../events.ts';
import { withUnread } from '../reading.ts';
import type { GroupDraft } from './draft.ts';
import { keepCard } from './member-cards.ts';
import { noticesOfMove, removedAfter } from './notices.ts';
import { hear, hearAnswer, noteMembers, owe } from './reach.ts';
import { askForInfo } from './returning.ts';
import { giveWelcome, postToContacts } from './welcomes.ts';

/** Steps the machine, and does what it says is to be done. @param given outer secrets that came with what is handed over */
export async function step<State>(
  draft: GroupDraft<State>,
  input: GroupInput,
  given: readonly Uint8Array[] = [],
): Promise<void> {
  const from = draft.head;
  const { chains } = draft.state.lineage;
  await takeOutputs(draft, from, await draft.step(input, given));
  noteComeIn(draft, chains);
  noteMembers(draft);
}

/** Whoever was added here has come in once it says something: until then welcomes for it are handed on. */
function noteComeIn<State>(draft: GroupDraft<State>, before: ReadonlyMap<ContactId, unknown>): void {
  const { record, state, head, memory } = draft;
  const { chains } = state.lineage;
  if (record.adding.length === 0 || chains === before) return;
  const isIn = (member: ContactId) => head.members.includes(member) && chains.get(member) !== before.get(member);
  const adding = record.adding.filter(member => !isIn(member));
  if (adding.length === record.adding.length) return;
  draft.changeRecord({ adding });
  for (const member of record.adding) if (!adding.includes(member)) memory.forwards.delete(member);
}

/** Does what the machine says is to be done, in its order. `from`: the head before. */
export async function takeOutputs<State>(
  draft: GroupDraft<State>,
  from: Epoch | null,
  outputs: readonly GroupOutput[],
): Promise<void> {
  for (const output of outputs) await takeOutput(draft, from, output);
}

function publish<State>(draft: GroupDraft<State>, { post, body }: GroupOutput & { kind: 'publish' }): void {
  const bytes = encodePost(post);
  const tag = draft.publish('post', bytes, post.epoch);
  postToContacts(draft, { epoch: post.epoch, bytes, tag, lasting: isLasting(body) });
}

/** What a member says of itself, or of how far it is, is soon said again: it takes no room with anybody's custodians. */
function isLasting(body: ActBody | null): boolean {
  if (body?.kind === 'text') return decodeContent(body.text).kind === 'text';
  return body?.kind !== 'stand';
}

async function takeOutput<State>(draft: GroupDraft<State>, from: Epoch | null, output: GroupOutput): Promise<void> {
  switch (output.kind) {
    case 'publish':
      publish(draft, output);
      return;
    case 'welcome':
      giveWelcome(draft, output);
      return;
    case 'text':
      takeContent(draft, output);
      return;
    case 'head':
      tellOfMove(draft, from, output.rolledBack);
      return;
    case 'removed':
      end(draft);
      return;
    case 'equivocation':
      draft.timeline.tell({ kind: 'equivocation', member: output.member, count: 1 });
      draft.event({ type: 'group-members', group: draft.record.id });
      return;
    case 'lost':
      return askForInfo(draft);
    case 'hole':
      noteMissing(draft, output.member);
      return;
    case 'dropped':
      draft.dropped.add(output.ref);
      return;
    case 'forget':
    case 'wake':
      return;
  }
}

/** Told of when it is still so after a while: most of it is on its way. */
function noteMissing<State>({ memory, nowMs }: GroupDraft<State>, member: ContactId): void {
  if (!memory.missing.has(member)) memory.missing.set(member, nowMs);
}

/** Once a minute. */
export function tellOfMissing<State>(draft: GroupDraft<State>): void {
  for (const [member, sinceMs] of draft.memory.missing) {
    const count = missingIn(draft.state.lineage.chains.get(member)?.holes ?? []);
    const over = Math.abs(draft.nowMs - sinceMs) >= LIMITS.groupLostMs;
    if (count > 0 && over) draft.timeline.tell({ kind: 'hole', member, count });
    if (count === 0 || over) draft.after(() => void draft.memory.missing.delete(member));
  }
}

function end<State>(draft: GroupDraft<State>): void {
  const phase = draft.record.phase === 'leaving' ? 'left' : 'removed';
  draft.changeRecord({ phase, endedAtMs: draft.nowMs });
  draft.event({ type: 'group-changed', group: draft.record.id });
}

function tellOfMove<State>(draft: GroupDraft<State>, from: Epoch | null, rolledBack: number): void {
  const { head, record } = draft;
  const group = record.id;
  const notices = noticesOfMove(draft.crypto, draft.state, from ?? undefined, head);
  if (rolledBack > 0) {
    draft.timeline.tell({ kind: 'fork-healed', count: rolledBack });
    draft.event({ type: 'group-fork-healed', group, rolledBack });
  }
  for (const notice of notices) draft.timeline.tell(notice);
  draft.changeRecord({ removed: removedAfter(record.removed, notices) });
  const told = [...new Set(notices.map(({ kind }) => CHANGES[kind]))].filter(change => change !== undefined);
  const changes: readonly CommitChange[] = told.length > 0 ? told : ['keys'];
  draft.event({ type: 'group-commit', group, epoch: head.id, by: head.committer, changes });
  if (changes.includes('rename')) draft.event({ type: 'group-changed', group });
  if (changes.some(change => change !== 'rename' && change !== 'keys')) draft.event({ type: 'group-members', group });
  // Someone who was put out, and let in again.
  const back = draft.active && (record.phase === 'removed' || record.phase === 'left');
  if (!back) return;
  draft.changeRecord({ phase: 'member', endedAtMs: null });
  draft.event({ type: 'group-changed', group });
}

const CHANGES: Readonly<Record<string, CommitChange | undefined>> = {
  added: 'add',
  removed: 'remove',
  left: 'leave',
  promoted: 'promote',
  demoted: 'demote',
  renamed: 'rename',
};

/** What cannot be read is dropped: its sender is the one who made it so. */
function takeContent<State>(draft: GroupDraft<State>, said: GroupOutput & { kind: 'text' }): void {
  const { sender } = said;
  try {
    const content: Content = decodeContent(said.text);
    if (content.kind === 'text') takeText(draft, said, content);
    if (content.kind === 'card') keepCard(draft, sender, content.card);
    if (content.kind === 'have') hear(draft, sender, content.ids);
  } catch (error) {
    if (!(error instanceof CoreError) || !['bad-bytes', 'not-authentic'].includes(error.code)) throw error;
  }
}

function takeText<State>(
  draft: GroupDraft<State>,
  { sender, text: bytes, late }: GroupOutput & { kind: 'text' },
  text: TextContent,
): void {
  const { conversation } = draft.record;
  const id = groupMessageIdOf(conversation, sender, bytes);
  if (draft.timeline.has(id) || tooManyAt(draft, text)) return;
  const { hlc, parents } = text;
  draft.timeline.seeTime(hlc);
  const receivedAtMs = draft.nowMs;
  const message = { id, sender, hlc, outgoing: false, parents, text: text.text, receivedAtMs, late };
  draft.timeline.add(message, 'message-received');
  draft.timeline.advanceHeads(id, parents);
  // Whoever was put out does not call anybody to the window.
  if (!late) draft.changeConversation(withUnread(draft.conversation, id, hlc));
  hearAnswer(draft, sender, parents);
  draft.after(() => owe(draft, message));
}

/** As between two: a member that says any number of things at one time is not heard. */
function tooManyAt<State>({ context, timeline, record }: GroupDraft<State>, { hlc }: TextContent): boolean {
  if (compareHlc(hlc, timeline.time) > 0) return false;
  return context.store.messages.countAt(record.conversation, hlc, LIMITS.equalTimes) >= LIMITS.equalTimes;
}
