import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { hex } from '../../core/base/bytes.ts';
import { HOUR_MS, MINUTE_MS } from '../../core/base/clock.ts';
import { parseEnvelopeId, parseTransportKey } from '../../core/base/ids.ts';
import { LIMITS } from '../../core/base/limits.ts';
import { systemRandom } from '../../core/base/world.io.ts';
import { currentTags, deriveMailboxKeys, sealEnvelope } from '../../core/crypto/mailbox-seal.ts';
import type { FrameChannel, Swarm } from '../../core/network/swarm.ts';
import { encodeEnvelope } from '../../core/wire/envelope.ts';
import { decodeSync, encodeSync, SYNC_PROTOCOL, type SyncFrame } from '../../core/wire/sync.ts';
import type { MemoryNetwork } from '../support/memory-network.ts';
import { threeFriends } from '../support/people.ts';
import type { Person } from '../support/person.ts';

/** Ada, Ben and Cleo know each other; Ben is away and Cleo holds for him. */
async function benAway() {
  const { time, network, ada, ben, cleo } = await threeFriends();
  const mailbox = ada.store.contacts.get(ben.id)?.mailboxKey;
  assert.ok(mailbox);
  const keys = deriveMailboxKeys(mailbox);
  const ids = { adaId: ada.id, benId: ben.id };
  await ben.stop();
  return { time, network, ada, ben, cleo, keys, ...ids };
}

/** Sends frames as a changed program would, and takes note of what comes. */
class Raw {
  readonly channel: FrameChannel;
  readonly came: SyncFrame[] = [];

  constructor(channel: FrameChannel, read: boolean) {
    this.channel = channel;
    if (read) void this.#read();
  }

  send(frame: SyncFrame): Promise<void> {
    return this.channel.send(encodeSync(frame));
  }

  envelopes(): number {
    return this.came.filter(({ kind }) => kind === 'envelope').length;
  }

  async #read(): Promise<void> {
    for await (const bytes of this.channel.frames) this.came.push(decodeSync(bytes));
  }
}

/** Another program runs with this person's key from here on. */
async function replaced(network: MemoryNetwork, person: Person, to: Person): Promise<Swarm> {
  const key = person.swarm.transportKey;
  await person.stop();
  const swarm = network.createSwarm(key);
  await swarm.start();
  await swarm.dial({ transportKey: to.swarm.transportKey, addresses: to.swarm.addresses() });
  return swarm;
}

const pullBy = async (swarm: Swarm, from: Person, read: boolean): Promise<Raw> =>
  new Raw(await swarm.channel(from.swarm.transportKey, SYNC_PROTOCOL), read);

describe('a custodian that is pulled from', () => {
  it('by a contact that asks for ever and reads nothing: listens no more', async () => {
    const { time, network, ada, cleo, keys, benId } = await benAway();
    for (let number = 0; number < 64; number += 1) await ada.say(benId, `text ${number}`);
    await time.until(() => cleo.messenger.custody.usage.envelopes === 64);
    const tags = currentTags(keys, time.clock());
    const raw = await pullBy(await replaced(network, ada, cleo), cleo, false);
    let asked = 0;
    const asking = (async () => {
      for (; asked < 20_000; asked += 1) {
        await raw.send({ kind: 'ask', tags });
        await raw.send({ kind: 'want', wanted: Array.from({ length: 64 }, () => false) });
      }
    })().catch(() => undefined);
    await time.pass(MINUTE_MS);
    const once = asked;
    await time.pass(MINUTE_MS);
    assert.ok(once < 10_000, `${once} taken`);
    assert.equal(asked, once);
    await raw.channel.close();
    await asking;
  });

  it('by another contact of the recipient: sends no more than the window, and keeps what that one says it has stored', async () => {
    const { time, network, ada, ben, cleo, keys, adaId, benId } = await benAway();
    for (let number = 0; number < 2 * LIMITS.syncWindow; number += 1) await ada.say(benId, `text ${number}`);
    await time.until(() => cleo.messenger.custody.usage.envelopes === 2 * LIMITS.syncWindow);
    const raw = await pullBy(await replaced(network, ada, cleo), cleo, true);
    await raw.send({ kind: 'ask', tags: currentTags(keys, time.clock()) });
    await time.until(() => raw.came.length === 1);
    const [have] = raw.came;
    assert.ok(have?.kind === 'have');
    await raw.send({ kind: 'want', wanted: have.ids.map(() => true) });
    await time.pass(MINUTE_MS);
    assert.equal(raw.envelopes(), LIMITS.syncWindow);
    await raw.send({ kind: 'stored', ids: have.ids.slice(0, LIMITS.syncWindow) });
    await time.until(() => raw.envelopes() === 2 * LIMITS.syncWindow);
    await raw.send({ kind: 'stored', ids: have.ids.slice(LIMITS.syncWindow) });
    await time.until(() => raw.came.at(-1)?.kind === 'done');
    assert.equal(cleo.messenger.custody.usage.envelopes, 2 * LIMITS.syncWindow);
    await ben.start();
    await time.until(() => ben.heard(adaId).length === 2 * LIMITS.syncWindow, 5 * MINUTE_MS);
  });

  it('by a stranger: gives nothing', async () => {
    const { time, network, ada, cleo, keys, benId } = await benAway();
    await ada.say(benId, 'not for everybody');
    await time.until(() => cleo.messenger.custody.usage.envelopes === 1);
    const stranger = network.createSwarm(parseTransportKey(systemRandom(32)));
    await stranger.start();
    await stranger.dial({ transportKey: cleo.swarm.transportKey, addresses: cleo.swarm.addresses() });
    const raw = await pullBy(stranger, cleo, true);
    await raw.send({ kind: 'ask', tags: currentTags(keys, time.clock()) });
    await time.until(() => raw.channel.closed);
    assert.deepEqual(raw.came, []);
  });
});

describe('a recipient that pulls', () => {
  it('past hundreds of envelopes that nobody can open gets what stands behind them, by itself', async () => {
    const { time, ada, ben, cleo, keys, adaId, benId } = await benAway();
    const garbage = 4 * LIMITS.searchesAtOnce;
    for (let number = 0; number < garbage; number += 1) {
      const envelope = encodeEnvelope(sealEnvelope(keys, 'ratchet', systemRandom(200), time.clock(), systemRandom));
      assert.equal((await cleo.messenger.custody.deposit(envelope, adaId)).kind, 'held');
    }
    await ada.say(benId, 'behind all that');
    await time.until(() => cleo.messenger.custody.usage.envelopes === garbage + 1);
    await ada.stop();
    await ben.start();
    await time.until(() => ben.heard(adaId).includes('behind all that'), 10 * MINUTE_MS);
  });

  it('from one that offers without end, sends what was not wanted, or stops half-way: stores nothing and goes on', async () => {
    const { time, network, ada, ben, cleo, adaId, benId } = await benAway();
    const idsOf = (count: number) => Array.from({ length: count }, () => parseEnvelopeId(systemRandom(32)));
    let runs = 0;
    let pages = 0;
    const holder = async (channel: FrameChannel): Promise<void> => {
      runs += 1;
      const send = (frame: SyncFrame) => channel.send(encodeSync(frame)).catch(() => undefined);
      for await (const bytes of channel.frames) {
        const { kind } = decodeSync(bytes);
        if (kind !== 'ask' && kind !== 'want') continue;
        pages += 1;
        if (runs === 1) await send({ kind: 'have', ids: idsOf(LIMITS.syncPage), more: true });
        else if (runs === 2) await send({ kind: 'envelope', envelope: systemRandom(300) });
        else await send({ kind: 'have', ids: kind === 'ask' ? idsOf(9) : [], more: kind === 'ask' });
      }
    };
    await ada.stop();
    await ben.start();
    await time.pass(MINUTE_MS);
    const before = [...ben.rows.range(Buffer.of(22), Buffer.of(23))].length;
    const key = cleo.swarm.transportKey;
    await cleo.stop();
    const changed = network.createSwarm(key);
    await changed.serve(SYNC_PROTOCOL, channel => void holder(channel));
    await changed.start();
    await changed.dial({ transportKey: ben.swarm.transportKey, addresses: ben.swarm.addresses() });
    await time.until(() => runs >= 3, 10 * MINUTE_MS);
    await time.pass(5 * MINUTE_MS);
    assert.ok(pages < 100, `${pages} pages`);
    assert.equal([...ben.rows.range(Buffer.of(22), Buffer.of(23))].length, before);
    await changed.stop();
    await ada.start();
    await ada.say(benId, 'still in touch');
    await time.until(() => ben.heard(adaId).includes('still in touch'), 10 * MINUTE_MS);
  });
});

describe('receipts for what was pulled', () => {
  it('are a few for three hundred texts, so that custodians are not filled by them', async () => {
    const { time, ada, ben, cleo, adaId, benId } = await benAway();
    const texts = 300;
    for (let number = 0; number < texts; number += 1) await ada.say(benId, `text ${number}`);
    await time.until(() => cleo.messenger.custody.usage.envelopes === texts, 10 * MINUTE_MS);
    await ada.stop();
    await ben.start();
    await time.until(() => ben.heard(adaId).length === texts, 5 * MINUTE_MS);
    await time.pass(MINUTE_MS);
    const placed = cleo.messenger.custody.usage.envelopes;
    assert.ok(placed > 0 && placed <= 32, `${placed} receipts for ${texts} texts`);
    const held = new Set(ben.store.outbox.listOf(adaId, 1_000).map(({ envelopeId }) => hex(envelopeId)));
    assert.equal(held.size, placed);
    await ben.stop();
    await ada.start();
    await time.until(() => ada.states(benId).every(state => state === 'delivered'), HOUR_MS);
  });
});
