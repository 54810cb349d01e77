import { asBuffer, hex } from '../../core/base/bytes.ts';
import { blake2b } from '../../core/base/hash.ts';
import type { TransportKey } from '../../core/base/ids.ts';
import { blameOf, GOSSIP_THRESHOLDS, GossipBlame } from '../../core/network/gossip-blame.ts';
import { NETWORK_LIMITS } from '../../core/network/limits.ts';
import { checkJoin, checkPublish, type OnMessage, type Pubsub, type Topic } from '../../core/network/pubsub.ts';

/** Messages remembered, so that none comes twice: more than are ever under way. */
const SEEN = 4_096;

/** How one node of the network in memory reaches those it is connected to. */
export interface GossipWays {
  readonly self: TransportKey;
  neighbours(): readonly MemoryPubsub[];
  /** Brings it there after the weather's delay, each message by itself, or not at all. */
  carry(to: TransportKey, arrive: () => void): void;
  nowMs(): number;
}

/**
 * Gossip in memory: every node sends what it accepts to all its neighbours in the topic. What the weather loses stays
 * lost, where libp2p's neighbours would tell of it and be asked.
 */
export class MemoryPubsub implements Pubsub {
  readonly #ways: GossipWays;
  readonly #topics = new Map<Topic, { readonly onMessage: OnMessage }>();
  readonly #seen = new Set<string>();
  readonly #blame = new GossipBlame(blameOf(NETWORK_LIMITS));

  constructor(ways: GossipWays) {
    this.#ways = ways;
  }

  join(topic: Topic, onMessage: OnMessage): () => void {
    checkJoin(this.#topics, topic);
    const joined = { onMessage };
    this.#topics.set(topic, joined);
    return () => {
      if (this.#topics.get(topic) === joined) this.#topics.delete(topic);
    };
  }

  async publish(topic: Topic, bytes: Uint8Array): Promise<number> {
    checkPublish(this.#topics, topic, bytes);
    if (this.peersOf(topic) === 0 || !this.#notSeen(bytes)) return 0;
    return this.#spread(topic, Uint8Array.from(bytes), undefined);
  }

  peersOf(topic: Topic): number {
    return this.#topics.has(topic) ? this.#ways.neighbours().filter(other => other.joined(topic)).length : 0;
  }

  takesPart(topic: Topic, peer: TransportKey): boolean {
    const isPeer = ({ key }: MemoryPubsub) => asBuffer(key).equals(peer);
    return this.#topics.has(topic) && this.#ways.neighbours().some(other => isPeer(other) && other.joined(topic));
  }

  joined(topic: Topic): boolean {
    return this.#topics.has(topic);
  }

  get key(): TransportKey {
    return this.#ways.self;
  }

  async receive(topic: Topic, bytes: Uint8Array, from: TransportKey): Promise<void> {
    const joined = this.#topics.get(topic);
    if (!joined || this.#score(from) <= GOSSIP_THRESHOLDS.graylist || !this.#notSeen(bytes)) return;
    const verdict = await Promise.resolve(joined.onMessage(bytes, from)).catch(() => 'ignore' as const);
    if (verdict === 'strange') this.#blame.strange(hex(from), this.#ways.nowMs());
    if (verdict === 'reject') this.#blame.reject(hex(from), this.#ways.nowMs());
    if (verdict === 'accept') this.#spread(topic, bytes, from);
  }

  #spread(topic: Topic, bytes: Uint8Array, from: TransportKey | undefined): number {
    const others = this.#ways
      .neighbours()
      .filter(({ key }) => !from || !asBuffer(key).equals(from))
      .filter(other => other.joined(topic) && this.#score(other.key) > GOSSIP_THRESHOLDS.publish);
    for (const other of others) this.#ways.carry(other.key, () => void other.receive(topic, bytes, this.#ways.self));
    return others.length;
  }

  #score(peer: TransportKey): number {
    return this.#blame.score(hex(peer), this.#ways.nowMs());
  }

  #notSeen(bytes: Uint8Array): boolean {
    const id = hex(blake2b(32, bytes));
    if (this.#seen.has(id)) return false;
    this.#seen.add(id);
    if (this.#seen.size > SEEN) this.#seen.delete(this.#seen.values().next().value as string);
    return true;
  }
}
