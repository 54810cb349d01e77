import type { ContactId, EnvelopeId, TransportKey } from '../base/ids.ts';
import { LIMITS } from '../base/limits.ts';
import type { FrameChannel, Swarm } from '../network/swarm.ts';
import { decodeDelivery, ENVELOPE_PROTOCOL, encodeDelivery } from '../wire/delivery.ts';
import { envelopeIdOf } from '../wire/envelope.ts';
import type { Context } from './context.ts';
import type { Hellos } from './hello.ts';
import type { Intake, Verdict } from './intake.ts';
import { Link } from './link.ts';

/** Direct delivery: one link a contact for what goes out, one reader a channel for what comes in. */
export class Delivery {
  readonly #context: Context;
  readonly #swarm: Swarm;
  readonly #intake: Intake;
  readonly #hellos: Hellos;
  readonly #links = new Map<ContactId, Link>();
  readonly #unsubscribe: () => void;
  #stopped = false;

  constructor(context: Context, swarm: Swarm, intake: Intake, hellos: Hellos) {
    this.#context = context;
    this.#swarm = swarm;
    this.#intake = intake;
    this.#hellos = hellos;
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
      link = new Link(this.#context, this.#swarm, this.#hellos, contact);
      this.#links.set(contact, link);
    }
    link.tell({ kind: 'due' });
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

  async stop(): Promise<void> {
    this.#stopped = true;
    this.#unsubscribe();
    await Promise.all([...this.#links.values()].map(link => link.stop()));
    this.#links.clear();
  }

  #seen(peer: TransportKey, type: 'peer-connected' | 'peer-disconnected'): void {
    this.#context.bus.emit({ type: 'network-changed' });
    const contact = this.#context.store.contacts.byTransport(peer);
    if (contact?.phase !== 'accepted') return;
    this.#context.bus.emit({ type, contact: contact.id });
    if (type === 'peer-connected') this.#links.get(contact.id)?.tell({ kind: 'seen' });
  }

  /** A contact that moved says so when it connects; its hints are kept for the next dial. */
  #learnAddresses(peer: TransportKey): void {
    const { store } = this.#context;
    const contact = store.contacts.byTransport(peer);
    const addresses = this.#swarm.remoteAddresses(peer).slice(0, LIMITS.cardAddresses);
    if (!contact || addresses.length === 0) return;
    this.#context.changeContact(contact.id, { addresses, lastSeenAtMs: this.#context.clock() });
  }

  /** Answers each envelope once its outcome is durable; a peer that breaks the protocol is cut off without a word. */
  async #receive(channel: FrameChannel): Promise<void> {
    const answers = new Answers(channel, this.#context);
    let contact: ContactId | undefined;
    try {
      for await (const frame of channel.frames) {
        const message = decodeDelivery(frame);
        if (message.kind !== 'envelope') break;
        contact ??= this.#context.store.contacts.byTransport(channel.peer)?.id;
        await answers.room();
        const id = envelopeIdOf(message.envelope);
        answers.await(id, this.#intake.receive(message.envelope, id, contact));
      }
    } catch {
      // The peer sees a closed stream and nothing else.
    } finally {
      await answers.drained();
      await channel.close();
    }
  }
}

/** Gathers verdicts and sends those that became durable together in one frame. */
class Answers {
  readonly #channel: FrameChannel;
  readonly #context: Context;
  readonly #ready: Record<Verdict, EnvelopeId[]> = { stored: [], refused: [] };
  readonly #waiting = new Set<Promise<void>>();
  #flushing = false;

  constructor(channel: FrameChannel, context: Context) {
    this.#channel = channel;
    this.#context = context;
  }

  /** Waits while as many envelopes as two windows are being opened. */
  async room(): Promise<void> {
    while (this.#waiting.size >= LIMITS.pushWindow * 2) await Promise.race(this.#waiting);
  }

  await(id: EnvelopeId, verdict: Promise<Verdict>): void {
    const done = verdict
      .then(
        value => this.#add(value, id),
        // Not the envelope's fault: without an answer its sender keeps it and comes again.
        () => void this.#channel.close(),
      )
      .finally(() => this.#waiting.delete(done));
    this.#waiting.add(done);
  }

  async drained(): Promise<void> {
    await Promise.allSettled(this.#waiting);
  }

  #add(verdict: Verdict, id: EnvelopeId): void {
    this.#ready[verdict].push(id);
    if (this.#flushing) return;
    this.#flushing = true;
    this.#context.scheduler(0, () => this.#flush());
  }

  #flush(): void {
    this.#flushing = false;
    for (const kind of ['stored', 'refused'] as const) {
      const ids = this.#ready[kind].splice(0);
      for (let start = 0; start < ids.length; start += LIMITS.pushWindow) {
        const frame = encodeDelivery({ kind, ids: ids.slice(start, start + LIMITS.pushWindow) });
        this.#channel.send(frame).catch(() => undefined);
      }
    }
  }
}
