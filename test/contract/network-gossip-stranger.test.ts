import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { afterEach, describe, it } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import type { RPC } from '@libp2p/gossipsub/message';
import { LIMITS } from '../../core/base/limits.ts';
import { Secret } from '../../core/base/secret.ts';
import { systemMonotonic } from '../../core/base/world.io.ts';
import type { NetworkLimits } from '../../core/network/limits.ts';
import { parseTopic, type Topic, type Verdict } from '../../core/network/pubsub.ts';
import { createSwarm } from '../../core/network/swarm.io.ts';
import type { Swarm } from '../../core/network/swarm.ts';
import { Stranger, varint } from '../support/gossip-stranger.ts';

const ROOT = join(import.meta.dirname, '..', '..');
const running = new Set<{ stop(): unknown }>();

/** A name made of a number, in letters. */
const topicOf = (seed: number) =>
  parseTopic([...String(seed).padStart(32, '0')].map(digit => 'abcdefghij'[Number(digit)]).join(''));

async function until(what: string, done: () => boolean): Promise<void> {
  for (const end = systemMonotonic() + 20_000; !done(); await delay(5)) {
    assert.ok(systemMonotonic() < end, `never: ${what}`);
  }
}

async function node(limits: Partial<NetworkLimits> = {}): Promise<Swarm> {
  const listen = ['/ip4/127.0.0.1/tcp/0'];
  const swarm = createSwarm({ transportSeed: Secret.take(randomBytes(32)), listen, lastPorts: [], limits });
  running.add(swarm);
  await swarm.start();
  return swarm;
}

/** Joins, and says what came: short messages as text, others as their length. */
function joined(swarm: Swarm, topic: Topic, judge: () => Verdict | Promise<Verdict> = () => 'accept'): string[] {
  const got: string[] = [];
  swarm.pubsub().join(topic, bytes => {
    got.push(bytes.length < 100 ? Buffer.from(bytes).toString() : `${bytes.length} bytes`);
    return judge();
  });
  return got;
}

async function meet(swarm: Swarm): Promise<Stranger> {
  const stranger = await Stranger.meet(`${swarm.addresses()[0]}/p2p/${swarm.peerId}`);
  running.add(stranger);
  return stranger;
}

describe('gossip and a stranger', () => {
  const topic = topicOf(1);

  afterEach(async () => {
    for (const each of running) await each.stop();
    running.clear();
  });

  it('sends messages without author, number, key and signature', async () => {
    const swarm = await node();
    joined(swarm, topic);
    const stranger = await meet(swarm);
    stranger.subscribe([topic]);
    await until('it takes part', () => swarm.pubsub().peersOf(topic) === 1);
    await swarm.pubsub().publish(topic, Buffer.from('hello'));
    const messages = () => stranger.heard.flatMap(rpc => rpc.messages);
    await until('it came', () => messages().length === 1);
    const { data, topic: name, ...more } = messages()[0] as RPC.Message;
    assert.deepEqual([Buffer.from(data ?? []).toString(), name], ['hello', topic]);
    assert.deepEqual(
      Object.values(more).filter(value => value !== undefined),
      [],
    );
  });

  it('neither takes nor spreads what is signed, empty, too large, or of a topic nobody joined', async () => {
    const [near, far] = [await node(), await node()];
    const [gotNear, gotFar] = [joined(near, topic), joined(far, topic)];
    await near.dial({ transportKey: far.transportKey, addresses: far.addresses() });
    await until('both take part', () => near.pubsub().peersOf(topic) === 1 && far.pubsub().peersOf(topic) === 1);
    const stranger = await meet(near);
    const other = topicOf(2);
    stranger.message(topic, Buffer.from('signed'), { from: randomBytes(38), signature: randomBytes(64) });
    stranger.message(topic, Buffer.from('numbered'), { seqno: randomBytes(8) });
    stranger.message(topic, randomBytes(LIMITS.envelopeBytes + 1));
    stranger.message(topic, Buffer.alloc(0));
    stranger.message(other, Buffer.from('elsewhere'));
    stranger.message(topic, Buffer.from('good'));
    await until('the good one is at the far end', () => gotFar.length > 0);
    assert.deepEqual([gotNear, gotFar], [['good'], ['good']]);
    // What came for a topic that was not joined was not even counted as seen.
    const later = joined(near, other);
    stranger.message(other, Buffer.from('elsewhere'));
    await until('it is taken now', () => later.length === 1);
  });

  it('remembers of a peer no more topics than one may have', async () => {
    const swarm = await node();
    joined(swarm, topic);
    joined(swarm, topicOf(2));
    const stranger = await meet(swarm);
    const many = Array.from({ length: LIMITS.gossipTopics }, (_, i) => topicOf(1_000 + i));
    stranger.subscribe(many);
    stranger.subscribe([topic]);
    stranger.subscribe(many.slice(0, 1), false);
    stranger.subscribe([topicOf(2)]);
    await until('there was room for one', () => swarm.pubsub().peersOf(topicOf(2)) === 1);
    assert.equal(swarm.pubsub().peersOf(topic), 0);
  });

  it('ends a stream with a piece that is too long, and keeps the connection', async () => {
    const swarm = await node();
    joined(swarm, topic);
    const stranger = await meet(swarm);
    stranger.subscribe([topic]);
    await until('it takes part', () => swarm.pubsub().peersOf(topic) === 1);
    stranger.raw(Buffer.concat([varint(64 * 1024 * 1024), randomBytes(1_000)]));
    await until('it is left out', () => swarm.pubsub().peersOf(topic) === 0);
    assert.ok(stranger.connected);
  });

  it('reads no more of a peer than is handled', async t => {
    const swarm = await node();
    const rest = Promise.withResolvers<Verdict>();
    const got = joined(swarm, topic, () => rest.promise);
    const stranger = await meet(swarm);
    const total = 320;
    for (let i = 0; i < total; i += 1) stranger.message(topic, randomBytes(64 * 1024));
    await until('the first is being judged', () => got.length === 1);
    // The writer comes to rest: nothing left in a hundred turns of the event loop.
    for (let still = 0, last = -1; still < 100; still = stranger.unsent === last ? still + 1 : 0) {
      last = stranger.unsent;
      await delay(1);
    }
    const taken = total * 64 * 1024 - stranger.unsent;
    t.diagnostic(`${(taken / 2 ** 20).toFixed(1)} of ${total / 16} MiB were taken`);
    assert.equal(got.length, 1);
    assert.ok(taken < 6 * 1024 * 1024, `${taken} bytes were taken`);
    rest.resolve('ignore');
    await until('reading goes on', () => got.length > 10);
  });

  it('holds one to its pace for as long as it likes, and loses nothing of it', async () => {
    const swarm = await node({ gossipBytesPerSecond: 4 * 1024 * 1024, gossipBurstBytes: 1024 * 1024 });
    const got = joined(swarm, topic);
    const stranger = await meet(swarm);
    const [begun, total] = [systemMonotonic(), 512];
    for (let i = 0; i < total; i += 1) stranger.message(topic, randomBytes(16 * 1024));
    await until('all of it was judged', () => got.length === total);
    const tookMs = systemMonotonic() - begun;
    assert.ok(tookMs > 1_000, `8 MiB at 4 MiB a second came in ${tookMs} ms`);
  });
});

describe('gossip and memory', () => {
  it('is loaded with the first topic, and not before', t => {
    const script = `
      import { registerHooks } from 'node:module';
      import { randomBytes } from 'node:crypto';
      const loaded = [];
      registerHooks({ load: (url, context, next) => (loaded.push(url), next(url, context)) });
      const { createSwarm } = await import('./core/network/swarm.io.ts');
      const { Secret } = await import('./core/base/secret.ts');
      const { parseTopic } = await import('./core/network/pubsub.ts');
      const swarm = createSwarm({
        transportSeed: Secret.take(randomBytes(32)), listen: ['/ip4/127.0.0.1/tcp/0'], lastPorts: [],
      });
      const gossip = () => loaded.filter(url => /gossip/.test(url)).length;
      await swarm.start();
      const before = [gossip(), process.memoryUsage.rss()];
      const begun = performance.now();
      swarm.pubsub().join(parseTopic('a'.repeat(32)), () => 'accept');
      await swarm.pubsub().publish(parseTopic('a'.repeat(32)), randomBytes(8));
      console.log(JSON.stringify([before, [gossip(), process.memoryUsage.rss()], performance.now() - begun]));
      await swarm.stop();
    `;
    const options = { cwd: ROOT, encoding: 'utf8' } as const;
    const out = execFileSync(process.execPath, ['--input-type=module', '--eval', script], options);
    const [[before, rssBefore], [loaded, rssAfter], tookMs] = JSON.parse(out);
    assert.equal(before, 0);
    assert.ok(loaded > 5, `${loaded} modules`);
    t.diagnostic(`first topic: ${Math.round(tookMs)} ms, ${((rssAfter - rssBefore) / 2 ** 20).toFixed(1)} MiB`);
  });
});
