import { UsageError } from '../base/errors.ts';
import { compareHlc } from '../base/hlc.ts';
import type { MessageId } from '../base/ids.ts';
import { LIMITS } from '../base/limits.ts';
import { sendReceipts } from './receipts.ts';
import type { Turn } from './turn.ts';

/**
 * Marks received texts read, up to and with `upTo` (all, when left out), and tells the sender.
 * @throws UsageError `not-found` when `upTo` is not a text of this conversation
 */
export function markRead(turn: Turn, upTo: MessageId | undefined): void {
  const { store } = turn.context;
  const { unread, readUpTo } = turn.conversation;
  if (unread === 0) return;
  const target = upTo === undefined ? undefined : store.messages.get(upTo);
  if (upTo !== undefined && store.messages.conversationOf(upTo) !== turn.conversationId) {
    throw new UsageError('not-found', 'messages.read', 'There is no such message in this conversation.');
  }
  const fresh = store.messages
    .newest(turn.conversationId, LIMITS.readAtOnce)
    .filter(message => !readUpTo || compareHlc(message.hlc, readUpTo.hlc) > 0)
    .filter(message => !target || compareHlc(message.hlc, target.hlc) <= 0);
  const last = fresh.at(-1);
  if (!last) return;
  const received = fresh.filter(message => !message.outgoing).map(message => message.id);
  sendReceipts(turn, 'read', received);
  turn.changeConversation({
    readUpTo: { hlc: last.hlc, id: last.id },
    unread: target ? Math.max(0, unread - received.length) : 0,
  });
  turn.event({ type: 'conversation-read', conversation: turn.conversationId });
}

/**
 * Own texts that nobody confirmed within an envelope's lifetime are `expired`: no copy of them is under way. One that
 * seems to wait longer than the program can have been away, or to be of tomorrow, was said by a wrong clock or is
 * judged by one: its time begins anew.
 */
export function expireWaiting(turn: Turn): void {
  const { store } = turn.context;
  const horizon = turn.nowMs - LIMITS.envelopeLifetimeMs;
  const { nowMs, conversationId: conversation } = turn;
  for (const id of store.messages.undelivered(conversation, LIMITS.actorBatch)) {
    const known = store.messages.stateOf(id);
    if (known?.state !== 'queued') continue;
    if (known.atMs < horizon - LIMITS.believedGapMs || known.atMs > nowMs + LIMITS.clockSkewMs) {
      turn.put(tx => store.messages.setState(tx, id, { ...known, atMs: nowMs }));
      continue;
    }
    if (known.atMs > horizon) continue;
    turn.endMessage(id);
    turn.put(tx => store.messages.setState(tx, id, { state: 'expired', atMs: nowMs, receipt: null }));
    turn.event({ type: 'message-state', id, conversation, state: 'expired', atMs: nowMs });
  }
}
