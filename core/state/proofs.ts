import { type IdentityKey, idBytes, type MessageId } from '../base/ids.ts';
import { LABEL } from '../base/labels.ts';
import { signedMessage } from '../crypto/identity.ts';
import type { RowReader, Store } from '../storage/store.ts';
import {
  decodeContent,
  RECEIPT_TYPE,
  type ReceiptContent,
  type ReceiptType,
  receiptStatement,
} from '../wire/content.ts';
import { custodyStatement, decodeCustodyReceipt } from '../wire/custody.ts';

/** What somebody has signed about an own text, in a form that any program that knows Ed25519 can check. */
export interface Proof {
  readonly says: ReceiptType | 'held';
  /** When it was signed; of `held`, until when. By the signer's clock. */
  readonly atMs: number;
  /** Who signed: the recipient, or a custodian. */
  readonly identity: IdentityKey;
  /** The very bytes that the signature covers (docs/protocol/receipts.md §4). */
  readonly statement: Buffer;
  /** 64 bytes */
  readonly signature: Uint8Array;
}

/** The receipt of a contact that is kept under this name. */
export function receiptKept(store: Store, name: MessageId, from?: RowReader): ReceiptContent | undefined {
  for (const type of Object.values(RECEIPT_TYPE)) {
    const kept = store.receipts.get(name, type, from);
    const content = kept && decodeContent(kept);
    if (content?.kind === 'receipt') return content;
  }
  return undefined;
}

/** The recipient's receipt if there is one, then those of custodians; none while the text waits here alone. */
export function proofsOf(store: Store, id: MessageId): Proof[] {
  const proofs = store.placements.listOfMessage(id).map(({ receipt }) => heldProof(receipt));
  const received = receivedProof(store, id);
  return received ? [received, ...proofs] : proofs;
}

function receivedProof(store: Store, id: MessageId): Proof | undefined {
  const name = store.messages.stateOf(id)?.receipt;
  const conversation = store.messages.conversationOf(id);
  const contact = conversation && store.conversations.get(conversation)?.contact;
  const identity = contact && store.contacts.get(contact)?.identity;
  const receipt = name && receiptKept(store, name);
  if (!identity || !receipt) return undefined;
  const { type, atMs, ids, signature } = receipt;
  const body = Buffer.concat([idBytes(conversation), receiptStatement(type, atMs, ids)]);
  return { says: type, atMs, identity, statement: signedMessage(LABEL.receiptSignature, body), signature };
}

function heldProof(bytes: Uint8Array): Proof {
  const receipt = decodeCustodyReceipt(bytes);
  const { heldUntilMs: atMs, custodian: identity, signature } = receipt;
  const statement = signedMessage(LABEL.custodyReceipt, custodyStatement(receipt));
  return { says: 'held', atMs, identity, statement, signature };
}
