import { wipe } from '../base/bytes.ts';
import { AuthError, DecodeError, UsageError } from '../base/errors.ts';
import { compareHlc, type HlcTime } from '../base/hlc.ts';
import { type EnvelopeId, type MessageId, messageIdOf } from '../base/ids.ts';
import { LIMITS } from '../base/limits.ts';
import { openCard } from '../crypto/card.ts';
import type { StoredMessage } from '../storage/records.ts';
import {
  type Content,
  decodeContent,
  type GroupContent,
  type KeyPackagesContent,
  type TextContent,
} from '../wire/content.ts';
import { decodeStamp, STAMP_BYTES } from '../wire/stamp.ts';
import { giveAgain } from './again.ts';
import { applyCard } from './cards.ts';
import { answerMissing } from './gaps.ts';
import { withUnread } from './reading.ts';
import { applyReceipt } from './receipts.ts';
import type { Turn } from './turn.ts';
import { receiveVerification } from './verifying.ts';

/** An envelope that was opened as far as its kind and body. */
export interface Opened {
  readonly envelopeId: EnvelopeId;
  readonly expiresAtMs: number;
  readonly body: Uint8Array;
}

/**
 * Opens a ratchet message of this contact and does what it says, once.
 * @returns whether a session with this contact made the message
 */
export function receiveRatchet(turn: Turn, opened: Opened): boolean {
  if (turn.hasSeen(opened.envelopeId)) return true;
  const plaintext = decryptOnce(turn, opened.body);
  if (plaintext === undefined) return false;
  turn.markSeen(opened);
  seeStamp(turn, plaintext.subarray(0, STAMP_BYTES));
  receiveContent(turn, plaintext.subarray(STAMP_BYTES));
  return true;
}

/** A stamp of another form is its maker's loss: it only serves to tell the maker how far it has come. */
function seeStamp(turn: Turn, bytes: Uint8Array): void {
  try {
    turn.see(decodeStamp(bytes));
  } catch (error) {
    if (!isFaultOfTheBytes(error)) throw error;
  }
}

/** Does what a content says. What cannot be read is dropped: its sender is the one who made it so. */
export function receiveContent(turn: Turn, bytes: Buffer): void {
  try {
    const content = decodeContent(bytes);
    if (content.kind === 'text') receiveText(turn, content, bytes);
    else receiveControl(turn, content);
  } catch (error) {
    if (!isFaultOfTheBytes(error)) throw error;
  } finally {
    wipe(bytes);
  }
}

/** Anything else, a failing disk say, must not cost the message: the turn fails, and nothing of it has happened. */
function isFaultOfTheBytes(error: unknown): boolean {
  return error instanceof DecodeError || error instanceof AuthError || error instanceof UsageError;
}

function receiveControl(turn: Turn, content: Exclude<Content, TextContent>): void {
  switch (content.kind) {
    case 'receipt':
      applyReceipt(turn, content);
      break;
    case 'card':
      applyCard(turn, openCard(content.card), content.card);
      break;
    case 'verification':
      receiveVerification(turn, content.body);
      break;
    case 'missing':
      answerMissing(turn, content);
      break;
    case 'again':
      giveAgain(turn, content);
      break;
    case 'key-packages':
      keepKeyPackages(turn, content);
      break;
    case 'group':
      putIntoGroupInbox(turn, content);
      break;
    // Between two, receipts say it.
    case 'have':
  }
}

/** They are looked at when they are used: until then they are the contact's word. */
function keepKeyPackages(turn: Turn, { oneTime, lastResort }: KeyPackagesContent): void {
  const { peerKeyPackages } = turn.context.store;
  // From now on it can be added to groups.
  if (!peerKeyPackages.get(turn.contact.id)) turn.event({ type: 'contact-changed', id: turn.contact.id });
  turn.put(tx => peerKeyPackages.put(tx, { contact: turn.contact.id, oneTime, lastResort }));
}

/** The group takes it in a turn of its own; until then it is kept here. */
function putIntoGroupInbox(turn: Turn, { group, parcel }: GroupContent): void {
  if (turn.contact.phase !== 'accepted') return;
  const { store, sequence, groupMail } = turn.context;
  const expiresAtMs = turn.nowMs + LIMITS.envelopeLifetimeMs;
  const record = { group, from: turn.contact.id, layer: null, seq: sequence.next(), expiresAtMs, parcel };
  turn.put(tx => {
    // What was deleted does not come back by what is still on its way.
    if (parcel.what !== 'welcome' && store.deletedGroups.has(group, tx)) return;
    store.groupInbox.put(tx, record);
  });
  turn.after(() => groupMail(group));
}

function receiveText(turn: Turn, content: TextContent, bytes: Buffer): void {
  const { store } = turn.context;
  const id = messageIdOf(turn.conversationId, turn.contact.identity, bytes);
  if (!turn.added.has(id) && !store.messages.has(id)) addText(turn, id, content);
  turn.toAcknowledge.push(id);
}

/**
 * Texts of equal time are put in order by gathering them all: a contact that says any number at once is not heard.
 * @throws DecodeError
 */
function checkEqualTimes(turn: Turn, hlc: HlcTime): void {
  // The usual case: later than all there is.
  if (compareHlc(hlc, turn.time) > 0) return;
  const added = [...turn.added.values()].filter(time => compareHlc(time, hlc) === 0).length;
  const stored = turn.context.store.messages.countAt(turn.conversationId, hlc, LIMITS.equalTimes);
  if (stored + added >= LIMITS.equalTimes) throw new DecodeError('text.time');
}

function addText(turn: Turn, id: MessageId, { hlc, parents, text }: TextContent): void {
  const { store } = turn.context;
  checkEqualTimes(turn, hlc);
  turn.seeTime(hlc);
  let message: StoredMessage = {
    id,
    sender: turn.contact.id,
    hlc,
    outgoing: false,
    parents,
    text,
    receivedAtMs: turn.nowMs,
    late: false,
  };
  turn.put(tx => {
    message = store.messages.put(tx, turn.conversationId, message) ?? message;
  });
  turn.added.set(id, hlc);
  turn.advanceHeads(id, parents);
  turn.changeConversation(withUnread(turn.conversation, id, hlc));
  const { contact } = turn;
  turn.event(() => ({ type: 'message-received', message, contact, group: null }));
}

/** The plaintext, or undefined when no session opens the message: it may be another contact's. */
function decryptOnce(turn: Turn, body: Uint8Array): Buffer | undefined {
  try {
    return turn.sessions.decrypt(body, turn.context.random);
  } catch (error) {
    // Damaged, too far ahead, or its key was given up: not acknowledged, so that a fresh session carries it again.
    if (error instanceof AuthError) return undefined;
    throw error;
  }
}
