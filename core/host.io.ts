import { wipe } from './base/bytes.ts';
import { InternalError, UsageError } from './base/errors.ts';
import type { ContactId } from './base/ids.ts';
import type { Hardening, Native } from './base/native.io.ts';
import { Secret } from './base/secret.ts';
import { systemClock, systemRandom } from './base/world.io.ts';
import { apiEventOf } from './commands/events.ts';
import type { CoreHost, ProcessStatus } from './commands/host.ts';
import type { ApiEvent, CoreState, Settings } from './commands/schema.ts';
import { makeProfile, OpenProfile } from './profile.io.ts';
import { readSettings, writeSettings } from './settings.io.ts';
import { Bus, type Listener } from './state/bus.ts';
import type { CoreEvent } from './state/events.ts';
import type { Messenger } from './state/messenger.ts';
import type { Keychain } from './storage/keychain.io.ts';
import { unlockAllowedAt } from './storage/unlock-delay.io.ts';
import {
  addKeychainSlot,
  changePassphrase,
  createVault,
  hasKeychainSlot,
  hasVault,
  openVault,
  openWithKeychain,
  removeKeychainSlot,
  vaultId,
} from './storage/vault.io.ts';
import { wipeProfile } from './storage/wipe.io.ts';

export interface HostOptions {
  readonly version: string;
  readonly dataDirectory: string;
  readonly listen: readonly string[];
  readonly offline: boolean;
  /** Started to hold envelopes for contacts. */
  readonly helper: boolean;
  readonly native: Native;
  readonly hardening: Hardening | undefined;
  readonly keychain: Keychain;
  readonly onFault: (fault: unknown) => void;
  /** Asks the process to end, after the answer under way. */
  readonly onStop: () => void;
  readonly openWindow: (launch: boolean) => Promise<{ url: string; launched: boolean }>;
  readonly openLink: (url: string) => Promise<void>;
}

/** The core's life on one data folder: without a profile, locked, unlocked. One change of state at a time. */
export class Host implements CoreHost {
  readonly offlineMode: boolean;
  readonly helper: boolean;
  readonly #options: HostOptions;
  readonly #events: Bus<ApiEvent>;
  readonly #startedAtMs = systemClock();
  #open: OpenProfile | undefined;
  #stopping = false;
  /** As on disk; asked for with every envelope that comes into custody. */
  #settings: Settings;
  #changing: Promise<unknown> = Promise.resolve();
  #wiping: Promise<number> | undefined;

  constructor(options: HostOptions) {
    this.#options = options;
    this.#events = new Bus(options.onFault);
    this.offlineMode = options.offline;
    this.helper = options.helper;
    this.#settings = readSettings(options.dataDirectory);
  }

  subscribe(listener: Listener<ApiEvent>): () => void {
    return this.#events.subscribe(listener);
  }

  state(): CoreState {
    if (this.#stopping) return 'stopping';
    if (this.#open) return 'unlocked';
    return hasVault(this.#options.dataDirectory) ? 'locked' : 'no-profile';
  }

  messenger(): Messenger {
    if (this.#open && !this.#stopping) return this.#open.messenger;
    if (this.state() === 'no-profile') throw new UsageError('no-profile', 'core', 'There is no profile here yet.');
    throw new UsageError('locked', 'core', 'The profile is locked; unlock it first.');
  }

  createProfile(nick: string, passphrase: Buffer): Promise<void> {
    const { dataDirectory } = this.#options;
    return this.#change(async () => {
      const { dataKey } = await createProfileFiles(dataDirectory, nick, passphrase, this.#stillWanted);
      await this.#enter(dataKey);
    }).finally(() => wipe(passphrase));
  }

  unlock(passphrase: Buffer | undefined): Promise<void> {
    const { dataDirectory } = this.#options;
    return this.#change(async () => {
      if (this.#open) return;
      await this.#enter(await (passphrase ? openVault(dataDirectory, passphrase) : this.#openByKeychain()));
    }).finally(() => passphrase && wipe(passphrase));
  }

  lock(): Promise<void> {
    return this.#change(async () => {
      await this.#leave();
      this.#tellState();
    });
  }

  changePassphrase(current: Buffer, next: Buffer): Promise<void> {
    return this.#change(async () => {
      this.messenger();
      await changePassphrase(this.#options.dataDirectory, current, next, { beforeWrite: this.#stillWanted });
    }).finally(() => wipe(current, next));
  }

  setKeychain(enabled: boolean): Promise<boolean> {
    const { dataDirectory, keychain } = this.#options;
    return this.#change(async () => {
      this.messenger();
      const { dataKey } = this.#open as OpenProfile;
      const account = vaultId(dataDirectory);
      if (!enabled) {
        removeKeychainSlot(dataDirectory, dataKey);
        // Without its slot what the keychain holds opens nothing.
        await keychain.remove(account).catch(() => undefined);
        return false;
      }
      const secret = Secret.take(systemRandom(32));
      try {
        await keychain.store(account, secret);
        this.#stillWanted();
        addKeychainSlot(dataDirectory, dataKey, secret);
      } finally {
        secret.wipe();
      }
      return true;
    });
  }

  /**
   * Does not wait for other changes: the keys in memory go first, then the key files; a change under way writes
   * nothing from then on, and when it has ended all the rest goes.
   */
  wipe(): Promise<number> {
    this.#wiping ??= this.#wipe();
    return this.#wiping;
  }

  async #wipe(): Promise<number> {
    const { dataDirectory, keychain } = this.#options;
    this.#stopping = true;
    const open = this.#open;
    this.#open = undefined;
    try {
      open?.wipeKeys();
      const quiet = async (): Promise<void> => {
        this.#tellState();
        await open?.close().catch(() => undefined);
        await this.#changing;
      };
      return (await wipeProfile(dataDirectory, { keychain, quiet })).keysGoneMs;
    } finally {
      this.stop();
    }
  }

  stop(): void {
    this.#options.onStop();
  }

  openWindow(launch: boolean): Promise<{ url: string; launched: boolean }> {
    return this.#options.openWindow(launch);
  }

  openLink(url: string): Promise<void> {
    return this.#options.openLink(url);
  }

  settings(): Settings {
    return this.#settings;
  }

  changeSettings(settings: Settings): void {
    this.#stillWanted();
    writeSettings(this.#options.dataDirectory, settings);
    this.#settings = settings;
  }

  holds(): boolean {
    return this.helper || this.#settings.custody;
  }

  /** Locks for good; called once by the process on its way out. */
  close(): Promise<void> {
    return this.#inTurn(async () => {
      this.#stopping = true;
      this.#tellState();
      await this.#leave();
    });
  }

  async processStatus(): Promise<ProcessStatus> {
    const { version, dataDirectory, native, hardening } = this.#options;
    return {
      version,
      pid: process.pid,
      dataDirectory,
      startedAt: this.#startedAtMs,
      unlockAllowedAt: unlockAllowedAt(dataDirectory, systemClock()),
      keychain: await this.#keychainStatus(),
      hardening: {
        addon: native.loaded ? 'loaded' : 'missing',
        coreDumps: hardening?.coreDumps ?? 'unknown',
        memory: hardening?.memory ?? 'unlocked',
        missing: native.loaded ? [...(hardening?.missing ?? [])] : [native.reason],
      },
      settings: this.settings(),
      memoryBytes: process.memoryUsage.rss(),
    };
  }

  async #keychainStatus(): Promise<ProcessStatus['keychain']> {
    const { dataDirectory, keychain } = this.#options;
    try {
      const reason = await keychain.unavailable(hasVault(dataDirectory) ? vaultId(dataDirectory) : '');
      return { available: reason === null, enabled: hasVault(dataDirectory) && hasKeychainSlot(dataDirectory), reason };
    } catch {
      return { available: false, enabled: false, reason: 'The key file cannot be read.' };
    }
  }

  async #openByKeychain(): Promise<Secret> {
    const { dataDirectory, keychain } = this.#options;
    const secret = hasKeychainSlot(dataDirectory) ? await keychain.load(vaultId(dataDirectory)) : undefined;
    if (secret) return openWithKeychain(dataDirectory, secret);
    const message = 'The system keychain does not hold the key of this profile; use the passphrase.';
    throw new UsageError('keychain-unavailable', 'vault.unlock', message);
  }

  async #enter(dataKey: Secret): Promise<void> {
    const { dataDirectory, listen, offline, onFault } = this.#options;
    const bus = new Bus<CoreEvent>(onFault);
    const stillWanted = this.#stillWanted;
    const open = await OpenProfile.open(dataKey, {
      dataDirectory,
      listen,
      offline,
      onFault,
      bus,
      stillWanted,
      holds: () => this.holds(),
      helper: this.helper,
    });
    this.#open = open;
    const { messenger } = open;
    bus.subscribe(event => {
      const shown = this.#open?.messenger === messenger ? apiEventOf(messenger, event) : undefined;
      if (shown) this.#events.emit(shown);
    });
    this.#tellState();
  }

  async #leave(): Promise<void> {
    const open = this.#open;
    this.#open = undefined;
    await open?.close();
  }

  #tellState(): void {
    this.#events.emit({ event: 'core-state', state: this.state() });
  }

  #change<T>(run: () => Promise<T>): Promise<T> {
    return this.#inTurn(() => {
      this.#stillWanted();
      return run();
    });
  }

  /** Asked right before every write of a change, with nothing awaited in between: a wipe may have come first. */
  readonly #stillWanted = (): void => {
    if (this.#stopping) throw new UsageError('refused', 'core.change', 'Molva is stopping; nothing was changed.');
  };

  #inTurn<T>(run: () => Promise<T>): Promise<T> {
    const result = this.#changing.then(run, run);
    this.#changing = result.catch(() => undefined);
    return result;
  }
}

/**
 * Makes the first rows of a profile and then its key file, without which they are nothing. The caller wipes the key.
 * @param beforeWrite called right before either is written; what it throws ends the making
 */
export async function createProfileFiles(
  dataDirectory: string,
  nick: string,
  passphrase: Buffer,
  beforeWrite: () => void = () => {},
): Promise<{ dataKey: Secret; id: ContactId }> {
  let id: ContactId | undefined;
  const dataKey = await createVault(dataDirectory, passphrase, {
    beforeWrite,
    prepare: async key => {
      beforeWrite();
      id = await makeProfile(dataDirectory, key, nick);
    },
  });
  if (!id) throw new InternalError('profile.create');
  return { dataKey, id };
}
