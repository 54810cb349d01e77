import { hex } from '../base/bytes.ts';
import type { Cancel } from '../base/clock.ts';
import type { ContactId, EnvelopeId, TransportKey } from '../base/ids.ts';
import { newPushState, type PushInput, type PushOutput, type PushState, stepPush } from '../mailbox/push.ts';
import type { FrameChannel, Swarm } from '../network/swarm.ts';
import { decodeDelivery, ENVELOPE_PROTOCOL, encodeDelivery } from '../wire/delivery.ts';
import type { Context } from './context.ts';
import type { Hellos } from './hello.ts';

/** The way to one contact: dials it, pushes its outbox, and removes from the outbox what it has stored. */
export class Link {
  readonly #context: Context;
  readonly #swarm: Swarm;
  readonly #contact: ContactId;
  readonly #hellos: Hellos;
  #state: PushState;
  #channel: FrameChannel | undefined;
  #wake: Cancel | undefined;
  #abort: AbortController | undefined;
  /** Envelopes pushed over this channel and not yet settled. */
  #inFlight = new Set<string>();
  #lastSeq = 0;
  /** Set while a backlog that was there at the connection is worked off: how many have been stored. */
  #backlog: number | undefined;
  #stopped = false;

  constructor(context: Context, swarm: Swarm, hellos: Hellos, contact: ContactId) {
    this.#context = context;
    this.#swarm = swarm;
    this.#contact = contact;
    this.#hellos = hellos;
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

  async stop(): Promise<void> {
    this.#stopped = true;
    this.#wake?.();
    this.#abort?.abort();
    await this.#channel?.close();
  }

  #do(output: PushOutput): void {
    switch (output.kind) {
      case 'dial':
        this.#dial().then(
          channel => this.#up(channel),
          () => this.tell({ kind: 'down' }),
        );
        return;
      case 'wake':
        this.#wake?.();
        this.#wake = this.#context.scheduler(output.atMs - this.#context.clock(), () => this.tell({ kind: 'due' }));
        return;
      case 'load':
        this.#load(output.limit).catch(() => this.#channel?.close());
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
    this.#inFlight = new Set();
    this.#lastSeq = 0;
    const queued = this.#context.store.outbox.countOf(this.#contact);
    if (queued > 0) {
      this.#backlog = 0;
      this.#context.bus.emit({ type: 'offline-sync-started', contact: this.#contact, direction: 'out', queued });
    }
    this.#readAnswers(channel).finally(() => {
      void channel.close();
      if (this.#channel !== channel) return;
      this.#channel = undefined;
      this.#backlog = undefined;
      this.tell({ kind: 'down' });
    });
    this.tell({ kind: 'up' });
  }

  async #load(limit: number): Promise<void> {
    const channel = this.#channel;
    if (!channel) return;
    const { store } = this.#context;
    const items = store.reading(() => store.outbox.listOf(this.#contact, limit, this.#lastSeq));
    for (const { envelopeId, envelope, seq } of items) {
      this.#lastSeq = seq;
      this.#inFlight.add(hex(envelopeId));
      await channel.send(encodeDelivery({ kind: 'envelope', envelope }));
    }
    if (this.#channel === channel) this.tell({ kind: 'loaded', count: items.length, more: items.length === limit });
  }

  /** Ends with the channel; what is not an answer ends it too. */
  async #readAnswers(channel: FrameChannel): Promise<void> {
    try {
      for await (const frame of channel.frames) {
        const answer = decodeDelivery(frame);
        if (answer.kind === 'envelope') return;
        this.#settle(answer.ids);
      }
    } catch {
      // The link is lost, or the peer does not speak the protocol: dialed again later either way.
    }
  }

  /** Stored or refused: either way not to be pushed again. Only a signed receipt makes a message `delivered`. */
  #settle(ids: readonly EnvelopeId[]): void {
    const ours = ids.filter(id => this.#inFlight.delete(hex(id)));
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
  }

  #caughtUp(): void {
    const sent = this.#backlog;
    if (sent === undefined) return;
    this.#backlog = undefined;
    const counts = { sent, received: 0 };
    this.#context.bus.emit({ type: 'offline-sync-finished', contact: this.#contact, direction: 'out', ...counts });
  }
}
