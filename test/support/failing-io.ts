import { execFileSync } from 'node:child_process';
import {
  closeSync,
  mkdtempSync,
  openSync,
  readFileSync,
  realpathSync,
  rmSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { endianness, constants as os, tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { skipHere } from './skip.ts';

export type Fault = 'ENOSPC' | 'EIO' | 'EMFILE';

const SOURCE = join(import.meta.dirname, 'failing-io.c');

/** The library that makes a core's calls fail; undefined, and the test is skipped, where it cannot be made. */
export function compileFailingIo(t: TestContext): string | undefined {
  if (process.platform !== 'linux' || endianness() !== 'LE') {
    skipHere(t, 'needs LD_PRELOAD, which Linux has');
    return undefined;
  }
  const folder = mkdtempSync(join(tmpdir(), 'molva-failing-io-'));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  const library = join(folder, 'failing-io.so');
  try {
    const words = ['-shared', '-fPIC', '-O1', '-o', library, SOURCE, '-ldl'];
    execFileSync(process.env.CC ?? 'cc', words, { stdio: ['ignore', 'ignore', 'pipe'] });
  } catch (error) {
    skipHere(t, `no C compiler made failing-io.c: ${error instanceof Error ? error.message : ''}`);
    return undefined;
  }
  return library;
}

/** The folder of one profile, and the faults of the calls of its processes. */
export class FailingFolder {
  readonly directory: string;
  readonly environment: Readonly<Record<string, string>>;
  readonly control: string;

  constructor(t: TestContext, library: string) {
    const home = mkdtempSync(join(realpathSync(tmpdir()), 'molva-failing-'));
    t.after(() => rmSync(home, { recursive: true, force: true }));
    this.directory = join(home, 'data');
    this.control = join(home, 'control');
    writeFileSync(this.control, Buffer.alloc(16));
    this.environment = {
      LD_PRELOAD: library,
      MOLVA_FAILING_CONTROL: this.control,
      MOLVA_FAILING_FOLDER: this.directory,
      // Calls made in the kernel's own ring pass every library by.
      UV_USE_IO_URING: '0',
    };
  }

  /** From now on every so many-th call that opens or changes something in the folder fails. */
  fail(fault: Fault, every: number): void {
    setFaults(this.control, [os.errno[fault], every]);
  }

  calm(): void {
    setFaults(this.control, [0]);
  }

  get counts(): { calls: number; failed: number } {
    const bytes = readFileSync(this.control);
    return { calls: bytes.readUInt32LE(8), failed: bytes.readUInt32LE(12) };
  }
}

/** Writes the first words of a control file: the errno and every how many-th call, or nought for calm. */
export function setFaults(control: string, words: readonly number[]): void {
  const file = openSync(control, 'r+');
  writeSync(file, Buffer.from(Uint32Array.from(words).buffer), 0, words.length * 4, 0);
  closeSync(file);
}
