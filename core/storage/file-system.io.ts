import {
  chmodSync,
  closeSync,
  fsyncSync,
  mkdirSync,
  openSync,
  renameSync,
  rmSync,
  statfsSync,
  writeSync,
} from 'node:fs';
import { dirname } from 'node:path';
import { StorageError } from '../base/errors.ts';

/** File system types (statfs f_type on Linux) where memory maps and locks cannot be trusted. */
const NETWORK_TYPES = new Map<number, string>([
  [0x6969, 'NFS'],
  [0x517b, 'SMB'],
  [0xff534d42, 'CIFS'],
  [0xfe534d42, 'SMB2'],
  [0x5346414f, 'AFS'],
  [0x00c36400, 'Ceph'],
  [0x73757245, 'Coda'],
  [0x01021997, '9P'],
]);

/** A folder only its owner enters. */
export function makePrivateFolder(path: string): void {
  mkdirSync(path, { recursive: true, mode: 0o700 });
  chmodSync(path, 0o700);
}

/** @throws StorageError network-file-system */
export function refuseNetworkFolder(path: string, type: number = statfsSync(path).type): void {
  const name = process.platform === 'linux' ? NETWORK_TYPES.get(type >>> 0) : undefined;
  if (!name) return;
  throw new StorageError(
    'network-file-system',
    'store.open',
    `The data folder lies on a network file system (${name}), where data can be lost. Choose a folder on this computer.`,
  );
}

/** Replaces a file so that after a crash it holds either the old bytes or the new, and only its owner reads it. */
export function replaceFile(path: string, bytes: Uint8Array): void {
  const temporary = `${path}.new`;
  rmSync(temporary, { force: true });
  const file = openSync(temporary, 'wx', 0o600);
  try {
    for (let at = 0; at < bytes.length; ) at += writeSync(file, bytes, at);
    fsyncSync(file);
  } finally {
    closeSync(file);
  }
  renameSync(temporary, path);
  syncFolder(dirname(path));
}

/** Makes names in a folder durable. Windows has no such call, and needs none. */
export function syncFolder(path: string): void {
  if (process.platform === 'win32') return;
  const folder = openSync(path, 'r');
  try {
    fsyncSync(folder);
  } finally {
    closeSync(folder);
  }
}

export function freeBytes(path: string): number {
  const { bavail, bsize } = statfsSync(path);
  return bavail * bsize;
}

/** A disk error as its remedy: make room, or look at the disk. */
export function diskError(operation: string, cause: unknown, full: boolean): StorageError {
  return full
    ? new StorageError('disk-full', operation, 'The disk is full. Make room and try again; nothing was lost.', cause)
    : new StorageError(
        'disk-failed',
        operation,
        'The disk did not take the data. Check the disk and try again.',
        cause,
      );
}

export function isFullError(cause: unknown): boolean {
  const code = (cause as { code?: unknown } | undefined)?.code;
  return code === 'ENOSPC' || code === 'EDQUOT';
}
