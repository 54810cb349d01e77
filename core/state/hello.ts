import { hex } from '../base/bytes.ts';
import { TransientError } from '../base/errors.ts';
import type { ContactId, TransportKey } from '../base/ids.ts';
import { LIMITS } from '../base/limits.ts';
import type { FrameChannel, Swarm } from '../network/swarm.ts';
import type { SeenInstance } from '../storage/records.ts';
import { decodeHello, encodeHello, HELLO_PROTOCOL, type Hello } from '../wire/hello.ts';
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
 * which start of its profile the other saw last. Whoever greets sends its hello and is answered with one; strangers
 * are not answered.
 */
export class Hellos {
  readonly #context: Context;
  readonly #swarm: Swarm;
  readonly #options: HelloOptions;
  /** One exchange a connection. */
  readonly #greeted = new Map<string, Promise<void>>();
  readonly #unsubscribe: () => void;

  constructor(context: Context, swarm: Swarm, options: HelloOptions) {
    this.#context = context;
    this.#swarm = swarm;
    this.#options = options;
    this.#unsubscribe = swarm.on({ disconnected: peer => void this.#greeted.delete(hex(peer)) });
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
      await channel.send(this.#own(contact));
      for await (const frame of channel.frames) return await this.#take(contact, decodeHello(frame));
      throw new TransientError('unreachable', 'hello', 'The contact does not answer.');
    } finally {
      giveUp();
      await channel.close();
    }
  }

  async #answer(channel: FrameChannel): Promise<void> {
    const giveUp = this.#context.scheduler(LIMITS.helloMs, () => void channel.close());
    try {
      for await (const frame of channel.frames) {
        const contact = this.#context.store.contacts.byTransport(channel.peer)?.id;
        if (!contact) return;
        const said = decodeHello(frame);
        await channel.send(this.#own(contact));
        await this.#take(contact, said);
      }
    } catch {
      // The peer sees a closed stream and nothing else.
    } finally {
      giveUp();
      await channel.close();
    }
  }

  #own(contact: ContactId): Buffer {
    const { starts, holds } = this.#options;
    const seen = this.#context.store.instances.seen(contact);
    const last = seen ? { starts: seen.starts, incarnation: seen.incarnation } : null;
    return encodeHello({ holds: holds(), instance: starts.own, seen: last });
  }

  async #take(contact: ContactId, { instance, holds, seen }: Hello): Promise<void> {
    const { store } = this.#context;
    await this.#options.starts.hear(seen);
    const known = store.instances.seen(contact);
    // The latest start stands, so that an old copy of the contact's profile hears of it.
    const latest = !known || instance.starts > known.starts ? instance : known;
    const next: SeenInstance = { starts: latest.starts, incarnation: latest.incarnation, holds };
    if (latest !== known || known.holds !== holds) {
      await store.write(tx => {
        if (store.contacts.get(contact, tx)) store.instances.putSeen(tx, contact, next);
      });
    }
    this.#options.heard(contact);
  }
}
