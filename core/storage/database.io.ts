import { chmodSync, existsSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { open, type RootDatabase } from 'lmdb';
import { StorageError } from '../base/errors.ts';
import { diskError, freeBytes, isFullError, makePrivateFolder, refuseNetworkFolder } from './file-system.io.ts';
import { checkPages } from './page-check.io.ts';
import type { Op, RangeOptions, Row, RowBase } from './port.ts';

export const DATABASE_FOLDER = 'store';
const DATA_FILE = 'data.mdb';
const LOCK_FILE = 'lock.mdb';
const ENOSPC = 28;
const MDB_MAP_FULL = -30792;
/** A commit that fails with less room than this left on the disk failed for want of room (LMDB reports EIO). */
const ROOM_BYTES = 1024 * 1024;

/**
 * Opens the LMDB environment of a profile, or makes it when `create`; one that should be there is never made anew.
 * @throws StorageError network-file-system, database-damaged, disk-full, disk-failed
 */
export async function openDatabase(profileFolder: string, create: boolean): Promise<LmdbRows> {
  const folder = join(profileFolder, DATABASE_FOLDER);
  const data = join(folder, DATA_FILE);
  try {
    makePrivateFolder(folder);
    refuseNetworkFolder(folder);
    const there = existsSync(data) && (!create || statSync(data).size > 0);
    if (there) await checkPages(data);
    else if (!create) throw damaged();
    const database = openEnvironment(folder);
    for (const name of [DATA_FILE, LOCK_FILE]) chmodSync(join(folder, name), 0o600);
    return new LmdbRows(database, folder);
  } catch (cause) {
    if (cause instanceof StorageError) throw cause;
    if (isFullError(cause) || isNodeError(cause)) throw diskError('store.open', cause, isFullError(cause));
    throw damaged(cause);
  }
}

function openEnvironment(folder: string): RootDatabase<Buffer, Buffer> {
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

export class LmdbRows implements RowBase {
  /** Undefined from a commit that failed until the next use. */
  #opened: RootDatabase<Buffer, Buffer> | undefined;
  /** While it is: nothing can be read, and nothing be opened. */
  #closing = false;
  readonly #folder: string;

  constructor(database: RootDatabase<Buffer, Buffer>, folder: string) {
    this.#opened = database;
    this.#folder = folder;
  }

  /** @throws StorageError disk-failed, disk-full: after a failure the database could not be opened anew */
  get #database(): RootDatabase<Buffer, Buffer> {
    if (this.#closing) throw diskError('store.open', undefined, false);
    try {
      this.#opened ??= openEnvironment(this.#folder);
    } catch (cause) {
      throw diskError('store.open', cause, this.#isFull(cause));
    }
    return this.#opened;
  }

  get(key: Buffer): Buffer | undefined {
    try {
      return this.#database.getBinary(key);
    } catch (cause) {
      throw cause instanceof StorageError ? cause : damaged(cause);
    }
  }

  has(key: Buffer): boolean {
    try {
      return this.#database.doesExist(key);
    } catch (cause) {
      throw cause instanceof StorageError ? cause : damaged(cause);
    }
  }

  *range(from: Buffer, to: Buffer, options: RangeOptions = {}): Iterable<Row> {
    let left = options.limit ?? Number.POSITIVE_INFINITY;
    if (left <= 0) return;
    try {
      // LMDB's reverse range has the start inclusive, so the row at `to` is passed over here
      const bounds = options.reverse ? { start: to, reverse: true } : { start: from, end: to };
      for (const { key, value } of this.#database.getRange(bounds)) {
        if (options.reverse && Buffer.compare(key, to) >= 0) continue;
        if (options.reverse && Buffer.compare(key, from) < 0) return;
        yield { key, value };
        left -= 1;
        if (left <= 0) return;
      }
    } catch (cause) {
      throw cause instanceof Error && 'operation' in cause ? cause : damaged(cause);
    }
  }

  *keys(from: Buffer, to: Buffer, options: RangeOptions = {}): Iterable<Buffer> {
    if (options.reverse) {
      for (const { key } of this.range(from, to, options)) yield key;
      return;
    }
    const limit = options.limit === undefined ? {} : { limit: options.limit };
    yield* this.#database.getKeys({ start: from, end: to, ...limit });
  }

  async commit(ops: readonly Op[]): Promise<void> {
    const database = this.#database;
    try {
      await database.batch(() => {
        for (const { key, value } of ops) {
          if (value === null) database.remove(key);
          else database.put(key, value);
        }
      });
    } catch (error) {
      // LMDB may be past answering: a row that it does not find must not be taken for one that is not there.
      this.#closing = true;
      const cause = await causeOf(error);
      await this.#release();
      throw diskError('store.write', cause, this.#isFull(cause));
    }
  }

  fileBytes(): number {
    return statSync(join(this.#folder, DATA_FILE)).size;
  }

  /** Writes a copy of the whole environment, as of now, into a new folder. */
  async copyTo(folder: string): Promise<void> {
    try {
      makePrivateFolder(folder);
      await this.#database.backup(folder, false);
      chmodSync(join(folder, DATA_FILE), 0o600);
    } catch (cause) {
      throw diskError('store.backup', cause, this.#isFull(cause));
    }
  }

  async close(): Promise<void> {
    await this.#release();
    this.#closing = true;
  }

  /**
   * After a commit that failed at the last page LMDB refuses every further use until it is opened anew, and a further
   * commit would never be answered. So it is opened anew after each that failed, when it is needed next.
   */
  async #release(): Promise<void> {
    const opened = this.#opened;
    this.#opened = undefined;
    this.#closing = true;
    try {
      await opened?.close();
    } finally {
      this.#closing = false;
    }
  }

  #isFull(cause: unknown): boolean {
    const code = (cause as { code?: unknown } | undefined)?.code;
    return isFullError(cause) || code === ENOSPC || code === MDB_MAP_FULL || freeBytes(this.#folder) < ROOM_BYTES;
  }
}

/** LMDB says why a commit failed in a second promise beside the first. */
async function causeOf(error: unknown): Promise<unknown> {
  const second = (error as { commitError?: Promise<unknown> } | undefined)?.commitError;
  return second ? await second.catch((cause: unknown) => cause) : error;
}

function isNodeError(cause: unknown): boolean {
  return cause instanceof Error && 'syscall' in cause;
}

export function damaged(cause?: unknown): StorageError {
  return new StorageError(
    'database-damaged',
    'store.open',
    'The database is damaged on the disk. Nothing was changed; restore the folder "store" from a backup.',
    cause,
  );
}
