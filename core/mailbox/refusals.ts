import { within } from '../base/clock.ts';
import type { ContactId } from '../base/ids.ts';
import { LIMITS } from '../base/limits.ts';

interface Answer {
  readonly custodian: ContactId;
  readonly takes: boolean;
  readonly atMs: number;
}

/**
 * Which custodians take nothing for which recipients. A refusal gives no reason: from one that has just held an
 * envelope for this recipient it is about room; from any other it is taken to be about the recipient, for a day.
 */
export class Refusals {
  readonly #answers = new Map<string, Answer>();

  /** It gave a receipt for an envelope of this recipient. */
  took(custodian: ContactId, recipient: ContactId, nowMs: number): void {
    this.#note(recipient, { custodian, takes: true, atMs: nowMs });
  }

  /** @returns whether it is remembered for the recipient; else it concerns the one envelope */
  refused(custodian: ContactId, recipient: ContactId, nowMs: number): boolean {
    const known = this.#answers.get(custodian + recipient);
    if (known?.takes && isFresh(known, nowMs)) return false;
    return this.#note(recipient, { custodian, takes: false, atMs: nowMs });
  }

  refuses(custodian: ContactId, recipient: ContactId, nowMs: number): boolean {
    const known = this.#answers.get(custodian + recipient);
    return known !== undefined && !known.takes && isFresh(known, nowMs);
  }

  /** It takes again, or is no contact any more: what it refused before says nothing. */
  forget(custodian: ContactId): void {
    for (const [pair, answer] of this.#answers) if (answer.custodian === custodian) this.#answers.delete(pair);
  }

  /** Forgets what is older than a day, and names those that may be asked again. */
  sweep(nowMs: number): Set<ContactId> {
    const again = new Set<ContactId>();
    for (const [pair, answer] of this.#answers) {
      if (isFresh(answer, nowMs)) continue;
      this.#answers.delete(pair);
      if (!answer.takes) again.add(answer.custodian);
    }
    return again;
  }

  /** When it is full nothing makes room: who was forgotten would be asked anew at once, and again. */
  #note(recipient: ContactId, answer: Answer): boolean {
    const pair = answer.custodian + recipient;
    if (this.#answers.size >= LIMITS.refusals && !this.#answers.has(pair)) return false;
    this.#answers.set(pair, answer);
    return true;
  }
}

function isFresh({ atMs }: Answer, nowMs: number): boolean {
  return within(atMs, LIMITS.custodianUnseenMs, nowMs);
}
