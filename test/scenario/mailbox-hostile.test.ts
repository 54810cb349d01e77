import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { hex } from '../../core/base/bytes.ts';
import { HOUR_MS, SECOND_MS } from '../../core/base/clock.ts';
import { parseTransportKey } from '../../core/base/ids.ts';
import { LIMITS } from '../../core/base/limits.ts';
import { systemRandom } from '../../core/base/world.io.ts';
import { openCard, signCard } from '../../core/crypto/card.ts';
import { currentTags, deriveMailboxKeys } from '../../core/crypto/mailbox-seal.ts';
import type { FrameChannel, Swarm } from '../../core/network/swarm.ts';
import { CUSTODY_PROTOCOL, type CustodyFrame, decodeCustody, encodeCustody } from '../../core/wire/custody.ts';
import { encodeEnvelope, envelopeIdOf } from '../../core/wire/envelope.ts';
import { encodeHello, HELLO_PROTOCOL } from '../../core/wire/hello.ts';
import { decodeSync, encodeSync, SYNC_PROTOCOL, type SyncFrame } from '../../core/wire/sync.ts';
import type { MemoryNetwork } from '../support/memory-network.ts';
import { people } from '../support/people.ts';
import type { Person } from '../support/person.ts';

function heldBy(person: Person, to: Person['id']): number {
  const conversation = person.store.contacts.get(to)?.conversation ?? assert.fail();
  const last = person.store.messages.newest(conversation, 1).at(-1) ?? assert.fail();
  return person.messenger.placing.heldOf(last.id).heldBy;
}

/** The tags of a contact, as whoever has its card knows them. */
function tagsOf(contact: Person['id'], asKnownTo: Person, nowMs: number): Buffer[] {
  return currentTags(deriveMailboxKeys(asKnownTo.store.contacts.get(contact)?.mailboxKey ?? assert.fail()), nowMs);
}

async function strangerTo(person: Person, network: MemoryNetwork): Promise<Swarm> {
  const stranger = network.createSwarm(parseTransportKey(systemRandom(32)));
  await stranger.start();
  await stranger.dial({ transportKey: person.swarm.transportKey, addresses: person.swarm.addresses() });
  return stranger;
}

/** Says frames of the custody protocol and keeps the answers. */
async function custodyLine(from: Swarm, to: Person) {
  const channel = await from.channel(to.swarm.transportKey, CUSTODY_PROTOCOL);
  const line = { answers: [] as CustodyFrame[], closed: false, say: (frame: CustodyFrame) => send(channel, frame) };
  const send = (on: FrameChannel, frame: CustodyFrame) => on.send(encodeCustody(frame));
  void (async () => {
    for await (const bytes of channel.frames) line.answers.push(decodeCustody(bytes));
    line.closed = true;
  })();
  return line;
}

/** Pulls everything under `tags`; says of each id that it is `stored`, as one would who wants the box emptied. */
async function pull(from: Swarm, to: Person, tags: readonly Uint8Array[]) {
  const channel = await from.channel(to.swarm.transportKey, SYNC_PROTOCOL);
  const pulled = { got: [] as Uint8Array[], offered: 0, done: false, closed: false };
  const say = (frame: SyncFrame) => channel.send(encodeSync(frame));
  void (async () => {
    for await (const bytes of channel.frames) {
      const frame = decodeSync(bytes);
      if (frame.kind === 'have') pulled.offered += frame.ids.length;
      if (frame.kind === 'have' && frame.ids.length > 0) await say({ kind: 'want', wanted: frame.ids.map(() => true) });
      if (frame.kind === 'done') pulled.done = true;
      if (frame.kind !== 'envelope') continue;
      pulled.got.push(frame.envelope);
      await say({ kind: 'stored', ids: [envelopeIdOf(frame.envelope)] });
    }
    pulled.closed = true;
  })();
  await say({ kind: 'ask', tags });
  return pulled;
}

/** Takes another's mailbox key into the own card and gives it to whoever asks from now on. */
function claimMailboxOf(victim: Person['id'], thief: Person): void {
  const { account } = thief.messenger.context;
  const mailboxKey = Buffer.from(thief.store.contacts.get(victim)?.mailboxKey ?? assert.fail());
  const card = openCard(account.card);
  account.card = signCard(account.identity, { ...card, serial: card.serial + 1, mailboxKey });
}

function envelopeFor(tag: Uint8Array, nowMs: number, bytes = 256): Buffer {
  return encodeEnvelope({ tag, expiresAtHours: Math.floor(nowMs / HOUR_MS) + 24, sealed: systemRandom(bytes) });
}

describe('custody, against people who mean harm', () => {
  it('a contact that claims the mailbox key of another is served, and empties nothing', async () => {
    const { time, all } = await people(['Ada', 'Ben', 'Cleo', 'Mal']);
    const [ada, ben, cleo, mal] = all;
    for (const [one, other] of [
      [ada, ben],
      [ada, cleo],
      [ben, cleo],
      [mal, ben],
    ] as const)
      await one.meet(other);
    await time.pass(30 * SECOND_MS);
    const benId = ben.id;
    const adaId = ada.id;
    claimMailboxOf(benId, mal);
    // The answer goes into Ben's mailbox: Cleo has a new contact all the same.
    await time.run(mal.messenger.addContact((await cleo.messenger.createInvite()).invite, ''));
    await time.until(() => cleo.store.requests.list().length === 1);
    await time.run(cleo.messenger.acceptRequest(mal.id));
    const { mailboxKey } = cleo.store.contacts.get(mal.id) ?? assert.fail();
    assert.equal(hex(mailboxKey), hex(cleo.store.contacts.get(benId)?.mailboxKey ?? assert.fail()), 'not refused');
    await time.pass(30 * SECOND_MS);
    await ben.stop();
    await ada.say(benId, 'still there?');
    await time.until(() => heldBy(ada, benId) === 1, 20 * SECOND_MS);
    const pulled = await pull(mal.swarm, cleo, tagsOf(benId, mal, time.clock()));
    await time.until(() => pulled.done, 30 * SECOND_MS);
    assert.equal(pulled.got.length, 1);
    assert.equal(cleo.messenger.custody.usage.envelopes, 1);
    await ada.stop();
    await ben.start();
    await time.until(() => ben.heard(adaId).includes('still there?'), 30 * SECOND_MS);
  });

  it('what a second contact was promised, the first cannot have released', async () => {
    const { time, all } = await people(['Ada', 'Ben', 'Cleo', 'Mal']);
    const [ada, ben, cleo, mal] = all;
    await ada.meet(cleo);
    await mal.meet(cleo);
    await ben.meet(cleo);
    await time.pass(30 * SECOND_MS);
    const envelope = envelopeFor(tagsOf(ben.id, cleo, time.clock())[1] ?? assert.fail(), time.clock());
    await ben.stop();
    const first = await custodyLine(mal.swarm, cleo);
    const second = await custodyLine(ada.swarm, cleo);
    await first.say({ kind: 'deposit', envelope });
    await time.until(() => first.answers.length === 1);
    await second.say({ kind: 'deposit', envelope });
    await time.until(() => second.answers.length === 1);
    assert.deepEqual(
      [...first.answers, ...second.answers].map(({ kind }) => kind),
      ['held', 'held'],
    );
    const ids = [envelopeIdOf(envelope)];
    for (const line of [first, second]) await line.say({ kind: 'release', ids });
    await time.pass(5 * SECOND_MS);
    assert.equal(cleo.messenger.custody.usage.envelopes, 1);
    // What was promised to one alone goes when that one says so.
    const own = envelopeFor(tagsOf(ada.id, cleo, time.clock())[1] ?? assert.fail(), time.clock());
    await first.say({ kind: 'deposit', envelope: own });
    await time.until(() => first.answers.length === 2);
    await second.say({ kind: 'release', ids: [envelopeIdOf(own)] });
    await time.pass(5 * SECOND_MS);
    assert.ok(cleo.store.custody.has(envelopeIdOf(own)));
    await first.say({ kind: 'release', ids: [envelopeIdOf(own)] });
    await time.until(() => !cleo.store.custody.has(envelopeIdOf(own)), 5 * SECOND_MS);
  });

  it('a stranger gets no signature from a helper, and no answer about what is held', async () => {
    const { time, network, all } = await people(['Ada']);
    const [ada] = all;
    await ada.stop();
    ada.helper = true;
    await ada.start();
    const stranger = await strangerTo(ada, network);
    const envelope = envelopeFor(systemRandom(16), time.clock());
    const line = await custodyLine(stranger, ada);
    await line.say({ kind: 'deposit', envelope });
    await time.until(() => line.answers.length === 1, 5 * SECOND_MS);
    assert.deepEqual(line.answers, [{ kind: 'taken', ids: [envelopeIdOf(envelope)] }]);
    await line.say({ kind: 'check', ids: [envelopeIdOf(systemRandom(32))] });
    await time.until(() => line.closed, 5 * SECOND_MS);
    const again = await custodyLine(stranger, ada);
    await again.say({ kind: 'release', ids: [envelopeIdOf(envelope)] });
    await time.until(() => again.closed, 5 * SECOND_MS);
    assert.equal(line.answers.length + again.answers.length, 1);
    assert.equal(ada.messenger.custody.usage.envelopes, 1);
  });

  it('who only knows the author refuses, whoever knows both takes: three useless ones do not stand in', async () => {
    const { time, all } = await people(['Ada', 'Ben', 'X1', 'X2', 'X3', 'Dan']);
    const [ada, ben, x1, x2, x3, dan] = all;
    await ada.meet(ben);
    for (const one of [x1, x2, x3]) await ada.meet(one);
    await time.pass(6 * HOUR_MS);
    await ada.meet(dan);
    await dan.meet(ben);
    await time.pass(30 * SECOND_MS);
    const benId = ben.id;
    const adaId = ada.id;
    await ben.stop();
    await ada.say(benId, 'by Dan');
    await time.until(() => heldBy(ada, benId) === 1, 60 * SECOND_MS);
    assert.equal(dan.messenger.custody.usage.envelopes, 1);
    for (const one of [x1, x2, x3]) assert.equal(one.messenger.custody.usage.envelopes, 0);
    await ada.stop();
    await ben.start();
    await time.until(() => ben.heard(adaId).includes('by Dan'), 60 * SECOND_MS);
  });

  it('a helper gives out what it holds for people unknown to it: to read, not to remove', async () => {
    const { time, network, all } = await people(['Ada', 'Ben', 'Eve']);
    const [ada, ben, eve] = all;
    await ada.meet(ben);
    await ada.meet(eve);
    await eve.stop();
    eve.helper = true;
    await eve.start();
    await time.until(() => ada.swarm.isConnected(eve.swarm.transportKey), 600 * SECOND_MS);
    const tags = tagsOf(ben.id, ada, time.clock());
    const benId = ben.id;
    await ben.stop();
    await ada.say(benId, 'to a board at home');
    await time.until(() => heldBy(ada, benId) === 1, 60 * SECOND_MS);
    assert.deepEqual(eve.messenger.custody.unknownTags().map(hex), [hex(tags[1] ?? assert.fail())]);
    const stranger = await strangerTo(eve, network);
    const pulled = await pull(stranger, eve, tags);
    await time.until(() => pulled.closed, 30 * SECOND_MS);
    assert.ok(pulled.done);
    assert.equal(pulled.got.length, 1);
    assert.equal(eve.messenger.custody.usage.envelopes, 1);
    // What waits for a contact of the helper is not shown to strangers who know its tags.
    const known = tagsOf(ada.id, eve, time.clock());
    await custodyLine(stranger, eve).then(line =>
      line.say({ kind: 'deposit', envelope: envelopeFor(known[1] as Buffer, time.clock()) }),
    );
    await time.until(() => eve.messenger.custody.usage.envelopes === 2, 5 * SECOND_MS);
    const none = await pull(stranger, eve, known);
    await time.until(() => none.closed, 30 * SECOND_MS);
    assert.deepEqual([none.done, none.offered], [true, 0]);
    // One that is no helper does not answer at all.
    const refused = await pull(await strangerTo(ada, network), ada, tags);
    await time.until(() => refused.closed, 5 * SECOND_MS);
    assert.equal(refused.done, false);
  });

  it('a stranger that asks and reads nothing keeps its place for a minute; there is no ninth', async () => {
    const { time, network, all } = await people(['Ada']);
    const [ada] = all;
    await ada.stop();
    ada.helper = true;
    await ada.start();
    const idle: { closed: boolean }[] = [];
    for (let count = 0; count <= LIMITS.strangerPulls; count += 1) {
      const channel = await (await strangerTo(ada, network)).channel(ada.swarm.transportKey, SYNC_PROTOCOL);
      const one = { closed: false };
      void (async () => {
        for await (const _ of channel.frames) assert.fail('nothing was asked');
        one.closed = true;
      })();
      idle.push(one);
    }
    await time.pass(SECOND_MS);
    assert.deepEqual(
      idle.map(({ closed }) => closed),
      [...Array(LIMITS.strangerPulls).fill(false), true],
    );
    await time.until(() => idle.every(({ closed }) => closed), LIMITS.strangerPullMs + SECOND_MS);
  });

  it('what was taken under an unknown tag counts for the person as soon as it is a contact', async () => {
    const { time, network, all } = await people(['Ben', 'Eve']);
    const [ben, eve] = all;
    await eve.stop();
    eve.helper = true;
    await eve.start();
    const tags = currentTags(ben.messenger.context.account.mailbox, time.clock());
    const depositor = ben.id;
    const put = (tag: Uint8Array) => time.run(eve.messenger.custody.deposit(envelopeFor(tag, time.clock()), depositor));
    const half = LIMITS.mailboxPerRecipient / 2;
    for (const tag of [tags[1], tags[2]]) for (let n = 0; n < half; n += 1) await put(tag ?? assert.fail());
    await put(tags[3] ?? assert.fail());
    assert.equal(eve.messenger.custody.usage.envelopes, 1_001, 'three boxes, as far as anybody can know');
    const oldest = eve.store.custody.byTags(tags, 3).map(({ envelopeId }) => envelopeId);
    await ben.meet(eve);
    await time.until(() => eve.store.contacts.get(depositor) !== undefined);
    network.cut(ben.swarm.transportKey, eve.swarm.transportKey);
    await ben.stop();
    await put(tags[4] ?? assert.fail());
    assert.equal(eve.store.custody.usageOfTags(tags).envelopes, LIMITS.mailboxPerRecipient);
    assert.deepEqual(
      oldest.map(id => eve.store.custody.has(id)),
      [false, false, true],
    );
  });

  it('what a stranger brought and a contact brings again is the contact’s, and no flood displaces it', async () => {
    const { time, all } = await people(['Ada', 'Eve']);
    const [ada, eve] = all;
    await ada.meet(eve);
    await eve.stop();
    eve.helper = true;
    await eve.start();
    const tag = systemRandom(16);
    const envelope = envelopeFor(tag, time.clock());
    const { custody } = eve.messenger;
    assert.equal((await time.run(custody.deposit(envelope, null))).kind, 'held');
    assert.equal((await time.run(custody.deposit(envelope, ada.id))).kind, 'held');
    assert.deepEqual(eve.store.custody.usageOfDepositor(null), { envelopes: 0, bytes: 0 });
    assert.deepEqual(eve.store.custody.usageOfDepositor(ada.id), { envelopes: 1, bytes: envelope.length });
    for (let n = 0; n < 300; n += 1) await time.run(custody.deposit(envelopeFor(tag, time.clock()), null));
    assert.ok(eve.store.custody.usageOfDepositor(null).bytes > LIMITS.mailboxStrangerBytes - 1_000);
    assert.ok(eve.store.custody.has(envelopeIdOf(envelope)));
  });

  it('a contact that says hello for ever is answered a few times, and costs a few writes', async () => {
    const { time, all } = await people(['Ada', 'Mal']);
    const [ada, mal] = all;
    await ada.meet(mal);
    await time.pass(30 * SECOND_MS);
    const { stamp } = mal.messenger.starts.stamp(ada.id);
    const before = ada.store.instances.count();
    let answers = 0;
    const greet = async (times: number) => {
      const channel = await mal.swarm.channel(ada.swarm.transportKey, HELLO_PROTOCOL);
      const ended = (async () => {
        for await (const _frame of channel.frames) answers += 1;
      })();
      for (let at = 0; at < times && !channel.closed; at += 1) {
        await channel.send(encodeHello({ holds: at % 2 === 0, stamp, seen: [] })).catch(() => undefined);
      }
      await time.run(ended);
      await channel.close();
    };
    await greet(500);
    assert.equal(answers, 1, 'one on a stream');
    for (let at = 0; at < 50; at += 1) await greet(1);
    assert.ok(answers >= 3 && answers <= LIMITS.hellosAtOnce, `${answers} answers`);
    assert.equal(ada.store.instances.count() - before, answers);
    await time.pass(LIMITS.helloPauseMs);
    const said = answers;
    await greet(1);
    assert.equal(answers, said + 1, 'heard again after a pause');
  });
});
