import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { encodeCommit } from 'ts-mls/commit.js';
import { encodeGroupInfoTBS } from 'ts-mls/groupInfo.js';
import type { MLSMessage } from 'ts-mls/message.js';
import { decodeProposal, encodeProposal } from 'ts-mls/proposal.js';
import type { PskIndex } from 'ts-mls/pskIndex.js';
import {
  addLeafNode,
  decodeRatchetTree,
  type RatchetTree,
  removeLeafNode,
  updateLeafNode,
} from 'ts-mls/ratchetTree.js';
import { toLeafIndex } from 'ts-mls/treemath.js';
import { systemRandom } from '../../core/base/world.io.ts';
import { ED25519_SECRET_BYTES, ed25519FromSeed } from '../../core/crypto/ed25519.ts';
import { openApplication, sealApplication } from '../../core/crypto/mls/application.ts';
import { keepProposal, openHandshake } from '../../core/crypto/mls/group-messages.ts';
import type { GroupRules } from '../../core/crypto/mls/group-rules.ts';
import { contextBytes, type GroupState } from '../../core/crypto/mls/group-state.ts';
import { joinByWelcome, openGroupInfo, openGroupSecrets, readGroupSecrets } from '../../core/crypto/mls/join.ts';
import { memberEpoch, memberSecretOf } from '../../core/crypto/mls/key-schedule.ts';
import { MOLVA_CAPABILITIES } from '../../core/crypto/mls/leaf-authentication.ts';
import { readMessage } from '../../core/crypto/mls/message.ts';
import { processCommit } from '../../core/crypto/mls/process-commit.ts';
import { makeSecretTree } from '../../core/crypto/mls/secret-tree.ts';
import { NO_RANDOM, type Step, stepOf } from '../../core/crypto/mls/step.ts';
import { type SuiteKind, suiteOf } from '../../core/crypto/mls/suite.ts';
import { decodeTreeNodes, encodeTreeNodes } from '../../core/crypto/mls/tree-codec.ts';
import { hashTree, rootHash } from '../../core/crypto/mls/tree-hash.ts';
import { fromHex } from './crypto-vectors.ts';
import { mlsVectors } from './mls-cases.ts';

/** Whole groups, made by other implementations, through our own steps. Their members are named as they like. */
const OURS = 3;
const ANY_RULES: GroupRules = {
  isBound: () => true,
  memberName: leaf => Buffer.from(leaf.signaturePublicKey).toString('hex'),
  allows: () => true,
};
const equalHex = (actual: Uint8Array, expected: string): void =>
  assert.equal(Buffer.from(actual).toString('hex'), expected);

interface Vector {
  cipher_suite: number;
}

function oursOf<T extends Vector>(vectors: readonly T[]): T[] {
  return vectors.filter(({ cipher_suite }) => cipher_suite === OURS);
}

const vectorsOf = mlsVectors('groups');

function contentOf<Kind extends MLSMessage['wireformat']>(hex: string, kind: Kind) {
  const message = readMessage(fromHex(hex), 'vector');
  assert.equal(message.wireformat, kind);
  return message as Extract<MLSMessage, { wireformat: Kind }>;
}

function signingSecret(seed: string): Buffer {
  const secret = Buffer.alloc(ED25519_SECRET_BYTES);
  ed25519FromSeed(fromHex(seed), secret);
  return secret;
}

interface PassiveVector extends Vector {
  external_psks: { psk_id: string; psk: string }[];
  key_package: string;
  signature_priv: string;
  encryption_priv: string;
  init_priv: string;
  welcome: string;
  ratchet_tree: string | null;
  initial_epoch_authenticator: string;
  epochs: { proposals: string[]; commit: string; epoch_authenticator: string }[];
}

for (const [file, commits] of [
  ['passive-client-welcome', 0],
  ['passive-client-handling-commit', 26],
] as const) {
  vectorsOf.each<PassiveVector>(file, file, async vectors => {
    let followed = 0;
    const ours = oursOf(vectors);
    for (const vector of ours) followed += await runPassive('classical', vector);
    assert.equal(followed, commits);
    return ours.length;
  });
}

/** By ts-mls with its own provider (bench/make-mls-vectors.mjs), as nobody else publishes any of this suite. */
test('MLS: a hybrid group of another implementation', async () => {
  const file = readFileSync(join(import.meta.dirname, 'mls-hybrid.json'), 'utf8');
  const vectors = JSON.parse(file) as PassiveVector[];
  const followed = await Promise.all(vectors.map(vector => runPassive('hybrid', vector)));
  assert.deepEqual(followed, [0, 5]);
});

/** @returns the number of commits that were followed */
async function runPassive(kind: SuiteKind, vector: PassiveVector): Promise<number> {
  const step = stepOf(kind, NO_RANDOM, ANY_RULES);
  const resumption = new Map<bigint, Uint8Array>();
  const psks = pskIndex(vector, resumption);
  let state = await joinPassive(step, vector, psks);
  equalHex(state.keys.epochAuthenticator, vector.initial_epoch_authenticator);
  for (const epoch of vector.epochs) {
    resumption.set(state.context.epoch, state.keys.resumptionPsk);
    for (const proposal of epoch.proposals) {
      state = (await keepProposal(step, state, await openHandshake(step, state, fromHex(proposal)))).state;
    }
    const commit = await openHandshake(step, state, fromHex(epoch.commit));
    const { next } = await processCommit(step, state, commit, psks);
    assert.ok(next);
    state = next;
    equalHex(state.keys.epochAuthenticator, epoch.epoch_authenticator);
  }
  return vector.epochs.length;
}

function pskIndex(vector: PassiveVector, resumption: ReadonlyMap<bigint, Uint8Array>): PskIndex {
  return {
    findPsk: id => {
      if (id.psktype === 'resumption') return resumption.get(id.pskEpoch);
      const name = Buffer.from(id.pskId).toString('hex');
      const found = vector.external_psks.find(({ psk_id }) => psk_id === name);
      return found && fromHex(found.psk);
    },
  };
}

function joinPassive(step: Step, vector: PassiveVector, psks: PskIndex): Promise<GroupState> {
  const { keyPackage } = contentOf(vector.key_package, 'mls_key_package');
  const { welcome } = contentOf(vector.welcome, 'mls_welcome');
  const secrets = {
    initPrivateKey: fromHex(vector.init_priv),
    hpkePrivateKey: fromHex(vector.encryption_priv),
    signaturePrivateKey: signingSecret(vector.signature_priv),
  };
  const nodes = vector.ratchet_tree === null ? undefined : decodeTreeNodes(fromHex(vector.ratchet_tree));
  return joinByWelcome(step, welcome, { keyPackage, secrets }, psks, nodes);
}

interface WelcomeVector extends Vector {
  init_priv: string;
  key_package: string;
  signer_pub: string;
  welcome: string;
}

vectorsOf.each<WelcomeVector>('welcome', 'welcome', vectors => {
  const ours = oursOf(vectors);
  const step = stepOf('classical', NO_RANDOM, ANY_RULES);
  const { suite } = step;
  for (const vector of ours) {
    const { keyPackage } = contentOf(vector.key_package, 'mls_key_package');
    const { welcome } = contentOf(vector.welcome, 'mls_welcome');
    const secrets = { initPrivateKey: fromHex(vector.init_priv), hpkePrivateKey: NONE, signaturePrivateKey: NONE };
    const { joinerSecret } = readGroupSecrets(openGroupSecrets(step, welcome, { keyPackage, secrets }));
    const member = memberSecretOf(suite, joinerSecret, Buffer.alloc(suite.hash.bytes));
    const info = openGroupInfo(step, welcome, member);
    assert.ok(suite.verify(fromHex(vector.signer_pub), 'GroupInfoTBS', encodeGroupInfoTBS(info), info.signature));
    const { confirmedTranscriptHash } = info.groupContext;
    const { confirmationKey } = memberEpoch(suite, member, contextBytes(info.groupContext)).keys;
    assert.deepEqual(suite.hash.mac(confirmationKey, confirmedTranscriptHash), Buffer.from(info.confirmationTag));
  }
  return ours.length;
});

const NONE = Buffer.alloc(0);

interface TreeVector extends Vector {
  proposal: string;
  proposal_sender: number;
  tree_after: string;
  tree_before: string;
  tree_hash_after: string;
  tree_hash_before: string;
}

vectorsOf.each<TreeVector>('tree-operations', 'trees before and after a proposal', vectors => {
  // Of suite 1, whose hash is that of ours; nothing else of the suite is used here.
  const suite = suiteOf('classical');
  for (const vector of vectors) {
    const before = decodeRatchetTree(fromHex(vector.tree_before), 0)?.[0];
    assert.ok(before);
    const hashed = hashTree(suite, before);
    equalHex(rootHash(hashed), vector.tree_hash_before);
    const after = applied(before, vector);
    equalHex(encodeTreeNodes(after), vector.tree_after);
    equalHex(rootHash(hashTree(suite, after, hashed)), vector.tree_hash_after);
    equalHex(rootHash(hashTree(suite, after)), vector.tree_hash_after);
  }
  return vectors.length;
});

function applied(tree: RatchetTree, vector: TreeVector): RatchetTree {
  const proposal = decodeProposal(fromHex(vector.proposal), 0)?.[0];
  switch (proposal?.proposalType) {
    case 'add':
      return addLeafNode(tree, proposal.add.keyPackage.leafNode)[0];
    case 'remove':
      return removeLeafNode(tree, toLeafIndex(proposal.remove.removed));
    case 'update':
      return updateLeafNode(tree, proposal.update.leafNode, toLeafIndex(vector.proposal_sender));
    default:
      throw new Error('another proposal');
  }
}

type Protection = Vector & { epoch: number } & Record<
    | 'group_id'
    | 'tree_hash'
    | 'confirmed_transcript_hash'
    | 'signature_priv'
    | 'signature_pub'
    | 'encryption_secret'
    | 'sender_data_secret'
    | 'membership_key'
    | 'proposal'
    | 'proposal_priv'
    | 'proposal_pub'
    | 'commit'
    | 'commit_priv'
    | 'commit_pub'
    | 'application'
    | 'application_priv',
    string
  >;

vectorsOf.each<Protection>('message-protection', 'messages of all kinds', async vectors => {
  const ours = oursOf(vectors);
  for (const vector of ours) await checkMessages(vector);
  return ours.length;
});

async function checkMessages(vector: Protection): Promise<void> {
  const step = stepOf('classical', systemRandom, ANY_RULES);
  const opened = openApplication(protectionState(vector, 0), fromHex(vector.application_priv));
  equalHex(opened.data, vector.application);
  const sent = sealApplication(protectionState(vector, 1), opened.data, systemRandom);
  equalHex(openApplication(protectionState(vector, 0), sent.message).data, vector.application);
  for (const hex of [vector.proposal_priv, vector.proposal_pub]) {
    const { content } = await openHandshake(step, protectionState(vector, 0), fromHex(hex));
    assert.ok(content.contentType === 'proposal');
    equalHex(encodeProposal(content.proposal), vector.proposal);
  }
  for (const hex of [vector.commit_priv, vector.commit_pub]) {
    const { content } = await openHandshake(step, protectionState(vector, 0), fromHex(hex));
    assert.ok(content.contentType === 'commit');
    equalHex(encodeCommit(content.commit), vector.commit);
  }
}

/** The state that the vectors speak of: two leaves, the second of which sends. */
function protectionState(vector: Protection, self: number): GroupState {
  const suite = suiteOf('classical');
  const leaf = {
    leafNodeSource: 'update' as const,
    hpkePublicKey: Buffer.alloc(32),
    signaturePublicKey: fromHex(vector.signature_pub),
    credential: { credentialType: 'basic' as const, identity: Buffer.alloc(96) },
    capabilities: MOLVA_CAPABILITIES,
    extensions: [],
    signature: Buffer.alloc(64),
  };
  const node = { nodeType: 'leaf' as const, leaf };
  const unused = Buffer.alloc(32);
  return {
    suite: 'classical',
    context: {
      version: 'mls10',
      cipherSuite: suite.name,
      groupId: fromHex(vector.group_id),
      epoch: BigInt(vector.epoch),
      treeHash: fromHex(vector.tree_hash),
      confirmedTranscriptHash: fromHex(vector.confirmed_transcript_hash),
      extensions: [],
    },
    tree: hashTree(suite, [node, undefined, node]),
    keys: {
      senderDataSecret: fromHex(vector.sender_data_secret),
      membershipKey: fromHex(vector.membership_key),
      exporterSecret: unused,
      externalSecret: unused,
      confirmationKey: unused,
      resumptionPsk: unused,
      epochAuthenticator: unused,
      initSecret: unused,
    },
    secretTree: makeSecretTree(2, fromHex(vector.encryption_secret)),
    path: { leafIndex: self, privateKeys: {} },
    signatureSecret: signingSecret(vector.signature_priv),
    confirmationTag: unused,
    proposals: new Map(),
  };
}

vectorsOf.complete();
