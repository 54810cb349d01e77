import { decodeCbor, encodeCbor, Shape } from './cbor.ts';

/** The messages of the one-time code (docs/protocol/session.md §8), carried inside a session. */
export type VerificationMessage =
  /** The shower begins. `sessionId` says whose key the code hangs on. */
  | {
      readonly kind: 'commit';
      readonly ceremonyId: Uint8Array;
      readonly sessionId: Uint8Array;
      readonly commitment: Uint8Array;
    }
  /** The typer's commitment in answer. */
  | { readonly kind: 'answer'; readonly ceremonyId: Uint8Array; readonly commitment: Uint8Array }
  | { readonly kind: 'reveal'; readonly ceremonyId: Uint8Array; readonly nonce: Uint8Array }
  /** How it ended on the sender's side; a hint for the other person, never a proof. */
  | { readonly kind: 'result'; readonly ceremonyId: Uint8Array; readonly matched: boolean };

export const VERIFICATION_VERSION = 1;
export const CEREMONY_ID_BYTES = 16;
export const VERIFICATION_NONCE_BYTES = 32;
export const COMMITMENT_BYTES = 32;
const SESSION_ID_BYTES = 16;
const MAX_BYTES = 128;
const COMMIT = 1;
const ANSWER = 2;
const REVEAL = 3;
const RESULT = 4;
const shape = new Shape('verification');

export function encodeVerification(message: VerificationMessage): Buffer {
  const { ceremonyId } = message;
  switch (message.kind) {
    case 'commit':
      return encodeCbor([VERIFICATION_VERSION, COMMIT, ceremonyId, message.sessionId, message.commitment]);
    case 'answer':
      return encodeCbor([VERIFICATION_VERSION, ANSWER, ceremonyId, message.commitment]);
    case 'reveal':
      return encodeCbor([VERIFICATION_VERSION, REVEAL, ceremonyId, message.nonce]);
    case 'result':
      return encodeCbor([VERIFICATION_VERSION, RESULT, ceremonyId, message.matched]);
  }
}

/** @throws DecodeError any other form, version or length */
export function decodeVerification(bytes: Uint8Array): VerificationMessage {
  const value = decodeCbor(bytes, MAX_BYTES, 'verification');
  const kind = Array.isArray(value) ? shape.uint(value[1], RESULT) : shape.fail();
  const f = shape.tuple(value, kind === COMMIT ? 5 : 4);
  shape.constant(f[0], VERIFICATION_VERSION);
  const ceremonyId = shape.bytes(f[2], CEREMONY_ID_BYTES);
  switch (kind) {
    case COMMIT: {
      const sessionId = shape.bytes(f[3], SESSION_ID_BYTES);
      return { kind: 'commit', ceremonyId, sessionId, commitment: shape.bytes(f[4], COMMITMENT_BYTES) };
    }
    case ANSWER:
      return { kind: 'answer', ceremonyId, commitment: shape.bytes(f[3], COMMITMENT_BYTES) };
    case REVEAL:
      return { kind: 'reveal', ceremonyId, nonce: shape.bytes(f[3], VERIFICATION_NONCE_BYTES) };
    case RESULT: {
      const matched = f[3];
      return typeof matched === 'boolean' ? { kind: 'result', ceremonyId, matched } : shape.fail();
    }
    default:
      return shape.fail();
  }
}
