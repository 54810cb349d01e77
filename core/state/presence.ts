import { HOUR_MS } from '../base/clock.ts';
import type { ContactId, TransportKey } from '../base/ids.ts';
import type { Custodian } from '../mailbox/placement.ts';
import { noteSeen, uptimeShare } from '../mailbox/uptime.ts';
import type { Swarm } from '../network/swarm.ts';
import type { ContactRecord } from '../storage/records.ts';
import type { Context } from './context.ts';

/** Which contacts are there, how steadily they are, and which of them hold envelopes for others. */
export class Presence {
  readonly #context: Context;
  readonly #swarm: Swarm;
  readonly #greeted: (peer: TransportKey) => boolean;
  readonly #lastSeenMs = new Map<ContactId, number>();
  readonly #unsubscribe: () => void;
  #custodians: readonly Custodian[] | undefined;
  readonly #transports = new Map<ContactId, TransportKey>();

  /**
   * @param changed told when a contact has come or gone
   * @param greeted whether hellos were exchanged on the connection: before that nothing is handed to a custodian
   */
  constructor(
    context: Context,
    swarm: Swarm,
    changed: (contact: ContactId) => void,
    greeted: (peer: TransportKey) => boolean,
  ) {
    this.#context = context;
    this.#swarm = swarm;
    this.#greeted = greeted;
    const note = (peer: TransportKey): void => {
      const contact = context.store.contacts.byTransport(peer);
      if (contact?.phase !== 'accepted') return;
      this.note(contact.id);
      changed(contact.id);
    };
    this.#unsubscribe = swarm.on({ connected: note, disconnected: note });
  }

  stop(): void {
    this.#unsubscribe();
  }

  isConnected(id: ContactId): boolean {
    const key = this.#transports.get(id) ?? this.#context.store.contacts.get(id)?.transportKey;
    if (!key) return false;
    this.#transports.set(id, key);
    return this.#swarm.isConnected(key);
  }

  /** The accepted contacts that have said they hold envelopes for others. */
  custodians(): readonly Custodian[] {
    this.#custodians ??= this.#context.store.reading(() => this.#listCustodians());
    return this.#custodians;
  }

  /** The contact is there, or was until now. */
  note(id: ContactId): void {
    const { store, clock } = this.#context;
    const nowMs = clock();
    this.#lastSeenMs.set(id, nowMs);
    this.forget();
    const known = store.uptime.get(id);
    if (known?.lastHour === Math.floor(nowMs / HOUR_MS)) return;
    // What a full disk forgets of an hour is noted again within the minute.
    store
      .write(tx => {
        if (store.contacts.get(id, tx)) store.uptime.put(tx, id, noteSeen(store.uptime.get(id, tx), nowMs));
      })
      .catch(() => undefined);
  }

  /** A contact's row, or what it said of itself, has changed. */
  forget(): void {
    this.#custodians = undefined;
    this.#transports.clear();
  }

  /** Once a minute: whoever is connected was seen in this hour. */
  sweep(): void {
    for (const peer of this.#swarm.connectedPeers()) {
      const contact = this.#context.store.contacts.byTransport(peer);
      if (contact?.phase === 'accepted') this.note(contact.id);
    }
  }

  #listCustodians(): Custodian[] {
    const { store } = this.#context;
    return store.contacts
      .list()
      .filter(({ id, phase }) => phase === 'accepted' && store.instances.seen(id)?.holds === true)
      .map(contact => this.#asCustodian(contact));
  }

  #asCustodian({ id, transportKey, lastSeenAtMs }: ContactRecord): Custodian {
    const { store, clock } = this.#context;
    const uptime = store.uptime.get(id);
    const seenMs = Math.max(this.#lastSeenMs.get(id) ?? 0, lastSeenAtMs ?? 0, (uptime?.lastHour ?? 0) * HOUR_MS);
    return {
      id,
      connected: this.#swarm.isConnected(transportKey) && this.#greeted(transportKey),
      lastSeenMs: seenMs === 0 ? null : seenMs,
      uptime: uptimeShare(uptime, clock()),
    };
  }
}
