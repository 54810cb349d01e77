import assert from 'node:assert/strict';
import { test } from 'node:test';
import { decodeMlsMessage } from 'ts-mls/message.js';
import { AuthError, CoreError, DecodeError } from '../../core/base/errors.ts';
import { systemRandom } from '../../core/base/world.io.ts';
import { generateIdentity } from '../../core/crypto/identity.ts';
import { createCommit } from '../../core/crypto/mls/create-commit.ts';
import { groupInfoOf, propose } from '../../core/crypto/mls/group.ts';
import { joinExternally, joinGroup } from '../../core/crypto/mls/group-join.ts';
import { processMessage, readHead } from '../../core/crypto/mls/group-messages.ts';
import { type GroupState, leafAt } from '../../core/crypto/mls/group-state.ts';
import { joinByCommit } from '../../core/crypto/mls/join-external.ts';
import { parseKeyPackage } from '../../core/crypto/mls/key-package.ts';
import { makeCredential } from '../../core/crypto/mls/leaf-authentication.ts';
import { decodeState, encodeEpoch, encodeRatchets } from '../../core/crypto/mls/state-codec.ts';
import { stepOf } from '../../core/crypto/mls/step.ts';
import { decodeTreeChange, encodeTreeChange, treeOf } from '../../core/crypto/mls/tree-store.ts';
import { freshSeed, mutateBytes, seededNumbers } from '../support/mutate.ts';
import { NO_RULES } from './mls-foes.ts';
import { assertTogether, DAY_MS, Member, makeMembers, NOW_MS, packageOf } from './mls-people.ts';

const MUTATIONS = 400;
const REQUEST = { references: [], proposals: [], nowMs: NOW_MS, treeInWelcome: true };

const frozen = (state: GroupState): string =>
  Buffer.concat([encodeEpoch(state), encodeRatchets(state), encodeTreeChange(state)]).toString('hex');

test('changed messages are refused, leave the state as it was, and the true one is still taken', async () => {
  const seed = freshSeed();
  const number = seededNumbers(seed);
  const [ann, bob] = (await makeMembers('classical', 3)) as [Member, Member];
  const said = ann.say('true');
  const { message: proposed, state } = await propose(ann.state, { kind: 'remove', index: 2 }, systemRandom);
  ann.state = state;
  const { message: committed } = await ann.commit();
  const samples = [said, proposed, committed];
  const before = frozen(bob.state);
  let refused = 0;
  for (let count = 0; count < MUTATIONS; count += 1) {
    const changed = mutateBytes(samples, number);
    if (samples.some(sample => sample.equals(changed))) continue;
    await assert.rejects(
      processMessage(bob.state, changed),
      cause => cause instanceof DecodeError || cause instanceof AuthError,
      `seed ${seed}`,
    );
    refused += 1;
  }
  assert.ok(refused > MUTATIONS / 2);
  assert.equal(frozen(bob.state), before, `seed ${seed}`);
  assert.equal(bob.hear(said), 'true');
  await bob.take(committed);
  assertTogether(ann, bob);
});

test('changed welcomes, key packages and group infos are refused', async () => {
  const seed = freshSeed();
  const number = seededNumbers(seed);
  const [ann] = (await makeMembers('classical', 2)) as [Member];
  const made = packageOf('classical', generateIdentity(systemRandom));
  const { welcome } = await ann.commit({ proposals: [{ kind: 'add', keyPackage: made.bytes }] });
  assert.ok(welcome);
  const identity = generateIdentity(systemRandom);
  const info = await groupInfoOf(ann.state);
  const takers = [
    [welcome, (bytes: Uint8Array) => joinGroup(bytes, { keyPackage: made.bytes, secrets: made.secrets })],
    [made.bytes, async (bytes: Uint8Array) => parseKeyPackage(bytes, NOW_MS)],
    [info, (bytes: Uint8Array) => joinExternally(bytes, identity, systemRandom)],
  ] as const;
  for (const [sample, take] of takers) {
    await take(sample);
    await assert.rejects(take(Buffer.concat([sample, Buffer.alloc(1)])), CoreError);
    for (let count = 0; count < MUTATIONS / 4; count += 1) {
      const changed = mutateBytes([sample], number);
      if (changed.equals(sample)) continue;
      await assert.rejects(
        take(changed),
        cause => cause instanceof DecodeError || cause instanceof AuthError,
        `seed ${seed}`,
      );
    }
  }
});

test('a byte too many is noticed', async () => {
  const [ann, bob] = (await makeMembers('classical', 2)) as [Member, Member];
  for (const message of [ann.say('x'), (await ann.commit()).message]) {
    const longer = Buffer.concat([message, Buffer.alloc(1)]);
    assert.throws(() => readHead(longer), DecodeError);
    await assert.rejects(processMessage(bob.state, longer), DecodeError);
  }
});

test('a length spelled in more bytes than it needs is noticed', async () => {
  const [ann, bob] = (await makeMembers('classical', 2)) as [Member, Member];
  const respell = (bytes: Uint8Array, at: number): Buffer => {
    assert.ok((bytes[at] as number) < 0x40);
    return Buffer.concat([bytes.subarray(0, at), Buffer.of(0x40), bytes.subarray(at)]);
  };
  const { bytes } = packageOf('classical', generateIdentity(systemRandom));
  assert.throws(() => parseKeyPackage(respell(bytes, 8), NOW_MS), DecodeError);
  const { message } = await joinExternally(await groupInfoOf(ann.state), bob.identity, systemRandom);
  for (const spelled of [respell(message, 4), respell(ann.say('x'), 4)]) {
    await assert.rejects(processMessage(bob.state, spelled), DecodeError);
  }
});

test('an outsider with a group info removes no one but itself', async () => {
  const [ann, bob] = (await makeMembers('classical', 3)) as [Member, Member];
  const decoded = decodeMlsMessage(await groupInfoOf(ann.state), 0)?.[0];
  assert.ok(decoded?.wireformat === 'mls_group_info');
  // To this one every member is the same person as itself, so that it takes the first one's place.
  const step = stepOf('classical', systemRandom, {
    ...NO_RULES,
    memberName: leaf => nameOrNext(leaf.signaturePublicKey),
  });
  const names = new Map<string, string>();
  function nameOrNext(key: Uint8Array): string {
    const text = Buffer.from(key).toString('hex');
    if (!names.has(text)) names.set(text, names.size < 3 ? `${names.size}` : '0');
    return names.get(text) as string;
  }
  const joined = await joinByCommit(step, decoded.groupInfo, undefined, generateIdentity(systemRandom));
  await assert.rejects(processMessage(bob.state, joined.message), { operation: 'mls.external-remove' });
});

test('a member stays the person it is', async () => {
  const [ann, bob] = (await makeMembers('classical', 3)) as [Member, Member];
  const step = stepOf('classical', systemRandom, NO_RULES);
  const leaf = leafAt(ann.state, 0);
  assert.ok(leaf);
  const another = generateIdentity(systemRandom);
  const unsigned = {
    credentialType: 'basic' as const,
    identity: Buffer.concat([bob.identity.public.identity, Buffer.alloc(64)]),
  };
  for (const credential of [makeCredential(another, leaf.signaturePublicKey), unsigned]) {
    const nodes = ann.state.tree.nodes.slice();
    nodes[0] = { nodeType: 'leaf', leaf: { ...leaf, credential } };
    const state = { ...ann.state, tree: { ...ann.state.tree, nodes } };
    const made = await createCommit(step, state, REQUEST);
    ann.state = { ...ann.state, secretTree: made.parent.secretTree };
    await assert.rejects(processMessage(bob.state, made.message), AuthError);
  }
  await bob.take((await ann.commit()).message);
  assertTogether(ann, bob);
});

test('proposals of kinds that the group does not have are refused', async () => {
  const [ann, bob] = (await makeMembers('classical', 2)) as [Member, Member];
  const step = stepOf('classical', systemRandom, NO_RULES);
  const kinds = [
    { proposalType: 0xf123, proposalData: Buffer.from('x') },
    { proposalType: 'group_context_extensions' as const, groupContextExtensions: { extensions: [] } },
  ];
  for (const proposal of kinds) {
    const made = await createCommit(step, ann.state, { ...REQUEST, proposals: [proposal] });
    ann.state = made.parent;
    await assert.rejects(processMessage(bob.state, made.message), AuthError);
  }
});

test('key packages say whose they are, and until when', () => {
  const identity = generateIdentity(systemRandom);
  const made = packageOf('hybrid', identity, true);
  const parsed = parseKeyPackage(made.bytes, NOW_MS);
  assert.deepEqual(Buffer.from(parsed.identity), Buffer.from(identity.public.identity));
  assert.ok(parsed.lastResort && parsed.suite === 'hybrid');
  assert.deepEqual(Buffer.from(parsed.reference), Buffer.from(made.reference));
  assert.equal(parseKeyPackage(packageOf('classical', identity).bytes, NOW_MS).lastResort, false);
  for (const nowMs of [NOW_MS - 10 * DAY_MS, NOW_MS + 30 * DAY_MS]) {
    assert.throws(() => parseKeyPackage(made.bytes, nowMs), AuthError);
  }
  assert.notDeepEqual(packageOf('classical', identity).bytes, packageOf('classical', identity).bytes);
});

test('a state at rest is the state, and a tree is stored as what has changed', async () => {
  const [ann, bob] = (await makeMembers('hybrid', 16, 'data')) as [Member, Member];
  bob.hear(ann.say('before'));
  const missed = ann.say('missed');
  bob.hear(ann.say('after'));
  const base = bob.state;
  const proposed = await propose(bob.state, { kind: 'update' }, systemRandom);
  bob.state = proposed.state;
  const restored = new Member(bob.identity, atRest(bob.state));
  assert.equal(frozen(restored.state), frozen(bob.state));
  assert.equal(restored.hear(missed), 'missed');
  await ann.take(proposed.message);
  const { message } = await ann.commit({ references: [proposed.reference] });
  await restored.take(message);
  assertTogether(ann, restored);
  const change = encodeTreeChange(restored.state, treeOf(base));
  assert.ok(change.length < encodeTreeChange(restored.state).length / 2);
  const tree = decodeTreeChange('hybrid', change, treeOf(base));
  const again = decodeState(encodeEpoch(restored.state), encodeRatchets(restored.state), tree);
  assert.equal(frozen(again), frozen(restored.state));
  assert.equal(new Member(bob.identity, again).hear(ann.say('hello')), 'hello');
  assert.throws(() => decodeTreeChange('hybrid', change), DecodeError);
  assert.throws(() => decodeState(encodeEpoch(base).subarray(1), encodeRatchets(base), treeOf(base)), DecodeError);
});

function atRest(state: GroupState): GroupState {
  const tree = decodeTreeChange(state.suite, encodeTreeChange(state));
  return decodeState(encodeEpoch(state), encodeRatchets(state), tree);
}
