import type { Scheduler } from '../base/clock.ts';
import type { EnvelopeId } from '../base/ids.ts';
import { LIMITS } from '../base/limits.ts';
import type { FrameChannel } from '../network/swarm.ts';
import { encodeDelivery } from '../wire/delivery.ts';
import type { Context } from './context.ts';
import type { Verdict } from './intake.ts';

/**
 * The answers owed on one channel: gathers verdicts, and sends those that became durable together in one frame.
 * What is owed is bounded: a peer that does not read its answers is not read either.
 */
export class Answers {
  readonly #channel: FrameChannel;
  readonly #scheduler: Scheduler;
  readonly #onRefused: (inARow: number) => void;
  readonly #ready: { readonly kind: Verdict; readonly id: EnvelopeId }[] = [];
  /** Envelopes read from the channel whose answer has not left. */
  #owed = 0;
  #undecided = 0;
  #refusedInARow = 0;
  #sending = false;
  #changed: (() => void)[] = [];

  /** @param onRefused told, after each frame of refusals has left, how many there were since the last `stored` */
  constructor(channel: FrameChannel, { scheduler }: Pick<Context, 'scheduler'>, onRefused: (inARow: number) => void) {
    this.#channel = channel;
    this.#scheduler = scheduler;
    this.#onRefused = onRefused;
  }

  /** Waits while the answers to two windows of envelopes are owed. */
  async room(): Promise<void> {
    while (this.#owed >= LIMITS.pushWindow * 2 && !this.#channel.closed) await this.#change();
  }

  await(id: EnvelopeId, verdict: Promise<Verdict>): void {
    this.#owed += 1;
    this.#undecided += 1;
    verdict
      .then(
        kind => this.#add(kind, id),
        // Not the envelope's fault: without an answer its sender keeps it and comes again.
        () => this.#close(),
      )
      .finally(() => {
        this.#undecided -= 1;
        this.#tellChange();
      });
  }

  /** Waits until every outcome is known. */
  async decided(): Promise<void> {
    while (this.#undecided > 0) await this.#change();
  }

  #add(kind: Verdict, id: EnvelopeId): void {
    this.#ready.push({ kind, id });
    if (this.#sending) return;
    this.#sending = true;
    // In a later turn of the event loop, so that what became durable together leaves together.
    this.#scheduler(0, () => void this.#send());
  }

  async #send(): Promise<void> {
    try {
      while (this.#ready.length > 0) await this.#sendFrame();
      this.#sending = false;
    } catch {
      // The channel is lost: there is nobody to answer, and `#sending` stays set.
      this.#close();
    }
  }

  async #sendFrame(): Promise<void> {
    const kind = this.#ready[0]?.kind ?? 'stored';
    const other = this.#ready.findIndex(answer => answer.kind !== kind);
    const count = Math.min(other < 0 ? this.#ready.length : other, LIMITS.pushWindow);
    const ids = this.#ready.splice(0, count).map(answer => answer.id);
    await this.#channel.send(encodeDelivery({ kind, ids }));
    this.#owed -= count;
    this.#tellChange();
    this.#refusedInARow = kind === 'refused' ? this.#refusedInARow + count : 0;
    if (kind === 'refused') this.#onRefused(this.#refusedInARow);
  }

  #close(): void {
    void this.#channel.close();
    this.#tellChange();
  }

  #change(): Promise<void> {
    return new Promise(resolve => this.#changed.push(resolve));
  }

  #tellChange(): void {
    for (const resume of this.#changed.splice(0)) resume();
  }
}
