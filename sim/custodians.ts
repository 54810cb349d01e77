import type { ContactId } from '../core/base/ids.ts';
import { type Custodian, type Held, type Holding, heldNow } from '../core/mailbox/placement.ts';
import { Refusals } from '../core/mailbox/refusals.ts';
import { noteSeen, type Uptime, uptimeShare } from '../core/mailbox/uptime.ts';
import type { Program } from './program.ts';

interface View {
  readonly atMs: number;
  readonly all: readonly Custodian[];
  /** By recipient: the same, less those that take nothing for it. */
  readonly of: Map<ContactId, readonly Custodian[]>;
}

/** What one program knows of its contacts that hold: when they were seen, and for whom they take nothing. */
export class Custodians {
  readonly #program: Program;
  readonly #uptime = new Map<number, Uptime>();
  readonly #lastSeenMs = new Map<number, number>();
  readonly #holds = new Set<number>();
  readonly #refusals = new Refusals();
  #view: View | undefined;

  constructor(program: Program) {
    this.#program = program;
  }

  saw(other: number): void {
    const { nowMs } = this.#program.run;
    this.#lastSeenMs.set(other, nowMs);
    this.#uptime.set(other, noteSeen(this.#uptime.get(other), nowMs));
    this.#view = undefined;
  }

  said(other: number, holds: boolean): void {
    if (holds) this.#holds.add(other);
    else this.#holds.delete(other);
    this.#view = undefined;
  }

  took(custodian: ContactId, recipient: ContactId): void {
    this.#refusals.took(custodian, recipient, this.#program.run.nowMs);
    this.#view = undefined;
  }

  /** @returns whether it is remembered for the recipient */
  refused(custodian: ContactId, recipient: ContactId): boolean {
    this.#view = undefined;
    return this.#refusals.refused(custodian, recipient, this.#program.run.nowMs);
  }

  /** Those that may be asked to hold for this recipient are the willing among them. */
  for(recipient: ContactId): readonly Custodian[] {
    const { atMs, all, of } = this.#now();
    const known = of.get(recipient);
    if (known) return known;
    const list = all.map(custodian => {
      const takes = !this.#refusals.refuses(custodian.id, recipient, atMs);
      return takes ? custodian : { ...custodian, willing: false };
    });
    of.set(recipient, list);
    return list;
  }

  held(holdings: readonly Holding[]): Held {
    const { atMs, all } = this.#now();
    return heldNow({ holdings }, all, atMs);
  }

  /** Connections come and go with `saw`. */
  #now(): View {
    const { run, links } = this.#program;
    if (this.#view?.atMs === run.nowMs) return this.#view;
    const all = [...this.#holds].map(other => ({
      id: run.program(other).contact,
      willing: true,
      connected: links.has(other),
      lastSeenMs: this.#lastSeenMs.get(other) ?? null,
      uptime: uptimeShare(this.#uptime.get(other), run.nowMs),
    }));
    this.#view = { atMs: run.nowMs, all, of: new Map() };
    return this.#view;
  }
}
