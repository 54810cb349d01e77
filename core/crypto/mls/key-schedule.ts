import type { KeySchedule } from 'ts-mls/keySchedule.js';
import { wipe } from '../../base/bytes.ts';
import { CHACHA_NONCE_BYTES } from '../aead.ts';
import { AEAD_KEY_BYTES, type Suite } from './suite.ts';

const NOTHING = Buffer.alloc(0);

/** The names of an epoch's secrets (RFC 9420 §8, table 4), all but the one that becomes the secret tree. */
const LABELS: Readonly<Record<keyof KeySchedule, string>> = {
  senderDataSecret: 'sender data',
  exporterSecret: 'exporter',
  externalSecret: 'external',
  confirmationKey: 'confirm',
  membershipKey: 'membership',
  resumptionPsk: 'resumption',
  epochAuthenticator: 'authentication',
  initSecret: 'init',
};

/** In the order in which a state at rest has them. */
export const SCHEDULE_NAMES = Object.keys(LABELS) as readonly (keyof KeySchedule)[];

/**
 * The key schedule (RFC 9420 §8), our own because everything follows from what stands between its steps: each secret
 * here is wiped as soon as the next is made. Results are the caller's to wipe.
 */
export interface EpochSecrets {
  readonly keys: KeySchedule;
  readonly encryptionSecret: Buffer;
}

/** @param context the new epoch's, encoded */
export function joinerSecretOf(suite: Suite, initSecret: Uint8Array, commitSecret: Uint8Array, context: Uint8Array) {
  const extracted = suite.hash.extract(initSecret, commitSecret);
  const joinerSecret = suite.expand(extracted, 'joiner', context, suite.hash.bytes);
  wipe(extracted);
  return joinerSecret;
}

/** What a welcome's group info is sealed with, and the epoch's own secret is made of. */
export function memberSecretOf(suite: Suite, joinerSecret: Uint8Array, pskSecret: Uint8Array): Buffer {
  return suite.hash.extract(joinerSecret, pskSecret);
}

/** The key of a welcome's group info (RFC 9420 §12.4.3.1); used once, so that its nonce can be derived as well. */
export function welcomeKeyOf(suite: Suite, memberSecret: Uint8Array): { key: Buffer; nonce: Buffer } {
  const secret = suite.derive(memberSecret, 'welcome');
  const key = suite.expand(secret, 'key', NOTHING, AEAD_KEY_BYTES);
  const nonce = suite.expand(secret, 'nonce', NOTHING, CHACHA_NONCE_BYTES);
  wipe(secret);
  return { key, nonce };
}

/** @param context the epoch's, encoded */
export function memberEpoch(suite: Suite, memberSecret: Uint8Array, context: Uint8Array): EpochSecrets {
  return epochSecretsOf(suite, suite.expand(memberSecret, 'epoch', context, suite.hash.bytes));
}

/** Wipes the epoch secret; in a group's first epoch it is drawn at random. */
export function epochSecretsOf(suite: Suite, epochSecret: Buffer): EpochSecrets {
  const derived = SCHEDULE_NAMES.map(name => [name, suite.derive(epochSecret, LABELS[name])] as const);
  const encryptionSecret = suite.derive(epochSecret, 'encryption');
  wipe(epochSecret);
  return { keys: Object.fromEntries(derived) as unknown as KeySchedule, encryptionSecret };
}
