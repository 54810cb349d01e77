import { type IdentityKey, PUBLIC_KEY_BYTES, parseIdentityKey } from '../base/ids.ts';
import { LIMITS } from '../base/limits.ts';
import { isNick } from '../base/nick.ts';
import { type Cbor, decodeCbor, encodeCbor, Shape } from './cbor.ts';

/** Contact card v1 (docs/protocol/session.md §2): who someone is and how to reach them, signed by the identity key. */
export interface CardFields {
  readonly identityKey: IdentityKey;
  /** X25519, 32 bytes. */
  readonly agreementKey: Uint8Array;
  /** ML-KEM-768, 1184 bytes. */
  readonly kemKey: Uint8Array;
  /** Rises with every new card of the same identity. */
  readonly serial: number;
  readonly issuedAtMs: number;
  readonly prekeys: readonly CardPrekey[];
  readonly mailboxKey: Uint8Array;
  readonly presenceKey: Uint8Array;
  /** Ed25519 key of the libp2p peer id. */
  readonly transportKey: Uint8Array;
  /** Binary multiaddrs; hints, not proofs. */
  readonly addresses: readonly Uint8Array[];
  /** 1 to 64 UTF-8 bytes with something to see, no control, bidirectional or invisible characters (`isNick`). */
  readonly nick: string;
}

export interface CardPrekey {
  readonly id: number;
  readonly x25519: Uint8Array;
  readonly kem: Uint8Array;
  readonly expiresAtMs: number;
}

export interface ContactCard extends CardFields {
  readonly signature: Uint8Array;
}

export const CARD_VERSION = 1;
const CARD_FIELDS = 13;
const KEM_KEY_BYTES = 1184;
const SIGNATURE_BYTES = 64;
const MAX_PREKEY_ID = 0xffff_ffff;
const MAX_MS = 2 ** 48 - 1;
const shape = new Shape('card');

/** The bytes a card's signature covers: the same array without it. */
export function encodeCardFields(card: CardFields): Buffer {
  return encodeCbor(fieldsOf(card));
}

export function encodeCard(card: ContactCard): Buffer {
  return encodeCbor([...fieldsOf(card), card.signature]);
}

/**
 * Checks the form only: whoever believes a card opens it with `openCard` (core/crypto/card.ts).
 * @throws DecodeError any other form, version or length
 */
export function decodeCard(bytes: Uint8Array): ContactCard {
  const f = shape.tuple(decodeCbor(bytes, LIMITS.cardBytes, 'card'), CARD_FIELDS);
  shape.constant(f[0], CARD_VERSION);
  const prekeys = shape.list(f[6], LIMITS.cardPrekeys, decodePrekey);
  if (new Set(prekeys.map(prekey => prekey.id)).size !== prekeys.length) shape.fail();
  const nick = shape.text(f[11], LIMITS.nickBytes);
  if (!isNick(nick)) shape.fail();
  return {
    identityKey: parseIdentityKey(shape.bytes(f[1], PUBLIC_KEY_BYTES)),
    agreementKey: shape.bytes(f[2], PUBLIC_KEY_BYTES),
    kemKey: shape.bytes(f[3], KEM_KEY_BYTES),
    serial: shape.uint(f[4]),
    issuedAtMs: shape.uint(f[5], MAX_MS),
    prekeys,
    mailboxKey: shape.bytes(f[7], PUBLIC_KEY_BYTES),
    presenceKey: shape.bytes(f[8], PUBLIC_KEY_BYTES),
    transportKey: shape.bytes(f[9], PUBLIC_KEY_BYTES),
    addresses: shape.list(f[10], LIMITS.cardAddresses, value => shape.bytesUpTo(value, LIMITS.addressBytes)),
    nick,
    signature: shape.bytes(f[12], SIGNATURE_BYTES),
  };
}

function decodePrekey(value: unknown): CardPrekey {
  const [id, x25519, kem, expiresAtMs] = shape.tuple(value, 4);
  const number = shape.uint(id, MAX_PREKEY_ID);
  if (number === 0) shape.fail();
  return {
    id: number,
    x25519: shape.bytes(x25519, PUBLIC_KEY_BYTES),
    kem: shape.bytes(kem, KEM_KEY_BYTES),
    expiresAtMs: shape.uint(expiresAtMs, MAX_MS),
  };
}

function fieldsOf(card: CardFields): Cbor[] {
  return [
    CARD_VERSION,
    card.identityKey,
    card.agreementKey,
    card.kemKey,
    card.serial,
    card.issuedAtMs,
    card.prekeys.map(prekey => [prekey.id, prekey.x25519, prekey.kem, prekey.expiresAtMs]),
    card.mailboxKey,
    card.presenceKey,
    card.transportKey,
    [...card.addresses],
    card.nick,
  ];
}
