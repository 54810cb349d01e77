import assert from 'node:assert/strict';
import { test } from 'node:test';
import { systemRandom } from '../../core/base/world.io.ts';
import { generateIdentity } from '../../core/crypto/identity.ts';
import { groupInfoOf } from '../../core/crypto/mls/group.ts';
import { joinExternally, joinGroup, openGroupInfo } from '../../core/crypto/mls/group-join.ts';
import { membersOf } from '../../core/crypto/mls/group-state.ts';
import { makerOf } from '../../core/crypto/mls/tree-maker.ts';
import { freshSeed, seededNumbers } from '../support/mutate.ts';
import { Member, makeMembers, packageOf } from './mls-people.ts';

const seed = freshSeed();
const number = seededNumbers(seed);
const pick = <T>(items: readonly T[]): T => items[Math.floor(number() * items.length)] as T;

/** Somebody commits: adds, removes or renews; with members that are removed the tree gets gaps, with added ones leaves that no path names. */
async function change(members: Member[]): Promise<{ maker: Member; members: Member[] }> {
  const maker = pick(members);
  const others = members.filter(member => member !== maker);
  const gone = members.length > 4 && number() < 0.5 ? pick(others) : undefined;
  const added = number() < 0.5 ? [1, 2].map(() => generateIdentity(systemRandom)) : [];
  const packages = added.map(identity => packageOf('classical', identity));
  const index = gone && membersOf(maker.state).find(({ identity }) => isOf(gone, identity))?.index;
  const removes = index === undefined ? [] : [{ kind: 'remove' as const, index }];
  const adds = packages.map(({ bytes }) => ({ kind: 'add' as const, keyPackage: bytes }));
  const { message, welcome } = await maker.commit({ proposals: [...removes, ...adds] });
  const left = others.filter(member => member !== gone);
  for (const member of left) await member.take(message);
  const joined = packages.map(async ({ bytes, secrets }, at) => {
    const state = await joinGroup(welcome as Uint8Array, { keyPackage: bytes, secrets });
    return new Member(added[at] as Member['identity'], state);
  });
  return { maker, members: [maker, ...left, ...(await Promise.all(joined))] };
}

/** Somebody comes back by an external commit. */
async function comeBack(members: Member[]): Promise<{ maker: Member; members: Member[] }> {
  const maker = pick(members);
  const others = members.filter(member => member !== maker);
  const info = await groupInfoOf(pick(others).state);
  const { message, state } = await joinExternally(info, maker.identity, systemRandom);
  maker.state = state;
  for (const member of others) await member.take(message);
  return { maker, members };
}

function isOf({ identity }: Member, key: Uint8Array): boolean {
  return Buffer.compare(identity.public.identity, key) === 0;
}

test(`who made an epoch is read from its tree, by whoever is in it, seed ${seed}`, async () => {
  let members = await makeMembers('classical', 5);
  for (let round = 0; round < 40; round += 1) {
    const made = number() < 0.2 ? await comeBack(members) : await change(members);
    members = made.members;
    const info = await groupInfoOf(pick(members).state);
    for (const epoch of [...members.map(({ state }) => state), openGroupInfo(info)]) {
      const maker = makerOf(epoch);
      assert.ok(maker && isOf(made.maker, maker.identity), `round ${round}`);
    }
  }
  assert.ok(members.length >= 3);
});
