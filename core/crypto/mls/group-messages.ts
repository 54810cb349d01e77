import { type AuthenticatedContent, makeProposalRef } from 'ts-mls/authenticatedContent.js';
import { verifyFramedContentSignature } from 'ts-mls/framedContent.js';
import { unprotectPublicMessage } from 'ts-mls/messageProtectionPublic.js';
import {
  decodePrivateMessageContent,
  encodePrivateMessageContent,
  toAuthenticatedContent,
} from 'ts-mls/privateMessage.js';
import type { PskIndex } from 'ts-mls/pskIndex.js';
import type { PublicMessage } from 'ts-mls/publicMessage.js';
import { DecodeError } from '../../base/errors.ts';
import { LIMITS } from '../../base/limits.ts';
import { type OpenedApplication, openApplication } from './application.ts';
import { overInput, overInputNow, refused } from './failure.ts';
import { type GroupState, type Member, memberAt, referenceText, requireLeaf } from './group-state.ts';
import { readMessage } from './message.ts';
import { CONTENT, openPrivate, readPrivateMessage, WIRE_FORMAT } from './private-message.ts';
import { processCommit } from './process-commit.ts';
import { describeProposal, NO_PSKS, type ProposalView, type PskLookup, pskIndexOf } from './proposals.ts';
import { wipeMade } from './secret-tree.ts';
import { NO_RANDOM, type Step, stepOf } from './step.ts';
import { Reader } from './wire.ts';

/** What everybody who carries a message can read of it. */
export interface MessageHead {
  readonly kind: 'application' | 'proposal' | 'commit' | 'external-commit';
  readonly groupId: Uint8Array;
  readonly epoch: bigint;
  readonly authenticatedData: Uint8Array;
}

export type ProcessedMessage =
  | ({ readonly kind: 'application' } & OpenedApplication)
  | {
      readonly kind: 'proposal';
      readonly sender: Member;
      readonly reference: string;
      readonly proposal: ProposalView;
      readonly authenticatedData: Uint8Array;
      /** Takes the place of the state that was passed in. */
      readonly state: GroupState;
    }
  | {
      readonly kind: 'commit';
      readonly committer: Member;
      /** The committer joined, or joined again, by the commit itself. */
      readonly external: boolean;
      /** Whether its committer renewed its keys by it (RFC 9420 §12.4 allows commits that do not). */
      readonly renews: boolean;
      readonly changes: readonly ProposedChange[];
      readonly authenticatedData: Uint8Array;
      /** The epoch it leads to, beside the one that was passed in; undefined when it removes us. */
      readonly next: GroupState | undefined;
      /** Of the epoch it leads to, known also to whoever it removes. */
      readonly epochId: Uint8Array;
    };

export interface ProposedChange {
  /** Who proposed it, in the epoch before; undefined for a newcomer's own. */
  readonly sender: Member | undefined;
  readonly proposal: ProposalView;
}

/** @throws DecodeError not a message to a group */
export function readHead(bytes: Uint8Array): MessageHead {
  return overInputNow('mls.head', () => headOf(bytes));
}

/**
 * Takes a message of the state's epoch. A commit or proposal leaves the state's keys as they are: of two commits of one
 * epoch both can be followed, and each again. Application data is opened once.
 * @throws DecodeError not a message; AuthError not of this epoch, not authentic, or against the rules. The state is
 *   then as it was.
 */
export function processMessage(
  state: GroupState,
  bytes: Uint8Array,
  psks: PskLookup = NO_PSKS,
): Promise<ProcessedMessage> {
  return overInput('mls.process', async () => {
    const { kind } = headOf(bytes);
    if (kind === 'application') return { kind, ...openApplication(state, bytes) };
    const step = stepOf(state.suite, NO_RANDOM);
    const message = await openHandshake(step, state, bytes);
    if (message.content.contentType === 'commit') return await takeCommit(step, state, message, pskIndexOf(psks));
    return await takeProposal(step, state, message);
  });
}

/** Opens a handshake message and verifies its signature. @throws DecodeError, AuthError */
export async function openHandshake(step: Step, state: GroupState, bytes: Uint8Array): Promise<AuthenticatedContent> {
  const format = new Reader(bytes.subarray(2)).uint16();
  if (format === WIRE_FORMAT.private) return await openPrivateHandshake(step, state, bytes);
  const message = readMessage(bytes, 'mls.message');
  if (message.wireformat !== 'mls_public_message') throw new DecodeError('mls.message');
  return await openPublic(step, state, message.publicMessage);
}

async function openPrivateHandshake(step: Step, state: GroupState, bytes: Uint8Array): Promise<AuthenticatedContent> {
  const message = readPrivateMessage(bytes);
  const { sender, plaintext, taken } = openPrivate(state, message);
  wipeMade(taken);
  const contentType = message.contentType === CONTENT.commit ? ('commit' as const) : ('proposal' as const);
  const content = decodePrivateMessageContent(contentType)(plaintext, 0);
  if (content === undefined) throw new DecodeError('mls.content');
  const spelled = encodePrivateMessageContent(step.config.paddingConfig)(content[0]);
  if (Buffer.compare(spelled, plaintext.subarray(0, spelled.length)) !== 0) throw new DecodeError('mls.spelling');
  const { groupId, epoch, authenticatedData } = message;
  const head = { groupId, epoch, authenticatedData, contentType, encryptedSenderData: message.senderData };
  const opened = toAuthenticatedContent(content[0], { ...head, ciphertext: message.ciphertext }, sender);
  const key = requireLeaf(state, sender).signaturePublicKey;
  const { signature } = step.provider;
  const { context } = state;
  const signed = await verifyFramedContentSignature(
    key,
    opened.wireformat,
    opened.content,
    opened.auth,
    context,
    signature,
  );
  if (!signed) throw refused('mls.signature');
  return opened;
}

async function openPublic(step: Step, state: GroupState, message: PublicMessage): Promise<AuthenticatedContent> {
  const { context, keys, tree } = state;
  const { groupId, epoch, sender } = message.content;
  if (epoch !== context.epoch || Buffer.compare(groupId, context.groupId) !== 0) throw refused('mls.epoch');
  if (sender.senderType !== 'member' && sender.senderType !== 'new_member_commit') throw refused('mls.sender');
  return await unprotectPublicMessage(keys.membershipKey, context, tree.nodes, message, step.provider);
}

/** Keeps a proposal until it is committed. @throws AuthError */
export async function keepProposal(step: Step, state: GroupState, message: AuthenticatedContent) {
  const { content } = message;
  if (content.contentType !== 'proposal' || content.sender.senderType !== 'member') throw refused('mls.proposal');
  if (!step.rules.allows(content.proposal)) throw refused('mls.proposal-kind');
  const reference = referenceText(await makeProposalRef(message, step.provider.hash));
  const known = state.proposals.has(reference);
  if (!known && state.proposals.size >= LIMITS.mlsProposals) throw refused('mls.proposals');
  const sender = content.sender.leafIndex;
  const pending = { proposal: content.proposal, sender, leafSecret: undefined };
  const proposals = known ? state.proposals : new Map(state.proposals).set(reference, pending);
  return { sender, reference, state: { ...state, proposals } };
}

async function takeProposal(step: Step, state: GroupState, message: AuthenticatedContent): Promise<ProcessedMessage> {
  const { content } = message;
  if (content.contentType !== 'proposal') throw new DecodeError('mls.proposal');
  const proposal = describeProposal(state, content.proposal);
  const kept = await keepProposal(step, state, message);
  const { authenticatedData } = content;
  return { kind: 'proposal', ...kept, sender: memberAt(state, kept.sender), proposal, authenticatedData };
}

async function takeCommit(
  step: Step,
  state: GroupState,
  message: AuthenticatedContent,
  psks: PskIndex,
): Promise<ProcessedMessage> {
  const { committer, proposals, next, ...made } = await processCommit(step, state, message, psks);
  const changes = proposals.map(({ proposal, sender }) => ({
    sender: sender === undefined ? undefined : memberAt(state, sender),
    proposal: describeProposal(state, proposal),
  }));
  const { authenticatedData } = message.content;
  // Who is removed has no next epoch; a newcomer is known from the path it came with.
  const place = next && made.external ? next : state;
  return { ...made, kind: 'commit', committer: memberAt(place, committer), changes, authenticatedData, next };
}

function headOf(bytes: Uint8Array): MessageHead {
  const format = new Reader(bytes.subarray(2)).uint16();
  if (format === WIRE_FORMAT.private) {
    const { contentType, groupId, epoch, authenticatedData } = readPrivateMessage(bytes);
    const kinds = { [CONTENT.application]: 'application', [CONTENT.proposal]: 'proposal', [CONTENT.commit]: 'commit' };
    return { kind: kinds[contentType] as MessageHead['kind'], groupId, epoch, authenticatedData };
  }
  const message = readMessage(bytes, 'mls.head');
  if (message.wireformat !== 'mls_public_message') throw new DecodeError('mls.head');
  const { contentType, groupId, epoch, authenticatedData, sender } = message.publicMessage.content;
  if (contentType === 'application') throw new DecodeError('mls.head');
  const kind = contentType === 'commit' && sender.senderType !== 'member' ? 'external-commit' : contentType;
  return { kind, groupId, epoch, authenticatedData };
}
