import { utf8 } from '../../base/bytes.ts';
import { blake2b } from '../../base/hash.ts';
import {
  type ContactId,
  contactIdFromBytes,
  type EnvelopeId,
  type GroupId,
  ID_BYTES,
  idBytes,
} from '../../base/ids.ts';
import { LABEL } from '../../base/labels.ts';
import { makeGroupRoom } from '../../mailbox/group-box.ts';
import type { Store, WriteTx } from '../../storage/store.ts';
import { decodeEnvelope, envelopeIdOf } from '../../wire/envelope.ts';
import type { CustodyService } from '../custodian.ts';
import type { GroupPlaces } from './places.ts';
import type { KeptEnvelope } from './spreading.ts';

/**
 * A group's envelopes, own and others', kept for members who were away (docs/protocol/mailbox.md §8): they lie with what
 * is held for contacts, and go with it on time.
 */
export class GroupMailbox {
  readonly #store: Store;
  readonly #custody: CustodyService;
  readonly #places: GroupPlaces;

  constructor(store: Store, custody: CustodyService, places: GroupPlaces) {
    this.#store = store;
    this.#custody = custody;
    this.#places = places;
  }

  /**
   * Keeps an envelope, as part of the write that stores what was in it.
   * @returns false: there is no room, or it has expired
   */
  keep(tx: WriteTx, { group, envelope: bytes, by }: KeptEnvelope): boolean {
    const { custody } = this.#store;
    const { tag, expiresAtHours } = decodeEnvelope(bytes);
    const envelopeId = envelopeIdOf(bytes);
    if (custody.has(envelopeId, tx)) return true;
    const tags = this.#places.tagsOf(group).flat();
    const evict = makeGroupRoom(bytes.length, {
      ...custody.usageOfTags(tags, tx),
      totalBytes: custody.usage(tx).bytes,
      box: custody.boxOf(tags, tx),
    });
    if (!evict) return false;
    for (const id of evict) custody.remove(tx, id);
    const depositor = by ? nameOf(group, idBytes(by)) : this.#nobodyOf(group, tag);
    return this.#custody.keep(tx, { bytes, envelopeId, tag, expiresAtHours, depositor });
  }

  /** Whether something is kept of which nobody here can tell who sealed it. */
  isNobodys(group: GroupId, envelopeId: EnvelopeId): boolean {
    const entry = this.#store.custody.entry(envelopeId);
    return entry !== undefined && entry.depositor === this.#nobodyOf(group, entry.tag);
  }

  /** Those who know one secret share what is nobody's under it: whoever was removed takes no room of what came later. */
  #nobodyOf(group: GroupId, tag: Uint8Array): ContactId {
    return nameOf(group, this.#places.find(tag)?.secretName ?? Buffer.alloc(0));
  }
}

/** Not the member's own id: what a member deposits here as a contact counts apart, and nothing of the group is its to release. */
function nameOf(group: GroupId, who: Uint8Array): ContactId {
  return contactIdFromBytes(blake2b(ID_BYTES, utf8(LABEL.groupKept), idBytes(group), who));
}
