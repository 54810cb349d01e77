import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { DecodeError } from '../../core/base/errors.ts';
import { contactIdFromBytes, groupIdFromBytes, messageIdFromBytes } from '../../core/base/ids.ts';
import { LIMITS } from '../../core/base/limits.ts';
import { systemRandom } from '../../core/base/world.io.ts';
import { type Content, decodeContent, encodeContent } from '../../core/wire/content.ts';
import { decodeParcel, encodeParcel, splitParcel } from '../../core/wire/group-parcel.ts';
import {
  decodeForward,
  decodeGroupInfo,
  decodeGroupWelcome,
  encodeForward,
  encodeGroupInfo,
  encodeGroupWelcome,
} from '../../core/wire/group-welcome.ts';
import { decodeNotice, encodeNotice, type Notice } from '../../core/wire/notice.ts';
import { freshSeed, mutateBytes, seededNumbers } from '../support/mutate.ts';

const ROUNDS = 30_000;
const id = () => systemRandom(16);
const [ada, ben] = [contactIdFromBytes(id()), contactIdFromBytes(id())];
const secrets = [systemRandom(32), systemRandom(32)];
const parcel = { what: 'post', id: systemRandom(8), index: 1, count: 3, bytes: systemRandom(70) } as const;
const contents: readonly Content[] = [
  { kind: 'key-packages', oneTime: [systemRandom(90), systemRandom(40)], lastResort: [systemRandom(80)] },
  { kind: 'group', group: groupIdFromBytes(id()), parcel },
  { kind: 'have', ids: [messageIdFromBytes(id()), messageIdFromBytes(id())] },
];
const notices: readonly Notice[] = [
  { kind: 'made', by: ada, name: 'Trip' },
  { kind: 'renamed', by: null, name: 'Journey' },
  { kind: 'added', by: ada, member: ben },
  { kind: 'removed', by: null, member: ben },
  { kind: 'left', by: ben, member: ben },
  { kind: 'promoted', by: ada, member: ben },
  { kind: 'demoted', by: ada, member: ben },
  { kind: 'fork-healed', count: 3 },
  { kind: 'equivocation', member: ben, count: 1 },
  { kind: 'hole', member: ben, count: 12 },
  { kind: 'returned', by: null, member: ben },
];

const families: readonly {
  readonly name: string;
  readonly samples: readonly Uint8Array[];
  readonly again: (bytes: Uint8Array) => Uint8Array;
}[] = [
  { name: 'content', samples: contents.map(encodeContent), again: bytes => encodeContent(decodeContent(bytes)) },
  { name: 'parcel', samples: [encodeParcel(parcel)], again: bytes => encodeParcel(decodeParcel(bytes)) },
  { name: 'notice', samples: notices.map(encodeNotice), again: bytes => encodeNotice(decodeNotice(bytes)) },
  {
    name: 'welcome',
    samples: [
      encodeGroupWelcome({ welcome: systemRandom(60), secrets, cards: [systemRandom(50)], asks: systemRandom(90) }),
    ],
    again: bytes => encodeGroupWelcome(decodeGroupWelcome(bytes)),
  },
  {
    name: 'info',
    samples: [null, { seq: 7, id: systemRandom(32) }].map(lastAct =>
      encodeGroupInfo({ info: systemRandom(60), secrets, lastAct, seen: lastAct !== null }),
    ),
    again: bytes => encodeGroupInfo(decodeGroupInfo(bytes)),
  },
  {
    name: 'forward',
    samples: [encodeForward({ to: [ada, ben], welcome: systemRandom(60) })],
    again: bytes => encodeForward(decodeForward(bytes)),
  },
];

describe('what members of a group give each other', () => {
  for (const { name, samples, again } of families) {
    const seed = freshSeed();
    it(`${name}: what decodes encodes to the same bytes, all else is refused (seed ${seed})`, () => {
      for (const sample of samples) assert.deepEqual(Buffer.from(again(sample)), Buffer.from(sample));
      const number = seededNumbers(seed);
      let refused = 0;
      for (let round = 0; round < ROUNDS; round += 1) {
        const bytes = mutateBytes(samples, number);
        try {
          assert.deepEqual(Buffer.from(again(bytes)), bytes);
        } catch (error) {
          assert.ok(error instanceof DecodeError, `${name}: ${error}`);
          refused += 1;
        }
      }
      assert.ok(refused > ROUNDS / 10);
    });
  }

  it('a parcel is split into parts that make it again, and refused when it needs too many', () => {
    for (const length of [0, 1, LIMITS.groupPartBytes, LIMITS.groupPartBytes + 1, 3 * LIMITS.groupPartBytes]) {
      const bytes = systemRandom(length);
      const parts = splitParcel('welcome', systemRandom(8), bytes) ?? [];
      assert.equal(parts.length, Math.max(1, Math.ceil(length / LIMITS.groupPartBytes)));
      const read = parts.map(part => decodeParcel(encodeParcel(part)));
      assert.deepEqual(Buffer.concat(read.map(part => part.bytes)), bytes);
    }
    const most = LIMITS.groupParcelParts * LIMITS.groupPartBytes;
    assert.equal(splitParcel('welcome', systemRandom(8), Buffer.alloc(most + 1)), undefined);
  });
});
