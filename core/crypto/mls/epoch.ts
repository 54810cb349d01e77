import type { AuthenticatedContent } from 'ts-mls/authenticatedContent.js';
import { nextEpochContext } from 'ts-mls/clientState.js';
import type { Extension } from 'ts-mls/extension.js';
import type { FramedContentCommit } from 'ts-mls/framedContent.js';
import type { GroupContext } from 'ts-mls/groupContext.js';
import { type EpochSecrets, initializeEpoch } from 'ts-mls/keySchedule.js';
import type { RatchetTree } from 'ts-mls/ratchetTree.js';
import { wipe } from '../../base/bytes.ts';
import type { GroupState } from './group-state.ts';
import { makeSecretTree } from './secret-tree.ts';
import type { Step } from './step.ts';
import { type HashedTree, rootHash } from './tree-hash.ts';
import { isUnder, leavesOf } from './tree-math.ts';

/** What leads from one epoch to the next (RFC 9420 §8). The secrets are the caller's to wipe. */
export interface Transition {
  readonly wireformat: AuthenticatedContent['wireformat'];
  readonly content: FramedContentCommit;
  readonly signature: Uint8Array;
  readonly tree: HashedTree;
  readonly extensions: Extension[];
  readonly initSecret: Uint8Array;
  readonly commitSecret: Uint8Array;
  readonly pskSecret: Uint8Array;
}

export interface NextEpoch {
  readonly context: GroupContext;
  readonly secrets: EpochSecrets;
  readonly confirmationTag: Buffer;
}

/** The context a committer encrypts its path under: the next epoch's, all but the transcript hash. */
export function pathContext(context: GroupContext, extensions: Extension[], tree: HashedTree): GroupContext {
  return { ...context, extensions, epoch: context.epoch + 1n, treeHash: rootHash(tree) };
}

export async function deriveEpoch(
  step: Step,
  before: Pick<GroupState, 'context' | 'confirmationTag'>,
  transition: Transition,
): Promise<NextEpoch> {
  const { hash, kdf } = step.provider;
  const { wireformat, content, signature, tree, extensions } = transition;
  const context = await nextEpochContext(
    { ...before.context, extensions },
    wireformat,
    content,
    signature,
    rootHash(tree),
    before.confirmationTag,
    hash,
  );
  const { initSecret, commitSecret, pskSecret } = transition;
  const secrets = await initializeEpoch(initSecret, commitSecret, context, pskSecret, kdf);
  const tag = step.suite.hash.mac(secrets.keySchedule.confirmationKey, context.confirmedTranscriptHash);
  return { context, secrets, confirmationTag: tag };
}

/** The state of a new epoch; takes over the encryption secret and wipes the others that nothing more needs. */
export function enterEpoch(
  before: Pick<GroupState, 'suite' | 'signatureSecret'>,
  next: NextEpoch,
  tree: HashedTree,
  path: GroupState['path'],
): GroupState {
  const { keySchedule, encryptionSecret, joinerSecret, welcomeSecret } = next.secrets;
  wipe(joinerSecret, welcomeSecret);
  return {
    suite: before.suite,
    signatureSecret: before.signatureSecret,
    context: next.context,
    tree,
    keys: keySchedule,
    secretTree: makeSecretTree(leavesOf(tree.nodes.length), encryptionSecret),
    path: prunePath(path, tree.nodes),
    confirmationTag: next.confirmationTag,
    proposals: new Map(),
  };
}

/**
 * Drops the private keys of nodes that are blank or not above our leaf any more. They are not wiped: the epoch before
 * may be wanted again, and its owner wipes it.
 */
function prunePath(path: GroupState['path'], nodes: RatchetTree): GroupState['path'] {
  const own = 2 * path.leafIndex;
  const kept = Object.entries(path.privateKeys).filter(([at]) => nodes[Number(at)] && isUnder(own, Number(at)));
  return { leafIndex: path.leafIndex, privateKeys: Object.fromEntries(kept) };
}
