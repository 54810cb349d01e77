import { createContentCommitSignature } from 'ts-mls/framedContent.js';
import type { GroupInfo } from 'ts-mls/groupInfo.js';
import type { LeafNode } from 'ts-mls/leafNode.js';
import { encodeMlsMessage } from 'ts-mls/message.js';
import type { Proposal } from 'ts-mls/proposal.js';
import { addLeafNode, type RatchetTree, removeLeafNode } from 'ts-mls/ratchetTree.js';
import { toLeafIndex } from 'ts-mls/treemath.js';
import { utf8, wipe } from '../../base/bytes.ts';
import { DecodeError } from '../../base/errors.ts';
import { deriveEpoch, enterEpoch, pathContext } from './epoch.ts';
import { contextBytes, type GroupState, leafAt } from './group-state.ts';
import { checkGroupInfo } from './join.ts';
import { makeSignatureKey } from './leaf.ts';
import { type IdentitySigner, MOLVA_CAPABILITIES, makeCredential } from './leaf-authentication.ts';
import type { Step } from './step.ts';
import { type HashedTree, hashTree } from './tree-hash.ts';
import { leavesOf } from './tree-math.ts';
import { encryptPath, makePath } from './update-path.ts';

const NOTHING = new Uint8Array();
const INIT_LABEL = utf8('MLS 1.0 external init secret');

/** The commit is a PublicMessage: its sender is no member yet and has no key of the group to seal it with. */
export interface JoinedExternally {
  readonly message: Uint8Array;
  readonly state: GroupState;
}

/**
 * Joins, or joins again in place of a leaf that is ours already, by an external commit (RFC 9420 §12.4.3.2).
 * @throws DecodeError no tree, or no key to join with; AuthError
 */
export async function joinByCommit(
  step: Step,
  info: GroupInfo,
  nodes: RatchetTree | undefined,
  signer: IdentitySigner,
): Promise<JoinedExternally> {
  const { suite } = step;
  const external = info.extensions.find(({ extensionType }) => extensionType === 'external_pub')?.extensionData;
  if (external === undefined) throw new DecodeError('mls.external-key');
  const old = checkGroupInfo(step, info, nodes);
  const { groupContext: context } = info;
  const signature = makeSignatureKey(step.random);
  const seat = takeSeat(step, old, signer, signature.public);
  const key = suite.hpke.sendExport(external, NOTHING, INIT_LABEL, suite.hash.bytes, step.random);
  const made = makePath(suite, seat.tree, seat.leaf, new Set(), context.groupId, signature.secret, step.random);
  const inner = contextBytes(pathContext(context, context.extensions, made.tree));
  const sealed = encryptPath(suite, seat.tree.nodes, made, inner, step.random);
  const proposals: Proposal[] = [
    ...seat.proposals,
    { proposalType: 'external_init', externalInit: { kemOutput: key.sent } },
  ];
  const inline = proposals.map(proposal => ({ proposalOrRefType: 'proposal' as const, proposal }));
  const wireformat = 'mls_public_message';
  const signed = await createContentCommitSignature(
    context,
    wireformat,
    { proposals: inline, path: sealed },
    { senderType: 'new_member_commit' },
    NOTHING,
    signature.secret,
    step.provider.signature,
  );
  const next = await deriveEpoch(
    step,
    { context, confirmationTag: info.confirmationTag },
    {
      wireformat,
      content: signed.framedContent,
      signature: signed.signature,
      tree: made.tree,
      extensions: context.extensions,
      initSecret: key.secret,
      commitSecret: made.commitSecret,
      pskSecret: Buffer.alloc(suite.hash.bytes),
    },
  );
  const path = { leafIndex: seat.leaf, privateKeys: {} };
  const entry = { suite: suite.kind, signatureSecret: signature.secret, path };
  const state = enterEpoch(entry, next, made.tree, made.privateKeys);
  wipe(key.secret, signature.secret, made.commitSecret, ...made.secrets);
  const auth = { contentType: 'commit' as const, signature: signed.signature, confirmationTag: next.confirmationTag };
  const publicMessage = { content: signed.framedContent, auth, senderType: 'new_member_commit' as const };
  return { message: encodeMlsMessage({ version: 'mls10', wireformat, publicMessage }), state };
}

interface Seat {
  readonly tree: HashedTree;
  readonly leaf: number;
  /** The removal of our old leaf, if there is one. */
  readonly proposals: readonly Proposal[];
}

function takeSeat(step: Step, tree: HashedTree, signer: IdentitySigner, signatureKey: Uint8Array): Seat {
  const leaf: LeafNode = {
    leafNodeSource: 'update',
    hpkePublicKey: NOTHING,
    signaturePublicKey: signatureKey,
    credential: makeCredential(signer, signatureKey),
    capabilities: MOLVA_CAPABILITIES,
    extensions: [],
    signature: NOTHING,
  };
  const name = step.rules.memberName(leaf);
  const removed = Array.from({ length: leavesOf(tree.nodes.length) }, (_, index) => index).find(index => {
    const member = leafAt({ tree }, index);
    return member !== undefined && step.rules.memberName(member) === name;
  });
  const cleared = removed === undefined ? tree.nodes : removeLeafNode(tree.nodes, toLeafIndex(removed));
  const [nodes, at] = addLeafNode(cleared, leaf);
  const proposals: Proposal[] = removed === undefined ? [] : [{ proposalType: 'remove', remove: { removed } }];
  return { tree: hashTree(step.suite, nodes, tree), leaf: at / 2, proposals };
}
