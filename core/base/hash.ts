import sodium from 'sodium-native';
import { asBuffer, utf8 } from './bytes.ts';

/** BLAKE2b (RFC 7693) of the concatenated parts. `length` is 16 to 64 bytes. */
export function blake2b(length: number, ...parts: readonly Uint8Array[]): Buffer {
  const out = Buffer.allocUnsafeSlow(length);
  if (parts.length === 1) sodium.crypto_generichash(out, asBuffer(parts[0] as Uint8Array));
  else sodium.crypto_generichash_batch(out, parts.map(asBuffer));
  return out;
}

/** Keyed BLAKE2b; `key` is 16 to 64 bytes. The caller wipes the result when it is a key. */
export function keyedBlake2b(length: number, key: Uint8Array, ...parts: readonly Uint8Array[]): Buffer {
  const out = Buffer.allocUnsafeSlow(length);
  if (parts.length === 1) sodium.crypto_generichash(out, asBuffer(parts[0] as Uint8Array), asBuffer(key));
  else sodium.crypto_generichash_batch(out, parts.map(asBuffer), asBuffer(key));
  return out;
}

/** A subkey of `key` under a label from labels.ts, with optional context. */
export function deriveKey(key: Uint8Array, label: string, length = 32, ...context: readonly Uint8Array[]): Buffer {
  return keyedBlake2b(length, key, utf8(label), ...context);
}
