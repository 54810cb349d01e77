import { hex, utf8 } from '../base/bytes.ts';
import { blake2b } from '../base/hash.ts';
import { type ContactId, contactIdFromBytes, ID_BYTES, idBytes } from '../base/ids.ts';
import { LABEL } from '../base/labels.ts';
import { LIMITS } from '../base/limits.ts';
import { type Cbor, encodeCbor, Shape } from '../wire/cbor.ts';
import { type GroupData, readGroupName } from './group-data.ts';

/** What someone wants changed. A change of one's own keys needs no asking: it is a commit of nothing. */
export type Change =
  | { readonly kind: 'add'; readonly keyPackage: Uint8Array }
  | { readonly kind: 'remove' | 'promote' | 'demote'; readonly member: ContactId }
  | { readonly kind: 'rename'; readonly name: string }
  | { readonly kind: 'leave' };

/**
 * A signed wish, bound to the group and to no epoch: it holds on whichever branch wins, so nothing is to be proposed again
 * by hand when a branch loses. A commit carries the asks it honours, so that whoever processes it can judge it.
 */
export interface Ask {
  readonly author: ContactId;
  /** Rises with each ask of its author: the time in milliseconds, or one above the highest known where that is higher. */
  readonly number: number;
  readonly change: Change;
  readonly signature: Uint8Array;
}

const SIGNATURE_BYTES = 64;
const KINDS = ['add', 'remove', 'promote', 'demote', 'rename', 'leave'] as const;
const shape = new Shape('group-ask.decode');

/** What the author signs. */
export function askBytes(groupId: Uint8Array, ask: Omit<Ask, 'signature'>): Buffer {
  return encodeCbor([LABEL.groupAsk, groupId, idBytes(ask.author), ask.number, ...changeToCbor(ask.change)]);
}

/** Names an ask, whatever its signature. */
export function askName(groupId: Uint8Array, ask: Ask): string {
  return hex(blake2b(16, utf8(LABEL.groupAsk), askBytes(groupId, ask)));
}

const open = new WeakMap<ReadonlyMap<string, Ask>, { readonly data: GroupData; readonly asks: readonly Ask[] }>();

/** Those that no commit down to an epoch with these data has honoured or passed over, in the order in which they are to be. */
export function openAsks(asks: ReadonlyMap<string, Ask>, data: GroupData): readonly Ask[] {
  const known = open.get(asks);
  if (known?.data === data) return known.asks;
  const left: Ask[] = [];
  asks.forEach(ask => {
    if (ask.number > (data.honoured.get(ask.author) ?? -1)) left.push(ask);
  });
  left.sort((a, b) => a.number - b.number || (a.author < b.author ? -1 : 1));
  open.set(asks, { data, asks: left });
  return left;
}

/**
 * Whether an ask said alone is kept: it may still be honoured, is no second wish to leave, and not from a time that clocks do not differ by. One
 * that a commit carries is kept whatever its number, to be honoured again should that branch lose.
 */
export function isTimely(ask: Ask, asks: ReadonlyMap<string, Ask>, data: GroupData, nowMs: number): boolean {
  if (ask.number <= (data.honoured.get(ask.author) ?? -1)) return false;
  if (ask.number > Math.max(nowMs, ...data.honoured.values()) + LIMITS.groupAskAheadMs) return false;
  const waits = ({ author, change }: Ask): boolean => author === ask.author && change.kind === 'leave';
  return ask.change.kind !== 'leave' || !openAsks(asks, data).some(waits);
}

/**
 * The number of an author's next ask: above all that are known, so that an add comes after whatever the one added asked before; those of clocks that are
 * far ahead do not count, but for its own.
 */
export function nextNumber(author: ContactId, asks: ReadonlyMap<string, Ask>, data: GroupData, nowMs: number): number {
  let last = data.honoured.get(author) ?? -1;
  const see = (number: number, own: boolean): void => {
    if (own || number <= nowMs + LIMITS.groupAskAheadMs) last = Math.max(last, number);
  };
  data.honoured.forEach((number, member) => {
    see(number, member === author);
  });
  asks.forEach(ask => {
    see(ask.number, ask.author === author);
  });
  return Math.max(Math.min(nowMs, LIMITS.groupAskNumber / 2), last + 1);
}

export function askToCbor(ask: Ask): Cbor {
  return [idBytes(ask.author), ask.number, ...changeToCbor(ask.change), ask.signature];
}

/** @throws DecodeError not the documented form */
export function askFromCbor(value: unknown): Ask {
  const [author, number, kind, subject, signature] = shape.tuple(value, 5);
  return {
    author: readContact(author),
    number: shape.uint(number, LIMITS.groupAskNumber - 1),
    change: readChange(KINDS[shape.uint(kind, KINDS.length - 1)] ?? shape.fail(), subject),
    signature: shape.bytes(signature, SIGNATURE_BYTES),
  };
}

/** @throws DecodeError not the documented form */
export function changeFromCbor(value: unknown): Change {
  const [kind, subject] = shape.tuple(value, 2);
  return readChange(KINDS[shape.uint(kind, KINDS.length - 1)] ?? shape.fail(), subject);
}

export function changeToCbor(change: Change): [kind: number, subject: Cbor] {
  const kind = KINDS.indexOf(change.kind);
  switch (change.kind) {
    case 'add':
      return [kind, change.keyPackage];
    case 'remove':
    case 'promote':
    case 'demote':
      return [kind, idBytes(change.member)];
    case 'rename':
      return [kind, change.name];
    case 'leave':
      return [kind, null];
  }
}

function readChange(kind: Change['kind'], subject: unknown): Change {
  switch (kind) {
    case 'add':
      return { kind, keyPackage: shape.bytesUpTo(subject, LIMITS.keyPackageBytes) };
    case 'remove':
    case 'promote':
    case 'demote':
      return { kind, member: readContact(subject) };
    case 'rename':
      return { kind, name: readGroupName(shape, subject) };
    case 'leave':
      return subject === null ? { kind } : shape.fail();
  }
}

function readContact(value: unknown): ContactId {
  return contactIdFromBytes(shape.bytes(value, ID_BYTES));
}
