import type { ApplyProposalsResult, ClientState } from 'ts-mls/clientState.js';
import type { KeyPackage } from 'ts-mls/keyPackage.js';
import type { Proposal } from 'ts-mls/proposal.js';
import type { ProposalOrRef } from 'ts-mls/proposalOrRefType.js';
import type { PskIndex } from 'ts-mls/pskIndex.js';
import { DecodeError } from '../../base/errors.ts';
import type { IdentityKey } from '../../base/ids.ts';
import { refused } from './failure.ts';
import { type GroupState, type Member, memberAt, requireLeaf } from './group-state.ts';
import { describeKeyPackage } from './key-package.ts';
import { checkUsable, verifyLeaf, verifySuccessor } from './leaf.ts';
import { identityOf } from './leaf-authentication.ts';
import type { Step } from './step.ts';
import { checkKeys } from './tree-check.ts';

/** What a proposal would do, for the layers above. */
export type ProposalView =
  | { readonly kind: 'add'; readonly identity: IdentityKey; readonly keyPackageReference: Uint8Array }
  | { readonly kind: 'remove'; readonly index: number; readonly identity: IdentityKey }
  | { readonly kind: 'update' }
  | { readonly kind: 'data'; readonly data: Uint8Array }
  | { readonly kind: 'psk'; readonly id: Uint8Array }
  | { readonly kind: 'external-init' };

export interface ResolvedProposal {
  readonly proposal: Proposal;
  /** Undefined for a newcomer. */
  readonly sender: number | undefined;
  readonly byReference: boolean;
  readonly leafSecret: Uint8Array | undefined;
}

/** A pre-shared key by its name (RFC 9420 §8.4). */
export type PskLookup = (id: Uint8Array) => Uint8Array | undefined;
export const NO_PSKS: PskLookup = () => undefined;

export function pskIndexOf(lookup: PskLookup): PskIndex {
  return { findPsk: id => (id.psktype === 'external' ? lookup(id.pskId) : undefined) };
}

/** @throws AuthError a reference to a proposal that is not known here */
export function resolveProposals(
  state: GroupState,
  proposals: readonly ProposalOrRef[],
  committer: number | undefined,
): ResolvedProposal[] {
  return proposals.map(each => {
    if (each.proposalOrRefType === 'proposal') {
      return { proposal: each.proposal, sender: committer, byReference: false, leafSecret: undefined };
    }
    const pending = state.proposals.get(Buffer.from(each.reference).toString('hex'));
    if (pending === undefined) throw refused('mls.proposal-reference');
    return { ...pending, byReference: true };
  });
}

/**
 * The checks of a commit's proposals that ts-mls does not make (RFC 9420 §12.1, §12.2): kinds that are known, keys that
 * can be sealed to, a member that stays the same person, and of a newcomer by external commit nothing but its own joining.
 * @throws AuthError
 */
export function checkProposals(step: Step, state: GroupState, resolved: readonly ResolvedProposal[]): void {
  for (const { proposal, sender } of resolved) {
    if (!step.rules.allows(proposal)) throw refused('mls.proposal-kind');
    if (proposal.proposalType === 'external_init' && sender !== undefined) throw refused('mls.external-init');
    if (proposal.proposalType === 'add') checkAdd(step, state, proposal.add.keyPackage);
    if (proposal.proposalType === 'update') checkUpdate(step, state, proposal.update.leafNode, sender);
  }
}

/** The signatures are checked by ts-mls. */
function checkAdd({ suite }: Step, { context }: GroupState, { initKey, leafNode }: KeyPackage): void {
  suite.hpke.checked(initKey);
  checkUsable(suite, leafNode, context);
}

function checkUpdate(step: Step, state: GroupState, leaf: Parameters<typeof verifyLeaf>[1], sender?: number): void {
  if (sender === undefined) throw refused('mls.update');
  const before = requireLeaf(state, sender);
  verifyLeaf(step, leaf, state.context, sender);
  verifySuccessor(step, state.tree.nodes, before, leaf);
  if (Buffer.compare(before.hpkePublicKey, leaf.hpkePublicKey) === 0) throw refused('mls.update');
}

/**
 * Whether the keys of leaves that proposals bring stand nowhere else in the tree they lead to (RFC 9420 §7.3); ts-mls
 * compares only those that were there before. Keys of a path are looked at when it is applied.
 * @throws AuthError
 */
export function checkNewLeaves({ allProposals, tree }: Pick<ApplyProposalsResult, 'allProposals' | 'tree'>): void {
  if (allProposals.some(({ proposal }) => ['add', 'update'].includes(String(proposal.proposalType)))) checkKeys(tree);
}

/** @throws AuthError an external commit that does more than join, or join again (RFC 9420 §12.4.3.2) */
export function checkExternal(
  step: Step,
  state: GroupState,
  resolved: readonly ResolvedProposal[],
  leaf: LeafLike,
): void {
  const kinds = resolved.map(({ proposal }) => proposal.proposalType);
  if (resolved.some(({ byReference }) => byReference)) throw refused('mls.external-reference');
  if (kinds.filter(kind => kind === 'external_init').length !== 1) throw refused('mls.external-init');
  if (!kinds.every(kind => ['external_init', 'remove', 'psk'].includes(String(kind)))) throw refused('mls.external');
  const removed = resolved.flatMap(({ proposal }) =>
    proposal.proposalType === 'remove' ? [proposal.remove.removed] : [],
  );
  if (removed.length > 1) throw refused('mls.external-remove');
  for (const index of removed) {
    if (step.rules.memberName(requireLeaf(state, index)) !== step.rules.memberName(leaf))
      throw refused('mls.external-remove');
  }
}

type LeafLike = Parameters<Step['rules']['memberName']>[0];

/** @throws DecodeError a kind that Molva's groups do not have */
export function describeProposal(state: GroupState, proposal: Proposal): ProposalView {
  switch (proposal.proposalType) {
    case 'add': {
      const { identity, reference } = describeKeyPackage(proposal.add.keyPackage);
      return { kind: 'add', identity, keyPackageReference: reference };
    }
    case 'remove': {
      const index = proposal.remove.removed;
      return { kind: 'remove', index, identity: identityOf(requireLeaf(state, index).credential) };
    }
    case 'update':
      return { kind: 'update' };
    case 'group_context_extensions':
      return { kind: 'data', data: proposal.groupContextExtensions.extensions[0]?.extensionData ?? new Uint8Array() };
    case 'psk': {
      const id = proposal.psk.preSharedKeyId;
      return { kind: 'psk', id: id.psktype === 'external' ? id.pskId : id.pskGroupId };
    }
    case 'external_init':
      return { kind: 'external-init' };
    default:
      throw new DecodeError('mls.proposal');
  }
}

/** A proposal that waits in the epoch, and survives a restart with it. */
export interface WaitingProposal {
  readonly reference: string;
  readonly sender: Member;
  readonly proposal: ProposalView;
}

/** In the order they came. One's own update is not for one's own commit. */
export function pendingOf(state: GroupState): WaitingProposal[] {
  return [...state.proposals].map(([reference, { proposal, sender }]) => {
    return { reference, sender: memberAt(state, sender), proposal: describeProposal(state, proposal) };
  });
}

/** A state as the functions of ts-mls take it; its own trees of secrets are not used there. */
export function clientStateOf(step: Step, state: GroupState): ClientState {
  const unapplied = [...state.proposals].map(([reference, { proposal, sender }]) => {
    return [Buffer.from(reference, 'hex').toString('base64'), { proposal, senderLeafIndex: sender }] as const;
  });
  return {
    groupContext: state.context,
    keySchedule: state.keys,
    secretTree: [],
    ratchetTree: state.tree.nodes,
    privatePath: state.path,
    signaturePrivateKey: state.signatureSecret,
    unappliedProposals: Object.fromEntries(unapplied),
    confirmationTag: state.confirmationTag,
    historicalReceiverData: new Map(),
    groupActiveState: { kind: 'active' },
    clientConfig: step.config,
  };
}
