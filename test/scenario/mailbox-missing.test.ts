import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { DAY_MS, HOUR_MS, MINUTE_MS, SECOND_MS } from '../../core/base/clock.ts';
import type { HlcTime } from '../../core/base/hlc.ts';
import { type MessageId, messageIdFromBytes } from '../../core/base/ids.ts';
import { LIMITS } from '../../core/base/limits.ts';
import { systemRandom } from '../../core/base/world.io.ts';
import type { Turn } from '../../core/state/turn.ts';
import { encodeContent } from '../../core/wire/content.ts';
import { twoFriends } from '../support/people.ts';
import { Person } from '../support/person.ts';

async function talkers() {
  const { time, network, ada, ben } = await twoFriends();
  await time.pass(30 * SECOND_MS);
  return { time, network, ada, ben, adaId: ada.id, benId: ben.id };
}

function conversationWith(person: Person, other: Person['id']) {
  const contact = person.store.contacts.get(other);
  assert.ok(contact);
  return contact.conversation;
}

const awaited = (person: Person, other: Person['id']) =>
  person.store.messages.awaitedOf(conversationWith(person, other), 100).map(({ id }) => id);

/** Texts that count as delivered and never came. */
async function lose(person: Person, to: Person['id'], count: number): Promise<void> {
  for (let number = 0; number < count; number += 1) await person.say(to, `lost ${number}`);
  const { messages, outbox } = person.store;
  const ids = messages.undelivered(conversationWith(person, to), count);
  assert.equal(ids.length, count);
  await person.store.write(tx => {
    outbox.removeAllOf(tx, to);
    for (const id of ids) messages.setState(tx, id, { state: 'delivered', atMs: 1, receipt: null });
  });
}

/** A text that a changed program sends: any time, any parents. */
function forge(person: Person, to: Person['id'], hlc: HlcTime, parents: readonly MessageId[], text: string) {
  const change = (turn: Turn): void => {
    const content = encodeContent({ kind: 'text', hlc, parents, text });
    const sealed = turn.sessions.encrypt(Buffer.concat([turn.stamp(), content]), systemRandom);
    assert.ok(sealed);
    turn.post('ratchet', sealed, null);
  };
  return person.messenger.ask(to, { kind: 'change', change });
}

/** How often this person asks from now on, and for what. */
function questionsOf(person: Person, to: Person['id']): MessageId[][] {
  const asked: MessageId[][] = [];
  const { messenger } = person;
  const ask = messenger.ask.bind(messenger);
  messenger.ask = (contact, step) => {
    if (contact === to && step.kind === 'ask-missing') asked.push([...step.ids]);
    return ask(contact, step);
  };
  return asked;
}

describe('texts that are missing', () => {
  it('a thousand in a row are back within half an hour, in order, and the questions are few', async () => {
    const { time, ada, ben, adaId, benId } = await talkers();
    await ben.stop();
    await lose(ada, benId, 1_000);
    await ben.start();
    const asked = questionsOf(ben, adaId);
    await ada.say(benId, 'did you get all that?');
    await time.until(() => awaited(ben, adaId).length > 0);
    await time.until(() => awaited(ben, adaId).length === 0, 30 * MINUTE_MS);
    assert.equal(ben.heard(adaId).length, 1_001);
    assert.deepEqual(ben.heard(adaId), ada.heard(benId));
    const newest = ben.store.messages.newest(conversationWith(ben, adaId), 1)[0];
    assert.equal(ben.store.messages.completeUpTo(conversationWith(ben, adaId))?.id, newest?.id);
    assert.ok(asked.length <= 16, `${asked.length} questions`);
    await time.pass(HOUR_MS);
    assert.ok(asked.length <= 16);
    assert.equal(ada.store.outbox.countOf(benId), 0);
  });

  it('a single one is sent again alone', async () => {
    const { time, ada, ben, adaId, benId } = await talkers();
    for (let number = 0; number < 20; number += 1) await ada.say(benId, `came ${number}`);
    await time.until(() => ada.states(benId).every(state => state === 'delivered'));
    await ben.stop();
    await lose(ada, benId, 1);
    await ben.start();
    await ada.say(benId, 'after it');
    await time.until(() => ben.heard(adaId).length === 22, 5 * MINUTE_MS);
    assert.equal(ada.messenger.context.gaps.answeredTo(benId), 1);
  });

  it('one that expired unread is asked for, comes, and is delivered after all', async () => {
    const { time, ada, ben, adaId, benId } = await talkers();
    await ben.stop();
    await ada.say(benId, 'nobody read this');
    await time.jump(8 * DAY_MS);
    await time.until(() => ada.states(benId).includes('expired'), 5 * MINUTE_MS);
    await ben.start();
    await ada.say(benId, 'hello again');
    await time.until(() => ben.heard(adaId).length === 2, 30 * MINUTE_MS);
    assert.deepEqual(ben.heard(adaId), ['nobody read this', 'hello again']);
    await time.until(() => ada.states(benId).every(state => state === 'delivered'), 5 * MINUTE_MS);
  });

  it('one that a custodian lost comes by another answer, though author and recipient never meet', async () => {
    const { time, network, ada, ben, adaId, benId } = await talkers();
    const cleo = await Person.create('Cleo', network, time);
    await ada.meet(cleo);
    await ben.meet(cleo);
    await time.pass(30 * SECOND_MS);
    network.part(ada.swarm.transportKey, ben.swarm.transportKey);
    await ben.stop();
    await ada.say(benId, 'first');
    await ada.say(benId, 'second');
    await time.until(() => cleo.messenger.custody.usage.envelopes === 2);
    const [first] = ada.store.outbox.listOf(benId, 10);
    assert.ok(first);
    await ada.stop();
    await cleo.store.write(tx => cleo.store.custody.remove(tx, first.envelopeId));
    await ben.start();
    await time.until(() => ben.heard(adaId).length === 1, MINUTE_MS);
    assert.deepEqual(ben.heard(adaId), ['second']);
    // The question waits at Cleo's, beside the receipt.
    await time.until(() => cleo.messenger.custody.usage.envelopes === 2, 2 * HOUR_MS);
    await ben.stop();
    await ada.start();
    await time.pass(5 * MINUTE_MS);
    await ada.stop();
    await ben.start();
    await time.until(() => ben.heard(adaId).length === 2, 5 * MINUTE_MS);
    assert.deepEqual(ben.heard(adaId), ['first', 'second']);
    assert.deepEqual(awaited(ben, adaId), []);
  });

  it('one that can never come is asked for a few times, says so for ever, and keeps no other from coming', async () => {
    const { time, ada, ben, adaId, benId } = await talkers();
    await ada.say(benId, 'whole up to here');
    await time.until(() => ada.states(benId).every(state => state === 'delivered'));
    const [whole] = ben.store.messages.newest(conversationWith(ben, adaId), 1);
    assert.ok(whole);
    const asked = questionsOf(ben, adaId);
    const never = Array.from({ length: 40 }, () => messageIdFromBytes(systemRandom(16)));
    for (let at = 0; at < never.length; at += LIMITS.parents) {
      const hlc = { ms: time.nowMs + 1 + at, counter: 0 };
      await forge(ada, benId, hlc, never.slice(at, at + LIMITS.parents), `answer to nothing ${at}`);
    }
    await time.until(() => awaited(ben, adaId).length === never.length);
    await time.pass(23 * HOUR_MS);
    const timesAsked = asked.flat().filter(id => id === never[0]).length;
    assert.equal(timesAsked, LIMITS.missingAsks);
    assert.equal(asked.flat().length, never.length * LIMITS.missingAsks);
    assert.equal(ben.store.messages.completeUpTo(conversationWith(ben, adaId))?.id, whole.id);
    await ben.stop();
    await lose(ada, benId, 1);
    await ben.start();
    await ada.say(benId, 'after it');
    await time.until(() => ben.heard(adaId).includes('lost 0'), 10 * MINUTE_MS);
    assert.deepEqual(awaited(ben, adaId).sort(), [...never].sort());
    assert.equal(ben.store.messages.completeUpTo(conversationWith(ben, adaId))?.id, whole.id);
  });

  it('one whose author has removed the contact is asked for a few times, through nobody but custodians', async () => {
    const { time, ada, ben, adaId, benId } = await talkers();
    await ben.stop();
    await lose(ada, benId, 1);
    await ben.start();
    await ada.say(benId, 'after it');
    await time.until(() => ben.heard(adaId).includes('after it'));
    await time.run(ada.messenger.removeContact(benId));
    const asked = questionsOf(ben, adaId);
    await time.jump(2 * HOUR_MS);
    for (let day = 0; day < 300; day += 1) {
      await time.jump(DAY_MS);
      await time.pass(MINUTE_MS);
    }
    assert.ok(asked.length > 0 && asked.length <= LIMITS.missingAsks, `${asked.length} questions`);
    assert.equal(awaited(ben, adaId).length, 1);
    assert.ok(ben.store.outbox.countOf(adaId) <= 4);
  });

  it('a contact that asks for ever gets no more than an hour’s share', async () => {
    const { time, ada, ben, adaId, benId } = await talkers();
    for (let number = 0; number < 40; number += 1) await ada.say(benId, `text ${number}`);
    await time.until(() => ada.states(benId).every(state => state === 'delivered'));
    const ids = ada.store.messages.newest(conversationWith(ada, benId), LIMITS.missingIds).map(({ id }) => id);
    const questions = (LIMITS.missingAnswers / LIMITS.missingIds) * 2;
    for (let question = 0; question < questions; question += 1) {
      await ben.messenger.ask(adaId, { kind: 'send-control', content: { kind: 'missing', ids } });
      // Ben takes what he asks for: the bound on what waits is not the one that is met.
      await time.until(() => ada.store.outbox.countOf(benId) + ben.store.outbox.countOf(adaId) === 0);
    }
    assert.equal(ada.messenger.context.gaps.answeredTo(benId), LIMITS.missingAnswers);
    assert.equal(ben.heard(adaId).length, 40);
  });
});

describe('texts of one and the same time', () => {
  it('are taken up to a bound, in one turn and in many, and what was said later comes', async () => {
    const { time, ada, ben, adaId, benId } = await talkers();
    const hlc = { ms: time.nowMs, counter: 7 };
    for (let number = 0; number < 3 * LIMITS.equalTimes; number += 1) {
      await forge(ada, benId, hlc, [], `at once ${number}`);
      if (number % 50 === 0) await time.pass(SECOND_MS);
    }
    await time.pass(10 * SECOND_MS);
    assert.equal(ben.heard(adaId).length, LIMITS.equalTimes);
    await ada.say(benId, 'later');
    await time.until(() => ben.heard(adaId).at(-1) === 'later');
    await ben.say(adaId, 'I am still here');
    await time.until(() => ada.heard(benId).at(-1) === 'I am still here');
  });
});
