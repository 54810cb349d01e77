import { type ApplyProposalsResult, applyProposals } from 'ts-mls/clientState.js';
import { createContentCommitSignature } from 'ts-mls/framedContent.js';
import { encodePrivateMessageContent } from 'ts-mls/privateMessage.js';
import type { Proposal } from 'ts-mls/proposal.js';
import type { ProposalOrRef } from 'ts-mls/proposalOrRefType.js';
import { toLeafIndex } from 'ts-mls/treemath.js';
import { wipe } from '../../base/bytes.ts';
import { InternalError, UsageError } from '../../base/errors.ts';
import { LIMITS } from '../../base/limits.ts';
import { deriveEpoch, enterEpoch, pathContext } from './epoch.ts';
import { overRequest } from './failure.ts';
import { contextBytes, type GroupState } from './group-state.ts';
import { describeKeyPackage, isAlive } from './key-package.ts';
import { CONTENT, sealPrivate } from './private-message.ts';
import {
  checkNewLeaves,
  checkProposals,
  clientStateOf,
  NO_PSKS,
  type PskLookup,
  pskIndexOf,
  resolveProposals,
} from './proposals.ts';
import { wipeConsumed } from './secret-tree.ts';
import type { Step } from './step.ts';
import { hashTree } from './tree-hash.ts';
import { leavesOf } from './tree-math.ts';
import { encryptPath, type MadePath, makePath } from './update-path.ts';
import { makeWelcome } from './welcome.ts';

export interface CommitRequest {
  /** References of waiting proposals, in hex. */
  readonly references: readonly string[];
  readonly proposals: readonly Proposal[];
  /** Key packages that are added are valid at this time. */
  readonly nowMs: number;
  readonly psks?: PskLookup | undefined;
  /** Readable by whoever carries the commit. */
  readonly authenticatedData?: Uint8Array | undefined;
  /** Whether the welcome carries the tree; without it newcomers need `encodeTree` by another way. */
  readonly treeInWelcome: boolean;
}

export interface CreatedCommit {
  readonly message: Buffer;
  /** For those that the commit adds. */
  readonly welcome: Uint8Array | undefined;
  /** The epoch it was made in: takes the place of the state that was passed in, so that no key serves twice. */
  readonly parent: GroupState;
  /** The epoch it leads to; stored before the commit leaves, as it cannot be read by who made it. */
  readonly next: GroupState;
}

/**
 * Makes a commit (RFC 9420 §12.4.1), always with a path: whoever commits also heals its own keys.
 * @throws UsageError a proposal that cannot be committed
 */
export function createCommit(step: Step, state: GroupState, request: CommitRequest): Promise<CreatedCommit> {
  return overRequest('mls.commit', async () => {
    const proposals = listProposals(request);
    const applied = await applyAll(step, state, proposals, request);
    const { additionalResult } = applied;
    if (additionalResult.kind !== 'memberCommit') throw new InternalError('mls.commit');
    const added = additionalResult.addedLeafNodes;
    const before = hashTree(step.suite, applied.tree, state.tree);
    const newcomers = new Set(added.map(([leaf]) => 2 * leaf));
    const own = state.path.leafIndex;
    const { groupId } = state.context;
    const made = makePath(step.suite, before, own, newcomers, groupId, state.signatureSecret, step.random);
    const { extensions: changed } = additionalResult;
    const extensions = changed.length > 0 ? changed : state.context.extensions;
    const signed = await signCommit(step, state, proposals, made, applied, extensions, request);
    const next = await deriveEpoch(step, state, {
      ...signed,
      tree: made.tree,
      extensions,
      initSecret: state.keys.initSecret,
      commitSecret: made.commitSecret,
      pskSecret: applied.pskSecret,
    });
    const { message, taken } = sealCommit(step, state, signed, next.confirmationTag);
    const terms = { tree: made.tree, next, added, psks: applied.pskIds, treeIncluded: request.treeInWelcome };
    const welcome = added.length === 0 ? undefined : await makeWelcome(step, state, made, terms);
    const entered = enterEpoch(state, next, made.tree, made.privateKeys);
    wipe(made.commitSecret, applied.pskSecret, ...made.secrets);
    wipeConsumed(taken);
    return { message, welcome, parent: { ...state, secretTree: taken.tree }, next: entered };
  });
}

function listProposals({ references, proposals }: CommitRequest): ProposalOrRef[] {
  return [
    ...references.map(each => ({ proposalOrRefType: 'reference' as const, reference: Buffer.from(each, 'hex') })),
    ...proposals.map(proposal => ({ proposalOrRefType: 'proposal' as const, proposal })),
  ];
}

async function applyAll(
  step: Step,
  state: GroupState,
  proposals: ProposalOrRef[],
  request: CommitRequest,
): Promise<ApplyProposalsResult> {
  const own = state.path.leafIndex;
  const resolved = resolveProposals(state, proposals, own);
  checkProposals(step, state, resolved);
  for (const { proposal } of resolved) {
    if (proposal.proposalType !== 'add') continue;
    if (isAlive(describeKeyPackage(proposal.add.keyPackage), request.nowMs)) continue;
    throw new UsageError('refused', 'mls.add', 'The key that the person is to be added with is no longer valid.');
  }
  const psks = pskIndexOf(request.psks ?? NO_PSKS);
  const client = clientStateOf(step, state);
  const applied = await applyProposals(client, proposals, toLeafIndex(own), psks, false, step.provider);
  checkNewLeaves(applied);
  if (leavesOf(applied.tree.length) > LIMITS.mlsLeaves) {
    throw new UsageError('limit-reached', 'mls.add', 'The group has as many members as it can.');
  }
  return applied;
}

type Signed = Awaited<ReturnType<typeof signCommit>>;

async function signCommit(
  step: Step,
  state: GroupState,
  proposals: ProposalOrRef[],
  made: MadePath,
  applied: ApplyProposalsResult,
  extensions: GroupState['context']['extensions'],
  request: CommitRequest,
) {
  const context = contextBytes(pathContext(state.context, extensions, made.tree));
  const path = encryptPath(step.suite, applied.tree, made, context, step.random);
  const { framedContent, signature } = await createContentCommitSignature(
    state.context,
    'mls_private_message',
    { proposals, path },
    { senderType: 'member', leafIndex: state.path.leafIndex },
    request.authenticatedData ?? new Uint8Array(),
    state.signatureSecret,
    step.provider.signature,
  );
  return { wireformat: 'mls_private_message' as const, content: framedContent, signature };
}

function sealCommit(step: Step, state: GroupState, { content, signature }: Signed, confirmationTag: Uint8Array) {
  const auth = { contentType: 'commit' as const, signature, confirmationTag };
  const plaintext = encodePrivateMessageContent(step.config.paddingConfig)({ ...content, auth });
  return sealPrivate(state, CONTENT.commit, plaintext, content.authenticatedData, step.random);
}
