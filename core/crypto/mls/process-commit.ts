import type { AuthenticatedContent } from 'ts-mls/authenticatedContent.js';
import { type ApplyProposalsResult, applyProposals, nextEpochContext } from 'ts-mls/clientState.js';
import type { FramedContentCommit } from 'ts-mls/framedContent.js';
import type { PskIndex } from 'ts-mls/pskIndex.js';
import { addLeafNode } from 'ts-mls/ratchetTree.js';
import { toLeafIndex } from 'ts-mls/treemath.js';
import type { UpdatePath } from 'ts-mls/updatePath.js';
import { equalBytes, wipe } from '../../base/bytes.ts';
import { LIMITS } from '../../base/limits.ts';
import { deriveEpoch, enterEpoch, pathContext, wipeNext } from './epoch.ts';
import { refused } from './failure.ts';
import { contextBytes, type GroupState, leafAt } from './group-state.ts';
import { verifyLeaf, verifySuccessor } from './leaf.ts';
import {
  checkExternal,
  checkNewLeaves,
  checkProposals,
  clientStateOf,
  type ResolvedProposal,
  resolveProposals,
} from './proposals.ts';
import type { Step } from './step.ts';
import { type HashedTree, hashTree } from './tree-hash.ts';
import { leavesOf } from './tree-math.ts';
import { applyPath, type OpenedPath, openPath } from './update-path.ts';

const NOTHING = new Uint8Array();

export interface ProcessedCommit {
  /** The leaf of who made it, in the new tree. */
  readonly committer: number;
  /** Whether the committer joined, or joined again, by this commit itself. */
  readonly external: boolean;
  /** Whether the committer renewed its keys with it. */
  readonly renews: boolean;
  readonly proposals: readonly ResolvedProposal[];
  /** The next epoch; undefined when the commit removes us. */
  readonly next: GroupState | undefined;
  /** The next epoch's confirmed transcript hash, which also the removed can tell. */
  readonly epochId: Uint8Array;
}

/**
 * Processes a commit whose signature was verified (RFC 9420 §12.4.2). The state is left as it is, and serves for
 * another commit of the same epoch as well.
 * @throws AuthError
 */
export async function processCommit(
  step: Step,
  state: GroupState,
  message: AuthenticatedContent,
  psks: PskIndex,
): Promise<ProcessedCommit> {
  const { content, auth } = message;
  if (content.contentType !== 'commit' || auth.contentType !== 'commit') throw refused('mls.commit');
  const { sender, commit } = content;
  const committing = sender.senderType === 'member' ? sender.leafIndex : undefined;
  if (committing === undefined && sender.senderType !== 'new_member_commit') throw refused('mls.sender');
  const proposals = resolveProposals(state, commit.proposals, committing);
  checkProposals(step, state, proposals);
  if (committing === undefined) {
    if (commit.path === undefined) throw refused('mls.path');
    checkExternal(step, state, proposals, commit.path.leafNode);
  }
  const member = committing === undefined ? undefined : toLeafIndex(committing);
  const client = clientStateOf(step, state);
  const applied = await applyProposals(client, commit.proposals, member, psks, false, step.provider);
  try {
    return await follow(step, state, { ...message, content, auth }, applied, proposals);
  } finally {
    wipe(applied.pskSecret, externalSecretOf(applied) ?? NOTHING);
  }
}

/** Goes where a commit's proposals and its path lead. */
async function follow(
  step: Step,
  state: GroupState,
  message: CommitMessage,
  applied: ApplyProposalsResult,
  proposals: readonly ResolvedProposal[],
): Promise<ProcessedCommit> {
  const { sender, commit } = message.content;
  const committing = sender.senderType === 'member' ? sender.leafIndex : undefined;
  checkNewLeaves(applied);
  if (applied.needsUpdatePath && commit.path === undefined) throw refused('mls.path');
  if (leavesOf(applied.tree.length) > LIMITS.mlsLeaves) throw refused('mls.leaves');
  const placed = placeCommitter(step, state, applied, committing, commit.path);
  const made = {
    committer: placed.leaf,
    external: committing === undefined,
    renews: commit.path !== undefined,
    proposals,
  };
  // Whoever is removed cannot open the path and learns no more of the group.
  if (!leafAt({ tree: placed.before }, state.path.leafIndex) || isReplaced(applied, state)) {
    return { ...made, next: undefined, epochId: await transcriptHash(step, state, message) };
  }
  const next = await enterNext(step, state, message, applied, placed, proposals);
  return { ...made, next, epochId: next.context.confirmedTranscriptHash };
}

function externalSecretOf({ additionalResult: result }: ApplyProposalsResult): Uint8Array | undefined {
  return result.kind === 'externalCommit' ? result.externalInitSecret : undefined;
}

/** RFC 9420 §8.2; needs no secret of either epoch. */
async function transcriptHash(
  { provider }: Step,
  { context, confirmationTag }: GroupState,
  { wireformat, content, auth }: CommitMessage,
): Promise<Uint8Array> {
  const { treeHash } = context;
  const { signature } = auth;
  const next = await nextEpochContext(
    context,
    wireformat,
    content,
    signature,
    treeHash,
    confirmationTag,
    provider.hash,
  );
  return next.confirmedTranscriptHash;
}

/** Whether our leaf was taken by an external commit of ourselves, made with other keys than these. */
function isReplaced(applied: ApplyProposalsResult, state: GroupState): boolean {
  return applied.allProposals.some(
    ({ proposal }) => proposal.proposalType === 'remove' && proposal.remove.removed === state.path.leafIndex,
  );
}

interface Placed {
  /** After the proposals, the committer's leaf in its place, before its path. */
  readonly before: HashedTree;
  readonly leaf: number;
}

function placeCommitter(
  step: Step,
  state: GroupState,
  applied: ApplyProposalsResult,
  committing: number | undefined,
  path: UpdatePath | undefined,
): Placed {
  if (committing !== undefined) {
    const before = hashTree(step.suite, applied.tree, state.tree);
    if (path) checkPathLeaf(step, state, before, committing, path, leafAt({ tree: before }, committing));
    return { before, leaf: committing };
  }
  if (path === undefined) throw refused('mls.path');
  checkPathLeaf(step, state, { nodes: applied.tree }, nextLeaf(applied), path, undefined);
  const [nodes, at] = addLeafNode(applied.tree, path.leafNode);
  return { before: hashTree(step.suite, nodes, state.tree), leaf: at / 2 };
}

function nextLeaf({ additionalResult }: ApplyProposalsResult): number {
  if (additionalResult.kind !== 'externalCommit') throw refused('mls.external');
  return additionalResult.newMemberLeafIndex;
}

function checkPathLeaf(
  step: Step,
  state: GroupState,
  tree: Pick<HashedTree, 'nodes'>,
  index: number,
  path: UpdatePath,
  old: ReturnType<typeof leafAt>,
): void {
  verifyLeaf(step, path.leafNode, state.context, index);
  verifySuccessor(step, tree.nodes, old, path.leafNode);
}

type CommitMessage = AuthenticatedContent & {
  content: FramedContentCommit;
  auth: { contentType: 'commit'; signature: Uint8Array; confirmationTag: Uint8Array };
};

async function enterNext(
  step: Step,
  state: GroupState,
  { wireformat, content, auth }: CommitMessage,
  applied: ApplyProposalsResult,
  placed: Placed,
  proposals: readonly ResolvedProposal[],
): Promise<GroupState> {
  const { additionalResult: result } = applied;
  const changed = result.kind === 'memberCommit' ? result.extensions : [];
  const extensions = changed.length > 0 ? changed : state.context.extensions;
  const newcomers = new Set(result.kind === 'memberCommit' ? result.addedLeafNodes.map(([leaf]) => 2 * leaf) : []);
  const opened = takePath(step, state, content.commit.path, placed, newcomers, extensions, proposals);
  const next = await deriveEpoch(step, state, {
    wireformat,
    content,
    signature: auth.signature,
    tree: opened.tree,
    extensions,
    initSecret: externalSecretOf(applied) ?? state.keys.initSecret,
    commitSecret: opened.commitSecret,
    pskSecret: applied.pskSecret,
  });
  wipe(opened.commitSecret);
  if (equalBytes(next.confirmationTag, auth.confirmationTag)) {
    return enterEpoch(state, next, opened.tree, opened.privateKeys);
  }
  wipeNext(next);
  wipe(...Object.values(opened.privateKeys));
  throw refused('mls.confirmation');
}

function takePath(
  step: Step,
  state: GroupState,
  path: UpdatePath | undefined,
  { before, leaf }: Placed,
  newcomers: ReadonlySet<number>,
  extensions: GroupState['context']['extensions'],
  proposals: readonly ResolvedProposal[],
): OpenedPath & { readonly tree: HashedTree } {
  const { suite } = step;
  const own = state.path.leafIndex;
  const ownUpdate = proposals.find(({ sender, leafSecret }) => sender === own && leafSecret)?.leafSecret;
  // It stays with the state, too, which may follow a rival of this commit.
  const updated: Record<number, Uint8Array> = ownUpdate ? { [2 * own]: Buffer.from(ownUpdate) } : {};
  if (path === undefined) return { tree: before, privateKeys: updated, commitSecret: Buffer.alloc(suite.hash.bytes) };
  const applied = applyPath(suite, before, leaf, path, newcomers);
  const known = ofNodes({ ...state.path.privateKeys, ...updated }, before);
  const context = contextBytes(pathContext(state.context, extensions, applied.tree));
  const opened = openPath(suite, path, applied.path, own, known, context);
  const { commitSecret } = opened;
  return { tree: applied.tree, privateKeys: { ...updated, ...opened.privateKeys }, commitSecret };
}

/** Private keys of nodes that the proposals have not blanked. */
function ofNodes(keys: Readonly<Record<number, Uint8Array>>, { nodes }: HashedTree): Record<number, Uint8Array> {
  return Object.fromEntries(Object.entries(keys).filter(([at]) => nodes[Number(at)] !== undefined));
}
