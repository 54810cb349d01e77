import { wipe } from '../../base/bytes.ts';
import type { ContactId } from '../../base/ids.ts';
import { LIMITS } from '../../base/limits.ts';
import type { GroupCrypto } from '../../groups/group-crypto.ts';
import type { KeyPackageRecord, KeyPackageSuite } from '../../storage/records.ts';
import { encodeContent } from '../../wire/content.ts';
import type { Context } from '../context.ts';

const ID_BYTES = 16;
/** Contacts given new ones in one sweep: each costs a key generation and an envelope. */
const AT_ONCE = 32;

/** MLS for this person, in groups of either suite. */
export type Suites<State> = Readonly<Record<KeyPackageSuite, GroupCrypto<State>>>;

const SUITES: readonly KeyPackageSuite[] = ['hybrid', 'classical'];

/**
 * The own key packages (RFC 9420 §10): for each suite every contact has one for itself alone, and with it one of last resort that all
 * have, so that it can add this member while it is away. A used one is replaced; all are, every week.
 */
export class KeyPackages<State> {
  readonly #context: Context;
  readonly #suites: Suites<State>;
  readonly #addable: () => boolean;
  /** Contacts that have what they need, as of the last sweep: asked of often, and costly to read. */
  #served: ReadonlySet<ContactId | null> = new Set();
  #running: Promise<void> = Promise.resolve();

  /** @param addable whether contacts are to be given any */
  constructor(context: Context, suites: Suites<State>, addable: () => boolean) {
    this.#context = context;
    this.#suites = suites;
    this.#addable = addable;
  }

  /** A contact that has just been accepted is given packages at once: whoever met it can add it. */
  contactChanged(id: ContactId): void {
    if (!this.#addable() || this.#served.has(id)) return;
    // What fails is made up for by the next sweep.
    if (this.#context.store.contacts.get(id)?.phase === 'accepted') this.sweep().catch(() => undefined);
  }

  contactRemoved(id: ContactId): void {
    this.#served = new Set([...this.#served].filter(served => served !== id));
  }

  /** Ends with what is under way. */
  async stop(): Promise<void> {
    await this.#running;
  }

  /** Drops what has ended, and gives contacts what they lack; one sweep ends before the next begins. */
  sweep(): Promise<void> {
    const done = this.#running.then(() => this.#sweep());
    this.#running = done.catch(() => undefined);
    return done;
  }

  async #sweep(): Promise<void> {
    const { store, clock } = this.#context;
    const own = store.keyPackages.list();
    wipe(...own.map(({ secret }) => secret));
    const nowMs = clock();
    // One of a clock that was set ahead goes as well: nobody else takes it before its time.
    const over = own.filter(({ createdAtMs }) => Math.abs(nowMs - createdAtMs) > LIMITS.keyPackageKeepMs);
    if (over.length > 0) {
      await store.write(tx => {
        for (const { id } of over) store.keyPackages.remove(tx, id);
      });
    }
    if (!this.#addable()) return;
    const fresh = own.filter(({ createdAtMs }) => Math.abs(nowMs - createdAtMs) < LIMITS.keyPackageRefreshMs);
    const has = (contact: ContactId | null): boolean =>
      SUITES.every(suite => fresh.some(made => made.contact === contact && made.suite === suite));
    const accepted = store.contacts.list().filter(({ phase }) => phase === 'accepted');
    const lacking = accepted.filter(({ id }) => !has(id));
    const lastResort = has(null) ? fresh.filter(({ contact }) => contact === null) : [];
    const next = lacking.slice(0, AT_ONCE).map(({ id }) => id);
    if (next.length > 0) await this.#give(next, lastResort);
    const waiting = new Set(lacking.slice(AT_ONCE).map(({ id }) => id));
    this.#served = new Set(accepted.flatMap(({ id }) => (waiting.has(id) ? [] : id)));
  }

  /** @param known those of last resort that still hold; none: they are made anew */
  async #give(contacts: readonly ContactId[], known: readonly KeyPackageRecord[]): Promise<void> {
    const { store, sequence, pendingAdded } = this.#context;
    const lastResort = known.length > 0 ? known : await this.#makeAll(null);
    const made = await Promise.all(contacts.map(contact => this.#makeAll(contact)));
    try {
      await store.write(tx => {
        if (known.length === 0) for (const record of lastResort) store.keyPackages.put(tx, record);
        for (const [at, contact] of contacts.entries()) {
          // Removed meanwhile: nothing may be left waiting for it.
          if (!store.contacts.get(contact, tx)) continue;
          const oneTime = made[at] ?? [];
          for (const record of oneTime) store.keyPackages.put(tx, record);
          const given = { oneTime: bytesOf(oneTime), lastResort: bytesOf(lastResort) };
          store.pending.add(tx, contact, sequence.next(), encodeContent({ kind: 'key-packages', ...given }));
        }
      });
    } finally {
      wipe(...made.flat().map(({ secret }) => secret));
      if (known.length === 0) wipe(...lastResort.map(({ secret }) => secret));
    }
    for (const contact of contacts) pendingAdded(contact);
  }

  /** One for each suite. */
  async #makeAll(contact: ContactId | null): Promise<KeyPackageRecord[]> {
    const { random, clock } = this.#context;
    const createdAtMs = clock();
    const made: KeyPackageRecord[] = [];
    for (const suite of SUITES) {
      const { keyPackage, secret } = await this.#suites[suite].keyPackage(
        { nowMs: createdAtMs, random },
        contact === null,
      );
      made.push({ id: random(ID_BYTES), contact, suite, keyPackage, secret, createdAtMs });
    }
    return made;
  }
}

function bytesOf(records: readonly KeyPackageRecord[]): Uint8Array[] {
  return records.map(({ keyPackage }) => keyPackage);
}
