import { hex } from '../base/bytes.ts';
import type { ContactId, EnvelopeId, TransportKey } from '../base/ids.ts';
import { LIMITS } from '../base/limits.ts';
import type { FrameChannel, Swarm } from '../network/swarm.ts';
import { CUSTODY_PROTOCOL, type CustodyFrame, decodeCustody, encodeCustody } from '../wire/custody.ts';
import type { Context } from './context.ts';

export interface DepositAnswers {
  /** An encoded receipt, not yet looked at. @throws DecodeError it is none: the line is closed */
  held(receipt: Uint8Array): Promise<void>;
  refused(ids: readonly EnvelopeId[]): void;
  gone(ids: readonly EnvelopeId[]): void;
  /** The line is lost; what was under way on it is unanswered. */
  lost(): void;
}

/** The way to one custodian: deposits with a window, questions and releases, one after another. */
export class DepositLine {
  readonly custodian: ContactId;
  readonly #context: Context;
  readonly #swarm: Swarm;
  readonly #peer: TransportKey;
  readonly #answers: DepositAnswers;
  readonly #underWay = new Set<string>();
  #release: EnvelopeId[] = [];
  #channel: Promise<FrameChannel> | undefined;
  #sending: Promise<void> = Promise.resolve();
  #closed = false;
  /** When a deposit was last answered. */
  #answeredMs: number | undefined;

  constructor(context: Context, swarm: Swarm, contact: { id: ContactId; peer: TransportKey }, answers: DepositAnswers) {
    this.#context = context;
    this.#swarm = swarm;
    this.custodian = contact.id;
    this.#peer = contact.peer;
    this.#answers = answers;
  }

  /** Deposits that may follow before an answer. */
  get room(): number {
    return LIMITS.depositWindow - this.#underWay.size;
  }

  get answeredMs(): number | undefined {
    return this.#answeredMs;
  }

  get full(): boolean {
    return this.room <= 0;
  }

  deposit(id: EnvelopeId): void {
    this.#underWay.add(hex(id));
    this.#queue(async channel => {
      const envelope = this.#context.store.outbox.get(id)?.envelope;
      if (envelope) await channel.send(encodeCustody({ kind: 'deposit', envelope }));
      else this.#underWay.delete(hex(id));
    });
  }

  /** Asks which of these are held no more. */
  check(ids: readonly EnvelopeId[]): void {
    for (let start = 0; start < ids.length; start += LIMITS.custodyIds) {
      const part = ids.slice(start, start + LIMITS.custodyIds);
      this.#queue(channel => channel.send(encodeCustody({ kind: 'check', ids: part })));
    }
  }

  release(id: EnvelopeId): void {
    this.#underWay.delete(hex(id));
    this.#release.push(id);
    if (this.#release.length > 1) return;
    // Those that end together go together.
    this.#context.scheduler(0, () => this.#flushReleases());
  }

  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#underWay.clear();
    this.#channel?.then(
      channel => channel.close(),
      () => undefined,
    );
    this.#answers.lost();
  }

  #flushReleases(): void {
    const ids = this.#release;
    this.#release = [];
    for (let start = 0; start < ids.length; start += LIMITS.custodyIds) {
      const part = ids.slice(start, start + LIMITS.custodyIds);
      this.#queue(channel => channel.send(encodeCustody({ kind: 'release', ids: part })));
    }
  }

  #queue(send: (channel: FrameChannel) => Promise<void>): void {
    this.#sending = this.#sending
      .then(async () => {
        if (!this.#closed) await send(await this.#opened());
      })
      .catch(() => this.close());
  }

  #opened(): Promise<FrameChannel> {
    this.#channel ??= this.#swarm.channel(this.#peer, CUSTODY_PROTOCOL).then(channel => {
      void this.#read(channel);
      return channel;
    });
    return this.#channel;
  }

  async #read(channel: FrameChannel): Promise<void> {
    try {
      for await (const bytes of channel.frames) if (!(await this.#take(decodeCustody(bytes)))) break;
    } catch {
      // Lost, or not the protocol: what was under way is placed again.
    }
    this.close();
  }

  /** @returns false for what a custodian does not say */
  async #take(frame: CustodyFrame): Promise<boolean> {
    switch (frame.kind) {
      case 'held':
        await this.#answers.held(frame.receipt);
        return true;
      // Who takes without a promise does not know us: nothing to count on.
      case 'taken':
      case 'refused':
        for (const id of frame.ids) this.settled(id);
        this.#answers.refused(frame.ids);
        return true;
      case 'gone':
        this.#answers.gone(frame.ids);
        return true;
      default:
        return false;
    }
  }

  /** The answer to a deposit has been taken. */
  settled(id: EnvelopeId): void {
    // What answers nothing does not keep a line alive.
    if (this.#underWay.delete(hex(id))) this.#answeredMs = this.#context.clock();
  }
}
