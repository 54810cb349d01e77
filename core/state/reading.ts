import { UsageError } from '../base/errors.ts';
import { compareHlc, type HlcTime } from '../base/hlc.ts';
import type { MessageId } from '../base/ids.ts';
import { LIMITS } from '../base/limits.ts';
import type { ConversationRecord, StoredMessage } from '../storage/records.ts';
import type { Store } from '../storage/store.ts';
import { initiate } from './handshakes.ts';
import { sendReceipts } from './receipts.ts';
import type { Turn } from './turn.ts';

/** A received text is unread, wherever its time puts it. */
export function withUnread(
  { readUpTo, unread, lateUnread }: ConversationRecord,
  id: MessageId,
  hlc: HlcTime,
): Partial<ConversationRecord> {
  const late = readUpTo !== null && compareHlc(hlc, readUpTo.hlc) <= 0;
  return { unread: unread + 1, lateUnread: late ? [...lateUnread, id].slice(-LIMITS.lateUnread) : lateUnread };
}

/** What reading up to a text makes of a conversation, and the texts that are read by it. */
export interface Read {
  readonly ids: readonly MessageId[];
  readonly change: Partial<ConversationRecord>;
}

/** Marks received texts read, and tells the sender. @throws UsageError as `readTo` */
export function markRead(turn: Turn, upTo: MessageId | undefined): void {
  const read = readTo(turn.context.store, turn.conversation, upTo);
  if (!read) return;
  sendReceipts(turn, 'read', read.ids);
  turn.changeConversation(read.change);
  turn.event({ type: 'conversation-read', conversation: turn.conversationId });
}

/**
 * Received texts up to and with `upTo`, all that are stored when it is left out.
 * @returns undefined when nothing is unread there
 * @throws UsageError `not-found` when `upTo` is not a text of this conversation
 */
export function readTo(store: Store, conversation: ConversationRecord, upTo: MessageId | undefined): Read | undefined {
  const { unread, lateUnread, readUpTo } = conversation;
  if (upTo !== undefined && store.messages.conversationOf(upTo) !== conversation.id) {
    throw new UsageError('not-found', 'messages.read', 'There is no such message in this conversation.');
  }
  if (unread === 0) return undefined;
  const target = upTo === undefined ? undefined : store.messages.get(upTo);
  const reached = (message: StoredMessage | undefined) =>
    message !== undefined && (!target || compareHlc(message.hlc, target.hlc) <= 0);
  const { messages, all } = unreadAbove(store, conversation);
  const fresh = messages.filter(reached);
  const late = lateUnread.filter(id => reached(store.messages.get(id)));
  const ids = [...late, ...fresh.map(message => message.id)];
  if (ids.length === 0) return undefined;
  const last = fresh.at(-1);
  const change = {
    readUpTo: last ? { hlc: last.hlc, id: last.id } : readUpTo,
    lateUnread: lateUnread.filter(id => !late.includes(id)),
    // Past the bound the rest counts as read: nobody reads thousands of texts one by one.
    unread: all ? Math.max(0, unread - ids.length) : 0,
  };
  return { ids, change };
}

/** Received texts above `readUpTo`, oldest first; `all` is false when there were more than LIMITS.readAtOnce. */
function unreadAbove(
  store: Store,
  { id, unread, readUpTo }: ConversationRecord,
): { messages: StoredMessage[]; all: boolean } {
  const isAbove = ({ hlc }: StoredMessage) => !readUpTo || compareHlc(hlc, readUpTo.hlc) > 0;
  const isText = ({ outgoing, content }: StoredMessage) => !outgoing && content === undefined;
  for (let limit = Math.min(unread + 8, LIMITS.readAtOnce); ; limit = Math.min(limit * 2, LIMITS.readAtOnce)) {
    const page = store.messages.newest(id, limit);
    const first = page[0];
    const all = page.length < limit || (first !== undefined && !isAbove(first));
    if (all || limit === LIMITS.readAtOnce) {
      return { messages: page.filter(message => isText(message) && isAbove(message)), all };
    }
  }
}

/**
 * What ends with time: own texts that nobody confirmed within an envelope's lifetime and of which no copy is under
 * way are `expired`; an initiation that nobody answered in that time, or that is of tomorrow, is made anew. A text that seems to wait longer
 * than the program can have been away, or to be of tomorrow, was said by a wrong clock or is judged by one: its time
 * begins anew.
 */
export function expireWaiting(turn: Turn): void {
  const { store } = turn.context;
  const { nowMs } = turn;
  const horizon = nowMs - LIMITS.envelopeLifetimeMs;
  let posted: ReadonlySet<MessageId> | undefined;
  for (const id of store.messages.undelivered(turn.conversationId, LIMITS.actorBatch)) {
    const known = turn.stateOf(id);
    if (known?.state !== 'queued') continue;
    if (known.atMs < horizon - LIMITS.believedGapMs || known.atMs > nowMs + LIMITS.clockSkewMs) {
      turn.put(tx => store.messages.setState(tx, id, { ...known, atMs: nowMs }));
      continue;
    }
    if (known.atMs > horizon) continue;
    posted ??= store.outbox.messagesOf(turn.contact.id);
    if (posted.has(id)) continue;
    turn.endMessage(id);
    turn.moveState(id, 'expired', null);
  }
  const { initiation } = turn.contact;
  if (initiation && (initiation.atMs <= horizon || initiation.atMs > nowMs + LIMITS.clockSkewMs)) initiate(turn);
}
