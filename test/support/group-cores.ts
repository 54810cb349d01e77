import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { pathToFileURL } from 'node:url';
import type { ApiEvent, GroupDetails, MethodName, Params, Result } from '../../core/commands/schema.ts';
import type { ApiClient } from './api-client.ts';
import { introduce, RealCore, until } from './real-core.ts';

const WALL = pathToFileURL(join(import.meta.dirname, 'wall.mjs')).href;
const JOIN_MS = 60_000;
export const GROUP = 'Trip';

/** A real core in a group, what it tells of it, and a wall that it can be put behind. */
export class GroupCore {
  readonly name: string;
  readonly core: RealCore;
  /** Each head it told of since it was last started, the latest last. */
  heads: string[] = [];
  /** The group's id; until that is known, its name. */
  at = GROUP;
  /** Branches that it left for another. */
  healed = 0;
  /** How often each text was told to have come, over all its lives. */
  readonly came = new Map<string, number>();
  /** Texts whose sending was answered. */
  readonly said: string[] = [];
  #client: ApiClient | undefined;
  #port = 0;
  readonly #wall: string;

  static async make(t: TestContext, name: string): Promise<GroupCore> {
    const home = mkdtempSync(join(tmpdir(), 'molva-wall-'));
    t.after(() => rmSync(home, { recursive: true, force: true }));
    const wall = join(home, 'ports');
    writeFileSync(wall, '[]');
    const environment = { NODE_OPTIONS: `--import=${WALL}`, MOLVA_WALL: wall };
    return new GroupCore(name, await RealCore.make(t, name, { environment }), wall);
  }

  private constructor(name: string, core: RealCore, wall: string) {
    this.name = name;
    this.core = core;
    this.#wall = wall;
  }

  async start(): Promise<void> {
    const words = ['--passphrase-file', this.core.passphraseFile, '--headless', '--listen'];
    // Its port stays: it is how the others know it.
    await this.core.start([...words, `/ip4/127.0.0.1/tcp/${this.#port}`]);
    this.#client = await this.core.connect();
    this.#client.onEvent(event => this.#note(event));
    const { network } = await this.call('status.get', {});
    this.#port = Number(network.addresses[0]?.split('/').at(-1));
  }

  /** SIGKILL. */
  async kill(): Promise<void> {
    await this.core.kill();
    this.#gone();
  }

  async end(): Promise<void> {
    await this.core.end('SIGTERM');
    this.#gone();
  }

  call<M extends MethodName>(method: M, params: Params<M>): Promise<Result<M>> {
    if (!this.#client) throw new Error(`${this.name} is not running`);
    return this.#client.call(method, params);
  }

  get head(): string | undefined {
    return this.heads.at(-1);
  }

  group(): Promise<GroupDetails> {
    return this.call('groups.get', { group: this.at });
  }

  async say(text: string): Promise<void> {
    await this.call('messages.send', { who: this.at, text });
    this.said.push(text);
  }

  /** Texts in the order in which they are shown; changes of the group are none. */
  async texts(): Promise<string[]> {
    const { messages } = await this.call('messages.list', { who: this.at, limit: 1_000 });
    return messages.flatMap(({ notice, text }) => (notice ? [] : [text]));
  }

  /** Nothing passes between it and the others from now on, beginning with what is connected. */
  wallOff(others: readonly GroupCore[]): void {
    const ports = others.map(other => other.#port);
    writeFileSync(this.#wall, JSON.stringify(ports));
  }

  /** Members that it is connected to. */
  async meets(): Promise<string[]> {
    const { people } = await this.group();
    return people.flatMap(({ nick, you, online }) => (online && !you ? [nick] : [])).sort();
  }

  #gone(): void {
    this.#client?.close();
    this.#client = undefined;
    this.heads = [];
  }

  #note(event: ApiEvent): void {
    if (event.event === 'group-commit') this.heads.push(event.epoch);
    if (event.event === 'group-fork-healed') this.healed += 1;
    if (event.event !== 'message-received' || event.message.notice) return;
    const { text } = event.message;
    this.came.set(text, (this.came.get(text) ?? 0) + 1);
  }
}

/** Cores of which the first knows each other one, and has made a group of all; the others know each other from it alone. */
export async function groupOf(t: TestContext, ...names: readonly string[]): Promise<GroupCore[]> {
  const cores = await Promise.all(names.map(name => GroupCore.make(t, name)));
  await Promise.all(cores.map(core => core.start()));
  const [first, ...others] = cores as [GroupCore, ...GroupCore[]];
  for (const other of others) await introduce(first.core, other.core);
  const addable = async () => (await first.call('contacts.list', {})).every(contact => contact.addable);
  await until('all can be added', addable, JOIN_MS);
  await first.call('groups.create', { name: GROUP, members: others.map(({ name }) => name) });
  const full = async (core: GroupCore) => (await core.group().catch(() => null))?.members === cores.length;
  await allOf('everybody is in the group', cores, full);
  for (const core of cores) core.at = (await core.group()).id;
  await allOf('everybody is connected to all', cores, async core => (await core.meets()).length === others.length);
  return cores;
}

export async function allOf(
  what: string,
  cores: readonly GroupCore[],
  condition: (core: GroupCore) => Promise<boolean> | boolean,
  timeoutMs = JOIN_MS,
): Promise<void> {
  const all = async () => (await Promise.all(cores.map(condition))).every(Boolean);
  await until(what, all, timeoutMs);
}
