import assert from 'node:assert/strict';
import { test } from 'node:test';
import { DAY_MS } from '../../core/base/clock.ts';
import { AuthError, InternalError, UsageError } from '../../core/base/errors.ts';
import { LIMITS } from '../../core/base/limits.ts';
import { cardHash } from '../../core/crypto/card.ts';
import {
  consumeSessionInitiation,
  consumeSessionResponse,
  createSessionInitiation,
  initiationWins,
  type NewSession,
} from '../../core/crypto/session.ts';
import { decodeInitiation, encodeInitiation } from '../../core/wire/handshake.ts';
import { makePerson, NOW_MS, type Person, seededRandom } from '../support/crypto-people.ts';

const alice = makePerson('alice');
const bob = makePerson('bob');
const HELLO = Buffer.from('hello');
const WELCOME = Buffer.from('welcome');

function initiate(from: Person, to: Person, payload: Uint8Array = HELLO, nowMs = NOW_MS) {
  const { identity: self, cardBytes: selfCardBytes, random } = from;
  return createSessionInitiation({ self, selfCardBytes, peerCard: to.card, payload, nowMs, random });
}

function read(reader: Person, frame: Uint8Array) {
  return consumeSessionInitiation({ self: reader.identity, prekey: reader.prekey, frame });
}

function complete(from: Person, to: Person): [NewSession, NewSession] {
  const started = initiate(from, to);
  const answered = read(to, started.initiation).respond({ payload: WELCOME, random: to.random });
  const { pending } = started;
  const finished = consumeSessionResponse({
    pending,
    frame: answered.response,
    self: from.identity,
    random: from.random,
  });
  assert.deepEqual(finished.payload, WELCOME);
  return [finished.session, answered.session];
}

function exchange(from: NewSession, to: NewSession, text: string): void {
  const random = seededRandom(text);
  const opened = to.ratchet.decrypt(from.ratchet.encrypt(Buffer.from(text), random), random);
  assert.equal(opened?.toString(), text);
}

test('a session opens, carries both payloads and both sides can send first', () => {
  const started = initiate(alice, bob);
  const consumed = read(bob, started.initiation);
  assert.deepEqual(consumed.payload, HELLO);
  assert.deepEqual(consumed.peerCardBytes, alice.cardBytes);
  assert.equal(consumed.createdAtMs, NOW_MS);
  assert.deepEqual(consumed.initiationId, started.initiationId);
  assert.deepEqual(consumed.ownCardHash, cardHash(bob.cardBytes));

  for (const firstSender of [0, 1] as const) {
    const pair = complete(alice, bob);
    const [own, peer] = pair;
    assert.deepEqual(own.sessionId, peer.sessionId);
    assert.deepEqual(own.verificationKey, peer.verificationKey);
    assert.deepEqual(own.ownCardHash, peer.peerCardHash);
    assert.deepEqual(own.peerCardHash, peer.ownCardHash);
    const [from, to] = firstSender === 0 ? [own, peer] : [peer, own];
    for (const text of ['one', 'two']) exchange(from, to, text);
    for (const text of ['three', 'four']) exchange(to, from, text);
  }
});

test('both send before either has heard the other', () => {
  const [own, peer] = complete(alice, bob);
  const random = seededRandom('cross');
  const fromAlice = own.ratchet.encrypt(Buffer.from('a'), random);
  const fromBob = peer.ratchet.encrypt(Buffer.from('b'), random);
  assert.equal(peer.ratchet.decrypt(fromAlice, random)?.toString(), 'a');
  assert.equal(own.ratchet.decrypt(fromBob, random)?.toString(), 'b');
  exchange(own, peer, 'later');
  exchange(peer, own, 'later still');
});

test('an initiation can be read again and accepted later; the freshest prekey is used', () => {
  const started = initiate(alice, bob);
  assert.equal(decodeInitiation(started.initiation).prekeyId, 8);
  const first = read(bob, started.initiation);
  first.wipe();
  assert.throws(() => first.respond({ payload: WELCOME, random: bob.random }), InternalError);
  const second = read(bob, started.initiation);
  assert.deepEqual(second.payload, HELLO);
  const { response } = second.respond({ payload: WELCOME, random: bob.random });
  const input = { pending: started.pending, frame: response, self: alice.identity, random: alice.random };
  const before = Buffer.from(started.pending);
  assert.deepEqual(consumeSessionResponse(input).payload, WELCOME);
  assert.deepEqual(started.pending, before);
});

test('expired prekeys give way to the long-term keys', () => {
  const started = initiate(alice, bob, HELLO, NOW_MS + 30 * DAY_MS);
  assert.equal(decodeInitiation(started.initiation).prekeyId, 0);
  assert.deepEqual(read(bob, started.initiation).payload, HELLO);
});

test('what is not for us, not theirs or changed is refused', () => {
  const carol = makePerson('carol');
  const started = initiate(alice, bob);
  assert.throws(() => read(carol, started.initiation), AuthError);
  const gone = { self: bob.identity, prekey: () => undefined, frame: started.initiation };
  assert.throws(() => consumeSessionInitiation(gone), AuthError);
  const frame = decodeInitiation(started.initiation);
  assert.throws(() => read(bob, encodeInitiation({ ...frame, prekeyId: 7 })), AuthError);

  // Carol sends Alice's card as her own.
  const { identity: self, random } = carol;
  const forged = { self, selfCardBytes: alice.cardBytes, peerCard: bob.card, payload: HELLO, nowMs: NOW_MS, random };
  assert.throws(() => read(bob, createSessionInitiation(forged).initiation), /not the one of whoever sent it/);

  const other = read(bob, initiate(alice, bob).initiation).respond({ payload: WELCOME, random: bob.random });
  const answer = { pending: started.pending, frame: other.response, self: alice.identity, random: alice.random };
  assert.throws(() => consumeSessionResponse(answer), AuthError);
});

test('payload limits: the largest fits, one byte more is refused', () => {
  const largest = Buffer.alloc(LIMITS.handshakePayloadBytes, 1);
  const started = initiate(alice, bob, largest);
  assert.ok(started.initiation.length < LIMITS.handshakeFrameBytes);
  assert.deepEqual(read(bob, started.initiation).payload, largest);
  assert.throws(() => initiate(alice, bob, Buffer.alloc(LIMITS.handshakePayloadBytes + 1)), UsageError);
});

test('crossed initiations: exactly one side wins, and the loser answers it', () => {
  const aliceKey = alice.identity.public.identity;
  const bobKey = bob.identity.public.identity;
  assert.notEqual(initiationWins(aliceKey, bobKey), initiationWins(bobKey, aliceKey));
  const [winner, loser] = initiationWins(aliceKey, bobKey) ? [alice, bob] : [bob, alice];
  const fromWinner = initiate(winner, loser, Buffer.from('from winner'));
  const fromLoser = initiate(loser, winner, Buffer.from('from loser'));
  // Both read the other's first message, so neither text is lost; only the winner's is answered.
  assert.equal(read(winner, fromLoser.initiation).payload.toString(), 'from loser');
  const consumed = read(loser, fromWinner.initiation);
  assert.equal(consumed.payload.toString(), 'from winner');
  const { response, session } = consumed.respond({ payload: WELCOME, random: loser.random });
  const input = { pending: fromWinner.pending, frame: response, self: winner.identity, random: winner.random };
  const finished = consumeSessionResponse(input);
  exchange(finished.session, session, 'after crossing');
  exchange(session, finished.session, 'and back');
});
