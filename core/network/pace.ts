interface PaceOptions {
  readonly bytesPerSecond: number;
  /** Bytes that may come at once. */
  readonly burstBytes: number;
}

/** What a tiny piece costs beside its bytes; else a flood of them would count as nothing. */
const PIECE_BYTES = 64;

/** How fast one peer is read (a leaky bucket): it remembers when all that was taken would have come at the given rate. */
export class Pace {
  readonly #options: PaceOptions;
  #evenAtMs = 0;

  constructor(options: PaceOptions) {
    this.#options = options;
  }

  /** @returns milliseconds to wait before more is read */
  take(bytes: number, nowMs: number): number {
    const { bytesPerSecond, burstBytes } = this.#options;
    const costMs = ((bytes + PIECE_BYTES) * 1_000) / bytesPerSecond;
    this.#evenAtMs = Math.max(this.#evenAtMs, nowMs) + costMs;
    return Math.max(0, this.#evenAtMs - nowMs - (burstBytes * 1_000) / bytesPerSecond);
  }
}
