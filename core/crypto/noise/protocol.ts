import { createHash } from 'node:crypto';
import { wipe } from '../../base/bytes.ts';
import { hmac } from '../hmac.ts';

/** One member of the Noise IK family over 25519 and ChaChaPoly (Noise rev. 34 §8). */
export interface NoiseProtocol {
  readonly name: string;
  /** OpenSSL name of the hash. */
  readonly hash: string;
  readonly hashBytes: number;
  /** The message whose end mixes the pre-shared key in (§9.4); 0: none. */
  readonly pskMessage: 0 | 1 | 2;
}

export const SESSION_NOISE: NoiseProtocol = {
  name: 'Noise_IKpsk1_25519_ChaChaPoly_SHA256',
  hash: 'sha256',
  hashBytes: 32,
  pskMessage: 1,
};

export function noiseHash(protocol: NoiseProtocol, ...parts: readonly Uint8Array[]): Buffer {
  const hash = createHash(protocol.hash);
  for (const part of parts) hash.update(part);
  return hash.digest();
}

/** HKDF of Noise §4.3 (RFC 5869 with empty info): `count` outputs of one hash length, each the caller's to wipe. */
export function noiseHkdf(
  protocol: NoiseProtocol,
  chainingKey: Uint8Array,
  input: Uint8Array,
  count: 2 | 3,
): readonly Buffer[] {
  const temporary = hmac(protocol.hash, chainingKey, input);
  try {
    const outputs: Buffer[] = [];
    for (let index = 1; index <= count; index += 1) {
      const previous = outputs.at(-1) ?? Buffer.alloc(0);
      outputs.push(hmac(protocol.hash, temporary, previous, Uint8Array.of(index)));
    }
    return outputs;
  } finally {
    wipe(temporary);
  }
}
