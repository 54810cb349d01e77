import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { LeafNode } from 'ts-mls/leafNode.js';
import { AuthError, DecodeError } from '../../core/base/errors.ts';
import { systemRandom } from '../../core/base/world.io.ts';
import { generateIdentity } from '../../core/crypto/identity.ts';
import { KEM_PUBLIC_BYTES, kemEncapsulate } from '../../core/crypto/ml-kem.ts';
import { groupInfoOf } from '../../core/crypto/mls/group.ts';
import { joinExternally, joinGroup, openGroupInfo } from '../../core/crypto/mls/group-join.ts';
import { processMessage } from '../../core/crypto/mls/group-messages.ts';
import { leafAt } from '../../core/crypto/mls/group-state.ts';
import { parseKeyPackage } from '../../core/crypto/mls/key-package.ts';
import { leafToSign } from '../../core/crypto/mls/leaf.ts';
import { isReduced, isSmallOrder } from '../../core/crypto/mls/public-key.ts';
import { SUITES, type SuiteKind, suiteOf } from '../../core/crypto/mls/suite.ts';
import { x25519 } from '../../core/crypto/x25519.ts';
import { foulCommit, foulPackage, takeBare } from './mls-foes.ts';
import { assertTogether, type Member, makeMembers, NOW_MS, packageOf } from './mls-people.ts';

const KINDS = Object.keys(SUITES) as SuiteKind[];
const FIELD = 2n ** 255n - 19n;
/** RFC 7748 §5 in its own words: a secret that takes every point of small order to zero. */
const agreesOnZero = (key: Uint8Array): boolean => {
  try {
    x25519(Buffer.alloc(32, 1), key);
    return false;
  } catch (cause) {
    assert.ok(cause instanceof AuthError);
    return true;
  }
};

function coordinate(value: bigint): Buffer {
  return Buffer.from(value.toString(16).padStart(64, '0'), 'hex').reverse();
}

test('keys of X25519 that agree on zero are known, and no others are refused', () => {
  const orderEight = [
    325606250916557431795983626356110631294008115727848805560023387167927233504n,
    39382357235489614581723060781553021112529911719440698176882885853963445705823n,
  ];
  const edge = Array.from({ length: 30 }, (_, at) => BigInt(at)).flatMap(at => [at, FIELD - 10n + at]);
  const values = [...orderEight, ...edge].filter(value => value < 2n ** 255n);
  const keys = values.flatMap(value => [coordinate(value), coordinate(value + 2n ** 255n)]);
  for (let count = 0; count < 200; count += 1) keys.push(systemRandom(32));
  for (const key of keys) assert.equal(isSmallOrder(key), agreesOnZero(key), key.toString('hex'));
  assert.equal(keys.filter(isSmallOrder).length, 14);
});

test('a key of ML-KEM is refused when one coefficient is not reduced, wherever it stands', () => {
  const key = suiteOf('hybrid').hpke.kem.derive(systemRandom(64)).public.subarray(0, KEM_PUBLIC_BYTES);
  assert.ok(isReduced(key));
  for (const value of [3_328, 3_329, 4_095]) {
    for (const place of [0, 1, 400, 767]) {
      const changed = withCoefficient(key, place, value);
      assert.equal(isReduced(changed), value < 3_329, `${value} at ${place}`);
      if (isReduced(changed)) kemEncapsulate(changed);
      else assert.throws(() => kemEncapsulate(changed), DecodeError);
    }
  }
});

function withCoefficient(key: Uint8Array, place: number, value: number): Buffer {
  const changed = Buffer.from(key);
  const at = 3 * (place >>> 1);
  const pair = changed.readUIntLE(at, 3);
  changed.writeUIntLE(place % 2 === 0 ? (pair & 0xfff000) | value : (pair & 0xfff) | (value << 12), at, 3);
  return changed;
}

/** Keys that nothing can be sealed to. */
function deadKeys(kind: SuiteKind): Buffer[] {
  const { kem } = suiteOf(kind).hpke;
  const good = kem.derive(systemRandom(64)).public;
  const short = good.subarray(1);
  const zeroAgreed = Buffer.concat([good.subarray(0, -32), Buffer.alloc(32)]);
  return kind === 'classical' ? [short, zeroAgreed] : [short, zeroAgreed, withCoefficient(good, 5, 3_329)];
}

/** A bare commit comes so far when nothing else is wrong with it. */
const PASSED = { operation: 'mls.confirmation' };
const TWICE = { operation: 'mls.tree-key' };
const DEAD = { name: 'DecodeError', operation: 'mls.hpke-key' };

for (const kind of KINDS) {
  test(`a key package with a key that nothing can be sealed to is refused, also in a commit (${kind})`, async () => {
    const [ann, bob] = (await makeMembers(kind, 2)) as [Member, Member];
    for (const key of deadKeys(kind)) {
      const fouls = [foulPackage(kind, { hpkePublicKey: key }), foulPackage(kind, {}, key)];
      for (const { bytes, keyPackage } of fouls) {
        assert.throws(() => parseKeyPackage(bytes, NOW_MS), DEAD);
        await assert.rejects(ann.commit({ proposals: [{ kind: 'add', keyPackage: bytes }] }), DEAD);
        await assert.rejects(takeBare(bob.state, 0, [{ proposalType: 'add', add: { keyPackage } }]), DEAD);
      }
    }
    const { keyPackage } = foulPackage(kind, {});
    await assert.rejects(takeBare(bob.state, 0, [{ proposalType: 'add', add: { keyPackage } }]), PASSED);
  });

  test(`a path with a key that nothing can be sealed to is not followed, nor joined (${kind})`, async () => {
    const [ann, bob] = (await makeMembers(kind, 4)) as [Member, Member];
    for (const key of deadKeys(kind)) {
      for (const place of [0, 1, 2]) {
        const newcomer = packageOf(kind, generateIdentity(systemRandom));
        const { keyPackage } = parseKeyPackage(newcomer.bytes, NOW_MS);
        const publicKey = (pair: { public: Buffer }, count: number) => (count === place ? key : pair.public);
        const proposals = [{ proposalType: 'add' as const, add: { keyPackage } }];
        const { message, welcome, next, parent } = await foulCommit(ann.state, { publicKey }, { proposals });
        ann.state = parent;
        await assert.rejects(processMessage(bob.state, message), DEAD);
        const terms = { keyPackage: newcomer.bytes, secrets: newcomer.secrets };
        await assert.rejects(joinGroup(welcome as Uint8Array, terms), DEAD);
        const info = await groupInfoOf(next);
        assert.throws(() => openGroupInfo(info), DEAD);
        await assert.rejects(joinExternally(info, bob.identity, systemRandom), DEAD);
      }
    }
    await bob.take((await ann.commit()).message);
    assertTogether(ann, bob);
  });
}

test('a key package of someone who does not know what the group needs is not added', async () => {
  const [ann, bob] = (await makeMembers('classical', 2, 'data')) as [Member, Member];
  const { capabilities } = leafAt(ann.state, 0) ?? assert.fail();
  const lacking = [
    ['mls.leaf-capabilities', { extensions: [] }],
    ['mls.leaf-suite', { ciphersuites: [SUITES.hybrid] }],
    ['mls.leaf-credential', { credentials: [] }],
  ] satisfies [string, Partial<LeafNode['capabilities']>][];
  for (const [operation, less] of lacking) {
    const made = foulPackage('classical', { capabilities: { ...capabilities, ...less } });
    const { keyPackage } = made;
    await assert.rejects(ann.commit({ proposals: [{ kind: 'add', keyPackage: made.bytes }] }), { operation });
    await assert.rejects(takeBare(bob.state, 0, [{ proposalType: 'add', add: { keyPackage } }]), { operation });
  }
});

test('no key of a newcomer stands in the tree already, as a leaf, above one, or twice among those who come', async () => {
  const [ann, bob] = (await makeMembers('classical', 4)) as [Member, Member];
  const [, parent, , , leaf] = ann.state.tree.nodes;
  assert.ok(parent?.nodeType === 'parent' && leaf?.nodeType === 'leaf');
  const own = foulPackage('classical', {});
  const fouls = [
    [foulPackage('classical', { hpkePublicKey: leaf.leaf.hpkePublicKey })],
    [foulPackage('classical', { hpkePublicKey: parent.parent.hpkePublicKey })],
    [own, foulPackage('classical', { hpkePublicKey: own.keyPackage.leafNode.hpkePublicKey })],
  ];
  for (const packages of fouls) {
    const proposals = packages.map(({ bytes }) => ({ kind: 'add' as const, keyPackage: bytes }));
    await assert.rejects(ann.commit({ proposals }), TWICE);
    const added = packages.map(({ keyPackage }) => ({ proposalType: 'add' as const, add: { keyPackage } }));
    await assert.rejects(takeBare(bob.state, 0, added), TWICE);
  }
  const fine = [own, foulPackage('classical', {})];
  const added = fine.map(({ keyPackage }) => ({ proposalType: 'add' as const, add: { keyPackage } }));
  await assert.rejects(takeBare(bob.state, 0, added), PASSED);
});

test('an update or a path brings a key that is new', async () => {
  const [ann, bob] = (await makeMembers('classical', 4)) as [Member, Member];
  const [leaf, other, bobs] = [0, 2, 1].map(index => leafAt(ann.state, index) ?? assert.fail()) as [
    LeafNode,
    LeafNode,
    LeafNode,
  ];
  for (const [key, operation] of [
    [leaf.hpkePublicKey, 'mls.update'],
    [other.hpkePublicKey, 'mls.tree-key'],
  ] as const) {
    const state = { ...bob.state, proposals: new Map([['00', updateOf(ann, leaf, key)]]) };
    await assert.rejects(takeBare(state, 1, [], ['00']), { operation });
  }
  const state = { ...bob.state, proposals: new Map([['00', updateOf(ann, leaf, systemRandom(32))]]) };
  // Whoever commits an update must renew its own keys as well.
  await assert.rejects(takeBare(state, 1, [], ['00']), { operation: 'mls.path' });
  for (const place of [0, 1, 2]) {
    for (const key of [leaf.hpkePublicKey, other.hpkePublicKey, bobs.hpkePublicKey]) {
      const publicKey = (pair: { public: Buffer }, count: number) => (count === place ? key : pair.public);
      const { message, parent } = await foulCommit(ann.state, { publicKey });
      ann.state = parent;
      await assert.rejects(processMessage(bob.state, message), { operation: 'mls.path-key' });
    }
  }
});

/** An update that Ann proposes, by Ann's own hand. */
function updateOf(ann: Member, leaf: LeafNode, hpkePublicKey: Uint8Array) {
  const { signaturePublicKey, credential, capabilities, extensions } = leaf;
  const unsigned = {
    leafNodeSource: 'update' as const,
    hpkePublicKey,
    signaturePublicKey,
    credential,
    capabilities,
    extensions,
    signature: new Uint8Array(),
  };
  const { context, signatureSecret } = ann.state;
  const toSign = leafToSign(unsigned, context.groupId, 0);
  const leafNode = { ...unsigned, signature: suiteOf('classical').sign(signatureSecret, 'LeafNodeTBS', toSign) };
  return { proposal: { proposalType: 'update' as const, update: { leafNode } }, sender: 0, leafSecret: undefined };
}
