import type { ReactiveController, ReactiveControllerHost } from 'lit';

/** Measures how long a button is held, by pointer, Enter or Space; fires once when the time is full. */
export class HoldController implements ReactiveController {
  /** 0 to 1. */
  progress = 0;
  #host: ReactiveControllerHost;
  #durationMs: number;
  #done: () => void;
  #startedAt: number | null = null;
  #frame = 0;

  constructor(host: ReactiveControllerHost, durationMs: number, done: () => void) {
    this.#host = host;
    this.#durationMs = durationMs;
    this.#done = done;
    host.addController(this);
  }

  get holding(): boolean {
    return this.#startedAt !== null;
  }

  hostDisconnected(): void {
    this.cancel();
  }

  begin(): void {
    if (this.#startedAt !== null) return;
    this.#startedAt = performance.now();
    this.#step();
  }

  cancel(): void {
    cancelAnimationFrame(this.#frame);
    this.#startedAt = null;
    this.progress = 0;
    this.#host.requestUpdate();
  }

  #step = (): void => {
    if (this.#startedAt === null) return;
    this.progress = Math.min(1, (performance.now() - this.#startedAt) / this.#durationMs);
    this.#host.requestUpdate();
    if (this.progress < 1) {
      this.#frame = requestAnimationFrame(this.#step);
      return;
    }
    this.cancel();
    this.#done();
  };
}
