import { wipe } from '../base/bytes.ts';
import { type Cancel, MINUTE_MS } from '../base/clock.ts';
import type { ContactId } from '../base/ids.ts';
import { LIMITS } from '../base/limits.ts';
import { openCard } from '../crypto/card.ts';
import { generatePrekey, type Prekey } from '../crypto/prekey.ts';
import type { OutboxRecord } from '../storage/records.ts';
import { type CardChange, cardOffers, nextCard, prekeyRecord, wipeProfileRecord } from './account.ts';
import type { Context } from './context.ts';
import type { Conversation } from './conversation.ts';

const SWEEP_EVERY_MS = MINUTE_MS;

/** What must be done on time without being asked: expiry, weekly prekeys, and telling contacts of a new card. */
export class Upkeep {
  readonly #context: Context;
  readonly #conversation: (contact: ContactId) => Conversation;
  readonly #alsoSweep: () => Promise<void>;
  #cancel: Cancel | undefined;
  #running: Promise<void> = Promise.resolve();
  #stopped = false;

  /** @param alsoSweep what other services do once a minute */
  constructor(context: Context, conversation: (contact: ContactId) => Conversation, alsoSweep: () => Promise<void>) {
    this.#context = context;
    this.#conversation = conversation;
    this.#alsoSweep = alsoSweep;
  }

  /** Sweeps now, and from then on once a minute; one sweep ends before the next begins. */
  start(): void {
    if (this.#stopped) return;
    this.#running = this.sweep()
      // A sweep that fails, for want of disk say, is made up for by the next.
      .catch(() => undefined)
      .then(() => {
        if (!this.#stopped) this.#cancel = this.#context.scheduler(SWEEP_EVERY_MS, () => this.start());
      });
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    this.#cancel?.();
    await this.#running;
  }

  async sweep(): Promise<void> {
    const { store, clock } = this.#context;
    const nowMs = clock();
    let expired: readonly OutboxRecord[] = [];
    await store.write(tx => {
      expired = store.outbox.expireBefore(tx, nowMs, LIMITS.actorInbox);
      store.seen.sweep(tx, nowMs, LIMITS.actorInbox);
      for (const invite of store.invites.list())
        if (invite.expiresAtMs <= nowMs) store.invites.remove(tx, invite.secret);
      for (const prekey of store.prekeys.list()) if (prekey.expiresAtMs <= nowMs) store.prekeys.remove(tx, prekey.id);
    });
    this.#context.outboxEnded(expired.map(({ envelopeId }) => envelopeId));
    for (const contact of store.contacts.list()) await this.#conversation(contact.id).ask({ kind: 'expire' });
    await this.#alsoSweep();
    await this.#rotatePrekey(nowMs);
  }

  /** Signs a new card with the change; contacts get it through their sessions. */
  async changeCard(change: CardChange): Promise<void> {
    const { account, store, clock } = this.#context;
    const nowMs = clock();
    const card = nextCard(account, change, nowMs);
    const profile = store.profile.get();
    if (!profile) return;
    const prekey = change.prekey && prekeyRecord(change.prekey, nowMs);
    const nick = change.nick ?? profile.nick;
    try {
      await store.write(tx => {
        store.profile.put(tx, { ...profile, nick, card, cardSerial: profile.cardSerial + 1, ...prekeyCount(prekey) });
        if (prekey) store.prekeys.put(tx, prekey);
      });
    } finally {
      wipeProfileRecord(profile);
      if (prekey) wipe(prekey.bytes);
    }
    account.card = card;
    account.nick = nick;
    if (change.nick !== undefined || prekey) await this.#announce(card);
  }

  /** New contacts are given the addresses the node has now; known ones learn them when they connect. */
  async offerAddresses(addresses: readonly string[]): Promise<void> {
    const offered = addresses.slice(0, LIMITS.cardAddresses);
    if (!cardOffers(this.#context.account.card, offered)) await this.changeCard({ addresses: offered });
  }

  async #announce(card: Buffer): Promise<void> {
    for (const contact of this.#context.store.contacts.list()) {
      if (contact.phase !== 'accepted') continue;
      await this.#conversation(contact.id).ask({ kind: 'send-control', content: { kind: 'card', card } });
    }
  }

  async #rotatePrekey(nowMs: number): Promise<void> {
    const { account, store, random } = this.#context;
    const offered = openCard(account.card).prekeys;
    if (offered.some(prekey => prekey.expiresAtMs > nowMs)) return;
    const profile = store.profile.get();
    if (!profile) return;
    wipeProfileRecord(profile);
    const prekey: Prekey = generatePrekey(profile.nextPrekeyId, nowMs, random);
    try {
      await this.changeCard({ prekey });
    } finally {
      prekey.wipe();
    }
  }
}

function prekeyCount(prekey: { readonly id: number } | undefined): { nextPrekeyId?: number } {
  return prekey ? { nextPrekeyId: prekey.id + 1 } : {};
}
