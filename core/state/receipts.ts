import { blake2b } from '../base/hash.ts';
import { compareHlc } from '../base/hlc.ts';
import { type ConversationId, idBytes, type MessageId, messageIdFromBytes } from '../base/ids.ts';
import { LABEL } from '../base/labels.ts';
import { LIMITS } from '../base/limits.ts';
import { verifySignature } from '../crypto/identity.ts';
import type { ContactRecord, ConversationRecord, DeliveryState } from '../storage/records.ts';
import type { Store, WriteTx } from '../storage/store.ts';
import {
  decodeContent,
  encodeContent,
  RECEIPT_TYPE,
  type ReceiptContent,
  type ReceiptType,
  receiptStatement,
} from '../wire/content.ts';
import type { Context } from './context.ts';
import { receiptKept } from './proofs.ts';
import { sendControl } from './sending.ts';
import type { Turn } from './turn.ts';

type ReceiptClaim = Pick<ReceiptContent, 'type' | 'atMs' | 'ids'>;

/**
 * Tells the sender, signed, that its texts are stored here for good (or were read). While much waits for it that it does
 * not take, receipts are gathered, so that many texts cost one envelope (`Conversation.mendIfDue` seals it). Past the
 * last bound "delivered" is left out; whoever misses it says its text again. "Read" is said by the person here.
 */
export function sendReceipts(turn: Turn, type: ReceiptType, ids: readonly MessageId[]): void {
  const { context, nowMs, contact, controlsWaiting } = turn;
  if (type === 'delivered' && controlsWaiting >= LIMITS.controlsAtMost) return;
  if (!turn.sessions.live || controlsWaiting >= LIMITS.controlsWaiting) {
    turn.put(tx => gatherReceipts(context, tx, contact, { type, atMs: nowMs, ids }));
    return;
  }
  const receipts = receiptsOf(context, contact.conversation, { type, atMs: nowMs, ids });
  for (const receipt of receipts) sendControl(turn, receipt);
}

/** Texts of the contact that were read, the newest: to be said again where what said so was dropped unsent. */
export function readLately(store: Store, conversation: ConversationRecord): MessageId[] {
  const { readUpTo, lateUnread } = conversation;
  if (!readUpTo) return [];
  return store.messages
    .newest(conversation.id, LIMITS.receiptIds)
    .filter(({ id, outgoing, hlc }) => !outgoing && compareHlc(hlc, readUpTo.hlc) <= 0 && !lateUnread.includes(id))
    .map(({ id }) => id);
}

/** Adds to the receipts that wait unsealed for the contact; what is said there already is not said twice. */
export function gatherReceipts(context: Context, tx: WriteTx, contact: ContactRecord, claim: ReceiptClaim): void {
  const { store, sequence } = context;
  const fresh = new Set(claim.ids);
  let room: { readonly seq: number; readonly ids: readonly MessageId[] } | undefined;
  for (const { seq, content } of store.pending.listOf(contact.id, LIMITS.actorBatch, tx)) {
    const waits = decodeContent(content);
    if (waits.kind !== 'receipt' || waits.type !== claim.type) continue;
    for (const id of waits.ids) fresh.delete(id);
    if (waits.ids.length < LIMITS.receiptIds) room = { seq, ids: waits.ids };
  }
  if (fresh.size === 0) return;
  if (room) store.pending.remove(tx, contact.id, room.seq);
  const ids = [...(room?.ids ?? []), ...fresh];
  for (const receipt of receiptsOf(context, contact.conversation, { ...claim, ids })) {
    store.pending.add(tx, contact.id, sequence.next(), encodeContent(receipt));
  }
}

function receiptsOf({ account }: Context, conversation: ConversationId, { type, atMs, ids }: ReceiptClaim) {
  const receipts: ReceiptContent[] = [];
  for (let start = 0; start < ids.length; start += LIMITS.receiptIds) {
    const part = ids.slice(start, start + LIMITS.receiptIds);
    const statement = signedPart(conversation, receiptStatement(type, atMs, part));
    const signature = account.identity.sign(LABEL.receiptSignature, statement);
    receipts.push({ kind: 'receipt', type, atMs, ids: part, signature });
  }
  return receipts;
}

/** Moves own texts on by a contact's receipt, which is kept as the proof. A bad signature changes nothing. */
export function applyReceipt(turn: Turn, receipt: ReceiptContent): void {
  const { store } = turn.context;
  const statement = signedPart(turn.conversationId, receiptStatement(receipt.type, receipt.atMs, receipt.ids));
  if (!verifySignature(turn.contact.identity, LABEL.receiptSignature, statement, receipt.signature)) return;
  const proof = encodeContent(receipt);
  const proofId = messageIdFromBytes(blake2b(16, proof));
  const former = new Set<MessageId>();
  let moved = false;
  for (const id of receipt.ids) {
    const known = turn.stateOf(id);
    if (!known || !advance(turn, id, known.state, receipt.type, proofId)) continue;
    moved = true;
    if (known.receipt) former.add(known.receipt);
  }
  if (!moved) return;
  turn.put(tx => {
    store.receipts.put(tx, proofId, RECEIPT_TYPE[receipt.type], proof);
    for (const old of former) dropUnused(store, tx, old);
  });
}

function advance(turn: Turn, id: MessageId, from: DeliveryState['state'], to: ReceiptType, proof: MessageId): boolean {
  if (from === 'read' || from === to) return false;
  if (turn.context.store.messages.conversationOf(id) !== turn.conversationId) return false;
  if (from === 'queued') turn.endMessage(id);
  turn.moveState(id, to, proof);
  return true;
}

/** "Read" says more than "delivered": a receipt goes when a later one has taken its place for all its texts. */
function dropUnused(store: Store, tx: WriteTx, id: MessageId): void {
  const proof = receiptKept(store, id, tx);
  if (!proof?.ids.some(text => store.messages.stateOf(text, tx)?.receipt === id)) store.receipts.removeAllOf(tx, id);
}

/** Binds a statement to the conversation it speaks of. */
function signedPart(conversation: ConversationId, statement: Uint8Array): Buffer {
  return Buffer.concat([idBytes(conversation), statement]);
}
