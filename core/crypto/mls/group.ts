import { makeProposalRef } from 'ts-mls/authenticatedContent.js';
import type { Extension } from 'ts-mls/extension.js';
import { signFramedContentTBS, toTbs } from 'ts-mls/framedContent.js';
import { encodePrivateMessageContent } from 'ts-mls/privateMessage.js';
import type { Proposal } from 'ts-mls/proposal.js';
import { wipe } from '../../base/bytes.ts';
import type { RandomSource } from '../../base/clock.ts';
import { UsageError } from '../../base/errors.ts';
import { LIMITS } from '../../base/limits.ts';
import { type CreatedCommit, createCommit } from './create-commit.ts';
import { overRequest } from './failure.ts';
import { type GroupState, groupIdOf, referenceText, requireLeaf } from './group-state.ts';
import { readKeyPackage, readKeyPackageSecrets } from './key-package.ts';
import { epochSecretsOf } from './key-schedule.ts';
import { leafToSign } from './leaf.ts';
import { GROUP_DATA_EXTENSION } from './leaf-authentication.ts';
import { CONTENT, sealPrivate } from './private-message.ts';
import type { PskLookup } from './proposals.ts';
import { makeSecretTree, wipeConsumed } from './secret-tree.ts';
import { NO_RANDOM, type Step, stepOf } from './step.ts';
import { suiteOf } from './suite.ts';
import { hashTree, rootHash } from './tree-hash.ts';
import { makeGroupInfo } from './welcome.ts';

/** A change that a member asks for. */
export type ProposalRequest =
  /** A key package that `parseKeyPackage` accepted. */
  | { readonly kind: 'add'; readonly keyPackage: Uint8Array }
  | { readonly kind: 'remove'; readonly index: number }
  /** What the group says of itself, in place of what it said before: at most LIMITS.mlsGroupDataBytes. */
  | { readonly kind: 'data'; readonly data: Uint8Array }
  /** Mixes in a secret that the members know by this name. */
  | { readonly kind: 'psk'; readonly id: Uint8Array };

export interface CommitTerms {
  /** References of waiting proposals, in the order of `pendingOf`. */
  readonly references?: readonly string[];
  /** Changes of the committer's own, inside the commit. */
  readonly proposals?: readonly ProposalRequest[];
  readonly nowMs: number;
  readonly psks?: PskLookup;
  readonly authenticatedData?: Uint8Array;
  /** False where newcomers get the tree by another way (`encodeTree`): a welcome is then some hundred bytes a head. */
  readonly treeInWelcome?: boolean;
}

export interface SentProposal {
  readonly message: Buffer;
  readonly reference: string;
  /** Takes the place of the state that was passed in; stored before the message leaves. */
  readonly state: GroupState;
}

const NOTHING = new Uint8Array();

/**
 * A new group of one member (RFC 9420 §11), in its first epoch.
 * @param keyPackage our own, made for this group and never published; its suite becomes the group's
 * @param secrets what `makeKeyPackage` gave with it; stays the caller's to wipe
 * @param groupId 16 or more random bytes
 */
export function createGroup(
  keyPackage: Uint8Array,
  secrets: Uint8Array,
  groupId: Uint8Array,
  data: Uint8Array,
  random: RandomSource,
): Promise<GroupState> {
  return overRequest('mls.create', () => {
    const parsed = readKeyPackage(keyPackage);
    const suite = suiteOf(parsed.suite);
    const keys = readKeyPackageSecrets(secrets);
    wipe(keys.initPrivateKey);
    const tree = hashTree(suite, [{ nodeType: 'leaf', leaf: parsed.keyPackage.leafNode }]);
    const context = {
      version: 'mls10' as const,
      cipherSuite: suite.name,
      groupId: Buffer.from(groupId),
      epoch: 0n,
      treeHash: rootHash(tree),
      confirmedTranscriptHash: NOTHING,
      extensions: data.length === 0 ? [] : dataExtensions(data),
    };
    const { keys: schedule, encryptionSecret } = epochSecretsOf(suite, random(suite.hash.bytes));
    return {
      suite: suite.kind,
      context,
      tree,
      keys: schedule,
      secretTree: makeSecretTree(1, encryptionSecret),
      path: { leafIndex: 0, privateKeys: { 0: keys.hpkePrivateKey } },
      signatureSecret: keys.signaturePrivateKey,
      confirmationTag: suite.hash.mac(schedule.confirmationKey, NOTHING),
      proposals: new Map(),
    };
  });
}

/**
 * Proposes a change to the epoch's members (RFC 9420 §12.1). An update renews our own leaf's key once someone else
 * commits it.
 * @throws UsageError it cannot be proposed
 */
export function propose(
  state: GroupState,
  request: ProposalRequest | { readonly kind: 'update' },
  random: RandomSource,
  authenticatedData: Uint8Array = NOTHING,
): Promise<SentProposal> {
  return overRequest('mls.propose', async () => {
    const step = stepOf(state.suite, random);
    const made = request.kind === 'update' ? makeUpdate(step, state) : { proposal: toProposal(step, state, request) };
    const { proposal } = made;
    const { epoch } = state.context;
    const sender = { senderType: 'member' as const, leafIndex: state.path.leafIndex };
    const info = { contentType: 'proposal' as const, proposal };
    const content = { groupId: groupIdOf(state), epoch, sender, authenticatedData, ...info };
    const wireformat = 'mls_private_message';
    const toSign = toTbs(content, wireformat, state.context);
    const signature = await signFramedContentTBS(state.signatureSecret, toSign, step.provider.signature);
    const auth = { contentType: 'proposal' as const, signature };
    const plaintext = encodePrivateMessageContent(step.config.paddingConfig)({ ...info, auth });
    const { message, taken } = sealPrivate(state, CONTENT.proposal, plaintext, authenticatedData, random);
    const reference = referenceText(await makeProposalRef({ wireformat, content, auth }, step.provider.hash));
    wipeConsumed(taken);
    const leafSecret = 'leafSecret' in made ? made.leafSecret : undefined;
    const pending = { proposal, sender: sender.leafIndex, leafSecret };
    const proposals = new Map(state.proposals).set(reference, pending);
    return { message, reference, state: { ...state, secretTree: taken.tree, proposals } };
  });
}

/**
 * Commits changes, and renews the committer's keys (RFC 9420 §12.4). Nothing in it is what others must accept: who
 * may change what is for the layer above, on every member.
 * @throws UsageError a proposal that cannot be committed
 */
export async function commit(state: GroupState, terms: CommitTerms, random: RandomSource): Promise<CreatedCommit> {
  const step = stepOf(state.suite, random);
  return await createCommit(step, state, {
    references: terms.references ?? [],
    proposals: (terms.proposals ?? []).map(request => toProposal(step, state, request)),
    nowMs: terms.nowMs,
    psks: terms.psks,
    authenticatedData: terms.authenticatedData,
    treeInWelcome: terms.treeInWelcome ?? true,
  });
}

/** A signed GroupInfo with which someone can join by `joinExternally`: it goes only to those who may. */
export function groupInfoOf(state: GroupState, treeIncluded = true): Promise<Uint8Array> {
  return overRequest('mls.group-info', () => makeGroupInfo(stepOf(state.suite, NO_RANDOM), state, treeIncluded));
}

function toProposal(step: Step, state: GroupState, request: ProposalRequest): Proposal {
  switch (request.kind) {
    case 'add': {
      const { keyPackage, suite } = readKeyPackage(request.keyPackage);
      if (suite !== state.suite) throw new UsageError('refused', 'mls.add', 'The key is for another kind of group.');
      return { proposalType: 'add', add: { keyPackage } };
    }
    case 'remove':
      return { proposalType: 'remove', remove: { removed: request.index } };
    case 'data': {
      const extensions = dataExtensions(request.data);
      return { proposalType: 'group_context_extensions', groupContextExtensions: { extensions } };
    }
    case 'psk': {
      const pskNonce = step.random(step.suite.hash.bytes);
      return { proposalType: 'psk', psk: { preSharedKeyId: { psktype: 'external', pskId: request.id, pskNonce } } };
    }
  }
}

function dataExtensions(data: Uint8Array): Extension[] {
  if (data.length > LIMITS.mlsGroupDataBytes) throw new UsageError('too-large', 'mls.data', 'The group says too much.');
  return [{ extensionType: GROUP_DATA_EXTENSION, extensionData: Buffer.from(data) }];
}

function makeUpdate({ suite, random }: Step, state: GroupState) {
  const own = state.path.leafIndex;
  const { signaturePublicKey, credential, capabilities, extensions } = requireLeaf(state, own);
  const pair = suite.hpke.pairOf(random(suite.hash.bytes));
  const unsigned = {
    leafNodeSource: 'update' as const,
    hpkePublicKey: pair.public,
    signaturePublicKey,
    credential,
    capabilities,
    extensions,
    signature: NOTHING,
  };
  const toSign = leafToSign(unsigned, state.context.groupId, own);
  const leafNode = { ...unsigned, signature: suite.sign(state.signatureSecret, 'LeafNodeTBS', toSign) };
  return { proposal: { proposalType: 'update' as const, update: { leafNode } }, leafSecret: pair.private };
}
