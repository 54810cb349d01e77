import { hex } from '../base/bytes.ts';
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
  /** When its recipient stops asking for its tag; undefined for a tag of nobody known. */
  readonly askedUntilMs?: number | undefined;
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
  /** It takes envelopes of this kind from this depositor at all. */
  readonly holds: boolean;
  readonly totalBytes: number;
  /** What this depositor has here; of one that is no contact, what all such have together. */
  readonly depositorBytes: number;
  /** Envelopes in the box. */
  readonly boxCount: number;
  /** The box by age, oldest first; read only as far as needed. */
  readonly box: Iterable<HeldEnvelope>;
  /** Of the box, what this depositor brought. */
  readonly part: Iterable<HeldEnvelope>;
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
  const lifeMs = holdingTimeMs(deposit.expiresAtHours, wallMs);
  const holdMs = lifeMs && Math.min(lifeMs, (deposit.askedUntilMs ?? Number.POSITIVE_INFINITY) - wallMs);
  if (holdMs === null) return { kind: 'refuse', why: 'expired' };
  const evict = makeRoom(deposit, room);
  return evict ? { kind: 'take', holdMs, evict } : { kind: 'refuse', why: 'full' };
}

/** Reads no further than it must: a full box costs one row, not a thousand. */
function makeRoom(deposit: Deposit, room: Room): EnvelopeId[] | undefined {
  const stranger = deposit.depositor === null;
  const partLimit = stranger ? LIMITS.mailboxStrangerBytes : LIMITS.mailboxDepositorBytes;
  let overPart = room.depositorBytes + deposit.bytes - partLimit;
  let overTotal = room.totalBytes + deposit.bytes - LIMITS.mailboxBytes;
  let overCount = room.boxCount + 1 - LIMITS.mailboxPerRecipient;
  const evict = new Map<string, EnvelopeId>();
  const give = (old: HeldEnvelope): void => {
    evict.set(hex(old.envelopeId), old.envelopeId);
    if (old.depositor === deposit.depositor) overPart -= old.bytes;
    overTotal -= old.bytes;
    overCount -= 1;
  };
  if (overPart > 0) {
    for (const old of room.part) {
      give(old);
      if (overPart <= 0) break;
    }
    if (overPart > 0) return undefined;
  }
  if (overTotal > 0 || overCount > 0) {
    for (const old of stranger ? room.part : room.box) {
      if (!evict.has(hex(old.envelopeId))) give(old);
      if (overTotal <= 0 && overCount <= 0) break;
    }
  }
  return overTotal <= 0 && overCount <= 0 ? [...evict.values()] : undefined;
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
