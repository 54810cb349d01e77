import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { diskError, isFullError, replaceFile } from './file-system.io.ts';
import type { StartsFile } from './start-instance.ts';

export const STARTS_FILE = 'profile.starts';

/** The file of a profile's folder. @throws StorageError disk-full, disk-failed, when it is read or written */
export function startsFile(profileFolder: string): StartsFile {
  const path = join(profileFolder, STARTS_FILE);
  return { read: () => onDisk(() => readIfThere(path)), write: bytes => onDisk(() => replaceFile(path, bytes)) };
}

function readIfThere(path: string): Buffer | undefined {
  try {
    return readFileSync(path);
  } catch (cause) {
    if ((cause as { code?: unknown }).code === 'ENOENT') return undefined;
    throw cause;
  }
}

function onDisk<T>(run: () => T): T {
  try {
    return run();
  } catch (cause) {
    throw diskError('store.starts', cause, isFullError(cause));
  }
}
