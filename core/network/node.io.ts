import { identify } from '@libp2p/identify';
import type { ComponentLogger, Ed25519PrivateKey, Libp2p, Logger, PeerId } from '@libp2p/interface';
import { noise } from '@libp2p/noise';
import { ping } from '@libp2p/ping';
import { tcp } from '@libp2p/tcp';
import { yamux } from '@libp2p/yamux';
import { multiaddr } from '@multiformats/multiaddr';
import { type ConnectionManagerInit, createLibp2p } from 'libp2p';
import type { NetworkLimits } from './limits.ts';
import { noiseCrypto } from './noise-crypto.io.ts';

interface NodeOptions {
  readonly key: Ed25519PrivateKey;
  readonly listen: readonly string[];
  /** What identify tells; asked each time, since interfaces come and go. */
  readonly announce: () => readonly string[];
  readonly limits: NetworkLimits;
}

/** A libp2p node that is not started yet: no discovery, no routing, no record of peers kept on disk. */
export function createNode({ key, listen, announce, limits }: NodeOptions): Promise<Libp2p> {
  return createLibp2p({
    start: false,
    privateKey: key,
    // The stock agent string names the runtime and its version to everyone who connects.
    nodeInfo: { name: 'libp2p', version: '0', userAgent: 'libp2p' },
    logger: SILENT,
    addresses: {
      listen: [...listen],
      announceFilter: () => announce().map(text => multiaddr(text)),
      maxObservedAddresses: limits.addressesPerDial,
    },
    transports: [
      tcp({
        backlog: limits.listenBacklog,
        maxConnections: limits.connections,
        inboundSocketInactivityTimeout: limits.socketIdleMs,
        outboundSocketInactivityTimeout: limits.socketIdleMs,
      }),
    ],
    connectionEncrypters: [noise({ crypto: noiseCrypto })],
    streamMuxers: [yamux(yamuxLimits(limits))],
    connectionManager: connectionLimits(limits),
    connectionMonitor: {
      pingInterval: limits.pingIntervalMs,
      pingTimeout: { minTimeout: limits.pingTimeoutMs, maxTimeout: limits.pingTimeoutMs },
    },
    connectionGater: { denyInboundEncryptedConnection: isForeign, denyOutboundEncryptedConnection: isForeign },
    services: {
      identify: identify({
        timeout: limits.identifyTimeoutMs,
        maxMessageSize: limits.identifyBytes,
        maxObservedAddresses: 1,
      }),
      ping: ping({ maxInboundStreams: 2, maxOutboundStreams: 2, timeout: limits.pingTimeoutMs }),
    },
  });
}

function connectionLimits(limits: NetworkLimits): ConnectionManagerInit {
  return {
    maxConnections: limits.connections,
    inboundConnectionThreshold: limits.inboundPerHostPerSecond,
    maxIncomingPendingConnections: limits.inboundPending,
    inboundUpgradeTimeout: limits.upgradeTimeoutMs,
    inboundStreamProtocolNegotiationTimeout: limits.negotiationTimeoutMs,
    outboundStreamProtocolNegotiationTimeout: limits.negotiationTimeoutMs,
    connectionCloseTimeout: limits.closeTimeoutMs,
    dialTimeout: limits.dialTimeoutMs,
    addressDialTimeout: limits.addressDialTimeoutMs,
    maxParallelDials: limits.parallelDials,
    maxDialQueueLength: limits.dialQueue,
    maxPeerAddrsToDial: limits.addressesPerDial,
    // Order is the caller's; names are not looked up; reconnecting is the outbox's business.
    addressSorter: () => 0,
    resolvers: {},
    reconnectRetries: 0,
  };
}

function yamuxLimits(limits: NetworkLimits) {
  return {
    maxInboundStreams: limits.streamsPerConnection,
    maxOutboundStreams: limits.streamsPerConnection,
    maxEarlyStreams: limits.streamsPerConnection,
    enableKeepAlive: true,
    keepAliveInterval: limits.windowPingMs,
    streamOptions: {
      initialStreamWindowSize: limits.windowFirstBytes,
      maxStreamWindowSize: limits.windowLastBytes,
      maxReadBufferLength: limits.readBufferBytes,
      maxWriteBufferLength: limits.writeBufferBytes,
    },
  };
}

/** Every Molva node has an Ed25519 transport key; others would only cost handshakes. */
function isForeign(peer: PeerId): boolean {
  return peer.type !== 'Ed25519';
}

const silent: Logger = Object.assign(() => undefined, {
  error: () => undefined,
  trace: () => undefined,
  enabled: false,
  newScope: () => silent,
});

/** libp2p's own logger prints peer ids and addresses when an environment variable asks for it. */
const SILENT: ComponentLogger = { forComponent: () => silent };
