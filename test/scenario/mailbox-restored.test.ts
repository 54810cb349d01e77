import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { HOUR_MS, MINUTE_MS, SECOND_MS } from '../../core/base/clock.ts';
import type { ContactId } from '../../core/base/ids.ts';
import { systemRandom } from '../../core/base/world.io.ts';
import { MemoryRows } from '../../core/storage/memory-rows.ts';
import { encodeHello, HELLO_PROTOCOL } from '../../core/wire/hello.ts';
import { twoFriends } from '../support/people.ts';
import { Person } from '../support/person.ts';
import type { VirtualTime } from '../support/virtual-time.ts';

const ALL = [Buffer.alloc(0), Buffer.alloc(64, 0xff)] as const;

/** A profile's folder: the rows, and the file beside them. */
interface Folder {
  readonly rows: MemoryRows;
  readonly mark: Buffer | undefined;
}

/** The folder as a backup of it would be, taken while the program runs or not. */
async function backUp({ rows, startsMark }: Person): Promise<Folder> {
  const copy = new MemoryRows();
  await copy.commit([...rows.range(...ALL)]);
  return { rows: copy, mark: startsMark };
}

async function putBack(person: Person, { rows, mark }: Folder): Promise<void> {
  await person.stop();
  const copy = new MemoryRows();
  await copy.commit([...rows.range(...ALL)]);
  await person.putBack(copy);
  person.startsMark = mark;
  await person.start();
}

async function talkers(delayMs = 0) {
  const { time, network, ada, ben } = await twoFriends({ delayMs: () => delayMs });
  await ada.say(ben.id, 'one');
  await time.until(() => ada.states(ben.id)[0] === 'delivered');
  await time.pass(SECOND_MS);
  return { time, network, ada, ben };
}

/** Both, and Cleo, who is a contact of both. */
async function three(delayMs = 0) {
  const { time, network, ada, ben } = await talkers(delayMs);
  const cleo = await Person.create('Cleo', network, time);
  await cleo.meet(ada);
  await cleo.meet(ben);
  await time.pass(SECOND_MS);
  return { time, network, ada, ben, cleo };
}

const restoredEvents = (person: Person) => person.events.filter(event => event.type === 'profile-restored').length;
const sessionIds = (person: Person) =>
  person.store.sessions.all().map(({ sessionId }) => Buffer.from(sessionId).toString('hex'));
const times = (texts: readonly string[], text: string) => texts.filter(heard => heard === text).length;

let talks = 0;

/** Both say something, and the other has it. */
async function talk(time: VirtualTime, a: Person, b: Person): Promise<void> {
  const [aId, bId] = [a.id, b.id];
  talks += 1;
  await a.say(bId, `${a.nick}, talk ${talks}`);
  await b.say(aId, `${b.nick}, talk ${talks}`);
  const through = (person: Person, to: ContactId) => person.states(to).every(state => state === 'delivered');
  await time.until(() => through(a, bId) && through(b, aId), HOUR_MS);
  for (const person of [a, b]) {
    const texts = person.heard(person === a ? bId : aId);
    assert.equal(new Set(texts).size, texts.length, 'no text twice');
  }
}

describe('a profile put back or copied', () => {
  it('an ordinary restart is none, and neither is one that was killed', async () => {
    const { time, ada, ben } = await talkers();
    const before = sessionIds(ben);
    await ben.stop();
    await ben.start();
    await ada.say(ben.id, 'two');
    await time.until(() => ada.states(ben.id).at(-1) === 'delivered');
    await putBack(ben, await backUp(ben));
    await ada.say(ben.id, 'three');
    await time.until(() => ada.states(ben.id).at(-1) === 'delivered');
    assert.equal(restoredEvents(ben), 0);
    assert.deepEqual(sessionIds(ben), before);
  });

  it('only the database put back: known at the start, from the file beside it', async () => {
    const { time, ada, ben } = await talkers();
    const { rows } = await backUp(ben);
    const old = sessionIds(ben);
    await ben.stop();
    await ben.start();
    await ada.say(ben.id, 'after the backup');
    await time.until(() => ada.states(ben.id).at(-1) === 'delivered');
    const mark = ben.startsMark;
    await putBack(ben, { rows, mark });
    assert.equal(restoredEvents(ben), 1);
    assert.notEqual(ben.messenger.starts.restoredAtMs, null);
    assert.ok(sessionIds(ben).every(id => !old.includes(id)));
    await talk(time, ada, ben);
    await time.until(() => times(ben.heard(ada.id), 'after the backup') === 1, HOUR_MS);
    assert.ok(sessionIds(ben).every(id => !old.includes(id)));
    assert.equal(restoredEvents(ben), 1, 'no contact tells of it once more');
  });

  it('a backup from within the same start put back whole: the first contact tells', async () => {
    const { time, ada, ben } = await talkers();
    const backup = await backUp(ben);
    const old = sessionIds(ben);
    await ben.say(ada.id, 'sealed after the backup');
    await ada.say(ben.id, 'after the backup');
    await time.until(() => ada.states(ben.id).at(-1) === 'delivered');
    await time.until(() => ben.states(ada.id).at(-1) === 'delivered');
    await putBack(ben, backup);
    await time.until(() => restoredEvents(ben) === 1, MINUTE_MS);
    await talk(time, ada, ben);
    assert.equal(times(ada.heard(ben.id), 'sealed after the backup'), 1);
    await time.until(() => times(ben.heard(ada.id), 'after the backup') === 1, HOUR_MS);
    assert.ok(sessionIds(ben).every(id => !old.includes(id)));
    // Once is enough, now and after the next start.
    await ben.stop();
    await ben.start();
    await talk(time, ada, ben);
    assert.equal(restoredEvents(ben), 1);
  });

  it('one message after the backup is enough, with no new connection', async () => {
    const { time, ada, ben } = await talkers();
    const backup = await backUp(ben);
    await ben.say(ada.id, 'the only one');
    await time.until(() => ben.states(ada.id).at(-1) === 'delivered');
    await putBack(ben, backup);
    await time.until(() => restoredEvents(ben) === 1, MINUTE_MS);
  });

  it('two backups of one start, put back one after the other: each is found out', async () => {
    const { time, ada, ben } = await talkers();
    const first = await backUp(ben);
    await ben.say(ada.id, 'between the two');
    await time.until(() => ben.states(ada.id).at(-1) === 'delivered');
    const second = await backUp(ben);
    await ben.say(ada.id, 'after both');
    await time.until(() => ben.states(ada.id).at(-1) === 'delivered');
    await putBack(ben, first);
    await time.until(() => restoredEvents(ben) === 1, MINUTE_MS);
    await talk(time, ada, ben);
    await putBack(ben, second);
    await time.until(() => restoredEvents(ben) === 2, MINUTE_MS);
    await talk(time, ada, ben);
  });

  it('a contact that was only met after the backup, and told nothing, proves it', async () => {
    const { time, ada, ben, cleo } = await three();
    const backup = await backUp(ben);
    const old = sessionIds(ben);
    await ada.stop();
    ben.messenger.swarm.disconnect(cleo.swarm.transportKey);
    await time.pass(10 * SECOND_MS);
    assert.ok(ben.swarm.isConnected(cleo.swarm.transportKey), 'they have met again');
    await putBack(ben, backup);
    await time.until(() => restoredEvents(ben) === 1, MINUTE_MS);
    assert.ok(sessionIds(ben).every(id => !old.includes(id)));
    await ada.start();
    await talk(time, ada, ben);
    await talk(time, cleo, ben);
    assert.equal(restoredEvents(ben), 1);
  });

  it('a contact that makes numbers up is not believed', async () => {
    const { time, ada, ben } = await talkers();
    const before = sessionIds(ben);
    const kept = ada.store.instances.seen(ben.id)?.stamps[0];
    assert.ok(kept);
    const lies = [
      { ...kept, order: kept.order + 1 },
      { ...kept, sealed: systemRandom(24) },
      { alias: systemRandom(4), order: 2 ** 32 - 1, sealed: systemRandom(24) },
    ];
    const own = ben.store.instances.seen(ada.id)?.stamps[0];
    assert.ok(own);
    const channel = await ada.swarm.channel(ben.swarm.transportKey, HELLO_PROTOCOL);
    await channel.send(encodeHello({ holds: true, stamp: own, seen: lies }));
    let answered = false;
    const reading = (async () => {
      for await (const _frame of channel.frames) answered = true;
    })();
    await time.until(() => answered);
    await channel.close();
    await reading;
    await time.pass(MINUTE_MS);
    assert.equal(restoredEvents(ben), 0);
    assert.deepEqual(sessionIds(ben), before);
  });

  it('shows one contact nothing of how much is said to another', async () => {
    const { time, ada, ben, cleo } = await three();
    const seenBy = (person: Person) => person.store.instances.seen(ben.id)?.stamps[0] ?? assert.fail();
    const rises: number[] = [];
    for (const texts of [0, 1, 20]) {
      const before = seenBy(cleo).order;
      for (let at = 0; at < texts; at += 1) {
        const said = `${at} of ${texts}`;
        await ben.say(ada.id, said);
        await time.until(() => ada.heard(ben.id).includes(said));
      }
      await ben.say(cleo.id, `after ${texts}`);
      await time.until(() => ben.states(cleo.id).at(-1) === 'delivered');
      rises.push(seenBy(cleo).order - before);
    }
    assert.deepEqual(rises, [1, 1, 1]);
    assert.notDeepEqual(seenBy(ada).alias, seenBy(cleo).alias);
  });

  it('two copies used in turn: everybody talks, nothing is lost or said twice, and each start costs one find', async () => {
    const { time, ada, ben } = await talkers();
    const copies = [await backUp(ben), await backUp(ben)];
    const turns = 6;
    for (let turn = 0; turn < turns; turn += 1) {
      const copy = copies[turn % 2];
      assert.ok(copy);
      await putBack(ben, copy);
      const [said, answer] = [`turn ${turn}`, `turn ${turn}, answered`];
      await ben.say(ada.id, said);
      await ada.say(ben.id, answer);
      await time.until(() => ada.heard(ben.id).includes(said), HOUR_MS);
      await time.until(() => ben.heard(ada.id).includes(answer), HOUR_MS);
      await time.until(() => ben.states(ada.id).every(state => state === 'delivered'), HOUR_MS);
      copies[turn % 2] = await backUp(ben);
    }
    const texts = ada.heard(ben.id);
    assert.equal(new Set(texts).size, texts.length);
    assert.ok(restoredEvents(ben) <= turns, `${restoredEvents(ben)} finds in ${turns} starts`);
    await time.pass(HOUR_MS);
    assert.ok(restoredEvents(ben) <= turns, 'and none while one of them runs on');
  });

  it('put back while the recipient is away: a custodian tells, and carries what is sealed anew', async () => {
    const { time, ada, ben, cleo } = await three();
    const backup = await backUp(ben);
    const old = sessionIds(ben);
    await ben.say(ada.id, 'sealed after the backup');
    await time.until(() => ben.states(ada.id).at(-1) === 'delivered');
    ben.messenger.swarm.disconnect(cleo.swarm.transportKey);
    await time.pass(10 * SECOND_MS);
    const { id } = ada;
    await ada.stop();
    await putBack(ben, backup);
    await time.until(() => restoredEvents(ben) === 1, MINUTE_MS);
    await ben.say(id, 'carried');
    await time.pass(5 * MINUTE_MS);
    await ben.stop();
    await ada.start();
    await time.until(() => ada.events.some(event => event.type === 'offline-sync-finished'), MINUTE_MS);
    await time.pass(MINUTE_MS);
    await ben.start();
    await time.until(() => times(ada.heard(ben.id), 'carried') === 1, HOUR_MS);
    await talk(time, ada, ben);
    assert.ok(sessionIds(ben).every(session => !old.includes(session)));
    assert.equal(times(ada.heard(ben.id), 'sealed after the backup'), 1);
    assert.equal(restoredEvents(ben), 1);
  });

  it('what was sealed before anybody could tell goes to no custodian', async () => {
    const { time, ada, ben, cleo } = await three(40);
    const { id } = ada;
    await ada.stop();
    await cleo.stop();
    const backup = await backUp(ben);
    await ben.say(id, 'sealed after the backup');
    await cleo.start();
    await time.until(() => cleo.store.custody.usage().envelopes > 0, HOUR_MS);
    await cleo.stop();
    await putBack(ben, backup);
    await ben.say(id, 'sealed with the same key');
    const stale = ben.store.outbox.listOf(id, 10).map(({ envelopeId }) => envelopeId);
    assert.ok(stale.length > 0);
    assert.equal(restoredEvents(ben), 0, 'nobody was there to tell');
    await cleo.start();
    await time.until(() => restoredEvents(ben) === 1, HOUR_MS);
    await time.pass(5 * MINUTE_MS);
    for (const envelopeId of stale) assert.equal(cleo.store.custody.has(envelopeId), false);
    assert.ok(cleo.store.custody.usage().envelopes > 1, 'what was sealed anew is held');
    await ada.start();
    for (const text of ['sealed after the backup', 'sealed with the same key']) {
      await time.until(() => ada.heard(ben.id).includes(text), HOUR_MS);
    }
    await talk(time, ada, ben);
  });

  it('forty texts that came after the backup come again', async () => {
    const { time, ada, ben } = await talkers();
    const backup = await backUp(ben);
    const lost = Array.from({ length: 40 }, (_, at) => `lost ${at}`);
    for (const text of lost) await ada.say(ben.id, text);
    await time.until(() => ada.states(ben.id).every(state => state === 'delivered'));
    await putBack(ben, backup);
    await time.until(() => lost.every(text => times(ben.heard(ada.id), text) === 1), 5 * MINUTE_MS);
    assert.ok(ada.states(ben.id).every(state => state === 'delivered'));
  });

  it('a request nobody has answered is made again by itself', async () => {
    const { time, network, ben } = await talkers();
    const cleo = await Person.create('Cleo', network, time);
    const { invite } = await cleo.messenger.createInvite();
    await time.run(ben.messenger.addContact(invite, ''));
    const { id } = cleo;
    const { rows } = await backUp(ben);
    await cleo.stop();
    await ben.stop();
    await ben.start();
    await putBack(ben, { rows, mark: ben.startsMark });
    assert.equal(restoredEvents(ben), 1);
    assert.equal(ben.store.contacts.get(id)?.phase, 'requested');
    await cleo.start();
    await time.until(() => cleo.store.requests.list().some(request => request.id === ben.id), HOUR_MS);
    await time.run(cleo.messenger.acceptRequest(ben.id));
    await time.until(() => ben.store.contacts.get(id)?.phase === 'accepted', HOUR_MS);
    assert.equal(ben.store.contacts.proof(id), undefined);
    await talk(time, cleo, ben);
  });
});
