import { type ChildProcess, spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';

const CHILD = fileURLToPath(new URL('./storage-child.ts', import.meta.url));

export function startChild(task: string, folder: string, from = 0): ChildProcess {
  return spawn(process.execPath, ['--no-warnings', CHILD, task, folder, String(from)], {
    stdio: ['ignore', 'pipe', 'pipe'],
  });
}

/** The lines a child says, as they come. */
export function linesOf(child: ChildProcess): AsyncIterable<string> {
  if (!child.stdout) throw new Error('no output');
  return createInterface({ input: child.stdout });
}

export interface Outcome {
  readonly answer: Record<string, unknown> | undefined;
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
}

/** Runs a child to its end; its last line is its answer. */
export async function runChild(task: string, folder: string): Promise<Outcome> {
  const child = startChild(task, folder);
  const ended = endOf(child);
  child.stderr?.resume();
  let last: string | undefined;
  for await (const line of linesOf(child)) last = line;
  const { code, signal } = await ended;
  return { answer: last === undefined ? undefined : (JSON.parse(last) as Record<string, unknown>), code, signal };
}

export function endOf(child: ChildProcess): Promise<{ code: number | null; signal: NodeJS.Signals | null }> {
  return new Promise(resolve => child.once('close', (code, signal) => resolve({ code, signal })));
}
