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

export function makeGroup(suite: SuiteKind): Promise<GroupState> {
  const own = makePackage(suite);
  return createGroup(own.bytes, own.secrets, systemRandom(16), Buffer.alloc(0), systemRandom);
}

export interface Pair {
  readonly alice: GroupState;
  readonly bob: GroupState;
}

/**
 * A group of `members` whose tree is filled, as it is when everyone has committed once: each is added, joins and
 * commits. The founder follows them all; of the others the last one's state is kept.
 */
export async function makeFilledGroup(suite: SuiteKind, members: number): Promise<Pair> {
  let alice = await makeGroup(suite);
  let bob = alice;
  for (let index = 1; index < members; index += 1) {
    const { bytes: keyPackage, secrets } = makePackage(suite);
    const added = await commit(alice, { proposals: [asAdd({ bytes: keyPackage })], nowMs: NOW_MS }, systemRandom);
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
