import type { ReactiveController, ReactiveControllerHost } from 'lit';

/** Renders its host once a second while `until()` lies ahead: for countdowns. */
export class TickController implements ReactiveController {
  #host: ReactiveControllerHost;
  #until: () => number;
  #timer = 0;

  constructor(host: ReactiveControllerHost, until: () => number) {
    this.#host = host;
    this.#until = until;
    host.addController(this);
  }

  hostUpdated(): void {
    window.clearTimeout(this.#timer);
    const left = this.#until() - Date.now();
    // Wakes just after the shown second changes, so that no second is skipped.
    if (left > 0) this.#timer = window.setTimeout(() => this.#host.requestUpdate(), (left % 1000) + 5);
  }

  hostDisconnected(): void {
    window.clearTimeout(this.#timer);
  }
}
