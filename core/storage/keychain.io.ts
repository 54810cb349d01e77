import { AsyncEntry, type EntryOptions } from '@napi-rs/keyring';
import { UsageError } from '../base/errors.ts';
import { LIMITS } from '../base/limits.ts';
import { Secret } from '../base/secret.ts';

const SERVICE = 'molva';
const SECRET_BYTES = 32;
/** On Linux the kernel's own keyring forgets at the end of the session: only a Secret Service will do. */
const OPTIONS: EntryOptions = { linux: { store: 'secret-service' } };

/** The part of the keychain binding that is used: lets tests put another in its place. */
export interface KeychainEntry {
  getSecret(signal?: AbortSignal): Promise<ArrayLike<number> | null>;
  setSecret(secret: Uint8Array, signal?: AbortSignal): Promise<void>;
  deleteCredential(signal?: AbortSignal): Promise<boolean>;
}

export type OpenEntry = (account: string) => KeychainEntry;
const systemEntry: OpenEntry = account => new AsyncEntry(SERVICE, account, OPTIONS);

/** The system keychain, holding one random secret a profile (account: the vault's id). Every call ends in time. */
export class Keychain {
  readonly #open: OpenEntry;
  readonly #environment: NodeJS.ProcessEnv;

  constructor(open: OpenEntry = systemEntry, environment: NodeJS.ProcessEnv = process.env) {
    this.#open = open;
    this.#environment = environment;
  }

  /** Null when the keychain can be used, else a sentence that says why not. */
  async unavailable(account: string): Promise<string | null> {
    const reason = this.#noSession();
    if (reason) return reason;
    try {
      await this.#inTime(signal => this.#open(account).getSecret(signal));
      return null;
    } catch {
      return 'The system keychain does not answer, or is locked.';
    }
  }

  async store(account: string, secret: Secret): Promise<void> {
    const copy = secret.use(memory => Buffer.from(memory));
    try {
      await this.#ask(signal => this.#open(account).setSecret(copy, signal));
    } finally {
      copy.fill(0);
    }
  }

  /** Undefined when it holds nothing (or nothing usable) for this profile. */
  async load(account: string): Promise<Secret | undefined> {
    const found = await this.#ask(signal => this.#open(account).getSecret(signal));
    if (found?.length !== SECRET_BYTES) return undefined;
    const bytes = Buffer.from(Array.from(found));
    if (Array.isArray(found)) found.fill(0);
    return Secret.take(bytes);
  }

  async remove(account: string): Promise<void> {
    await this.#ask(signal => this.#open(account).deleteCredential(signal));
  }

  async #ask<T>(run: (signal: AbortSignal) => Promise<T>): Promise<T> {
    const reason = this.#noSession();
    if (reason) throw new UsageError('keychain-unavailable', 'keychain', reason);
    try {
      return await this.#inTime(run);
    } catch (cause) {
      const message = 'The system keychain does not answer, or is locked.';
      throw new UsageError('keychain-unavailable', 'keychain', message, cause);
    }
  }

  #noSession(): string | null {
    const { DBUS_SESSION_BUS_ADDRESS: bus, XDG_RUNTIME_DIR: runtime } = this.#environment;
    if (process.platform !== 'linux' || bus || runtime) return null;
    return 'There is no desktop session here, so no keychain service (Secret Service on D-Bus).';
  }

  /** A keychain that waits for a person, or for a service that is not there, is given up. */
  async #inTime<T>(run: (signal: AbortSignal) => Promise<T>): Promise<T> {
    const abort = new AbortController();
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<never>((_, reject) => {
      timer = setTimeout(() => {
        abort.abort();
        reject(new Error('no answer in time'));
      }, LIMITS.keychainMs);
    });
    try {
      return await Promise.race([run(abort.signal), late]);
    } finally {
      clearTimeout(timer);
    }
  }
}
