import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, readFileSync, rmSync, statSync, watch } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { LIMITS } from '../../core/base/limits.ts';
import { systemClock, systemScheduler } from '../../core/base/world.io.ts';
import { processLives } from '../../core/commands/core-file.io.ts';
import { findProgram, thisMachine } from '../../core/window/machine.io.ts';
import { type AppWindow, createWindow } from '../../core/window/window.io.ts';
import type { CloseWindow } from '../../core/window/window-policy.ts';
import { serveApi } from './api-fixture.ts';

const STAND_IN = join(import.meta.dirname, 'window-stand-in.mjs');
const skip = process.platform === 'win32' && 'the stand-in is started by its first line, which Windows does not read';

interface Stage {
  readonly window: AppWindow;
  readonly directory: string;
  /** Settles with what ended it. */
  readonly ended: Promise<'quit' | 'gave-up'>;
  readonly runs: () => Record<string, unknown>[];
  /** Settles when so many runs have been written. */
  readonly ran: (count: number) => Promise<void>;
}

async function stage(
  t: TestContext,
  ending: string,
  closeWindow: CloseWindow = 'quit',
  program = STAND_IN,
): Promise<Stage> {
  const served = await serveApi(t);
  const directory = mkdtempSync(join(tmpdir(), 'molva-window-'));
  const log = join(directory, 'runs');
  const end = Promise.withResolvers<'quit' | 'gave-up'>();
  const env = {
    PATH: `${dirname(process.execPath)}:${process.env.PATH}`,
    MOLVA_WINDOW: program,
    STAND_IN: ending,
    STAND_IN_LOG: log,
  };
  const window = createWindow({
    machine: thisMachine('/nonexistent', env),
    dataDirectory: directory,
    issueLink: served.api.issueLink,
    closeWindow,
    onQuit: () => end.resolve('quit'),
    onGaveUp: () => end.resolve('gave-up'),
    clock: systemClock,
    scheduler: systemScheduler,
    log: () => {},
  });
  t.after(async () => {
    await window.stop();
    rmSync(directory, { recursive: true, force: true });
  });
  const runs = () =>
    existsSync(log)
      ? readFileSync(log, 'utf8')
          .split('\n')
          .slice(0, -1)
          .map(line => JSON.parse(line))
      : [];
  const ran = async (count: number) => {
    const changes = watch(directory);
    try {
      while (runs().length < count) await once(changes, 'change');
    } finally {
      changes.close();
    }
  };
  return { window, directory, ended: end.promise, runs, ran };
}

test('the window opens on the page with a code that works', { skip, timeout: 20_000 }, async t => {
  const { window, directory, runs, ran } = await stage(t, 'stay');
  assert.equal(await window.open(), true);
  await ran(1);
  const [run] = runs();
  assert.deepEqual([run?.page, run?.title, run?.session], [200, 'Molva', 200]);
  assert.equal(run?.mode, 0o600);
  assert.equal(run?.renderer, '1');
  assert.equal(statSync(join(directory, 'window')).mode & 0o777, 0o700);
  assert.ok(!String(run?.arguments).includes(String(run?.code)));
  assert.equal(await window.open(), true, 'a second time it is there already');
  await window.stop();
  assert.ok(!processLives(Number(run?.pid)));
  assert.equal(runs().length, 1);
});

test('closing the window ends the core', { skip, timeout: 20_000 }, async t => {
  const { window, ended, runs } = await stage(t, 'close');
  await window.open();
  assert.equal(await ended, 'quit');
  assert.equal(runs().length, 1);
});

test('closing the window keeps the core where so configured, and it opens again with a fresh code', {
  skip,
  timeout: 20_000,
}, async t => {
  const { window, runs, ran, ended } = await stage(t, 'close', 'keep');
  await window.open();
  await ran(1);
  // Its end may be told a little after its line was written.
  while (runs().length < 2) {
    await window.open();
    await new Promise(resolve => setImmediate(resolve));
  }
  const codes = runs().map(run => run.code);
  assert.equal(new Set(codes).size, codes.length);
  assert.equal(await Promise.race([ended, Promise.resolve('still running')]), 'still running');
});

for (const ending of ['crash', 'fail']) {
  test(`a window that ends by ${ending} is opened again, so many times, each with a fresh code`, {
    skip,
    timeout: 40_000,
  }, async t => {
    const { window, ended, runs } = await stage(t, ending);
    await window.open();
    assert.equal(await ended, 'gave-up');
    assert.equal(runs().length, 1 + LIMITS.windowRestarts);
    assert.equal(new Set(runs().map(run => run.code)).size, 1 + LIMITS.windowRestarts);
    for (const run of runs()) assert.equal(run.session, 200);
  });
}

test('no program at hand is said, not thrown', { skip, timeout: 20_000 }, async t => {
  const { window, ended } = await stage(t, 'stay', 'quit', '/nonexistent/window');
  assert.equal(await window.open(), false);
  assert.equal(await ended, 'gave-up');
});

const noSetpriv = process.platform !== 'linux' || !findProgram('setpriv', process.env);

test('the window dies with a core that is killed', {
  skip: noSetpriv && 'needs setpriv (Linux)',
  timeout: 20_000,
}, async t => {
  const directory = mkdtempSync(join(tmpdir(), 'molva-window-'));
  t.after(() => rmSync(directory, { recursive: true, force: true }));
  const module = new URL('../../core/window/window-process.io.ts', import.meta.url).href;
  const launcher = { kind: 'neutralino', path: join(import.meta.dirname, 'window-waits.mjs') };
  const script = `
    import { startWindow } from ${JSON.stringify(module)};
    startWindow(${JSON.stringify(launcher)}, 'http://127.0.0.1:1/', ${JSON.stringify(directory)}, process.env);
    setInterval(() => {}, 1000);
  `;
  const env = { ...process.env, PATH: `${dirname(process.execPath)}:${process.env.PATH}` };
  const core = spawn(process.execPath, ['--input-type=module', '-e', script], { stdio: 'inherit', env });
  t.after(() => core.kill('SIGKILL'));
  const changes = watch(directory);
  while (!existsSync(join(directory, 'waits'))) await once(changes, 'change');
  changes.close();
  const pid = Number(readFileSync(join(directory, 'waits'), 'utf8'));
  assert.ok(processLives(pid));
  core.kill('SIGKILL');
  await once(core, 'exit');
  while (isRunning(pid)) await new Promise(resolve => setImmediate(resolve));
});

/** Alive and no zombie: nobody may wait for an orphan here. */
function isRunning(pid: number): boolean {
  try {
    return !/^State:\s+Z/m.test(readFileSync(`/proc/${pid}/status`, 'utf8'));
  } catch {
    return false;
  }
}
