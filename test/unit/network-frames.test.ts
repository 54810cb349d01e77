import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { DecodeError } from '../../core/base/errors.ts';
import { LIMITS } from '../../core/base/limits.ts';
import { encodeFrames, FrameDecoder } from '../../core/network/frames.ts';
import { seededNumbers } from '../support/mutate.ts';

const bytes = (length: number, fill = 7) => new Uint8Array(length).fill(fill);

describe('frame codec', () => {
  it('writes the length as an unsigned varint', () => {
    assert.equal(encodeFrames([bytes(1)]).toString('hex'), '0107');
    assert.equal(
      encodeFrames([bytes(127)])
        .subarray(0, 2)
        .toString('hex'),
      '7f07',
    );
    assert.equal(
      encodeFrames([bytes(128)])
        .subarray(0, 3)
        .toString('hex'),
      '800107',
    );
    assert.equal(
      encodeFrames([bytes(LIMITS.frameBytes)])
        .subarray(0, 4)
        .toString('hex'),
      '80c00407',
    );
  });

  it('gives back the frames however the stream is cut', () => {
    const frames = fc.array(fc.uint8Array({ minLength: 1, maxLength: 300 }), { maxLength: 20 });
    fc.assert(
      fc.property(frames, fc.infiniteStream(fc.integer({ min: 1, max: 200 })), (sent, cuts) => {
        const stream = encodeFrames(sent);
        const decoder = new FrameDecoder();
        const received: Uint8Array[] = [];
        for (let at = 0; at < stream.length; ) {
          const end = at + (cuts.next().value as number);
          received.push(...decoder.push(stream.subarray(at, end)));
          at = end;
        }
        assert.ok(decoder.idle);
        assert.deepEqual(
          received.map(frame => [...frame]),
          sent.map(frame => [...frame]),
        );
      }),
    );
  });

  for (const [what, hex] of [
    ['an empty frame', '00'],
    ['a frame one byte over the limit', '81c004'],
    ['a length of four bytes', '80808001'],
    ['a length not in its shortest form', '8100'],
  ] as const) {
    it(`refuses ${what}, and everything after it`, () => {
      const decoder = new FrameDecoder();
      assert.throws(() => decoder.push(Buffer.from(hex, 'hex')), DecodeError);
      assert.throws(() => decoder.push(encodeFrames([bytes(1)])), DecodeError);
    });
  }

  it('does not keep the received chunk alive, nor change with it', () => {
    const chunk = encodeFrames([bytes(3)]);
    const [frame] = new FrameDecoder().push(chunk);
    chunk.fill(0);
    assert.deepEqual(frame && [...frame], [7, 7, 7]);
  });

  it('takes 100,000 mutated streams and throws only DecodeError', () => {
    const seed = Number(process.env.FUZZ_SEED ?? 20_260_101);
    const random = seededNumbers(seed);
    const base = encodeFrames([1, 2, 3, 130, 5, 8, 1, 1, 20, 20_000, 3].map(length => bytes(length)));
    let refused = 0;
    let accepted = 0;
    for (let round = 0; round < 100_000; round++) {
      const start = Math.floor(random() * 210);
      const mutated = Buffer.from(base.subarray(start, start + 1 + Math.floor(random() * 400)));
      for (let flips = Math.floor(random() * 6); flips >= 0; flips--) {
        mutated[Math.floor(random() * mutated.length)] = Math.floor(random() * 256);
      }
      const decoder = new FrameDecoder();
      try {
        const out = decoder.push(mutated);
        const read = encodeFrames(out);
        assert.ok(read.equals(mutated.subarray(0, read.length)), `seed ${seed} round ${round}: re-encodes differently`);
        accepted += 1;
      } catch (error) {
        assert.ok(error instanceof DecodeError, `seed ${seed} round ${round}: ${error}`);
        refused += 1;
      }
    }
    assert.ok(refused > 1_000 && accepted > 1_000, `refused ${refused}, accepted ${accepted}`);
  });
});
