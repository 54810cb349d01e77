import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { DecodeError } from '../../core/base/errors.ts';
import { parseEnvelopeId, parseIdentityKey } from '../../core/base/ids.ts';
import { systemRandom } from '../../core/base/world.io.ts';
import { BundleReader, BundleWriter } from '../../core/crypto/bundle.ts';
import { generateIdentity } from '../../core/crypto/identity.ts';
import { BUNDLE_MAGIC, CHUNK_BYTES, EnvelopeReader, headBytes } from '../../core/wire/bundle.ts';
import { decodeCustody, decodeCustodyReceipt, encodeCustody, encodeCustodyReceipt } from '../../core/wire/custody.ts';
import { decodeHello, encodeHello } from '../../core/wire/hello.ts';
import { decodeSync, encodeSync } from '../../core/wire/sync.ts';
import { freshSeed, mutateBytes, seededNumbers } from '../support/mutate.ts';

const ROUNDS = 100_000;
/** Each opens a whole file with all its slots. */
const BUNDLE_ROUNDS = 2_000;
const ids = Array.from({ length: 5 }, () => parseEnvelopeId(systemRandom(32)));
const stamp = (order: number) => ({ alias: systemRandom(4), order, sealed: systemRandom(24) });
const receipt = encodeCustodyReceipt({
  envelopeId: ids[0] as (typeof ids)[0],
  heldUntilMs: 1_760_000_000_000,
  custodian: parseIdentityKey(systemRandom(32)),
  signature: systemRandom(64),
});

interface Family {
  readonly name: string;
  readonly samples: readonly Uint8Array[];
  readonly again: (bytes: Uint8Array) => Uint8Array;
}

const families: readonly Family[] = [
  {
    name: 'hello',
    samples: [
      encodeHello({ holds: true, stamp: stamp(1), seen: [] }),
      encodeHello({ holds: false, stamp: stamp(2 ** 32 - 1), seen: [1, 2, 3, 4].map(n => stamp(n)) }),
    ],
    again: bytes => encodeHello(decodeHello(bytes)),
  },
  {
    name: 'custody frame',
    samples: [
      encodeCustody({ kind: 'deposit', envelope: systemRandom(90) }),
      encodeCustody({ kind: 'check', ids }),
      encodeCustody({ kind: 'release', ids: ids.slice(2) }),
      encodeCustody({ kind: 'held', receipt }),
      encodeCustody({ kind: 'refused', ids: ids.slice(4) }),
      encodeCustody({ kind: 'gone', ids }),
      encodeCustody({ kind: 'taken', ids: ids.slice(0, 1) }),
    ],
    again: bytes => encodeCustody(decodeCustody(bytes)),
  },
  { name: 'custody receipt', samples: [receipt], again: bytes => encodeCustodyReceipt(decodeCustodyReceipt(bytes)) },
  {
    name: 'sync frame',
    samples: [
      encodeSync({ kind: 'ask', tags: [systemRandom(16), systemRandom(16)] }),
      encodeSync({ kind: 'have', ids, more: true }),
      encodeSync({ kind: 'have', ids: [], more: false }),
      encodeSync({ kind: 'want', wanted: [true, false, true, true, false, false, true, true, true, false, true] }),
      encodeSync({ kind: 'envelope', envelope: systemRandom(60) }),
      encodeSync({ kind: 'stored', ids }),
      encodeSync({ kind: 'refused', ids: ids.slice(1) }),
      encodeSync({ kind: 'done', sent: 7, stored: 6 }),
      encodeSync({ kind: 'news' }),
    ],
    again: bytes => encodeSync(decodeSync(bytes)),
  },
];

describe('parsers of the mailbox protocols', () => {
  for (const { name, samples, again } of families) {
    it(`${name}: what is written reads back; ${ROUNDS} broken ones give only DecodeError or re-encode as they were`, () => {
      for (const sample of samples) assert.deepEqual(Buffer.from(again(sample)), Buffer.from(sample));
      const seed = freshSeed();
      const number = seededNumbers(seed);
      let refused = 0;
      for (let round = 0; round < ROUNDS; round += 1) {
        const bytes = mutateBytes(samples, number);
        let out: Uint8Array;
        try {
          out = again(bytes);
        } catch (error) {
          assert.ok(error instanceof DecodeError, `seed ${seed} round ${round}: ${String(error)}`);
          refused += 1;
          continue;
        }
        assert.ok(Buffer.from(out).equals(bytes), `seed ${seed} round ${round}: read and written otherwise`);
      }
      assert.ok(refused > ROUNDS / 10, `only ${refused} refused`);
    });
  }

  it('frames past a limit are refused', () => {
    const many = Array.from({ length: 1_001 }, () => parseEnvelopeId(systemRandom(32)));
    const tags = Array.from({ length: 10 }, () => systemRandom(16));
    const long = [
      encodeSync({ kind: 'have', ids: many, more: false }),
      encodeSync({ kind: 'have', ids: [], more: true }),
      encodeSync({ kind: 'ask', tags }),
      encodeSync({ kind: 'stored', ids: many.slice(0, 33) }),
      encodeSync({ kind: 'want', wanted: many.map(() => true) }),
      encodeSync({ kind: 'envelope', envelope: Buffer.alloc(70_000) }),
    ];
    for (const bytes of long) assert.throws(() => decodeSync(bytes), DecodeError);
    assert.throws(() => decodeCustody(encodeCustody({ kind: 'check', ids: many.slice(0, 257) })), DecodeError);
    assert.throws(() => decodeCustody(encodeCustody({ kind: 'deposit', envelope: Buffer.alloc(70_000) })), DecodeError);
  });
});

describe('bundle files', () => {
  const envelopes = [300, 1_100, 65_600, 1, 300].map(size => systemRandom(size));
  const reader = generateIdentity(systemRandom);
  const others = [generateIdentity(systemRandom), generateIdentity(systemRandom)];
  const written = (items: readonly Uint8Array[], readers = [reader, ...others]): Buffer => {
    const writer = new BundleWriter(
      readers.map(identity => identity.public),
      systemRandom,
    );
    return Buffer.concat([writer.begin(), ...items.map(item => writer.envelope(item)), ...writer.end()]);
  };
  const read = (file: Uint8Array, pieceBytes: number, identity = reader) => {
    const opened = new BundleReader(identity);
    const found: Uint8Array[] = [];
    for (let at = 0; at < file.length; at += pieceBytes) found.push(...opened.push(file.subarray(at, at + pieceBytes)));
    return { envelopes: found, progress: opened.progress };
  };
  const equal = (found: readonly Uint8Array[], wanted: readonly Uint8Array[]): boolean =>
    found.length === wanted.length && found.every((item, at) => Buffer.from(item).equals(wanted[at] as Uint8Array));

  it('read back for each recipient, in pieces of any size, and for nobody else', () => {
    const file = written(envelopes);
    for (const identity of [reader, ...others]) {
      for (const piece of [1_000, 4_096, 70_000, file.length]) {
        const { envelopes: found, progress } = read(file, piece, identity);
        assert.ok(equal(found, envelopes));
        assert.equal(progress, 'complete');
      }
    }
    assert.deepEqual(read(file, 9_000, generateIdentity(systemRandom)), { envelopes: [], progress: 'closed' });
    assert.equal(read(written([]), 7_777).progress, 'complete');
  });

  it('fill their chunks to the last byte, or one more', () => {
    for (const size of [16_379, 16_380, 16_381, 4 * 16_384 - 4, 4 * 16_384 - 3]) {
      const one = [systemRandom(size)];
      const { envelopes: found, progress } = read(written(one), 70_000);
      assert.ok(equal(found, one), `${size}`);
      assert.equal(progress, 'complete', `${size}`);
    }
  });

  it('have one of few sizes, by what is in them and by how many can open them', () => {
    const sizes = Array.from({ length: 60 }, (_, count) => written(Array(count).fill(envelopes[1])).length);
    assert.ok(new Set(sizes).size <= 2, `${new Set(sizes).size} sizes`);
    const large = written(Array(200).fill(envelopes[2])).length;
    assert.ok(large < headBytes(8) + 200 * 65_700 * 1.13);
    const forMany = [1, 3, 8, 9, 32, 33].map(count => written([], Array(count).fill(reader)).length);
    assert.deepEqual(
      forMany,
      [8, 8, 8, 32, 32, 128].map(slots => headBytes(slots) + 4 * CHUNK_BYTES),
    );
  });

  it('cut anywhere: give what is whole, and are not complete', () => {
    const file = written(envelopes);
    const seed = freshSeed();
    const number = seededNumbers(seed);
    let some = 0;
    for (let round = 0; round < 300; round += 1) {
      const { envelopes: found, progress } = read(file.subarray(0, Math.floor(number() * file.length)), 9_000);
      assert.equal(progress, 'reading', `seed ${seed}`);
      assert.ok(equal(found, envelopes.slice(0, found.length)), `seed ${seed}`);
      some += found.length > 0 ? 1 : 0;
    }
    assert.ok(some > 100, `${some} cut files gave something`);
    assert.equal(read(file.subarray(0, -CHUNK_BYTES), file.length).progress, 'reading', 'the end cannot be moved');
  });

  it(`${BUNDLE_ROUNDS} damaged ones: never throw, give only whole envelopes from before the damage`, () => {
    const file = written(envelopes);
    const seed = freshSeed();
    const number = seededNumbers(seed);
    const ends = new Map<string, number>();
    for (let round = 0; round < BUNDLE_ROUNDS; round += 1) {
      const { envelopes: found, progress } = read(mutateBytes([file], number), file.length);
      assert.ok(equal(found, envelopes.slice(0, found.length)), `seed ${seed} round ${round}`);
      ends.set(progress, (ends.get(progress) ?? 0) + 1);
    }
    for (const progress of ['damaged', 'reading']) assert.ok((ends.get(progress) ?? 0) > BUNDLE_ROUNDS / 20, progress);
  });

  it('chunks that change places, come twice or from another file are damage', () => {
    const [one, other] = [written(envelopes), written(envelopes)];
    const chunk = (file: Buffer, at: number) => file.subarray(headBytes(8) + at * CHUNK_BYTES).subarray(0, CHUNK_BYTES);
    const head = one.subarray(0, headBytes(8));
    for (const chunks of [
      [chunk(one, 1), chunk(one, 0)],
      [chunk(one, 0), chunk(one, 0)],
      [chunk(one, 0), chunk(other, 1)],
    ]) {
      assert.equal(read(Buffer.concat([head, ...chunks]), 9_000).progress, 'damaged');
    }
  });

  it('what a recipient forged inside is damage: an envelope too long, without end, or bytes in the padding', () => {
    const plain = (head: number, ...rest: readonly number[]) =>
      Buffer.from([0, (head >> 16) & 255, (head >> 8) & 255, head & 255, ...rest]);
    for (const bytes of [plain(65_601), plain(65_600, 1), plain(0, 0, 7)]) {
      const entries = new EnvelopeReader();
      const found = entries.push(bytes);
      assert.ok(found === undefined || !entries.whole);
    }
    const good = new EnvelopeReader();
    assert.deepEqual(good.push(plain(2, 5, 6, 0, 0)), [Buffer.of(5, 6)]);
    assert.ok(good.whole);
  });

  it('anything behind the end, and any other file, is damage', () => {
    const file = Buffer.concat([written(envelopes), Buffer.from('x')]);
    for (const piece of [file.length, file.length - 1]) {
      const { envelopes: found, progress } = read(file, piece);
      assert.ok(equal(found, envelopes));
      assert.equal(progress, 'damaged');
    }
    assert.equal(read(Buffer.from('PK not a bundle'), 3).progress, 'damaged');
    assert.equal(read(Buffer.from(BUNDLE_MAGIC), 4).progress, 'reading');
  });
});
