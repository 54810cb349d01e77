import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { HOUR_MS, MINUTE_MS } from '../../core/base/clock.ts';
import type { EnvelopeId, GroupId, MessageId } from '../../core/base/ids.ts';
import { envelopeIdOf } from '../../core/wire/envelope.ts';
import { have, membersOf, textsOf } from '../support/group-people.ts';
import { people } from '../support/people.ts';
import type { Person } from '../support/person.ts';

/** Ada and Ben are in a group that Ada has made; Cem is in it where he is named. They know each other from it alone. */
async function groupOfAda(...named: readonly ('Ben' | 'Cem')[]) {
  const { time, all } = await people(['Ada', 'Ben', 'Cem']);
  const [ada, ben, cem] = all;
  for (const person of all) person.addable = true;
  for (const other of [ben, cem]) await ada.meet(other);
  await time.until(() => [ben, cem].every(({ id }) => ada.store.peerKeyPackages.get(id)));
  const ids = [ben, cem].filter(({ nick }) => named.some(name => name === nick)).map(({ id }) => id);
  const group = await time.run(ada.messenger.groups.create('Trip', ids));
  await time.until(() => membersOf(ben, group) === named.length + 1);
  await time.pass(3 * MINUTE_MS);
  return { time, ada, ben, cem, group };
}

function reachOf(person: Person, group: GroupId, id: MessageId): string {
  const reach = person.messenger.groups.reachOf(group, id);
  return `${reach?.deliveredTo} of ${reach?.of}, ${person.store.messages.stateOf(id)?.state}`;
}

describe('who has a text', () => {
  it('is nobody who was added after it was said, whatever they have of what came later', async () => {
    const { time, ada, ben, cem, group } = await groupOfAda('Ben');
    await ben.stop();
    await time.pass(MINUTE_MS);
    const before = await time.run(ada.messenger.groups.send(group, 'before Cem'));
    await time.run(ada.messenger.groups.add(group, cem.id));
    await time.until(() => membersOf(cem, group) === 3);
    const after = await time.run(ada.messenger.groups.send(group, 'hello Cem'));
    await time.until(() => reachOf(ada, group, after.id) === '1 of 2, sent');
    await time.run(cem.messenger.groups.send(group, 'hello Ada'));
    await time.until(have([ada, cem], group, 'hello Ada'));
    await time.pass(3 * MINUTE_MS);
    assert.deepEqual(textsOf(cem, group), ['hello Cem', 'hello Ada']);
    assert.equal(reachOf(ada, group, before.id), '0 of 1, queued');
    await ben.start();
    await time.until(() => reachOf(ada, group, before.id) === '1 of 1, sent');
    await time.until(() => reachOf(ada, group, after.id) === '2 of 2, sent');
  });

  it('is nobody who lacks it and has a later one, until it has come', async () => {
    const { time, ben, cem, group } = await groupOfAda('Ben', 'Cem');
    const first = await time.run(ben.messenger.groups.send(group, 'first'));
    await time.until(() => reachOf(ben, group, first.id) === '2 of 2, sent');
    const { store } = cem;
    await cem.stop();
    const sealed: EnvelopeId[] = [];
    const ignore = ben.messenger.groups.onPublish((_, envelope) => sealed.push(envelopeIdOf(envelope)));
    const lost = await time.run(ben.messenger.groups.send(group, 'lost'));
    ignore();
    const until = time.clock() + HOUR_MS;
    await store.write(tx => sealed.map(id => store.seen.add(tx, id, until)));
    await cem.start();
    const last = await time.run(ben.messenger.groups.send(group, 'last'));
    await time.until(have([cem], group, 'last'));
    await time.run(cem.messenger.groups.send(group, 'I have your last'));
    await time.until(have([ben], group, 'I have your last'));
    await time.pass(3 * MINUTE_MS);
    assert.deepEqual(textsOf(cem, group), ['first', 'last', 'I have your last']);
    for (const { id } of [lost, last]) assert.equal(reachOf(ben, group, id), '1 of 2, sent');
    await cem.store.write(tx => sealed.map(id => cem.store.seen.remove(tx, id)));
    await time.until(have([cem], group, 'lost'), HOUR_MS);
    for (const { id } of [lost, last]) await time.until(() => reachOf(ben, group, id) === '2 of 2, sent');
  });
});
