import type { ContactId, MessageId } from '../base/ids.ts';
import type { Held } from '../mailbox/placement.ts';
import type { Context } from './context.ts';

export const NOBODY: Held = { heldBy: 0, untilMs: null, unseen: 0 };

/** Tells `message-held` when it is another than was told last: held, held no more, or by nobody seen for a day. */
export class HeldStates {
  readonly #context: Context;
  /** Only of texts for which it was another than nobody. */
  readonly #told = new Map<MessageId, Held>();

  constructor(context: Context) {
    this.#context = context;
  }

  /** What whoever asks is shown from the start. */
  known(id: MessageId, held: Held): void {
    if (!equal(held, NOBODY)) this.#told.set(id, held);
  }

  forget(id: MessageId): void {
    this.#told.delete(id);
  }

  tell(id: MessageId, recipient: ContactId, held: Held): void {
    if (equal(held, this.#told.get(id) ?? NOBODY)) return;
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
