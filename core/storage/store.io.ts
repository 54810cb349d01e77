import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { setImmediate } from 'node:timers/promises';
import type { RandomSource } from '../base/clock.ts';
import { LIMITS } from '../base/limits.ts';
import type { Secret } from '../base/secret.ts';
import { systemRandom } from '../base/world.io.ts';
import { DATABASE_FOLDER, type LmdbRows, openDatabase } from './database.io.ts';
import { DiskJournalFile } from './journal-file.io.ts';
import { JournaledRows } from './journaled-rows.ts';
import { MemoryRows } from './memory-rows.ts';
import { MIGRATIONS } from './migrations/list.ts';
import type { Migration } from './migrations/migrate.ts';
import type { RowBase } from './port.ts';
import { Store } from './store.ts';

export interface StoreOptions {
  readonly random?: RandomSource;
  /** Make the store of a new profile. Without it a store that is not there is damage, and never made anew. */
  readonly create?: boolean;
  /** For tests of the machinery. */
  readonly migrations?: readonly Migration[];
}

/**
 * Opens the store of a profile, or with `create` makes it. The caller holds the profile's lock and keeps `dataKey`.
 * @throws StorageError database-damaged, newer-format, network-file-system, disk-full, disk-failed
 */
export async function openStore(profileFolder: string, dataKey: Secret, options: StoreOptions = {}): Promise<Store> {
  const database = await openDatabase(profileFolder, options.create === true);
  const rows = await journaled(database, profileFolder);
  const store = await prepared(rows, dataKey, options, async version => {
    const folder = join(profileFolder, `store-before-${version + 1}`);
    rmSync(folder, { recursive: true, force: true });
    await rows.settle();
    await database.copyTo(folder);
  });
  if (database.fileBytes() <= LIMITS.verifyBytes) await verified(store);
  return store;
}

/** The same store over memory, for tests and scenarios; rows are sealed all the same. */
export async function openMemoryStore(
  dataKey: Secret,
  options: StoreOptions = {},
  rows: RowBase = new MemoryRows(),
): Promise<Store> {
  return prepared(rows, dataKey, options, async () => {});
}

async function journaled(database: LmdbRows, profileFolder: string): Promise<JournaledRows> {
  const file = (name: string): DiskJournalFile => new DiskJournalFile(join(profileFolder, DATABASE_FOLDER, name));
  try {
    return new JournaledRows(database, [file('journal-a'), file('journal-b')]);
  } catch (error) {
    await database.close();
    throw error;
  }
}

async function verified(store: Store): Promise<void> {
  try {
    await store.verify(() => setImmediate());
  } catch (error) {
    await store.close();
    throw error;
  }
}

async function prepared(
  rows: RowBase,
  dataKey: Secret,
  options: StoreOptions,
  backup: (version: number) => Promise<void>,
): Promise<Store> {
  const store = new Store(rows, dataKey, options.random ?? systemRandom);
  try {
    await store.migrate(options.migrations ?? MIGRATIONS, backup);
    return store;
  } catch (error) {
    await store.close();
    throw error;
  }
}
