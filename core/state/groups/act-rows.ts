import { blake2b } from '../../base/hash.ts';
import { type ContactId, type GroupId, idBytes } from '../../base/ids.ts';
import { decodeActs, encodeActs } from '../../groups/chain-codec.ts';
import type { Act, Chain, Chains } from '../../groups/chains.ts';
import type { Store, WriteTx } from '../../storage/store.ts';

/** What members did lies with the group's epochs, some places of one member in a row: a text writes one row of a few acts. */
export const ACTS_PART = 4;
const PLACES = 16;
const NAME_BYTES = 32;
const NO_ACTS: Chain['acts'] = new Map();

export function storeActs(store: Store, tx: WriteTx, group: GroupId, before: Chains, after: Chains): void {
  if (before === after) return;
  for (const member of new Set([...before.keys(), ...after.keys()])) {
    const [had, has] = [before.get(member)?.acts ?? NO_ACTS, after.get(member)?.acts ?? NO_ACTS];
    if (had === has) continue;
    for (const row of changedRows(had, has)) {
      const acts = Array.from({ length: PLACES }, (_, at) => has.get(row * PLACES + at)).filter(
        act => act !== undefined,
      );
      const name = rowName(member, row);
      if (acts.length > 0) store.groupEpochs.put(tx, group, name, ACTS_PART, encodeActs(member, acts));
      else store.groupEpochs.remove(tx, group, name);
    }
  }
}

/** @throws DecodeError a row that is not what was stored */
export function loadActs(store: Store, group: GroupId): readonly Act[] {
  return [...store.groupEpochs.of(group).values()].flatMap(parts => {
    const bytes = parts.get(ACTS_PART);
    return bytes ? decodeActs(bytes) : [];
  });
}

function changedRows(had: Chain['acts'], has: Chain['acts']): Set<number> {
  const rows = new Set<number>();
  for (const [seq, act] of has) if (had.get(seq) !== act) rows.add(Math.floor(seq / PLACES));
  for (const seq of had.keys()) if (!has.has(seq)) rows.add(Math.floor(seq / PLACES));
  return rows;
}

function rowName(member: ContactId, row: number): Buffer {
  const place = Buffer.alloc(8);
  place.writeBigUInt64BE(BigInt(row));
  return blake2b(NAME_BYTES, idBytes(member), place);
}
