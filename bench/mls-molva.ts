import { systemRandom } from '../core/base/world.io.ts';
import { generateIdentity } from '../core/crypto/identity.ts';
import { openApplication, sealApplication } from '../core/crypto/mls/application.ts';
import { commit } from '../core/crypto/mls/group.ts';
import { joinGroup } from '../core/crypto/mls/group-join.ts';
import type { GroupState } from '../core/crypto/mls/group-state.ts';
import { decodeState, encodeEpoch, encodeRatchets } from '../core/crypto/mls/state-codec.ts';
import type { SuiteKind } from '../core/crypto/mls/suite.ts';
import { decodeTreeChange, encodeTreeChange, treeOf } from '../core/crypto/mls/tree-store.ts';
import { asAdd, follow, makeGroup, makePackage, NOW_MS, type Pair } from './mls-groups.ts';
import { medianMs } from './row.ts';

/** Milliseconds of each step, as every peer measures them too. */
export interface Steps {
  readonly create: number;
  readonly addOne: number;
  readonly commit: number;
  readonly process: number;
  readonly join: number;
  readonly encrypt: number;
  readonly decrypt: number;
}

/** How often each step is taken, by every peer alike; of the largest groups a step of ts-mls takes seconds. */
export function roundsOf(members: number): number {
  return members < 1_000 ? 15 : 3;
}

export const MESSAGES = 200;
export const TEXT = Buffer.alloc(256, 7);

/** Bob commits, Alice follows; a newcomer joins; Alice talks and Bob hears. */
export async function measureMolva(suite: SuiteKind, pair: Pair, rounds: number): Promise<Steps> {
  let { alice, bob } = pair;
  const identity = generateIdentity(systemRandom);
  const create = await medianMs(rounds, () => makeGroup(suite, identity));
  const newcomers = Array.from({ length: rounds }, () => makePackage(suite));
  let turn = 0;
  let welcome: Uint8Array | undefined;
  const addOne = await medianMs(rounds, async () => {
    const proposals = [asAdd(newcomers[turn++] as (typeof newcomers)[0])];
    const made = await commit(bob, { nowMs: NOW_MS, proposals }, systemRandom);
    welcome = made.welcome;
    bob = made.parent;
  });
  const { bytes: keyPackage, secrets } = newcomers[rounds - 1] as (typeof newcomers)[0];
  const join = await medianMs(rounds, () => joinGroup(welcome as Uint8Array, { keyPackage, secrets }));
  const commits: Buffer[] = [];
  const committing = await medianMs(rounds, async () => {
    const made = await commit(bob, { nowMs: NOW_MS }, systemRandom);
    bob = made.parent;
    commits.push(made.message);
  });
  let at = 0;
  const process = await medianMs(rounds, () => follow(alice, commits[at++] as Buffer));
  const sent: Buffer[] = [];
  const encrypt = await medianMs(MESSAGES, () => {
    const sealed = sealApplication(alice, TEXT, systemRandom);
    alice = sealed.state;
    sent.push(sealed.message);
  });
  let heard = 0;
  const decrypt = await medianMs(MESSAGES, () => {
    bob = openApplication(bob, sent[heard++] as Buffer).state;
  });
  return { create, addOne, commit: committing, process, join, encrypt, decrypt };
}

export interface Rest {
  /** Bytes of a state whose epoch has just begun, the tree apart; of the whole tree; of what a commit changes in it. */
  readonly state: number;
  readonly tree: number;
  readonly change: number;
  /** Milliseconds to write what a commit changes, and to read the whole. */
  readonly write: number;
  readonly read: number;
  /** Bytes of a commit, and of a welcome with its tree. */
  readonly commit: number;
  readonly welcome: number;
}

export async function measureRest(suite: SuiteKind, { alice, bob }: Pair, rounds: number): Promise<Rest> {
  const made = await commit(bob, { nowMs: NOW_MS, proposals: [asAdd(makePackage(suite))] }, systemRandom);
  const plain = await commit(made.parent, { nowMs: NOW_MS }, systemRandom);
  const next = await follow(alice, plain.message);
  const base = treeOf(alice);
  const write = await medianMs(rounds, () => [encodeEpoch(next), encodeRatchets(next), encodeTreeChange(next, base)]);
  const [epoch, ratchets, tree] = [encodeEpoch(next), encodeRatchets(next), encodeTreeChange(next)];
  const read = await medianMs(rounds, (): GroupState => decodeState(epoch, ratchets, decodeTreeChange(suite, tree)));
  return {
    state: epoch.length + ratchets.length,
    tree: tree.length,
    change: encodeTreeChange(next, base).length,
    write,
    read,
    commit: plain.message.length,
    welcome: made.welcome?.length ?? 0,
  };
}
