import type { GroupContext } from 'ts-mls/groupContext.js';
import { getHpkePublicKey, type RatchetTree, resolution } from 'ts-mls/ratchetTree.js';
import { toNodeIndex } from 'ts-mls/treemath.js';
import { refused } from './failure.ts';
import { leafAt, requireLeaf } from './group-state.ts';
import { verifyLeaf } from './leaf.ts';
import type { Step } from './step.ts';
import type { Suite } from './suite.ts';
import { type HashedTree, hashTree, hashWithout, parentHash, rootHash } from './tree-hash.ts';
import { isLeaf, isUnder, leavesOf, leftOf, parentOf, rightOf, rootOf, siblingOf } from './tree-math.ts';

/**
 * Checks a tree that came from someone else (RFC 9420 §12.4.3.1, §7.9.2): it is the one the context names, every leaf
 * is authentic, and every parent's key was made by a member below it.
 * @throws AuthError
 */
export function checkTree(step: Step, nodes: RatchetTree, context: GroupContext): HashedTree {
  const tree = hashTree(step.suite, nodes);
  if (Buffer.compare(rootHash(tree), context.treeHash) !== 0) throw refused('mls.tree-hash');
  checkShape(nodes);
  checkKeys(nodes);
  for (const node of nodes) if (node?.nodeType === 'parent') step.suite.hpke.checked(node.parent.hpkePublicKey);
  for (let index = 0; index < leavesOf(nodes.length); index += 1) {
    const leaf = leafAt({ tree }, index);
    if (leaf) verifyLeaf(step, leaf, context, index);
  }
  checkMembers(step, tree);
  checkParents(step, tree);
  return tree;
}

function checkShape(nodes: RatchetTree): void {
  nodes.forEach((node, at) => {
    if (node && (node.nodeType === 'leaf') !== isLeaf(at)) throw refused('mls.tree-shape');
    if (node?.nodeType === 'parent') checkUnmerged(nodes, at, node.parent.unmergedLeaves);
  });
}

/** Unmerged leaves stand in rising order, each once (RFC 9420 §7.1). */
function checkUnmerged(nodes: RatchetTree, at: number, leaves: readonly number[]): void {
  if (leaves.some((leaf, index) => leaf <= (leaves[index - 1] ?? -1))) throw refused('mls.unmerged');
  for (const leaf of leaves) checkUnmergedLeaf(nodes, at, leaf);
}

/** An unmerged leaf is there, below the node, and known to every node between the two. */
function checkUnmergedLeaf(nodes: RatchetTree, at: number, leaf: number): void {
  if (!isUnder(2 * leaf, at) || !nodes[2 * leaf]) throw refused('mls.unmerged');
  for (let between = parentOf(2 * leaf); between !== at; between = parentOf(between)) {
    const node = nodes[between];
    if (node?.nodeType === 'parent' && !node.parent.unmergedLeaves.includes(leaf)) throw refused('mls.unmerged');
  }
}

/** No encryption key stands in the tree twice, nor any signature key (RFC 9420 §7.3). @throws AuthError */
export function checkKeys(nodes: RatchetTree): void {
  const seen = new Set<string>();
  for (const node of nodes) {
    if (!node) continue;
    const keys = [`hpke ${text(getHpkePublicKey(node))}`];
    if (node.nodeType === 'leaf') keys.push(`signature ${text(node.leaf.signaturePublicKey)}`);
    for (const key of keys) {
      if (seen.has(key)) throw refused('mls.tree-key');
      seen.add(key);
    }
  }
}

function text(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString('latin1');
}

/** Every member supports the credentials of all others, and is a member once. */
function checkMembers(step: Step, tree: HashedTree): void {
  const leaves = tree.nodes.flatMap(node => (node?.nodeType === 'leaf' ? [node.leaf] : []));
  const types = new Set(leaves.map(({ credential }) => credential.credentialType));
  for (const leaf of leaves) {
    if (![...types].every(type => leaf.capabilities.credentials.includes(type))) throw refused('mls.capabilities');
  }
  const names = leaves.map(leaf => step.rules.memberName(leaf));
  if (new Set(names).size !== names.length) throw refused('mls.member-twice');
}

/** Each parent is vouched for by exactly one node below it (RFC 9420 §7.9.2). */
function checkParents(step: Step, tree: HashedTree): void {
  const vouched = new Set<number>();
  tree.nodes.forEach((node, at) => {
    const stated =
      node?.nodeType === 'parent'
        ? node.parent.parentHash
        : node?.leaf.leafNodeSource === 'commit'
          ? node.leaf.parentHash
          : undefined;
    if (stated === undefined) return;
    const above = nextAbove(tree.nodes, at);
    if (above === undefined || !vouchesFor(step.suite, tree, at, above, stated)) return;
    if (vouched.has(above)) throw refused('mls.parent-hash');
    vouched.add(above);
  });
  tree.nodes.forEach((node, at) => {
    if (node?.nodeType === 'parent' && !vouched.has(at)) throw refused('mls.parent-hash');
  });
}

/** The nearest node above that is not blank. */
export function nextAbove(nodes: RatchetTree, at: number): number | undefined {
  const root = rootOf(nodes.length);
  for (let above = at; above !== root; ) {
    above = parentOf(above);
    if (nodes[above]) return above;
  }
  return undefined;
}

/** Whether what the node `at` states is the hash of the one above it, as it was when its key was made (RFC 9420 §7.9.2). */
export function vouchesFor(suite: Suite, tree: HashedTree, at: number, above: number, stated: Uint8Array): boolean {
  const node = tree.nodes[above];
  if (node?.nodeType !== 'parent') return false;
  const own = isUnder(at, leftOf(above)) ? leftOf(above) : rightOf(above);
  const sibling = hashWithout(suite, tree, siblingOf(own), node.parent.unmergedLeaves);
  if (Buffer.compare(parentHash(suite, node.parent, sibling), stated) !== 0) return false;
  const others = (resolution(tree.nodes, toNodeIndex(own)) as number[]).filter(each => each !== at);
  const unmerged = node.parent.unmergedLeaves.map(leaf => 2 * leaf).filter(leaf => isUnder(leaf, own));
  return others.length === unmerged.length && others.every(each => unmerged.includes(each));
}

/** The leaf that carries this very signature key and credential. @throws AuthError none does */
export function findLeaf(tree: HashedTree, signatureKey: Uint8Array): number {
  for (let index = 0; index < leavesOf(tree.nodes.length); index += 1) {
    const leaf = leafAt({ tree }, index);
    if (leaf && Buffer.compare(leaf.signaturePublicKey, signatureKey) === 0) return index;
  }
  throw refused('mls.own-leaf');
}

/** Whether a GroupInfo was signed by the member that it names. */
export function checkSigner(step: Step, tree: HashedTree, signer: number, toSign: Uint8Array, signature: Uint8Array) {
  const leaf = requireLeaf({ tree }, signer);
  if (!step.suite.verify(leaf.signaturePublicKey, 'GroupInfoTBS', toSign, signature)) throw refused('mls.group-info');
}
