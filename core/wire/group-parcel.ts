import { LIMITS } from '../base/limits.ts';
import { type Cbor, decodeCbor, encodeCbor, Shape } from './cbor.ts';

/**
 * What members of a group give each other (docs/protocol/group.md §9), in as many parts as it needs: inside the group's
 * outer layer, or between two contacts through their session.
 */
export interface Parcel {
  readonly what: ParcelKind;
  /** 8 random bytes: which parts belong together. */
  readonly id: Uint8Array;
  readonly index: number;
  readonly count: number;
  readonly bytes: Uint8Array;
}

/**
 * `post`: core/groups/act-codec.ts. `welcome`: wire/group-welcome.ts. `forward`: a welcome for someone who is no contact of
 * whoever committed the adding. `info-ask`, `info`: someone has lost the way, and how to come back. `join`: wire/group-invite.ts.
 */
export type ParcelKind = 'post' | 'welcome' | 'forward' | 'info-ask' | 'info' | 'join';

export const PARCEL_ID_BYTES = 8;
const KINDS: readonly ParcelKind[] = ['post', 'welcome', 'forward', 'info-ask', 'info', 'join'];
/** The part, its id, and CBOR heads. */
export const PARCEL_BYTES = LIMITS.groupPartBytes + 64;
const shape = new Shape('group-parcel');

export function parcelFields({ what, id, index, count, bytes }: Parcel): Cbor[] {
  return [KINDS.indexOf(what), id, index, count, bytes];
}

/** @throws DecodeError not the documented form */
export function parcelFrom(fields: readonly unknown[]): Parcel {
  const [what, id, index, count, bytes] = shape.tuple(fields, 5);
  const parts = shape.uint(count, LIMITS.groupParcelParts);
  if (parts === 0) shape.fail();
  return {
    what: KINDS[shape.uint(what, KINDS.length - 1)] ?? shape.fail(),
    id: shape.bytes(id, PARCEL_ID_BYTES),
    index: shape.uint(index, parts - 1),
    count: parts,
    bytes: shape.bytesUpTo(bytes, LIMITS.groupPartBytes),
  };
}

export function encodeParcel(parcel: Parcel): Buffer {
  return encodeCbor(parcelFields(parcel));
}

/** @throws DecodeError not the documented form */
export function decodeParcel(bytes: Uint8Array): Parcel {
  return parcelFrom(shape.tuple(decodeCbor(bytes, PARCEL_BYTES, 'group-parcel'), 5));
}

/** @returns undefined when it is longer than LIMITS.groupParcelParts parts */
export function splitParcel(what: ParcelKind, id: Uint8Array, bytes: Uint8Array): Parcel[] | undefined {
  const count = Math.max(1, Math.ceil(bytes.length / LIMITS.groupPartBytes));
  if (count > LIMITS.groupParcelParts) return undefined;
  return Array.from({ length: count }, (_, index) => {
    const start = index * LIMITS.groupPartBytes;
    return { what, id, index, count, bytes: bytes.subarray(start, start + LIMITS.groupPartBytes) };
  });
}
