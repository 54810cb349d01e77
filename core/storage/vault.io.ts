import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import sodium from 'sodium-native';
import { asBuffer, equalBytes, wipe } from '../base/bytes.ts';
import type { Clock, RandomSource } from '../base/clock.ts';
import { AuthError, StorageError, UsageError } from '../base/errors.ts';
import { LIMITS } from '../base/limits.ts';
import { Secret } from '../base/secret.ts';
import { systemClock, systemRandom } from '../base/world.io.ts';
import { argon2id, DESKTOP_COST } from './argon.io.ts';
import { diskError, isFullError, makePrivateFolder, refuseNetworkFolder, replaceFile } from './file-system.io.ts';
import { beginTry, endTries } from './unlock-delay.io.ts';
import {
  type ArgonCost,
  decodeVault,
  encodeVault,
  NO_COST,
  slotContext,
  type Vault,
  type VaultSlot,
  vaultSeal,
} from './vault-file.ts';

export const VAULT_FILE = 'vault.key';
/** The same bytes again: a sector that goes bad in a file of some hundred bytes would cost every message. */
export const VAULT_COPY = 'vault.key.bak';
const KEY_BYTES = 32;

/** A passphrase as the caller holds it: its bytes, which the caller wipes. */
export type Passphrase = Uint8Array | Secret;

export interface VaultOptions {
  readonly random?: RandomSource;
  readonly clock?: Clock;
  /** Makes what the key is for before the key file exists: a profile has its first rows or is not there. */
  readonly prepare?: (dataKey: Secret) => Promise<void>;
  /** Called right before the key file is written; what it throws leaves the file as it is, or not there. */
  readonly beforeWrite?: () => void;
  /** Cost of a new passphrase slot; a lower one is for tests. */
  readonly argon?: ArgonCost;
}

export function hasVault(folder: string): boolean {
  return existsSync(join(folder, VAULT_FILE)) || existsSync(join(folder, VAULT_COPY));
}

/**
 * Makes the vault of a new profile, and its folder.
 * @returns the data key (32 bytes); the caller wipes it
 * @throws UsageError already-exists, bad-request (empty or too long passphrase); StorageError disk-full, disk-failed
 */
export async function createVault(folder: string, passphrase: Passphrase, options: VaultOptions = {}): Promise<Secret> {
  const random = options.random ?? systemRandom;
  if (hasVault(folder)) throw new UsageError('already-exists', 'vault.create', 'There is a profile here already.');
  checkPassphrase(passphrase);
  onDisk('vault.create', () => makePrivateFolder(folder));
  refuseNetworkFolder(folder);
  const dataKey = Secret.take(random(KEY_BYTES));
  const id = random(16);
  try {
    const slot = await passphraseSlot(id, dataKey, passphrase, options);
    await options.prepare?.(dataKey);
    options.beforeWrite?.();
    writeVault(folder, id, [slot], dataKey);
    return dataKey;
  } catch (error) {
    dataKey.wipe();
    throw error;
  }
}

/**
 * Opens the vault by passphrase.
 * @returns the data key (32 bytes); the caller wipes it
 * @throws UsageError no-profile; UnlockDelayedError; AuthError wrong-passphrase; StorageError vault-damaged
 */
export async function openVault(folder: string, passphrase: Passphrase, options: VaultOptions = {}): Promise<Secret> {
  const vault = readVault(folder);
  const slot = slotOf(vault, 'passphrase');
  if (!slot) throw damagedVault(folder);
  beginTry(folder, (options.clock ?? systemClock)());
  const key = await withBytes(passphrase, bytes => argon2id(bytes, slot.salt, slot.cost));
  const dataKey = unwrap(vault, slot, key);
  if (!dataKey) throw new AuthError('wrong-passphrase', 'vault.open', 'The passphrase is wrong.');
  checkSeal(folder, vault, dataKey);
  endTries(folder);
  return dataKey;
}

/** The name of this profile's item in the system keychain. */
export function vaultId(folder: string): string {
  return asBuffer(readVault(folder).id).toString('hex');
}

export function hasKeychainSlot(folder: string): boolean {
  return slotOf(readVault(folder), 'keychain') !== undefined;
}

/** Lets a random 32-byte secret, kept by the system keychain, open the vault. `secret` is not consumed. */
export function addKeychainSlot(folder: string, dataKey: Secret, secret: Secret, random = systemRandom): void {
  const vault = readVault(folder);
  checkSeal(folder, vault, dataKey, false);
  const head = { kind: 'keychain', cost: NO_COST, salt: random(16) } as const;
  const slot = wrap(vault.id, head, dataKey, secret, random);
  writeVault(folder, vault.id, [...vault.slots.filter(({ kind }) => kind !== 'keychain'), slot], dataKey);
}

export function removeKeychainSlot(folder: string, dataKey: Secret): void {
  const vault = readVault(folder);
  checkSeal(folder, vault, dataKey, false);
  const slots = vault.slots.filter(({ kind }) => kind !== 'keychain');
  writeVault(folder, vault.id, slots, dataKey);
}

/**
 * Opens the vault by the keychain's secret, which is wiped.
 * @throws AuthError not-authentic when the secret does not fit; UsageError keychain-unavailable when there is no slot
 */
export function openWithKeychain(folder: string, secret: Secret): Secret {
  const vault = readVault(folder);
  const slot = slotOf(vault, 'keychain');
  if (!slot) {
    throw new UsageError('keychain-unavailable', 'vault.open', 'The system keychain may not open this profile.');
  }
  const dataKey = unwrap(vault, slot, secret);
  if (!dataKey) throw new AuthError('not-authentic', 'vault.open', 'What the system keychain holds does not fit.');
  checkSeal(folder, vault, dataKey);
  return dataKey;
}

/** Checks `current` as `openVault` does, then seals the data key under `next`. The data key stays. */
export async function changePassphrase(
  folder: string,
  current: Passphrase,
  next: Passphrase,
  options: VaultOptions = {},
): Promise<void> {
  checkPassphrase(next);
  const dataKey = await openVault(folder, current, options);
  try {
    const vault = readVault(folder);
    const slot = await passphraseSlot(vault.id, dataKey, next, options);
    const others = vault.slots.filter(({ kind }) => kind !== 'passphrase');
    options.beforeWrite?.();
    writeVault(folder, vault.id, [slot, ...others], dataKey);
  } finally {
    dataKey.wipe();
  }
}

async function passphraseSlot(
  id: Uint8Array,
  dataKey: Secret,
  passphrase: Passphrase,
  options: VaultOptions,
): Promise<VaultSlot> {
  const random = options.random ?? systemRandom;
  const head = { kind: 'passphrase', cost: options.argon ?? DESKTOP_COST, salt: random(16) } as const;
  const key = await withBytes(passphrase, bytes => argon2id(bytes, head.salt, head.cost));
  try {
    return wrap(id, head, dataKey, key, random);
  } finally {
    key.wipe();
  }
}

function wrap(
  id: Uint8Array,
  head: Omit<VaultSlot, 'nonce' | 'wrapped'>,
  dataKey: Secret,
  key: Secret,
  random: RandomSource,
): VaultSlot {
  const nonce = random(24);
  const wrapped = Buffer.allocUnsafeSlow(KEY_BYTES + 16);
  const ad = slotContext(id, head);
  dataKey.use(plain =>
    key.use(k => sodium.crypto_aead_xchacha20poly1305_ietf_encrypt(wrapped, plain, ad, null, nonce, k)),
  );
  return { ...head, nonce, wrapped };
}

/** Undefined when the key is not the one the slot was wrapped under. The key is wiped. */
function unwrap(vault: Vault, slot: VaultSlot, key: Secret): Secret | undefined {
  const plain = Buffer.allocUnsafeSlow(KEY_BYTES);
  const ad = slotContext(vault.id, slot);
  try {
    key.use(k =>
      sodium.crypto_aead_xchacha20poly1305_ietf_decrypt(
        plain,
        null,
        asBuffer(slot.wrapped),
        ad,
        asBuffer(slot.nonce),
        k,
      ),
    );
    return Secret.take(plain);
  } catch {
    return undefined;
  } finally {
    wipe(plain);
    key.wipe();
  }
}

function readVault(folder: string): Vault {
  if (!hasVault(folder)) throw new UsageError('no-profile', 'vault.open', 'There is no profile here yet.');
  try {
    return decodeVault(readFileSync(join(folder, VAULT_FILE)));
  } catch (cause) {
    throw damagedVault(folder, cause);
  }
}

function writeVault(folder: string, id: Uint8Array, slots: readonly VaultSlot[], dataKey: Secret): void {
  const seal = dataKey.use(key => vaultSeal(key, id, slots));
  const bytes = encodeVault({ id, slots, seal });
  onDisk('vault.write', () => {
    // the copy last: while the file is being replaced the other of the two is whole
    replaceFile(join(folder, VAULT_FILE), bytes);
    replaceFile(join(folder, VAULT_COPY), bytes);
  });
}

/** @throws StorageError vault-damaged, with the data key wiped unless it is the caller's */
function checkSeal(folder: string, vault: Vault, dataKey: Secret, wipeKey = true): void {
  if (
    equalBytes(
      dataKey.use(key => vaultSeal(key, vault.id, vault.slots)),
      vault.seal,
    )
  )
    return;
  if (wipeKey) dataKey.wipe();
  throw damagedVault(folder);
}

function slotOf(vault: Vault, kind: VaultSlot['kind']): VaultSlot | undefined {
  return vault.slots.find(slot => slot.kind === kind);
}

function damagedVault(folder: string, cause?: unknown): StorageError {
  let whole = false;
  try {
    decodeVault(readFileSync(join(folder, VAULT_COPY)));
    whole = true;
  } catch {}
  const help = whole
    ? `Its copy ${VAULT_COPY} is whole: copy that file over ${VAULT_FILE} and start again.`
    : `Put back ${VAULT_FILE} from a backup of the data folder.`;
  return new StorageError(
    'vault-damaged',
    'vault.open',
    `The key file ${VAULT_FILE} is damaged; nothing was changed. ${help}`,
    cause,
  );
}

function checkPassphrase(passphrase: Passphrase): void {
  if (passphrase.length > 0 && passphrase.length <= LIMITS.passphraseBytes) return;
  throw new UsageError('bad-request', 'vault.passphrase', 'The passphrase is empty or too long.');
}

/** Argon2 reads the bytes on another thread, so a secret is copied out for as long, and the copy wiped. */
async function withBytes<T>(passphrase: Passphrase, use: (bytes: Uint8Array) => Promise<T>): Promise<T> {
  if (!(passphrase instanceof Secret)) return use(passphrase);
  const copy = passphrase.use(memory => {
    const bytes = Buffer.allocUnsafeSlow(memory.length);
    memory.copy(bytes);
    return bytes;
  });
  try {
    return await use(copy);
  } finally {
    wipe(copy);
  }
}

function onDisk(operation: string, run: () => void): void {
  try {
    run();
  } catch (cause) {
    throw diskError(operation, cause, isFullError(cause));
  }
}
