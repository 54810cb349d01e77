import type { ContactId } from '../base/ids.ts';
import { seenLately } from '../mailbox/custodians.ts';
import type { Custodian, PlacementContext } from '../mailbox/placement.ts';
import type { Refusals } from '../mailbox/refusals.ts';
import type { Context } from './context.ts';
import type { DepositLines } from './deposit-lines.ts';
import type { Presence } from './presence.ts';

/** The custodians as they are at one moment, for all the envelopes looked at in it. */
export class PlacingView {
  readonly nowMs: number;
  readonly custodians: readonly Custodian[];
  readonly #presence: Presence;
  readonly #refusals: Refusals;
  readonly #lines: DepositLines;
  readonly #tieKey: Buffer;
  /** Connected and willing, whether or not there is room on their lines. */
  readonly #ready: readonly Custodian[];
  readonly #open: ReadonlySet<ContactId>;
  readonly #contexts = new Map<ContactId, PlacementContext>();

  constructor({ clock, account }: Context, presence: Presence, lines: DepositLines, refusals: Refusals) {
    this.nowMs = clock();
    this.custodians = presence.custodians();
    this.#presence = presence;
    this.#refusals = refusals;
    this.#lines = lines;
    this.#tieKey = account.tieKey.use(key => Buffer.from(key));
    this.#ready = this.custodians.filter(({ connected, willing }) => connected && willing);
    this.#open = new Set(this.#ready.map(({ id }) => id).filter(id => lines.isOpen(id)));
  }

  /** What the placement of an envelope for this recipient goes by. */
  of(recipient: ContactId): PlacementContext {
    const known = this.#contexts.get(recipient);
    if (known) return known;
    const { nowMs } = this;
    const custodians = this.custodians.map(custodian =>
      custodian.willing && !this.#canAsk(custodian.id, recipient) ? { ...custodian, willing: false } : custodian,
    );
    const recipientConnected = this.#presence.isConnected(recipient);
    const answeredMs = (custodian: ContactId) => this.#lines.answeredMs(custodian);
    const context = { nowMs, recipientConnected, custodians, answeredMs, tieKey: this.#tieKey };
    this.#contexts.set(recipient, context);
    return context;
  }

  /** Who would be asked for this recipient if its line were open. */
  heldUp(recipient: ContactId): ContactId[] {
    return this.#ready.map(({ id }) => id).filter(id => !this.#open.has(id) && this.#takes(id, recipient));
  }

  /** Contacts that count for what they hold. */
  seen(): Set<ContactId> {
    return new Set(this.custodians.filter(item => seenLately(item, this.nowMs)).map(({ id }) => id));
  }

  #canAsk(custodian: ContactId, recipient: ContactId): boolean {
    return this.#open.has(custodian) && this.#takes(custodian, recipient);
  }

  #takes(custodian: ContactId, recipient: ContactId): boolean {
    return custodian !== recipient && !this.#refusals.refuses(custodian, recipient, this.nowMs);
  }
}
