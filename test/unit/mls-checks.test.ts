import assert from 'node:assert/strict';
import { test } from 'node:test';
import { applyProposals } from 'ts-mls/clientState.js';
import { createContentCommitSignature } from 'ts-mls/framedContent.js';
import type { LeafNode } from 'ts-mls/leafNode.js';
import { encodePrivateMessageContent } from 'ts-mls/privateMessage.js';
import type { Proposal } from 'ts-mls/proposal.js';
import type { RatchetTree } from 'ts-mls/ratchetTree.js';
import { toLeafIndex } from 'ts-mls/treemath.js';
import { DecodeError } from '../../core/base/errors.ts';
import { LIMITS } from '../../core/base/limits.ts';
import { systemRandom } from '../../core/base/world.io.ts';
import { generateIdentity } from '../../core/crypto/identity.ts';
import { deriveEpoch } from '../../core/crypto/mls/epoch.ts';
import { joinGroup } from '../../core/crypto/mls/group-join.ts';
import { processMessage } from '../../core/crypto/mls/group-messages.ts';
import type { GroupState } from '../../core/crypto/mls/group-state.ts';
import { makeKeyPackage, parseKeyPackage } from '../../core/crypto/mls/key-package.ts';
import { CREDENTIAL_BYTES, MOLVA_CAPABILITIES } from '../../core/crypto/mls/leaf-authentication.ts';
import { CONTENT, sealPrivate } from '../../core/crypto/mls/private-message.ts';
import { clientStateOf, NO_PSKS, pskIndexOf } from '../../core/crypto/mls/proposals.ts';
import { makeSecretTree, takeKeyAt } from '../../core/crypto/mls/secret-tree.ts';
import { stepOf } from '../../core/crypto/mls/step.ts';
import { suiteOf } from '../../core/crypto/mls/suite.ts';
import { decodeTreeNodes, encodeTreeNodes } from '../../core/crypto/mls/tree-codec.ts';
import { hashTree } from '../../core/crypto/mls/tree-hash.ts';
import { applyPath, encryptPath, makePath } from '../../core/crypto/mls/update-path.ts';
import { mlsCrypto } from '../../core/groups/mls-crypto.ts';
import { type Foul, flipped, foulCommit, foulPackage, takeBare, withNode } from './mls-foes.ts';
import { DAY_MS, Member, makeMembers, NOW_MS, packageOf } from './mls-people.ts';

/** Each check of RFC 9420 by what gets past it where it is left out. */
const SUITE = suiteOf('classical');

/** A commit that adds somebody, of a member whose program does as it likes: what the others say, and the newcomer. */
async function verdicts(foul: Foul): Promise<{ member: Promise<unknown>; newcomer: Promise<unknown> }> {
  const [ann, bob] = (await makeMembers('classical', 4)) as [Member, Member];
  const { bytes, secrets } = packageOf('classical', generateIdentity(systemRandom));
  const { keyPackage } = parseKeyPackage(bytes, NOW_MS);
  const made = await foulCommit(ann.state, foul, { proposals: [{ proposalType: 'add', add: { keyPackage } }] });
  const member = processMessage(bob.state, made.message);
  return { member, newcomer: joinGroup(made.welcome as Uint8Array, { keyPackage: bytes, secrets }) };
}

test('a commit of a program that does as it should is followed, and joined', async () => {
  const { member, newcomer } = await verdicts({});
  await Promise.all([member, newcomer]);
});

const FOULS: readonly [string, Foul, { readonly operation: string }][] = [
  ['a confirmation tag', { confirm: flipped }, { operation: 'mls.confirmation' }],
  [
    'a signature of a leaf',
    { sign: (label, signature) => (label === 'LeafNodeTBS' ? flipped(signature) : signature) },
    { operation: 'mls.leaf-signature' },
  ],
  [
    'a key above the leaf that is not the one its secret leads to',
    { publicKey: (pair, count) => (count === 3 ? SUITE.hpke.kem.derive(systemRandom(32)).public : pair.public) },
    { operation: 'mls.path-key' },
  ],
];

for (const [name, foul, expected] of FOULS) {
  test(`${name} is checked, by members and by who joins`, async () => {
    const { member, newcomer } = await verdicts(foul);
    const refused = [assert.rejects(member, expected), assert.rejects(newcomer, expected)];
    await Promise.all(refused);
  });
}

test('a path fits the tree, and its leaf vouches for what is above', async () => {
  const [ann] = (await makeMembers('classical', 4)) as [Member];
  const { tree, context } = ann.state;
  const none = new Set<number>();
  const made = makePath(SUITE, tree, 0, none, context.groupId, ann.state.signatureSecret, systemRandom);
  const update = encryptPath(SUITE, tree.nodes, made, Buffer.alloc(1), systemRandom);
  const [first, second] = update.nodes;
  assert.ok(first && second);
  applyPath(SUITE, tree, 0, update, none);
  const { leafNode, nodes } = update;
  const parentHash = flipped(Buffer.from(leafNode.parentHash));
  const [sealed] = first.encryptedPathSecret;
  assert.ok(sealed);
  const fouls = [
    ['mls.parent-hash', { leafNode: { ...leafNode, parentHash }, nodes }],
    ['mls.path-length', { leafNode, nodes: [first] }],
    ['mls.path-receivers', { leafNode, nodes: [{ ...first, encryptedPathSecret: [sealed, sealed] }, second] }],
    ['mls.path-key', { leafNode, nodes: [first, { ...second, hpkePublicKey: first.hpkePublicKey }] }],
  ] as const;
  for (const [operation, foul] of fouls) {
    assert.throws(() => applyPath(SUITE, tree, 0, { ...foul, nodes: [...foul.nodes] as typeof nodes }, none), {
      operation,
    });
  }
});

test('keys of messages are derived so far ahead and no further', () => {
  const tree = () => makeSecretTree(2, systemRandom(32));
  const most = LIMITS.mlsSkippedKeys;
  assert.equal(takeKeyAt(SUITE, tree(), 1, 'application', most).generation, most);
  const fouls = [
    [1, most + 1, 'mls.generation'],
    [2, 0, 'mls.leaf'],
  ] as const;
  for (const [leaf, generation, operation] of fouls) {
    assert.throws(() => takeKeyAt(SUITE, tree(), leaf, 'application', generation), { operation });
  }
});

const NONE = new Uint8Array();

/** A member who is there by name alone. */
function stranger(): LeafNode {
  return {
    leafNodeSource: 'update',
    hpkePublicKey: systemRandom(32),
    signaturePublicKey: systemRandom(32),
    credential: { credentialType: 'basic', identity: systemRandom(CREDENTIAL_BYTES) },
    capabilities: MOLVA_CAPABILITIES,
    extensions: [],
    signature: NONE,
  };
}

test('a group has so many leaves and no more, whoever says so', async () => {
  const [ann] = (await makeMembers('classical', 2)) as [Member];
  const nodes: RatchetTree = Array.from({ length: 2 * LIMITS.mlsLeaves - 1 }, (_, at) =>
    at % 2 === 0 ? { nodeType: 'leaf' as const, leaf: stranger() } : undefined,
  );
  nodes[0] = ann.state.tree.nodes[0];
  decodeTreeNodes(encodeTreeNodes(nodes));
  const state = { ...ann.state, tree: hashTree(SUITE, nodes) };
  const added = foulPackage('classical', {});
  const proposals = [{ kind: 'add' as const, keyPackage: added.bytes }];
  const full = new Member(ann.identity, state);
  await assert.rejects(full.commit({ proposals }), { operation: 'mls.add', code: 'limit-reached' });
  const { keyPackage } = added;
  await assert.rejects(takeBare(state, 1, [{ proposalType: 'add', add: { keyPackage } }]), { operation: 'mls.leaves' });
  const more = withNode(nodes, 2 * LIMITS.mlsLeaves, nodes[0]);
  assert.throws(() => decodeTreeNodes(encodeTreeNodes(more)), DecodeError);
});

test('somebody is added while the key package lasts, and longer lives are none', async () => {
  const [ann] = (await makeMembers('classical', 2)) as [Member];
  const skew = LIMITS.clockSkewMs;
  const limits = [
    [NOW_MS - skew - 2 * DAY_MS, NOW_MS - skew - DAY_MS],
    [NOW_MS + skew + DAY_MS, NOW_MS + skew + 2 * DAY_MS],
    [NOW_MS - DAY_MS, NOW_MS + LIMITS.mlsKeyPackageMs],
  ] as const;
  for (const [validFromMs, validUntilMs] of limits) {
    const terms = { suite: 'classical' as const, validFromMs, validUntilMs, lastResort: false };
    const made = makeKeyPackage(generateIdentity(systemRandom), terms, systemRandom);
    const proposals = [{ kind: 'add' as const, keyPackage: made.bytes }];
    await assert.rejects(ann.commit({ proposals }), { operation: 'mls.add', name: 'UsageError' });
  }
});

test('a commit without a path says so, and neither removes nor joins', async () => {
  const [ann, bob] = (await makeMembers('classical', 3)) as [Member, Member];
  const remove = { proposalType: 'remove' as const, remove: { removed: 2 } };
  await assert.rejects(takeBare(bob.state, 0, [remove]), { operation: 'mls.path' });
  const init = { proposalType: 'external_init' as const, externalInit: { kemOutput: systemRandom(32) } };
  await assert.rejects(takeBare(bob.state, 'newcomer', [init]), { operation: 'mls.path' });
  const { keyPackage } = foulPackage('classical', {});
  const message = await pathlessCommit(ann.state, { proposalType: 'add', add: { keyPackage } });
  const taken = await processMessage(bob.state, message);
  assert.ok(taken.kind === 'commit' && taken.next && !taken.renews);
  // A group takes none, so that who made an epoch can be read from its tree.
  const crypto = mlsCrypto(bob.identity, 'classical');
  await assert.rejects(crypto.process(bob.state, message, CONTEXT), { operation: 'group.commit' });
});

const CONTEXT = { nowMs: NOW_MS, random: systemRandom };

/** As RFC 9420 §12.4 allows it, of a member whose program makes it. */
async function pathlessCommit(state: GroupState, proposal: Proposal): Promise<Buffer> {
  const step = stepOf('classical', systemRandom);
  const proposals = [{ proposalOrRefType: 'proposal' as const, proposal }];
  const applied = await applyProposals(
    clientStateOf(step, state),
    proposals,
    toLeafIndex(0),
    PSKS,
    false,
    step.provider,
  );
  const { framedContent: content, signature } = await createContentCommitSignature(
    state.context,
    'mls_private_message',
    { proposals, path: undefined },
    { senderType: 'member', leafIndex: 0 },
    NONE,
    state.signatureSecret,
    step.provider.signature,
  );
  const { confirmationTag } = await deriveEpoch(step, state, {
    wireformat: 'mls_private_message',
    content,
    signature,
    tree: hashTree(SUITE, applied.tree, state.tree),
    extensions: state.context.extensions,
    initSecret: state.keys.initSecret,
    commitSecret: Buffer.alloc(32),
    pskSecret: Buffer.alloc(32),
  });
  const auth = { contentType: 'commit' as const, signature, confirmationTag };
  const plaintext = encodePrivateMessageContent(step.config.paddingConfig)({ ...content, auth });
  return sealPrivate(state, CONTENT.commit, plaintext, NONE, systemRandom).message;
}

const PSKS = pskIndexOf(NO_PSKS);
