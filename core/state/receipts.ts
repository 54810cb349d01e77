import { blake2b } from '../base/hash.ts';
import { idBytes, type MessageId, messageIdFromBytes } from '../base/ids.ts';
import { LABEL } from '../base/labels.ts';
import { LIMITS } from '../base/limits.ts';
import { verifySignature } from '../crypto/identity.ts';
import type { DeliveryState } from '../storage/records.ts';
import type { Store, WriteTx } from '../storage/store.ts';
import {
  encodeContent,
  RECEIPT_TYPE,
  type ReceiptContent,
  type ReceiptType,
  receiptStatement,
} from '../wire/content.ts';
import { receiptKept } from './proofs.ts';
import { sendControl } from './sending.ts';
import type { Turn } from './turn.ts';

/** Tells the sender, signed, that its texts are stored here for good (or were read). */
export function sendReceipts(turn: Turn, type: ReceiptType, ids: readonly MessageId[]): void {
  for (let start = 0; start < ids.length; start += LIMITS.receiptIds) {
    const part = ids.slice(start, start + LIMITS.receiptIds);
    const statement = signedPart(turn, receiptStatement(type, turn.nowMs, part));
    const signature = turn.context.account.identity.sign(LABEL.receiptSignature, statement);
    sendControl(turn, { kind: 'receipt', type, atMs: turn.nowMs, ids: part, signature });
  }
}

/** Moves own texts on by a contact's receipt, which is kept as the proof. A bad signature changes nothing. */
export function applyReceipt(turn: Turn, receipt: ReceiptContent): void {
  const { store } = turn.context;
  const statement = signedPart(turn, receiptStatement(receipt.type, receipt.atMs, receipt.ids));
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
function signedPart(turn: Turn, statement: Uint8Array): Buffer {
  return Buffer.concat([idBytes(turn.conversationId), statement]);
}
