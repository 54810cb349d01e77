import { LIMITS } from '../base/limits.ts';
import { decodeCbor, encodeCbor, Shape } from '../wire/cbor.ts';

/** What is remembered of wrong passphrases, on disk, across restarts. */
export interface UnlockDelay {
  readonly failures: number;
  /** When this was written, by the clock of that moment. */
  readonly writtenAtMs: number;
  readonly allowedAtMs: number;
}

export const NO_DELAY: UnlockDelay = { failures: 0, writtenAtMs: 0, allowedAtMs: 0 };
const shape = new Shape('unlock.delay');

/** The delay after so many wrong tries in a row: 1 s, 2 s, 4 s ... */
export function delayAfter(failures: number): number {
  if (failures <= 0) return 0;
  return Math.min(LIMITS.unlockDelayFirstMs * 2 ** Math.min(failures - 1, 30), LIMITS.unlockDelayLastMs);
}

/**
 * The delay as it stands at `nowMs`. A clock set back neither shortens the wait nor makes it longer than the delay
 * itself: it begins anew from now.
 */
export function delayAt(delay: UnlockDelay, nowMs: number): UnlockDelay {
  const whole = delayAfter(delay.failures);
  if (nowMs >= delay.writtenAtMs && delay.allowedAtMs - nowMs <= whole) return delay;
  return { failures: delay.failures, writtenAtMs: nowMs, allowedAtMs: nowMs + whole };
}

/** To be written before a try is judged: a crash in between counts as a wrong try. */
export function delayAfterTry(delay: UnlockDelay, nowMs: number): UnlockDelay {
  const failures = Math.min(delay.failures + 1, 1000);
  return { failures, writtenAtMs: nowMs, allowedAtMs: nowMs + delayAfter(failures) };
}

export function encodeDelay(delay: UnlockDelay): Buffer {
  return encodeCbor([delay.failures, delay.writtenAtMs, delay.allowedAtMs]);
}

/** @throws DecodeError */
export function decodeDelay(bytes: Uint8Array): UnlockDelay {
  const [failures, writtenAtMs, allowedAtMs] = shape.tuple(decodeCbor(bytes, 64, 'unlock.delay'), 3);
  return {
    failures: shape.uint(failures, 1000),
    writtenAtMs: shape.uint(writtenAtMs),
    allowedAtMs: shape.uint(allowedAtMs),
  };
}
