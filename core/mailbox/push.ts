import type { RandomSource } from '../base/clock.ts';
import { LIMITS } from '../base/limits.ts';

/**
 * When to dial a contact and how much of its outbox to have under way: a pure machine, one a contact.
 *
 *   down --due, seen--> dialing --up--> up --down--> down (waits, doubling)
 *
 * The caller owns the outbox. It answers `load` with `pushed`, before the first of what it read is sent, and with
 * `loaded` after the last; tells `settled` when the peer has stored (or refused) envelopes, which may be in between;
 * and `due` when the time named by `wake` has come.
 */
export interface PushState {
  readonly link: 'down' | 'dialing' | 'up';
  /** Dials, or links that took nothing, lost in a row. */
  readonly failures: number;
  /** When to dial next; null while dialing or up. */
  readonly retryAtMs: number | null;
  /** Envelopes pushed and not yet settled. */
  readonly inFlight: number;
  /** The outbox may hold more than is under way. */
  readonly more: boolean;
  /** A `load` was asked for and not yet answered. */
  readonly loading: boolean;
}

export type PushInput =
  | { readonly kind: 'work' }
  | { readonly kind: 'seen' }
  | { readonly kind: 'due' }
  | { readonly kind: 'up' }
  | { readonly kind: 'down' }
  | { readonly kind: 'pushed'; readonly count: number }
  | { readonly kind: 'loaded'; readonly more: boolean }
  | { readonly kind: 'settled'; readonly count: number };

export type PushOutput =
  | { readonly kind: 'dial' }
  | { readonly kind: 'wake'; readonly atMs: number }
  | { readonly kind: 'load'; readonly limit: number }
  | { readonly kind: 'caught-up' };

export interface PushStep {
  readonly state: PushState;
  readonly outputs: readonly PushOutput[];
}

export function newPushState(nowMs: number): PushState {
  return { link: 'down', failures: 0, retryAtMs: nowMs, inFlight: 0, more: true, loading: false };
}

export function stepPush(
  state: PushState,
  input: PushInput,
  context: { readonly nowMs: number; readonly random: RandomSource },
): PushStep {
  switch (input.kind) {
    case 'work':
      return pump({ ...state, more: true });
    case 'seen':
      return state.link === 'down' ? dial(state) : same(state);
    case 'due':
      return atItsTime(state, context.nowMs);
    case 'up':
      return pump({ ...state, link: 'up', retryAtMs: null, inFlight: 0, more: true, loading: false });
    case 'down':
      return wait(state, context);
    case 'pushed':
      return same(state.link === 'up' ? { ...state, inFlight: state.inFlight + input.count } : state);
    case 'loaded':
      return afterLoad(state, input.more);
    case 'settled':
      return afterSettle(state, input.count);
  }
}

/** Doubles from retryFirstMs to retryLastMs, less up to a quarter at random so that peers do not call in step. */
export function retryDelayMs(failures: number, random: RandomSource): number {
  const full = Math.min(LIMITS.retryFirstMs * 2 ** Math.min(failures, 30), LIMITS.retryLastMs);
  return Math.round(full * (1 - random(2).readUInt16BE() / 0xffff / 4));
}

/** Timers run by another clock and may ring early: what is not due yet is waited for again, never dropped. */
function atItsTime(state: PushState, nowMs: number): PushStep {
  const { link, retryAtMs } = state;
  if (link !== 'down' || retryAtMs === null) return same(state);
  const waitMs = retryAtMs - nowMs;
  // Longer than any wait there is: the clock was set back.
  if (waitMs <= 0 || waitMs > LIMITS.retryLastMs) return dial(state);
  return { state, outputs: [{ kind: 'wake', atMs: retryAtMs }] };
}

function same(state: PushState): PushStep {
  return { state, outputs: [] };
}

function dial(state: PushState): PushStep {
  return { state: { ...state, link: 'dialing', retryAtMs: null }, outputs: [{ kind: 'dial' }] };
}

function wait(state: PushState, context: { nowMs: number; random: RandomSource }): PushStep {
  if (state.link === 'down') return same(state);
  const retryAtMs = context.nowMs + retryDelayMs(state.failures, context.random);
  return {
    state: { link: 'down', failures: state.failures + 1, retryAtMs, inFlight: 0, more: true, loading: false },
    outputs: [{ kind: 'wake', atMs: retryAtMs }],
  };
}

function pump(state: PushState): PushStep {
  const limit = LIMITS.pushWindow - state.inFlight;
  if (state.link !== 'up' || !state.more || state.loading || limit <= 0) return same(state);
  return { state: { ...state, loading: true, more: false }, outputs: [{ kind: 'load', limit }] };
}

function afterLoad(state: PushState, more: boolean): PushStep {
  if (state.link !== 'up') return same(state);
  return finishIfIdle(pump({ ...state, loading: false, more: state.more || more }));
}

function afterSettle(state: PushState, count: number): PushStep {
  if (state.link !== 'up') return same(state);
  const settled = { ...state, failures: 0, inFlight: state.inFlight - count };
  // Loading half a window at a time keeps reads few.
  return settled.inFlight <= LIMITS.pushWindow / 2 ? finishIfIdle(pump(settled)) : same(settled);
}

function finishIfIdle(step: PushStep): PushStep {
  const { inFlight, more, loading } = step.state;
  return inFlight === 0 && !more && !loading
    ? { state: { ...step.state, failures: 0 }, outputs: [...step.outputs, { kind: 'caught-up' }] }
    : step;
}
