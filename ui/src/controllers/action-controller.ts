import type { ReactiveController, ReactiveControllerHost } from 'lit';
import { messageOf } from '../rpc.ts';

/** One thing a person started: whether it runs, and what went wrong. A second start while it runs is ignored. */
export class ActionController implements ReactiveController {
  busy = false;
  error = '';
  #host: ReactiveControllerHost;

  constructor(host: ReactiveControllerHost) {
    this.#host = host;
    host.addController(this);
  }

  hostConnected(): void {}

  /** Says what is wrong without starting anything. */
  refuse(error: string): void {
    this.error = error;
    this.#host.requestUpdate();
  }

  /** @returns true when `run` succeeded */
  async run(run: () => Promise<unknown>): Promise<boolean> {
    if (this.busy) return false;
    this.busy = true;
    this.refuse('');
    try {
      await run();
      return true;
    } catch (error) {
      this.error = messageOf(error);
      return false;
    } finally {
      this.busy = false;
      this.#host.requestUpdate();
    }
  }
}
