import assert from 'node:assert/strict';
import { DAY_MS, MINUTE_MS, SECOND_MS } from '../../core/base/clock.ts';
import type { GroupId } from '../../core/base/ids.ts';
import { MemoryNetwork } from './memory-network.ts';
import { Person } from './person.ts';
import { VirtualTime } from './virtual-time.ts';

const NICKS = ['Ada', 'Ben', 'Cleo', 'Dan', 'Eve', 'Fay'] as const;
type Nick = (typeof NICKS)[number];
type Everybody = Readonly<Record<Nick, Person>>;

/** Ada knows all others, who know each other from the group alone. Fay is not in it yet. */
async function sixPeople() {
  const time = new VirtualTime();
  const network = new MemoryNetwork(time.scheduler, {}, time.clock);
  const people = {} as Record<Nick, Person>;
  for (const nick of NICKS) people[nick] = await Person.create(nick, network, time);
  const { Ada: ada, Fay: fay, ...others } = people;
  for (const person of Object.values(people)) person.addable = true;
  for (const other of [...Object.values(others), fay]) await ada.meet(other);
  await time.until(() => [...Object.values(others), fay].every(({ id }) => ada.store.peerKeyPackages.get(id)));
  const ids = Object.values(others).map(({ id }) => id);
  const group = await time.run(ada.messenger.groups.create('Trip', ids));
  const five = [ada, ...Object.values(others)];
  await time.until(() => five.every(person => membersOf(person, group).length === 5), 5 * MINUTE_MS);
  // Cards are said, and links made.
  await time.pass(3 * MINUTE_MS);
  return { time, people: people as Everybody, group };
}

function membersOf(person: Person, group: GroupId) {
  return person.messenger.groups.list().find(({ id }) => id === group)?.members ?? [];
}

function textsOf(person: Person, group: GroupId): string[] {
  const { conversation } = person.messenger.groups.get(group);
  return person.store.messages.newest(conversation, 2_000).flatMap(({ content, text }) => (content ? [] : [text]));
}

/** What the others say and change in three days, and what of it is readable by one who was a member all along. */
async function threeDays(
  { time, people, group }: Awaited<ReturnType<typeof sixPeople>>,
  texts: number,
): Promise<string[]> {
  const { Ada: ada, Ben: ben, Cleo: cleo, Dan: dan, Fay: fay } = people;
  const said: string[] = [];
  const say = async (person: Person, count: number): Promise<void> => {
    for (let i = 0; i < count; i += 1) {
      const text = `${said.length} by ${person.nick}`;
      await time.run(person.messenger.groups.send(group, text));
      said.push(text);
    }
  };
  for (const person of [ada, ben, cleo, dan]) await say(person, texts / 12);
  await time.run(ada.messenger.groups.add(group, fay.id));
  await time.until(() => membersOf(fay, group).length === 6, MINUTE_MS);
  await time.jump(DAY_MS);
  for (const person of [ada, ben, cleo, fay]) await say(person, texts / 12);
  await time.run(ada.messenger.groups.change(group, { kind: 'remove', member: ben.id }));
  const rest = [ada, cleo, dan, fay];
  await time.until(() => rest.every(person => membersOf(person, group).length === 5), MINUTE_MS);
  await time.jump(DAY_MS);
  for (const person of rest) await say(person, texts / 12);
  await time.run(ada.messenger.groups.change(group, { kind: 'rename', name: 'Journey' }));
  const done = (person: Person) => person.messenger.groups.get(group).name === 'Journey';
  await time.until(() => rest.every(person => done(person)), MINUTE_MS);
  await time.until(() => textsOf(dan, group).length === said.length, MINUTE_MS);
  await time.jump(DAY_MS);
  await time.pass(30 * SECOND_MS);
  return said;
}

/** Eve was away for three days, and of the others only `helper` is there when she comes back. */
export async function catchesUpFrom(helper: Exclude<Nick, 'Ben' | 'Eve'>, texts: number): Promise<void> {
  const world = await sixPeople();
  const { time, people, group } = world;
  const { Ada: ada, Ben: ben, Cleo: cleo, Dan: dan, Eve: eve, Fay: fay } = people;
  const staying = [ada, cleo, dan, eve, fay].map(({ id }) => id).sort();
  await eve.stop();
  const said = await threeDays(world, texts);
  assert.equal(said.length, texts);
  for (const person of [ada, ben, cleo, dan, fay]) if (person !== people[helper]) await person.stop();
  await eve.start();
  await time.until(() => textsOf(eve, group).length === texts, 5 * MINUTE_MS);
  assert.deepEqual(textsOf(eve, group).sort(), [...said].sort());
  await time.until(() => eve.messenger.groups.get(group).name === 'Journey', MINUTE_MS);
  const view = eve.messenger.groups.get(group);
  assert.equal(view.epoch, people[helper].messenger.groups.get(group).epoch);
  assert.deepEqual(view.members.map(({ id }) => id).sort(), staying);
  // And what Eve says now is read.
  await time.run(eve.messenger.groups.send(group, 'back'));
  await time.until(() => textsOf(people[helper], group).includes('back'), MINUTE_MS);
}
