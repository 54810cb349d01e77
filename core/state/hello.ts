import { hex } from '../base/bytes.ts';
import { TransientError } from '../base/errors.ts';
import type { ContactId, TransportKey } from '../base/ids.ts';
import { LIMITS } from '../base/limits.ts';
import type { FrameChannel, Swarm } from '../network/swarm.ts';
import { decodeHello, encodeHello, HELLO_PROTOCOL, type Hello } from '../wire/hello.ts';
import { Allowance } from './allowance.ts';
import type { Context } from './context.ts';
import type { Starts } from './restored.ts';

export interface HelloOptions {
  readonly starts: Starts;
  /** Whether this profile takes envelopes for its contacts. */
  readonly holds: () => boolean;
  /** A contact has said hello, and what it said is stored. */
  readonly heard: (contact: ContactId) => void;
}

/**
 * The first words on a connection (docs/protocol/mailbox.md §2): whether each side holds envelopes for others, and
 * how far it has seen the other come. Whoever greets sends its hello and is answered with one; strangers
 * are not answered.
 */
export class Hellos {
  readonly #context: Context;
  readonly #swarm: Swarm;
  readonly #options: HelloOptions;
  /** One exchange a connection. */
  readonly #greeted = new Map<string, Promise<void>>();
  /** Peers whose hello on this connection was heard and acted on. */
  readonly #heard = new Set<string>();
  /** How many more hellos each connected contact may say. */
  readonly #allowances = new Map<string, Allowance>();
  readonly #unsubscribe: () => void;

  constructor(context: Context, swarm: Swarm, options: HelloOptions) {
    this.#context = context;
    this.#swarm = swarm;
    this.#options = options;
    this.#unsubscribe = swarm.on({
      disconnected: peer => {
        this.#greeted.delete(hex(peer));
        this.#heard.delete(hex(peer));
        this.#allowances.delete(hex(peer));
      },
    });
  }

  async serve(): Promise<void> {
    await this.#swarm.serve(HELLO_PROTOCOL, channel => void this.#answer(channel), { maxInbound: 2 });
  }

  stop(): void {
    this.#unsubscribe();
  }

  /**
   * Exchanges hellos with a connected contact, once a connection.
   * @throws TransientError it does not answer; StorageError what it said could not be acted on: push nothing
   */
  greet(contact: ContactId, peer: TransportKey): Promise<void> {
    const name = hex(peer);
    const known = this.#greeted.get(name);
    if (known) return known;
    const exchange = this.#exchange(contact, peer);
    this.#greeted.set(name, exchange);
    exchange.catch(() => {
      if (this.#greeted.get(name) === exchange) this.#greeted.delete(name);
    });
    return exchange;
  }

  hasHeard(peer: TransportKey): boolean {
    return this.#heard.has(hex(peer));
  }

  /** What this side says has changed: everybody connected hears it now, the others when they connect. */
  sayAgain(): void {
    for (const peer of this.#swarm.connectedPeers()) {
      const contact = this.#context.store.contacts.byTransport(peer);
      this.#greeted.delete(hex(peer));
      // Who does not answer now hears it on the next connection.
      if (contact?.phase === 'accepted') this.greet(contact.id, peer).catch(() => undefined);
    }
  }

  async #exchange(contact: ContactId, peer: TransportKey): Promise<void> {
    const channel = await this.#swarm.channel(peer, HELLO_PROTOCOL);
    const giveUp = this.#context.scheduler(LIMITS.helloMs, () => void channel.close());
    try {
      await channel.send(await this.#own(contact));
      for await (const frame of channel.frames) return await this.#take(contact, peer, decodeHello(frame));
      throw new TransientError('unreachable', 'hello', 'The contact does not answer.');
    } finally {
      giveUp();
      await channel.close();
    }
  }

  /** One hello a stream: each costs two durable writes. */
  async #answer(channel: FrameChannel): Promise<void> {
    const giveUp = this.#context.scheduler(LIMITS.helloMs, () => void channel.close());
    try {
      for await (const frame of channel.frames) {
        const contact = this.#context.store.contacts.byTransport(channel.peer)?.id;
        if (!contact || !this.#mayGreet(channel.peer)) return;
        const said = decodeHello(frame);
        // Before it is answered, and pushes what would be answered with keys that may be old.
        await this.#options.starts.hear(said.seen);
        await channel.send(await this.#own(contact));
        await this.#take(contact, channel.peer, said);
        return;
      }
    } catch {
      // The peer sees a closed stream and nothing else.
    } finally {
      giveUp();
      await channel.close();
    }
  }

  #mayGreet(peer: TransportKey): boolean {
    const name = hex(peer);
    const allowance = this.#allowances.get(name) ?? new Allowance(LIMITS.hellosAtOnce, LIMITS.helloPauseMs);
    this.#allowances.set(name, allowance);
    return allowance.take(this.#context.clock());
  }

  /** The count is raised first: whoever hears this hello can tell this profile from any backup made before. */
  async #own(contact: ContactId): Promise<Buffer> {
    const { store } = this.#context;
    const { starts, holds } = this.#options;
    const { stamp, put } = starts.stamp(contact);
    await store.write(put);
    return encodeHello({ holds: holds(), stamp, seen: store.instances.seen(contact)?.stamps ?? [] });
  }

  async #take(contact: ContactId, peer: TransportKey, { stamp, holds, seen }: Hello): Promise<void> {
    const { store } = this.#context;
    await this.#options.starts.hear(seen);
    await store.write(tx => {
      if (store.contacts.get(contact, tx)) store.instances.see(tx, contact, stamp, holds);
    });
    if (this.#swarm.isConnected(peer)) this.#heard.add(hex(peer));
    this.#options.heard(contact);
  }
}
