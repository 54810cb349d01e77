import assert from 'node:assert/strict';
import { consumeInitiation, consumeResponse, createInitiation, createResponse } from '../../core/crypto/noise/ik.ts';
import type { NoiseProtocol } from '../../core/crypto/noise/protocol.ts';
import { splitHandshake } from '../../core/crypto/noise/symmetric-state.ts';
import { agreementKeyOf, x25519PairOf } from '../../core/crypto/x25519.ts';
import { fromHex, vectorTest } from './crypto-vectors.ts';

interface NoiseVector {
  protocol_name: string;
  init_prologue: string;
  init_psks?: string[];
  init_static: string;
  init_ephemeral: string;
  init_remote_static: string;
  resp_static: string;
  resp_ephemeral: string;
  handshake_hash: string;
  messages: { payload: string; ciphertext: string }[];
}

const HASHES: Record<string, { hash: string; hashBytes: number }> = {
  SHA256: { hash: 'sha256', hashBytes: 32 },
  SHA512: { hash: 'sha512', hashBytes: 64 },
  BLAKE2s: { hash: 'blake2s256', hashBytes: 32 },
  BLAKE2b: { hash: 'blake2b512', hashBytes: 64 },
};

function protocolOf(name: string): NoiseProtocol {
  const match = /^Noise_IK(?:psk([12]))?_25519_ChaChaPoly_(\w+)$/.exec(name);
  const hash = HASHES[match?.[2] ?? ''];
  assert.ok(match && hash, `a known protocol: ${name}`);
  return { name, ...hash, pskMessage: Number(match[1] ?? 0) as 0 | 1 | 2 };
}

function run(vector: NoiseVector): void {
  const protocol = protocolOf(vector.protocol_name);
  const initiator = agreementKeyOf(x25519PairOf(fromHex(vector.init_static)));
  const responder = agreementKeyOf(x25519PairOf(fromHex(vector.resp_static)));
  const initiatorEphemeral = x25519PairOf(fromHex(vector.init_ephemeral));
  const terms = {
    protocol,
    prologue: fromHex(vector.init_prologue),
    psk: vector.init_psks?.[0] === undefined ? undefined : fromHex(vector.init_psks[0]),
  };
  const [first, second, ...transport] = vector.messages;
  assert.ok(first && second && transport.length > 0);

  const initiation = createInitiation({
    ...terms,
    self: initiator,
    ephemeral: initiatorEphemeral,
    responderKey: fromHex(vector.init_remote_static),
    payload: fromHex(first.payload),
  });
  assert.equal(initiation.message.toString('hex'), first.ciphertext);
  const accepted = consumeInitiation({ ...terms, self: responder }, initiation.message);
  assert.equal(accepted.payload.toString('hex'), first.payload);
  assert.deepEqual(accepted.initiatorKey, Buffer.from(initiator.public));

  const ephemeral = x25519PairOf(fromHex(vector.resp_ephemeral));
  const response = createResponse({ ...terms, accepted, ephemeral, payload: fromHex(second.payload) });
  assert.equal(response.message.toString('hex'), second.ciphertext);
  const ephemeralSecret = initiatorEphemeral.secret;
  const finished = consumeResponse(
    { ...terms, self: initiator, state: initiation.state, ephemeralSecret },
    response.message,
  );
  assert.equal(finished.payload.toString('hex'), second.payload);
  for (const state of [response.state, finished.state]) assert.equal(state.hash.toString('hex'), vector.handshake_hash);

  const sending = splitHandshake(protocol, finished.state);
  const receiving = splitHandshake(protocol, response.state);
  transport.forEach(({ payload, ciphertext }, index) => {
    const way = index % 2 === 0 ? 0 : 1;
    const none = Buffer.alloc(0);
    assert.equal(sending[way].encrypt(none, fromHex(payload)).toString('hex'), ciphertext);
    assert.equal(receiving[way].decrypt(none, fromHex(ciphertext)).toString('hex'), payload);
  });
}

vectorTest<{ vectors: NoiseVector[] }>('noise/cacophony-ik.json', 'Noise IK, IKpsk1 and IKpsk2: cacophony', file => {
  assert.equal(file.vectors.length, 12);
  for (const vector of file.vectors) run(vector);
});
