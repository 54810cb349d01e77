import type { Clock } from '../base/clock.ts';
import { LIMITS } from '../base/limits.ts';

/**
 * Peers whose connections ended, and when. Those lost at about one time were mostly lost for one reason, a network that came
 * apart say: when one of them is back, so may the others be, and they need not be waited for as long as for the absent.
 */
export class LostTogether<Peer> {
  readonly #clock: Clock;
  readonly #lostAtMs = new Map<Peer, number>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  lost(peer: Peer): void {
    this.#lostAtMs.delete(peer);
    this.#lostAtMs.set(peer, this.#clock());
    for (const oldest of this.#lostAtMs.keys()) {
      if (this.#lostAtMs.size <= LIMITS.lostPeers) break;
      this.#lostAtMs.delete(oldest);
    }
  }

  /** @returns the others that were lost with it and have not come back */
  back(peer: Peer): Peer[] {
    const lostAtMs = this.#lostAtMs.get(peer);
    if (lostAtMs === undefined) return [];
    this.#lostAtMs.delete(peer);
    const together = ([, atMs]: [Peer, number]) => Math.abs(atMs - lostAtMs) <= LIMITS.lostTogetherMs;
    return [...this.#lostAtMs].filter(together).map(([other]) => other);
  }
}
