import { compareBytes } from '../base/bytes.ts';
import { within } from '../base/clock.ts';
import { keyedBlake2b } from '../base/hash.ts';
import { type ContactId, type EnvelopeId, idBytes } from '../base/ids.ts';
import { LIMITS } from '../base/limits.ts';
import type { Custodian } from './placement.ts';

export interface Sorted {
  readonly byId: ReadonlyMap<ContactId, Custodian>;
  /** Those that can be asked now. */
  readonly ready: readonly Custodian[];
}

/** Thousands of envelopes are looked at with one list. */
const SORTED = new WeakMap<readonly Custodian[], Sorted>();

export function sorted(custodians: readonly Custodian[]): Sorted {
  const known = SORTED.get(custodians);
  if (known) return known;
  const byId = new Map(custodians.map(custodian => [custodian.id, custodian]));
  const fresh = { byId, ready: custodians.filter(({ connected, willing }) => connected && willing) };
  SORTED.set(custodians, fresh);
  return fresh;
}

export function seenLately(custodian: Custodian | undefined, nowMs: number): boolean {
  if (!custodian) return false;
  return (
    custodian.connected ||
    (custodian.lastSeenMs !== null && within(custodian.lastSeenMs, LIMITS.custodianUnseenMs, nowMs))
  );
}

/** From now a receipt lasts no longer than this; one that says more is judged by a clock that is wrong. */
export const RECEIPT_MS = LIMITS.envelopeLifetimeMs + LIMITS.clockSkewMs;

export function inForce(untilMs: number, nowMs: number): boolean {
  return untilMs > nowMs && untilMs <= nowMs + RECEIPT_MS;
}

/**
 * The best `count`: by uptime in steps of a sixteenth, so that nearly equal ones share the load by a keyed hash, which
 * is made only where it settles something.
 */
export function bestCustodians(
  custodians: readonly Custodian[],
  count: number,
  { tieKey, envelopeId }: { readonly tieKey: Uint8Array; readonly envelopeId: EnvelopeId },
): ContactId[] {
  const best: ContactId[] = [];
  const steps = Map.groupBy(custodians, ({ uptime }) => Math.round(uptime * 16));
  for (const step of [...steps.keys()].sort((a, b) => b - a)) {
    if (best.length >= count) break;
    const equals = (steps.get(step) ?? []).map(({ id }) => ({
      id,
      tie: keyedBlake2b(16, tieKey, idBytes(id), envelopeId),
    }));
    best.push(...equals.sort((a, b) => compareBytes(a.tie, b.tie)).map(({ id }) => id));
  }
  return best.slice(0, count);
}
