import type { AuthenticatedContent } from 'ts-mls/authenticatedContent.js';
import { nextEpochContext } from 'ts-mls/clientState.js';
import type { Extension } from 'ts-mls/extension.js';
import type { FramedContentCommit } from 'ts-mls/framedContent.js';
import type { GroupContext } from 'ts-mls/groupContext.js';
import type { RatchetTree } from 'ts-mls/ratchetTree.js';
import { wipe } from '../../base/bytes.ts';
import { contextBytes, type GroupState } from './group-state.ts';
import { type EpochSecrets, joinerSecretOf, memberEpoch, memberSecretOf } from './key-schedule.ts';
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

export interface NextEpoch extends EpochSecrets {
  readonly context: GroupContext;
  /** Of a welcome to it. Wiped by `enterEpoch`, as is the next. */
  readonly joinerSecret: Buffer;
  readonly memberSecret: Buffer;
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
  const { suite, provider } = step;
  const { wireformat, content, signature, tree, extensions } = transition;
  const context = await nextEpochContext(
    { ...before.context, extensions },
    wireformat,
    content,
    signature,
    rootHash(tree),
    before.confirmationTag,
    provider.hash,
  );
  const { initSecret, commitSecret, pskSecret } = transition;
  const encoded = contextBytes(context);
  const joinerSecret = joinerSecretOf(suite, initSecret, commitSecret, encoded);
  const memberSecret = memberSecretOf(suite, joinerSecret, pskSecret);
  const secrets = memberEpoch(suite, memberSecret, encoded);
  const confirmationTag = suite.hash.mac(secrets.keys.confirmationKey, context.confirmedTranscriptHash);
  return { ...secrets, context, joinerSecret, memberSecret, confirmationTag };
}

/** Ends an epoch that is not entered. */
export function wipeNext({ keys, encryptionSecret, joinerSecret, memberSecret }: NextEpoch): void {
  wipe(...Object.values(keys), encryptionSecret, joinerSecret, memberSecret);
}

/**
 * The state of a new epoch, which owns all its secrets: what it has in common with the epoch before is copied, so that
 * each of the two can be wiped and the other go on.
 * @param made private keys that are new in it, by position; taken over
 */
export function enterEpoch(
  before: Pick<GroupState, 'suite' | 'signatureSecret' | 'path'>,
  next: NextEpoch,
  tree: HashedTree,
  made: Readonly<Record<number, Uint8Array>>,
): GroupState {
  wipe(next.joinerSecret, next.memberSecret);
  return {
    suite: before.suite,
    signatureSecret: Buffer.from(before.signatureSecret),
    context: next.context,
    tree,
    keys: next.keys,
    secretTree: makeSecretTree(leavesOf(tree.nodes.length), next.encryptionSecret),
    path: inheritPath(before.path, made, tree.nodes),
    confirmationTag: next.confirmationTag,
    proposals: new Map(),
  };
}

/** Leaves out the private keys of nodes that are blank or not above our leaf any more. */
function inheritPath(
  before: GroupState['path'],
  made: Readonly<Record<number, Uint8Array>>,
  nodes: RatchetTree,
): GroupState['path'] {
  const { leafIndex } = before;
  const inherited = Object.entries(before.privateKeys).filter(([at]) => {
    return made[Number(at)] === undefined && nodes[Number(at)] && isUnder(2 * leafIndex, Number(at));
  });
  const copies = Object.fromEntries(inherited.map(([at, key]) => [at, Buffer.from(key)]));
  return { leafIndex, privateKeys: { ...copies, ...made } };
}
