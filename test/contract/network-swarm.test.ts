import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { createServer, type Server } from 'node:net';
import { after, describe, it } from 'node:test';
import { CoreError } from '../../core/base/errors.ts';
import { parseTransportKey, type TransportKey } from '../../core/base/ids.ts';
import { LIMITS } from '../../core/base/limits.ts';
import { Secret } from '../../core/base/secret.ts';
import { systemScheduler } from '../../core/base/world.io.ts';
import type { NetworkLimits } from '../../core/network/limits.ts';
import { createSwarm } from '../../core/network/swarm.io.ts';
import type { FrameChannel, Swarm } from '../../core/network/swarm.ts';
import { MemoryNetwork } from '../support/memory-network.ts';

const PROTOCOL = '/molva/test/1';

interface World {
  readonly name: string;
  create(): Swarm;
  /** An address where nobody answers with the wanted key. */
  readonly nowhere: string;
}

const memory = new MemoryNetwork(systemScheduler);
const worlds: World[] = [
  {
    name: 'memory',
    create: () => memory.createSwarm(parseTransportKey(randomBytes(32))),
    nowhere: '/ip4/10.0.0.1/tcp/1',
  },
  {
    name: 'libp2p',
    create: () =>
      createSwarm({
        transportSeed: Secret.take(randomBytes(32)),
        listen: ['/ip4/127.0.0.1/tcp/0'],
        lastPorts: [],
        limits: { addressDialTimeoutMs: 1_000, dialTimeoutMs: 2_000 },
      }),
    nowhere: '/ip4/127.0.0.1/tcp/1',
  },
];

const targetOf = (swarm: Swarm) => ({ transportKey: swarm.transportKey, addresses: swarm.addresses() });
const unreachable = (error: unknown) => error instanceof CoreError && error.code === 'unreachable';
const told = (swarm: Swarm, what: 'connected' | 'disconnected' | 'identified', peer: Swarm) =>
  new Promise<TransportKey>(resolve => {
    const stop = swarm.on({
      [what]: (key: TransportKey) => {
        if (!Buffer.from(key).equals(peer.transportKey)) return;
        stop();
        resolve(key);
      },
    });
  });

for (const world of worlds) {
  describe(`swarm over ${world.name}`, () => {
    const running = new Set<Swarm>();
    const start = async () => {
      const swarm = world.create();
      running.add(swarm);
      await swarm.start();
      return swarm;
    };
    /** Two connected nodes, and what the second is served. */
    const connected = async () => {
      const [a, b] = [await start(), await start()];
      const served: FrameChannel[] = [];
      const waiting: ((channel: FrameChannel) => void)[] = [];
      await b.serve(PROTOCOL, channel => {
        const next = waiting.shift();
        if (next) next(channel);
        else served.push(channel);
      });
      const accept = () =>
        new Promise<FrameChannel>(resolve => {
          const channel = served.shift();
          if (channel) resolve(channel);
          else waiting.push(resolve);
        });
      const seen = told(b, 'connected', a);
      await a.dial(targetOf(b));
      await seen;
      return { a, b, accept, served };
    };
    after(async () => {
      for (const swarm of running) await swarm.stop();
    });

    it('tells both sides of a connection, once, and of its end', async () => {
      const [a, b] = [await start(), await start()];
      const events: string[] = [];
      a.on({ connected: () => events.push('a connected'), disconnected: () => events.push('a disconnected') });
      b.on({ connected: () => events.push('b connected'), disconnected: () => events.push('b disconnected') });
      const up = [told(a, 'connected', b), told(b, 'connected', a)];
      await Promise.all([a.dial(targetOf(b)), a.dial(targetOf(b))]);
      await Promise.all(up);
      assert.ok(a.isConnected(b.transportKey) && b.isConnected(a.transportKey));
      assert.deepEqual(a.connectedPeers(), [b.transportKey]);
      const down = [told(a, 'disconnected', b), told(b, 'disconnected', a)];
      await b.disconnect(a.transportKey);
      await Promise.all(down);
      assert.equal(a.isConnected(b.transportKey), false);
      assert.deepEqual(events.sort(), ['a connected', 'a disconnected', 'b connected', 'b disconnected']);
    });

    it('learns where the peer listens', async () => {
      const [a, b] = [await start(), await start()];
      const identified = told(a, 'identified', b);
      await a.dial(targetOf(b));
      await identified;
      assert.deepEqual(a.remoteAddresses(b.transportKey), b.addresses());
    });

    it('does not reach an address where nobody is, nor a peer that is another', async () => {
      const [a, b] = [await start(), await start()];
      const stranger = parseTransportKey(world.create().transportKey);
      await assert.rejects(a.dial({ transportKey: b.transportKey, addresses: [world.nowhere] }), unreachable);
      await assert.rejects(a.dial({ transportKey: b.transportKey, addresses: [] }), unreachable);
      await assert.rejects(a.dial({ transportKey: stranger, addresses: b.addresses() }), unreachable);
      await assert.rejects(a.dial(targetOf(b), AbortSignal.abort()), unreachable);
      assert.equal(a.isConnected(stranger), false);
      await a.dial({ transportKey: b.transportKey, addresses: [world.nowhere, ...b.addresses()] });
      assert.ok(a.isConnected(b.transportKey));
    });

    it('carries frames of every size both ways, in order', async () => {
      const { a, b, accept } = await connected();
      const near = await a.channel(b.transportKey, PROTOCOL);
      const sizes = [1, 127, 128, 16_383, 16_384, LIMITS.frameBytes, 400];
      const sent = sizes.map(size => randomBytes(size));
      for (const frame of sent) await near.send(frame);
      const far = await accept();
      assert.deepEqual(far.peer, a.transportKey);
      const echoed: Uint8Array[] = [];
      for await (const frame of far.frames) {
        await far.send(frame);
        echoed.push(frame);
        if (echoed.length === sent.length) break;
      }
      const back: Uint8Array[] = [];
      for await (const frame of near.frames) if (back.push(frame) === sent.length) break;
      assert.deepEqual(back.map(hash), sent.map(hash));
    });

    it('refuses frames that are empty or too large', async () => {
      const { a, b } = await connected();
      const near = await a.channel(b.transportKey, PROTOCOL);
      for (const length of [0, LIMITS.frameBytes + 1]) {
        await assert.rejects(near.send(new Uint8Array(length)), { code: 'too-large' });
      }
    });

    it('shares one channel between callers and opens another after its loss', async () => {
      const { a, b, accept, served } = await connected();
      const channels = await Promise.all([1, 2, 3].map(() => a.channel(b.transportKey, PROTOCOL)));
      assert.equal(new Set(channels).size, 1);
      const first = await accept();
      assert.equal(served.length, 0);
      await first.close();
      for await (const _ of (channels[0] as FrameChannel).frames) assert.fail('nothing was sent');
      const again = await a.channel(b.transportKey, PROTOCOL);
      assert.notEqual(again, channels[0]);
      await again.send(Buffer.from('again'));
      const second = await accept();
      for await (const frame of second.frames) {
        assert.equal(Buffer.from(frame).toString(), 'again');
        break;
      }
    });

    it('delivers what was sent before a close', async () => {
      const { a, b, accept } = await connected();
      const near = await a.channel(b.transportKey, PROTOCOL);
      for (let index = 0; index < 500; index++) await near.send(Buffer.from([index & 0xff, index >> 8]));
      await near.close();
      await assert.rejects(near.send(Buffer.from('late')), unreachable);
      let received = 0;
      for await (const frame of (await accept()).frames) {
        assert.equal((frame[0] ?? 0) + 256 * (frame[1] ?? 0), received);
        received += 1;
      }
      assert.equal(received, 500);
    });

    it('ends the channels of a lost connection and refuses new ones', async () => {
      const { a, b, accept } = await connected();
      const near = await a.channel(b.transportKey, PROTOCOL);
      await near.send(Buffer.from('x'));
      const far = await accept();
      const lost = told(a, 'disconnected', b);
      await b.stop();
      await lost;
      for await (const _ of near.frames) assert.fail('nothing was sent back');
      for await (const _ of far.frames);
      assert.ok(near.closed && far.closed);
      await assert.rejects(near.send(Buffer.from('x')), unreachable);
      await assert.rejects(a.channel(b.transportKey, PROTOCOL), unreachable);
    });

    it('refuses a channel of a protocol that is not served', async () => {
      const { a, b } = await connected();
      await assert.rejects(a.channel(b.transportKey, '/molva/other/1'), unreachable);
      assert.ok(a.isConnected(b.transportKey));
    });

    it('holds a fast sender back while the reader rests, and loses nothing', async () => {
      const { a, b, accept } = await connected();
      const near = await a.channel(b.transportKey, PROTOCOL);
      const frame = new Uint8Array(64 * 1024);
      const total = 200;
      let accepted = 0;
      const sending = (async () => {
        for (let index = 0; index < total; index++) {
          frame[0] = index;
          await near.send(Uint8Array.from(frame));
          accepted += 1;
        }
      })();
      const far = await accept();
      // The reader rests until the sender has come to a stop: nothing was accepted in ten turns of the event loop.
      for (let still = 0, last = -1; still < 10; still = accepted === last ? still + 1 : 0) {
        last = accepted;
        await new Promise(resolve => setImmediate(resolve));
      }
      const held = accepted;
      assert.ok(held < total, `all ${total} frames were taken by nobody`);
      let received = 0;
      for await (const got of far.frames) {
        assert.equal(got[0], received & 0xff);
        received += 1;
        if (received === total) break;
      }
      await sending;
    });

    it('loses nothing to a reader that is always behind', async () => {
      const { a, b, accept } = await connected();
      const near = await a.channel(b.transportKey, PROTOCOL);
      const total = 8_000;
      const sending = (async () => {
        for (let index = 0; index < total; index++) await near.send(Buffer.alloc(4_000, index));
      })();
      let received = 0;
      for await (const got of (await accept()).frames) {
        assert.equal(got[0], received & 0xff);
        received += 1;
        if (received === total) break;
        if (received % 8 === 0) await new Promise(resolve => setImmediate(resolve));
      }
      assert.equal(received, total);
      await sending;
    });
  });
}

function hash(bytes: Uint8Array): string {
  return `${bytes.length}:${Buffer.from(bytes).toString('base64').slice(0, 32)}`;
}

describe('swarm over libp2p, on real ports', () => {
  const seed = randomBytes(32);
  const made = new Set<Swarm>();
  const make = (lastPorts: number[], listen = ['/ip4/127.0.0.1/tcp/0'], key: Uint8Array = seed) => {
    const swarm = createSwarm({ transportSeed: Secret.take(Uint8Array.from(key)), listen, lastPorts });
    made.add(swarm);
    return swarm;
  };
  // A test that fails leaves its nodes running, and the process with them.
  after(async () => {
    for (const swarm of made) await swarm.stop();
  });
  const occupy = (port: number) =>
    new Promise<Server>((resolve, reject) => {
      const server = createServer();
      server.once('error', reject);
      server.listen(port, '127.0.0.1', () => resolve(server));
    });

  it('keeps its port over a restart and takes another when it is gone', async () => {
    const first = make([]);
    await first.start();
    const ports = first.listenPorts();
    await first.stop();
    const second = make(ports);
    await second.start();
    assert.deepEqual(second.listenPorts(), ports);
    assert.equal(second.peerId, first.peerId);
    await second.stop();
    const squatter = await occupy(ports[0] as number);
    const third = make(ports);
    await third.start();
    assert.notDeepEqual(third.listenPorts(), ports);
    await third.stop();
    await new Promise(resolve => squatter.close(resolve));
  });

  it('says so when a given address is malformed or taken', async () => {
    const squatter = await occupy(0);
    const address = squatter.address();
    const port = typeof address === 'object' && address ? address.port : 0;
    await assert.rejects(make([], [`/ip4/127.0.0.1/tcp/${port}`]).start(), { code: 'refused' });
    await assert.rejects(make([], ['/ip4/127.0.0.1/udp/1']).start(), { code: 'bad-request' });
    await new Promise(resolve => squatter.close(resolve));
  });

  it('listens on every interface by default, on one port, and tells real addresses', async () => {
    const swarm = make([], []);
    await swarm.start();
    assert.equal(swarm.listenPorts().length, 1);
    const told = swarm.addresses();
    assert.ok(told.includes(`/ip4/127.0.0.1/tcp/${swarm.listenPorts()[0]}`));
    assert.ok(told.every(text => !text.includes('0.0.0.0') && !text.includes('/p2p/')));
    await swarm.stop();
    assert.deepEqual(swarm.addresses(), []);
  });

  it('lets one host come back twenty times in a row', async () => {
    const [a, b] = [make([]), make([], undefined, randomBytes(32))];
    await a.start();
    await b.start();
    for (let round = 0; round < 20; round++) {
      await a.dial(targetOf(b));
      const gone = told(a, 'disconnected', b);
      await a.disconnect(b.transportKey);
      await gone;
    }
    await a.stop();
    await b.stop();
  });

  it('refuses a host that comes more often than its limit allows', async () => {
    const local = (limits: Partial<NetworkLimits>) =>
      createSwarm({
        transportSeed: Secret.take(randomBytes(32)),
        listen: ['/ip4/127.0.0.1/tcp/0'],
        lastPorts: [],
        limits,
      });
    const swarm = local({ inboundPerHostPerSecond: 1 });
    const others = Array.from({ length: 8 }, () => local({ dialTimeoutMs: 3_000 }));
    try {
      for (const each of [swarm, ...others]) await each.start();
      const results = await Promise.allSettled(others.map(other => other.dial(targetOf(swarm))));
      const refused = results.filter(result => result.status === 'rejected').length;
      assert.ok(refused >= 1, 'nobody was refused');
      assert.ok(refused < others.length, 'everybody was refused');
    } finally {
      for (const each of [swarm, ...others]) await each.stop();
    }
  });
});

describe('swarm over libp2p, with a faulty listener', () => {
  it('reports what a listener or a server throws, and goes on', async () => {
    const faults: unknown[] = [];
    const make = () =>
      createSwarm({
        transportSeed: Secret.take(randomBytes(32)),
        listen: ['/ip4/127.0.0.1/tcp/0'],
        lastPorts: [],
        onFault: fault => faults.push(fault),
      });
    const [a, b] = [make(), make()];
    try {
      await Promise.all([a.start(), b.start()]);
      const raise = (what: string) => () => {
        throw new Error(what);
      };
      a.on({ connected: raise('connected'), disconnected: raise('disconnected') });
      const served = Promise.withResolvers<void>();
      await a.serve(PROTOCOL, () => {
        served.resolve();
        raise('serve')();
      });
      const [known, gone] = [told(a, 'connected', b), told(a, 'disconnected', b)];
      await b.dial(targetOf(a));
      await known;
      await b.channel(a.transportKey, PROTOCOL);
      await served.promise;
      await b.disconnect(a.transportKey);
      await gone;
      await b.dial(targetOf(a));
      const reported = faults.map(fault => (fault as Error).message);
      assert.deepEqual(reported.slice(0, 3), ['connected', 'serve', 'disconnected']);
    } finally {
      await Promise.all([a.stop(), b.stop()]);
    }
  });
});
