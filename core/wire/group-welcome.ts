import { type ContactId, contactIdFromBytes, ID_BYTES, idBytes } from '../base/ids.ts';
import { LIMITS } from '../base/limits.ts';
import { decodeCbor, encodeCbor, Shape } from './cbor.ts';

/** What a new member is given (docs/protocol/group.md §9). */
export interface GroupWelcome {
  /** The MLS welcome. */
  readonly welcome: Uint8Array;
  /** 32 each, at most LIMITS.groupOuterSecrets: first the one of the epoch that is joined, then those before it. */
  readonly secrets: readonly Uint8Array[];
  /** Cards of members, at most LIMITS.groupWelcomeCards. */
  readonly cards: readonly Uint8Array[];
  /** By which its readers are added: core/groups/act-codec.ts, `encodeAsks`. */
  readonly asks: Uint8Array;
}

/** What someone who has lost the way is given. */
export interface GroupInfo {
  readonly info: Uint8Array;
  readonly secrets: readonly Uint8Array[];
  /** The last act of its own that whoever answers knows, and its place; null when it knows of none. */
  readonly lastAct: { readonly seq: number; readonly id: Uint8Array } | null;
  /** Whoever answers can see the epoch that was named in the ask, and stands elsewhere all the same. */
  readonly seen: boolean;
}

/** A welcome given to the group, for whoever is a contact of those it is for. */
export interface Forward {
  readonly to: readonly ContactId[];
  readonly welcome: Uint8Array;
}

const VERSION = 1;
const SECRET_BYTES = 32;
const ACT_ID_BYTES = 32;
const MAX_BYTES = LIMITS.groupParcelParts * LIMITS.groupPartBytes;
const shape = new Shape('group-welcome');

export function encodeGroupWelcome({ welcome, secrets, cards, asks }: GroupWelcome): Buffer {
  return encodeCbor([VERSION, welcome, [...secrets], [...cards], asks]);
}

/** @throws DecodeError not the documented form */
export function decodeGroupWelcome(bytes: Uint8Array): GroupWelcome {
  const [version, welcome, secrets, cards, asks] = shape.tuple(decodeCbor(bytes, MAX_BYTES, 'group-welcome'), 5);
  shape.constant(version, VERSION);
  return {
    welcome: shape.bytesUpTo(welcome, MAX_BYTES),
    secrets: readSecrets(secrets),
    cards: shape.list(cards, LIMITS.groupWelcomeCards, card => shape.bytesUpTo(card, LIMITS.cardBytes)),
    asks: shape.bytesUpTo(asks, MAX_BYTES),
  };
}

export function encodeGroupInfo({ info, secrets, lastAct, seen }: GroupInfo): Buffer {
  return encodeCbor([VERSION, info, [...secrets], lastAct && [lastAct.seq, lastAct.id], seen]);
}

/** @throws DecodeError not the documented form */
export function decodeGroupInfo(bytes: Uint8Array): GroupInfo {
  const [version, info, secrets, last, seen] = shape.tuple(decodeCbor(bytes, MAX_BYTES, 'group-info'), 5);
  shape.constant(version, VERSION);
  const lastAct = last === null ? null : readLastAct(last);
  return {
    info: shape.bytesUpTo(info, MAX_BYTES),
    secrets: readSecrets(secrets),
    lastAct,
    seen: seen === true || (seen !== false && shape.fail()),
  };
}

function readLastAct(value: unknown): GroupInfo['lastAct'] {
  const [seq, id] = shape.tuple(value, 2);
  return { seq: shape.uint(seq), id: shape.bytes(id, ACT_ID_BYTES) };
}

export function encodeForward({ to, welcome }: Forward): Buffer {
  return encodeCbor([VERSION, to.map(idBytes), welcome]);
}

/** @throws DecodeError not the documented form */
export function decodeForward(bytes: Uint8Array): Forward {
  const [version, to, welcome] = shape.tuple(decodeCbor(bytes, MAX_BYTES, 'group-forward'), 3);
  shape.constant(version, VERSION);
  return {
    to: shape.list(to, LIMITS.groupAsksPerCommit, id => contactIdFromBytes(shape.bytes(id, ID_BYTES))),
    welcome: shape.bytesUpTo(welcome, MAX_BYTES),
  };
}

function readSecrets(value: unknown): Uint8Array[] {
  const secrets = shape.list(value, LIMITS.groupOuterSecrets, secret => shape.bytes(secret, SECRET_BYTES));
  return secrets.length > 0 ? secrets : shape.fail();
}
