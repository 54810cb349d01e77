import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { MINUTE_MS } from '../../core/base/clock.ts';
import { StorageError } from '../../core/base/errors.ts';
import type { ContactId, GroupId } from '../../core/base/ids.ts';
import { LIMITS } from '../../core/base/limits.ts';
import { TABLES, type TableName } from '../../core/storage/tables.ts';
import { type Content, decodeContent, encodeContent } from '../../core/wire/content.ts';
import { type ParcelKind, splitParcel } from '../../core/wire/group-parcel.ts';
import { damage, groupOf, have, membersOf, textsOf } from '../support/group-people.ts';
import type { MemoryNetwork } from '../support/memory-network.ts';
import { people } from '../support/people.ts';
import { Person } from '../support/person.ts';
import type { VirtualTime } from '../support/virtual-time.ts';

/** What found no room is looked at again once a minute. */
const SWEEPS_MS = 2 * MINUTE_MS;

/** Where anything of a group can stand; between two these people have said nothing. */
const OF_GROUPS: readonly TableName[] = [
  ...(['groups', 'groupEpochs', 'groupMembers', 'groupInbox'] as const),
  ...(['messages', 'blocks', 'locations', 'states', 'undelivered', 'tails', 'pending'] as const),
  ...(['custody', 'custodyBodies', 'custodyIndex', 'custodyExpiry'] as const),
];

function rowsIn({ rows }: Person, table: TableName): number {
  return [...rows.keys(Buffer.of(TABLES[table]), Buffer.of(TABLES[table] + 1))].length;
}

function tablesWithRows(person: Person): TableName[] {
  return OF_GROUPS.filter(table => rowsIn(person, table) > 0);
}

const phaseOf = (person: Person, group: GroupId) =>
  person.messenger.groups.list().find(({ id }) => id === group)?.phase;

/** Something of the group from one contact to another, as it would be given after a long way. */
async function give(time: VirtualTime, from: Person, to: Person, contents: readonly Uint8Array[]): Promise<void> {
  const { store, sequence, pendingAdded } = from.messenger.context;
  await time.run(
    store.write(tx => {
      for (const content of contents) store.pending.add(tx, to.id, sequence.next(), content);
    }),
  );
  pendingAdded(to.id);
  await time.until(() => store.outbox.count() === 0 && store.pending.listOf(to.id, 1).length === 0);
}

describe('a group that ended', () => {
  it('is deleted with every row that was kept of it, and stays so after a restart', async () => {
    const { time, group, all } = await groupOf(['Ada', 'Ben', 'Cem']);
    const [ada, ben, cem] = all;
    for (const person of all) await time.run(person.messenger.groups.send(group, `I am ${person.nick}`));
    await time.until(() => all.every(person => textsOf(person, group).length === 3));
    await assert.rejects(time.run(cem.messenger.groups.delete(group)), { code: 'refused' });
    await time.run(ada.messenger.groups.change(group, { kind: 'remove', member: cem.id }));
    await time.until(() => phaseOf(cem, group) === 'removed' && membersOf(ben, group) === 2);
    const full = tablesWithRows(cem);
    for (const table of ['groups', 'groupEpochs', 'groupMembers', 'messages', 'custody'] as const) {
      assert.ok(full.includes(table), `${table} is empty beforehand`);
    }
    await time.run(cem.messenger.groups.delete(group));
    assert.deepEqual(tablesWithRows(cem), []);
    assert.ok(cem.store.conversations.list().every(row => row.group === null));
    assert.deepEqual(cem.events.filter(({ type }) => type === 'group-deleted').length, 1);
    assert.equal(cem.messenger.groups.nickOf(group, ben.id), 'Ben', 'a contact is a contact still');
    await assert.rejects(time.run(cem.messenger.groups.delete(group)), { code: 'not-found' });
    await cem.stop();
    await cem.start();
    assert.deepEqual(cem.messenger.groups.list(), []);
    await time.run(ada.messenger.groups.send(group, 'without Cem'));
    await time.until(have([ada, ben], group, 'without Cem'));
    assert.deepEqual(tablesWithRows(cem), [], 'nothing of it comes any more');
  });

  it('comes back by nothing that was still on its way, and does when an admin adds this profile anew', async () => {
    const { time, all } = await people(['Ada', 'Cem']);
    const [ada, cem] = all;
    for (const person of all) person.addable = true;
    await ada.meet(cem);
    await time.until(() => ada.store.peerKeyPackages.get(cem.id) !== undefined);
    // By the key package that is not used up, so that the welcome opens again.
    const known = ada.store.peerKeyPackages.get(cem.id);
    assert.ok(known && known.lastResort.length > 0);
    await time.run(ada.store.write(tx => ada.store.peerKeyPackages.put(tx, { ...known, oneTime: [] })));
    const given = recordGiven(ada);
    const group = await time.run(ada.messenger.groups.create('Trip', [cem.id]));
    await time.until(() => phaseOf(cem, group) === 'member');
    await time.run(ada.messenger.groups.send(group, 'hello'));
    await time.until(have([cem], group, 'hello'));
    await time.run(ada.messenger.groups.change(group, { kind: 'remove', member: cem.id }));
    await time.until(() => phaseOf(cem, group) === 'removed');
    const welcomes = given.filter(bytes => isWelcome(decodeContent(bytes)));
    assert.equal(welcomes.length, 1);
    await time.run(cem.messenger.groups.delete(group));

    const kinds = ['post', 'forward', 'info-ask', 'info', 'join'] as const;
    await give(time, ada, cem, [...welcomes, ...kinds.map(what => parcelOf(group, what))]);
    await time.until(() => cem.store.outbox.count() === 0);
    assert.deepEqual(cem.store.groupInbox.list(), [], 'nobody is asked for the way back to it');
    await time.pass(2 * LIMITS.groupLostMs);
    assert.deepEqual(cem.messenger.groups.list(), []);

    await time.run(ada.messenger.groups.add(group, cem.id));
    await time.until(() => phaseOf(cem, group) === 'member');
    await time.run(cem.messenger.groups.send(group, 'again'));
    await time.until(have([ada, cem], group, 'again'));
    assert.deepEqual(textsOf(cem, group), ['again'], 'what was deleted stays deleted');
    assert.equal(cem.store.deletedGroups.has(group), false);
  });

  it('is deleted with what waits for contacts, and with nothing of another group', async () => {
    const { time, network, group, all } = await groupOf(['Ada', 'Ben']);
    const [ada, ben] = all;
    const other = await time.run(ben.messenger.groups.create('Other', []));
    const dan = await waitingContact(time, network, ben);
    const waits = [parcelOf(group, 'post'), parcelOf(other, 'post')] as const;
    await time.run(
      ben.store.write(tx => {
        for (const [at, content] of waits.entries()) ben.store.pending.add(tx, dan, at, content);
      }),
    );
    await time.run(ada.messenger.groups.change(group, { kind: 'remove', member: ben.id }));
    await time.until(() => phaseOf(ben, group) === 'removed');
    await time.run(ben.messenger.groups.delete(group));
    const left = ben.store.pending.listOf(dan, 9).map(({ content }) => Buffer.from(content));
    assert.deepEqual(left, [Buffer.from(waits[1])]);
    assert.equal(phaseOf(ben, other), 'member');
    assert.ok(rowsIn(ben, 'groupEpochs') > 0 && rowsIn(ben, 'messages') > 0);
  });

  it('that is still being left is told to the others all the same', async () => {
    const { time, network, group, all } = await groupOf(['Ada', 'Ben']);
    const [ada, ben] = all;
    const dan = await waitingContact(time, network, ben);
    await ada.stop();
    await time.run(ben.messenger.groups.leave(group));
    assert.equal(phaseOf(ben, group), 'leaving');
    await time.run(ben.store.write(tx => ben.store.pending.add(tx, dan, 1, parcelOf(group, 'post'))));
    await time.run(ben.messenger.groups.delete(group));
    assert.equal(ben.store.pending.listOf(dan, 9).length, 1, 'they have yet to learn it');
    assert.deepEqual(ben.messenger.groups.list(), []);
    await ada.start();
    await time.until(() => membersOf(ada, group) === 1);
    await time.pass(2 * LIMITS.groupLostMs);
    assert.deepEqual(ben.messenger.groups.list(), []);
  });

  it('stands as before when the disk does not take its deletion', async () => {
    const { time, group, all } = await groupOf(['Ada', 'Ben']);
    const [ada, ben] = all;
    await time.run(ada.messenger.groups.send(group, 'kept'));
    await time.until(have([ben], group, 'kept'));
    await time.run(ada.messenger.groups.change(group, { kind: 'remove', member: ben.id }));
    await time.until(() => phaseOf(ben, group) === 'removed');
    const { write } = ben.store;
    ben.store.write = () => Promise.reject(new StorageError('disk-full', 'test', 'The disk is full.'));
    await assert.rejects(ben.messenger.groups.delete(group), { code: 'disk-full' });
    ben.store.write = write;
    assert.equal(phaseOf(ben, group), 'removed');
    assert.deepEqual(textsOf(ben, group), ['kept']);
    await time.run(ada.messenger.groups.add(group, ben.id));
    await time.until(() => phaseOf(ben, group) === 'member');
  });
});

describe('a group that cannot be read', () => {
  it('is shown as such beside the others, still shows what was said, and can be deleted', async () => {
    const { time, group, all } = await groupOf(['Ada', 'Ben']);
    const [ada, ben] = all;
    const other = await time.run(ben.messenger.groups.create('Other', []));
    await time.run(ben.messenger.groups.send(group, 'before'));
    await time.until(have([ada], group, 'before'));
    await ada.stop();
    await damage(ben, group);
    assert.deepEqual(
      ben.messenger.groups.list().map(({ id, phase, name }) => [id, phase, name]),
      [
        [other, 'member', 'Other'],
        [group, 'unreadable', ''],
      ],
    );
    assert.deepEqual(textsOf(ben, group), ['before']);
    const { conversation } = ben.messenger.groups.get(group);
    const [own] = ben.store.messages.newest(conversation, 99).filter(({ text }) => text === 'before');
    assert.equal(own && ben.messenger.groups.reachOf(group, own.id), undefined);
    await assert.rejects(ben.messenger.groups.send(group, 'into it'), { code: 'refused' });
    await time.run(ben.messenger.groups.delete(group));
    await ben.stop();
    await ben.start();
    await ada.start();
    await time.pass(2 * LIMITS.groupLostMs);
    assert.deepEqual(
      ben.messenger.groups.list().map(({ id }) => id),
      [other],
    );
  });
});

describe('the room for groups', () => {
  it('is not all for one contact; leaving and deleting make room again', async () => {
    const { time, all } = await people(['Mal', 'Ben', 'Ada']);
    const [mal, ben, ada] = all;
    for (const person of all) person.addable = true;
    await mal.meet(ben);
    await ada.meet(ben);
    await time.until(() => [mal, ada].every(person => person.store.peerKeyPackages.get(ben.id) !== undefined));
    const made: GroupId[] = [];
    while (made.length <= LIMITS.groupsByOne) {
      made.push(await time.run(mal.messenger.groups.create(`G${made.length}`, [ben.id], 'classical')));
    }
    const isIn = (group: GroupId) => phaseOf(ben, group) === 'member';
    await time.until(() => ben.messenger.groups.list().length === LIMITS.groupsByOne);
    await time.until(() => mal.messenger.groups.list().every(({ members }) => members.length === 2));
    await time.pass(SWEEPS_MS);
    const outside = made.filter(group => !isIn(group));
    assert.equal(outside.length, 1, 'one too many');
    await time.run(ben.messenger.groups.create('Own', []));
    const byAda = await time.run(ada.messenger.groups.create('Ada', [ben.id]));
    await time.until(() => isIn(byAda));

    const [first] = made.filter(isIn) as [GroupId];
    await time.run(ben.messenger.groups.leave(first));
    await time.until(() => phaseOf(ben, first) === 'left');
    await time.pass(SWEEPS_MS);
    assert.ok(!isIn(outside[0] as GroupId), 'its keys are still here');
    await time.run(ben.messenger.groups.delete(first));
    await time.until(() => isIn(outside[0] as GroupId));

    const again = outside[0] as GroupId;
    await time.run(mal.messenger.groups.change(again, { kind: 'remove', member: ben.id }));
    await time.until(() => phaseOf(ben, again) === 'removed');
    await time.run(mal.messenger.groups.add(again, ben.id));
    await time.until(() => isIn(again));
  });
});

/** A contact that has not answered: there is no session, and what is for it waits. */
async function waitingContact(time: VirtualTime, network: MemoryNetwork, person: Person): Promise<ContactId> {
  const dan = await Person.create('Dan', network, time);
  const { invite } = await dan.messenger.createInvite();
  const id = await time.run(person.messenger.addContact(invite, ''));
  await dan.stop();
  return id;
}

/** Every content that a profile puts up for its contacts from now on. */
function recordGiven({ store }: Person): Uint8Array[] {
  const given: Uint8Array[] = [];
  const { pending } = store;
  const add = pending.add.bind(pending);
  pending.add = (tx, contact, seq, content) => {
    given.push(Uint8Array.from(content));
    add(tx, contact, seq, content);
  };
  return given;
}

function isWelcome(content: Content): boolean {
  return content.kind === 'group' && content.parcel.what === 'welcome';
}

/** Of one part, with nothing sensible in it. */
function parcelOf(group: GroupId, what: ParcelKind): Uint8Array {
  const [parcel] = splitParcel(what, Buffer.alloc(8, 7), Buffer.alloc(100)) ?? [];
  assert.ok(parcel);
  return encodeContent({ kind: 'group', group, parcel });
}
