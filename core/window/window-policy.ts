import { HOUR_MS } from '../base/clock.ts';
import { LIMITS } from '../base/limits.ts';

/**
 * When a window is opened, opened again, or the core ended with it. A crashed window comes back a limited number of
 * times an hour; a program that fails at once gives way to the next launcher. Pure: `stepWindow` only says what to do.
 */
export type CloseWindow = 'quit' | 'keep';

export interface WindowState {
  readonly phase: 'closed' | 'opening' | 'open' | 'stopped';
  /** Index of the launcher in use. */
  readonly launcher: number;
  readonly openedAt: number;
  /** When a crashed window was opened again, within the last hour. */
  readonly restarts: readonly number[];
}

/** By itself without an error, with an error code, or by a signal that nobody here sent. */
export type ExitKind = 'closed' | 'failed' | 'killed';

export type WindowInput =
  | { readonly kind: 'open' }
  /** A window stands there, and its end will be told. */
  | { readonly kind: 'opened' }
  /** It was handed to a program whose windows cannot be followed (the default browser). */
  | { readonly kind: 'handed-over' }
  | { readonly kind: 'not-started' }
  | { readonly kind: 'exited'; readonly how: ExitKind }
  | { readonly kind: 'stop' };

export type WindowOutput =
  | { readonly kind: 'launch'; readonly launcher: number }
  | { readonly kind: 'close' }
  | { readonly kind: 'quit' }
  | { readonly kind: 'give-up' };

export interface WindowContext {
  readonly now: number;
  readonly launchers: number;
  readonly closeWindow: CloseWindow;
}

export interface WindowStep {
  readonly state: WindowState;
  readonly outputs: readonly WindowOutput[];
}

/** A program that fails within this time after it was started does not work on this machine (a library is missing). */
export const SOON_MS = 10_000;

export const WINDOW_CLOSED: WindowState = { phase: 'closed', launcher: 0, openedAt: 0, restarts: [] };

export function stepWindow(state: WindowState, input: WindowInput, context: WindowContext): WindowStep {
  if (state.phase === 'stopped') return { state, outputs: [] };
  switch (input.kind) {
    case 'open':
      return state.phase === 'closed' ? launch(state, state.launcher, context) : { state, outputs: [] };
    case 'opened':
      return { state: { ...state, phase: 'open', openedAt: context.now }, outputs: [] };
    case 'handed-over':
      return { state: { ...state, phase: 'closed' }, outputs: [] };
    case 'not-started':
      return launch(state, state.launcher + 1, context);
    case 'exited':
      return input.how === 'closed' ? afterClose(state, context) : afterCrash(state, input.how, context);
    case 'stop':
      return { state: { ...state, phase: 'stopped' }, outputs: state.phase === 'open' ? [{ kind: 'close' }] : [] };
  }
}

function launch(state: WindowState, launcher: number, context: WindowContext): WindowStep {
  if (launcher >= context.launchers) return giveUp({ ...state, launcher: 0 });
  return { state: { ...state, phase: 'opening', launcher }, outputs: [{ kind: 'launch', launcher }] };
}

function afterCrash(state: WindowState, how: ExitKind, context: WindowContext): WindowStep {
  const restarts = state.restarts.filter(at => at > context.now - HOUR_MS);
  if (restarts.length >= LIMITS.windowRestarts) return giveUp({ ...state, restarts });
  const unfit = how === 'failed' && context.now - state.openedAt < SOON_MS;
  const launcher = unfit && state.launcher + 1 < context.launchers ? state.launcher + 1 : state.launcher;
  return launch({ ...state, restarts: [...restarts, context.now] }, launcher, context);
}

function afterClose(state: WindowState, { closeWindow }: WindowContext): WindowStep {
  return { state: { ...state, phase: 'closed' }, outputs: closeWindow === 'quit' ? [{ kind: 'quit' }] : [] };
}

/** The core goes on: its page can still be opened by address. */
function giveUp(state: WindowState): WindowStep {
  return { state: { ...state, phase: 'closed' }, outputs: [{ kind: 'give-up' }] };
}
