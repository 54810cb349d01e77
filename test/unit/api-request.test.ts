import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { parseRequest, RequestError } from '../../core/api/request.ts';
import { METHODS, type MethodName } from '../../core/commands/schema.ts';

const SEED = Number(process.env.FC_SEED ?? Date.now() % 2 ** 31);

const samples: string[] = (Object.keys(METHODS) as MethodName[]).map((method, id) =>
  JSON.stringify({
    jsonrpc: '2.0',
    id,
    method,
    params: {
      who: 'ann',
      text: 'hello',
      nick: 'Ann',
      passphrase: 'p',
      limit: 3,
      code: 'ABCD',
      id: 'x',
      invite: 'molva:1/x',
    },
  }),
);

/** Outcomes are counted, so that a generator that only makes one kind is noticed. */
function outcomeOf(bytes: Uint8Array): string {
  try {
    parseRequest(bytes);
    return 'accepted';
  } catch (error) {
    assert.ok(error instanceof RequestError, `another error: ${error}`);
    return String(error.rpc);
  }
}

test('100,000 mutated requests throw nothing but the own error', t => {
  t.diagnostic(`seed ${SEED}`);
  const seen = new Map<string, number>();
  const count = (bytes: Uint8Array) => {
    const outcome = outcomeOf(bytes);
    seen.set(outcome, (seen.get(outcome) ?? 0) + 1);
  };
  const mutation = fc.tuple(fc.nat(), fc.integer({ min: 0, max: 3 }), fc.integer({ min: 0, max: 255 }));
  const bytes = fc.tuple(fc.constantFrom(...samples), fc.array(mutation, { minLength: 0, maxLength: 4 })).map(mutated);
  fc.assert(fc.property(bytes, count), { seed: SEED, numRuns: 60_000 });
  const shape = fc.record(
    {
      jsonrpc: fc.oneof(fc.constant('2.0'), fc.jsonValue({ maxDepth: 1 })),
      id: fc.oneof(fc.integer(), fc.string(), fc.jsonValue({ maxDepth: 1 })),
      method: fc.oneof(fc.constantFrom(...Object.keys(METHODS), '__proto__', 'constructor'), fc.string()),
      params: fc.oneof(
        fc.dictionary(
          fc.constantFrom('who', 'text', 'nick', 'id', 'limit', '__proto__'),
          fc.jsonValue({ maxDepth: 2 }),
        ),
        fc.jsonValue({ maxDepth: 3 }),
      ),
    },
    { requiredKeys: [] },
  );
  const shaped = fc
    .oneof({ weight: 9, arbitrary: shape }, fc.jsonValue())
    .map(value => Buffer.from(JSON.stringify(value)));
  fc.assert(fc.property(shaped, count), { seed: SEED, numRuns: 40_000 });
  t.diagnostic(JSON.stringify(Object.fromEntries(seen)));
  for (const outcome of ['accepted', '-32700', '-32600', '-32601', '-32602'])
    assert.ok((seen.get(outcome) ?? 0) > 50, outcome);
});

function mutated([sample, steps]: [string, [number, number, number][]]): Buffer {
  let bytes = Buffer.from(sample);
  for (const [where, kind, value] of steps) {
    const at = where % (bytes.length + 1);
    if (kind === 0) bytes[Math.min(at, bytes.length - 1)] = value;
    else if (kind === 1) bytes = Buffer.concat([bytes.subarray(0, at), Buffer.from([value]), bytes.subarray(at)]);
    else if (kind === 2) bytes = Buffer.concat([bytes.subarray(0, at), bytes.subarray(at + 1 + (value % 8))]);
    else bytes = Buffer.concat([bytes.subarray(0, at), bytes.subarray(at >> 1)]);
  }
  return bytes;
}

test('defaults are filled in and the id comes back', () => {
  const call = parseRequest(Buffer.from('{"jsonrpc":"2.0","id":"q","method":"messages.list","params":{"who":"ann"}}'));
  assert.deepEqual(call, { id: 'q', method: 'messages.list', params: { who: 'ann', limit: 50 } });
  const bare = parseRequest(Buffer.from('{"jsonrpc":"2.0","id":0,"method":"status.get"}'));
  assert.deepEqual(bare, { id: 0, method: 'status.get', params: {} });
});

test('a wrong request keeps its id where it has one', () => {
  const error = (text: string) => {
    try {
      parseRequest(Buffer.from(text));
    } catch (thrown) {
      return thrown as RequestError;
    }
    return assert.fail('accepted');
  };
  assert.equal(error('{"jsonrpc":"2.0","id":7,"method":"no"}').id, 7);
  assert.equal(error('{"id":7}').id, 7);
  assert.equal(error('{"id":{}}').id, null);
  assert.equal(error('7').id, null);
});
