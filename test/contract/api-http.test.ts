import assert from 'node:assert/strict';
import { test } from 'node:test';
import { InternalError, UsageError } from '../../core/base/errors.ts';
import { LIMITS } from '../../core/base/limits.ts';
import { ask, OWN_ID, raw, rpc, rpcBody, serveApi } from './api-fixture.ts';

const PROFILE = { id: OWN_ID, nick: 'Ann', createdAt: 1 };

test('a call with the token is answered', async t => {
  const served = await serveApi(t, { 'profile.get': async () => PROFILE });
  const answer = await rpc(served, rpcBody('profile.get', {}, 'x7'));
  assert.equal(answer.status, 200);
  assert.deepEqual(JSON.parse(answer.body), { jsonrpc: '2.0', id: 'x7', result: PROFILE });
});

test('it listens on 127.0.0.1 only', async t => {
  const served = await serveApi(t);
  assert.equal(served.origin, `http://127.0.0.1:${served.port}`);
  await assert.rejects(fetch(`http://[::1]:${served.port}/`));
  await assert.rejects(fetch(`http://127.0.0.2:${served.port}/`));
});

test('every answer carries the security headers, and none opens it to other origins or sets a cookie', async t => {
  const { port, token } = await serveApi(t);
  const answers = await Promise.all([
    ask(port, 'GET', '/'),
    ask(port, 'GET', '/nothing'),
    ask(port, 'POST', '/rpc', { 'Content-Type': 'application/json' }, '{}'),
    ask(port, 'POST', '/rpc', { 'Content-Type': 'application/json', Authorization: `Bearer ${token}` }, '{}'),
    ask(port, 'OPTIONS', '/rpc', { 'Access-Control-Request-Method': 'POST' }),
    ask(port, 'GET', '/', { Host: 'evil.example' }),
  ]);
  for (const { headers } of answers) {
    const policy = String(headers['content-security-policy']);
    for (const part of [
      "default-src 'none'",
      "script-src 'self';",
      "frame-ancestors 'none'",
      "require-trusted-types-for 'script'",
      'trusted-types lit-html',
    ]) {
      assert.ok(policy.includes(part), part);
    }
    assert.doesNotMatch(policy, /unsafe/);
    assert.equal(headers['x-content-type-options'], 'nosniff');
    assert.equal(headers['referrer-policy'], 'no-referrer');
    assert.equal(headers['cross-origin-opener-policy'], 'same-origin');
    assert.equal(headers['cross-origin-resource-policy'], 'same-origin');
    assert.equal(headers['cache-control'], 'no-store');
    assert.equal(headers['set-cookie'], undefined);
    assert.deepEqual(
      Object.keys(headers).filter(name => name.startsWith('access-control')),
      [],
    );
  }
});

test('a foreign Host is refused, the token notwithstanding', async t => {
  const served = await serveApi(t, { 'profile.get': async () => PROFILE });
  const { port } = served;
  for (const host of [
    'evil.example',
    `localhost:${port}`,
    '127.0.0.1',
    `127.0.0.1:${port + 1}`,
    `127.0.0.1:${port}.`,
  ]) {
    assert.equal((await rpc(served, rpcBody('profile.get'), { Host: host })).status, 403, host);
    assert.equal((await ask(port, 'GET', '/', { Host: host })).status, 403, host);
  }
  const twice = await raw(
    port,
    `GET / HTTP/1.1\r\nHost: 127.0.0.1:${port}\r\nHost: evil.example\r\nConnection: close\r\n\r\n`,
  );
  assert.match(twice, /^HTTP\/1\.1 40[03] /);
  assert.match(await raw(port, 'GET / HTTP/1.1\r\nConnection: close\r\n\r\n'), /^HTTP\/1\.1 400 /);
});

test('a foreign or null Origin is refused, the own one is not', async t => {
  const served = await serveApi(t, { 'profile.get': async () => PROFILE });
  const { port, origin } = served;
  for (const foreign of [
    'null',
    'https://evil.example',
    `http://localhost:${port}`,
    `${origin}/`,
    `https://127.0.0.1:${port}`,
    '',
  ]) {
    assert.equal((await rpc(served, rpcBody('profile.get'), { Origin: foreign })).status, 403, foreign);
    assert.equal((await ask(port, 'GET', '/', { Origin: foreign })).status, 403, foreign);
  }
  assert.equal((await rpc(served, rpcBody('profile.get'), { Origin: origin })).status, 200);
});

test('loads that the browser calls foreign are refused', async t => {
  const { port } = await serveApi(t);
  for (const site of ['cross-site', 'same-site', 'anything']) {
    assert.equal((await ask(port, 'GET', '/assets/app.js', { 'Sec-Fetch-Site': site })).status, 403);
  }
  assert.equal((await ask(port, 'GET', '/', { 'Sec-Fetch-Site': 'none' })).status, 200);
});

test('a missing or wrong token is refused', async t => {
  const served = await serveApi(t, { 'profile.get': async () => PROFILE });
  const bad = ['', 'Bearer', 'Bearer wrong', `Basic ${served.token}`, `Bearer ${served.token}A`];
  const flipped = `${served.token.startsWith('A') ? 'B' : 'A'}${served.token.slice(1)}`;
  for (const Authorization of [...bad, `Bearer ${flipped}`]) {
    const answer = await rpc(served, rpcBody('profile.get'), { Authorization });
    assert.equal(answer.status, 401, Authorization);
    assert.equal(answer.headers.connection, 'close');
  }
  const body = rpcBody('profile.get');
  assert.equal((await ask(served.port, 'POST', '/rpc', { 'Content-Type': 'application/json' }, body)).status, 401);
  assert.equal((await ask(served.port, 'POST', `/rpc?token=${served.token}`, {}, body)).status, 405);
});

test('1000 wrong tokens in a row are told to wait, longer and longer, and do not lock the right one out', async t => {
  const served = await serveApi(t, { 'profile.get': async () => PROFILE });
  const waits: number[] = [];
  for (let round = 0; round < 1000; round++) {
    const Authorization = `Bearer ${Buffer.alloc(32, round).toString('base64url')}`;
    const answer = await rpc(served, rpcBody('profile.get'), { Authorization });
    assert.equal(answer.status, round < LIMITS.wrongTokens ? 401 : 429);
    if (answer.status === 429) waits.push(Number(answer.headers['retry-after']));
    if (round % 250 === 249) assert.equal((await rpc(served, rpcBody('profile.get'))).status, 200);
  }
  assert.deepEqual(waits.slice(0, 4), [1, 2, 4, 8]);
  assert.equal(waits.at(-1), LIMITS.wrongTokenWaitLastMs / 1000);
  assert.equal((await rpc(served, rpcBody('profile.get'))).status, 200);
});

test('GET has no side effects', async t => {
  let stopped = 0;
  const served = await serveApi(t, {
    'core.stop': async () => {
      stopped += 1;
      return { done: true };
    },
  });
  const auth = { Authorization: `Bearer ${served.token}`, 'Content-Type': 'application/json' };
  for (const method of ['GET', 'HEAD', 'PUT', 'DELETE', 'OPTIONS']) {
    for (const path of ['/rpc', '/session']) {
      assert.equal(
        (await ask(served.port, method, path, auth, method === 'PUT' ? rpcBody('core.stop') : undefined)).status,
        405,
      );
    }
  }
  assert.equal(
    (await ask(served.port, 'GET', `/rpc?${new URLSearchParams({ body: rpcBody('core.stop') })}`, auth)).status,
    404,
  );
  assert.equal(stopped, 0);
});

test('only application/json is read', async t => {
  const served = await serveApi(t, { 'profile.get': async () => PROFILE });
  for (const type of [
    'text/plain',
    'application/x-www-form-urlencoded',
    'multipart/form-data',
    '',
    'application/jsonx',
  ]) {
    assert.equal((await rpc(served, rpcBody('profile.get'), { 'Content-Type': type })).status, 415, type);
  }
});

test('an oversized body is refused, announced or not', async t => {
  const served = await serveApi(t);
  const big = Buffer.alloc(LIMITS.rpcBodyBytes + 1, 0x20);
  assert.equal((await rpc(served, big)).status, 413);
  const head = `POST /rpc HTTP/1.1\r\nHost: 127.0.0.1:${served.port}\r\nAuthorization: Bearer ${served.token}\r\n`;
  const chunk = `${big.length.toString(16)}\r\n${big.toString('latin1')}\r\n0\r\n\r\n`;
  const chunked = await raw(
    served.port,
    `${head}Content-Type: application/json\r\nConnection: close\r\nTransfer-Encoding: chunked\r\n\r\n${chunk}`,
  );
  assert.match(chunked, /^HTTP\/1\.1 413 /);
  const headers = await raw(served.port, `GET / HTTP/1.1\r\nX: ${'a'.repeat(64 * 1024)}\r\n\r\n`);
  assert.match(headers, /^HTTP\/1\.1 431 /);
});

test('headers and bodies that come too slowly are cut off', { timeout: 30_000 }, async t => {
  const { port, token } = await serveApi(t);
  const startedAt = performance.now();
  const body = `POST /rpc HTTP/1.1\r\nHost: 127.0.0.1:${port}\r\nAuthorization: Bearer ${token}\r\nContent-Type: application/json\r\nContent-Length: 9\r\n\r\n{`;
  const headersDone = raw(port, 'GET / HTTP/1.1\r\nHost: ').then(text => ({
    text,
    tookMs: performance.now() - startedAt,
  }));
  const bodyDone = raw(port, body).then(text => ({ text, tookMs: performance.now() - startedAt }));
  const [slowHeaders, slowBody] = await Promise.all([headersDone, bodyDone]);
  assert.match(slowHeaders.text, /^HTTP\/1\.1 408 /);
  assert.ok(slowHeaders.tookMs < LIMITS.rpcHeadersMs + 3_000, String(slowHeaders.tookMs));
  assert.ok(slowBody.tookMs < LIMITS.rpcRequestMs + 3_000, String(slowBody.tookMs));
});

test('unknown methods, malformed JSON, batches and wrong parameters have their own answers', async t => {
  const served = await serveApi(t);
  const cases: [string | Buffer, number, number][] = [
    [rpcBody('no.such'), -32601, 404],
    [rpcBody('__proto__'), -32601, 404],
    [rpcBody('toString'), -32601, 404],
    ['{"jsonrpc":"2.0",', -32700, 400],
    ['', -32700, 400],
    [Buffer.from([0x22, 0xff, 0x22]), -32700, 400],
    [`[${rpcBody('status.get')}]`, -32600, 400],
    ['[]', -32600, 400],
    ['null', -32600, 400],
    ['{"jsonrpc":"2.0","method":"status.get"}', -32600, 400],
    ['{"jsonrpc":"1.0","id":1,"method":"status.get"}', -32600, 400],
    ['{"jsonrpc":"2.0","id":1,"method":"status.get","params":[]}', -32600, 400],
    ['{"jsonrpc":"2.0","id":1,"method":"status.get","extra":1}', -32600, 400],
    [rpcBody('status.get', { extra: 1 }), -32602, 400],
    [rpcBody('messages.send', { who: 'ann', text: 5 }), -32602, 400],
    [rpcBody('messages.send', { who: 'ann', text: 'x'.repeat(LIMITS.textBytes + 1) }), -32602, 400],
  ];
  for (const [body, code, status] of cases) {
    const answer = await rpc(served, body);
    assert.equal(answer.status, status, String(body).slice(0, 80));
    assert.equal(JSON.parse(answer.body).error.code, code, String(body).slice(0, 80));
  }
});

test('what was sent is not repeated in an error', async t => {
  const served = await serveApi(t);
  for (const body of [
    rpcBody('vault.unlock', { passphrase: ['hunter2-mark'] }),
    rpcBody('vault.unlock', { passphrase: { a: 'hunter2-mark' } }),
    rpcBody('profile.create', { nick: 'hunter2-mark'.repeat(20), passphrase: 'x' }),
    '{"passphrase":"hunter2-mark"',
  ]) {
    const answer = await rpc(served, body);
    assert.equal(answer.status, 400);
    assert.doesNotMatch(answer.body, /hunter2/);
  }
  assert.doesNotMatch(JSON.stringify(served.log), /hunter2/);
});

test('errors are told by the one table; a fault of the core is opaque and logged without its message', async t => {
  const served = await serveApi(t, {
    'contacts.list': async () => {
      throw new UsageError('locked', 'test', 'The profile is locked.');
    },
    'requests.list': async () => {
      throw new TypeError('secret detail');
    },
    'invite.create': async () => {
      throw new InternalError('test.step', 'secret detail');
    },
    'vault.unlock': async () => {
      throw Object.assign(new UsageError('unlock-delayed', 'test', 'Wait.'), { allowedAtMs: 123 });
    },
  });
  const locked = await rpc(served, rpcBody('contacts.list'));
  assert.equal(locked.status, 423);
  assert.deepEqual(JSON.parse(locked.body).error, {
    code: -32012,
    message: 'The profile is locked.',
    data: { code: 'locked' },
  });
  for (const name of ['requests.list', 'invite.create']) {
    const fault = await rpc(served, rpcBody(name));
    assert.equal(fault.status, 500);
    assert.equal(JSON.parse(fault.body).error.data.code, 'internal');
    assert.doesNotMatch(fault.body, /secret detail/);
  }
  assert.equal(served.log.filter(line => line.event === 'api.fault').length, 2);
  assert.doesNotMatch(JSON.stringify(served.log), /secret detail/);
  const delayed = await rpc(served, rpcBody('vault.unlock'));
  assert.deepEqual(JSON.parse(delayed.body).error.data, { code: 'unlock-delayed', allowedAt: 123 });
});

test('the page files, and nothing else, are served', async t => {
  const { port } = await serveApi(t);
  const index = await ask(port, 'GET', '/');
  assert.equal(index.headers['content-type'], 'text/html; charset=utf-8');
  assert.match(index.body, /<title>Molva/);
  assert.equal((await ask(port, 'GET', '/assets/app.js')).headers['content-type'], 'text/javascript; charset=utf-8');
  assert.equal((await ask(port, 'HEAD', '/')).body, '');
  for (const path of [
    '/.secret.json',
    '/notes.bin',
    '/link.txt',
    '/../outside.txt',
    '/assets/../../outside.txt',
    '/%2e%2e/outside.txt',
    '/assets/..%2f..%2foutside.txt',
    '//outside.txt',
    '/assets',
    '/assets/',
    '/assets/app.js?x',
    '/assets\\app.js',
    '/etc/passwd',
  ]) {
    assert.equal((await ask(port, 'GET', path)).status, 404, path);
  }
});

test('an answer under way is finished when the API closes', async t => {
  let release = () => {};
  const called = Promise.withResolvers<void>();
  const served = await serveApi(t, {
    'core.stop': () =>
      new Promise(resolve => {
        release = () => resolve({ done: true });
        called.resolve();
      }),
  });
  const answer = rpc(served, rpcBody('core.stop'));
  await called.promise;
  const closed = served.api.close();
  release();
  assert.equal((await answer).status, 200);
  await closed;
  assert.equal(served.listeners(), 0);
  await assert.rejects(ask(served.port, 'GET', '/'));
});
