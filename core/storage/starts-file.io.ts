import { readFileSync, statfsSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { diskError, isFullError, replaceFile } from './file-system.io.ts';
import type { StartsFile } from './start-instance.ts';

export const STARTS_FILE = 'profile.starts';

/**
 * File systems (statfs f_type on Linux) that keep the time of a file's last change to the nanosecond and let nobody set
 * it: ext2 to ext4, XFS, Btrfs, F2FS, tmpfs. FAT and others make it up when they are mounted.
 */
const FAITHFUL_TYPES = new Set([0xef53, 0x58465342, 0x9123683e, 0xf2f52010, 0x01021994]);

/** The file of a profile's folder. @throws StorageError disk-full, disk-failed, when it is read or written */
export function startsFile(profileFolder: string): StartsFile {
  const path = join(profileFolder, STARTS_FILE);
  return {
    read: () => onDisk(() => readIfThere(path)),
    write: bytes => onDisk(() => replaceFile(path, bytes)),
    place: () => onDisk(() => (isFaithful(profileFolder) ? `${statSync(path, { bigint: true }).ctimeNs}` : null)),
  };
}

function isFaithful(folder: string): boolean {
  return process.platform === 'linux' && FAITHFUL_TYPES.has(statfsSync(folder).type >>> 0);
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
