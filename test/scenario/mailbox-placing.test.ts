import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { DAY_MS, HOUR_MS, SECOND_MS } from '../../core/base/clock.ts';
import { type ContactId, type EnvelopeId, parseEnvelopeId } from '../../core/base/ids.ts';
import { LIMITS } from '../../core/base/limits.ts';
import { systemRandom } from '../../core/base/world.io.ts';
import { Placing } from '../../core/state/placing.ts';
import { Presence } from '../../core/state/presence.ts';
import { threeFriendsAndDan } from '../support/people.ts';
import type { Person } from '../support/person.ts';

const TEXTS = 3 * LIMITS.depositWindow;

/** Ada and Cleo know Ben; Ada knows Dan, who knows nobody else. */
async function friends() {
  const { time, network, ada, ben, cleo, dan } = await threeFriendsAndDan();
  const benId = ben.id;
  const held = (text: number) => ada.messenger.placing.heldOf(textId(ada, benId, text));
  return { time, network, ada, ben, cleo, dan, benId, held };
}

describe('placing', () => {
  it('a custodian that does not answer holds up nobody, and is asked nothing for an hour, on a new connection too', async () => {
    const { time, network, ada, ben, cleo, dan, benId } = await friends();
    const asked = depositsWith(dan, () => new Promise(() => undefined));
    await ben.stop();
    for (let text = 0; text < TEXTS; text += 1) await ada.say(benId, `text ${text}`);
    await time.until(() => cleo.messenger.custody.usage.envelopes >= TEXTS, 20 * SECOND_MS);
    await time.pass(2 * LIMITS.depositAnswerMs);
    assert.equal(asked(), LIMITS.depositWindow);
    network.cut(ada.swarm.transportKey, dan.swarm.transportKey);
    await time.pass(LIMITS.custodianSilentMs / 2);
    assert.ok(ada.messenger.isOnline({ transportKey: dan.swarm.transportKey }), 'they are connected again');
    assert.equal(asked(), LIMITS.depositWindow);
    await time.until(() => asked() > LIMITS.depositWindow, HOUR_MS);
  });

  it('one that does not know the recipient is asked once, not for every envelope', async () => {
    const { time, ada, ben, cleo, dan, benId } = await friends();
    const custody = dan.messenger.custody;
    const deposit = custody.deposit.bind(custody);
    const asked = depositsWith(dan, deposit);
    await ben.stop();
    await ada.say(benId, 'first');
    await time.until(() => asked() === 1);
    await time.pass(SECOND_MS);
    for (let text = 0; text < TEXTS; text += 1) await ada.say(benId, `text ${text}`);
    await time.until(() => cleo.messenger.custody.usage.envelopes > TEXTS, 20 * SECOND_MS);
    assert.equal(asked(), 1);
    await time.jump(DAY_MS);
    await time.until(() => asked() > 1);
  });

  it('a custodian that takes no more still counts for what it has promised', async () => {
    const { time, ada, ben, cleo, benId, held } = await friends();
    await ben.stop();
    await ada.say(benId, 'kept');
    await time.until(() => held(0).heldBy === 1);
    cleo.holds = false;
    cleo.messenger.holdsChanged();
    await time.pass(LIMITS.depositAnswerMs);
    assert.equal(held(0).heldBy, 1);
    await ada.say(benId, 'not taken');
    await time.pass(LIMITS.depositAnswerMs);
    assert.equal(held(0).heldBy, 0);
  });

  it('tells when nobody is known to hold a text any more, though nothing happened but time', async () => {
    const { time, ada, ben, cleo, benId, held } = await friends();
    await ben.stop();
    await ada.say(benId, 'forgotten');
    await time.until(() => held(0).heldBy === 1);
    await cleo.stop();
    const told = () => ada.events.flatMap(event => (event.type === 'message-held' ? event.held : []));
    await time.jump(DAY_MS);
    await time.until(() => told().at(-1)?.heldBy === 0);
    assert.deepEqual(told(), [
      { ...told()[0], heldBy: 1 },
      { heldBy: 0, untilMs: null, unseen: 1 },
    ]);
  });

  it('an envelope that ends while a receipt for it is written leaves no receipt', async () => {
    const { time, ada, ben, cleo, benId } = await friends();
    await ben.stop();
    const { store } = ada;
    const put = store.placements.put.bind(store.placements);
    const ended: EnvelopeId[] = [];
    store.placements.put = (tx, row) => {
      put(tx, row);
      store.outbox.remove(tx, row.envelopeId);
      ended.push(row.envelopeId);
      ada.messenger.placing.ended([row.envelopeId]);
    };
    await ada.say(benId, 'delivered meanwhile');
    await time.until(() => ended.length === 1);
    await time.until(() => cleo.messenger.custody.usage.envelopes === 0);
    assert.deepEqual([...store.placements.all()], []);
  });

  it('past the number of envelopes kept in mind, states are read from the receipts', async () => {
    const { time, ada, ben, cleo, benId, held } = await friends();
    await ben.stop();
    await ada.say(benId, 'the last of very many');
    await time.until(() => held(0).heldBy === 1);
    await cleo.stop();
    await fillOutbox(ada, benId, LIMITS.placements, 0);
    await ada.stop();
    await ada.start();
    assert.equal(held(0).heldBy, 1);
  });

  it('who comes and can hold nothing more, and a minute that passes, set off no work for a full outbox', async () => {
    const { time, ada, ben, cleo, benId } = await friends();
    await ben.stop();
    await fillOutbox(ada, benId, 1_000, 3);
    const { context, swarm } = ada.messenger;
    let timers = 0;
    const scheduler: typeof context.scheduler = (delayMs, run) => {
      timers += 1;
      return context.scheduler(delayMs, run);
    };
    const presence = new Presence(
      context,
      swarm,
      () => undefined,
      () => true,
    );
    const placing = new Placing({ ...context, scheduler }, swarm, presence);
    await placing.start();
    await time.pass(SECOND_MS);
    assert.ok(timers > 0, 'at the start everything is looked at');
    timers = 0;
    placing.presenceChanged(cleo.id);
    placing.sweep();
    await time.pass(SECOND_MS);
    assert.equal(timers, 0);
    placing.stop();
  });
});

/** Text number `back` of what was said, counted from the last. */
function textId(person: Person, to: ContactId, back: number) {
  const contact = person.store.contacts.get(to);
  assert.ok(contact);
  const text = person.store.messages.newest(contact.conversation, back + 1).at(-1 - back);
  assert.ok(text);
  return text.id;
}

/** Has a custodian answer deposits in another way. @returns how many it was asked for */
function depositsWith(person: Person, deposit: Person['messenger']['custody']['deposit']): () => number {
  let asked = 0;
  person.messenger.custody.deposit = (...item) => {
    asked += 1;
    return deposit(...item);
  };
  return () => asked;
}

/** Envelopes older than all others, held by so many of the contacts. */
async function fillOutbox(person: Person, contact: ContactId, count: number, holders: number): Promise<void> {
  const { store } = person;
  const { clock } = person.messenger.context;
  const custodians = [...store.contacts.list().map(({ id }) => id), contact].filter(id => id !== contact);
  const expiresAtMs = clock() + 7 * DAY_MS;
  await store.write(tx => {
    for (let seq = 1; seq <= count; seq += 1) {
      const envelopeId = parseEnvelopeId(systemRandom(32));
      const envelope = Buffer.alloc(283);
      const at = { envelopeId, contact, messageId: null };
      store.outbox.put(tx, { ...at, seq: holders > 0 ? clock() * 64 + seq : seq, envelope, expiresAtMs });
      for (const custodian of custodians.slice(0, holders)) {
        const receipt = Buffer.alloc(148);
        store.placements.put(tx, { ...at, custodian, changedAtMs: clock(), untilMs: expiresAtMs, receipt });
      }
    }
  });
}
