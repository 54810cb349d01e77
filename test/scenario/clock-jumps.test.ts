import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { hex } from '../../core/base/bytes.ts';
import { DAY_MS, HOUR_MS, MINUTE_MS } from '../../core/base/clock.ts';
import { compareHlc } from '../../core/base/hlc.ts';
import { LIMITS } from '../../core/base/limits.ts';
import { openCard } from '../../core/crypto/card.ts';
import { people } from '../support/people.ts';
import type { Person } from '../support/person.ts';

const YEARS_MS = 10 * 365 * DAY_MS;

/** Ada talks with Ben, who is away and has a text to come; Cleo waits to be accepted; an invite is open. */
async function everythingPending() {
  const { time, network, all } = await people(['Ada', 'Ben', 'Cleo']);
  const [ada, ben, cleo] = all;
  await ada.meet(ben);
  const benId = ben.id;
  await ben.say(ada.id, 'seen before');
  await time.until(() => ben.states(ada.id).every(state => state === 'delivered'));
  const { invite } = await ada.messenger.createInvite();
  await time.run(cleo.messenger.addContact(invite, ''));
  await time.until(() => ada.store.requests.list().length === 1);
  await ben.stop();
  await ada.say(benId, 'wait for me');
  return { time, network, ada, ben, cleo, benId };
}

function seenIn(person: Person): number {
  return [...person.rows.range(Buffer.of(22), Buffer.of(23))].length;
}

function kept(person: Person, benId: Person['id']) {
  const { invites, prekeys, requests, outbox } = person.store;
  return {
    invites: invites.list().map(({ secret }) => hex(secret)),
    requests: requests.list().map(({ id }) => id as string),
    prekeys: prekeys.list().map(({ id, bytes }) => [id, hex(bytes)].join(' ')),
    envelopes: outbox.listOf(benId, 100).map(({ envelopeId }) => hex(envelopeId)),
    seen: seenIn(person),
  };
}

function assertNothingLost(before: ReturnType<typeof kept>, after: ReturnType<typeof kept>): void {
  assert.ok(before.seen > 0 && before.envelopes.length > 0 && before.prekeys.length > 0);
  for (const what of ['invites', 'requests', 'prekeys', 'envelopes'] as const) {
    assert.deepEqual(
      before[what].filter(item => !after[what].includes(item)),
      [],
      what,
    );
  }
  assert.ok(after.seen >= before.seen);
}

for (const [name, offsetMs] of [
  ['ten years ahead', YEARS_MS],
  ['ten years back', -YEARS_MS],
] as const) {
  describe(`a clock set ${name}`, () => {
    it('for hours and right again, while running or between two runs: all that waited is there, and comes once', async () => {
      for (const running of [true, false]) {
        const { time, ada, ben, cleo, benId } = await everythingPending();
        const before = kept(ada, benId);
        const set = async (errorMs: number): Promise<void> => {
          if (!running) await ada.stop();
          ada.clockErrorMs = errorMs;
          if (!running) await ada.start();
          await time.pass(5 * MINUTE_MS);
        };
        await set(offsetMs);
        await time.pass(3 * HOUR_MS);
        assertNothingLost(before, kept(ada, benId));
        await set(0);
        assertNothingLost(before, kept(ada, benId));
        await ben.start();
        await time.until(() => ada.states(benId).at(-1) === 'delivered', 30 * MINUTE_MS);
        assert.deepEqual(ben.heard(ada.id).sort(), ['seen before', 'wait for me']);
        assert.deepEqual(ada.heard(benId).sort(), ['seen before', 'wait for me']);
        await time.run(ada.messenger.acceptRequest(cleo.id));
        await cleo.say(ada.id, 'at last');
        await time.until(() => ada.heard(cleo.id).includes('at last'), 30 * MINUTE_MS);
      }
    });

    it('reuses no number: times, prekeys and the outbox go on from where they were', async () => {
      const { time, ada, ben, benId } = await everythingPending();
      await ben.start();
      const prekeys = new Map<number, string>();
      const sequences: number[] = [];
      const note = (): void => {
        for (const { id, bytes } of ada.store.prekeys.list()) {
          assert.equal(prekeys.get(id) ?? hex(bytes), hex(bytes), 'one number, one key');
          prekeys.set(id, hex(bytes));
        }
      };
      for (const errorMs of [0, offsetMs, 0, offsetMs, 0]) {
        ada.clockErrorMs = errorMs;
        note();
        sequences.push(ada.messenger.context.sequence.next());
        await ada.say(benId, `said at ${sequences.length}`);
        await time.pass(30 * MINUTE_MS);
        note();
      }
      await time.until(() => ada.states(benId).every(state => state === 'delivered'), HOUR_MS);
      assert.ok(sequences.every((number, at) => at === 0 || number > (sequences[at - 1] as number)));
      const contact = ada.store.contacts.get(benId);
      assert.ok(contact);
      const own = ada.store.messages.newest(contact.conversation, 100).filter(({ outgoing }) => outgoing);
      assert.equal(own.length, 6);
      assert.ok(own.every(({ hlc }, at) => at === 0 || compareHlc(own[at - 1]?.hlc ?? hlc, hlc) < 0));
      assert.deepEqual(ben.heard(ada.id), ada.heard(benId));
    });

    it('prekeys go on being renewed weekly by the clock that is right, and are let go in three weeks', async () => {
      const { time, ada } = await everythingPending();
      ada.clockErrorMs = offsetMs;
      await time.pass(HOUR_MS);
      ada.clockErrorMs = 0;
      await time.pass(5 * MINUTE_MS);
      const ends = ada.store.prekeys.list().map(({ expiresAtMs }) => expiresAtMs - time.nowMs);
      assert.ok(ends.length >= 2 && ends.every(leftMs => leftMs > 0 && leftMs <= LIMITS.prekeyKeepMs));
      for (let week = 0; week < 2; week += 1) {
        await time.jump(7 * DAY_MS);
        await time.pass(5 * MINUTE_MS);
      }
      const offered = openCard(ada.messenger.context.account.card).prekeys.map(
        prekey => prekey.expiresAtMs - time.nowMs,
      );
      assert.ok(offered.every(leftMs => leftMs <= LIMITS.prekeyOfferMs));
      assert.ok(offered.some(leftMs => leftMs > 0));
    });

    it('a session begun meanwhile, that nobody answers, is begun again by the right clock', async () => {
      const { time, ada, ben, benId } = await everythingPending();
      await ben.start();
      ada.clockErrorMs = offsetMs;
      await ada.messenger.ask(benId, { kind: 'start-anew' });
      await time.pass(HOUR_MS);
      ada.clockErrorMs = 0;
      await ada.say(benId, 'and now?');
      await time.until(() => ada.states(benId).every(state => state === 'delivered'), 30 * MINUTE_MS);
      await ben.say(ada.id, 'I hear you');
      await time.until(() => ada.heard(benId).includes('I hear you'), 30 * MINUTE_MS);
    });
  });
}

it('a clock that stays ten years ahead lets go of everything in the end', async () => {
  const { time, ada } = await everythingPending();
  ada.clockErrorMs = YEARS_MS;
  await time.pass(5 * MINUTE_MS);
  const before = seenIn(ada);
  await time.jump(9 * DAY_MS);
  await time.pass(5 * MINUTE_MS);
  assert.deepEqual(ada.store.invites.list(), []);
  assert.ok(seenIn(ada) < before);
  await time.jump(6 * DAY_MS);
  await time.pass(5 * MINUTE_MS);
  assert.deepEqual(ada.store.requests.list(), []);
});
