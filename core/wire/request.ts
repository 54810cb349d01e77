import { LIMITS } from '../base/limits.ts';
import { decodeCbor, encodeCbor, Shape } from './cbor.ts';
import { CONTENT_BYTES } from './content.ts';

/** What handshake message 1 carries for Molva (docs/protocol/session.md, "Payloads"). */
export interface InitiationPayload {
  /** Proof that an invite was held (32 bytes), or empty between people who know each other. */
  readonly proof: Uint8Array;
  /** BLAKE2b-256 of the responder's card that the initiator holds, so that both sides verify the same cards. */
  readonly peerCardHash: Uint8Array;
  /** Contents sent along, so that the first words need no answer first. */
  readonly contents: readonly Uint8Array[];
}

export const PROOF_BYTES = 32;
const CARD_HASH_BYTES = 32;
const CONTENTS = 64;
export const INITIATION_CONTENT_BYTES = 36 * 1024;
const shape = new Shape('initiation-payload');

export function encodeInitiationPayload(payload: InitiationPayload): Buffer {
  return encodeCbor([payload.proof, payload.peerCardHash, payload.contents]);
}

/** @throws DecodeError any other form or length */
export function decodeInitiationPayload(bytes: Uint8Array): InitiationPayload {
  const [proof, peerCardHash, contents] = shape.tuple(decodeCbor(bytes, LIMITS.sealedBytes, 'initiation-payload'), 3);
  const checked = shape.bytesUpTo(proof, PROOF_BYTES);
  if (checked.length !== 0 && checked.length !== PROOF_BYTES) shape.fail();
  return {
    proof: checked,
    peerCardHash: shape.bytes(peerCardHash, CARD_HASH_BYTES),
    contents: shape.list(contents, CONTENTS, item => shape.bytesUpTo(item, CONTENT_BYTES)),
  };
}

/** As many of the waiting contents, in order, as one initiation may carry. */
export function contentsThatFit(waiting: readonly Uint8Array[]): Uint8Array[] {
  const fit: Uint8Array[] = [];
  let bytes = 0;
  for (const content of waiting) {
    bytes += content.length + 5;
    if (fit.length === CONTENTS || bytes > INITIATION_CONTENT_BYTES) break;
    fit.push(content);
  }
  return fit;
}
