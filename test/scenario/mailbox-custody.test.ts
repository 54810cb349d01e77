import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { HOUR_MS, SECOND_MS } from '../../core/base/clock.ts';
import type { CoreEvent } from '../../core/state/events.ts';
import { threeFriends } from '../support/people.ts';
import type { Person } from '../support/person.ts';

const YEARS_MS = 10 * 365 * 24 * HOUR_MS;

const ofType = <T extends CoreEvent['type']>(person: Person, type: T) =>
  person.events.filter((event): event is Extract<CoreEvent, { type: T }> => event.type === type);

describe('custody', () => {
  it('said while the recipient is away, held by a friend of both, and brought when the sender is away', async () => {
    const { time, ada, ben, cleo } = await threeFriends();
    const benId = ben.id;
    const adaId = ada.id;
    await ben.stop();
    await ada.say(benId, 'see you on Friday');
    await time.until(() => ada.messenger.placing.heldOf(lastId(ada, benId)).heldBy === 1, 5 * SECOND_MS);
    assert.equal(cleo.messenger.custody.usage.envelopes, 1);
    assert.equal(ofType(ada, 'message-held').at(-1)?.held.heldBy, 1);
    await ada.stop();
    await ben.start();
    await time.until(() => ben.heard(adaId).includes('see you on Friday'), 5 * SECOND_MS);
    const pulled = () => ofType(ben, 'offline-sync-finished').find(({ direction }) => direction === 'in');
    await time.until(() => pulled() !== undefined);
    assert.equal(pulled()?.received, 1);
    // The receipt goes the same way back.
    await time.until(() => cleo.messenger.custody.usage.envelopes === 1, 30 * SECOND_MS);
    await ben.stop();
    await ada.start();
    await time.until(() => ada.states(benId).at(-1) === 'delivered', 5 * SECOND_MS);
    await time.pass(60 * SECOND_MS);
    assert.equal(ada.store.outbox.countOf(benId), 0);
    assert.deepEqual([...ada.store.placements.all()], []);
    assert.equal(cleo.messenger.custody.usage.envelopes, 0);
  });

  it('one who is connected and stores within ten seconds needs no custodian', async () => {
    const { time, ada, ben, cleo } = await threeFriends();
    await ada.say(ben.id, 'hello');
    await time.until(() => ada.states(ben.id).at(-1) === 'delivered');
    await time.pass(60 * SECOND_MS);
    assert.equal(cleo.messenger.custody.usage.envelopes, 0);
    assert.deepEqual(ofType(ada, 'message-held'), []);
  });

  it('a profile that does not hold is not asked; one that turns it on is, at once', async () => {
    const { time, ada, ben, cleo } = await threeFriends();
    cleo.holds = false;
    cleo.messenger.holdsChanged();
    await time.pass(SECOND_MS);
    const benId = ben.id;
    await ben.stop();
    await ada.say(benId, 'anybody?');
    await time.pass(60 * SECOND_MS);
    assert.equal(ada.messenger.placing.heldOf(lastId(ada, benId)).heldBy, 0);
    cleo.holds = true;
    cleo.messenger.holdsChanged();
    await time.until(() => ada.messenger.placing.heldOf(lastId(ada, benId)).heldBy === 1, 5 * SECOND_MS);
  });

  it('what was held is known again after a restart, from the receipts beside the message', async () => {
    const { time, ada, ben, cleo } = await threeFriends();
    const benId = ben.id;
    await ben.stop();
    await ada.say(benId, 'kept');
    await time.until(() => ada.messenger.placing.heldOf(lastId(ada, benId)).heldBy === 1);
    await ada.stop();
    const cleoId = cleo.id;
    await cleo.stop();
    await ada.start();
    assert.deepEqual(
      ada.store.placements.listOfMessage(lastId(ada, benId)).map(({ custodian }) => custodian),
      [cleoId],
    );
    assert.equal(ada.messenger.placing.heldOf(lastId(ada, benId)).heldBy, 1);
  });

  it('a custodian that lost what it promised is found out on the next connection', async () => {
    const { time, network, ada, ben, cleo } = await threeFriends();
    const benId = ben.id;
    await ben.stop();
    await ada.say(benId, 'once more');
    await time.until(() => ada.messenger.placing.heldOf(lastId(ada, benId)).heldBy === 1);
    await cleo.store.write(tx => {
      for (const { envelopeId } of cleo.store.placements.all()) cleo.store.placements.removeAllOf(tx, envelopeId);
      for (const { envelopeId } of ada.store.outbox.listOf(benId, 10)) cleo.store.custody.remove(tx, envelopeId);
    });
    network.cut(ada.swarm.transportKey, cleo.swarm.transportKey);
    await time.until(() => ofType(ada, 'message-held').some(({ held }) => held.heldBy === 0), 60 * SECOND_MS);
  });

  it('a clock ten years ahead or behind loses nothing of what is held', async () => {
    for (const offsetMs of [YEARS_MS, -YEARS_MS]) {
      const { time, ada, ben, cleo } = await threeFriends();
      const benId = ben.id;
      const adaId = ada.id;
      await ben.stop();
      await ada.say(benId, 'still here');
      await time.until(() => ada.messenger.placing.heldOf(lastId(ada, benId)).heldBy === 1);
      await ada.stop();
      time.offsetMs = offsetMs;
      await time.pass(HOUR_MS);
      assert.equal(cleo.messenger.custody.usage.envelopes, 1);
      time.offsetMs = 0;
      await time.pass(HOUR_MS);
      await ben.start();
      await time.until(() => ben.heard(adaId).includes('still here'), 60 * SECOND_MS);
    }
  });

  it('after seven days what nobody fetched is gone', async () => {
    const { time, ada, ben, cleo } = await threeFriends();
    await ben.stop();
    await ada.say(lastContact(ada), 'to nobody');
    const benId = lastContact(ada);
    await time.until(() => ada.messenger.placing.heldOf(lastId(ada, benId)).heldBy === 1);
    await ada.stop();
    await time.jump(7 * 24 * HOUR_MS + 2 * HOUR_MS);
    await time.pass(2 * 60 * SECOND_MS);
    assert.equal(cleo.messenger.custody.usage.envelopes, 0);
  });
});

function lastContact(person: Person) {
  const contact = person.store.contacts.list().find(({ claimedNick }) => claimedNick === 'Ben');
  assert.ok(contact);
  return contact.id;
}

function lastId(person: Person, to: Person['id']) {
  const contact = person.store.contacts.get(to);
  assert.ok(contact);
  const last = person.store.messages.newest(contact.conversation, 1).at(-1);
  assert.ok(last);
  return last.id;
}
