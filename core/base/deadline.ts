import { HOUR_MS } from './clock.ts';
import { LIMITS } from './limits.ts';

/** `anew`: the clock was set while this waited, or the program was away for long; its time begins again. */
export type DeadlineVerdict = 'waits' | 'over' | 'anew';

/**
 * Judges the end of something that is kept for a while, by a wall clock that may be set to anything. The program looks
 * every minute, and after a pause: an end that lies further back than it can have been away, or further ahead than
 * it can have been set, was told or is judged by a wrong clock. Nothing is let go for that, and nothing stays for ever.
 * @param lifetimeMs how long it is kept at most
 */
export function judgeDeadline(deadlineMs: number, lifetimeMs: number, nowMs: number): DeadlineVerdict {
  if (deadlineMs > nowMs + lifetimeMs + LIMITS.clockSkewMs + HOUR_MS) return 'anew';
  if (deadlineMs > nowMs) return 'waits';
  return deadlineMs > nowMs - LIMITS.believedGapMs ? 'over' : 'anew';
}
