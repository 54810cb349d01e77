import { concat, wipe } from '../base/bytes.ts';
import { UsageError } from '../base/errors.ts';
import { type MessageId, messageIdOf } from '../base/ids.ts';
import { LIMITS } from '../base/limits.ts';
import type { ContactRecord, StoredMessage } from '../storage/records.ts';
import { type Content, encodeContent } from '../wire/content.ts';
import type { Turn } from './turn.ts';

export interface SentText {
  readonly message: StoredMessage;
  readonly contact: ContactRecord;
}

/**
 * Stores an own text and, when there is a session, seals it for the contact in the same turn.
 * Without a session it waits as `queued` and is sealed by `sealWaiting` once there is one.
 * @throws UsageError `limit-reached` when LIMITS.outboxPerContact texts wait already
 */
export function sendText(turn: Turn, text: string): SentText {
  const { contact } = turn;
  const { account, store } = turn.context;
  if (turn.waiting >= LIMITS.outboxPerContact) {
    const message = 'Too many messages wait for this contact. They are sent when the contact is back.';
    throw new UsageError('limit-reached', 'messages.send', message);
  }
  const parents = turn.heads;
  const hlc = turn.nextTime();
  const content = encodeContent({ kind: 'text', hlc, parents, text });
  const id = messageIdOf(turn.conversationId, account.public.identity, content);
  const message = { id, sender: account.id, hlc, outgoing: true, parents, text, receivedAtMs: turn.nowMs, late: false };
  turn.put(tx => {
    store.messages.put(tx, turn.conversationId, message);
    store.messages.setState(tx, id, { state: 'queued', atMs: turn.nowMs, receipt: null });
  });
  turn.waiting += 1;
  turn.added.set(id, hlc);
  turn.advanceHeads(id, parents);
  sealContent(turn, content, id);
  turn.event({ type: 'message-sent', message, contact, group: null });
  return { message, contact };
}

/**
 * Sends the text of an expired message anew, below what was said since. The expired one stays: if it came after all,
 * that it was said twice is no lie.
 * @throws UsageError `refused` the message is no own one that has expired
 */
export function sendAgain(turn: Turn, id: MessageId): SentText {
  const { messages } = turn.context.store;
  const expired = messages.get(id);
  if (!expired || turn.stateOf(id)?.state !== 'expired') {
    throw new UsageError('refused', 'messages.sendAgain', 'Only a message that has expired can be sent again.');
  }
  return sendText(turn, expired.text);
}

/** Sends what is not a text; it waits in the store while there is no session. */
export function sendControl(turn: Turn, content: Exclude<Content, { kind: 'text' }>): void {
  const bytes = encodeContent(content);
  if (sealContent(turn, bytes, null) > 0) return;
  const { store, sequence } = turn.context;
  const seq = sequence.next();
  turn.put(tx => store.pending.add(tx, turn.contact.id, seq, bytes));
}

/** Where `sealWaiting` goes on. */
export interface SealFrom {
  /** Texts later than this one; undefined: from the beginning. */
  readonly after: MessageId | undefined;
  /** Leave out texts that have an envelope in the outbox already. */
  readonly unposted: boolean;
}

/**
 * Seals under the live session a part of what waited for one or was never confirmed: control contents first, then
 * texts, oldest first.
 * @returns where to go on, or undefined when all is sealed
 */
export function sealWaiting(turn: Turn, from: SealFrom): SealFrom | undefined {
  const { store } = turn.context;
  if (!turn.sessions.live) return undefined;
  const controls = store.pending.listOf(turn.contact.id, LIMITS.actorBatch);
  for (const { seq, content } of controls) {
    sealContent(turn, Buffer.from(content), null);
    turn.put(tx => store.pending.remove(tx, turn.contact.id, seq));
  }
  if (controls.length === LIMITS.actorBatch) return from;
  const ids = store.messages.undelivered(turn.conversationId, LIMITS.actorBatch, from.after);
  const posted = from.unposted && ids.length > 0 ? store.outbox.messagesOf(turn.contact.id) : undefined;
  for (const id of ids) {
    const content = posted?.has(id) ? undefined : textContentOf(turn, id);
    if (content) sealContent(turn, content, id);
  }
  return ids.length === LIMITS.actorBatch ? { ...from, after: ids.at(-1) } : undefined;
}

/** What waits, for sending along with a handshake; it goes on waiting. */
export function waitingContents(turn: Turn): Buffer[] {
  const { store } = turn.context;
  const controls = store.pending.listOf(turn.contact.id, LIMITS.actorBatch).map(({ content }) => Buffer.from(content));
  const texts = store.messages
    .undelivered(turn.conversationId, LIMITS.actorBatch)
    .map(id => textContentOf(turn, id))
    .filter(content => content !== undefined);
  return [...controls, ...texts];
}

/** A text is named by its bytes: one that does not encode to them any more must not go out under another name. */
function textContentOf(turn: Turn, id: MessageId): Buffer | undefined {
  const { store, account } = turn.context;
  const message = store.messages.get(id);
  if (!message) return undefined;
  const { hlc, parents, text } = message;
  const content = encodeContent({ kind: 'text', hlc, parents, text });
  return messageIdOf(turn.conversationId, account.public.identity, content) === id ? content : undefined;
}

/** Seals a text that was sent before, whatever became of it, under the live session. @returns bytes of the envelope */
export function sealAgain(turn: Turn, message: StoredMessage): number {
  const content = textContentOf(turn, message.id);
  const waits = turn.stateOf(message.id)?.state === 'queued';
  // What was delivered once must not look as if it waited again.
  return content ? sealContent(turn, content, waits ? message.id : null) : 0;
}

/** @returns bytes of the envelope; 0: there is no session to seal it under */
function sealContent(turn: Turn, content: Buffer, id: MessageId | null): number {
  if (!turn.sessions.live) return 0;
  const plaintext = concat(turn.stamp(), content);
  const sealed = turn.sessions.encrypt(plaintext, turn.context.random);
  wipe(plaintext);
  if (!sealed) return 0;
  const bytes = turn.post('ratchet', sealed, id);
  wipe(content);
  return bytes;
}
