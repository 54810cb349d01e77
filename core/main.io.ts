import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { createApi } from './api/api.io.ts';
import { createTokens } from './api/tokens.ts';
import { wipe } from './base/bytes.ts';
import { CoreError, InternalError } from './base/errors.ts';
import { collectEarly } from './base/garbage.io.ts';
import { LIMITS } from './base/limits.ts';
import { type Log, openLog } from './base/log.io.ts';
import { loadNative } from './base/native.io.ts';
import { systemClock, systemRandom, systemScheduler } from './base/world.io.ts';
import { runCli } from './cli/cli.io.ts';
import type { CoreRunner, RunningCore, StartOptions } from './cli/runner.ts';
import { createBundleStreams } from './commands/bundles.ts';
import { removeCoreFile, writeCoreFile } from './commands/core-file.io.ts';
import { EXIT } from './commands/error-map.ts';
import type { Profile } from './commands/schema.ts';
import { createCommands } from './commands/table.ts';
import { createProfileFiles, Host } from './host.io.ts';
import { makePrivateFolder } from './storage/file-system.io.ts';
import { Keychain } from './storage/keychain.io.ts';
import { lockProfile } from './storage/lock.io.ts';
import { hasVault } from './storage/vault.io.ts';
import { finishWipe, wipeProfile } from './storage/wipe.io.ts';
import { thisMachine } from './window/machine.io.ts';
import { openLink } from './window/open-link.io.ts';
import { createWindow } from './window/window.io.ts';

/** The folder of the program, seen from core/ and from the bundle in dist/. */
const PROGRAM = dirname(import.meta.dirname);
const VERSION: string = JSON.parse(readFileSync(join(PROGRAM, 'package.json'), 'utf8')).version;

const runner: CoreRunner = {
  version: VERSION,
  hasProfile: async dataDirectory => hasVault(dataDirectory),
  createProfile,
  startCore,
  wipe: async dataDirectory => wipeProfile(dataDirectory, { keychain: new Keychain() }),
};

async function createProfile(options: { dataDirectory: string; nick: string; passphrase: Buffer }): Promise<Profile> {
  const { dataDirectory, nick, passphrase } = options;
  harden();
  makePrivateFolder(dataDirectory);
  const lock = lockProfile(dataDirectory);
  try {
    await finishWipe(dataDirectory, { keychain: new Keychain() });
    const { dataKey, id } = await createProfileFiles(dataDirectory, nick, passphrase);
    dataKey.wipe();
    return { id, nick, createdAt: systemClock() };
  } finally {
    wipe(passphrase);
    lock.release();
  }
}

/** Takes the data folder, serves the local API, unlocks if it can, and opens the window. */
async function startCore(options: StartOptions): Promise<RunningCore> {
  const { dataDirectory, passphrase } = options;
  collectEarly();
  const { native, hardening } = harden();
  makePrivateFolder(dataDirectory);
  const lock = lockProfile(dataDirectory);
  const keychain = new Keychain();
  const log = await prepare(dataDirectory, keychain).catch(error => {
    lock.release();
    throw error;
  });
  const tokens = createTokens({ clock: systemClock, random: systemRandom });
  const ended = Promise.withResolvers<void>();
  // The command line hears of it; where nobody listens it is no fault of its own.
  ended.promise.catch(() => undefined);
  let stopping: Promise<void> | undefined;
  let crashed = false;

  const machine = thisMachine(PROGRAM);
  const host = new Host({
    version: VERSION,
    dataDirectory,
    listen: options.listen,
    offline: options.offline,
    helper: options.helper,
    native,
    hardening,
    keychain,
    onFault: fault => logFault(log, 'core.fault', fault),
    onStop: () => setImmediate(stop),
    openWindow: async launch => ({ url: issueLink(), launched: launch && (await window.open()) }),
    openLink: url => openLink(url, machine),
  });
  const api = createApi({
    commands: createCommands(host),
    bundles: createBundleStreams(host),
    subscribe: listener => host.subscribe(listener),
    tokens,
    pageDirectory: join(PROGRAM, 'ui', 'dist'),
    scheduler: systemScheduler,
    log,
  });
  const window = createWindow({
    machine,
    dataDirectory,
    issueLink,
    closeWindow: options.keepRunning ? 'keep' : 'quit',
    onQuit: () => void stop(),
    onGaveUp: () => log('window.none', {}),
    clock: systemClock,
    scheduler: systemScheduler,
    log,
  });

  /** With a chosen theme the page wears it from its first moment on. */
  function issueLink(): string {
    const { theme } = host.settings();
    return theme === 'auto' ? api.issueLink() : `${api.issueLink()}&theme=${theme}`;
  }

  function stop(): Promise<void> {
    stopping ??= shutDown().finally(() => (crashed ? ended.reject(new InternalError('core.crash')) : ended.resolve()));
    return stopping;
  }

  /** What nobody caught leaves the core in a state that nobody thought of: it ends while it still can. */
  function endByFault(fault: unknown): void {
    logFault(log, 'core.crash', fault);
    if (crashed) return;
    crashed = true;
    setTimeout(() => process.exit(EXIT.refused), LIMITS.stopMs).unref();
    void stop();
  }

  async function shutDown(): Promise<void> {
    const steps = [() => window.stop(), () => host.close(), () => api.close()];
    for (const step of steps) await step().catch(fault => logFault(log, 'core.stop', fault));
    removeCoreFile(dataDirectory, process.pid);
    lock.release();
  }

  // A rejected promise that nobody awaits comes this way too.
  process.on('uncaughtException', endByFault);
  try {
    if (passphrase) await host.unlock(passphrase);
    const { origin } = await api.listen();
    writeCoreFile(dataDirectory, { url: origin, pid: process.pid, token: tokens.reveal() });
    log('core.ready', { pid: process.pid });
    if (options.openWindow) await window.open();
    return { url: issueLink(), pid: process.pid, stopped: ended.promise, stop };
  } catch (error) {
    await stop();
    throw error;
  }
}

/** Finishes a wipe that was cut short, and opens the log. */
async function prepare(dataDirectory: string, keychain: Keychain): Promise<Log> {
  await finishWipe(dataDirectory, { keychain });
  return openLog(dataDirectory);
}

function harden() {
  const native = loadNative();
  return { native, hardening: native.loaded ? native.harden() : undefined };
}

/** Where a fault arose; never its message, which may quote data. */
function logFault(log: Log, event: string, fault: unknown): void {
  const operation = fault instanceof CoreError ? `${fault.code} ${fault.operation}` : '';
  const frame = fault instanceof Error ? (fault.stack?.split('\n').find(line => /^\s+at /.test(line)) ?? '') : '';
  log(event, { name: fault instanceof Error ? fault.name : typeof fault, operation, at: frame.trim() });
}

process.exitCode = await runCli(process.argv.slice(2), processIo(), runner);

function processIo(): Parameters<typeof runCli>[1] {
  return {
    stdin: process.stdin,
    stdout: process.stdout,
    stderr: process.stderr,
    programDirectory: PROGRAM,
    endNow: code => process.exit(code),
    onSignal: listener => {
      const signals = ['SIGINT', 'SIGTERM', 'SIGBREAK'] as const;
      for (const signal of signals) process.on(signal, listener);
      return () => {
        for (const signal of signals) process.off(signal, listener);
      };
    },
  };
}
