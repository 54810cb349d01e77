import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { MINUTE_MS } from '../../core/base/clock.ts';
import { StorageError } from '../../core/base/errors.ts';
import { type GroupId, groupIdFromBytes, ID_BYTES, idBytes } from '../../core/base/ids.ts';
import { LIMITS } from '../../core/base/limits.ts';
import { systemRandom } from '../../core/base/world.io.ts';
import { encodeGroupData } from '../../core/groups/group-data.ts';
import { mlsCrypto } from '../../core/groups/mls-crypto.ts';
import { encodeForward, encodeGroupInfo } from '../../core/wire/group-welcome.ts';
import { giveParcel } from '../support/group-parcels.ts';
import { groupOf, have, membersOf } from '../support/group-people.ts';
import type { Person } from '../support/person.ts';

const epochOf = (person: Person, group: GroupId) => person.messenger.groups.get(group).epoch;

/** There is one for each suite. */
function fits(read: () => unknown): boolean {
  try {
    return read() !== undefined;
  } catch {
    return false;
  }
}

/** A way into a group that somebody has made up, with the id of a true one and an admin that both know; it is further on. */
async function madeUpInfo(maker: Person, victim: Person, group: GroupId, admin: Person): Promise<Buffer> {
  const { account, clock } = maker.messenger.context;
  const crypto = mlsCrypto(account.identity, 'hybrid');
  const context = { nowMs: clock(), random: systemRandom };
  const data = encodeGroupData({ name: 'Trip', admins: [admin.id, maker.id].sort(), honoured: new Map() });
  let state = await crypto.create(idBytes(group), data, context);
  const adds = [victim, admin].flatMap(({ id }) => {
    const packages = maker.store.peerKeyPackages.get(id)?.lastResort ?? [];
    return packages.find(keyPackage => fits(() => crypto.ownerOf(keyPackage, context.nowMs, state))) ?? [];
  });
  const authenticatedData = Buffer.of(0x80);
  const first = { adds, removes: [], data: null, authenticatedData };
  ({ state } = await crypto.commit(state, first, context));
  for (let number = 0; number < 8; number++) {
    ({ state } = await crypto.commit(state, { adds: [], removes: [], data: null, authenticatedData }, context));
  }
  const info = await crypto.groupInfo(state, context);
  return encodeGroupInfo({ info, secrets: [systemRandom(32)], lastAct: null, seen: false });
}

describe('a contact who means harm', () => {
  it('leads nobody away by a way back that nobody asked for', async () => {
    const { time, all, group } = await groupOf(['Ada', 'Ben', 'Mal']);
    const [ada, ben, mal] = all;
    await time.pass(5 * MINUTE_MS);
    const before = epochOf(ben, group);
    const info = await time.run(madeUpInfo(mal, ben, group, ada));
    await time.run(giveParcel(mal, ben, group, 'info', info));
    await time.pass(10 * MINUTE_MS);
    assert.equal(ben.store.pending.listOf(mal.id, 1).length, 0);
    assert.equal(epochOf(ben, group), before);
    await time.run(ben.messenger.groups.send(group, 'still here'));
    await time.until(have([ada, ben], group, 'still here'));
  });

  it('keeps nobody out who is being added by welcomes that let nobody in', async () => {
    const { time, all } = await groupOf(['Ada', 'Ben', 'Mal', 'Cem']);
    const [ada, ben, mal, cem] = all;
    const group = await time.run(ada.messenger.groups.create('Journey', [ben.id, mal.id]));
    await time.until(() => [ada, ben, mal].every(person => membersOf(person, group) === 3));
    const cemId = cem.id;
    await cem.stop();
    await time.run(ada.messenger.groups.add(group, cemId));
    const forged = encodeForward({ to: [cemId], welcome: Buffer.from('nothing') });
    await time.run(giveParcel(mal, ada, group, 'forward', forged));
    await time.until(() => membersOf(ben, group) === 4);
    await time.pass(MINUTE_MS);
    assert.equal(mal.store.pending.listOf(ada.id, 1).length, 0);
    assert.deepEqual(ada.store.groups.get(group)?.adding, [cemId], 'true ones are still handed on');
    await cem.start();
    await time.until(() => membersOf(cem, group) === 4);
    await time.until(() => ada.store.groups.get(group)?.adding.length === 0);
  });

  it('leaves nothing that waits for groups once it is removed', async () => {
    const { time, all } = await groupOf(['Ada', 'Mal']);
    const [ada, mal] = all;
    const group = groupIdFromBytes(systemRandom(ID_BYTES));
    await time.run(giveParcel(mal, ada, group, 'post', systemRandom(LIMITS.groupPartBytes + 1)));
    await time.until(() => ada.store.groupInbox.listOf(group).length === 2);
    await time.run(ada.messenger.removeContact(mal.id));
    assert.deepEqual(ada.store.groupInbox.listOf(group), []);
  });
});

it('a group is made with all who are added to it, or not at all', async () => {
  const { time, all } = await groupOf(['Ada', 'Ben', 'Cem']);
  const [ada, ben, cem] = all;
  const { store } = ada;
  const write = store.write.bind(store);
  let writes = 0;
  const failing = () => Promise.reject(new StorageError('disk-full', 'test', 'The disk is full.'));
  store.write = run => (writes++ === 0 ? write(run) : failing());
  const made = await ada.messenger.groups.create('Journey', [ben.id, cem.id]);
  store.write = write;
  assert.deepEqual(store.groups.get(made)?.adding, [ben.id, cem.id]);
  await time.until(() => ben.messenger.groups.list().length === 2 && cem.messenger.groups.list().length === 2);
});
