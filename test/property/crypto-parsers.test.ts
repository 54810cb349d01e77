import assert from 'node:assert/strict';
import { test } from 'node:test';
import { AuthError, DecodeError } from '../../core/base/errors.ts';
import { openCard } from '../../core/crypto/card.ts';
import { consumeInitiation, consumeResponse, createInitiation, createResponse } from '../../core/crypto/noise/ik.ts';
import { SESSION_NOISE } from '../../core/crypto/noise/protocol.ts';
import {
  consumeSessionInitiation,
  consumeSessionResponse,
  createSessionInitiation,
} from '../../core/crypto/session.ts';
import { agreementKeyOf, generateX25519 } from '../../core/crypto/x25519.ts';
import { decodeCard, encodeCard } from '../../core/wire/card.ts';
import * as handshake from '../../core/wire/handshake.ts';
import { decodeVerification, encodeVerification } from '../../core/wire/verification.ts';
import { makePair } from '../support/crypto-pairs.ts';
import { makePerson, NOW_MS, seededRandom } from '../support/crypto-people.ts';
import { freshSeed, mutateBytes, seededNumbers } from '../support/mutate.ts';

const RUNS = 100_000;
/** Where the parsers are run one after another with their public-key steps between: each has its full runs above. */
const COMPOSED_RUNS = 10_000;
const random = seededRandom('parsers');
const alice = makePerson('alice');
const bob = makePerson('bob');

/**
 * Gives `read` mutated samples; it may accept, answer `undefined`, or throw one of the two errors of bytes from
 * outside. What it accepts is handed to `check`.
 */
function bombard<T>(
  samples: readonly Uint8Array[],
  read: (bytes: Buffer) => T,
  check?: (value: T, bytes: Buffer) => void,
  runs = RUNS,
) {
  const seed = freshSeed();
  process.stdout.write(`seed ${seed}\n`);
  const number = seededNumbers(seed);
  let refused = 0;
  for (const sample of samples) assert.ok(read(Buffer.from(sample)), 'the samples themselves are good');
  for (let run = 0; run < runs; run += 1) {
    const bytes = mutateBytes(samples, number);
    let value: T;
    try {
      value = read(bytes);
    } catch (error) {
      if (!(error instanceof DecodeError || error instanceof AuthError)) throw error;
      refused += 1;
      continue;
    }
    check?.(value, bytes);
  }
  return refused;
}

function reencodes<T>(encode: (value: T) => Uint8Array) {
  return (value: T, bytes: Buffer) =>
    assert.ok(Buffer.from(encode(value)).equals(bytes), 'accepted bytes re-encode as they were');
}

test('contact cards: form', () => {
  assert.ok(bombard([alice.cardBytes, bob.cardBytes], decodeCard, reencodes(encodeCard)) > 0);
});

test('contact cards: signature', () => {
  const genuine = [alice.cardBytes, bob.cardBytes];
  bombard(genuine, openCard, (_, bytes) =>
    assert.ok(
      genuine.some(card => card.equals(bytes)),
      'a changed card was believed',
    ),
  );
});

test('initiation and response frames and their payloads', () => {
  const { identity: self, cardBytes: selfCardBytes } = alice;
  const payload = Buffer.from('hello');
  const input = { self, selfCardBytes, peerCard: bob.card, payload, nowMs: NOW_MS, random };
  const { initiation } = createSessionInitiation(input);
  bombard([initiation], handshake.decodeInitiation, reencodes(handshake.encodeInitiation));
  const response = handshake.encodeResponse({ initiationId: random(16), message: random(120) });
  bombard([response], handshake.decodeResponse, reencodes(handshake.encodeResponse));
  const first = handshake.encodeInitiationPayload({
    ratchetKey: random(32),
    createdAtMs: NOW_MS,
    responderCardHash: random(32),
    card: random(100),
    application: payload,
  });
  bombard([first], handshake.decodeInitiationPayload, reencodes(handshake.encodeInitiationPayload));
  const second = handshake.encodeResponsePayload({ ratchetKey: random(32), application: payload });
  bombard([second], handshake.decodeResponsePayload, reencodes(handshake.encodeResponsePayload));
});

const initiator = agreementKeyOf(generateX25519(random));
const responder = agreementKeyOf(generateX25519(random));
const ephemeral = generateX25519(random);
const terms = { protocol: SESSION_NOISE, prologue: Buffer.from('prologue'), psk: random(32) };
const payload = random(64);
const responderKey = responder.public;
const first = createInitiation({ ...terms, self: initiator, ephemeral, responderKey, payload });

test('noise message 1', () => {
  const read = (bytes: Buffer) => consumeInitiation({ ...terms, self: responder }, bytes);
  bombard([first.message], read, (_, bytes) => assert.ok(bytes.equals(first.message)));
});

test('noise message 2', () => {
  const accepted = consumeInitiation({ ...terms, self: responder }, first.message);
  const second = createResponse({ ...terms, accepted, ephemeral: generateX25519(random), payload });
  const context = { ...terms, self: initiator, state: first.state, ephemeralSecret: ephemeral.secret };
  const read = (bytes: Buffer) => consumeResponse(context, bytes);
  bombard([second.message], read, (_, bytes) => assert.ok(bytes.equals(second.message)));
});

test('ratchet messages: refused without a trace, and the genuine ones still open', () => {
  const ends = makePair(random);
  ends.responder.decrypt(ends.initiator.encrypt(Buffer.from('first'), random), random);
  const sent = [0, 1, 2, 3].map(n => ends.initiator.encrypt(Buffer.alloc(n * 20, n), random));
  ends.responder.decrypt(sent[1] as Buffer, random);
  ends.initiator.decrypt(ends.responder.encrypt(Buffer.from('turn'), random), random);
  sent[1] = ends.initiator.encrypt(Buffer.from('next chain'), random);
  const stored = ends.responder.serialize();
  const seed = freshSeed();
  process.stdout.write(`seed ${seed}\n`);
  const number = seededNumbers(seed);
  for (let run = 0; run < RUNS; run += 1) {
    const bytes = mutateBytes(sent, number);
    if (sent.some(genuine => genuine.equals(bytes))) continue;
    try {
      assert.equal(ends.responder.decrypt(bytes, random), undefined);
    } catch (error) {
      if (!(error instanceof AuthError)) throw error;
    }
  }
  assert.deepEqual(ends.responder.serialize(), stored);
  for (const genuine of sent) assert.ok(ends.responder.decrypt(genuine, random));
});

test('verification messages', () => {
  const ceremonyId = random(16);
  const samples = [
    encodeVerification({ kind: 'commit', ceremonyId, sessionId: random(16), commitment: random(32) }),
    encodeVerification({ kind: 'answer', ceremonyId, commitment: random(32) }),
    encodeVerification({ kind: 'reveal', ceremonyId, nonce: random(32) }),
    encodeVerification({ kind: 'result', ceremonyId, matched: true }),
  ];
  bombard(samples, decodeVerification, reencodes(encodeVerification));
});

test('whole handshakes: only the genuine frames are believed', () => {
  const { identity: self, cardBytes: selfCardBytes } = alice;
  const input = { self, selfCardBytes, peerCard: bob.card, payload, nowMs: NOW_MS, random };
  const { initiation, pending } = createSessionInitiation(input);
  const read = (frame: Buffer) => consumeSessionInitiation({ self: bob.identity, prekey: bob.prekey, frame });
  bombard([initiation], read, (_, bytes) => assert.ok(bytes.equals(initiation)), COMPOSED_RUNS);
  const { response } = read(initiation).respond({ payload, random });
  const finish = (frame: Buffer) => consumeSessionResponse({ pending, frame, self, random });
  bombard([response], finish, (_, bytes) => assert.ok(bytes.equals(response)), COMPOSED_RUNS);
});
