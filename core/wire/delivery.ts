import { concat } from '../base/bytes.ts';
import { DecodeError } from '../base/errors.ts';
import { ENVELOPE_ID_BYTES, type EnvelopeId, parseEnvelopeId } from '../base/ids.ts';
import { LIMITS } from '../base/limits.ts';

/**
 * Frames of `/molva/envelope/1` (docs/protocol/envelope.md, "Direct delivery"): a kind byte, then an envelope,
 * or the ids of envelopes that are stored for good (`stored`) or will never be taken (`refused`).
 */
export type DeliveryFrame =
  | { readonly kind: 'envelope'; readonly envelope: Uint8Array }
  | { readonly kind: 'stored' | 'refused'; readonly ids: readonly EnvelopeId[] };

export const ENVELOPE_PROTOCOL = '/molva/envelope/1';
const KIND = { envelope: 1, stored: 2, refused: 3 } as const;

export function encodeDelivery(frame: DeliveryFrame): Buffer {
  const kind = Uint8Array.of(KIND[frame.kind]);
  return frame.kind === 'envelope' ? concat(kind, frame.envelope) : concat(kind, ...frame.ids);
}

/** @throws DecodeError unknown kind, no ids, too many, or a broken length */
export function decodeDelivery(bytes: Uint8Array): DeliveryFrame {
  const body = bytes.subarray(1);
  switch (bytes[0]) {
    case KIND.envelope:
      if (body.length > LIMITS.envelopeBytes) throw new DecodeError('delivery');
      return { kind: 'envelope', envelope: body };
    case KIND.stored:
      return { kind: 'stored', ids: decodeIds(body) };
    case KIND.refused:
      return { kind: 'refused', ids: decodeIds(body) };
    default:
      throw new DecodeError('delivery');
  }
}

function decodeIds(body: Uint8Array): EnvelopeId[] {
  const count = body.length / ENVELOPE_ID_BYTES;
  if (!Number.isInteger(count) || count < 1 || count > LIMITS.pushWindow) throw new DecodeError('delivery');
  return Array.from({ length: count }, (_, index) =>
    parseEnvelopeId(body.subarray(index * ENVELOPE_ID_BYTES, (index + 1) * ENVELOPE_ID_BYTES)),
  );
}
