import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { DecodeError } from '../../core/base/errors.ts';
import { parseEnvelopeId, parseIdentityKey } from '../../core/base/ids.ts';
import { systemRandom } from '../../core/base/world.io.ts';
import { BUNDLE_MAGIC, BundleReader, BundleWriter } from '../../core/wire/bundle.ts';
import { decodeCustody, decodeCustodyReceipt, encodeCustody, encodeCustodyReceipt } from '../../core/wire/custody.ts';
import { decodeHello, encodeHello } from '../../core/wire/hello.ts';
import { runOf } from '../../core/wire/stamp.ts';
import { decodeSync, encodeSync } from '../../core/wire/sync.ts';
import { freshSeed, mutateBytes, seededNumbers } from '../support/mutate.ts';

const ROUNDS = 100_000;
const ids = Array.from({ length: 5 }, () => parseEnvelopeId(systemRandom(32)));
const stamp = (starts: number, count: number) => ({
  run: runOf(starts, systemRandom(4)),
  count,
  proof: systemRandom(8),
});
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
      encodeHello({ holds: true, stamp: stamp(70_000, 1), seen: [] }),
      encodeHello({ holds: false, stamp: stamp(3, 2 ** 32 - 1), seen: [1, 2, 3, 4].map(n => stamp(n, n)) }),
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
  const written = (items: readonly Uint8Array[]): Buffer => {
    const writer = new BundleWriter();
    return Buffer.concat([writer.begin(), ...items.map(item => writer.envelope(item)), writer.end()]);
  };
  const read = (file: Uint8Array, pieceBytes: number): { envelopes: Uint8Array[]; progress: string } => {
    const reader = new BundleReader();
    const found: Uint8Array[] = [];
    for (let at = 0; at < file.length; at += pieceBytes) found.push(...reader.push(file.subarray(at, at + pieceBytes)));
    return { envelopes: found, progress: reader.progress };
  };
  const equal = (found: readonly Uint8Array[], wanted: readonly Uint8Array[]): boolean =>
    found.length === wanted.length && found.every((item, at) => Buffer.from(item).equals(wanted[at] as Uint8Array));

  it('reads back in pieces of any size', () => {
    const file = written(envelopes);
    for (const piece of [1_000, 4_096, 70_000, file.length]) {
      const { envelopes: found, progress } = read(file, piece);
      assert.ok(equal(found, envelopes));
      assert.equal(progress, 'complete');
    }
    assert.equal(read(written([]), 7_777).progress, 'complete');
  });

  it('has one of few sizes', () => {
    const sizes = Array.from({ length: 60 }, (_, count) => written(Array(count).fill(envelopes[1])).length);
    assert.ok(new Set(sizes).size <= 4, `${new Set(sizes).size} sizes`);
    const large = written(Array(200).fill(envelopes[2])).length;
    assert.ok(large < 200 * 65_637 * 1.13 && large % 2 ** 20 === 0);
  });

  it('cut anywhere: gives what is whole, and is not complete', () => {
    const file = written(envelopes);
    const seed = freshSeed();
    const number = seededNumbers(seed);
    for (let round = 0; round < 500; round += 1) {
      const { envelopes: found, progress } = read(file.subarray(0, Math.floor(number() * file.length)), 9_000);
      assert.equal(progress, 'reading', `seed ${seed}`);
      assert.ok(equal(found, envelopes.slice(0, found.length)), `seed ${seed}`);
    }
  });

  it(`${ROUNDS} damaged ones: never throws, gives only whole envelopes from before the damage`, () => {
    const small = [systemRandom(60), systemRandom(70), systemRandom(80)];
    const writer = new BundleWriter();
    const head = Buffer.concat([writer.begin(), ...small.map(item => writer.envelope(item))]);
    const seed = freshSeed();
    const number = seededNumbers(seed);
    let damaged = 0;
    for (let round = 0; round < ROUNDS; round += 1) {
      const reader = new BundleReader();
      const bytes = mutateBytes([head], number);
      const found = reader.push(bytes);
      assert.ok(equal(found, small.slice(0, found.length)), `seed ${seed} round ${round}`);
      if (reader.progress === 'damaged') damaged += 1;
    }
    assert.ok(damaged > ROUNDS / 10);
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
