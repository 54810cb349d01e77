import { concat, utf8, wipe } from '../base/bytes.ts';
import type { RandomSource } from '../base/clock.ts';
import { CoreError } from '../base/errors.ts';
import { deriveKey } from '../base/hash.ts';
import { LABEL } from '../base/labels.ts';
import { BUNDLE_MAGIC, SLOT_BYTES, SLOTS_AT, slotsFor } from '../wire/bundle.ts';
import { openXChaCha, sealXChaCha, XCHACHA_NONCE_BYTES } from './aead.ts';
import type { IdentityPublic, IdentitySecrets } from './identity.ts';
import { KEM_CIPHERTEXT_BYTES, KEM_SEED_BYTES, kemEncapsulate, kemPublicOf } from './ml-kem.ts';
import { generateX25519, X25519_BYTES, type X25519Pair, x25519 } from './x25519.ts';

/**
 * The head of a bundle: the file key, sealed for each recipient's long-term keys (X25519 and ML-KEM-768 together) in a
 * slot that only the recipient can tell from any other. Slots of nobody fill up the number.
 */
export const FILE_KEY_BYTES = 32;
/** A slot key seals one thing. */
const NONCE = Buffer.alloc(XCHACHA_NONCE_BYTES);

/** A recipient whose keys are none (its card is at fault) gets no slot: nothing could be sealed for it anyway. */
export function sealBundleHead(recipients: readonly IdentityPublic[], fileKey: Buffer, random: RandomSource): Buffer {
  const ephemeral = generateX25519(random);
  const count = slotsFor(recipients.length);
  const slots = recipients.slice(0, count).flatMap(recipient => sealSlot(recipient, ephemeral, fileKey) ?? []);
  wipe(ephemeral.secret);
  // A real key: what ML-KEM makes can be told from random bytes.
  const seed = random(KEM_SEED_BYTES);
  const nobody = kemPublicOf(seed);
  wipe(seed);
  while (slots.length < count) {
    const { ciphertext, shared } = kemEncapsulate(nobody);
    wipe(shared);
    slots.push(concat(ciphertext, random(SLOT_BYTES - KEM_CIPHERTEXT_BYTES)));
  }
  // By what nobody chose, so that a place says nothing.
  slots.sort(Buffer.compare);
  const number = Buffer.allocUnsafeSlow(2);
  number.writeUInt16BE(count);
  return concat(utf8(BUNDLE_MAGIC), number, ephemeral.public, ...slots);
}

/**
 * @param head of the documented form and length
 * @returns the file key, wiped by the caller; undefined when no slot is for this identity
 */
export function openBundleHead(head: Buffer, identity: IdentitySecrets): Buffer | undefined {
  const ephemeral = head.subarray(SLOTS_AT - X25519_BYTES, SLOTS_AT);
  const agreed = agreedWith(identity, ephemeral);
  if (!agreed) return undefined;
  try {
    for (let at = SLOTS_AT; at < head.length; at += SLOT_BYTES) {
      const key = openSlot(head.subarray(at, at + SLOT_BYTES), agreed, ephemeral, identity);
      if (key) return key;
    }
    return undefined;
  } finally {
    wipe(agreed);
  }
}

function sealSlot(recipient: IdentityPublic, ephemeral: X25519Pair, fileKey: Buffer): Buffer | undefined {
  const secrets: Buffer[] = [];
  try {
    const agreed = x25519(ephemeral.secret, recipient.agreement);
    secrets.push(agreed);
    const { ciphertext, shared } = kemEncapsulate(recipient.kem);
    secrets.push(shared);
    const key = slotKey(agreed, shared, ephemeral.public, ciphertext, recipient);
    secrets.push(key);
    const sealed = Buffer.allocUnsafeSlow(SLOT_BYTES - KEM_CIPHERTEXT_BYTES);
    sealXChaCha(sealed, fileKey, null, NONCE, key);
    return concat(ciphertext, sealed);
  } catch (error) {
    if (error instanceof CoreError) return undefined;
    throw error;
  } finally {
    wipe(...secrets);
  }
}

function openSlot(slot: Buffer, agreed: Buffer, ephemeral: Buffer, identity: IdentitySecrets): Buffer | undefined {
  const ciphertext = slot.subarray(0, KEM_CIPHERTEXT_BYTES);
  const shared = identity.decapsulate(ciphertext);
  const key = slotKey(agreed, shared, ephemeral, ciphertext, identity.public);
  const fileKey = Buffer.allocUnsafeSlow(FILE_KEY_BYTES);
  const opened = openXChaCha(fileKey, slot.subarray(KEM_CIPHERTEXT_BYTES), null, NONCE, key);
  wipe(shared, key);
  return opened ? fileKey : undefined;
}

function agreedWith(identity: IdentitySecrets, ephemeral: Buffer): Buffer | undefined {
  try {
    return identity.agreement.agree(ephemeral);
  } catch (error) {
    // A key of small order: no head that was sealed.
    if (error instanceof CoreError) return undefined;
    throw error;
  }
}

function slotKey(
  agreed: Buffer,
  shared: Buffer,
  ephemeral: Buffer,
  ciphertext: Buffer,
  recipient: IdentityPublic,
): Buffer {
  const secret = concat(agreed, shared);
  const key = deriveKey(secret, LABEL.bundleSlot, 32, ephemeral, ciphertext, recipient.agreement, recipient.kem);
  wipe(secret);
  return key;
}
