import { createGroupInfo } from 'ts-mls/createCommit.js';
import type { Extension } from 'ts-mls/extension.js';
import type { GroupContext } from 'ts-mls/groupContext.js';
import { encodeGroupInfo, type GroupInfo } from 'ts-mls/groupInfo.js';
import { encodeGroupSecrets } from 'ts-mls/groupSecrets.js';
import type { KeyPackage } from 'ts-mls/keyPackage.js';
import { encodeMlsMessage } from 'ts-mls/message.js';
import type { PreSharedKeyID } from 'ts-mls/presharedkey.js';
import { wipe } from '../../base/bytes.ts';
import { sealChaCha } from '../aead.ts';
import type { NextEpoch } from './epoch.ts';
import type { GroupState } from './group-state.ts';
import { keyPackageReference } from './key-package.ts';
import { welcomeKeyOf } from './key-schedule.ts';
import { clientStateOf } from './proposals.ts';
import type { Step } from './step.ts';
import { encodeTreeNodes } from './tree-codec.ts';
import type { HashedTree } from './tree-hash.ts';
import { isUnder } from './tree-math.ts';
import type { MadePath } from './update-path.ts';

const NOTHING = new Uint8Array();

export interface WelcomeTerms {
  readonly tree: HashedTree;
  readonly next: NextEpoch;
  readonly added: readonly (readonly [leaf: number, keyPackage: KeyPackage])[];
  readonly psks: PreSharedKeyID[];
  readonly treeIncluded: boolean;
}

/** A welcome for everyone a commit adds (RFC 9420 §12.4.3.1). */
export async function makeWelcome(step: Step, state: GroupState, made: MadePath, terms: WelcomeTerms) {
  const { suite } = step;
  const { context, confirmationTag, joinerSecret, memberSecret } = terms.next;
  const extensions = terms.treeIncluded ? [treeExtension(terms.tree)] : [];
  const info = await signGroupInfo(step, state, context, confirmationTag, extensions);
  const { key, nonce } = welcomeKeyOf(suite, memberSecret);
  const encryptedGroupInfo = sealChaCha(encodeGroupInfo(info), NOTHING, nonce, key);
  wipe(key, nonce);
  const encryptionInfo = suite.encryptionInfo('Welcome', encryptedGroupInfo);
  const sealed = terms.added.map(([leaf, keyPackage]) => {
    const level = made.path.findIndex(({ at }) => isUnder(2 * leaf, at));
    const groupSecrets = encodeGroupSecrets({ joinerSecret, pathSecret: made.secrets[level], psks: terms.psks });
    const { sent, ciphertext } = suite.hpke.seal(keyPackage.initKey, encryptionInfo, groupSecrets, step.random);
    wipe(groupSecrets);
    const newMember = keyPackageReference(suite, keyPackage);
    return { newMember, encryptedGroupSecrets: { kemOutput: sent, ciphertext } };
  });
  const welcome = { cipherSuite: suite.name, secrets: sealed, encryptedGroupInfo };
  return encodeMlsMessage({ version: 'mls10', wireformat: 'mls_welcome', welcome });
}

/**
 * A signed GroupInfo of the epoch (RFC 9420 §12.4.3), with which someone who is no member, or no longer in step, can
 * join by an external commit. Whoever holds it can try: it goes only to those who may.
 */
export async function makeGroupInfo(step: Step, state: GroupState, treeIncluded: boolean): Promise<Uint8Array> {
  const external = step.suite.hpke.kem.derive(state.keys.externalSecret);
  wipe(external.private);
  const extensions: Extension[] = [{ extensionType: 'external_pub', extensionData: external.public }];
  if (treeIncluded) extensions.push(treeExtension(state.tree));
  const groupInfo = await signGroupInfo(step, state, state.context, state.confirmationTag, extensions);
  return encodeMlsMessage({ version: 'mls10', wireformat: 'mls_group_info', groupInfo });
}

function signGroupInfo(
  step: Step,
  state: GroupState,
  context: GroupContext,
  confirmationTag: Uint8Array,
  extensions: Extension[],
): Promise<GroupInfo> {
  return createGroupInfo(context, confirmationTag, clientStateOf(step, state), extensions, step.provider);
}

function treeExtension(tree: HashedTree): Extension {
  return { extensionType: 'ratchet_tree', extensionData: encodeTreeNodes(tree.nodes) };
}
