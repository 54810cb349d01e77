/** Milliseconds since 1970-01-01 UTC. Passed in; only `.io.ts` files read the real clock. */
export type Clock = () => number;

/** Returns `length` unpredictable bytes. Passed in; only `.io.ts` files reach the real generator. */
export type RandomSource = (length: number) => Buffer;

/** A handle that cancels a scheduled call. */
export type Cancel = () => void;

/** Calls back once after `delayMs`. Passed in so that tests can move time by hand. */
export type Scheduler = (delayMs: number, run: () => void) => Cancel;

export const SECOND_MS = 1_000;
export const MINUTE_MS = 60 * SECOND_MS;
export const HOUR_MS = 60 * MINUTE_MS;
export const DAY_MS = 24 * HOUR_MS;

/** Less than `spanMs` from `sinceMs`, before or after: a clock that was set must not make a span endless. */
export function within(sinceMs: number, spanMs: number, nowMs: number): boolean {
  return Math.abs(nowMs - sinceMs) < spanMs;
}
