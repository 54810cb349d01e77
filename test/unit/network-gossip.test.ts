import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { HOUR_MS, MINUTE_MS, SECOND_MS } from '../../core/base/clock.ts';
import { DecodeError, InternalError } from '../../core/base/errors.ts';
import { parseTransportKey, type TransportKey } from '../../core/base/ids.ts';
import { LIMITS } from '../../core/base/limits.ts';
import { GOSSIP_THRESHOLDS, GossipBlame } from '../../core/network/gossip-blame.ts';
import { boundCaches, cachesOf } from '../../core/network/gossip-memory.ts';
import { GossipWindow } from '../../core/network/gossip-window.ts';
import { NETWORK_LIMITS } from '../../core/network/limits.ts';
import { Pace } from '../../core/network/pace.ts';
import { judgeEnvelope, parseTopic } from '../../core/network/pubsub.ts';
import { encodeEnvelope, expiryHours } from '../../core/wire/envelope.ts';
import { MemoryNetwork, type Weather } from '../support/memory-network.ts';
import { VirtualTime } from '../support/virtual-time.ts';

const NOW = 1_760_000_000_000;

describe('the name of a topic', () => {
  it('is 32 lower-case base32 characters and nothing else', () => {
    const name = 'abcdefghijklmnopqrstuvwxyz234567';
    assert.equal(parseTopic(name), name);
    for (const bad of ['', name.slice(1), `${name}a`, name.toUpperCase(), name.replace('a', '1'), `${name}\n`])
      assert.throws(() => parseTopic(bad), DecodeError);
  });
});

describe('the first check of what came by gossip', () => {
  const envelope = (expiresAtMs: number, length = 256) =>
    encodeEnvelope({
      tag: Buffer.alloc(16, 1),
      expiresAtHours: expiryHours(expiresAtMs),
      sealed: Buffer.alloc(length),
    });

  it('takes an envelope of this time, of every size', () => {
    for (const length of [256, 1024, 4096, 16_384, 65_536]) {
      const judged = judgeEnvelope(envelope(NOW + HOUR_MS, length), NOW);
      assert.ok(typeof judged === 'object' && judged.sealed.length === length);
    }
  });

  it('finds strange what is over, or lasts too long to be believed', () => {
    const last = NOW + LIMITS.envelopeLifetimeMs + LIMITS.clockSkewMs;
    assert.equal(typeof judgeEnvelope(envelope(last), NOW), 'object');
    for (const expiresAtMs of [NOW - HOUR_MS, NOW - 10_000 * HOUR_MS, last + 2 * HOUR_MS])
      assert.equal(judgeEnvelope(envelope(expiresAtMs), NOW), 'strange');
  });

  it('rejects whatever is no envelope', () => {
    const good = envelope(NOW + HOUR_MS);
    for (const bad of [good.subarray(1), Buffer.concat([good, Buffer.alloc(1)]), Buffer.alloc(good.length)])
      assert.equal(judgeEnvelope(bad, NOW), 'reject');
    fc.assert(fc.property(fc.uint8Array({ maxLength: 300 }), bytes => judgeEnvelope(bytes, NOW) === 'reject'));
  });
});

describe('blame', () => {
  const blame = (peers = 3) =>
    new GossipBlame({ peers, forgiveMs: MINUTE_MS, strange: 4, forgiveStrangeMs: 10 * SECOND_MS });

  it('takes a peer out of meshes at one rejected message, out of hearing at three', () => {
    const blamed = blame();
    assert.equal(blamed.score('a', NOW), 0);
    blamed.reject('a', NOW);
    assert.ok(blamed.score('a', NOW) < 0 && blamed.score('a', NOW) > GOSSIP_THRESHOLDS.publish);
    blamed.reject('a', NOW);
    assert.ok(blamed.score('a', NOW) > GOSSIP_THRESHOLDS.graylist);
    blamed.reject('a', NOW);
    assert.ok(blamed.score('a', NOW) < GOSSIP_THRESHOLDS.graylist);
    assert.equal(blamed.score('b', NOW), 0);
  });

  it('is forgiven with time, one message after another', () => {
    const blamed = blame();
    for (let i = 0; i < 3; i += 1) blamed.reject('a', NOW);
    assert.equal(blamed.score('a', NOW + MINUTE_MS), -40);
    assert.equal(blamed.score('a', NOW + 2 * MINUTE_MS), -10);
    assert.equal(blamed.score('a', NOW + 3 * MINUTE_MS), 0);
    blamed.reject('a', NOW + 3 * MINUTE_MS);
    assert.equal(blamed.score('a', NOW + 3 * MINUTE_MS), -10);
  });

  it('passes over some strange messages, and takes more than these for rejected ones', () => {
    const blamed = blame();
    for (let i = 0; i < 4; i += 1) blamed.strange('a', NOW);
    assert.equal(blamed.score('a', NOW), 0);
    blamed.strange('a', NOW + 10 * SECOND_MS);
    assert.equal(blamed.score('a', NOW + 10 * SECOND_MS), 0, 'one was forgiven');
    for (let i = 0; i < 3; i += 1) blamed.strange('a', NOW + 10 * SECOND_MS);
    assert.ok(blamed.score('a', NOW + 10 * SECOND_MS) < GOSSIP_THRESHOLDS.graylist);
    assert.equal(blamed.score('b', NOW), 0);
  });

  it('forgets whom it blamed longest ago when there are too many', () => {
    const blamed = blame(2);
    for (const peer of ['a', 'b', 'a', 'c']) blamed.reject(peer, NOW);
    assert.deepEqual(
      ['a', 'b', 'c'].map(peer => blamed.score(peer, NOW)),
      [-40, 0, -10],
    );
  });
});

describe('what gossipsub remembers of messages', () => {
  const caches = (names: readonly string[]) => {
    const queue = names.map(msgId => ({ msgId }));
    const entries = () => new Map<string, unknown>(names.map(name => [name, {}]));
    return { seenCache: { entries: entries() }, score: { deliveryRecords: { records: entries(), queue } } };
  };

  it('is bounded, and the oldest is forgotten first', () => {
    const kept = caches(['a', 'b', 'c', 'd']);
    boundCaches(cachesOf(kept), 3);
    const { records, queue } = kept.score.deliveryRecords;
    for (const map of [kept.seenCache.entries, records]) assert.deepEqual([...map.keys()], ['b', 'c', 'd']);
    assert.equal(queue.length, 3);
    boundCaches(kept, 3);
    assert.equal(queue.length, 3);
  });

  it('is not taken for granted in another version', () => {
    const { seenCache, score } = caches([]);
    const { queue } = score.deliveryRecords;
    const others = [
      { seenCache },
      { score },
      { seenCache: {}, score },
      { seenCache, score: { deliveryRecords: { queue } } },
    ];
    for (const other of others) assert.throws(() => cachesOf(other), InternalError);
  });
});

describe('pace', () => {
  it('lets a burst pass, then holds to the rate, and a rest makes room for another burst', () => {
    const pace = new Pace({ bytesPerSecond: 10_000, burstBytes: 20_000 });
    assert.equal(pace.take(20_000 - 64, NOW), 0);
    assert.equal(pace.take(10_000 - 64, NOW), 1_000);
    assert.equal(pace.take(10_000 - 64, NOW + 1_000), 1_000);
    assert.equal(pace.take(20_000 - 64, NOW + 60_000), 0);
  });

  it('counts tiny pieces too', () => {
    const pace = new Pace({ bytesPerSecond: 10_000, burstBytes: 20_000 });
    let wait = 0;
    for (let i = 0; i < 1_000; i += 1) wait = pace.take(1, NOW);
    assert.ok(wait > 4_000);
  });
});

describe('the window of last messages', () => {
  const topic = 'topic';
  const name = (id: number) => ({ msgId: Buffer.from([id]), msgIdStr: String(id) });
  const make = (maxBytes = 100_000) => new GossipWindow({ maxBytes, keepBeats: 3, tellBeats: 2 });
  const told = (window: ReturnType<typeof make>) =>
    window
      .getGossipIDs(new Set([topic]))
      .get(topic)
      ?.map(id => id[0]) ?? [];

  it('keeps and tells of messages for their heartbeats', () => {
    const window = make();
    assert.equal(window.put(name(1), { topic }), true);
    assert.equal(window.put(name(1), { topic }), false);
    window.put(name(9), { topic: 'another' });
    window.shift();
    window.put(name(2), { topic });
    assert.deepEqual(told(window), [1, 2]);
    window.shift();
    assert.deepEqual(told(window), [2]);
    assert.ok(window.msgs.has('1'));
    window.shift();
    assert.deepEqual([...window.msgs.keys()], ['2']);
    window.shift();
    assert.equal(window.bytes, 0);
  });

  it('counts who asked how often', () => {
    const window = make();
    window.put(name(1), { topic });
    assert.equal(window.getWithIWantCount('1', 'a')?.count, 1);
    assert.equal(window.getWithIWantCount('1', 'a')?.count, 2);
    assert.equal(window.getWithIWantCount('1', 'b')?.count, 1);
    assert.equal(window.getWithIWantCount('2', 'a'), null);
  });

  it('never holds more bytes than it may, and drops the oldest first', () => {
    const window = make(10_000);
    for (let id = 0; id < 50; id += 1) {
      window.put(name(id), { topic, data: Buffer.alloc(1_000) });
      assert.ok(window.bytes <= 10_000);
    }
    assert.deepEqual(told(window), [43, 44, 45, 46, 47, 48, 49]);
  });

  it('has fewer messages and bytes than one piece may carry, whatever their size', () => {
    const window = make(NETWORK_LIMITS.gossipKeptBytes);
    for (let id = 0; id < 10_000; id += 1) window.put(name(id), { topic, data: Buffer.alloc(1) });
    assert.ok(window.msgs.size < NETWORK_LIMITS.gossipPieceMessages);
    assert.ok(window.msgs.size < NETWORK_LIMITS.gossipPieceIds);
    assert.ok(2 * NETWORK_LIMITS.gossipKeptBytes <= NETWORK_LIMITS.gossipPieceBytes);
  });
});

describe('gossip in memory, in bad weather', () => {
  const topic = parseTopic('a'.repeat(32));
  const meet = async (weather: Weather) => {
    const time = new VirtualTime();
    const network = new MemoryNetwork(time.scheduler, weather, time.monotonic);
    const swarms = [1, 2, 3].map(n => network.createSwarm(parseTransportKey(Buffer.alloc(32, n))));
    const got = swarms.map((swarm): string[] => {
      const words: string[] = [];
      swarm.pubsub().join(topic, bytes => {
        words.push(Buffer.from(bytes).toString());
        return 'accept';
      });
      return words;
    });
    for (const swarm of swarms) await swarm.start();
    for (const [i, swarm] of swarms.entries())
      for (const { transportKey, addresses } of swarms
        .slice(i + 1)
        .map(other => ({ transportKey: other.transportKey, addresses: other.addresses() })))
        await swarm.dial({ transportKey, addresses });
    const say = (who: number, word: string) => swarms[who]?.pubsub().publish(topic, Buffer.from(word));
    return { time, network, swarms, got, say };
  };
  const is = (key: TransportKey, n: number) => key[0] === n;

  it('comes by another way when one loses it', async () => {
    const lost = { gossipMs: (from: TransportKey, to: TransportKey) => (is(from, 1) && is(to, 3) ? undefined : 5) };
    const { time, got, say } = await meet(lost);
    assert.equal(await say(0, 'hello'), 2);
    await time.pass(100);
    assert.deepEqual(got, [[], ['hello'], ['hello']]);
  });

  it('is lost where all ways lose it', async () => {
    const { time, got, say } = await meet({ gossipMs: (_, to) => (is(to, 3) ? undefined : 5) });
    await say(0, 'hello');
    await time.pass(100);
    assert.deepEqual(got, [[], ['hello'], []]);
  });

  it('overtakes as the weather says', async () => {
    const delays = [50, 10];
    const { time, got, say } = await meet({ gossipMs: from => (is(from, 1) ? delays.shift() : undefined) });
    delays.splice(0, 2, 50, 70, 10, 20);
    await say(0, 'one');
    await say(0, 'two');
    await time.pass(100);
    assert.deepEqual(got.slice(1), [
      ['two', 'one'],
      ['two', 'one'],
    ]);
  });

  it('is lost with the link it was on', async () => {
    const { time, network, swarms, got, say } = await meet({ gossipMs: () => 50 });
    const [a, b, c] = swarms.map(({ transportKey }) => transportKey) as [TransportKey, TransportKey, TransportKey];
    await say(0, 'hello');
    network.cut(a, b);
    network.cut(b, c);
    await time.pass(100);
    assert.deepEqual(got, [[], [], ['hello']]);
  });
});
