import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { posix, win32 } from 'node:path';
import { test } from 'node:test';
import fc from 'fast-check';
import { HOUR_MS } from '../../core/base/clock.ts';
import { LIMITS } from '../../core/base/limits.ts';
import { findLaunchers, type Machine } from '../../core/window/launchers.ts';
import { neutralinoConfig, startArguments } from '../../core/window/start-arguments.ts';
import {
  type CloseWindow,
  SOON_MS,
  stepWindow,
  WINDOW_CLOSED,
  type WindowInput,
  type WindowOutput,
} from '../../core/window/window-policy.ts';

/** The machine on a clock that is moved by hand. */
function story(launchers: number, closeWindow: CloseWindow = 'quit') {
  let state = WINDOW_CLOSED;
  let now = 1_000_000;
  return {
    pass(ms: number) {
      now += ms;
    },
    tell(input: WindowInput): readonly WindowOutput[] {
      const next = stepWindow(state, input, { now, launchers, closeWindow });
      state = next.state;
      return next.outputs;
    },
    phase: () => state.phase,
  };
}

const CRASH: WindowInput = { kind: 'exited', how: 'killed' };
const FAIL: WindowInput = { kind: 'exited', how: 'failed' };
const CLOSE: WindowInput = { kind: 'exited', how: 'closed' };

test('closing the window ends the core, or does not, as configured', () => {
  for (const [closeWindow, outputs] of [
    ['quit', [{ kind: 'quit' }]],
    ['keep', []],
  ] as const) {
    const window = story(1, closeWindow);
    assert.deepEqual(window.tell({ kind: 'open' }), [{ kind: 'launch', launcher: 0 }]);
    window.tell({ kind: 'opened' });
    window.pass(60_000);
    assert.deepEqual(window.tell(CLOSE), outputs);
    assert.deepEqual(window.tell({ kind: 'open' }), [{ kind: 'launch', launcher: 0 }], 'it can be opened again');
  }
});

test('a crashed window comes back so many times an hour, and again in the next one', () => {
  const window = story(1);
  window.tell({ kind: 'open' });
  for (let round = 0; round < LIMITS.windowRestarts; round++) {
    window.tell({ kind: 'opened' });
    window.pass(60_000);
    assert.deepEqual(window.tell(CRASH), [{ kind: 'launch', launcher: 0 }]);
  }
  window.tell({ kind: 'opened' });
  window.pass(60_000);
  assert.deepEqual(window.tell(CRASH), [{ kind: 'give-up' }]);
  window.pass(HOUR_MS);
  window.tell({ kind: 'open' });
  window.tell({ kind: 'opened' });
  window.pass(60_000);
  assert.deepEqual(window.tell(CRASH), [{ kind: 'launch', launcher: 0 }]);
});

test('a program that fails at once gives way to the next one; one that ran, or was killed, does not', () => {
  const window = story(2);
  window.tell({ kind: 'open' });
  window.tell({ kind: 'opened' });
  window.pass(SOON_MS);
  assert.deepEqual(window.tell(FAIL), [{ kind: 'launch', launcher: 0 }]);
  window.tell({ kind: 'opened' });
  assert.deepEqual(window.tell(CRASH), [{ kind: 'launch', launcher: 0 }]);
  window.tell({ kind: 'opened' });
  window.pass(SOON_MS - 1);
  assert.deepEqual(window.tell(FAIL), [{ kind: 'launch', launcher: 1 }]);
});

test('programs that do not start are passed over, and none is said so', () => {
  const window = story(2);
  window.tell({ kind: 'open' });
  assert.deepEqual(window.tell({ kind: 'not-started' }), [{ kind: 'launch', launcher: 1 }]);
  assert.deepEqual(window.tell({ kind: 'not-started' }), [{ kind: 'give-up' }]);
  assert.deepEqual(story(0).tell({ kind: 'open' }), [{ kind: 'give-up' }]);
});

test('one window at a time; a stopped one never comes back', () => {
  const window = story(2);
  window.tell({ kind: 'open' });
  assert.deepEqual(window.tell({ kind: 'open' }), []);
  window.tell({ kind: 'opened' });
  assert.deepEqual(window.tell({ kind: 'open' }), []);
  assert.deepEqual(window.tell({ kind: 'stop' }), [{ kind: 'close' }]);
  for (const input of [CRASH, CLOSE, { kind: 'open' }, { kind: 'not-started' }] as const) {
    assert.deepEqual(window.tell(input), []);
  }
});

test('whatever happens, no hour sees more restarts than allowed', t => {
  const seed = Date.now() % 2 ** 31;
  t.diagnostic(`seed ${seed}`);
  const crashes = fc.array(fc.integer({ min: 0, max: HOUR_MS / 2 }), { maxLength: 60 });
  const check = (gaps: number[], launchers: number) => {
    const window = story(launchers);
    const restarts: number[] = [];
    let now = 0;
    for (const gap of gaps) {
      if (window.phase() === 'closed') window.tell({ kind: 'open' });
      window.tell({ kind: 'opened' });
      now += gap;
      window.pass(gap);
      if (window.tell(CRASH).some(output => output.kind === 'launch')) restarts.push(now);
    }
    for (const at of restarts) {
      const within = restarts.filter(other => other <= at && other > at - HOUR_MS);
      assert.ok(within.length <= LIMITS.windowRestarts);
    }
  };
  fc.assert(fc.property(crashes, fc.integer({ min: 1, max: 3 }), check), { seed, numRuns: 500 });
});

function machine(platform: NodeJS.Platform, programs: readonly string[], env: Record<string, string> = {}): Machine {
  const join = platform === 'win32' ? win32.join : posix.join;
  const find = (program: string) => (programs.includes(program) ? program : undefined);
  return { platform, arch: 'x64', env, programDirectory: platform === 'win32' ? 'C:\\m' : '/m', find, join };
}

const kinds = (given: Machine) => findLaunchers(given).map(({ kind, path }) => `${kind} ${path}`);

test('the order of launchers on each system', () => {
  const linux = ['/m/bin/molva-window', 'chromium', 'google-chrome', 'xdg-open', '/own/thing', '/own/chromium'];
  const display = { DISPLAY: ':0' };
  assert.deepEqual(kinds(machine('linux', linux, display)), [
    'neutralino /m/bin/molva-window',
    'chromium chromium',
    'browser xdg-open',
  ]);
  assert.deepEqual(kinds(machine('linux', linux, { ...display, MOLVA_WINDOW: '/own/thing' })), [
    'neutralino /own/thing',
  ]);
  assert.equal(
    kinds(machine('linux', linux, { ...display, MOLVA_WINDOW: '/own/chromium' }))[0],
    'chromium /own/chromium',
  );
  assert.deepEqual(kinds(machine('linux', linux)), [], 'no display, no window');
  assert.deepEqual(kinds(machine('linux', linux, { MOLVA_WINDOW: '/own/thing' })), ['neutralino /own/thing']);
  assert.deepEqual(kinds(machine('linux', ['/m/bin/neutralino-linux_x64'], display)), [
    'neutralino /m/bin/neutralino-linux_x64',
  ]);
  const edge = 'C:\\P\\Microsoft\\Edge\\Application\\msedge.exe';
  const rundll = 'C:\\Windows\\System32\\rundll32.exe';
  assert.deepEqual(kinds(machine('win32', [edge, rundll, 'C:\\m\\bin\\molva-window.exe'], { ProgramFiles: 'C:\\P' })), [
    'neutralino C:\\m\\bin\\molva-window.exe',
    `chromium ${edge}`,
    `browser ${rundll}`,
  ]);
  assert.deepEqual(kinds(machine('darwin', ['/usr/bin/open'])), ['browser /usr/bin/open']);
});

test('the address is in no argument of the own window, whose file has everything dangerous off', () => {
  const url = 'http://127.0.0.1:1/#code=secret';
  assert.ok(!startArguments({ kind: 'neutralino', path: 'x' }, url, '/w').join(' ').includes('secret'));
  const config = neutralinoConfig(url);
  assert.equal(config.url, url);
  for (const key of ['enableServer', 'enableNativeAPI', 'enableExtensions', 'exportAuthInfo'] as const) {
    assert.equal(config[key], false);
  }
  assert.equal(config.modes.window.newWindowPolicy, 'system');
  assert.equal(config.modes.window.useSavedState, false);
});

test('the configuration at the top level is the one that is generated', () => {
  const file = JSON.parse(readFileSync(new URL('../../neutralino.config.json', import.meta.url), 'utf8'));
  const { $schema: _schema, cli: _cli, ...options } = file;
  assert.deepEqual(options, neutralinoConfig('about:blank'));
});
