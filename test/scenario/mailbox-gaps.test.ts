import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { HOUR_MS, SECOND_MS } from '../../core/base/clock.ts';
import { compareHlc } from '../../core/base/hlc.ts';
import { messageView } from '../../core/commands/views.ts';
import type { SentText } from '../../core/state/sending.ts';
import { MemoryRows } from '../../core/storage/memory-rows.ts';
import { twoFriends } from '../support/people.ts';
import type { Person } from '../support/person.ts';

const YEARS_MS = 10 * 365 * 24 * HOUR_MS;

const conversationOf = (person: Person) => {
  const [conversation] = person.store.conversations.list();
  assert.ok(conversation);
  return conversation.id;
};
const messagesOf = (person: Person) => person.store.messages.newest(conversationOf(person), 1_000);

describe('order and completeness', () => {
  it('a text that a profile put back has lost comes again, in its place', async () => {
    const { time, ada, ben } = await twoFriends();
    const say = async (text: string) => {
      await ada.say(ben.id, text);
      await time.until(() => ada.states(ben.id).every(state => state === 'delivered'), 180 * SECOND_MS);
      await time.pass(SECOND_MS);
    };
    await say('one');
    const backup = new MemoryRows();
    await backup.commit([...ben.rows.range(Buffer.alloc(0), Buffer.alloc(64, 0xff))]);
    await say('two');
    await ben.stop();
    await ben.putBack(backup);
    await ben.start();
    await say('three');
    await time.until(() => ben.heard(ada.id).length === 3, 300 * SECOND_MS);
    assert.deepEqual(ben.heard(ada.id), ['one', 'two', 'three']);
    assert.deepEqual(ben.store.messages.awaitedOf(conversationOf(ben), 10), []);
    assert.equal(ben.store.messages.completeUpTo(conversationOf(ben))?.id, messagesOf(ben).at(-1)?.id);
    await time.pass(60 * SECOND_MS);
    assert.deepEqual(ada.states(ben.id), ['delivered', 'delivered', 'delivered']);
  });

  it('a clock ten years off changes neither the order nor what comes, and the time shown is that of arrival', async () => {
    for (const offsetMs of [YEARS_MS, -YEARS_MS]) {
      const { time, ada, ben } = await twoFriends();
      const both = async (number: number) => {
        await ada.say(ben.id, `a${number}`);
        await time.until(() => ben.heard(ada.id).includes(`a${number}`), 60 * SECOND_MS);
        await ben.say(ada.id, `b${number}`);
        await time.until(() => ada.heard(ben.id).includes(`b${number}`), 60 * SECOND_MS);
      };
      await both(1);
      ada.clockErrorMs = offsetMs;
      await ada.say(ben.id, 'a2');
      await ben.say(ada.id, 'b2');
      await time.pass(30 * SECOND_MS);
      ada.clockErrorMs = 0;
      const all = () =>
        ada
          .states(ben.id)
          .concat(ben.states(ada.id))
          .every(state => state === 'delivered');
      await time.until(all, 900 * SECOND_MS);
      await both(3);
      assert.deepEqual(ada.heard(ben.id), ben.heard(ada.id));
      assert.deepEqual([...ada.heard(ben.id)].sort(), ['a1', 'a2', 'a3', 'b1', 'b2', 'b3']);
      assert.deepEqual(ada.heard(ben.id).slice(-2), ['a3', 'b3']);
      const inOrder = messagesOf(ben);
      assert.ok(
        inOrder.every((message, at) => at === 0 || compareHlc(inOrder[at - 1]?.hlc ?? message.hlc, message.hlc) <= 0),
      );
      const contact = ben.store.contacts.get(ada.id);
      assert.ok(contact);
      for (const message of inOrder) {
        const { sentAt } = messageView(ben.messenger, message, contact);
        assert.ok(Math.abs(sentAt - time.nowMs) < HOUR_MS);
      }
    }
  });

  it('an expired text is sent again as a new one; one that waits is not', async () => {
    const { time, ada, ben } = await twoFriends();
    const benId = ben.id;
    await ben.stop();
    await ada.say(benId, 'too late');
    const [lost] = messagesOf(ada);
    assert.ok(lost);
    const again = () => ada.messenger.ask<SentText>(benId, { kind: 'send-again', id: lost.id });
    await assert.rejects(again(), { code: 'refused' });
    await time.jump(8 * 24 * HOUR_MS);
    assert.deepEqual(ada.states(benId), ['expired']);
    const { message } = await again();
    assert.notEqual(message.id, lost.id);
    await ben.start();
    await time.until(() => ada.states(benId).at(-1) === 'delivered', 600 * SECOND_MS);
    assert.deepEqual(ada.states(benId), ['expired', 'delivered']);
    assert.deepEqual(ben.heard(ada.id), ['too late']);
  });
});
