import type { Cancel } from '../base/clock.ts';
import type { EnvelopeId, TransportKey } from '../base/ids.ts';
import { LIMITS } from '../base/limits.ts';
import { newPuller, type PullerInput, type PullerOutput, type PullerState, stepPuller } from '../mailbox/sync.ts';
import type { FrameChannel, Swarm } from '../network/swarm.ts';
import { decodeSync, encodeSync } from '../wire/sync.ts';
import type { Context } from './context.ts';
import type { Verdict } from './intake.ts';

/** What is pulled, and what becomes of it. */
export interface PullWork {
  /** Tags of the next run; undefined: nothing is to be asked now. Asked again whenever a run is over. */
  next(): readonly Uint8Array[] | undefined;
  /** For each id whether it is missing here. */
  missing(ids: readonly EnvelopeId[]): readonly boolean[];
  /** @throws StorageError or TransientError: the channel ends, and the envelope is asked for again later */
  take(envelope: Uint8Array, id: EnvelopeId): Promise<Verdict>;
  /** The first page of a run came, and so many of it are missing. */
  started?(missing: number): void;
  /** A run that had started is over, or broke off, after so many were stored. */
  finished?(stored: number): void;
  /** The holder has something new; without it the tags of the last run are asked for again. */
  news?(): void;
}

/** The asking side of pulls on one channel, which stays open for the holder's news (docs/protocol/sync.md). */
export class PullChannel {
  readonly #context: Context;
  readonly #work: PullWork;
  #state: PullerState = newPuller();
  #channel: FrameChannel | undefined;
  /** The last frame on its way out. */
  #sent: Promise<unknown> = Promise.resolve();
  /** Handed on together: one transaction stores what came together, and one receipt acknowledges it. */
  #gathered: Taken[] = [];
  #handOn: Cancel | undefined;
  /** A start was told and no end yet. */
  #told = false;
  #closed = false;

  constructor(context: Context, work: PullWork) {
    this.#context = context;
    this.#work = work;
  }

  /** Ends with the channel; never rejects. */
  async run(swarm: Swarm, peer: TransportKey, protocol: string): Promise<void> {
    try {
      const channel = await swarm.channel(peer, protocol);
      this.#channel = channel;
      if (this.#closed) return;
      this.next();
      for await (const bytes of channel.frames) {
        // A holder that does not read what it is asked is not listened to either.
        await this.#sent;
        this.#frame(bytes);
      }
    } catch {
      // Lost, or not the protocol: the next connection begins again, and asks only for what is missing.
    } finally {
      this.#handOn?.();
      await this.#channel?.close();
      this.#finished(0);
    }
  }

  /** There may be something to ask for; nothing happens while a run is under way. */
  next(): void {
    if (this.#state.phase !== 'idle' || !this.#channel) return;
    const tags = this.#work.next();
    if (tags) this.#step({ kind: 'begin', tags });
  }

  close(): void {
    this.#closed = true;
    void this.#channel?.close();
  }

  #frame(bytes: Uint8Array): void {
    const frame = decodeSync(bytes);
    if (frame.kind === 'news' && this.#work.news) this.#work.news();
    else this.#step({ kind: 'frame', frame });
  }

  #step(input: PullerInput): void {
    const { state, outputs } = stepPuller(this.#state, input);
    this.#state = state;
    for (const output of outputs) this.#do(output);
  }

  #do(output: PullerOutput): void {
    switch (output.kind) {
      case 'send':
        this.#sent = this.#channel?.send(encodeSync(output.frame)).catch(() => undefined) ?? this.#sent;
        return;
      case 'choose':
        this.#step({ kind: 'chosen', missing: this.#work.missing(output.ids) });
        return;
      case 'take':
        this.#gather(output);
        return;
      case 'started':
        this.#told = true;
        this.#work.started?.(output.missing);
        return;
      case 'finished':
        this.#finished(output.stored);
        this.next();
        return;
      case 'fail':
        this.close();
    }
  }

  /** A full window or the last of the page goes at once, a slow line's share after a short while. */
  #gather(taken: Taken): void {
    this.#gathered.push(taken);
    if (this.#gathered.length >= LIMITS.syncWindow || this.#state.awaited.size === 0) this.#takeGathered();
    else this.#handOn ??= this.#context.scheduler(LIMITS.syncGatherMs, () => this.#takeGathered());
  }

  #takeGathered(): void {
    const gathered = this.#gathered;
    this.#gathered = [];
    this.#handOn?.();
    this.#handOn = undefined;
    for (const { envelopeId, envelope } of gathered) {
      this.#work.take(envelope, envelopeId).then(
        verdict => this.#step({ kind: 'settled', envelopeId, verdict }),
        // The disk or load, not the envelope: it stays where it is and is asked for again.
        () => this.close(),
      );
    }
  }

  #finished(stored: number): void {
    if (!this.#told) return;
    this.#told = false;
    this.#work.finished?.(Math.max(stored, this.#state.stored));
  }
}

type Taken = Extract<PullerOutput, { kind: 'take' }>;
