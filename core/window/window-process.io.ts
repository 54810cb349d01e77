import { type ChildProcess, spawn } from 'node:child_process';
import { chmodSync, mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Launcher } from './launchers.ts';
import { findProgram } from './machine.io.ts';
import { CONFIG_FILE_NAME, neutralinoConfig, startArguments, windowEnvironment } from './start-arguments.ts';
import type { ExitKind } from './window-policy.ts';

export type WindowEnd = { readonly kind: 'not-started' } | { readonly kind: 'exited'; readonly how: ExitKind };

export interface WindowProcess {
  /** True when it runs, false when it could not be started. */
  readonly started: Promise<boolean>;
  readonly ended: Promise<WindowEnd>;
  kill(signal: 'SIGTERM' | 'SIGKILL'): void;
}

/** Starts a launcher on an address. Its files lie in `windowDirectory` (0700). No shell takes part. */
export function startWindow(
  launcher: Launcher,
  url: string,
  windowDirectory: string,
  env: NodeJS.ProcessEnv,
): WindowProcess {
  mkdirSync(windowDirectory, { recursive: true, mode: 0o700 });
  chmodSync(windowDirectory, 0o700);
  if (launcher.kind === 'neutralino') writeConfig(windowDirectory, url);
  const words = [launcher.path, ...startArguments(launcher, url, windowDirectory)];
  // The default browser is the user's own: it keeps its own folders and outlives us.
  const own = launcher.kind !== 'browser';
  const [program, ...args] = own ? boundToParent(words, env) : words;
  const child = spawn(program as string, args, {
    stdio: 'ignore',
    windowsHide: false,
    cwd: windowDirectory,
    env: own ? { ...env, ...windowEnvironment(windowDirectory) } : env,
  });
  return { ...follow(child), kill: signal => child.kill(signal) };
}

function follow(child: ChildProcess): Pick<WindowProcess, 'started' | 'ended'> {
  const started = new Promise<boolean>(resolve => {
    child.once('spawn', () => resolve(true));
    child.once('error', () => resolve(false));
  });
  const ended = new Promise<WindowEnd>(resolve => {
    child.once('exit', (code, signal) => {
      resolve({ kind: 'exited', how: signal !== null ? 'killed' : code === 0 ? 'closed' : 'failed' });
    });
    child.once('error', () => {
      if (child.pid === undefined) resolve({ kind: 'not-started' });
    });
  });
  return { started, ended };
}

/** On Linux the kernel ends the window when the core dies, even by SIGKILL (prctl(2), PR_SET_PDEATHSIG). */
function boundToParent(words: string[], env: NodeJS.ProcessEnv): string[] {
  const setpriv = process.platform === 'linux' ? findProgram('setpriv', env) : undefined;
  return setpriv ? [setpriv, '--pdeathsig', 'TERM', '--', ...words] : words;
}

function writeConfig(windowDirectory: string, url: string): void {
  const path = join(windowDirectory, CONFIG_FILE_NAME);
  // Made anew each time, so that its mode is ours whatever lay there.
  rmSync(path, { force: true });
  writeFileSync(path, `${JSON.stringify(neutralinoConfig(url), undefined, 2)}\n`, { mode: 0o600, flag: 'wx' });
}
