import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { HOUR_MS, SECOND_MS } from '../../core/base/clock.ts';
import { StorageError } from '../../core/base/errors.ts';
import { parseTransportKey } from '../../core/base/ids.ts';
import { LIMITS } from '../../core/base/limits.ts';
import { systemRandom } from '../../core/base/world.io.ts';
import { CUSTODY_PROTOCOL, encodeCustody } from '../../core/wire/custody.ts';
import { encodeEnvelope } from '../../core/wire/envelope.ts';
import { threeFriends } from '../support/people.ts';
import { Person } from '../support/person.ts';

const FLOOD = 2_000;

async function asHelper(person: Person): Promise<void> {
  await person.stop();
  person.helper = true;
  await person.start();
}

function lastHeld(person: Person, to: Person['id']): number {
  const contact = person.store.contacts.get(to);
  assert.ok(contact);
  const last = person.store.messages.newest(contact.conversation, 1).at(-1);
  assert.ok(last);
  return person.messenger.placing.heldOf(last.id).heldBy;
}

describe('a custodian under load', () => {
  it('gives strangers who flood a helper a thousandth, and honest deposits go on', async () => {
    const { time, network, ada, ben, cleo } = await threeFriends();
    await asHelper(cleo);
    await time.until(() => ada.swarm.isConnected(cleo.swarm.transportKey), 600 * SECOND_MS);
    const stranger = network.createSwarm(parseTransportKey(systemRandom(32)));
    await stranger.start();
    await stranger.dial({ transportKey: cleo.swarm.transportKey, addresses: cleo.swarm.addresses() });
    const channel = await stranger.channel(cleo.swarm.transportKey, CUSTODY_PROTOCOL);
    let answers = 0;
    void (async () => {
      for await (const _ of channel.frames) answers += 1;
    })();
    const flood = (async () => {
      for (let number = 0; number < FLOOD; number += 1) {
        const expiresAtHours = Math.floor(time.clock() / HOUR_MS) + 24;
        const envelope = encodeEnvelope({ tag: systemRandom(16), expiresAtHours, sealed: systemRandom(1024) });
        await channel.send(encodeCustody({ kind: 'deposit', envelope }));
      }
    })();
    const benId = ben.id;
    await ben.stop();
    await ada.say(benId, 'through the flood');
    await time.until(() => lastHeld(ada, benId) === 1, 60 * SECOND_MS);
    await time.run(flood);
    await time.until(() => answers === FLOOD, 600 * SECOND_MS);
    const { bytes } = cleo.store.custody.usageOfDepositor(null);
    assert.ok(bytes > LIMITS.mailboxStrangerBytes / 2 && bytes <= LIMITS.mailboxStrangerBytes);
    assert.equal(cleo.store.custody.usageOfDepositor(ada.id).envelopes, 1);
  });

  it('whose disk is full promises nothing, and takes it when there is room again', async () => {
    const { time, network, ada, ben, cleo } = await threeFriends();
    const benId = ben.id;
    await ben.stop();
    const commit = cleo.rows.commit.bind(cleo.rows);
    cleo.rows.commit = async () => {
      throw new StorageError('disk-full', 'test', 'The disk is full.');
    };
    await ada.say(benId, 'is there room?');
    await time.pass(120 * SECOND_MS);
    assert.equal(lastHeld(ada, benId), 0);
    assert.equal(cleo.messenger.custody.usage.envelopes, 0);
    cleo.rows.commit = commit;
    network.cut(ada.swarm.transportKey, cleo.swarm.transportKey);
    await time.until(() => lastHeld(ada, benId) === 1, 120 * SECOND_MS);
    assert.equal(cleo.messenger.custody.usage.envelopes, 1);
  });

  it('that is lost while it is asked: another takes its place', async () => {
    const { time, network, ada, ben, cleo } = await threeFriends();
    const dan = await Person.create('Dan', network, time);
    await ada.meet(dan);
    await asHelper(dan);
    await time.until(() => ada.swarm.isConnected(dan.swarm.transportKey), 600 * SECOND_MS);
    await time.pass(30 * SECOND_MS);
    const benId = ben.id;
    await ben.stop();
    await cleo.stop();
    await ada.say(benId, 'one of you');
    await time.until(() => lastHeld(ada, benId) === 1, 60 * SECOND_MS);
    assert.equal(dan.messenger.custody.usage.envelopes, 1);
    // Dan does not know Ben: all a helper has is a tag.
    assert.equal(dan.store.custody.usageOfDepositor(ada.id).envelopes, 1);
    await cleo.start();
    await time.until(() => lastHeld(ada, benId) === 2, 120 * SECOND_MS);
  });
});
