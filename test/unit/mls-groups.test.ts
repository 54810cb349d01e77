import assert from 'node:assert/strict';
import { test } from 'node:test';
import { AuthError, InternalError, UsageError } from '../../core/base/errors.ts';
import { LIMITS } from '../../core/base/limits.ts';
import { systemRandom } from '../../core/base/world.io.ts';
import { generateIdentity } from '../../core/crypto/identity.ts';
import { commit, groupInfoOf, propose } from '../../core/crypto/mls/group.ts';
import { joinExternally, joinGroup } from '../../core/crypto/mls/group-join.ts';
import { processMessage, readHead } from '../../core/crypto/mls/group-messages.ts';
import {
  epochIdOf,
  epochOf,
  exportSecret,
  groupDataOf,
  membersOf,
  ownIndexOf,
} from '../../core/crypto/mls/group-state.ts';
import { pendingOf } from '../../core/crypto/mls/proposals.ts';
import { suiteForGroup } from '../../core/crypto/mls/suite.ts';
import { encodeTree } from '../../core/crypto/mls/tree-store.ts';
import { assertTogether, Member, makeMembers, NOW_MS, packageOf } from './mls-people.ts';

for (const suite of ['classical', 'hybrid'] as const) {
  test(`a group of three talks, changes and agrees (${suite})`, async () => {
    const [ann, bob, eve] = (await makeMembers(suite, 3, 'name: hikers')) as [Member, Member, Member];
    assertTogether(ann, bob, eve);
    assert.deepEqual(
      membersOf(bob.state).map(({ identity }) => Buffer.from(identity)),
      [ann, bob, eve].map(({ identity }) => Buffer.from(identity.public.identity)),
    );
    assert.equal(Buffer.from(groupDataOf(eve.state)).toString(), 'name: hikers');
    const said = bob.say('hello');
    assert.equal(ann.hear(said), 'hello');
    assert.equal(eve.hear(said), 'hello');
    const renamed = await eve.commit({ proposals: [{ kind: 'data', data: Buffer.from('name: bikers') }] });
    for (const each of [ann, bob]) await each.take(renamed.message);
    assertTogether(ann, bob, eve);
    assert.equal(Buffer.from(groupDataOf(ann.state)).toString(), 'name: bikers');
    const [a, b] = [ann, eve].map(({ state }) => exportSecret(state, 'test', Buffer.from('x')));
    assert.deepEqual(a, b);
  });
}

test('messages of an epoch open once each, in any order, and after the group has moved on', async () => {
  const [ann, bob] = (await makeMembers('classical', 2)) as [Member, Member];
  const sent = ['one', 'two', 'three', 'four'].map(text => ann.say(text));
  assert.equal(bob.hear(sent[3] as Buffer), 'four');
  assert.equal(bob.hear(sent[0] as Buffer), 'one');
  const old = new Member(bob.identity, bob.state);
  await bob.take((await ann.commit()).message);
  assertTogether(ann, bob);
  assert.throws(() => bob.hear(sent[1] as Buffer), AuthError);
  assert.equal(old.hear(sent[2] as Buffer), 'three');
  assert.throws(() => old.hear(sent[0] as Buffer), AuthError);
  assert.equal(old.hear(sent[1] as Buffer), 'two');
});

test('rival commits of one epoch can both be followed, and each again', async () => {
  const [ann, bob, eve] = (await makeMembers('classical', 3)) as [Member, Member, Member];
  const parent = eve.state;
  const hers = await ann.commit();
  const his = await bob.commit();
  assert.equal(epochOf(ann.state), epochOf(bob.state));
  assert.notDeepEqual(epochIdOf(ann.state), epochIdOf(bob.state));
  for (const [made, committer] of [
    [hers, ann],
    [his, bob],
    [hers, ann],
  ] as const) {
    const result = await processMessage(parent, made.message);
    assert.ok(result.kind === 'commit' && result.next);
    assertTogether(committer, new Member(eve.identity, result.next));
  }
  // Who lost moves over from the epoch both commits were made in.
  const moved = await processMessage(his.parent, hers.message);
  assert.ok(moved.kind === 'commit' && moved.next);
  assertTogether(ann, new Member(bob.identity, moved.next));
});

test('a state that another has taken the place of does not serve again', async () => {
  const [ann] = (await makeMembers('classical', 2)) as [Member];
  const before = ann.state;
  const made = await commit(before, { nowMs: NOW_MS }, systemRandom);
  await assert.rejects(commit(before, { nowMs: NOW_MS }, systemRandom), InternalError);
  await commit(made.parent, { nowMs: NOW_MS }, systemRandom);
});

test('proposals wait for a commit of someone else: an update, a removal', async () => {
  const [ann, bob, eve, kim] = (await makeMembers('classical', 4)) as [Member, Member, Member, Member];
  const update = await propose(eve.state, { kind: 'update' }, systemRandom);
  eve.state = update.state;
  const removal = await propose(ann.state, { kind: 'remove', index: ownIndexOf(kim.state) }, systemRandom);
  ann.state = removal.state;
  for (const each of [ann, bob, kim]) assert.equal((await each.take(update.message)).kind, 'proposal');
  for (const each of [bob, eve, kim]) assert.equal((await each.take(removal.message)).kind, 'proposal');
  assert.equal(readHead(update.message).kind, 'proposal');
  const waiting = pendingOf(bob.state).map(({ reference, proposal }) => [reference, proposal.kind]);
  assert.deepEqual(waiting, [
    [update.reference, 'update'],
    [removal.reference, 'remove'],
  ]);
  const made = await bob.commit({ references: [update.reference, removal.reference] });
  for (const each of [ann, eve]) await each.take(made.message);
  assertTogether(ann, bob, eve);
  assert.equal(membersOf(ann.state).length, 3);
  const gone = await kim.take(made.message);
  assert.ok(gone.kind === 'commit' && gone.next === undefined);
  const secret = bob.say('she is gone');
  assert.equal(eve.hear(secret), 'she is gone');
  assert.throws(() => kim.hear(secret), AuthError);
  const healed = await eve.commit();
  for (const each of [ann, bob]) await each.take(healed.message);
  assertTogether(ann, bob, eve);
});

test('someone is added while another has left a hole, and later ones can join the tree that results', async () => {
  const members = await makeMembers('classical', 8);
  const [ann] = members as [Member];
  for (const each of members.slice(1)) {
    const { message } = await each.commit();
    await Promise.all(members.filter(other => other !== each).map(other => other.take(message)));
  }
  const gone = [3, 5].map(index => ({ kind: 'remove' as const, index }));
  const removed = await ann.commit({ proposals: gone });
  // Now a node above the hole has a key again, and who is added there is unmerged at it alone.
  const four = members[4] as Member;
  await four.take(removed.message);
  await ann.take((await four.commit()).message);
  const fresh = [generateIdentity(systemRandom), generateIdentity(systemRandom), generateIdentity(systemRandom)];
  for (const identity of fresh) {
    const { bytes, secrets } = packageOf('classical', identity);
    const { welcome } = await ann.commit({ proposals: [{ kind: 'add', keyPackage: bytes }] });
    assert.ok(welcome);
    assertTogether(ann, new Member(identity, await joinGroup(welcome, { keyPackage: bytes, secrets })));
  }
  assert.equal(membersOf(ann.state).length, 9);
});

test('a welcome can come without its tree', async () => {
  const [ann] = (await makeMembers('classical', 3)) as [Member];
  const { bytes, secrets } = packageOf('classical', generateIdentity(systemRandom));
  const proposals = [{ kind: 'add' as const, keyPackage: bytes }];
  const { welcome } = await ann.commit({ proposals, treeInWelcome: false });
  assert.ok(welcome);
  const tree = encodeTree(ann.state);
  const joined = await joinGroup(welcome, { keyPackage: bytes, secrets, tree });
  assert.equal(epochOf(joined), epochOf(ann.state));
  const other = (await makeMembers('classical', 2)) as [Member];
  const wrong = encodeTree(other[0].state);
  await assert.rejects(joinGroup(welcome, { keyPackage: bytes, secrets, tree: wrong }), AuthError);
});

test('someone joins by an external commit, and again in the same place', async () => {
  const [ann, bob] = (await makeMembers('hybrid', 2)) as [Member, Member];
  const identity = generateIdentity(systemRandom);
  const joined = await joinExternally(await groupInfoOf(ann.state), identity, systemRandom);
  for (const each of [ann, bob]) {
    const result = await each.take(joined.message);
    assert.ok(result.kind === 'commit' && result.external);
    assert.deepEqual(Buffer.from(result.committer.identity), Buffer.from(identity.public.identity));
  }
  const kim = new Member(identity, joined.state);
  assertTogether(ann, bob, kim);
  const index = ownIndexOf(kim.state);
  const again = await joinExternally(await groupInfoOf(bob.state), identity, systemRandom);
  for (const each of [ann, bob]) await each.take(again.message);
  assertTogether(ann, bob, new Member(identity, again.state));
  assert.equal(membersOf(ann.state).length, 3);
  assert.equal(ownIndexOf(again.state), index);
  const replaced = await kim.take(again.message);
  assert.ok(replaced.kind === 'commit' && replaced.next === undefined);
});

test('a secret that members share by name can be mixed in', async () => {
  const [ann, bob] = (await makeMembers('classical', 2)) as [Member, Member];
  const [id, secret] = [Buffer.from('before'), systemRandom(32)];
  const psks = (name: Uint8Array) => (Buffer.compare(name, id) === 0 ? secret : undefined);
  const made = await ann.commit({ proposals: [{ kind: 'psk', id }], psks });
  await assert.rejects(processMessage(bob.state, made.message), AuthError);
  await assert.rejects(
    processMessage(bob.state, made.message, () => systemRandom(32)),
    AuthError,
  );
  const result = await processMessage(bob.state, made.message, psks);
  assert.ok(result.kind === 'commit' && result.next);
  assertTogether(ann, new Member(bob.identity, result.next));
});

test('what breaks the rules is not committed', async () => {
  const [ann, bob] = (await makeMembers('classical', 2)) as [Member, Member];
  const twice = packageOf('classical', bob.identity);
  const other = packageOf('hybrid', generateIdentity(systemRandom));
  const refused = [
    { kind: 'add' as const, keyPackage: twice.bytes },
    { kind: 'add' as const, keyPackage: other.bytes },
    { kind: 'remove' as const, index: ownIndexOf(ann.state) },
    { kind: 'remove' as const, index: 77 },
  ];
  for (const proposal of refused) {
    await assert.rejects(commit(ann.state, { nowMs: NOW_MS, proposals: [proposal] }, systemRandom), UsageError);
  }
  const late = packageOf('classical', generateIdentity(systemRandom));
  const terms = { nowMs: NOW_MS + 60 * 24 * 3_600_000, proposals: [{ kind: 'add' as const, keyPackage: late.bytes }] };
  await assert.rejects(commit(ann.state, terms, systemRandom), UsageError);
  await bob.take((await ann.commit()).message);
  assertTogether(ann, bob);
});

test('the first commit of the largest hybrid group fits an envelope', async () => {
  const members = await makeMembers(suiteForGroup(LIMITS.mlsHybridMembers), LIMITS.mlsHybridMembers);
  assert.equal(members[1]?.state.suite, 'hybrid');
  assert.equal(suiteForGroup(LIMITS.mlsHybridMembers + 1), 'classical');
  // The second leaf shares no node that has a key but the root with most of the others.
  const { message } = await (members[1] as Member).commit();
  assert.ok(message.length < LIMITS.sealedBytes, `${message.length} bytes`);
  await members[30]?.take(message);
  assertTogether(members[1] as Member, members[30] as Member);
});
