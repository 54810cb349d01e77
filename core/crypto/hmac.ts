import { createHmac } from 'node:crypto';

/** HMAC (RFC 2104) with a hash by its OpenSSL name. The caller wipes the result when it is a key. */
export function hmac(algorithm: string, key: Uint8Array, ...parts: readonly Uint8Array[]): Buffer {
  const mac = createHmac(algorithm, key);
  for (const part of parts) mac.update(part);
  return mac.digest();
}
