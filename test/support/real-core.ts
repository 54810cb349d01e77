import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import type { MethodName, Params, Result } from '../../core/commands/schema.ts';
import { makeProfile } from '../../core/profile.io.ts';
import { createVault } from '../../core/storage/vault.io.ts';
import { ApiClient } from './api-client.ts';
import { ROOT } from './temporary-root.ts';

export const PASSPHRASE = 'seven quiet otters swim';
export const LOOPBACK = ['--headless', '--offline', '--listen', '/ip4/127.0.0.1/tcp/0'];

/** The lowest cost a key file may name: what is tried is not Argon2, and a killed core unlocks at once. */
const WEAK = { argon: { memoryKib: 64, passes: 1, lanes: 1 } };
const MOLVA = join(ROOT, 'tools', 'molva.mjs');
const READY_MS = 30_000;

/** How a `molva` process ended, and all it printed. */
export interface Ended {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly stdout: string;
  readonly stderr: string;
}

export interface RealCoreOptions {
  readonly passphrase?: string;
  /** Where the data folder goes; a folder of its own under the system's temporary one when left out. */
  readonly directory?: string;
  readonly molva?: string;
  /** Variables that its processes see beside those of the test. */
  readonly environment?: Readonly<Record<string, string>>;
}

/** A profile's folder, and the real `molva` processes that work on it. */
export class RealCore {
  readonly directory: string;
  readonly passphraseFile: string;
  /** Everything its processes ever printed. */
  printed = '';
  /** The one-use address of the page, as the last start printed it. */
  url = '';
  /** Holds the passphrase file and, unless another place was named, the data folder. */
  readonly #home: string;
  readonly #molva: string;
  readonly #environment: Readonly<Record<string, string>>;
  #child: ChildProcess | undefined;
  #ended: Promise<Ended> | undefined;

  /** @param nick a profile is made for it, cheaply; none is made when left out */
  static async make(t: TestContext, nick?: string, options: RealCoreOptions = {}): Promise<RealCore> {
    const core = new RealCore(options);
    t.after(() => core.remove());
    if (nick !== undefined) {
      const passphrase = Buffer.from(options.passphrase ?? PASSPHRASE);
      const prepare = async (key: Parameters<typeof makeProfile>[1]) => {
        await makeProfile(core.directory, key, nick);
      };
      (await createVault(core.directory, passphrase, { ...WEAK, prepare })).wipe();
    }
    return core;
  }

  private constructor(options: RealCoreOptions) {
    const home = mkdtempSync(join(tmpdir(), 'molva-core-'));
    this.#home = home;
    this.directory = options.directory ?? join(home, 'data');
    this.passphraseFile = join(home, 'passphrase');
    this.#molva = options.molva ?? MOLVA;
    this.#environment = options.environment ?? {};
    writeFileSync(this.passphraseFile, `${options.passphrase ?? PASSPHRASE}\n`, { mode: 0o600 });
  }

  get pid(): number {
    return this.#child?.pid ?? 0;
  }

  /** Starts a core and waits until it serves. @throws Error with what it printed when it does not */
  async start(words: readonly string[] = ['--passphrase-file', this.passphraseFile, ...LOOPBACK]): Promise<void> {
    this.launch(words);
    const child = this.#child as ChildProcess;
    let text = '';
    const ready = new Promise<string>(resolve => {
      child.stdout?.on('data', chunk => {
        text += chunk;
        if (text.includes('\n')) resolve(text.slice(0, text.indexOf('\n')));
      });
    });
    const ended = (this.#ended as Promise<Ended>).then(end => {
      throw new Error(`molva start ended with ${end.code ?? end.signal}: ${end.stderr}`);
    });
    const line = JSON.parse(await within(READY_MS, 'start', Promise.race([ready, ended])));
    if (line.ready !== true || line.pid !== child.pid) throw new Error(`not the line of a started core: ${text}`);
    this.url = line.url;
  }

  /** As `start`. Each try to unlock is counted before it is judged: killed in between, the next is to wait a second. */
  async startAgain(): Promise<void> {
    await this.start().catch(async error => {
      if (!String(error).includes('unlock-delayed')) throw error;
      const started = () =>
        this.start().then(
          () => true,
          () => false,
        );
      await until('the passphrase may be tried', started);
    });
  }

  /** Starts a core and does not wait: it may be killed on its way up. */
  launch(words: readonly string[] = ['--passphrase-file', this.passphraseFile, ...LOOPBACK]): void {
    [this.#child, this.#ended] = this.#spawn(['start', ...words]);
  }

  /** SIGKILL, at once; resolves when the process is gone. */
  async kill(): Promise<void> {
    await this.end('SIGKILL');
  }

  async end(signal: NodeJS.Signals): Promise<Ended> {
    if (!this.#child || !this.#ended) throw new Error('no core was started');
    this.#child.kill(signal);
    return within(10_000, `end after ${signal}`, this.#ended);
  }

  /** How the started core ends by itself. */
  ended(timeoutMs = 10_000): Promise<Ended> {
    return within(timeoutMs, 'end', this.#ended as Promise<Ended>);
  }

  /** One `molva` command on this profile, with --json. */
  molva(...words: string[]): Promise<Ended> {
    return this.#spawn(words)[1];
  }

  /** A command's first value. @throws Error when it does not end with 0 */
  async json<T>(...words: string[]): Promise<T> {
    const { code, stdout, stderr } = await this.molva(...words);
    if (code !== 0) throw new Error(`molva ${words[0]} ended with ${code}: ${stderr}`);
    return JSON.parse(stdout.split('\n')[0] ?? '');
  }

  /** A long-running command, with its values as they come. */
  follow(...words: string[]): { values: unknown[]; end(signal: NodeJS.Signals): Promise<Ended> } {
    const values: unknown[] = [];
    const [child, ended] = this.#spawn(words);
    let rest = '';
    child.stdout?.on('data', chunk => {
      const lines = (rest + chunk).split('\n');
      rest = lines.pop() ?? '';
      values.push(...lines.map(line => JSON.parse(line)));
    });
    return {
      values,
      end: signal => {
        child.kill(signal);
        return within(10_000, words[0] ?? '', ended);
      },
    };
  }

  connect(): Promise<ApiClient> {
    return ApiClient.open(this.directory);
  }

  /** One call over the API: much cheaper than a process. */
  async call<M extends MethodName>(method: M, params: Params<M>): Promise<Result<M>> {
    const client = await this.connect();
    try {
      return await client.call(method, params);
    } finally {
      client.close();
    }
  }

  async remove(): Promise<void> {
    if (this.#child && this.#child.exitCode === null && this.#child.signalCode === null) await this.kill();
    rmSync(this.#home, { recursive: true, force: true });
  }

  #spawn(words: readonly string[]): [ChildProcess, Promise<Ended>] {
    const args = [this.#molva, ...words, '--data-dir', this.directory, '--json'];
    // A home of its own: nothing of the person who runs the tests is read or written.
    const env = { ...process.env, HOME: this.#home, XDG_RUNTIME_DIR: this.#home, ...this.#environment };
    const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'pipe'], env });
    const printed = { stdout: '', stderr: '' };
    for (const name of ['stdout', 'stderr'] as const) {
      child[name].setEncoding('utf8').on('data', chunk => {
        printed[name] += chunk;
        this.printed += chunk;
      });
    }
    const ended = new Promise<Ended>(resolve => {
      child.on('close', (code, signal) => resolve({ code, signal, ...printed }));
    });
    return [child, ended];
  }
}

/** Two cores become contacts by an invite of the first. */
export async function introduce(first: RealCore, second: RealCore): Promise<void> {
  const [host, guest] = await Promise.all([first.connect(), second.connect()]);
  const asked = host.next('contact-request');
  const answered = guest.next('contact-changed', ({ contact }) => contact.phase === 'accepted');
  const { invite } = await host.call('invite.create', {});
  await guest.call('contacts.add', { invite });
  const { request } = await asked;
  await host.call('requests.accept', { id: request.id });
  await answered;
  host.close();
  guest.close();
}

/** Asks again until `condition` holds. @throws Error saying what was waited for */
export async function until(
  what: string,
  condition: () => Promise<boolean> | boolean,
  timeoutMs = 20_000,
): Promise<void> {
  const deadline = performance.now() + timeoutMs;
  while (!(await condition())) {
    if (performance.now() > deadline) throw new Error(`still not so after ${timeoutMs} ms: ${what}`);
    await delay(20);
  }
}

/** @throws Error when the promise has not settled by then */
export async function within<T>(timeoutMs: number, what: string, promise: Promise<T>): Promise<T> {
  const abort = new AbortController();
  const late = delay(timeoutMs, undefined, { signal: abort.signal }).then(() => {
    throw new Error(`${what}: nothing within ${timeoutMs} ms`);
  });
  late.catch(() => undefined);
  try {
    return await Promise.race([promise, late]);
  } finally {
    abort.abort();
  }
}
