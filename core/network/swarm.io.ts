import type { Connection, IdentifyResult, Libp2p, PeerId } from '@libp2p/interface';
import { multiaddr } from '@multiformats/multiaddr';
import { hex } from '../base/bytes.ts';
import { TransientError } from '../base/errors.ts';
import { parseTransportKey, type TransportKey } from '../base/ids.ts';
import type { Secret } from '../base/secret.ts';
import { compareForDial, formatTcpAddress, inTellingOrder, parseTcpAddress, type TcpAddress } from './addresses.ts';
import { channelClosed, StreamChannel } from './frame-channel.io.ts';
import { NETWORK_LIMITS, type NetworkLimits } from './limits.ts';
import { expandWildcards, planListen } from './listen.io.ts';
import { createNode } from './node.io.ts';
import { SwarmPubsub } from './pubsub.io.ts';
import type { Pubsub } from './pubsub.ts';
import type { DialTarget, FrameChannel, ServeOptions, Swarm, SwarmListener } from './swarm.ts';
import { createTransportSigner, peerIdOf, type TransportSigner, transportKeyOf } from './transport-key.ts';

export interface SwarmOptions {
  /** 32 bytes, Ed25519 (RFC 8032). The swarm keeps its own guarded copy until `stop`. */
  readonly transportSeed: Secret;
  /** Multiaddrs `/ip4|ip6/.../tcp/...`; empty: every interface. Port 0: `lastPorts`, else a free one. */
  readonly listen: readonly string[];
  readonly lastPorts: readonly number[];
  readonly limits?: Partial<NetworkLimits>;
  /** Takes what a listener or the taker of a channel throws: it must not end the process, nor reach the others. */
  readonly onFault?: (fault: unknown) => void;
}

interface Served {
  readonly onChannel: (channel: FrameChannel) => void;
  readonly options: ServeOptions;
}

interface ConnectedPeer {
  readonly key: TransportKey;
  addresses: string[];
}

/** The swarm over libp2p: TCP, Noise, Yamux, identify, ping. */
export function createSwarm(options: SwarmOptions): Swarm {
  return new Libp2pSwarm(options);
}

class Libp2pSwarm implements Swarm {
  readonly transportKey: TransportKey;
  readonly peerId: string;
  readonly #options: SwarmOptions;
  readonly #limits: NetworkLimits;
  readonly #signer: TransportSigner;
  readonly #served = new Map<string, Served>();
  readonly #peers = new Map<string, ConnectedPeer>();
  readonly #channels = new Map<string, Promise<FrameChannel>>();
  readonly #listeners = new Set<SwarmListener>();
  readonly #pubsub: SwarmPubsub;
  #node: Libp2p | undefined;
  #listening: TcpAddress[] = [];
  #lastTold = '';
  #poll: NodeJS.Timeout | undefined;

  constructor(options: SwarmOptions) {
    this.#options = options;
    this.#limits = { ...NETWORK_LIMITS, ...options.limits };
    this.#signer = createTransportSigner(options.transportSeed);
    this.transportKey = parseTransportKey(this.#signer.key.publicKey.raw);
    this.peerId = peerIdOf(this.transportKey).toString();
    const onFault = (fault: unknown) => options.onFault?.(fault);
    this.#pubsub = new SwarmPubsub({ key: this.#signer.key, limits: this.#limits, onFault });
  }

  async start(): Promise<void> {
    const listening = await planListen(this.#options.listen, this.#options.lastPorts);
    const node = await createNode({
      key: this.#signer.key,
      listen: listening.map(formatTcpAddress),
      announce: () => this.addresses(),
      limits: this.#limits,
    });
    this.#listening = listening;
    node.addEventListener('peer:connect', event => this.#onConnect(event.detail));
    node.addEventListener('peer:disconnect', event => this.#onDisconnect(event.detail));
    node.addEventListener('peer:identify', event => this.#onIdentify(event.detail));
    for (const [protocol, served] of this.#served) await this.#handle(node, protocol, served);
    this.#node = node;
    await node.start();
    this.#pubsub.start(node);
    this.#lastTold = this.addresses().join();
    this.#poll = setInterval(() => this.#lookAtInterfaces(), this.#limits.interfacePollMs);
    this.#poll.unref();
  }

  async stop(): Promise<void> {
    const node = this.#node;
    clearInterval(this.#poll);
    this.#node = undefined;
    this.#listening = [];
    await this.#pubsub.stop();
    if (node) await Promise.resolve(node.stop()).catch(() => undefined);
    this.#signer.wipe();
  }

  addresses(): string[] {
    return inTellingOrder(expandWildcards(this.#listening));
  }

  listenPorts(): number[] {
    return [...new Set(this.#listening.map(address => address.port))];
  }

  async dial(target: DialTarget, signal?: AbortSignal): Promise<void> {
    const node = this.#node;
    if (!node) throw unreachable();
    if (this.isConnected(target.transportKey)) return;
    const peer = peerIdOf(target.transportKey);
    const addresses = target.addresses.flatMap(text => parseTcpAddress(text) ?? []).sort(compareForDial);
    if (addresses.length === 0) throw unreachable();
    const addrs = addresses
      .slice(0, this.#limits.addressesPerDial)
      .map(address => multiaddr(`${formatTcpAddress(address)}/p2p/${peer}`));
    // A signal of the caller replaces libp2p's own time limit, so both are given.
    const bound = AbortSignal.timeout(this.#limits.dialTimeoutMs);
    try {
      await node.dial(addrs, { signal: signal ? AbortSignal.any([signal, bound]) : bound });
    } catch (error) {
      // The peer may have come to us meanwhile.
      if (this.isConnected(target.transportKey)) return;
      await this.#forget(node, peer);
      throw unreachable(error);
    }
  }

  isConnected(peer: TransportKey): boolean {
    return this.#peers.has(hex(peer));
  }

  connectedPeers(): TransportKey[] {
    return [...this.#peers.values()].map(peer => peer.key);
  }

  remoteAddresses(peer: TransportKey): string[] {
    return [...(this.#peers.get(hex(peer))?.addresses ?? [])];
  }

  async disconnect(peer: TransportKey): Promise<void> {
    const signal = AbortSignal.timeout(this.#limits.closeTimeoutMs);
    await this.#node?.hangUp(peerIdOf(peer), { signal }).catch(() => undefined);
  }

  on(listener: SwarmListener): () => void {
    this.#listeners.add(listener);
    return () => void this.#listeners.delete(listener);
  }

  channel(peer: TransportKey, protocol: string): Promise<FrameChannel> {
    const name = `${hex(peer)} ${protocol}`;
    const open = this.#channels.get(name);
    if (open) return open.then(channel => (channel.closed ? this.#reopen(name, open, peer, protocol) : channel));
    const opening = this.#open(peer, protocol);
    this.#channels.set(name, opening);
    opening.catch(() => this.#drop(name, opening));
    return opening;
  }

  async serve(protocol: string, onChannel: Served['onChannel'], options: ServeOptions = {}): Promise<void> {
    const served = { onChannel, options };
    this.#served.set(protocol, served);
    if (this.#node) await this.#handle(this.#node, protocol, served);
  }

  pubsub(): Pubsub {
    return this.#pubsub;
  }

  #reopen(name: string, dead: Promise<FrameChannel>, peer: TransportKey, protocol: string): Promise<FrameChannel> {
    this.#drop(name, dead);
    return this.channel(peer, protocol);
  }

  #drop(name: string, channel: Promise<FrameChannel>): void {
    if (this.#channels.get(name) === channel) this.#channels.delete(name);
  }

  async #open(peer: TransportKey, protocol: string): Promise<FrameChannel> {
    const connection = this.#liveConnection(peer);
    try {
      const signal = AbortSignal.timeout(this.#limits.negotiationTimeoutMs);
      const maxOutboundStreams = this.#limits.streamsPerProtocol;
      return new StreamChannel(
        await connection.newStream(protocol, { signal, maxOutboundStreams }),
        peer,
        this.#limits,
      );
    } catch (error) {
      throw unreachable(error);
    }
  }

  #liveConnection(peer: TransportKey): Connection {
    const connections = this.#node?.getConnections(peerIdOf(peer)) ?? [];
    const connection = connections.find(candidate => candidate.status === 'open');
    if (!connection) throw channelClosed();
    return connection;
  }

  #handle(node: Libp2p, protocol: string, { onChannel, options }: Served): Promise<void> {
    const maxInboundStreams = options.maxInbound ?? this.#limits.streamsPerProtocol;
    const maxOutboundStreams = this.#limits.streamsPerProtocol;
    return node.handle(
      protocol,
      (stream, connection) => {
        const key = transportKeyOf(connection.remotePeer);
        if (key) this.#guard(() => onChannel(new StreamChannel(stream, key, this.#limits)));
      },
      { maxInboundStreams, maxOutboundStreams },
    );
  }

  #onConnect(peer: PeerId): void {
    const key = transportKeyOf(peer);
    if (!key || this.isConnected(key)) return;
    this.#peers.set(hex(key), { key, addresses: [] });
    this.#pubsub.met(peer);
    this.#tell(listener => listener.connected?.(key));
  }

  #onDisconnect(peer: PeerId): void {
    const key = transportKeyOf(peer);
    if (this.#node) void this.#forget(this.#node, peer);
    this.#pubsub.lost(peer);
    if (!key || !this.#peers.delete(hex(key))) return;
    for (const name of this.#channels.keys()) if (name.startsWith(hex(key))) this.#channels.delete(name);
    this.#tell(listener => listener.disconnected?.(key));
  }

  #onIdentify(result: IdentifyResult): void {
    const key = transportKeyOf(result.peerId);
    const peer = key && this.#peers.get(hex(key));
    if (!peer) return;
    const addresses = result.listenAddrs.flatMap(address => parseTcpAddress(address.toString()) ?? []);
    peer.addresses = inTellingOrder(addresses).slice(0, this.#limits.addressesPerDial);
    this.#tell(listener => listener.identified?.(peer.key));
  }

  /** libp2p remembers every peer it met for hours; addresses are the business of the contacts' cards. */
  async #forget(node: Libp2p, peer: PeerId): Promise<void> {
    await node.peerStore.delete(peer).catch(() => undefined);
  }

  #lookAtInterfaces(): void {
    const now = this.addresses().join();
    if (now === this.#lastTold) return;
    this.#lastTold = now;
    this.#tell(listener => listener.addressesChanged?.());
  }

  #tell(what: (listener: SwarmListener) => void): void {
    for (const listener of [...this.#listeners]) this.#guard(() => what(listener));
  }

  #guard(run: () => void): void {
    try {
      run();
    } catch (fault) {
      this.#options.onFault?.(fault);
    }
  }
}

function unreachable(cause?: unknown): TransientError {
  return new TransientError('unreachable', 'network.dial', 'This peer cannot be reached now.', cause);
}
