import {
  closeSync,
  existsSync,
  fstatSync,
  fsyncSync,
  openSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeSync,
} from 'node:fs';
import { join } from 'node:path';
import { diskError, isFullError, replaceFile, syncFolder } from './file-system.io.ts';
import type { Keychain } from './keychain.io.ts';
import { VAULT_COPY, VAULT_FILE, vaultId } from './vault.io.ts';

export const WIPE_MARKER = 'wipe.marker';

/** After which step a test ends the process. */
export type WipeStep = 'marked' | 'key-zeroed' | 'key-gone' | 'copy-zeroed' | 'keys-gone' | 'files-gone';

export interface WipeOptions {
  readonly keychain?: Keychain;
  /** Awaited once the keys are gone: what is still under way in this process ends here, and must not reject. */
  readonly quiet?: () => Promise<void>;
  readonly onStep?: (step: WipeStep) => void;
  /** Milliseconds from any origin. */
  readonly now?: () => number;
}

/**
 * Destroys a profile: a marker first, so that a wipe cut short is finished at the next start; then the key files,
 * overwritten, synced and removed, after which nothing in the folder can be read any more; then every file in it.
 * The caller has wiped the keys in memory and closed the store, or soon will.
 * @returns milliseconds until the keys were gone and synced
 * @throws StorageError disk-failed when the key files could not be overwritten
 */
export async function wipeProfile(folder: string, options: WipeOptions = {}): Promise<{ keysGoneMs: number }> {
  const now = options.now ?? (() => performance.now());
  const step = options.onStep ?? (() => {});
  const startedAt = now();
  const account = accountOf(folder);
  const forgetting = forgetKeychain(account, options.keychain);
  mark(folder, account);
  step('marked');
  destroyKeys(folder, step);
  const keysGoneMs = now() - startedAt;
  step('keys-gone');
  await forgetting;
  if (options.quiet) {
    await options.quiet();
    // What was under way may have written a key before it ended.
    destroyKeys(folder);
    await forgetKeychain(account, options.keychain);
  }
  removeFiles(folder);
  step('files-gone');
  rmSync(join(folder, WIPE_MARKER), { force: true });
  syncFolder(folder);
  return { keysGoneMs };
}

/** @throws StorageError disk-failed */
function destroyKeys(folder: string, step: (step: WipeStep) => void = () => {}): void {
  try {
    destroyFile(join(folder, VAULT_FILE), () => step('key-zeroed'));
    step('key-gone');
    destroyFile(join(folder, VAULT_COPY), () => step('copy-zeroed'));
    for (const name of [VAULT_FILE, VAULT_COPY]) destroyFile(join(folder, `${name}.new`));
    syncFolder(folder);
  } catch (cause) {
    throw diskError('panic.wipe', cause, isFullError(cause));
  }
}

/** Finishes a wipe that was cut short; true when there was one. To be called before anything else at start. */
export async function finishWipe(folder: string, options: WipeOptions = {}): Promise<boolean> {
  if (!existsSync(join(folder, WIPE_MARKER))) return false;
  await wipeProfile(folder, options);
  return true;
}

/** The keychain's name for the profile, which a wipe cut short finds in the marker. */
function accountOf(folder: string): string {
  try {
    return vaultId(folder);
  } catch {
    const marker = join(folder, WIPE_MARKER);
    return existsSync(marker) ? readFileSync(marker, 'utf8').trim() : '';
  }
}

/** On a full disk there is no marker, and the keys go all the same. */
function mark(folder: string, account: string): void {
  try {
    if (!existsSync(join(folder, WIPE_MARKER))) replaceFile(join(folder, WIPE_MARKER), Buffer.from(`${account}\n`));
  } catch {}
}

/** Overwrites in place, syncs, removes. What a disk keeps of old blocks by itself is beyond any program. */
function destroyFile(path: string, afterZero: () => void = () => {}): void {
  if (!existsSync(path)) return;
  const file = openSync(path, 'r+');
  try {
    const zeros = Buffer.alloc(fstatSync(file).size);
    for (let at = 0; at < zeros.length; ) at += writeSync(file, zeros, at, zeros.length - at, at);
    fsyncSync(file);
  } finally {
    closeSync(file);
  }
  afterZero();
  rmSync(path);
}

/** Without the key file its secret opens nothing: a keychain that does not answer holds up nobody. */
async function forgetKeychain(account: string, keychain: Keychain | undefined): Promise<void> {
  try {
    if (account) await keychain?.remove(account);
  } catch {}
}

function removeFiles(folder: string): void {
  for (const name of readdirSync(folder)) {
    if (name !== WIPE_MARKER) rmSync(join(folder, name), { recursive: true, force: true });
  }
}
