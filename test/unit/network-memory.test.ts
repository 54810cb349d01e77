import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { Cancel, Scheduler } from '../../core/base/clock.ts';
import { parseTransportKey } from '../../core/base/ids.ts';
import type { FrameChannel } from '../../core/network/swarm.ts';
import { MemoryNetwork, type Weather } from '../support/memory-network.ts';

const PROTOCOL = '/molva/test/1';
const key = (fill: number) => parseTransportKey(new Uint8Array(32).fill(fill));
const [ALICE, BOB] = [key(1), key(2)];

/** Time that moves only when told to. */
function virtualTime(): { scheduler: Scheduler; advance(ms: number): void } {
  let now = 0;
  let waiting: { at: number; run: () => void }[] = [];
  const scheduler: Scheduler = (delayMs, run): Cancel => {
    const entry = { at: now + delayMs, run };
    waiting.push(entry);
    return () => {
      waiting = waiting.filter(other => other !== entry);
    };
  };
  const advance = (ms: number) => {
    const end = now + ms;
    for (;;) {
      const [next] = waiting.filter(entry => entry.at <= end).sort((a, b) => a.at - b.at);
      if (!next) break;
      waiting = waiting.filter(entry => entry !== next);
      now = next.at;
      next.run();
    }
    now = end;
  };
  return { scheduler, advance };
}

async function meet(weather: Weather = {}) {
  const time = virtualTime();
  const network = new MemoryNetwork(time.scheduler, weather);
  const [alice, bob] = [network.createSwarm(ALICE), network.createSwarm(BOB)];
  await alice.start();
  await bob.start();
  const received: number[] = [];
  await bob.serve(PROTOCOL, channel => void collect(channel, received));
  const target = { transportKey: BOB, addresses: bob.addresses() };
  const dialing = alice.dial(target);
  time.advance(60_000);
  await dialing;
  return { time, network, alice, bob, target, received };
}

async function collect(channel: FrameChannel, received: number[]): Promise<void> {
  for await (const frame of channel.frames) received.push(frame[0] as number);
}

/** Lets every promise that can go on do so. */
const settled = () => new Promise<void>(resolve => setImmediate(resolve));

describe('network in memory', () => {
  it('delivers after the delay, in order, however the delay varies', async () => {
    const delays = [500, 100, 300, 0];
    let dialed = false;
    const delayMs = () => (dialed ? (delays.shift() ?? 0) : 0);
    const { time, alice, received } = await meet({ delayMs });
    dialed = true;
    const channel = await alice.channel(BOB, PROTOCOL);
    for (const value of [1, 2, 3]) await channel.send(Uint8Array.of(value));
    time.advance(99);
    await settled();
    assert.deepEqual(received, []);
    time.advance(500);
    await settled();
    assert.deepEqual(received, [1, 2, 3]);
  });

  it('loses what is under way when the connection is cut, and connects again', async () => {
    const { time, network, alice, target, received } = await meet({ delayMs: () => 10 });
    const channel = await alice.channel(BOB, PROTOCOL);
    await channel.send(Uint8Array.of(1));
    time.advance(10);
    await channel.send(Uint8Array.of(2));
    network.cut(ALICE, BOB);
    time.advance(100);
    await settled();
    assert.deepEqual([received, channel.closed, alice.isConnected(BOB)], [[1], true, false]);
    const dialing = alice.dial(target);
    time.advance(10);
    await dialing;
    await (await alice.channel(BOB, PROTOCOL)).send(Uint8Array.of(3));
    time.advance(10);
    await settled();
    assert.deepEqual(received, [1, 3]);
  });

  it('lets nobody through a partition until it heals', async () => {
    const { network, alice, bob, target } = await meet();
    network.part(ALICE, BOB);
    assert.deepEqual([alice.connectedPeers(), bob.connectedPeers()], [[], []]);
    await assert.rejects(alice.dial(target), { code: 'unreachable' });
    network.heal(ALICE, BOB);
    await alice.dial(target);
    assert.ok(bob.isConnected(ALICE));
  });
});
