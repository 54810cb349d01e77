import type { ContactId, MessageId } from '../base/ids.ts';
import type { Store } from '../storage/store.ts';
import { storedPagesOf } from './stored-places.ts';

/** Recipients with envelopes in the outbox that are not kept in mind; which texts those carry, the store knows. */
export class LeftOut {
  readonly #store: Store;
  readonly #recipients = new Set<ContactId>();
  /** Read when first asked for, and kept until the next sweep. */
  readonly #texts = new Map<ContactId, ReadonlySet<MessageId>>();

  constructor(store: Store) {
    this.#store = store;
  }

  get some(): boolean {
    return this.#recipients.size > 0;
  }

  add(recipient: ContactId): void {
    this.#recipients.add(recipient);
    this.#texts.delete(recipient);
  }

  /** Everything is to be taken up again. */
  clear(): void {
    this.#recipients.clear();
    this.#texts.clear();
  }

  sweep(): void {
    this.#texts.clear();
  }

  /** Whether the outbox has an envelope of one of these recipients with this text. */
  carries(message: MessageId): boolean {
    for (const recipient of this.#recipients) if (this.#textsFor(recipient).has(message)) return true;
    return false;
  }

  #textsFor(recipient: ContactId): ReadonlySet<MessageId> {
    const known = this.#texts.get(recipient);
    if (known) return known;
    const texts = new Set<MessageId>();
    for (const page of storedPagesOf(this.#store, recipient)) {
      for (const { messageId } of page) if (messageId) texts.add(messageId);
    }
    this.#texts.set(recipient, texts);
    return texts;
  }
}
