import { argon2 } from 'node:crypto';
import { Secret } from '../base/secret.ts';
import type { ArgonCost } from './vault-file.ts';

/**
 * About half a second on a desktop and two on an old laptop, in 128 MiB: a machine with 1 GiB of memory opens its
 * profile, and a guess costs an attacker's card the same memory.
 */
export const DESKTOP_COST: ArgonCost = { memoryKib: 128 * 1024, passes: 3, lanes: 1 };

/** Argon2id (RFC 9106) on a thread of the pool; 32 bytes. The passphrase stays the caller's to wipe. */
export function argon2id(passphrase: Uint8Array, salt: Uint8Array, cost: ArgonCost): Promise<Secret> {
  const parameters = {
    message: passphrase,
    nonce: salt,
    parallelism: cost.lanes,
    tagLength: 32,
    memory: cost.memoryKib,
    passes: cost.passes,
  };
  return new Promise((resolve, reject) => {
    argon2('argon2id', parameters, (error, key) => (error ? reject(error) : resolve(Secret.take(key))));
  });
}
