import { compareBytes } from '../base/bytes.ts';
import { keyedBlake2b } from '../base/hash.ts';
import { type ContactId, type EnvelopeId, idBytes } from '../base/ids.ts';
import { LIMITS } from '../base/limits.ts';

/**
 * Where one envelope is held while its recipient is away: a pure machine, one an envelope of the outbox
 * (docs/protocol/mailbox.md §4, with the state diagram).
 *
 *   waiting --recipient away, or 10 s without `stored`--> placing --stored by the recipient, delivered, expired--> ended
 *
 * A holding:  asked --receipt--> held --gone--> refused --a day--> may be asked again
 *             asked --refused, or no answer--> refused
 */
export interface Placement {
  readonly phase: 'waiting' | 'placing' | 'ended';
  readonly recipient: ContactId;
  readonly envelopeId: EnvelopeId;
  readonly sentAtMs: number;
  readonly holdings: readonly Holding[];
}

export interface Holding {
  readonly custodian: ContactId;
  /** `refused` also stands for no answer, and for an envelope held before and no longer. */
  readonly state: 'asked' | 'held' | 'refused';
  /** When it came into this state. */
  readonly atMs: number;
  /** Of `held`: the receipt's time, else 0. */
  readonly untilMs: number;
}

/** A contact that has said it holds, as seen now. */
export interface Custodian {
  readonly id: ContactId;
  readonly connected: boolean;
  readonly lastSeenMs: number | null;
  /** uptimeShare */
  readonly uptime: number;
}

export interface PlacementContext {
  readonly nowMs: number;
  readonly recipientConnected: boolean;
  readonly custodians: readonly Custodian[];
  /** 32 bytes, the profile's own: settles ties in a way nobody can foresee. */
  readonly tieKey: Uint8Array;
  /** How many copies are wanted; the product's own rule unless told otherwise. */
  readonly copies?: CopiesRule;
}

/** `first` copies at once, and `more` with each `everyMs` for which the recipient has not confirmed. */
export interface CopiesRule {
  readonly first: number;
  readonly more: number;
  readonly everyMs: number;
}

export const COPIES: CopiesRule = {
  first: LIMITS.custodians,
  more: LIMITS.custodiansMore,
  everyMs: LIMITS.custodiansMoreMs,
};

export type PlacementInput =
  /** Something may have changed: a wake-up, a connection made or lost, a custodian's new hello. */
  | { readonly kind: 'look' }
  | { readonly kind: 'held'; readonly custodian: ContactId; readonly untilMs: number }
  | { readonly kind: 'refused' | 'gone'; readonly custodian: ContactId }
  /** The recipient has stored the envelope, or its message was delivered, or has expired. */
  | { readonly kind: 'end' };

export type PlacementOutput =
  | { readonly kind: 'deposit'; readonly custodian: ContactId }
  | { readonly kind: 'release'; readonly custodian: ContactId }
  | { readonly kind: 'wake'; readonly atMs: number };

export interface PlacementStep {
  readonly placement: Placement;
  readonly outputs: readonly PlacementOutput[];
}

export function newPlacement(recipient: ContactId, envelopeId: EnvelopeId, sentAtMs: number): Placement {
  return { phase: 'waiting', recipient, envelopeId, sentAtMs, holdings: [] };
}

export function stepPlacement(placement: Placement, input: PlacementInput, context: PlacementContext): PlacementStep {
  if (placement.phase === 'ended') return input.kind === 'held' ? releaseLate(placement, input) : same(placement);
  switch (input.kind) {
    case 'look':
      return look(placement, context);
    case 'held':
      return look(withHolding(placement, input.custodian, 'held', context.nowMs, input.untilMs), context);
    case 'refused':
    case 'gone':
      return look(withHolding(placement, input.custodian, 'refused', context.nowMs, 0), context);
    case 'end':
      return end(placement);
  }
}

/** What may be shown of a placement: who holds the envelope, by receipts in force. */
export interface Held {
  /** Custodians with a receipt in force, seen in the last day. */
  readonly heldBy: number;
  /** The latest of their times; null when there is none. */
  readonly untilMs: number | null;
  /** Further custodians with a receipt in force that were not seen for a day: they may have gone for ever. */
  readonly unseen: number;
}

export function heldNow(placement: Placement, custodians: readonly Custodian[], nowMs: number): Held {
  const inForce = placement.holdings.filter(holding => holding.state === 'held' && holding.untilMs > nowMs);
  const byId = new Map(custodians.map(custodian => [custodian.id, custodian]));
  const seen = inForce.filter(({ custodian }) => seenLately(byId.get(custodian), nowMs));
  const untilMs = seen.length === 0 ? null : Math.max(...seen.map(holding => holding.untilMs));
  return { heldBy: seen.length, untilMs, unseen: inForce.length - seen.length };
}

/** Best first: by uptime in steps of a sixteenth, so that nearly equal ones share the load by a keyed hash. */
export function rankCustodians(
  custodians: readonly Custodian[],
  tieKey: Uint8Array,
  envelopeId: EnvelopeId,
): Custodian[] {
  const step = (custodian: Custodian): number => Math.round(custodian.uptime * 16);
  return custodians
    .map(custodian => ({ custodian, tie: keyedBlake2b(16, tieKey, idBytes(custodian.id), envelopeId) }))
    .sort((a, b) => step(b.custodian) - step(a.custodian) || compareBytes(a.tie, b.tie))
    .map(({ custodian }) => custodian);
}

function look(before: Placement, context: PlacementContext): PlacementStep {
  const { nowMs } = context;
  const directUntilMs = before.sentAtMs + LIMITS.placeAfterMs;
  // A clock set back must not make the wait longer than it was at the start.
  const stillDirect = nowMs < directUntilMs && nowMs >= before.sentAtMs;
  if (before.phase === 'waiting' && context.recipientConnected && stillDirect) {
    return { placement: before, outputs: [{ kind: 'wake', atMs: directUntilMs }] };
  }
  const byId = new Map(context.custodians.map(custodian => [custodian.id, custodian]));
  const holdings = before.holdings.flatMap(holding => reviewed(holding, byId.get(holding.custodian), nowMs));
  const inForce = (holding: Holding): boolean =>
    holding.state === 'held' && holding.untilMs > nowMs && seenLately(byId.get(holding.custodian), nowMs);
  const counted = holdings.filter(holding => holding.state === 'asked' || inForce(holding));
  const rule = context.copies ?? COPIES;
  const wanted = copiesWanted(rule, nowMs - before.sentAtMs) - counted.length;
  const room = Math.max(0, LIMITS.holdings - holdings.length);
  const taken = new Set(holdings.map(holding => holding.custodian));
  const free = context.custodians.filter(({ id, connected }) => connected && id !== before.recipient && !taken.has(id));
  const count = Math.min(wanted, room);
  const chosen = count > 0 ? rankCustodians(free, context.tieKey, before.envelopeId).slice(0, count) : [];
  const asked = chosen.map(({ id }): Holding => ({ custodian: id, state: 'asked', atMs: nowMs, untilMs: 0 }));
  const placement: Placement = { ...before, phase: 'placing', holdings: [...holdings, ...asked] };
  const outputs: PlacementOutput[] = chosen.map(({ id }) => ({ kind: 'deposit', custodian: id }));
  const waiting = placement.holdings.filter(holding => holding.state === 'asked').map(holding => holding.atMs);
  if (waiting.length > 0) outputs.push({ kind: 'wake', atMs: Math.min(...waiting) + LIMITS.depositAnswerMs });
  if (rule.more > 0 && free.length > chosen.length && room > chosen.length) {
    outputs.push({ kind: 'wake', atMs: nextStepMs(rule, before.sentAtMs, nowMs) });
  }
  return { placement, outputs };
}

/** Copies wanted of an envelope of this age. */
export function copiesWanted({ first, more, everyMs }: CopiesRule, ageMs: number): number {
  // Set back, a clock must not ask for fewer than at the start.
  return first + more * Math.max(0, Math.floor(ageMs / everyMs));
}

function nextStepMs({ everyMs }: CopiesRule, sentAtMs: number, nowMs: number): number {
  return sentAtMs + everyMs * Math.max(1, Math.floor((nowMs - sentAtMs) / everyMs) + 1);
}

/** What time and a lost connection make of a holding; nothing when it is to be forgotten. */
function reviewed(holding: Holding, custodian: Custodian | undefined, nowMs: number): Holding[] {
  switch (holding.state) {
    case 'asked':
      // It may have stored the envelope and the receipt was lost: asked again when it comes back, it says so.
      if (!custodian?.connected) return [];
      return Math.abs(nowMs - holding.atMs) < LIMITS.depositAnswerMs
        ? [holding]
        : [{ ...holding, state: 'refused', atMs: nowMs }];
    case 'held':
      // Past its time it counts no more; it is kept, because it may be the clock that is wrong.
      return [holding];
    case 'refused':
      return Math.abs(nowMs - holding.atMs) < LIMITS.custodianUnseenMs ? [holding] : [];
  }
}

function withHolding(
  placement: Placement,
  custodian: ContactId,
  state: 'held' | 'refused',
  nowMs: number,
  untilMs: number,
): Placement {
  const known = placement.holdings.find(holding => holding.custodian === custodian);
  // What was never asked of it, a contact cannot refuse or lose; a receipt proves itself.
  if (!known && state !== 'held') return placement;
  const others = placement.holdings.filter(holding => holding !== known);
  return { ...placement, holdings: [...others, { custodian, state, atMs: nowMs, untilMs }] };
}

function end(placement: Placement): PlacementStep {
  const outputs = placement.holdings
    .filter(holding => holding.state === 'held' || holding.state === 'asked')
    .map(({ custodian }): PlacementOutput => ({ kind: 'release', custodian }));
  return { placement: { ...placement, phase: 'ended', holdings: [] }, outputs };
}

function releaseLate(placement: Placement, { custodian }: { custodian: ContactId }): PlacementStep {
  return { placement, outputs: [{ kind: 'release', custodian }] };
}

function seenLately(custodian: Custodian | undefined, nowMs: number): boolean {
  if (!custodian) return false;
  return (
    custodian.connected || (custodian.lastSeenMs !== null && nowMs - custodian.lastSeenMs < LIMITS.custodianUnseenMs)
  );
}

function same(placement: Placement): PlacementStep {
  return { placement, outputs: [] };
}
