import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { DAY_MS, HOUR_MS, MINUTE_MS, SECOND_MS } from '../../core/base/clock.ts';
import type { GroupId } from '../../core/base/ids.ts';
import { LIMITS } from '../../core/base/limits.ts';
import { currentTags, deriveMailboxKeys } from '../../core/crypto/mailbox-seal.ts';
import { MemoryNetwork } from '../support/memory-network.ts';
import { Person } from '../support/person.ts';
import { VirtualTime } from '../support/virtual-time.ts';

/** A group of five that Ada made. Ada knows the others; they know each other from the group alone. */
async function fiveMembers() {
  const time = new VirtualTime();
  const network = new MemoryNetwork(time.scheduler, {}, time.clock);
  const people: Person[] = [];
  for (const nick of ['Ada', 'Ben', 'Cleo', 'Dan', 'Eve']) people.push(await Person.create(nick, network, time));
  const [ada, ben, cleo, dan, eve] = people as [Person, Person, Person, Person, Person];
  const others = [ben, cleo, dan, eve];
  for (const person of people) person.addable = true;
  for (const other of others) await ada.meet(other);
  await time.until(() => others.every(({ id }) => ada.store.peerKeyPackages.get(id) !== undefined));
  const group = await time.run(
    ada.messenger.groups.create(
      'Trip',
      others.map(({ id }) => id),
    ),
  );
  await time.until(() => people.every(person => members(person, group) === 5), 5 * MINUTE_MS);
  // Cards are said, and links made.
  await time.pass(3 * MINUTE_MS);
  return { time, network, group, people, ada, ben, cleo, dan, eve };
}

function members(person: Person, group: GroupId): number {
  return person.messenger.groups.list().find(({ id }) => id === group)?.members.length ?? 0;
}

function texts(person: Person, group: GroupId): string[] {
  const { conversation } = person.messenger.groups.get(group);
  const stored = person.store.messages.newest(conversation, 1_000);
  return stored.flatMap(({ content, text }) => (content === undefined ? [text] : [])).sort();
}

const nameOf = (person: Person, group: GroupId): string => person.messenger.groups.get(group).name;
const epochOf = (person: Person, group: GroupId): string | null => person.messenger.groups.get(group).epoch;

/** Everybody of one side can reach nobody of the other, or again. */
function part(network: MemoryNetwork, one: readonly Person[], other: readonly Person[], healed = false): void {
  for (const a of one) {
    for (const b of other) {
      if (healed) network.heal(a.swarm.transportKey, b.swarm.transportKey);
      else network.part(a.swarm.transportKey, b.swarm.transportKey);
    }
  }
}

describe('members of a group who are no contacts', () => {
  it('read each other while the one they all know is away', async () => {
    const { time, group, ada, ben, cleo, dan, eve } = await fiveMembers();
    await ada.stop();
    await time.run(ben.messenger.groups.send(group, 'without Ada'));
    await time.until(() => [cleo, dan, eve].every(person => texts(person, group).includes('without Ada')), SECOND_MS);
    await time.run(eve.messenger.groups.send(group, 'so it is'));
    await time.until(() => [ben, cleo, dan].every(person => texts(person, group).length === 2), SECOND_MS);
    // Each keeps what it got, counted for whoever said it: one of them that floods displaces itself.
    const { custody } = dan.store;
    const tags = dan.messenger.groups
      .secretsOf(group)
      .flatMap(({ secret }) => currentTags(deriveMailboxKeys(secret), time.clock()));
    const authors = new Set(custody.byTags(tags, 1_000).map(({ depositor }) => depositor));
    assert.ok(authors.size >= 3, 'Ada, Ben and Eve');
  });

  it('give one who was away three days all that was said and changed, each of them', async () => {
    const { time, group, ada, ben, cleo, dan, eve } = await fiveMembers();
    await eve.stop();
    await time.run(ada.messenger.groups.send(group, 'first day'));
    await time.run(ada.messenger.groups.change(group, { kind: 'rename', name: 'Journey' }));
    await time.until(() => [ben, cleo, dan].every(person => nameOf(person, group) === 'Journey'), MINUTE_MS);
    await time.jump(DAY_MS);
    await time.run(ben.messenger.groups.send(group, 'second day'));
    await time.until(() => texts(dan, group).length === 2, MINUTE_MS);
    await time.jump(2 * DAY_MS);
    // Dan alone is there.
    for (const person of [ada, ben, cleo]) await person.stop();
    await eve.start();
    await time.until(() => texts(eve, group).length === 2, 3 * MINUTE_MS);
    assert.deepEqual(texts(eve, group), ['first day', 'second day']);
    await time.until(() => nameOf(eve, group) === 'Journey', MINUTE_MS);
  });

  it('in two parts of the network that commit at the same time agree when they are joined', async () => {
    const { time, network, group, people, ada, ben, cleo, dan, eve } = await fiveMembers();
    await time.run(ada.messenger.groups.change(group, { kind: 'promote', member: cleo.id }));
    await time.until(() => new Set(people.map(person => epochOf(person, group))).size === 1, 5 * MINUTE_MS);
    await time.until(() => cleo.messenger.groups.get(group).admin, MINUTE_MS);
    part(network, [ada, ben], [cleo, dan, eve]);
    await time.pass(MINUTE_MS);
    await Promise.all([
      time.run(ada.messenger.groups.change(group, { kind: 'rename', name: 'Of Ada' })),
      time.run(cleo.messenger.groups.change(group, { kind: 'rename', name: 'Of Cleo' })),
    ]);
    await time.until(() => nameOf(ben, group) === 'Of Ada' && nameOf(eve, group) === 'Of Cleo', MINUTE_MS);
    assert.notEqual(epochOf(ben, group), epochOf(eve, group));
    await time.run(ben.messenger.groups.send(group, 'here'));
    await time.run(dan.messenger.groups.send(group, 'there'));
    part(network, [ada, ben], [cleo, dan, eve], true);
    await time.until(() => people.every(person => texts(person, group).length === 2), 10 * MINUTE_MS);
    await time.until(() => new Set(people.map(person => epochOf(person, group))).size === 1, 10 * MINUTE_MS);
    assert.equal(new Set(people.map(person => nameOf(person, group))).size, 1);
  });

  it('in two parts for an hour are all connected and agree seconds after the first two of them meet', async () => {
    const { time, network, group, people, ada, ben, cleo, dan, eve } = await fiveMembers();
    const [here, there] = [
      [ada, ben],
      [cleo, dan, eve],
    ];
    const meets = (one: Person, other: Person) => one.swarm.isConnected(other.swarm.transportKey);
    const pairs = people.flatMap((one, at) => people.slice(at + 1).map(other => [one, other] as const));
    assert.ok(pairs.every(pair => meets(...pair)));
    part(network, here, there);
    await time.pass(HOUR_MS);
    await time.run(ada.messenger.groups.change(group, { kind: 'rename', name: 'Of Ada' }));
    await time.run(dan.messenger.groups.send(group, 'there'));
    await time.pass(MINUTE_MS);
    assert.notEqual(nameOf(eve, group), 'Of Ada');
    part(network, here, there, true);
    await time.until(() => here.some(one => there.some(other => meets(one, other))), LIMITS.retryLastMs);
    await time.until(() => pairs.every(pair => meets(...pair)), 10 * SECOND_MS);
    await time.until(() => people.every(person => nameOf(person, group) === 'Of Ada'), 10 * SECOND_MS);
    await time.until(() => people.every(person => texts(person, group).includes('there')), 10 * SECOND_MS);
    assert.equal(new Set(people.map(person => epochOf(person, group))).size, 1);
  });

  it('are all tried at once by one whose addresses have changed, contacts or not, however long they were away', async () => {
    const { time, network, people, ada, ben } = await fiveMembers();
    const others = people.filter(person => person !== ben);
    part(network, [ben], others);
    await time.pass(HOUR_MS / 2);
    part(network, [ben], others, true);
    assert.equal(ben.swarm.connectedPeers().length, 0);
    network.moved(ben.swarm.transportKey);
    await time.until(() => ben.swarm.connectedPeers().length === others.length, SECOND_MS);
    assert.ok(ben.swarm.isConnected(ada.swarm.transportKey));
  });

  it('keep one who left and was added again: it does not leave once more', async () => {
    const { time, group, people, ada, eve } = await fiveMembers();
    await time.run(eve.messenger.groups.leave(group));
    await time.until(() => people.every(person => members(person, group) === 4), MINUTE_MS);
    await time.until(() => ada.store.peerKeyPackages.get(eve.id) !== undefined);
    await time.run(ada.messenger.groups.add(group, eve.id));
    await time.until(() => people.every(person => members(person, group) === 5), MINUTE_MS);
    await time.pass(LIMITS.groupStandMs);
    assert.equal(eve.messenger.groups.get(group).phase, 'member');
    await time.run(ada.messenger.groups.send(group, 'welcome back'));
    await time.until(() => people.every(person => texts(person, group).includes('welcome back')), MINUTE_MS);
    assert.ok(people.every(person => members(person, group) === 5));
  });

  it('go on without one who was removed, which finds nothing of what they say', async () => {
    const { time, group, people, ada, ben, cleo, dan, eve } = await fiveMembers();
    await time.run(ada.messenger.groups.change(group, { kind: 'remove', member: eve.id }));
    const rest = people.filter(person => person !== eve);
    await time.until(() => rest.every(person => members(person, group) === 4), 5 * MINUTE_MS);
    await time.run(ben.messenger.groups.send(group, 'without Eve'));
    await time.until(() => [ada, cleo, dan].every(person => texts(person, group).length === 1), MINUTE_MS);
    await time.pass(25 * MINUTE_MS);
    assert.deepEqual(texts(eve, group), []);
    const secrets = (person: Person) =>
      person.messenger.groups.secretsOf(group).map(({ secret }) => Buffer.from(secret).toString('hex'));
    const [newest] = secrets(ben);
    assert.ok(newest && !secrets(eve).includes(newest));
  });
});
