import { compareBytes } from '../base/bytes.ts';
import { type ContactId, contactIdFromBytes, ID_BYTES, idBytes } from '../base/ids.ts';
import { LIMITS } from '../base/limits.ts';
import { isGroupName } from '../base/nick.ts';
import { decodeCbor, encodeCbor, Shape } from '../wire/cbor.ts';

/** What every epoch of a group agrees on beside its members: the group data extension (docs/protocol/group.md §3). */
export interface GroupData {
  readonly name: string;
  readonly admins: readonly ContactId[];
  /** The number of each member's last ask that was honoured: none of the same or a lower number is honoured again. */
  readonly honoured: ReadonlyMap<ContactId, number>;
}

const VERSION = 1;
const shape = new Shape('group-data.decode');

const encoded = new WeakMap<GroupData, Buffer>();

/** Once for each: commits are judged by it, and epochs are written with it. Nobody changes the bytes. */
export function encodeGroupData(data: GroupData): Buffer {
  const bytes = encoded.get(data) ?? encodeAnew(data);
  encoded.set(data, bytes);
  return bytes;
}

function encodeAnew(data: GroupData): Buffer {
  const honoured = [...data.honoured].map(([author, number]) => [idBytes(author), number] as const);
  return encodeCbor([
    VERSION,
    data.name,
    data.admins.map(idBytes).sort(compareBytes),
    honoured.sort(([a], [b]) => compareBytes(a, b)),
  ]);
}

/** @throws DecodeError not the documented form, or ids not in rising order */
export function decodeGroupData(bytes: Uint8Array): GroupData {
  const [version, name, admins, honoured] = shape.tuple(decodeCbor(bytes, MAX_BYTES, 'group-data.decode'), 4);
  shape.constant(version, VERSION);
  const data: GroupData = {
    name: readGroupName(shape, name),
    admins: shape.list(admins, LIMITS.groupMembers, readContact),
    honoured: new Map(
      shape.list(honoured, LIMITS.groupMembers, item => {
        const [author, number] = shape.tuple(item, 2);
        return [readContact(author), shape.uint(number, LIMITS.groupAskNumber - 1)];
      }),
    ),
  };
  if (compareBytes(encodeGroupData(data), bytes) !== 0) shape.fail();
  return data;
}

/** @throws DecodeError it could pass for another, or shows nothing */
export function readGroupName(form: Shape, value: unknown): string {
  const name = form.text(value, LIMITS.groupNameBytes);
  return isGroupName(name) ? name : form.fail();
}

function readContact(value: unknown): ContactId {
  return contactIdFromBytes(shape.bytes(value, ID_BYTES));
}

/** Name, two lists of all members, and CBOR heads. */
const MAX_BYTES = LIMITS.groupNameBytes + LIMITS.groupMembers * (2 * ID_BYTES + 16) + 64;
