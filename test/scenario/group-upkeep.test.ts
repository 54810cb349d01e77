import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { type Clock, DAY_MS, HOUR_MS, MINUTE_MS } from '../../core/base/clock.ts';
import type { CoreError } from '../../core/base/errors.ts';
import type { GroupId } from '../../core/base/ids.ts';
import { LIMITS } from '../../core/base/limits.ts';
import { groupOf, have, heal, membersOf, noticesOf, part, textsOf } from '../support/group-people.ts';
import type { Person } from '../support/person.ts';
import type { VirtualTime } from '../support/virtual-time.ts';

const viewOf = (person: Person, group: GroupId) => person.messenger.groups.get(group);
const oneEpoch = (all: readonly Person[], group: GroupId) => () =>
  new Set(all.map(person => viewOf(person, group).epoch)).size === 1;

/** Some hours at a time, as on a computer that sleeps in between: what fell due is done in each. */
async function hours(time: VirtualTime, count: number, step: number): Promise<void> {
  for (let hour = 0; hour < count; hour += step) {
    await time.jump(step * HOUR_MS);
    await time.pass(5_000);
  }
}

/** When each commit was heard of here, and by whom it was made. */
function commitsAt(person: Person, clock: Clock): { readonly atMs: number; readonly by: string | null }[] {
  const found: { atMs: number; by: string | null }[] = [];
  person.messenger.context.bus.subscribe(event => {
    if (event.type === 'group-commit') found.push({ atMs: clock(), by: event.by });
  });
  return found;
}

/** Longer than keys stay and the horizon together: neither side keeps anything of the time before. */
const DAYS_APART = 15;

/** Epochs of which there is something stored that opens what was sealed in them. */
function statesOf(person: Person, group: GroupId): string[] {
  const rows = [...person.store.groupEpochs.of(group)];
  return rows.filter(([, parts]) => [0, 1, 2].some(part => parts.has(part))).map(([epoch]) => epoch);
}

describe('two halves of a group that did not meet for more than a week', () => {
  it('become one; what is lost is told, and the old secrets are gone', async () => {
    const { time, network, all, group } = await groupOf(['Ada', 'Ben', 'Cem', 'Dan']);
    const [ada, ben, cem, dan] = all;
    const [left, right] = [[ada, ben] as const, [cem, dan] as const];
    await time.run(ada.messenger.groups.send(group, 'before'));
    await time.until(have(all, group, 'before'));
    const epochs = new Set(statesOf(ada, group));
    assert.ok(epochs.size > 0);
    part(network, left, right);
    for (let day = 0; day < DAYS_APART; day += 1) {
      await time.jump(DAY_MS);
      await time.pass(MINUTE_MS);
      await time.run(ada.messenger.groups.send(group, `left, day ${day}`));
      await time.run(dan.messenger.groups.send(group, `right, day ${day}`));
    }
    assert.notEqual(viewOf(ada, group).epoch, viewOf(dan, group).epoch);
    heal(network, left, right);
    await time.until(oneEpoch(all, group), 3 * HOUR_MS);
    for (const person of all) {
      assert.equal(membersOf(person, group), 4);
      assert.ok(noticesOf(person, group).some(({ kind }) => kind === 'returned'));
      assert.ok(statesOf(person, group).every(epoch => !epochs.has(epoch)));
    }
    await time.run(ben.messenger.groups.send(group, 'one again'));
    await time.run(cem.messenger.groups.send(group, 'so it is'));
    await time.until(have(all, group, 'one again'), HOUR_MS);
    await time.until(have(all, group, 'so it is'), HOUR_MS);
    for (const side of [left, right]) assert.ok(side.every(person => textsOf(person, group).length >= DAYS_APART + 3));
    await time.pass(HOUR_MS);
    assert.ok(oneEpoch(all, group)());
    const lacks = all.filter(person => textsOf(person, group).length < 2 * DAYS_APART + 3);
    for (const person of lacks) assert.ok(noticesOf(person, group).some(({ kind }) => kind === 'hole'));
  });
});

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

  it('keys are renewed by each member every week, and within a day of a removal', async () => {
    const { time, all, group } = await groupOf(['Ada', 'Ben', 'Cem', 'Dan']);
    const [ada, ben, , dan] = all;
    const commits = commitsAt(ada, time.clock);
    await hours(time, LIMITS.groupUpdateMs / HOUR_MS + 6, 6);
    for (const { id } of all)
      assert.ok(
        commits.some(({ by }) => by === id),
        'in the first week',
      );
    const { length } = commits;
    await time.run(ada.messenger.groups.change(group, { kind: 'remove', member: dan.id }));
    await time.until(() => membersOf(ben, group) === 3);
    await time.pass(MINUTE_MS);
    const removedMs = time.nowMs;
    await hours(time, LIMITS.groupUpdateAfterRemovalMs / HOUR_MS, 2);
    const later = commits.slice(length).filter(({ atMs }) => atMs > removedMs - 2 * MINUTE_MS);
    const renewed = new Set(later.map(({ by }) => by));
    for (const person of all.slice(0, 3)) assert.ok(renewed.has(person.id), `${person.nick} within a day`);
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
