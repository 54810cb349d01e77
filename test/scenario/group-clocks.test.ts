import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { DAY_MS, HOUR_MS, MINUTE_MS } from '../../core/base/clock.ts';
import type { GroupId } from '../../core/base/ids.ts';
import { people } from '../support/people.ts';
import type { Person } from '../support/person.ts';

const YEARS_MS = 10 * 365 * DAY_MS;

async function groupOfTwo() {
  const { time, network, all } = await people(['Ada', 'Ben']);
  const [ada, ben] = all;
  for (const person of all) person.addable = true;
  await ada.meet(ben);
  await time.until(() => all.every(person => person.store.peerKeyPackages.get((person === ada ? ben : ada).id)));
  const group = await time.run(ada.messenger.groups.create('Trip', [ben.id]));
  await time.until(() => all.every(person => membersOf(person, group) === 2));
  await time.pass(5 * MINUTE_MS);
  return { time, network, ada, ben, group };
}

function membersOf(person: Person, group: GroupId): number {
  return person.messenger.groups.list().find(({ id }) => id === group)?.members.length ?? 0;
}

function texts(person: Person, group: GroupId): string[] {
  const { conversation } = person.messenger.groups.get(group);
  const rows = person.store.messages.newest(conversation, 100).filter(({ content }) => content === undefined);
  return rows.map(({ text }) => text).sort();
}

function nameOf(person: Person, group: GroupId): string {
  return person.messenger.groups.get(group).name;
}

/** Writes of the group's row from now on. */
function countWrites(person: Person): () => number {
  const { groups } = person.store;
  const put = groups.put.bind(groups);
  let writes = 0;
  groups.put = (tx, record) => {
    writes += 1;
    put(tx, record);
  };
  return () => writes;
}

for (const [name, offsetMs] of [
  ['ten years ahead', YEARS_MS],
  ['ten years back', -YEARS_MS],
] as const) {
  for (const running of [true, false]) {
    describe(`a clock set ${name} ${running ? 'while running' : 'between two runs'}`, () => {
      it('for two hours and right again: the group goes on, and nothing of it is lost', async () => {
        const { time, ada, ben, group } = await groupOfTwo();
        const set = async (errorMs: number): Promise<void> => {
          if (!running) await ada.stop();
          ada.clockErrorMs = errorMs;
          if (!running) await ada.start();
          await time.pass(5 * MINUTE_MS);
        };
        await ben.messenger.groups.send(group, 'before');
        await time.until(() => texts(ada, group).length === 1);
        await ben.stop();
        await set(offsetMs);
        await time.pass(2 * HOUR_MS);
        await time.run(ada.messenger.groups.change(group, { kind: 'rename', name: 'Asked then' }));
        await set(0);
        await time.until(() => nameOf(ada, group) === 'Asked then', 2 * HOUR_MS);
        await ben.start();
        await time.until(() => nameOf(ben, group) === 'Asked then', 2 * HOUR_MS);
        await time.run(ada.messenger.groups.change(group, { kind: 'rename', name: 'Asked now' }));
        await time.until(() => nameOf(ben, group) === 'Asked now', 2 * HOUR_MS);
        await ada.messenger.groups.send(group, 'from Ada');
        await ben.messenger.groups.send(group, 'from Ben');
        const all = ['before', 'from Ada', 'from Ben'];
        await time.until(() => [ada, ben].every(person => String(texts(person, group)) === String(all)), HOUR_MS);
      });
    });
  }
}

it('a group in which nothing happens is written with its sweeps, and not more often', async () => {
  const { time, ada, ben } = await groupOfTwo();
  ada.clockErrorMs = YEARS_MS;
  await time.pass(2 * HOUR_MS);
  await ben.stop();
  ada.clockErrorMs = 0;
  await time.pass(2 * HOUR_MS);
  const writes = countWrites(ada);
  await time.pass(3 * HOUR_MS);
  assert.ok(writes() > 0 && writes() <= 6, `${writes()} writes`);
});
