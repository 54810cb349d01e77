import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { CoreError } from '../../core/base/errors.ts';
import { MemoryNetwork } from '../support/memory-network.ts';
import { Person } from '../support/person.ts';
import { VirtualTime } from '../support/virtual-time.ts';

async function ada_and_ben() {
  const time = new VirtualTime();
  const network = new MemoryNetwork(time.scheduler);
  const ada = await Person.create('Ada', network, time);
  const ben = await Person.create('Ben', network, time);
  return { time, network, ada, ben };
}

describe('two people', () => {
  it('meet by an invite, and each sees that what was said arrived', async () => {
    const { time, ada, ben } = await ada_and_ben();
    await ada.meet(ben);
    await ada.say(ben.id, 'hello');
    await time.pass(5);
    await ben.say(ada.id, 'hi');
    await time.until(() => ada.heard(ben.id).length === 2 && ben.heard(ada.id).length === 2);
    await time.until(() => ada.states(ben.id)[0] === 'delivered' && ben.states(ada.id)[0] === 'delivered');
    assert.deepEqual(ada.heard(ben.id), ben.heard(ada.id));
    await time.run(ben.messenger.ask(ada.id, { kind: 'mark-read', upTo: undefined }));
    await time.until(() => ada.states(ben.id)[0] === 'read');
    assert.equal(ben.store.conversations.list()[0]?.unread, 0);
  });

  it('what is said before the request is accepted waits, and comes then', async () => {
    const { time, ada, ben } = await ada_and_ben();
    const { invite } = await ben.messenger.createInvite();
    await time.run(ada.messenger.addContact(invite, ''));
    await ada.say(ben.id, 'are you there?');
    await time.until(() => ben.store.requests.list().length === 1);
    await time.pass(60_000);
    assert.deepEqual(ben.store.contacts.list(), []);
    assert.deepEqual(ada.states(ben.id), ['queued']);
    await time.run(ben.messenger.acceptRequest(ada.id));
    await time.until(() => ada.states(ben.id)[0] === 'delivered');
    assert.deepEqual(ben.heard(ada.id), ['are you there?']);
  });

  it('one who was declined is never heard', async () => {
    const { time, ada, ben } = await ada_and_ben();
    const { invite } = await ben.messenger.createInvite();
    await time.run(ada.messenger.addContact(invite, ''));
    await time.until(() => ben.store.requests.list().length === 1);
    await ben.messenger.introductions.decline(ada.id);
    await time.run(ada.messenger.addContact(invite, ''));
    await ada.say(ben.id, 'please');
    await time.pass(120_000);
    assert.deepEqual(ben.store.requests.list(), []);
    assert.deepEqual(ben.store.contacts.list(), []);
    assert.deepEqual(ada.states(ben.id), ['queued']);
  });

  it('said while the other is away, it is delivered when the other is back', async () => {
    const { time, ada, ben } = await ada_and_ben();
    await ada.meet(ben);
    const benId = ben.id;
    await ben.stop();
    for (const text of ['one', 'two', 'three']) await ada.say(benId, text);
    await time.pass(3_600_000);
    assert.deepEqual(ada.states(benId), ['queued', 'queued', 'queued']);
    await ben.start();
    await time.until(() => ada.states(benId).every(state => state === 'delivered'));
    assert.deepEqual(ben.heard(ada.id), ['one', 'two', 'three']);
    await time.until(() => ada.events.some(event => event.type === 'offline-sync-finished'));
  });

  it('after a week without an answer a message is expired, and says so', async () => {
    const { time, ada, ben } = await ada_and_ben();
    await ada.meet(ben);
    const benId = ben.id;
    await ben.stop();
    await ada.say(benId, 'too late');
    await time.jump(8 * 24 * 3_600_000);
    assert.deepEqual(ada.states(benId), ['expired']);
    assert.equal(ada.store.outbox.messagesOf(benId).size, 0);
  });

  it('both ask each other at the same moment: one session, nothing lost', async () => {
    for (let round = 0; round < 5; round += 1) {
      const { time, ada, ben } = await ada_and_ben();
      const fromBen = (await ben.messenger.createInvite()).invite;
      const fromAda = (await ada.messenger.createInvite()).invite;
      await time.run(Promise.all([ada.messenger.addContact(fromBen, ''), ben.messenger.addContact(fromAda, '')]));
      await Promise.all([ada.say(ben.id, 'from ada'), ben.say(ada.id, 'from ben')]);
      await time.until(() => ada.states(ben.id)[0] === 'delivered' && ben.states(ada.id)[0] === 'delivered');
      assert.deepEqual(ada.heard(ben.id).sort(), ['from ada', 'from ben']);
      assert.deepEqual(ben.heard(ada.id).sort(), ['from ada', 'from ben']);
      const [adas, bens] = [ada.store.sessions.all(), ben.store.sessions.all()];
      assert.equal(adas.length, 1);
      assert.deepEqual(adas[0]?.sessionId, bens[0]?.sessionId);
    }
  });

  it('one side that lost its sessions makes a new one by itself, and what was under way arrives', async () => {
    const { time, ada, ben } = await ada_and_ben();
    await ada.meet(ben);
    await ada.say(ben.id, 'before');
    await time.until(() => ada.states(ben.id)[0] === 'delivered');
    await ben.store.write(tx => {
      for (const session of ben.store.sessions.all(tx)) ben.store.sessions.remove(tx, session.sessionId);
    });
    await ada.say(ben.id, 'during');
    await time.until(() => ada.states(ben.id).every(state => state === 'delivered'));
    await ben.say(ada.id, 'after');
    await time.until(() => ben.states(ada.id)[0] === 'delivered');
    assert.deepEqual(ben.heard(ada.id), ['before', 'during', 'after']);
    assert.deepEqual(ada.heard(ben.id), ['before', 'during', 'after']);
  });

  it('a thousand texts each way over a line that is cut again and again: none lost, none twice, in order', async () => {
    const { time, network, ada, ben } = await ada_and_ben();
    await ada.meet(ben);
    const count = 1_000;
    const sent: Promise<string>[] = [];
    for (let index = 0; index < count; index += 1) {
      sent.push(ada.say(ben.id, `a${index}`), ben.say(ada.id, `b${index}`));
      if (index % 97 === 0) network.cut(ada.swarm.transportKey, ben.swarm.transportKey);
      if (index % 50 === 0) await time.pass(100);
    }
    await time.run(Promise.all(sent));
    await time.until(() => ada.waiting(ben.id) + ben.waiting(ada.id) === 0, 3_600_000);
    for (const [who, other, letter] of [
      [ben, ada, 'a'],
      [ada, ben, 'b'],
    ] as const) {
      const heard = who.heard(other.id).filter(text => text.startsWith(letter));
      assert.deepEqual(
        heard,
        Array.from({ length: count }, (_, index) => `${letter}${index}`),
      );
    }
  });

  it('an invite that is spent, expired, own or mistyped says what is wrong', async () => {
    const { time, ada, ben } = await ada_and_ben();
    const { invite } = await ben.messenger.createInvite();
    await assert.rejects(ben.messenger.addContact(invite, ''), (error: CoreError) => error.code === 'refused');
    const mistyped = invite.slice(0, -1) + (invite.endsWith('a') ? 'b' : 'a');
    await assert.rejects(ada.messenger.addContact(mistyped, ''), (error: CoreError) => error.code === 'bad-bytes');
    await time.jump(8 * 24 * 3_600_000);
    await assert.rejects(ada.messenger.addContact(invite, ''), (error: CoreError) => error.code === 'refused');
  });

  it('an invite of somebody who is a contact already changes nothing and asks nobody', async () => {
    const { time, ada, ben } = await ada_and_ben();
    await ada.meet(ben);
    const before = ada.store.contacts.list();
    const { invite } = await ben.messenger.createInvite();
    assert.equal(await time.run(ada.messenger.addContact(invite, 'Other')), ben.id);
    await time.pass(60_000);
    assert.deepEqual(ada.store.contacts.list(), before);
    assert.deepEqual(ben.store.requests.list(), []);
  });

  it('a new nick and a new prekey reach contacts', async () => {
    const { time, ada, ben } = await ada_and_ben();
    await ada.meet(ben);
    await time.run(ben.messenger.upkeep.changeCard({ nick: 'Benjamin' }));
    await time.until(() => ada.store.contacts.get(ben.id)?.claimedNick === 'Benjamin');
    const before = ada.store.contacts.get(ben.id)?.cardSerial ?? 0;
    await time.jump(8 * 24 * 3_600_000);
    await time.pass(60_000);
    assert.ok((ada.store.contacts.get(ben.id)?.cardSerial ?? 0) > before);
  });
});
