import { existsSync } from 'node:fs';
import { join, resolve } from 'node:path';
import envPaths from 'env-paths';

/** `--data-dir`; else `data/` beside the program when a file named `portable` lies there; else the system's place. */
export function findDataDirectory(given: string | undefined, programDirectory: string): string {
  if (given !== undefined) return resolve(given);
  if (existsSync(join(programDirectory, 'portable'))) return join(programDirectory, 'data');
  return envPaths('molva', { suffix: '' }).data;
}
