import { hex } from '../base/bytes.ts';
import type { ContactId, TransportKey } from '../base/ids.ts';
import { LIMITS } from '../base/limits.ts';
import type { FrameChannel, Swarm } from '../network/swarm.ts';
import { decodeDelivery, ENVELOPE_PROTOCOL } from '../wire/delivery.ts';
import { envelopeIdOf } from '../wire/envelope.ts';
import { Answers } from './answers.ts';
import type { Context } from './context.ts';
import type { Hellos } from './hello.ts';
import type { Intake } from './intake.ts';
import { Link } from './link.ts';
import { LostTogether } from './lost-together.ts';

/** Direct delivery: one link a contact for what goes out, one reader a channel for what comes in. */
export class Delivery {
  readonly #context: Context;
  readonly #swarm: Swarm;
  readonly #intake: Intake;
  readonly #hellos: Hellos;
  readonly #links = new Map<ContactId, Link>();
  readonly #lost: LostTogether<ContactId>;
  readonly #unsubscribe: () => void;
  /** Strangers about to be disconnected; no more of them than connections. */
  readonly #leaving = new Set<string>();
  #stopped = false;

  constructor(context: Context, swarm: Swarm, intake: Intake, hellos: Hellos) {
    this.#context = context;
    this.#swarm = swarm;
    this.#intake = intake;
    this.#hellos = hellos;
    this.#lost = new LostTogether(context.clock);
    this.#unsubscribe = swarm.on({
      connected: peer => this.#seen(peer, 'peer-connected'),
      disconnected: peer => this.#seen(peer, 'peer-disconnected'),
      identified: peer => this.#learnAddresses(peer),
    });
  }

  async serve(): Promise<void> {
    await this.#swarm.serve(ENVELOPE_PROTOCOL, channel => void this.#receive(channel), { maxInbound: 2 });
  }

  /** Starts to reach every contact. */
  start(): void {
    for (const contact of this.#context.store.contacts.list()) this.reach(contact.id);
  }

  /** Keeps a link to the contact from now on, and dials it now if nothing is under way. */
  reach(contact: ContactId): void {
    if (this.#stopped) return;
    let link = this.#links.get(contact);
    if (!link) {
      link = new Link(this.#context, this.#swarm, this.#hellos, contact, () => this.#intake.unheardBy(contact));
      this.#links.set(contact, link);
      const transport = this.#context.store.contacts.get(contact)?.transportKey;
      // Somebody who asked to be a contact was there before the contact was.
      if (transport && this.#swarm.isConnected(transport)) this.#learnAddresses(transport);
    }
    link.tell({ kind: 'due' });
  }

  /** This machine is somewhere else now: nobody is waited for because of where it was. */
  reachAll(): void {
    for (const link of this.#links.values()) link.tell({ kind: 'seen' });
  }

  outboxChanged(contact: ContactId): void {
    this.#links.get(contact)?.tell({ kind: 'work' });
  }

  async forget(contact: ContactId, transport: TransportKey): Promise<void> {
    const link = this.#links.get(contact);
    this.#links.delete(contact);
    await link?.stop();
    await this.#swarm.disconnect(transport);
  }

  /** At once, and without touching the store: nothing is listened to or begun from here on. */
  abort(): void {
    this.#stopped = true;
    this.#unsubscribe();
    for (const link of this.#links.values()) link.abort();
  }

  async stop(): Promise<void> {
    this.abort();
    await Promise.all([...this.#links.values()].map(link => link.stop()));
    this.#links.clear();
  }

  #seen(peer: TransportKey, type: 'peer-connected' | 'peer-disconnected'): void {
    this.#context.bus.emit({ type: 'network-changed' });
    const contact = this.#context.store.contacts.byTransport(peer);
    if (contact?.phase !== 'accepted') return;
    this.#context.bus.emit({ type, contact: contact.id });
    if (type === 'peer-disconnected') this.#lost.lost(contact.id);
    else this.#reachTogether([contact.id, ...this.#lost.back(contact.id)]);
  }

  #reachTogether(contacts: readonly ContactId[]): void {
    for (const contact of contacts) this.#links.get(contact)?.tell({ kind: 'seen' });
  }

  /** A contact that moved says so when it connects; its hints are kept for the next dial. */
  #learnAddresses(peer: TransportKey): void {
    const { store, clock, offline } = this.#context;
    const contact = store.contacts.byTransport(peer);
    if (!contact) return;
    const told = offline ? [] : this.#swarm.remoteAddresses(peer).slice(0, LIMITS.cardAddresses);
    const addresses = told.length > 0 ? told : contact.addresses;
    this.#context.changeContact(contact.id, { addresses, lastSeenAtMs: clock() });
  }

  /** Answers each envelope once its outcome is durable; a peer that breaks the protocol is cut off without a word. */
  async #receive(channel: FrameChannel): Promise<void> {
    const answers = new Answers(channel, this.#context, inARow => this.#refused(channel, inARow));
    let contact: ContactId | undefined;
    try {
      for await (const frame of channel.frames) {
        const message = decodeDelivery(frame);
        if (message.kind !== 'envelope' || this.#leaving.has(hex(channel.peer))) break;
        contact ??= this.#context.store.contacts.byTransport(channel.peer)?.id;
        await answers.room();
        const id = envelopeIdOf(message.envelope);
        answers.await(id, this.#intake.receive(message.envelope, id, contact));
      }
    } catch {
      // The peer sees a closed stream and nothing else.
    } finally {
      await answers.decided();
      await channel.close();
    }
  }

  /**
   * A stranger of whom nothing is wanted makes room for others. Not at once: it has the answers to read, and one
   * that dials again and again is slowed down by the wait.
   */
  #refused(channel: FrameChannel, inARow: number): void {
    const { store, scheduler } = this.#context;
    const name = hex(channel.peer);
    if (inARow < LIMITS.strangerRefusals || this.#leaving.has(name) || store.contacts.byTransport(channel.peer)) return;
    this.#leaving.add(name);
    scheduler(LIMITS.strangerPauseMs, () => {
      this.#leaving.delete(name);
      void this.#swarm.disconnect(channel.peer);
    });
  }
}
