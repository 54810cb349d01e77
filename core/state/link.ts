import { hex } from '../base/bytes.ts';
import type { Cancel } from '../base/clock.ts';
import type { ContactId, EnvelopeId, TransportKey } from '../base/ids.ts';
import { newPushState, type PushInput, type PushOutput, type PushState, stepPush } from '../mailbox/push.ts';
import type { FrameChannel, Swarm } from '../network/swarm.ts';
import type { OutboxRecord } from '../storage/records.ts';
import { decodeDelivery, ENVELOPE_PROTOCOL, encodeDelivery } from '../wire/delivery.ts';
import type { Context } from './context.ts';
import type { Hellos } from './hello.ts';

/** The way to one contact: dials it, pushes its outbox, and removes from the outbox what it has stored. */
export class Link {
  readonly #context: Context;
  readonly #swarm: Swarm;
  readonly #contact: ContactId;
  readonly #hellos: Hellos;
  readonly #onRefused: () => void;
  #state: PushState;
  #channel: FrameChannel | undefined;
  #wake: Cancel | undefined;
  #abort: AbortController | undefined;
  /** Envelopes pushed over this channel and not yet settled, and whether each carries an own text. */
  #inFlight = new Map<string, boolean>();
  #lastSeq = 0;
  /** Set while a backlog that was there at the connection is worked off: how many have been stored. */
  #backlog: number | undefined;
  #stopped = false;

  /** @param onRefused the peer will not take a handshake or control envelope: it may have lost step with us */
  constructor(context: Context, swarm: Swarm, hellos: Hellos, contact: ContactId, onRefused: () => void) {
    this.#context = context;
    this.#swarm = swarm;
    this.#contact = contact;
    this.#hellos = hellos;
    this.#onRefused = onRefused;
    this.#state = newPushState(context.clock());
  }

  /** `work`: the outbox has grown. `seen`: the contact connected to us. `due`: try now if nothing is under way. */
  tell(input: PushInput): void {
    if (this.#stopped) return;
    const { clock, random } = this.#context;
    const { state, outputs } = stepPush(this.#state, input, { nowMs: clock(), random });
    this.#state = state;
    for (const output of outputs) this.#do(output);
  }

  /** Does nothing more from now on; what was handed to the connection may still leave. */
  abort(): void {
    this.#stopped = true;
    this.#wake?.();
    this.#abort?.abort();
  }

  async stop(): Promise<void> {
    this.abort();
    await this.#channel?.close();
  }

  #do(output: PushOutput): void {
    switch (output.kind) {
      case 'dial':
        this.#dial()
          .then(channel => this.#up(channel))
          .catch(() => this.#lost());
        return;
      case 'wake':
        this.#wake?.();
        this.#wake = this.#context.scheduler(output.atMs - this.#context.clock(), () => this.tell({ kind: 'due' }));
        return;
      case 'load':
        this.#load(output.limit);
        return;
      case 'caught-up':
        this.#caughtUp();
    }
  }

  async #dial(): Promise<FrameChannel> {
    const contact = this.#context.store.contacts.get(this.#contact);
    if (!contact) throw new Error('the contact was removed');
    this.#abort = new AbortController();
    const transportKey = contact.transportKey as TransportKey;
    await this.#swarm.dial({ transportKey, addresses: contact.addresses }, this.#abort.signal);
    // Nobody who has not accepted answers a hello; the request goes without.
    if (contact.phase === 'accepted') await this.#hellos.greet(this.#contact, transportKey);
    return this.#swarm.channel(transportKey, ENVELOPE_PROTOCOL);
  }

  #up(channel: FrameChannel): void {
    if (this.#stopped) return void channel.close();
    this.#channel = channel;
    this.#inFlight = new Map();
    this.#lastSeq = 0;
    const queued = this.#context.store.outbox.countOf(this.#contact);
    if (queued > 0) {
      this.#backlog = 0;
      this.#context.bus.emit({ type: 'offline-sync-started', contact: this.#contact, direction: 'out', queued });
    }
    this.#readAnswers(channel).finally(() => {
      if (this.#channel === channel) this.#lost();
      else void channel.close();
    });
    this.tell({ kind: 'up' });
  }

  #lost(): void {
    void this.#channel?.close();
    this.#channel = undefined;
    this.#backlog = undefined;
    this.tell({ kind: 'down' });
  }

  /** The answer to an envelope may come before the last one is sent: all are counted before the first. */
  #load(limit: number): void {
    const channel = this.#channel;
    if (!channel) return;
    const { store } = this.#context;
    try {
      const items = store.reading(() => store.outbox.listOf(this.#contact, limit, this.#lastSeq));
      for (const { envelopeId, messageId } of items) this.#inFlight.set(hex(envelopeId), messageId !== null);
      this.#lastSeq = items.at(-1)?.seq ?? this.#lastSeq;
      this.tell({ kind: 'pushed', count: items.length });
      this.#sendAll(channel, items)
        .then(() => this.#channel === channel && this.tell({ kind: 'loaded', more: items.length === limit }))
        .catch(() => channel.close());
    } catch {
      void channel.close();
    }
  }

  async #sendAll(channel: FrameChannel, items: readonly OutboxRecord[]): Promise<void> {
    for (const { envelope } of items) await channel.send(encodeDelivery({ kind: 'envelope', envelope }));
  }

  /** Ends with the channel; what is not an answer ends it too. */
  async #readAnswers(channel: FrameChannel): Promise<void> {
    try {
      for await (const frame of channel.frames) {
        const answer = decodeDelivery(frame);
        if (answer.kind === 'envelope') return;
        this.#settle(answer.kind, answer.ids);
      }
    } catch {
      // The link is lost, or the peer does not speak the protocol: dialed again later either way.
    }
  }

  /** Stored or refused: either way not to be pushed again. Only a signed receipt makes a message `delivered`. */
  #settle(kind: 'stored' | 'refused', ids: readonly EnvelopeId[]): void {
    const ours: EnvelopeId[] = [];
    let unheard = false;
    for (const id of ids) {
      const isMessage = this.#inFlight.get(hex(id));
      if (isMessage === undefined) continue;
      this.#inFlight.delete(hex(id));
      ours.push(id);
      unheard ||= kind === 'refused' && !isMessage;
    }
    if (ours.length === 0) return;
    const { store } = this.#context;
    // A removal that fails is made up for: the envelope is pushed again after the next connection.
    store
      .write(tx => {
        for (const id of ours) store.outbox.remove(tx, id);
      })
      .then(
        () => this.#context.outboxEnded(ours),
        () => undefined,
      );
    if (this.#backlog !== undefined) this.#backlog += ours.length;
    this.tell({ kind: 'settled', count: ours.length });
    if (unheard) this.#onRefused();
  }

  #caughtUp(): void {
    const sent = this.#backlog;
    if (sent === undefined) return;
    this.#backlog = undefined;
    const counts = { sent, received: 0 };
    this.#context.bus.emit({ type: 'offline-sync-finished', contact: this.#contact, direction: 'out', ...counts });
  }
}
