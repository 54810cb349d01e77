import assert from 'node:assert/strict';
import { test } from 'node:test';
import { AuthError, DecodeError, InternalError } from '../../core/base/errors.ts';
import { LIMITS } from '../../core/base/limits.ts';
import { RATCHET_OVERHEAD_BYTES, RATCHET_STATE_BYTES, Ratchet } from '../../core/crypto/ratchet/ratchet.ts';
import { makePair, StoredRow } from '../support/crypto-pairs.ts';
import { seededRandom } from '../support/crypto-people.ts';

const random = seededRandom('ratchet');
const text = (n: number): Buffer => Buffer.from(`message ${n}`);

function sendMany(from: Ratchet, count: number): Buffer[] {
  return Array.from({ length: count }, (_, n) => from.encrypt(text(n), random));
}

test('a message is 96 bytes longer than its text and opens once', () => {
  const { initiator, responder } = makePair(random);
  const message = initiator.encrypt(text(0), random);
  assert.equal(message.length, text(0).length + 96);
  assert.deepEqual(responder.decrypt(message, random), text(0));
  assert.throws(() => responder.decrypt(message, random), AuthError);
  assert.equal(initiator.decrypt(message, random), undefined);
});

test('an empty text travels', () => {
  const { initiator, responder } = makePair(random);
  assert.equal(responder.decrypt(initiator.encrypt(Buffer.alloc(0), random), random)?.length, 0);
});

test('any order within a chain, and late messages of earlier chains, each once', () => {
  const { initiator, responder } = makePair(random);
  const early = sendMany(initiator, 5);
  assert.deepEqual(responder.decrypt(early[4] as Buffer, random), text(4));
  initiator.decrypt(responder.encrypt(text(9), random), random);
  const later = sendMany(initiator, 3);
  assert.deepEqual(responder.decrypt(later[2] as Buffer, random), text(2));
  for (const n of [3, 0, 2, 1]) assert.deepEqual(responder.decrypt(early[n] as Buffer, random), text(n));
  for (const n of [1, 0]) assert.deepEqual(responder.decrypt(later[n] as Buffer, random), text(n));
  // The last of an old chain was read, so its header key is forgotten with it: the repeat is no one's.
  assert.equal(responder.decrypt(early[0] as Buffer, random), undefined);
  assert.throws(() => responder.decrypt(later[0] as Buffer, random), AuthError);
  assert.equal(responder.serialize().skipped?.length, 0);
});

test('a thousand skipped messages can still be read; one more is refused and changes nothing', () => {
  const { initiator, responder } = makePair(random);
  const sent = sendMany(initiator, LIMITS.skippedKeys + 2);
  const before = responder.serialize().state;
  assert.throws(() => responder.decrypt(sent[LIMITS.skippedKeys + 1] as Buffer, random), AuthError);
  assert.deepEqual(responder.serialize().state, before);
  assert.deepEqual(responder.decrypt(sent[LIMITS.skippedKeys] as Buffer, random), text(LIMITS.skippedKeys));
  for (let n = LIMITS.skippedKeys - 1; n >= 0; n -= 1)
    assert.deepEqual(responder.decrypt(sent[n] as Buffer, random), text(n));
});

test('a thousand keys are kept in all, the oldest going first', () => {
  const { initiator, responder } = makePair(random);
  const first = sendMany(initiator, 601);
  responder.decrypt(first[600] as Buffer, random);
  initiator.decrypt(responder.encrypt(text(0), random), random);
  const second = sendMany(initiator, 601);
  responder.decrypt(second[600] as Buffer, random);
  const row = new StoredRow(responder);
  assert.equal(row.skipped?.length, LIMITS.skippedKeys * 68);
  assert.throws(() => responder.decrypt(first[600] as Buffer, random), AuthError);
  // 200 of the first 600 had to go.
  assert.throws(() => responder.decrypt(first[199] as Buffer, random), AuthError);
  assert.deepEqual(responder.decrypt(first[200] as Buffer, random), text(200));
  assert.deepEqual(responder.decrypt(second[0] as Buffer, random), text(0));
});

test('a peer whose last chain lost more than a thousand messages is still heard', () => {
  const { initiator, responder } = makePair(random);
  responder.decrypt(initiator.encrypt(text(0), random), random);
  const lost = sendMany(initiator, LIMITS.skippedKeys + 500);
  initiator.decrypt(responder.encrypt(text(1), random), random);
  assert.deepEqual(responder.decrypt(initiator.encrypt(text(2), random), random), text(2));
  assert.deepEqual(responder.decrypt(lost[LIMITS.skippedKeys - 1] as Buffer, random), text(LIMITS.skippedKeys - 1));
  assert.throws(() => responder.decrypt(lost[LIMITS.skippedKeys] as Buffer, random), AuthError);
});

test('a damaged message changes nothing, wherever it is damaged', () => {
  const { initiator, responder } = makePair(random);
  responder.decrypt(initiator.encrypt(text(0), random), random);
  const skipped = sendMany(initiator, 3)[2] as Buffer;
  initiator.decrypt(responder.encrypt(text(0), random), random);
  const turning = initiator.encrypt(text(5), random);
  for (const message of [skipped, turning]) {
    const before = responder.serialize();
    for (let at = 0; at < message.length; at += 1) {
      const damaged = Buffer.from(message);
      damaged[at] = (damaged[at] as number) ^ 0x10;
      if (at < RATCHET_OVERHEAD_BYTES - 16) assert.equal(responder.decrypt(damaged, random), undefined);
      else assert.throws(() => responder.decrypt(damaged, random), AuthError);
      assert.deepEqual(responder.serialize(), before);
    }
    assert.ok(responder.decrypt(message, random));
  }
});

test('stored and opened between all steps; skipped keys are read only when needed', () => {
  const { initiator, responder } = makePair(random);
  const row = new StoredRow(responder);
  const sent = sendMany(initiator, 4);
  const step = (n: number): void => {
    const opened = row.open();
    assert.deepEqual(opened.decrypt(sent[n] as Buffer, random), text(n));
    row.save(opened);
    opened.wipe();
  };
  step(2);
  assert.equal(row.skipped?.length, 2 * 68);
  const unneeded = Ratchet.open(row.state, () => assert.fail('skipped keys were read'));
  assert.deepEqual(unneeded.decrypt(sent[3] as Buffer, random), text(3));
  assert.equal(unneeded.serialize().skipped, undefined);
  step(0);
  step(3);
  step(1);
  assert.equal(row.skipped?.length, 0);
});

test('rows that do not fit are refused', () => {
  const { initiator, responder } = makePair(random);
  const sent = sendMany(initiator, 3);
  responder.decrypt(sent[2] as Buffer, random);
  const { state, skipped } = responder.serialize();
  assert.equal(state.length, RATCHET_STATE_BYTES);
  assert.throws(() => Ratchet.open(state.subarray(1)), DecodeError);
  assert.throws(() => Ratchet.open(Buffer.concat([Buffer.of(9), state.subarray(1)])), DecodeError);
  assert.throws(() => Ratchet.open(state).decrypt(sent[0] as Buffer, random), InternalError);
  assert.throws(
    () => Ratchet.open(state, (skipped as Buffer).subarray(68)).decrypt(sent[0] as Buffer, random),
    InternalError,
  );
  assert.throws(
    () => Ratchet.open(state, (skipped as Buffer).subarray(1)).decrypt(sent[0] as Buffer, random),
    DecodeError,
  );
});

test('two messages under a repeated state share no key stream', () => {
  const { initiator } = makePair(random);
  const copy = new StoredRow(initiator).open();
  const a = initiator.encrypt(Buffer.alloc(64), random).subarray(80);
  const b = copy.encrypt(Buffer.alloc(64), random).subarray(80);
  assert.notDeepEqual(a, b);
});

test('nothing of a wiped ratchet is left to use', () => {
  const { initiator } = makePair(random);
  initiator.wipe();
  assert.ok(initiator.serialize().state.every(byte => byte === 0));
});
