import { systemRandom } from '../core/base/world.io.ts';
import { generateIdentity, type IdentitySecrets } from '../core/crypto/identity.ts';
import { commit, createGroup } from '../core/crypto/mls/group.ts';
import { joinGroup } from '../core/crypto/mls/group-join.ts';
import { processMessage } from '../core/crypto/mls/group-messages.ts';
import type { GroupState } from '../core/crypto/mls/group-state.ts';
import { type MadeKeyPackage, makeKeyPackage } from '../core/crypto/mls/key-package.ts';
import type { SuiteKind } from '../core/crypto/mls/suite.ts';

export const NOW_MS = 1_750_000_000_000;
const MONTH_MS = 30 * 24 * 3_600_000;

export function makePackage(suite: SuiteKind, identity: IdentitySecrets = generateIdentity(systemRandom)) {
  const terms = { suite, validFromMs: NOW_MS - 1_000, validUntilMs: NOW_MS + MONTH_MS, lastResort: false };
  return makeKeyPackage(identity, terms, systemRandom);
}

export function makeGroup(suite: SuiteKind, identity?: IdentitySecrets): Promise<GroupState> {
  const own = makePackage(suite, identity);
  return createGroup(own.bytes, own.secrets, systemRandom(16), Buffer.alloc(0), systemRandom);
}

export interface Pair {
  readonly alice: GroupState;
  readonly bob: GroupState;
}

/** From so many members on, one in sixteen has committed: to fill the tree would take a peer an hour. */
const LARGE = 1_000;

/**
 * How many leaves come at once, the last of which joins and commits: two share all nodes above them, so that the tree
 * has a key in every node, as when everyone has committed.
 */
export function blockOf(members: number): number {
  return members < LARGE ? 2 : 16;
}

/** A group of `members`. The founder follows all commits; of the others the last one's state is kept. */
export async function makeFilledGroup(suite: SuiteKind, members: number): Promise<Pair> {
  let alice = await makeGroup(suite);
  let bob = alice;
  const block = blockOf(members);
  for (let leaves = 1; leaves < members; ) {
    // The founder's own block has one newcomer less.
    const count = Math.min(block - (leaves % block), members - leaves);
    leaves += count;
    const fresh = Array.from({ length: count }, () => makePackage(suite));
    const { bytes: keyPackage, secrets } = fresh[count - 1] as MadeKeyPackage;
    const added = await commit(alice, { proposals: fresh.map(asAdd), nowMs: NOW_MS }, systemRandom);
    const joined = await joinGroup(added.welcome as Uint8Array, { keyPackage, secrets });
    const healed = await commit(joined, { nowMs: NOW_MS }, systemRandom);
    alice = await follow(added.next, healed.message);
    bob = healed.next;
  }
  return { alice, bob };
}

export async function follow(state: GroupState, message: Uint8Array): Promise<GroupState> {
  const result = await processMessage(state, message);
  if (result.kind !== 'commit' || !result.next) throw new Error('no next epoch');
  return result.next;
}

export function asAdd({ bytes }: Pick<MadeKeyPackage, 'bytes'>) {
  return { kind: 'add' as const, keyPackage: bytes };
}
