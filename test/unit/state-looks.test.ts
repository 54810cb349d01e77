import assert from 'node:assert/strict';
import { it } from 'node:test';
import { Looks } from '../../core/state/looks.ts';
import { VirtualTime } from '../support/virtual-time.ts';

it('ten thousand of one second are looked at a few at a time, each once, and not after the stop', async () => {
  const time = new VirtualTime();
  const rounds: number[] = [];
  const seen = new Set<string>();
  const looks = new Looks(time.scheduler, names => {
    rounds.push(names.length);
    for (const name of names) seen.add(name);
  });
  const names = Array.from({ length: 10_000 }, (_, index) => `envelope ${index}`);
  looks.add(names);
  looks.add(names);
  looks.remove('envelope 7');
  await time.pass(1);
  assert.equal(seen.size, 9_999);
  assert.ok(Math.max(...rounds) <= 64);
  assert.equal(
    rounds.reduce((sum, count) => sum + count, 0),
    9_999,
  );
  looks.add(names);
  looks.stop();
  rounds.length = 0;
  await time.pass(1);
  assert.deepEqual(rounds, []);
});
