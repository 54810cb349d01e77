import { DAY_MS, HOUR_MS, MINUTE_MS } from '../core/base/clock.ts';
import { LIMITS } from '../core/base/limits.ts';
import type { CopiesRule } from '../core/mailbox/placement.ts';

/** Exactly `k` copies, however long it takes. */
export function exactly(k: number): CopiesRule {
  return { first: k, more: 0, everyMs: DAY_MS };
}

const first = LIMITS.custodians;

/** What was tried before the product's rule was chosen (docs/decisions/0008-copies-grow-with-age.md). */
export const RIVALS: readonly (readonly [name: string, rule: CopiesRule])[] = [
  ['exactly 3', exactly(first)],
  ['3, 1 more a day', { first, more: 1, everyMs: DAY_MS }],
  ['3, 3 more a day', { first, more: 3, everyMs: DAY_MS }],
  ['3, 1 more an hour', { first, more: 1, everyMs: HOUR_MS }],
  ['3, 3 more an hour', { first, more: 3, everyMs: HOUR_MS }],
  ['3, 3 more in 10 min', { first, more: 3, everyMs: 10 * MINUTE_MS }],
  ['3, 1 more a minute', { first, more: 1, everyMs: MINUTE_MS }],
  ['3, 3 more a minute', { first, more: 3, everyMs: MINUTE_MS }],
  ['all at once', exactly(LIMITS.holdings)],
];
