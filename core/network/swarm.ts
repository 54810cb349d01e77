import type { TransportKey } from '../base/ids.ts';
import type { Pubsub } from './pubsub.ts';

/**
 * A long-lived, ordered, two-way stream of frames to one peer. Frames are 1 to LIMITS.frameBytes long.
 * A frame that was sent may still be lost with the connection: what must arrive is acknowledged above.
 */
export interface FrameChannel {
  readonly peer: TransportKey;
  readonly closed: boolean;
  /**
   * Takes the frame into the bounded send queue; waits while the queue is full.
   * The bytes must not be changed afterwards.
   * @throws TransientError the channel is closed; UsageError the frame is empty or too large
   */
  send(frame: Uint8Array): Promise<void>;
  /**
   * What the peer sends, in order, for one reader. A reader that stops reading stops the peer.
   * Ends with the channel; throws DecodeError when the peer broke the framing (the stream is then reset).
   */
  readonly frames: AsyncIterable<Uint8Array>;
  /** Sends what is queued, then ends both directions. Never throws. */
  close(): Promise<void>;
}

export interface SwarmListener {
  connected?(peer: TransportKey): void;
  disconnected?(peer: TransportKey): void;
  /** The peer has said where it listens: `remoteAddresses` is up to date. */
  identified?(peer: TransportKey): void;
  addressesChanged?(): void;
}

export interface DialTarget {
  readonly transportKey: TransportKey;
  /** Multiaddrs `/ip4|ip6/.../tcp/...`; others are passed over. */
  readonly addresses: readonly string[];
}

export interface ServeOptions {
  /** Streams of this protocol one connection may hold open towards us. */
  readonly maxInbound?: number;
}

/** Connections to peers, named by their transport keys. One implementation is libp2p, one is simulated. */
export interface Swarm {
  readonly transportKey: TransportKey;
  /** The transport key in libp2p's own spelling. */
  readonly peerId: string;
  /** @throws UsageError a listen address is malformed or in use */
  start(): Promise<void>;
  /** Closes every connection and wipes the key: the swarm is spent. Never throws; may be called twice. */
  stop(): Promise<void>;
  /** Where this node listens, wildcards expanded; public first, then private, loopback last. */
  addresses(): string[];
  /** Ports in use, to be offered as `lastPorts` at the next start. */
  listenPorts(): number[];
  /**
   * Connects, unless connected. Bounded in time; the peer must prove the transport key.
   * @throws TransientError no address led to the peer
   */
  dial(target: DialTarget, signal?: AbortSignal): Promise<void>;
  isConnected(peer: TransportKey): boolean;
  connectedPeers(): TransportKey[];
  /** Where a connected peer says it listens; empty until `identified`. Unproven: hints to try, no more. */
  remoteAddresses(peer: TransportKey): string[];
  disconnect(peer: TransportKey): Promise<void>;
  on(listener: SwarmListener): () => void;
  /**
   * The one outgoing channel to a connected peer, opened at first use and again after loss.
   * @throws TransientError not connected, or the peer does not serve the protocol
   */
  channel(peer: TransportKey, protocol: string): Promise<FrameChannel>;
  /** Answers a protocol. `onChannel` owns the channel; called before or after `start`. */
  serve(protocol: string, onChannel: (channel: FrameChannel) => void, options?: ServeOptions): Promise<void>;
  /** The same at each call. Topics may be joined before `start`; nobody is there until then, nor after `stop`. */
  pubsub(): Pubsub;
}
