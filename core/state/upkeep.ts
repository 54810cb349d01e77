import { wipe } from '../base/bytes.ts';
import { type Cancel, MINUTE_MS } from '../base/clock.ts';
import { judgeDeadline } from '../base/deadline.ts';
import type { ContactId } from '../base/ids.ts';
import { LIMITS } from '../base/limits.ts';
import { openCard } from '../crypto/card.ts';
import { generatePrekey, type Prekey } from '../crypto/prekey.ts';
import type { ContactRecord, OutboxRecord } from '../storage/records.ts';
import type { Store, WriteTx } from '../storage/store.ts';
import { encodeContent } from '../wire/content.ts';
import { type CardChange, cardOffers, nextCard, prekeyRecord, wipeProfileRecord } from './account.ts';
import type { Context } from './context.ts';
import type { Conversation } from './conversation.ts';
import { expireRequests } from './requests.ts';

const SWEEP_EVERY_MS = MINUTE_MS;

/** What must be done on time without being asked: expiry, weekly prekeys, and telling contacts of a new card. */
export class Upkeep {
  readonly #context: Context;
  readonly #conversation: (contact: ContactId) => Conversation;
  readonly #alsoSweep: () => Promise<void>;
  #cancel: Cancel | undefined;
  #running: Promise<void> = Promise.resolve();
  #changing: Promise<unknown> = Promise.resolve();
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
    await this.#changing;
  }

  async sweep(): Promise<void> {
    const { store, clock } = this.#context;
    const nowMs = clock();
    let expired: readonly OutboxRecord[] = [];
    await store.write(tx => {
      expired = store.outbox.sweep(tx, nowMs, LIMITS.sweepBatch);
      store.seen.sweep(tx, nowMs, LIMITS.sweepBatch);
      sweepInvites(store, tx, nowMs);
      sweepPrekeys(store, tx, nowMs);
    });
    this.#context.outboxEnded(expired.map(({ envelopeId }) => envelopeId));
    await expireRequests(this.#context);
    for (const contact of store.contacts.list()) {
      if (this.#stopped) return;
      // One contact that cannot be swept, because it was just removed say, costs the others nothing.
      await this.#conversation(contact.id)
        .ask({ kind: 'expire' })
        .catch(() => undefined);
    }
    await this.#alsoSweep();
    await this.#inTurn(() => this.#rotatePrekey(nowMs));
  }

  /** Signs a new card with the change; contacts get it through their sessions. */
  changeCard(change: CardChange): Promise<void> {
    return this.#inTurn(() => this.#changeCard(change));
  }

  async #changeCard(change: CardChange): Promise<void> {
    const { account, store, clock, sequence } = this.#context;
    const nowMs = clock();
    const card = nextCard(account, change, nowMs);
    const profile = store.profile.get();
    if (!profile) return;
    const prekey = change.prekey && prekeyRecord(change.prekey, nowMs);
    const nick = change.nick ?? profile.nick;
    const told = change.nick !== undefined || prekey !== undefined;
    try {
      await store.write(tx => {
        store.profile.put(tx, { ...profile, nick, card, cardSerial: profile.cardSerial + 1, ...prekeyCount(prekey) });
        if (prekey) store.prekeys.put(tx, prekey);
        if (!told) return;
        // Waiting for each contact from here on, whatever ends the process before it is sealed for all of them.
        const content = encodeContent({ kind: 'card', card });
        for (const { id } of acceptedContacts(store, tx)) store.pending.add(tx, id, sequence.next(), content);
      });
    } finally {
      wipeProfileRecord(profile);
      if (prekey) wipe(prekey.bytes);
    }
    account.card = card;
    account.nick = nick;
    if (told) for (const { id } of acceptedContacts(store)) this.#conversation(id).mend();
  }

  /** New contacts are given the addresses the node has now; known ones learn them when they connect. */
  offerAddresses(addresses: readonly string[]): Promise<void> {
    const offered = addresses.slice(0, LIMITS.cardAddresses);
    return this.#inTurn(async () => {
      if (!cardOffers(this.#context.account.card, offered)) await this.#changeCard({ addresses: offered });
    });
  }

  /** Each card builds on the one before it: one change after the other. */
  #inTurn<T>(run: () => Promise<T>): Promise<T> {
    const result = this.#changing.then(run);
    this.#changing = result.catch(() => undefined);
    return result;
  }

  async #rotatePrekey(nowMs: number): Promise<void> {
    const { account, store, random } = this.#context;
    const offered = openCard(account.card).prekeys;
    // One that a clock set ahead has made would be offered for years.
    if (offered.some(({ expiresAtMs }) => judgeDeadline(expiresAtMs, LIMITS.prekeyOfferMs, nowMs) === 'waits')) return;
    const profile = store.profile.get();
    if (!profile) return;
    wipeProfileRecord(profile);
    const prekey: Prekey = generatePrekey(profile.nextPrekeyId, nowMs, random);
    try {
      await this.#changeCard({ prekey });
    } finally {
      prekey.wipe();
    }
  }
}

function sweepInvites(store: Store, tx: WriteTx, nowMs: number): void {
  for (const invite of store.invites.list()) {
    const verdict = judgeDeadline(invite.expiresAtMs, LIMITS.inviteLifetimeMs, nowMs);
    if (verdict === 'over') store.invites.remove(tx, invite.secret);
    else if (verdict === 'anew') store.invites.put(tx, { ...invite, expiresAtMs: nowMs + LIMITS.inviteLifetimeMs });
  }
}

function sweepPrekeys(store: Store, tx: WriteTx, nowMs: number): void {
  for (const prekey of store.prekeys.list()) {
    const verdict = judgeDeadline(prekey.expiresAtMs, LIMITS.prekeyKeepMs, nowMs);
    if (verdict === 'over') store.prekeys.remove(tx, prekey.id);
    else if (verdict === 'anew') store.prekeys.put(tx, { ...prekey, expiresAtMs: nowMs + LIMITS.prekeyKeepMs });
    wipe(prekey.bytes);
  }
}

function acceptedContacts(store: Store, tx?: WriteTx): ContactRecord[] {
  return store.contacts.list(tx).filter(({ phase }) => phase === 'accepted');
}

function prekeyCount(prekey: { readonly id: number } | undefined): { nextPrekeyId?: number } {
  return prekey ? { nextPrekeyId: prekey.id + 1 } : {};
}
