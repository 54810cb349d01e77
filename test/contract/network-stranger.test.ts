import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { after, before, describe, it } from 'node:test';
import { generateKeyPair } from '@libp2p/crypto/keys';
import { identify } from '@libp2p/identify';
import type { IdentifyResult, Libp2p, PrivateKey, Stream } from '@libp2p/interface';
import { noise } from '@libp2p/noise';
import { tcp } from '@libp2p/tcp';
import { yamux } from '@libp2p/yamux';
import { multiaddr } from '@multiformats/multiaddr';
import { createLibp2p } from 'libp2p';
import { DecodeError } from '../../core/base/errors.ts';
import { Secret } from '../../core/base/secret.ts';
import { encodeFrames } from '../../core/network/frames.ts';
import { createSwarm } from '../../core/network/swarm.io.ts';
import type { FrameChannel, Swarm } from '../../core/network/swarm.ts';

const PROTOCOL = '/molva/test/1';

/** A libp2p node of somebody else, with stock settings and stock Noise. */
function stranger(privateKey: PrivateKey): Promise<Libp2p> {
  return createLibp2p({
    privateKey,
    transports: [tcp()],
    connectionEncrypters: [noise()],
    streamMuxers: [yamux()],
    services: { identify: identify() },
  });
}

describe('swarm and a stranger', () => {
  let swarm: Swarm;
  let peer: Libp2p;
  const arrived: FrameChannel[] = [];
  const waiting: ((channel: FrameChannel) => void)[] = [];
  const nextChannel = () =>
    new Promise<FrameChannel>(resolve => {
      const channel = arrived.shift();
      if (channel) resolve(channel);
      else waiting.push(resolve);
    });
  const address = () => multiaddr(`${swarm.addresses()[0]}/p2p/${swarm.peerId}`);
  const open = async (): Promise<[Stream, FrameChannel]> => {
    const stream = await peer.dialProtocol(address(), PROTOCOL);
    // Streams are told apart by what they say first.
    const mark = randomBytes(8);
    stream.send(encodeFrames([mark]));
    const channel = await nextChannel();
    const { value } = await channel.frames[Symbol.asyncIterator]().next();
    assert.deepEqual(Buffer.from(value), mark);
    return [stream, channel];
  };
  const ended = (stream: Stream) =>
    new Promise<void>(resolve => {
      if (stream.status !== 'open') resolve();
      else stream.addEventListener('close', () => resolve(), { once: true });
    });

  before(async () => {
    swarm = createSwarm({
      transportSeed: Secret.take(randomBytes(32)),
      listen: ['/ip4/127.0.0.1/tcp/0'],
      lastPorts: [],
    });
    await swarm.serve(PROTOCOL, channel => {
      const next = waiting.shift();
      if (next) next(channel);
      else arrived.push(channel);
    });
    await swarm.start();
    peer = await stranger(await generateKeyPair('Ed25519'));
  });

  after(async () => {
    await peer.stop();
    await swarm.stop();
  });

  it('tells by identify its addresses and protocols, and nothing of its make', async () => {
    const told = new Promise<IdentifyResult>(resolve => {
      peer.addEventListener('peer:identify', event => resolve(event.detail), { once: true });
    });
    await peer.dial(address());
    const { agentVersion, listenAddrs, protocols } = await told;
    assert.equal(agentVersion, 'libp2p');
    assert.deepEqual(listenAddrs.map(String), swarm.addresses());
    assert.deepEqual([...protocols].sort(), ['/ipfs/id/1.0.0', '/ipfs/ping/1.0.0', PROTOCOL]);
  });

  it('speaks frames with stock Noise', async () => {
    const [stream, channel] = await open();
    const reply = new Promise<string>(resolve => {
      stream.addEventListener('message', event => resolve(Buffer.from(event.data.subarray()).toString('hex')), {
        once: true,
      });
    });
    await channel.send(Buffer.from('abcd', 'hex'));
    assert.equal(await reply, '02abcd');
    await channel.close();
    await stream.close();
  });

  for (const [what, bytes] of [
    ['announces a frame over the limit', 'ffff7f'],
    ['sends an empty frame', '00'],
    ['sends a length that does not end', '808080'],
  ] as const) {
    it(`resets the stream of a peer that ${what}, and keeps the connection`, async () => {
      const [stream, channel] = await open();
      const gone = ended(stream);
      stream.send(Buffer.from(bytes, 'hex'));
      await assert.rejects(async () => {
        for await (const _ of channel.frames) assert.fail('no frame was whole');
      }, DecodeError);
      await gone;
      assert.equal(stream.status, 'reset');
      assert.equal(peer.getConnections().length, 1);
      const [next, again] = await open();
      await again.close();
      await next.close();
    });
  }

  it('resets streams of one protocol past its limit', async () => {
    const opened = [await open(), await open()];
    const third = await peer.dialProtocol(address(), PROTOCOL);
    await ended(third);
    assert.equal(third.status, 'reset');
    for (const [stream, channel] of opened) {
      await channel.close();
      await stream.close();
    }
  });

  it('turns away a peer whose key is of another kind', async () => {
    const other = await stranger(await generateKeyPair('secp256k1'));
    try {
      const before = swarm.connectedPeers().length;
      // The refusal comes after the handshake, so the dialer may see a connection for a moment.
      await other.dial(address()).catch(() => undefined);
      await assert.rejects(other.dialProtocol(address(), PROTOCOL));
      assert.equal(swarm.connectedPeers().length, before);
    } finally {
      await other.stop();
    }
  });
});
