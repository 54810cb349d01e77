import { createHash } from 'node:crypto';
import { wipe } from '../base/bytes.ts';
import { InternalError } from '../base/errors.ts';

/** Input block of each hash, by its OpenSSL name. */
const BLOCK_BYTES: Readonly<Record<string, number>> = { sha256: 64, blake2s256: 64, sha512: 128, blake2b512: 128 };
const INNER = 0x36;
const OUTER = 0x5c;

/**
 * HMAC (RFC 2104) of the concatenated parts. Over createHash because createHmac takes 14 µs a call, most of a
 * handshake's time, where two hashes take 3; Wycheproof's HMAC vectors run on this function.
 * The caller wipes the result when it is a key.
 */
export function hmac(algorithm: string, key: Uint8Array, ...parts: readonly Uint8Array[]): Buffer {
  const blockBytes = BLOCK_BYTES[algorithm];
  if (blockBytes === undefined) throw new InternalError('hmac.algorithm');
  const block = Buffer.alloc(blockBytes);
  try {
    block.set(key.length > blockBytes ? digest(algorithm, key) : key);
    xorAll(block, INNER);
    const inner = digest(algorithm, block, ...parts);
    xorAll(block, INNER ^ OUTER);
    return digest(algorithm, block, inner);
  } finally {
    wipe(block);
  }
}

function digest(algorithm: string, ...parts: readonly Uint8Array[]): Buffer {
  const hash = createHash(algorithm);
  for (const part of parts) hash.update(part);
  return hash.digest();
}

function xorAll(block: Buffer, mask: number): void {
  for (let index = 0; index < block.length; index += 1) block[index] = (block[index] as number) ^ mask;
}
