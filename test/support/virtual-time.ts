import type { Cancel, Clock, Scheduler } from '../../core/base/clock.ts';

interface Timer {
  readonly atMs: number;
  readonly order: number;
  readonly run: () => void;
}

/** A clock that stands still until told, and timers on it. */
export class VirtualTime {
  nowMs: number;
  readonly #timers = new Set<Timer>();
  #order = 0;

  constructor(startMs = 1_760_000_000_000) {
    this.nowMs = startMs;
  }

  /** What the wall clock is off by. */
  offsetMs = 0;

  readonly clock: Clock = () => this.nowMs + this.offsetMs;

  /** Goes on while the wall clock is set to anything. */
  readonly monotonic: Clock = () => this.nowMs;

  /** Timers that are set. */
  get timers(): number {
    return this.#timers.size;
  }

  readonly scheduler: Scheduler = (delayMs, run): Cancel => {
    const timer = { atMs: this.nowMs + Math.max(0, delayMs), order: this.#order++, run };
    this.#timers.add(timer);
    return () => void this.#timers.delete(timer);
  };

  /** Runs what is due, jumping from timer to timer, until `done`; at most `limitMs` of virtual time. */
  async until(done: () => boolean, limitMs = 10 * 60_000): Promise<void> {
    const end = this.nowMs + limitMs;
    for (;;) {
      await this.#quiet(done);
      if (done()) return;
      const next = this.#next();
      if (!next || next.atMs > end) throw new Error('nothing more happens within the time given');
      this.nowMs = Math.max(this.nowMs, next.atMs);
      this.#timers.delete(next);
      next.run();
    }
  }

  /** Moves time until the promise settles, and gives or throws what it gave. */
  async run<T>(promise: Promise<T>): Promise<T> {
    let settled = false;
    const mark = (): void => {
      settled = true;
    };
    promise.then(mark, mark);
    await this.until(() => settled);
    return promise;
  }

  /** Lets `ms` pass, with everything that falls due in it. */
  async pass(ms: number): Promise<void> {
    const end = this.nowMs + ms;
    await this.until(() => {
      const next = this.#next();
      return !next || next.atMs > end;
    }, ms);
    this.nowMs = end;
  }

  /** The clock jumps, as that of a computer that slept: what fell due meanwhile runs once, now. */
  async jump(ms: number): Promise<void> {
    this.nowMs += ms;
    await this.pass(0);
  }

  /** Lets promises run on: real work here is in memory, so a few rounds without change are the end of it. */
  async #quiet(done: () => boolean): Promise<void> {
    for (let round = 0; round < 20 && !(round > 3 && done()); round += 1) await new Promise(setImmediate);
  }

  #next(): Timer | undefined {
    let first: Timer | undefined;
    for (const timer of this.#timers) {
      if (!first || timer.atMs < first.atMs || (timer.atMs === first.atMs && timer.order < first.order)) first = timer;
    }
    return first;
  }
}
