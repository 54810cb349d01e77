import type { GroupContext } from 'ts-mls/groupContext.js';
import { encodeLeafNodeTBS, type LeafNode } from 'ts-mls/leafNode.js';
import type { RatchetTree } from 'ts-mls/ratchetTree.js';
import { wipe } from '../../base/bytes.ts';
import type { RandomSource } from '../../base/clock.ts';
import { ED25519_SECRET_BYTES, ED25519_SEED_BYTES, ed25519FromSeed } from '../ed25519.ts';
import { refused } from './failure.ts';
import type { Step } from './step.ts';
import type { Suite } from './suite.ts';

/** A leaf's own signature key. */
export interface SignatureKey {
  /** Expanded, 64 bytes; the holder wipes it. */
  readonly secret: Buffer;
  readonly public: Buffer;
}

export function makeSignatureKey(random: RandomSource): SignatureKey {
  const seed = random(ED25519_SEED_BYTES);
  const secret = Buffer.allocUnsafeSlow(ED25519_SECRET_BYTES);
  const key = { secret, public: ed25519FromSeed(seed, secret) };
  wipe(seed);
  return key;
}

/** What a leaf's signature covers (RFC 9420 §7.2). @param index of a leaf that came by update or commit */
export function leafToSign(leaf: LeafNode, groupId: Uint8Array, index: number): Uint8Array {
  if (leaf.leafNodeSource === 'key_package') return encodeLeafNodeTBS(leaf);
  return encodeLeafNodeTBS({ ...leaf, groupId, leafIndex: index });
}

/**
 * Checks a leaf by itself (RFC 9420 §7.3): its signature, whom it stands for, and that it knows what the group needs.
 * Its lifetime is the concern of who adds it: whoever hears of it later has a clock of its own, and an old message.
 * @throws AuthError
 */
export function verifyLeaf(step: Step, leaf: LeafNode, context: GroupContext, index: number): void {
  const { suite, rules } = step;
  const toSign = leafToSign(leaf, context.groupId, index);
  if (!suite.verify(leaf.signaturePublicKey, 'LeafNodeTBS', toSign, leaf.signature))
    throw refused('mls.leaf-signature');
  if (!rules.isBound(leaf.credential, leaf.signaturePublicKey)) throw refused('mls.leaf-credential');
  checkUsable(suite, leaf, context);
}

/** Whether a leaf can be sealed to, and knows what the group needs. @throws DecodeError, AuthError */
export function checkUsable(suite: Suite, leaf: LeafNode, context: GroupContext): void {
  suite.hpke.checked(leaf.hpkePublicKey);
  const { capabilities } = leaf;
  const known = new Set<unknown>(capabilities.extensions);
  const needed = [...context.extensions, ...leaf.extensions].map(({ extensionType }) => extensionType);
  if (!needed.every(type => typeof type === 'string' || known.has(type))) throw refused('mls.leaf-capabilities');
  if (!capabilities.ciphersuites.includes(suite.name)) throw refused('mls.leaf-suite');
  if (!capabilities.credentials.includes(leaf.credential.credentialType)) throw refused('mls.leaf-credential');
}

/**
 * Checks a leaf that takes the place of a member's own (RFC 9420 §5.3.1): the same person, and nobody else's key.
 * @throws AuthError
 */
export function verifySuccessor(step: Step, nodes: RatchetTree, before: LeafNode | undefined, after: LeafNode): void {
  const name = step.rules.memberName(after);
  if (before && step.rules.memberName(before) !== name) throw refused('mls.leaf-identity');
  for (const node of nodes) {
    if (node?.nodeType !== 'leaf' || node.leaf === before) continue;
    if (Buffer.compare(node.leaf.signaturePublicKey, after.signaturePublicKey) === 0) throw refused('mls.leaf-key');
    if (step.rules.memberName(node.leaf) === name) throw refused('mls.leaf-identity');
  }
}
