import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';

/** The folder of vectors that others made. */
export const VECTORS = process.env.MOLVA_VECTORS ?? join(import.meta.dirname, '../../../shared/vectors');

/** Runs a test over one vector file; without the file it is skipped with its reason, and on CI it fails. */
export function vectorTest<T>(file: string, title: string, run: (vectors: T) => void): void {
  const path = join(VECTORS, file);
  if (existsSync(path)) {
    test(title, () => run(JSON.parse(readFileSync(path, 'utf8')) as T));
    return;
  }
  const reason = `no ${file} in the vectors folder (MOLVA_VECTORS)`;
  test(title, { skip: process.env.CI === 'true' ? false : reason }, () => {
    throw new Error(reason);
  });
}

export function fromHex(text: string): Buffer {
  return Buffer.from(text, 'hex');
}
