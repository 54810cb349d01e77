import assert from 'node:assert/strict';
import { it } from 'node:test';
import { HOUR_MS, MINUTE_MS } from '../../core/base/clock.ts';
import { type GroupId, parseTransportKey } from '../../core/base/ids.ts';
import { LIMITS } from '../../core/base/limits.ts';
import { systemRandom } from '../../core/base/world.io.ts';
import { dayOf, deriveMailboxKeys, sealEnvelope } from '../../core/crypto/mailbox-seal.ts';
import { groupTopic } from '../../core/state/groups/places.ts';
import { encodeEnvelope, envelopeIdOf } from '../../core/wire/envelope.ts';
import { encodeParcel, PARCEL_ID_BYTES } from '../../core/wire/group-parcel.ts';
import { have, membersOf } from '../support/group-people.ts';
import { people } from '../support/people.ts';

/** A group of Ada's, whose other members know nobody but her. */
async function groupOfAda() {
  const { time, network, all } = await people(['Ada', 'Ben', 'Cem', 'Dan']);
  const [ada, ...others] = all;
  for (const person of all) person.addable = true;
  for (const other of others) await ada.meet(other);
  await time.until(() => others.every(({ id }) => ada.store.peerKeyPackages.get(id)));
  const ids = others.map(({ id }) => id);
  const group = await time.run(ada.messenger.groups.create('Trip', ids));
  await time.until(() => all.every(person => membersOf(person, group) === 4));
  await time.pass(3 * MINUTE_MS);
  return { time, network, all, group };
}

type World = Awaited<ReturnType<typeof groupOfAda>>;

/** A program of one's own making says so many parts under a secret, and of each parcel only the first. */
async function flood({ time, network, all }: World, secret: Uint8Array, count: number): Promise<Buffer[]> {
  const mal = network.createSwarm(parseTransportKey(systemRandom(32)));
  await mal.start();
  for (const { swarm } of [all[0], all[1], all[3]]) {
    await mal.dial({ transportKey: swarm.transportKey, addresses: swarm.addresses() });
  }
  const topic = groupTopic(secret, dayOf(time.clock()));
  mal.pubsub().join(topic, () => 'ignore');
  const sent: Buffer[] = [];
  for (let left = count; left > 0; left--) {
    const id = systemRandom(PARCEL_ID_BYTES);
    const body = encodeParcel({ what: 'post', id, index: 0, count: 2, bytes: Buffer.alloc(1) });
    const envelope = encodeEnvelope(sealEnvelope(deriveMailboxKeys(secret), 'group', body, time.clock(), systemRandom));
    assert.equal(await mal.pubsub().publish(topic, envelope), 3);
    sent.push(envelope);
    await time.pass(100);
  }
  await mal.stop();
  return sent;
}

function waiting({ all }: World, group: GroupId): number[] {
  return [all[1], all[3]].map(({ store }) => store.groupInbox.listOf(group).length);
}

it('long texts come though somebody who was removed fills the room for parts with what is never whole', async () => {
  const world = await groupOfAda();
  const { time, all, group } = world;
  const [ada, ben, cem, dan] = all;
  const known = Uint8Array.from(cem.messenger.groups.secretsOf(group)[0]?.secret ?? []);
  await time.run(ada.messenger.groups.change(group, { kind: 'remove', member: cem.id }));
  await time.until(() => [ada, ben, dan].every(person => membersOf(person, group) === 3));
  await cem.stop();
  await time.pass(10 * MINUTE_MS);
  const sent = await flood(world, known, LIMITS.groupInbox);
  assert.deepEqual(waiting(world, group), [LIMITS.groupOldInbox, LIMITS.groupOldInbox]);
  const first = envelopeIdOf(sent[0] as Buffer);
  assert.ok(!dan.store.seen.has(first) && !dan.store.custody.has(first), 'what had to go is as if it had not come');
  const long = 'x'.repeat(LIMITS.groupPartBytes + 1);
  await time.run(ben.messenger.groups.send(group, long));
  await time.until(have([ada, ben, dan], group, long), MINUTE_MS);
});

it('long texts come though a member has filled the room for parts; what has waited longest goes', async () => {
  const world = await groupOfAda();
  const { time, all, group } = world;
  const [ada, ben, , dan] = all;
  const secret = ben.messenger.groups.secretsOf(group)[0]?.secret ?? Buffer.alloc(0);
  const sent = await flood(world, secret, LIMITS.groupInbox);
  assert.deepEqual(waiting(world, group), [LIMITS.groupInbox, LIMITS.groupInbox]);
  const long = 'x'.repeat(LIMITS.groupPartBytes + 1);
  await time.run(ben.messenger.groups.send(group, long));
  await time.until(have([ada, ben, dan], group, long), HOUR_MS);
  const seen = sent.map(envelope => dan.store.seen.has(envelopeIdOf(envelope)));
  assert.ok(seen.includes(false) && seen.at(-1), 'the oldest went, and may come again');
});
