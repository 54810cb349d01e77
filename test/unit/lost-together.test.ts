import assert from 'node:assert/strict';
import { test } from 'node:test';
import { LIMITS } from '../../core/base/limits.ts';
import { LostTogether } from '../../core/state/lost-together.ts';

test('whoever was lost at about the time of one that is back is named, each once, and nobody else', () => {
  let nowMs = 1_000_000;
  const lost = new LostTogether<string>(() => nowMs);
  lost.lost('long ago');
  nowMs += LIMITS.lostTogetherMs + 1;
  lost.lost('Ada');
  nowMs += LIMITS.lostTogetherMs;
  lost.lost('Ben');
  nowMs += 1;
  lost.lost('Cleo');
  assert.deepEqual(lost.back('Dan'), []);
  assert.deepEqual(lost.back('Ada'), ['Ben']);
  assert.deepEqual(lost.back('Ada'), [], 'it has come back');
  assert.deepEqual(lost.back('Cleo'), ['Ben'], 'Ben is still awaited');
});

test('one that is lost again counts from then, and the oldest is forgotten past the limit', () => {
  let nowMs = 0;
  const lost = new LostTogether<number>(() => nowMs);
  for (let peer = 0; peer <= LIMITS.lostPeers; peer += 1) lost.lost(peer);
  assert.deepEqual(lost.back(0), [], 'forgotten');
  nowMs += 2 * LIMITS.lostTogetherMs;
  lost.lost(1);
  lost.lost(2);
  assert.deepEqual(lost.back(1), [2]);
});
