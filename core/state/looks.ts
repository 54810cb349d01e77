import type { Scheduler } from '../base/clock.ts';

/** Looked at in one go, so that a full outbox does not stop everything else. */
const LOOKS = 64;

/** Names that are to be looked at, each once however often it is asked for, a few at a time. */
export class Looks {
  readonly #scheduler: Scheduler;
  readonly #look: (names: readonly string[]) => void;
  readonly #names = new Set<string>();
  #underWay = false;
  #stopped = false;

  constructor(scheduler: Scheduler, look: (names: readonly string[]) => void) {
    this.#scheduler = scheduler;
    this.#look = look;
  }

  add(names: Iterable<string>): void {
    for (const name of names) this.#names.add(name);
    if (this.#underWay || this.#stopped || this.#names.size === 0) return;
    this.#underWay = true;
    this.#scheduler(0, () => this.#some());
  }

  remove(name: string): void {
    this.#names.delete(name);
  }

  stop(): void {
    this.#stopped = true;
    this.#names.clear();
  }

  #some(): void {
    this.#underWay = false;
    if (this.#stopped) return;
    const names: string[] = [];
    for (const name of this.#names) if (names.push(name) === LOOKS) break;
    for (const name of names) this.#names.delete(name);
    this.#look(names);
    this.add([]);
  }
}
