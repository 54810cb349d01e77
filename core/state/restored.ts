import type { ContactId } from '../base/ids.ts';
import { judgeSeen, newInstance } from '../mailbox/instance.ts';
import type { Instance } from '../storage/records.ts';
import { beginInstance, type StartsFile } from '../storage/start-instance.ts';
import type { WriteTx } from '../storage/store.ts';
import type { Context } from './context.ts';
import type { Conversation } from './conversation.ts';

/**
 * Which start of which copy of the profile this is (docs/protocol/mailbox.md §6). A profile that was put back from a
 * backup, or is one of two copies, holds keys that were used already: it drops them all and begins sessions anew.
 */
export class Starts {
  readonly #context: Context;
  readonly #file: StartsFile;
  readonly #conversation: (contact: ContactId) => Conversation;
  #own: Instance | undefined;
  #restart: Promise<void> | undefined;
  /** When this run found out that the profile is a copy; null: it is none, as far as is known. */
  restoredAtMs: number | null = null;

  constructor(context: Context, file: StartsFile, conversation: (contact: ContactId) => Conversation) {
    this.#context = context;
    this.#file = file;
    this.#conversation = conversation;
  }

  get own(): Instance {
    if (!this.#own) throw new Error('the start has not begun');
    return this.#own;
  }

  /** To be awaited before anything is sealed, opened or sent. @throws StorageError */
  async begin(): Promise<void> {
    const dropStale = (tx: WriteTx) => this.#dropStale(tx);
    const begun = await beginInstance(this.#context.store, { file: this.#file, make: this.#make, dropStale });
    this.#own = begun.instance;
    if (begun.restored) this.#tell();
  }

  /**
   * Judges what a contact saw of this profile last.
   * @returns once nothing old can be used any more
   * @throws StorageError old keys could not be dropped: nothing may be sent
   */
  async hear(seen: Instance | null): Promise<void> {
    if (!seen || this.#judge(seen) !== 'restored') return this.#restart;
    this.#restart ??= this.#startAnew(seen.starts).finally(() => {
      this.#restart = undefined;
    });
    return this.#restart;
  }

  #judge(seen: Instance) {
    return this.#context.account.instanceKey.use(key => judgeSeen(key, this.own, seen));
  }

  readonly #make = (starts: number): Instance => {
    const { account, random } = this.#context;
    return account.instanceKey.use(key => newInstance(key, starts, random));
  };

  /** Every conversation drops its own keys in a turn of its own; cut short, the next hello begins it again. */
  async #startAnew(seenStarts: number): Promise<void> {
    const { store } = this.#context;
    const contacts = store.contacts.list();
    await Promise.all(contacts.map(({ id }) => this.#conversation(id).ask({ kind: 'start-anew' })));
    const dropStale = () => undefined;
    const begun = await beginInstance(store, { file: this.#file, make: this.#make, dropStale, seenStarts });
    this.#own = begun.instance;
    this.#tell();
  }

  #dropStale(tx: WriteTx): void {
    const { store } = this.#context;
    store.sessions.removeAll(tx);
    store.outbox.removeAll(tx);
    store.placements.removeAll(tx);
    for (const contact of store.contacts.list(tx)) store.contacts.put(tx, { ...contact, initiation: null });
  }

  #tell(): void {
    this.restoredAtMs = this.#context.clock();
    this.#context.bus.emit({ type: 'profile-restored', atMs: this.restoredAtMs });
  }
}
