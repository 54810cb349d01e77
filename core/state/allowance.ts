/**
 * So much at once, and after that one each `pauseMs`: bounds what others can make us do. A pure machine: the caller
 * tells the time.
 */
export class Allowance {
  readonly #atOnce: number;
  readonly #pauseMs: number;
  #left: number;
  #countedAtMs = Number.NEGATIVE_INFINITY;

  constructor(atOnce: number, pauseMs: number) {
    this.#atOnce = atOnce;
    this.#pauseMs = pauseMs;
    this.#left = atOnce;
  }

  /** Whether there is one left now. */
  has(nowMs: number): boolean {
    this.#count(nowMs);
    return this.#left >= 1;
  }

  /** Takes one; false when none is left for now. */
  take(nowMs: number): boolean {
    if (!this.has(nowMs)) return false;
    this.#left -= 1;
    return true;
  }

  #count(nowMs: number): void {
    // A clock that was set back grants nothing and takes nothing.
    const elapsed = Math.floor(Math.max(0, nowMs - this.#countedAtMs) / this.#pauseMs);
    if (elapsed > 0 || nowMs < this.#countedAtMs) this.#countedAtMs = nowMs;
    this.#left = Math.min(this.#atOnce, this.#left + elapsed);
  }
}
