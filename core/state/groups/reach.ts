import type { ContactId, MessageId } from '../../base/ids.ts';
import { LIMITS } from '../../base/limits.ts';
import { comparePlaces } from '../../storage/message-place.ts';
import type { GroupRecord, MessagePlace } from '../../storage/records.ts';
import { encodeContent } from '../../wire/content.ts';
import type { GroupDraft } from './draft.ts';

/** How far an own text has come: to how many of how many others. */
export interface Reach {
  readonly deliveredTo: number;
  readonly of: number;
}

/** A member that has an own text has those before it: each names the one before as its parent. */
export function reachOf({ heard }: GroupRecord, members: readonly ContactId[], place: MessagePlace): Reach {
  const have = members.filter(member => {
    const last = heard.get(member);
    return last !== undefined && comparePlaces(last, place) >= 0;
  });
  return { deliveredTo: have.length, of: members.length - 1 };
}

/** A member has said, or shown by answering, which texts it has; the own ones among them move on. */
export function hear<State>(draft: GroupDraft<State>, member: ContactId, ids: readonly MessageId[]): void {
  const { store } = draft.context;
  const { conversation } = draft.record;
  for (const id of ids) {
    const message = store.messages.get(id);
    if (!message?.outgoing || store.messages.conversationOf(id) !== conversation) continue;
    const known = draft.record.heard.get(member);
    if (known && comparePlaces(known, message) >= 0) continue;
    const heard = new Map(draft.record.heard).set(member, { hlc: message.hlc, id });
    draft.changeRecord({ heard });
    const waiting = store.messages.undelivered(conversation, LIMITS.actorBatch);
    const reached = waiting.filter(other => {
      const own = store.messages.get(other);
      return own !== undefined && comparePlaces(own, message) <= 0;
    });
    // The one that was named is told of again: one member more has it.
    for (const own of new Set([...reached, id])) draft.timeline.moveState(own, 'sent');
  }
}

/** Says which texts have come since the last time: the newest of each author. */
export function haveContent(newest: ReadonlyMap<ContactId, MessageId>): Buffer {
  return encodeContent({ kind: 'have', ids: [...newest.values()].slice(0, LIMITS.receiptIds) });
}
