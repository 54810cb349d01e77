import { within } from '../../base/clock.ts';
import type { ContactId } from '../../base/ids.ts';
import { LIMITS } from '../../base/limits.ts';
import type { EpochId } from '../../groups/group-crypto.ts';
import type { Votes } from '../../groups/group-state.ts';
import type { GroupInfo } from '../../wire/group-welcome.ts';

/** The way back into a group, as one member has told it. */
export interface Answer {
  readonly from: ContactId;
  /** Which epoch its group info is of. */
  readonly epoch: EpochId;
  readonly info: GroupInfo;
}

/**
 * Who is asked for the way back into one group, and what they answer. What nobody was asked for is not heard; several are asked, and
 * what most of them say counts: one that lies leads nobody astray while others answer.
 */
export class Answers {
  readonly #askedMs = new Map<ContactId, number>();
  readonly #open = new Set<ContactId>();
  readonly #given = new Map<ContactId, Answer>();
  #lastAskMs = 0;

  /** Who is to be asked now, of those who can be, the first of them first. */
  next(contacts: readonly ContactId[], nowMs: number): readonly ContactId[] {
    const asked = within(this.#lastAskMs, LIMITS.groupAnswersMs, nowMs) ? this.#open.size : 0;
    return contacts
      .filter(contact => !this.#wasAsked(contact, nowMs))
      .slice(0, Math.max(0, LIMITS.groupInfoAsks - asked));
  }

  asked(contact: ContactId, nowMs: number): void {
    this.#askedMs.set(contact, nowMs);
    this.#open.add(contact);
    this.#lastAskMs = nowMs;
  }

  expects(contact: ContactId): boolean {
    return this.#open.has(contact) || this.#given.has(contact);
  }

  /** @param answer undefined: it cannot be read */
  take(contact: ContactId, answer: Answer | undefined): void {
    if (!this.expects(contact)) return;
    this.#open.delete(contact);
    if (answer) this.#given.set(contact, answer);
  }

  /** Whether those who were asked say nothing: others are to be asked. */
  unanswered(nowMs: number): boolean {
    return this.#open.size > 0 && this.#given.size === 0 && !within(this.#lastAskMs, LIMITS.groupAnswersMs, nowMs);
  }

  /**
   * What most say, once all have answered or had their time. Where as many say another thing it is who was asked first.
   * The farthest place that any of them gives for one's own last act is the one where nothing is said twice.
   * @param head where this member stands
   */
  chosen(nowMs: number, head: EpochId): { readonly answer: Answer; readonly votes: Votes } | undefined {
    const waits = this.#open.size > 0 && within(this.#lastAskMs, LIMITS.groupAnswersMs, nowMs);
    if (waits || this.#given.size === 0) return undefined;
    const inOrder = [...this.#askedMs.keys()].flatMap(contact => this.#given.get(contact) ?? []);
    const named = ({ epoch }: Answer) => inOrder.filter(other => other.epoch === epoch);
    const best = inOrder.reduce((one, other) => (named(other).length > named(one).length ? other : one));
    const lastAct = named(best)
      .map(({ info }) => info.lastAct)
      .reduce((one, other) => ((other?.seq ?? -1) > (one?.seq ?? -1) ? other : one));
    const votes = {
      there: named(best).length,
      here: 1 + inOrder.filter(({ epoch }) => epoch === head).length,
      seen: named(best).some(({ info }) => info.seen),
    };
    return { answer: { ...best, info: { ...best.info, lastAct } }, votes };
  }

  /** What was answered is done with. @param back whether it led there: then anyone may be asked again */
  close(back: boolean): void {
    this.#open.clear();
    this.#given.clear();
    if (back) this.#askedMs.clear();
  }

  #wasAsked(contact: ContactId, nowMs: number): boolean {
    const askedMs = this.#askedMs.get(contact);
    return askedMs !== undefined && within(askedMs, LIMITS.groupInfoAskMs, nowMs);
  }
}
