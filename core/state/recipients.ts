import { hex } from '../base/bytes.ts';
import { DAY_MS } from '../base/clock.ts';
import type { ContactId } from '../base/ids.ts';
import { currentTags, dayOf, deriveMailboxKeys, wipeMailboxKeys } from '../crypto/mailbox-seal.ts';
import type { Context } from './context.ts';

/** What one mailbox key makes: the nine tags in use, and whoever says that the key is theirs. */
export interface Box {
  readonly tags: readonly Uint8Array[];
  /** The own id alone for the own tags; more than one when a contact's card names another's key. */
  readonly owners: readonly ContactId[];
}

/** Whose the mailbox tags in use are, as far as they are the own ones or a contact's. */
export class Recipients {
  readonly #context: Context;
  readonly #groupTags: () => readonly (readonly Uint8Array[])[];
  #day = -1;
  #boxes = new Map<string, Box>();

  /** @param groupTags of the own groups, nine a secret: nobody else's, so that no stranger is shown what bears them */
  constructor(context: Context, groupTags: () => readonly (readonly Uint8Array[])[] = () => []) {
    this.#context = context;
    this.#groupTags = groupTags;
  }

  /** The own id for an own tag, the earliest contact that claims it; undefined for a tag of nobody known. */
  of(tag: Uint8Array): ContactId | undefined {
    return this.box(tag)?.owners[0];
  }

  /** Undefined for a tag of nobody known, which is a box of its own. */
  box(tag: Uint8Array): Box | undefined {
    const { clock, store } = this.#context;
    const day = dayOf(clock());
    if (day !== this.#day) {
      this.#boxes = store.reading(() => this.#tagsInUse());
      this.#day = day;
    }
    return this.#boxes.get(hex(tag));
  }

  /**
   * Whether what bears this tag may go because `contact` has it. Mailbox keys stand in cards that many people have, so
   * a contact can claim another's: then everybody who claims it is served, and nobody empties it.
   */
  belongsTo(tag: Uint8Array, contact: ContactId): boolean {
    const owners = this.box(tag)?.owners;
    return owners?.length === 1 && owners[0] === contact;
  }

  /** When the owner of a tag stops asking for it; undefined for a tag of nobody known. */
  askedUntilMs(tag: Uint8Array): number | undefined {
    const at = this.box(tag)?.tags.findIndex(other => hex(other) === hex(tag));
    // The first is tomorrow's, and each is asked for until the seventh day after its own is over.
    return at === undefined ? undefined : (this.#day + 1 - at + 8) * DAY_MS;
  }

  /** Contacts or groups have come, gone or changed. */
  forget(): void {
    this.#day = -1;
  }

  #tagsInUse(): Map<string, Box> {
    const { account, clock, store } = this.#context;
    const nowMs = clock();
    const claims = new Map<string, { key: Uint8Array; owners: ContactId[] }>();
    for (const { id, mailboxKey } of store.contacts.list().sort((a, b) => a.addedAtMs - b.addedAtMs)) {
      const claim = claims.get(hex(mailboxKey)) ?? { key: mailboxKey, owners: [] };
      claim.owners.push(id);
      claims.set(hex(mailboxKey), claim);
    }
    const boxes = new Map<string, Box>();
    const add = (box: Box): void => {
      for (const tag of box.tags) boxes.set(hex(tag), box);
    };
    for (const { key, owners } of claims.values()) {
      const keys = deriveMailboxKeys(key);
      add({ tags: currentTags(keys, nowMs), owners });
      wipeMailboxKeys(keys);
    }
    // Last, so that no contact's key can claim them.
    for (const tags of this.#groupTags()) add({ tags, owners: [account.id] });
    add({ tags: currentTags(account.mailbox, nowMs), owners: [account.id] });
    return boxes;
  }
}
