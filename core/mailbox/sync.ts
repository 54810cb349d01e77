import { hex } from '../base/bytes.ts';
import type { EnvelopeId } from '../base/ids.ts';
import { LIMITS } from '../base/limits.ts';
import { envelopeIdOf } from '../wire/envelope.ts';
import type { SyncFrame } from '../wire/sync.ts';

/**
 * The asking side of a pull (docs/protocol/sync.md §3): a pure machine, one a stream. A broken run leaves nothing
 * behind; the next one asks only for what is still missing. sync-holder.ts is the other side.
 *
 *   idle --begin--> asked --have--> choosing --chosen--> receiving --have (next page)--> choosing
 *                                                                  --done--> idle
 */
export interface PullerState {
  readonly phase: 'idle' | 'asked' | 'choosing' | 'receiving' | 'failed';
  readonly tags: readonly Uint8Array[];
  readonly page: readonly EnvelopeId[];
  readonly more: boolean;
  /** Hexadecimal ids of this page that were wanted and have not come. */
  readonly awaited: ReadonlySet<string>;
  /** Came and not yet settled by the intake. */
  readonly unsettled: ReadonlySet<string>;
  /** Settled, and not yet told to the holder. */
  readonly storedIds: readonly EnvelopeId[];
  readonly refusedIds: readonly EnvelopeId[];
  readonly offered: number;
  readonly stored: number;
  readonly refused: number;
  /** The holder has said that more came meanwhile. */
  readonly again: boolean;
}

export type PullerInput =
  /** A new connection, a new day, or the holder's news. Ignored while a run is under way. */
  | { readonly kind: 'begin'; readonly tags: readonly Uint8Array[] }
  | { readonly kind: 'frame'; readonly frame: SyncFrame }
  /** The answer to `choose`: for each id whether it is missing here. */
  | { readonly kind: 'chosen'; readonly missing: readonly boolean[] }
  /** What became of a `take`; said once its outcome is durable. */
  | { readonly kind: 'settled'; readonly envelopeId: EnvelopeId; readonly verdict: 'stored' | 'refused' };

export type PullerOutput =
  | { readonly kind: 'send'; readonly frame: SyncFrame }
  /** Look up which of these are not stored here. */
  | { readonly kind: 'choose'; readonly ids: readonly EnvelopeId[] }
  | { readonly kind: 'take'; readonly envelopeId: EnvelopeId; readonly envelope: Uint8Array }
  /** The first page came: so many are missing on it. Once a run, and only when there are any. */
  | { readonly kind: 'started'; readonly missing: number }
  | { readonly kind: 'finished'; readonly offered: number; readonly stored: number; readonly refused: number }
  /** The holder does not keep to the protocol: close the stream. */
  | { readonly kind: 'fail' };

export interface PullerStep {
  readonly state: PullerState;
  readonly outputs: readonly PullerOutput[];
}

export function newPuller(): PullerState {
  return {
    phase: 'idle',
    tags: [],
    page: [],
    more: false,
    awaited: new Set(),
    unsettled: new Set(),
    storedIds: [],
    refusedIds: [],
    offered: 0,
    stored: 0,
    refused: 0,
    again: false,
  };
}

export function stepPuller(state: PullerState, input: PullerInput): PullerStep {
  switch (input.kind) {
    case 'begin':
      return state.phase === 'idle' ? begin(input.tags) : same(state);
    case 'chosen':
      return state.phase === 'choosing' ? want(state, input.missing) : same(state);
    case 'settled':
      return settle(state, input.envelopeId, input.verdict);
    case 'frame':
      return onFrame(state, input.frame);
  }
}

function begin(tags: readonly Uint8Array[]): PullerStep {
  return { state: { ...newPuller(), phase: 'asked', tags }, outputs: [{ kind: 'send', frame: { kind: 'ask', tags } }] };
}

function onFrame(state: PullerState, frame: SyncFrame): PullerStep {
  switch (frame.kind) {
    case 'have': {
      const nextPage = state.phase === 'receiving' && state.more && state.unsettled.size === 0;
      return state.phase === 'asked' || nextPage ? choose(state, frame) : fail(state);
    }
    case 'envelope':
      return state.phase === 'receiving' ? take(state, frame.envelope) : fail(state);
    case 'done':
      return state.phase === 'receiving' && !state.more && state.unsettled.size === 0 ? finish(state) : fail(state);
    case 'news':
      if (state.phase === 'failed' || state.tags.length === 0) return fail(state);
      return state.phase === 'idle' ? begin(state.tags) : same({ ...state, again: true });
    default:
      return fail(state);
  }
}

function choose(state: PullerState, { ids, more }: { ids: readonly EnvelopeId[]; more: boolean }): PullerStep {
  const offered = state.offered + ids.length;
  // Nine full mailboxes are the most there can be; a holder that goes on for ever is cut off.
  if (offered > LIMITS.syncTags * LIMITS.mailboxPerRecipient || new Set(ids.map(hex)).size !== ids.length)
    return fail(state);
  const next: PullerState = { ...state, page: ids, more, offered, awaited: new Set() };
  if (ids.length === 0) return same({ ...next, phase: 'receiving' });
  return { state: { ...next, phase: 'choosing' }, outputs: [{ kind: 'choose', ids }] };
}

function want(state: PullerState, missing: readonly boolean[]): PullerStep {
  const wanted = state.page.map((_, at) => missing[at] ?? true);
  const awaited = new Set(state.page.filter((_, at) => wanted[at]).map(hex));
  const outputs: PullerOutput[] = [{ kind: 'send', frame: { kind: 'want', wanted } }];
  const first = state.offered === state.page.length;
  if (first && awaited.size > 0) outputs.unshift({ kind: 'started', missing: awaited.size });
  return { state: { ...state, phase: 'receiving', awaited }, outputs };
}

function take(state: PullerState, envelope: Uint8Array): PullerStep {
  const envelopeId = envelopeIdOf(envelope);
  const name = hex(envelopeId);
  const full = state.unsettled.size + state.storedIds.length + state.refusedIds.length >= LIMITS.syncWindow;
  if (!state.awaited.has(name) || full) return fail(state);
  const awaited = new Set(state.awaited);
  awaited.delete(name);
  const unsettled = new Set(state.unsettled).add(name);
  return { state: { ...state, awaited, unsettled }, outputs: [{ kind: 'take', envelopeId, envelope }] };
}

function settle(state: PullerState, id: EnvelopeId, verdict: 'stored' | 'refused'): PullerStep {
  if (state.phase === 'failed' || !state.unsettled.has(hex(id))) return same(state);
  const unsettled = new Set(state.unsettled);
  unsettled.delete(hex(id));
  const stored = verdict === 'stored';
  return tellSettled({
    ...state,
    unsettled,
    storedIds: stored ? [...state.storedIds, id] : state.storedIds,
    refusedIds: stored ? state.refusedIds : [...state.refusedIds, id],
    stored: state.stored + (stored ? 1 : 0),
    refused: state.refused + (stored ? 0 : 1),
  });
}

/** In batches, and at once when nothing else is under way: the holder waits for room then. */
function tellSettled(state: PullerState): PullerStep {
  const waiting = state.storedIds.length + state.refusedIds.length;
  if (state.unsettled.size > 0 && waiting < LIMITS.syncWindow / 4) return same(state);
  const outputs: PullerOutput[] = [];
  if (state.storedIds.length > 0) outputs.push({ kind: 'send', frame: { kind: 'stored', ids: state.storedIds } });
  if (state.refusedIds.length > 0) outputs.push({ kind: 'send', frame: { kind: 'refused', ids: state.refusedIds } });
  return { state: { ...state, storedIds: [], refusedIds: [] }, outputs };
}

function finish(state: PullerState): PullerStep {
  const { offered, stored, refused, tags } = state;
  const ended: PullerOutput = { kind: 'finished', offered, stored, refused };
  if (!state.again) return { state: { ...newPuller(), tags }, outputs: [ended] };
  const next = begin(tags);
  return { state: next.state, outputs: [ended, ...next.outputs] };
}

function fail(state: PullerState): PullerStep {
  return { state: { ...state, phase: 'failed' }, outputs: state.phase === 'failed' ? [] : [{ kind: 'fail' }] };
}

function same(state: PullerState): PullerStep {
  return { state, outputs: [] };
}
