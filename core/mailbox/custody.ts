import type { ContactId, EnvelopeId, IdentityKey } from '../base/ids.ts';
import { LABEL } from '../base/labels.ts';
import { LIMITS } from '../base/limits.ts';
import { type IdentitySecrets, verifySignature } from '../crypto/identity.ts';
import { type CustodyReceipt, custodyStatement, decodeCustodyReceipt } from '../wire/custody.ts';
import { holdingTimeMs } from './expiry.ts';

/** What a custodian is asked to hold. */
export interface Deposit {
  /** Whole envelope. */
  readonly bytes: number;
  readonly expiresAtHours: number;
  /** The contact that deposits; null: someone who is none. */
  readonly depositor: ContactId | null;
}

export interface HeldEnvelope {
  readonly envelopeId: EnvelopeId;
  readonly depositor: ContactId | null;
  readonly bytes: number;
}

/**
 * How full the custody is, as this deposit sees it. Its box is its recipient's: everything under the tags of the contact
 * whose mailbox key made the tag, or, for a tag nobody here knows, what is under that one tag.
 */
export interface Room {
  readonly holds: boolean;
  readonly totalBytes: number;
  /** What this depositor has here; of one that is no contact, what all such have together. */
  readonly depositorBytes: number;
  /** Envelopes in the box. */
  readonly boxCount: number;
  /** The box by age, oldest first; read only as far as needed. */
  readonly box: Iterable<HeldEnvelope>;
}

export type Admission =
  | { readonly kind: 'take'; readonly holdMs: number; readonly evict: readonly EnvelopeId[] }
  /** The depositor is told no more than that. */
  | { readonly kind: 'refuse'; readonly why: 'not-holding' | 'expired' | 'full' };

/**
 * Decides on a deposit that is not held yet. What must make room is the oldest of the same box and nothing else; a
 * depositor who is no contact displaces only what such people have deposited.
 */
export function admit(deposit: Deposit, room: Room, wallMs: number): Admission {
  if (!room.holds) return { kind: 'refuse', why: 'not-holding' };
  const holdMs = holdingTimeMs(deposit.expiresAtHours, wallMs);
  if (holdMs === null) return { kind: 'refuse', why: 'expired' };
  const evict = makeRoom(deposit, room);
  return evict ? { kind: 'take', holdMs, evict } : { kind: 'refuse', why: 'full' };
}

function makeRoom(deposit: Deposit, room: Room): EnvelopeId[] | undefined {
  const stranger = deposit.depositor === null;
  const partLimit = stranger ? LIMITS.mailboxStrangerBytes : LIMITS.mailboxDepositorBytes;
  let overPart = room.depositorBytes + deposit.bytes - partLimit;
  let overTotal = room.totalBytes + deposit.bytes - LIMITS.mailboxBytes;
  let overCount = room.boxCount + 1 - LIMITS.mailboxPerRecipient;
  const evict = new Set<EnvelopeId>();
  if (overPart <= 0 && overTotal <= 0 && overCount <= 0) return [];
  const give = (old: HeldEnvelope, samePart: boolean): void => {
    evict.add(old.envelopeId);
    if (samePart) overPart -= old.bytes;
    overTotal -= old.bytes;
    overCount -= 1;
  };
  const box = [...room.box].map(old => ({ old, samePart: old.depositor === deposit.depositor }));
  for (const { old, samePart } of box) if (overPart > 0 && samePart) give(old, samePart);
  for (const { old, samePart } of box) {
    if (overTotal <= 0 && overCount <= 0) break;
    if (!evict.has(old.envelopeId) && (samePart || !stranger)) give(old, samePart);
  }
  return overPart <= 0 && overTotal <= 0 && overCount <= 0 ? [...evict] : undefined;
}

/** The signed promise to hold an envelope; `heldUntilMs` by the custodian's clock. */
export function signCustodyReceipt(
  identity: IdentitySecrets,
  envelopeId: EnvelopeId,
  heldUntilMs: number,
): CustodyReceipt {
  const claim = { envelopeId, heldUntilMs, custodian: identity.public.identity };
  return { ...claim, signature: identity.sign(LABEL.custodyReceipt, custodyStatement(claim)) };
}

/**
 * A receipt that may be kept as the proof that `custodian` holds the envelope it names.
 * @returns undefined: another signer or signature, or a time that cannot be (its clock or ours is wrong)
 * @throws DecodeError any other form
 */
export function openCustodyReceipt(
  bytes: Uint8Array,
  custodian: IdentityKey,
  nowMs: number,
): CustodyReceipt | undefined {
  const receipt = decodeCustodyReceipt(bytes);
  const latestMs = nowMs + LIMITS.envelopeLifetimeMs + LIMITS.clockSkewMs;
  const ours = Buffer.compare(receipt.custodian, custodian) === 0;
  if (!ours || receipt.heldUntilMs <= nowMs || receipt.heldUntilMs > latestMs) return undefined;
  const valid = verifySignature(custodian, LABEL.custodyReceipt, custodyStatement(receipt), receipt.signature);
  return valid ? receipt : undefined;
}
