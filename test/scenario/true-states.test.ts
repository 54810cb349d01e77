import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { StorageError } from '../../core/base/errors.ts';
import { twoFriends } from '../support/people.ts';
import { Person } from '../support/person.ts';

const DAY_MS = 24 * 3_600_000;

function unread(person: Person): number {
  return person.store.conversations.list()[0]?.unread ?? -1;
}

function read(person: Person, of: { readonly id: Person['id'] }, upTo?: string): Promise<void> {
  return person.messenger.ask(of.id, { kind: 'mark-read', upTo: upTo as never });
}

describe('what is shown is true', () => {
  it('a text that could not be stored is not acknowledged, and comes again', async () => {
    const { time, ada, ben } = await twoFriends();
    const { messages } = ben.store;
    const has = messages.has.bind(messages);
    let failures = 0;
    messages.has = (...args) => {
      if (failures++ < 3) throw new StorageError('disk-failed', 'test', 'the disk fails');
      return has(...args);
    };
    await ada.say(ben.id, 'hold on to this');
    await time.until(() => ada.states(ben.id)[0] === 'delivered', DAY_MS);
    assert.deepEqual(ben.heard(ada.id), ['hold on to this']);
    assert.ok(failures > 3);
  });

  it('a text written offline before my own last one arrives unread, and its writer learns when it is read', async () => {
    const { time, network, ada, ben } = await twoFriends();
    network.part(ada.swarm.transportKey, ben.swarm.transportKey);
    await ada.say(ben.id, 'from the train');
    await time.pass(60_000);
    await ben.say(ada.id, 'are you there?');
    await read(ben, ada);
    network.heal(ada.swarm.transportKey, ben.swarm.transportKey);
    await time.until(() => ben.heard(ada.id).length === 2, DAY_MS);
    assert.equal(unread(ben), 1);
    await read(ben, ada);
    assert.equal(unread(ben), 0);
    await time.until(() => ada.states(ben.id)[0] === 'read', DAY_MS);
  });

  it('a text below the last one read is unread too, until it is marked', async () => {
    const { time, ada, ben } = await twoFriends();
    await ada.say(ben.id, 'first');
    await time.until(() => ben.heard(ada.id).length === 1);
    const [first] = ben.store.messages.newest(ben.store.conversations.list()[0]?.id as never, 1);
    await read(ben, ada);
    // The same machine with a clock set back: its next text is still above the first.
    time.nowMs -= 3_600_000;
    await ada.say(ben.id, 'second');
    await time.until(() => ben.heard(ada.id).length === 2);
    assert.deepEqual(ben.heard(ada.id), ['first', 'second']);
    assert.equal(unread(ben), 1);
    await read(ben, ada, first?.id);
    assert.equal(unread(ben), 1, 'marking up to the first leaves the second');
  });

  it('marking read while texts arrive counts neither too few nor too many', async () => {
    const { time, ada, ben } = await twoFriends();
    const count = 40;
    for (let index = 0; index < count; index += 1) {
      await ada.say(ben.id, `text ${index}`);
      await Promise.all([read(ben, ada), time.pass(3)]);
    }
    await time.until(() => ben.heard(ada.id).length === count);
    await read(ben, ada);
    assert.equal(unread(ben), 0);
    await time.until(() => ada.states(ben.id).every(state => state === 'read'), DAY_MS);
  });

  it('receipts that come together, in any order, leave the furthest state and a true count', async () => {
    const { time, network, ada, ben } = await twoFriends();
    await ada.say(ben.id, 'one');
    await time.until(() => ben.heard(ada.id).length === 1);
    network.part(ada.swarm.transportKey, ben.swarm.transportKey);
    await ada.say(ben.id, 'two');
    await read(ben, ada);
    network.heal(ada.swarm.transportKey, ben.swarm.transportKey);
    await time.until(() => ada.states(ben.id)[0] === 'read', DAY_MS);
    await time.until(() => ada.waiting(ben.id) === 0, DAY_MS);
    assert.deepEqual(ada.states(ben.id), ['read', 'delivered']);
  });

  it('a wrong clock moves only the conversation it speaks in, and the answer still stands below the question', async () => {
    const { time, network, ada, ben } = await twoFriends();
    const cleo = await Person.create('Cleo', network, time);
    await ben.meet(cleo);
    ada.clockErrorMs = 20 * 3_600_000;
    await ada.say(ben.id, 'good evening');
    await time.until(() => ben.heard(ada.id).length === 1);
    await ben.say(ada.id, 'it is morning');
    await time.until(() => ada.heard(ben.id).length === 2);
    assert.deepEqual(ada.heard(ben.id), ['good evening', 'it is morning']);
    assert.deepEqual(ben.heard(ada.id), ['good evening', 'it is morning']);
    await ben.say(cleo.id, 'hi Cleo');
    const toCleo = ben.store.messages.newest(ben.store.contacts.get(cleo.id)?.conversation as never, 1)[0];
    assert.ok((toCleo?.hlc.ms ?? 0) <= time.nowMs);
  });

  it('a text sealed again late is not called expired while its copy is under way', async () => {
    const { time, ada, ben } = await twoFriends();
    const benId = ben.id;
    await ben.stop();
    await ada.say(benId, 'keep trying');
    await time.jump(6 * DAY_MS);
    await ada.store.write(tx => {
      for (const { envelopeId } of ada.store.outbox.listOf(benId, 10)) ada.store.outbox.remove(tx, envelopeId);
    });
    await time.run(ada.messenger.ask(benId, { kind: 'seal-waiting', from: { after: undefined, unposted: true } }));
    await time.jump(2 * DAY_MS);
    await time.pass(60_000);
    assert.deepEqual(ada.states(benId), ['queued']);
    await ben.start();
    await time.until(() => ada.states(benId)[0] === 'delivered', DAY_MS);
  });

  it('that a text was read is said again by a profile that had to begin anew', async () => {
    const { time, ada, ben } = await twoFriends();
    const [adaId, benId] = [ada.id, ben.id];
    await ada.say(benId, 'one');
    await time.until(() => ada.states(benId)[0] === 'delivered');
    await ada.stop();
    await time.pass(5_000);
    await read(ben, { id: adaId });
    await ben.messenger.ask(adaId, { kind: 'start-anew' });
    await ada.start();
    await time.until(() => ada.states(benId)[0] === 'read', DAY_MS);
    await ada.say(benId, 'two');
    await time.until(() => ada.states(benId)[1] === 'delivered', DAY_MS);
    await time.pass(60_000);
    assert.deepEqual(ada.states(benId), ['read', 'delivered']);
  });
});
