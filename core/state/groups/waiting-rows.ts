import type { GroupId } from '../../base/ids.ts';
import { Waiting } from '../../groups/waiting.ts';
import { decodeWaiting, encodeWaiting, waitingName } from '../../groups/waiting-codec.ts';
import type { Store, WriteTx } from '../../storage/store.ts';

/** Posts that wait lie with the group's epochs, each in a row of its own: a step writes what is new, however much waits. */
export const WAITING_PART = 3;

export function storeWaiting(store: Store, tx: WriteTx, group: GroupId, before: Waiting, after: Waiting): void {
  if (before === after) return;
  const [had, has] = [new Set(before), new Set(after)];
  for (const item of has) {
    if (!had.has(item)) store.groupEpochs.put(tx, group, waitingName(item), WAITING_PART, encodeWaiting(item));
  }
  for (const item of had) if (!has.has(item)) store.groupEpochs.remove(tx, group, waitingName(item));
}

/** @throws DecodeError a row that is not what was stored */
export function loadWaiting(store: Store, group: GroupId): Waiting {
  const rows = [...store.groupEpochs.of(group).values()].flatMap(parts => parts.get(WAITING_PART) ?? []);
  return Waiting.from(rows.map(decodeWaiting).sort((a, b) => a.sinceMs - b.sinceMs));
}
