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
  /** Made by one pass over the contacts; a contact that comes or goes changes its own place only. */
  #custodians: Map<ContactId, Custodian> | undefined;
  #list: readonly Custodian[] | undefined;
  readonly #transports = new Map<ContactId, TransportKey>();

  /**
   * @param gone told when a contact has gone; that one is there, its hello says
   * @param greeted whether hellos were exchanged on the connection: before that nothing is handed to a custodian
   */
  constructor(
    context: Context,
    swarm: Swarm,
    gone: (contact: ContactId) => void,
    greeted: (peer: TransportKey) => boolean,
  ) {
    this.#context = context;
    this.#swarm = swarm;
    this.#greeted = greeted;
    this.#unsubscribe = swarm.on({
      connected: peer => void this.#notePeer(peer),
      disconnected: peer => {
        const contact = this.#notePeer(peer);
        if (contact) gone(contact);
      },
    });
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

  /** The accepted contacts that have said whether they hold envelopes for others; another list when one has changed. */
  custodians(): readonly Custodian[] {
    this.#list ??= [...this.#known().values()];
    return this.#list;
  }

  custodian(id: ContactId): Custodian | undefined {
    return this.#known().get(id);
  }

  /** The contact is there, or was until now. */
  note(id: ContactId): void {
    const { store, clock } = this.#context;
    const nowMs = clock();
    this.#lastSeenMs.set(id, nowMs);
    this.#refresh(id);
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
    this.#list = undefined;
    this.#transports.clear();
  }

  /** Once a minute: whoever is connected was seen in this hour. */
  sweep(): void {
    for (const peer of this.#swarm.connectedPeers()) this.#notePeer(peer);
  }

  #notePeer(peer: TransportKey): ContactId | undefined {
    const contact = this.#context.store.contacts.byTransport(peer);
    if (contact?.phase !== 'accepted') return undefined;
    this.note(contact.id);
    return contact.id;
  }

  #known(): Map<ContactId, Custodian> {
    if (this.#custodians) return this.#custodians;
    const { store } = this.#context;
    const custodians = store.reading(() => store.contacts.list().flatMap(contact => this.#asCustodian(contact)));
    this.#custodians = new Map(custodians.map(custodian => [custodian.id, custodian]));
    return this.#custodians;
  }

  #refresh(id: ContactId): void {
    this.#list = undefined;
    if (!this.#custodians) return;
    const contact = this.#context.store.contacts.get(id);
    const [custodian] = contact ? this.#asCustodian(contact) : [];
    if (custodian) this.#custodians.set(id, custodian);
    else this.#custodians.delete(id);
  }

  /** None of a contact that has never said whether it holds. */
  #asCustodian({ id, phase, transportKey, lastSeenAtMs }: ContactRecord): Custodian[] {
    const { store, clock } = this.#context;
    const said = phase === 'accepted' ? store.instances.seen(id) : undefined;
    if (!said) return [];
    const uptime = store.uptime.get(id);
    // What was seen last counts, not what a clock that was ahead once has stored.
    const stored = Math.max(lastSeenAtMs ?? 0, (uptime?.lastHour ?? 0) * HOUR_MS);
    const seenMs = this.#lastSeenMs.get(id) ?? stored;
    return [
      {
        id,
        willing: said.holds,
        connected: this.#swarm.isConnected(transportKey) && this.#greeted(transportKey),
        lastSeenMs: seenMs === 0 ? null : seenMs,
        uptime: uptimeShare(uptime, clock()),
      },
    ];
  }
}
