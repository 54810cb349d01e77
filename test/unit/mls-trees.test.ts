import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { LeafNode } from 'ts-mls/leafNode.js';
import type { RatchetTree } from 'ts-mls/ratchetTree.js';
import { systemRandom } from '../../core/base/world.io.ts';
import { generateIdentity } from '../../core/crypto/identity.ts';
import { groupInfoOf } from '../../core/crypto/mls/group.ts';
import { openGroupInfo } from '../../core/crypto/mls/group-join.ts';
import { type GroupState, leafAt } from '../../core/crypto/mls/group-state.ts';
import { suiteOf } from '../../core/crypto/mls/suite.ts';
import { hashTree } from '../../core/crypto/mls/tree-hash.ts';
import { makePath } from '../../core/crypto/mls/update-path.ts';
import { flipped, foulPackage, infoWithTree, withNode } from './mls-foes.ts';
import { type Member, makeMembers, packageOf } from './mls-people.ts';

/** Trees that a member has signed, and that are not the group's: what whoever joins by them finds. */
const SUITE = suiteOf('classical');

/** Eight, of whom two came after somebody below the same node had given it its key: it lists leaves 5 and 6. */
async function withUnmerged(): Promise<GroupState> {
  const members = await makeMembers('classical', 8);
  const [ann, eve] = [members[0], members[4]] as [Member, Member];
  const gone = await ann.commit({ proposals: [5, 6].map(index => ({ kind: 'remove' as const, index })) });
  await eve.take(gone.message);
  await ann.take((await eve.commit()).message);
  const packages = [1, 2].map(() => packageOf('classical', generateIdentity(systemRandom)));
  await ann.commit({ proposals: packages.map(({ bytes }) => ({ kind: 'add' as const, keyPackage: bytes })) });
  return ann.state;
}

function parentAt(nodes: RatchetTree, at: number) {
  const node = nodes[at];
  assert.ok(node?.nodeType === 'parent');
  return node.parent;
}

test('a tree lists unmerged leaves as they are: there, below, known between, in rising order, each once', async () => {
  const state = await withUnmerged();
  const { nodes } = state.tree;
  assert.deepEqual(parentAt(nodes, 11).unmergedLeaves, [5, 6]);
  openGroupInfo(await infoWithTree(state, nodes));
  const listing = (at: number, unmergedLeaves: number[], tree = nodes): RatchetTree =>
    withNode(tree, at, { nodeType: 'parent', parent: { ...parentAt(tree, at), unmergedLeaves } });
  // Below another node, though all above it know it.
  const elsewhere = listing(3, [5], listing(7, [5, 6]));
  const between = listing(7, [5, 6], listing(11, [5]));
  const fouls = [listing(11, [6, 5]), listing(11, [5, 5, 6]), listing(11, [1, 5, 6]), elsewhere, between];
  for (const foul of [...fouls, withNode(nodes, 12, undefined)]) {
    const info = await infoWithTree(state, foul);
    assert.throws(() => openGroupInfo(info), { operation: 'mls.unmerged' });
  }
});

test('a key that nobody below it has made is not taken from a tree', async () => {
  const state = await withUnmerged();
  const { nodes } = state.tree;
  const foul = { ...parentAt(nodes, 11), hpkePublicKey: SUITE.hpke.kem.derive(systemRandom(32)).public };
  const fouls = [
    withNode(nodes, 11, { nodeType: 'parent', parent: foul }),
    // One who came later is not listed, and would be passed over.
    withNode(nodes, 11, { nodeType: 'parent', parent: { ...parentAt(nodes, 11), unmergedLeaves: [6] } }),
    // One who could read along already is listed as one who could not.
    withNode(nodes, 11, { nodeType: 'parent', parent: { ...parentAt(nodes, 11), unmergedLeaves: [5, 6, 7] } }),
    withNode(nodes, 13, { nodeType: 'parent', parent: { ...foul, parentHash: NONE, unmergedLeaves: [6] } }),
  ];
  // Whoever tells of the tree can make all that is above its own leaf fit.
  const foulTree = hashTree(SUITE, fouls[1] as RatchetTree);
  const { context, signatureSecret } = state;
  const made = makePath(SUITE, foulTree, 0, new Set(), context.groupId, signatureSecret, systemRandom);
  fouls.push([...made.tree.nodes]);
  for (const tree of fouls) {
    const info = await infoWithTree(state, tree);
    assert.throws(() => openGroupInfo(info), { operation: 'mls.parent-hash' });
  }
});

const NONE = new Uint8Array();

test('a tree holds leaves where leaves are, signed, of one person each, and is the one that is named', async () => {
  const [ann, bob] = (await makeMembers('classical', 3)) as [Member, Member];
  const { tree, context } = ann.state;
  const leaf = leafAt(ann.state, 1) as LeafNode;
  const unsigned = withNode(tree.nodes, 2, {
    nodeType: 'leaf',
    leaf: { ...leaf, signature: flipped(Buffer.from(leaf.signature)) },
  });
  const again = foulPackage('classical', {}, undefined, bob.identity);
  const twice = withNode(tree.nodes, 4, { nodeType: 'leaf', leaf: again.keyPackage.leafNode });
  const elsewhere = { nodeType: 'leaf' as const, leaf: foulPackage('classical', {}).keyPackage.leafNode };
  const fouls = [
    ['mls.leaf-signature', await infoWithTree(ann.state, unsigned)],
    ['mls.member-twice', await infoWithTree(ann.state, twice)],
    ['mls.tree-shape', await infoWithTree(ann.state, withNode(tree.nodes, 1, elsewhere))],
    ['mls.tree-shape', await infoWithTree(ann.state, withNode(tree.nodes, 4, tree.nodes[3]))],
  ] as const;
  for (const [operation, info] of fouls) assert.throws(() => openGroupInfo(info), { operation });
  const other = { ...ann.state, tree: hashTree(SUITE, twice), context: { ...context } };
  const info = await groupInfoOf(other);
  assert.throws(() => openGroupInfo(info), { operation: 'mls.tree-hash' });
});
