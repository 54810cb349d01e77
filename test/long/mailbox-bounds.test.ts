import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { MINUTE_MS, SECOND_MS } from '../../core/base/clock.ts';
import { LIMITS } from '../../core/base/limits.ts';
import { people } from '../support/people.ts';
import type { Person } from '../support/person.ts';

/** From now on this person acknowledges nothing. @returns how to end it */
function deafen(person: Person): () => void {
  const { intake } = person.messenger;
  const receive = intake.receive.bind(intake);
  intake.receive = () => Promise.reject(new Error('takes nothing'));
  return () => {
    intake.receive = receive;
  };
}

function keptFor(person: Person, contact: Person['id']) {
  const records = person.store.outbox.listOf(contact, 100_000);
  const bytes = records.reduce((sum, { envelope }) => sum + envelope.length, 0);
  return { envelopes: records.length, bytes };
}

function unread(person: Person, from: Person['id']): number {
  const conversation = person.store.contacts.get(from)?.conversation ?? assert.fail();
  return person.store.conversations.get(conversation)?.unread ?? assert.fail();
}

/** Ada has said `texts` of so many characters to Mal, who has them, takes nothing more and asks as often as is heard in an hour. */
async function asksForEver(texts: number, characters: number) {
  const { time, all } = await people(['Ada', 'Mal']);
  const [ada, mal] = all;
  await ada.meet(mal);
  const [adaId, malId] = [ada.id, mal.id];
  for (let at = 0; at < texts; at += 1) await ada.say(malId, `${at} `.padEnd(characters, 'x'));
  await time.until(() => ada.states(malId).every(state => state === 'delivered'));
  deafen(mal);
  for (let at = 0; at < LIMITS.missingAnswers / LIMITS.givenAgain; at += 1) {
    await mal.messenger.ask(adaId, { kind: 'send-control', content: { kind: 'again', after: null } });
    await time.until(() => mal.store.outbox.countOf(adaId) === 0);
  }
  return keptFor(ada, malId);
}

describe('what one contact can make another keep', () => {
  it('by asking for texts again for ever: a bounded number', async () => {
    const { envelopes } = await asksForEver(LIMITS.givenAgain, 1);
    assert.equal(envelopes, LIMITS.controlsWaiting);
  });

  it('by asking for long texts again for ever: a bounded number of bytes', async () => {
    const { envelopes, bytes } = await asksForEver(40, 30_000);
    assert.ok(envelopes > 40, 'some were given');
    assert.ok(bytes < LIMITS.missingAnswerBytes + 2 * LIMITS.envelopeBytes, `${bytes} bytes`);
  });

  it('by taking no receipts: a bounded number, for they are gathered, and none is missing in the end', async () => {
    const { time, all } = await people(['Ada', 'Mal']);
    const [ada, mal] = all;
    await ada.meet(mal);
    const [adaId, malId] = [ada.id, mal.id];
    await time.pass(10 * SECOND_MS);
    const hear = deafen(mal);
    const deafSinceMs = time.nowMs;
    const texts = LIMITS.controlsWaiting + 300;
    for (let said = 1; said <= texts; said += 1) {
      await mal.say(adaId, `text ${said}`);
      await time.until(() => unread(ada, malId) === said);
    }
    await ada.messenger.ask(malId, { kind: 'mark-read', upTo: undefined });
    await time.pass(LIMITS.mendMs + 2 * MINUTE_MS);
    const { envelopes } = keptFor(ada, malId);
    assert.ok(envelopes >= LIMITS.controlsWaiting, `${envelopes} envelopes`);
    const pauses = Math.ceil((time.nowMs - deafSinceMs) / LIMITS.mendMs);
    // Mal says what he has no receipt for again, so each pause both kinds go once for all texts.
    const gathered = 2 * pauses * Math.ceil(texts / LIMITS.receiptIds);
    assert.ok(envelopes <= LIMITS.controlsWaiting + gathered, `${envelopes} envelopes`);
    hear();
    await time.pass(LIMITS.mendMs + MINUTE_MS);
    assert.deepEqual([...new Set(mal.states(adaId))], ['read']);
  });
});

describe('what a custodian gave up for something newer', () => {
  it('is not shown as held while the connection lasts', async () => {
    const { time, all } = await people(['Ada', 'Ben', 'Cleo']);
    const [ada, ben, cleo] = all;
    for (const [one, other] of [
      [ada, ben],
      [ada, cleo],
      [ben, cleo],
    ] as const)
      await one.meet(other);
    await time.pass(30 * SECOND_MS);
    const benId = ben.id;
    await ben.stop();
    const over = 40;
    for (let at = 0; at < LIMITS.mailboxPerRecipient + over; at += 1) await ada.say(benId, `text ${at}`);
    await time.pass(5 * MINUTE_MS);
    assert.equal(cleo.messenger.custody.usage.envelopes, LIMITS.mailboxPerRecipient);
    const records = ada.store.outbox.listOf(benId, 100_000).filter(({ messageId }) => messageId !== null);
    assert.equal(records.length, LIMITS.mailboxPerRecipient + over);
    for (const { messageId, envelopeId } of records) {
      const { heldBy } = ada.messenger.placing.heldOf(messageId ?? assert.fail());
      assert.equal(heldBy, cleo.store.custody.has(envelopeId) ? 1 : 0);
    }
  });
});
