import { equalBytes, hex, wipe } from '../../base/bytes.ts';
import { UsageError } from '../../base/errors.ts';
import type { ContactId, GroupId } from '../../base/ids.ts';
import { currentTags, deriveMailboxKeys, wipeMailboxKeys } from '../../crypto/mailbox-seal.ts';
import { decodeAsks } from '../../groups/act-codec.ts';
import type { GroupState } from '../../groups/group-state.ts';
import type { DeletedGroupRecord, GroupRecord } from '../../storage/records.ts';
import type { Store, WriteTx } from '../../storage/store.ts';
import { decodeContent } from '../../wire/content.ts';
import type { Context } from '../context.ts';

/** A group that ended, or that cannot be read, is deleted here with all that was kept of it. */

/** @throws UsageError one is in it */
export function requireEnded({ phase }: Pick<GroupRecord, 'phase'>): void {
  if (phase === 'member') throw new UsageError('refused', 'groups.delete', 'Leave the group before you delete it.');
}

/**
 * Removes every row of a group, in one transaction.
 * @param state null where it cannot be read
 */
export async function deleteGroup<State>(
  { store, clock }: Pick<Context, 'store' | 'clock'>,
  record: GroupRecord,
  state: GroupState<State> | null,
): Promise<void> {
  const nowMs = clock();
  const tags = tagsOf(record, nowMs);
  const deleted = { group: record.id, deletedAtMs: nowMs, honoured: state ? honouredIn(state) : new Map() };
  await store.write(tx => {
    removeTalk(store, tx, record);
    for (const { envelopeId } of [...store.custody.boxOf(tags, tx)]) store.custody.remove(tx, envelopeId);
    // Of one that is being left others have yet to learn it.
    if (record.phase !== 'leaving') removePending(store, tx, record.id);
    store.groupEpochs.removeAllOf(tx, record.id);
    store.groupMembers.removeAllOf(tx, record.id);
    store.groupInbox.removeAllOf(tx, record.id);
    store.groups.remove(tx, record.id);
    store.deletedGroups.put(tx, deleted);
  });
  wipe(...record.outer.map(({ secret }) => secret));
}

/**
 * Whether a welcome adds this profile to a deleted group once more, and is none that was still on its way.
 * @param asks those that came with it @param own the key package that it is for
 * @throws DecodeError
 */
export function addsAnew({ honoured }: DeletedGroupRecord, asks: Uint8Array, own: Uint8Array): boolean {
  return decodeAsks(asks).some(
    ({ author, number, change }) =>
      change.kind === 'add' && equalBytes(change.keyPackage, own) && number > (honoured.get(author) ?? -1),
  );
}

/** In any epoch that is known: who has gone since is not in the last ones. */
function honouredIn<State>({ lineage }: GroupState<State>): Map<ContactId, number> {
  const all = new Map<ContactId, number>();
  for (const { data } of lineage.tree.epochs.values()) {
    for (const [author, number] of data.honoured) all.set(author, Math.max(number, all.get(author) ?? -1));
  }
  return all;
}

function tagsOf({ outer }: GroupRecord, nowMs: number): Uint8Array[] {
  const tags = outer.flatMap(({ secret }) => {
    const keys = deriveMailboxKeys(secret);
    const current = currentTags(keys, nowMs);
    wipeMailboxKeys(keys);
    return current;
  });
  return [...new Map(tags.map(tag => [hex(tag), tag])).values()];
}

function removeTalk(store: Store, tx: WriteTx, { conversation }: GroupRecord): void {
  if (!store.conversations.get(conversation, tx)) return;
  store.messages.removeAll(tx, conversation);
  store.conversations.remove(tx, conversation);
}

function removePending(store: Store, tx: WriteTx, group: GroupId): void {
  const isOfGroup = (bytes: Uint8Array): boolean => {
    const content = decodeContent(bytes);
    return content.kind === 'group' && content.group === group;
  };
  for (const { id } of store.contacts.list(tx)) store.pending.removeWhere(tx, id, isOfGroup);
}
