import type { Clock, RandomSource, Scheduler } from '../base/clock.ts';
import type { ContactId, EnvelopeId, GroupId, MessageId } from '../base/ids.ts';
import type { ContactRecord } from '../storage/records.ts';
import type { Store, WriteTx } from '../storage/store.ts';
import type { Stamp } from '../wire/stamp.ts';
import type { Account } from './account.ts';
import type { Bus } from './bus.ts';
import type { CoreEvent } from './events.ts';
import type { Gaps } from './gaps.ts';
import type { Hearing } from './groups/spreading.ts';
import type { Posted } from './placing.ts';

/** What every service of an unlocked profile stands on. */
export interface Context {
  readonly store: Store;
  readonly account: Account;
  readonly clock: Clock;
  /** Goes on evenly whatever the clock is set to, and stands still while the machine sleeps. */
  readonly monotonic: Clock;
  readonly random: RandomSource;
  readonly scheduler: Scheduler;
  readonly bus: Bus<CoreEvent>;
  readonly sequence: OutboxSequence;
  readonly gaps: Gaps;
  /** Only addresses given by the user, and those the two sides of an invite told each other, are dialed. */
  readonly offline?: boolean;
  /** The next stamp for `contact`, and its count's part in the write that keeps what the stamp stands on. */
  stamp(contact: ContactId): { readonly stamp: Stamp; readonly put: (tx: WriteTx) => void };
  /** Told after a commit that put envelopes into a contact's outbox. */
  outboxChanged(contact: ContactId, posted: readonly Posted[]): void;
  /** Whether an envelope with this own text waits in the outbox. */
  carried(message: MessageId): boolean;
  /** Told after envelopes have left the outbox. */
  outboxEnded(ids: readonly EnvelopeId[]): void;
  /** Told after everything in a contact's outbox was dropped. */
  outboxDropped(contact: ContactId): void;
  /** Told after own texts were delivered, or have expired. */
  messagesEnded(ids: readonly MessageId[]): void;
  /** Whether a contact is connected now, and whether it hears what bears this tag of a group. */
  hearing(contact: ContactId, tag: Uint8Array): Hearing;
  /** Told after something for a group was put into its inbox. */
  groupMail(group: GroupId): void;
  /** Told after contents for a contact were left to wait for its session. */
  pendingAdded(contact: ContactId): void;
  /** Told after a new session is durable. */
  sessionMade(): void;
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

  /** The outbox holds this number already: a clock set back since then must not give a lower one. */
  above(sequence: number): void {
    this.#last = Math.max(this.#last, sequence);
  }

  next(): number {
    this.#last = Math.max(this.#clock() * 64, this.#last + 1);
    return this.#last;
  }
}
