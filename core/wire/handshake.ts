import { LIMITS } from '../base/limits.ts';
import { decodeCbor, encodeCbor, Shape } from './cbor.ts';

/** The two frames that begin a session, and what their Noise messages carry (docs/protocol/session.md §4). */
export interface Initiation {
  /** The responder's prekey, or 0: its long-term keys. */
  readonly prekeyId: number;
  /** ML-KEM-768, 1088 bytes. */
  readonly kemCiphertext: Uint8Array;
  /** Noise message 1. */
  readonly message: Uint8Array;
}

export interface Response {
  /** 16 bytes: the initiation it answers. */
  readonly initiationId: Uint8Array;
  /** Noise message 2. */
  readonly message: Uint8Array;
}

export interface InitiationPayload {
  readonly ratchetKey: Uint8Array;
  readonly createdAtMs: number;
  /** Names the responder's card that the initiator used. */
  readonly responderCardHash: Uint8Array;
  /** The initiator's own card. */
  readonly card: Uint8Array;
  readonly application: Uint8Array;
}

export interface ResponsePayload {
  readonly ratchetKey: Uint8Array;
  readonly application: Uint8Array;
}

export const HANDSHAKE_VERSION = 1;
export const INITIATION_ID_BYTES = 16;
const INITIATION_KIND = 1;
const RESPONSE_KIND = 2;
const KEY_BYTES = 32;
const KEM_CIPHERTEXT_BYTES = 1088;
const MAX_PREKEY_ID = 0xffff_ffff;
const MAX_MS = 2 ** 48 - 1;
const initiationShape = new Shape('initiation');
const responseShape = new Shape('response');

export function encodeInitiation(frame: Initiation): Buffer {
  return encodeCbor([HANDSHAKE_VERSION, INITIATION_KIND, frame.prekeyId, frame.kemCiphertext, frame.message]);
}

/** @throws DecodeError any other form, version or length */
export function decodeInitiation(bytes: Uint8Array): Initiation {
  const shape = initiationShape;
  const f = shape.tuple(decodeCbor(bytes, LIMITS.handshakeFrameBytes, 'initiation'), 5);
  shape.constant(f[0], HANDSHAKE_VERSION);
  shape.constant(f[1], INITIATION_KIND);
  return {
    prekeyId: shape.uint(f[2], MAX_PREKEY_ID),
    kemCiphertext: shape.bytes(f[3], KEM_CIPHERTEXT_BYTES),
    message: shape.bytesUpTo(f[4], LIMITS.handshakeFrameBytes),
  };
}

export function encodeResponse(frame: Response): Buffer {
  return encodeCbor([HANDSHAKE_VERSION, RESPONSE_KIND, frame.initiationId, frame.message]);
}

/** @throws DecodeError any other form, version or length */
export function decodeResponse(bytes: Uint8Array): Response {
  const shape = responseShape;
  const f = shape.tuple(decodeCbor(bytes, LIMITS.handshakeFrameBytes, 'response'), 4);
  shape.constant(f[0], HANDSHAKE_VERSION);
  shape.constant(f[1], RESPONSE_KIND);
  return {
    initiationId: shape.bytes(f[2], INITIATION_ID_BYTES),
    message: shape.bytesUpTo(f[3], LIMITS.handshakeFrameBytes),
  };
}

export function encodeInitiationPayload(payload: InitiationPayload): Buffer {
  const { ratchetKey, createdAtMs, responderCardHash, card, application } = payload;
  return encodeCbor([ratchetKey, createdAtMs, responderCardHash, card, application]);
}

/** @throws DecodeError any other form or length */
export function decodeInitiationPayload(bytes: Uint8Array): InitiationPayload {
  const shape = initiationShape;
  const f = shape.tuple(decodeCbor(bytes, LIMITS.handshakeFrameBytes, 'initiation'), 5);
  return {
    ratchetKey: shape.bytes(f[0], KEY_BYTES),
    createdAtMs: shape.uint(f[1], MAX_MS),
    responderCardHash: shape.bytes(f[2], KEY_BYTES),
    card: shape.bytesUpTo(f[3], LIMITS.cardBytes),
    application: shape.bytesUpTo(f[4], LIMITS.handshakePayloadBytes),
  };
}

export function encodeResponsePayload(payload: ResponsePayload): Buffer {
  return encodeCbor([payload.ratchetKey, payload.application]);
}

/** @throws DecodeError any other form or length */
export function decodeResponsePayload(bytes: Uint8Array): ResponsePayload {
  const shape = responseShape;
  const f = shape.tuple(decodeCbor(bytes, LIMITS.handshakeFrameBytes, 'response'), 2);
  return {
    ratchetKey: shape.bytes(f[0], KEY_BYTES),
    application: shape.bytesUpTo(f[1], LIMITS.handshakePayloadBytes),
  };
}
