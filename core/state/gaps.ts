import { type Clock, HOUR_MS, MINUTE_MS } from '../base/clock.ts';
import type { ContactId, MessageId } from '../base/ids.ts';
import { LIMITS } from '../base/limits.ts';
import type { StoredMessage } from '../storage/records.ts';
import type { MissingContent } from '../wire/content.ts';
import { sealAgain, sendControl } from './sending.ts';
import type { Turn } from './turn.ts';

/** What is known of one message that is named and has not come. */
interface Wait {
  readonly sinceMs: number;
  asks: number;
  askedAtMs: number;
}

/** Which texts to ask a contact for and when, and how many of its questions to answer. */
export class Gaps {
  readonly #monotonic: Clock;
  readonly #waits = new Map<ContactId, ReadonlyMap<MessageId, Wait>>();
  readonly #answered = new Map<ContactId, { readonly sinceMs: number; count: number }>();
  /** Bytes of the answers that may wait for a contact still. */
  readonly #unsent = new Map<ContactId, { readonly sinceMs: number; bytes: number }>();

  /** @param monotonic however the wall clock is set, questions neither stop nor come all at once */
  constructor(monotonic: Clock) {
    this.#monotonic = monotonic;
  }

  /**
   * Asked once a minute. What was only overtaken on the way has come by the second time. While answers come, what they
   * show to be missing is asked for at once; what nobody answers is asked for less and less, and then no more.
   * @param awaited all that is missing of the contact's conversation
   * @returns those to ask for now; they count as asked for
   */
  due(contact: ContactId, awaited: readonly MessageId[], connected: boolean): MessageId[] {
    const nowMs = this.#monotonic();
    const former = this.#waits.get(contact) ?? new Map<MessageId, Wait>();
    if (awaited.length === 0) {
      this.#waits.delete(contact);
      return [];
    }
    const still = new Set(awaited);
    const answered = [...former].some(([id, { asks }]) => asks > 0 && !still.has(id));
    const sinceMs = answered ? Number.NEGATIVE_INFINITY : nowMs;
    const waits = new Map(awaited.map(id => [id, former.get(id) ?? { sinceMs, asks: 0, askedAtMs: 0 }]));
    this.#waits.set(contact, waits);
    const due = [...waits].filter(([, wait]) => isDue(wait, connected, nowMs)).slice(0, LIMITS.missingIds);
    for (const [, wait] of due) {
      wait.asks += 1;
      wait.askedAtMs = nowMs;
    }
    return due.map(([id]) => id);
  }

  /** Texts that were sealed again for the contact within the hour. */
  answeredTo(contact: ContactId): number {
    return this.#hourOf(contact).count;
  }

  /** Bytes of answers since nothing waited for the contact; what is older than an envelope's lifetime waits no more. */
  unsentTo(contact: ContactId): number {
    return this.#unsentOf(contact).bytes;
  }

  /** Counts one. */
  answer(contact: ContactId, bytes: number): void {
    this.#hourOf(contact).count += 1;
    this.#unsentOf(contact).bytes += bytes;
  }

  /** Nothing waits for the contact. */
  taken(contact: ContactId): void {
    this.#unsent.delete(contact);
  }

  forget(contact: ContactId): void {
    this.#waits.delete(contact);
    this.#answered.delete(contact);
    this.#unsent.delete(contact);
  }

  #unsentOf(contact: ContactId): { bytes: number } {
    const nowMs = this.#monotonic();
    const known = this.#unsent.get(contact);
    if (known && nowMs - known.sinceMs < LIMITS.envelopeLifetimeMs) return known;
    const unsent = { sinceMs: nowMs, bytes: 0 };
    this.#unsent.set(contact, unsent);
    return unsent;
  }

  #hourOf(contact: ContactId): { count: number } {
    const nowMs = this.#monotonic();
    const known = this.#answered.get(contact);
    if (known && nowMs - known.sinceMs < HOUR_MS) return known;
    const hour = { sinceMs: nowMs, count: 0 };
    this.#answered.set(contact, hour);
    return hour;
  }
}

function isDue({ sinceMs, asks, askedAtMs }: Wait, connected: boolean, nowMs: number): boolean {
  if (asks === 0) return nowMs - sinceMs >= (connected ? MINUTE_MS / 2 : HOUR_MS);
  const pauseMs = connected ? LIMITS.missingAskMs : LIMITS.missingAskAwayMs;
  return asks < LIMITS.missingAsks && nowMs - askedAtMs >= pauseMs * 2 ** (asks - 1);
}

/** Asks the contact for texts that are named and have not come. */
export function askForMissing(turn: Turn, ids: readonly MessageId[]): void {
  sendControl(turn, { kind: 'missing', ids });
}

/**
 * Seals an own text again because the contact asked, unless it has asked for too much: texts within the hour, envelopes
 * that wait for it, or bytes of them.
 * @returns false when nothing more may be sealed for it now
 */
export function answerWith(turn: Turn, message: StoredMessage): boolean {
  const { gaps } = turn.context;
  const { id: contact } = turn.contact;
  if (turn.envelopesWaiting === 0) gaps.taken(contact);
  const tooMany = gaps.answeredTo(contact) >= LIMITS.missingAnswers || turn.controlsWaiting >= LIMITS.controlsWaiting;
  if (tooMany || gaps.unsentTo(contact) >= LIMITS.missingAnswerBytes) return false;
  gaps.answer(contact, sealAgain(turn, message));
  return true;
}

/**
 * Seals the own texts asked for again; of others nothing is said. Whoever lacks one text may lack those before it, and
 * learns their names only by it: as many of those are added as were asked for within the hour, so that a long row is
 * back after a few questions, and at most half of what is sent was not needed.
 */
export function answerMissing(turn: Turn, { ids }: MissingContent): void {
  const { store, gaps } = turn.context;
  const { id: contact } = turn.contact;
  const before = gaps.answeredTo(contact);
  let left = Math.min(ids.length + before, LIMITS.missingAnswer);
  let looks = 4 * left;
  // Grows while it is walked: parents stand behind the texts that name them.
  const toLook = new Set(ids);
  for (const id of toLook) {
    if (left <= 0 || looks <= 0) return;
    looks -= 1;
    const message = store.messages.get(id);
    if (!message || store.messages.conversationOf(id) !== turn.conversationId) continue;
    for (const parent of message.parents) toLook.add(parent);
    if (!message.outgoing) continue;
    left -= 1;
    if (!answerWith(turn, message)) return;
  }
}
