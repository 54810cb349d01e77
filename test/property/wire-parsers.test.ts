import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { DecodeError } from '../../core/base/errors.ts';
import { decodeHlc, encodeHlc } from '../../core/base/hlc.ts';
import {
  groupIdFromBytes,
  idBytes,
  messageIdFromBytes,
  parseIdentityKey,
  parseTransportKey,
} from '../../core/base/ids.ts';
import { systemRandom } from '../../core/base/world.io.ts';
import { CONTENT_BYTES, decodeContent, encodeContent } from '../../core/wire/content.ts';
import { decodeDelivery, encodeDelivery } from '../../core/wire/delivery.ts';
import { decodeEnvelope, encodeEnvelope, envelopeIdOf } from '../../core/wire/envelope.ts';
import { decodeGreeting, decodeReply, encodeGreeting, encodeReply } from '../../core/wire/greeting.ts';
import { decodeGroupInvite, encodeGroupInvite, GROUP_INVITE_PREFIX } from '../../core/wire/group-invite.ts';
import { decodeInvite, encodeInvite, INVITE_PREFIX } from '../../core/wire/invite.ts';
import { decodeAnswer, decodeQuestion, encodeAnswer, encodeQuestion } from '../../core/wire/rendezvous.ts';
import { freshSeed, mutateBytes, seededNumbers } from '../support/mutate.ts';

const ROUNDS = 100_000;
const ids = Array.from({ length: 8 }, () => messageIdFromBytes(systemRandom(16)));
const text = { kind: 'text', hlc: { ms: 1_700_000_000_000, counter: 7 }, parents: ids, text: 'Привет, мир' } as const;

interface Family {
  readonly name: string;
  readonly samples: readonly Uint8Array[];
  /** Decodes and encodes again; what is accepted must come out as it went in. */
  readonly again: (bytes: Uint8Array) => Uint8Array;
}

const envelope = { tag: systemRandom(16), expiresAtHours: 490_000, sealed: systemRandom(256) };
const families: readonly Family[] = [
  { name: 'envelope', samples: [encodeEnvelope(envelope)], again: bytes => encodeEnvelope(decodeEnvelope(bytes)) },
  {
    name: 'content',
    samples: [
      encodeContent(text),
      encodeContent({ kind: 'receipt', type: 'read', atMs: 1_700_000_000_000, ids, signature: systemRandom(64) }),
      encodeContent({ kind: 'card', card: systemRandom(90) }),
      encodeContent({ kind: 'verification', body: systemRandom(60) }),
      encodeContent({
        kind: 'missing',
        ids: [messageIdFromBytes(systemRandom(16)), messageIdFromBytes(systemRandom(16))],
      }),
    ],
    again: bytes => encodeContent(decodeContent(bytes)),
  },
  {
    name: 'delivery frame',
    samples: [
      encodeDelivery({ kind: 'envelope', envelope: encodeEnvelope(envelope) }),
      encodeDelivery({ kind: 'stored', ids: [envelopeIdOf(systemRandom(9)), envelopeIdOf(systemRandom(9))] }),
    ],
    again: bytes => encodeDelivery(decodeDelivery(bytes)),
  },
  {
    name: 'greeting',
    samples: [
      encodeGreeting({ proof: systemRandom(32), contents: [] }),
      encodeGreeting({ proof: new Uint8Array(), contents: [encodeContent(text), systemRandom(40)] }),
    ],
    again: bytes => encodeGreeting(decodeGreeting(bytes)),
  },
  {
    name: 'reply',
    samples: [encodeReply({ superseded: systemRandom(16), card: systemRandom(200) })],
    again: bytes => encodeReply(decodeReply(bytes)),
  },
  {
    name: 'rendezvous question',
    samples: [encodeQuestion({ lookup: systemRandom(16), challenge: systemRandom(16) })],
    again: bytes => encodeQuestion(decodeQuestion(bytes)),
  },
  {
    name: 'rendezvous answer',
    samples: [encodeAnswer(systemRandom(300))],
    again: bytes => encodeAnswer(decodeAnswer(bytes)),
  },
  { name: 'hybrid time', samples: [encodeHlc(text.hlc)], again: bytes => encodeHlc(decodeHlc(bytes)) },
];

describe('parsers of bytes from outside', () => {
  for (const { name, samples, again } of families) {
    it(`${name}: what it accepts encodes again to the same bytes, the rest is a DecodeError`, context => {
      for (const sample of samples) assert.deepEqual(Buffer.from(again(sample)), Buffer.from(sample));
      const seed = freshSeed();
      context.diagnostic(`seed ${seed}`);
      const number = seededNumbers(seed);
      let refused = 0;
      for (let round = 0; round < ROUNDS; round += 1) {
        const bytes = mutateBytes(samples, number);
        try {
          assert.ok(Buffer.from(again(bytes)).equals(bytes), `round ${round}`);
        } catch (error) {
          if (!(error instanceof DecodeError)) throw error;
          refused += 1;
        }
      }
      assert.ok(refused > 0);
    });
  }

  it('invite, link to a group: mistyped, cut or lengthened it is a DecodeError, never another one', context => {
    const invite = {
      identity: parseIdentityKey(systemRandom(32)),
      secret: systemRandom(16),
      expiresAtHours: 490_000,
      transport: parseTransportKey(systemRandom(32)),
      addresses: [systemRandom(8), systemRandom(20)],
    };
    const link = { group: groupIdFromBytes(systemRandom(16)), name: 'Экипаж', pass: systemRandom(16), invite };
    const seed = freshSeed();
    context.diagnostic(`seed ${seed}`);
    const number = seededNumbers(seed);
    const forms = [
      {
        sample: encodeInvite(invite),
        again: (text: string) => encodeInvite(decodeInvite(text)),
        prefix: INVITE_PREFIX,
      },
      {
        sample: encodeGroupInvite(link),
        again: (text: string) => encodeGroupInvite(decodeGroupInvite(text)),
        prefix: GROUP_INVITE_PREFIX,
      },
    ];
    for (const { sample, again, prefix } of forms) {
      assert.ok(sample.startsWith(prefix));
      assert.equal(again(` ${sample.toUpperCase()}\n`), sample);
      for (let round = 0; round < ROUNDS; round += 1) {
        const mutated = mutateBytes([Buffer.from(sample)], number).toString('latin1');
        try {
          assert.equal(again(mutated), sample);
        } catch (error) {
          if (!(error instanceof DecodeError)) throw error;
        }
      }
    }
  });

  it('a text of the largest size fits its limit, and one byte more does not', () => {
    const largest = encodeContent({ ...text, text: 'a'.repeat(32 * 1024) });
    assert.ok(largest.length <= CONTENT_BYTES);
    assert.equal(decodeContent(largest).kind, 'text');
    assert.throws(() => decodeContent(encodeContent({ ...text, text: 'a'.repeat(32 * 1024 + 1) })), DecodeError);
    assert.equal(idBytes(ids[0] as (typeof ids)[number]).length, 16);
  });
});
