import { DAY_MS, SECOND_MS } from '../core/base/clock.ts';

const BREAK_SHARE = 0.003;
const CARRIED_AGAIN_SHARE = 0.02;
const CONNECT_MS = 20 * SECOND_MS;
const RECONNECT_MS = 30 * SECOND_MS;

/** What goes wrong between programs, drawn from the seed, and how often it did. */
export class Weather {
  readonly counts = {
    connections: 0,
    frames: 0,
    /** Frames that broke their connection, and frames that were under way on a connection that ended. */
    framesLost: 0,
    connectionsBroken: 0,
    /** Frames that arrived before one sent earlier on the same connection. */
    framesOvertaking: 0,
    connectionsParted: 0,
    /** Connections that a partition kept from being made. */
    connectionsPrevented: 0,
    /** Copies handed over once more, days after the first. */
    carriedDaysLater: 0,
  };
  readonly #number: () => number;

  constructor(number: () => number) {
    this.#number = number;
  }

  delayMs(): number {
    return 20 + Math.floor(this.#number() * 480);
  }

  breaks(): boolean {
    return this.#number() < BREAK_SHARE;
  }

  connectMs(again: boolean): number {
    return SECOND_MS + this.#number() * (again ? RECONNECT_MS : CONNECT_MS);
  }

  /** When someone hands over a copy of this envelope once more, if anyone does. */
  carriedAgainMs(): number | undefined {
    return this.#number() < CARRIED_AGAIN_SHARE ? this.#number() * 3 * DAY_MS : undefined;
  }
}
