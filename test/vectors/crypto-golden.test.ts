import assert from 'node:assert/strict';
import { test } from 'node:test';
import { cardHash } from '../../core/crypto/card.ts';
import { Ratchet } from '../../core/crypto/ratchet/ratchet.ts';
import { deriveSessionKeys } from '../../core/crypto/session-keys.ts';
import { oneTimeCode, safetyNumber } from '../../core/crypto/verification.ts';
import { x25519PairOf } from '../../core/crypto/x25519.ts';
import { makePerson, seededRandom } from '../support/crypto-people.ts';

/**
 * Frozen bytes of format version 1: a change here is a change of the wire, and belongs in one commit with
 * docs/protocol/session.md and a new version number. Whatever draws ML-KEM's own randomness cannot be frozen.
 */
const GOLDEN = {
  card: '86817be950ca4620a6dbe7873ed37d74b9e9998b6dd8a4598cff60a4b50168e8',
  sessionId: '5913ba4b1992a573b80cb0022102fdfe',
  verificationKey: '5cd63a7cd0439d6a557426c773ffe6056ee0ba9e55184bb19eb60d0aa4bbcd80',
  message:
    'fc5158712fe35624cbd8422b11f2e9b7049379ca155956c058b2845e07dd9ca62eedb256e6a0c0da144995035f7509f6bfb94a93bb4d61635b35ebad59617a69a002d6765b2b976def6a746f78ea75ba85cead36c393a9dc06d2d8d37f03d56ea08e9cf253',
  answer:
    'e4c07f0086e386528dadfe7efd027ade5ea4aa47646fc682f7c1af83450f1ce147fd5b3a8343e38bcb503e904f371991f2ac3d563a8f98022d8b417b742b8223b8bed0297e7f9400865686174580ed102e14f2b9b76e4a16979235abfd8c4b33c7764b187afc83',
  code: 'CZGRTHZ47FQ4',
  safetyNumber: '86599 79735 53920 68478 74256 94132 76352 41116 15564 99955 70747 60730',
};

const alice = makePerson('alice');
const bob = makePerson('bob');
const keys = deriveSessionKeys({ chainingKey: Buffer.alloc(32, 1), hash: Buffer.alloc(32, 2) });

test('golden: contact card', () => {
  assert.equal(cardHash(alice.cardBytes).toString('hex'), GOLDEN.card);
});

test('golden: session keys', () => {
  assert.equal(keys.sessionId.toString('hex'), GOLDEN.sessionId);
  assert.equal(keys.verificationKey.toString('hex'), GOLDEN.verificationKey);
});

test('golden: the first ratchet message each way', () => {
  const random = seededRandom('golden');
  const initiatorPair = x25519PairOf(Buffer.alloc(32, 3));
  const responderPair = x25519PairOf(Buffer.alloc(32, 4));
  const initiator = Ratchet.initInitiator(keys.seed, initiatorPair, responderPair.public, random);
  const responder = Ratchet.initResponder(keys.seed, responderPair, initiatorPair.public);
  const message = initiator.encrypt(Buffer.from('hello'), random);
  assert.equal(message.toString('hex'), GOLDEN.message);
  assert.equal(responder.decrypt(message, random)?.toString(), 'hello');
  assert.equal(responder.encrypt(Buffer.from('welcome'), random).toString('hex'), GOLDEN.answer);
});

test('golden: one-time code and safety number', () => {
  const party = (person: typeof alice, fill: number) => ({
    identity: person.card.identityKey,
    cardHash: cardHash(person.cardBytes),
    nonce: Buffer.alloc(32, fill),
  });
  const code = oneTimeCode(keys.verificationKey, party(alice, 5), party(bob, 6));
  assert.equal(oneTimeCode(keys.verificationKey, party(bob, 6), party(alice, 5)), code);
  assert.equal(code, GOLDEN.code);
  assert.equal(safetyNumber(alice.identity.public, bob.identity.public), GOLDEN.safetyNumber);
});
