import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { test } from 'node:test';
import { promisify } from 'node:util';
import { LIMITS } from '../../core/base/limits.ts';
import { RUNTIME_FLAGS } from '../../tools/runtime.mjs';

const MIB = 1024 * 1024;
/** Objects that each outlive the nursery and are then let go, turn by turn: a queue of 4 MiB that all pass through. */
const CHURN = `
  const { getHeapStatistics } = require('node:v8');
  const used = () => getHeapStatistics().used_heap_size + getHeapStatistics().external_memory;
  import(process.argv[1]).then(({ collectEarly }) => {
    if (process.argv[2] === 'early') collectEarly();
    const before = used();
    let peak = before;
    let turns = 4000;
    const alive = [];
    const turn = () => {
      for (let i = 0; i < 64; i += 1) alive.push({ at: i, bytes: new Array(64).fill(i + 0.5) });
      if (alive.length > 6400) alive.splice(0, 64);
      peak = Math.max(peak, used());
      if (turns-- > 0) setImmediate(turn);
      else process.stdout.write(String(peak - before));
    };
    turn();
  });
`;

async function growthOf(how: 'early' | 'late'): Promise<number> {
  const collector = new URL('../../core/base/garbage.io.ts', import.meta.url).href;
  const args = [...RUNTIME_FLAGS, '--no-warnings', '--eval', CHURN, collector, how];
  return Number((await promisify(execFile)(process.execPath, args)).stdout);
}

test('what outlived the nursery and was let go is collected before much of it has gathered', async () => {
  const [early, late] = [await growthOf('early'), await growthOf('late')];
  // What is alive, the nursery, and what gathers while a collection rests.
  const bound = LIMITS.garbageBytes + 24 * MIB;
  assert.ok(early < bound, `${early / MIB} MiB`);
  assert.ok(late > early, `without it ${late / MIB} MiB, with it ${early / MIB} MiB`);
});
