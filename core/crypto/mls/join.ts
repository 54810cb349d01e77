import { decodeGroupInfo, encodeGroupInfoTBS, type GroupInfo } from 'ts-mls/groupInfo.js';
import { decodeGroupSecrets, type GroupSecrets } from 'ts-mls/groupSecrets.js';
import type { KeyPackage, PrivateKeyPackage } from 'ts-mls/keyPackage.js';
import { deriveKeySchedule } from 'ts-mls/keySchedule.js';
import { accumulatePskSecret, type PskIndex } from 'ts-mls/pskIndex.js';
import type { RatchetTree } from 'ts-mls/ratchetTree.js';
import type { Welcome } from 'ts-mls/welcome.js';
import { asBuffer, equalBytes, wipe } from '../../base/bytes.ts';
import { DecodeError } from '../../base/errors.ts';
import { CHACHA_NONCE_BYTES, openChaCha } from '../aead.ts';
import { refused } from './failure.ts';
import type { GroupState } from './group-state.ts';
import { keyPackageReference } from './key-package.ts';
import { makeSecretTree } from './secret-tree.ts';
import type { Step } from './step.ts';
import { AEAD_KEY_BYTES } from './suite.ts';
import { checkSigner, checkTree, findLeaf } from './tree-check.ts';
import { decodeTreeNodes } from './tree-codec.ts';
import type { HashedTree } from './tree-hash.ts';
import { isUnder, leavesOf } from './tree-math.ts';
import { deriveUp, filteredPath } from './update-path.ts';

const NOTHING = Buffer.alloc(0);

/**
 * Joins by a welcome (RFC 9420 §12.4.3.1).
 * @param nodes the tree, where the welcome does not carry it
 * @throws DecodeError, AuthError
 */
export async function joinByWelcome(
  step: Step,
  welcome: Welcome,
  own: { readonly keyPackage: KeyPackage; readonly secrets: PrivateKeyPackage },
  psks: PskIndex,
  nodes: RatchetTree | undefined,
): Promise<GroupState> {
  const { suite, provider } = step;
  if (welcome.cipherSuite !== suite.name || own.keyPackage.cipherSuite !== suite.name) throw refused('mls.suite');
  const secrets = openGroupSecrets(step, welcome, own);
  const zeroes = Buffer.alloc(suite.hash.bytes);
  const [pskSecret] = await accumulatePskSecret(secrets.psks, psks, provider, zeroes);
  const info = openGroupInfo(step, welcome, secrets.joinerSecret, pskSecret);
  const { groupContext: context } = info;
  if (context.cipherSuite !== suite.name || context.version !== 'mls10') throw refused('mls.suite');
  const tree = checkGroupInfo(step, info, nodes);
  const leaf = findLeaf(tree, own.keyPackage.leafNode.signaturePublicKey);
  const [keys, encryptionSecret] = await deriveKeySchedule(secrets.joinerSecret, pskSecret, context, provider.kdf);
  const confirmation = suite.hash.mac(keys.confirmationKey, context.confirmedTranscriptHash);
  if (!equalBytes(confirmation, info.confirmationTag)) throw refused('mls.confirmation');
  const path = openPathSecret(step, tree, leaf, info.signer, secrets);
  wipe(secrets.joinerSecret, pskSecret);
  return {
    suite: suite.kind,
    context,
    tree,
    keys,
    secretTree: makeSecretTree(leavesOf(tree.nodes.length), encryptionSecret),
    path: { leafIndex: leaf, privateKeys: { ...path, [2 * leaf]: own.secrets.hpkePrivateKey } },
    signatureSecret: own.secrets.signaturePrivateKey,
    confirmationTag: info.confirmationTag,
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

function openGroupSecrets(
  { suite }: Step,
  { secrets, encryptedGroupInfo }: Welcome,
  own: { readonly keyPackage: KeyPackage; readonly secrets: PrivateKeyPackage },
): GroupSecrets {
  const reference = keyPackageReference(suite, own.keyPackage);
  const ours = secrets.find(({ newMember }) => Buffer.compare(newMember, reference) === 0);
  if (ours === undefined) throw refused('mls.welcome-not-ours');
  const { kemOutput, ciphertext } = ours.encryptedGroupSecrets;
  const info = suite.encryptionInfo('Welcome', encryptedGroupInfo);
  const opened = suite.hpke.open(own.secrets.initPrivateKey, kemOutput, info, ciphertext);
  const decoded = decodeGroupSecrets(opened, 0);
  if (decoded === undefined || decoded[1] !== opened.length) throw new DecodeError('mls.group-secrets');
  return decoded[0];
}

function openGroupInfo(step: Step, welcome: Welcome, joinerSecret: Uint8Array, pskSecret: Uint8Array): GroupInfo {
  const { suite } = step;
  const member = suite.hash.extract(joinerSecret, pskSecret);
  const secret = suite.derive(member, 'welcome');
  const key = suite.expand(secret, 'key', NOTHING, AEAD_KEY_BYTES);
  const nonce = suite.expand(secret, 'nonce', NOTHING, CHACHA_NONCE_BYTES);
  const opened = openChaCha(welcome.encryptedGroupInfo, NOTHING, asBuffer(nonce), key);
  wipe(member, secret, key);
  if (opened === undefined) throw refused('mls.welcome');
  const decoded = decodeGroupInfo(opened, 0);
  if (decoded === undefined || decoded[1] !== opened.length) throw new DecodeError('mls.group-info');
  return decoded[0];
}

/** The private keys that follow from the secret of the lowest node above both us and the committer. */
function openPathSecret(step: Step, tree: HashedTree, leaf: number, signer: number, { pathSecret }: GroupSecrets) {
  if (pathSecret === undefined) return {};
  const path = filteredPath(tree.nodes, signer, new Set());
  const level = path.findIndex(({ at }) => isUnder(2 * leaf, at));
  if (level < 0 || signer === leaf) throw refused('mls.path-secret');
  const derived = deriveUp(step.suite, pathSecret, path.slice(level));
  wipe(...derived.secrets, derived.commitSecret);
  derived.publicKeys.forEach((publicKey, above) => {
    const node = tree.nodes[path[level + above]?.at as number];
    const stated = node?.nodeType === 'parent' ? node.parent.hpkePublicKey : undefined;
    if (stated === undefined || Buffer.compare(publicKey, stated) !== 0) throw refused('mls.path-secret');
  });
  return derived.privateKeys;
}
