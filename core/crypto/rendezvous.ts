import sodium from 'sodium-native';
import { asBuffer, concat, equalBytes, utf8, wipe } from '../base/bytes.ts';
import type { RandomSource } from '../base/clock.ts';
import { AuthError, DecodeError } from '../base/errors.ts';
import { deriveKey, keyedBlake2b } from '../base/hash.ts';
import type { IdentityKey } from '../base/ids.ts';
import { LABEL } from '../base/labels.ts';

/**
 * What the 16-byte secret of an invite is good for (docs/protocol/envelope.md, "Rendezvous"): finding the invite at
 * its maker, sealing the contact card on the way, and proving with a request that the invite was held.
 */
const NONCE_BYTES = sodium.crypto_aead_xchacha20poly1305_ietf_NPUBBYTES;
const MAC_BYTES = sodium.crypto_aead_xchacha20poly1305_ietf_ABYTES;

/** 16 bytes by which the maker of an invite finds it again; says nothing of the secret. */
export function rendezvousLookup(secret: Uint8Array): Buffer {
  return keyedBlake2b(16, secret, utf8(LABEL.rendezvousLookup));
}

/** nonce 24 | ciphertext | tag 16, bound to the asker's 16-byte challenge. */
export function sealCard(secret: Uint8Array, challenge: Uint8Array, card: Uint8Array, random: RandomSource): Buffer {
  const key = deriveKey(secret, LABEL.rendezvousSeal);
  const nonce = random(NONCE_BYTES);
  const out = Buffer.allocUnsafeSlow(card.length + MAC_BYTES);
  const ad = asBuffer(challenge);
  sodium.crypto_aead_xchacha20poly1305_ietf_encrypt(out, asBuffer(card), ad, null, nonce, key);
  wipe(key);
  return concat(nonce, out);
}

/** @throws DecodeError too short; AuthError another secret or challenge */
export function openCardSeal(secret: Uint8Array, challenge: Uint8Array, sealed: Uint8Array): Buffer {
  if (sealed.length < NONCE_BYTES + MAC_BYTES) throw new DecodeError('rendezvous.open');
  const key = deriveKey(secret, LABEL.rendezvousSeal);
  const bytes = asBuffer(sealed);
  const out = Buffer.allocUnsafeSlow(bytes.length - NONCE_BYTES - MAC_BYTES);
  const nonce = bytes.subarray(0, NONCE_BYTES);
  try {
    const cipher = bytes.subarray(NONCE_BYTES);
    sodium.crypto_aead_xchacha20poly1305_ietf_decrypt(out, null, cipher, asBuffer(challenge), nonce, key);
    return out;
  } catch {
    throw new AuthError('not-authentic', 'rendezvous.open', 'The answer was not made with this invite.');
  } finally {
    wipe(key);
  }
}

/** 32 bytes that only a holder of the invite can make, for this pair of people. */
export function invitationProof(secret: Uint8Array, asker: IdentityKey, maker: IdentityKey): Buffer {
  return keyedBlake2b(32, secret, utf8(LABEL.rendezvousProof), asker, maker);
}

export function proofMatches(secret: Uint8Array, asker: IdentityKey, maker: IdentityKey, proof: Uint8Array): boolean {
  return equalBytes(invitationProof(secret, asker, maker), proof);
}
