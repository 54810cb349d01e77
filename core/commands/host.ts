import type { Messenger } from '../state/messenger.ts';
import type { CoreState, Settings, Status } from './schema.ts';

/** The part of the status that only the process knows. */
export type ProcessStatus = Omit<Status, 'state' | 'profile' | 'network' | 'queued' | 'restoredAt'>;

/** What commands ask of the process around them; the entry point supplies it. Passphrases handed in are wiped. */
export interface CoreHost {
  /** Only the addresses given and those in invites are used. */
  readonly offlineMode: boolean;
  state(): CoreState;
  /** @throws UsageError `no-profile` or `locked` */
  messenger(): Messenger;
  createProfile(nick: string, passphrase: Buffer): Promise<void>;
  /** Without a passphrase the system keychain opens the profile. */
  unlock(passphrase: Buffer | undefined): Promise<void>;
  lock(): Promise<void>;
  changePassphrase(current: Buffer, next: Buffer): Promise<void>;
  /** @returns whether the keychain may open the profile from now on */
  setKeychain(enabled: boolean): Promise<boolean>;
  /** @returns milliseconds until the keys were gone; the core stops afterwards */
  wipe(): Promise<number>;
  /** Stops the core after the answer has been given. */
  stop(): void;
  openWindow(launch: boolean): Promise<{ url: string; launched: boolean }>;
  /** @param url as `parseLink` gives it */
  openLink(url: string): Promise<void>;
  settings(): Settings;
  changeSettings(settings: Settings): void;
  /** Whether it was started to hold for others, whatever the settings say. */
  readonly helper: boolean;
  /** Whether envelopes are taken for contacts that are away. */
  holds(): boolean;
  processStatus(): Promise<ProcessStatus>;
}
