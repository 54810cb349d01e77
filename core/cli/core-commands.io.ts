import { setTimeout as delay } from 'node:timers/promises';
import { wipe } from '../base/bytes.ts';
import { LIMITS } from '../base/limits.ts';
import { readCoreFile } from '../commands/core-file.io.ts';
import { EXIT, type ExitCode } from '../commands/error-map.ts';
import { CliFailure, usage } from './failure.ts';
import type { RunningCore } from './runner.ts';
import { safe } from './safe.ts';
import type { Session } from './session.io.ts';
import { statusText } from './text.ts';

/** init, start, status, stop, open, unlock, lock, wipe. */

const POLL_MS = 20;

export async function init(session: Session): Promise<ExitCode> {
  const nick = session.options.nick;
  if (nick === undefined) throw usage('Say how you want to be called: --nick N.');
  const passphrase = await session.passphrase(true);
  try {
    const running = runningCore(session);
    const profile = running
      ? await running.call('profile.create', { nick, passphrase: passphrase.toString() })
      : await session.runner.createProfile({ dataDirectory: session.dataDirectory, nick, passphrase });
    session.print(profile, () => `The profile ${safe(profile.nick)} is made. Its id: ${profile.id}\n`);
    return EXIT.done;
  } finally {
    wipe(passphrase);
  }
}

export async function start(session: Session): Promise<ExitCode> {
  const { options, dataDirectory, runner } = session;
  const helper = options.helper === true;
  const headless = helper || options.headless === true;
  const running = runningCore(session);
  if (running && !headless && !session.json) {
    const { url, launched } = await running.call('window.open', { launch: true });
    session.io.stdout.write(
      launched ? 'Molva is running already; here is its window.\n' : `Molva is running: ${url}\n`,
    );
    return EXIT.done;
  }
  const passphrase = await startPassphrase(session, headless);
  try {
    const core = await runner.startCore({
      dataDirectory,
      ...(passphrase && { passphrase }),
      headless,
      openWindow: !headless,
      keepRunning: options['keep-running'] === true,
      listen: options.listen ?? [],
      offline: options.offline === true,
      helper,
    });
    return await serve(session, core);
  } finally {
    if (passphrase) wipe(passphrase);
  }
}

/** A window asks for the passphrase by itself; a headless core asks at a terminal, and elsewhere starts locked. */
async function startPassphrase(session: Session, headless: boolean): Promise<Buffer | undefined> {
  if (session.options['passphrase-file'] !== undefined) return session.passphrase();
  if (!headless || session.json || !session.io.stdin.isTTY) return undefined;
  return (await session.runner.hasProfile(session.dataDirectory)) ? session.passphrase() : undefined;
}

async function serve(session: Session, core: RunningCore): Promise<ExitCode> {
  const stopListening = session.io.onSignal(() => {
    core.stop();
    setTimeout(() => {
      session.note('Molva did not stop in time.\n');
      session.io.endNow(EXIT.refused);
    }, LIMITS.stopMs).unref();
  });
  session.print({ ready: true, url: core.url, pid: core.pid }, () => runningText(core));
  try {
    await core.stopped;
  } finally {
    stopListening();
  }
  session.note('Molva has stopped.\n');
  return EXIT.done;
}

function runningText(core: RunningCore): string {
  return (
    `Molva is running (process ${core.pid}). Its page, for a browser:\n\n    ${core.url}\n\n` +
    'The address works once, for ten minutes; "molva open" makes another. Ctrl-C stops Molva.\n'
  );
}

export async function status(session: Session): Promise<ExitCode> {
  const result = await session.core().call('status.get', {});
  session.print(result, () => statusText(result));
  return EXIT.done;
}

export async function stop(session: Session): Promise<ExitCode> {
  const core = session.core();
  await core.call('core.stop', {});
  const deadline = performance.now() + LIMITS.stopMs;
  // The file goes last; a process that nobody has waited for still counts as alive.
  while (readCoreFile(session.dataDirectory)?.pid === core.pid) {
    if (performance.now() > deadline) {
      throw new CliFailure('timed-out', EXIT.refused, `Molva (process ${core.pid}) does not stop.`);
    }
    await delay(POLL_MS);
  }
  session.print({ done: true }, () => 'Molva has stopped.\n');
  return EXIT.done;
}

export async function open(session: Session): Promise<ExitCode> {
  const result = await session.core().call('window.open', { launch: session.options.print !== true });
  session.print(result, () =>
    result.launched ? 'The window is open.\n' : `Open this address in a browser; it works once:\n\n    ${result.url}\n`,
  );
  return EXIT.done;
}

export async function unlock(session: Session): Promise<ExitCode> {
  const core = session.core();
  const passphrase = session.options.keychain ? undefined : await session.passphrase();
  try {
    const profile = await core.call('vault.unlock', passphrase ? { passphrase: passphrase.toString() } : {});
    session.print(profile, () => `The profile ${safe(profile.nick)} is open.\n`);
    return EXIT.done;
  } finally {
    if (passphrase) wipe(passphrase);
  }
}

export async function lock(session: Session): Promise<ExitCode> {
  session.print(await session.core().call('vault.lock', {}), () => 'The profile is closed.\n');
  return EXIT.done;
}

export async function wipeProfile(session: Session): Promise<ExitCode> {
  if (!session.options.yes) throw usage('This destroys the profile for ever. Say "molva wipe --yes" if you mean it.');
  const result = await wipeAnyhow(session);
  session.print(result, () => `The keys are gone (${Math.round(result.keysGoneMs)} ms), and the files with them.\n`);
  return EXIT.done;
}

/** Through the running core, which has the keys in memory; directly where none answers. */
async function wipeAnyhow(session: Session): Promise<{ keysGoneMs: number }> {
  const running = runningCore(session);
  if (running) {
    try {
      return await running.call('panic.wipe', { confirm: 'wipe' });
    } catch (error) {
      if (!(error instanceof CliFailure && error.exit === EXIT.noCore)) throw error;
    }
  }
  return session.runner.wipe(session.dataDirectory);
}

function runningCore(session: Session) {
  try {
    return session.core();
  } catch (error) {
    if (error instanceof CliFailure && error.exit === EXIT.noCore) return undefined;
    throw error;
  }
}
