import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import type { ApiEvent, Contact } from '../core/commands/schema.ts';
import { RUNTIME_FLAGS } from '../tools/runtime.mjs';
import { filesBelow } from '../tools/stamps.mjs';
import { SocketClient } from './socket-client.ts';

const ROOT = join(import.meta.dirname, '..');
/** The command a user types, or for profiling a bundle, run with flags of its own. */
const PROGRAM = process.env.MOLVA_BENCH_CORE ?? join(ROOT, 'tools', 'molva.mjs');
const PROFILING = process.env.MOLVA_BENCH_FLAGS?.split(' ').filter(Boolean) ?? [];
/** USER_HZ, the unit of /proc/pid/stat, is 100 on every Linux. */
const CLOCK_TICK_MS = 10;
const PASSPHRASE = 'a passphrase of the benchmark';

/** A core process as a user starts it: the bundle, its own data folder, headless, no discovery. */
export class BenchCore {
  readonly nick: string;
  readonly dataDirectory: string;
  readonly #passphraseFile: string;
  #process: ChildProcess | undefined;
  #client: SocketClient | undefined;

  private constructor(nick: string, dataDirectory: string, passphraseFile: string) {
    this.nick = nick;
    this.dataDirectory = dataDirectory;
    this.#passphraseFile = passphraseFile;
  }

  /** @throws Error the bundle is older than the sources, which would run in its place */
  static async create(nick: string): Promise<BenchCore> {
    if (!process.env.MOLVA_BENCH_CORE) requireFreshBundle();
    const dataDirectory = mkdtempSync(join(tmpdir(), 'molva-bench-'));
    const passphraseFile = join(dataDirectory, 'passphrase');
    writeFileSync(passphraseFile, PASSPHRASE, { mode: 0o600 });
    const core = new BenchCore(nick, dataDirectory, passphraseFile);
    const making = core.#run(['init', '--nick', nick, '--passphrase-file', passphraseFile]);
    const [code] = await once(making, 'exit');
    if (code !== 0) throw new Error(`the profile of ${nick} was not made`);
    return core;
  }

  get pid(): number {
    const pid = this.#process?.pid;
    if (pid === undefined) throw new Error(`${this.nick} does not run`);
    return pid;
  }

  get client(): SocketClient {
    if (!this.#client) throw new Error(`${this.nick} is not connected`);
    return this.#client;
  }

  /** @returns milliseconds from the start of the process to the line that says it serves */
  async start(options: { readonly locked?: boolean } = {}): Promise<number> {
    const words = ['start', '--headless', '--offline', '--json', '--listen', '/ip4/127.0.0.1/tcp/0'];
    if (!options.locked) words.push('--passphrase-file', this.#passphraseFile);
    const startedAtMs = performance.now();
    this.#process = this.#run(words);
    await firstLine(this.#process);
    return performance.now() - startedAtMs;
  }

  async connect(onEvent: (event: ApiEvent) => void = () => {}): Promise<SocketClient> {
    const { url, token } = JSON.parse(readFileSync(join(this.dataDirectory, 'core.json'), 'utf8'));
    this.#client = await SocketClient.open(url, token, onEvent);
    return this.#client;
  }

  /** Processor time used so far, all threads, in milliseconds; undefined where the system does not tell (not Linux). */
  cpuMs(): number | undefined {
    try {
      const fields = readFileSync(`/proc/${this.pid}/stat`, 'utf8').split(') ')[1]?.split(' ') ?? [];
      return (Number(fields[11]) + Number(fields[12])) * CLOCK_TICK_MS;
    } catch {
      return undefined;
    }
  }

  async stop(): Promise<void> {
    this.#client?.close();
    const running = this.#process;
    if (!running || running.exitCode !== null || running.signalCode !== null) return;
    const ended = once(running, 'exit');
    running.kill('SIGTERM');
    await ended;
  }

  /** Ends the core and removes its folder. */
  async remove(): Promise<void> {
    await this.stop();
    rmSync(this.dataDirectory, { recursive: true, force: true });
  }

  #run(words: readonly string[]): ChildProcess {
    const flags = process.env.MOLVA_BENCH_CORE ? [...RUNTIME_FLAGS, ...PROFILING] : [];
    const args = [...flags, PROGRAM, ...words, '--data-dir', this.dataDirectory];
    return spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'inherit'] });
  }
}

/** Makes two connected cores contacts of each other. @returns the contact each has of the other */
export async function meet(a: BenchCore, b: BenchCore): Promise<[Contact, Contact]> {
  const { invite } = await a.client.call('invite.create', {});
  const asked = a.client.next(event => event.event === 'contact-request');
  const accepted = b.client.next(event => event.event === 'contact-changed' && event.contact.phase === 'accepted');
  await b.client.call('contacts.add', { invite });
  await asked;
  const [request] = await a.client.call('requests.list', {});
  if (!request) throw new Error('no request arrived');
  const online = a.client.next(event => event.event === 'peer-connected' || event.event === 'contact-changed');
  const ofB = await a.client.call('requests.accept', { id: request.id });
  await Promise.all([accepted, online]);
  const [ofA] = (await b.client.call('contacts.list', {})).filter(contact => contact.claimedNick === a.nick);
  if (!ofA) throw new Error('the contact is not there');
  return [ofB, ofA];
}

function requireFreshBundle(): void {
  const builtAtMs = statSync(join(ROOT, 'dist', 'core.mjs')).mtimeMs;
  const newer = filesBelow(join(ROOT, 'core')).find((file: string) => statSync(file).mtimeMs > builtAtMs);
  if (newer) throw new Error(`the bundle is older than ${newer}: npm run setup`);
}

async function firstLine(child: ChildProcess): Promise<string> {
  if (!child.stdout) throw new Error('no output');
  for await (const line of createInterface({ input: child.stdout })) return line;
  throw new Error('the core ended before it served');
}
