import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { type CoreError, StorageError } from '../../core/base/errors.ts';
import type { GroupId } from '../../core/base/ids.ts';
import { LIMITS } from '../../core/base/limits.ts';
import { decodeNotice } from '../../core/wire/notice.ts';
import { MemoryNetwork } from '../support/memory-network.ts';
import { Person } from '../support/person.ts';
import { VirtualTime } from '../support/virtual-time.ts';

const NAMES = ['Ada', 'Ben', 'Cem'] as const;

/** Ada knows Ben and Cem, who do not know each other unless told so. */
async function three(friends = true) {
  const time = new VirtualTime();
  const network = new MemoryNetwork(time.scheduler);
  const [ada, ben, cem] = await Promise.all(NAMES.map(name => Person.create(name, network, time)));
  if (!ada || !ben || !cem) throw new Error('three people');
  for (const person of [ada, ben, cem]) person.addable = true;
  await ada.meet(ben);
  await ada.meet(cem);
  if (friends) await ben.meet(cem);
  const hasPackages = (who: Person, of: Person) => who.store.peerKeyPackages.get(of.id) !== undefined;
  await time.until(() => hasPackages(ada, ben) && hasPackages(ada, cem) && hasPackages(ben, ada));
  return { time, network, ada, ben, cem };
}

/** A group of all three, made by Ada, in which everybody stands on one epoch. */
async function groupOfThree(friends = true) {
  const people = await three(friends);
  const { time, ada, ben, cem } = people;
  const group = await time.run(ada.messenger.groups.create('Trip', [ben.id, cem.id]));
  await time.until(() => [ada, ben, cem].every(person => membersOf(person, group).length === 3));
  return { ...people, group };
}

function membersOf(person: Person, group: GroupId) {
  return person.messenger.groups.list().find(({ id }) => id === group)?.members ?? [];
}

function texts(person: Person, group: GroupId): string[] {
  const { conversation } = person.messenger.groups.get(group);
  return person.store.messages
    .newest(conversation, 1_000)
    .filter(({ content }) => content === undefined)
    .map(({ text }) => text);
}

function notices(person: Person, group: GroupId): string[] {
  const { conversation } = person.messenger.groups.get(group);
  return person.store.messages
    .newest(conversation, 1_000)
    .flatMap(({ content }) => (content === undefined ? [] : decodeNotice(content).kind));
}

function have(people: readonly Person[], group: GroupId, count: number): () => boolean {
  return () => people.every(person => texts(person, group).length === count);
}

describe('a group', () => {
  it('is made of contacts, and everybody reads everybody', async () => {
    const { time, ada, ben, cem, group } = await groupOfThree();
    for (const [index, person] of [ada, ben, cem].entries()) {
      await time.run(person.messenger.groups.send(group, `from ${person.nick}`));
      await time.until(have([ada, ben, cem], group, index + 1));
    }
    const expected = ['from Ada', 'from Ben', 'from Cem'];
    for (const person of [ada, ben, cem]) assert.deepEqual(texts(person, group), expected);
    assert.deepEqual(notices(ada, group), ['made', 'added', 'added']);
    assert.equal(cem.messenger.groups.get(group).name, 'Trip');
    assert.ok(ada.messenger.groups.get(group).admin && !ben.messenger.groups.get(group).admin);
  });

  it('members who are no contacts of each other are let in by whoever asked for it, and read each other', async () => {
    const { time, ada, ben, cem, group } = await groupOfThree(false);
    assert.equal(ben.store.contacts.get(cem.id), undefined);
    await time.run(ben.messenger.groups.send(group, 'from Ben'));
    await time.until(have([ada, ben, cem], group, 1));
    await time.run(cem.messenger.groups.send(group, 'from Cem'));
    await time.until(have([ada, ben, cem], group, 2));
    await time.until(() => cem.messenger.groups.nickOf(group, ben.id) === 'Ben');
    await time.until(() => ben.messenger.groups.nickOf(group, cem.id) === 'Cem');
  });

  it('a text of the greatest length comes whole', async () => {
    const { time, ada, ben, cem, group } = await groupOfThree();
    const long = 'ы'.repeat(LIMITS.textBytes / 2);
    await time.run(ben.messenger.groups.send(group, long));
    await time.until(have([ada, ben, cem], group, 1));
    assert.deepEqual(texts(cem, group), [long]);
    assert.deepEqual(cem.store.groupInbox.list(), []);
  });

  it('members say what they have: a text is sent when one has it, and it is known how many do', async () => {
    const { time, ada, cem, ben, group } = await groupOfThree();
    const cemId = cem.id;
    await cem.stop();
    const { id } = await time.run(ada.messenger.groups.send(group, 'who has this?'));
    assert.equal(ada.store.messages.stateOf(id)?.state, 'queued');
    assert.deepEqual(ada.messenger.groups.reachOf(group, id), { deliveredTo: 0, of: 2 });
    await time.until(() => ada.messenger.groups.reachOf(group, id)?.deliveredTo === 1);
    assert.equal(ada.store.messages.stateOf(id)?.state, 'sent');
    await cem.start();
    assert.equal(cem.id, cemId);
    await time.until(() => ada.messenger.groups.reachOf(group, id)?.deliveredTo === 2);
    assert.deepEqual(texts(ben, group), ['who has this?']);
  });

  it('what is read is read, and notices are neither unread nor answered to', async () => {
    const { time, ada, ben, cem, group } = await groupOfThree();
    const unread = () => ben.store.conversations.get(ben.messenger.groups.get(group).conversation)?.unread;
    assert.equal(unread(), 0);
    await time.run(ada.messenger.groups.send(group, 'one'));
    await time.run(cem.messenger.groups.send(group, 'two'));
    await time.until(() => unread() === 2);
    await time.run(ben.messenger.groups.markRead(group, undefined));
    assert.equal(unread(), 0);
    const { conversation } = ben.messenger.groups.get(group);
    assert.deepEqual(ben.store.messages.awaitedOf(conversation, 10), []);
  });

  it('a step that the disk does not take has not happened, and nothing of it is sent', async () => {
    const { time, ada, ben, cem, group } = await groupOfThree();
    const before = [ada.store.pending.listOf(ben.id, 10).length, ada.store.outbox.count()];
    const { write } = ada.store;
    ada.store.write = () => Promise.reject(new StorageError('disk-full', 'test', 'The disk is full.'));
    await assert.rejects(ada.messenger.groups.send(group, 'lost'), (error: CoreError) => error.code === 'disk-full');
    ada.store.write = write;
    assert.deepEqual([ada.store.pending.listOf(ben.id, 10).length, ada.store.outbox.count()], before);
    await time.run(ada.messenger.groups.send(group, 'kept'));
    await time.until(have([ada, ben, cem], group, 1));
    assert.deepEqual(texts(cem, group), ['kept']);
  });

  it('goes on after a restart, with what was said meanwhile', async () => {
    const { time, ada, ben, cem, group } = await groupOfThree();
    const benId = ben.id;
    await ben.stop();
    await time.run(ada.messenger.groups.send(group, 'while Ben is away'));
    await time.run(ada.messenger.groups.change(group, { kind: 'rename', name: 'Journey' }));
    await time.until(() => cem.messenger.groups.get(group).name === 'Journey');
    await time.run(cem.messenger.groups.send(group, 'in the new epoch'));
    await ben.start();
    assert.equal(ben.id, benId);
    await time.until(have([ada, ben, cem], group, 2));
    assert.equal(ben.messenger.groups.get(group).name, 'Journey');
    await time.run(ben.messenger.groups.send(group, 'back'));
    await time.until(have([ada, ben, cem], group, 3));
    assert.deepEqual(texts(ben, group), ['while Ben is away', 'in the new epoch', 'back']);
  });

  it('one whose rows cannot be read keeps no other from starting', async () => {
    const { time, ada, ben, cem, group } = await groupOfThree();
    const other = await time.run(ada.messenger.groups.create('Other', []));
    const { store } = ada;
    const record = store.groups.get(group);
    assert.ok(record);
    await ada.stop();
    await store.write(tx => store.groups.put(tx, { ...record, state: Buffer.of(0xff) }));
    await ada.start();
    assert.deepEqual(
      ada.messenger.groups.list().map(({ id, phase }) => [id, phase]),
      [
        [other, 'member'],
        [group, 'unreadable'],
      ],
    );
    await time.run(ben.messenger.groups.send(group, 'without Ada'));
    await time.until(have([ben, cem], group, 1));
  });

  it('someone removed is told, and reads nothing that is said later', async () => {
    const { time, ada, ben, cem, group } = await groupOfThree();
    const before = ada.messenger.groups.secretsOf(group)[0];
    await time.run(ada.messenger.groups.change(group, { kind: 'remove', member: cem.id }));
    await time.until(() => cem.messenger.groups.get(group).phase === 'removed' && membersOf(ben, group).length === 2);
    await time.run(ben.messenger.groups.send(group, 'between us'));
    await time.until(have([ada, ben], group, 1));
    await time.pass(120_000);
    assert.deepEqual(texts(cem, group), []);
    assert.equal(notices(cem, group).at(-1), 'removed');
    await assert.rejects(cem.messenger.groups.send(group, 'still here'), isRefused);
    const after = ada.messenger.groups.secretsOf(group)[0];
    assert.deepEqual(ben.messenger.groups.secretsOf(group)[0]?.secret, after?.secret);
    assert.notDeepEqual(after?.secret, before?.secret);
    const known = cem.messenger.groups.secretsOf(group).map(({ secret }) => Buffer.from(secret).toString('hex'));
    assert.ok(!known.includes(Buffer.from(after?.secret ?? []).toString('hex')));
  });

  it('a week after a removal nothing is left here that opens what was said', async () => {
    const { time, ada, cem, group } = await groupOfThree();
    await time.run(ada.messenger.groups.send(group, 'remembered'));
    await time.until(() => texts(cem, group).length === 1);
    await time.run(ada.messenger.groups.change(group, { kind: 'remove', member: cem.id }));
    await time.until(() => cem.messenger.groups.get(group).phase === 'removed');
    assert.ok(cem.store.groupEpochs.of(group).size > 0);
    await time.jump(LIMITS.groupHorizonMs + 1);
    // Places in what members did stay, that nobody who is let in again says two things in one; they open nothing.
    const opens = () =>
      [...cem.store.groupEpochs.of(group).values()].some(parts => [0, 1, 2].some(part => parts.has(part)));
    await time.until(() => !opens());
    assert.deepEqual(cem.messenger.groups.secretsOf(group), []);
    assert.deepEqual(texts(cem, group), ['remembered']);
    assert.equal(cem.messenger.groups.get(group).name, 'Trip');
    await cem.stop();
    await cem.start();
    assert.equal(cem.messenger.groups.get(group).phase, 'removed');
  });

  it('someone removed can be added again, and goes on in the same conversation', async () => {
    const { time, ada, ben, cem, group } = await groupOfThree();
    await time.run(ada.messenger.groups.send(group, 'before'));
    await time.until(have([ada, ben, cem], group, 1));
    await time.run(ada.messenger.groups.change(group, { kind: 'remove', member: cem.id }));
    await time.until(() => cem.messenger.groups.get(group).phase === 'removed');
    await time.run(ada.messenger.groups.add(group, cem.id));
    await time.until(() => cem.messenger.groups.get(group).phase === 'member');
    await time.run(cem.messenger.groups.send(group, 'again'));
    await time.until(have([ada, ben, cem], group, 2));
    assert.deepEqual(texts(cem, group), ['before', 'again']);
  });

  it('whoever leaves is gone for all, and the last admin cannot', async () => {
    const { time, ada, ben, cem, group } = await groupOfThree();
    await assert.rejects(time.run(ada.messenger.groups.leave(group)), isRefused);
    await time.run(ben.messenger.groups.leave(group));
    assert.equal(ben.messenger.groups.get(group).phase, 'leaving', 'until a member has carried it out');
    await time.until(() => ben.messenger.groups.get(group).phase === 'left');
    await time.until(() => [ada, cem].every(person => membersOf(person, group).length === 2));
    assert.equal(notices(ada, group).at(-1), 'left');
    await time.run(ada.messenger.groups.change(group, { kind: 'promote', member: cem.id }));
    await time.until(() => cem.messenger.groups.get(group).admin);
    await time.run(ada.messenger.groups.leave(group));
    await time.until(() => membersOf(cem, group).length === 1);
    await time.run(cem.messenger.groups.leave(group));
    assert.equal(cem.messenger.groups.get(group).phase, 'left');
  });

  it('only admins change it, and only people whose key package is here are added', async () => {
    const { time, ada, ben, cem, group } = await groupOfThree();
    await assert.rejects(ben.messenger.groups.change(group, { kind: 'rename', name: 'Mine' }), isRefused);
    await assert.rejects(ben.messenger.groups.change(group, { kind: 'remove', member: ada.id }), isRefused);
    await assert.rejects(ada.messenger.groups.add(group, cem.id), isRefused);
    const stranger = await Person.create('Dan', new MemoryNetwork(time.scheduler), time);
    await assert.rejects(ada.messenger.groups.create('Other', [stranger.id]), isRefused);
    assert.equal(ada.messenger.groups.list().length, 1);
  });
});

function isRefused(error: CoreError): boolean {
  return error.code === 'refused';
}
