import { HOUR_MS } from '../base/clock.ts';
import { LIMITS } from '../base/limits.ts';

/**
 * The clock by which what is held grows old (docs/protocol/mailbox.md §5). It only moves forward, and it follows time
 * that has passed rather than what the wall clock says: an envelope is held for its seven days whatever the clock is
 * set to, and a clock set back does not make it stay.
 *
 * - While the program runs, it advances by the monotonic clock.
 * - What the wall clock has moved beyond that (sleep, switched off, set by hand) is believed up to
 *   LIMITS.believedGapMs; a longer gap is taken for a wrong clock, and counts as nothing. After a true absence that
 *   long the envelopes are held for the rest of their days, and their recipients refuse what has expired.
 */
export interface HoldingClock {
  /** Milliseconds; begins at the wall clock's time and has no meaning but its differences. */
  readonly forwardMs: number;
  /** The last readings. */
  readonly wallMs: number;
  readonly monotonicMs: number;
}

export interface ClockReading {
  readonly wallMs: number;
  /** Never goes back while the program runs; starts anywhere. */
  readonly monotonicMs: number;
}

/** What is stored of a clock: the monotonic reading means nothing in the next start. */
export type StoredHoldingClock = Pick<HoldingClock, 'forwardMs' | 'wallMs'>;

export function startHoldingClock(stored: StoredHoldingClock | undefined, now: ClockReading): HoldingClock {
  if (!stored) return { forwardMs: now.wallMs, ...now };
  return { forwardMs: stored.forwardMs + believedGap(now.wallMs - stored.wallMs), ...now };
}

export function advanceHoldingClock(clock: HoldingClock, now: ClockReading): HoldingClock {
  const ranMs = Math.max(0, now.monotonicMs - clock.monotonicMs);
  const gapMs = believedGap(now.wallMs - clock.wallMs - ranMs);
  return { forwardMs: clock.forwardMs + ranMs + gapMs, ...now };
}

/**
 * How long an envelope that arrives now is held: to its own expiry, and never longer than a lifetime.
 * @returns milliseconds, or null: it has expired, or claims a lifetime that no envelope has (a clock is wrong)
 */
export function holdingTimeMs(expiresAtHours: number, wallMs: number): number | null {
  const leftMs = expiresAtHours * HOUR_MS - wallMs;
  if (leftMs <= 0 || leftMs > LIMITS.envelopeLifetimeMs + LIMITS.clockSkewMs + HOUR_MS) return null;
  return Math.min(leftMs, LIMITS.envelopeLifetimeMs);
}

function believedGap(gapMs: number): number {
  return gapMs > 0 && gapMs <= LIMITS.believedGapMs ? gapMs : 0;
}
