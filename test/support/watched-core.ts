import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import type { ApiEvent, Message, MessageState } from '../../core/commands/schema.ts';
import { type ApiClient, CoreGone } from './api-client.ts';
import { RealCore, type RealCoreOptions } from './real-core.ts';

/** A real core, and all that it has answered and shown over its many lives. */
export class WatchedCore {
  readonly name: string;
  readonly core: RealCore;
  /** Own texts whose sending was answered. */
  readonly acknowledged = new Set<string>();
  /** Every state that was ever shown of an own text. */
  readonly shown = new Map<string, Set<MessageState>>();
  /** How often a text was told to have come. */
  readonly came = new Map<string, number>();
  /** The texts up to which reading was asked for. */
  readonly readUpTo: string[] = [];
  /** Called with each thing that this core answers or tells. */
  onStep: (what: string) => void = () => {};
  #client: ApiClient | undefined;
  #texts = 0;

  static async make(t: TestContext, name: string, options: RealCoreOptions = {}): Promise<WatchedCore> {
    return new WatchedCore(name, await RealCore.make(t, name, options));
  }

  private constructor(name: string, core: RealCore) {
    this.name = name;
    this.core = core;
  }

  async start(): Promise<void> {
    await this.core.startAgain();
    await this.watch();
  }

  /** Listens to a core that has been started. */
  async watch(): Promise<void> {
    this.#client = await this.core.connect();
    this.#client.onEvent(event => this.#note(event));
  }

  async kill(): Promise<void> {
    await this.core.kill();
    this.gone();
  }

  /** The process has ended. */
  gone(): void {
    this.#client?.close();
    this.#client = undefined;
  }

  /** Sends texts until so many are sent or the core is gone; what was answered counts as acknowledged. */
  async write(who: string, count: number, refused?: (error: unknown) => void): Promise<void> {
    for (let number = 0; number < count && this.#client; number += 1) {
      this.#texts += 1;
      try {
        const text = `${this.name} ${this.#texts}`;
        this.acknowledged.add((await this.#client.call('messages.send', { who, text })).id);
        this.onStep('sent');
      } catch (error) {
        if (error instanceof CoreGone) return;
        if (!refused) throw error;
        refused(error);
      }
    }
  }

  /** Reads the latest text that was told to have come. */
  async read(who: string): Promise<void> {
    const upTo = [...this.came.keys()].at(-1);
    if (upTo === undefined || !this.#client) return;
    this.readUpTo.push(upTo);
    await this.#client.call('messages.markRead', { who, upTo }).catch(error => {
      if (!(error instanceof CoreGone)) throw error;
    });
  }

  async list(who: string): Promise<Message[]> {
    return (await this.core.call('messages.list', { who, limit: 10_000 })).messages;
  }

  /** The own texts that were shown in this state. */
  shownAs(state: MessageState): string[] {
    return [...this.shown].filter(([, states]) => states.has(state)).map(([id]) => id);
  }

  /** Faults that the core has written to its log: what nobody caught, and what should not have happened. */
  faults(): string[] {
    const log = join(this.core.directory, 'molva.log');
    if (!existsSync(log)) return [];
    const lines = readFileSync(log, 'utf8').split('\n');
    return lines.filter(line => /core\.(crash|fault|stop)|api\.fault/.test(line)).map(line => `${this.name}: ${line}`);
  }

  #note(event: ApiEvent): void {
    if (event.event === 'message-state') {
      const states = this.shown.get(event.id) ?? new Set();
      this.shown.set(event.id, states.add(event.state));
      this.onStep(event.state);
    } else if (event.event === 'message-received') {
      this.came.set(event.message.id, (this.came.get(event.message.id) ?? 0) + 1);
      this.onStep('received');
    } else if (/sync|peer/.test(event.event)) this.onStep(event.event);
  }
}
