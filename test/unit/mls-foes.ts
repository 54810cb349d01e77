import { encodeKeyPackageTBS, type KeyPackage } from 'ts-mls/keyPackage.js';
import type { LeafNode } from 'ts-mls/leafNode.js';
import { encodeMlsMessage } from 'ts-mls/message.js';
import type { Proposal } from 'ts-mls/proposal.js';
import type { RatchetTree } from 'ts-mls/ratchetTree.js';
import { systemRandom } from '../../core/base/world.io.ts';
import { generateIdentity, type IdentitySecrets } from '../../core/crypto/identity.ts';
import { type CommitRequest, createCommit } from '../../core/crypto/mls/create-commit.ts';
import { overInput } from '../../core/crypto/mls/failure.ts';
import { groupInfoOf } from '../../core/crypto/mls/group.ts';
import { type GroupRules, MOLVA_RULES } from '../../core/crypto/mls/group-rules.ts';
import type { GroupState } from '../../core/crypto/mls/group-state.ts';
import type { KemPair } from '../../core/crypto/mls/kem.ts';
import { readKeyPackage, readKeyPackageSecrets } from '../../core/crypto/mls/key-package.ts';
import { leafToSign } from '../../core/crypto/mls/leaf.ts';
import { processCommit } from '../../core/crypto/mls/process-commit.ts';
import { NO_PSKS, pskIndexOf } from '../../core/crypto/mls/proposals.ts';
import { NO_RANDOM, type Step, stepOf } from '../../core/crypto/mls/step.ts';
import { type Suite, type SuiteKind, suiteOf } from '../../core/crypto/mls/suite.ts';
import { hashTree, rootHash } from '../../core/crypto/mls/tree-hash.ts';
import { NOW_MS, packageOf } from './mls-people.ts';

/** Members whose programs do as they like, and what they can make. */
export const NO_RULES: GroupRules = { ...MOLVA_RULES, isBound: () => true, allows: () => true };

/** What one of them does otherwise than a suite does. */
export interface Foul {
  /** The public key it tells of a pair; the first is its leaf's, then those of its path from below. */
  readonly publicKey?: (pair: KemPair, count: number) => Uint8Array;
  readonly sign?: (label: string, signature: Buffer) => Buffer;
  readonly confirm?: (tag: Buffer) => Buffer;
}

export function foulStep(kind: SuiteKind, foul: Foul = {}): Step {
  const step = stepOf(kind, systemRandom, NO_RULES);
  return { ...step, suite: foulSuite(step.suite, foul) };
}

function foulSuite(suite: Suite, { publicKey, sign, confirm }: Foul): Suite {
  const { hpke, hash } = suite;
  let count = 0;
  const foul: Suite = Object.create(suite, {
    hpke: {
      value: {
        kem: hpke.kem,
        checked: (key: Uint8Array) => key,
        seal: hpke.seal.bind(hpke),
        sendExport: hpke.sendExport.bind(hpke),
        pairOf: (secret: Uint8Array): KemPair => {
          const pair = hpke.pairOf(secret);
          const told = publicKey?.(pair, count++) ?? pair.public;
          return { private: pair.private, public: Buffer.from(told) };
        },
      },
    },
    hash: {
      value: {
        bytes: hash.bytes,
        digest: hash.digest.bind(hash),
        extract: hash.extract.bind(hash),
        expand: hash.expand.bind(hash),
        mac: (key: Uint8Array, ...parts: Uint8Array[]) => (confirm ?? same)(hash.mac(key, ...parts)),
      },
    },
    sign: {
      value: (secret: Uint8Array, label: string, content: Uint8Array) => {
        const signature = suite.sign(secret, label, content);
        return sign?.(label, signature) ?? signature;
      },
    },
  });
  return foul;
}

/** With its first bit changed. */
export const flipped = (bytes: Uint8Array): Buffer =>
  Buffer.from(bytes.map((byte, at) => (at === 0 ? byte ^ 1 : byte)));

const same = <T>(value: T): T => value;

export function foulCommit(state: GroupState, foul: Foul = {}, request: Partial<CommitRequest> = {}) {
  const terms = { references: [], proposals: [], nowMs: NOW_MS, treeInWelcome: true, ...request };
  return createCommit(foulStep(state.suite, foul), state, terms);
}

export interface FoulPackage {
  readonly bytes: Uint8Array;
  readonly secrets: Uint8Array;
  readonly keyPackage: KeyPackage;
}

/** A key package with other contents, signed by who it is of. */
export function foulPackage(
  kind: SuiteKind,
  leaf: Partial<LeafNode>,
  initKey?: Uint8Array,
  identity: IdentitySecrets = generateIdentity(systemRandom),
): FoulPackage {
  const suite = suiteOf(kind);
  const made = packageOf(kind, identity);
  const { keyPackage } = readKeyPackage(made.bytes);
  const { signaturePrivateKey: secret } = readKeyPackageSecrets(made.secrets);
  const unsigned = { ...keyPackage.leafNode, ...leaf } as KeyPackage['leafNode'];
  const leafNode = { ...unsigned, signature: suite.sign(secret, 'LeafNodeTBS', leafToSign(unsigned, NONE, 0)) };
  const body = { ...keyPackage, initKey: initKey ?? keyPackage.initKey, leafNode };
  const foul = { ...body, signature: suite.sign(secret, 'KeyPackageTBS', encodeKeyPackageTBS(body)) };
  const bytes = encodeMlsMessage({ version: 'mls10', wireformat: 'mls_key_package', keyPackage: foul });
  return { bytes, secrets: made.secrets, keyPackage: foul };
}

const NONE = new Uint8Array();

/** What comes of a member's commit of these proposals, without path and tag: it goes as far as the first check. */
export function takeBare(
  state: GroupState,
  sender: number | 'newcomer',
  proposals: readonly Proposal[],
  references: readonly string[] = [],
) {
  const { groupId, epoch } = state.context;
  const commit = {
    proposals: [
      ...proposals.map(proposal => ({ proposalOrRefType: 'proposal' as const, proposal })),
      ...references.map(each => ({ proposalOrRefType: 'reference' as const, reference: Buffer.from(each, 'hex') })),
    ],
    path: undefined,
  };
  const from =
    sender === 'newcomer'
      ? { senderType: 'new_member_commit' as const }
      : { senderType: 'member' as const, leafIndex: sender };
  const content = { groupId, epoch, sender: from, authenticatedData: NONE, contentType: 'commit' as const, commit };
  const auth = { contentType: 'commit' as const, signature: NONE, confirmationTag: NONE };
  const message = { wireformat: 'mls_private_message' as const, content, auth };
  const step = stepOf(state.suite, NO_RANDOM);
  return overInput('bare', () => processCommit(step, state, message, pskIndexOf(NO_PSKS)));
}

/** A group info of a member, rightly signed, that tells of another tree than the group's. */
export function infoWithTree(state: GroupState, nodes: RatchetTree): Promise<Uint8Array> {
  const tree = hashTree(suiteOf(state.suite), nodes);
  return groupInfoOf({ ...state, tree, context: { ...state.context, treeHash: rootHash(tree) } });
}

/** With one node in place of another. */
export function withNode(nodes: RatchetTree, at: number, node: RatchetTree[number]): RatchetTree {
  const changed = nodes.slice();
  changed[at] = node;
  return changed;
}
