import { equalBytes } from '../base/bytes.ts';
import type { ContactId } from '../base/ids.ts';
import { LIMITS } from '../base/limits.ts';
import {
  type HolderInput,
  type HolderOutput,
  type HolderState,
  newHolder,
  stepHolder,
} from '../mailbox/sync-holder.ts';
import type { FrameChannel, Swarm } from '../network/swarm.ts';
import { decodeSync, encodeSync, SYNC_PROTOCOL } from '../wire/sync.ts';
import { Allowance } from './allowance.ts';
import type { Context } from './context.ts';
import type { CustodyService } from './custodian.ts';
import type { Recipients } from './recipients.ts';

/** Gives contacts what is held for the tags they ask for, and a helper anybody what is for people unknown to it (docs/protocol/sync.md). */
export class PullService {
  readonly #context: Context;
  readonly #swarm: Swarm;
  readonly #custody: CustodyService;
  readonly #recipients: Recipients;
  readonly #helper: boolean;
  readonly #givings = new Set<Giving>();
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
    for (const giving of this.#givings) giving.close();
  }

  /** An envelope with this tag was taken into custody. */
  news(tag: Uint8Array): void {
    for (const giving of this.#givings) giving.news(tag);
  }

  async #serve(channel: FrameChannel): Promise<void> {
    const contact = this.#context.store.contacts.byTransport(channel.peer);
    const puller = contact?.phase === 'accepted' ? contact.id : null;
    if (puller === null && !this.#servesStranger()) return channel.close();
    const giving = new Giving(this.#context, this.#custody, this.#recipients, channel, puller, this.#envelopes);
    this.#givings.add(giving);
    const cancel = puller === null && this.#context.scheduler(LIMITS.strangerPullMs, () => giving.close());
    await giving.run();
    if (cancel) cancel();
    this.#givings.delete(giving);
  }

  #servesStranger(): boolean {
    const underWay = [...this.#givings].filter(({ puller }) => puller === null).length;
    return this.#helper && underWay < LIMITS.strangerPulls && this.#runs.take(this.#context.clock());
  }
}

/** The giving side on one channel. */
class Giving {
  readonly #context: Context;
  readonly #custody: CustodyService;
  readonly #recipients: Recipients;
  readonly #channel: FrameChannel;
  /** Null: somebody who is no contact, and gets one run. */
  readonly puller: ContactId | null;
  readonly #forStrangers: Allowance;
  #state: HolderState = newHolder();
  /** The last frame on its way out. */
  #sent: Promise<unknown> = Promise.resolve();

  constructor(
    context: Context,
    custody: CustodyService,
    recipients: Recipients,
    channel: FrameChannel,
    puller: ContactId | null,
    forStrangers: Allowance,
  ) {
    this.#context = context;
    this.#custody = custody;
    this.#recipients = recipients;
    this.#channel = channel;
    this.puller = puller;
    this.#forStrangers = forStrangers;
  }

  /** Ends with the channel; never rejects. */
  async run(): Promise<void> {
    try {
      for await (const bytes of this.#channel.frames) {
        // Whoever asks and does not read the answers is not listened to either.
        await this.#sent;
        this.#step({ kind: 'frame', frame: decodeSync(bytes) });
      }
    } catch {
      // The peer sees a closed stream and nothing else.
    } finally {
      await this.#channel.close();
    }
  }

  news(tag: Uint8Array): void {
    if (this.#state.tags.some(asked => equalBytes(asked, tag))) this.#step({ kind: 'news' });
  }

  close(): void {
    void this.#channel.close();
  }

  #step(input: HolderInput): void {
    const { state, outputs } = stepHolder(this.#state, input);
    this.#state = state;
    for (const output of outputs) this.#do(output);
  }

  #do(output: HolderOutput): void {
    const { custody } = this.#context.store;
    switch (output.kind) {
      case 'send':
        this.#sent = this.#channel.send(encodeSync(output.frame)).catch(() => undefined);
        return;
      case 'read':
        this.#read(output);
        return;
      case 'load': {
        const items = output.ids.map(envelopeId => {
          return { envelopeId, envelope: this.#mayHaveOne() ? (custody.envelope(envelopeId) ?? null) : null };
        });
        this.#step({ kind: 'loaded', items });
        return;
      }
      case 'remove':
        // What a failing disk keeps is not asked for again by who has it, and expires.
        this.#custody.remove(output.ids).catch(() => undefined);
        return;
      case 'finished':
        if (this.puller === null) void this.#sent.then(() => this.close());
        return;
      case 'fail':
        this.close();
    }
  }

  #read({ tags, after, limit }: Extract<HolderOutput, { kind: 'read' }>): void {
    const { puller } = this;
    // Whoever is no contact learns nothing of contacts: neither who they are nor whether something waits for them.
    const served = puller === null ? tags.filter(tag => this.#recipients.of(tag) === undefined) : tags;
    const found = this.#context.store.custody.byTags(served, limit, after);
    const entries = found.map(({ envelopeId, tag }) => {
      return { envelopeId, ofPuller: puller !== null && this.#recipients.belongsTo(tag, puller) };
    });
    const next = found.length === limit ? (found.at(-1)?.seq ?? null) : null;
    this.#step({ kind: 'page', entries, next });
  }

  #mayHaveOne(): boolean {
    return this.puller !== null || this.#forStrangers.take(this.#context.clock());
  }
}
