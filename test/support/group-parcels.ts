import type { GroupId } from '../../core/base/ids.ts';
import { systemRandom } from '../../core/base/world.io.ts';
import { encodeContent } from '../../core/wire/content.ts';
import { PARCEL_ID_BYTES, type ParcelKind, splitParcel } from '../../core/wire/group-parcel.ts';
import type { Person } from './person.ts';

/** Something that a program of one's own making gives a contact through the session with it. */
export async function giveParcel(from: Person, to: Person, group: GroupId, what: ParcelKind, bytes: Uint8Array) {
  const { store, sequence, pendingAdded } = from.messenger.context;
  await store.write(tx => {
    for (const parcel of splitParcel(what, systemRandom(PARCEL_ID_BYTES), bytes) ?? []) {
      store.pending.add(tx, to.id, sequence.next(), encodeContent({ kind: 'group', group, parcel }));
    }
  });
  pendingAdded(to.id);
}
