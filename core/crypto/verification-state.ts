import { LIMITS } from '../base/limits.ts';
import { type Cbor, decodeCbor, encodeCbor, Shape } from '../wire/cbor.ts';
import { CEREMONY_ID_BYTES, COMMITMENT_BYTES, VERIFICATION_NONCE_BYTES } from '../wire/verification.ts';
import { SESSION_ID_BYTES } from './session-keys.ts';

export type CeremonyRole = 'shower' | 'typer';

/**
 * What is known, by name. `committed`: both or one commitment is out and no nonce of the other's is known. `ready`:
 * both nonces are, so the code is. `matched`: the typer reports a match, which the shower's person still has to
 * confirm. `verified`, `burnt`, `expired` and `cancelled` are ends.
 */
export type CeremonyPhase = 'committed' | 'ready' | 'matched' | 'verified' | 'burnt' | 'expired' | 'cancelled';

export interface ActiveCeremony {
  readonly phase: CeremonyPhase;
  readonly role: CeremonyRole;
  readonly ceremonyId: Uint8Array;
  readonly sessionId: Uint8Array;
  readonly nonce: Uint8Array;
  readonly peerCommitment: Uint8Array | undefined;
  readonly peerNonce: Uint8Array | undefined;
  readonly triesLeft: number;
  readonly expiresAtMs: number;
}

export type Ceremony = { readonly phase: 'idle' } | ActiveCeremony;

export const NO_CEREMONY: Ceremony = { phase: 'idle' };

const FORMAT_VERSION = 1;
const MAX_BYTES = 512;
const PHASES: readonly CeremonyPhase[] = ['committed', 'ready', 'matched', 'verified', 'burnt', 'expired', 'cancelled'];
const ROLES: readonly CeremonyRole[] = ['shower', 'typer'];
const shape = new Shape('ceremony');

/** For a sealed storage row. */
export function encodeCeremony(state: Ceremony): Buffer {
  if (state.phase === 'idle') return encodeCbor([FORMAT_VERSION]);
  const fields: Cbor[] = [
    FORMAT_VERSION,
    PHASES.indexOf(state.phase),
    ROLES.indexOf(state.role),
    state.ceremonyId,
    state.sessionId,
    state.nonce,
    state.peerCommitment ?? null,
    state.peerNonce ?? null,
    state.triesLeft,
    state.expiresAtMs,
  ];
  return encodeCbor(fields);
}

/** @throws DecodeError any other form or version */
export function decodeCeremony(bytes: Uint8Array): Ceremony {
  const value = decodeCbor(bytes, MAX_BYTES, 'ceremony');
  if (Array.isArray(value) && value.length === 1) {
    shape.constant(value[0], FORMAT_VERSION);
    return NO_CEREMONY;
  }
  const f = shape.tuple(value, 10);
  shape.constant(f[0], FORMAT_VERSION);
  const optional = (field: unknown, length: number): Uint8Array | undefined =>
    field === null ? undefined : shape.bytes(field, length);
  return {
    phase: PHASES[shape.uint(f[1], PHASES.length - 1)] as CeremonyPhase,
    role: ROLES[shape.uint(f[2], 1)] as CeremonyRole,
    ceremonyId: shape.bytes(f[3], CEREMONY_ID_BYTES),
    sessionId: shape.bytes(f[4], SESSION_ID_BYTES),
    nonce: shape.bytes(f[5], VERIFICATION_NONCE_BYTES),
    peerCommitment: optional(f[6], COMMITMENT_BYTES),
    peerNonce: optional(f[7], VERIFICATION_NONCE_BYTES),
    triesLeft: shape.uint(f[8], LIMITS.oneTimeCodeTries),
    expiresAtMs: shape.uint(f[9]),
  };
}
