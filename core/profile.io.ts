import { existsSync, renameSync } from 'node:fs';
import { join } from 'node:path';
import { StorageError } from './base/errors.ts';
import type { ContactId } from './base/ids.ts';
import type { Secret } from './base/secret.ts';
import { systemClock, systemMonotonic, systemRandom, systemScheduler } from './base/world.io.ts';
import { createSwarm } from './network/swarm.io.ts';
import type { Swarm } from './network/swarm.ts';
import { type Account, createAccount, openAccount, wipeProfileRecord } from './state/account.ts';
import type { Bus } from './state/bus.ts';
import type { CoreEvent } from './state/events.ts';
import { Messenger } from './state/messenger.ts';
import { DATABASE_FOLDER } from './storage/database.io.ts';
import type { ProfileRecord } from './storage/records.ts';
import { startsFile } from './storage/starts-file.io.ts';
import { openStore } from './storage/store.io.ts';
import type { Store } from './storage/store.ts';

export interface OpenProfileOptions {
  readonly dataDirectory: string;
  readonly listen: readonly string[];
  readonly offline: boolean;
  readonly onFault: (fault: unknown) => void;
  readonly bus: Bus<CoreEvent>;
  /** Whether the profile holds envelopes for its contacts. */
  readonly holds: () => boolean;
  readonly helper: boolean;
  /** Throws when the profile is not to be opened any more; called between the steps of opening. */
  readonly stillWanted: () => void;
}

/** An unlocked profile: the data key, the store it opens, and the messenger at work on it. */
export class OpenProfile {
  readonly messenger: Messenger;
  /** Kept for changes of the vault's slots; in guarded memory. */
  readonly dataKey: Secret;
  readonly #store: Store;
  readonly #account: Account;
  readonly #swarm: Swarm;

  private constructor(dataKey: Secret, store: Store, account: Account, swarm: Swarm, options: OpenProfileOptions) {
    this.dataKey = dataKey;
    this.#store = store;
    this.#account = account;
    this.#swarm = swarm;
    this.messenger = new Messenger({
      store,
      account,
      swarm,
      bus: options.bus,
      offline: options.offline,
      clock: systemClock,
      random: systemRandom,
      scheduler: systemScheduler,
      monotonic: systemMonotonic,
      startsFile: startsFile(options.dataDirectory),
      holds: options.holds,
      addable: () => true,
      helper: options.helper,
    });
  }

  /** Takes over `dataKey`, which is wiped if the profile cannot be opened. @throws StorageError, UsageError */
  static async open(dataKey: Secret, options: OpenProfileOptions): Promise<OpenProfile> {
    let store: Store | undefined;
    let account: Account | undefined;
    let open: OpenProfile | undefined;
    try {
      options.stillWanted();
      store = await openStore(options.dataDirectory, dataKey);
      options.stillWanted();
      const profile = readProfile(store);
      const { listenPorts } = profile;
      account = openAccount(profile);
      const { transportSeed } = account;
      const { listen, onFault } = options;
      const swarm = createSwarm({ transportSeed, listen, lastPorts: listenPorts, onFault });
      open = new OpenProfile(dataKey, store, account, swarm, options);
      await open.#start(listenPorts, options.stillWanted);
      return open;
    } catch (error) {
      // The first error is the one to tell.
      if (open) await open.close().catch(() => undefined);
      account?.wipe();
      dataKey.wipe();
      if (!open) await store?.close().catch(() => undefined);
      throw error;
    }
  }

  /** Ends what is under way and wipes every key, whatever fails on the way. */
  async close(): Promise<void> {
    try {
      await this.messenger.stop();
    } finally {
      await this.#end();
    }
  }

  /** For the panic wipe: first nothing more comes in, then the keys go, and what is under way fails. */
  wipeKeys(): void {
    // Its first part is done by the time it returns; the rest is waited for by `close`.
    this.messenger.stop().catch(() => undefined);
    this.dataKey.wipe();
    this.#account.wipe();
    this.#store.wipeKeys();
  }

  async #start(lastPorts: readonly number[], stillWanted: () => void): Promise<void> {
    await this.messenger.prepare();
    stillWanted();
    await this.#swarm.start();
    stillWanted();
    await this.#rememberPorts(lastPorts);
    await this.messenger.start();
    stillWanted();
  }

  async #end(): Promise<void> {
    try {
      await this.#swarm.stop();
    } finally {
      this.#account.wipe();
      this.dataKey.wipe();
      await this.#store.close();
    }
  }

  /** The ports are asked for again at the next start, so that the addresses others know stay good. */
  async #rememberPorts(lastPorts: readonly number[]): Promise<void> {
    const listenPorts = this.#swarm.listenPorts();
    const profile = this.#store.profile.get();
    if (!profile) return;
    try {
      if (listenPorts.join() === lastPorts.join()) return;
      await this.#store.write(tx => this.#store.profile.put(tx, { ...profile, listenPorts }));
    } finally {
      wipeProfileRecord(profile);
    }
  }
}

/** Makes the first rows of a profile. @param dataKey stays the caller's. @returns the profile's id */
export async function makeProfile(dataDirectory: string, dataKey: Secret, nick: string): Promise<ContactId> {
  setAsideStore(dataDirectory);
  const store = await openStore(dataDirectory, dataKey, { create: true });
  try {
    return await createAccount(store, nick, systemClock, systemRandom);
  } finally {
    await store.close();
  }
}

/** A database without a key file may yet have its key in somebody's backup: it is kept, under another name. */
function setAsideStore(dataDirectory: string): void {
  const store = join(dataDirectory, DATABASE_FOLDER);
  if (existsSync(store)) renameSync(store, `${store}-without-key-${systemClock()}`);
}

function readProfile(store: Store): ProfileRecord {
  const profile = store.profile.get();
  if (profile) return profile;
  throw new StorageError(
    'database-damaged',
    'profile.open',
    'The database holds no profile. Restore it from a backup.',
  );
}
