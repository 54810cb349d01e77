import { closeSync, openSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { open, type RootDatabase } from 'lmdb';

export const DATA_FILE = 'data.mdb';
export const LOCK_FILE = 'lock.mdb';
const TRIAL_FILE = 'trial';
/** What LMDB writes into a new file: two root pages of the largest size there is. */
const TRIAL_BYTES = 2 * 65_536;
/** A fault that comes and goes shows itself in several tries. */
const TRIALS = 4;
const PANIC = 'MDB_PANIC';
const ANY_KEY = Buffer.of(0);

export type Environment = RootDatabase<Buffer, Buffer>;

/**
 * Opens LMDB, or makes its files. An opening that fails inside LMDB's binding gives memory back twice, which ends the
 * process (docs/decisions/0010): so all that it will do is tried first, and nothing else can run between.
 * @throws Error of the file system, or of LMDB
 */
export function openEnvironment(folder: string): Environment {
  tryFiles(folder);
  return open<Buffer, Buffer>({
    path: folder,
    encoding: 'binary',
    keyEncoding: 'binary',
    // a commit is visible when it is durable, and not before
    overlappingSync: false,
    // the batch of the event turn rejects a promise nobody holds when a commit fails
    eventTurnBatching: false,
  });
}

/** False after a commit that failed at the root page: LMDB then refuses every further use, and answers no commit. */
export function isUsable(environment: Environment): boolean {
  try {
    environment.resetReadTxn();
    environment.doesExist(ANY_KEY);
    return true;
  } catch (error) {
    if (error instanceof Error && error.message.includes(PANIC)) return false;
    throw error;
  }
}

function tryFiles(folder: string): void {
  const trial = join(folder, TRIAL_FILE);
  for (let tries = 0; tries < TRIALS; tries += 1) {
    // LMDB holds three at the same time
    const files: number[] = [];
    try {
      for (const name of [LOCK_FILE, DATA_FILE, DATA_FILE]) files.push(openSync(join(folder, name), 'a+', 0o600));
    } finally {
      for (const file of files) closeSync(file);
    }
  }
  try {
    writeFileSync(trial, Buffer.alloc(TRIAL_BYTES), { mode: 0o600 });
  } finally {
    rmSync(trial, { force: true });
  }
}
