import { MINUTE_MS, SECOND_MS } from '../base/clock.ts';
import { LIMITS } from '../base/limits.ts';

/** Every limit of libp2p, set on purpose (docs/network.md says the stock value beside each). */
export const NETWORK_LIMITS = {
  /** Connections held; one a contact is usual. Past it inbound ones are refused and the least valued is pruned. */
  connections: LIMITS.connections,
  /**
   * Inbound connections a second from one host. The stock 5 cuts off a household or a carrier's NAT whose members
   * come back at once; 32 handshakes cost about 10% of one core (3 ms each).
   */
  inboundPerHostPerSecond: 32,
  /** Inbound connections that have not finished their handshake: bounds what half-open strangers can hold. */
  inboundPending: 32,
  /** A handshake is three messages; a slow mobile link needs seconds, an attacker wants minutes. */
  upgradeTimeoutMs: 10 * SECOND_MS,
  negotiationTimeoutMs: 10 * SECOND_MS,
  closeTimeoutMs: SECOND_MS,
  /** One dial in all, and one address of it: addresses are tried in turn, so a dead one must not eat the whole. */
  dialTimeoutMs: 15 * SECOND_MS,
  addressDialTimeoutMs: 3 * SECOND_MS,
  parallelDials: 16,
  /** A dial a contact at once is the most the outbox asks for. */
  dialQueue: LIMITS.contacts,
  addressesPerDial: LIMITS.cardAddresses,
  /** Pending TCP accepts in the kernel. */
  listenBacklog: 64,
  /** Streams a connection: identify, ping and a few protocols, each with one long-lived stream. */
  streamsPerConnection: 32,
  /** Streams a protocol and connection in each direction: the live one, and the one replacing it. */
  streamsPerProtocol: 2,
  /** Yamux receive window: the specification's minimum at first, growing to this on links with a long way. */
  windowFirstBytes: 256 * 1024,
  windowLastBytes: 1024 * 1024,
  /** Received and not read: a full window fits, more is a peer that ignores its window. */
  readBufferBytes: 2 * 1024 * 1024,
  /** Written and not sent; the channel's own queue holds back long before. */
  writeBufferBytes: 2 * 1024 * 1024,
  /** Yamux' own ping measures the round trip for the window; the connection monitor finds dead peers. */
  windowPingMs: 2 * MINUTE_MS,
  pingIntervalMs: 30 * SECOND_MS,
  pingTimeoutMs: 10 * SECOND_MS,
  /** No byte in either direction, pings included: the socket is dead. */
  socketIdleMs: 2 * MINUTE_MS,
  identifyBytes: 8 * 1024,
  identifyTimeoutMs: 5 * SECOND_MS,
  /** A channel's queues: enough to keep a fast link busy between two turns of the event loop. */
  sendQueueBytes: 256 * 1024,
  receiveQueueBytes: 256 * 1024,
  /** One write to libp2p: many frames share the cost of one encryption and one system call. */
  writeBytes: 60 * 1024,
  /** Network interfaces are looked at this often, so that a laptop that moved tells its new address. */
  interfacePollMs: 30 * SECOND_MS,
  /**
   * Gossip. An author sends to all neighbours in the topic, so the mesh only serves members who are not connected to
   * the author: of 256 members some dozens are online, and six neighbours each reach them in two or three steps.
   */
  meshPeers: 6,
  meshPeersLeast: 4,
  meshPeersMost: 10,
  /** Of those kept when there are too many: the best, and some that we dialed ourselves, whom no flood of callers made. */
  meshPeersBest: 3,
  meshPeersDialed: 2,
  /** Neighbours outside the mesh that are told each heartbeat which messages there were. */
  gossipTold: 6,
  gossipBeatMs: SECOND_MS,
  /** Ids of messages seen: a copy that took a way this much longer is taken for new, and known to the store. */
  gossipSeenMs: 2 * MINUTE_MS,
  /** And at most so many of them, the newest, in 20 MiB: more than honest neighbours say meanwhile. */
  gossipSeen: 8_192,
  /** Messages kept to be asked for, and told of; in heartbeats, and together in bytes: 16 of the largest, 1900 of the smallest. */
  gossipKeptBeats: 5,
  gossipToldBeats: 3,
  gossipKeptBytes: 1024 * 1024,
  /** One piece on the stream: all that is kept in one answer, with as much again for what rides along. */
  gossipPieceBytes: 2 * 1024 * 1024,
  /** In one piece: messages and ids, more than are ever kept; entries about topics: leaving and joining all at once. */
  gossipPieceMessages: 4_096,
  gossipPieceIds: 4_096,
  gossipPieceTopics: 2 * LIMITS.gossipTopics,
  /** "Do not send me this one", a heartbeat and peer. */
  gossipUnwanted: 512,
  /** Smaller messages cost less than saying so. */
  gossipUnwantedBytes: 512,
  /** Bytes remembered a peer of what it says it takes part in: gossipsub counts 1 KiB a topic and its name. */
  gossipTopicBytes: LIMITS.gossipTopics * (1024 + 32),
  /**
   * One neighbour is read this fast, control and repetitions included, after a burst: much talk, and no flood.
   */
  gossipBytesPerSecond: 128 * 1024,
  gossipBurstBytes: 2 * 1024 * 1024,
  /** A gossip stream that ended while its connection lives is opened again after so long. */
  gossipReopenMs: 5 * SECOND_MS,
  /** Whoever leaves a topic and joins it again is left out of meshes for so long. */
  gossipRejoinMs: SECOND_MS,
  /** Peers whose rejected messages are remembered, and until one such message is forgiven. */
  gossipBlamed: 1024,
  gossipForgiveMs: 10 * MINUTE_MS,
  /** Messages of one neighbour that nobody here can use, for a clock that is wrong say, before they count; one wears off after so long. */
  gossipStrange: 64,
  gossipForgiveStrangeMs: 10 * SECOND_MS,
  /** libp2p's own score of a peer that left; each new key would cost memory for its default of an hour. */
  gossipScoreKeptMs: MINUTE_MS,
} as const;

export type NetworkLimits = { readonly [K in keyof typeof NETWORK_LIMITS]: number };
