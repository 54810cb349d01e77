import type { PlacementInput } from '../mailbox/placement.ts';
import type { Refusals } from '../mailbox/refusals.ts';
import type { Context } from './context.ts';
import type { Placed, PlacedEnvelopes } from './placed.ts';
import type { PlacingView } from './placing-view.ts';
import type { Presence } from './presence.ts';

/** What placing shares with its parts. */
export interface PlacingParts {
  readonly context: Context;
  readonly presence: Presence;
  readonly placed: PlacedEnvelopes;
  readonly refusals: Refusals;
  /** The custodians as they are: made anew after `changed`. */
  view(): PlacingView;
  changed(): void;
  step(placed: Placed, input: PlacementInput): void;
  /** Soon, a few at a time. */
  lookAt(wanted: (placed: Placed) => boolean): void;
  /** Looks at what waited for a place on a line, where there is one now. */
  lookAtWaiting(): void;
}
