import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { mkdirSync } from 'node:fs';
import { CoreError } from '../../core/base/errors.ts';
import { openDatabase } from '../../core/storage/database.io.ts';
import type { Op } from '../../core/storage/port.ts';
import { setFaults } from '../support/failing-io.ts';

/** One process of the test of the database on a failing disk. Arguments: folder, control file, errno, every, rounds. */

const [folder = '', control = '', errno = '', every = '', rounds = ''] = process.argv.slice(2);
const KEYS = 6000;
const FILL = 10;
/** What the database must hold: only what was acknowledged. */
const model = new Map<number, Buffer>();
let drawn = 0;

/** Always the same numbers, so that the same pages are written in every run. */
function draw(below: number): number {
  drawn = (Math.imul(drawn, 1_103_515_245) + 12_345) >>> 0;
  return (drawn >>> 8) % below;
}

const keyOf = (n: number): Buffer => createHash('sha256').update(`${n}`).digest().subarray(0, 16);

function changes(count: number): Map<number, Buffer> {
  return new Map(Array.from({ length: count }, () => [draw(KEYS), Buffer.alloc(1 + draw(600), drawn & 0xff)]));
}

function ops(changed: ReadonlyMap<number, Buffer>): Op[] {
  return [...changed].map(([n, value]) => ({ key: keyOf(n), value }));
}

mkdirSync(folder);
const rows = await openDatabase(folder, true);
for (let fill = 0; fill < FILL; fill += 1) {
  const changed = changes(KEYS / 4);
  await rows.commit(ops(changed));
  for (const [n, value] of changed) model.set(n, value);
}
let failed = 0;
for (let round = 0; round < Number(rounds); round += 1) {
  const changed = changes(1 + draw(KEYS / 4));
  setFaults(control, [Number(errno), Number(every)]);
  try {
    await rows.commit(ops(changed));
    for (const [n, value] of changed) model.set(n, value);
  } catch (error) {
    if (!(error instanceof CoreError) || !/^disk-/.test(error.code)) throw error;
    failed += 1;
  }
  setFaults(control, [0]);
  for (const [n, value] of model) assert.deepEqual(rows.get(keyOf(n)), value, `row ${n} in round ${round}`);
}
await rows.close();
process.stdout.write(`${failed} of ${rounds} failed`);
