import { type Clock, HOUR_MS, MINUTE_MS } from '../base/clock.ts';
import type { ContactId } from '../base/ids.ts';
import { LIMITS } from '../base/limits.ts';
import type { MissingContent } from '../wire/content.ts';
import { sealAgain, sendControl } from './sending.ts';
import type { Turn } from './turn.ts';

interface Known {
  readonly sinceMs: number;
  askedAtMs: number | null;
}

/** When to ask a contact for texts that are named and have not come, and how many of its questions to answer. */
export class Gaps {
  readonly #clock: Clock;
  readonly #known = new Map<ContactId, Known>();
  readonly #answered = new Map<ContactId, { readonly sinceMs: number; count: number }>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Once a minute. What was only overtaken on the way has come by the second time. */
  isTimeToAsk(contact: ContactId, gaps: boolean): boolean {
    const nowMs = this.#clock();
    const known = this.#known.get(contact);
    if (!gaps) this.#known.delete(contact);
    else if (!known) this.#known.set(contact, { sinceMs: nowMs, askedAtMs: null });
    if (!gaps || !known || apart(nowMs, known.sinceMs) < MINUTE_MS / 2) return false;
    if (known.askedAtMs !== null && apart(nowMs, known.askedAtMs) < LIMITS.missingAskMs) return false;
    known.askedAtMs = nowMs;
    return true;
  }

  /** Counts one answer. */
  mayAnswer(contact: ContactId): boolean {
    const nowMs = this.#clock();
    const known = this.#answered.get(contact);
    const hour = known && apart(nowMs, known.sinceMs) < HOUR_MS ? known : { sinceMs: nowMs, count: 0 };
    this.#answered.set(contact, hour);
    hour.count += 1;
    return hour.count <= LIMITS.missingAnswers;
  }

  forget(contact: ContactId): void {
    this.#known.delete(contact);
    this.#answered.delete(contact);
  }
}

/** Asks the contact for the earliest texts that are named and have not come. */
export function askForMissing(turn: Turn): void {
  const awaited = turn.context.store.messages.awaitedOf(turn.conversationId, LIMITS.missingIds);
  if (awaited.length > 0) sendControl(turn, { kind: 'missing', ids: awaited.map(({ id }) => id) });
}

/** Seals the own texts asked for again; of others nothing is said. */
export function answerMissing(turn: Turn, { ids }: MissingContent): void {
  const { store, gaps } = turn.context;
  for (const id of ids) {
    const message = store.messages.get(id);
    const own = message?.outgoing && store.messages.conversationOf(id) === turn.conversationId;
    if (own && gaps.mayAnswer(turn.contact.id)) sealAgain(turn, message);
  }
}

/** A clock that was set must neither stop the questions nor let them through all at once. */
function apart(aMs: number, bMs: number): number {
  return Math.abs(aMs - bMs);
}
