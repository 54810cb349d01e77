interface Blame {
  readonly count: number;
  readonly atMs: number;
}

interface BlameOptions {
  /** Peers remembered; the one blamed longest ago is forgotten first. */
  readonly peers: number;
  /** One rejected message is forgiven after so long. */
  readonly forgiveMs: number;
}

/** One rejected message takes a peer out of every mesh; three, and nothing it sends is read (GOSSIP_THRESHOLDS). */
const WEIGHT = 10;

/** Below 0 no peer is in a mesh; libp2p's names for what follows further down. */
export const GOSSIP_THRESHOLDS = { gossip: -10, publish: -50, graylist: -80 } as const;

/** Who sent what had to be rejected. Kept across reconnections, which libp2p's own topic scores would not be. */
export class GossipBlame {
  readonly #options: BlameOptions;
  readonly #blames = new Map<string, Blame>();

  constructor(options: BlameOptions) {
    this.#options = options;
  }

  reject(peer: string, nowMs: number): void {
    const count = this.#count(peer, nowMs) + 1;
    this.#blames.delete(peer);
    this.#blames.set(peer, { count, atMs: nowMs });
    for (const oldest of this.#blames.keys()) {
      if (this.#blames.size <= this.#options.peers) break;
      this.#blames.delete(oldest);
    }
  }

  /** 0 for nobody's fault, else below: -10, -40, -90 and so on, rising again with time. */
  score(peer: string, nowMs: number): number {
    const count = this.#count(peer, nowMs);
    return count === 0 ? 0 : -WEIGHT * count * count;
  }

  #count(peer: string, nowMs: number): number {
    const blame = this.#blames.get(peer);
    if (!blame) return 0;
    const left = blame.count - Math.max(0, nowMs - blame.atMs) / this.#options.forgiveMs;
    if (left <= 0) this.#blames.delete(peer);
    return Math.max(0, left);
  }
}
