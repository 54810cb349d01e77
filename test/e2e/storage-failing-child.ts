import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { CoreError } from '../../core/base/errors.ts';
import { DATABASE_FOLDER, openDatabase } from '../../core/storage/database.io.ts';
import { openEnvironment } from '../../core/storage/environment.io.ts';
import type { Op } from '../../core/storage/port.ts';
import { setFaults } from '../support/failing-io.ts';

/** One process of the test of the database on a failing disk. Arguments: folder, control file, errno, every, rounds. */

const [folder = '', control = '', errno = '', every = '', rounds = ''] = process.argv.slice(2);
const KEYS = 6000;
const FILL = 10;
const OPENINGS = 20;
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

function mustBeOfTheDisk(error: unknown): void {
  if (!(error instanceof CoreError) || !/^disk-/.test(error.code)) throw error;
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
  // of a small commit it is the root page that fails
  const changed = changes(round % 2 === 0 ? 1 : 1 + draw(KEYS / 4));
  setFaults(control, [Number(errno), Number(every), 0]);
  try {
    await rows.commit(ops(changed));
    for (const [n, value] of changed) model.set(n, value);
  } catch (error) {
    mustBeOfTheDisk(error);
    failed += 1;
  }
  setFaults(control, [0]);
  for (const [n, value] of model) assert.deepEqual(rows.get(keyOf(n)), value, `row ${n} in round ${round}`);
}
await rows.close();
let notOpened = 0;
for (let opening = 0; opening < OPENINGS; opening += 1) {
  // the second call, the third, ...: each of LMDB's files in its turn
  setFaults(control, [Number(errno), 2 + (opening % 4), 0]);
  try {
    await openEnvironment(join(folder, DATABASE_FOLDER)).close();
  } catch {
    notOpened += 1;
  }
  setFaults(control, [0]);
}
assert.equal(notOpened, OPENINGS);
process.stdout.write(`${failed} of ${rounds} failed`);
