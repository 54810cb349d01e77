import { DecodeError, UsageError } from '../base/errors.ts';
import type { TransportKey } from '../base/ids.ts';
import { LIMITS } from '../base/limits.ts';
import { decodeEnvelope, type Envelope, expiresTooLate, isExpired } from '../wire/envelope.ts';

/** The name of a topic: 20 bytes in base32, drawn by the layer above from a group's secret and the day. */
export type Topic = string & { readonly __brand: 'Topic' };

const TOPIC = /^[a-z2-7]{32}$/;

/** @throws DecodeError anything but 32 lower-case base32 characters (160 bits, so each has one spelling) */
export function parseTopic(text: string): Topic {
  if (!TOPIC.test(text)) throw new DecodeError('topic');
  return text as Topic;
}

/**
 * What becomes of a message: `accept` passes it on; the others do not. `ignore` is not wanted, being known already say;
 * `strange` is of no use to anybody here, which an honest peer may send by mistake: many of them count against it. `reject`
 * counts at once: only for what no honest peer passes on.
 */
export type Verdict = 'accept' | 'ignore' | 'strange' | 'reject';

/**
 * @param bytes 1 to LIMITS.envelopeBytes, not to be changed; @param from the neighbour it came from, not its author
 * @returns nothing is passed on, and no more is read from this neighbour, until the verdict is there
 */
export type OnMessage = (bytes: Uint8Array, from: TransportKey) => Verdict | Promise<Verdict>;

/** Messages to everybody who joined the same topic, over those who are connected (docs/protocol/gossip.md). */
export interface Pubsub {
  /**
   * Takes part in a topic until the returned function is called. `onMessage` gets each message of others once within
   * some minutes, in any order; what it throws is reported, and the message ignored.
   * @throws UsageError already joined, or LIMITS.gossipTopics are
   */
  join(topic: Topic, onMessage: OnMessage): () => void;
  /**
   * @returns to how many neighbours it was sent: none means that nobody has it, and it may be published again
   * @throws UsageError the topic is not joined, or the message is empty or too large
   */
  publish(topic: Topic, bytes: Uint8Array): Promise<number>;
  /** Neighbours that take part in the topic. */
  peersOf(topic: Topic): number;
  /** Whether this one does; never in a topic that is not joined. */
  takesPart(topic: Topic, peer: TransportKey): boolean;
}

/**
 * The first check of what came by gossip. Being late or early is strange and no more: a clock may be wrong.
 * @returns the envelope, or the verdict on what is none or is not of this time
 */
export function judgeEnvelope(bytes: Uint8Array, nowMs: number): Envelope | 'strange' | 'reject' {
  try {
    const envelope = decodeEnvelope(bytes);
    return isExpired(envelope, nowMs) || expiresTooLate(envelope, nowMs) ? 'strange' : envelope;
  } catch (error) {
    if (error instanceof DecodeError) return 'reject';
    throw error;
  }
}

/** @throws UsageError joined already, or too many are */
export function checkJoin(joined: ReadonlyMap<Topic, unknown>, topic: Topic): void {
  if (joined.has(topic)) throw new UsageError('already-exists', 'pubsub.join', 'This topic is joined already.');
  if (joined.size >= LIMITS.gossipTopics)
    throw new UsageError('limit-reached', 'pubsub.join', 'Too many topics are joined.');
}

/** @throws UsageError not joined, empty or too large */
export function checkPublish(joined: ReadonlyMap<Topic, unknown>, topic: Topic, bytes: Uint8Array): void {
  if (!joined.has(topic)) throw new UsageError('bad-request', 'pubsub.publish', 'This topic is not joined.');
  if (bytes.length === 0 || bytes.length > LIMITS.envelopeBytes)
    throw new UsageError('too-large', 'pubsub.publish', 'The message has no valid size.');
}
