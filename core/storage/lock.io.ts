import { closeSync, openSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { StorageError } from '../base/errors.ts';
import { diskError, isFullError, makePrivateFolder } from './file-system.io.ts';

export const LOCK_FILE = 'profile.lock';
const PID_FILE = 'profile.pid';
const SQLITE_BUSY = 5;

/** Held here, because a lock whose owner forgot the handle would end when that is collected. */
const held = new Set<DatabaseSync>();

export interface ProfileLock {
  release(): void;
}

/**
 * Takes the profile for this process. The lock is one of the operating system's on an open file, taken through
 * SQLite, which Node brings along: it ends with the process, however that ends, so there is no stale lock to
 * judge and no reused process id to mistake, on Linux, macOS and Windows alike. The id beside it is for the message.
 * @throws StorageError profile-in-use, naming the process
 */
export function lockProfile(folder: string): ProfileLock {
  let database: DatabaseSync | undefined;
  try {
    makePrivateFolder(folder);
    // SQLite gives its own files the mode of this one.
    closeSync(openSync(join(folder, LOCK_FILE), 'a', 0o600));
    database = new DatabaseSync(join(folder, LOCK_FILE));
    database.exec('PRAGMA busy_timeout=0; PRAGMA journal_mode=OFF; PRAGMA locking_mode=EXCLUSIVE; BEGIN EXCLUSIVE');
    writeFileSync(join(folder, PID_FILE), `${process.pid}\n`, { mode: 0o600 });
  } catch (cause) {
    database?.close();
    if ((cause as { errcode?: number }).errcode === SQLITE_BUSY) throw inUse(folder);
    throw diskError('profile.lock', cause, isFullError(cause));
  }
  return keep(database);
}

function keep(database: DatabaseSync): ProfileLock {
  held.add(database);
  return {
    release: () => {
      if (held.delete(database)) database.close();
    },
  };
}

function inUse(folder: string): StorageError {
  let pid = '';
  try {
    pid = readFileSync(join(folder, PID_FILE), 'utf8').trim();
  } catch {}
  const who = /^[0-9]+$/.test(pid) ? `process ${pid}` : 'another process';
  return new StorageError('profile-in-use', 'profile.lock', `Molva is already running on this profile (${who}).`);
}
