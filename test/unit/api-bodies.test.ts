import assert from 'node:assert/strict';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { Readable } from 'node:stream';
import { test } from 'node:test';
import { handleHttp } from '../../core/api/http.io.ts';
import type { Call } from '../../core/api/request.ts';
import { createTokens } from '../../core/api/tokens.ts';
import { systemClock, systemRandom, systemScheduler } from '../../core/base/world.io.ts';

const HOST = '127.0.0.1:4';

const unasked = (): never => assert.fail('no bundle was asked for');

/** Sends the chunks as one body. @returns the status, and the calls that were carried out */
async function post(chunks: readonly Buffer[]): Promise<{ status: number; calls: Call[] }> {
  const tokens = createTokens({ clock: systemClock, random: systemRandom });
  const headers = { host: HOST, authorization: `Bearer ${tokens.reveal()}`, 'content-type': 'application/json' };
  const rawHeaders = Object.entries(headers).flat();
  const request = Object.assign(Readable.from(chunks), { method: 'POST', url: '/rpc', headers, rawHeaders });
  let status = 0;
  const response = { setHeader: () => {}, writeHead: (code: number) => (status = code), end: () => {} };
  const calls: Call[] = [];
  await handleHttp(request as unknown as IncomingMessage, response as unknown as ServerResponse, {
    origin: `http://${HOST}`,
    pages: new Map(),
    tokens,
    scheduler: systemScheduler,
    bundles: { write: unasked, read: unasked },
    dispatch: async call => {
      calls.push(call);
      return { kind: 'done', result: {} };
    },
  });
  tokens.wipe();
  return { status, calls };
}

function chunksOf(text: string): Buffer[] {
  const bytes = Buffer.from(text);
  return [Buffer.from(bytes.subarray(0, 40)), Buffer.from(bytes.subarray(40))];
}

const isZero = (bytes: Buffer): boolean => bytes.equals(Buffer.alloc(bytes.length));

test('the bytes of a body, which may hold a passphrase, are gone once it is read', async () => {
  const params = { passphrase: 'correct horse' };
  const chunks = chunksOf(JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'vault.unlock', params }));
  const { status, calls } = await post(chunks);
  assert.equal(status, 200);
  assert.deepEqual(calls[0]?.params, params);
  assert.ok(chunks.every(isZero));
});

test('those of a body that cannot be read are gone too', async () => {
  const chunks = chunksOf('{"jsonrpc":"2.0","id":1,"method":"vault.unlock","params":{"passphrase":"correct hor');
  assert.equal((await post(chunks)).status, 400);
  assert.ok(chunks.every(isZero));
});
