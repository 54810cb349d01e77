import { base32 } from '@scure/base';
import { compareBytes, equalBytes, utf8 } from '../base/bytes.ts';
import { blake2b } from '../base/hash.ts';
import type { IdentityKey } from '../base/ids.ts';
import { LABEL } from '../base/labels.ts';
import { hmac } from './hmac.ts';
import type { IdentityPublic } from './identity.ts';

/** One side of a ceremony, as both sides know it. */
export interface CodeParty {
  readonly identity: IdentityKey;
  readonly cardHash: Uint8Array;
  readonly nonce: Uint8Array;
}

export const CODE_CHARACTERS = 12;
/** 60 bits of the MAC lie within its first 8 bytes. */
const CODE_SOURCE_BYTES = 8;
const SAFETY_GROUPS = 12;
const SAFETY_GROUP_BYTES = 5;
const SAFETY_GROUP_DIGITS = 5;

/**
 * The one-time code (docs/protocol/session.md §8): the first 60 bits of HMAC-SHA256 over both sides, lower identity key first,
 * under the session's verification key.
 * @returns 12 characters A-Z2-7
 */
export function oneTimeCode(verificationKey: Uint8Array, a: CodeParty, b: CodeParty): string {
  const [low, high] = compareBytes(a.identity, b.identity) <= 0 ? [a, b] : [b, a];
  const mac = hmac(
    'sha256',
    verificationKey,
    utf8(LABEL.verificationCode),
    low.identity,
    high.identity,
    low.cardHash,
    high.cardHash,
    low.nonce,
    high.nonce,
  );
  return base32.encode(mac.subarray(0, CODE_SOURCE_BYTES)).slice(0, CODE_CHARACTERS);
}

/**
 * What a person typed, as a code: case, spaces and dashes do not count, and the digits that the alphabet lacks are
 * taken for the letters they look like (0 O, 1 I, 8 B). L stays L: in capitals, as shown, it does not look like 1.
 */
export function normaliseCode(typed: string): string {
  return typed
    .toUpperCase()
    .replace(/[\s\-\u2010-\u2015]/g, '')
    .replace(/0/g, 'O')
    .replace(/1/g, 'I')
    .replace(/8/g, 'B');
}

/** Constant time in the code's characters. */
export function codesMatch(code: string, typed: string): boolean {
  return equalBytes(utf8(code), utf8(normaliseCode(typed)));
}

/** Binds a nonce before it is shown. The role keeps a commitment from being sent back to who made it. */
export function commitTo(nonce: Uint8Array, ceremonyId: Uint8Array, role: 'shower' | 'typer'): Buffer {
  const roleByte = Uint8Array.of(role === 'shower' ? 1 : 2);
  return blake2b(32, utf8(LABEL.verificationCommitment), roleByte, ceremonyId, nonce);
}

/**
 * The permanent number two people can compare: 60 digits in 12 groups of 5 with spaces between, the same on both
 * sides, another one when any of the six long-term keys is another. 199 bits, so meeting it by chance needs 2^99 tries.
 */
export function safetyNumber(a: IdentityPublic, b: IdentityPublic): string {
  const [low, high] = compareBytes(a.identity, b.identity) <= 0 ? [a, b] : [b, a];
  const keys = [low, high].flatMap(party => [party.identity, party.agreement, party.kem]);
  const digest = blake2b(SAFETY_GROUPS * SAFETY_GROUP_BYTES, utf8(LABEL.safetyNumber), ...keys);
  const groups = Array.from({ length: SAFETY_GROUPS }, (_, index) => {
    const value = digest.readUIntBE(index * SAFETY_GROUP_BYTES, SAFETY_GROUP_BYTES);
    return String(value % 10 ** SAFETY_GROUP_DIGITS).padStart(SAFETY_GROUP_DIGITS, '0');
  });
  return groups.join(' ');
}
