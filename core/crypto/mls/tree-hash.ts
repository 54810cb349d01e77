import { encodeParentHashInput } from 'ts-mls/parentHash.js';
import type { ParentNode } from 'ts-mls/parentNode.js';
import type { Node, RatchetTree } from 'ts-mls/ratchetTree.js';
import { encodeLeafNodeHashInput, encodeParentNodeHashInput } from 'ts-mls/treeHash.js';
import { InternalError } from '../../base/errors.ts';
import type { Suite } from './suite.ts';
import { isLeaf, isUnder, leftOf, rightOf, rootOf } from './tree-math.ts';

/** A ratchet tree with the hash of every node's subtree. Neither is ever changed; steps make new ones. */
export interface HashedTree {
  readonly nodes: RatchetTree;
  /** RFC 9420 §7.8, by position. */
  readonly hashes: readonly Uint8Array[];
}

/**
 * Hashes a tree, each changed node once. Nodes are never changed in place, so a subtree whose nodes are the very
 * objects of `before` has its hash already: a commit that changes one path of a hundred leaves hashes eight nodes.
 */
export function hashTree(suite: Suite, nodes: RatchetTree, before?: HashedTree): HashedTree {
  const hashes: Uint8Array[] = new Array(nodes.length);
  for (let step = 1; step <= nodes.length; step *= 2) {
    for (let at = step - 1; at < nodes.length; at += 2 * step) hashes[at] = hashNode(suite, nodes, hashes, at, before);
  }
  return { nodes, hashes };
}

export function rootHash(tree: HashedTree): Uint8Array {
  return hashAt(tree.hashes, rootOf(tree.nodes.length));
}

export function hashAt(hashes: readonly Uint8Array[], at: number): Uint8Array {
  const hash = hashes[at];
  if (hash === undefined) throw new InternalError('mls.tree-hash');
  return hash;
}

function hashNode(
  suite: Suite,
  nodes: RatchetTree,
  hashes: readonly Uint8Array[],
  at: number,
  before?: HashedTree,
): Uint8Array {
  const node = nodes[at];
  const known = before !== undefined && at < before.nodes.length && before.nodes[at] === node;
  if (isLeaf(at)) return known ? hashAt(before.hashes, at) : hashLeaf(suite, at, node);
  const [left, right] = [leftOf(at), rightOf(at)];
  const [leftHash, rightHash] = [hashAt(hashes, left), hashAt(hashes, right)];
  if (known && before.hashes[left] === leftHash && before.hashes[right] === rightHash) return hashAt(before.hashes, at);
  return hashParent(suite, node, leftHash, rightHash);
}

function hashLeaf(suite: Suite, at: number, node: Node | undefined): Uint8Array {
  const leafNode = node?.nodeType === 'leaf' ? node.leaf : undefined;
  return suite.hash.digest(encodeLeafNodeHashInput({ nodeType: 'leaf', leafIndex: at / 2, leafNode }));
}

function hashParent(suite: Suite, node: Node | undefined, leftHash: Uint8Array, rightHash: Uint8Array): Uint8Array {
  const parentNode = node?.nodeType === 'parent' ? node.parent : undefined;
  return suite.hash.digest(encodeParentNodeHashInput({ nodeType: 'parent', parentNode, leftHash, rightHash }));
}

/**
 * The hash of a subtree as it was before the leaves in `unmerged` were added (RFC 9420 §7.9, the original sibling
 * tree hash). Parts without such a leaf have it already.
 */
export function hashWithout(suite: Suite, tree: HashedTree, at: number, unmerged: readonly number[]): Uint8Array {
  if (!unmerged.some(leaf => isUnder(2 * leaf, at))) return hashAt(tree.hashes, at);
  if (isLeaf(at)) return hashLeaf(suite, at, undefined);
  const node = tree.nodes[at];
  const left = hashWithout(suite, tree, leftOf(at), unmerged);
  const right = hashWithout(suite, tree, rightOf(at), unmerged);
  if (node?.nodeType !== 'parent') return hashParent(suite, undefined, left, right);
  const unmergedLeaves = node.parent.unmergedLeaves.filter(leaf => !unmerged.includes(leaf));
  return hashParent(suite, { nodeType: 'parent', parent: { ...node.parent, unmergedLeaves } }, left, right);
}

/** RFC 9420 §7.9: what a node on the path below `parent` carries. */
export function parentHash(suite: Suite, parent: ParentNode, originalSiblingTreeHash: Uint8Array): Uint8Array {
  const { hpkePublicKey: encryptionKey, parentHash } = parent;
  return suite.hash.digest(encodeParentHashInput({ encryptionKey, parentHash, originalSiblingTreeHash }));
}
