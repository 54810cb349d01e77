import { readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { AuthError } from '../base/errors.ts';
import { diskError, isFullError, replaceFile } from './file-system.io.ts';
import { decodeDelay, delayAfterTry, delayAt, encodeDelay, NO_DELAY, type UnlockDelay } from './unlock-delay.ts';

export const DELAY_FILE = 'unlock.delay';

/** Too early for another passphrase. */
export class UnlockDelayedError extends AuthError {
  readonly allowedAtMs: number;

  constructor(allowedAtMs: number, nowMs: number) {
    const seconds = Math.max(1, Math.ceil((allowedAtMs - nowMs) / 1000));
    super('unlock-delayed', 'vault.open', `The passphrase was wrong before. Try again in ${seconds} s.`);
    this.allowedAtMs = allowedAtMs;
  }
}

/** When the next passphrase may be tried; 0 when at once. */
export function unlockAllowedAt(folder: string, nowMs: number): number {
  const { allowedAtMs } = delayAt(read(folder), nowMs);
  return allowedAtMs > nowMs ? allowedAtMs : 0;
}

/**
 * Counts a try before it is judged.
 * @throws UnlockDelayedError too early: nothing is tried
 */
export function beginTry(folder: string, nowMs: number): void {
  const recorded = read(folder);
  const delay = delayAt(recorded, nowMs);
  const early = delay.allowedAtMs > nowMs;
  const next = early ? delay : delayAfterTry(delay, nowMs);
  try {
    if (next !== recorded) replaceFile(join(folder, DELAY_FILE), encodeDelay(next));
  } catch (cause) {
    // without the note a wrong try would cost nothing
    throw diskError('vault.open', cause, isFullError(cause));
  }
  if (early) throw new UnlockDelayedError(delay.allowedAtMs, nowMs);
}

export function endTries(folder: string): void {
  rmSync(join(folder, DELAY_FILE), { force: true });
}

/** A file that cannot be read counts as none: who can damage it can remove it. */
function read(folder: string): UnlockDelay {
  try {
    return decodeDelay(readFileSync(join(folder, DELAY_FILE)));
  } catch {
    return NO_DELAY;
  }
}
