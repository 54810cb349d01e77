import { closeSync, fsyncSync, mkdirSync, openSync, readFileSync, renameSync, rmSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { CORE_FILE_NAME, type CoreFile, encodeCoreFile, parseCoreFile } from './core-file.ts';

/**
 * Writes how to reach the running core, readable by the owner only and whole at every moment.
 * @throws the file system's error
 */
export function writeCoreFile(dataDirectory: string, file: CoreFile): void {
  mkdirSync(dataDirectory, { recursive: true, mode: 0o700 });
  const path = join(dataDirectory, CORE_FILE_NAME);
  const temporary = `${path}.${file.pid}.new`;
  rmSync(temporary, { force: true });
  // 'wx' never follows a link or a file that somebody else prepared.
  const descriptor = openSync(temporary, 'wx', 0o600);
  try {
    writeSync(descriptor, encodeCoreFile(file));
    fsyncSync(descriptor);
  } finally {
    closeSync(descriptor);
  }
  renameSync(temporary, path);
}

/**
 * What is written there; undefined when there is no file, or no sensible one, or its process is gone.
 * @throws the file system's error when there is one that cannot be read
 */
export function readCoreFile(dataDirectory: string): CoreFile | undefined {
  let text: string;
  try {
    text = readFileSync(join(dataDirectory, CORE_FILE_NAME), 'utf8');
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'ENOENT' || code === 'ENOTDIR') return undefined;
    throw error;
  }
  const file = parseCoreFile(text);
  return file && processLives(file.pid) ? file : undefined;
}

/** Removes the file when it is this process's own; a successor's is left alone. */
export function removeCoreFile(dataDirectory: string, pid: number): void {
  const path = join(dataDirectory, CORE_FILE_NAME);
  try {
    const file = parseCoreFile(readFileSync(path, 'utf8'));
    if (file && file.pid !== pid && processLives(file.pid)) return;
  } catch {
    return;
  }
  rmSync(path, { force: true });
}

export function processLives(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    // EPERM: it lives and belongs to somebody else.
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}
