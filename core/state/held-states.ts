import type { MessageId } from '../base/ids.ts';
import { type Held, heldNow } from '../mailbox/placement.ts';
import type { Context } from './context.ts';
import type { LeftOut } from './left-out.ts';
import type { Placed, PlacedEnvelopes } from './placed.ts';
import type { Presence } from './presence.ts';
import { storedHoldingsOf } from './stored-places.ts';

export const NOBODY: Held = { heldBy: 0, untilMs: null, unseen: 0 };

/** Tells `message-held` when it is another than was told last: held, held no more, or by nobody seen for a day. */
export class HeldStates {
  readonly #context: Context;
  readonly #presence: Presence;
  readonly #placed: PlacedEnvelopes;
  readonly #leftOut: LeftOut;
  /** Only of texts for which it was another than nobody. */
  readonly #told = new Map<MessageId, Held>();

  constructor(context: Context, presence: Presence, placed: PlacedEnvelopes, leftOut: LeftOut) {
    this.#context = context;
    this.#presence = presence;
    this.#placed = placed;
    this.#leftOut = leftOut;
  }

  /** By whom a text is held, by receipts in force. */
  of(message: MessageId): Held {
    const placed = this.#placed.ofMessage(message);
    const kept = placed.flatMap(each => this.#placed.holdings(each));
    const unknown = placed.length === 0 && this.#leftOut.some;
    const holdings = unknown ? storedHoldingsOf(this.#context.store, message) : kept;
    // With one custodian in several envelopes it is one that holds.
    const latest = new Map([...holdings].sort((a, b) => a.timeMs - b.timeMs).map(item => [item.custodian, item]));
    return heldNow({ holdings: [...latest.values()] }, this.#presence.custodians(), this.#context.clock());
  }

  /** What whoever asks is shown from the start. */
  known(id: MessageId): void {
    const held = this.of(id);
    if (!equal(held, NOBODY)) this.#told.set(id, held);
  }

  /** With its last envelope. */
  forget(id: MessageId | null): void {
    if (id && this.#placed.ofMessage(id).length === 0) this.#told.delete(id);
  }

  tell({ messageId: id, recipient }: Placed): void {
    const held = id && this.of(id);
    if (!held || equal(held, this.#told.get(id) ?? NOBODY)) return;
    const { store, clock, bus } = this.#context;
    const conversation = store.contacts.get(recipient)?.conversation;
    if (!conversation || store.messages.stateOf(id)?.state !== 'queued') return;
    this.#told.set(id, held);
    bus.emit({ type: 'message-held', id, conversation, held, atMs: clock() });
  }
}

function equal(a: Held, b: Held): boolean {
  return a.heldBy === b.heldBy && a.untilMs === b.untilMs && a.unseen === b.unseen;
}
