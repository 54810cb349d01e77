import { compareHlc } from '../../base/hlc.ts';
import type { ContactId, MessageId } from '../../base/ids.ts';
import { LIMITS } from '../../base/limits.ts';
import { comparePlaces } from '../../storage/message-place.ts';
import type { GroupRecord, Heard, MessagePlace, StoredMessage } from '../../storage/records.ts';
import { encodeContent } from '../../wire/content.ts';
import type { GroupDraft } from './draft.ts';
import type { Owed } from './standing.ts';

/** How far an own text has come: to how many of how many others. */
export interface Reach {
  readonly deliveredTo: number;
  readonly of: number;
}

/** Of those it was said to who are members still. */
export function reachOf({ heard }: GroupRecord, place: MessagePlace): Reach {
  const told = [...heard.values()].filter(({ since }) => compareHlc(place.hlc, since) > 0);
  const have = told.filter(
    ({ has }) => has && comparePlaces(has.first, place) <= 0 && comparePlaces(place, has.last) <= 0,
  );
  return { deliveredTo: have.length, of: told.length };
}

/** Whoever has come in was told nothing of what was said before; whoever is gone counts no more. */
export function noteMembers<State>(draft: GroupDraft<State>): void {
  const { heard } = draft.record;
  const others = draft.head.members.filter(member => member !== draft.crypto.self);
  if (others.length === heard.size && others.every(member => heard.has(member))) return;
  const since = draft.timeline.time;
  const now = others.map((member): [ContactId, Heard] => [member, heard.get(member) ?? { since, has: null }]);
  draft.changeRecord({ heard: new Map(now) });
}

/**
 * A member says which own texts it has: the first named, the last, and all between. To what it has said before only what is later is
 * added: a member of whom something is missing says nothing.
 */
export function hear<State>(draft: GroupDraft<State>, member: ContactId, ids: readonly MessageId[]): void {
  const known = draft.record.heard.get(member);
  const named = ownTo(draft, member, ids).sort(comparePlaces);
  const [lowest, highest] = [named[0], named.at(-1)];
  if (!known || !lowest || !highest || (known.has && comparePlaces(known.has.last, highest) >= 0)) return;
  const { hlc, id } = highest;
  const has = { first: known.has?.first ?? { hlc: lowest.hlc, id: lowest.id }, last: { hlc, id } };
  draft.changeRecord({ heard: new Map(draft.record.heard).set(member, { ...known, has }) });
  // The one that was named is told of again: one member more has it.
  for (const own of new Set([...queuedIn(draft, has), id])) draft.timeline.moveState(own, 'sent');
}

/** Whoever answers to a text has it; of those before it that tells nothing. */
export function hearAnswer<State>(draft: GroupDraft<State>, member: ContactId, parents: readonly MessageId[]): void {
  for (const { id } of ownTo(draft, member, parents)) {
    if (draft.timeline.stateOf(id) === 'queued') draft.timeline.moveState(id, 'sent');
  }
}

/** Those that are own texts, said when this one was a member. */
function ownTo<State>(
  { context, record }: GroupDraft<State>,
  member: ContactId,
  ids: readonly MessageId[],
): StoredMessage[] {
  const { messages } = context.store;
  const since = record.heard.get(member)?.since;
  return ids.flatMap(id => {
    const message = messages.get(id);
    const isOwn = message?.outgoing && messages.conversationOf(id) === record.conversation;
    return isOwn && since && compareHlc(message.hlc, since) > 0 ? [message] : [];
  });
}

function queuedIn<State>({ context, record }: GroupDraft<State>, { first, last }: Owed): MessageId[] {
  const { messages } = context.store;
  const queued: MessageId[] = [];
  let batch = messages.undelivered(record.conversation, LIMITS.actorBatch);
  while (batch.length > 0) {
    const places = batch.flatMap(id => messages.get(id) ?? []);
    const within = places.filter(own => comparePlaces(first, own) <= 0 && comparePlaces(own, last) <= 0);
    queued.push(...within.map(({ id }) => id));
    batch = messages.undelivered(record.conversation, LIMITS.actorBatch, batch.at(-1));
  }
  return queued;
}

/** A text has come, of which its author is to be told. */
export function owe<State>(
  { memory }: GroupDraft<State>,
  { sender, hlc, id }: StoredMessage & { sender: ContactId },
): void {
  const place = { hlc, id };
  const { first, last } = memory.owed.get(sender) ?? { first: place, last: place };
  memory.owed.set(sender, {
    first: comparePlaces(place, first) < 0 ? place : first,
    last: comparePlaces(place, last) > 0 ? place : last,
  });
}

/** What is owed to authors of whom nothing is missing here: that has to be all there is between two texts. */
export function owedNow<State>({ memory, state }: GroupDraft<State>): [ContactId, Owed][] {
  const { chains } = state.lineage;
  const whole = [...memory.owed].filter(([author]) => chains.get(author)?.holes.length === 0);
  return whole.slice(0, LIMITS.receiptIds / 2);
}

export function haveContent(owed: readonly Owed[]): Buffer {
  const ids = owed.flatMap(({ first, last }) => (first.id === last.id ? [first.id] : [first.id, last.id]));
  return encodeContent({ kind: 'have', ids });
}
