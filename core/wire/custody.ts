import { concat } from '../base/bytes.ts';
import { DecodeError } from '../base/errors.ts';
import { type EnvelopeId, type IdentityKey, PUBLIC_KEY_BYTES, parseEnvelopeId, parseIdentityKey } from '../base/ids.ts';
import { LIMITS } from '../base/limits.ts';
import { decodeCbor, encodeCbor, Shape } from './cbor.ts';
import { decodeIdList } from './id-list.ts';

/**
 * Frames of `/molva/custody/1` (docs/protocol/mailbox.md §3): a kind byte and a body. The depositor opens the stream.
 *
 *   depositor -> custodian   deposit, check, release
 *   custodian -> depositor   held, taken, refused, gone
 */
export type CustodyFrame =
  /** Please hold this. Answered by `held` or `refused`, to who is no contact by `taken` or `refused`. */
  | { readonly kind: 'deposit'; readonly envelope: Uint8Array }
  /** Are these still held? Answered by `gone` with those that are not; silence for the others. For contacts. */
  | { readonly kind: 'check'; readonly ids: readonly EnvelopeId[] }
  /** No longer needed: obeyed for what this contact brought and nobody else was promised. Not answered. */
  | { readonly kind: 'release'; readonly ids: readonly EnvelopeId[] }
  /** An encoded CustodyReceipt. */
  | { readonly kind: 'held'; readonly receipt: Uint8Array }
  | { readonly kind: 'refused'; readonly ids: readonly EnvelopeId[] }
  | { readonly kind: 'gone'; readonly ids: readonly EnvelopeId[] }
  /** Held for now, without a promise or a name. */
  | { readonly kind: 'taken'; readonly ids: readonly EnvelopeId[] };

/** "I hold this until then, or until its recipient has stored it", signed (docs/protocol/receipts.md §2). */
export interface CustodyReceipt {
  readonly envelopeId: EnvelopeId;
  readonly heldUntilMs: number;
  readonly custodian: IdentityKey;
  /** Ed25519 of the custodian over custodyStatement, label custodyReceipt. */
  readonly signature: Uint8Array;
}

export const CUSTODY_PROTOCOL = '/molva/custody/1';
const KIND = { deposit: 1, check: 2, release: 3, held: 4, refused: 5, gone: 6, taken: 7 } as const;
const RECEIPT_VERSION = 1;
const RECEIPT_BYTES = 192;
const SIGNATURE_BYTES = 64;
const MAX_MS = 2 ** 48 - 1;
const shape = new Shape('custody-receipt');

export function encodeCustody(frame: CustodyFrame): Buffer {
  const kind = Uint8Array.of(KIND[frame.kind]);
  switch (frame.kind) {
    case 'deposit':
      return concat(kind, frame.envelope);
    case 'held':
      return concat(kind, frame.receipt);
    default:
      return concat(kind, ...frame.ids);
  }
}

/** The envelope and the receipt inside are not looked at. @throws DecodeError unknown kind or broken length */
export function decodeCustody(bytes: Uint8Array): CustodyFrame {
  const body = bytes.subarray(1);
  switch (bytes[0]) {
    case KIND.deposit:
      return { kind: 'deposit', envelope: upTo(body, LIMITS.envelopeBytes) };
    case KIND.held:
      return { kind: 'held', receipt: upTo(body, RECEIPT_BYTES) };
    case KIND.check:
      return { kind: 'check', ids: idsOf(body) };
    case KIND.release:
      return { kind: 'release', ids: idsOf(body) };
    case KIND.refused:
      return { kind: 'refused', ids: idsOf(body) };
    case KIND.gone:
      return { kind: 'gone', ids: idsOf(body) };
    case KIND.taken:
      return { kind: 'taken', ids: idsOf(body) };
    default:
      throw new DecodeError('custody');
  }
}

/** The bytes a custody receipt's signature covers, behind its label. */
export function custodyStatement(receipt: Omit<CustodyReceipt, 'signature'>): Buffer {
  return encodeCbor([RECEIPT_VERSION, receipt.envelopeId, receipt.heldUntilMs, receipt.custodian]);
}

export function encodeCustodyReceipt(receipt: CustodyReceipt): Buffer {
  const { envelopeId, heldUntilMs, custodian, signature } = receipt;
  return encodeCbor([RECEIPT_VERSION, envelopeId, heldUntilMs, custodian, signature]);
}

/** Checks the form only (openCustodyReceipt checks the signature). @throws DecodeError any other form */
export function decodeCustodyReceipt(bytes: Uint8Array): CustodyReceipt {
  const f = shape.tuple(decodeCbor(bytes, RECEIPT_BYTES, 'custody-receipt'), 5);
  shape.constant(f[0], RECEIPT_VERSION);
  return {
    envelopeId: parseEnvelopeId(shape.bytes(f[1], 32)),
    heldUntilMs: shape.uint(f[2], MAX_MS),
    custodian: parseIdentityKey(shape.bytes(f[3], PUBLIC_KEY_BYTES)),
    signature: shape.bytes(f[4], SIGNATURE_BYTES),
  };
}

function idsOf(body: Uint8Array): EnvelopeId[] {
  return decodeIdList(body, 1, LIMITS.custodyIds, 'custody');
}

function upTo(body: Uint8Array, max: number): Uint8Array {
  if (body.length === 0 || body.length > max) throw new DecodeError('custody');
  return body;
}
