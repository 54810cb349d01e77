import { setTimeout as delay } from 'node:timers/promises';
import type { GossipSubComponents } from '@libp2p/gossipsub';
import type { Connection, Libp2p, PeerId, Stream, StreamHandler, Topology } from '@libp2p/interface';
import { systemMonotonic } from '../base/world.io.ts';
import { FrameInbox } from './frame-inbox.ts';
import type { NetworkLimits } from './limits.ts';
import { Pace } from './pace.ts';
import { StreamBrake } from './stream-brake.io.ts';

type Registrar = GossipSubComponents['registrar'];

interface Attempt {
  /** The peer has opened a stream to us since. */
  called: boolean;
}

/**
 * Stands between gossipsub and libp2p, for its streams. libp2p would tell gossipsub only of peers that connect after
 * it was loaded; gossipsub opens its streams one after another, so that one peer that stalls holds up all, opens none
 * again that was lost, and reads from them without bound. Here all of that is bounded.
 */
export class GossipDoor {
  readonly #node: Libp2p;
  readonly #limits: NetworkLimits;
  readonly #protocol: string;
  readonly #paces = new Map<string, Pace>();
  /** Peers with a stream to them, or with one being opened. */
  readonly #open = new Map<string, Attempt>();
  #topology: Topology | undefined;

  constructor(node: Libp2p, limits: NetworkLimits, protocol: string) {
    this.#node = node;
    this.#limits = limits;
    this.#protocol = protocol;
  }

  /** What gossipsub uses of libp2p's registrar. */
  get registrar(): Registrar {
    const used: Pick<Registrar, 'handle' | 'unhandle' | 'register' | 'unregister'> = {
      handle: (protocol, handler) => this.#handle(protocol, handler),
      unhandle: protocol => this.#node.unhandle(protocol),
      register: async (protocol, topology) => {
        this.#topology = topology;
        return protocol;
      },
      unregister: () => {
        this.#topology = undefined;
      },
    };
    return used as Registrar;
  }

  /** A peer is connected: if it has gossip too, the two exchange their topics. */
  async met(peer: PeerId): Promise<void> {
    const id = peer.toString();
    const connection = this.#node.getConnections(peer).find(({ status }) => status === 'open');
    if (!connection || !this.#topology || this.#open.has(id)) return;
    const attempt: Attempt = { called: false };
    this.#open.set(id, attempt);
    try {
      const stream = await this.#openStream(connection);
      if (this.#open.get(id) !== attempt || !this.#topology) return stream.abort(new Error('no longer wanted'));
      stream.addEventListener('close', () => void this.#closed(peer, connection, attempt), { once: true });
      await this.#topology.onConnect?.(
        peer,
        partOf(connection, async () => stream),
      );
    } catch {
      // It has no gossip. Once it has, it opens a stream to us, and we meet again; or it just did.
      if (this.#open.get(id) !== attempt) return;
      this.#open.delete(id);
      if (attempt.called) await this.met(peer);
    }
  }

  lost(peer: PeerId): void {
    this.#open.delete(peer.toString());
    this.#paces.delete(peer.toString());
    void this.#topology?.onDisconnect?.(peer);
  }

  #handle(protocol: string, handler: StreamHandler): Promise<void> {
    const most = this.#limits.streamsPerProtocol;
    return this.#node.handle(
      protocol,
      async (stream, connection) => {
        const peer = connection.remotePeer;
        await handler(this.#bounded(stream, peer), partOf(connection, notHere));
        const attempt = this.#open.get(peer.toString());
        if (attempt) attempt.called = true;
        else await this.met(peer);
      },
      { maxInboundStreams: most, maxOutboundStreams: most },
    );
  }

  #openStream(connection: Connection): Promise<Stream> {
    const signal = AbortSignal.timeout(this.#limits.negotiationTimeoutMs);
    return connection.newStream(this.#protocol, { signal, maxOutboundStreams: this.#limits.streamsPerProtocol });
  }

  async #closed(peer: PeerId, connection: Connection, attempt: Attempt): Promise<void> {
    // Two that dial each other at once keep one of two connections: on to that one. Else something was wrong.
    if (connection.status === 'open') await delay(this.#limits.gossipReopenMs, undefined, { ref: false });
    if (this.#open.get(peer.toString()) !== attempt) return;
    this.#open.delete(peer.toString());
    await this.met(peer);
  }

  /** The stream as gossipsub reads it: no faster than it handles what it read, and no faster than the peer's pace. */
  #bounded(stream: Stream, peer: PeerId): Stream {
    const brake = new StreamBrake(stream);
    const inbox = new FrameInbox({
      maxBytes: this.#limits.receiveQueueBytes,
      onFull: () => brake.pause(),
      onRoom: () => brake.resume(),
    });
    stream.addEventListener('message', ({ data }) => inbox.push([data.subarray()]));
    stream.addEventListener('close', () => inbox.end());
    stream.addEventListener('remoteCloseWrite', () => {
      inbox.end();
      stream.close().catch(error => stream.abort(error));
    });
    const used: Pick<Stream, 'close' | 'abort'> & AsyncIterable<Uint8Array> = {
      [Symbol.asyncIterator]: () => paced(inbox, this.#paceOf(peer)),
      close: options => stream.close(options),
      abort: error => stream.abort(error),
    };
    return used as Stream;
  }

  #paceOf(peer: PeerId): Pace {
    const known = this.#paces.get(peer.toString());
    if (known) return known;
    const { gossipBytesPerSecond: bytesPerSecond, gossipBurstBytes: burstBytes } = this.#limits;
    const pace = new Pace({ bytesPerSecond, burstBytes });
    this.#paces.set(peer.toString(), pace);
    return pace;
  }
}

async function* paced(inbox: FrameInbox, pace: Pace): AsyncGenerator<Uint8Array> {
  for await (const piece of inbox) {
    yield piece;
    const waitMs = pace.take(piece.length, systemMonotonic());
    if (waitMs >= 1) await delay(waitMs, undefined, { ref: false });
  }
}

/** What gossipsub uses of a connection. */
function partOf(connection: Connection, newStream: Connection['newStream']): Connection {
  const { status, direction, remoteAddr, remotePeer } = connection;
  const used: Partial<Connection> = { status, direction, remoteAddr, remotePeer, newStream };
  return used as Connection;
}

async function notHere(): Promise<never> {
  throw new Error('streams are opened beforehand');
}
