import { hex } from '../../base/bytes.ts';
import type { Clock } from '../../base/clock.ts';
import type { GroupId } from '../../base/ids.ts';
import { currentTags, dayOf, type MailboxKeys } from '../../crypto/mailbox-seal.ts';

/** Whose group's envelopes bear a tag, and what opens them. */
export interface TagOwner {
  readonly group: GroupId;
  readonly keys: MailboxKeys;
}

/** The tags of all groups of a day: asked of with every envelope, and made anew when day or secrets change. */
export class GroupTags {
  readonly #clock: Clock;
  readonly #ownersOf: () => Iterable<TagOwner>;
  #made: { readonly day: number; readonly owners: ReadonlyMap<string, TagOwner> } | undefined;

  /** @param owners every group once for each of its secrets */
  constructor(clock: Clock, owners: () => Iterable<TagOwner>) {
    this.#clock = clock;
    this.#ownersOf = owners;
  }

  find(tag: Uint8Array): TagOwner | undefined {
    const day = dayOf(this.#clock());
    if (this.#made?.day !== day) this.#made = { day, owners: this.#make() };
    return this.#made.owners.get(hex(tag));
  }

  forget(): void {
    this.#made = undefined;
  }

  #make(): ReadonlyMap<string, TagOwner> {
    const nowMs = this.#clock();
    const owners = new Map<string, TagOwner>();
    for (const owner of this.#ownersOf()) {
      for (const tag of currentTags(owner.keys, nowMs)) owners.set(hex(tag), owner);
    }
    return owners;
  }
}
