import { wipe } from '../../base/bytes.ts';
import type { GroupId } from '../../base/ids.ts';
import type { EpochId, GroupCrypto, StateParts } from '../../groups/group-crypto.ts';
import type { GroupState } from '../../groups/group-state.ts';
import type { Store, WriteTx } from '../../storage/store.ts';
import { ACTS_PART } from './act-rows.ts';
import { WAITING_PART } from './waiting-rows.ts';

const PART = { fixed: 0, moving: 1, tree: 2 } as const;

/** Writes what a step changed of the epochs' states: of an epoch that stays, the part that moves. */
export function storeEpochs<State>(
  store: Store,
  tx: WriteTx,
  crypto: GroupCrypto<State>,
  group: GroupId,
  before: GroupState<State> | null,
  after: GroupState<State>,
): void {
  for (const [epoch, state] of after.states) {
    const former = before?.states.get(epoch);
    if (former === state) continue;
    const put = (part: keyof typeof PART, bytes: Uint8Array): void => {
      store.groupEpochs.put(tx, group, Buffer.from(epoch, 'hex'), PART[part], bytes);
      wipe(bytes);
    };
    if (former !== undefined) {
      put('moving', crypto.serializeMoving(state));
      continue;
    }
    const { fixed, moving, tree } = crypto.serialize(state);
    put('fixed', fixed);
    put('moving', moving);
    put('tree', tree);
  }
  for (const epoch of before?.states.keys() ?? []) {
    if (!after.states.has(epoch)) store.groupEpochs.remove(tx, group, Buffer.from(epoch, 'hex'));
  }
}

/** @throws DecodeError a row that is not what was stored */
export function loadEpochs<State>(store: Store, crypto: GroupCrypto<State>, group: GroupId): Map<EpochId, State> {
  const states = new Map<EpochId, State>();
  for (const [epoch, rows] of store.groupEpochs.of(group)) {
    if (rows.has(WAITING_PART) || rows.has(ACTS_PART)) continue;
    const part = (name: keyof typeof PART): Buffer => rows.get(PART[name]) ?? Buffer.alloc(0);
    const parts: StateParts = { fixed: part('fixed'), moving: part('moving'), tree: part('tree') };
    states.set(epoch as EpochId, crypto.deserialize(parts));
    wipe(parts.fixed, parts.moving);
  }
  return states;
}
