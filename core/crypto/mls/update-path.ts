import { encodeLeafNodeTBS, type LeafNodeCommit } from 'ts-mls/leafNode.js';
import type { ParentNode } from 'ts-mls/parentNode.js';
import { getHpkePublicKey, type RatchetTree, resolution } from 'ts-mls/ratchetTree.js';
import { toNodeIndex } from 'ts-mls/treemath.js';
import type { UpdatePath } from 'ts-mls/updatePath.js';
import { wipe } from '../../base/bytes.ts';
import type { RandomSource } from '../../base/clock.ts';
import { InternalError } from '../../base/errors.ts';
import { refused } from './failure.ts';
import { requireLeaf } from './group-state.ts';
import type { Suite } from './suite.ts';
import { type HashedTree, hashAt, hashTree, parentHash } from './tree-hash.ts';
import { directPath, isUnder, siblingOf } from './tree-math.ts';

/** A node of a committer's filtered direct path (RFC 9420 §4.1.2), from the leaf up, and whom its secret is for. */
export interface PathNode {
  readonly at: number;
  /** The child off the path. */
  readonly copath: number;
  /** The nodes whose keys the secret is encrypted to. */
  readonly receivers: readonly number[];
}

/** @param newcomers leaves added by the same commit: they learn their secret from the welcome */
export function filteredPath(nodes: RatchetTree, leaf: number, newcomers: ReadonlySet<number>): PathNode[] {
  const path: PathNode[] = [];
  let below = 2 * leaf;
  for (const at of directPath(below, nodes.length)) {
    const copath = siblingOf(below);
    const all: readonly number[] = resolution(nodes, toNodeIndex(copath));
    if (all.length > 0) path.push({ at, copath, receivers: all.filter(node => !newcomers.has(node)) });
    below = at;
  }
  return path;
}

/**
 * The tree with new keys on a path, each node carrying the hash of the one above (RFC 9420 §7.9). The subtrees off
 * the path are as they were, so their hashes are at hand.
 * @param publicKeys one a node of the path
 * @returns the nodes without the leaf, and what the leaf must carry
 */
export function rekeyPath(
  suite: Suite,
  tree: HashedTree,
  leaf: number,
  path: readonly PathNode[],
  publicKeys: readonly Uint8Array[],
): { readonly nodes: RatchetTree; readonly leafParentHash: Uint8Array } {
  const nodes = tree.nodes.slice();
  for (const at of directPath(2 * leaf, nodes.length)) nodes[at] = undefined;
  let hash: Uint8Array = new Uint8Array();
  for (let level = path.length - 1; level >= 0; level -= 1) {
    const { at, copath } = path[level] as PathNode;
    const hpkePublicKey = publicKeys[level] as Uint8Array;
    const parent: ParentNode = { hpkePublicKey, parentHash: hash, unmergedLeaves: [] };
    nodes[at] = { nodeType: 'parent', parent };
    hash = parentHash(suite, parent, hashAt(tree.hashes, copath));
  }
  return { nodes, leafParentHash: hash };
}

export interface MadePath {
  readonly tree: HashedTree;
  readonly path: readonly PathNode[];
  readonly leafNode: LeafNodeCommit;
  readonly publicKeys: readonly Uint8Array[];
  /** One a node of the path, and the caller's to wipe. */
  readonly secrets: readonly Uint8Array[];
  /** By position, the leaf's included. */
  readonly privateKeys: Readonly<Record<number, Uint8Array>>;
  readonly commitSecret: Uint8Array;
}

/** Draws new keys for a committer's leaf and path (RFC 9420 §7.4, §12.4.1). */
export function makePath(
  suite: Suite,
  tree: HashedTree,
  leaf: number,
  newcomers: ReadonlySet<number>,
  groupId: Uint8Array,
  signatureSecret: Uint8Array,
  random: RandomSource,
): MadePath {
  const path = filteredPath(tree.nodes, leaf, newcomers);
  const start = random(suite.hash.bytes);
  const leafPair = suite.hpke.pairOf(suite.derive(start, 'node'));
  const derived = deriveUp(suite, suite.derive(start, 'path'), path);
  wipe(start);
  const { nodes, leafParentHash } = rekeyPath(suite, tree, leaf, path, derived.publicKeys);
  const old = requireLeaf({ tree }, leaf);
  const toSign = {
    leafNodeSource: 'commit' as const,
    hpkePublicKey: leafPair.public,
    signaturePublicKey: old.signaturePublicKey,
    credential: old.credential,
    capabilities: old.capabilities,
    extensions: old.extensions,
    parentHash: leafParentHash,
  };
  const signed = encodeLeafNodeTBS({ ...toSign, groupId, leafIndex: leaf });
  const leafNode: LeafNodeCommit = { ...toSign, signature: suite.sign(signatureSecret, 'LeafNodeTBS', signed) };
  nodes[2 * leaf] = { nodeType: 'leaf', leaf: leafNode };
  const privateKeys = { ...derived.privateKeys, [2 * leaf]: leafPair.private };
  return { ...derived, tree: hashTree(suite, nodes, tree), path, leafNode, privateKeys };
}

interface Derived {
  readonly secrets: readonly Uint8Array[];
  readonly publicKeys: readonly Uint8Array[];
  readonly privateKeys: Readonly<Record<number, Uint8Array>>;
  readonly commitSecret: Uint8Array;
}

/** The keys of a path from the secret of its first node on (RFC 9420 §7.4). */
export function deriveUp(suite: Suite, first: Uint8Array, path: readonly Pick<PathNode, 'at'>[]): Derived {
  const secrets: Uint8Array[] = [];
  const publicKeys: Uint8Array[] = [];
  const privateKeys: Record<number, Uint8Array> = {};
  let secret = first;
  for (const { at } of path) {
    const pair = suite.hpke.pairOf(suite.derive(secret, 'node'));
    privateKeys[at] = pair.private;
    publicKeys.push(pair.public);
    secrets.push(secret);
    secret = suite.derive(secret, 'path');
  }
  return { secrets, publicKeys, privateKeys, commitSecret: secret };
}

/** Encrypts a path's secrets (RFC 9420 §7.5). @param context the next epoch's, without its transcript hash */
export function encryptPath(
  suite: Suite,
  before: RatchetTree,
  made: MadePath,
  context: Uint8Array,
  random: RandomSource,
): UpdatePath {
  const info = suite.encryptionInfo('UpdatePathNode', context);
  const nodes = made.path.map(({ receivers }, level) => ({
    hpkePublicKey: made.publicKeys[level] as Uint8Array,
    encryptedPathSecret: receivers.map(node => {
      const sealed = suite.hpke.seal(keyAt(before, node), info, made.secrets[level] as Uint8Array, random);
      return { kemOutput: sealed.sent, ciphertext: sealed.ciphertext };
    }),
  }));
  return { leafNode: made.leafNode, nodes };
}

/**
 * Puts a committer's path into the tree; the tree before it holds the committer's leaf already.
 * @throws AuthError it does not fit the tree
 */
export function applyPath(
  suite: Suite,
  tree: HashedTree,
  leaf: number,
  update: UpdatePath,
  newcomers: ReadonlySet<number>,
): { readonly tree: HashedTree; readonly path: readonly PathNode[] } {
  const path = filteredPath(tree.nodes, leaf, newcomers);
  if (update.nodes.length !== path.length) throw refused('mls.path-length');
  update.nodes.forEach(({ encryptedPathSecret }, level) => {
    const { receivers } = path[level] as PathNode;
    if (encryptedPathSecret.length !== receivers.length) throw refused('mls.path-receivers');
  });
  const publicKeys = update.nodes.map(({ hpkePublicKey }) => suite.hpke.checked(hpkePublicKey));
  requireFresh(tree.nodes, update, [...publicKeys, suite.hpke.checked(update.leafNode.hpkePublicKey)]);
  const { nodes, leafParentHash } = rekeyPath(suite, tree, leaf, path, publicKeys);
  if (Buffer.compare(leafParentHash, update.leafNode.parentHash) !== 0) throw refused('mls.parent-hash');
  nodes[2 * leaf] = { nodeType: 'leaf', leaf: update.leafNode };
  return { tree: hashTree(suite, nodes, tree), path };
}

/** No key of a path stands in the tree already, nor twice in the path (RFC 9420 §12.4.2). */
function requireFresh(nodes: RatchetTree, update: UpdatePath, keys: readonly Uint8Array[]): void {
  const seen = new Set(keys.map(key => Buffer.from(key).toString('latin1')));
  if (seen.size !== keys.length) throw refused('mls.path-key');
  for (const node of nodes) {
    // A newcomer's leaf stands in its place already.
    if (node?.nodeType === 'leaf' && node.leaf === update.leafNode) continue;
    if (node && seen.has(Buffer.from(getHpkePublicKey(node)).toString('latin1'))) throw refused('mls.path-key');
  }
}

/** Our secret of a committer's path, opened, and what follows from it. */
export interface OpenedPath {
  readonly privateKeys: Readonly<Record<number, Uint8Array>>;
  readonly commitSecret: Uint8Array;
}

/** @throws AuthError we cannot open it, or the path's keys do not follow from what it says */
export function openPath(
  suite: Suite,
  update: UpdatePath,
  path: readonly PathNode[],
  ownLeaf: number,
  privateKeys: Readonly<Record<number, Uint8Array>>,
  context: Uint8Array,
): OpenedPath {
  const level = path.findIndex(({ copath }) => isUnder(2 * ownLeaf, copath));
  const { receivers } = path[level] ?? { receivers: [] };
  const slot = receivers.findIndex(node => privateKeys[node] !== undefined);
  const sealed = update.nodes[level]?.encryptedPathSecret[slot];
  const key = privateKeys[receivers[slot] as number];
  if (sealed === undefined || key === undefined) throw refused('mls.path-secret');
  const info = suite.encryptionInfo('UpdatePathNode', context);
  const secret = suite.hpke.open(key, sealed.kemOutput, info, sealed.ciphertext);
  const stated = update.nodes.slice(level).map(({ hpkePublicKey }) => hpkePublicKey);
  return deriveStated(suite, secret, path.slice(level), stated);
}

/**
 * What follows from a path's secret, which is wiped.
 * @param stated the public keys of the path, as others see them
 * @throws AuthError the secret leads to other keys
 */
export function deriveStated(
  suite: Suite,
  secret: Uint8Array,
  path: readonly PathNode[],
  stated: readonly (Uint8Array | undefined)[],
): OpenedPath {
  const { secrets, publicKeys, privateKeys, commitSecret } = deriveUp(suite, secret, path);
  wipe(...secrets);
  const agrees = publicKeys.every((key, level) => Buffer.compare(key, stated[level] ?? NO_KEY) === 0);
  if (agrees) return { privateKeys, commitSecret };
  wipe(commitSecret, ...Object.values(privateKeys));
  throw refused('mls.path-key');
}

const NO_KEY = new Uint8Array();

function keyAt(nodes: RatchetTree, at: number): Uint8Array {
  const node = nodes[at];
  if (node === undefined) throw new InternalError('mls.node');
  return getHpkePublicKey(node);
}
