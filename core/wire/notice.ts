import { type ContactId, contactIdFromBytes, ID_BYTES, idBytes } from '../base/ids.ts';
import { LIMITS } from '../base/limits.ts';
import { type Cbor, decodeCbor, encodeCbor, Shape } from './cbor.ts';

/**
 * What the timeline of a group tells beside what its members say. `by` is null where it is not known. `returned`: by a commit of its own,
 * having lost the way or been put back from a copy; it may lack what was said until then.
 */
export type Notice =
  | { readonly kind: 'made' | 'renamed'; readonly by: ContactId | null; readonly name: string }
  | {
      readonly kind: 'added' | 'removed' | 'left' | 'promoted' | 'demoted' | 'returned';
      readonly by: ContactId | null;
      readonly member: ContactId;
    }
  /** `count` epochs of the branch before were left. */
  | { readonly kind: 'fork-healed'; readonly count: number }
  /** Two different things stand in one place of the member's chain; or nothing is known of so many places. */
  | { readonly kind: 'equivocation' | 'hole'; readonly member: ContactId; readonly count: number };

export const NOTICE_KINDS = [
  'made',
  'renamed',
  'added',
  'removed',
  'left',
  'promoted',
  'demoted',
  'fork-healed',
  'equivocation',
  'hole',
  'returned',
] as const satisfies readonly Notice['kind'][];
const NOTICE_BYTES = LIMITS.groupNameBytes + 64;
const shape = new Shape('notice');

/** As it stands in the content of a message's row. */
export function encodeNotice(notice: Notice): Buffer {
  return encodeCbor([NOTICE_KINDS.indexOf(notice.kind), ...fieldsOf(notice)]);
}

/** @throws DecodeError not the documented form */
export function decodeNotice(bytes: Uint8Array): Notice {
  const [index, first, second] = shape.tuple(decodeCbor(bytes, NOTICE_BYTES, 'notice'), 3);
  const kind = NOTICE_KINDS[shape.uint(index, NOTICE_KINDS.length - 1)] ?? shape.fail();
  switch (kind) {
    case 'made':
    case 'renamed':
      return { kind, by: idOrNull(first), name: shape.text(second, LIMITS.groupNameBytes) };
    case 'added':
    case 'removed':
    case 'left':
    case 'promoted':
    case 'demoted':
    case 'returned':
      return { kind, by: idOrNull(first), member: idOf(second) };
    case 'fork-healed':
      return first === null ? { kind, count: shape.uint(second) } : shape.fail();
    case 'equivocation':
    case 'hole':
      return { kind, member: idOf(first), count: shape.uint(second) };
  }
}

function fieldsOf(notice: Notice): [Cbor, Cbor] {
  switch (notice.kind) {
    case 'made':
    case 'renamed':
      return [notice.by && idBytes(notice.by), notice.name];
    case 'added':
    case 'removed':
    case 'left':
    case 'promoted':
    case 'demoted':
    case 'returned':
      return [notice.by && idBytes(notice.by), idBytes(notice.member)];
    case 'fork-healed':
      return [null, notice.count];
    case 'equivocation':
    case 'hole':
      return [idBytes(notice.member), notice.count];
  }
}

function idOf(value: unknown): ContactId {
  return contactIdFromBytes(shape.bytes(value, ID_BYTES));
}

function idOrNull(value: unknown): ContactId | null {
  return value === null ? null : idOf(value);
}
