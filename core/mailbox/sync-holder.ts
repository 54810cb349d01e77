import { hex } from '../base/bytes.ts';
import type { EnvelopeId } from '../base/ids.ts';
import { LIMITS } from '../base/limits.ts';
import type { SyncFrame } from '../wire/sync.ts';

/**
 * The giving side of a pull (docs/protocol/sync.md §3): a pure machine, one a stream. It says what it holds for the
 * tags asked for, sends what is wanted with at most LIMITS.syncWindow under way, and lets go of what is stored.
 *
 *   idle --ask--> reading --page--> offered --want--> sending --all settled--> reading (next page) or idle
 */
export interface HolderState {
  readonly phase: 'idle' | 'reading' | 'offered' | 'sending' | 'failed';
  readonly tags: readonly Uint8Array[];
  readonly page: readonly HeldEntry[];
  /** The number of arrival behind which the next page begins; null: this was the last. */
  readonly next: number | null;
  /** Wanted and not yet loaded, oldest first. */
  readonly queue: readonly EnvelopeId[];
  /** Asked to be loaded. */
  readonly loading: number;
  /** Sent and not settled, by hexadecimal id; true: may be removed once stored. */
  readonly underWay: ReadonlyMap<string, boolean>;
  readonly sent: number;
  readonly stored: number;
  /** Something came for these tags during the run or after it. */
  readonly news: boolean;
}

export interface HeldEntry {
  readonly envelopeId: EnvelopeId;
  /**
   * The one who pulls is the recipient: the contact whose mailbox key made the tag, on a connection proved by that
   * contact's transport key. Anyone else who knows the tag is served, and the envelope stays.
   */
  readonly ofPuller: boolean;
}

export type HolderInput =
  | { readonly kind: 'frame'; readonly frame: SyncFrame }
  /** The answer to `read`. */
  | { readonly kind: 'page'; readonly entries: readonly HeldEntry[]; readonly next: number | null }
  /** The answer to `load`; null: no longer held. */
  | { readonly kind: 'loaded'; readonly items: readonly LoadedEnvelope[] }
  /** An envelope under one of `tags` has been taken in. */
  | { readonly kind: 'news' };

export interface LoadedEnvelope {
  readonly envelopeId: EnvelopeId;
  readonly envelope: Uint8Array | null;
}

export type HolderOutput =
  | { readonly kind: 'send'; readonly frame: SyncFrame }
  /** Give the next page for the tags in order of arrival, those behind the number `after` (0: from the start). */
  | {
      readonly kind: 'read';
      readonly tags: readonly Uint8Array[];
      readonly after: number;
      readonly limit: number;
    }
  | { readonly kind: 'load'; readonly ids: readonly EnvelopeId[] }
  | { readonly kind: 'remove'; readonly ids: readonly EnvelopeId[] }
  | { readonly kind: 'finished'; readonly sent: number; readonly stored: number }
  /** The other side does not keep to the protocol: close the stream. */
  | { readonly kind: 'fail' };

export interface HolderStep {
  readonly state: HolderState;
  readonly outputs: readonly HolderOutput[];
}

export function newHolder(): HolderState {
  return {
    phase: 'idle',
    tags: [],
    page: [],
    next: null,
    queue: [],
    loading: 0,
    underWay: new Map(),
    sent: 0,
    stored: 0,
    news: false,
  };
}

export function stepHolder(state: HolderState, input: HolderInput): HolderStep {
  switch (input.kind) {
    case 'frame':
      return onFrame(state, input.frame);
    case 'page':
      return state.phase === 'reading' ? offer(state, input) : same(state);
    case 'loaded':
      return state.phase === 'sending' ? sendLoaded(state, input.items) : same(state);
    case 'news':
      return tellNews({ ...state, news: true });
  }
}

function onFrame(state: HolderState, frame: SyncFrame): HolderStep {
  if (frame.kind === 'ask' && state.phase === 'idle') {
    const begun: HolderState = { ...newHolder(), phase: 'reading', tags: frame.tags };
    return { state: begun, outputs: [readAfter(begun, 0)] };
  }
  if (frame.kind === 'want' && state.phase === 'offered' && frame.wanted.length === state.page.length) {
    return answerWant(state, frame.wanted);
  }
  if ((frame.kind === 'stored' || frame.kind === 'refused') && state.phase === 'sending') {
    return settle(state, frame.ids, frame.kind === 'stored');
  }
  return fail(state);
}

function offer(state: HolderState, input: Extract<HolderInput, { kind: 'page' }>): HolderStep {
  const page = input.entries.slice(0, LIMITS.syncPage);
  const next = page.length > 0 ? input.next : null;
  const have = { kind: 'have', ids: page.map(entry => entry.envelopeId), more: next !== null } as const;
  const offered: HolderState = { ...state, phase: 'offered', page, next };
  const send: HolderOutput = { kind: 'send', frame: have };
  if (page.length > 0) return { state: offered, outputs: [send] };
  return prepend([send], finish(offered));
}

/** What is not wanted is stored there already. */
function answerWant(state: HolderState, wanted: readonly boolean[]): HolderStep {
  const known = state.page.filter((entry, at) => !wanted[at] && entry.ofPuller).map(entry => entry.envelopeId);
  const queue = state.page.filter((_, at) => wanted[at]).map(entry => entry.envelopeId);
  const outputs: HolderOutput[] = known.length > 0 ? [{ kind: 'remove', ids: known }] : [];
  return prepend(outputs, pump({ ...state, phase: 'sending', queue }));
}

/** Loads as much as the window has room for; ends the page when nothing is left. */
function pump(state: HolderState): HolderStep {
  const room = LIMITS.syncWindow - state.underWay.size - state.loading;
  if (state.queue.length === 0 && state.loading === 0 && state.underWay.size === 0) {
    if (state.next === null) return finish(state);
    return { state: { ...state, phase: 'reading' }, outputs: [readAfter(state, state.next)] };
  }
  // Half a window at a time keeps reads few.
  if (state.queue.length === 0 || room < LIMITS.syncWindow / 2) return same(state);
  const ids = state.queue.slice(0, room);
  const loading: HolderState = { ...state, queue: state.queue.slice(room), loading: state.loading + ids.length };
  return { state: loading, outputs: [{ kind: 'load', ids }] };
}

function sendLoaded(state: HolderState, items: readonly LoadedEnvelope[]): HolderStep {
  const underWay = new Map(state.underWay);
  const ofPuller = new Map(state.page.map(entry => [hex(entry.envelopeId), entry.ofPuller]));
  const outputs: HolderOutput[] = [];
  for (const { envelopeId, envelope } of items) {
    if (!envelope) continue;
    underWay.set(hex(envelopeId), ofPuller.get(hex(envelopeId)) ?? false);
    outputs.push({ kind: 'send', frame: { kind: 'envelope', envelope } });
  }
  const loading = Math.max(0, state.loading - items.length);
  return prepend(outputs, pump({ ...state, loading, underWay, sent: state.sent + outputs.length }));
}

function settle(state: HolderState, ids: readonly EnvelopeId[], stored: boolean): HolderStep {
  const underWay = new Map(state.underWay);
  const remove: EnvelopeId[] = [];
  for (const id of ids) {
    const mayGo = underWay.get(hex(id));
    if (mayGo === undefined) return fail(state);
    underWay.delete(hex(id));
    if (stored && mayGo) remove.push(id);
  }
  const outputs: HolderOutput[] = remove.length > 0 ? [{ kind: 'remove', ids: remove }] : [];
  return prepend(outputs, pump({ ...state, underWay, stored: state.stored + (stored ? ids.length : 0) }));
}

function finish(state: HolderState): HolderStep {
  const { sent, stored, tags, news } = state;
  const outputs: HolderOutput[] = [
    { kind: 'send', frame: { kind: 'done', sent, stored } },
    { kind: 'finished', sent, stored },
  ];
  return prepend(outputs, tellNews({ ...newHolder(), tags, news }));
}

/** One notice a run: the next `ask` brings everything. */
function tellNews(state: HolderState): HolderStep {
  if (!state.news || state.phase !== 'idle' || state.tags.length === 0) return same(state);
  return { state: { ...state, news: false, tags: [] }, outputs: [{ kind: 'send', frame: { kind: 'news' } }] };
}

function readAfter(state: HolderState, after: number): HolderOutput {
  return { kind: 'read', tags: state.tags, after, limit: LIMITS.syncPage };
}

function prepend(outputs: readonly HolderOutput[], step: HolderStep): HolderStep {
  return { state: step.state, outputs: [...outputs, ...step.outputs] };
}

function fail(state: HolderState): HolderStep {
  return { state: { ...state, phase: 'failed' }, outputs: state.phase === 'failed' ? [] : [{ kind: 'fail' }] };
}

function same(state: HolderState): HolderStep {
  return { state, outputs: [] };
}
