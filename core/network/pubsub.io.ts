import type { Libp2p, PeerId, PrivateKey } from '@libp2p/interface';
import type { TransportKey } from '../base/ids.ts';
import type { Gossip } from './gossip.io.ts';
import type { NetworkLimits } from './limits.ts';
import { checkJoin, checkPublish, type OnMessage, type Pubsub, type Topic, type Verdict } from './pubsub.ts';
import { peerIdOf, transportKeyOf } from './transport-key.ts';

interface PubsubOptions {
  readonly key: PrivateKey;
  readonly limits: NetworkLimits;
  readonly onFault: (fault: unknown) => void;
}

interface Joined {
  readonly onMessage: OnMessage;
}

/** Topics joined on a swarm. A profile without groups never joins one, and then gossipsub is not even loaded. */
export class SwarmPubsub implements Pubsub {
  readonly #options: PubsubOptions;
  readonly #topics = new Map<Topic, Joined>();
  #node: Libp2p | undefined;
  #loading: Promise<void> | undefined;
  #gossip: Gossip | undefined;

  constructor(options: PubsubOptions) {
    this.#options = options;
  }

  join(topic: Topic, onMessage: OnMessage): () => void {
    checkJoin(this.#topics, topic);
    const joined = { onMessage };
    this.#topics.set(topic, joined);
    this.#gossip?.join(topic);
    this.#load();
    return () => {
      if (this.#topics.get(topic) !== joined) return;
      this.#topics.delete(topic);
      this.#gossip?.leave(topic);
    };
  }

  async publish(topic: Topic, bytes: Uint8Array): Promise<number> {
    checkPublish(this.#topics, topic, bytes);
    await this.#loading;
    return this.#topics.has(topic) ? ((await this.#gossip?.publish(topic, bytes)) ?? 0) : 0;
  }

  peersOf(topic: Topic): number {
    return this.#topics.has(topic) ? (this.#gossip?.peersOf(topic) ?? 0) : 0;
  }

  takesPart(topic: Topic, peer: TransportKey): boolean {
    return this.#topics.has(topic) && (this.#gossip?.takesPart(topic, peerIdOf(peer)) ?? false);
  }

  start(node: Libp2p): void {
    this.#node = node;
    this.#load();
  }

  async stop(): Promise<void> {
    this.#node = undefined;
    await this.#loading;
    const gossip = this.#gossip;
    this.#gossip = undefined;
    await gossip?.stop().catch(this.#options.onFault);
  }

  met(peer: PeerId): void {
    this.#gossip?.met(peer);
  }

  lost(peer: PeerId): void {
    this.#gossip?.lost(peer);
  }

  #load(): void {
    if (!this.#node || this.#topics.size === 0) return;
    this.#loading ??= this.#run(this.#node).catch(this.#options.onFault);
  }

  async #run(node: Libp2p): Promise<void> {
    const { key, limits } = this.#options;
    const { Gossip } = await import('./gossip.io.ts');
    const gossip = await Gossip.start({ node, key, limits, judge: (...message) => this.#judge(...message) });
    this.#gossip = gossip;
    for (const topic of this.#topics.keys()) gossip.join(topic);
  }

  async #judge(topic: Topic, bytes: Uint8Array, from: PeerId): Promise<Verdict> {
    const key = transportKeyOf(from);
    const joined = this.#topics.get(topic);
    if (!key || !joined) return 'ignore';
    try {
      return await joined.onMessage(bytes, key);
    } catch (fault) {
      this.#options.onFault(fault);
      return 'ignore';
    }
  }
}
