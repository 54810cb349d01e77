import sodium from 'sodium-native';
import { asBuffer, concat, utf8 } from '../base/bytes.ts';
import type { RandomSource } from '../base/clock.ts';
import { StorageError } from '../base/errors.ts';
import { deriveKey, keyedBlake2b } from '../base/hash.ts';
import { LABEL } from '../base/labels.ts';
import { Secret } from '../base/secret.ts';
import { TABLES, type TableName } from './tables.ts';

export const KEY_BYTES = 32;
export const NONCE_BYTES = 24;
export const TAG_BYTES = 16;
export const SEAL_BYTES = NONCE_BYTES + TAG_BYTES;
/** Keyed hashes that stand in row keys: 16 bytes, so a collision needs 2^64 names. */
export const NAME_HASH_BYTES = 16;

const SUBKEY_LABEL = utf8(LABEL.storeConversationKey);
const NONCES_DRAWN = 128;
const NAMES = Object.keys(TABLES) as TableName[];
const AD_HEADS = NAMES.map(name => concat(utf8(name), Buffer.of(0)));
const INDEX = new Map(NAMES.map((name, index) => [name, index]));

/**
 * Seals and opens rows: nonce (24, random) ‖ XChaCha20-Poly1305 ciphertext, with table name ‖ 0 ‖ row key as
 * associated data, under a key of the table derived from the data key. All keys lie in one guarded area.
 */
export class Sealer {
  readonly #keys: Secret;
  readonly #random: RandomSource;
  readonly #kinds = new Map<string, Uint8Array>();
  #nonces: Buffer = Buffer.of();
  #nonceAt = 0;

  constructor(dataKey: Secret, random: RandomSource) {
    this.#random = random;
    this.#keys = Secret.make((NAMES.length + 1) * KEY_BYTES, memory => {
      dataKey.use(root => {
        for (const [index, name] of NAMES.entries()) {
          const key = deriveKey(root, LABEL.storeTableKey, KEY_BYTES, utf8(name));
          key.copy(memory, index * KEY_BYTES);
          key.fill(0);
        }
        const key = deriveKey(root, LABEL.storeNameHash, KEY_BYTES);
        key.copy(memory, NAMES.length * KEY_BYTES);
        key.fill(0);
      });
    });
  }

  /** Opens the guarded memory once around many calls. */
  batch<T>(run: () => T): T {
    return this.#keys.use(run);
  }

  seal(table: TableName, rowKey: Buffer, plain: Uint8Array, key?: Buffer): Buffer {
    const out = Buffer.allocUnsafe(SEAL_BYTES + plain.length);
    const nonce = this.#nextNonce();
    out.set(nonce);
    this.#withKey(table, key, k => {
      const body = out.subarray(NONCE_BYTES);
      const ad = associated(table, rowKey);
      sodium.crypto_aead_xchacha20poly1305_ietf_encrypt(body, asBuffer(plain), ad, null, nonce, k);
    });
    return out;
  }

  /** @throws StorageError database-damaged when the row is not what was sealed there */
  open(table: TableName, rowKey: Buffer, sealed: Buffer, key?: Buffer): Buffer {
    if (sealed.length < SEAL_BYTES) throw damagedRow(table);
    const out = Buffer.allocUnsafe(sealed.length - SEAL_BYTES);
    const nonce = sealed.subarray(0, NONCE_BYTES);
    try {
      this.#withKey(table, key, k => {
        const ad = associated(table, rowKey);
        sodium.crypto_aead_xchacha20poly1305_ietf_decrypt(out, null, sealed.subarray(NONCE_BYTES), ad, nonce, k);
      });
    } catch (cause) {
      throw damagedRow(table, cause);
    }
    return out;
  }

  /** The name under which something stands in row keys: says nothing without the data key. */
  nameHash(kind: string, name: Uint8Array): Buffer {
    let head = this.#kinds.get(kind);
    if (!head) {
      head = utf8(`${kind}\0`);
      this.#kinds.set(kind, head);
    }
    const input = Buffer.concat([head, name]);
    return this.#keys.use(memory => keyedBlake2b(NAME_HASH_BYTES, memory.subarray(NAMES.length * KEY_BYTES), input));
  }

  /** A key that exists only as long as `salt` does. The caller wipes it. */
  subkey(table: TableName, salt: Uint8Array): Buffer {
    const input = Buffer.concat([SUBKEY_LABEL, salt]);
    return this.#withKey(table, undefined, key => keyedBlake2b(KEY_BYTES, key, input));
  }

  wipe(): void {
    this.#keys.wipe();
  }

  /** Nonces are drawn many at a time: a call to the system for each costs as much as the sealing. */
  #nextNonce(): Buffer {
    if (this.#nonceAt >= this.#nonces.length) {
      this.#nonces = this.#random(NONCE_BYTES * NONCES_DRAWN);
      this.#nonceAt = 0;
    }
    this.#nonceAt += NONCE_BYTES;
    return this.#nonces.subarray(this.#nonceAt - NONCE_BYTES, this.#nonceAt);
  }

  #withKey<T>(table: TableName, key: Buffer | undefined, run: (key: Buffer) => T): T {
    if (key) return run(key);
    const at = (INDEX.get(table) as number) * KEY_BYTES;
    return this.#keys.use(memory => run(memory.subarray(at, at + KEY_BYTES)));
  }
}

export function damagedRow(table: TableName, cause?: unknown): StorageError {
  return new StorageError('database-damaged', `store.${table}`, `The table "${table}" is damaged on the disk.`, cause);
}

function associated(table: TableName, rowKey: Buffer): Buffer {
  return Buffer.concat([AD_HEADS[INDEX.get(table) as number] as Buffer, rowKey]);
}
