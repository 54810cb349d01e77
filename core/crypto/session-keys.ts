import { concat, utf8, wipe } from '../base/bytes.ts';
import { DecodeError } from '../base/errors.ts';
import { blake2b, deriveKey } from '../base/hash.ts';
import { LABEL } from '../base/labels.ts';
import type { HandshakeState } from './noise/symmetric-state.ts';
import type { Ratchet, RatchetSeed } from './ratchet/ratchet.ts';

export const SESSION_ID_BYTES = 16;

/** A session both sides have. The owner stores `ratchet` and `verificationKey`, then wipes both. */
export interface NewSession {
  /** 16 bytes, the same on both sides. */
  readonly sessionId: Buffer;
  readonly ratchet: Ratchet;
  /** 32 bytes, the same on both sides: the key of the one-time code. */
  readonly verificationKey: Buffer;
  /** The cards this session was made with, as the handshake bound them; each side's `own` is the other's `peer`. */
  readonly ownCardHash: Buffer;
  readonly peerCardHash: Buffer;
}

export interface SessionKeys {
  readonly sessionId: Buffer;
  readonly verificationKey: Buffer;
  readonly seed: RatchetSeed;
}

/** The key schedule after message 2 (docs/protocol/session.md §5). All but `sessionId` is the caller's to wipe. */
export function deriveSessionKeys(finished: HandshakeState): SessionKeys {
  const derive = (label: string, length = 32): Buffer => deriveKey(finished.chainingKey, label, length, finished.hash);
  return {
    sessionId: derive(LABEL.sessionId, SESSION_ID_BYTES),
    verificationKey: derive(LABEL.sessionVerification),
    seed: {
      rootKey: derive(LABEL.sessionRoot),
      responderHeaderKey: derive(LABEL.sessionResponderHeader),
      initiatorHeaderKey: derive(LABEL.sessionInitiatorHeader),
      associatedData: blake2b(32, utf8(LABEL.sessionAssociatedData), finished.hash),
    },
  };
}

export function wipeSeed(seed: RatchetSeed): void {
  wipe(seed.rootKey, seed.responderHeaderKey, seed.initiatorHeaderKey);
}

/** What the initiator keeps sealed until the response comes. */
export interface PendingInitiation {
  readonly initiationId: Buffer;
  readonly ownCardHash: Buffer;
  readonly peerCardHash: Buffer;
  readonly handshake: HandshakeState;
  readonly ephemeralSecret: Buffer;
  readonly ratchetSecret: Buffer;
}

const PENDING_VERSION = 1;
const HASH_BYTES = 32;
/** Version 1, initiation id 16, own and peer card hash 32 each, chaining key 32, hash 32, ephemeral 32, ratchet 32. */
const PENDING_BYTES = 1 + 16 + 6 * HASH_BYTES;

export function encodePending(pending: PendingInitiation): Buffer {
  const { initiationId, ownCardHash, peerCardHash, handshake, ephemeralSecret, ratchetSecret } = pending;
  const out = Buffer.allocUnsafeSlow(PENDING_BYTES);
  out[0] = PENDING_VERSION;
  let offset = 1;
  for (const part of [
    initiationId,
    ownCardHash,
    peerCardHash,
    handshake.chainingKey,
    handshake.hash,
    ephemeralSecret,
    ratchetSecret,
  ]) {
    out.set(part, offset);
    offset += part.length;
  }
  return out;
}

/** Copies; the caller wipes with `wipePending`. @throws DecodeError not a pending state of this version */
export function decodePending(bytes: Uint8Array): PendingInitiation {
  if (bytes.length !== PENDING_BYTES || bytes[0] !== PENDING_VERSION) throw new DecodeError('session.pending');
  let offset = 1;
  const take = (length: number): Buffer => {
    offset += length;
    return concat(bytes.subarray(offset - length, offset));
  };
  return {
    initiationId: take(16),
    ownCardHash: take(HASH_BYTES),
    peerCardHash: take(HASH_BYTES),
    handshake: { chainingKey: take(HASH_BYTES), hash: take(HASH_BYTES) },
    ephemeralSecret: take(HASH_BYTES),
    ratchetSecret: take(HASH_BYTES),
  };
}

export function wipePending(pending: PendingInitiation): void {
  wipe(pending.handshake.chainingKey, pending.ephemeralSecret, pending.ratchetSecret);
}
