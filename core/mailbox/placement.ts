import { within } from '../base/clock.ts';
import type { ContactId, EnvelopeId } from '../base/ids.ts';
import { LIMITS } from '../base/limits.ts';
import { bestCustodians, inForce, RECEIPT_MS, seenLately, sorted } from './custodians.ts';

/**
 * Where one envelope is held while its recipient is away: a pure machine, one an envelope of the outbox
 * (docs/protocol/mailbox.md §4, with the state diagram).
 *
 *   waiting --recipient away, or 10 s without `stored`--> placing --stored by the recipient, delivered, expired--> ended
 *
 * A holding:  asked --receipt--> held --gone--> refused --a day--> may be asked again
 *             asked --refused, or no answer--> refused
 *             asked --lost--> may be asked again
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
  /** Of `held`: until when, by the receipt. Else when it came into this state. */
  readonly timeMs: number;
}

/** A contact that holds for others, or did once, as seen now. */
export interface Custodian {
  readonly id: ContactId;
  /** May be asked now. Who may not is still counted for what it has promised. */
  readonly willing: boolean;
  readonly connected: boolean;
  readonly lastSeenMs: number | null;
  /** uptimeShare */
  readonly uptime: number;
}

export interface PlacementContext {
  readonly nowMs: number;
  readonly recipientConnected: boolean;
  readonly custodians: readonly Custodian[];
  /** When a custodian last answered anything on the line now open: on a slow one answers come one after another. */
  readonly answeredMs?: (custodian: ContactId) => number | undefined;
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
  /** It was asked, and what it answers will not be known; whether it is asked again is for `willing` to say. */
  | { readonly kind: 'lost'; readonly custodian: ContactId }
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
      return look(
        withHolding(placement, { custodian: input.custodian, state: 'held', timeMs: input.untilMs }),
        context,
      );
    case 'refused':
    case 'gone':
      return look(
        withHolding(placement, { custodian: input.custodian, state: 'refused', timeMs: context.nowMs }),
        context,
      );
    case 'lost':
      return look(withoutAsked(placement, input.custodian), context);
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

export function heldNow(
  { holdings }: Pick<Placement, 'holdings'>,
  custodians: readonly Custodian[],
  nowMs: number,
): Held {
  const valid = holdings.filter(({ state, timeMs }) => state === 'held' && inForce(timeMs, nowMs));
  const { byId } = sorted(custodians);
  const seen = valid.filter(({ custodian }) => seenLately(byId.get(custodian), nowMs));
  const untilMs = seen.length === 0 ? null : Math.max(...seen.map(({ timeMs }) => timeMs));
  return { heldBy: seen.length, untilMs, unseen: valid.length - seen.length };
}

/** Copies that are to be found yet: 0 when there are enough, or no more can be remembered. */
export function missingCopies(placement: Pick<Placement, 'sentAtMs' | 'holdings'>, context: PlacementContext): number {
  const { nowMs, custodians, copies = COPIES } = context;
  const { byId } = sorted(custodians);
  const counts = ({ custodian, state, timeMs }: Holding): boolean =>
    state === 'asked' || (state === 'held' && inForce(timeMs, nowMs) && seenLately(byId.get(custodian), nowMs));
  const wanted = copiesWanted(copies, nowMs - placement.sentAtMs) - placement.holdings.filter(counts).length;
  return Math.max(0, Math.min(wanted, LIMITS.holdings - placement.holdings.length));
}

/** When time alone changes something next: a receipt begins or ends, or one that refused may be asked again. */
export function nextChangeMs({ holdings }: Placement, nowMs: number): number {
  let next = Number.POSITIVE_INFINITY;
  for (const { state, timeMs } of holdings) {
    if (state === 'asked') continue;
    // A receipt that seems to last too long will be in force when the clock is right.
    const times = state === 'refused' ? [timeMs + LIMITS.custodianUnseenMs] : [timeMs - RECEIPT_MS, timeMs];
    for (const atMs of times) if (atMs > nowMs) next = Math.min(next, atMs);
  }
  return next;
}

function look(before: Placement, context: PlacementContext): PlacementStep {
  const { nowMs } = context;
  const directUntilMs = before.sentAtMs + LIMITS.placeAfterMs;
  // A clock set back must not make the wait longer than it was at the start.
  const stillDirect = nowMs < directUntilMs && nowMs >= before.sentAtMs;
  if (before.phase === 'waiting' && context.recipientConnected && stillDirect) {
    return { placement: before, outputs: [{ kind: 'wake', atMs: directUntilMs }] };
  }
  const { byId, ready } = sorted(context.custodians);
  const holdings = reviewedAll(before.holdings, byId, context);
  const looked: Placement = { ...before, phase: 'placing', holdings };
  const rule = context.copies ?? COPIES;
  const taken = new Set(holdings.map(holding => holding.custodian));
  const free = ready.filter(({ id }) => id !== before.recipient && !taken.has(id));
  const count = free.length === 0 ? 0 : missingCopies(looked, context);
  const { tieKey } = context;
  const chosen = count > 0 ? bestCustodians(free, count, { tieKey, envelopeId: before.envelopeId }) : [];
  const asked = chosen.map((custodian): Holding => ({ custodian, state: 'asked', timeMs: nowMs }));
  const placement = chosen.length > 0 ? { ...looked, holdings: [...holdings, ...asked] } : looked;
  const outputs: PlacementOutput[] = chosen.map(custodian => ({ kind: 'deposit', custodian }));
  const waiting = placement.holdings.flatMap(holding => answerDueMs(holding, context) ?? []);
  if (waiting.length > 0) outputs.push({ kind: 'wake', atMs: Math.min(...waiting) });
  if (rule.more > 0 && free.length > chosen.length && placement.holdings.length < LIMITS.holdings) {
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

/** The same list when nothing has changed. */
function reviewedAll(
  holdings: readonly Holding[],
  byId: ReadonlyMap<ContactId, Custodian>,
  context: PlacementContext,
): readonly Holding[] {
  const after = holdings.flatMap(holding => reviewed(holding, byId.get(holding.custodian), context));
  const changed = after.length !== holdings.length || after.some((holding, at) => holding !== holdings[at]);
  return changed ? after : holdings;
}

/** What time and a lost connection make of a holding; nothing when it is to be forgotten. */
function reviewed(holding: Holding, custodian: Custodian | undefined, context: PlacementContext): Holding[] {
  const { nowMs } = context;
  switch (holding.state) {
    case 'asked':
      // It may have stored the envelope and the receipt was lost: asked again when it comes back, it says so.
      if (!custodian?.connected) return [];
      return answerDueMs(holding, context) === undefined
        ? [{ ...holding, state: 'refused', timeMs: nowMs }]
        : [holding];
    case 'held':
      // Past its time it counts no more; it is kept, because it may be the clock that is wrong.
      return [holding];
    case 'refused':
      return within(holding.timeMs, LIMITS.custodianUnseenMs, nowMs) ? [holding] : [];
  }
}

/** Until when an answer is waited for, counted from the asking or the last answer on the line; undefined: it is over. */
function answerDueMs({ state, custodian, timeMs }: Holding, context: PlacementContext): number | undefined {
  if (state !== 'asked') return undefined;
  const { nowMs, answeredMs } = context;
  const alive = [timeMs, answeredMs?.(custodian) ?? timeMs].filter(ms => within(ms, LIMITS.depositAnswerMs, nowMs));
  return alive.length === 0 ? undefined : Math.max(...alive) + LIMITS.depositAnswerMs;
}

function withHolding(placement: Placement, holding: Holding): Placement {
  const known = placement.holdings.find(({ custodian }) => custodian === holding.custodian);
  // What was never asked of it, a contact cannot refuse or lose; a receipt proves itself.
  if (!known && holding.state !== 'held') return placement;
  return { ...placement, holdings: [...placement.holdings.filter(other => other !== known), holding] };
}

function withoutAsked(placement: Placement, custodian: ContactId): Placement {
  const holdings = placement.holdings.filter(holding => holding.custodian !== custodian || holding.state !== 'asked');
  return { ...placement, holdings };
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

function same(placement: Placement): PlacementStep {
  return { placement, outputs: [] };
}
