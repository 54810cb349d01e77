import { UsageError } from '../../base/errors.ts';
import { groupMessageIdOf } from '../../base/ids.ts';
import { LIMITS } from '../../base/limits.ts';
import type { StoredMessage } from '../../storage/records.ts';
import { decodeCard } from '../../wire/card.ts';
import { encodeContent } from '../../wire/content.ts';
import { readTo } from '../reading.ts';
import { add, change, requireMember } from './changes.ts';
import type { GroupDraft } from './draft.ts';
import type { GroupTask } from './group-actor.ts';
import { takeParcel, takePart } from './parcels.ts';
import { haveContent, owedNow } from './reach.ts';
import { lookAtAnswers } from './returning.ts';
import { step, tellOfMissing } from './taking.ts';

/** @returns what whoever asked is told */
export async function takeTask<State>(draft: GroupDraft<State>, task: GroupTask): Promise<unknown> {
  switch (task.kind) {
    case 'input':
      return step(draft, task.input);
    case 'change':
      return change(draft, task.change);
    case 'add':
      return add(draft, task.contact);
    case 'send':
      return send(draft, task.text);
    case 'read':
      return read(draft, task);
    case 'sent':
      return markSent(draft, task);
    case 'part':
      return takePart(draft, task);
    case 'parcel':
      return takeParcel(draft, task.parcel);
    case 'card':
      return sayCard(draft);
    case 'sweep':
      return sweep(draft);
  }
}

/** @returns the text as it is stored */
async function send<State>(draft: GroupDraft<State>, text: string): Promise<StoredMessage> {
  requireMember(draft);
  if (draft.state.queued.length >= LIMITS.groupWaiting) {
    throw new UsageError('limit-reached', 'messages.send', 'Too many messages wait for this group.');
  }
  const { conversation } = draft.record;
  const sender = draft.context.account.id;
  const [parents, hlc] = [draft.timeline.heads, draft.timeline.nextTime()];
  const content = encodeContent({ kind: 'text', hlc, parents, text });
  const id = groupMessageIdOf(conversation, sender, content);
  const message = { id, sender, hlc, outgoing: true, parents, text, receivedAtMs: draft.nowMs, late: false };
  await step(draft, { kind: 'text', text: content });
  draft.timeline.add(message, 'message-sent');
  draft.timeline.moveState(id, 'queued');
  draft.timeline.advanceHeads(id, parents);
  // In larger ones only whoever has something to say says it, so that no text calls up hundreds of posts.
  if (draft.head.members.length > LIMITS.groupHaveMembers) await sayHave(draft);
  return message;
}

function read<State>(draft: GroupDraft<State>, { upTo }: GroupTask & { kind: 'read' }): void {
  const done = readTo(draft.context.store, draft.conversation, upTo);
  if (!done) return;
  draft.changeConversation(done.change);
  draft.event({ type: 'conversation-read', conversation: draft.record.conversation });
}

function markSent<State>(draft: GroupDraft<State>, { ids }: GroupTask & { kind: 'sent' }): void {
  for (const id of ids) if (draft.timeline.stateOf(id) === 'queued') draft.timeline.moveState(id, 'sent');
}

/** The own card, for those who have none or an older one. */
async function sayCard<State>(draft: GroupDraft<State>): Promise<void> {
  const { account } = draft.context;
  const { serial } = decodeCard(account.card);
  if (!draft.active || draft.record.phase !== 'member' || draft.record.cardSerial >= serial) return;
  await step(draft, { kind: 'text', text: encodeContent({ kind: 'card', card: account.card }) });
  draft.changeRecord({ cardSerial: serial, cardAtMs: draft.nowMs });
}

/** Once a minute; does nothing most of the time. */
async function sweep<State>(draft: GroupDraft<State>): Promise<void> {
  const { record, nowMs, context } = draft;
  tellOfMissing(draft);
  await lookAtAnswers(draft);
  const over = record.endedAtMs !== null && Math.abs(nowMs - record.endedAtMs) >= LIMITS.groupHorizonMs;
  if (over && draft.state.states.size > 0) return draft.forgetAll();
  const due = record.cardSerial === 0 || Math.abs(nowMs - record.cardAtMs) >= LIMITS.groupCardMs;
  if (due && decodeCard(context.account.card).serial > record.cardSerial) await sayCard(draft);
  if (draft.head.members.length <= LIMITS.groupHaveMembers) await sayHave(draft);
}

/** Which texts have come since the last time: the first and the last of each author of whom nothing is missing. */
async function sayHave<State>(draft: GroupDraft<State>): Promise<void> {
  const { owed } = draft.memory;
  const said = owedNow(draft);
  if (said.length === 0 || !draft.active) return;
  await step(draft, { kind: 'text', text: haveContent(said.map(([, owing]) => owing)) });
  draft.after(() => {
    for (const [author, owing] of said) if (owed.get(author) === owing) owed.delete(author);
  });
}
