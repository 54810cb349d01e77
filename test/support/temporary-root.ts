import { cpSync, mkdirSync, mkdtempSync, realpathSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';

export const ROOT = join(import.meta.dirname, '..', '..');

/** A folder laid out like the repository: its tools and packages, and the files given. */
export interface TemporaryRoot {
  readonly path: string;
  write(name: string, content: string): void;
  remove(): void;
}

export function temporaryRoot(files: Readonly<Record<string, string>> = {}): TemporaryRoot {
  const path = realpathSync(mkdtempSync(join(tmpdir(), 'molva-root-')));
  const write = (name: string, content: string) => {
    mkdirSync(dirname(join(path, name)), { recursive: true });
    writeFileSync(join(path, name), content);
  };
  cpSync(join(ROOT, 'tools'), join(path, 'tools'), { recursive: true });
  symlinkSync(join(ROOT, 'node_modules'), join(path, 'node_modules'), 'junction');
  for (const name of ['package.json', 'package-lock.json']) cpSync(join(ROOT, name), join(path, name));
  for (const [name, content] of Object.entries(files)) write(name, content);
  return { path, write, remove: () => rmSync(path, { recursive: true }) };
}
