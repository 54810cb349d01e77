import type { GroupInfo } from 'ts-mls/groupInfo.js';
import type { Welcome } from 'ts-mls/welcome.js';
import { wipe } from '../../base/bytes.ts';
import type { RandomSource } from '../../base/clock.ts';
import { DecodeError } from '../../base/errors.ts';
import { overInput, overInputNow, refused } from './failure.ts';
import type { GroupState } from './group-state.ts';
import { checkGroupInfo, joinByWelcome } from './join.ts';
import { type JoinedExternally, joinByCommit } from './join-external.ts';
import { readKeyPackage, readKeyPackageSecrets } from './key-package.ts';
import type { IdentitySigner } from './leaf-authentication.ts';
import { readMessage } from './message.ts';
import { NO_PSKS, type PskLookup, pskIndexOf } from './proposals.ts';
import { NO_RANDOM, stepOf } from './step.ts';
import { suiteNamed } from './suite.ts';
import { decodeTreeNodes } from './tree-codec.ts';

export interface WelcomeTerms {
  /** The key package it is for, and what was kept of it; the secrets stay the caller's to wipe. */
  readonly keyPackage: Uint8Array;
  readonly secrets: Uint8Array;
  /** Where the welcome does not carry it. */
  readonly tree?: Uint8Array;
  readonly psks?: PskLookup;
}

/** The key packages a welcome is for, so that the right secrets can be found. @throws DecodeError */
export function welcomedKeyPackages(bytes: Uint8Array): readonly Uint8Array[] {
  return readWelcome(bytes).secrets.map(({ newMember }) => newMember);
}

/**
 * Joins a group by a welcome (RFC 9420 §12.4.3.1). That one is invited is said by who sealed the welcome; that one
 * wants to be there is for the layer above.
 * @throws DecodeError; AuthError it is not for this key package, or the group it tells of is not consistent
 */
export function joinGroup(bytes: Uint8Array, terms: WelcomeTerms): Promise<GroupState> {
  return overInput('mls.join', async () => {
    const welcome = readWelcome(bytes);
    const { keyPackage, suite } = readKeyPackage(terms.keyPackage);
    const nodes = terms.tree && decodeTreeNodes(terms.tree);
    const secrets = readKeyPackageSecrets(terms.secrets);
    const psks = pskIndexOf(terms.psks ?? NO_PSKS);
    try {
      return await joinByWelcome(stepOf(suite, NO_RANDOM), welcome, { keyPackage, secrets }, psks, nodes);
    } catch (cause) {
      wipe(secrets.hpkePrivateKey, secrets.signaturePrivateKey);
      throw cause;
    } finally {
      wipe(secrets.initPrivateKey);
    }
  });
}

/**
 * Joins, or joins again with new keys, by an external commit (RFC 9420 §12.4.3.2).
 * @param tree where the group info does not carry it
 * @returns the commit, a PublicMessage which every member must receive, and the epoch it leads to
 * @throws DecodeError, AuthError
 */
export function joinExternally(
  groupInfo: Uint8Array,
  signer: IdentitySigner,
  random: RandomSource,
  tree?: Uint8Array,
): Promise<JoinedExternally> {
  return overInput('mls.join', async () => {
    const info = readGroupInfo(groupInfo);
    const suite = suiteNamed(info.groupContext.cipherSuite);
    if (suite === undefined) throw refused('mls.suite');
    return await joinByCommit(stepOf(suite.kind, random), info, tree && decodeTreeNodes(tree), signer);
  });
}

/** What a group info says, its signature and its tree checked; it must carry the tree. @throws DecodeError, AuthError */
export function openGroupInfo(bytes: Uint8Array): Pick<GroupState, 'context' | 'tree'> {
  return overInputNow('mls.group-info', () => {
    const info = readGroupInfo(bytes);
    const suite = suiteNamed(info.groupContext.cipherSuite);
    if (suite === undefined) throw refused('mls.suite');
    return { context: info.groupContext, tree: checkGroupInfo(stepOf(suite.kind, NO_RANDOM), info, undefined) };
  });
}

function readWelcome(bytes: Uint8Array): Welcome {
  const message = readMessage(bytes, 'mls.welcome');
  if (message.wireformat !== 'mls_welcome') throw new DecodeError('mls.welcome');
  return message.welcome;
}

function readGroupInfo(bytes: Uint8Array): GroupInfo {
  const message = readMessage(bytes, 'mls.group-info');
  if (message.wireformat !== 'mls_group_info') throw new DecodeError('mls.group-info');
  return message.groupInfo;
}
