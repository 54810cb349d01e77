import { type ContactId, idBytes } from '../base/ids.ts';
import { afterDropping, judgeEnd, makeStamp, type OwnRuns, openStamp, type RunEnd } from '../mailbox/instance.ts';
import { beginInstance, runOfInstance, type StartsFile } from '../storage/start-instance.ts';
import type { WriteTx } from '../storage/store.ts';
import { encodeContent } from '../wire/content.ts';
import type { Stamp } from '../wire/stamp.ts';
import { lastHeard } from './again.ts';
import type { Context } from './context.ts';
import type { Conversation } from './conversation.ts';
import { gatherReceipts, readLately } from './receipts.ts';

const INCARNATION_BYTES = 16;

/** What drops its keys when the profile is found to be a copy. */
export interface StartServices {
  readonly conversation: (contact: ContactId) => Conversation;
  /** @returns once no group says anything more with keys of the copy */
  readonly silenceGroups: () => Promise<void>;
}

/**
 * How far this profile has come, and whether contacts have seen it come further (docs/protocol/mailbox.md §6). A profile
 * that was put back from a backup, or is one of two copies, holds keys that were used already: it drops them all and
 * begins sessions anew.
 */
export class Starts {
  readonly #context: Context;
  readonly #file: StartsFile;
  readonly #conversation: StartServices['conversation'];
  readonly #silenceGroups: StartServices['silenceGroups'];
  /** Stamps made for each contact in this run: one does not see how much is said to another. */
  readonly #orders = new Map<ContactId, number>();
  #own: OwnRuns | undefined;
  #restart: Promise<void> | undefined;
  /** When this run found out that the profile is a copy; null: it is none, as far as is known. */
  restoredAtMs: number | null = null;

  constructor(context: Context, file: StartsFile, services: StartServices) {
    this.#context = context;
    this.#file = file;
    this.#conversation = services.conversation;
    this.#silenceGroups = services.silenceGroups;
  }

  /** To be awaited before anything is sealed, opened or sent. @throws StorageError */
  async begin(): Promise<void> {
    const { store, random } = this.#context;
    const make = (starts: number) => ({ starts, incarnation: random(INCARNATION_BYTES) });
    const dropStale = (tx: WriteTx) => this.#dropStale(tx);
    const { instance, restored } = await beginInstance(store, { file: this.#file, make, dropStale });
    const { runs, floor } = store.instances.former();
    this.#own = { now: { run: runOfInstance(instance), count: 0 }, former: runs, floor };
    if (restored) this.#tell();
  }

  /**
   * The next stamp for `contact`. Writes keep the order in which they were asked for: `put` is to be asked for before anything else
   * runs, in the one write that keeps what the stamp stands on.
   */
  stamp(contact: ContactId): { readonly stamp: Stamp; readonly put: (tx: WriteTx) => void } {
    const { account, store } = this.#context;
    const { run, count: before } = this.#begun.now;
    const now = { run, count: before + 1 };
    this.#own = { ...this.#begun, now };
    const order = (this.#orders.get(contact) ?? 0) + 1;
    this.#orders.set(contact, order);
    const stamp = account.instanceKey.use(key => makeStamp(key, now, idBytes(contact), order));
    return { stamp, put: tx => store.instances.putCount(tx, now.count) };
  }

  /**
   * Judges how far a contact has seen this profile come.
   * @returns once nothing old can be used any more
   * @throws StorageError old keys could not be dropped: nothing may be sent
   */
  async hear(seen: readonly Stamp[]): Promise<void> {
    for (let found = this.#unknown(seen); found.length > 0; found = this.#unknown(seen)) {
      this.#restart ??= this.#startAnew(found).finally(() => {
        this.#restart = undefined;
      });
      await this.#restart;
    }
    await this.#restart;
  }

  get #begun(): OwnRuns {
    if (!this.#own) throw new Error('the start has not begun');
    return this.#own;
  }

  #unknown(seen: readonly Stamp[]): RunEnd[] {
    const ends = this.#context.account.instanceKey.use(key => seen.flatMap(stamp => openStamp(key, stamp) ?? []));
    return ends.filter(end => judgeEnd(this.#begun, end) === 'restored');
  }

  /** Every conversation drops its own keys in a turn of its own; cut short, the next hello begins it again. */
  async #startAnew(found: readonly RunEnd[]): Promise<void> {
    const { store } = this.#context;
    await this.#silenceGroups();
    await Promise.all(store.contacts.list().map(({ id }) => this.#conversation(id).ask({ kind: 'start-anew' })));
    const own = afterDropping(this.#begun, found);
    this.#own = own;
    await store.write(tx => {
      store.instances.putFormer(tx, { runs: own.former, floor: own.floor });
      store.instances.putCount(tx, own.now.count);
    });
    this.#tell();
  }

  #dropStale(tx: WriteTx): void {
    const { store, sequence } = this.#context;
    store.sessions.removeAll(tx);
    store.outbox.removeAll(tx);
    store.placements.removeAll(tx);
    for (const group of store.groups.list(tx)) store.groups.put(tx, { ...group, putBack: true });
    for (const contact of store.contacts.list(tx)) {
      store.contacts.putInitiationSecret(tx, contact.id, null);
      store.contacts.put(tx, { ...contact, initiation: null });
      if (contact.phase !== 'accepted') continue;
      const content = encodeContent(lastHeard(store, contact.conversation));
      store.pending.add(tx, contact.id, sequence.next(), content);
      const conversation = store.conversations.get(contact.conversation, tx);
      const ids = conversation ? readLately(store, conversation) : [];
      gatherReceipts(this.#context, tx, contact, { type: 'read', atMs: this.#context.clock(), ids });
    }
  }

  #tell(): void {
    this.restoredAtMs = this.#context.clock();
    this.#context.bus.emit({ type: 'profile-restored', atMs: this.restoredAtMs });
  }
}
