import { hex, utf8 } from '../base/bytes.ts';
import { blake2b } from '../base/hash.ts';
import { type ContactId, contactIdFromBytes, ID_BYTES, idBytes } from '../base/ids.ts';
import { LABEL } from '../base/labels.ts';
import { LIMITS } from '../base/limits.ts';
import { type Cbor, encodeCbor, Shape } from '../wire/cbor.ts';
import type { GroupData } from './group-data.ts';

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
  /** Rises with each ask of its author: the time in milliseconds, or one above the number before where that is higher. */
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

export function askToCbor(ask: Ask): Cbor {
  return [idBytes(ask.author), ask.number, ...changeToCbor(ask.change), ask.signature];
}

/** @throws DecodeError not the documented form */
export function askFromCbor(value: unknown): Ask {
  const [author, number, kind, subject, signature] = shape.tuple(value, 5);
  return {
    author: readContact(author),
    number: shape.uint(number),
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
      return { kind, name: shape.text(subject, LIMITS.groupNameBytes) };
    case 'leave':
      return subject === null ? { kind } : shape.fail();
  }
}

function readContact(value: unknown): ContactId {
  return contactIdFromBytes(shape.bytes(value, ID_BYTES));
}
