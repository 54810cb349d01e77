import { setTimeout as delay } from 'node:timers/promises';
import { type GossipSub, type GossipSubComponents, type GossipsubOpts, gossipsub, multicodec } from '@libp2p/gossipsub';
import type { RPC } from '@libp2p/gossipsub/message';
import type { Libp2p, PeerId, PrivateKey } from '@libp2p/interface';
import { blake2b } from '../base/hash.ts';
import { LIMITS } from '../base/limits.ts';
import { systemMonotonic } from '../base/world.io.ts';
import { blameOf, GOSSIP_THRESHOLDS, GossipBlame } from './gossip-blame.ts';
import { GossipDoor } from './gossip-door.io.ts';
import { boundCaches, cachesOf, type GossipCaches } from './gossip-memory.ts';
import { GossipWindow } from './gossip-window.ts';
import type { NetworkLimits } from './limits.ts';
import type { Topic, Verdict } from './pubsub.ts';

interface GossipOptions {
  readonly node: Libp2p;
  readonly key: PrivateKey;
  readonly limits: NetworkLimits;
  /** Asked once a message, and passed on only then. Never throws. */
  readonly judge: (topic: Topic, bytes: Uint8Array, from: PeerId) => Promise<Verdict>;
}

/** Gossipsub on a running node. This file is loaded when the first topic is joined, and gossipsub with it. */
export class Gossip {
  readonly #options: GossipOptions;
  readonly #blame: GossipBlame;
  readonly #door: GossipDoor;
  readonly #router: GossipSub & Runs;
  readonly #caches: GossipCaches;

  private constructor(options: GossipOptions) {
    const { node, key, limits } = options;
    this.#options = options;
    this.#blame = new GossipBlame(blameOf(limits));
    this.#door = new GossipDoor(node, limits, multicodec);
    const components = componentsOf(node, key, this.#door);
    const dataTransform: GossipsubOpts['dataTransform'] = {
      inboundTransform: (topic, data) => this.#onlyJoined(topic, data),
      outboundTransform: (_, data) => data,
    };
    const create = gossipsub({ ...settings(limits), ...this.#scoring(limits), dataTransform });
    this.#router = create(components) as GossipSub & Runs;
    this.#caches = cachesOf(this.#router);
    // Everybody here speaks the newest version; each further name would be another way in.
    this.#router.protocols = [multicodec];
  }

  static async start(options: GossipOptions): Promise<Gossip> {
    const gossip = new Gossip(options);
    await gossip.#router.start();
    for (const peer of options.node.getPeers()) gossip.met(peer);
    return gossip;
  }

  /** A peer that takes nothing any more is not waited for: its connection ends next. */
  async stop(): Promise<void> {
    const tooLong = delay(this.#options.limits.closeTimeoutMs, undefined, { ref: false });
    await Promise.race([this.#router.stop(), tooLong]);
  }

  met(peer: PeerId): void {
    void this.#door.met(peer);
  }

  lost(peer: PeerId): void {
    this.#door.lost(peer);
  }

  join(topic: Topic): void {
    this.#router.topicValidators.set(topic, async (from, { data }) => this.#validate(topic, data, from));
    this.#router.subscribe(topic);
  }

  leave(topic: Topic): void {
    this.#router.unsubscribe(topic);
    this.#router.topicValidators.delete(topic);
  }

  peersOf(topic: Topic): number {
    return this.#router.getSubscribers(topic).length;
  }

  takesPart(topic: Topic, peer: PeerId): boolean {
    return this.#router.getSubscribers(topic).some(other => other.equals(peer));
  }

  async publish(topic: Topic, bytes: Uint8Array): Promise<number> {
    // gossipsub takes a message for sent even if there was nobody, and would not send it again.
    if (this.peersOf(topic) === 0) return 0;
    return (await this.#router.publish(topic, bytes)).recipients.length;
  }

  /** gossipsub would keep, and count as seen, what nobody here wants. One who has not yet heard that we left is no foe. */
  #onlyJoined(topic: string, data: Uint8Array): Uint8Array {
    if (!this.#router.topicValidators.has(topic)) throw new Error('not joined');
    return data;
  }

  async #validate(topic: Topic, bytes: Uint8Array, from: PeerId): Promise<GossipVerdict> {
    boundCaches(this.#caches, this.#options.limits.gossipSeen);
    const fits = bytes.length > 0 && bytes.length <= LIMITS.envelopeBytes;
    const verdict = fits ? await this.#options.judge(topic, bytes, from) : 'reject';
    if (verdict === 'reject') this.#blame.reject(from.toString(), systemMonotonic());
    if (verdict === 'strange') this.#blame.strange(from.toString(), systemMonotonic());
    return (verdict === 'strange' ? 'ignore' : verdict) as GossipVerdict;
  }

  /** gossipsub's scores by topic need each topic's name beforehand; ours are by peer, whatever the topic. */
  #scoring(limits: NetworkLimits): Partial<GossipsubOpts> {
    return {
      scoreParams: {
        appSpecificScore: peer => this.#blame.score(peer, systemMonotonic()),
        appSpecificWeight: 1,
        // A household, or all customers of a carrier, share an address.
        IPColocationFactorWeight: 0,
        // Joining a mesh too early, and ids told of a message that never came: honest peers do so once in a while.
        behaviourPenaltyThreshold: 4,
        behaviourPenaltyDecay: 0.9,
        retainScore: limits.gossipScoreKeptMs,
      },
      scoreThresholds: {
        gossipThreshold: GOSSIP_THRESHOLDS.gossip,
        publishThreshold: GOSSIP_THRESHOLDS.publish,
        graylistThreshold: GOSSIP_THRESHOLDS.graylist,
        // Nobody's advice whom to dial is taken.
        acceptPXThreshold: Number.MAX_VALUE,
        opportunisticGraftThreshold: 0,
      },
    };
  }
}

/** What gossipsub's own type leaves out. */
interface Runs {
  start(): Promise<void>;
  stop(): Promise<void>;
}

type Validator = GossipSub['topicValidators'] extends Map<string, infer V> ? V : never;
/** An enum whose values are our words. */
type GossipVerdict = Awaited<ReturnType<Validator>>;

function componentsOf(node: Libp2p, privateKey: PrivateKey, door: GossipDoor): GossipSubComponents {
  const { peerId, peerStore, logger } = node;
  const connectionManager: Pick<GossipSubComponents['connectionManager'], 'openConnection'> = {
    openConnection: () => Promise.reject(new Error('gossip dials nobody')),
  };
  return {
    privateKey,
    peerId,
    peerStore,
    logger,
    registrar: door.registrar,
    connectionManager: connectionManager as GossipSubComponents['connectionManager'],
  };
}

function settings(limits: NetworkLimits): Partial<GossipsubOpts> {
  return {
    // Who wrote a message is inside it, sealed; outside there is no author, no number and no signature.
    globalSignaturePolicy: 'StrictNoSign',
    msgIdFn: ({ data }) => blake2b(32, data),
    msgIdToStrFn: id => Buffer.from(id).toString('latin1'),
    fallbackToFloodsub: false,
    floodPublish: true,
    allowPublishToZeroTopicPeers: true,
    ignoreDuplicatePublishError: true,
    emitSelf: false,
    doPX: false,
    // Tags would write the names of topics beside the names of peers, and keep connections that others need.
    tagMeshPeers: false,
    ...meshSettings(limits),
    // One piece after another is handled, so that the next is only read then.
    awaitRpcHandler: true,
    awaitRpcMessageHandler: true,
    messageCache: windowOf(limits),
    seenTTL: limits.gossipSeenMs,
    maxInboundDataLength: limits.gossipPieceBytes,
    maxOutboundBufferSize: limits.writeBufferBytes,
    maxTopicBytesPerPeer: limits.gossipTopicBytes,
    idontwantMaxMessages: limits.gossipUnwanted,
    idontwantMinDataSize: limits.gossipUnwantedBytes,
    prunePeers: 0,
    decodeRpcLimits: {
      maxSubscriptions: limits.gossipPieceTopics,
      maxMessages: limits.gossipPieceMessages,
      maxIhaveMessageIDs: limits.gossipPieceIds,
      maxIwantMessageIDs: limits.gossipPieceIds,
      maxIdontwantMessageIDs: limits.gossipUnwanted,
      maxControlMessages: limits.gossipPieceTopics,
      maxPeerInfos: 0,
    },
  };
}

function meshSettings(limits: NetworkLimits): Partial<GossipsubOpts> {
  return {
    D: limits.meshPeers,
    Dlo: limits.meshPeersLeast,
    Dhi: limits.meshPeersMost,
    Dscore: limits.meshPeersBest,
    Dout: limits.meshPeersDialed,
    Dlazy: limits.gossipTold,
    heartbeatInterval: limits.gossipBeatMs,
    mcacheLength: limits.gossipKeptBeats,
    mcacheGossip: limits.gossipToldBeats,
    unsubcribeBackoff: limits.gossipRejoinMs,
  };
}

/** gossipsub asks for its own class, which it does not export; this has every part of it that is called. */
function windowOf(limits: NetworkLimits): GossipsubOpts['messageCache'] {
  const window = new GossipWindow<RPC.Message>({
    maxBytes: limits.gossipKeptBytes,
    keepBeats: limits.gossipKeptBeats,
    tellBeats: limits.gossipToldBeats,
  });
  return window as unknown as GossipsubOpts['messageCache'];
}
