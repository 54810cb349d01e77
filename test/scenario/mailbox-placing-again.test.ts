import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { DAY_MS, MINUTE_MS, SECOND_MS } from '../../core/base/clock.ts';
import { type ContactId, type MessageId, messageIdFromBytes } from '../../core/base/ids.ts';
import { LIMITS } from '../../core/base/limits.ts';
import { systemRandom } from '../../core/base/world.io.ts';
import { encodeEnvelope, envelopeIdOf, expiryHours, SEALED_BUCKETS, TAG_BYTES } from '../../core/wire/envelope.ts';
import { threeFriendsAndDan } from '../support/people.ts';
import type { Person } from '../support/person.ts';
import type { VirtualTime } from '../support/virtual-time.ts';

const YEAR_MS = 365 * DAY_MS;

/** Ada, Ben and Cleo know each other; Ada alone knows Dan. */
async function friends() {
  const { time, network, ada, ben, cleo, dan } = await threeFriendsAndDan();
  const benId = ben.id;
  const held = (id: string) => ada.messenger.placing.heldOf(id as MessageId);
  return { time, network, ada, ben, cleo, dan, benId, held };
}

describe('placing, when something is undone', () => {
  it('what waits for one recipient, however much it is, keeps no envelope for another from being placed', async () => {
    const { time, ada, ben, dan, benId, held } = await friends();
    const danId = dan.id;
    await dan.stop();
    const texts = await post(ada, danId, LIMITS.placements + 1_000);
    await ben.stop();
    await time.pass(SECOND_MS);
    const text = await ada.say(benId, 'Cleo can hold it');
    await time.until(() => held(text).heldBy === 1, 5 * MINUTE_MS);
    const { placing } = ada.messenger;
    assert.ok(
      texts.every(id => placing.carries(id)),
      'in mind or in the store alone',
    );
    assert.equal(placing.carries(newId()), false);
  });

  it('at a start too, each recipient has its part', async () => {
    const { time, ada, ben, cleo, dan, benId, held } = await friends();
    const danId = dan.id;
    await dan.stop();
    await cleo.stop();
    await ben.stop();
    await post(ada, danId, LIMITS.placements);
    const text = await ada.say(benId, 'the newest of all');
    await ada.stop();
    await ada.start();
    await cleo.start();
    await time.until(() => held(text).heldBy === 1, 10 * MINUTE_MS);
  });

  it('a contact removed and added again does not count for what it promised before', async () => {
    const { time, ada, ben, cleo, benId, held } = await friends();
    await ben.stop();
    const text = await ada.say(benId, 'kept by Cleo');
    await time.until(() => held(text).heldBy === 1);
    const told = () => ada.events.flatMap(event => (event.type === 'message-held' ? event.held : [])).at(-1);
    const adaId = ada.id;
    await time.run(ada.messenger.removeContact(cleo.id));
    assert.equal(told()?.heldBy, 0, 'told at once');
    await time.run(cleo.messenger.removeContact(adaId));
    await ada.meet(cleo);
    assert.equal(held(text).heldBy, 0);
    await time.until(() => held(text).heldBy === 1, 5 * MINUTE_MS);
    assert.equal(ada.store.placements.listOfMessage(text as MessageId).length, 1, 'by a receipt of its own');
  });

  it('a custodian that holds again is asked for what it refused while it did not', async () => {
    const { time, ada, ben, cleo, benId, held } = await friends();
    await ben.stop();
    cleo.holds = false;
    const text = await ada.say(benId, 'refused');
    await time.pass(5 * SECOND_MS);
    assert.equal(held(text).heldBy, 0);
    cleo.messenger.holdsChanged();
    await time.pass(5 * SECOND_MS);
    cleo.holds = true;
    cleo.messenger.holdsChanged();
    await time.until(() => held(text).heldBy === 1, MINUTE_MS);
  });

  it('a clock that was years ahead makes nobody seen for ever', async () => {
    const { time, ada, ben, cleo, benId, held } = await friends();
    await ben.stop();
    const text = await ada.say(benId, 'kept by Cleo');
    await time.until(() => held(text).heldBy === 1);
    ada.clockErrorMs = 10 * YEAR_MS;
    await time.pass(2 * MINUTE_MS);
    await cleo.stop();
    ada.clockErrorMs = 0;
    await time.pass(2 * MINUTE_MS);
    await time.jump(3 * DAY_MS);
    await time.pass(2 * MINUTE_MS);
    assert.deepEqual(held(text), { heldBy: 0, untilMs: null, unseen: 1 });
    await ada.stop();
    await ada.start();
    assert.deepEqual(held(text), { heldBy: 0, untilMs: null, unseen: 1 }, 'after a new start too');
  });

  it('a custodian whose line is slow is not silent as long as it answers one after another', async () => {
    const { time, ada, ben, cleo, benId, held } = await friends();
    await ben.stop();
    const { custody } = cleo.messenger;
    const deposit = custody.deposit.bind(custody);
    let last: Promise<unknown> = Promise.resolve();
    custody.deposit = (...item) => {
      const answer = last.then(() => slowly(time)).then(() => deposit(...item));
      last = answer.catch(() => undefined);
      return answer;
    };
    const texts: string[] = [];
    for (let text = 0; text < 4; text += 1) texts.push(await ada.say(benId, `text ${text}`));
    await time.until(() => texts.every(id => held(id).heldBy === 1), 3 * LIMITS.depositAnswerMs);
  });
});

/** Two thirds of the time an answer may take. */
function slowly(time: VirtualTime): Promise<void> {
  return new Promise(done => {
    time.scheduler((2 * LIMITS.depositAnswerMs) / 3, done);
  });
}

function newId(): MessageId {
  return messageIdFromBytes(systemRandom(16));
}

/** Envelopes for one contact, each with a text of its own, as though just sealed. */
async function post(person: Person, contact: ContactId, count: number): Promise<MessageId[]> {
  const { store, clock } = person.messenger.context;
  const expiresAtMs = clock() + 7 * DAY_MS;
  const posted = Array.from({ length: count }, (_, at) => {
    const sealed = systemRandom(SEALED_BUCKETS[0] as number);
    const envelope = encodeEnvelope({ tag: systemRandom(TAG_BYTES), expiresAtHours: expiryHours(expiresAtMs), sealed });
    return { envelopeId: envelopeIdOf(envelope), contact, messageId: newId(), envelope, seq: at + 1, expiresAtMs };
  });
  await store.write(tx => {
    for (const each of posted) store.outbox.put(tx, each);
  });
  person.messenger.placing.posted(posted);
  return posted.map(({ messageId }) => messageId);
}
