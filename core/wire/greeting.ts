import { LIMITS } from '../base/limits.ts';
import { decodeCbor, encodeCbor, Shape } from './cbor.ts';
import { CONTENT_BYTES } from './content.ts';

/** What Molva says inside handshake message 1 (docs/protocol/envelope.md, "Greeting and reply"). */
export interface Greeting {
  /** Proof that an invite was held (32 bytes), or empty between people who know each other. */
  readonly proof: Uint8Array;
  /** Contents sent along, so that the first words need no answer first. */
  readonly contents: readonly Uint8Array[];
}

/** What it says inside message 2. */
export interface Reply {
  /** Id (16 bytes) of the responder's own initiation that lost the crossing, or empty. */
  readonly superseded: Uint8Array;
  /** The responder's current card. */
  readonly card: Uint8Array;
}

export const PROOF_BYTES = 32;
const INITIATION_ID_BYTES = 16;
const CONTENTS = 64;
const CONTENTS_BYTES = 36 * 1024;
const greetingShape = new Shape('greeting');
const replyShape = new Shape('reply');

export function encodeGreeting(greeting: Greeting): Buffer {
  return encodeCbor([greeting.proof, greeting.contents]);
}

/** @throws DecodeError any other form or length */
export function decodeGreeting(bytes: Uint8Array): Greeting {
  const [proof, contents] = greetingShape.tuple(decodeCbor(bytes, LIMITS.sealedBytes, 'greeting'), 2);
  return {
    proof: emptyOr(greetingShape, proof, PROOF_BYTES),
    contents: greetingShape.list(contents, CONTENTS, item => greetingShape.bytesUpTo(item, CONTENT_BYTES)),
  };
}

export function encodeReply(reply: Reply): Buffer {
  return encodeCbor([reply.superseded, reply.card]);
}

/** @throws DecodeError any other form or length */
export function decodeReply(bytes: Uint8Array): Reply {
  const [superseded, card] = replyShape.tuple(decodeCbor(bytes, LIMITS.cardBytes + 64, 'reply'), 2);
  return {
    superseded: emptyOr(replyShape, superseded, INITIATION_ID_BYTES),
    card: replyShape.bytesUpTo(card, LIMITS.cardBytes),
  };
}

/** As many of the waiting contents, in order, as one greeting may carry. */
export function contentsThatFit(waiting: readonly Uint8Array[]): Uint8Array[] {
  const fit: Uint8Array[] = [];
  let bytes = 0;
  for (const content of waiting) {
    bytes += content.length + 5;
    if (fit.length === CONTENTS || bytes > CONTENTS_BYTES) break;
    fit.push(content);
  }
  return fit;
}

function emptyOr(shape: Shape, value: unknown, length: number): Uint8Array {
  const bytes = shape.bytesUpTo(value, length);
  if (bytes.length !== 0 && bytes.length !== length) shape.fail();
  return bytes;
}
