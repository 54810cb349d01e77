import type { NetworkLimits } from './limits.ts';

interface Entry {
  readonly count: number;
  readonly atMs: number;
}

interface LedgerOptions {
  /** Peers remembered; the one noted longest ago is forgotten first. */
  readonly peers: number;
  /** One thing noted is forgiven after so long. */
  readonly forgiveMs: number;
}

interface BlameOptions extends LedgerOptions {
  /** Strange messages of one peer that are passed over; each further one counts as rejected. */
  readonly strange: number;
  readonly forgiveStrangeMs: number;
}

/** One rejected message takes a peer out of every mesh; three, and nothing it sends is read (GOSSIP_THRESHOLDS). */
const WEIGHT = 10;

/** Below 0 no peer is in a mesh; libp2p's names for what follows further down. */
export const GOSSIP_THRESHOLDS = { gossip: -10, publish: -50, graylist: -80 } as const;

/** Who sent what had to be rejected. Kept across reconnections, which libp2p's own topic scores would not be. */
export class GossipBlame {
  readonly #strangeMost: number;
  readonly #rejected: Ledger;
  readonly #strange: Ledger;

  constructor({ peers, forgiveMs, strange, forgiveStrangeMs }: BlameOptions) {
    this.#strangeMost = strange;
    this.#rejected = new Ledger({ peers, forgiveMs });
    this.#strange = new Ledger({ peers, forgiveMs: forgiveStrangeMs });
  }

  reject(peer: string, nowMs: number): void {
    this.#rejected.note(peer, nowMs);
  }

  /** Its clock, or ours, may be wrong, or it has not heard yet of what we heard: once in a while, but not all the time. */
  strange(peer: string, nowMs: number): void {
    if (this.#strange.count(peer, nowMs) + 1 > this.#strangeMost) this.reject(peer, nowMs);
    else this.#strange.note(peer, nowMs);
  }

  /** 0 for nobody's fault, else below: -10, -40, -90 and so on, rising again with time. */
  score(peer: string, nowMs: number): number {
    const count = this.#rejected.count(peer, nowMs);
    return count === 0 ? 0 : -WEIGHT * count * count;
  }
}

export function blameOf(limits: NetworkLimits): BlameOptions {
  return {
    peers: limits.gossipBlamed,
    forgiveMs: limits.gossipForgiveMs,
    strange: limits.gossipStrange,
    forgiveStrangeMs: limits.gossipForgiveStrangeMs,
  };
}

/** Counts by peer that wear off with time. */
class Ledger {
  readonly #options: LedgerOptions;
  readonly #entries = new Map<string, Entry>();

  constructor(options: LedgerOptions) {
    this.#options = options;
  }

  note(peer: string, nowMs: number): void {
    const count = this.count(peer, nowMs) + 1;
    this.#entries.delete(peer);
    this.#entries.set(peer, { count, atMs: nowMs });
    for (const oldest of this.#entries.keys()) {
      if (this.#entries.size <= this.#options.peers) break;
      this.#entries.delete(oldest);
    }
  }

  count(peer: string, nowMs: number): number {
    const entry = this.#entries.get(peer);
    if (!entry) return 0;
    const left = entry.count - Math.max(0, nowMs - entry.atMs) / this.#options.forgiveMs;
    if (left <= 0) this.#entries.delete(peer);
    return Math.max(0, left);
  }
}
