import type { ContactId } from '../base/ids.ts';
import { LIMITS } from '../base/limits.ts';
import type { FrameChannel, Swarm } from '../network/swarm.ts';
import { SYNC_PROTOCOL } from '../wire/sync.ts';
import { Allowance } from './allowance.ts';
import type { Context } from './context.ts';
import type { CustodyService } from './custodian.ts';
import { GiveChannel, type GiveWork } from './give-channel.ts';
import type { Recipients } from './recipients.ts';

/** Gives contacts what is held for the tags they ask for, and a helper anybody what is for people unknown to it (docs/protocol/sync.md). */
export class PullService {
  readonly #context: Context;
  readonly #swarm: Swarm;
  readonly #custody: CustodyService;
  readonly #recipients: Recipients;
  readonly #helper: boolean;
  /** Each with who pulls; null: somebody who is no contact, and gets one run. */
  readonly #givings = new Map<GiveChannel, ContactId | null>();
  readonly #runs = new Allowance(LIMITS.strangerPullsAtOnce, LIMITS.strangerPullPauseMs);
  readonly #envelopes = new Allowance(LIMITS.strangerEnvelopesAtOnce, LIMITS.strangerEnvelopePauseMs);

  constructor(context: Context, swarm: Swarm, custody: CustodyService, recipients: Recipients, helper: boolean) {
    this.#context = context;
    this.#swarm = swarm;
    this.#custody = custody;
    this.#recipients = recipients;
    this.#helper = helper;
  }

  async serve(): Promise<void> {
    await this.#swarm.serve(SYNC_PROTOCOL, channel => void this.#serve(channel), { maxInbound: 2 });
  }

  stop(): void {
    for (const giving of this.#givings.keys()) giving.close();
  }

  /** An envelope with this tag was taken into custody. */
  news(tag: Uint8Array): void {
    for (const giving of this.#givings.keys()) if (giving.asks(tag)) giving.news();
  }

  async #serve(channel: FrameChannel): Promise<void> {
    const contact = this.#context.store.contacts.byTransport(channel.peer);
    const puller = contact?.phase === 'accepted' ? contact.id : null;
    if (puller === null && !this.#servesStranger()) return channel.close();
    const giving = new GiveChannel(
      channel,
      this.#to(puller, () => void channel.close()),
    );
    this.#givings.set(giving, puller);
    const cancel = puller === null && this.#context.scheduler(LIMITS.strangerPullMs, () => giving.close());
    await giving.run();
    if (cancel) cancel();
    this.#givings.delete(giving);
  }

  #servesStranger(): boolean {
    const underWay = [...this.#givings.values()].filter(puller => puller === null).length;
    return this.#helper && underWay < LIMITS.strangerPulls && this.#runs.take(this.#context.clock());
  }

  #to(puller: ContactId | null, close: () => void): GiveWork {
    const { custody } = this.#context.store;
    return {
      read: ({ tags, after, limit }) => {
        // Whoever is no contact learns nothing of contacts: neither who they are nor whether something waits for them.
        const served = puller === null ? tags.filter(tag => this.#recipients.of(tag) === undefined) : tags;
        const found = custody.byTags(served, limit, after);
        const entries = found.map(({ envelopeId, tag }) => {
          return { envelopeId, ofPuller: puller !== null && this.#recipients.belongsTo(tag, puller) };
        });
        return { entries, next: found.length === limit ? (found.at(-1)?.seq ?? null) : null };
      },
      load: id => (puller !== null || this.#mayHaveOne() ? (custody.envelope(id) ?? null) : null),
      // What a failing disk keeps is not asked for again by who has it, and expires.
      remove: ids => void this.#custody.remove(ids).catch(() => undefined),
      finished: sent => {
        if (puller === null) void sent.then(close);
      },
    };
  }

  #mayHaveOne(): boolean {
    return this.#envelopes.take(this.#context.clock());
  }
}
