import type { Capabilities } from 'ts-mls/capabilities.js';
import type { Credential } from 'ts-mls/credential.js';
import { concat } from '../../base/bytes.ts';
import { DecodeError } from '../../base/errors.ts';
import { type IdentityKey, PUBLIC_KEY_BYTES, parseIdentityKey } from '../../base/ids.ts';
import { LABEL } from '../../base/labels.ts';
import { SIGNATURE_BYTES } from '../ed25519.ts';
import { verifySignature } from '../identity.ts';
import { SUITES } from './suite.ts';

/** What signs for an identity: the profile's own secrets. */
export interface IdentitySigner {
  readonly public: { readonly identity: IdentityKey };
  sign(label: string, bytes: Uint8Array): Buffer;
}

/** A credential: the identity key, and its signature over the leaf's signature key. */
export const CREDENTIAL_BYTES = PUBLIC_KEY_BYTES + SIGNATURE_BYTES;

/** Private use (RFC 9420 §17.3): what the group says of itself, opaque here. */
export const GROUP_DATA_EXTENSION = 0xf0a1;

/** The same of every member, so that no leaf can be told by it. */
export const MOLVA_CAPABILITIES: Capabilities = {
  versions: ['mls10'],
  ciphersuites: [SUITES.classical, SUITES.hybrid],
  extensions: [GROUP_DATA_EXTENSION],
  proposals: [],
  credentials: ['basic'],
};

/**
 * A leaf signs with a key of its own, which the identity key has signed: the identity's secret stays in guarded memory,
 * and is not found with what opens a group's state. The signature names no group and no time. Who has a leaf's signature
 * secret can make leaves of that person in any group, until the person's identity changes: what a group does is signed
 * by the identity itself as well (core/groups).
 */
export function makeCredential(signer: IdentitySigner, signatureKey: Uint8Array): Credential {
  const identity = concat(signer.public.identity, signer.sign(LABEL.mlsLeafKey, signatureKey));
  return { credentialType: 'basic', identity };
}

/** @throws DecodeError not one of our credentials. The signature is not looked at. */
export function identityOf(credential: Credential): IdentityKey {
  return parseIdentityKey(bytesOf(credential).subarray(0, PUBLIC_KEY_BYTES));
}

/** Whether the identity that a credential names has signed the leaf's signature key. */
export function isBound(credential: Credential, signatureKey: Uint8Array): boolean {
  const signature = bytesOf(credential).subarray(PUBLIC_KEY_BYTES);
  return verifySignature(identityOf(credential), LABEL.mlsLeafKey, signatureKey, signature);
}

function bytesOf(credential: Credential): Uint8Array {
  if (credential.credentialType !== 'basic' || !('identity' in credential)) throw new DecodeError('mls.credential');
  if (credential.identity.length !== CREDENTIAL_BYTES) throw new DecodeError('mls.credential');
  return credential.identity;
}
