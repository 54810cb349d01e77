import assert from 'node:assert/strict';
import { once } from 'node:events';
import { connect } from 'node:net';
import { type TestContext, test } from 'node:test';
import { WebSocket } from 'ws';
import { LIMITS } from '../../core/base/limits.ts';
import { ask, OWN_ID, rpcBody, type Served, serveApi } from './api-fixture.ts';

type Opened = { kind: 'open'; socket: WebSocket } | { kind: 'refused'; status: number };

/** Tries to connect; `protocols` are the page's unless the test says otherwise. */
function open(
  t: TestContext,
  served: Served,
  { protocols = ['molva.v1', `token.${served.token}`], headers = {}, path = '/ws' } = {},
): Promise<Opened> {
  const socket = new WebSocket(`ws://127.0.0.1:${served.port}${path}`, protocols, { headers });
  t.after(() => socket.terminate());
  return new Promise((resolve, reject) => {
    socket.on('open', () => resolve({ kind: 'open', socket }));
    socket.on('unexpected-response', (_request, response) =>
      resolve({ kind: 'refused', status: response.statusCode ?? 0 }),
    );
    socket.on('error', reject);
  });
}

async function opened(t: TestContext, served: Served): Promise<WebSocket> {
  const result = await open(t, served);
  assert.equal(result.kind, 'open');
  return (result as Extract<Opened, { kind: 'open' }>).socket;
}

async function nextJson(socket: WebSocket) {
  const [data] = await once(socket, 'message');
  return JSON.parse(String(data));
}

test('requests are answered and events arrive as notifications', async t => {
  const served = await serveApi(t, { 'contacts.list': async () => [] });
  const socket = await opened(t, served);
  assert.equal(socket.protocol, 'molva.v1');
  const answer = nextJson(socket);
  socket.send(rpcBody('contacts.list', {}, 42));
  assert.deepEqual(await answer, { jsonrpc: '2.0', id: 42, result: [] });
  const event = { event: 'peer-connected', contact: OWN_ID } as const;
  const notice = nextJson(socket);
  served.emit(event);
  assert.deepEqual(await notice, { jsonrpc: '2.0', method: 'event', params: event });
});

test('calls on one socket begin in the order they were sent', async t => {
  const seen: string[] = [];
  const served = await serveApi(t, {
    'requests.decline': async ({ id }) => {
      seen.push(id);
      return { done: true };
    },
  });
  const socket = await opened(t, served);
  const sent = Array.from({ length: 200 }, (_, index) => String(index));
  const all = new Promise<void>(resolve => {
    let count = 0;
    socket.on('message', () => {
      count += 1;
      if (count === sent.length) resolve();
    });
  });
  for (const id of sent) socket.send(rpcBody('requests.decline', { id }, id));
  await all;
  assert.deepEqual(seen, sent);
});

test('a foreign or null Origin is refused; the own one and none are not', async t => {
  const served = await serveApi(t);
  for (const Origin of ['null', 'https://evil.example', `http://localhost:${served.port}`, `${served.origin}.`]) {
    assert.deepEqual(await open(t, served, { headers: { Origin } }), { kind: 'refused', status: 403 }, Origin);
  }
  assert.equal((await open(t, served, { headers: { Origin: served.origin } })).kind, 'open');
  assert.equal((await open(t, served)).kind, 'open');
});

test('a foreign Host is refused', async t => {
  const served = await serveApi(t);
  const headers = { Host: `localhost:${served.port}` };
  assert.deepEqual(await open(t, served, { headers }), { kind: 'refused', status: 403 });
});

test('a missing or wrong token is refused, and one in the address does not count', async t => {
  const served = await serveApi(t);
  const wrong = Buffer.alloc(32, 7).toString('base64url');
  for (const protocols of [
    ['molva.v1'],
    ['molva.v1', `token.${wrong}`],
    [`token.${served.token}`],
    ['molva.v1', 'token.'],
  ]) {
    assert.deepEqual(await open(t, served, { protocols }), { kind: 'refused', status: 401 }, protocols.join());
  }
  const byAddress = await open(t, served, { protocols: ['molva.v1'], path: `/ws?token=${served.token}` });
  assert.deepEqual(byAddress, { kind: 'refused', status: 404 });
});

test('wrong tokens at the socket count like those at /rpc', async t => {
  const served = await serveApi(t);
  const protocols = ['molva.v1', `token.${Buffer.alloc(32, 7).toString('base64url')}`];
  for (let round = 0; round < LIMITS.wrongTokens; round++) await open(t, served, { protocols });
  assert.deepEqual(await open(t, served, { protocols }), { kind: 'refused', status: 429 });
  assert.equal((await open(t, served)).kind, 'open');
});

test('an oversized frame ends the connection and reaches no command', async t => {
  let called = 0;
  const served = await serveApi(t, {
    'contacts.list': async () => {
      called += 1;
      return [];
    },
  });
  const socket = await opened(t, served);
  const closed = once(socket, 'close');
  socket.send(rpcBody('contacts.list', {}, 'x').padEnd(LIMITS.rpcBodyBytes + 1));
  assert.equal((await closed)[0], 1009);
  assert.equal(called, 0);
});

test('binary frames end the connection; malformed ones are answered and do not', async t => {
  const served = await serveApi(t, { 'contacts.list': async () => [] });
  const socket = await opened(t, served);
  for (const [frame, code] of [
    ['{', -32700],
    ['[]', -32600],
    [rpcBody('no.such'), -32601],
  ] as const) {
    const answer = nextJson(socket);
    socket.send(frame);
    assert.equal((await answer).error.code, code);
  }
  const closed = once(socket, 'close');
  socket.send(Buffer.from(rpcBody('contacts.list')));
  assert.equal((await closed)[0], 1003);
});

test('more clients than allowed are refused, and a place left is taken again', async t => {
  const served = await serveApi(t);
  const sockets: WebSocket[] = [];
  for (let count = 0; count < LIMITS.rpcClients; count++) sockets.push(await opened(t, served));
  assert.deepEqual(await open(t, served), { kind: 'refused', status: 503 });
  sockets[0]?.close();
  await once(sockets[0] as WebSocket, 'close');
  assert.equal((await open(t, served)).kind, 'open');
});

test('calls that wait are limited; those over it are told to come back', async t => {
  const release = Promise.withResolvers<[]>();
  const served = await serveApi(t, { 'contacts.list': () => release.promise });
  const socket = await opened(t, served);
  const busy = nextJson(socket);
  for (let id = 0; id <= LIMITS.rpcPending; id++) socket.send(rpcBody('contacts.list', {}, id));
  const refused = await busy;
  assert.equal(refused.id, LIMITS.rpcPending);
  assert.equal(refused.error.data.code, 'busy');
  release.resolve([]);
});

test('a client that does not read is dropped, the others go on', { timeout: 30_000 }, async t => {
  const served = await serveApi(t);
  const healthy = await opened(t, served);
  const slow = connect(served.port, '127.0.0.1');
  t.after(() => slow.destroy());
  const handshake =
    `GET /ws HTTP/1.1\r\nHost: 127.0.0.1:${served.port}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n` +
    `Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: ${Buffer.alloc(16).toString('base64')}\r\n` +
    `Sec-WebSocket-Protocol: molva.v1, token.${served.token}\r\n\r\n`;
  slow.write(handshake);
  await once(slow, 'data');
  slow.pause();
  let received = 0;
  healthy.on('message', () => {
    received += 1;
  });
  const event = {
    event: 'network-changed',
    online: true,
    peers: 1,
    addresses: Array.from({ length: 64 }, () => 'x'.repeat(1024)),
  } as const;
  let sent = 0;
  while (!served.log.some(line => line.event === 'api.slow-client')) {
    served.emit({ ...event, addresses: [...event.addresses] });
    sent += 1;
    await new Promise(resolve => setImmediate(resolve));
    assert.ok(sent < 10_000, 'the slow client was never dropped');
  }
  while (received < sent) await once(healthy, 'message');
  assert.equal(healthy.readyState, WebSocket.OPEN);
});

test('a one-use code is exchanged once for a token that works', async t => {
  const served = await serveApi(t, { 'contacts.list': async () => [] });
  const link = new URL(served.api.issueLink());
  assert.equal(link.origin, served.origin);
  assert.equal(link.search, '');
  const code = new URLSearchParams(link.hash.slice(1)).get('code');
  const headers = { 'Content-Type': 'application/json', Origin: served.origin };
  const exchange = () => ask(served.port, 'POST', '/session', headers, JSON.stringify({ code }));
  const first = await exchange();
  assert.equal(first.status, 200);
  const { token } = JSON.parse(first.body);
  assert.equal((await open(t, { ...served, token })).kind, 'open');
  assert.equal((await exchange()).status, 401);
  for (const body of ['{}', '{"code":1}', '{"code":"x","more":1}', '[]', '{']) {
    assert.equal((await ask(served.port, 'POST', '/session', headers, body)).status, 400, body);
  }
  const foreign = { ...headers, Origin: 'https://evil.example' };
  assert.equal((await ask(served.port, 'POST', '/session', foreign, '{"code":"x"}')).status, 403);
});

test('closing says so to every client', async t => {
  const served = await serveApi(t);
  const socket = await opened(t, served);
  const closed = once(socket, 'close');
  await served.api.close();
  assert.equal((await closed)[0], 1001);
});
