import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { DAY_MS, HOUR_MS, MINUTE_MS } from '../../core/base/clock.ts';
import type { GroupId } from '../../core/base/ids.ts';
import { envelopeIdOf } from '../../core/wire/envelope.ts';
import { backUp, damage, groupOf, have, membersOf, noticesOf, putBack, textsOf } from '../support/group-people.ts';
import type { Person } from '../support/person.ts';

const epochOf = (person: Person, group: GroupId) => person.messenger.groups.get(group).epoch;
const oneEpoch = (all: readonly Person[], group: GroupId) => () =>
  new Set(all.map(person => epochOf(person, group))).size === 1;

/** Who is told to be back. */
const returned = (person: Person, group: GroupId) =>
  noticesOf(person, group).flatMap(notice => (notice.kind === 'returned' ? notice.member : []));

const equivocated = (persons: readonly Person[], group: GroupId) =>
  persons.some(person => person.messenger.groups.get(group).members.some(member => member.equivocated));

describe('a member comes back', () => {
  it('whose state cannot be read any more', async () => {
    const { time, all, group } = await groupOf(['Ada', 'Ben', 'Cem']);
    const [ada, ben, cem] = all;
    await time.run(ben.messenger.groups.send(group, 'before'));
    await time.until(have(all, group, 'before'));
    await damage(cem, group);
    assert.equal(membersOf(cem, group), 0);
    await time.until(() => membersOf(cem, group) === 3, HOUR_MS);
    await time.until(oneEpoch(all, group), HOUR_MS);
    for (const person of all) assert.deepEqual(returned(person, group), [cem.id]);
    await time.run(cem.messenger.groups.send(group, 'here again'));
    await time.until(have(all, group, 'here again'));
    await time.run(ada.messenger.groups.send(group, 'good'));
    await time.until(have(all, group, 'good'));
    assert.deepEqual(textsOf(cem, group), ['before', 'here again', 'good'], 'the conversation goes on');
    assert.equal(equivocated(all, group), false);
  });

  it('whose profile was put back from a copy, with no key used twice and no place named twice', async () => {
    const { time, all, group } = await groupOf(['Ada', 'Ben', 'Cem']);
    const [, ben, cem] = all;
    const backup = await backUp(cem);
    await time.run(cem.messenger.groups.send(group, 'after the copy'));
    await time.run(ben.messenger.groups.send(group, 'an answer'));
    await time.until(have(all, group, 'an answer'));
    await time.until(have(all, group, 'after the copy'));
    const before = epochOf(ben, group);
    await cem.stop();
    await cem.start();
    const mark = cem.startsMark;
    await putBack(cem, { ...backup, mark });
    await time.run(cem.messenger.groups.send(group, 'said while it may not be'));
    await time.until(have(all, group, 'said while it may not be'), HOUR_MS);
    await time.until(oneEpoch(all, group), HOUR_MS);
    assert.notEqual(epochOf(cem, group), before);
    for (const person of all) assert.ok(returned(person, group).includes(cem.id));
    await time.until(have([cem], group, 'an answer'));
    await time.pass(HOUR_MS);
    assert.equal(equivocated(all, group), false);
    await time.run(cem.messenger.groups.send(group, 'goes on'));
    await time.until(have(all, group, 'goes on'));
  });

  it('whose profile was put back whole, which the first contact tells', async () => {
    const { time, all, group } = await groupOf(['Ada', 'Ben', 'Cem']);
    const [ada, ben, cem] = all;
    const backup = await backUp(cem);
    await time.run(cem.messenger.groups.send(group, 'after the copy'));
    await time.until(have(all, group, 'after the copy'));
    await time.pass(MINUTE_MS);
    const before = epochOf(ben, group);
    await putBack(cem, backup);
    await time.until(() => cem.messenger.starts.restoredAtMs !== null);
    await time.run(cem.messenger.groups.send(group, 'once more'));
    await time.until(have(all, group, 'once more'), HOUR_MS);
    assert.notEqual(epochOf(ada, group), before);
    assert.equal(equivocated(all, group), false);
  });

  it('put back while nobody is there it says nothing until somebody is', async () => {
    const { time, all, group } = await groupOf(['Ada', 'Ben', 'Cem']);
    const [ada, ben, cem] = all;
    const backup = await backUp(cem);
    await time.run(cem.messenger.groups.send(group, 'after the copy'));
    await time.until(have(all, group, 'after the copy'));
    for (const other of [ada, ben]) await other.stop();
    await cem.stop();
    await cem.start();
    await putBack(cem, { ...backup, mark: cem.startsMark });
    const said: Uint8Array[] = [];
    cem.messenger.groups.onPublish((_, envelope) => void said.push(envelope));
    await time.run(cem.messenger.groups.send(group, 'to nobody yet'));
    await time.pass(2 * DAY_MS);
    assert.deepEqual(said, []);
    for (const other of [ada, ben]) await other.start();
    await time.until(have([ada, ben, cem], group, 'to nobody yet'), HOUR_MS);
    assert.equal(equivocated([ada, ben, cem], group), false);
  });

  it('put back to before it joined', async () => {
    const { time, all, group } = await groupOf(['Ada', 'Ben', 'Cem']);
    const [ada, ben, cem] = all;
    const dan = { folder: await backUp(cem) };
    const other = await time.run(ada.messenger.groups.create('Other', [ben.id, cem.id]));
    await time.until(() => membersOf(cem, other) === 3);
    await cem.stop();
    await cem.start();
    await putBack(cem, { ...dan.folder, mark: cem.startsMark });
    assert.equal(membersOf(cem, other), 0);
    await time.run(ben.messenger.groups.send(other, 'where is Cem?'));
    await time.until(() => membersOf(cem, other) === 3, DAY_MS);
    await time.run(cem.messenger.groups.send(other, 'here'));
    await time.until(have(all, other, 'here'), HOUR_MS);
    assert.equal(membersOf(cem, group), 3);
  });

  it('whose welcome was lost', async () => {
    const { time, all, group } = await groupOf(['Ada', 'Ben', 'Cem']);
    const [ada, ben, cem] = all;
    const other = await time.run(ada.messenger.groups.create('Other', [ben.id]));
    await time.until(() => membersOf(ben, other) === 2);
    // What the welcome was made for is gone: nothing opens it.
    const { store } = cem;
    await store.write(tx => {
      for (const { id } of store.keyPackages.list(tx)) store.keyPackages.remove(tx, id);
    });
    await time.run(ada.messenger.groups.add(other, cem.id));
    await time.until(() => membersOf(ben, other) === 3);
    assert.equal(membersOf(cem, other), 0);
    await time.until(() => membersOf(cem, other) === 3, DAY_MS);
    await time.run(cem.messenger.groups.send(other, 'in at last'));
    await time.until(have(all, other, 'in at last'), HOUR_MS);
    assert.equal(membersOf(cem, group), 3);
  });

  it('that is stuck: what comes is of epochs that it cannot reach', async () => {
    const { time, all, group } = await groupOf(['Ada', 'Ben', 'Cem']);
    const [ada, ben, cem] = all;
    const [cemId, cemStore] = [cem.id, cem.store];
    await cem.stop();
    const lost: Uint8Array[] = [];
    for (const { messenger } of [ada, ben]) messenger.groups.onPublish((_, envelope) => void lost.push(envelope));
    await time.run(ada.messenger.groups.change(group, { kind: 'rename', name: 'Journey' }));
    await time.until(() => ben.messenger.groups.get(group).name === 'Journey');
    // What leads there reaches Cem in no way: by no contact, and what is kept of it counts as taken.
    for (const { store } of [ada, ben]) {
      await store.write(tx => {
        store.pending.removeAllOf(tx, cemId);
        store.outbox.removeAllOf(tx, cemId);
        store.placements.removeAll(tx);
        const kept = [...store.custody.boxOf(store.custody.tags(tx), tx)];
        for (const { envelopeId } of kept) store.custody.remove(tx, envelopeId);
      });
    }
    await cemStore.write(tx => {
      for (const envelope of lost) cemStore.seen.add(tx, envelopeIdOf(envelope), time.nowMs + DAY_MS);
    });
    await time.run(ben.messenger.groups.send(group, 'who is there?'));
    await cem.start();
    assert.notEqual(epochOf(cem, group), epochOf(ben, group));
    await time.until(oneEpoch(all, group), HOUR_MS);
    assert.ok(returned(ada, group).includes(cem.id) && returned(cem, group).includes(cem.id));
    assert.equal(cem.messenger.groups.get(group).name, 'Journey');
    await time.run(cem.messenger.groups.send(group, 'I am'));
    await time.until(have(all, group, 'I am'));
    await time.pass(MINUTE_MS);
    assert.equal(equivocated(all, group), false);
  });
});
