import { compareBytes, equalBytes } from '../base/bytes.ts';
import type { RandomSource } from '../base/clock.ts';
import { UsageError } from '../base/errors.ts';
import type { IdentityKey } from '../base/ids.ts';
import { LIMITS } from '../base/limits.ts';
import {
  CEREMONY_ID_BYTES,
  decodeVerification,
  encodeVerification,
  VERIFICATION_NONCE_BYTES,
  type VerificationMessage,
} from '../wire/verification.ts';
import { codesMatch, commitTo, oneTimeCode } from './verification-code.ts';
import type { ActiveCeremony, Ceremony, CeremonyPhase } from './verification-state.ts';

export { codesMatch, normaliseCode, oneTimeCode, safetyNumber } from './verification-code.ts';
export {
  type Ceremony,
  type CeremonyPhase,
  type CeremonyRole,
  decodeCeremony,
  encodeCeremony,
  NO_CEREMONY,
} from './verification-state.ts';

/** The session a ceremony hangs on, from its NewSession. */
export interface CeremonyKeys {
  readonly verificationKey: Uint8Array;
  readonly own: IdentityKey;
  readonly peer: IdentityKey;
  readonly ownCardHash: Uint8Array;
  readonly peerCardHash: Uint8Array;
}

export type CeremonyInput =
  | { readonly kind: 'start'; readonly sessionId: Uint8Array }
  | { readonly kind: 'message'; readonly bytes: Uint8Array }
  | { readonly kind: 'enter'; readonly code: string }
  /** The shower's person has heard from the other that the codes matched. */
  | { readonly kind: 'confirm' }
  | { readonly kind: 'cancel' }
  | { readonly kind: 'tick' };

export type CeremonyOutput =
  | { readonly kind: 'send'; readonly bytes: Buffer }
  /** Shower: show this code. */
  | { readonly kind: 'ready'; readonly code: string; readonly expiresAtMs: number }
  /** Typer: ask for the code. */
  | { readonly kind: 'type-code'; readonly triesLeft: number; readonly expiresAtMs: number }
  /** Typer: the code was right; the contact is verified here. */
  | { readonly kind: 'match' }
  | { readonly kind: 'mismatch'; readonly triesLeft: number }
  /** Shower: the typer reports a match. Only the person's own `confirm` verifies: the report may be forged. */
  | { readonly kind: 'ask-confirmation' }
  /** Shower: confirmed; the contact is verified here. */
  | { readonly kind: 'confirmed' }
  | { readonly kind: 'burnt' }
  | { readonly kind: 'expired' }
  | { readonly kind: 'cancelled' };

export interface CeremonyWorld {
  readonly nowMs: number;
  readonly random: RandomSource;
  /** Undefined for a session that is not (or no longer) with this contact. */
  readonly keysOf: (sessionId: Uint8Array) => CeremonyKeys | undefined;
}

export interface CeremonyStep {
  readonly state: Ceremony;
  readonly outputs: readonly CeremonyOutput[];
}

const RUNNING: readonly CeremonyPhase[] = ['committed', 'ready', 'matched'];

/**
 * One step of the one-time code ceremony (docs/protocol/session.md §8): commit, answer, reveal, reveal, code.
 * Messages that do not fit the state change nothing.
 * @throws DecodeError a malformed message; UsageError an input the state has no place for
 */
export function stepCeremony(state: Ceremony, input: CeremonyInput, world: CeremonyWorld): CeremonyStep {
  const expired = isRunning(state) && world.nowMs >= state.expiresAtMs;
  if (expired) {
    const ended = end(state, 'expired');
    if (input.kind === 'tick' || input.kind === 'enter' || input.kind === 'confirm') return ended;
    const next = stepCeremony(ended.state, input, world);
    return { state: next.state, outputs: [...ended.outputs, ...next.outputs] };
  }
  switch (input.kind) {
    case 'start':
      return start(input.sessionId, world);
    case 'message':
      return receive(state, decodeVerification(input.bytes), world);
    case 'enter':
      return enter(state, input.code, world);
    case 'confirm':
      if (state.phase !== 'matched') throw misplaced();
      return { state: { ...state, phase: 'verified' }, outputs: [{ kind: 'confirmed' }] };
    case 'cancel':
      return isRunning(state) ? end(state, 'cancelled', sendResult(state, false)) : unchanged(state);
    case 'tick':
      return unchanged(state);
  }
}

/** The code to show, for a page that is opened again; undefined when there is none to show. */
export function shownCode(state: Ceremony, world: Pick<CeremonyWorld, 'keysOf' | 'nowMs'>): string | undefined {
  if (state.phase !== 'ready' || state.role !== 'shower' || world.nowMs >= state.expiresAtMs) return undefined;
  const keys = world.keysOf(state.sessionId);
  return keys && codeOf(state, keys);
}

function start(sessionId: Uint8Array, world: CeremonyWorld): CeremonyStep {
  if (!world.keysOf(sessionId)) {
    throw new UsageError('not-found', 'verification.start', 'There is no conversation with this contact yet.');
  }
  const state: ActiveCeremony = {
    phase: 'committed',
    role: 'shower',
    ceremonyId: world.random(CEREMONY_ID_BYTES),
    sessionId,
    nonce: world.random(VERIFICATION_NONCE_BYTES),
    peerCommitment: undefined,
    peerNonce: undefined,
    triesLeft: LIMITS.oneTimeCodeTries,
    expiresAtMs: world.nowMs + LIMITS.oneTimeCodeMs,
  };
  const { ceremonyId } = state;
  const commitment = commitTo(state.nonce, ceremonyId, 'shower');
  return { state, outputs: [send({ kind: 'commit', ceremonyId, sessionId, commitment })] };
}

function receive(state: Ceremony, message: VerificationMessage, world: CeremonyWorld): CeremonyStep {
  if (message.kind === 'commit') return receiveCommit(state, message, world);
  if (!isRunning(state) || !equalBytes(message.ceremonyId, state.ceremonyId)) return unchanged(state);
  switch (message.kind) {
    case 'answer':
      return receiveAnswer(state, message.commitment);
    case 'reveal':
      return receiveReveal(state, message.nonce, world);
    case 'result':
      return receiveResult(state, message.matched);
  }
}

function receiveCommit(
  state: Ceremony,
  message: Extract<VerificationMessage, { kind: 'commit' }>,
  world: CeremonyWorld,
): CeremonyStep {
  const keys = world.keysOf(message.sessionId);
  if (!keys) return unchanged(state);
  const waiting = state.phase === 'committed' && state.role === 'shower' && !state.peerCommitment;
  // Both pressed "show" at once: the lower identity key goes on showing.
  if (waiting && compareBytes(keys.own, keys.peer) < 0) return unchanged(state);
  const next: ActiveCeremony = {
    phase: 'committed',
    role: 'typer',
    ceremonyId: message.ceremonyId,
    sessionId: message.sessionId,
    nonce: world.random(VERIFICATION_NONCE_BYTES),
    peerCommitment: message.commitment,
    peerNonce: undefined,
    // Beginning anew in the middle does not give new tries.
    triesLeft: isRunning(state) && state.role === 'typer' ? state.triesLeft : LIMITS.oneTimeCodeTries,
    expiresAtMs: world.nowMs + LIMITS.oneTimeCodeMs,
  };
  const { ceremonyId } = next;
  const commitment = commitTo(next.nonce, ceremonyId, 'typer');
  return { state: next, outputs: [send({ kind: 'answer', ceremonyId, commitment })] };
}

/** The shower opens its nonce only now that the typer is bound to one. */
function receiveAnswer(state: ActiveCeremony, commitment: Uint8Array): CeremonyStep {
  if (state.phase !== 'committed' || state.role !== 'shower' || state.peerCommitment) return unchanged(state);
  const { ceremonyId, nonce } = state;
  return { state: { ...state, peerCommitment: commitment }, outputs: [send({ kind: 'reveal', ceremonyId, nonce })] };
}

function receiveReveal(state: ActiveCeremony, peerNonce: Uint8Array, world: CeremonyWorld): CeremonyStep {
  if (state.phase !== 'committed' || !state.peerCommitment) return unchanged(state);
  const { ceremonyId, nonce, expiresAtMs, triesLeft, role } = state;
  const expected = commitTo(peerNonce, ceremonyId, role === 'shower' ? 'typer' : 'shower');
  if (!equalBytes(expected, state.peerCommitment)) return end(state, 'burnt', sendResult(state, false));
  const next: ActiveCeremony = { ...state, phase: 'ready', peerNonce };
  if (role === 'typer') {
    return {
      state: next,
      outputs: [send({ kind: 'reveal', ceremonyId, nonce }), { kind: 'type-code', triesLeft, expiresAtMs }],
    };
  }
  const keys = world.keysOf(state.sessionId);
  if (!keys) return end(state, 'cancelled', sendResult(state, false));
  return { state: next, outputs: [{ kind: 'ready', code: codeOf(next, keys), expiresAtMs }] };
}

function receiveResult(state: ActiveCeremony, matched: boolean): CeremonyStep {
  if (state.role === 'typer') return matched ? unchanged(state) : end(state, 'cancelled');
  if (!matched) return end(state, state.phase === 'ready' ? 'burnt' : 'cancelled');
  if (state.phase !== 'ready') return unchanged(state);
  return { state: { ...state, phase: 'matched' }, outputs: [{ kind: 'ask-confirmation' }] };
}

function enter(state: Ceremony, typed: string, world: CeremonyWorld): CeremonyStep {
  if (state.phase !== 'ready' || state.role !== 'typer') throw misplaced();
  const keys = world.keysOf(state.sessionId);
  if (!keys) return end(state, 'cancelled', sendResult(state, false));
  if (codesMatch(codeOf(state, keys), typed)) {
    return { state: { ...state, phase: 'verified' }, outputs: [sendResult(state, true), { kind: 'match' }] };
  }
  const triesLeft = state.triesLeft - 1;
  const next: ActiveCeremony = { ...state, triesLeft };
  if (triesLeft === 0) return end(next, 'burnt', sendResult(state, false));
  return { state: next, outputs: [{ kind: 'mismatch', triesLeft }] };
}

function codeOf(state: ActiveCeremony, keys: CeremonyKeys): string {
  const own = { identity: keys.own, cardHash: keys.ownCardHash, nonce: state.nonce };
  const peer = { identity: keys.peer, cardHash: keys.peerCardHash, nonce: state.peerNonce ?? new Uint8Array(0) };
  return oneTimeCode(keys.verificationKey, own, peer);
}

function isRunning(state: Ceremony): state is ActiveCeremony {
  return state.phase !== 'idle' && RUNNING.includes(state.phase);
}

function end(
  state: ActiveCeremony,
  phase: 'burnt' | 'expired' | 'cancelled',
  ...before: readonly CeremonyOutput[]
): CeremonyStep {
  return { state: { ...state, phase }, outputs: [...before, { kind: phase }] };
}

function send(message: VerificationMessage): CeremonyOutput {
  return { kind: 'send', bytes: encodeVerification(message) };
}

function sendResult(state: ActiveCeremony, matched: boolean): CeremonyOutput {
  return send({ kind: 'result', ceremonyId: state.ceremonyId, matched });
}

function unchanged(state: Ceremony): CeremonyStep {
  return { state, outputs: [] };
}

function misplaced(): UsageError {
  return new UsageError('refused', 'verification.step', 'There is no code to compare right now.');
}
