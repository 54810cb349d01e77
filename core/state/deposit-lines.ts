import { within } from '../base/clock.ts';
import type { ContactId, EnvelopeId } from '../base/ids.ts';
import { LIMITS } from '../base/limits.ts';
import type { Swarm } from '../network/swarm.ts';
import type { Context } from './context.ts';
import { DepositLine } from './deposits.ts';
import type { Presence } from './presence.ts';

export interface LineAnswers {
  /** @throws DecodeError it is no receipt */
  held(line: DepositLine, receipt: Uint8Array): Promise<void>;
  answered(custodian: ContactId, ids: readonly EnvelopeId[], kind: 'refused' | 'gone'): void;
  /** What it was asked is unanswered. */
  lost(custodian: ContactId): void;
}

/** The lines to all custodians: which can be asked now, and what waits until one can. */
export class DepositLines {
  readonly #context: Context;
  readonly #swarm: Swarm;
  readonly #presence: Presence;
  readonly #answers: LineAnswers;
  readonly #lines = new Map<ContactId, DepositLine>();
  /** Names of envelopes that one more custodian should hold, by the full line they wait at. */
  readonly #waiting = new Map<ContactId, Set<string>>();
  /** Custodians that let the time for an answer go by, and when: for a time they are asked nothing. */
  readonly #silentSinceMs = new Map<ContactId, number>();
  /** Custodians that broke a line of this connection. */
  readonly #broken = new Set<ContactId>();
  #stopped = false;

  constructor(context: Context, swarm: Swarm, presence: Presence, answers: LineAnswers) {
    this.#context = context;
    this.#swarm = swarm;
    this.#presence = presence;
    this.#answers = answers;
  }

  stop(): void {
    this.#stopped = true;
    for (const line of [...this.#lines.values()]) line.close();
  }

  /** Whether another deposit can go to this custodian now. */
  isOpen(custodian: ContactId): boolean {
    return !this.#isShunned(custodian) && !this.isFull(custodian);
  }

  /** When its line, if one is open, last brought an answer. */
  answeredMs(custodian: ContactId): number | undefined {
    return this.#lines.get(custodian)?.answeredMs;
  }

  isFull(custodian: ContactId): boolean {
    return this.#lines.get(custodian)?.full === true;
  }

  to(custodian: ContactId): DepositLine | undefined {
    const known = this.#lines.get(custodian);
    if (known || this.#stopped) return known;
    const contact = this.#context.store.contacts.get(custodian);
    if (!contact) return undefined;
    const peer = { id: custodian, peer: contact.transportKey };
    const line: DepositLine = new DepositLine(this.#context, this.#swarm, peer, {
      held: receipt => this.#answers.held(line, receipt),
      refused: ids => this.#answers.answered(custodian, ids, 'refused'),
      gone: ids => this.#answers.answered(custodian, ids, 'gone'),
      lost: () => this.#lost(line),
    });
    this.#lines.set(custodian, line);
    return line;
  }

  /** Waits at a full line for one of its places. */
  wait(custodian: ContactId, name: string): void {
    this.#waiting.set(custodian, (this.#waiting.get(custodian) ?? new Set()).add(name));
  }

  /** Those for which there is a place now, or whose line is lost. */
  takeWaiting(): string[] {
    const found: string[] = [];
    for (const [custodian, names] of this.#waiting) {
      const line = this.#lines.get(custodian);
      let room = line ? line.room : names.size;
      for (const name of names) {
        if (room <= 0) break;
        room -= 1;
        names.delete(name);
        found.push(name);
      }
      if (names.size === 0) this.#waiting.delete(custodian);
    }
    return found;
  }

  /** It did not answer in time: whatever else it was asked it will not answer either. */
  silent(custodian: ContactId): void {
    this.#silentSinceMs.set(custodian, this.#context.clock());
    this.#lines.get(custodian)?.close();
  }

  disconnected(custodian: ContactId): void {
    this.#lines.get(custodian)?.close();
    this.#broken.delete(custodian);
  }

  /** Custodians whose silence is over. */
  sweep(): ContactId[] {
    const nowMs = this.#context.clock();
    const over = [...this.#silentSinceMs].filter(([, sinceMs]) => !isSilent(sinceMs, nowMs)).map(([id]) => id);
    for (const id of over) this.#silentSinceMs.delete(id);
    return over;
  }

  #isShunned(custodian: ContactId): boolean {
    const sinceMs = this.#silentSinceMs.get(custodian);
    return this.#broken.has(custodian) || (sinceMs !== undefined && isSilent(sinceMs, this.#context.clock()));
  }

  #lost(line: DepositLine): void {
    const { custodian } = line;
    if (this.#lines.get(custodian) !== line) return;
    this.#lines.delete(custodian);
    if (this.#stopped) return;
    if (this.#presence.isConnected(custodian)) this.#broken.add(custodian);
    this.#answers.lost(custodian);
  }
}

function isSilent(sinceMs: number, nowMs: number): boolean {
  return within(sinceMs, LIMITS.custodianSilentMs, nowMs);
}
