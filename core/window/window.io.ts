import { join } from 'node:path';
import type { Clock, Scheduler } from '../base/clock.ts';
import { findLaunchers, type Launcher, type Machine } from './launchers.ts';
import { type CloseWindow, stepWindow, WINDOW_CLOSED, type WindowInput, type WindowOutput } from './window-policy.ts';
import { startWindow, type WindowProcess } from './window-process.io.ts';

export const WINDOW_DIRECTORY_NAME = 'window';

export interface WindowOptions {
  readonly machine: Machine;
  readonly dataDirectory: string;
  /** A fresh address with a one-use code, for every launch. */
  readonly issueLink: () => string;
  /** What closing the window means for the core. */
  readonly closeWindow: CloseWindow;
  /** The window was closed and `closeWindow` is `quit`. */
  readonly onQuit: () => void;
  /** No launcher works, or the window crashes too often; the core goes on without one. */
  readonly onGaveUp: () => void;
  readonly clock: Clock;
  readonly scheduler: Scheduler;
  readonly log: (event: string, facts: Readonly<Record<string, string | number>>) => void;
}

export interface AppWindow {
  /** Opens the window unless it stands there already. @returns whether there is one now */
  open(): Promise<boolean>;
  /** Closes the window; it is not opened again. */
  stop(): Promise<void>;
}

const KILL_AFTER_MS = 2_000;
/** Chromium that finds its profile in use hands the address over and ends at once. */
const HAND_OVER_MS = 2_000;

/** Keeps one window on the core: opens it, opens it again after a crash, and tells when it was closed. */
export function createWindow(options: WindowOptions): AppWindow {
  const launchers = findLaunchers(options.machine);
  let state = WINDOW_CLOSED;
  let current: WindowProcess | undefined;
  let launching: Promise<boolean> = Promise.resolve(false);

  function step(input: WindowInput): Promise<boolean> {
    const context = { now: options.clock(), launchers: launchers.length, closeWindow: options.closeWindow };
    const next = stepWindow(state, input, context);
    state = next.state;
    const [output] = next.outputs;
    return output ? act(output) : Promise.resolve(state.phase === 'open' || input.kind === 'handed-over');
  }

  async function act(output: WindowOutput): Promise<boolean> {
    switch (output.kind) {
      case 'launch':
        launching = launch(launchers[output.launcher] as Launcher);
        return launching;
      case 'close':
        current?.kill('SIGTERM');
        return false;
      case 'quit':
        options.onQuit();
        return false;
      case 'give-up':
        options.log('window.gave-up', { launchers: launchers.length });
        options.onGaveUp();
        return false;
    }
  }

  async function launch(launcher: Launcher): Promise<boolean> {
    const startedAt = options.clock();
    const process = startWindow(launcher, options.issueLink(), join(options.dataDirectory, WINDOW_DIRECTORY_NAME), {
      ...options.machine.env,
    });
    options.log('window.start', { launcher: launcher.kind });
    if (launcher.kind === 'browser') {
      const end = await process.ended;
      return step({ kind: end.kind === 'exited' && end.how === 'closed' ? 'handed-over' : 'not-started' });
    }
    if (!(await process.started)) return step({ kind: 'not-started' });
    current = process;
    // Stopped in the meantime.
    if (state.phase === 'stopped') process.kill('SIGTERM');
    const opened = step({ kind: 'opened' });
    process.ended.then(end => {
      if (end.kind === 'exited') options.log('window.end', { launcher: launcher.kind, how: end.how });
      const quick = launcher.kind === 'chromium' && options.clock() - startedAt < HAND_OVER_MS;
      step(end.kind === 'exited' && end.how === 'closed' && quick ? { kind: 'handed-over' } : end);
    });
    return opened;
  }

  return {
    async open() {
      const there = await step({ kind: 'open' });
      return there || (state.phase === 'opening' && (await launching));
    },
    async stop() {
      await step({ kind: 'stop' });
      // One that was just being started is told to end as soon as it stands.
      await launching;
      const running = current;
      if (!running) return;
      const cancel = options.scheduler(KILL_AFTER_MS, () => running.kill('SIGKILL'));
      await running.ended;
      cancel();
    },
  };
}
