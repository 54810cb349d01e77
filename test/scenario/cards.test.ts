import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { TransportKey } from '../../core/base/ids.ts';
import { openCard, signCard } from '../../core/crypto/card.ts';
import { MemoryNetwork } from '../support/memory-network.ts';
import { Person } from '../support/person.ts';
import { VirtualTime } from '../support/virtual-time.ts';

/** Ada and Eve are Ben's contacts. */
async function acquaintances() {
  const time = new VirtualTime();
  const network = new MemoryNetwork(time.scheduler);
  const [ada, ben, eve] = await Promise.all(['Ada', 'Ben', 'Eve'].map(nick => Person.create(nick, network, time)));
  assert.ok(ada && ben && eve);
  await ada.meet(ben);
  await eve.meet(ben);
  return { time, ada, ben, eve };
}

/** A card that its owner signed, and that names a transport key of the owner's choice. */
function cardNaming(person: Person, transportKey: TransportKey, nick: string): Buffer {
  const { account } = person.messenger.context;
  const card = openCard(account.card);
  return signCard(account.identity, { ...card, serial: card.serial + 1, transportKey, nick });
}

describe('a card that names a transport key', () => {
  it('of another contact is left, and that one goes on being reached and heard', async () => {
    const { time, ada, ben, eve } = await acquaintances();
    const card = cardNaming(eve, ada.swarm.transportKey, 'Not Eve');
    await eve.messenger.ask(ben.id, { kind: 'send-control', content: { kind: 'card', card } });
    await eve.say(ben.id, 'after the card');
    await time.until(() => ben.heard(eve.id).includes('after the card'));
    assert.equal(ben.store.contacts.byTransport(ada.swarm.transportKey)?.id, ada.id);
    assert.equal(ben.store.contacts.get(eve.id)?.claimedNick, 'Eve');
    await ben.store.write(tx => {
      for (const session of ben.store.sessions.listOf(ada.id, tx)) ben.store.sessions.remove(tx, session.sessionId);
    });
    await ada.say(ben.id, 'are you there?');
    await time.until(() => ada.states(ben.id)[0] === 'delivered');
  });

  it('of our own is left', async () => {
    const { time, ben, eve } = await acquaintances();
    const card = cardNaming(eve, ben.swarm.transportKey, 'Not Eve');
    await eve.messenger.ask(ben.id, { kind: 'send-control', content: { kind: 'card', card } });
    await eve.say(ben.id, 'after the card');
    await time.until(() => ben.heard(eve.id).includes('after the card'));
    assert.deepEqual(ben.store.contacts.get(eve.id)?.transportKey, eve.swarm.transportKey);
  });

  it('and addresses, in offline mode, leaves those of the invite', async () => {
    const { time, ben, eve } = await acquaintances();
    const before = ben.store.contacts.get(eve.id)?.addresses;
    Object.assign(ben.messenger.context, { offline: true });
    await time.run(eve.messenger.upkeep.changeCard({ addresses: ['/ip4/192.0.2.9/tcp/1'], nick: 'Eve Moved' }));
    await time.until(() => ben.store.contacts.get(eve.id)?.claimedNick === 'Eve Moved');
    assert.deepEqual(ben.store.contacts.get(eve.id)?.addresses, before);
  });

  it('of its owner alone is taken', async () => {
    const { time, ben, eve } = await acquaintances();
    const fresh = Buffer.alloc(32, 7) as Uint8Array as TransportKey;
    const card = cardNaming(eve, fresh, 'Eve Moved');
    await eve.messenger.ask(ben.id, { kind: 'send-control', content: { kind: 'card', card } });
    await time.until(() => ben.store.contacts.get(eve.id)?.claimedNick === 'Eve Moved');
    assert.equal(ben.store.contacts.byTransport(fresh)?.id, eve.id);
  });
});
