import assert from 'node:assert/strict';
import { describe, it } from 'node:test';

import { DAY_MS, HOUR_MS, MINUTE_MS, SECOND_MS } from '../../core/base/clock.ts';
import { parseTransportKey } from '../../core/base/ids.ts';
import { LIMITS } from '../../core/base/limits.ts';
import { systemRandom } from '../../core/base/world.io.ts';
import { currentTags, deriveMailboxKeys, sealEnvelope } from '../../core/crypto/mailbox-seal.ts';
import { encodeEnvelope, envelopeIdOf } from '../../core/wire/envelope.ts';
import { decodeSync, encodeSync, GROUP_SYNC_PROTOCOL, type SyncFrame } from '../../core/wire/sync.ts';
import { FakeGroup, memberOf } from '../support/fake-groups.ts';
import { MemoryNetwork } from '../support/memory-network.ts';
import { Person } from '../support/person.ts';
import { VirtualTime } from '../support/virtual-time.ts';

/** Five members; Ada has met Ben and Cleo, Cleo Dan, Dan Eve. All have a link to whom they have not met. */
async function fiveMembers() {
  const time = new VirtualTime();
  const network = new MemoryNetwork(time.scheduler, {}, time.clock);
  const people: Person[] = [];
  for (const nick of ['Ada', 'Ben', 'Cleo', 'Dan', 'Eve']) people.push(await Person.create(nick, network, time));
  const [ada, ben, cleo, dan, eve] = people as [Person, Person, Person, Person, Person];
  for (const [one, other] of [
    [ada, ben],
    [ada, cleo],
    [cleo, dan],
    [dan, eve],
  ] as const) {
    await one.meet(other);
  }
  const [secret, id] = [systemRandom(32), systemRandom(16)];
  const groups = people.map(person => new FakeGroup(person, secret, id));
  const members = people.map(memberOf);
  for (const group of groups) {
    group.members = members;
    await group.start();
  }
  await time.pass(30 * SECOND_MS);
  return { time, network, people, groups: groups as [FakeGroup, FakeGroup, FakeGroup, FakeGroup, FakeGroup], secret };
}

type Five = Awaited<ReturnType<typeof fiveMembers>>;

async function leave(group: FakeGroup): Promise<void> {
  group.stop();
  await group.person.stop();
}

async function comeBack(group: FakeGroup): Promise<void> {
  await group.person.start();
  await group.start();
}

const texts = (groups: readonly FakeGroup[]): string[][] => groups.map(group => [...group.texts].sort());

/** Everybody of one side can reach nobody of the other. */
function part({ network }: Five, one: readonly FakeGroup[], other: readonly FakeGroup[], healed = false): void {
  for (const a of one) {
    for (const b of other) {
      const keys = [a.person.swarm.transportKey, b.person.swarm.transportKey] as const;
      if (healed) network.heal(...keys);
      else network.part(...keys);
    }
  }
}

/** Pulls from a person as somebody with another program. */
async function pullAs(five: Five, from: Person, tags: readonly Uint8Array[]) {
  const swarm = five.network.createSwarm(parseTransportKey(systemRandom(32)));
  await swarm.start();
  await swarm.dial({ transportKey: from.swarm.transportKey, addresses: from.swarm.addresses() });
  const channel = await swarm.channel(from.swarm.transportKey, GROUP_SYNC_PROTOCOL);
  const came: SyncFrame[] = [];
  const pulled = {
    came,
    closed: false,
    swarm,
    ask: (asked = tags) => channel.send(encodeSync({ kind: 'ask', tags: asked })),
  };
  void (async () => {
    for await (const bytes of channel.frames) {
      const frame = decodeSync(bytes);
      came.push(frame);
      if (frame.kind === 'have' && frame.ids.length > 0) {
        await channel.send(encodeSync({ kind: 'want', wanted: frame.ids.map(() => true) }));
      }
    }
    pulled.closed = true;
  })();
  await pulled.ask();
  return pulled;
}

describe('a group’s envelopes', () => {
  it('reach everybody who is connected by gossip, also those who are no contacts, at once', async () => {
    const { time, groups } = await fiveMembers();
    const [ada] = groups;
    const startedMs = time.nowMs;
    await ada.say('hello all');
    await time.until(() => groups.every(group => group.texts.includes('hello all')), 5 * SECOND_MS);
    assert.ok(time.nowMs - startedMs < SECOND_MS, 'not by a pull');
    assert.deepEqual(texts(groups), Array(5).fill(['hello all']));
  });

  it('reach one who was away three days from any one member, also from one that is no contact of it', async () => {
    const five = await fiveMembers();
    const { time, groups } = five;
    const [ada, ben, cleo, dan, eve] = groups;
    await leave(eve);
    for (const [day, group] of [ada, ben, cleo].entries()) {
      await group.say(`day ${day}`);
      // Long enough for gossip, then the rest of the day as if all computers slept.
      await time.pass(MINUTE_MS);
      await time.jump(DAY_MS - MINUTE_MS);
    }
    assert.equal(dan.texts.length, 3);
    // Of all members only Ben is there, whom Eve has never met.
    for (const group of [ada, cleo, dan]) await leave(group);
    await comeBack(eve);
    await time.until(() => eve.told.includes('caught-up'), 2 * MINUTE_MS);
    assert.deepEqual(eve.texts, ['day 0', 'day 1', 'day 2']);
    assert.equal(
      eve.person.store.contacts.list().some(({ id }) => id === ben.person.id),
      false,
    );
    assert.deepEqual(eve.told, ['catch-up', 'caught-up']);
  });

  it('said in two parts of the network reach the other part when one member of each meets', async () => {
    const five = await fiveMembers();
    const { time, groups } = five;
    const [ada, ben, cleo, dan, eve] = groups;
    part(five, [ada, ben], [cleo, dan, eve]);
    await time.pass(MINUTE_MS);
    await ada.say('here');
    await eve.say('there');
    await time.until(() => ben.texts.length === 1 && cleo.texts.length === 1 && dan.texts.length === 1, MINUTE_MS);
    assert.deepEqual(texts(groups), [['here'], ['here'], ['there'], ['there'], ['there']]);
    // Ben and Eve alone can reach each other; what they bring goes on from them.
    part(five, [ben], [eve], true);
    await time.until(() => groups.every(group => group.texts.length === 2), 10 * MINUTE_MS);
    assert.deepEqual(texts(groups), Array(5).fill(['here', 'there']));
  });

  it('that gossip loses come with the next pull', async () => {
    const five = await fiveMembers();
    const { time, network, groups } = five;
    Object.assign(network.weather, { gossipMs: () => undefined });
    const [ada] = groups;
    await ada.say('lost on the way');
    await time.until(() => groups.every(group => group.texts.length === 1), 2 * LIMITS.groupPullEveryMs);
    assert.deepEqual(texts(groups), Array(5).fill(['lost on the way']));
  });

  it('cross midnight', async () => {
    const { time, groups } = await fiveMembers();
    const toMidnight = DAY_MS - (time.nowMs % DAY_MS);
    await time.jump(toMidnight - 2 * HOUR_MS);
    await time.pass(2 * HOUR_MS - 2 * SECOND_MS);
    const [ada, , , , eve] = groups;
    await ada.say('late');
    await time.until(() => groups.every(group => group.texts.includes('late')), SECOND_MS);
    await time.pass(4 * SECOND_MS);
    await eve.say('early');
    await time.until(() => groups.every(group => group.texts.includes('early')), SECOND_MS);
    await time.pass(2 * HOUR_MS);
    await ada.say('by day');
    await time.until(() => groups.every(group => group.texts.includes('by day')), SECOND_MS);
  });

  it('under a new secret do not reach a removed member, nor does it find where they are', async () => {
    const five = await fiveMembers();
    const { time, groups, secret: old } = five;
    const [ada, , cleo, , eve] = groups;
    await ada.say('with Eve');
    await time.until(() => eve.texts.length === 1, MINUTE_MS);
    const rest = groups.filter(group => group !== eve);
    const fresh = systemRandom(32);
    for (const group of rest) {
      group.secrets = [{ secret: fresh }, { secret: old }];
      group.members = group.members.filter(({ id }) => id !== eve.person.id);
      group.spread.changed();
    }
    await time.pass(MINUTE_MS);
    await ada.say('without Eve');
    await cleo.say('quite without');
    await time.until(() => rest.every(group => group.texts.length === 3), MINUTE_MS);
    await time.pass(2 * LIMITS.groupPullEveryMs);
    assert.deepEqual(eve.texts, ['with Eve']);
    const known = new Set(eve.spread.places.topics());
    const news = ada.spread.places.topics().filter(topic => !known.has(topic));
    assert.equal(news.length, known.size, 'the new secret has topics of its own');
    // Its own program changed: it asks for all it can derive, and gets what it had.
    const tags = currentTags(deriveMailboxKeys(old), time.clock());
    const pulled = await pullAs(five, ada.person, tags);
    await time.until(() => pulled.came.some(({ kind }) => kind === 'envelope'), MINUTE_MS);
    await time.pass(MINUTE_MS);
    assert.equal(pulled.came.filter(({ kind }) => kind === 'envelope').length, 1);
  });

  it('are not shown to a stranger who asks for tags of nobody, or for a contact’s, and it is cut off', async () => {
    const five = await fiveMembers();
    const { time, groups } = five;
    const [ada, ben] = groups;
    await ada.say('inside');
    const pulled = await pullAs(five, ben.person, [systemRandom(16)]);
    await time.until(() => pulled.came.length === 2, MINUTE_MS);
    assert.deepEqual(pulled.came, [
      { kind: 'have', ids: [], more: false },
      { kind: 'done', sent: 0, stored: 0 },
    ]);
    const mailbox = currentTags(ada.person.messenger.context.account.mailbox, time.clock());
    for (let count = 0; count < LIMITS.groupVainAsks; count += 1) await pulled.ask(mailbox);
    await time.until(() => pulled.closed, 10 * SECOND_MS);
    assert.equal(
      pulled.came.some(frame => frame.kind === 'have' && frame.ids.length > 0),
      false,
    );
    // One that says nothing more is let go after a minute.
    const idle = await pullAs(five, ben.person, [systemRandom(16)]);
    await time.until(() => idle.closed, LIMITS.strangerPullMs + SECOND_MS);
  });

  it('are kept for all when one member floods: what it says itself makes room', async () => {
    const five = await fiveMembers();
    const { time, groups } = five;
    const [ada, ben, , , eve] = groups;
    const said = [await ada.say('mine'), await ada.say('and mine')];
    await time.until(() => groups.every(group => group.texts.length === 2), MINUTE_MS);
    const { context, custody } = ben.person.messenger;
    const keys = deriveMailboxKeys(five.secret);
    const body = Buffer.from(`${eve.person.id}flood`);
    const flood = LIMITS.groupMailbox + 200;
    for (let count = 0; count < flood; count += 64) {
      await time.run(
        context.store.write(tx => {
          for (let more = 0; more < 64; more += 1) {
            const bytes = encodeEnvelope(sealEnvelope(keys, 'group', body, time.clock(), systemRandom));
            ben.spread.mailbox.keep(tx, { group: ben.id, envelope: bytes, by: eve.person.id });
          }
        }),
      );
      assert.ok(custody.usage.envelopes <= LIMITS.groupMailbox);
    }
    assert.ok(custody.usage.envelopes > LIMITS.groupMailbox / 2, 'the flood filled the box');
    for (const id of said) assert.ok(context.store.custody.has(id), 'what others said is still there');
  });

  it('of a forger with the right tag are not passed on, and count against who sent them', async () => {
    const five = await fiveMembers();
    const { time, groups } = five;
    const [ada, ben] = groups;
    const [topic] = ada.spread.places.topics();
    assert.ok(topic);
    const [, today] = currentTags(deriveMailboxKeys(five.secret), time.clock());
    const forged = sealEnvelope(
      deriveMailboxKeys(systemRandom(32)),
      'group',
      Buffer.from('x'),
      time.clock(),
      systemRandom,
    );
    const bytes = encodeEnvelope({ ...forged, tag: today as Buffer });
    const mal = five.network.createSwarm(parseTransportKey(systemRandom(32)));
    await mal.start();
    await mal.dial({ transportKey: ben.person.swarm.transportKey, addresses: ben.person.swarm.addresses() });
    mal.pubsub().join(topic, () => 'ignore');
    assert.equal(await mal.pubsub().publish(topic, bytes), 1);
    await time.pass(MINUTE_MS);
    for (const group of groups) assert.equal(group.person.store.custody.has(envelopeIdOf(bytes)), false);
    assert.deepEqual(texts(groups), Array(5).fill([]));
  });
});

describe('a profile without groups', () => {
  it('joins no topic, dials nobody and has no timer for them', async () => {
    const time = new VirtualTime();
    const network = new MemoryNetwork(time.scheduler, {}, time.clock);
    const ada = await Person.create('Ada', network, time);
    let joined = 0;
    const pubsub = ada.swarm.pubsub.bind(ada.swarm);
    Object.assign(ada.swarm, {
      pubsub: () => {
        joined += 1;
        return pubsub();
      },
    });
    const group = new FakeGroup(ada, systemRandom(32));
    group.secrets = [];
    const before = time.timers;
    await group.start();
    group.spread.sweep();
    assert.equal(joined, 0);
    assert.equal(time.timers, before);
    assert.deepEqual(group.spread.places.boxes(), []);
  });
});
