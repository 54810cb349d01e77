import assert from 'node:assert/strict';
import { randomInt } from 'node:crypto';
import { test } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import type { Secret } from '../../core/base/secret.ts';
import type { Message } from '../../core/commands/schema.ts';
import { openStore } from '../../core/storage/store.io.ts';
import { openVault } from '../../core/storage/vault.io.ts';
import { type ApiClient, CoreGone } from '../support/api-client.ts';
import { seededNumbers } from '../support/mutate.ts';
import { introduce, PASSPHRASE, RealCore, until, within } from '../support/real-core.ts';

const MESSAGES = 1000;
const KILLS = 20;
/** Calls under way at once: a kill finds some of them at every stage. */
const AT_ONCE = 8;

/** A person at a core that is killed now and then: sends, and knows what was acknowledged. */
class Writer {
  readonly core: RealCore;
  readonly peer: string;
  readonly acknowledged = new Map<string, string>();
  /** Every id that a `message-received` event named, in the order of the events. */
  readonly announced: string[] = [];
  sent = 0;
  allowed = 0;
  #mark: { readonly number: number; readonly resolve: () => void } | undefined;
  #client: Promise<ApiClient> | undefined;

  constructor(core: RealCore, peer: string) {
    this.core = core;
    this.peer = peer;
  }

  get name(): string {
    return this.peer === 'Ben' ? 'ada' : 'ben';
  }

  /** One socket for all calls, so that the order of the calls is the order at the core. */
  connect(): Promise<ApiClient> {
    this.#client ??= this.#connect().catch(error => {
      this.#client = undefined;
      throw error;
    });
    return this.#client;
  }

  async #connect(): Promise<ApiClient> {
    const client = await this.core.connect();
    client.onEvent(event => {
      if (event.event === 'message-received') this.announced.push(event.message.id);
    });
    client.closed.then(() => {
      this.#client = undefined;
    });
    return client;
  }

  /** Sends, as far as it is allowed to, until all are acknowledged. A text whose answer was lost is not sent again. */
  async write(): Promise<void> {
    const one = async () => {
      while (this.acknowledged.size < MESSAGES) {
        if (this.acknowledged.size >= this.allowed) await delay(1);
        else await this.#writeOne();
      }
    };
    await Promise.all(Array.from({ length: AT_ONCE }, one));
  }

  /** Resolves in the moment in which the core is told to send the text of this number. */
  reaches(number: number): Promise<void> {
    return new Promise(resolve => {
      this.#mark = { number, resolve };
    });
  }

  async #writeOne(): Promise<void> {
    try {
      const client = await this.connect();
      const text = `${this.name} ${this.sent}`;
      this.sent += 1;
      const answer = client.call('messages.send', { who: this.peer, text });
      if (this.#mark && this.sent > this.#mark.number) this.#mark.resolve();
      this.acknowledged.set((await answer).id, text);
    } catch (error) {
      if (!(error instanceof CoreGone)) throw error;
      await delay(10);
    }
  }

  async list(): Promise<Message[]> {
    const client = await this.connect();
    return (await client.call('messages.list', { who: this.peer, limit: 10_000 })).messages;
  }
}

test(`${MESSAGES} messages each way while either side is killed ${KILLS} times`, { timeout: 280_000 }, async t => {
  const seed = Number(process.env.MOLVA_SEED ?? randomInt(2 ** 31));
  t.diagnostic(`seed ${seed} (MOLVA_SEED repeats it)`);
  const random = seededNumbers(seed);
  const startedAt = performance.now();
  const [first, second] = await Promise.all([RealCore.make(t, 'Ada'), RealCore.make(t, 'Ben')]);
  await Promise.all([first.start(), second.start()]);
  await introduce(first, second);
  const [ada, ben] = [new Writer(first, 'Ben'), new Writer(second, 'Ada')];
  const writers = [ada, ben];
  const writing = Promise.all(writers.map(writer => writer.write()));
  const failed = new Promise<never>((_, reject) => writing.catch(reject));
  const onTheWayUp = await Promise.race([killAround(writers, random), failed]);
  await Promise.all([writing, ...writers.map(writer => until('core is up', () => canConnect(writer)))]);
  t.diagnostic(`${KILLS} kills, ${onTheWayUp} of them on the way up`);

  await until(
    'all delivered',
    async () => {
      const states = await Promise.all(
        writers.map(async writer => (await (await writer.connect()).call('status.get', {})).queued),
      );
      return states.every(queued => queued === 0);
    },
    60_000,
  );
  const [atAda, atBen] = [await ada.list(), await ben.list()];
  judge(ada, atAda, atBen, ben);
  judge(ben, atBen, atAda, ada);
  t.diagnostic(`ada ${ada.acknowledged.size} of ${ada.sent} acknowledged, ben ${ben.acknowledged.size} of ${ben.sent}`);

  for (const [writer, other] of [
    [ada, ben],
    [ben, ada],
  ] as const) {
    const client = await writer.connect();
    const arrived = (await other.connect()).next('message-received', ({ message }) => message.text === 'still there?');
    const delivered = client.next('message-state', ({ state }) => state === 'delivered');
    const { id } = await client.call('messages.send', { who: writer.peer, text: 'still there?' });
    assert.equal((await arrived).message.id, id);
    assert.equal((await delivered).id, id);
  }
  for (const writer of writers) {
    (await writer.connect()).close();
    assert.equal((await writer.core.end('SIGTERM')).code, 0);
    assert.equal(await sessionsOf(writer.core), 1, 'the first session carried everything: none had to be made anew');
  }
  t.diagnostic(`${Math.round((performance.now() - startedAt) / 1000)} s in all`);
});

/**
 * Lets both sides write a part and kills one of them at a random moment of that part: when one side sends a text
 * drawn by lot, or a few milliseconds later. It is started again, and sometimes killed once more on its way up,
 * while the other goes on.
 */
async function killAround(writers: readonly Writer[], random: () => number): Promise<number> {
  const part = MESSAGES / KILLS;
  let onTheWayUp = 0;
  for (let kill = 1; kill <= KILLS; kill += 1) {
    const [victim, marker] = [0, 1].map(() => writers[random() < 0.5 ? 0 : 1]) as [Writer, Writer];
    const moment = marker.reaches(marker.sent + Math.floor((random() * part) / 2));
    for (const writer of writers) writer.allowed = part * kill;
    await within(30_000, 'texts are sent', moment);
    await delay(random() * 10);
    await victim.core.kill();
    if (random() < 0.25 && kill < KILLS) {
      victim.core.launch();
      await delay(random() * 1500);
      await victim.core.kill();
      kill += 1;
      onTheWayUp += 1;
    }
    await victim.core.startAgain();
  }
  for (const writer of writers) writer.allowed = MESSAGES;
  return onTheWayUp;
}

async function canConnect(writer: Writer): Promise<boolean> {
  return writer.connect().then(
    () => true,
    () => false,
  );
}

/** What the sender has is what the other has: all of it, once, in the sender's order, and confirmed. */
function judge(sender: Writer, atSender: readonly Message[], atOther: readonly Message[], other: Writer): void {
  const own = atSender.filter(message => message.outgoing);
  const received = atOther.filter(message => !message.outgoing);
  const ids = own.map(message => message.id);
  assert.deepEqual(
    received.map(message => message.id),
    ids,
    'the same messages in the same order',
  );
  assert.equal(new Set(ids).size, ids.length, 'none twice');
  assert.ok(own.length >= MESSAGES);
  const texts = new Map(received.map(message => [message.id, message.text]));
  for (const [id, text] of sender.acknowledged) assert.equal(texts.get(id), text, 'acknowledged, so it arrived');
  const order = received.map(message => Number(message.text.split(' ')[1]));
  for (const [at, number] of order.entries()) if (at > 0) assert.ok(number > (order[at - 1] as number), 'in order');
  for (const message of own) assert.equal(message.state, 'delivered');
  assert.equal(new Set(other.announced).size, other.announced.length, 'none announced twice');
  assert.ok(
    other.announced.every(id => texts.has(id)),
    'what was announced is there',
  );
}

async function sessionsOf(core: RealCore): Promise<number> {
  const key: Secret = await openVault(core.directory, Buffer.from(PASSPHRASE));
  const store = await openStore(core.directory, key);
  try {
    const [contact] = store.contacts.list();
    assert.ok(contact);
    return store.sessions.listOf(contact.id).length;
  } finally {
    await store.close();
    key.wipe();
  }
}
