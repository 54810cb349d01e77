import type { Cancel, Clock, Scheduler } from '../base/clock.ts';
import { SECOND_MS } from '../base/clock.ts';

/** Calls for many names at their times, to the second, with one timer a second that has any. */
export class Wakes {
  readonly #clock: Clock;
  readonly #scheduler: Scheduler;
  readonly #due: (names: readonly string[]) => void;
  readonly #slots = new Map<number, { readonly names: Set<string>; readonly cancel: Cancel }>();

  constructor(clock: Clock, scheduler: Scheduler, due: (names: readonly string[]) => void) {
    this.#clock = clock;
    this.#scheduler = scheduler;
    this.#due = due;
  }

  at(name: string, atMs: number): void {
    const slot = Math.ceil(atMs / SECOND_MS);
    const known = this.#slots.get(slot);
    if (known) return void known.names.add(name);
    const cancel = this.#scheduler(Math.max(0, slot * SECOND_MS - this.#clock()), () => this.#fire(slot));
    this.#slots.set(slot, { names: new Set([name]), cancel });
  }

  stop(): void {
    for (const { cancel } of this.#slots.values()) cancel();
    this.#slots.clear();
  }

  #fire(slot: number): void {
    const names = this.#slots.get(slot)?.names ?? [];
    this.#slots.delete(slot);
    this.#due([...names]);
  }
}
