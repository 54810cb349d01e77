import assert from 'node:assert/strict';
import { test } from 'node:test';
import { asBuffer, hex, utf8 } from '../../core/base/bytes.ts';
import { HOUR_MS } from '../../core/base/clock.ts';
import { encodeHlc } from '../../core/base/hlc.ts';
import {
  conversationIdOf,
  idBytes,
  messageIdFromBytes,
  messageIdOf,
  parseEnvelopeId,
  parseIdentityKey,
  parseTransportKey,
} from '../../core/base/ids.ts';
import { LABEL } from '../../core/base/labels.ts';
import { verifySignature } from '../../core/crypto/identity.ts';
import { deriveMailboxKeys, mailboxTag, openEnvelope, sealEnvelope } from '../../core/crypto/mailbox-seal.ts';
import { invitationProof, openCardSeal, rendezvousLookup, sealCard } from '../../core/crypto/rendezvous.ts';
import { makeStamp, openStamp } from '../../core/mailbox/instance.ts';
import { type Content, decodeContent, encodeContent, receiptStatement } from '../../core/wire/content.ts';
import { decodeDelivery, encodeDelivery } from '../../core/wire/delivery.ts';
import { decodeEnvelope, encodeEnvelope, envelopeIdOf } from '../../core/wire/envelope.ts';
import { decodeGreeting, decodeReply, encodeGreeting, encodeReply } from '../../core/wire/greeting.ts';
import { decodeInitiation, decodeResponse, encodeInitiation, encodeResponse } from '../../core/wire/handshake.ts';
import { decodeHello, encodeHello } from '../../core/wire/hello.ts';
import { decodeInvite, encodeInvite } from '../../core/wire/invite.ts';
import { decodeAnswer, decodeQuestion, encodeAnswer, encodeQuestion } from '../../core/wire/rendezvous.ts';
import { decodeStamp, encodeStamp, runOf } from '../../core/wire/stamp.ts';
import { decodeVerification, encodeVerification } from '../../core/wire/verification.ts';
import { makePerson, NOW_MS, seededRandom } from '../support/crypto-people.ts';

/**
 * Frozen bytes of the wire, version 1, written out field by field as docs/protocol/envelope.md says. A change here is a
 * change of the wire, and belongs in one commit with that page and a new version number.
 */
const run = (byte: string, count: number) => byte.repeat(count);
const fill = (byte: number, count: number) => Buffer.alloc(count, byte);
const frozen = (...parts: readonly string[]) => parts.join('').replaceAll(' ', '');
const HOURS = 491_232;
const idA = messageIdFromBytes(fill(0xa1, 16));
const idB = messageIdFromBytes(fill(0xb2, 16));

const GOLDEN = {
  tagKey: '91fb86fed0ac7ffefd5de0d1878a56e2f9c734802ec73fc8302856a37c9f8835',
  sealKey: '099928b7f267dd10ecd5cf8bc094ee12c765daa9a33a30e0388d0dc6528016db',
  tag: '8d46fe1d5362e50a80c7bbb6ce4faeb5',
  envelope:
    '8401508d46fe1d5362e50a80c7bbb6ce4faeb51a00077f88590100c7075f9f625ad85d17902bfe872d002a8117ed7ac3bb381f990bee691e0edcf4fe4e27dae7c3fbaf105ae676a450211880e2d45db184380dc4f9095be8f61c2b1c4c0ddd5335e4b74eb8f6c11c39fb058da1ec915afad3a5e434dd11f94335d77e1af3dcd9e3fd7564e3a81d286fa42e6079a12858fe6cd5fbe847a3dfb2a8300def6f64b31f33e788e0aa461d8483403ac05bd8ad5eeccfc24708ae16feccee4e6a2a4a962ef8d7dd258c728013fdf6dd7cbbc2a0beba6d38ee5605862ed76cbfdbbd8c0bf3fc95c3370357301c9ad66a78c6f07f334ce3f7f8295bac98ed120b5789c501db30e50f45a5f690599ca178b1aab55a5a315b053a9d2750ee5681',
  envelopeId: '58512eb0c7e46e3556b9745017275c349c9a63fe0ca8d6a0a8be39f287ec9cc1',
  conversation: 'g7bzj3hflnelo5rvbbbnek46w4',
  message: 'j2hisv3towa43jojggb3lmzsni',
  receiptSignature:
    '185c5baa7b9a5a34ee34dd64e737307190096e883ea5d9e34dffa00db26280e25352183b5ae370a39c6e4695bbffb372dd48aeffe9230f5828251277c5725506',
  lookup: '4bf7f6d8ac4ebd1924d4ad2f93b10348',
  sealedCard: 'c7075f9f625ad85d17902bfe872d002a8117ed7ac3bb381f1465d8ac779851374dda700961843494320905c4',
  proof: '6683d890b0ac0caa968dbc887267e672099a211adab3c5206510d15d6e1a4536',
  stampAlias: '63b60e6c',
  stampSealed: '1e8ecfc6bd35aa87e1733370ba92bdf4019a2a21930b2283',
  otherStampAlias: '387e1fb1',
  otherStampSealed: 'bc20e46c1cfc56c223b9142011d9090bb19d73b570d46418',
  invite:
    'molva:1/qyavqiexs6lzpf4xs6lzpf4xs6lzpf4xs6lzpf4xs6lzpf4xs6lzpf4xs5ijrgeytcmjrgeytcmjrgeytcmjqgqaa57oawbatgmztgmztgmztgmztgmztgmztgmztgmztgmztgmztgmztgmztgmycsaep4aaaaigcdq5b62nk4',
};

/** The frozen bytes are what is made, and what they decode to makes them again. */
function holds(made: Uint8Array, expected: string, again: (bytes: Uint8Array) => Uint8Array): void {
  assert.equal(hex(made), expected);
  assert.equal(hex(again(Buffer.from(expected, 'hex'))), expected);
}

test('golden: envelope, in its smallest and largest size', () => {
  const small = { tag: fill(0x11, 16), expiresAtHours: HOURS, sealed: fill(0x22, 256) };
  const again = (bytes: Uint8Array) => encodeEnvelope(decodeEnvelope(bytes));
  holds(encodeEnvelope(small), frozen('84 01 50', run('11', 16), '1a00077ee0 590100', run('22', 256)), again);
  const large = encodeEnvelope({ ...small, sealed: fill(0x22, 65_536) });
  assert.equal(large.length, 65_565);
  assert.equal(hex(large.subarray(0, 29)), frozen('84 01 50', run('11', 16), '1a00077ee0 5a00010000'));
});

test('golden: outer layer, tag and name of an envelope', () => {
  const keys = deriveMailboxKeys(fill(0x31, 32));
  assert.equal(hex(keys.tagKey), GOLDEN.tagKey);
  assert.equal(hex(keys.sealKey), GOLDEN.sealKey);
  assert.equal(hex(mailboxTag(keys, 20_468)), GOLDEN.tag);
  const envelope = sealEnvelope(keys, 'ratchet', utf8('body'), NOW_MS, seededRandom('wire'));
  assert.equal(hex(envelope.tag), GOLDEN.tag);
  assert.equal(envelope.expiresAtHours, NOW_MS / HOUR_MS + 168);
  const bytes = encodeEnvelope(envelope);
  assert.equal(hex(bytes), GOLDEN.envelope);
  assert.equal(hex(envelopeIdOf(bytes)), GOLDEN.envelopeId);
  const opened = openEnvelope(keys, decodeEnvelope(Buffer.from(GOLDEN.envelope, 'hex')));
  assert.deepEqual(opened, { kind: 'ratchet', body: Buffer.from('body') });
});

test('golden: contents', () => {
  const signature = fill(0x44, 64);
  const cases: readonly (readonly [Content, string])[] = [
    [
      { kind: 'text', hlc: { ms: 1_700_000_000_000, counter: 7 }, parents: [idA, idB], text: 'да' },
      frozen('85 01 01 48 018bcfe56800 0007 82 50', run('a1', 16), '50', run('b2', 16), '64 d0b4d0b0'),
    ],
    [
      { kind: 'receipt', type: 'delivered', atMs: 1_700_000_000_000, ids: [idA], signature },
      frozen('86 01 02 01 1b0000018bcfe56800 81 50', run('a1', 16), '5840', run('44', 64)),
    ],
    [
      { kind: 'receipt', type: 'read', atMs: 1_700_000_000_000, ids: [idA, idB], signature },
      frozen('86 01 02 02 1b0000018bcfe56800 82 50', run('a1', 16), '50', run('b2', 16), '5840', run('44', 64)),
    ],
    [{ kind: 'card', card: fill(0x55, 30) }, frozen('83 01 03 581e', run('55', 30))],
    [{ kind: 'verification', body: fill(0x66, 5) }, frozen('83 01 04 45', run('66', 5))],
    [{ kind: 'missing', ids: [idA, idB] }, frozen('83 01 05 82 50', run('a1', 16), '50', run('b2', 16))],
    [{ kind: 'again', after: idA }, frozen('83 01 06 50', run('a1', 16))],
    [{ kind: 'again', after: null }, frozen('83 01 06 f6')],
  ];
  for (const [content, expected] of cases) {
    holds(encodeContent(content), expected, bytes => encodeContent(decodeContent(bytes)));
  }
  assert.equal(hex(encodeHlc({ ms: 1_700_000_000_000, counter: 7 })), frozen('018bcfe56800 0007'));
});

test('golden: names of a conversation and a text; what a receipt signs', () => {
  const alice = makePerson('alice');
  const bob = makePerson('bob');
  const conversation = conversationIdOf(alice.card.identityKey, bob.card.identityKey);
  assert.equal(conversation, GOLDEN.conversation);
  assert.equal(conversationIdOf(bob.card.identityKey, alice.card.identityKey), GOLDEN.conversation);
  const text = encodeContent({ kind: 'text', hlc: { ms: 1_700_000_000_000, counter: 7 }, parents: [], text: 'hello' });
  assert.equal(messageIdOf(conversation, alice.card.identityKey, text), GOLDEN.message);
  const statement = receiptStatement('read', 1_700_000_000_000, [idA]);
  assert.equal(hex(statement), frozen('83 02 1b0000018bcfe56800 81 50', run('a1', 16)));
  const signed = Buffer.concat([idBytes(conversation), statement]);
  const signature = bob.identity.sign(LABEL.receiptSignature, signed);
  assert.equal(hex(signature), GOLDEN.receiptSignature);
  assert.ok(verifySignature(bob.card.identityKey, LABEL.receiptSignature, signed, signature));
});

test('golden: stamp and hello', () => {
  const key = fill(0x85, 32);
  const stamp = (starts: number, count: number, order = count) =>
    makeStamp(key, { run: runOf(starts, fill(0x86, 4)), count }, fill(0x87, 16), order);
  const first = frozen(GOLDEN.stampAlias, '00000107', GOLDEN.stampSealed);
  const second = frozen(GOLDEN.otherStampAlias, '00000003', GOLDEN.otherStampSealed);
  const end = openStamp(key, stamp(9, 0x107)) ?? assert.fail();
  assert.deepEqual([hex(end.run), end.count], ['0000000986868686', 0x107]);
  holds(encodeStamp(stamp(9, 0x107)), first, bytes => encodeStamp(decodeStamp(bytes)));
  const helloAgain = (bytes: Uint8Array) => encodeHello(decodeHello(bytes));
  const met = encodeHello({ holds: true, stamp: stamp(9, 0x107), seen: [] });
  holds(met, frozen('84 01 f5 5820', first, '80'), helloAgain);
  const known = encodeHello({ holds: false, stamp: stamp(9, 0x107), seen: [stamp(8, 2 ** 32 - 1, 3)] });
  holds(known, frozen('84 01 f4 5820', first, '81 5820', second), helloAgain);
});

test('golden: greeting and reply', () => {
  const greetingAgain = (bytes: Uint8Array) => encodeGreeting(decodeGreeting(bytes));
  const held = encodeGreeting({ proof: fill(0x71, 32), contents: [] });
  holds(held, frozen('82 5820', run('71', 32), '80'), greetingAgain);
  const known = encodeGreeting({ proof: new Uint8Array(), contents: [fill(0x72, 3), fill(0x73, 2)] });
  holds(known, frozen('82 40 82 43', run('72', 3), '42', run('73', 2)), greetingAgain);
  const replyAgain = (bytes: Uint8Array) => encodeReply(decodeReply(bytes));
  const plain = encodeReply({ superseded: new Uint8Array(), card: fill(0x74, 4) });
  holds(plain, frozen('82 40 44', run('74', 4)), replyAgain);
  const crossed = encodeReply({ superseded: fill(0x75, 16), card: fill(0x74, 4) });
  holds(crossed, frozen('82 50', run('75', 16), '44', run('74', 4)), replyAgain);
});

test('golden: handshake frames', () => {
  const initiation = encodeInitiation({ prekeyId: 9, kemCiphertext: fill(0x76, 1088), message: fill(0x77, 96) });
  holds(initiation, frozen('85 01 01 09 590440', run('76', 1088), '5860', run('77', 96)), bytes =>
    encodeInitiation(decodeInitiation(bytes)),
  );
  const response = encodeResponse({ initiationId: fill(0x78, 16), message: fill(0x79, 48) });
  holds(response, frozen('84 01 02 50', run('78', 16), '5830', run('79', 48)), bytes =>
    encodeResponse(decodeResponse(bytes)),
  );
});

test('golden: messages of the one-time code', () => {
  const ceremonyId = fill(0x81, 16);
  const head = (size: string, kind: string) => frozen(size, '01', kind, '50', run('81', 16));
  const cases = [
    [
      encodeVerification({ kind: 'commit', ceremonyId, sessionId: fill(0x82, 16), commitment: fill(0x83, 32) }),
      frozen(head('85', '01'), '50', run('82', 16), '5820', run('83', 32)),
    ],
    [
      encodeVerification({ kind: 'answer', ceremonyId, commitment: fill(0x83, 32) }),
      frozen(head('84', '02'), '5820', run('83', 32)),
    ],
    [
      encodeVerification({ kind: 'reveal', ceremonyId, nonce: fill(0x84, 32) }),
      frozen(head('84', '03'), '5820', run('84', 32)),
    ],
    [encodeVerification({ kind: 'result', ceremonyId, matched: true }), frozen(head('84', '04'), 'f5')],
    [encodeVerification({ kind: 'result', ceremonyId, matched: false }), frozen(head('84', '04'), 'f4')],
  ] as const;
  for (const [made, expected] of cases) {
    holds(made, expected, bytes => encodeVerification(decodeVerification(bytes)));
  }
});

test('golden: delivery frames', () => {
  const again = (bytes: Uint8Array) => encodeDelivery(decodeDelivery(bytes));
  const ids = [parseEnvelopeId(fill(0x91, 32)), parseEnvelopeId(fill(0x92, 32))];
  holds(encodeDelivery({ kind: 'envelope', envelope: fill(0x90, 7) }), frozen('01', run('90', 7)), again);
  holds(encodeDelivery({ kind: 'stored', ids }), frozen('02', run('91', 32), run('92', 32)), again);
  holds(encodeDelivery({ kind: 'refused', ids: ids.slice(1) }), frozen('03', run('92', 32)), again);
});

test('golden: rendezvous, and what the secret of an invite makes', () => {
  const secret = fill(0x93, 16);
  const challenge = fill(0x94, 16);
  const lookup = rendezvousLookup(secret);
  assert.equal(hex(lookup), GOLDEN.lookup);
  const question = encodeQuestion({ lookup, challenge });
  holds(question, frozen('83 01 50', GOLDEN.lookup, '50', run('94', 16)), bytes =>
    encodeQuestion(decodeQuestion(bytes)),
  );
  const sealed = sealCard(secret, challenge, utf8('card'), seededRandom('wire'));
  assert.equal(hex(sealed), GOLDEN.sealedCard);
  holds(encodeAnswer(sealed), frozen('82 01 582c', GOLDEN.sealedCard), bytes => encodeAnswer(decodeAnswer(bytes)));
  assert.equal(openCardSeal(secret, challenge, Buffer.from(GOLDEN.sealedCard, 'hex')).toString(), 'card');
  const [asker, maker] = [parseIdentityKey(fill(0x95, 32)), parseIdentityKey(fill(0x96, 32))];
  assert.equal(hex(invitationProof(secret, asker, maker)), GOLDEN.proof);
  assert.notEqual(hex(invitationProof(secret, maker, asker)), GOLDEN.proof);
});

test('golden: invite', () => {
  const invite = {
    identity: parseIdentityKey(fill(0x97, 32)),
    secret: fill(0x98, 16),
    expiresAtHours: HOURS,
    transport: parseTransportKey(fill(0x99, 32)),
    addresses: [Buffer.from('047f0000010610e1', 'hex')],
  };
  const text = encodeInvite(invite);
  assert.equal(text, GOLDEN.invite);
  assert.equal(encodeInvite(decodeInvite(GOLDEN.invite)), GOLDEN.invite);
  const decoded = decodeInvite(GOLDEN.invite.toUpperCase());
  assert.deepEqual(asBuffer(decoded.secret), invite.secret);
  assert.equal(decoded.expiresAtHours, HOURS);
});
