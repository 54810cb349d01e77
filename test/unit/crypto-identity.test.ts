import assert from 'node:assert/strict';
import { test } from 'node:test';
import { inspect } from 'node:util';
import { AuthError, DecodeError } from '../../core/base/errors.ts';
import { parseIdentityKey } from '../../core/base/ids.ts';
import { LABEL } from '../../core/base/labels.ts';
import { LIMITS } from '../../core/base/limits.ts';
import { type CardDetails, cardHash, openCard, signCard } from '../../core/crypto/card.ts';
import { exportIdentity, generateIdentity, importIdentity, verifySignature } from '../../core/crypto/identity.ts';
import { kemEncapsulate } from '../../core/crypto/ml-kem.ts';
import { exportPrekey, generatePrekey, importPrekey } from '../../core/crypto/prekey.ts';
import { generateX25519, x25519 } from '../../core/crypto/x25519.ts';
import { encodeCard } from '../../core/wire/card.ts';
import { makePerson, NOW_MS, seededRandom } from '../support/crypto-people.ts';

const random = seededRandom('identity');
const message = Buffer.from('message');

test('a signature holds for its identity, label and bytes only', () => {
  const identity = generateIdentity(random);
  const other = generateIdentity(random).public.identity;
  const own = identity.public.identity;
  const signature = identity.sign(LABEL.cardSignature, message);
  assert.ok(verifySignature(own, LABEL.cardSignature, message, signature));
  assert.ok(!verifySignature(other, LABEL.cardSignature, message, signature));
  assert.ok(!verifySignature(own, LABEL.receiptSignature, message, signature));
  assert.ok(!verifySignature(own, LABEL.cardSignature, Buffer.from('massage'), signature));
  assert.ok(!verifySignature(own, LABEL.cardSignature, message, signature.subarray(1)));
  // The point of order 1: it would accept much, were it accepted.
  const smallOrder = parseIdentityKey(Buffer.concat([Buffer.of(1), Buffer.alloc(31)]));
  assert.ok(!verifySignature(smallOrder, LABEL.cardSignature, message, Buffer.alloc(64)));
});

test('an identity comes back whole from its export', () => {
  const identity = generateIdentity(random);
  const bytes = exportIdentity(identity);
  const again = importIdentity(bytes);
  assert.deepEqual(again.public, identity.public);
  assert.deepEqual(again.sign('label', message), identity.sign('label', message));
  const peer = generateX25519(random);
  assert.deepEqual(again.agreement.agree(peer.public), x25519(peer.secret, identity.public.agreement));
  const sent = kemEncapsulate(identity.public.kem);
  assert.deepEqual(again.decapsulate(sent.ciphertext), sent.shared);
  assert.throws(() => importIdentity(bytes.subarray(1)), DecodeError);
  assert.throws(() => importIdentity(Buffer.concat([Buffer.of(2), bytes.subarray(1)])), DecodeError);
});

test('an identity shows none of its secrets, and is of no use once wiped', () => {
  const identity = generateIdentity(random);
  const bytes = exportIdentity(identity);
  const shown = `${inspect(identity, { depth: 9, showHidden: true })}${JSON.stringify(identity)}`;
  for (const secret of [bytes.subarray(1, 33), bytes.subarray(33, 65), bytes.subarray(65)]) {
    assert.ok(!shown.includes(secret.subarray(0, 6).toString('hex')));
    assert.ok(!shown.includes([...secret.subarray(0, 4)].join(',')));
  }
  identity.wipe();
  assert.throws(() => identity.sign('label', message), /wiped/);
  assert.throws(() => identity.agreement.agree(generateX25519(random).public), /wiped/);
});

test('a prekey comes back whole from its export', () => {
  const prekey = generatePrekey(42, NOW_MS, random);
  assert.equal(prekey.public.expiresAtMs, NOW_MS + LIMITS.prekeyOfferMs);
  const bytes = exportPrekey(prekey);
  const again = importPrekey(bytes);
  assert.deepEqual(again.public, prekey.public);
  const sent = kemEncapsulate(prekey.public.kem);
  assert.deepEqual(again.decapsulate(sent.ciphertext), sent.shared);
  assert.throws(() => importPrekey(bytes.subarray(1)), DecodeError);
  for (const id of [0, -1, 1.5, 2 ** 32]) assert.throws(() => generatePrekey(id, NOW_MS, random), RangeError);
});

test('agreement refuses the all-zero secret', () => {
  const { secret } = generateX25519(random);
  assert.throws(() => x25519(secret, Buffer.alloc(32)), AuthError);
});

test('a card opens only under the identity that signed it', () => {
  const alice = makePerson('alice');
  const bob = makePerson('bob');
  assert.deepEqual(encodeCard(openCard(alice.cardBytes)), alice.cardBytes);
  assert.notDeepEqual(cardHash(alice.cardBytes), cardHash(bob.cardBytes));
  for (const changed of [
    { ...alice.card, identityKey: bob.card.identityKey },
    { ...alice.card, agreementKey: bob.card.agreementKey },
    { ...alice.card, serial: 2 },
    { ...alice.card, prekeys: bob.card.prekeys },
    { ...alice.card, nick: 'alicia' },
    { ...alice.card, signature: bob.card.signature },
  ]) {
    assert.throws(() => openCard(encodeCard(changed)), AuthError);
  }
});

test('a card at its limits opens; one past any of them is not signed', () => {
  const identity = generateIdentity(random);
  const prekeys = [1, 2].map(id => generatePrekey(id, NOW_MS, random).public);
  const largest: CardDetails = {
    serial: Number.MAX_SAFE_INTEGER,
    issuedAtMs: NOW_MS,
    prekeys,
    mailboxKey: random(32),
    presenceKey: random(32),
    transportKey: random(32),
    addresses: Array.from({ length: LIMITS.cardAddresses }, () => random(LIMITS.addressBytes)),
    nick: 'я'.repeat(LIMITS.nickBytes / 2),
  };
  const bytes = signCard(identity, largest);
  assert.ok(bytes.length <= LIMITS.cardBytes);
  assert.equal(openCard(bytes).nick, largest.nick);
  for (const beyond of [
    { nick: `${largest.nick}a` },
    { nick: '' },
    { nick: 'line\nbreak' },
    { addresses: [...largest.addresses, random(4)] },
    { addresses: [random(LIMITS.addressBytes + 1)] },
    { prekeys: [...prekeys, generatePrekey(3, NOW_MS, random).public] },
    { prekeys: [prekeys[0], prekeys[0]] as CardDetails['prekeys'] },
    { serial: -1 },
    { mailboxKey: random(31) },
  ]) {
    assert.throws(() => signCard(identity, { ...largest, ...beyond }), DecodeError);
  }
});
