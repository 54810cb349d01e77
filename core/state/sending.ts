import { wipe } from '../base/bytes.ts';
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
  turn.added.add(id);
  turn.advanceHeads(id, parents);
  sealContent(turn, content, id);
  turn.event({ type: 'message-sent', message, contact });
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
  if (!expired || messages.stateOf(id)?.state !== 'expired') {
    throw new UsageError('refused', 'messages.sendAgain', 'Only a message that has expired can be sent again.');
  }
  return sendText(turn, expired.text);
}

/** Sends what is not a text; it waits in the store while there is no session. */
export function sendControl(turn: Turn, content: Exclude<Content, { kind: 'text' }>): void {
  const bytes = encodeContent(content);
  if (sealContent(turn, bytes, null)) return;
  const { store, time } = turn.context;
  const seq = time.nextSequence();
  turn.put(tx => store.pending.add(tx, turn.contact.id, seq, bytes));
}

export interface WaitingContent {
  readonly content: Buffer;
  /** The text it is, or null for a control content, which then has a `seq`. */
  readonly id: MessageId | null;
  readonly seq: number;
}

/** What waits for a session or was never confirmed: control contents first, then texts, oldest first. */
export function waitingContents(turn: Turn, limit: number, after?: MessageId): WaitingContent[] {
  const { store } = turn.context;
  const controls = after ? [] : store.pending.listOf(turn.contact.id, limit);
  const waiting: WaitingContent[] = controls.map(({ seq, content }) => ({
    content: Buffer.from(content),
    id: null,
    seq,
  }));
  for (const id of store.messages.undelivered(turn.conversationId, limit, after)) {
    const message = store.messages.get(id);
    if (!message) continue;
    const content = contentOf(turn, message);
    if (content) waiting.push({ content, id, seq: 0 });
  }
  return waiting;
}

/**
 * Seals a part of what waited, under the live session.
 * @param unposted leave out texts that have an envelope in the outbox already
 * @returns the text to go on after, or undefined when all is sealed
 */
export function sealWaiting(turn: Turn, after: MessageId | undefined, unposted: boolean): MessageId | undefined {
  const { store } = turn.context;
  if (!turn.sessions.live) return undefined;
  const waiting = waitingContents(turn, LIMITS.actorBatch, after);
  const posted = unposted && waiting.length > 0 ? store.outbox.messagesOf(turn.contact.id) : undefined;
  for (const { content, id, seq } of waiting) {
    if (id !== null && posted?.has(id)) continue;
    sealContent(turn, content, id);
    if (id === null) turn.put(tx => store.pending.remove(tx, turn.contact.id, seq));
  }
  return waiting.length >= LIMITS.actorBatch ? (waiting.at(-1)?.id ?? undefined) : undefined;
}

/** Seals a text that was sent before, whatever became of it, under the live session. */
export function sealAgain(turn: Turn, message: StoredMessage): void {
  const content = contentOf(turn, message);
  const waits = turn.context.store.messages.stateOf(message.id)?.state === 'queued';
  // What was delivered once must not look as if it waited again.
  if (content) sealContent(turn, content, waits ? message.id : null);
}

/** A text is named by its bytes: one that no longer encodes to them must not go out under another name. */
function contentOf(turn: Turn, { id, hlc, parents, text }: StoredMessage): Buffer | undefined {
  const content = encodeContent({ kind: 'text', hlc, parents, text });
  return messageIdOf(turn.conversationId, turn.context.account.public.identity, content) === id ? content : undefined;
}

function sealContent(turn: Turn, content: Buffer, id: MessageId | null): boolean {
  const sealed = turn.sessions.encrypt(content, turn.context.random);
  if (!sealed) return false;
  turn.post('ratchet', sealed, id);
  wipe(content);
  return true;
}
