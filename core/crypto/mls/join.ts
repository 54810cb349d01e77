import { decodeGroupInfo, encodeGroupInfoTBS, type GroupInfo } from 'ts-mls/groupInfo.js';
import { decodeGroupSecrets, type GroupSecrets } from 'ts-mls/groupSecrets.js';
import type { KeyPackage, PrivateKeyPackage } from 'ts-mls/keyPackage.js';
import { accumulatePskSecret, type PskIndex } from 'ts-mls/pskIndex.js';
import type { RatchetTree } from 'ts-mls/ratchetTree.js';
import type { Welcome } from 'ts-mls/welcome.js';
import { equalBytes, wipe } from '../../base/bytes.ts';
import { DecodeError } from '../../base/errors.ts';
import { openChaCha } from '../aead.ts';
import { refused } from './failure.ts';
import { contextBytes, type GroupState } from './group-state.ts';
import { keyPackageReference } from './key-package.ts';
import { memberEpoch, memberSecretOf, welcomeKeyOf } from './key-schedule.ts';
import { makeSecretTree } from './secret-tree.ts';
import type { Step } from './step.ts';
import { checkSigner, checkTree, findLeaf } from './tree-check.ts';
import { decodeTreeNodes } from './tree-codec.ts';
import type { HashedTree } from './tree-hash.ts';
import { isUnder, leavesOf } from './tree-math.ts';
import { deriveStated, filteredPath } from './update-path.ts';

const NOTHING: Buffer = Buffer.alloc(0);

export interface OwnPackage {
  readonly keyPackage: KeyPackage;
  /** Its leaf's keys go into the state. */
  readonly secrets: PrivateKeyPackage;
}

/**
 * Joins by a welcome (RFC 9420 §12.4.3.1).
 * @param nodes the tree, where the welcome does not carry it
 * @throws DecodeError, AuthError
 */
export async function joinByWelcome(
  step: Step,
  welcome: Welcome,
  own: OwnPackage,
  psks: PskIndex,
  nodes: RatchetTree | undefined,
): Promise<GroupState> {
  const { suite, provider } = step;
  if (welcome.cipherSuite !== suite.name || own.keyPackage.cipherSuite !== suite.name) throw refused('mls.suite');
  const opened = openGroupSecrets(step, welcome, own);
  let memberSecret = NOTHING;
  try {
    const secrets = readGroupSecrets(opened);
    const [pskSecret] = await accumulatePskSecret(secrets.psks, psks, provider, Buffer.alloc(suite.hash.bytes));
    memberSecret = memberSecretOf(suite, secrets.joinerSecret, pskSecret);
    wipe(pskSecret);
    const info = openGroupInfo(step, welcome, memberSecret);
    return enterGroup(step, info, checkGroupInfo(step, info, nodes), own, memberSecret, secrets.pathSecret);
  } finally {
    wipe(opened, memberSecret);
  }
}

function enterGroup(
  step: Step,
  info: GroupInfo,
  tree: HashedTree,
  own: OwnPackage,
  memberSecret: Buffer,
  pathSecret: Uint8Array | undefined,
): GroupState {
  const { suite } = step;
  const { groupContext: context, confirmationTag } = info;
  const leaf = findLeaf(tree, own.keyPackage.leafNode.signaturePublicKey);
  const path = pathSecret ? openPathSecret(step, tree, leaf, info.signer, pathSecret) : {};
  const { keys, encryptionSecret } = memberEpoch(suite, memberSecret, contextBytes(context));
  if (!equalBytes(suite.hash.mac(keys.confirmationKey, context.confirmedTranscriptHash), confirmationTag)) {
    wipe(...Object.values(keys), encryptionSecret, ...Object.values(path));
    throw refused('mls.confirmation');
  }
  return {
    suite: suite.kind,
    context,
    tree,
    keys,
    secretTree: makeSecretTree(leavesOf(tree.nodes.length), encryptionSecret),
    path: { leafIndex: leaf, privateKeys: { ...path, [2 * leaf]: own.secrets.hpkePrivateKey } },
    signatureSecret: own.secrets.signaturePrivateKey,
    confirmationTag,
    proposals: new Map(),
  };
}

/** Checks what a GroupInfo says against its tree. @throws DecodeError no tree; AuthError */
export function checkGroupInfo(step: Step, info: GroupInfo, nodes: RatchetTree | undefined): HashedTree {
  const inside = info.extensions.find(({ extensionType }) => extensionType === 'ratchet_tree');
  const given = inside ? decodeTreeNodes(inside.extensionData) : nodes;
  if (given === undefined) throw new DecodeError('mls.tree-missing');
  const tree = checkTree(step, given, info.groupContext);
  checkSigner(step, tree, info.signer, encodeGroupInfoTBS(info), info.signature);
  return tree;
}

/** What a welcome says to one newcomer. The caller wipes the result. */
export function openGroupSecrets({ suite }: Step, { secrets, encryptedGroupInfo }: Welcome, own: OwnPackage): Buffer {
  const reference = keyPackageReference(suite, own.keyPackage);
  const ours = secrets.find(({ newMember }) => Buffer.compare(newMember, reference) === 0);
  if (ours === undefined) throw refused('mls.welcome-not-ours');
  const { kemOutput, ciphertext } = ours.encryptedGroupSecrets;
  const info = suite.encryptionInfo('Welcome', encryptedGroupInfo);
  return suite.hpke.open(own.secrets.initPrivateKey, kemOutput, info, ciphertext);
}

/** Views, so that nothing is left when what was opened is wiped. */
export function readGroupSecrets(opened: Buffer): GroupSecrets {
  const decoded = decodeGroupSecrets(opened, 0);
  if (decoded === undefined || decoded[1] !== opened.length) throw new DecodeError('mls.group-secrets');
  return decoded[0];
}

export function openGroupInfo({ suite }: Step, welcome: Welcome, memberSecret: Buffer): GroupInfo {
  const { key, nonce } = welcomeKeyOf(suite, memberSecret);
  const opened = openChaCha(welcome.encryptedGroupInfo, NOTHING, nonce, key);
  wipe(key, nonce);
  if (opened === undefined) throw refused('mls.welcome');
  const decoded = decodeGroupInfo(opened, 0);
  if (decoded === undefined || decoded[1] !== opened.length) throw new DecodeError('mls.group-info');
  const { cipherSuite, version } = decoded[0].groupContext;
  if (cipherSuite !== suite.name || version !== 'mls10') throw refused('mls.suite');
  return decoded[0];
}

/** The private keys that follow from the secret of the lowest node above both us and the committer. */
function openPathSecret(step: Step, tree: HashedTree, leaf: number, signer: number, pathSecret: Uint8Array) {
  const path = filteredPath(tree.nodes, signer, new Set());
  const level = path.findIndex(({ at }) => isUnder(2 * leaf, at));
  if (level < 0 || signer === leaf) throw refused('mls.path-secret');
  const shared = path.slice(level);
  const stated = shared.map(({ at }) => {
    const node = tree.nodes[at];
    return node?.nodeType === 'parent' ? node.parent.hpkePublicKey : undefined;
  });
  const { privateKeys, commitSecret } = deriveStated(step.suite, pathSecret, shared, stated);
  wipe(commitSecret);
  return privateKeys;
}
