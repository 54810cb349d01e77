import assert from 'node:assert/strict';
import { it } from 'node:test';
import { MINUTE_MS } from '../../core/base/clock.ts';
import { currentTags } from '../../core/crypto/mailbox-seal.ts';
import { groupOf, have } from '../support/group-people.ts';

const TEXTS = 6;

it('of a group’s talk only what lasts waits in the own mailbox of a contact who is away', async () => {
  const { time, all, group } = await groupOf(['Ada', 'Ben', 'Cem']);
  const [ada, ben, cem] = all;
  await time.pass(5 * MINUTE_MS);
  const { tagKey, sealKey } = cem.messenger.context.account.mailbox;
  const keys = { tagKey: Buffer.from(tagKey), sealKey: Buffer.from(sealKey) };
  await cem.stop();
  const waiting = () =>
    ada.store.outbox.count() + ada.store.custody.usageOfTags(currentTags(keys, time.clock())).envelopes;
  const before = waiting();
  for (let said = 0; said < TEXTS; said += 1) {
    await time.run(ben.messenger.groups.send(group, `text ${said}`));
    await time.until(have([ada, ben], group, `text ${said}`));
    // Long enough for Ada to say that she has it.
    await time.pass(2 * MINUTE_MS);
  }
  assert.equal(waiting() - before, TEXTS, 'what Ben said, held by Ada');
});
