import { DecodeError } from '../base/errors.ts';
import { ENVELOPE_ID_BYTES, type EnvelopeId, parseEnvelopeId } from '../base/ids.ts';

/** Envelope ids one after the other, 32 bytes each. @throws DecodeError a broken length, or more than `max` */
export function decodeIdList(body: Uint8Array, min: number, max: number, operation: string): EnvelopeId[] {
  const count = body.length / ENVELOPE_ID_BYTES;
  if (!Number.isInteger(count) || count < min || count > max) throw new DecodeError(operation);
  return Array.from({ length: count }, (_, index) =>
    parseEnvelopeId(body.subarray(index * ENVELOPE_ID_BYTES, (index + 1) * ENVELOPE_ID_BYTES)),
  );
}
