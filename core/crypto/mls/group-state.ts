import type { GroupContext } from 'ts-mls/groupContext.js';
import { encodeGroupContext } from 'ts-mls/groupContext.js';
import type { KeySchedule } from 'ts-mls/keySchedule.js';
import type { LeafNode } from 'ts-mls/leafNode.js';
import type { PrivateKeyPath } from 'ts-mls/privateKeyPath.js';
import type { Proposal } from 'ts-mls/proposal.js';
import { wipe } from '../../base/bytes.ts';
import type { IdentityKey } from '../../base/ids.ts';
import { refused } from './failure.ts';
import { GROUP_DATA_EXTENSION, identityOf } from './leaf-authentication.ts';
import { copySecrets, type SecretTree, secretsOf } from './secret-tree.ts';
import { type Suite, type SuiteKind, suiteOf } from './suite.ts';
import type { HashedTree } from './tree-hash.ts';
import { leavesOf } from './tree-math.ts';

/**
 * One epoch of a group as one member holds it. Steps take a state and return another; the layers above keep as many
 * epochs as they need, of any branch, and know them by `epochIdOf`. A state is opaque to them.
 */
export interface GroupState {
  readonly suite: SuiteKind;
  readonly context: GroupContext;
  readonly tree: HashedTree;
  readonly keys: KeySchedule;
  readonly secretTree: SecretTree;
  /** Our leaf, and the private keys of the nodes above it, by position. */
  readonly path: PrivateKeyPath;
  /** Ed25519, expanded, 64 bytes. */
  readonly signatureSecret: Uint8Array;
  readonly confirmationTag: Uint8Array;
  /** By reference, in hex. */
  readonly proposals: ReadonlyMap<string, PendingProposal>;
}

export interface PendingProposal {
  readonly proposal: Proposal;
  readonly sender: number;
  /** Of our own update: the private key that its leaf will have. */
  readonly leafSecret: Uint8Array | undefined;
}

export interface Member {
  /** The leaf. It stays a member's own for as long as it is one. */
  readonly index: number;
  readonly identity: IdentityKey;
}

export function groupSuite(state: Pick<GroupState, 'suite'>): Suite {
  return suiteOf(state.suite);
}

export function groupIdOf(state: Pick<GroupState, 'context'>): Uint8Array {
  return state.context.groupId;
}

export function epochOf(state: Pick<GroupState, 'context'>): bigint {
  return state.context.epoch;
}

/** The confirmed transcript hash, which names an epoch where a number does not; empty in a group's first. */
export function epochIdOf(state: Pick<GroupState, 'context'>): Uint8Array {
  return state.context.confirmedTranscriptHash;
}

/** Equal on all members of an epoch, and on no one else (RFC 9420 §8.7). 32 or 64 bytes. */
export function epochAuthenticatorOf(state: GroupState): Uint8Array {
  return state.keys.epochAuthenticator;
}

export function ownIndexOf(state: GroupState): number {
  return state.path.leafIndex;
}

export function membersOf(state: Pick<GroupState, 'tree'>): Member[] {
  const members: Member[] = [];
  for (let index = 0; index < leavesOf(state.tree.nodes.length); index += 1) {
    const leaf = leafAt(state, index);
    if (leaf) members.push({ index, identity: identityOf(leaf.credential) });
  }
  return members;
}

/** @throws AuthError no such member */
export function memberAt(state: Pick<GroupState, 'tree'>, index: number): Member {
  return { index, identity: identityOf(requireLeaf(state, index).credential) };
}

export function leafAt(state: Pick<GroupState, 'tree'>, index: number): LeafNode | undefined {
  const node = state.tree.nodes[2 * index];
  return node?.nodeType === 'leaf' ? node.leaf : undefined;
}

export function requireLeaf(state: Pick<GroupState, 'tree'>, index: number): LeafNode {
  const leaf = leafAt(state, index);
  if (!leaf) throw refused('mls.leaf');
  return leaf;
}

/** What the group says of itself in this epoch; empty when nothing was ever said. */
export function groupDataOf(state: Pick<GroupState, 'context'>): Uint8Array {
  const extension = state.context.extensions.find(each => each.extensionType === GROUP_DATA_EXTENSION);
  return extension?.extensionData ?? new Uint8Array();
}

/** MLS-Exporter (RFC 9420 §8.5). The caller wipes the result. */
export function exportSecret(
  state: Pick<GroupState, 'suite' | 'keys'>,
  label: string,
  context: Uint8Array,
  length = 32,
): Buffer {
  const suite = groupSuite(state);
  const secret = suite.derive(state.keys.exporterSecret, label);
  const exported = suite.expand(secret, 'exported', suite.hash.digest(context), length);
  wipe(secret);
  return exported;
}

/** The same state with keys of its own: one of the two can be used, and the other still be gone back to. */
export function forkState(state: GroupState): GroupState {
  return { ...state, secretTree: copySecrets(state.secretTree) };
}

/** Wipes what a state holds beside others of its epoch that were forked from it, and that it was forked from. */
export function wipeFork(state: GroupState): void {
  wipe(...secretsOf(state.secretTree));
}

/**
 * Wipes every secret of the state, which is not to be used again, nor any other state of the same epoch. Those of other
 * epochs hold nothing in common with it.
 */
export function wipeState(state: GroupState): void {
  const { keys, secretTree, proposals, path, signatureSecret } = state;
  const pending = [...proposals.values()].flatMap(({ leafSecret }) => leafSecret ?? []);
  const schedule = Object.values<Uint8Array>({ ...keys });
  wipe(...schedule, ...secretsOf(secretTree), ...pending, ...Object.values(path.privateKeys), signatureSecret);
}

const contexts = new WeakMap<GroupContext, Uint8Array>();

/** The context is a part of everything that is signed; encoded once an epoch. */
export function contextBytes(context: GroupContext): Uint8Array {
  let bytes = contexts.get(context);
  if (bytes === undefined) {
    bytes = encodeGroupContext(context);
    contexts.set(context, bytes);
  }
  return bytes;
}

/** How a proposal's reference is written down. */
export function referenceText(reference: Uint8Array): string {
  return Buffer.from(reference).toString('hex');
}
