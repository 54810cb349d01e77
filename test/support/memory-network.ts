import { hex } from '../../core/base/bytes.ts';
import type { Clock, Scheduler } from '../../core/base/clock.ts';
import { TransientError, UsageError } from '../../core/base/errors.ts';
import { parseTransportKey, type TransportKey } from '../../core/base/ids.ts';
import { FrameInbox } from '../../core/network/frame-inbox.ts';
import { isFrameLength } from '../../core/network/frames.ts';
import type { Pubsub } from '../../core/network/pubsub.ts';
import type { DialTarget, FrameChannel, Swarm, SwarmListener } from '../../core/network/swarm.ts';
import { MemoryPubsub } from './memory-pubsub.ts';

const RECEIVE_QUEUE_BYTES = 256 * 1024;
/** Bytes under way on one channel: a sender waits past it, as it does on a full connection. */
const FLIGHT_BYTES = 512 * 1024;

type Served = (channel: FrameChannel) => void;

export interface Weather {
  /** Milliseconds from one node to another; asked for every frame. Frames of one channel stay in order. */
  delayMs?(from: TransportKey, to: TransportKey): number;
  /** The same for gossip, where each message goes by itself and may overtake; undefined: it is lost. */
  gossipMs?(from: TransportKey, to: TransportKey): number | undefined;
}

/**
 * A network in memory: nodes, links between them, partitions and delay, all on the scheduler it is given.
 * Frames on the way are lost when their link is cut, as they are with a real connection.
 */
export class MemoryNetwork {
  readonly #nodes = new Map<string, MemorySwarm>();
  readonly #links = new Map<string, Link>();
  readonly #parted = new Set<string>();
  readonly scheduler: Scheduler;
  readonly weather: Weather;
  #ports = 1_000;
  /** For what fades with time; the scheduler's own, where the test has one. */
  readonly clock: Clock;

  constructor(scheduler: Scheduler, weather: Weather = {}, clock: Clock = () => 0) {
    this.scheduler = scheduler;
    this.weather = weather;
    this.clock = clock;
  }

  /** @param transportKey 32 bytes; @param address where it listens, else one is made up */
  createSwarm(transportKey: TransportKey, address?: string): Swarm {
    return new MemorySwarm(this, transportKey, address ?? `/ip4/10.0.0.1/tcp/${++this.#ports}`);
  }

  /** Brings a message of gossip over the link there is now; it is lost with it. */
  carry(from: TransportKey, to: TransportKey, arrive: () => void): void {
    const link = this.link(from, to);
    const delayMs = this.weather.gossipMs ? this.weather.gossipMs(from, to) : (this.weather.delayMs?.(from, to) ?? 0);
    if (delayMs === undefined || !link) return;
    this.scheduler(delayMs, () => {
      if (this.link(from, to) === link) arrive();
    });
  }

  /** Cuts what connects the two and lets no dial through until `heal`. */
  part(a: TransportKey, b: TransportKey): void {
    this.#parted.add(pairOf(a, b));
    this.cut(a, b);
  }

  heal(a: TransportKey, b: TransportKey): void {
    this.#parted.delete(pairOf(a, b));
  }

  /** The node has other addresses now, as a computer that was carried somewhere else. */
  moved(node: TransportKey): void {
    this.#nodes.get(hex(node))?.told(listener => listener.addressesChanged?.());
  }

  /** Loses the connection once, with every frame under way. */
  cut(a: TransportKey, b: TransportKey): void {
    const link = this.#links.get(pairOf(a, b));
    this.#links.delete(pairOf(a, b));
    link?.cut();
  }

  join(node: MemorySwarm): void {
    this.#nodes.set(hex(node.transportKey), node);
  }

  leave(node: MemorySwarm): void {
    this.#nodes.delete(hex(node.transportKey));
    for (const peer of node.connectedPeers()) this.cut(node.transportKey, peer);
  }

  link(a: TransportKey, b: TransportKey): Link | undefined {
    return this.#links.get(pairOf(a, b));
  }

  connect(from: MemorySwarm, target: DialTarget): void {
    const pair = pairOf(from.transportKey, target.transportKey);
    if (this.#links.has(pair)) return;
    const to = this.#nodes.get(hex(target.transportKey));
    const reachable = to?.addresses().some(address => target.addresses.includes(address));
    if (!to || to === from || !reachable || this.#parted.has(pair)) throw unreachable();
    this.#links.set(pair, new Link(this, from, to));
    from.told(listener => listener.connected?.(to.transportKey));
    to.told(listener => listener.connected?.(from.transportKey));
    from.told(listener => listener.identified?.(to.transportKey));
    to.told(listener => listener.identified?.(from.transportKey));
  }
}

/** A connection: what it carries, and how it ends. */
class Link {
  readonly #network: MemoryNetwork;
  readonly #ends: readonly [MemorySwarm, MemorySwarm];
  readonly #channels = new Set<MemoryChannel>();

  constructor(network: MemoryNetwork, a: MemorySwarm, b: MemorySwarm) {
    this.#network = network;
    this.#ends = [a, b];
  }

  other(end: MemorySwarm): MemorySwarm {
    return this.#ends[0] === end ? this.#ends[1] : this.#ends[0];
  }

  pair(opener: MemorySwarm): [MemoryChannel, MemoryChannel] {
    const other = this.other(opener);
    const near = new MemoryChannel(this.#network, opener.transportKey, other.transportKey);
    const far = new MemoryChannel(this.#network, other.transportKey, opener.transportKey);
    near.join(far);
    far.join(near);
    this.#channels.add(near).add(far);
    return [near, far];
  }

  cut(): void {
    for (const channel of this.#channels) channel.lose();
    const [a, b] = this.#ends;
    a.told(listener => listener.disconnected?.(b.transportKey));
    b.told(listener => listener.disconnected?.(a.transportKey));
  }
}

class MemoryChannel implements FrameChannel {
  readonly peer: TransportKey;
  readonly #network: MemoryNetwork;
  readonly #self: TransportKey;
  readonly #inbox: FrameInbox;
  #other: MemoryChannel | undefined;
  #closed = false;
  #heldBack = false;
  #flightBytes = 0;
  #waiting: (() => void)[] = [];
  #onTheWay: (() => void)[] = [];

  constructor(network: MemoryNetwork, self: TransportKey, peer: TransportKey) {
    this.peer = peer;
    this.#self = self;
    this.#network = network;
    this.#inbox = new FrameInbox({
      maxBytes: RECEIVE_QUEUE_BYTES,
      onFull: () => this.#other?.holdBack(true),
      onRoom: () => this.#other?.holdBack(false),
    });
  }

  get closed(): boolean {
    return this.#closed;
  }

  get frames(): AsyncIterable<Uint8Array> {
    return this.#inbox;
  }

  join(other: MemoryChannel): void {
    this.#other = other;
  }

  async send(frame: Uint8Array): Promise<void> {
    if (!isFrameLength(frame.length)) throw new UsageError('too-large', 'channel.send', 'The frame has no valid size.');
    while ((this.#heldBack || this.#flightBytes >= FLIGHT_BYTES) && !this.#closed)
      await new Promise<void>(resolve => this.#waiting.push(resolve));
    if (this.#closed) throw unreachable();
    const copy = Uint8Array.from(frame);
    this.#flightBytes += copy.length;
    this.#later(() => this.#arrive(copy));
  }

  async close(): Promise<void> {
    if (this.#closed) return;
    this.#shut();
    this.#inbox.end();
    this.#later(() => this.#other?.remoteClosed());
  }

  receive(frames: readonly Uint8Array[]): void {
    this.#inbox.push(frames);
  }

  remoteClosed(): void {
    this.#inbox.end();
    this.#shut();
  }

  /** The connection is gone, with what was under way. */
  lose(): void {
    this.#onTheWay = [];
    this.remoteClosed();
  }

  #arrive(frame: Uint8Array): void {
    this.#flightBytes -= frame.length;
    this.#other?.receive([frame]);
    this.#wake();
  }

  holdBack(held: boolean): void {
    this.#heldBack = held;
    if (!held) this.#wake();
  }

  #shut(): void {
    this.#closed = true;
    this.#wake();
  }

  #wake(): void {
    for (const resume of this.#waiting.splice(0)) resume();
  }

  /** Delays may vary; the order may not: each arrival takes the oldest of what is under way. */
  #later(arrive: () => void): void {
    this.#onTheWay.push(arrive);
    const delayMs = this.#network.weather.delayMs?.(this.#self, this.peer) ?? 0;
    this.#network.scheduler(delayMs, () => this.#onTheWay.shift()?.());
  }
}

class MemorySwarm implements Swarm {
  readonly transportKey: TransportKey;
  readonly peerId: string;
  readonly #network: MemoryNetwork;
  readonly #address: string;
  readonly #listeners = new Set<SwarmListener>();
  readonly #served = new Map<string, Served>();
  readonly #open = new Map<string, FrameChannel>();
  readonly #peers = new Map<string, TransportKey>();
  readonly gossip: MemoryPubsub;
  #started = false;

  constructor(network: MemoryNetwork, transportKey: TransportKey, address: string) {
    this.#network = network;
    this.transportKey = parseTransportKey(transportKey);
    this.peerId = `memory-${hex(transportKey)}`;
    this.#address = address;
    this.gossip = new MemoryPubsub({
      self: this.transportKey,
      neighbours: () =>
        this.connectedPeers().flatMap(peer => network.link(this.transportKey, peer)?.other(this).gossip ?? []),
      carry: (to, arrive) => network.carry(this.transportKey, to, arrive),
      nowMs: network.clock,
    });
    this.on({
      connected: peer => this.#peers.set(hex(peer), peer),
      disconnected: peer => this.#peers.delete(hex(peer)),
    });
  }

  async start(): Promise<void> {
    this.#started = true;
    this.#network.join(this);
  }

  async stop(): Promise<void> {
    if (this.#started) this.#network.leave(this);
    this.#started = false;
  }

  addresses(): string[] {
    return this.#started ? [this.#address] : [];
  }

  listenPorts(): number[] {
    return this.#started ? [Number(this.#address.split('/').at(-1))] : [];
  }

  async dial(target: DialTarget, signal?: AbortSignal): Promise<void> {
    if (!this.#started) throw unreachable();
    const delayMs = this.#network.weather.delayMs?.(this.transportKey, target.transportKey) ?? 0;
    if (delayMs > 0) await new Promise<void>(resolve => this.#network.scheduler(delayMs, resolve));
    if (signal?.aborted || !this.#started) throw unreachable();
    this.#network.connect(this, target);
  }

  isConnected(peer: TransportKey): boolean {
    return this.#peers.has(hex(peer));
  }

  connectedPeers(): TransportKey[] {
    return [...this.#peers.values()];
  }

  remoteAddresses(peer: TransportKey): string[] {
    return this.#network.link(this.transportKey, peer)?.other(this).addresses() ?? [];
  }

  async disconnect(peer: TransportKey): Promise<void> {
    this.#network.cut(this.transportKey, peer);
  }

  on(listener: SwarmListener): () => void {
    this.#listeners.add(listener);
    return () => void this.#listeners.delete(listener);
  }

  async channel(peer: TransportKey, protocol: string): Promise<FrameChannel> {
    const name = `${hex(peer)} ${protocol}`;
    const open = this.#open.get(name);
    if (open && !open.closed) return open;
    const link = this.#network.link(this.transportKey, peer);
    const served = link?.other(this).served(protocol);
    if (!link || !served) throw unreachable();
    const [near, far] = link.pair(this);
    this.#open.set(name, near);
    served(far);
    return near;
  }

  async serve(protocol: string, onChannel: Served): Promise<void> {
    this.#served.set(protocol, onChannel);
  }

  pubsub(): Pubsub {
    return this.gossip;
  }

  served(protocol: string): Served | undefined {
    return this.#served.get(protocol);
  }

  told(what: (listener: SwarmListener) => void): void {
    for (const listener of [...this.#listeners]) what(listener);
  }
}

function pairOf(a: TransportKey, b: TransportKey): string {
  return [hex(a), hex(b)].sort().join(' ');
}

function unreachable(): TransientError {
  return new TransientError('unreachable', 'memory-network', 'This peer cannot be reached now.');
}
