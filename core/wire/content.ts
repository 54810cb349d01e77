import { decodeHlc, encodeHlc, HLC_BYTES, type HlcTime } from '../base/hlc.ts';
import { type GroupId, groupIdFromBytes, ID_BYTES, idBytes, type MessageId, messageIdFromBytes } from '../base/ids.ts';
import { LIMITS } from '../base/limits.ts';
import { type Cbor, decodeCbor, encodeCbor, Shape } from './cbor.ts';
import { type Parcel, parcelFields, parcelFrom } from './group-parcel.ts';

/**
 * What a ratchet message carries (docs/protocol/envelope.md, "Content"): a CBOR array
 * [version, kind, ...]. A text is named by its bytes (messageIdOf), so they are never re-made.
 */
export type Content =
  | TextContent
  | ReceiptContent
  | CardContent
  | VerificationContent
  | MissingContent
  | AgainContent
  | KeyPackagesContent
  | GroupContent
  | HaveContent;

export interface TextContent {
  readonly kind: 'text';
  readonly hlc: HlcTime;
  /** Latest messages the sender had seen, at most LIMITS.parents. */
  readonly parents: readonly MessageId[];
  readonly text: string;
}

export interface ReceiptContent {
  readonly kind: 'receipt';
  readonly type: ReceiptType;
  readonly atMs: number;
  readonly ids: readonly MessageId[];
  /** Ed25519 over receiptStatement by the recipient's identity key. */
  readonly signature: Uint8Array;
}

export interface CardContent {
  readonly kind: 'card';
  readonly card: Uint8Array;
}

export interface VerificationContent {
  readonly kind: 'verification';
  readonly body: Uint8Array;
}

/** Texts that others name as their parents and that have not come: whoever made them seals them again. */
export interface MissingContent {
  readonly kind: 'missing';
  /** At least one, at most LIMITS.missingIds. */
  readonly ids: readonly MessageId[];
}

/** From a profile that was put back: whoever reads it seals again what it had sent after this text of its own. */
export interface AgainContent {
  readonly kind: 'again';
  /** Null: none is left. */
  readonly after: MessageId | null;
}

/** With these the contact can add us to groups. */
export interface KeyPackagesContent {
  readonly kind: 'key-packages';
  /** For this contact alone, and for one group each: at least one, at most one for every suite. */
  readonly oneTime: readonly Uint8Array[];
  /** For when that is used and no new one has come. */
  readonly lastResort: readonly Uint8Array[];
}

/** Something of a group, from one member to another. */
export interface GroupContent {
  readonly kind: 'group';
  readonly group: GroupId;
  readonly parcel: Parcel;
}

/** In a group: texts that its sender has, the newest of each author. Its act signs it (docs/protocol/group.md §1). */
export interface HaveContent {
  readonly kind: 'have';
  readonly ids: readonly MessageId[];
}

export type ReceiptType = 'delivered' | 'read';

const CONTENT_VERSION = 1;
const KIND = {
  text: 1,
  receipt: 2,
  card: 3,
  verification: 4,
  missing: 5,
  again: 6,
  'key-packages': 7,
  group: 8,
  have: 9,
} as const;
export const RECEIPT_TYPE = { delivered: 1, read: 2 } as const;
const SIGNATURE_BYTES = 64;
/** Largest content: a text with every parent, and CBOR heads. */
export const CONTENT_BYTES = LIMITS.textBytes + LIMITS.parents * (ID_BYTES + 1) + 64;
const VERIFICATION_BYTES = 512;
const LAST_HLC_MS = 2 ** 47;
const shape = new Shape('content');

export function encodeContent(content: Content): Buffer {
  return encodeCbor([CONTENT_VERSION, KIND[content.kind], ...fieldsOf(content)]);
}

/** @throws DecodeError any other form, kind, version or length */
export function decodeContent(bytes: Uint8Array): Content {
  const value = decodeCbor(bytes, CONTENT_BYTES, 'content');
  if (!Array.isArray(value)) return shape.fail();
  shape.constant(value[0], CONTENT_VERSION);
  switch (value[1]) {
    case KIND.text:
      return decodeText(shape.tuple(value, 5));
    case KIND.receipt:
      return decodeReceipt(shape.tuple(value, 6));
    case KIND.card:
      return { kind: 'card', card: shape.bytesUpTo(shape.tuple(value, 3)[2], LIMITS.cardBytes) };
    case KIND.verification:
      return { kind: 'verification', body: shape.bytesUpTo(shape.tuple(value, 3)[2], VERIFICATION_BYTES) };
    case KIND.missing:
      return decodeMissing(shape.tuple(value, 3));
    case KIND.again:
      return decodeAgain(shape.tuple(value, 3));
    case KIND['key-packages']:
      return decodeKeyPackages(shape.tuple(value, 4));
    case KIND.group:
      return decodeGroup(shape.tuple(value, 8));
    case KIND.have:
      return { kind: 'have', ids: shape.list(shape.tuple(value, 3)[2], LIMITS.receiptIds, messageId) };
    default:
      return shape.fail();
  }
}

/** The bytes a receipt signs, beside its label and conversation. */
export function receiptStatement(type: ReceiptType, atMs: number, ids: readonly MessageId[]): Buffer {
  return encodeCbor([RECEIPT_TYPE[type], atMs, ids.map(idBytes)]);
}

function fieldsOf(content: Content): Cbor[] {
  switch (content.kind) {
    case 'text':
      return [encodeHlc(content.hlc), content.parents.map(idBytes), content.text];
    case 'receipt':
      return [RECEIPT_TYPE[content.type], content.atMs, content.ids.map(idBytes), content.signature];
    case 'card':
      return [content.card];
    case 'verification':
      return [content.body];
    case 'missing':
      return [content.ids.map(idBytes)];
    case 'again':
      return [content.after && idBytes(content.after)];
    case 'key-packages':
      return [[...content.oneTime], [...content.lastResort]];
    case 'group':
      return [idBytes(content.group), ...parcelFields(content.parcel)];
    case 'have':
      return [content.ids.map(idBytes)];
  }
}

function decodeText([, , hlc, parents, text]: readonly unknown[]): TextContent {
  return {
    kind: 'text',
    hlc: decodeTime(shape.bytes(hlc, HLC_BYTES)),
    parents: shape.list(parents, LIMITS.parents, messageId),
    text: shape.text(text, LIMITS.textBytes),
  };
}

function decodeMissing([, , list]: readonly unknown[]): MissingContent {
  const ids = shape.list(list, LIMITS.missingIds, messageId);
  if (ids.length === 0) shape.fail();
  return { kind: 'missing', ids };
}

function decodeAgain([, , after]: readonly unknown[]): AgainContent {
  return { kind: 'again', after: after === null ? null : messageId(after) };
}

function decodeKeyPackages([, , oneTime, lastResort]: readonly unknown[]): KeyPackagesContent {
  return { kind: 'key-packages', oneTime: keyPackages(oneTime), lastResort: keyPackages(lastResort) };
}

function keyPackages(value: unknown): Uint8Array[] {
  const one = (bytes: unknown): Uint8Array => shape.bytesUpTo(bytes, LIMITS.keyPackageBytes);
  const all = shape.list(value, LIMITS.keyPackageSuites, one);
  return all.length > 0 ? all : shape.fail();
}

function decodeGroup([, , group, ...parcel]: readonly unknown[]): GroupContent {
  return { kind: 'group', group: groupIdFromBytes(shape.bytes(group, ID_BYTES)), parcel: parcelFrom(parcel) };
}

/** The end of time is kept free: there must always be a later moment to answer in. */
function decodeTime(bytes: Uint8Array): HlcTime {
  const hlc = decodeHlc(bytes);
  return hlc.ms <= LAST_HLC_MS ? hlc : shape.fail();
}

function decodeReceipt([, , type, atMs, ids, signature]: readonly unknown[]): ReceiptContent {
  const known = type === RECEIPT_TYPE.delivered ? 'delivered' : type === RECEIPT_TYPE.read ? 'read' : shape.fail();
  return {
    kind: 'receipt',
    type: known,
    atMs: shape.uint(atMs),
    ids: shape.list(ids, LIMITS.receiptIds, messageId),
    signature: shape.bytes(signature, SIGNATURE_BYTES),
  };
}

function messageId(value: unknown): MessageId {
  return messageIdFromBytes(shape.bytes(value, ID_BYTES));
}
