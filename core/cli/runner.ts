import type { Profile } from '../commands/schema.ts';

export interface StartOptions {
  readonly dataDirectory: string;
  /** Wiped by the runner. Without one the core serves locked. */
  readonly passphrase?: Buffer;
  readonly headless: boolean;
  readonly openWindow: boolean;
  /** The core lives on when the window is closed. */
  readonly keepRunning: boolean;
  /** Multiaddrs to listen on; empty: the standard ones. */
  readonly listen: readonly string[];
  /** No discovery and no internet: only the addresses given and those in invites. */
  readonly offline: boolean;
  /** Holds envelopes for contacts whatever the settings say, without a window. */
  readonly helper: boolean;
}

export interface RunningCore {
  /** The address to open, with a one-use code. */
  readonly url: string;
  readonly pid: number;
  /** Resolves when the core has stopped; rejects with InternalError when a fault of its own makes it stop. */
  readonly stopped: Promise<void>;
  stop(): Promise<void>;
}

/** What the command line needs of the core itself; the entry point passes it in. */
export interface CoreRunner {
  readonly version: string;
  hasProfile(dataDirectory: string): Promise<boolean>;
  /** Wipes `passphrase`. @throws CoreError `already-exists`, `profile-in-use`, `disk-full`, `disk-failed` */
  createProfile(options: { dataDirectory: string; nick: string; passphrase: Buffer }): Promise<Profile>;
  startCore(options: StartOptions): Promise<RunningCore>;
  /** Panic wipe of a profile that no core has open. */
  wipe(dataDirectory: string): Promise<{ keysGoneMs: number }>;
}
