import type { Credential } from 'ts-mls/credential.js';
import type { LeafNode } from 'ts-mls/leafNode.js';
import type { Proposal } from 'ts-mls/proposal.js';
import { hex } from '../../base/bytes.ts';
import { LIMITS } from '../../base/limits.ts';
import { GROUP_DATA_EXTENSION, identityOf, isBound } from './leaf-authentication.ts';

/** What an application says beyond RFC 9420: who a leaf is (§5.3.1), and what may be proposed at all. */
export interface GroupRules {
  /** Whether the credential's identity stands for the signature key. */
  isBound(credential: Credential, signatureKey: Uint8Array): boolean;
  /** Equal for leaves of the same member, and for no others. */
  memberName(leaf: Pick<LeafNode, 'credential' | 'signaturePublicKey'>): string;
  allows(proposal: Proposal): boolean;
}

/** Molva's: one leaf a person, a person keeps its leaf, and a group's extensions are its own data and nothing else. */
export const MOLVA_RULES: GroupRules = {
  isBound,
  memberName: leaf => hex(identityOf(leaf.credential)),
  allows(proposal) {
    switch (proposal.proposalType) {
      case 'add':
      case 'update':
      case 'remove':
      case 'external_init':
        return true;
      case 'psk':
        return proposal.psk.preSharedKeyId.psktype === 'external';
      case 'group_context_extensions': {
        const [only, ...more] = proposal.groupContextExtensions.extensions;
        if (only?.extensionType !== GROUP_DATA_EXTENSION || more.length > 0) return false;
        return only.extensionData.length <= LIMITS.mlsGroupDataBytes;
      }
      default:
        return false;
    }
  },
};
