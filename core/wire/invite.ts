import { base32nopad } from '@scure/base';
import { asBuffer, concat, equalBytes, utf8 } from '../base/bytes.ts';
import { HOUR_MS } from '../base/clock.ts';
import { DecodeError } from '../base/errors.ts';
import { blake2b } from '../base/hash.ts';
import {
  type IdentityKey,
  PUBLIC_KEY_BYTES,
  parseIdentityKey,
  parseTransportKey,
  type TransportKey,
} from '../base/ids.ts';
import { LABEL } from '../base/labels.ts';
import { LIMITS } from '../base/limits.ts';
import { decodeCbor, encodeCbor, Shape } from './cbor.ts';

/** What one person hands to another to be found: docs/protocol/envelope.md, "Invite". */
export interface Invite {
  readonly identity: IdentityKey;
  /** 16 random bytes that open the card and prove that the invite was held. */
  readonly secret: Uint8Array;
  readonly expiresAtHours: number;
  readonly transport: TransportKey;
  /** Multiaddrs in binary form, best first. */
  readonly addresses: readonly Uint8Array[];
}

export const INVITE_PREFIX = 'molva:1/';
export const INVITE_SECRET_BYTES = 16;
const INVITE_VERSION = 1;
const CHECKSUM_BYTES = 4;
const shape = new Shape('invite');

/** `molva:1/` and base32: a QR code of its upper-case form stays in the compact alphanumeric mode. */
export function encodeInvite(invite: Invite): string {
  return linkText(INVITE_PREFIX, encodeInviteBody(invite));
}

/** Takes any case and surrounding space. @throws DecodeError not an invite, or mistyped */
export function decodeInvite(text: string): Invite {
  return decodeInviteBody(linkBytes(INVITE_PREFIX, text, LIMITS.inviteBytes));
}

export function encodeInviteBody(invite: Invite): Buffer {
  const { identity, secret, expiresAtHours, transport, addresses } = invite;
  return encodeCbor([INVITE_VERSION, identity, secret, expiresAtHours, transport, addresses]);
}

/** @throws DecodeError not the documented form */
export function decodeInviteBody(body: Uint8Array): Invite {
  const [version, identity, secret, expires, transport, addresses] = shape.tuple(
    decodeCbor(body, LIMITS.inviteBytes, 'invite'),
    6,
  );
  shape.constant(version, INVITE_VERSION);
  return {
    identity: parseIdentityKey(shape.bytes(identity, PUBLIC_KEY_BYTES)),
    secret: shape.bytes(secret, INVITE_SECRET_BYTES),
    expiresAtHours: shape.uint(expires, 0xffff_ffff),
    transport: parseTransportKey(shape.bytes(transport, PUBLIC_KEY_BYTES)),
    addresses: shape.list(addresses, LIMITS.inviteAddresses, item => shape.bytesUpTo(item, LIMITS.addressBytes)),
  };
}

export function inviteExpired(invite: Invite, nowMs: number): boolean {
  return invite.expiresAtHours * HOUR_MS <= nowMs;
}

/** A text to copy: the prefix, and the bytes with a checksum in base32. */
export function linkText(prefix: string, body: Uint8Array): string {
  return prefix + base32nopad.encode(concat(body, checksum(body))).toLowerCase();
}

/** @throws DecodeError another prefix, mistyped or cut */
export function linkBytes(prefix: string, text: string, maxBytes: number): Buffer {
  const trimmed = text.trim().toLowerCase();
  if (!trimmed.startsWith(prefix)) throw new DecodeError('invite', 'This is not a Molva invite.');
  const bytes = decodeBase32(trimmed.slice(prefix.length), maxBytes);
  const body = bytes.subarray(0, -CHECKSUM_BYTES);
  if (bytes.length <= CHECKSUM_BYTES || !equalBytes(checksum(body), bytes.subarray(-CHECKSUM_BYTES))) {
    throw new DecodeError('invite', 'The invite is incomplete or was mistyped.');
  }
  return body;
}

function checksum(body: Uint8Array): Buffer {
  return blake2b(16, utf8(LABEL.inviteChecksum), body).subarray(0, CHECKSUM_BYTES);
}

function decodeBase32(text: string, maxBytes: number): Buffer {
  if (text.length > maxBytes * 2) throw new DecodeError('invite', 'The invite is too long.');
  try {
    return asBuffer(base32nopad.decode(text.toUpperCase()));
  } catch (cause) {
    throw new DecodeError('invite', 'The invite holds characters that do not belong there.', cause);
  }
}
