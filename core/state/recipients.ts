import { hex } from '../base/bytes.ts';
import type { ContactId } from '../base/ids.ts';
import { currentTags, dayOf, deriveMailboxKeys, wipeMailboxKeys } from '../crypto/mailbox-seal.ts';
import type { Context } from './context.ts';

/** Whose the mailbox tags in use are, as far as they are the own ones or a contact's. */
export class Recipients {
  readonly #context: Context;
  #day = -1;
  #owners = new Map<string, ContactId>();

  constructor(context: Context) {
    this.#context = context;
  }

  /** The own id for an own tag; undefined for a tag of nobody known. */
  of(tag: Uint8Array): ContactId | undefined {
    const { clock, store } = this.#context;
    const day = dayOf(clock());
    if (day !== this.#day) {
      this.#owners = store.reading(() => this.#tagsInUse());
      this.#day = day;
    }
    return this.#owners.get(hex(tag));
  }

  /** Contacts have come, gone or changed. */
  forget(): void {
    this.#day = -1;
  }

  #tagsInUse(): Map<string, ContactId> {
    const { account, clock, store } = this.#context;
    const nowMs = clock();
    const owners = new Map<string, ContactId>();
    for (const { id, mailboxKey } of store.contacts.list()) {
      const keys = deriveMailboxKeys(mailboxKey);
      for (const tag of currentTags(keys, nowMs)) owners.set(hex(tag), id);
      wipeMailboxKeys(keys);
    }
    // Last, so that no contact's key can claim them.
    for (const tag of currentTags(account.mailbox, nowMs)) owners.set(hex(tag), account.id);
    return owners;
  }
}
