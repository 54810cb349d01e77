import { equalBytes } from '../base/bytes.ts';
import type { EnvelopeId } from '../base/ids.ts';
import {
  type HeldEntry,
  type HolderInput,
  type HolderOutput,
  type HolderState,
  newHolder,
  stepHolder,
} from '../mailbox/sync-holder.ts';
import type { FrameChannel } from '../network/swarm.ts';
import { decodeSync, encodeSync } from '../wire/sync.ts';

type Read = Extract<HolderOutput, { kind: 'read' }>;

/** What is given to whoever pulls on a channel. */
export interface GiveWork {
  read(asked: Read): { readonly entries: readonly HeldEntry[]; readonly next: number | null };
  /** Null: no longer held, or not for this one now. */
  load(id: EnvelopeId): Uint8Array | null;
  remove(ids: readonly EnvelopeId[]): void;
  /** The last frame of the run is on its way: `sent`. */
  finished?(sent: Promise<unknown>): void;
}

/** The giving side of pulls on one channel (docs/protocol/sync.md). */
export class GiveChannel {
  readonly #channel: FrameChannel;
  readonly #work: GiveWork;
  #state: HolderState = newHolder();
  /** The last frame on its way out. */
  #sent: Promise<unknown> = Promise.resolve();

  constructor(channel: FrameChannel, work: GiveWork) {
    this.#channel = channel;
    this.#work = work;
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

  /** Something has come; said once, when the run is over. */
  news(): void {
    this.#step({ kind: 'news' });
  }

  /** Whether the tag was asked for in the last run. */
  asks(tag: Uint8Array): boolean {
    return this.#state.tags.some(asked => equalBytes(asked, tag));
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
    switch (output.kind) {
      case 'send':
        this.#sent = this.#channel.send(encodeSync(output.frame)).catch(() => undefined);
        return;
      case 'read':
        this.#step({ kind: 'page', ...this.#work.read(output) });
        return;
      case 'load': {
        const items = output.ids.map(envelopeId => ({ envelopeId, envelope: this.#work.load(envelopeId) }));
        this.#step({ kind: 'loaded', items });
        return;
      }
      case 'remove':
        this.#work.remove(output.ids);
        return;
      case 'finished':
        this.#work.finished?.(this.#sent);
        return;
      case 'fail':
        this.close();
    }
  }
}
