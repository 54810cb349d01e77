import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { connect, type Socket } from 'node:net';
import { describe, test } from 'node:test';
import { generateKeyPair } from '@libp2p/crypto/keys';
import { identify } from '@libp2p/identify';
import type { Libp2p } from '@libp2p/interface';
import { noise } from '@libp2p/noise';
import { tcp } from '@libp2p/tcp';
import { yamux } from '@libp2p/yamux';
import { multiaddr } from '@multiformats/multiaddr';
import { createLibp2p } from 'libp2p';
import { encodeFrames } from '../../core/network/frames.ts';
import { ENVELOPE_PROTOCOL, encodeDelivery } from '../../core/wire/delivery.ts';
import { RENDEZVOUS_PROTOCOL } from '../../core/wire/rendezvous.ts';
import { introduce, RealCore, until } from '../support/real-core.ts';

const CONNECTIONS = 2000;
const AT_ONCE = 50;

async function stranger(): Promise<Libp2p> {
  return createLibp2p({
    privateKey: await generateKeyPair('Ed25519'),
    transports: [tcp()],
    connectionEncrypters: [noise()],
    streamMuxers: [yamux()],
    services: { identify: identify() },
  });
}

async function addressOf(core: RealCore): Promise<{ full: string; port: number }> {
  const { network } = await core.call('status.get', {});
  const address = network.addresses[0] ?? '';
  return { full: `${address}/p2p/${network.peerId}`, port: Number(address.split('/')[4]) };
}

/** Texts one way, and how long the last took to be confirmed. */
async function talk(from: RealCore, who: string, texts: readonly string[]): Promise<number> {
  const startedAt = performance.now();
  const client = await from.connect();
  for (const text of texts) await client.call('messages.send', { who, text });
  client.close();
  await until('all are delivered', async () => (await from.call('status.get', {})).queued === 0, 60_000);
  return performance.now() - startedAt;
}

describe('strangers at the door', () => {
  test('garbage on every protocol changes nothing, and the honest go on', async t => {
    const [ada, ben] = await Promise.all([RealCore.make(t, 'Ada'), RealCore.make(t, 'Ben')]);
    await Promise.all([ada.start(), ben.start()]);
    await introduce(ada, ben);
    const { full } = await addressOf(ada);
    const peer = await stranger();
    t.after(() => peer.stop());
    const client = await ada.connect();
    const events: string[] = [];
    client.onEvent(({ event }) => events.push(event));
    const frames = [
      randomBytes(1),
      randomBytes(70_000),
      encodeDelivery({ kind: 'envelope', envelope: randomBytes(300) }),
      encodeDelivery({ kind: 'stored', ids: [] }),
      Buffer.alloc(4096, 0xff),
    ];
    let sent = 0;
    for (const protocol of [ENVELOPE_PROTOCOL, RENDEZVOUS_PROTOCOL]) {
      for (const frame of frames) {
        for (const bytes of [encodeFrames([frame]), frame]) {
          const stream = await peer.dialProtocol(multiaddr(full), protocol);
          const ended = new Promise<void>(resolve => stream.addEventListener('close', () => resolve(), { once: true }));
          stream.send(bytes);
          sent += 1;
          await stream.close().catch(() => undefined);
          if (stream.status === 'open') await ended;
        }
      }
    }
    assert.equal(sent, 2 * 2 * frames.length);
    await talk(ben, 'Ada', ['honest words']);
    const { messages } = await ada.call('messages.list', { who: 'Ben' });
    assert.deepEqual(
      messages.map(({ text }) => text),
      ['honest words'],
    );
    assert.deepEqual(await ada.call('requests.list', {}), []);
    assert.deepEqual(
      [...new Set(events)].filter(name => /request|contact-/.test(name)),
      [],
    );
    assert.equal((await ada.end('SIGTERM')).code, 0);
  });

  test('who was not accepted is not heard: not while waiting, not when declined, not by asking again', async t => {
    const [ada, mallory, ben] = await Promise.all([
      RealCore.make(t, 'Ada'),
      RealCore.make(t, 'Mallory'),
      RealCore.make(t, 'Ben'),
    ]);
    await Promise.all([ada.start(), mallory.start(), ben.start()]);
    await introduce(ada, ben);
    const client = await ada.connect();
    const received: string[] = [];
    client.onEvent(event => event.event === 'message-received' && received.push(event.message.text));
    const asked = client.next('contact-request');
    const { invite } = await client.call('invite.create', {});
    await mallory.call('contacts.add', { invite });
    const { request } = await asked;
    for (const text of ['let me in', 'please']) await mallory.call('messages.send', { who: 'Ada', text });
    await talk(ben, 'Ada', ['first']);
    assert.deepEqual(received, ['first']);
    await client.call('requests.decline', { id: request.id });
    await mallory.kill();
    await mallory.start();
    await mallory.call('contacts.add', { invite }).catch(() => undefined);
    await mallory.call('messages.send', { who: 'Ada', text: 'again' });
    await talk(ben, 'Ada', ['second']);
    assert.deepEqual(received, ['first', 'second']);
    assert.deepEqual(await client.call('requests.list', {}), [], 'who was declined does not ask twice');
    assert.deepEqual(
      (await client.call('contacts.list', {})).map(({ nick }) => nick),
      ['Ben'],
    );
    const theirs = await mallory.call('messages.list', { who: 'Ada' });
    assert.ok(
      theirs.messages.every(({ state }) => state === 'queued'),
      'and nobody said that it was delivered',
    );
  });

  test(`${CONNECTIONS} connections and ${CONNECTIONS} calls without a token do not stop the honest`, async t => {
    const [ada, ben] = await Promise.all([RealCore.make(t, 'Ada'), RealCore.make(t, 'Ben')]);
    await Promise.all([ada.start(), ben.start()]);
    await introduce(ada, ben);
    const { port } = await addressOf(ada);
    const before = (await ada.call('status.get', {})).memoryBytes;
    const url = new URL(ada.url);
    const flood = Promise.all([
      manyTimes(CONNECTIONS, number => knock(port, number)),
      manyTimes(CONNECTIONS, () => callWithout(url.origin)),
    ]);
    const texts = Array.from({ length: 200 }, (_, number) => `text ${number}`);
    const honest = Promise.all([talk(ada, 'Ben', texts), talk(ben, 'Ada', texts)]);
    const times = await honest;
    const [opened, answers] = await flood;
    t.diagnostic(`200 texts each way in ${times.map(Math.round).join(' and ')} ms beside ${CONNECTIONS} connections`);
    assert.equal(opened.length, CONNECTIONS);
    assert.ok(
      answers.every(status => status === 401 || status === 429 || status === 0),
      'nobody got in',
    );
    const { messages } = await ada.call('messages.list', { who: 'Ben', limit: 1000 });
    assert.deepEqual(
      messages.filter(({ outgoing }) => !outgoing).map(({ text }) => text),
      texts,
    );
    const after = (await ada.call('status.get', {})).memoryBytes;
    t.diagnostic(`memory ${Math.round(before / 2 ** 20)} MiB before, ${Math.round(after / 2 ** 20)} MiB after`);
    assert.ok(after - before < 150 * 2 ** 20, 'what strangers hold is bounded');
    // Who was away meanwhile is let in again.
    await ben.kill();
    await ben.start();
    await talk(ben, 'Ada', ['back again']);
  });

  test('connections that say nothing, opened again whenever they end, do not keep a friend out', async t => {
    const [ada, ben] = await Promise.all([RealCore.make(t, 'Ada'), RealCore.make(t, 'Ben')]);
    await Promise.all([ada.start(), ben.start()]);
    await introduce(ada, ben);
    const { port } = await addressOf(ada);
    const held = new Set<Socket>();
    let over = false;
    const hold = () => {
      if (over) return;
      const socket = connectFromElsewhere(port);
      held.add(socket);
      socket.on('close', () => {
        held.delete(socket);
        setTimeout(hold, 20);
      });
    };
    t.after(() => {
      over = true;
      for (const socket of held) socket.destroy();
    });
    for (let i = 0; i < 100; i += 1) hold();
    await ben.kill();
    const startedAt = performance.now();
    await ben.start();
    await talk(ada, 'Ben', ['are you back?']);
    await talk(ben, 'Ada', ['I am']);
    t.diagnostic(`in touch again ${Math.round(performance.now() - startedAt)} ms after the start`);
  });
});

/** Runs `one` so many times, some at a time. */
async function manyTimes<T>(times: number, one: (number: number) => Promise<T>): Promise<T[]> {
  const results: T[] = [];
  let next = 0;
  const worker = async () => {
    while (next < times) results.push(await one(next++));
  };
  await Promise.all(Array.from({ length: AT_ONCE }, worker));
  return results;
}

/** A connection from another address of this machine than the friends use. */
function connectFromElsewhere(port: number): Socket {
  const from = process.platform === 'linux' ? { localAddress: '127.0.0.2' } : {};
  const socket = connect({ host: '127.0.0.1', port, ...from });
  socket.on('error', () => socket.destroy());
  return socket.resume();
}

/** A connection with garbage or with nothing to say; ends when it is ended. */
function knock(port: number, number: number): Promise<void> {
  return new Promise(resolve => {
    const socket = connectFromElsewhere(port);
    socket.on('close', () => resolve());
    socket.on('connect', () => (number % 2 === 0 ? socket.end(randomBytes(200)) : socket.destroy()));
  });
}

/** The HTTP status of a call with a wrong token; 0 when the connection was refused. */
async function callWithout(origin: string): Promise<number> {
  const headers = { Authorization: `Bearer ${'x'.repeat(43)}`, 'Content-Type': 'application/json' };
  const body = '{"jsonrpc":"2.0","id":1,"method":"status.get"}';
  return fetch(`${origin}/rpc`, { method: 'POST', headers, body }).then(
    async response => {
      await response.arrayBuffer();
      return response.status;
    },
    () => 0,
  );
}
