import { equalBytes } from '../base/bytes.ts';
import type { ContactId } from '../base/ids.ts';
import {
  type HolderInput,
  type HolderOutput,
  type HolderState,
  newHolder,
  stepHolder,
} from '../mailbox/sync-holder.ts';
import type { FrameChannel, Swarm } from '../network/swarm.ts';
import { decodeSync, encodeSync, SYNC_PROTOCOL } from '../wire/sync.ts';
import type { Context } from './context.ts';
import type { CustodyService } from './custodian.ts';
import type { Recipients } from './recipients.ts';

/** Gives contacts what is held for them, and for the tags they ask for (docs/protocol/sync.md). */
export class PullService {
  readonly #context: Context;
  readonly #swarm: Swarm;
  readonly #custody: CustodyService;
  readonly #recipients: Recipients;
  readonly #givings = new Set<Giving>();

  constructor(context: Context, swarm: Swarm, custody: CustodyService, recipients: Recipients) {
    this.#context = context;
    this.#swarm = swarm;
    this.#custody = custody;
    this.#recipients = recipients;
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
    if (contact?.phase !== 'accepted') return channel.close();
    const giving = new Giving(this.#context, this.#custody, this.#recipients, channel, contact.id);
    this.#givings.add(giving);
    await giving.run();
    this.#givings.delete(giving);
  }
}

/** The giving side on one channel. */
class Giving {
  readonly #context: Context;
  readonly #custody: CustodyService;
  readonly #recipients: Recipients;
  readonly #channel: FrameChannel;
  readonly #puller: ContactId;
  #state: HolderState = newHolder();
  /** The last frame on its way out. */
  #sent: Promise<unknown> = Promise.resolve();

  constructor(
    context: Context,
    custody: CustodyService,
    recipients: Recipients,
    channel: FrameChannel,
    puller: ContactId,
  ) {
    this.#context = context;
    this.#custody = custody;
    this.#recipients = recipients;
    this.#channel = channel;
    this.#puller = puller;
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
        const items = output.ids.map(envelopeId => ({ envelopeId, envelope: custody.envelope(envelopeId) ?? null }));
        this.#step({ kind: 'loaded', items });
        return;
      }
      case 'remove':
        // What a failing disk keeps is not asked for again by who has it, and expires.
        this.#custody.remove(output.ids).catch(() => undefined);
        return;
      case 'finished':
        return;
      case 'fail':
        this.close();
    }
  }

  #read({ tags, after, limit }: Extract<HolderOutput, { kind: 'read' }>): void {
    const found = this.#context.store.custody.byTags(tags, limit, after);
    const entries = found.map(({ envelopeId, recipient, tag }) => {
      return { envelopeId, ofPuller: (recipient ?? this.#recipients.of(tag)) === this.#puller };
    });
    const next = found.length === limit ? (found.at(-1)?.seq ?? null) : null;
    this.#step({ kind: 'page', entries, next });
  }
}
