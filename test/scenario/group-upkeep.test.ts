import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { HOUR_MS } from '../../core/base/clock.ts';
import type { CoreError } from '../../core/base/errors.ts';
import type { GroupId } from '../../core/base/ids.ts';
import { groupOf, have, membersOf } from '../support/group-people.ts';
import type { Person } from '../support/person.ts';

const viewOf = (person: Person, group: GroupId) => person.messenger.groups.get(group);
describe('what a group is asked to do', () => {
  it('is done though everyone is killed between the asking and the commit', async () => {
    const { time, all, group } = await groupOf(['Ada', 'Ben', 'Cem']);
    const [ada, ben, cem] = all;
    for (const other of [ben, cem]) await other.stop();
    await ada.messenger.groups.change(group, { kind: 'rename', name: 'Journey' });
    assert.equal(viewOf(ada, group).name, 'Trip', 'asked for, and committed by nobody yet');
    await ada.stop();
    for (const person of [ben, cem]) await person.start();
    await time.pass(HOUR_MS);
    assert.equal(viewOf(ben, group).name, 'Trip');
    await ada.start();
    await time.until(() => all.every(person => viewOf(person, group).name === 'Journey'), HOUR_MS);
  });

  it('a group has the suite it was made with, if everyone has given keys for it', async () => {
    const { time, all } = await groupOf(['Ada', 'Ben']);
    const [ada, ben] = all;
    for (const suite of ['hybrid', 'classical'] as const) {
      const made = await time.run(ada.messenger.groups.create(suite, [ben.id], suite));
      await time.until(() => membersOf(ben, made) === 2);
      await time.run(ben.messenger.groups.send(made, suite));
      await time.until(have([ada, ben], made, suite));
    }
    const { store } = ada;
    const known = store.peerKeyPackages.get(ben.id);
    assert.ok(known);
    // One that gives keys for one suite alone can be in groups of that suite.
    const short = (bytes: readonly Uint8Array[]) => bytes.filter(({ length }) => length < 1_000);
    const few = { ...known, oneTime: short(known.oneTime), lastResort: short(known.lastResort) };
    assert.ok(few.lastResort.length === 1 && known.lastResort.length === 2);
    await store.write(tx => store.peerKeyPackages.put(tx, few));
    const before = ada.messenger.groups.list().length;
    const refused = (error: CoreError) => error.code === 'refused' && error.message.includes('this kind of group');
    await assert.rejects(ada.messenger.groups.create('No', [ben.id], 'hybrid'), refused);
    assert.equal(ada.messenger.groups.list().length, before);
    const made = await time.run(ada.messenger.groups.create('Yes', [ben.id], 'classical'));
    await time.until(() => membersOf(ben, made) === 2);
  });
});
