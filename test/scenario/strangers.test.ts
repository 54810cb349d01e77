import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { parseTransportKey } from '../../core/base/ids.ts';
import { LIMITS } from '../../core/base/limits.ts';
import { systemRandom } from '../../core/base/world.io.ts';
import { openCard } from '../../core/crypto/card.ts';
import { deriveMailboxKeys, type SealedKind, sealEnvelope } from '../../core/crypto/mailbox-seal.ts';
import type { FrameChannel, Swarm } from '../../core/network/swarm.ts';
import { expireRequests } from '../../core/state/requests.ts';
import { decodeDelivery, ENVELOPE_PROTOCOL, encodeDelivery } from '../../core/wire/delivery.ts';
import { encodeEnvelope, envelopeIdOf } from '../../core/wire/envelope.ts';
import { encodeResponse } from '../../core/wire/handshake.ts';
import { MemoryNetwork, type Weather } from '../support/memory-network.ts';
import { Person } from '../support/person.ts';
import { VirtualTime } from '../support/virtual-time.ts';

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;

async function adaAndBen(weather: Weather = {}) {
  const time = new VirtualTime();
  const network = new MemoryNetwork(time.scheduler, weather);
  const ada = await Person.create('Ada', network, time);
  const ben = await Person.create('Ben', network, time);
  return { time, network, ada, ben };
}

/** A node of nobody's, with an open channel to a person. */
async function strangerAt(person: Person, network: MemoryNetwork): Promise<{ swarm: Swarm; channel: FrameChannel }> {
  const swarm = network.createSwarm(parseTransportKey(systemRandom(32)));
  await swarm.start();
  await swarm.dial({ transportKey: person.swarm.transportKey, addresses: person.swarm.addresses() });
  return { swarm, channel: await swarm.channel(person.swarm.transportKey, ENVELOPE_PROTOCOL) };
}

/** What anybody can make who has once held an invite, and so the card. */
function garbageFor(person: Person, kind: SealedKind, nowMs: number): Buffer {
  const mailboxKey = Buffer.from(openCard(person.messenger.context.account.card).mailboxKey);
  const body =
    kind === 'response'
      ? encodeResponse({ initiationId: systemRandom(16), message: systemRandom(60) })
      : systemRandom(130);
  return encodeEnvelope(sealEnvelope(deriveMailboxKeys(mailboxKey), kind, body, nowMs, systemRandom));
}

describe('people who cannot reach each other for long', () => {
  it('an answer to a request that was lost for a week is made up for, and both are heard', async () => {
    const { time, ada, ben } = await adaAndBen();
    const [adaId, benId] = [ada.id, ben.id];
    const { invite } = await ben.messenger.createInvite();
    await time.run(ada.messenger.addContact(invite, ''));
    await time.until(() => ben.store.requests.list().length === 1);
    await ada.stop();
    await time.run(ben.messenger.acceptRequest(adaId));
    for (let day = 0; day < 8; day += 1) await time.jump(DAY_MS);
    await ada.start();
    await time.pass(600_000);
    await ben.say(adaId, 'hello Ada');
    await time.until(() => ada.heard(benId).includes('hello Ada'), HOUR_MS);
    await ada.say(benId, 'hello Ben');
    await time.until(() => ben.heard(adaId).includes('hello Ben'), HOUR_MS);
    assert.equal(ada.store.contacts.get(benId)?.phase, 'accepted');
    assert.equal(ada.store.contacts.get(benId)?.initiation, null);
    assert.equal(ben.store.contacts.get(adaId)?.initiation, null);
  });

  it('a backlog of several windows over a slow line, answered while it is being sent, arrives whole', async () => {
    const { time, ada, ben } = await adaAndBen({ delayMs: () => 40 });
    await ada.meet(ben);
    const benId = ben.id;
    await ben.stop();
    const count = LIMITS.pushWindow * 3;
    const text = 'x'.repeat(12_000);
    await time.run(Promise.all(Array.from({ length: count }, (_, index) => ada.say(benId, `${index} ${text}`))));
    await ben.start();
    await time.until(() => ada.waiting(benId) === 0 && ada.store.outbox.countOf(benId) === 0, HOUR_MS);
    assert.deepEqual(
      ben.heard(ada.id).map(heard => Number.parseInt(heard, 10)),
      Array.from({ length: count }, (_, index) => index),
    );
  });
});

describe('strangers', () => {
  it('one of whom nothing is wanted is told so a few times, then let go', async () => {
    const { time, network, ben } = await adaAndBen();
    const { swarm, channel } = await strangerAt(ben, network);
    let refused = 0;
    const reading = (async () => {
      for await (const frame of channel.frames) {
        const answer = decodeDelivery(frame);
        if (answer.kind === 'refused') refused += answer.ids.length;
      }
    })();
    for (let index = 0; index < 200 && !channel.closed; index += 1) {
      await channel.send(encodeDelivery({ kind: 'envelope', envelope: systemRandom(300) })).catch(() => undefined);
      await time.pass(1);
    }
    await time.until(() => !swarm.isConnected(ben.swarm.transportKey));
    await reading;
    assert.ok(refused >= LIMITS.strangerRefusals && refused < 40, `${refused} refused`);
  });

  it('garbage in a good cover does not cost a turn of every contact, again and again', async () => {
    const { time, network, ada, ben } = await adaAndBen();
    await ada.meet(ben);
    for (let index = 0; index < 5; index += 1) {
      const other = await Person.create(`Other ${index}`, network, time);
      await other.meet(ben);
    }
    await time.pass(1_000);
    let turns = 0;
    const { reading } = ben.store;
    ben.store.reading = function counted<T>(read: () => T): T {
      turns += 1;
      return reading.call(this, read) as T;
    };
    const results = new Map<string, number>();
    for (let index = 0; index < 1_000; index += 1) {
      const envelope = garbageFor(ben, index % 2 ? 'ratchet' : 'response', time.nowMs);
      const verdict = await time.run(
        ben.messenger.intake.receive(envelope, envelopeIdOf(envelope), undefined).catch(error => error.code),
      );
      results.set(verdict, (results.get(verdict) ?? 0) + 1);
    }
    assert.deepEqual([...results.keys()].sort(), ['busy', 'refused']);
    assert.ok(turns <= LIMITS.searchesAtOnce * 6 * 2, `${turns} reads`);
    ben.store.reading = reading;
    await time.pass(LIMITS.searchPauseMs);
    await ada.say(ben.id, 'still there?');
    await time.until(() => ben.heard(ada.id).includes('still there?'));
  });

  it('a crowd with one invite does not keep out the holder of another, and comes in by and by', async () => {
    const { time, network, ben } = await adaAndBen();
    const { invite: passedOn } = await ben.messenger.createInvite();
    const crowd: Person[] = [];
    for (let index = 0; index < LIMITS.requestsAtOnce + 4; index += 1) {
      const one = await Person.create(`One ${index}`, network, time);
      crowd.push(one);
      await time.run(one.messenger.addContact(passedOn, ''));
    }
    await time.pass(2_000);
    assert.equal(ben.store.requests.list().length, LIMITS.requestsAtOnce);
    // An invite of its own: within the hour the same one would be given out.
    await time.run(
      ben.store.write(tx => {
        for (const invite of ben.store.invites.list(tx)) {
          ben.store.invites.put(tx, { ...invite, createdAtMs: invite.createdAtMs - 2 * HOUR_MS });
        }
      }),
    );
    const { invite } = await ben.messenger.createInvite();
    const cleo = await Person.create('Cleo', network, time);
    await time.run(cleo.messenger.addContact(invite, ''));
    await time.until(() => ben.store.requests.list().some(request => request.id === cleo.id), 5_000);
    await time.until(() => ben.store.requests.list().length === crowd.length + 1, HOUR_MS);
    const events = ben.events.filter(event => event.type === 'contact-request');
    assert.equal(events.length, crowd.length + 1);
  });

  it('more requests than fit wait with those who ask, and come when there is room', async () => {
    const { time, ada, ben } = await adaAndBen();
    const { invite } = await ben.messenger.createInvite();
    await time.run(ada.messenger.addContact(invite, ''));
    await time.until(() => ben.store.requests.list().length === 1);
    const [first] = ben.store.requests.list();
    assert.ok(first);
    const others = Array.from({ length: LIMITS.requests }, () => systemRandom(16).toString('hex'));
    await ben.store.write(tx => {
      for (const id of others) ben.store.requests.put(tx, { ...first, id: id as typeof first.id });
      ben.store.requests.remove(tx, ada.id);
    });
    await time.run(ada.messenger.addContact(invite, ''));
    await time.pass(60_000);
    assert.equal(ada.store.outbox.countOf(ben.id), 1, 'kept for later, not refused for good');
    await ben.store.write(tx => ben.store.requests.remove(tx, others[0] as typeof first.id));
    await time.until(() => ben.store.requests.list().some(request => request.id === ada.id), HOUR_MS);
  });

  it('a request that can no longer be accepted is gone', async () => {
    const { time, ada, ben } = await adaAndBen();
    const { invite } = await ben.messenger.createInvite();
    await time.run(ada.messenger.addContact(invite, ''));
    await time.until(() => ben.store.requests.list().length === 1);
    time.nowMs += LIMITS.requestKeepMs - 1;
    await time.run(expireRequests(ben.messenger.context));
    assert.equal(ben.store.requests.list().length, 1);
    time.nowMs += 1;
    await time.run(expireRequests(ben.messenger.context));
    assert.deepEqual(ben.store.requests.list(), []);
    assert.ok(ben.events.some(event => event.type === 'request-closed' && event.id === ada.id));
  });
});

describe('offline mode', () => {
  it('learns no address from connections and later cards; those that the two sides of an invite told stay', async () => {
    const { time, ada, ben } = await adaAndBen();
    Object.assign(ada.messenger.context, { offline: true });
    Object.assign(ben.messenger.context, { offline: true });
    await ada.meet(ben);
    await ada.say(ben.id, 'hello');
    await time.until(() => ada.states(ben.id)[0] === 'delivered');
    assert.deepEqual(ada.store.contacts.get(ben.id)?.addresses, ben.swarm.addresses());
    const told = ada.swarm.addresses();
    assert.deepEqual(ben.store.contacts.get(ada.id)?.addresses, told);
    await time.run(ada.messenger.upkeep.changeCard({ nick: 'Adele', addresses: ['/ip4/198.51.100.7/tcp/7'] }));
    await time.until(() => ben.store.contacts.get(ada.id)?.claimedNick === 'Adele');
    assert.deepEqual(ben.store.contacts.get(ada.id)?.addresses, told);
    assert.notEqual(ben.store.contacts.get(ada.id)?.lastSeenAtMs, null);
    await ben.say(ada.id, 'hello yourself');
    await time.until(() => ben.states(ada.id)[0] === 'delivered');
  });
});

describe('a first step cut short', () => {
  it('leaves either nobody or a contact whose handshake is under way', async () => {
    const { time, ada, ben } = await adaAndBen();
    const { invite } = await ben.messenger.createInvite();
    const { write } = ada.store;
    for (let failing = 0; ; failing += 1) {
      let count = 0;
      ada.store.write = function cut(job) {
        return count++ === failing ? Promise.reject(new Error('power went')) : write.call(this, job);
      };
      const done = await time.run(ada.messenger.addContact(invite, '').catch(() => undefined));
      ada.store.write = write;
      const contact = ada.store.contacts.get(ben.id);
      assert.equal(contact !== undefined, contact?.initiation !== undefined && contact.initiation !== null);
      if (done) break;
      assert.equal(ada.store.outbox.countOf(ben.id), contact ? 1 : 0);
    }
    await time.until(() => ben.store.requests.list().length === 1);
  });

  it('an answer to an initiation that was given up since is made up for', async () => {
    const { time, ada, ben } = await adaAndBen();
    const { invite } = await ben.messenger.createInvite();
    await time.run(ada.messenger.addContact(invite, ''));
    await time.until(() => ben.store.requests.list().length === 1);
    await time.run(
      ada.messenger.ask(ben.id, { kind: 'change', change: turn => turn.changeContact({ initiation: null }) }),
    );
    await time.run(ben.messenger.acceptRequest(ada.id));
    await time.until(() => ada.store.contacts.get(ben.id)?.phase === 'accepted', HOUR_MS);
    await ada.say(ben.id, 'hello');
    await time.until(() => ben.heard(ada.id).length === 1);
  });

  it('asking again takes what has changed in the card meanwhile', async () => {
    const { time, ada, ben } = await adaAndBen();
    const { invite } = await ben.messenger.createInvite();
    await time.run(ada.messenger.addContact(invite, ''));
    await time.run(ben.messenger.upkeep.changeCard({ nick: 'Benjamin' }));
    await time.pass(5_000);
    await time.run(ada.messenger.addContact(invite, ''));
    assert.equal(ada.store.contacts.get(ben.id)?.claimedNick, 'Benjamin');
    await time.until(() => ben.store.requests.list().length === 1);
    await time.run(ben.messenger.acceptRequest(ada.id));
    await time.until(() => ada.store.contacts.get(ben.id)?.phase === 'accepted');
  });
});
