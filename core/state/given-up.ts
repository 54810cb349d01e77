import type { ContactId, EnvelopeId } from '../base/ids.ts';
import { LIMITS } from '../base/limits.ts';
import type { FrameChannel } from '../network/swarm.ts';
import type { CustodyEntry } from '../storage/records.ts';
import { encodeCustody } from '../wire/custody.ts';
import type { Context } from './context.ts';

/**
 * Tells depositors that are connected what was given up for something newer (docs/protocol/mailbox.md §3), so that "held"
 * is not shown of it until they connect anew; the others ask when they do.
 */
export class GivenUp {
  readonly #context: Context;
  /** Open custody streams of contacts. */
  readonly #lines = new Map<FrameChannel, ContactId>();
  #entries: CustodyEntry[] = [];

  constructor(context: Context) {
    this.#context = context;
  }

  opened(channel: FrameChannel, depositor: ContactId): void {
    this.#lines.set(channel, depositor);
  }

  closed(channel: FrameChannel): void {
    this.#lines.delete(channel);
  }

  /** To be called once the loss is durable. */
  tell(entries: readonly CustodyEntry[]): void {
    if (entries.length === 0) return;
    this.#entries.push(...entries);
    // After the promises that are on their way: whoever read `held` last would believe it.
    if (this.#entries.length === entries.length) this.#context.scheduler(0, () => this.#flush());
  }

  #flush(): void {
    const entries = this.#entries;
    this.#entries = [];
    for (const [channel, contact] of this.#lines) {
      // To whom else it was promised is not noted: a name says nothing to those who do not know it.
      const own = entries.filter(({ depositor, promisedToOthers }) => depositor === contact || promisedToOthers);
      const ids = own.map(({ envelopeId }) => envelopeId);
      void sendGone(channel, ids);
    }
  }
}

/** What cannot be sent is asked for on the next connection. */
async function sendGone(channel: FrameChannel, ids: readonly EnvelopeId[]): Promise<void> {
  try {
    for (let start = 0; start < ids.length; start += LIMITS.custodyIds) {
      await channel.send(encodeCustody({ kind: 'gone', ids: ids.slice(start, start + LIMITS.custodyIds) }));
    }
  } catch {
    // The line is lost.
  }
}
