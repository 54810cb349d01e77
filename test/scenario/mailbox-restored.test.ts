import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { SECOND_MS } from '../../core/base/clock.ts';
import { MemoryRows } from '../../core/storage/memory-rows.ts';
import { MemoryNetwork } from '../support/memory-network.ts';
import { Person } from '../support/person.ts';
import { VirtualTime } from '../support/virtual-time.ts';

const ALL = [Buffer.alloc(0), Buffer.alloc(64, 0xff)] as const;

/** The rows as a copy of the database would have them. */
async function copyOf(rows: MemoryRows): Promise<MemoryRows> {
  const copy = new MemoryRows();
  await copy.commit([...rows.range(...ALL)]);
  return copy;
}

async function talkers() {
  const time = new VirtualTime();
  const network = new MemoryNetwork(time.scheduler);
  const ada = await Person.create('Ada', network, time);
  const ben = await Person.create('Ben', network, time);
  await ada.meet(ben);
  await ada.say(ben.id, 'one');
  await time.until(() => ada.states(ben.id)[0] === 'delivered');
  await time.pass(SECOND_MS);
  return { time, network, ada, ben };
}

const restoredEvents = (person: Person) => person.events.filter(event => event.type === 'profile-restored').length;
const sessionIds = (person: Person) =>
  person.store.sessions.all().map(({ sessionId }) => Buffer.from(sessionId).toString('hex'));

describe('a profile put back or copied', () => {
  it('an ordinary restart is none', async () => {
    const { time, ada, ben } = await talkers();
    const before = sessionIds(ben);
    await ben.stop();
    await ben.start();
    await ada.say(ben.id, 'two');
    await time.until(() => ada.states(ben.id).at(-1) === 'delivered');
    assert.equal(restoredEvents(ben), 0);
    assert.deepEqual(sessionIds(ben), before);
  });

  it('only the database put back: known at the start, from the file beside it', async () => {
    const { time, ada, ben } = await talkers();
    const backup = await copyOf(ben.rows);
    const old = sessionIds(ben);
    await ben.stop();
    await ben.start();
    await ada.say(ben.id, 'after the backup');
    await time.until(() => ada.states(ben.id).at(-1) === 'delivered');
    await ben.stop();
    await ben.putBack(backup);
    await ben.start();
    assert.equal(restoredEvents(ben), 1);
    assert.notEqual(ben.messenger.starts.restoredAtMs, null);
    assert.ok(sessionIds(ben).every(id => !old.includes(id)));
    await time.until(() => sessionIds(ben).length > 0, 60 * SECOND_MS);
    await ben.say(ada.id, 'I am back');
    await time.until(() => ben.states(ada.id).at(-1) === 'delivered', 60 * SECOND_MS);
    assert.ok(ada.heard(ben.id).includes('I am back'));
    assert.ok(sessionIds(ben).every(id => !old.includes(id)));
  });

  it('the whole folder put back: the first contact tells, and no old key is used', async () => {
    const { time, ada, ben } = await talkers();
    const backup = await copyOf(ben.rows);
    const mark = ben.startsMark;
    const old = sessionIds(ben);
    await ben.stop();
    await ben.start();
    await ada.say(ben.id, 'after the backup');
    await time.until(() => ada.states(ben.id).at(-1) === 'delivered');
    await ben.stop();
    await ada.say(onlyContact(ada), 'while away');
    await ben.putBack(backup);
    ben.startsMark = mark;
    await ben.start();
    await time.until(() => restoredEvents(ben) === 1, 60 * SECOND_MS);
    await ben.say(ada.id, 'I am back');
    await time.until(() => ben.states(ada.id).at(-1) === 'delivered', 180 * SECOND_MS);
    await time.until(() => ada.states(ben.id).every(state => state === 'delivered'), 180 * SECOND_MS);
    assert.ok(ben.heard(ada.id).includes('while away'));
    assert.ok(sessionIds(ben).every(id => !old.includes(id)));
    // Once is enough: the next start is a later one than any contact has seen.
    await ben.stop();
    await ben.start();
    await time.pass(30 * SECOND_MS);
    assert.equal(restoredEvents(ben), 1);
  });
});

function onlyContact(person: Person) {
  const [contact] = person.store.contacts.list();
  assert.ok(contact);
  return contact.id;
}
