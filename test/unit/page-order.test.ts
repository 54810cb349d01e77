import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { messageIdFromBytes } from '../../core/base/ids.ts';
import { comparePlaces, placeText } from '../../core/storage/message-place.ts';

test('places sort as text as they do in the store, also where the text of an id sorts differently', () => {
  const near = fc.constantFrom(0, 1, 25, 26, 27, 255);
  const place = fc.record({
    hlc: fc.record({ ms: fc.oneof(near, fc.nat(2 ** 40)), counter: fc.oneof(near, fc.nat(65_535)) }),
    id: fc
      .tuple(near, near)
      .map(([first, last]) => messageIdFromBytes(new Uint8Array(16).fill(first, 0, 1).fill(last, 15))),
  });
  fc.assert(
    fc.property(place, place, (a, b) => {
      const [left, right] = [placeText(a), placeText(b)];
      assert.equal(Math.sign(comparePlaces(a, b)), left < right ? -1 : left > right ? 1 : 0);
    }),
    { numRuns: 1000 },
  );
});
