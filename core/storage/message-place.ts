import { hex } from '../base/bytes.ts';
import { compareHlc, decodeHlc, encodeHlc, HLC_BYTES } from '../base/hlc.ts';
import { ID_BYTES, idBytes, messageIdFromBytes } from '../base/ids.ts';
import type { Cbor } from '../wire/cbor.ts';
import type { MessagePlace } from './records.ts';
import { shape } from './row-codec.ts';

/** The order of a conversation: by time, then by the 16 bytes of the id (whose text sorts differently). */
export function comparePlaces(a: MessagePlace, b: MessagePlace): number {
  return compareHlc(a.hlc, b.hlc) || Buffer.compare(idBytes(a.id), idBytes(b.id));
}

/** A place as text that sorts, sign by sign, as `comparePlaces` does. */
export function placeText({ hlc, id }: MessagePlace): string {
  return hex(encodeHlc(hlc)) + hex(idBytes(id));
}

export function encodePlace({ hlc, id }: MessagePlace): Cbor {
  return [encodeHlc(hlc), idBytes(id)];
}

/** @throws DecodeError */
export function decodePlace(value: unknown): MessagePlace {
  const [hlc, id] = shape.tuple(value, 2);
  return { hlc: decodeHlc(shape.bytes(hlc, HLC_BYTES)), id: messageIdFromBytes(shape.bytes(id, ID_BYTES)) };
}
