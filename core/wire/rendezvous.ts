import { LIMITS } from '../base/limits.ts';
import { decodeCbor, encodeCbor, Shape } from './cbor.ts';

/** Frames of `/molva/rendezvous/1`: one question, one answer; no answer at all to an unknown invite. */
export interface RendezvousQuestion {
  /** 16 bytes, rendezvousLookup of the invite's secret. */
  readonly lookup: Uint8Array;
  /** 16 fresh bytes, so that an answer cannot be a replay. */
  readonly challenge: Uint8Array;
}

export const RENDEZVOUS_PROTOCOL = '/molva/rendezvous/1';
const FIELD_BYTES = 16;
const QUESTION_BYTES = 64;
/** Sealed card: nonce 24 and tag 16 around it, and CBOR heads. */
const ANSWER_BYTES = LIMITS.cardBytes + 64;
const VERSION = 1;
const shape = new Shape('rendezvous');

export function encodeQuestion(question: RendezvousQuestion): Buffer {
  return encodeCbor([VERSION, question.lookup, question.challenge]);
}

/** @throws DecodeError any other form */
export function decodeQuestion(bytes: Uint8Array): RendezvousQuestion {
  const [version, lookup, challenge] = shape.tuple(decodeCbor(bytes, QUESTION_BYTES, 'rendezvous'), 3);
  shape.constant(version, VERSION);
  return { lookup: shape.bytes(lookup, FIELD_BYTES), challenge: shape.bytes(challenge, FIELD_BYTES) };
}

export function encodeAnswer(sealedCard: Uint8Array): Buffer {
  return encodeCbor([VERSION, sealedCard]);
}

/** @throws DecodeError any other form */
export function decodeAnswer(bytes: Uint8Array): Uint8Array {
  const [version, sealedCard] = shape.tuple(decodeCbor(bytes, ANSWER_BYTES, 'rendezvous'), 2);
  shape.constant(version, VERSION);
  return shape.bytesUpTo(sealedCard, ANSWER_BYTES);
}
