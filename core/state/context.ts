import type { Clock, RandomSource, Scheduler } from '../base/clock.ts';
import type { ContactId } from '../base/ids.ts';
import type { ContactRecord } from '../storage/records.ts';
import type { Store } from '../storage/store.ts';
import type { Account } from './account.ts';
import type { Bus } from './bus.ts';
import type { CoreEvent } from './events.ts';

/** What every service of an unlocked profile stands on. */
export interface Context {
  readonly store: Store;
  readonly account: Account;
  readonly clock: Clock;
  readonly random: RandomSource;
  readonly scheduler: Scheduler;
  readonly bus: Bus<CoreEvent>;
  readonly sequence: OutboxSequence;
  /** Only addresses given by the user, and those the two sides of an invite told each other, are dialed. */
  readonly offline?: boolean;
  /** Told after a commit that put envelopes into a contact's outbox. */
  outboxChanged(contact: ContactId): void;
  /** Changes a contact's row in its own turn, and tells `contact-changed`; a failure is not told. */
  changeContact(contact: ContactId, change: Partial<ContactRecord>): void;
}

/** The running number of the outbox: wall-clock time in 1/64 ms (48 bits until 2109), never twice the same. */
export class OutboxSequence {
  #last = 0;
  readonly #clock: Clock;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  next(): number {
    this.#last = Math.max(this.#clock() * 64, this.#last + 1);
    return this.#last;
  }
}
