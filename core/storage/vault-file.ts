import { concat, equalBytes, utf8 } from '../base/bytes.ts';
import { DecodeError } from '../base/errors.ts';
import { blake2b, deriveKey, keyedBlake2b } from '../base/hash.ts';
import { LABEL } from '../base/labels.ts';
import { LIMITS } from '../base/limits.ts';
import { decodeCbor, encodeCbor, Shape } from '../wire/cbor.ts';

/** Cost of Argon2id (RFC 9106): memory in KiB, passes, lanes. */
export interface ArgonCost {
  readonly memoryKib: number;
  readonly passes: number;
  readonly lanes: number;
}

/** One way to the data key: it is wrapped under a key made from a passphrase, or from the keychain's secret. */
export interface VaultSlot {
  readonly kind: 'passphrase' | 'keychain';
  readonly cost: ArgonCost;
  /** 16 */
  readonly salt: Uint8Array;
  /** 24 */
  readonly nonce: Uint8Array;
  /** 32 + 16: the data key under XChaCha20-Poly1305 */
  readonly wrapped: Uint8Array;
}

export interface Vault {
  /** 16 random bytes: names the profile to the system keychain. */
  readonly id: Uint8Array;
  readonly slots: readonly VaultSlot[];
  /** 32: keyed BLAKE2b of id and slots under the data key. */
  readonly seal: Uint8Array;
}

export const NO_COST: ArgonCost = { memoryKib: 0, passes: 0, lanes: 0 };
const MAGIC = utf8('molvavlt');
const VERSION = 1;
const CHECKSUM_BYTES = 32;
const MAX_BYTES = 4096;
const MAX_SLOTS = 4;
const KINDS = ['passphrase', 'keychain'] as const;
const shape = new Shape('vault.file');

/** magic 8 ‖ CBOR [version, id, slots, seal] ‖ BLAKE2b-256 of what stands before (docs/storage.md) */
export function encodeVault(vault: Vault): Buffer {
  const body = concat(MAGIC, encodeCbor([VERSION, vault.id, vault.slots.map(slotFields), vault.seal]));
  return concat(body, blake2b(CHECKSUM_BYTES, body));
}

/** @throws DecodeError when the bytes are not exactly what `encodeVault` makes: the file is damaged */
export function decodeVault(bytes: Buffer): Vault {
  const end = bytes.length - CHECKSUM_BYTES;
  if (end < MAGIC.length || bytes.length > MAX_BYTES) shape.fail();
  const body = bytes.subarray(0, end);
  if (!equalBytes(blake2b(CHECKSUM_BYTES, body), bytes.subarray(end))) shape.fail();
  if (!equalBytes(body.subarray(0, MAGIC.length), MAGIC)) shape.fail();
  const [version, id, slots, seal] = shape.tuple(decodeCbor(body.subarray(MAGIC.length), MAX_BYTES, 'vault.file'), 4);
  shape.constant(version, VERSION);
  return { id: shape.bytes(id, 16), slots: shape.list(slots, MAX_SLOTS, decodeSlot), seal: shape.bytes(seal, 32) };
}

/** What a slot's wrapping is bound to: everything in it but the wrapped key, and the vault it stands in. */
export function slotContext(id: Uint8Array, slot: Omit<VaultSlot, 'nonce' | 'wrapped'>): Buffer {
  const { cost } = slot;
  const head = [VERSION, id, KINDS.indexOf(slot.kind), cost.memoryKib, cost.passes, cost.lanes, slot.salt];
  return concat(utf8(LABEL.vaultSlot), encodeCbor(head));
}

/** Only who holds the data key can change the slots. */
export function vaultSeal(dataKey: Uint8Array, id: Uint8Array, slots: readonly VaultSlot[]): Buffer {
  const key = deriveKey(dataKey, LABEL.vaultSeal);
  try {
    return keyedBlake2b(32, key, encodeCbor([VERSION, id, slots.map(slotFields)]));
  } finally {
    key.fill(0);
  }
}

function slotFields({ kind, cost, salt, nonce, wrapped }: VaultSlot) {
  return [KINDS.indexOf(kind), cost.memoryKib, cost.passes, cost.lanes, salt, nonce, wrapped];
}

function decodeSlot(value: unknown): VaultSlot {
  const [kind, memoryKib, passes, lanes, salt, nonce, wrapped] = shape.tuple(value, 7);
  const name = KINDS[shape.uint(kind, KINDS.length - 1)];
  if (!name) throw new DecodeError('vault.file');
  const cost = {
    memoryKib: shape.uint(memoryKib, LIMITS.argonMemoryKib),
    passes: shape.uint(passes, LIMITS.argonPasses),
    lanes: shape.uint(lanes, LIMITS.argonLanes),
  };
  const asked = cost.passes > 0 && cost.lanes > 0 && cost.memoryKib >= 8 * cost.lanes;
  if (name === 'passphrase' ? !asked : cost.memoryKib + cost.passes + cost.lanes > 0) shape.fail();
  return {
    kind: name,
    cost,
    salt: shape.bytes(salt, 16),
    nonce: shape.bytes(nonce, 24),
    wrapped: shape.bytes(wrapped, 48),
  };
}
