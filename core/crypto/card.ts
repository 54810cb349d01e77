import { utf8 } from '../base/bytes.ts';
import { AuthError } from '../base/errors.ts';
import { blake2b } from '../base/hash.ts';
import { LABEL } from '../base/labels.ts';
import { type CardFields, type ContactCard, decodeCard, encodeCard, encodeCardFields } from '../wire/card.ts';
import { type IdentityPublic, type IdentitySecrets, verifySignature } from './identity.ts';

export const CARD_HASH_BYTES = 32;

/** What the owner of an identity chooses; the long-term keys are the identity's own. */
export type CardDetails = Omit<CardFields, 'identityKey' | 'agreementKey' | 'kemKey'>;

/** @throws DecodeError a detail is outside the limits of a card */
export function signCard(identity: IdentitySecrets, details: CardDetails): Buffer {
  const { identity: identityKey, agreement: agreementKey, kem: kemKey } = identity.public;
  const fields: CardFields = { ...details, identityKey, agreementKey, kemKey };
  const signature = identity.sign(LABEL.cardSignature, encodeCardFields(fields));
  const bytes = encodeCard({ ...fields, signature });
  // What we could not read back ourselves is never given to anyone.
  decodeCard(bytes);
  return bytes;
}

/** @throws DecodeError not a card; AuthError not signed by the identity it names */
export function openCard(bytes: Uint8Array): ContactCard {
  const card = decodeCard(bytes);
  if (!verifySignature(card.identityKey, LABEL.cardSignature, encodeCardFields(card), card.signature)) {
    throw new AuthError('not-authentic', 'card.open', 'The contact card is not signed by the identity it names.');
  }
  return card;
}

/** Names one card: BLAKE2b-256 of a label and its bytes. */
export function cardHash(bytes: Uint8Array): Buffer {
  return blake2b(CARD_HASH_BYTES, utf8(LABEL.cardHash), bytes);
}

export function identityPublicOf(card: ContactCard): IdentityPublic {
  return { identity: card.identityKey, agreement: card.agreementKey, kem: card.kemKey };
}
