import assert from 'node:assert/strict';
import { test } from 'node:test';
import { DecodeError } from '../../core/base/errors.ts';
import { systemRandom } from '../../core/base/world.io.ts';
import { generateIdentity } from '../../core/crypto/identity.ts';
import { commit, createGroup, groupInfoOf, propose } from '../../core/crypto/mls/group.ts';
import { joinExternally, joinGroup } from '../../core/crypto/mls/group-join.ts';
import { processMessage } from '../../core/crypto/mls/group-messages.ts';
import { type GroupState, wipeState } from '../../core/crypto/mls/group-state.ts';
import { makeKeyPackage } from '../../core/crypto/mls/key-package.ts';
import {
  copySecrets,
  makeSecretTree,
  secretsOf,
  takeKeyAt,
  wipeConsumed,
  wipeMade,
} from '../../core/crypto/mls/secret-tree.ts';
import { SUITES, type SuiteKind, suiteOf } from '../../core/crypto/mls/suite.ts';
import { DAY_MS, type Member, makeMembers, NOW_MS, packageOf } from './mls-people.ts';

const KINDS = Object.keys(SUITES) as SuiteKind[];
const isZero = (bytes: Uint8Array): boolean => bytes.every(byte => byte === 0);

/** All secret memory of a state. */
function heldBy({ keys, secretTree, path, signatureSecret, proposals }: GroupState): Uint8Array[] {
  const pending = [...proposals.values()].flatMap(({ leafSecret }) => leafSecret ?? []);
  const schedule = Object.values<Uint8Array>({ ...keys });
  return [...schedule, ...secretsOf(secretTree), ...Object.values(path.privateKeys), ...pending, signatureSecret];
}

test('what was used is zero, and a wiped state holds no secret', async () => {
  const [ann, bob] = (await makeMembers('classical', 2)) as [Member, Member];
  const used = secretsOf(bob.state.secretTree);
  bob.hear(ann.say('once'));
  assert.ok(used.every(isZero));
  bob.state = (await propose(bob.state, { kind: 'update' }, systemRandom)).state;
  const held = heldBy(bob.state);
  assert.ok(held.length > 12 && !held.some(isZero));
  wipeState(bob.state);
  assert.ok(held.every(isZero));
});

for (const kind of KINDS) {
  test(`epochs have no secret in common: each is wiped by itself, and the others go on (${kind})`, async () => {
    const [ann, bob, eve] = (await makeMembers(kind, 3)) as [Member, Member, Member];
    const first = await ann.commit();
    wipeState(first.parent);
    for (const each of [bob, eve]) {
      const before = each.state;
      await each.take(first.message);
      const held = new Set(heldBy(each.state));
      assert.ok(heldBy(before).every(secret => !held.has(secret)));
      wipeState(before);
    }
    assert.equal(bob.hear(ann.say('on the second epoch')), 'on the second epoch');
    const second = await bob.commit();
    await Promise.all([ann, eve].map(each => each.take(second.message)));
    assert.equal(eve.hear(ann.say('on the third')), 'on the third');
  });

  test(`what a step has drawn is zero when it ends (${kind})`, async () => {
    const drawn: Buffer[] = [];
    const random = (length: number): Buffer => {
      const bytes = systemRandom(length);
      // Shorter are the guards of nonces, which are sent.
      if (length >= 32) drawn.push(bytes);
      return bytes;
    };
    const signer = generateIdentity(systemRandom);
    const lifetime = { validFromMs: NOW_MS - DAY_MS, validUntilMs: NOW_MS + DAY_MS, lastResort: false };
    const own = makeKeyPackage(signer, { suite: kind, ...lifetime }, random);
    assert.ok(drawn.length >= 3 && drawn.every(isZero));
    const created = await createGroup(own.bytes, own.secrets, systemRandom(16), Buffer.alloc(0), random);
    const other = packageOf(kind, generateIdentity(systemRandom));
    const proposals = [{ kind: 'add' as const, keyPackage: other.bytes }];
    const { next, welcome } = await commit(created, { nowMs: NOW_MS, proposals }, random);
    await propose(next, { kind: 'update' }, random);
    const joined = await joinGroup(welcome as Uint8Array, { keyPackage: other.bytes, secrets: other.secrets });
    await joinExternally(await groupInfoOf(joined), generateIdentity(systemRandom), random);
    assert.ok(drawn.length >= 8 && drawn.every(isZero), `${drawn.filter(each => !isZero(each)).length} of them`);
  });

  test(`a key taken in vain leaves nothing behind, and the tree as it was (${kind})`, () => {
    const suite = suiteOf(kind);
    const tree = makeSecretTree(8, systemRandom(suite.hash.bytes));
    const copy = copySecrets(tree);
    const vain = takeKeyAt(suite, tree, 5, 'application', 3);
    const made = [...secretsOf(vain.tree), vain.key, vain.nonce];
    wipeMade(vain);
    assert.ok(made.length > 8 && made.every(isZero));
    const taken = takeKeyAt(suite, tree, 5, 'application', 3);
    assert.deepEqual(taken.key, takeKeyAt(suite, copy, 5, 'application', 3).key);
    wipeConsumed(taken);
    assert.ok([...secretsOf(tree), taken.key, taken.nonce].every(isZero) && !secretsOf(taken.tree).some(isZero));
  });
}

test('a commit uses up nothing, whether it is refused or processed twice', async () => {
  const [ann, bob] = (await makeMembers('classical', 2)) as [Member, Member];
  const { message } = await ann.commit();
  const secrets = heldBy(bob.state).map(secret => Buffer.from(secret));
  await assert.rejects(processMessage(bob.state, message.subarray(0, -1)), DecodeError);
  await Promise.all([1, 2].map(() => processMessage(bob.state, message)));
  assert.deepEqual(
    heldBy(bob.state).map(secret => Buffer.from(secret)),
    secrets,
  );
});
