import { hex } from '../base/bytes.ts';
import { type ContactId, contactIdFromBytes, ID_BYTES, idBytes } from '../base/ids.ts';
import { LIMITS } from '../base/limits.ts';
import { type Cbor, decodeCbor, encodeCbor, Shape } from '../wire/cbor.ts';
import type { EpochId } from './group-crypto.ts';
import { decodeGroupData, encodeGroupData } from './group-data.ts';
import type { Epoch, Judgement } from './tree.ts';

/**
 * An epoch at rest. Members and group data are nearly its parent's, so of both only what differs is written: what they
 * have in common at the beginning and at the end is two numbers.
 */
const EPOCH_ID_BYTES = 32;
const ASK_NAME_BYTES = 16;
const JUDGEMENTS = ['remove', 'demote'] as const;
const NOTHING = Buffer.alloc(0);
const shape = new Shape('group-epoch.decode');

/** An epoch is encoded once: it never changes, and what is written of a group is written with every message. */
const encoded = new WeakMap<Epoch, { readonly parent: Epoch | undefined; readonly bytes: Buffer }>();

/** @param parent as it will be at hand when this is read */
export function encodeEpochRecord(epoch: Epoch, parent: Epoch | undefined): Buffer {
  const known = encoded.get(epoch);
  if (known && known.parent === parent) return known.bytes;
  const { id, number, committer, returned, members, ranking, judgements, asks } = epoch;
  const places = new Map(members.map((member, place) => [member, place]));
  const bytes = encodeCbor([
    epochIdBytes(id),
    epoch.parent === null ? null : epochIdBytes(epoch.parent),
    number,
    committer === null ? null : idBytes(committer),
    returned === null ? null : idBytes(returned),
    difference(parent ? memberBytes(parent) : NOTHING, memberBytes(epoch)),
    difference(parent ? encodeGroupData(parent.data) : NOTHING, encodeGroupData(epoch.data)),
    Buffer.from(ranking.map(member => places.get(member) as number)),
    judgements.map(({ kind, author, member }) => [JUDGEMENTS.indexOf(kind), idBytes(author), idBytes(member)]),
    Buffer.from(asks.join(''), 'hex'),
  ]);
  encoded.set(epoch, { parent, bytes });
  return bytes;
}

/** @throws DecodeError not the documented form, or written against another parent */
export function decodeEpochRecord(bytes: Uint8Array, parentOf: (id: EpochId) => Epoch | undefined): Epoch {
  const fields = shape.tuple(decodeCbor(bytes, bytes.length, 'group-epoch.decode'), 10);
  const above = fields[1] === null ? null : readEpochId(fields[1]);
  const parent = above === null ? undefined : parentOf(above);
  if (above !== null && !parent) shape.fail();
  const members = split(restored(parent ? memberBytes(parent) : NOTHING, fields[5]), ID_BYTES).map(contactIdFromBytes);
  const data = decodeGroupData(restored(parent ? encodeGroupData(parent.data) : NOTHING, fields[6]));
  const places = shape.bytesUpTo(fields[7], LIMITS.groupMembers);
  return {
    id: readEpochId(fields[0]),
    parent: above,
    number: shape.uint(fields[2]),
    committer: fields[3] === null ? null : readContact(fields[3]),
    returned: fields[4] === null ? null : readContact(fields[4]),
    members,
    data,
    ranking: [...places].map(place => members[place] ?? shape.fail()),
    judgements: shape.list(fields[8], LIMITS.groupAsksPerCommit, readJudgement),
    asks: split(shape.bytesUpTo(fields[9], LIMITS.groupAsksPerCommit * ASK_NAME_BYTES), ASK_NAME_BYTES).map(hex),
  };
}

export function epochIdBytes(id: EpochId): Buffer {
  return Buffer.from(id, 'hex');
}

/** @throws DecodeError */
export function readEpochId(value: unknown): EpochId {
  return hex(shape.bytes(value, EPOCH_ID_BYTES)) as EpochId;
}

function readContact(value: unknown): ContactId {
  return contactIdFromBytes(shape.bytes(value, ID_BYTES));
}

function readJudgement(value: unknown): Judgement {
  const [kind, author, member] = shape.tuple(value, 3);
  const judged = JUDGEMENTS[shape.uint(kind, JUDGEMENTS.length - 1)] ?? shape.fail();
  return { kind: judged, author: readContact(author), member: readContact(member) };
}

function memberBytes({ members }: Epoch): Buffer {
  return Buffer.concat(members.map(idBytes));
}

/** How many bytes both begin with, how many both end with, and what lies between. */
function difference(before: Buffer, after: Buffer): Cbor {
  const most = Math.min(before.length, after.length);
  let head = 0;
  while (head < most && before[head] === after[head]) head += 1;
  let tail = 0;
  while (tail < most - head && before[before.length - 1 - tail] === after[after.length - 1 - tail]) tail += 1;
  return [head, tail, after.subarray(head, after.length - tail)];
}

function restored(before: Buffer, value: unknown): Buffer {
  const [first, last, between] = shape.tuple(value, 3);
  const [head, tail] = [shape.uint(first, before.length), shape.uint(last, before.length)];
  const middle = shape.bytesUpTo(between, LIMITS.mlsGroupDataBytes);
  return Buffer.concat([before.subarray(0, head), middle, before.subarray(before.length - tail)]);
}

/** @throws DecodeError not a whole number of parts */
function split(bytes: Uint8Array, length: number): Uint8Array[] {
  if (bytes.length % length !== 0) shape.fail();
  return Array.from({ length: bytes.length / length }, (_, at) => bytes.subarray(at * length, (at + 1) * length));
}
