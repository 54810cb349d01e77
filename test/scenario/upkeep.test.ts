import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { DAY_MS } from '../../core/base/clock.ts';
import { openCard } from '../../core/crypto/card.ts';
import { twoFriends } from '../support/people.ts';
import { Person } from '../support/person.ts';

/** From now on a commit takes a while, as on a disk. */
function slowCommits(person: Person): void {
  const { rows } = person;
  const commit = rows.commit.bind(rows);
  rows.commit = async ops => {
    for (let turn = 0; turn < 5; turn += 1) await new Promise(setImmediate);
    return commit(ops);
  };
}

describe('the own card', () => {
  it('changed twice at once: both changes are kept, each under a serial of its own', async () => {
    const { time, ada, ben } = await twoFriends();
    const { account, store } = ada.messenger.context;
    const before = openCard(account.card).serial;
    const { upkeep } = ada.messenger;
    const addresses = ['/ip4/192.0.2.7/tcp/4001'];
    const changes = [{ nick: 'Ada One' }, { addresses }, { nick: 'Ada Two' }];
    await time.run(Promise.all(changes.map(change => upkeep.changeCard(change))));
    const card = openCard(account.card);
    assert.deepEqual([card.serial, card.nick, card.addresses.length], [before + 3, 'Ada Two', 1]);
    assert.equal(store.profile.get()?.cardSerial, before + 3);
    await time.until(() => ben.store.contacts.get(ada.id)?.claimedNick === 'Ada Two');
  });

  it('renamed in the moment of the weekly prekey: the new prekey is offered and kept', async () => {
    const { time, ada, ben } = await twoFriends();
    const { account, store } = ada.messenger.context;
    const [former] = openCard(account.card).prekeys;
    time.nowMs += 8 * DAY_MS;
    const { upkeep } = ada.messenger;
    slowCommits(ada);
    const changes = [upkeep.sweep()];
    for (let round = 0; round < 30; round += 1) {
      await new Promise(setImmediate);
      changes.push(upkeep.changeCard({ nick: `Ada ${round}` }));
    }
    await time.run(Promise.all(changes));
    const [fresh] = openCard(account.card).prekeys;
    assert.ok(fresh && former && fresh.id > former.id);
    assert.ok(store.prekeys.get(fresh.id));
    await time.until(() => ben.store.contacts.get(ada.id)?.claimedNick === 'Ada 29');
  });

  it('is told to every contact, also when the process ends right after the change', async () => {
    const { time, ada, ben } = await twoFriends();
    const id = ada.id;
    const { upkeep } = ada.messenger;
    const { rows } = ada;
    // The disk takes the change itself, and nothing after it.
    const commit = rows.commit.bind(rows);
    let commits = 0;
    rows.commit = async ops => {
      commits += 1;
      if (commits > 1) throw new Error('the process has ended');
      return commit(ops);
    };
    await time.run(upkeep.changeCard({ nick: 'Ada Two' }));
    await ada.stop();
    await time.pass(1);
    rows.commit = commit;
    await ada.start();
    await time.until(() => ben.store.contacts.get(id)?.claimedNick === 'Ada Two');
  });
});

describe('removing a contact', () => {
  it('is final, whatever else is asked of the conversation meanwhile', async () => {
    const { time, ada, ben } = await twoFriends();
    const id = ada.id;
    const contact = ben.store.contacts.get(id);
    assert.ok(contact);
    slowCommits(ben);
    const { context } = ben.messenger;
    let gone = false;
    const removed = ben.messenger.removeContact(id).then(() => {
      gone = true;
    });
    while (!gone) {
      context.changeContact(id, { lastSeenAtMs: 3 });
      await new Promise(setImmediate);
    }
    await removed;
    context.changeContact(id, { lastSeenAtMs: 4 });
    await time.pass(1_000);
    assert.deepEqual(ben.store.contacts.list(), []);
    assert.deepEqual(ben.store.conversations.list(), []);
    assert.deepEqual(ben.store.sessions.all(), []);
    assert.equal(ben.store.messages.countUndelivered(contact.conversation), 0);
  });

  it('leaves the sweep and the others at work', async () => {
    const { time, network, ada, ben } = await twoFriends();
    const cyd = await Person.create('Cyd', network, time);
    await cyd.meet(ben);
    const contact = ben.store.contacts.get(ada.id);
    assert.ok(contact);
    // As a fault of the disk could leave it: a contact without its conversation.
    await ben.store.write(tx => ben.store.conversations.remove(tx, contact.conversation));
    await time.run(ben.messenger.upkeep.sweep());
    await time.run(ben.messenger.upkeep.changeCard({ nick: 'Benjamin' }));
    await time.until(() => cyd.store.contacts.get(ben.id)?.claimedNick === 'Benjamin');
    await time.run(ben.messenger.removeContact(ada.id));
    assert.equal(ben.store.contacts.get(ada.id), undefined);
  });

  it('a contact removed and asked again is a contact again', async () => {
    const { time, ada, ben } = await twoFriends();
    await time.run(ben.messenger.removeContact(ada.id));
    await time.run(ada.messenger.removeContact(ben.id));
    await ada.meet(ben);
    await ada.say(ben.id, 'again');
    await time.until(() => ben.heard(ada.id).includes('again'));
  });
});
